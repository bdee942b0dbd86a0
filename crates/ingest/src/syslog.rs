//! Syslog over TCP (RFC 6587) and UDP (RFC 5426) into the spool. TCP senders are held back by not being read; UDP
//! cannot be: what is lost is counted, the kernel's losses included.

mod connections;
mod intake;
mod port;
mod relp;
mod tcp;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use event::Timestamp;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use connections::Seated;
pub use connections::{ConnectionLimits, ConnectionState, Connections};
pub use port::{Speaks, TcpPort};
pub use tcp::serve_tcp;

use crate::accounts::Loss;
use crate::framing::packed::{Unpacked, is_packed, unpack};
use crate::framing::{FrameCounts, push_line};
use crate::spool::{Batch, Spool};

/// Largest datagram.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Bytes of datagrams that are gathered before they go to the spool.
pub(crate) const GATHER_BYTES: usize = 256 << 10;
/// Asked of the kernel for datagrams that wait, in bytes.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

/// What both transports work with.
#[derive(Clone)]
pub struct SyslogOptions {
    /// Where messages are kept.
    pub spool: Spool,
    /// Longest message that is kept whole, in bytes.
    pub message_bytes_max: usize,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
}

impl std::fmt::Debug for SyslogOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SyslogOptions {{ message_bytes_max: {} }}", self.message_bytes_max)
    }
}

/// `None` while the service runs; then when it wants to be gone.
pub type Drain = Option<Instant>;

/// Returns once the service stops: when it wants to be gone.
pub(crate) async fn stopped(drain: &mut watch::Receiver<Drain>) -> Instant {
    match drain.wait_for(Option::is_some).await {
        Ok(deadline) => deadline.unwrap_or_else(Instant::now),
        Err(_) => Instant::now(),
    }
}

fn count(source: &'static str, lines: &[u8]) {
    let events = memchr::memchr_iter(b'\n', lines).count() as u64;
    metrics::counter!("ingest_events_total", "source" => source).increment(events);
    metrics::counter!("ingest_bytes_total", "source" => source).increment(lines.len() as u64);
}

fn report(counts: FrameCounts, origin: &str) {
    for (reason, number) in [
        ("cut", counts.cut),
        ("escaped", counts.escaped),
        ("half_frame", counts.half),
        ("wrong_count", counts.wrong_count),
        ("characters", counts.characters),
        ("unframed", counts.unframed),
        ("compressed", counts.packed),
        ("bomb", counts.bombs),
    ] {
        if number > 0 {
            metrics::counter!("ingest_frames_total", "result" => reason).increment(number);
            tracing::debug!(origin, reason, number, "syslog frames that are not as sent");
        }
    }
    if counts.half > 0 {
        tracing::warn!(origin, "a syslog connection ended inside a message; what came of it is kept");
    }
}

/// The next of the lines that are one batch: up to one that has been cut.
fn next_batch<'a>(origin: &'a str, lines: &'a [u8], cuts: &[usize], received: Timestamp) -> Batch<'a> {
    let cut = cuts.first().copied().filter(|end| *end <= lines.len());
    Batch { is_cut: cut.is_some(), ..Batch::new(origin, &lines[..cut.unwrap_or(lines.len())], received) }
}

/// The lines behind those that were taken.
fn behind(lines: &mut Vec<u8>, cuts: &mut Vec<usize>, taken: usize) {
    lines.drain(..taken);
    cuts.retain_mut(|end| {
        let is_left = *end > taken;
        *end = end.saturating_sub(taken);
        is_left
    });
}

/// Lines that are lost; how many.
fn dropped(source: &'static str, reason: &'static str, lines: &[u8]) -> u64 {
    let number = memchr::memchr_iter(b'\n', lines).count() as u64;
    metrics::counter!("ingest_dropped_total", "source" => source, "reason" => reason).increment(number);
    number
}

