//! Syslog over TCP and RELP, plain and behind TLS, into the spool. Senders are held back by not being read.

use std::net::SocketAddr;
use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::syslog::{self, Connections, Speaks, SyslogOptions, TcpPort};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::kind::{LiveSource, Serving, SourceKind};
use crate::clock;
use crate::config::AnalyzerConfig;
use crate::ports::bind;

pub(super) struct SyslogTcp;

#[async_trait]
impl SourceKind for SyslogTcp {
    fn name(&self) -> &'static str {
        "syslog_tcp"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let connections = Arc::new(Connections::new("syslog_tcp", config.syslog.connections));
        let mut ports = Vec::new();
        let syslog = &config.syslog;
        for (key, source, scheme, speaks, address) in [
            ("syslog.tcp", "syslog_tcp", "syslog+tcp", Speaks::Syslog, syslog.tcp),
            ("syslog.tls", "syslog_tls", "syslog+tls", Speaks::Syslog, syslog.tls),
            ("syslog.relp", "relp", "relp", Speaks::Relp, syslog.relp),
            ("syslog.relp_tls", "relp_tls", "relp+tls", Speaks::Relp, syslog.relp_tls),
        ] {
            let Some(address) = address else { continue };
            let (proxies, connections) = (Arc::clone(&syslog.proxies), Arc::clone(&connections));
            let port = TcpPort { key, source, scheme, speaks, tls: None, proxies, connections };
            ports.push(OpenPort { address, listener: Some(bind(address, key)?), port });
        }
        let message_bytes_max = syslog.message_bytes_max;
        Ok((!ports.is_empty()).then(|| Box::new(TcpSource { ports, connections, message_bytes_max }) as _))
    }
}

/// A port that is open.
struct OpenPort {
    address: SocketAddr,
    /// Until it is served.
    listener: Option<TcpListener>,
    port: TcpPort,
}

struct TcpSource {
    ports: Vec<OpenPort>,
    connections: Arc<Connections>,
    message_bytes_max: usize,
}

impl LiveSource for TcpSource {
    fn place(&self) -> String {
        let shown = self.ports.iter().map(|open| match open.port.key {
            "syslog.tcp" => open.address.to_string(),
            key => format!("{} ({key})", open.address),
        });
        shown.collect::<Vec<_>>().join(" and ")
    }

    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        Some(Box::new(SyslogCheck(Arc::clone(&self.connections))))
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let mut tasks = Vec::new();
        for open in &mut self.ports {
            let Some(listener) = open.listener.take() else { continue };
            let (spool, message_bytes_max) = (serving.spool.clone(), self.message_bytes_max);
            let options = SyslogOptions { spool, message_bytes_max, clock: clock::now };
            let port = TcpPort { tls: serving.tls.of(open.port.key, false), ..open.port.clone() };
            if port.tls.is_none() && port.key.ends_with("tls") {
                // The settings have been checked: this must never become a plain port.
                tracing::error!(port = port.key, "there is no certificate: the port is closed");
                continue;
            }
            tasks.push(tokio::spawn(syslog::serve_tcp(listener, port, options, serving.drain.clone())));
        }
        tasks
    }
}

/// Whether senders of syslog over TCP find room.
struct SyslogCheck(Arc<Connections>);

#[async_trait]
impl HealthCheck for SyslogCheck {
    fn name(&self) -> &'static str {
        "syslog_tcp"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let state = self.0.state();
        let result = CheckResult::observed(HealthStatus::Pass, state.open as f64, "connections");
        if !state.pressed {
            return result;
        }
        let words = format!(
            "of {} connections all, or all of one address, were taken in the last 10 minutes; since the start {} idle ones \
             gave way and {} new ones were turned away: see syslog.connections_max and connections_per_address_max",
            state.most, state.gave_way, state.refused
        );
        CheckResult { status: HealthStatus::Warn, ..result }.saying(words)
    }
}
