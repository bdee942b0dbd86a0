//! What a client speaks, by its first bytes: another protocol on a port is recognised, counted and told, and never stored as
//! if it were events.

use std::net::SocketAddr;

use crate::told::tell_rarely;

/// A version 2 header of the PROXY protocol begins so.
pub(crate) const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a first line within which HTTP has to show.
const HTTP_LINE_BYTES_MAX: usize = 4096;
/// Bytes that are too few for the whole line of a request.
const FEW_BYTES: usize = 16;

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// A handshake of TLS begins.
    Tls,
    /// A request of HTTP.
    Http,
    /// An offer of RELP.
    Relp,
    /// A window of Lumberjack, as Filebeat and Logstash send it.
    Lumberjack,
    /// Fluent's Forward, in MessagePack.
    Forward,
    /// A header of the PROXY protocol.
    Proxy,
    /// A shell.
    Ssh,
    /// None of these.
    Plain,
}

impl Spoken {
    /// As metrics name it.
    pub fn word(self) -> &'static str {
        match self {
            Spoken::Tls => "tls",
            Spoken::Http => "http",
            Spoken::Relp => "relp",
            Spoken::Lumberjack => "lumberjack",
            Spoken::Forward => "forward",
            Spoken::Proxy => "proxy",
            Spoken::Ssh => "ssh",
            Spoken::Plain => "plain",
        }
    }

    /// What begins so; `None` where nothing is known to. Lines of logs begin with none of these.
    pub fn of(first: &[u8]) -> Option<Spoken> {
        match first {
            // A handshake record of SSL 3.0 or newer.
            [0x16] | [0x16, 3, ..] => Some(Spoken::Tls),
            [b'1' | b'2', b'W', 0, ..] => Some(Spoken::Lumberjack),
            // An array of two to four, and a text as its first.
            [0x92..=0x94, 0xa0..=0xbf | 0xd9..=0xdb, ..] => Some(Spoken::Forward),
            _ if first.starts_with(PROXY_V2)
                || first.starts_with(b"PROXY TCP")
                || first.starts_with(b"PROXY UNKNOWN") =>
            {
                Some(Spoken::Proxy)
            }
            _ if first.starts_with(b"SSH-2.0-") || first.starts_with(b"SSH-1.99-") => Some(Spoken::Ssh),
            _ if is_relp(first) => Some(Spoken::Relp),
            _ if is_http(first) => Some(Spoken::Http),
            _ => None,
        }
    }
}

/// `1 open 85 relp_version=0`.
fn is_relp(first: &[u8]) -> bool {
    let digits = first.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=9).contains(&digits) && first[digits..].starts_with(b" open ")
}

/// `METHOD TARGET HTTP/1.1`, or the beginning of HTTP/2.
fn is_http(first: &[u8]) -> bool {
    if first.starts_with(b"PRI * HTTP/2") {
        return true;
    }
    let methods = ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT "];
    if !methods.iter().any(|method| first.starts_with(method.as_bytes())) {
        return false;
    }
    let all = &first[..first.len().min(HTTP_LINE_BYTES_MAX)];
    let line = all.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // Of a few bytes, the method has to do.
    (line.len() == first.len() && line.len() <= FEW_BYTES) || memchr::memmem::find(line, b" HTTP/1.").is_some()
}

/// Counts and tells that a client is on a port that does not speak its protocol.
pub fn misdirected(port: &'static str, spoken: Spoken, peer: SocketAddr, remedy: &str) {
    let spoken = spoken.word();
    metrics::counter!("ingest_misdirected_total", "port" => port, "spoken" => spoken).increment(1);
    if tell_rarely(port, spoken) {
        tracing::warn!(port, %peer, spoken, "a client speaks {spoken} on {port}, {remedy}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_known_by_their_first_bytes_and_lines_are_none_of_them() {
        for (first, spoken) in [
            (&b"\x16\x03\x01\x02\x00\x01"[..], Spoken::Tls),
            (b"GET / HTTP/1.1\r\nHost: x\r\n", Spoken::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Spoken::Http),
            (b"1 open 86 relp_version=0\n", Spoken::Relp),
            (b"2W\0\0\0\x03", Spoken::Lumberjack),
            (b"\x93\xa5app.x\xd7\x00", Spoken::Forward),
            (b"\x94\xd9\x28", Spoken::Forward),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", Spoken::Proxy),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", Spoken::Proxy),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", Spoken::Ssh),
        ] {
            assert_eq!(Spoken::of(first), Some(spoken), "{}", first.escape_ascii());
        }
        for line in [
            &b"<38>1 2026-11-23T10:00:00Z gate sshd 9 - - Failed password"[..],
            b"62 <38>1 2026-11-23T10:00:00Z",
            b"GET the keys from the drawer, she said to nobody at all\n",
            b"1 opening of the gate\n",
            b"2W is a power\n",
            b"{\"version\":\"1.1\"}\0",
            b"\r\n\r\n",
            b"PROXY restarted\n",
            b"z\x78\xda",
            b"",
        ] {
            assert_eq!(Spoken::of(line), None, "{}", line.escape_ascii());
        }
    }
}
