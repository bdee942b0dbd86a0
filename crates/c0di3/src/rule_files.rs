//! Rule files from the program itself and from folders, handed to the rule reader as texts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use event::LogSource;
use rules::{
    Diagnostic, EmbeddedFile, Gravity, Indicators, Loaded, RuleText, Terms, load, load_alone, load_given,
    read_exceptions, read_placeholders,
};

use crate::cli::{RuleArguments, TermArguments};
use crate::config::Config;
use crate::indicators::IndicatorFiles;
use crate::outcome::{Usage, tell};

/// Every rule file of this repository.
pub(crate) static DEFAULT_RULES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/default_rules.rs"));

/// Largest rule file in bytes.
const RULE_FILE_BYTES_MAX: u64 = 16 << 20;
const DEPTH_MAX: usize = 32;

/// Where rules come from, and what they need.
#[derive(Clone, Debug)]
pub(crate) struct RuleFiles {
    pub(crate) paths: Vec<PathBuf>,
    /// With those that are built in.
    pub(crate) default: bool,
    pub(crate) placeholders: Vec<PathBuf>,
    pub(crate) taxonomy: Vec<PathBuf>,
    /// Allow lists.
    pub(crate) exceptions: Vec<PathBuf>,
    pub(crate) indicators: IndicatorFiles,
    pub(crate) paranoia: u8,
}

impl RuleFiles {
    /// As configured, with what the arguments add.
    pub(crate) fn of(config: &Config, arguments: &RuleArguments) -> Self {
        let more = |known: &[PathBuf], given: &[PathBuf]| known.iter().chain(given).cloned().collect();
        RuleFiles {
            paths: more(&config.rules.paths, &arguments.folders),
            default: config.rules.default && !arguments.no_default_rules,
            placeholders: more(&config.rules.placeholders, &arguments.terms.placeholders),
            taxonomy: more(&config.rules.taxonomy, &arguments.terms.taxonomy),
            exceptions: more(&config.rules.exceptions, &arguments.terms.exceptions),
            indicators: IndicatorFiles::new(more(&config.rules.indicators, &arguments.terms.indicators)),
            paranoia: arguments.terms.paranoia.unwrap_or(config.rules.paranoia),
        }
    }

    /// The rules of the paths alone, or the built-in ones where there is no path.
    pub(crate) fn given(config: &Config, paths: &[PathBuf], terms: &TermArguments) -> Self {
        let none =
            RuleArguments { terms: terms.clone(), no_default_rules: !paths.is_empty(), ..RuleArguments::default() };
        RuleFiles { paths: paths.to_vec(), default: paths.is_empty(), ..RuleFiles::of(config, &none) }
    }

    pub(crate) fn load(&self) -> anyhow::Result<Loaded> {
        Ok(self.read()?.load())
    }

    /// For the cases that rules carry: where no lists of indicators are given, with one of reserved addresses and names.
    pub(crate) fn load_for_cases(&self) -> anyhow::Result<Loaded> {
        let mut texts = self.read()?;
        texts.examples = self.indicators.is_empty();
        Ok(texts.load())
    }

    /// Every text as it is now.
    pub(crate) fn read(&self) -> anyhow::Result<RuleTexts> {
        let [mut found, mut lists, mut names, mut exceptions] = std::array::from_fn(|_| TextFiles::default());
        for (found, paths, what) in [
            (&mut found, &self.paths, "rule"),
            (&mut lists, &self.placeholders, "placeholder"),
            (&mut names, &self.taxonomy, "taxonomy"),
            (&mut exceptions, &self.exceptions, "exception"),
        ] {
            for path in paths {
                found.collect_given(path, what)?;
            }
        }
        let (files, stamp) = self.indicators.find()?;
        let indicators = (self.indicators.clone(), files, stamp);
        Ok(RuleTexts {
            default: self.default,
            paranoia: self.paranoia,
            found,
            lists,
            names,
            exceptions,
            indicators,
            examples: false,
        })
    }
}

/// Rule files, lists and names as texts.
pub(crate) struct RuleTexts {
    default: bool,
    paranoia: u8,
    found: TextFiles,
    lists: TextFiles,
    names: TextFiles,
    exceptions: TextFiles,
    /// Files of indicators and their stamp: they are read when they are needed.
    indicators: (IndicatorFiles, Vec<PathBuf>, u128),
    /// Examples stand in for indicators.
    examples: bool,
}

impl RuleTexts {
    /// Hash of everything: another one where anything has changed.
    pub(crate) fn digest(&self) -> u128 {
        let mut parts: Vec<&[u8]> = Vec::new();
        for found in [&self.found, &self.lists, &self.names, &self.exceptions] {
            for (path, text) in &found.files {
                parts.extend([path.as_bytes(), text.as_bytes()]);
            }
            parts.extend(found.unreadable.iter().map(|problem| problem.path.as_bytes()));
            parts.push(b"next");
        }
        let stamp = self.indicators.2.to_le_bytes();
        parts.push(&stamp);
        event::block::digest(&parts)
    }

    pub(crate) fn load(self) -> Loaded {
        self.read(&[], |files, terms| Ok(load(files, terms))).unwrap_or_default()
    }

