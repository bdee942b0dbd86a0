//! Configuration: as written (file and environment), then as meant. All problems are reported at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use event::time::parse_span_us;
use serde::{Deserialize, Serialize};

use crate::outcome::Usage;

/// The manual: every setting with its default.
pub(crate) const DEFAULT_TEXT: &str = include_str!("config/default.toml");

/// Sections as written. Unknown keys are refused.
macro_rules! sections {
    ($($section:ident { $($key:ident: $kind:ty),+ $(,)? })+) => {
        $(#[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        struct $section {
            $($key: $kind),+
        })+
    };
}

sections! {
    StoreSection { url: String, commit_interval_ms: u64 }
    CacheSection { url: String }
    RulesSection { paths: Vec<PathBuf>, default: bool, placeholders: Vec<PathBuf> }
    InputSection { format: String, timezone: String }
    CorrelationSection { lateness: String, fold_gap: String, groups_max: usize }
    AnalyzerSection {
        listen: String, instance: String, jobs: usize, commit_interval_ms: u64, checkpoint_interval_ms: u64,
        body_bytes_max: u64,
    }
    SyslogSection { udp: String, tcp: String, message_bytes_max: usize, connections_max: usize }
    SpoolSection { folder: PathBuf, bytes_max: u64, segment_bytes: u64, reserve_bytes: u64 }
    KafkaSection { brokers: String, group: String, topics: Vec<String> }
    TailSection { paths: Vec<PathBuf> }
    AuthSection { tokens: bool }
    IncidentsSection { gap: String, opens_from: String }
    NotifySection { age: String, link: String }
    WebhooksSection { endpoints: Vec<EndpointEntry> }
    LlmSection { url: String, model: String, api_key: String, timeout: String, constrain: notify::llm::Constrain }
    AgentSection { analyzer_url: String }
    ApiSection { listen: String, health_listen: String }
    LogSection { level: String, format: String, folder: PathBuf, rotate_bytes: usize, rotate_files: usize }
}

/// Settings as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    store: StoreSection,
    cache: CacheSection,
    rules: RulesSection,
    input: InputSection,
    correlation: CorrelationSection,
    analyzer: AnalyzerSection,
    syslog: SyslogSection,
    spool: SpoolSection,
    kafka: KafkaSection,
    tail: TailSection,
    auth: AuthSection,
    incidents: IncidentsSection,
    notify: NotifySection,
    webhooks: WebhooksSection,
    llm: LlmSection,
    agent: AgentSection,
    api: ApiSection,
    log: LogSection,
}

/// A receiver as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct EndpointEntry {
    name: String,
    url: String,
    #[serde(default = "generic")]
    format: String,
    #[serde(default)]
    secret: String,
    #[serde(default = "least")]
    severity: String,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    allow_http: bool,
}

fn generic() -> String {
    "generic".to_owned()
}

fn least() -> String {
    "P3".to_owned()
}

/// Settings as meant.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What was written, for `config show`.
    pub(crate) file: ConfigFile,
    pub(crate) store_url: String,
    pub(crate) cache_url: Option<String>,
    pub(crate) commit_interval: Duration,
    pub(crate) rule_paths: Vec<PathBuf>,
    pub(crate) default_rules: bool,
    pub(crate) placeholders: Vec<PathBuf>,
    pub(crate) format: String,
    pub(crate) timezone: String,
    pub(crate) lateness_us: i64,
    pub(crate) fold_gap_us: i64,
    pub(crate) groups_max: usize,
    pub(crate) analyzer: AnalyzerConfig,
    pub(crate) tokens: bool,
    pub(crate) join: store::JoinPolicy,
    pub(crate) link: Option<String>,
    pub(crate) endpoints: Vec<notify::Endpoint>,
    pub(crate) llm: Option<notify::llm::LlmOptions>,
    pub(crate) analyzer_url: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) health_listen: SocketAddr,
    pub(crate) log: LogConfig,
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
    pub(crate) syslog_udp: Option<SocketAddr>,
    pub(crate) syslog_tcp: Option<SocketAddr>,
    pub(crate) message_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) spool: ingest::spool::SpoolOptions,
    /// Brokers, group and topics.
    pub(crate) kafka: Option<(String, String, Vec<String>)>,
    pub(crate) tail: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    pub(crate) level: tracing::Level,
    pub(crate) json: bool,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) rotate_bytes: usize,
    pub(crate) rotate_files: usize,
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

