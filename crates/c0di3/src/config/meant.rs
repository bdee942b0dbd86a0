//! Settings as meant: checked, in the types that the parts of the program take. It reads no text.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use archive::{PlaceSettings, Privacy};
use event::{LogSource, Network, Thresholds};

use super::file::ConfigFile;
use super::traces::TracesConfig;
use crate::heap::Profiles;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What was written, for `config show`.
    pub(crate) file: ConfigFile,
    pub(crate) store: StoreConfig,
    pub(crate) input: InputConfig,
    pub(crate) rules: RulesConfig,
    pub(crate) correlation: CorrelationConfig,
    pub(crate) analyzer: AnalyzerConfig,
    pub(crate) agent: AgentConfig,
    pub(crate) notify: NotifyConfig,
    pub(crate) access: AccessConfig,
    pub(crate) disk: DiskLimits,
    pub(crate) log: LogConfig,
    /// The file that it was read from, to be read again.
    pub(crate) path: Option<PathBuf>,
}

/// Used shares of a disk, in percent, above which `/health` tells of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskLimits {
    pub(crate) warn: f64,
    pub(crate) fail: f64,
}

/// Where findings are kept, and how they are written.
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    /// `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    pub(crate) url: String,
    /// Between two commits of a replay.
    pub(crate) commit_interval: Duration,
    /// How findings become incidents.
    pub(crate) join: store::JoinPolicy,
    /// The events themselves.
    pub(crate) archive: ArchiveConfig,
}

/// Where events are kept, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveConfig {
    /// Folder or bucket; `None`: not at all.
    pub(crate) place: Option<PlaceSettings>,
    /// How a bucket that a command names is reached: the place without its folder.
    pub(crate) reached: PlaceSettings,
    /// Files and folders with saved hunts.
    pub(crate) hunts: Vec<PathBuf>,
    /// What is taken out of events before they are kept.
    pub(crate) privacy: Privacy,
    /// Length of all files in bytes.
    pub(crate) bytes_max: u64,
    /// Age of an event, by its own time, in microseconds.
    pub(crate) age_max_us: i64,
}

/// How lines are read, and what is added to their events.
#[derive(Clone, Debug)]
pub(crate) struct InputConfig {
    pub(crate) format: String,
    /// Formats of the operator's own.
    pub(crate) formats: Arc<parse::UserFormats>,
    /// Whose word on forwarded addresses is believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Zone of times that name none.
    pub(crate) timezone: String,
    /// Files with more shapes of events.
    pub(crate) shapes: Vec<PathBuf>,
    /// Database of countries; empty: none.
    pub(crate) country: PathBuf,
    /// Database of networks; empty: none.
    pub(crate) network: PathBuf,
    /// Whether user agents are told apart.
    pub(crate) agents: bool,
    /// Networks of ours.
    pub(crate) internal: Vec<Network>,
}

/// Where rules come from, and what they need.
#[derive(Clone, Debug)]
pub(crate) struct RulesConfig {
    pub(crate) paths: Vec<PathBuf>,
    /// With the rules that are built in.
    pub(crate) default: bool,
    pub(crate) placeholders: Vec<PathBuf>,
    pub(crate) taxonomy: Vec<PathBuf>,
    pub(crate) exceptions: Vec<PathBuf>,
    pub(crate) indicators: Vec<PathBuf>,
    pub(crate) paranoia: u8,
    /// Between two looks at the files; `None`: nobody looks.
    pub(crate) watch: Option<Duration>,
    /// What all input is.
    pub(crate) logsource: Option<LogSource>,
}

/// How hits are counted over time, and what findings are worth.
#[derive(Clone, Debug)]
pub(crate) struct CorrelationConfig {
    pub(crate) lateness_us: i64,
    pub(crate) fold_gap_us: i64,
    pub(crate) groups_max: usize,
    /// Scores from which a finding is P0, P1, P2.
    pub(crate) thresholds: Thresholds,
    /// What hosts are worth.
    pub(crate) assets: correlate::Assets,
}

impl CorrelationConfig {
    /// As the correlator takes it.
    pub(crate) fn options(&self) -> correlate::CorrelatorOptions {
        correlate::CorrelatorOptions {
            lateness_us: self.lateness_us,
            fold_gap_us: self.fold_gap_us,
            groups_max: self.groups_max,
            thresholds: self.thresholds,
            assets: self.assets.clone(),
            ..correlate::CorrelatorOptions::default()
        }
    }
}

/// The log-analyzer service.
#[derive(Clone, Debug)]
pub(crate) struct AnalyzerConfig {
    /// Name under which it keeps its state.
    pub(crate) instance: String,
    /// Worker threads; 0: as many as there are cores.
    pub(crate) jobs: usize,
    pub(crate) commit_interval: Duration,
    pub(crate) checkpoint_interval: Duration,
    pub(crate) http: HttpConfig,
    pub(crate) syslog: SyslogConfig,
    pub(crate) shippers: ShippersConfig,
    pub(crate) spool: ingest::spool::SpoolOptions,
    /// Silence of senders that is told, in microseconds, by the beginnings of their names; 0: never.
    pub(crate) silence: Vec<(String, i64)>,
    /// `None`: no Kafka.
    pub(crate) kafka: Option<ingest::kafka::KafkaOptions>,
    /// `None`: no file is followed.
    pub(crate) tail: Option<ingest::tail::TailOptions>,
}

