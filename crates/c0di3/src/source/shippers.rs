//! Protocols of shippers over TCP that are no HTTP, into the spool: an entry for each. Senders are held back by not being read.

use std::net::SocketAddr;
use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::shippers::{ShipperKind, ShipperOptions, ShipperPort};
use ingest::syslog::Connections;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::kind::{LiveSource, Serving, SourceKind};
use crate::clock;
use crate::config::{AnalyzerConfig, ShippersConfig};
use crate::ports::bind;

/// One protocol.
pub(super) struct Shipper {
    name: &'static str,
    setting: &'static str,
    address: fn(&ShippersConfig) -> Option<SocketAddr>,
    kind: fn(&ShippersConfig) -> ShipperKind,
}

pub(super) static FORWARD: Shipper = Shipper {
    name: "forward",
    setting: "shippers.forward",
    address: |config| config.forward,
    kind: |config| ShipperKind::Forward { shared_key: config.forward_shared_key.clone(), host: config.host.clone() },
};

pub(super) static LUMBERJACK: Shipper = Shipper {
    name: "lumberjack",
    setting: "shippers.lumberjack",
    address: |config| config.lumberjack,
    kind: |_| ShipperKind::Lumberjack,
};

pub(super) static GELF_TCP: Shipper = Shipper {
    name: "gelf_tcp",
    setting: "shippers.gelf_tcp",
    address: |config| config.gelf_tcp,
    kind: |_| ShipperKind::GelfTcp,
};

#[async_trait]
impl SourceKind for Shipper {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let Some(address) = (self.address)(&config.shippers) else { return Ok(None) };
        let listener = Some(bind(address, self.setting)?);
        let kind = (self.kind)(&config.shippers);
        let connections = Arc::new(Connections::new(self.name, config.shippers.connections));
        Ok(Some(Box::new(ShipperSource { address, setting: self.setting, listener, kind, connections })))
    }
}

struct ShipperSource {
    address: SocketAddr,
    setting: &'static str,
    /// Until it is served.
    listener: Option<TcpListener>,
    kind: ShipperKind,
    connections: Arc<Connections>,
}

impl LiveSource for ShipperSource {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        Some(Box::new(ShipperCheck { name: self.kind.name(), connections: Arc::clone(&self.connections) }))
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let Some(listener) = self.listener.take() else { return Vec::new() };
        let options = ShipperOptions { spool: serving.spool.clone(), clock: clock::now };
        let (tls, connections) = (serving.tls.of(self.setting, false), Arc::clone(&self.connections));
        let port = ShipperPort::new(self.kind.clone(), tls, connections, options);
        vec![tokio::spawn(port.serve(listener, serving.drain.clone()))]
    }
}

/// Whether senders find room.
struct ShipperCheck {
    name: &'static str,
    connections: Arc<Connections>,
}

#[async_trait]
impl HealthCheck for ShipperCheck {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let state = self.connections.state();
        let result = CheckResult::observed(HealthStatus::Pass, state.open as f64, "connections");
        if !state.pressed {
            return result;
        }
        let words = format!(
            "of {} connections all, or all of one address, were taken in the last 10 minutes; since the start {} idle ones \
             gave way and {} new ones were turned away: see shippers.connections_max and connections_per_address_max",
            state.most, state.gave_way, state.refused
        );
        CheckResult { status: HealthStatus::Warn, ..result }.saying(words)
    }
}
