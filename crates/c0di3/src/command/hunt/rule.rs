//! `c0di3 hunt --rule`: rules over the archive. It prints the findings, or the report that is read before a rule goes live.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use api::backtest_report::{BacktestReport, JoinOutcome, JoinedIncident};
use correlate::Change;
use event::{Hit, Timestamp};
use rules::RuleSet;

use super::open_archive::OpenArchive;
use crate::cli::{AnswerFormat, HuntArguments, OutputFormat, RuleArguments, TermArguments};
use crate::clock;
use crate::command::replay::report::Report;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::retro::{Retro, RetroCounts, RetroWatch};
use crate::rule_files::RuleFiles;
use crate::rule_report::{RuleReport, print_rules};

/// Prints each finding once, when it has ended, or counts for the report.
enum Printed {
    Findings(Report),
    Report(RuleReport),
}

impl RetroWatch for Printed {
    fn hit(&mut self, hit: &Hit) {
        if let Printed::Report(report) = self {
            report.hit(hit);
        }
    }

    fn changed(&mut self, _counts: RetroCounts, changes: &[Change]) -> anyhow::Result<()> {
        match self {
            Printed::Findings(report) => report.take(changes),
            Printed::Report(report) => {
                report.changed(changes);
                Ok(())
            }
        }
    }
}

/// The rules of the files. What they count and they do not hold is looked for among the configured rules.
fn rules_of(config: &Config, rules: &[PathBuf]) -> anyhow::Result<RuleSet> {
    let given = RuleFiles::given(config, rules, &TermArguments::default());
    let mut loaded = given.load()?;
    let mut wrong: Vec<String> = loaded.rejected().map(ToString::to_string).collect();
    if !wrong.is_empty()
        && let Ok(with_others) = RuleFiles::of(config, &RuleArguments::default()).read()?.load_given(&given.read()?)
    {
        let still: Vec<String> = with_others.rejected().map(ToString::to_string).collect();
        wrong.retain(|problem| still.contains(problem));
        loaded = with_others;
    }
    wrong.iter().for_each(|problem| tell(problem));
    Ok(loaded.set)
}

pub(super) fn run(
    config: &Config,
    opened: &OpenArchive,
    arguments: &HuntArguments,
    since: Option<Timestamp>,
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let rules: &[PathBuf] = &arguments.rule;
    let set = Arc::new(rules_of(config, rules)?);
    if set.heads().next().is_none() {
        return Err(Usage("--rule: these files hold no rule that could be loaded".to_owned()).into());
    }
    let mut printed = match arguments.report {
        true => Printed::Report(RuleReport::new(Arc::clone(&set), usize::MAX)),
        false => Printed::Findings(Report::new(OutputFormat::Ndjson, false)),
    };
    let retro = Retro {
        place: &opened.root,
        set,
        declared: config.rules.logsource.clone(),
        since,
        jobs: opened.limits.jobs,
        options: config.correlation.options(),
        stop: &AtomicBool::new(false),
    };
    let counts = retro.run(&opened.files(since, None)?, &mut printed)?;
    let findings = match printed {
        Printed::Findings(mut report) => {
            report.print_open()?;
            report.printed()
        }
        Printed::Report(report) => {
            let incidents = report.incidents(&*opened.store, config.store.join, clock::now());
            let incidents = opened.runtime.block_on(incidents).context("cannot read the incidents")?;
            let told = BacktestReport {
                since: since.map(|since| since.to_string()),
                events: counts.events,
                events_left_out: counts.left_out,
                findings: report.findings(),
                is_cut: false,
                rules: report.rules(),
                incidents,
            };
            print(&told, arguments.archive.out)?;
            told.findings
        }
    };
    let RetroCounts { events, left_out, .. } = counts;
    let seconds = started.elapsed().as_secs_f64();
    let rate = events as f64 / seconds.max(1e-9);
    tell(&format!(
        "{events} events, {left_out} of them left out by what files say of their values, {findings} findings, {seconds:.1} s, {rate:.0} events/s"
    ));
    Ok(Outcome::Done)
}

fn print(report: &BacktestReport, format: AnswerFormat) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        AnswerFormat::Table => {
            print_rules(&mut out, &report.rules)?;
            print_incidents(&mut out, &report.incidents)?;
        }
        AnswerFormat::Ndjson => writeln!(out, "{}", serde_json::to_string(report)?)?,
        AnswerFormat::Csv => {
            writeln!(out, "rule,day,findings,hits")?;
            for one in &report.rules {
                let days: std::collections::BTreeSet<&String> =
                    one.hits_by_day.keys().chain(one.findings_by_day.keys()).collect();
                for day in days {
                    let count =
                        |counts: &std::collections::BTreeMap<String, u64>| counts.get(day).copied().unwrap_or(0);
                    let (findings, hits) = (count(&one.findings_by_day), count(&one.hits_by_day));
                    writeln!(out, "\"{}\",{day},{findings},{hits}", one.rule.id.replace('"', "\"\""))?;
                }
            }
        }
    }
    Ok(())
}

fn print_incidents(out: &mut impl Write, told: &JoinOutcome) -> std::io::Result<()> {
    let JoinOutcome { counted_already, would_open, in_opened, muted, in_none, .. } = told;
    for one in &told.would_join {
        let JoinedIncident { id, title, severity, stage, findings, because } = one;
        writeln!(out, "would join {id} {severity} {stage}, {title}: {findings} finding(s), {because}")?;
    }
    writeln!(
        out,
        "would join {} open incident(s); would open {would_open} for {in_opened} finding(s); in none {in_none}, muted {muted}, \
         counted already {counted_already}",
        told.would_join.len()
    )
}