/// Variables with readable names and values; a setting of ours that is not UTF-8 is kept so that it is refused.
fn environment() -> impl Iterator<Item = (String, String)> {
    let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    std::env::vars_os().filter_map(readable)
}

fn merge(written: &str, environment: impl Iterator<Item = (String, String)>) -> Result<ConfigFile, String> {
    let table = |text: &str| text.parse::<toml::Table>().map_err(|error| error.to_string().trim_end().to_owned());
    // Parsed on its own first, so that mistakes are told with their place in the file.
    let mut merged = table(DEFAULT_TEXT)?;
    for (section, value) in table(written)? {
        let known = merged.get(&section).map(|known| known.as_table().is_some());
        let toml::Value::Table(keys) = value else {
            return Err(format!("`{section}` must be a section such as [store]"));
        };
        let Some(toml::Value::Table(target)) = merged.get_mut(&section).filter(|_| known == Some(true)) else {
            return Err(format!("unknown section [{section}]: known are {}", names(&table(DEFAULT_TEXT)?)));
        };
        for (key, value) in keys {
            if !target.contains_key(&key) {
                return Err(format!("unknown key `{key}` in [{section}]: known are {}", names(target)));
            }
            target.insert(key, value);
        }
    }
    apply_environment(&mut merged, environment)?;
    merged.try_into().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())
}

fn names(table: &toml::Table) -> String {
    table.keys().cloned().collect::<Vec<_>>().join(", ")
}