/// IPv4 addresses as such, also on a socket for both.
pub(crate) fn shown(address: IpAddr) -> IpAddr {
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

/// Silence that ends the reading of datagrams while the service stops.
const QUIET: Duration = Duration::from_millis(50);

/// Serves datagrams until the service stops and what waits in the socket is read and on disk.
pub async fn serve_udp(socket: UdpSocket, options: SyslogOptions, mut drain: watch::Receiver<Drain>) {
    let mut input = vec![0; DATAGRAM_BYTES_MAX];
    let mut lines = Vec::with_capacity(GATHER_BYTES + DATAGRAM_BYTES_MAX);
    let deadline = loop {
        let readable = tokio::select! {
            readable = socket.readable() => readable,
            deadline = stopped(&mut drain) => break deadline,
        };
        if let Err(error) = readable {
            tracing::warn!(%error, "cannot wait for datagrams");
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        gather(&socket, &options, &mut input, &mut lines);
    };
    // Also those that come while the others are read, as long as there is time.
    while Instant::now() < deadline && matches!(timeout(QUIET, socket.readable()).await, Ok(Ok(()))) {
        gather(&socket, &options, &mut input, &mut lines);
    }
    drop(socket);
    synced(&options.spool, deadline, "syslog over UDP").await;
}

/// Waits until everything that the spool has taken is on disk.
pub(crate) async fn synced(spool: &Spool, deadline: Instant, what: &str) {
    if !matches!(timeout_at(deadline, spool.synced()).await, Ok(Ok(()))) {
        tracing::error!(what, "the last messages are not known to be on disk");
    }
}

/// Datagrams that wait now, as far as they may be gathered, into the spool.
fn gather(socket: &UdpSocket, options: &SyslogOptions, input: &mut [u8], lines: &mut Vec<u8>) {
    let mut peer = None;
    while lines.len() < GATHER_BYTES {
        let Ok((bytes, from)) = socket.try_recv_from(input) else { break };
        let from = shown(from.ip());
        if peer.is_some_and(|known| known != from) {
            store(options, peer, lines, false);
        }
        peer = Some(from);
        let counts = datagram(&input[..bytes], options.message_bytes_max, lines);
        report(counts, "syslog+udp");
        if counts.cut > 0 {
            store(options, peer, lines, true);
        }
    }
    store(options, peer, lines, false);
}

/// One datagram as a line; unpacked, where rsyslog has compressed it.
fn datagram(bytes: &[u8], longest: usize, lines: &mut Vec<u8>) -> FrameCounts {
    let mut counts = FrameCounts::default();
    if is_packed(bytes) == Some(true) {
        match unpack(bytes, longest) {
            Unpacked::Whole { text, cut, .. } => {
                counts.packed = 1;
                counts.cut = u64::from(cut);
                counts.escaped = u64::from(push_line(&text, lines));
                return counts;
            }
            Unpacked::Bomb => {
                counts.bombs = 1;
                return counts;
            }
            Unpacked::More | Unpacked::Broken => {}
        }
    }
    let kept = bytes.len().min(longest);
    counts.cut = u64::from(kept < bytes.len());
    counts.escaped = u64::from(push_line(&bytes[..kept], lines));
    counts
}

/// Datagrams cannot wait: what finds no room is dropped and counted.
fn store(options: &SyslogOptions, peer: Option<IpAddr>, lines: &mut Vec<u8>, is_cut: bool) {
    if let Some(peer) = peer.filter(|_| !lines.is_empty()) {
        let origin = format!("syslog+udp://{peer}");
        match options.spool.append(Batch { is_cut, ..Batch::new(&origin, lines, (options.clock)()) }) {
            Ok(_) => count("syslog_udp", lines),
            Err(refused) => {
                let dropped = dropped("syslog_udp", "spool", lines);
                let now = (options.clock)();
                options.spool.accounts().lost(&origin, Loss::Dropped, "spool", dropped, now);
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
