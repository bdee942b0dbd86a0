//! Configuration: as written (file and environment), then as meant. All problems are reported at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use event::LogSource;
use event::time::parse_span_us;

use crate::heap::Profiles;
use crate::outcome::Usage;

mod file;
mod sources;

pub(crate) use file::{ConfigFile, DEFAULT_TEXT};

use file::{LogSection, SyslogSection, WebhooksSection, environment, merge};

/// Longest that connections may be read after SIGTERM.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// Settings as meant.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What was written, for `config show`.
    pub(crate) file: ConfigFile,
    pub(crate) store_url: String,
    pub(crate) cache_url: Option<String>,
    pub(crate) commit_interval: Duration,
    pub(crate) rules: RulesConfig,
    pub(crate) format: String,
    pub(crate) timezone: String,
    pub(crate) lateness_us: i64,
    pub(crate) fold_gap_us: i64,
    pub(crate) groups_max: usize,
    pub(crate) thresholds: event::Thresholds,
    pub(crate) assets: correlate::Assets,
    /// Networks of ours.
    pub(crate) internal: Vec<event::Network>,
    pub(crate) analyzer: AnalyzerConfig,
    pub(crate) tokens: bool,
    /// How long tokens are answered from memory while the store is away.
    pub(crate) token_memory: Duration,
    pub(crate) join: store::JoinPolicy,
    pub(crate) link: Option<String>,
    /// How long people's changes settle before they are told, in microseconds.
    pub(crate) settle_us: i64,
    pub(crate) endpoints: Vec<notify::Endpoint>,
    pub(crate) llm: Option<notify::llm::LlmOptions>,
    pub(crate) analyzer_url: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) health_listen: SocketAddr,
    /// Whose X-Forwarded-For is believed.
    pub(crate) trusted_proxies: Vec<event::Network>,
    pub(crate) log: LogConfig,
}

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

#[derive(Clone, Debug)]
pub(crate) struct AnalyzerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) instance: String,
    /// 0: as many as there are cores.
    pub(crate) jobs: usize,
    pub(crate) commit_interval: Duration,
    pub(crate) checkpoint_interval: Duration,
    pub(crate) body_bytes_max: u64,
    pub(crate) bodies_bytes_max: u64,
    pub(crate) syslog_udp: Option<SocketAddr>,
    pub(crate) syslog_tcp: Option<SocketAddr>,
    pub(crate) message_bytes_max: usize,
    pub(crate) connections: ingest::syslog::ConnectionLimits,
    pub(crate) drain_timeout: Duration,
    pub(crate) spool: ingest::spool::SpoolOptions,
    pub(crate) kafka: Option<ingest::kafka::KafkaOptions>,
    pub(crate) tail: Option<ingest::tail::TailOptions>,
}

#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    pub(crate) level: tracing::Level,
    pub(crate) json: bool,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) rotate_bytes: usize,
    pub(crate) rotate_files: usize,
    pub(crate) heap_profiles: usize,
}

impl LogConfig {
    pub(crate) fn profiles(&self) -> Profiles {
        Profiles::new(self.folder.as_deref(), self.heap_profiles)
    }
}

/// Reads defaults, then the file, then the environment, and checks the result.
pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Config> {
    let written = match path {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())),
        None => Ok(String::new()),
    };
    let name = path.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
    let file = merge(&written.map_err(|error| Usage(format!("{error:#}")))?, environment())
        .map_err(|reason| Usage(format!("{name}: {reason}")))?;
    check(file).map_err(|problems| Usage(problems.join("\n       ")).into())
}

