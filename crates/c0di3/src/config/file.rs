//! Settings as written: the sections of the file, and how defaults, file and environment come together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::outcome::Usage;

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
    ArchiveSection {
        folder: String, bytes_max: u64, age_max: String, endpoint: String, region: String, access_key_id: String,
        secret_access_key: String, session_token: String, allow_http: bool, ca_file: PathBuf, secret_parameters: Vec<String>,
        private_fields: Vec<PrivateFieldEntry>, hash_key: String, hunts: Vec<PathBuf>,
    }
    RulesSection {
        paths: Vec<PathBuf>, default: bool, placeholders: Vec<PathBuf>, taxonomy: Vec<PathBuf>,
        exceptions: Vec<PathBuf>, indicators: Vec<PathBuf>, paranoia: u8, watch: String,
    }
    InputSection {
        format: String, timezone: String, logsource: String, shapes: Vec<PathBuf>, trusted_proxies: Vec<String>,
        formats: Vec<FormatEntry>,
    }
    EnrichSection { country: PathBuf, network: PathBuf, internal: Vec<String>, agents: bool }
    CorrelationSection { lateness: String, fold_gap: String, groups_max: usize }
    ScoreSection { p0: u8, p1: u8, p2: u8, assets: Vec<AssetEntry> }
    AnalyzerSection {
        listen: String, listen_more: String, proxy_protocol_from: Vec<String>, instance: String, jobs: usize, commit_interval_ms: u64, checkpoint_interval_ms: u64,
        body_bytes_max: u64, bodies_bytes_max: u64, silence: Vec<String>,
    }
    SyslogSection {
        udp: String, tcp: String, tls: String, relp: String, relp_tls: String, proxy_protocol_from: Vec<String>,
        message_bytes_max: usize, connections_max: usize,
        connections_per_address_max: usize, idle_timeout: String, drain_timeout: String,
    }
    ShippersSection {
        forward: String, forward_shared_key: String, lumberjack: String, gelf_tcp: String, gelf_udp: String,
        connections_max: usize, connections_per_address_max: usize, idle_timeout: String,
    }
    SpoolSection { folder: PathBuf, bytes_max: u64, segment_bytes: u64, reserve_bytes: u64 }
    KafkaSection {
        brokers: String, group: String, topics: Vec<String>, message_bytes_max: usize, unreadable: String,
        dead_letter_topic: String, tls: bool, ca: PathBuf, certificate: PathBuf, key: PathBuf, sasl: String, user: String,
        password: String, token_file: PathBuf,
    }
    TailSection { paths: Vec<PathBuf>, files_max: usize }
    TlsSection { certificate: PathBuf, key: PathBuf, ports: Vec<String>, client_ca: PathBuf, client_ports: Vec<String> }
    AuthSection { tokens: bool, memory: String }
    IncidentsSection { gap: String, opens_from: String }
    NotifySection { age: String, link: String, settle: String }
    WebhooksSection { endpoints: Vec<EndpointEntry> }
    LlmSection { url: String, model: String, api_key: String, timeout: String, constrain: notify::llm::Constrain }
    AgentSection { analyzer_url: String, analyzer_ca: PathBuf }
    ApiSection { listen: String, health_listen: String, trusted_proxies: Vec<String> }
    HealthSection { disk_warn_percent: u8, disk_fail_percent: u8, certificates: Vec<PathBuf> }
    LogSection {
        level: String, format: String, folder: PathBuf, stderr: bool, rotate_bytes: usize, rotate_files: usize,
        heap_profiles: usize,
    }
    TracesSection {
        endpoint: String, authorization: String, ca: PathBuf, sample_ratio: f64, attributes: Vec<String>, queue: usize,
        timeout: String,
    }
}

