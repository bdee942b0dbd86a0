//! `c0di3 rules check|test|explain`: for people who write rules.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use detect::explain::explain as explain_row;
use detect::{Correlator, CorrelatorOptions, MatchScratch, Matcher, RuleSet, run_inline_tests};
use event::{Block, EventBatch};
use parse::Parser;

use crate::cli::{ReportFormat, RulesCheckArguments, RulesExplainArguments, RulesTestArguments};
use crate::clock;
use crate::command::input;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::rules::{self, RuleFiles};

/// Loads rules and reports every problem. Exit code 1 where a rule was rejected.
pub(crate) fn check(config: &Config, arguments: &RulesCheckArguments) -> anyhow::Result<Outcome> {
    let paths = &arguments.paths;
    let loaded = RuleFiles::given(config, paths, &arguments.terms).load()?;
    let rejected: Vec<_> = loaded.rejected().collect();
    let (detection, correlation) = (loaded.set.rules.len(), loaded.set.correlations.len());
    let filter = loaded.set.filters.len();
    let mut out = std::io::stdout().lock();
    if arguments.output == ReportFormat::Json {
        let report = serde_json::json!({
            "loaded": {"detection": detection, "correlation": correlation, "filter": filter},
            "disabled": loaded.disabled,
            "rejected": rejected.iter().map(|problem| serde_json::json!({
                "path": problem.path, "line": problem.line, "column": problem.column, "reason": problem.reason,
            })).collect::<Vec<_>>(),
        });
        writeln!(out, "{report}")?;
    } else {
        for problem in &loaded.diagnostics {
            writeln!(out, "{problem}")?;
        }
        writeln!(
            out,
            "loaded: {detection} detection, {correlation} correlation, {filter} filter; disabled: {}",
            loaded.disabled
        )?;
        for (reason, count) in by_reason(&rejected) {
            writeln!(out, "rejected: {count} × {reason}")?;
        }
    }
    Ok(if rejected.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// How often each kind of reason was given, most frequent first.
fn by_reason(rejected: &[&detect::Diagnostic]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for problem in rejected {
        *counts.entry(without_names(&problem.reason)).or_insert(0) += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// The reason with what stands in backquotes left out, so that equal reasons are equal.
fn without_names(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { "`…`" } else { part }).collect::<String>().replace("`…`, `…`", "`…`")
}

/// Runs the cases that rules carry.
pub(crate) fn test(config: &Config, arguments: &RulesTestArguments) -> anyhow::Result<Outcome> {
    let paths = &arguments.paths;
    let loaded = RuleFiles::given(config, paths, &arguments.terms).load()?;
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    for problem in loaded.rejected() {
        writeln!(out, "{problem}")?;
        failed += 1;
    }
    let set = Arc::new(loaded.set);
    let (count, failures) = run_inline_tests(&set, parse_case);
    for failure in &failures {
        writeln!(out, "{}: {} ({}): {}", failure.path, failure.title, failure.rule_id, failure.reason)?;
    }
    failed += failures.len();
    writeln!(out, "{} rules, {count} cases, {failed} failed", set.heads().count())?;
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Failed })
}

fn parse_case(text: &str) -> EventBatch {
    Parser::new(parse::Options::default()).parse(Block::detached("case", text.as_bytes().to_vec(), clock::now()))
}

/// Tells for each line why the rule did or did not match.
pub(crate) fn explain(config: &Config, arguments: &RulesExplainArguments) -> anyhow::Result<Outcome> {
    let (set, wanted) = explained_rules(config, arguments)?;
    let options = input::parse_options(config, arguments.format.as_deref(), None, None)?;
    let mut parser = Parser::new(options);
    let files: Vec<PathBuf> = arguments.file.iter().cloned().collect();
    let mut report = String::new();
    if let Some(index) = set.find(&wanted) {
        let rule = &set.rules[index];
        input::each_block(&files, |block| {
            let batch = parser.parse(block);
            for row in 0..batch.rows() {
                let explanation = explain_row(rule, &batch, row);
                let word = if explanation.matched { "MATCHED" } else { "did not match" };
                writeln!(report, "line {}: {} {word}\n{explanation}", batch.line_no(row), rule.head.title)?;
            }
            Ok(())
        })?;
    } else {
        explain_correlation(&set, &wanted, &files, &mut parser, &mut report)?;
    }
    std::io::stdout().lock().write_all(report.as_bytes())?;
    Ok(Outcome::Done)
}

/// The rules to look in, and the id of the one that is meant: RULE is an id, a name, a title, or a file.
fn explained_rules(config: &Config, arguments: &RulesExplainArguments) -> anyhow::Result<(Arc<RuleSet>, String)> {
    let path = Path::new(&arguments.rule);
    if path.is_file() {
        let loaded = RuleFiles::given(config, &[path.to_owned()], &arguments.rules.terms).load()?;
        loaded.rejected().for_each(|problem| tell(&problem.to_string()));
        // The last rule of a file is what it is about: correlations stand behind the rules they count.
        let id = loaded.set.heads().last().map(|head| head.id.clone());
        let id = id.ok_or_else(|| Usage(format!("{} holds no rule that could be loaded", path.display())))?;
        return Ok((Arc::new(loaded.set), id));
    }
    let loaded = rules::load_for(config, &arguments.rules)?;
    if loaded.set.find(&arguments.rule).is_none() && loaded.set.find_correlation(&arguments.rule).is_none() {
        let reason = format!("there is no rule with the id, name, title or file `{}`", arguments.rule);
        return Err(Usage(reason).into());
    }
    Ok((Arc::new(loaded.set), arguments.rule.clone()))
}

fn explain_correlation(
    set: &Arc<RuleSet>,
    wanted: &str,
    files: &[PathBuf],
    parser: &mut Parser,
    report: &mut String,
) -> anyhow::Result<()> {
    let Some(bound) = set.find_correlation(wanted) else { return Ok(()) };
    let rule = &bound.rule;
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut scratch = MatchScratch::default();
    let mut correlator = Correlator::new(Arc::clone(set), CorrelatorOptions::default());
    writeln!(
        report,
        "{}: {} of {} by {:?}, fires at {} within {} s",
        rule.head.title,
        rule.kind.name(),
        rule.rules.join(", "),
        rule.group_by,
        rule.bounds,
        rule.timespan_us / 1_000_000
    )?;
    let mut counted = 0_usize;
    input::each_block(files, |block| {
        let batch = parser.parse(block);
        let mut hits = matcher.hits(&batch, &mut scratch);
        hits.retain(|hit| {
            let head = &set.rules[hit.rule as usize].head;
            rule.rules.iter().any(|reference| *reference == head.id || head.name.as_ref() == Some(reference))
        });
        for hit in &hits {
            let group: Vec<_> = hit.values.iter().map(|value| value.as_deref().unwrap_or("(absent)")).collect();
            let title = &set.rules[hit.rule as usize].head.title;
            writeln!(report, "line {}: counted for {title}, values {}", hit.event.line_no, group.join(", "))?;
        }
        counted += hits.len();
        correlator.observe(hits);
        Ok(())
    })?;
    correlator.finish();
    let fired: Vec<_> =
        correlator.changes().into_iter().filter(|change| change.finding.rule_id == rule.head.id).collect();
    for change in &fired {
        writeln!(report, "FIRED: {}", change.finding.reason)?;
    }
    if fired.is_empty() {
        writeln!(report, "did not fire: {counted} events were counted, no group reached the threshold in time")?;
    }
    if correlator.counts().ungrouped > 0 {
        writeln!(report, "{} events lack a field that the rule groups by", correlator.counts().ungrouped)?;
    }
    Ok(())
}