    /// One rule, by id, name or title, and those that it needs. Files before those that are known come first: they stand for rules
    /// of the same ids. Where no file has it: what was wrong.
    pub(crate) fn load_alone(self, before: &[(String, String)], wanted: &str) -> Result<Loaded, Vec<Diagnostic>> {
        self.read(before, |files, terms| load_alone(files, terms, wanted))
    }

    /// The rules of files before those that are known, and what they need of these.
    pub(crate) fn load_given(&self, before: &RuleTexts) -> Result<Loaded, Vec<Diagnostic>> {
        let paths: Vec<&str> = before.found.files.iter().map(|(path, _)| path.as_str()).collect();
        self.read(&before.found.files, |files, terms| load_given(files, terms, &paths))
    }

    fn read<'t>(
        &'t self,
        before: &'t [(String, String)],
        load: impl FnOnce(Vec<RuleText<'t>>, &Terms) -> Result<Loaded, Vec<Diagnostic>>,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        let (indicators, files, stamp) = &self.indicators;
        let (indicators, mut problems) = match self.examples {
            true => (Arc::new(Indicators::examples()), Vec::new()),
            false => indicators.load(files, *stamp),
        };
        let mut terms = Terms { paranoia: self.paranoia, indicators, ..Terms::default() };
        for (path, text) in &self.lists.files {
            problems.extend(read_placeholders(path, text, &mut terms.placeholders));
        }
        for (path, text) in &self.names.files {
            problems.extend(terms.taxonomy.add(path, text));
        }
        let default = if self.default { DEFAULT_RULES } else { &[] };
        let text = |(path, text): &'t (String, String)| RuleText::from((path.as_str(), text.as_str()));
        let given = before.iter().map(text);
        let known = default.iter().map(|file| RuleText::from(*file)).chain(self.found.files.iter().map(text));
        let mut loaded = load(given.chain(known).collect(), &terms)?;
        let texts = self.exceptions.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let (read, wrong) = read_exceptions(texts, &terms);
        loaded.set.exceptions = read;
        let unreadable = [&self.found, &self.lists, &self.names, &self.exceptions];
        loaded.diagnostics.extend(problems.into_iter().chain(wrong));
        loaded.diagnostics.extend(unreadable.iter().flat_map(|files| files.unreadable.iter().cloned()));
        loaded.diagnostics.sort();
        Ok(loaded)
    }
}

/// The rules that a command asks for. Problems are told on standard error; a bad rule does not stop the others.
pub(crate) fn load_for(config: &Config, arguments: &RuleArguments) -> anyhow::Result<Loaded> {
    let files = RuleFiles::of(config, arguments);
    let loaded = files.load()?;
    files.tell_problems(&loaded);
    Ok(loaded)
}

impl RuleFiles {
    /// Tells what is wrong: rules that cannot run, and entries of lists that cannot be used.
    pub(crate) fn tell_problems(&self, loaded: &Loaded) {
        let is_told = |problem: &&Diagnostic| {
            problem.gravity == Gravity::Error || self.indicators.holds(Path::new(&problem.path))
        };
        loaded.diagnostics.iter().filter(is_told).for_each(|problem| tell(&problem.to_string()));
        let count = loaded.rejected().count();
        if count > 0 {
            tell(&format!("warning: {count} problem(s) in rule files, the rules concerned do not run"));
        }
    }
}

/// Rule files below the given paths.
#[derive(Default)]
struct TextFiles {
    files: Vec<(String, String)>,
    unreadable: Vec<Diagnostic>,
}

impl TextFiles {
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
                Err(error) => self.fail(path, format!("{error:#}")),
            }
            return;
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) if depth < DEPTH_MAX => entries,
            Ok(_) => return self.fail(path, format!("nested deeper than {DEPTH_MAX} folders")),
            Err(error) => return self.fail(path, error.to_string()),
        };
        let mut listed: Vec<PathBuf> = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => listed.push(entry.path()),
                Err(error) => self.fail(path, error.to_string()),
            }
        }
        listed.sort();
        for entry in listed {
            let is_rule = entry.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            if entry.is_dir() || is_rule {
                self.collect(&entry, depth + 1);
            }
        }
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path)?.len();
    anyhow::ensure!(size <= RULE_FILE_BYTES_MAX, "the file is larger than {RULE_FILE_BYTES_MAX} bytes");
    String::from_utf8(std::fs::read(path)?).map_err(|_| anyhow::anyhow!("the file is not UTF-8 text"))
}

/// What the arguments say that all input is, or else the configuration.
pub(crate) fn log_source(config: &Config, text: Option<&str>) -> anyhow::Result<Option<LogSource>> {
    match text {
        Some(text) => Ok(Some(text.parse().map_err(|reason| Usage(format!("--logsource: {reason}")))?)),
        None => Ok(config.rules.logsource.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rules_are_those_that_are_read() {
        assert!(DEFAULT_RULES.len() > 100);
        for (path, text, packed) in DEFAULT_RULES {
            assert_eq!(rules::yaml::unpack(packed), rules::yaml::read(text).ok(), "{path}");
        }
    }

    #[test]
    fn expressions_of_packed_rules_are_within_the_bound_that_others_have() {
        let texts = DEFAULT_RULES.iter().map(|(path, text, _)| (*path, *text));
        let read = rules::load(texts, &Terms::default());
        let told: Vec<String> = read.diagnostics.iter().map(ToString::to_string).collect();
        assert!(!told.iter().any(|problem| problem.contains("expression")), "{told:#?}");
    }
}
