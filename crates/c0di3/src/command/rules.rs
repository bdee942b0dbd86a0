//! `c0di3 rules …`: for people who write rules.

pub(crate) mod backtest;
pub(crate) mod cases;
mod check;
mod correlation;
pub(crate) mod coverage;
pub(crate) mod fields;
mod junit;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use event::{Block, EventBatch};
use matcher::Matcher;
use parse::Parser;
use rules::RuleSet;

use crate::cli::{RulesExplainArguments, RulesTestArguments, TestFormat};
use crate::clock;
use crate::command::input;
use crate::command::rules::cases::{Case, run_cross_tests, run_inline_tests};
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::rule_files::{self, RuleFiles};

pub(crate) use check::check;

/// Runs the cases that rules carry.
pub(crate) fn test(config: &Config, arguments: &RulesTestArguments) -> anyhow::Result<Outcome> {
    let loaded = RuleFiles::given(config, &arguments.paths, &arguments.terms).load_for_cases()?;
    check::refuse_empty(&arguments.paths, &loaded)?;
    // A rule that cannot be read is a case that failed.
    let mut cases: Vec<Case> = loaded.rejected().map(rejected_case).collect();
    let set = Arc::new(loaded.set);
    cases.extend(run_inline_tests(&set, parse_case));
    if arguments.cross {
        cases.extend(run_cross_tests(&set, parse_case));
    }
    let failed = cases.iter().filter(|case| case.failure.is_some()).count();
    let mut out = std::io::stdout().lock();
    if arguments.output == TestFormat::Junit {
        out.write_all(junit::report(&cases).as_bytes())?;
    } else {
        for case in &cases {
            let Some(reason) = &case.failure else { continue };
            writeln!(out, "{}: {} ({}): {reason}", case.path, case.title, case.rule_id)?;
        }
        writeln!(out, "{} rules, {} cases, {failed} failed", set.heads().count(), cases.len())?;
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Failed })
}

fn rejected_case(problem: &rules::Diagnostic) -> Case {
    Case {
        path: problem.path.clone(),
        rule_id: format!("line {}", problem.line),
        title: "cannot be loaded".to_owned(),
        name: "load".to_owned(),
        failure: Some(problem.reason.clone()),
    }
}

fn parse_case(text: &str) -> EventBatch {
    Parser::new(parse::Options::default()).parse(Block::detached("case", text.as_bytes().to_vec(), clock::now()))
}

/// Tells for each line why the rule did or did not match.
pub(crate) fn explain(config: &Config, arguments: &RulesExplainArguments) -> anyhow::Result<Outcome> {
    let (set, wanted) = explained_rules(config, arguments)?;
    let options = input::parse_options(config, arguments.format.as_deref(), None, None, &arguments.shapes)?;
    let mut parser = Parser::new(options);
    let files: Vec<PathBuf> = arguments.file.iter().cloned().collect();
    let declared = rule_files::log_source(config, arguments.rules.logsource.as_deref())?;
    let matcher = Matcher::new(Arc::clone(&set), declared);
    let mut report = String::new();
    if let Some(index) = set.find(&wanted) {
        let title = &set.rules[index].head.title;
        input::each_block(&files, |block| {
            let batch = parser.parse(block);
            for row in 0..batch.rows() {
                let explanation = matcher.explain(index, &batch, row);
                let word = if explanation.matched { "MATCHED" } else { "did not match" };
                writeln!(report, "line {}: {title} {word}\n{explanation}", batch.line_no(row))?;
            }
            Ok(())
        })?;
    } else if let Some(bound) = set.find_correlation(&wanted) {
        let explanation = correlation::explain(&matcher, &bound.rule.head.id, &files, &mut parser)?;
        explanation.iter().try_for_each(|explanation| write!(report, "{explanation}"))?;
    }
    std::io::stdout().lock().write_all(report.as_bytes())?;
    Ok(Outcome::Done)
}

/// The rules to look in, and the id of the one that is meant: RULE is an id, a name, a title, or a file.
fn explained_rules(config: &Config, arguments: &RulesExplainArguments) -> anyhow::Result<(Arc<RuleSet>, String)> {
    let path = Path::new(&arguments.rule);
    if path.is_file() {
        // Its folder as well: a correlation may count rules that stand in files beside it.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let of_folder = RuleFiles::given(config, &[folder.to_owned()], &arguments.rules.terms).load()?;
        let name = folder.join(path.file_name().unwrap_or_default()).display().to_string();
        of_folder.rejected().filter(|problem| problem.path == name).for_each(|problem| tell(&problem.to_string()));
        // The last rule of a file is what it is about: correlations stand behind the rules they count.
        let id = of_folder.set.heads().filter(|head| head.path == name).last().map(|head| head.id.clone());
        let id = id.ok_or_else(|| Usage(format!("{} holds no rule that could be loaded", path.display())))?;
        return Ok((Arc::new(of_folder.set), id));
    }
    let loaded = rule_files::load_for(config, &arguments.rules)?;
    if loaded.set.find(&arguments.rule).is_none() && loaded.set.find_correlation(&arguments.rule).is_none() {
        let reason = format!("there is no rule with the id, name, title or file `{}`", arguments.rule);
        return Err(Usage(reason).into());
    }
    Ok((Arc::new(loaded.set), arguments.rule.clone()))
}

#[cfg(test)]
mod construct_tests;
#[cfg(test)]
mod taxonomy_tests;
