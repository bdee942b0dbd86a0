//! Access logs: Common and Combined Log Format, their virtual-host forms, nginx's default, and trailing extras.
//!
//! `[vhost[:port] ] client ident user [time] "request" status bytes [ "referer" "user agent" [extras …]]`
//! A request that is not HTTP (TLS hello, garbage) keeps its text in `url.original`; no line is refused for it.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, dataset};
use memchr::{memchr, memchr_iter, memchr2, memrchr};
use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::{eof, peek, recognize};

use crate::address::{decimal, is_ip, put_peer};
use crate::context::{Context, Refusal};
use crate::{rfc3164, rfc5424};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    split_time(text).is_some_and(|(head, ..)| head.len() >= 3)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if starts_like_another_format(text) || text.starts_with(b"[pod/") {
        return Err(Refusal::Other("not an access line: it starts like JSON or syslog"));
    }
    let (head, stamp, rest) = split_time(text).ok_or(Refusal::Other("not an access line: no time in brackets"))?;
    let time = context.times.clf(stamp).or_else(|| context.times.iso(stamp).map(|(time, _)| time));
    let time = time.ok_or(Refusal::Other("not an access line: the time in brackets cannot be read"))?;
    let client = Client::read(head).ok_or(Refusal::Other("not an access line: no client in front of the time"))?;
    let rest = rest.strip_prefix(b" \"").ok_or(Refusal::Other("not an access line: no quoted request"))?;
    let (request, rest) =
        request_text(rest).ok_or(Refusal::Other("not an access line: no status after the request"))?;
    let (status, bytes, rest) =
        status_and_bytes(rest).ok_or(Refusal::Other("not an access line: no status after the request"))?;
    rows.date(field::TIMESTAMP, time);
    client.put(rows);
    put_request(request, rows);
    if let Some(status) = status {
        rows.long(field::HTTP_RESPONSE_STATUS_CODE, status);
    }
    if let Some(bytes) = bytes {
        rows.long(field::HTTP_RESPONSE_BODY_BYTES, bytes);
    }
    put_tail(rest, rows);
    Ok(dataset::ACCESS)
}

/// A user name may hold blanks, so that the start of a syslog line could pass for a client: those lines are not ours.
#[inline]
fn starts_like_another_format(text: &[u8]) -> bool {
    match text.first() {
        Some(b'{' | b'<') => true,
        Some(b'0'..=b'9') => rfc3164::looks_like(rfc3164::before_stamp(text)) || rfc5424::starts_like_file_form(text),
        _ => text.trim_ascii_start().first() == Some(&b'{') || rfc3164::looks_like(rfc3164::before_stamp(text)),
    }
}

/// Text before the bracketed time, the time, and what follows the bracket.
#[inline]
fn split_time(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    for open in memchr_iter(b'[', text) {
        let inside = &text[open + 1..];
        let clf = inside.len() > 26 && inside[2] == b'/' && inside[6] == b'/' && inside[26] == b']';
        let close = if clf { 26 } else { iso_close(inside).unwrap_or(0) };
        // A user name may hold brackets and times: the time is the one that a quoted request follows.
        let followed = inside.get(close + 1..).is_some_and(|rest| rest.starts_with(b" \""));
        if close > 0 && open > 0 && text[open - 1] == b' ' && followed {
            return Some((&text[..open - 1], &inside[..close], &inside[close + 1..]));
        }
    }
    None
}

fn iso_close(inside: &[u8]) -> Option<usize> {
    let dated = inside.len() > 20 && inside[4] == b'-' && inside[7] == b'-' && inside[13] == b':';
    if dated { memchr(b']', &inside[..inside.len().min(40)]) } else { None }
}

/// The words in front of the time.
#[derive(Debug, PartialEq, Eq)]
struct Client<'a> {
    host: Option<&'a [u8]>,
    address: &'a [u8],
    /// The whole list where the first field is a list of forwarded addresses.
    forwarded: Option<&'a [u8]>,
    user: &'a [u8],
}

impl<'a> Client<'a> {
    #[inline]
    fn read(head: &'a [u8]) -> Option<Self> {
        let (mut address, mut rest) = word(head)?;
        let mut host = None;
        let mut forwarded = None;
        if address.ends_with(b",") {
            let list_end = forwarded_end(head);
            forwarded = Some(&head[..list_end]);
            address = &address[..address.len() - 1];
            rest = head[list_end..].strip_prefix(b" ")?;
        } else if let Some((second, after)) = word(rest)
            && memchr(b' ', after).is_some()
            && (is_ip(second) || memchr(b':', address).is_some_and(|_| !is_ip(address)))
        {
            host = Some(address);
            (address, rest) = (second, after);
        }
        // What is left is `ident user`; the user may hold blanks.
        let (_ident, user) = word(rest)?;
        Some(Client { host, address, forwarded, user })
    }

    #[inline]
    fn put(&self, rows: &mut BatchBuilder) {
        put_peer(rows, self.address);
        if let Some(list) = self.forwarded {
            rows.text(field::NETWORK_FORWARDED_IP, list);
        }
        if self.user != b"-" && !self.user.is_empty() && self.user != b"\"\"" {
            put_escaped(rows, field::USER_NAME, self.user);
        }
        if let Some(host) = self.host.filter(|host| *host != b"-") {
            put_host(host, rows);
        }
    }
}

/// End of a list like `1.2.3.4, 5.6.7.8` at the start of the text.
fn forwarded_end(head: &[u8]) -> usize {
    let mut end = 0;
    for blank in memchr_iter(b' ', head) {
        end = blank;
        if head[blank - usize::from(blank > 0)] != b',' {
            break;
        }
    }
    end
}

