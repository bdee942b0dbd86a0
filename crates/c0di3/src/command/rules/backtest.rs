//! `c0di3 rules backtest`: what a rule set would have said about logs, rule by rule and day by day, before it goes live.
//! Nothing is stored and nobody is told.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use correlate::{Batch, BatchCorrelator, Change, CorrelatorOptions};
use event::batch::Counts;
use event::{FindingId, Timestamp};
use matcher::Matcher;
use rules::RuleSet;
use serde_json::{Value, json};
use store::StoreError;

use crate::cli::{ReportFormat, RulesBacktestArguments};
use crate::command::replay::sources::Sources;
use crate::command::{input, replay};
use crate::committer::{Committer, Extent, Policy, Taken, count_in_order};
use crate::config::Config;
use crate::outcome::{Outcome, tell};
use crate::pipeline::{self, DoneBlock, PipelineOptions, RulesInForce};
use crate::rule_files::{self, RuleFiles};
use crate::signals;

/// Of one rule.
#[derive(Debug, Default)]
struct Tally {
    /// Events that matched; of a correlation none.
    hits: u64,
    /// Findings by id, with their day: its own, and those of stronger rules that name it.
    findings: BTreeMap<FindingId, String>,
    hits_by_day: BTreeMap<String, u64>,
    example: Option<(String, u64, String)>,
}

/// The run so far: nothing is kept of it, and it says at its end what was found.
struct Backtest {
    set: Arc<RuleSet>,
    tallies: BTreeMap<String, Tally>,
    events: u64,
    counts: Counts,
    failed: u64,
}

fn day_of(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "no time".to_owned(), |time| time.to_string().chars().take(10).collect())
}

impl Policy for Backtest {
    type Intake = Batch;

    fn correlate(&mut self, correlator: &mut BatchCorrelator, block: DoneBlock) {
        self.events += block.events;
        self.counts.rejected += block.counts.rejected;
        for hit in &block.hits {
            let Some(rule) = self.set.rule_of(hit.rule) else { continue };
            let head = &self.set.rules[rule as usize].head;
            let tally = self.tallies.entry(head.id.clone()).or_default();
            tally.hits += hit.repeated;
            *tally.hits_by_day.entry(day_of(hit.event.time)).or_insert(0) += hit.repeated;
            let event = &hit.event;
            tally
                .example
                .get_or_insert_with(|| (event.source.name.clone(), event.line_no, event.original().to_owned()));
        }
        count_in_order(correlator, block);
    }

    fn source_failed(&mut self, name: &str, reason: &str) {
        self.failed += 1;
        tell(&format!("error: {name}: {reason}; the lines before were read"));
    }

    fn wants(&mut self) -> Option<Extent> {
        Some(Extent::Findings)
    }

    fn changed(&mut self, _correlator: &BatchCorrelator, _rules: &RuleSet, changes: &[Change]) -> anyhow::Result<()> {
        for Change { finding, .. } in changes {
            for (rule, _) in finding.rules() {
                let tally = self.tallies.entry(rule.to_owned()).or_default();
                tally.findings.insert(finding.id, day_of(finding.span.first_seen));
            }
            let tally = self.tallies.entry(finding.rule.id.clone()).or_default();
            if let Some(evidence) = finding.evidence.first() {
                let example = (evidence.source.clone(), evidence.line_no, evidence.original.clone());
                tally.example.get_or_insert(example);
            }
        }
        Ok(())
    }

    fn refused(&mut self, error: StoreError) -> anyhow::Result<()> {
        Err(error.into())
    }