/// Sections in groups, for the program alone: the file knows none. Sections are read one by one, so that a mistake in one
/// does not hide those in others.
macro_rules! groups {
    ($($(#[$about:meta])* $group:ident { $($section:ident: $kind:ident),+ $(,)? })+) => {
        $($(#[$about])*
        #[derive(Clone, Debug, Serialize)]
        pub(super) struct $group {
            $(pub(super) $section: $kind),+
        }

        impl $group {
            fn read(written: &mut SectionsRead) -> Option<Self> {
                $(let $section = written.section(stringify!($section));)+
                Some($group { $($section: $section?),+ })
            }
        })+
    };
}

groups! {
    /// Where events come from, and how they are read.
    SourceSections {
        input: InputSection, enrich: EnrichSection, analyzer: AnalyzerSection, syslog: SyslogSection,
        shippers: ShippersSection, spool: SpoolSection, kafka: KafkaSection, tail: TailSection,
    }
    /// How events are judged.
    JudgingSections { rules: RulesSection, correlation: CorrelationSection, score: ScoreSection }
    /// Where findings are kept, and how they become incidents.
    KeepingSections {
        store: StoreSection, cache: CacheSection, incidents: IncidentsSection, archive: ArchiveSection,
    }
    /// Who may ask, who is told, and what the process tells of itself.
    AgentSections {
        auth: AuthSection, tls: TlsSection, notify: NotifySection, webhooks: WebhooksSection, llm: LlmSection, agent: AgentSection,
        api: ApiSection, health: HealthSection, log: LogSection, traces: TracesSection,
    }
}

/// Settings as written. Serialised it has the file's form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ConfigFile {
    #[serde(flatten)]
    pub(super) sources: SourceSections,
    #[serde(flatten)]
    pub(super) judging: JudgingSections,
    #[serde(flatten)]
    pub(super) keeping: KeepingSections,
    #[serde(flatten)]
    pub(super) agent: AgentSections,
}

/// Sections that are being read, and what was wrong with those that are.
struct SectionsRead {
    sections: toml::Table,
    /// By section, so that they are told in the order of the names.
    wrong: BTreeMap<&'static str, String>,
}

impl SectionsRead {
    fn section<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let section = self.sections.remove(name).unwrap_or_else(|| toml::Table::new().into());
        // With its name around it, so that a mistake names the section as well.
        let named = toml::Table::from_iter([(name.to_owned(), section)]);
        match named.try_into::<BTreeMap<String, T>>() {
            Ok(sections) => sections.into_values().next(),
            Err(error) => {
                self.wrong.insert(name, error.to_string().trim_end().to_owned());
                None
            }
        }
    }
}

/// The sections, or every one that is wrong.
fn read(sections: toml::Table) -> Result<ConfigFile, Usage> {
    let mut written = SectionsRead { sections, wrong: BTreeMap::new() };
    let sources = SourceSections::read(&mut written);
    let judging = JudgingSections::read(&mut written);
    let keeping = KeepingSections::read(&mut written);
    let agent = AgentSections::read(&mut written);
    match (sources, judging, keeping, agent) {
        (Some(sources), Some(judging), Some(keeping), Some(agent)) => {
            Ok(ConfigFile { sources, judging, keeping, agent })
        }
        _ => Err(Usage(written.wrong.into_values().collect::<Vec<_>>().join("\n"))),
    }
}

/// A format of the operator's own, as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatEntry {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nginx: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) apache: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delimiter: Option<String>,
    #[serde(default)]
    pub(super) columns: Vec<String>,
    #[serde(default)]
    pub(super) files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dataset: Option<String>,
}

impl FormatEntry {
    pub(super) fn definition(&self) -> parse::FormatDefinition {
        let FormatEntry { name, nginx, apache, pattern, delimiter, columns, files, source, dataset } = self.clone();
        parse::FormatDefinition { name, nginx, apache, pattern, delimiter, columns, files, source, dataset }
    }
}

/// What a host is worth, as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetEntry {
    pub(super) host: String,
    pub(super) weight: i16,
}

/// A field that is not stored as it is, as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivateFieldEntry {
    pub(super) field: String,
    #[serde(default)]
    pub(super) dataset: String,
    pub(super) how: String,
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

