//! GELF over UDP: plain, gzip or zlib, whole or in chunks. Senders cannot be held back: what is lost is counted with its reason, the
//! kernel's losses included.

use std::io::Read;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::timeout;

use super::chunks::{Chunks, Datagram};
use super::gelf::put;
use super::intake::ShipperIntake;
use super::options::ShipperOptions;
use crate::accounts::Loss;
use crate::body::{BodyError, Decoded, SNIFFED};
use crate::spool::Batch;
use crate::syslog::{DATAGRAM_BYTES_MAX, Drain, GATHER_BYTES, shown, stopped, synced};

/// Label of counters.
const SOURCE: &str = "gelf_udp";
/// Longest message, unpacked, in bytes.
const UNPACKED_BYTES_MAX: u64 = 4 << 20;
/// How often messages that wait for chunks are looked at, while nothing comes.
const LOOK: Duration = Duration::from_secs(1);
/// Silence that ends the reading of datagrams while the service stops.
const QUIET: Duration = Duration::from_millis(50);

/// What was gathered of one sender.
struct Gathering {
    chunks: Chunks,
    intake: ShipperIntake,
    peer: Option<IpAddr>,
    /// Who lost how many, and why.
    losses: Vec<(IpAddr, &'static str, u64)>,
}

/// Serves datagrams until the service stops and what waits in the socket is read and on disk.
pub async fn serve_gelf_udp(socket: UdpSocket, options: ShipperOptions, mut drain: watch::Receiver<Drain>) {
    let mut input = vec![0; DATAGRAM_BYTES_MAX];
    let mut gathering =
        Gathering { chunks: Chunks::new(), intake: ShipperIntake::default(), peer: None, losses: Vec::new() };
    let deadline = loop {
        tokio::select! {
            readable = timeout(LOOK, socket.readable()) => match readable {
                Ok(Err(error)) => {
                    tracing::warn!(%error, "cannot wait for datagrams of GELF");
                    tokio::time::sleep(QUIET).await;
                }
                Ok(Ok(())) => gathering.gather(&socket, &options, &mut input),
                Err(_) => gathering.rest(&options),
            },
            deadline = stopped(&mut drain) => break deadline,
        }
    };
    while tokio::time::Instant::now() < deadline && matches!(timeout(QUIET, socket.readable()).await, Ok(Ok(()))) {
        gathering.gather(&socket, &options, &mut input);
    }
    drop(socket);
    gathering.chunks.end();
    gathering.rest(&options);
    synced(&options.spool, deadline, "GELF over UDP").await;
}

impl Gathering {
    fn gather(&mut self, socket: &UdpSocket, options: &ShipperOptions, input: &mut [u8]) {
        while self.intake.lines.len() < GATHER_BYTES {
            let Ok((bytes, from)) = socket.try_recv_from(input) else { break };
            let from = shown(from.ip());
            if self.peer.is_some_and(|known| known != from) {
                self.store(options);
            }
            self.peer = Some(from);
            match self.chunks.take(from, &input[..bytes], Instant::now()) {
                Datagram::Whole => self.message(&input[..bytes]),
                Datagram::Last(message) => self.message(&message),
                Datagram::Chunk => {}
            }
        }
        self.rest(options);
    }

    fn rest(&mut self, options: &ShipperOptions) {
        self.chunks.expire(Instant::now());
        self.store(options);
        self.losses.append(&mut self.chunks.lost);
        for (from, reason, count) in self.losses.drain(..) {
            metrics::counter!("ingest_dropped_total", "source" => SOURCE, "reason" => reason).increment(count);
            let origin = format!("gelf+udp://{from}");
            options.spool.accounts().lost(&origin, Loss::Dropped, reason, count, (options.clock)());
        }
    }

    fn message(&mut self, message: &[u8]) {
        let mut plain = Vec::new();
        let read = Decoded::new(SNIFFED, message, UNPACKED_BYTES_MAX)
            .and_then(|mut unpacked| unpacked.read_to_end(&mut plain).map_err(|error| BodyError::of(SNIFFED, error)));
        match read {
            // Empty datagrams are signs of life.
            Ok(_) if plain.trim_ascii().is_empty() => {}
            Ok(_) => {
                if self.intake.put(SOURCE, |lines| put(&plain, lines)).is_err() {
                    self.lose("too_long", 1);
                }
            }
            Err(BodyError::TooLarge { .. }) => self.lose("too_long", 1),
            Err(_) => self.lose("bad_compression", 1),
        }
    }

    fn lose(&mut self, reason: &'static str, events: u64) {
        self.losses.extend(self.peer.map(|peer| (peer, reason, events)));
    }

    /// Datagrams cannot wait: what finds no room is dropped and counted.
    fn store(&mut self, options: &ShipperOptions) {
        let intake = std::mem::take(&mut self.intake);
        let Some(peer) = self.peer.filter(|_| !intake.lines.is_empty()) else { return };
        let origin = format!("gelf+udp://{peer}");
        match options.spool.append(Batch::new(&origin, &intake.lines, (options.clock)())) {
            Ok(_) => intake.report.tell_all(SOURCE),
            Err(refused) => {
                self.lose("spool", intake.report.events);
                tracing::warn!(%refused, dropped = intake.report.events, "datagrams of GELF were dropped");
            }
        }
    }
}
