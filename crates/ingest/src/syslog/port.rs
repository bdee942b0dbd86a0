//! What goes for all connections on a port for syslog: its names, its protocol, its TLS, whose proxies it believes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use event::Network;

use crate::syslog::connections::Connections;
use crate::tls::TlsPort;

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Syslog (RFC 6587, RFC 5425): nothing is answered.
    Syslog,
    /// RELP: each message is answered when it is on disk.
    Relp,
}

/// A port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TcpPort {
    /// Setting that opens it, as logs and metrics name it.
    pub key: &'static str,
    /// What comes on it, as metrics name it.
    pub source: &'static str,
    /// How origins on it begin.
    pub scheme: &'static str,
    /// Its protocol.
    pub speaks: Speaks,
    /// TLS, where it speaks that.
    pub tls: Option<TlsPort>,
    /// Networks of proxies that say with the PROXY protocol for whom they speak.
    pub proxies: Arc<[Network]>,
    /// Who is connected; ports may share it.
    pub connections: Arc<Connections>,
}

impl TcpPort {
    /// Whether this peer has to say for whom it speaks.
    pub(super) fn is_proxy(&self, peer: SocketAddr) -> bool {
        crate::proxy::is_trusted(&self.proxies, peer.ip())
    }

    /// Who sends, as events name it.
    pub(super) fn origin(&self, sender: IpAddr) -> String {
        format!("{}://{}", self.scheme, sender.to_canonical())
    }

    /// Counts the end of a connection.
    pub(super) fn closed(&self, reason: &'static str) {
        metrics::counter!("ingest_connections_closed_total", "source" => self.source, "reason" => reason).increment(1);
    }
}
