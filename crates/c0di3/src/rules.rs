//! Rule files from the program itself and from folders, handed to the rule reader as texts.

use std::path::{Path, PathBuf};

use detect::{Diagnostic, Gravity, Loaded, Placeholders, load, read_placeholders};
use event::LogSource;

use crate::cli::RuleArguments;
use crate::config::Config;
use crate::outcome::{Usage, tell};

/// Name and text of every rule file of this repository.
pub(crate) static DEFAULT_RULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/default_rules.rs"));

/// Largest rule file in bytes.
const RULE_FILE_BYTES_MAX: u64 = 16 << 20;
const DEPTH_MAX: usize = 32;

/// The rules that a command asks for. Problems are told on standard error; a bad rule does not stop the others.
pub(crate) fn load_for(config: &Config, arguments: &RuleArguments) -> anyhow::Result<Loaded> {
    let paths: Vec<PathBuf> = config.rule_paths.iter().chain(&arguments.folders).cloned().collect();
    let with_default = config.default_rules && !arguments.no_default_rules;
    let loaded = load_from(config, &paths, with_default, &arguments.placeholders)?;
    for problem in loaded.rejected() {
        tell(&problem.to_string());
    }
    let count = loaded.rejected().count();
    if count > 0 {
        tell(&format!("warning: {count} problem(s) in rule files, the rules concerned do not run"));
    }
    Ok(loaded)
}

/// `lists`: folders or files with values of placeholders, in addition to those of the configuration.
pub(crate) fn load_from(
    config: &Config,
    paths: &[PathBuf],
    with_default: bool,
    lists: &[PathBuf],
) -> anyhow::Result<Loaded> {
    let (mut found, mut found_lists) = (Found::default(), Found::default());
    for path in paths {
        found.collect_given(path, "rule")?;
    }
    for path in config.placeholders.iter().chain(lists) {
        found_lists.collect_given(path, "placeholder")?;
    }
    let mut placeholders = Placeholders::new();
    let mut problems = Vec::new();
    for (path, text) in &found_lists.files {
        problems.extend(read_placeholders(path, text, &mut placeholders));
    }
    let default = if with_default { DEFAULT_RULES } else { &[] };
    let given = found.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let mut loaded = load(default.iter().copied().chain(given), &placeholders);
    for mut more in [problems, found.unreadable, found_lists.unreadable] {
        loaded.diagnostics.append(&mut more);
    }
    loaded.diagnostics.sort();
    Ok(loaded)
}

/// Rule files below the given paths.
#[derive(Default)]
struct Found {
    files: Vec<(String, String)>,
    unreadable: Vec<Diagnostic>,
}

impl Found {
    fn fail(&mut self, path: &Path, reason: String) {
        let path = path.display().to_string();
        self.unreadable.push(Diagnostic { path, line: 1, column: 1, gravity: Gravity::Error, reason });
    }

    /// A path that somebody named: it must be there.
    fn collect_given(&mut self, path: &Path, what: &str) -> Result<(), Usage> {
        if !path.exists() {
            return Err(Usage(format!("there is no {what} file or folder {}", path.display())));
        }
        self.collect(path, 0);
        Ok(())
    }

    /// Every `.yml` and `.yaml` file below a path, sorted; a file that is named is read whatever it is called.
    fn collect(&mut self, path: &Path, depth: usize) {
        if !path.is_dir() {
            match read_text(path) {
                Ok(text) => self.files.push((path.display().to_string(), text)),
                Err(reason) => self.fail(path, reason),
            }
            return;
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) if depth < DEPTH_MAX => entries,
            Ok(_) => return self.fail(path, format!("nested deeper than {DEPTH_MAX} folders")),
            Err(error) => return self.fail(path, error.to_string()),
        };
        let mut entries: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            let is_rule = entry.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            if entry.is_dir() || is_rule {
                self.collect(&entry, depth + 1);
            }
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > RULE_FILE_BYTES_MAX {
        return Err(format!("the file is larger than {RULE_FILE_BYTES_MAX} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())
}

/// `product=linux,service=sshd` as a log source.
pub(crate) fn log_source(text: Option<&str>) -> anyhow::Result<Option<LogSource>> {
    let Some(text) = text else { return Ok(None) };
    let mut source = LogSource::default();
    for part in text.split(',') {
        let target = match part.split_once('=') {
            Some(("product", value)) => (&mut source.product, value),
            Some(("category", value)) => (&mut source.category, value),
            Some(("service", value)) => (&mut source.service, value),
            _ => return Err(Usage(format!("--logsource: `{part}` is not product=…, category=… or service=…")).into()),
        };
        *target.0 = Some(target.1.to_lowercase());
    }
    Ok(Some(source))
}
