//! A request as one line of the access log: combined log format with the name of the token as user, and behind it what a
//! trusted proxy forwarded for whom, the request's id and its seconds. Secrets are taken out, and nothing that a client
//! sends can look like another field or another line.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{REFERER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName};
use event::{Network, Timestamp};

/// Longest target, referrer and user agent that a line shows, in bytes; longer ones end with `...`.
const TARGET_BYTES_MAX: usize = 2048;
const HEADER_BYTES_MAX: usize = 512;
/// Rounds of percent encoding that are taken off the name of a parameter before it is judged.
const DECODE_ROUNDS: usize = 3;
const MASK: &str = "REDACTED";
/// A parameter whose name holds one of these has a value that nobody needs to read.
const SECRET_NAMES: [&str; 13] = [
    "token",
    "key",
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "auth",
    "signature",
    "sig",
    "credential",
    "session",
    "jwt",
    "code",
];
const TOKEN_START: &str = "c0di3_";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies whose word about a client's address is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Arc<[Network]>);

impl TrustedProxies {
    fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Whom the proxies speak for: the right-most address in X-Forwarded-For that is none of theirs, because whatever stands
    /// to the left of it was written by the client. `None` where nobody trusted speaks, or the address cannot be read.
    pub(crate) fn forwarded(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.hold(peer) {
            return None;
        }
        let lists: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().map(|list| list.to_str().unwrap_or("?")).collect();
        let mut found = None;
        for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
            let address = hop_address(hop.trim())?;
            found = Some(address);
            if !self.hold(address) {
                break;
            }
        }
        found
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if hop.matches(':').count() == 1 => hop.split_once(':')?.0,
        None => hop,
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// What a line says of the request.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    /// Who was connected.
    pub(crate) peer: Option<IpAddr>,
    /// Whom a trusted proxy speaks for.
    pub(crate) forwarded: Option<IpAddr>,
    method: String,
    /// Path and query, without secrets.
    target: String,
    version: String,
    referrer: String,
    agent: String,
}

/// How the request ended.
pub(crate) struct Ending<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) status: u16,
    /// Bytes of the answer's body, where they are known.
    pub(crate) bytes: Option<u64>,
    pub(crate) seconds: f64,
    pub(crate) request_id: &'a str,
}

impl Line {
    pub(crate) fn of(request: &Request, at: Timestamp, peer: Option<IpAddr>, forwarded: Option<IpAddr>) -> Self {
        let header = |name| {
            let value = request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            value.unwrap_or_default()
        };
        let uri = request.uri();
        let query = uri.query().map(|query| format!("?{}", without_secrets(query))).unwrap_or_default();
        Line {
            at,
            peer,
            forwarded,
            method: request.method().to_string(),
            target: without_tokens(&format!("{}{query}", uri.path())),
            version: format!("{:?}", request.version()),
            referrer: without_tokens(&address_without_secrets(&header(REFERER))),
            agent: without_tokens(&header(USER_AGENT)),
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub(crate) fn agent(&self) -> &str {
        &self.agent
    }

    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.forwarded.or(self.peer)
    }

    pub(crate) fn write(&self, ending: &Ending<'_>) -> String {
        let shown = |address: Option<IpAddr>| address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        let via = match self.forwarded {
            Some(client) => format!("{client}, {}", shown(self.peer)),
            None => "-".to_owned(),
        };
        let quoted = |text: &str, most| if text.is_empty() { "-".to_owned() } else { escaped(text, most) };
        format!(
            "{} - {} [{}] \"{} {} {}\" {} {} \"{}\" \"{}\" \"{via}\" \"{}\" {:.6}",
            shown(self.client()),
            user(ending.user),
            clf_time(self.at),
            escaped(&self.method, HEADER_BYTES_MAX),
            escaped(&self.target, TARGET_BYTES_MAX),
            self.version,
            ending.status,
            ending.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string()),
            quoted(&self.referrer, HEADER_BYTES_MAX),
            quoted(&self.agent, HEADER_BYTES_MAX),
            escaped(ending.request_id, HEADER_BYTES_MAX),
            ending.seconds,
        )
    }
}

/// Printable ASCII but for quotes and backslashes, everything else as `\xHH`: what is left can end no field and no line.
fn escaped(text: &str, bytes_max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if at >= bytes_max {
            out.push_str("...");
            break;
        }
        match byte {
            b'"' | b'\\' => out.push_str(&format!("\\x{byte:02X}")),
            b' '..=b'~' => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02X}")),
        }
    }
    out
}

/// A name stands between blanks and in front of a bracket.
fn user(name: Option<&str>) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'+' | b'-');
    match name {
        None | Some("") => "-".to_owned(),
        Some("-") => "\\x2D".to_owned(),
        Some(name) => {
            let shown = name.bytes().take(HEADER_BYTES_MAX);
            shown.map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("\\x{byte:02X}") }).collect()
        }
    }
}

/// `28/Nov/2026:13:55:36 +0000`, out of `2026-11-28T13:55:36.000000Z`.
fn clf_time(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    let month = part(5, 7).parse().ok().and_then(|month: usize| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"Jan");
    format!("{}/{month}/{}:{} +0000", part(8, 10), part(0, 4), part(11, 19))
}

/// The query with the values of secrets replaced.
pub(crate) fn without_secrets(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    for pair in query.split_inclusive(['&', ';']) {
        let (pair, end) = match pair.strip_suffix(['&', ';']) {
            Some(inner) => (inner, &pair[inner.len()..]),
            None => (pair, ""),
        };
        match pair.split_once('=') {
            Some((name, _)) if names_a_secret(name) => out.push_str(&format!("{name}={MASK}")),
            _ => out.push_str(pair),
        }
        out.push_str(end);
    }
    out
}

fn names_a_secret(name: &str) -> bool {
    let mut name = name.to_ascii_lowercase();
    for _ in 0..DECODE_ROUNDS {
        if SECRET_NAMES.iter().any(|secret| name.contains(secret)) {
            return true;
        }
        let decoded = percent_decoded(&name).to_ascii_lowercase();
        if decoded == name {
            break;
        }
        name = decoded;
    }
    false
}

/// `%41` as text.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[3..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An address without the account in front of its host, and without secrets in its query.
fn address_without_secrets(address: &str) -> String {
    let (head, query) = match address.split_once('?') {
        Some((head, query)) => (head, format!("?{}", without_secrets(query))),
        None => (address, String::new()),
    };
    let bare = head.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let host = rest[..end].rsplit_once('@').map(|(_, host)| host)?;
        Some(format!("{scheme}://{host}{}", &rest[end..]))
    });
    format!("{}{query}", bare.as_deref().unwrap_or(head))
}

/// Tokens of ours are hidden wherever they stand.
fn without_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(TOKEN_START) {
        let after = at + TOKEN_START.len();
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let length = rest.as_bytes()[after..].iter().take_while(|byte| part(byte)).count();
        out.push_str(&rest[..after]);
        out.push_str(if length > 0 { MASK } else { "" });
        rest = &rest[after + length..];
    }
    out + rest
}

#[cfg(test)]
mod tests;
