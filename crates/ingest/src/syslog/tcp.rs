//! Syslog over TCP: connections to messages to the spool. A sender is held back by not being read. At the end what the
//! kernel has accepted is read and synced before connections are closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::accounts::Loss;
use crate::framing::Framer;
use crate::spool::Batch;
use crate::syslog::connections::{Connections, Seated};
use crate::syslog::{Drain, SyslogOptions, count, dropped, report, shown, stopped, synced};

/// Bytes that one read of a connection takes.
const READ_BYTES: usize = 128 << 10;
/// Silence after which a message that looks complete is taken as complete.
const SETTLE: Duration = Duration::from_millis(100);
/// Longest that a message may come before its length is doubted.
const LATE: Duration = Duration::from_secs(5);
/// Silence that ends a connection while the service stops.
const QUIET: Duration = Duration::from_millis(500);
/// Longest look for connections that the kernel has accepted and nobody has taken.
const BACKLOG: Duration = Duration::from_millis(20);
/// Beyond the deadline: for closing and counting.
const CLOSING: Duration = Duration::from_secs(1);
/// Silence after which the kernel asks whether the peer is there, how often it asks, and how many times in vain.
const PROBE_AFTER: Duration = Duration::from_secs(120);
const PROBE_EVERY: Duration = Duration::from_secs(30);
const PROBES: u32 = 4;
/// Pause after the system could not give a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until the service stops; returns when what they had sent is on disk, or at the deadline.
pub async fn serve_tcp(
    listener: TcpListener,
    connections: Arc<Connections>,
    options: SyslogOptions,
    mut drain: watch::Receiver<Drain>,
) {
    let mut open = JoinSet::new();
    let told = drain.clone();
    let serve = |stream, peer: SocketAddr, seat| {
        let connection = Connection::new(stream, peer, seat, connections.limits.idle, options.clone());
        connection.serve(told.clone())
    };
    let deadline = loop {
        tokio::select! {
            deadline = stopped(&mut drain) => break deadline,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match connections.admit(peer.ip()) {
                    Ok(seat) => { open.spawn(serve(stream, peer, seat)); }
                    Err(no_room) => {
                        closed(no_room.reason());
                        tracing::warn!(%peer, reason = no_room.reason(), "no room for a syslog connection");
                    }
                },
                Err(error) => {
                    metrics::counter!("ingest_accept_errors_total", "source" => "syslog_tcp").increment(1);
                    tracing::warn!(%error, "cannot accept a syslog connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    // Senders believe that these are connected: the kernel has accepted them.
    while let Ok(Ok((stream, peer))) = timeout(BACKLOG, listener.accept()).await {
        let seat = connections.admit_last(peer.ip());
        open.spawn(serve(stream, peer, seat));
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if timeout_at(deadline + CLOSING, all).await.is_err() {
        tracing::warn!("syslog connections were still open at the deadline and have been cut off");
    }
    synced(&options.spool, deadline + CLOSING, "syslog over TCP").await;
}

fn closed(reason: &'static str) {
    metrics::counter!("ingest_connections_closed_total", "source" => "syslog_tcp", "reason" => reason).increment(1);
}

/// What ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    ByPeer,
    Idle,
    GaveWay,
    Spool,
    Stopped(Instant),
}

struct Connection {
    stream: TcpStream,
    seat: Seated,
    idle: Option<Duration>,
    options: SyslogOptions,
    origin: String,
    framer: Framer,
    lines: Vec<u8>,
}

impl Connection {
    fn new(
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seated,
        idle: Option<Duration>,
        options: SyslogOptions,
    ) -> Connection {
        let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
        if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&probes) {
            tracing::debug!(%error, %peer, "no keep-alive probes on a syslog connection");
        }
        let origin = format!("syslog+tcp://{}", shown(peer.ip()));
        let framer = Framer::new(options.message_bytes_max);
        Connection { stream, seat, idle, options, origin, framer, lines: Vec::new() }
    }

    async fn serve(mut self, mut drain: watch::Receiver<Drain>) {
        let mut input = vec![0; READ_BYTES];
        let ended = self.receive(&mut input, &mut drain).await;
        let reason = match ended {
            Ended::ByPeer => "peer",
            Ended::Idle => "idle",
            Ended::GaveWay => "gave_way",
            Ended::Spool => "spool",
            Ended::Stopped(deadline) => {
                self.read_rest(&mut input, deadline).await;
                "stopped"
            }
        };
        if ended == Ended::GaveWay {
            // It may have sent something at this very moment.
            while let Ok(bytes @ 1..) = self.stream.try_read(&mut input) {
                self.framer.push(&input[..bytes], &mut self.lines);
            }
        }
        self.framer.finish(&mut self.lines);
        let until = match ended {
            Ended::Stopped(deadline) => Some(deadline),
            _ => None,
        };
        let mut kept = self.flush(until, &mut drain).await;
        if let (None, Err(Some(deadline))) = (until, kept) {
            kept = self.flush(Some(deadline), &mut drain).await;
        }
        if kept.is_err() {
            let reason = if ended == Ended::Spool { "spool" } else { "stopped" };
            let lost = dropped("syslog_tcp", reason, &self.lines);
            let now = (self.options.clock)();
            self.options.spool.accounts().lost(&self.origin, Loss::Dropped, reason, lost, now);
            tracing::error!(
                origin = self.origin,
                messages = lost,
                "messages found no room in the spool before the end"
            );
        }
        closed(reason);
        tracing::debug!(origin = self.origin, reason, "a syslog connection is closed");
    }

    /// Reads until the connection ends, has to end, or the service stops.
    async fn receive(&mut self, input: &mut [u8], drain: &mut watch::Receiver<Drain>) -> Ended {
        let mut last = Instant::now();
        let mut began = last;
        // How far what is held has been settled: not, for a moment's silence, for a long one.
        let mut settled = 0;
        loop {
            let held = self.framer.is_within_message();
            let next = match (held, settled) {
                (true, 0) => Some(last + SETTLE),
                (true, 1) => Some(last + LATE),
                _ => self.idle.map(|idle| last + idle),
            };
            let pause = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                deadline = stopped(drain) => return Ended::Stopped(deadline),
                () = self.seat.leave() => return Ended::GaveWay,
                read = self.stream.read(input) => match read {
                    Ok(bytes @ 1..) => {
                        self.framer.push(&input[..bytes], &mut self.lines);
                        last = Instant::now();
                        if !held || !self.lines.is_empty() {
                            began = last;
                        } else if last - began > LATE {
                            self.framer.settle(true, &mut self.lines);
                            began = last;
                        }
                        settled = 0;
                        self.seat.came(self.framer.is_within_message());
                    }
                    _ => return Ended::ByPeer,
                },
                () = pause => {
                    if !held || settled == 2 {
                        return Ended::Idle;
                    }
                    settled += 1;
                    self.framer.settle(settled == 2, &mut self.lines);
                    self.seat.stands(self.framer.is_within_message());
                }
            }
            match self.flush(None, drain).await {
                Ok(()) => {}
                Err(Some(deadline)) => return Ended::Stopped(deadline),
                Err(None) => return Ended::Spool,
            }
        }
    }

    /// Hands what is complete to the spool as soon as there is room; until the deadline, or (`None`) until the service
    /// stops: then `Err` says when it wants to be gone.
    async fn flush(
        &mut self,
        until: Option<Instant>,
        drain: &mut watch::Receiver<Drain>,
    ) -> Result<(), Option<Instant>> {
        report(self.framer.take_counts(), &self.origin);
        if self.lines.is_empty() {
            return Ok(());
        }
        let received = (self.options.clock)();
        let batch = Batch { origin: &self.origin, lines: &self.lines, received };
        let given_up = async {
            match until {
                Some(deadline) => {
                    sleep_until(deadline).await;
                    deadline
                }
                None => stopped(drain).await,
            }
        };
        tokio::select! {
            biased;
            taken = self.options.spool.append_when_room(batch) => match taken {
                Ok(_) => {}
                Err(refused) => {
                    // The sender keeps what it has not been able to send.
                    tracing::error!(%refused, origin = self.origin, "a syslog connection is closed");
                    return Err(None);
                }
            },
            deadline = given_up => return Err(Some(deadline)),
        }
        count("syslog_tcp", &self.lines);
        self.lines.clear();
        Ok(())
    }

    /// The service stops: the peer is told that nothing more is taken, and what is on its way is read until it ends, is
    /// silent for a moment, or the deadline.
    async fn read_rest(&mut self, input: &mut [u8], deadline: Instant) {
        if let Err(error) = self.stream.shutdown().await {
            tracing::debug!(%error, origin = self.origin, "the peer has gone before it could be told");
        }
        // No second word will come: the deadline alone ends a wait for room.
        let (_never, mut drain) = watch::channel(None);
        loop {
            if self.flush(Some(deadline), &mut drain).await.is_err() {
                break;
            }
            let silent = deadline.min(Instant::now() + QUIET);
            match timeout_at(silent, self.stream.read(input)).await {
                Ok(Ok(bytes @ 1..)) => self.framer.push(&input[..bytes], &mut self.lines),
                _ => break,
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        let unread = rustix::io::ioctl_fionread(&self.stream).unwrap_or(0);
        if unread > 0 {
            metrics::counter!("ingest_unread_bytes_total", "source" => "syslog_tcp").increment(unread);
            tracing::warn!(
                origin = self.origin,
                bytes = unread,
                "a sender went on until the deadline; this was not read"
            );
        }
    }
}
