//! What a live source is to the analyzer: how it starts, how its events come, how its health is told. It knows no source.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use api::health::HealthCheck;
use async_trait::async_trait;
use crossbeam_channel::Sender;
use ingest::live::Item;
use ingest::spool::Spool;
use ingest::syslog::Drain;
use store::{SourceCheckpoint, Store};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::AnalyzerConfig;
use crate::positions::Positions;
use crate::tls::TlsPorts;

/// A kind of source: an entry of the table.
#[async_trait]
pub(crate) trait SourceKind: Sync {
    /// As the log names it.
    fn name(&self) -> &'static str;

    /// Takes its port, if it has one, before anything else is begun; `None` where the source is not configured.
    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>>;
}

/// A source at work. What senders push is appended to the spool, by tasks; what is pulled goes to the pipeline, by a thread.
pub(crate) trait LiveSource: Send + Sync {
    /// Where it listens, or what it reads.
    fn place(&self) -> String;

    /// How it is, where `/health` tells that.
    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        None
    }

    /// Begins to append what is pushed to the spool. Each task ends when the service stops and what was accepted is on disk.
    fn serve(&mut self, _serving: &Serving) -> Vec<JoinHandle<()>> {
        Vec::new()
    }

    /// Reads what is pulled, until the run stops. Blocks; called once for each run of the pipeline.
    fn read(&self, _reading: Reading) {}

    /// How far sources are committed, which other sources' names are among.
    fn committed(&self, _sources: &[SourceCheckpoint]) {}
}

/// What a source that is pushed to works with.
pub(crate) struct Serving {
    pub(crate) spool: Spool,
    /// Tells when the service stops, and until when what senders have begun may be read.
    pub(crate) drain: watch::Receiver<Drain>,
    /// TLS for ports that speak it.
    pub(crate) tls: TlsPorts,
}

/// What a source that is pulled works with.
#[derive(Clone)]
pub(crate) struct Reading {
    /// The pipeline's queue.
    pub(crate) queue: Sender<Item>,
    /// Set when this run ends.
    pub(crate) stop: Arc<AtomicBool>,
    /// Where to go on.
    pub(crate) positions: Positions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
}
