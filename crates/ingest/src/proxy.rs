//! The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): whom a proxy speaks for. It is read from trusted
//! networks alone, and has to be there: an address that anybody else writes is never believed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use event::Network;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::spoken::PROXY_V2;
use crate::told::tell_rarely;

/// Longest line of version 1, its line feed included, in bytes.
const LINE_BYTES_MAX: usize = 107;
/// Longest that version 2 may be behind its first 16 bytes.
const REST_BYTES_MAX: usize = 2048;
/// Longest wait for a header.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the address is of one of the networks.
pub fn is_trusted(networks: &[Network], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.holds(address))
}

/// For whom a trusted proxy speaks: itself, where it says so (checks of health). `None`: it has sent no header, which is
/// counted and told, and the connection is to be closed.
pub async fn client(stream: &mut TcpStream, proxy: SocketAddr, port: &'static str) -> Option<SocketAddr> {
    let (reason, words) = match timeout(HEADER_TIMEOUT, header(stream)).await {
        Ok(Ok(client)) => return Some(client.unwrap_or(proxy)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => ("gone", error.to_string()),
        Ok(Err(error)) => ("broken", error.to_string()),
        Err(_) => ("timeout", "it has not come in time".to_owned()),
    };
    metrics::counter!("ingest_proxy_headers_refused_total", "port" => port, "reason" => reason).increment(1);
    if tell_rarely(port, "proxy header") {
        tracing::warn!(port, %proxy, reason, words, "a trusted proxy sent no PROXY header: have it send one, or name it no proxy");
    }
    None
}

async fn header(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut first = [0; 1];
    stream.read_exact(&mut first).await?;
    if first == *b"P" { version_1(stream).await } else { version_2(stream, first[0]).await }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 40000 514\r\n`: byte by byte, because what is behind it is not ours to take.
async fn version_1(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut line = vec![b'P'];
    while line.last() != Some(&b'\n') {
        let mut next = [0; 1];
        stream.read_exact(&mut next).await?;
        line.push(next[0]);
        if line.len() > LINE_BYTES_MAX || !b"PROXY ".starts_with(&line[..line.len().min(6)]) {
            return Err(broken("what begins is no header of the PROXY protocol"));
        }
    }
    let text = std::str::from_utf8(&line).ok().and_then(|line| line.strip_suffix("\r\n"));
    let words: Vec<&str> = text.ok_or_else(|| broken("a header of version 1 that is no line"))?.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, _, port, _] => {
            let address = source.parse::<IpAddr>().ok().filter(|address| address.is_ipv4() == (family == "TCP4"));
            let port = port.parse().ok();
            let known = address.zip(port).map(|(address, port)| SocketAddr::new(address, port));
            known.map(Some).ok_or_else(|| broken("a header of version 1 without an address"))
        }
        _ => Err(broken("a header of version 1 of another form")),
    }
}

async fn version_2(stream: &mut TcpStream, first: u8) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 16];
    head[0] = first;
    for at in 1..head.len() {
        if at <= PROXY_V2.len() && head[at - 1] != PROXY_V2[at - 1] {
            return Err(broken("what begins is no header of the PROXY protocol"));
        }
        stream.read_exact(&mut head[at..=at]).await?;
    }
    let (command, family) = (head[12], head[13]);
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if command >> 4 != 2 || command & 15 > 1 || length > REST_BYTES_MAX {
        return Err(broken("a header of version 2 of another form"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    if command & 15 == 0 {
        return Ok(None);
    }
    match family {
        0x11 => four(&rest).map(Some).ok_or_else(|| broken("a header of version 2 that is too short")),
        0x21 => six(&rest).map(Some).ok_or_else(|| broken("a header of version 2 that is too short")),
        _ => Ok(None),
    }
}

/// Addresses of source and destination, and their ports.
fn four(rest: &[u8]) -> Option<SocketAddr> {
    let (address, port) = (rest.first_chunk::<4>()?, rest.get(8..10)?);
    Some((*address, u16::from_be_bytes([port[0], port[1]])).into())
}

fn six(rest: &[u8]) -> Option<SocketAddr> {
    let (address, port) = (rest.first_chunk::<16>()?, rest.get(32..34)?);
    Some((*address, u16::from_be_bytes([port[0], port[1]])).into())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of the bytes, and what is left behind them.
    async fn read(bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = header(&mut stream).await;
        let mut left = Vec::new();
        stream.read_to_end(&mut left).await.unwrap();
        (read, left)
    }

    fn second(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [PROXY_V2, &[command, family], &length, rest, b"<38>x\n"].concat()
    }

    #[tokio::test]
    async fn the_client_is_read_and_nothing_behind_the_header_is_taken() {
        let four = [&[192, 0, 2, 1, 198, 51, 100, 1][..], &40_000_u16.to_be_bytes(), &514_u16.to_be_bytes()].concat();
        let more = [&four[..], b"\x04\0\x02ab"].concat();
        let mut six = vec![0; 36];
        (six[0], six[1], six[15], six[32], six[33]) = (0x20, 1, 7, 0, 9);
        for (bytes, client) in [
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 40000 514\r\n<38>x\n".to_vec(), Some("192.0.2.1:40000")),
            (b"PROXY TCP6 2001::7 2001::8 9 514\r\n<38>x\n".to_vec(), Some("[2001::7]:9")),
            (b"PROXY UNKNOWN\r\n<38>x\n".to_vec(), None),
            (second(0x21, 0x11, &four), Some("192.0.2.1:40000")),
            (second(0x21, 0x11, &more), Some("192.0.2.1:40000")),
            (second(0x21, 0x21, &six), Some("[2001::7]:9")),
            (second(0x20, 0, &[]), None),
            (second(0x21, 0x31, &[0; 216]), None),
        ] {
            let (read, left) = read(&bytes).await;
            assert_eq!(read.unwrap().map(|client| client.to_string()).as_deref(), client, "{}", bytes.escape_ascii());
            assert_eq!(left, b"<38>x\n");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        for bytes in [
            &b"<38>Nov 23 10:00:00 gate sshd: x\n"[..],
            b"POST / HTTP/1.1\r\n",
            b"PROXY TCP4 2001::7 198.51.100.1 40000 514\r\n",
            b"PROXY TCP4 192.0.2.1\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 40000 514\n",
            b"PROXY TCP4 192.0.2.1",
            b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\0",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02ab",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
            b"",
        ] {
            assert!(read(bytes).await.0.is_err(), "{}", bytes.escape_ascii());
        }
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        assert!(read(&long).await.0.is_err());
    }
}
