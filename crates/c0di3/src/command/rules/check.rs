//! `c0di3 rules check`: every problem of rules, and how many of them run, wait or were rejected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rules::{Diagnostic, FieldUse, Gravity, Loaded, yaml};
use serde_json::{Value, json};

use crate::cli::{ReportFormat, RulesCheckArguments};
use crate::command::rules::fields;
use crate::config::Config;
use crate::outcome::{Outcome, Usage};
use crate::rule_files::{DEFAULT_RULES, RuleFiles};

/// Loads rules and reports every problem. Exit code 1 where a rule was rejected.
pub(crate) fn check(config: &Config, arguments: &RulesCheckArguments) -> anyhow::Result<Outcome> {
    let files = RuleFiles::given(config, &arguments.paths, &arguments.terms);
    let loaded = files.load()?;
    refuse_empty(&arguments.paths, &loaded)?;
    let report = CheckReport::new(&loaded, |path| rule_text(&files, path));
    let text = match arguments.output {
        ReportFormat::Json => format!("{}\n", report.json()),
        ReportFormat::Text => report.text()?,
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(if loaded.rejected().next().is_none() { Outcome::Done } else { Outcome::Failed })
}

/// A folder without any rule is a mistake: most likely another one was meant.
pub(super) fn refuse_empty(paths: &[PathBuf], loaded: &Loaded) -> Result<(), Usage> {
    let of_rules = loaded.set.heads().map(|head| &head.path);
    let of_filters = loaded.set.filters.iter().map(|filter| &filter.head.path);
    let of_problems = loaded.diagnostics.iter().map(|problem| &problem.path);
    let known: BTreeSet<&String> = of_rules.chain(of_filters).chain(of_problems).collect();
    let empty = paths.iter().find(|path| !known.iter().any(|known| Path::new(known).starts_with(path)));
    empty.map_or(Ok(()), |path| {
        Err(Usage(format!("there is no rule in {}: it holds no .yml or .yaml file", path.display())))
    })
}

/// The text of a rule file, as far as it is one and can be read.
fn rule_text(files: &RuleFiles, path: &str) -> Option<String> {
    let built_in = DEFAULT_RULES.iter().find(|(name, ..)| files.default && *name == path);
    let is_given = || files.paths.iter().any(|given| Path::new(path).starts_with(given));
    built_in
        .map(|(_, text, _)| (*text).to_owned())
        .or_else(|| is_given().then(|| std::fs::read_to_string(path).unwrap_or_default()))
}

/// What became of the rules.
struct CheckReport<'a> {
    loaded: &'a Loaded,
    errors: Vec<&'a Diagnostic>,
    warnings: Vec<&'a Diagnostic>,
    unwritten: Vec<FieldUse>,
    /// Documents that have an error.
    rejected: usize,
    /// Those of them that wait for lists of placeholders.
    waiting: usize,
    /// The lists, and how many rules wait for each.
    lists: BTreeMap<&'a str, usize>,
}

impl<'a> CheckReport<'a> {
    /// `text_of` a path: absent where it is no rule file, but a list that rules need.
    fn new(loaded: &'a Loaded, text_of: impl Fn(&str) -> Option<String>) -> Self {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            loaded.diagnostics.iter().partition(|problem| problem.gravity == Gravity::Error);
        let mut lines: BTreeMap<&str, Option<Vec<usize>>> = BTreeMap::new();
        let (mut rejected, mut waiting) = (BTreeSet::new(), BTreeSet::new());
        let mut lists: BTreeMap<&str, BTreeSet<(&str, usize)>> = BTreeMap::new();
        for problem in &errors {
            let path = problem.path.as_str();
            let lines = lines.entry(path).or_insert_with(|| text_of(path).map(|text| yaml::first_lines(&text)));
            let Some(lines) = lines else { continue };
            let document = (path, lines.partition_point(|first| *first <= problem.line));
            rejected.insert(document);
            for list in problem.waits_for() {
                waiting.insert(document);
                lists.entry(list).or_default().insert(document);
            }
        }
        let lists = lists.into_iter().map(|(list, rules)| (list, rules.len())).collect();
        let unwritten = fields::unwritten(&loaded.set);
        CheckReport { loaded, errors, warnings, unwritten, rejected: rejected.len(), waiting: waiting.len(), lists }
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        for problem in &self.loaded.diagnostics {
            writeln!(out, "{problem}")?;
        }
        let set = &self.loaded.set;
        let (detection, correlation, filter) = (set.rules.len(), set.correlations.len(), set.filters.len());
        let (disabled, rejected, waiting) = (self.loaded.disabled, self.rejected, self.waiting);
        writeln!(
            out,
            "loaded: {detection} detection, {correlation} correlation, {filter} filter; disabled: {disabled}; \
             rejected: {rejected}, of which {waiting} wait for lists; warnings: {}",
            self.warnings.len()
        )?;
        for field in &self.unwritten {
            let source = fields::source_text(&field.logsource);
            let (field, rules) = (&field.field, field.rules.len());
            writeln!(
                out,
                "unwritten: no parser writes `{field}` of {source}, only JSON events can have it: {rules} rule(s)"
            )?;
        }
        for (reason, count) in self.by_reason() {
            writeln!(out, "rejected: {count} × {reason}")?;
        }
        Ok(out)
    }