#[inline]
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr(b' ', text)?;
    (blank > 0).then(|| (&text[..blank], &text[blank + 1..]))
}

fn put_host(host: &[u8], rows: &mut BatchBuilder) {
    let colon = memrchr(b':', host).filter(|at| decimal(&host[at + 1..]).is_some() && !is_ip(host));
    let (name, port) = colon.map_or((host, None), |at| (&host[..at], decimal(&host[at + 1..])));
    rows.text(field::URL_DOMAIN, name);
    if let Some(port) = port {
        rows.long(field::URL_PORT, port);
    }
}

/// ` 200 ` or ` - ` behind a quote.
fn status_follows(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let digits = take_while_m_n(3, 3, |byte: u8| byte.is_ascii_digit());
    recognize((tag(&b" "[..]), alt((digits, tag(&b"-"[..]))), peek(alt((tag(&b" "[..]), eof))))).parse(text)
}

/// Text from between quotes, and whether a backslash is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quoted<'a> {
    text: &'a [u8],
    escaped: bool,
}

/// The request up to the quote that a status follows: clients can send quotes, and old servers do not escape them.
#[inline]
fn request_text(text: &[u8]) -> Option<(Quoted<'_>, &[u8])> {
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..)?) {
        let stop = at + found;
        if text[stop] == b'\\' {
            escaped = true;
            at = stop + 2;
        } else if status_follows(&text[stop + 1..]).is_ok() {
            return Some((Quoted { text: &text[..stop], escaped }, &text[stop + 1..]));
        } else {
            at = stop + 1;
        }
    }
    None
}

type Status<'a> = (Option<i64>, Option<i64>, &'a [u8]);

/// ` status bytes`, each of which may be `-`; the bytes may be missing at the end of the line.
#[inline]
fn status_and_bytes(text: &[u8]) -> Option<Status<'_>> {
    let text = text.strip_prefix(b" ")?;
    let (status, rest) = split_word(text);
    let (bytes, rest) = split_word(rest);
    let known = status == b"-" || (status.len() == 3 && decimal(status).is_some());
    known.then(|| (decimal(status), decimal(bytes), rest))
}

#[inline]
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    memchr(b' ', text).map_or((text, &b""[..]), |blank| (&text[..blank], &text[blank + 1..]))
}

/// `METHOD target HTTP/version`, or whatever a client sent instead.
#[inline]
fn put_request(request: Quoted<'_>, rows: &mut BatchBuilder) {
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
fn is_token(text: &[u8]) -> bool {
    text.len() <= 32 && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[inline]
fn put_target(target: &[u8], rows: &mut BatchBuilder) {
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

/// Referer, user agent and extras.
#[inline]
fn put_tail(text: &[u8], rows: &mut BatchBuilder) {
    let Some((referrer, rest)) = quoted(text) else {
        put_extra(text, rows);
        return;
    };
    put_quoted(rows, field::HTTP_REQUEST_REFERRER, referrer);
    let Some((agent, rest)) = rest.strip_prefix(b" ").and_then(quoted) else {
        put_extra(rest, rows);
        return;
    };
    put_quoted(rows, field::USER_AGENT_ORIGINAL, agent);
    put_extra(rest, rows);
}

#[cold]
fn put_more(text: &[u8], rows: &mut BatchBuilder) {
    rows.text(field::ACCESS_EXTRA, text);
    if let Some((list, _)) = quoted(text)
        && is_ip(split_word(list.text).0.strip_suffix(b",").unwrap_or(split_word(list.text).0))
    {
        rows.text(field::NETWORK_FORWARDED_IP, list.text);
    }
}

#[inline]
fn put_extra(text: &[u8], rows: &mut BatchBuilder) {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if !text.is_empty() {
        put_more(text, rows);
    }
}

/// A quoted text and what follows. A quote closes only before a blank or the end, and only when the quotes that are
/// left still pair up; without any closing quote the rest of the line is the text.
#[inline]
fn quoted(text: &[u8]) -> Option<(Quoted<'_>, &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        let stop = at + found;
        if text[stop] == b'\\' {
            escaped = true;
            at = stop + 2;
            continue;
        }
        let rest = &text[stop + 1..];
        if rest.is_empty() || (rest[0] == b' ' && quotes_pair_up(rest)) {
            return Some((Quoted { text: &text[..stop], escaped }, rest));
        }
        at = stop + 1;
    }
    Some((Quoted { text, escaped }, b""))
}

#[inline]
fn quotes_pair_up(text: &[u8]) -> bool {
    text.starts_with(b" \"") || memchr_iter(b'"', text).filter(|at| text[at - 1] != b'\\').count() % 2 == 0
}

#[inline]
fn put_quoted(rows: &mut BatchBuilder, id: FieldId, quoted: Quoted<'_>) {
    if quoted.escaped {
        rows.owned(id, &unescape(quoted.text));
    } else if !matches!(quoted.text, b"-" | b"") {
        rows.text(id, quoted.text);
    }
}

#[inline]
fn put_escaped(rows: &mut BatchBuilder, id: FieldId, text: &[u8]) {
    if memchr(b'\\', text).is_some() {
        rows.owned(id, &unescape(text));
    } else {
        rows.text(id, text);
    }
}

/// Takes back what servers write for quotes, backslashes and bytes that do not print: `\"`, `\\`, `\n`, `\xHH`.
fn unescape(text: &[u8]) -> String {
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
