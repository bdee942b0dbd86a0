//! GELF over UDP, into the spool. Senders cannot be held back: what is lost is counted, the kernel's losses included.

use std::net::SocketAddr;

use anyhow::Context;
use async_trait::async_trait;
use ingest::shippers::{self, ShipperOptions};
use ingest::syslog;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::kind::{LiveSource, Serving, SourceKind};
use super::syslog_udp::count_kernel_drops;
use crate::clock;
use crate::config::AnalyzerConfig;
use crate::ports::not_bound;

pub(super) struct GelfUdp;

#[async_trait]
impl SourceKind for GelfUdp {
    fn name(&self) -> &'static str {
        "gelf_udp"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let Some(address) = config.shippers.gelf_udp else { return Ok(None) };
        let socket = syslog::bind_udp(address).with_context(|| not_bound(address, "shippers.gelf_udp"))?;
        Ok(Some(Box::new(GelfSource { address, socket: Some(socket) })))
    }
}

struct GelfSource {
    address: SocketAddr,
    /// Until it is served.
    socket: Option<UdpSocket>,
}

impl LiveSource for GelfSource {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let Some(socket) = self.socket.take() else { return Vec::new() };
        match socket.local_addr() {
            Ok(address) => drop(tokio::spawn(count_kernel_drops(address.port(), "gelf_udp"))),
            Err(error) => tracing::warn!(%error, "what the kernel drops of GELF over UDP cannot be counted"),
        }
        let options = ShipperOptions { spool: serving.spool.clone(), clock: clock::now };
        vec![tokio::spawn(shippers::serve_gelf_udp(socket, options, serving.drain.clone()))]
    }
}
