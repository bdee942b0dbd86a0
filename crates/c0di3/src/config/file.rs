//! Settings as written: the sections of the file, and how defaults, file and environment come together.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The manual: every setting with its default.
pub(crate) const DEFAULT_TEXT: &str = include_str!("default.toml");

/// Sections as written. Unknown keys are refused.
macro_rules! sections {
    ($($section:ident { $($key:ident: $kind:ty),+ $(,)? })+) => {
        $(#[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $section {
            $(pub(super) $key: $kind),+
        })+
    };
}

sections! {
    StoreSection { url: String, commit_interval_ms: u64 }
    CacheSection { url: String }
    RulesSection {
        paths: Vec<PathBuf>, default: bool, placeholders: Vec<PathBuf>, taxonomy: Vec<PathBuf>,
        exceptions: Vec<PathBuf>, indicators: Vec<PathBuf>, paranoia: u8, watch: String,
    }
    InputSection { format: String, timezone: String, logsource: String }
    EnrichSection { country: PathBuf, network: PathBuf, internal: Vec<String>, agents: bool }
    CorrelationSection { lateness: String, fold_gap: String, groups_max: usize }
    ScoreSection { p0: u8, p1: u8, p2: u8, assets: Vec<AssetEntry> }
    AnalyzerSection {
        listen: String, instance: String, jobs: usize, commit_interval_ms: u64, checkpoint_interval_ms: u64,
        body_bytes_max: u64, bodies_bytes_max: u64,
    }
    SyslogSection {
        udp: String, tcp: String, message_bytes_max: usize, connections_max: usize,
        connections_per_address_max: usize, idle_timeout: String, drain_timeout: String,
    }
    SpoolSection { folder: PathBuf, bytes_max: u64, segment_bytes: u64, reserve_bytes: u64 }
    KafkaSection {
        brokers: String, group: String, topics: Vec<String>, message_bytes_max: usize, unreadable: String,
        dead_letter_topic: String,
    }
    TailSection { paths: Vec<PathBuf>, files_max: usize }
    AuthSection { tokens: bool, memory: String }
    IncidentsSection { gap: String, opens_from: String }
    NotifySection { age: String, link: String, settle: String }
    WebhooksSection { endpoints: Vec<EndpointEntry> }
    LlmSection { url: String, model: String, api_key: String, timeout: String, constrain: notify::llm::Constrain }
    AgentSection { analyzer_url: String }
    ApiSection { listen: String, health_listen: String, trusted_proxies: Vec<String> }
    LogSection { level: String, format: String, folder: PathBuf, rotate_bytes: usize, rotate_files: usize, heap_profiles: usize }
}

/// Settings as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    pub(super) store: StoreSection,
    pub(super) cache: CacheSection,
    pub(super) rules: RulesSection,
    pub(super) input: InputSection,
    pub(super) enrich: EnrichSection,
    pub(super) correlation: CorrelationSection,
    pub(super) score: ScoreSection,
    pub(super) analyzer: AnalyzerSection,
    pub(super) syslog: SyslogSection,
    pub(super) spool: SpoolSection,
    pub(super) kafka: KafkaSection,
    pub(super) tail: TailSection,
    pub(super) auth: AuthSection,
    pub(super) incidents: IncidentsSection,
    pub(super) notify: NotifySection,
    pub(super) webhooks: WebhooksSection,
    pub(super) llm: LlmSection,
    pub(super) agent: AgentSection,
    pub(super) api: ApiSection,
    pub(super) log: LogSection,
}

/// What a host is worth, as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetEntry {
    pub(super) host: String,
    pub(super) weight: i16,
}

/// A receiver as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointEntry {
    pub(super) name: String,
    pub(super) url: String,
    #[serde(default = "generic")]
    pub(super) format: String,
    #[serde(default)]
    pub(super) secret: String,
    #[serde(default = "least")]
    pub(super) severity: String,
    #[serde(default)]
    pub(super) allow: Vec<String>,
    #[serde(default)]
    pub(super) allow_http: bool,
}

fn generic() -> String {
    "generic".to_owned()
}

fn least() -> String {
    "P3".to_owned()
}

/// Variables with readable names and values; a setting of ours that is not UTF-8 is kept so that it is refused.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    std::env::vars_os().filter_map(readable)
}

pub(super) fn merge(written: &str, environment: impl Iterator<Item = (String, String)>) -> Result<ConfigFile, String> {
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
