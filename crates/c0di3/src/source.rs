//! The table of live sources. One more is a file with its [`SourceKind`], its `mod` line, and its entry in the table.
//! What is pushed over HTTP comes in on the service's own port, and is not among them.

mod files;
mod gelf_udp;
mod kafka;
mod kind;
mod pipes;
mod shippers;
mod syslog_tcp;
mod syslog_udp;

use api::health::HealthCheck;
use store::SourceCheckpoint;
use tokio::task::JoinHandle;

use crate::config::AnalyzerConfig;

use kind::{LiveSource, SourceKind};
pub(crate) use kind::{Reading, Serving};

/// Every kind, in the order in which they are opened.
static KINDS: [&dyn SourceKind; 9] = [
    &syslog_tcp::SyslogTcp,
    &syslog_udp::SyslogUdp,
    &shippers::FORWARD,
    &shippers::LUMBERJACK,
    &shippers::GELF_TCP,
    &gelf_udp::GelfUdp,
    &pipes::Pipes,
    &kafka::Kafka,
    &files::Files,
];

/// The sources that are configured.
pub(crate) struct LiveSources(Vec<(&'static str, Box<dyn LiveSource>)>);

impl LiveSources {
    /// Opens each that is configured.
    pub(crate) async fn open(config: &AnalyzerConfig) -> anyhow::Result<Self> {
        let mut sources = Vec::new();
        for kind in KINDS {
            if let Some(source) = kind.open(config).await? {
                sources.push((kind.name(), source));
            }
        }
        Ok(LiveSources(sources))
    }

    /// Names and places, for people.
    pub(crate) fn shown(&self) -> String {
        let shown = self.0.iter().map(|(name, source)| format!("{name} {}", source.place()));
        shown.collect::<Vec<_>>().join(", ")
    }

    /// What `/health` looks at.
    pub(crate) fn checks(&self) -> Vec<Box<dyn HealthCheck>> {
        self.0.iter().filter_map(|(_, source)| source.check()).collect()
    }

    /// Begins to take what is pushed; the tasks that do.
    pub(crate) fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        self.0.iter_mut().flat_map(|(_, source)| source.serve(serving)).collect()
    }

    /// Reads what is pulled, each source in a thread of the scope.
    pub(crate) fn read<'scope>(&'scope self, scope: &'scope std::thread::Scope<'scope, '_>, reading: &Reading) {
        for (_, source) in &self.0 {
            let reading = reading.clone();
            scope.spawn(move || source.read(reading));
        }
    }

    /// Tells each source how far is committed.
    pub(crate) fn committed(&self, sources: &[SourceCheckpoint]) {
        self.0.iter().for_each(|(_, source)| source.committed(sources));
    }
}
