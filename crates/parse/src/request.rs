//! What requests are made of in every log of a web server: method, target and version, quoted texts, escapes.
//!
//! Knows no log format. Clients write all of it: nothing here names a source or an account.

use event::catalog::field;
use event::{BatchBuilder, FieldId};
use memchr::{memchr, memchr_iter, memchr2, memrchr};

use crate::address::{decimal, is_ip};

/// Text from between quotes, and whether a backslash is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoted<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) escaped: bool,
}

#[inline]
pub(crate) fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr(b' ', text)?;
    (blank > 0).then(|| (&text[..blank], &text[blank + 1..]))
}

#[inline]
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    memchr(b' ', text).map_or((text, &b""[..]), |blank| (&text[..blank], &text[blank + 1..]))
}

pub(crate) fn put_host(host: &[u8], rows: &mut BatchBuilder) {
    let colon = memrchr(b':', host).filter(|at| decimal(&host[at + 1..]).is_some() && !is_ip(host));
    let (name, port) = colon.map_or((host, None), |at| (&host[..at], decimal(&host[at + 1..])));
    rows.text(field::URL_DOMAIN, name);
    if let Some(port) = port {
        rows.long(field::URL_PORT, port);
    }
}

/// A request line whose escapes are read.
pub(crate) fn put_request_line(text: &[u8], rows: &mut BatchBuilder) {
    put_request(Quoted { text, escaped: false }, rows);
}

/// `METHOD target HTTP/version`, or whatever a client sent instead.
#[inline]
pub(crate) fn put_request(request: Quoted<'_>, rows: &mut BatchBuilder) {
    let Some((method, rest)) = word(request.text).filter(|(method, _)| is_token(method)) else {
        if !matches!(request.text, b"-" | b"") {
            put_quoted(rows, field::URL_ORIGINAL, request);
            rows.literal(field::EVENT_REASON, "the request is not HTTP");
        }
        return;
    };
    rows.text(field::HTTP_REQUEST_METHOD, method);
    let version = memrchr(b' ', rest).filter(|blank| rest[blank + 1..].starts_with(b"HTTP/"));
    let target = version.map_or(rest, |blank| &rest[..blank]);
    if let Some(blank) = version {
        rows.text(field::HTTP_VERSION, &rest[blank + 6..]);
    }
    if request.escaped && memchr(b'\\', target).is_some() {
        let owned = unescape(target);
        put_target(owned.as_bytes(), rows);
    } else {
        put_target(target, rows);
    }
}

/// RFC 9110 §5.6.2: the characters of a method.
#[inline]
pub(crate) fn is_token(text: &[u8]) -> bool {
    text.len() <= 32 && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[inline]
pub(crate) fn put_target(target: &[u8], rows: &mut BatchBuilder) {
    if target.is_empty() || target == b"-" {
        return;
    }
    rows.text(field::URL_ORIGINAL, target);
    let local = if target[0] == b'/' { target } else { after_authority(target, rows) };
    if local.is_empty() {
        return;
    }
    match memchr(b'?', local) {
        Some(mark) => {
            rows.text(field::URL_PATH, &local[..mark]);
            rows.text(field::URL_QUERY, &local[mark + 1..]);
        }
        None => rows.text(field::URL_PATH, local),
    }
}

/// Takes `scheme://host[:port]` off an absolute target (RFC 9112 §3.2.2).
fn after_authority<'a>(target: &'a [u8], rows: &mut BatchBuilder) -> &'a [u8] {
    let Some(scheme) = memchr(b':', target).filter(|at| target[*at..].starts_with(b"://")) else {
        return target;
    };
    let authority = &target[scheme + 3..];
    let end = authority.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(authority.len());
    if end > 0 && !rows.has(field::URL_DOMAIN) {
        put_host(&authority[..end], rows);
    }
    &authority[end..]
}

/// A quoted text and what follows. A quote closes only before a blank or the end, and only when the quotes that are
/// left still pair up; without any closing quote the rest of the line is the text.
#[inline]
pub(crate) fn quoted(text: &[u8]) -> Option<(Quoted<'_>, &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let (mut at, mut escaped) = (0, false);
    let mut quotes = QuotesLeft::default();
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        let stop = at + found;
        if text[stop] == b'\\' {
            escaped = true;
            at = stop + 2;
            continue;
        }
        let rest = &text[stop + 1..];
        if rest.is_empty() || (rest[0] == b' ' && (rest.starts_with(b" \"") || quotes.pair_up(text, stop + 1))) {
            return Some((Quoted { text: &text[..stop], escaped }, rest));
        }
        at = stop + 1;
    }
    Some((Quoted { text, escaped }, b""))
}

/// Text up to a byte that closes it and has no backslash in front, and what follows that byte.
#[inline]
pub(crate) fn closed_by(text: &[u8], close: u8) -> Option<(Quoted<'_>, &[u8])> {
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = memchr2(close, b'\\', text.get(at..)?) {
        let stop = at + found;
        if text[stop] != b'\\' {
            return Some((Quoted { text: &text[..stop], escaped }, &text[stop + 1..]));
        }
        escaped = true;
        at = stop + 2;
    }
    None
}

/// Whether the quotes behind a place pair up. Places are asked in their order, and each quote is counted twice at most.
#[derive(Default)]
struct QuotesLeft {
    /// The last place, and whether an odd number of quotes stands behind it.
    last: Option<(usize, bool)>,
}

impl QuotesLeft {
    fn pair_up(&mut self, text: &[u8], at: usize) -> bool {
        let is_odd = |part: std::ops::Range<usize>| {
            let start = part.start;
            let is_bare = |quote: &usize| text[(start + quote).saturating_sub(1)] != b'\\';
            memchr_iter(b'"', &text[part]).filter(is_bare).count() % 2 == 1
        };
        let odd = match self.last {
            Some((last, odd)) => odd != is_odd(last..at),
            None => is_odd(at..text.len()),
        };
        self.last = Some((at, odd));
        !odd
    }
}

#[inline]
pub(crate) fn put_quoted(rows: &mut BatchBuilder, id: FieldId, quoted: Quoted<'_>) {
    if quoted.escaped {
        rows.owned(id, &unescape(quoted.text));
    } else if !matches!(quoted.text, b"-" | b"") {
        rows.text(id, quoted.text);
    }
}

#[inline]
pub(crate) fn put_escaped(rows: &mut BatchBuilder, id: FieldId, text: &[u8]) {
    if memchr(b'\\', text).is_some() {
        rows.owned(id, &unescape(text));
    } else {
        rows.text(id, text);
    }
}

/// Takes back what servers write for quotes, backslashes and bytes that do not print: `\"`, `\\`, `\n`, `\xHH`.
pub(crate) fn unescape(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let (byte, used) = match rest {
            [b'x' | b'X', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'\\', 0),
            },
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'r', ..] => (b'\r', 1),
            [byte @ (b'"' | b'\\'), ..] => (*byte, 1),
            _ => (b'\\', 0),
        };
        out.push(byte);
        rest = &rest[used..];
    }
    out.extend_from_slice(rest);
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}
