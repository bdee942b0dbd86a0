//! Configuration: as written (file and environment), then as meant. All problems are reported at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use event::time::parse_span_us;
use serde::{Deserialize, Serialize};

use crate::outcome::Usage;

/// The manual: every setting with its default.
pub(crate) const DEFAULT_TEXT: &str = include_str!("config/default.toml");

/// Settings as written. Unknown keys are refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    store: StoreSection,
    rules: RulesSection,
    input: InputSection,
    correlation: CorrelationSection,
    api: ApiSection,
    log: LogSection,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoreSection {
    url: String,
    commit_interval_ms: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RulesSection {
    paths: Vec<PathBuf>,
    default: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct InputSection {
    format: String,
    timezone: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CorrelationSection {
    lateness: String,
    fold_gap: String,
    groups_max: usize,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ApiSection {
    listen: String,
    health_listen: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LogSection {
    level: String,
    format: String,
    folder: PathBuf,
    rotate_bytes: usize,
    rotate_files: usize,
}

/// Settings as meant.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What was written, for `config show`.
    pub(crate) file: ConfigFile,
    pub(crate) store_url: String,
    pub(crate) commit_interval: std::time::Duration,
    pub(crate) rule_paths: Vec<PathBuf>,
    pub(crate) default_rules: bool,
    pub(crate) format: String,
    pub(crate) timezone: String,
    pub(crate) lateness_us: i64,
    pub(crate) fold_gap_us: i64,
    pub(crate) groups_max: usize,
    pub(crate) listen: SocketAddr,
    pub(crate) health_listen: SocketAddr,
    pub(crate) log: LogConfig,
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

fn check(file: ConfigFile) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let mut keep = |key: &str, reason: String| problems.push(format!("{key}: {reason}"));
    let mut span = |key: &str, text: &str| {
        parse_span_us(text).unwrap_or_else(|| {
            keep(key, format!("`{text}` is not a time span: write a number and s, m, h or d, such as 5m"));
            0
        })
    };
    let lateness_us = span("correlation.lateness", &file.correlation.lateness);
    let fold_gap_us = span("correlation.fold_gap", &file.correlation.fold_gap);
    let unset = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut address = |key: &str, text: &str| {
        address(text).unwrap_or_else(|| {
            keep(key, format!("`{text}` is not an address such as 127.0.0.1:3000"));
            unset
        })
    };
    let listen = address("api.listen", &file.api.listen);
    let health_listen = address("api.health_listen", &file.api.health_listen);
    let level = file.log.level.parse().unwrap_or_else(|_| {
        keep("log.level", format!("`{}` is not one of error, warn, info, debug, trace", file.log.level));
        tracing::Level::INFO
    });
    if !matches!(file.log.format.as_str(), "text" | "json") {
        keep("log.format", format!("`{}` is not one of text, json", file.log.format));
    }
    if let Err(error) = file.input.format.parse::<parse::FormatChoice>() {
        keep("input.format", error.to_string());
    }
    if let Err(error) = parse::Clock::new(&file.input.timezone, None) {
        keep("input.timezone", error.to_string());
    }
    if let Err(reason) = check_store_url(&file.store.url) {
        keep("store.url", reason);
    }
    if file.correlation.groups_max == 0 || file.log.rotate_bytes == 0 {
        keep("correlation.groups_max, log.rotate_bytes", "must be above 0".to_owned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let folder = Some(file.log.folder.clone()).filter(|folder| !folder.as_os_str().is_empty());
    let json = file.log.format == "json";
    let (rotate_bytes, rotate_files) = (file.log.rotate_bytes, file.log.rotate_files);
    Ok(Config {
        store_url: file.store.url.clone(),
        commit_interval: std::time::Duration::from_millis(file.store.commit_interval_ms),
        rule_paths: file.rules.paths.clone(),
        default_rules: file.rules.default,
        format: file.input.format.clone(),
        timezone: file.input.timezone.clone(),
        lateness_us,
        fold_gap_us,
        groups_max: file.correlation.groups_max,
        listen,
        health_listen,
        log: LogConfig { level, json, folder, rotate_bytes, rotate_files },
        file,
    })
}

/// Whether the text names a store that this version has.
pub(crate) fn check_store_url(url: &str) -> Result<(), String> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(()),
        _ => Err(format!("`{url}` is no store that this version knows: use sqlite:PATH")),
    }
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