    fn json(&self) -> Value {
        let set = &self.loaded.set;
        let shown = |problems: &[&Diagnostic]| problems.iter().map(|problem| shown(problem)).collect::<Vec<_>>();
        let reasons = self.by_reason().into_iter().map(|(reason, count)| json!({"reason": reason, "count": count}));
        json!({
            "loaded": {
                "detection": set.rules.len(), "correlation": set.correlations.len(), "filter": set.filters.len(),
            },
            "disabled": self.loaded.disabled,
            "unwritten": self.unwritten.iter().map(fields::shown).collect::<Vec<_>>(),
            "rejected": shown(&self.errors),
            "warnings": shown(&self.warnings),
            "summary": {
                "rejected": self.rejected, "waiting": self.waiting, "lists": self.lists,
                "warnings": self.warnings.len(), "reasons": reasons.collect::<Vec<_>>(),
            },
        })
    }

    /// How often each kind of reason was given, most frequent first. Missing lists are named, each with its rules.
    fn by_reason(&self) -> Vec<(String, usize)> {
        let mut counts = BTreeMap::new();
        for problem in &self.errors {
            let reason = match problem.waits_for().next() {
                Some(_) => self.lists_missing(),
                None => without_names(&problem.reason),
            };
            *counts.entry(reason).or_insert(0) += 1;
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }

    fn lists_missing(&self) -> String {
        let names = self.lists.iter().map(|(name, rules)| format!("`{name}` ({rules})")).collect::<Vec<_>>();
        format!("the rule waits for lists of placeholders, give them with `rules.placeholders`: {}", names.join(", "))
    }
}

fn shown(problem: &Diagnostic) -> Value {
    json!({"path": problem.path, "line": problem.line, "column": problem.column, "reason": problem.reason})
}

/// The reason with what stands in backquotes left out, so that equal reasons are equal.
fn without_names(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { "`…`" } else { part }).collect::<String>().replace("`…`, `…`", "`…`")
}

#[cfg(test)]
mod tests {
    use rules::{Terms, load};

    use super::*;

    const HEAD: &str = "level: low\nlogsource: {product: linux}\n";

    fn rule(id: &str, detection: &str) -> String {
        format!("title: {id}\nid: {id}\n{HEAD}detection: {{{detection}, condition: s}}\n")
    }

    #[test]
    fn rules_are_counted_and_lists_are_named() {
        let waits = |id: &str, list: &str| rule(id, &format!("s: {{A|expand: '%{list}%', B|expand: '%x%'}}"));
        let texts = BTreeMap::from([
            ("r/a.yml", [waits("a", "x"), waits("b", "y"), rule("c", "s: {A: '*'}")].join("---\n")),
            ("r/b.yml", [rule("d", "s: {A|foo: x, B|foo: y}"), rule("e", "s: {A: x}")].join("---\n")),
            ("r/c.yml", rule("e", "s: {A: x}")),
        ]);
        let files = texts.iter().map(|(path, text)| (*path, text.as_str()));
        let mut loaded = load(files, &Terms::default());
        // Something else that is wrong is no rule.
        let list = Diagnostic {
            path: "lists.yml".to_owned(),
            line: 1,
            column: 1,
            gravity: Gravity::Error,
            reason: "bad list".to_owned(),
        };
        loaded.diagnostics.push(list);
        let report = CheckReport::new(&loaded, |path| texts.get(path).cloned());
        let text = report.text().unwrap();
        assert!(text.contains("loaded: 2 detection, 0 correlation, 0 filter; disabled: 0; rejected: 4, of which 2 wait for lists; warnings: 1\n"), "{text}");
        assert!(text.contains("rejected: 2 × the rule waits for lists of placeholders, give them with `rules.placeholders`: `x` (2), `y` (1)\n"), "{text}");
        assert!(text.contains("rejected: 2 × unknown modifier `…`"), "{text}");
        let json = report.json();
        assert_eq!(json["summary"]["rejected"], 4);
        assert_eq!(json["summary"]["waiting"], 2);
        assert_eq!(json["summary"]["lists"], json!({"x": 2, "y": 1}));
        assert_eq!(json["rejected"].as_array().map(Vec::len), Some(6));
        assert!(json["warnings"][0]["reason"].as_str().unwrap().contains("fits every text"), "{json}");
    }

    #[test]
    fn a_folder_without_rules_is_refused() {
        let text = rule("a", "s: {A: x}");
        let off = format!("status: deprecated\n{}", rule("b", "s: {A: x}"));
        let loaded = load([("full/a.yml", text.as_str()), ("off/b.yml", off.as_str())], &Terms::default());
        let refused = |path: &str| refuse_empty(&[PathBuf::from(path)], &loaded);
        assert!(refused("full").is_ok() && refused("full/a.yml").is_ok() && refused("off/").is_ok());
        let told = refused("empty").unwrap_err().to_string();
        assert_eq!(told, "there is no rule in empty: it holds no .yml or .yaml file");
    }
}
