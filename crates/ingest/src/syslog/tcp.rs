//! Syslog over TCP: connections to messages to the spool. A sender is held back by not being read. At the end what the
//! kernel has accepted is read and synced before connections are closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::accounts::Loss;
use crate::proxy;
use crate::spoken::{Spoken, misdirected};
use crate::syslog::connections::Seated;
use crate::syslog::intake::{Came, Intake};
use crate::syslog::port::{Speaks, TcpPort};
use crate::syslog::relp::{self, Conversation};
use crate::syslog::{Drain, SyslogOptions, behind, count, dropped, next_batch, report, stopped, synced};
use crate::tls::Stream;

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
    port: TcpPort,
    options: SyslogOptions,
    mut drain: watch::Receiver<Drain>,
) {
    let mut open = JoinSet::new();
    let told = drain.clone();
    let connections = Arc::clone(&port.connections);
    let serve = |stream, peer: SocketAddr, seat| {
        serve_connection(stream, peer, seat, (port.clone(), options.clone()), told.clone())
    };
    let deadline = loop {
        tokio::select! {
            deadline = stopped(&mut drain) => break deadline,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match connections.admit(peer.ip(), port.is_proxy(peer)) {
                    Ok(seat) => { open.spawn(serve(stream, peer, seat)); }
                    Err(no_room) => {
                        port.closed(no_room.reason());
                        tracing::warn!(%peer, reason = no_room.reason(), "no room for a syslog connection");
                    }
                },
                Err(error) => {
                    metrics::counter!("ingest_accept_errors_total", "source" => port.source).increment(1);
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

/// What ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    ByPeer,
    Idle,
    GaveWay,
    Spool,
    Foreign(Spoken),
    Stopped(Instant),
}

/// One connection from its beginning to its end.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seated,
    (port, options): (TcpPort, SyslogOptions),
    drain: watch::Receiver<Drain>,
) {
    let begun = tokio::select! {
        begun = Box::pin(begin(stream, peer, &port)) => begun,
        () = seat.leave() => None,
    };
    let Some((stream, sender)) = begun else { return port.closed("handshake") };
    let seat = match sender == peer {
        true => seat,
        false => match seat.again(sender.ip()) {
            Ok(seat) => seat,
            Err(no_room) => return port.closed(no_room.reason()),
        },
    };
    let origin = port.origin(sender.ip());
    match port.speaks {
        Speaks::Relp => {
            Box::pin(relp::converse(Conversation { stream, seat, peer, port, options, origin }, drain)).await;
        }
        Speaks::Syslog => {
            let intake = Intake::new(stream, options.message_bytes_max);
            Connection { intake, seat, peer, port, options, origin }.serve(drain).await;
        }
    }
}

/// What stands in front of the messages: whom a proxy speaks for, and the handshake of TLS. The connection, and who sends.
async fn begin(mut stream: TcpStream, peer: SocketAddr, port: &TcpPort) -> Option<(Stream, SocketAddr)> {
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
    if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&probes) {
        tracing::debug!(%error, %peer, "no keep-alive probes on a syslog connection");
    }
    let sender = match port.is_proxy(peer) {
        true => proxy::client(&mut stream, peer, port.key).await?,
        false => peer,
    };
    let stream = match &port.tls {
        None => Stream::Plain(stream),
        Some(tls) => Stream::Tls(Box::new(tls.accept(stream, sender).await?)),
    };
    Some((stream, sender))
}

struct Connection {
    intake: Intake,
    seat: Seated,
    peer: SocketAddr,
    port: TcpPort,
    options: SyslogOptions,
    origin: String,
}

impl Connection {
    async fn serve(mut self, mut drain: watch::Receiver<Drain>) {
        let ended = self.receive(&mut drain).await;
        let reason = match ended {
            Ended::ByPeer => "peer",
            Ended::Idle => "idle",
            Ended::GaveWay => "gave_way",
            Ended::Spool => "spool",
            Ended::Foreign(spoken) => {
                misdirected(self.port.key, spoken, self.peer, remedy(spoken));
                "foreign"
            }
            Ended::Stopped(deadline) => {
                self.read_rest(deadline).await;
                "stopped"
            }
        };
        if ended == Ended::GaveWay {
            // It may have sent something at this very moment.
            while self.intake.read_ready().await == Some(Came::Bytes) {}
        }
        self.intake.framer.finish(&mut self.intake.lines);
        let until = match ended {
            Ended::Stopped(deadline) => Some(deadline),
            _ => None,
        };
        let mut kept = self.flush(until, &mut drain).await;
        if let (None, Err(Some(deadline))) = (until, kept) {
            kept = self.flush(Some(deadline), &mut drain).await;
        }
        if kept.is_err() {
            let why = if ended == Ended::Spool { "spool" } else { "stopped" };
            let lost = dropped(self.port.source, why, &self.intake.lines);
            let now = (self.options.clock)();
            self.options.spool.accounts().lost(&self.origin, Loss::Dropped, why, lost, now);
            tracing::error!(
                origin = self.origin,
                messages = lost,
                "messages found no room in the spool before the end"
            );
        }
        self.port.closed(reason);
        tracing::debug!(origin = self.origin, reason, "a syslog connection is closed");
    }

    /// Reads until the connection ends, has to end, or the service stops.
    async fn receive(&mut self, drain: &mut watch::Receiver<Drain>) -> Ended {
        let mut last = Instant::now();
        let mut began = last;
        // How far what is held has been settled: not, for a moment's silence, for a long one.
        let mut settled = 0;
        loop {
            let held = self.intake.framer.is_within_message();
            let next = match (held, settled) {
                (true, 0) => Some(last + SETTLE),
                (true, 1) => Some(last + LATE),
                _ => self.port.connections.limits.idle.map(|idle| last + idle),
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
                came = self.intake.read() => match came {
                    Came::Bytes => {
                        last = Instant::now();
                        if !held || !self.intake.lines.is_empty() {
                            began = last;
                        } else if last - began > LATE {
                            self.intake.framer.settle(true, &mut self.intake.lines);
                            began = last;
                        }
                        settled = 0;
                        self.seat.came(self.intake.framer.is_within_message());
                    }
                    Came::Foreign(spoken) => return Ended::Foreign(spoken),
                    Came::End => return Ended::ByPeer,
                },
                () = pause => {
                    if !held || settled == 2 {
                        return Ended::Idle;
                    }
                    settled += 1;
                    self.intake.framer.settle(settled == 2, &mut self.intake.lines);
                    self.seat.stands(self.intake.framer.is_within_message());
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
        report(self.intake.framer.take_counts(), &self.origin);
        let cuts = self.intake.framer.take_cuts();
        self.intake.cuts.extend(cuts);
        while !self.intake.lines.is_empty() {
            let batch = next_batch(&self.origin, &self.intake.lines, &self.intake.cuts, (self.options.clock)());
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
                taken = self.options.spool.append_when_room(batch) => if let Err(refused) = taken {
                    // The sender keeps what it has not been able to send.
                    tracing::error!(%refused, origin = self.origin, "a syslog connection is closed");
                    return Err(None);
                },
                deadline = given_up => return Err(Some(deadline)),
            }
            count(self.port.source, batch.lines);
            let taken = batch.lines.len();
            behind(&mut self.intake.lines, &mut self.intake.cuts, taken);
        }
        Ok(())
    }

    /// The service stops: the peer is told that nothing more is taken, and what is on its way is read until it ends, is
    /// silent for a moment, or the deadline.
    async fn read_rest(&mut self, deadline: Instant) {
        if let Err(error) = self.intake.stream.shutdown().await {
            tracing::debug!(%error, origin = self.origin, "the peer has gone before it could be told");
        }
        // No second word will come: the deadline alone ends a wait for room.
        let (_never, mut drain) = watch::channel(None);
        loop {
            if self.flush(Some(deadline), &mut drain).await.is_err() {
                break;
            }
            let silent = deadline.min(Instant::now() + QUIET);
            if timeout_at(silent, self.intake.read()).await != Ok(Came::Bytes) {
                break;
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        let unread = rustix::io::ioctl_fionread(self.intake.stream.socket()).unwrap_or(0);
        if unread > 0 {
            metrics::counter!("ingest_unread_bytes_total", "source" => self.port.source).increment(unread);
            tracing::warn!(
                origin = self.origin,
                bytes = unread,
                "a sender went on until the deadline; this was not read"
            );
        }
    }
}

/// What whoever configured the client should do.
fn remedy(spoken: Spoken) -> &'static str {
    match spoken {
        Spoken::Tls => "which is a port without TLS: send to the address of syslog.tls, or set TLS off in the client",
        Spoken::Http => "which is a port for syslog: HTTP is taken on analyzer.listen",
        Spoken::Proxy => "and its address is no trusted proxy's: what it says of the client is not believed",
        _ => "which is a port for syslog alone",
    }
}
