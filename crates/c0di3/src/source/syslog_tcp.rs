//! Syslog over TCP, into the spool. Senders are held back by not being read.

use std::net::SocketAddr;
use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::syslog::{self, Connections, SyslogOptions};
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
        let Some(address) = config.syslog.tcp else { return Ok(None) };
        let listener = Some(bind(address, "syslog.tcp").await?);
        let connections = Arc::new(Connections::new(config.syslog.connections));
        let message_bytes_max = config.syslog.message_bytes_max;
        Ok(Some(Box::new(TcpSource { address, listener, connections, message_bytes_max })))
    }
}

struct TcpSource {
    address: SocketAddr,
    /// Until it is served.
    listener: Option<TcpListener>,
    connections: Arc<Connections>,
    message_bytes_max: usize,
}

impl LiveSource for TcpSource {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        Some(Box::new(SyslogCheck(Arc::clone(&self.connections))))
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let Some(listener) = self.listener.take() else { return Vec::new() };
        let (spool, message_bytes_max) = (serving.spool.clone(), self.message_bytes_max);
        let options = SyslogOptions { spool, message_bytes_max, clock: clock::now };
        let connections = Arc::clone(&self.connections);
        vec![tokio::spawn(syslog::serve_tcp(listener, connections, options, serving.drain.clone()))]
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