/// Collects what is wrong, each with its key.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn keep(&mut self, key: &str, reason: impl std::fmt::Display) {
        self.0.push(format!("{key}: {reason}"));
    }

    fn span(&mut self, key: &str, text: &str) -> i64 {
        parse_span_us(text).unwrap_or_else(|| {
            self.keep(key, format!("`{text}` is not a time span: write a number and s, m, h or d, such as 5m"));
            0
        })
    }

    fn address(&mut self, key: &str, text: &str) -> SocketAddr {
        address(text).unwrap_or_else(|| {
            self.keep(key, format!("`{text}` is not an address such as 127.0.0.1:3000"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn optional_address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        (!text.is_empty()).then(|| self.address(key, text))
    }

    fn check<T, E: std::fmt::Display>(&mut self, key: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.keep(key, error)).ok()
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn check(file: ConfigFile) -> Result<Config, Vec<String>> {
    let mut problems = Problems::default();
    let lateness_us = problems.span("correlation.lateness", &file.correlation.lateness);
    let fold_gap_us = problems.span("correlation.fold_gap", &file.correlation.fold_gap);
    let listen = problems.address("api.listen", &file.api.listen);
    let health_listen = problems.address("api.health_listen", &file.api.health_listen);
    problems.check("input.format", file.input.format.parse::<parse::FormatChoice>());
    problems.check("input.timezone", parse::Clock::new(&file.input.timezone, None));
    problems.check("store.url", check_store_url(&file.store.url));
    if !file.cache.url.is_empty() && !file.cache.url.starts_with("redis://") {
        problems.keep(
            "cache.url",
            format!("`{}` is no cache that this version knows: use redis://HOST:PORT/", file.cache.url),
        );
    }
    if file.correlation.groups_max == 0 || file.log.rotate_bytes == 0 {
        problems.keep("correlation.groups_max, log.rotate_bytes", "must be above 0");
    }
    let analyzer = check_analyzer(&file, &mut problems);
    let (join, settle_us) = check_join(&file, &mut problems);
    let endpoints = check_endpoints(&file.webhooks, &mut problems);
    let timeout_us = problems.span("llm.timeout", &file.llm.timeout);
    let llm = filled(&file.llm.url).map(|url| notify::llm::LlmOptions {
        url,
        model: file.llm.model.clone(),
        api_key: filled(&file.llm.api_key),
        timeout: Duration::from_micros(timeout_us.max(0) as u64),
        constrain: file.llm.constrain,
    });
    let memory_us = problems.span("auth.memory", &file.auth.memory);
    let rules = check_rules(&file, &mut problems);
    let thresholds = check_thresholds(&file, &mut problems);
    let assets = check_assets(&file, &mut problems);
    let internal = check_internal(&file, &mut problems);
    let log = check_log(&file.log, &mut problems);
    let trusted_proxies = file.api.trusted_proxies.iter();
    let trusted_proxies =
        trusted_proxies.filter_map(|network| problems.check("api.trusted_proxies", network.parse())).collect();
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    Ok(Config {
        store_url: file.store.url.clone(),
        cache_url: filled(&file.cache.url),
        commit_interval: Duration::from_millis(file.store.commit_interval_ms),
        rules,
        format: file.input.format.clone(),
        timezone: file.input.timezone.clone(),
        lateness_us,
        fold_gap_us,
        groups_max: file.correlation.groups_max,
        thresholds,
        assets,
        internal,
        analyzer,
        tokens: file.auth.tokens,
        token_memory: Duration::from_micros(memory_us.max(0) as u64),
        join,
        link: filled(file.notify.link.trim_end_matches('/')),
        settle_us,
        endpoints,
        llm,
        analyzer_url: filled(file.agent.analyzer_url.trim_end_matches('/')),
        listen,
        health_listen,
        trusted_proxies,
        log,
        file,
    })
}

fn check_rules(file: &ConfigFile, problems: &mut Problems) -> RulesConfig {
    let rules = &file.rules;
    if !(1..=patterns::PARANOIA_MAX).contains(&rules.paranoia) {
        problems.keep("rules.paranoia", format!("must be from 1 to {}", patterns::PARANOIA_MAX));
    }
    let watch_us = filled(&rules.watch).map(|text| problems.span("rules.watch", &text));
    let logsource = filled(&file.input.logsource).and_then(|text| problems.check("input.logsource", log_source(&text)));
    RulesConfig {
        paths: rules.paths.clone(),
        default: rules.default,
        placeholders: rules.placeholders.clone(),
        taxonomy: rules.taxonomy.clone(),
        exceptions: rules.exceptions.clone(),
        indicators: rules.indicators.clone(),
        paranoia: rules.paranoia,
        watch: watch_us.filter(|span| *span > 0).map(|span| Duration::from_micros(span as u64)),
        logsource,
    }
}

impl Config {
    /// How hits are counted over time.
    pub(crate) fn correlation(&self) -> correlate::CorrelatorOptions {
        correlate::CorrelatorOptions {
            lateness_us: self.lateness_us,
            fold_gap_us: self.fold_gap_us,
            groups_max: self.groups_max,
            thresholds: self.thresholds,
            assets: self.assets.clone(),
            ..correlate::CorrelatorOptions::default()
        }
    }

    /// Databases of countries and networks, and whether agents are told apart.
    pub(crate) fn enrichment(&self) -> (&std::path::Path, &std::path::Path, bool) {
        (&self.file.enrich.country, &self.file.enrich.network, self.file.enrich.agents)
    }
}

fn check_internal(file: &ConfigFile, problems: &mut Problems) -> Vec<event::Network> {
    file.enrich.internal.iter().filter_map(|network| problems.check("enrich.internal", network.parse())).collect()
}

fn check_assets(file: &ConfigFile, problems: &mut Problems) -> correlate::Assets {
    let most = correlate::ASSET_WEIGHT_MAX;
    for entry in &file.score.assets {
        if entry.host.is_empty() || !(-most..=most).contains(&entry.weight) {
            problems.keep("score.assets", format!("each needs a host, and a weight from -{most} to {most}"));
        }
    }
    correlate::Assets::new(file.score.assets.iter().map(|entry| (entry.host.as_str(), entry.weight)))
}

fn check_thresholds(file: &ConfigFile, problems: &mut Problems) -> event::Thresholds {
    let event::Thresholds { p0, p1, p2 } =
        event::Thresholds { p0: file.score.p0, p1: file.score.p1, p2: file.score.p2 };
    if p0 > 100 || p0 <= p1 || p1 <= p2 {
        problems.keep("score.p0, score.p1, score.p2", "must fall from at most 100");
    }
    event::Thresholds { p0, p1, p2 }
}

fn check_log(log: &LogSection, problems: &mut Problems) -> LogConfig {
    let level = log.level.parse().unwrap_or_else(|_| {
        problems.keep("log.level", format!("`{}` is not one of error, warn, info, debug, trace", log.level));
        tracing::Level::INFO
    });
    if !matches!(log.format.as_str(), "text" | "json") {
        problems.keep("log.format", format!("`{}` is not one of text, json", log.format));
    }
    let folder = Some(log.folder.clone()).filter(|folder| !folder.as_os_str().is_empty());
    let (rotate_bytes, rotate_files) = (log.rotate_bytes, log.rotate_files);
    let heap_profiles = log.heap_profiles;
    LogConfig { level, json: log.format == "json", folder, rotate_bytes, rotate_files, heap_profiles }
}

fn check_analyzer(file: &ConfigFile, problems: &mut Problems) -> AnalyzerConfig {
    let (analyzer, syslog, spool) = (&file.analyzer, &file.syslog, &file.spool);
    if analyzer.instance.is_empty() || analyzer.instance == "replay" {
        problems.keep("analyzer.instance", "must be a name, and not `replay`");
    }
    for (key, number) in [
        ("syslog.message_bytes_max", syslog.message_bytes_max as u64),
        ("syslog.connections_max", syslog.connections_max as u64),
        ("syslog.connections_per_address_max", syslog.connections_per_address_max as u64),
        ("spool.segment_bytes", spool.segment_bytes),
        ("analyzer.body_bytes_max", analyzer.body_bytes_max),
        ("analyzer.commit_interval_ms", analyzer.commit_interval_ms),
    ] {
        if number == 0 {
            problems.keep(key, "must be above 0");
        }
    }
    if analyzer.bodies_bytes_max < api::ingest::BODIES_BYTES_MIN {
        problems.keep("analyzer.bodies_bytes_max", format!("must be at least {}", api::ingest::BODIES_BYTES_MIN));
    }
    if syslog.message_bytes_max > ingest::block_reader::LINE_BYTES_MAX {
        problems
            .keep("syslog.message_bytes_max", format!("must not be above {}", ingest::block_reader::LINE_BYTES_MAX));
    }
    if spool.bytes_max < spool.segment_bytes.saturating_mul(2) {
        problems
            .keep("spool.bytes_max", "must be at least twice spool.segment_bytes: only whole files can be given back");
    }
    AnalyzerConfig {
        listen: problems.address("analyzer.listen", &analyzer.listen),
        instance: analyzer.instance.clone(),
        jobs: analyzer.jobs,
        commit_interval: Duration::from_millis(analyzer.commit_interval_ms),
        checkpoint_interval: Duration::from_millis(analyzer.checkpoint_interval_ms),
        body_bytes_max: analyzer.body_bytes_max,
        bodies_bytes_max: analyzer.bodies_bytes_max,
        syslog_udp: problems.optional_address("syslog.udp", &syslog.udp),
        syslog_tcp: problems.optional_address("syslog.tcp", &syslog.tcp),
        message_bytes_max: syslog.message_bytes_max,
        connections: check_connections(syslog, problems),
        drain_timeout: check_drain(&syslog.drain_timeout, problems),
        spool: ingest::spool::SpoolOptions {
            folder: spool.folder.clone(),
            bytes_max: spool.bytes_max,
            segment_bytes: spool.segment_bytes,
            reserve_bytes: spool.reserve_bytes,
        },
        kafka: sources::check_kafka(&file.kafka, problems),
        tail: sources::check_tail(&file.tail, problems),
    }
}

fn check_connections(syslog: &SyslogSection, problems: &mut Problems) -> ingest::syslog::ConnectionLimits {
    let idle_us = filled(&syslog.idle_timeout).map(|text| problems.span("syslog.idle_timeout", &text));
    let idle = idle_us.filter(|span| *span > 0).map(|span| Duration::from_micros(span as u64));
    ingest::syslog::ConnectionLimits { all: syslog.connections_max, each: syslog.connections_per_address_max, idle }
}

/// Kubernetes waits 30 s in all: for this, the requests that are open, and the last commit.
fn check_drain(text: &str, problems: &mut Problems) -> Duration {
    let span = Duration::from_micros(problems.span("syslog.drain_timeout", text).max(0) as u64);
    if span > DRAIN_MAX {
        problems.keep("syslog.drain_timeout", format!("must be at most {} s", DRAIN_MAX.as_secs()));
    }
    span
}

fn check_join(file: &ConfigFile, problems: &mut Problems) -> (store::JoinPolicy, i64) {
    let gap_us = problems.span("incidents.gap", &file.incidents.gap);
    let opens_from = file.incidents.opens_from.parse().unwrap_or_else(|()| {
        problems.keep("incidents.opens_from", format!("`{}` is not one of P0, P1, P2, P3", file.incidents.opens_from));
        event::Severity::P2
    });
    let notify_age_us = Some(problems.span("notify.age", &file.notify.age));
    let settle_us = problems.span("notify.settle", &file.notify.settle);
    (store::JoinPolicy { gap_us, opens_from, notify_age_us }, settle_us)
}

fn check_endpoints(section: &WebhooksSection, problems: &mut Problems) -> Vec<notify::Endpoint> {
    let mut endpoints: Vec<notify::Endpoint> = Vec::new();
    for entry in &section.endpoints {
        let key = format!("webhooks.endpoints, {}", if entry.name.is_empty() { "(no name)" } else { &entry.name });
        if entry.name.is_empty() || endpoints.iter().any(|known| known.name == entry.name) {
            problems.keep(&key, "every receiver needs a name of its own");
        }
        let url = problems.check(&key, notify::endpoint::url(&entry.url, entry.allow_http));
        let format = problems.check(&key, entry.format.parse());
        let secrets = problems.check(&key, notify::endpoint::secrets(&entry.secret));
        let least = entry.severity.parse().map_err(|()| format!("`{}` is not one of P0, P1, P2, P3", entry.severity));
        let least = problems.check(&key, least);
        let allow: Vec<_> = entry.allow.iter().filter_map(|network| problems.check(&key, network.parse())).collect();
        if let (Some(url), Some(format), Some(secrets), Some(least)) = (url, format, secrets, least) {
            let (name, allow_http) = (entry.name.clone(), entry.allow_http);
            endpoints.push(notify::Endpoint { name, url, format, secrets, least, allow, allow_http });
        }
    }
    endpoints
}

/// Whether the text names a store that this version has.
pub(crate) fn check_store_url(url: &str) -> Result<(), String> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    let server = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if path.is_some() || server {
        return Ok(());
    }
    Err(format!("`{url}` is no store that this version knows: use sqlite:PATH or postgres://USER@HOST/DATABASE"))
}

/// `product=linux,service=sshd` as a log source.
pub(crate) fn log_source(text: &str) -> Result<LogSource, String> {
    text.parse()
}

/// An address as written; `localhost` is the loopback address.
pub(crate) fn address(text: &str) -> Option<SocketAddr> {
    text.replace("localhost", "127.0.0.1").parse().ok()
}

#[cfg(test)]
mod tests;
