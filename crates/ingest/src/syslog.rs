//! Syslog over TCP (RFC 6587) and UDP (RFC 5426) into the spool. TCP senders are held back by not being read; UDP
//! cannot be: what is lost is counted, the kernel's losses included.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use event::Timestamp;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

use crate::framing::{FrameCounts, Framer, push_line};
use crate::spool::{Batch, Spool};

/// Bytes that one read of a connection takes.
const READ_BYTES: usize = 128 << 10;
/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Bytes of datagrams that are gathered before they go to the spool.
const GATHER_BYTES: usize = 256 << 10;
/// Asked of the kernel for datagrams that wait, in bytes.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

/// What both transports work with.
#[derive(Clone)]
pub struct SyslogOptions {
    pub spool: Spool,
    /// Longest message that is kept whole, in bytes.
    pub message_bytes_max: usize,
    /// Connections that are open at once.
    pub connections_max: usize,
    pub clock: fn() -> Timestamp,
}

impl std::fmt::Debug for SyslogOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SyslogOptions {{ message_bytes_max: {} }}", self.message_bytes_max)
    }
}

/// Serves connections until the task is dropped.
pub async fn serve_tcp(listener: TcpListener, options: SyslogOptions) {
    let room = Arc::new(Semaphore::new(options.connections_max));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let options = options.clone();
                tokio::spawn(async move {
                    connection(stream, peer, &options).await;
                    drop(permit);
                });
            }
            Err(error) => {
                metrics::counter!("ingest_accept_errors_total", "source" => "syslog_tcp").increment(1);
                tracing::warn!(%error, "cannot accept a syslog connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(mut stream: TcpStream, peer: SocketAddr, options: &SyslogOptions) {
    let origin = format!("syslog+tcp://{}", shown(peer.ip()));
    let mut framer = Framer::new(options.message_bytes_max);
    let mut input = vec![0; READ_BYTES];
    let mut lines = Vec::with_capacity(READ_BYTES + 1024);
    loop {
        let read = stream.read(&mut input).await;
        let ended = !matches!(read, Ok(1..));
        match read {
            Ok(bytes @ 1..) => framer.push(&input[..bytes], &mut lines),
            _ => framer.finish(&mut lines),
        }
        report(framer.take_counts(), &origin);
        if !lines.is_empty() {
            let batch = Batch { origin: &origin, lines: &lines, received: (options.clock)() };
            if let Err(refused) = options.spool.append_when_room(batch).await {
                // The sender keeps what it has not been able to send.
                tracing::error!(%refused, origin, "a syslog connection is closed");
                return;
            }
            count("syslog_tcp", &lines);
            lines.clear();
        }
        if ended {
            return;
        }
    }
}

fn count(source: &'static str, lines: &[u8]) {
    let events = memchr::memchr_iter(b'\n', lines).count() as u64;
    metrics::counter!("ingest_events_total", "source" => source).increment(events);
    metrics::counter!("ingest_bytes_total", "source" => source).increment(lines.len() as u64);
}

fn report(counts: FrameCounts, origin: &str) {
    for (reason, number) in [("cut", counts.cut), ("escaped", counts.escaped), ("half_frame", counts.half)] {
        if number > 0 {
            metrics::counter!("ingest_frames_total", "result" => reason).increment(number);
            tracing::debug!(origin, reason, number, "syslog frames that are not as sent");
        }
    }
    if counts.half > 0 {
        tracing::warn!(origin, "a syslog connection ended inside a message; what came of it is kept");
    }
}

/// IPv4 addresses as such, also on a socket for both.
fn shown(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// A socket with a large buffer, so that a burst finds room.
pub fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    // The kernel gives what its limit allows.
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Serves datagrams until the task is dropped.
pub async fn serve_udp(socket: UdpSocket, options: SyslogOptions) {
    let mut input = vec![0; DATAGRAM_BYTES_MAX];
    let mut lines = Vec::with_capacity(GATHER_BYTES + DATAGRAM_BYTES_MAX);
    loop {
        if let Err(error) = socket.readable().await {
            tracing::warn!(%error, "cannot wait for datagrams");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        }
        let mut peer = None;
        while lines.len() < GATHER_BYTES {
            let Ok((bytes, from)) = socket.try_recv_from(&mut input) else { break };
            let from = shown(from.ip());
            if peer.is_some_and(|known| known != from) {
                store(&options, peer, &mut lines);
            }
            peer = Some(from);
            let cut = bytes.min(options.message_bytes_max);
            let escaped = push_line(&input[..cut], &mut lines);
            let counts = FrameCounts { cut: u64::from(cut < bytes), escaped: u64::from(escaped), half: 0 };
            report(counts, "syslog+udp");
        }
        store(&options, peer, &mut lines);
    }
}

/// Datagrams cannot wait: what finds no room is dropped and counted.
fn store(options: &SyslogOptions, peer: Option<IpAddr>, lines: &mut Vec<u8>) {
    if let Some(peer) = peer.filter(|_| !lines.is_empty()) {
        let origin = format!("syslog+udp://{peer}");
        match options.spool.append(Batch { origin: &origin, lines, received: (options.clock)() }) {
            Ok(_) => count("syslog_udp", lines),
            Err(refused) => {
                let dropped = memchr::memchr_iter(b'\n', lines).count() as u64;
                metrics::counter!("ingest_dropped_total", "source" => "syslog_udp", "reason" => "spool")
                    .increment(dropped);
                tracing::warn!(%refused, dropped, "datagrams were dropped");
            }
        }
    }
    lines.clear();
}

/// Datagrams that the kernel dropped because nobody read them in time, by the port of the socket.
pub fn kernel_drops(port: u16) -> Option<u64> {
    let hexadecimal = format!(":{port:04X}");
    let mut dropped = None;
    for table in ["/proc/net/udp", "/proc/net/udp6"] {
        let Ok(text) = std::fs::read_to_string(table) else { continue };
        for line in text.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            if words.nth(1).is_some_and(|local| local.ends_with(&hexadecimal))
                && let Some(number) = words.last().and_then(|last| last.parse::<u64>().ok())
            {
                dropped = Some(dropped.unwrap_or(0) + number);
            }
        }
    }
    dropped
}
