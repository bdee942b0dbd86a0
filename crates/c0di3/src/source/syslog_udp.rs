//! Syslog over UDP, into the spool. Senders cannot be held back: what is lost is counted, the kernel's losses included.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use ingest::syslog::{self, SyslogOptions};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::kind::{LiveSource, Serving, SourceKind};
use crate::clock;
use crate::config::AnalyzerConfig;
use crate::ports::not_bound;

/// Between two looks at what the kernel dropped.
const KERNEL_POLL: Duration = Duration::from_secs(1);

pub(super) struct SyslogUdp;

#[async_trait]
impl SourceKind for SyslogUdp {
    fn name(&self) -> &'static str {
        "syslog_udp"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let Some(address) = config.syslog.udp else { return Ok(None) };
        let socket = Some(syslog::bind_udp(address).with_context(|| not_bound(address, "syslog.udp"))?);
        Ok(Some(Box::new(UdpSource { address, socket, message_bytes_max: config.syslog.message_bytes_max })))
    }
}

struct UdpSource {
    address: SocketAddr,
    /// Until it is served.
    socket: Option<UdpSocket>,
    message_bytes_max: usize,
}

impl LiveSource for UdpSource {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let Some(socket) = self.socket.take() else { return Vec::new() };
        match socket.local_addr() {
            Ok(address) => drop(tokio::spawn(count_kernel_drops(address.port(), "syslog_udp"))),
            Err(error) => tracing::warn!(%error, "what the kernel drops of syslog over UDP cannot be counted"),
        }
        let (spool, message_bytes_max) = (serving.spool.clone(), self.message_bytes_max);
        let options = SyslogOptions { spool, message_bytes_max, clock: clock::now };
        vec![tokio::spawn(syslog::serve_udp(socket, options, serving.drain.clone()))]
    }
}

/// Counts what the kernel drops at a port, for ever.
pub(super) async fn count_kernel_drops(port: u16, source: &'static str) {
    let mut before = syslog::kernel_drops(port).unwrap_or(0);
    loop {
        tokio::time::sleep(KERNEL_POLL).await;
        if let Some(now) = syslog::kernel_drops(port) {
            let new = now.saturating_sub(before);
            if new > 0 {
                tracing::warn!(
                    source,
                    datagrams = new,
                    "the kernel dropped datagrams that came faster than they were read"
                );
            }
            metrics::counter!("ingest_dropped_total", "source" => source, "reason" => "kernel").increment(new);
            before = now;
        }
    }
}