    fn taken(&mut self, _taken: &Taken<'_>) {}
}

impl Backtest {
    /// Every rule, those with the most findings first, then those with the most hits.
    fn rows(&self) -> Vec<Value> {
        let none = Tally::default();
        let mut rows: Vec<_> =
            self.set.heads().map(|head| (head, self.tallies.get(&head.id).unwrap_or(&none))).collect();
        rows.sort_by(|(head, one), (other_head, other)| {
            let key = |tally: &Tally| (tally.findings.len(), tally.hits);
            key(other).cmp(&key(one)).then_with(|| head.title.cmp(&other_head.title))
        });
        let row = |(head, tally): (&rules::sigma::rule::Head, &Tally)| {
            let mut findings_by_day: BTreeMap<&str, u64> = BTreeMap::new();
            tally.findings.values().for_each(|day| *findings_by_day.entry(day).or_insert(0) += 1);
            let example = tally
                .example
                .as_ref()
                .map(|(source, line_no, original)| json!({"source": source, "line_no": line_no, "original": original}));
            json!({
                "rule": {"id": head.id, "title": head.title, "level": head.level.name()}, "hits": tally.hits,
                "findings": tally.findings.len(), "hits_by_day": tally.hits_by_day,
                "findings_by_day": findings_by_day, "example": example,
            })
        };
        rows.into_iter().map(row).collect()
    }
}

pub(crate) fn run(config: &Config, arguments: &RulesBacktestArguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let loaded = RuleFiles::given(config, &arguments.paths, &arguments.terms).load()?;
    loaded.rejected().for_each(|problem| tell(&problem.to_string()));
    let set = Arc::new(loaded.set);
    let declared = rule_files::log_source(config, arguments.logsource.as_deref())?;
    let options = PipelineOptions {
        jobs: replay::jobs(arguments.jobs)?,
        parse: input::parse_options(
            config,
            arguments.format.as_deref(),
            arguments.timezone.as_deref(),
            None,
            &arguments.shapes,
        )?,
        since: None,
        until: None,
        archived: false,
        watch: None,
    };
    let correlation = CorrelatorOptions { saved: false, ..config.correlation.options() };
    let runtime = tokio::runtime::Runtime::new()?;
    let stop = runtime.block_on(async { signals::stop_flag() })?;
    let sources = Sources::find(&arguments.logs, Vec::new(), &options.parse);
    let backtest = Backtest {
        tallies: BTreeMap::new(),
        events: 0,
        counts: Counts::default(),
        failed: sources.failed,
        set: Arc::clone(&set),
    };
    let correlator = BatchCorrelator::new(Arc::clone(&set), correlation);
    let mut committer = Committer::new(Arc::clone(&set), correlator, None, sources.positions, None, backtest)?;
    let rules = RulesInForce::new(Matcher::new(set, declared));
    pipeline::run(sources.merge, &rules, &options, &stop, |done| committer.take(done))?;
    // As a replay ends: a window whose time span is not over yet is not judged.
    committer.end_of_input();
    committer.commit(Extent::Findings)?;
    let backtest = committer.policy;
    print(&backtest, arguments.output)?;
    let rejected = backtest.counts.rejected;
    let seconds = started.elapsed().as_secs_f64();
    tell(&format!("{} events, {rejected} rejected, {seconds:.1} s", backtest.events));
    let interrupted = stop.load(std::sync::atomic::Ordering::Relaxed);
    Ok(if interrupted || backtest.failed > 0 { Outcome::Failed } else { Outcome::Done })
}

fn print(backtest: &Backtest, format: ReportFormat) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let rows = backtest.rows();
    if format == ReportFormat::Json {
        let report = json!({"events": backtest.events, "rejected": backtest.counts.rejected, "rules": rows});
        return writeln!(out, "{report}");
    }
    let silent = rows.iter().filter(|row| row["hits"] == 0 && row["findings"] == 0).count();
    for row in rows.iter().filter(|row| row["hits"] != 0 || row["findings"] != 0) {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let rule = &row["rule"];
        writeln!(
            out,
            "{} [{}]: {} finding(s), {} hit(s)",
            text(&rule["title"]),
            text(&rule["level"]),
            row["findings"],
            row["hits"]
        )?;
        let empty = serde_json::Map::new();
        let by_day = |key: &str| row[key].as_object().unwrap_or(&empty).clone();
        let (hits, findings) = (by_day("hits_by_day"), by_day("findings_by_day"));
        let days: std::collections::BTreeSet<&String> = hits.keys().chain(findings.keys()).collect();
        for day in days {
            let count = |counts: &serde_json::Map<String, Value>| counts.get(day).and_then(Value::as_u64).unwrap_or(0);
            writeln!(out, "  {day}: {} finding(s), {} hit(s)", count(&findings), count(&hits))?;
        }
        let example = &row["example"];
        writeln!(out, "  such as {}:{}: {}", text(&example["source"]), example["line_no"], text(&example["original"]))?;
    }
    writeln!(out, "{} rule(s) said something, {silent} nothing", rows.len() - silent)
}