/// The analyzer's HTTP port.
#[derive(Clone, Debug)]
pub(crate) struct HttpConfig {
    pub(crate) listen: SocketAddr,
    /// Further ports that answer the same.
    pub(crate) listen_more: Vec<SocketAddr>,
    /// Who says with the PROXY protocol for whom he speaks.
    pub(crate) proxies: Arc<[Network]>,
    /// Longest body, unpacked, in bytes.
    pub(crate) body_bytes_max: u64,
    /// Memory for all bodies that are read at once, in bytes.
    pub(crate) bodies_bytes_max: u64,
}

/// The analyzer's syslog ports.
#[derive(Clone, Debug)]
pub(crate) struct SyslogConfig {
    pub(crate) udp: Option<SocketAddr>,
    pub(crate) tcp: Option<SocketAddr>,
    /// Syslog over TCP behind TLS.
    pub(crate) tls: Option<SocketAddr>,
    /// RELP.
    pub(crate) relp: Option<SocketAddr>,
    /// RELP behind TLS.
    pub(crate) relp_tls: Option<SocketAddr>,
    /// Who says with the PROXY protocol for whom he speaks.
    pub(crate) proxies: Arc<[Network]>,
    /// Longest message that is kept whole, in bytes.
    pub(crate) message_bytes_max: usize,
    pub(crate) connections: ingest::syslog::ConnectionLimits,
    /// How long connections are read after SIGTERM.
    pub(crate) drain_timeout: Duration,
}

/// Protocols of shippers that are no HTTP; `None`: not served.
#[derive(Clone, Debug)]
pub(crate) struct ShippersConfig {
    pub(crate) forward: Option<SocketAddr>,
    /// What peers of Forward have to know; `None`: nothing.
    pub(crate) forward_shared_key: Option<String>,
    pub(crate) lumberjack: Option<SocketAddr>,
    pub(crate) gelf_tcp: Option<SocketAddr>,
    pub(crate) gelf_udp: Option<SocketAddr>,
    /// Of each port.
    pub(crate) connections: ingest::syslog::ConnectionLimits,
    /// What peers are told as our name.
    pub(crate) host: String,
}

/// The core-agent service.
#[derive(Clone, Debug)]
pub(crate) struct AgentConfig {
    /// The API.
    pub(crate) listen: SocketAddr,
    /// Health and metrics.
    pub(crate) health_listen: SocketAddr,
    /// An analyzer whose health is asked for.
    pub(crate) analyzer_url: Option<String>,
    /// Authorities of its certificate, beside the public ones.
    pub(crate) analyzer_ca: Option<PathBuf>,
    /// Redis; `None`: aggregates are kept in the memory of the process.
    pub(crate) cache_url: Option<String>,
    /// The model that words summaries; `None`: templates.
    pub(crate) llm: Option<notify::llm::LlmOptions>,
    /// Files with certificates whose end is told, ours among them.
    pub(crate) certificates: Vec<PathBuf>,
}

/// Who is told of incidents.
#[derive(Clone, Debug)]
pub(crate) struct NotifyConfig {
    /// Address of the console, for links in messages.
    pub(crate) link: Option<String>,
    /// How long people's changes settle before they are told, in microseconds.
    pub(crate) settle_us: i64,
    pub(crate) endpoints: Vec<notify::Endpoint>,
}

/// Who may ask.
#[derive(Clone, Debug)]
pub(crate) struct AccessConfig {
    /// Whether requests need a token.
    pub(crate) tokens: bool,
    /// How long tokens are answered from memory while the store is away.
    pub(crate) token_memory: Duration,
    /// Whose X-Forwarded-For is believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Who speaks TLS.
    pub(crate) tls: TlsConfig,
}

/// TLS of our ports.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsConfig {
    /// `None`: there is none.
    pub(crate) files: Option<ingest::tls::TlsFiles>,
    /// Settings of the ports that speak it.
    pub(crate) ports: Vec<&'static str>,
    /// And of those that want certificates of clients.
    pub(crate) client_ports: Vec<&'static str>,
}

/// What the process tells of itself: logs, heap profiles, traces.
#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    pub(crate) level: tracing::Level,
    pub(crate) json: bool,
    /// `None`: standard error.
    pub(crate) folder: Option<PathBuf>,
    /// Beside the folder's files.
    pub(crate) stderr: bool,
    /// 0: never.
    pub(crate) rotate_bytes: usize,
    pub(crate) rotate_files: usize,
    /// Profiles that are kept; 0: none is written.
    pub(crate) heap_profiles: usize,
    /// `None`: none are made.
    pub(crate) traces: Option<TracesConfig>,
}

impl LogConfig {
    /// Where heap profiles go.
    pub(crate) fn profiles(&self) -> Profiles {
        Profiles::new(self.folder.as_deref(), self.heap_profiles)
    }
}
