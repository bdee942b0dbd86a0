//! `c0di3 rules backtest`: what a rule set would have said about logs, rule by rule and day by day, before it goes live.
//! Nothing is stored and nobody is told.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use correlate::{Batch, BatchCorrelator, Change, CorrelatorOptions};
use event::batch::Counts;
use matcher::Matcher;
use rules::RuleSet;
use serde_json::json;
use store::StoreError;

use crate::cli::{ReportFormat, RulesBacktestArguments};
use crate::command::replay::sources::Sources;
use crate::command::{input, replay};
use crate::committer::{Committer, Extent, Policy, Taken, count_in_order};
use crate::config::Config;
use crate::outcome::{Outcome, tell};
use crate::pipeline::{self, DoneBlock, PipelineOptions, RulesInForce};
use crate::rule_files::{self, RuleFiles};
use crate::rule_report::{RuleReport, print_rules};
use crate::signals;

/// The run so far: nothing is kept of it, and it says at its end what was found.
struct Backtest {
    report: RuleReport,
    events: u64,
    counts: Counts,
    failed: u64,
}

impl Policy for Backtest {
    type Intake = Batch;

    fn correlate(&mut self, correlator: &mut BatchCorrelator, block: DoneBlock) {
        self.events += block.events;
        self.counts.rejected += block.counts.rejected;
        block.hits.iter().for_each(|hit| self.report.hit(hit));
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
        self.report.changed(changes);
        Ok(())
    }

    fn refused(&mut self, error: StoreError) -> anyhow::Result<()> {
        Err(error.into())
    }

    fn taken(&mut self, _taken: &Taken<'_>) {}
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
        report: RuleReport::new(Arc::clone(&set), usize::MAX),
        events: 0,
        counts: Counts::default(),
        failed: sources.failed,
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
    let rules = backtest.report.rules();
    if format == ReportFormat::Json {
        let report = json!({"events": backtest.events, "rejected": backtest.counts.rejected, "rules": rules});
        return writeln!(out, "{report}");
    }
    print_rules(&mut out, &rules)
}