pub(super) fn merge(written: &str, environment: impl Iterator<Item = (String, String)>) -> Result<ConfigFile, Usage> {
    let table =
        |text: &str| text.parse::<toml::Table>().map_err(|error| Usage(error.to_string().trim_end().to_owned()));
    // Parsed on its own first, so that mistakes are told with their place in the file.
    let mut merged = table(DEFAULT_TEXT)?;
    let mut unknown = Vec::new();
    for (section, value) in table(written)? {
        let known = merged.get(&section).map(|known| known.as_table().is_some());
        let toml::Value::Table(keys) = value else {
            return Err(Usage(format!("`{section}` must be a section such as [store]")));
        };
        let sections = table(DEFAULT_TEXT)?;
        let Some(toml::Value::Table(target)) = merged.get_mut(&section).filter(|_| known == Some(true)) else {
            let meant = nearest(&section, sections.keys());
            unknown.push(format!("unknown section [{section}]: known are {}{meant}", names(&sections)));
            continue;
        };
        for (key, value) in keys {
            if target.contains_key(&key) {
                target.insert(key, value);
                continue;
            }
            // A key may have slipped into the wrong section.
            let elsewhere = sections.iter().find(|(_, keys)| keys.get(&key).is_some());
            let meant = match (nearest(&key, target.keys()), elsewhere) {
                (meant, Some((other, _))) if meant.is_empty() => format!("; [{other}] has one"),
                (meant, _) => meant,
            };
            unknown.push(format!("unknown key `{key}` in [{section}]: known are {}{meant}", names(target)));
        }
    }
    if !unknown.is_empty() {
        return Err(Usage(unknown.join("\n       ")));
    }
    apply_environment(&mut merged, environment)?;
    read(merged)
}

/// Words that name the known text that is most like this one; nothing where none is.
fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a String>) -> String {
    let like = |known: &'a String| (strsim::normalized_damerau_levenshtein(written, known), known);
    let best = known.map(like).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness >= LIKE_MIN);
    best.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// How like a name must be to be taken for the one that was meant; 1 is the same.
const LIKE_MIN: f64 = 0.5;

fn names(table: &toml::Table) -> String {
    table.keys().cloned().collect::<Vec<_>>().join(", ")
}

/// Variables `C0DI3_<SECTION>_<KEY>`; lists are separated by colons, as in PATH. `C0DI3_<SECTION>_<KEY>_FILE` names a file
/// that holds the value: secrets come so.
fn apply_environment(
    merged: &mut toml::Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(), Usage> {
    for (name, text) in environment {
        let Some(setting) = name.strip_prefix("C0DI3_").filter(|setting| !matches!(*setting, "CONFIG" | "TOKEN"))
        else {
            continue;
        };
        let setting = setting.to_lowercase();
        let (known, in_file) = (slot(merged, &setting).is_some(), setting.strip_suffix("_file"));
        let (setting, text) = match in_file.filter(|_| !known) {
            Some(setting) => (setting, from_file(&name, &text)?),
            None => (setting.as_str(), text),
        };
        if slot(merged, setting).is_none() {
            let known: Vec<String> = variables(merged);
            let meant = nearest(&name, known.iter());
            return Err(Usage(format!("the environment variable {name} names no setting{meant}")));
        }
        let Some(value) = slot(merged, setting) else { continue };
        let must_be = |what: &str| Usage(format!("{name} must be {what}, not `{text}`"));
        *value = match value {
            toml::Value::Integer(_) => toml::Value::Integer(text.parse().map_err(|_| must_be("a whole number"))?),
            toml::Value::Float(_) => toml::Value::Float(text.parse().map_err(|_| must_be("a number"))?),
            toml::Value::Boolean(_) => toml::Value::Boolean(text.parse().map_err(|_| must_be("true or false"))?),
            toml::Value::Array(_) => text.split(':').filter(|part| !part.is_empty()).collect::<Vec<_>>().into(),
            _ => toml::Value::String(text),
        };
    }
    Ok(())
}

/// Names of all variables.
fn variables(merged: &toml::Table) -> Vec<String> {
    let keys = |section: &str, keys: &toml::Value| -> Vec<String> {
        let names = keys.as_table().into_iter().flat_map(toml::Table::keys);
        names.map(|key| format!("C0DI3_{section}_{key}").to_uppercase()).collect()
    };
    merged.iter().flat_map(|(section, value)| keys(section, value)).collect()
}

/// The value of `section_key`.
fn slot<'a>(merged: &'a mut toml::Table, setting: &str) -> Option<&'a mut toml::Value> {
    merged.iter_mut().find_map(|(section, keys)| {
        let key = setting.strip_prefix(section.as_str())?.strip_prefix('_')?;
        keys.get_mut(key)
    })
}

/// What the file holds, without the end of its last line.
fn from_file(name: &str, path: &str) -> Result<String, Usage> {
    let text = std::fs::read_to_string(path).map_err(|error| Usage(format!("{name}: cannot read {path}: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