/// Variables `C0DI3_<SECTION>_<KEY>`; lists are separated by colons, as in PATH.
fn apply_environment(
    merged: &mut toml::Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(), String> {
    for (name, text) in environment {
        let Some(setting) = name.strip_prefix("C0DI3_").filter(|setting| *setting != "CONFIG") else { continue };
        let setting = setting.to_lowercase();
        let found = merged.iter_mut().find_map(|(section, keys)| {
            let key = setting.strip_prefix(section.as_str())?.strip_prefix('_')?;
            keys.get_mut(key)
        });
        let Some(value) = found else { return Err(format!("the environment variable {name} names no setting")) };
        *value = match value {
            toml::Value::Integer(_) => {
                toml::Value::Integer(text.parse().map_err(|_| format!("{name} must be a whole number, not `{text}`"))?)
            }
            toml::Value::Boolean(_) => {
                toml::Value::Boolean(text.parse().map_err(|_| format!("{name} must be true or false, not `{text}`"))?)
            }
            toml::Value::Array(_) => text.split(':').filter(|part| !part.is_empty()).collect::<Vec<_>>().into(),
            _ => toml::Value::String(text),
        };
    }
    Ok(())
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
    let join = check_join(&file, &mut problems);
    let endpoints = check_endpoints(&file.webhooks, &mut problems);
    let timeout_us = problems.span("llm.timeout", &file.llm.timeout);
    let llm = filled(&file.llm.url).map(|url| notify::llm::LlmOptions {
        url,
        model: file.llm.model.clone(),
        api_key: filled(&file.llm.api_key),
        timeout: Duration::from_micros(timeout_us.max(0) as u64),
        constrain: file.llm.constrain,
    });
    let log = check_log(&file.log, &mut problems);
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    Ok(Config {
        store_url: file.store.url.clone(),
        cache_url: filled(&file.cache.url),
        commit_interval: Duration::from_millis(file.store.commit_interval_ms),
        rule_paths: file.rules.paths.clone(),
        default_rules: file.rules.default,
        placeholders: file.rules.placeholders.clone(),
        format: file.input.format.clone(),
        timezone: file.input.timezone.clone(),
        lateness_us,
        fold_gap_us,
        groups_max: file.correlation.groups_max,
        analyzer,
        tokens: file.auth.tokens,
        join,
        link: filled(file.notify.link.trim_end_matches('/')),
        endpoints,
        llm,
        analyzer_url: filled(file.agent.analyzer_url.trim_end_matches('/')),
        listen,
        health_listen,
        log,
        file,
    })
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
    LogConfig { level, json: log.format == "json", folder, rotate_bytes, rotate_files }
}

fn check_analyzer(file: &ConfigFile, problems: &mut Problems) -> AnalyzerConfig {
    let (analyzer, syslog, spool) = (&file.analyzer, &file.syslog, &file.spool);
    if analyzer.instance.is_empty() || analyzer.instance == "replay" {
        problems.keep("analyzer.instance", "must be a name, and not `replay`");
    }
    for (key, number) in [
        ("syslog.message_bytes_max", syslog.message_bytes_max as u64),
        ("syslog.connections_max", syslog.connections_max as u64),
        ("spool.segment_bytes", spool.segment_bytes),
        ("analyzer.body_bytes_max", analyzer.body_bytes_max),
        ("analyzer.commit_interval_ms", analyzer.commit_interval_ms),
    ] {
        if number == 0 {
            problems.keep(key, "must be above 0");
        }
    }
    if syslog.message_bytes_max > ingest::block_reader::LINE_BYTES_MAX {
        problems
            .keep("syslog.message_bytes_max", format!("must not be above {}", ingest::block_reader::LINE_BYTES_MAX));
    }
    if spool.bytes_max < spool.segment_bytes.saturating_mul(2) {
        problems
            .keep("spool.bytes_max", "must be at least twice spool.segment_bytes: only whole files can be given back");
    }
    if !file.kafka.brokers.is_empty() && (file.kafka.topics.is_empty() || file.kafka.group.is_empty()) {
        problems.keep("kafka.topics, kafka.group", "must be set where kafka.brokers is");
    }
    let kafka =
        filled(&file.kafka.brokers).map(|brokers| (brokers, file.kafka.group.clone(), file.kafka.topics.clone()));
    AnalyzerConfig {
        listen: problems.address("analyzer.listen", &analyzer.listen),
        instance: analyzer.instance.clone(),
        jobs: analyzer.jobs,
        commit_interval: Duration::from_millis(analyzer.commit_interval_ms),
        checkpoint_interval: Duration::from_millis(analyzer.checkpoint_interval_ms),
        body_bytes_max: analyzer.body_bytes_max,
        syslog_udp: problems.optional_address("syslog.udp", &syslog.udp),
        syslog_tcp: problems.optional_address("syslog.tcp", &syslog.tcp),
        message_bytes_max: syslog.message_bytes_max,
        connections_max: syslog.connections_max,
        spool: ingest::spool::SpoolOptions {
            folder: spool.folder.clone(),
            bytes_max: spool.bytes_max,
            segment_bytes: spool.segment_bytes,
            reserve_bytes: spool.reserve_bytes,
        },
        kafka,
        tail: file.tail.paths.clone(),
    }
}

fn check_join(file: &ConfigFile, problems: &mut Problems) -> store::JoinPolicy {
    let gap_us = problems.span("incidents.gap", &file.incidents.gap);
    let opens_from = file.incidents.opens_from.parse().unwrap_or_else(|()| {
        problems.keep("incidents.opens_from", format!("`{}` is not one of P0, P1, P2, P3", file.incidents.opens_from));
        event::Severity::P2
    });
    let notify_age_us = Some(problems.span("notify.age", &file.notify.age));
    store::JoinPolicy { gap_us, opens_from, notify_age_us }
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

/// An address as written; `localhost` is the loopback address.
pub(crate) fn address(text: &str) -> Option<SocketAddr> {
    text.replace("localhost", "127.0.0.1").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        merge(written, environment).and_then(|file| check(file).map_err(|problems| problems.join("; ")))
    }

    #[test]
    fn the_default_file_is_sound_and_explains_every_key() {
        assert!(read("", &[]).is_ok());
        let table: toml::Table = DEFAULT_TEXT.parse().unwrap();
        let lines: Vec<_> = DEFAULT_TEXT.lines().collect();
        for key in table.values().flat_map(|section| section.as_table().unwrap().keys()) {
            let at = lines.iter().position(|line| line.starts_with(&format!("{key} ="))).unwrap();
            let explained =
                (0..at).rev().map(|at| lines[at]).find(|line| line.starts_with('#') || line.starts_with('['));
            assert!(explained.unwrap().starts_with('#'), "{key} has no comment");
        }
    }

    #[test]
    fn file_and_environment_override_in_that_order() {
        let file = "[store]\nurl = \"sqlite:a.db\"\n[log]\nlevel = \"warn\"\n";
        let config =
            read(file, &[("C0DI3_STORE_URL", "sqlite:b.db"), ("C0DI3_RULES_PATHS", "a:b"), ("HOME", "/")]).unwrap();
        assert_eq!(config.store_url, "sqlite:b.db");
        assert_eq!(config.log.level, tracing::Level::WARN);
        assert_eq!(config.rule_paths, [PathBuf::from("a"), PathBuf::from("b")]);
    }

    #[test]
    fn mistakes_name_the_key_and_the_remedy() {
        for (written, words) in [
            ("[stor]\nurl = \"x\"", "unknown section [stor]: known are"),
            ("[store]\nurll = \"x\"", "unknown key `urll` in [store]: known are commit_interval_ms, url"),
            ("url = 1", "must be a section"),
            ("[store]\nurl = 5", "expected a string"),
            ("[store\n", "line 1"),
            (
                "[webhooks]\nendpoints = [{name = \"a\", url = \"http://x/\"}]",
                "webhooks.endpoints, a: plain http needs",
            ),
            ("[webhooks]\nendpoints = [{name = \"a\", url = \"https://x/\", colour = 1}]", "unknown field `colour`"),
            ("[spool]\nbytes_max = 1", "spool.bytes_max: must be at least twice"),
            ("[kafka]\nbrokers = \"b:9092\"", "kafka.topics"),
            ("[cache]\nurl = \"memcached://x\"", "cache.url: `memcached://x` is no cache"),
            ("[incidents]\nopens_from = \"P9\"", "incidents.opens_from: `P9` is not one of"),
            ("[correlation]\nlateness = \"soon\"", "correlation.lateness: `soon` is not a time span"),
            ("[api]\nlisten = \"here\"", "api.listen: `here` is not an address"),
            ("[input]\ntimezone = \"Mars\"", "input.timezone: unknown time zone `Mars`"),
            ("[input]\nformat = \"xml\"", "input.format: unknown format `xml`"),
        ] {
            let reason = read(written, &[]).unwrap_err();
            assert!(reason.contains(words), "{written}: {reason}");
        }
        let reason = read("[api]\nlisten = \"x\"\n[log]\nlevel = \"loud\"", &[]).unwrap_err();
        assert!(reason.contains("api.listen") && reason.contains("log.level"), "all at once: {reason}");
        assert!(read("", &[("C0DI3_NO_SUCH", "1")]).unwrap_err().contains("C0DI3_NO_SUCH names no setting"));
        assert!(read("", &[("C0DI3_RULES_DEFAULT", "maybe")]).unwrap_err().contains("true or false"));
    }
}
