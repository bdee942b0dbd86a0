//! Protocols of shippers that are no HTTP: Forward, Lumberjack and GELF, into the spool. What is acknowledged is on disk; what cannot be
//! read of it is kept as it came and counted; a connection that cannot go on is closed with words in our log. One file per protocol,
//! which does no input or output of its own. HTTP is no matter of this module.

mod chunks;
mod forward;
mod gelf;
mod gelf_udp;
mod handshake;
mod intake;
mod lumberjack;
mod memory;
mod msgpack;
mod options;
mod packed;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

pub use gelf_udp::serve_gelf_udp;
pub use options::ShipperOptions;

use crate::syslog::{Connections, Drain, Seated, shown, stopped, synced};
use crate::tls::{Stream, TlsPort};
use handshake::Handshake;
use intake::Protocol;
use memory::HeldMemory;
use session::Session;

/// Messages of one port that are worked on beside at once: each may take some 200 MB for a moment.
const BESIDE_MAX: usize = 2;
/// Longest look for connections that the kernel has accepted and nobody has taken.
const BACKLOG: Duration = Duration::from_millis(20);
/// Beyond the deadline: for closing and counting.
const CLOSING: Duration = Duration::from_secs(1);
/// Silence after which the kernel asks whether the peer is there.
const PROBE_AFTER: Duration = Duration::from_secs(120);
/// Pause after the system could not give a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A protocol over TCP.
#[derive(Clone, Debug)]
pub enum ShipperKind {
    /// Of Fluentd and Fluent Bit.
    Forward {
        /// What peers have to know; `None`: nothing.
        shared_key: Option<String>,
        /// What peers are told as our name.
        host: String,
    },
    /// Of Beats and Logstash.
    Lumberjack,
    /// Of Graylog's shippers.
    GelfTcp,
}

impl ShipperKind {
    /// Label of counters, and the name of the source.
    pub fn name(&self) -> &'static str {
        match self {
            ShipperKind::Forward { .. } => "forward",
            ShipperKind::Lumberjack => "lumberjack",
            ShipperKind::GelfTcp => "gelf_tcp",
        }
    }

    /// Name of the source of a peer's events, up to its address.
    fn scheme(&self) -> &'static str {
        match self {
            ShipperKind::GelfTcp => "gelf+tcp",
            other => other.name(),
        }
    }

    fn open(&self, options: &ShipperOptions, peer: &str) -> Result<Box<dyn Protocol>, getrandom::Error> {
        Ok(match self {
            ShipperKind::Forward { shared_key, host } => {
                let seen = options.spool.seen().clone();
                let mut handshake = None;
                if let Some(key) = shared_key {
                    let mut random = [0; 16];
                    getrandom::fill(&mut random)?;
                    handshake = Some(Handshake::new(key.clone(), host.clone(), random));
                }
                Box::new(forward::Forward::new(seen, peer.to_owned(), handshake))
            }
            ShipperKind::Lumberjack => Box::new(lumberjack::Lumberjack::default()),
            ShipperKind::GelfTcp => Box::new(gelf::GelfTcp::default()),
        })
    }
}

/// What the connections of one port share.
pub struct ShipperPort {
    kind: ShipperKind,
    /// Where the port speaks TLS.
    tls: Option<TlsPort>,
    connections: Arc<Connections>,
    options: ShipperOptions,
    memory: HeldMemory,
    beside: Arc<Semaphore>,
}

impl std::fmt::Debug for ShipperPort {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ShipperPort {{ kind: {:?}, tls: {} }}", self.kind, self.tls.is_some())
    }
}

impl ShipperPort {
    /// A port for the protocol, with TLS or without.
    pub fn new(
        kind: ShipperKind,
        tls: Option<TlsPort>,
        connections: Arc<Connections>,
        options: ShipperOptions,
    ) -> Self {
        let beside = Arc::new(Semaphore::new(BESIDE_MAX));
        ShipperPort { kind, tls, connections, options, memory: HeldMemory::default(), beside }
    }

    /// Serves connections until the service stops; returns when what they had sent is on disk, or at the deadline.
    pub async fn serve(self, listener: TcpListener, mut drain: watch::Receiver<Drain>) {
        let port = Arc::new(self);
        let source = port.kind.name();
        let mut open = JoinSet::new();
        let deadline = loop {
            tokio::select! {
                deadline = stopped(&mut drain) => break deadline,
                Some(_) = open.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => match port.connections.admit(peer.ip(), false) {
                        Ok(seat) => drop(open.spawn(Arc::clone(&port).talk(stream, peer, seat, drain.clone()))),
                        Err(no_room) => {
                            let reason = no_room.reason();
                            metrics::counter!("ingest_connections_closed_total", "source" => source, "reason" => reason).increment(1);
                            tracing::warn!(%peer, source, reason, "no room for a connection");
                        }
                    },
                    Err(error) => {
                        metrics::counter!("ingest_accept_errors_total", "source" => source).increment(1);
                        tracing::warn!(%error, source, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        // Senders believe that these are connected: the kernel has accepted them.
        while let Ok(Ok((stream, peer))) = timeout(BACKLOG, listener.accept()).await {
            let seat = port.connections.admit_last(peer.ip());
            open.spawn(Arc::clone(&port).talk(stream, peer, seat, drain.clone()));
        }
        drop(listener);
        port.end(open, deadline).await;
    }

    /// One connection, from its handshake to its end.
    async fn talk(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seated,
        mut drain: watch::Receiver<Drain>,
    ) {
        let probes = TcpKeepalive::new().with_time(PROBE_AFTER);
        if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&probes).and_then(|()| stream.set_nodelay(true)) {
            tracing::debug!(%error, %peer, "a connection has not all its options");
        }
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => tokio::select! {
                shaken = tls.accept(stream, peer) => match shaken {
                    Some(stream) => Stream::Tls(Box::new(stream)),
                    None => return,
                },
                // Nothing has come that could be lost.
                _ = stopped(&mut drain) => return,
            },
        };
        let peer = shown(peer.ip()).to_string();
        let protocol = match self.kind.open(&self.options, &peer) {
            Ok(protocol) => protocol,
            Err(error) => {
                tracing::error!(%error, "the system gives no random bytes: a connection is closed");
                return;
            }
        };
        let session = Session {
            stream,
            seat,
            options: self.options.clone(),
            source: self.kind.name(),
            origin: format!("{}://{peer}", self.kind.scheme()),
            idle: self.connections.idle(),
            protocol: Some(protocol),
            beside: Arc::clone(&self.beside),
            held: self.memory.nothing(),
            input: Vec::new(),
            is_answered: false,
            until: None,
        };
        session.serve(drain).await;
    }

    async fn end(&self, mut open: JoinSet<()>, deadline: Instant) {
        let source = self.kind.name();
        let all = async { while open.join_next().await.is_some() {} };
        if timeout_at(deadline + CLOSING, all).await.is_err() {
            tracing::warn!(source, "connections were still open at the deadline and have been cut off");
        }
        synced(&self.options.spool, deadline + CLOSING, source).await;
    }
}

#[cfg(test)]
mod tests;
