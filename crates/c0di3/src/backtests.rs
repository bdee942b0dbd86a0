//! Backtests of the API: rules over the archive that go on while nobody waits for them. Each has a report in memory, which is gone with
//! the process; old reports make room for new ones. Nothing here knows HTTP.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::backtest_report::BacktestReport;
use api::event_archive::{BacktestCounts, BacktestOrder, BacktestState, HuntId, HuntPhase, Unanswerable};
use archive::ArchivePlace;
use correlate::{Change, CorrelatorOptions};
use event::{ArchiveFile, Hit, LogSource, Timestamp};
use rules::{Diagnostic, Gravity, RuleSet};
use store::{JoinPolicy, Store};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::clock;
use crate::config::Config;
use crate::retro::{Retro, RetroCounts, RetroWatch};
use crate::rule_files::RuleFiles;
use crate::rule_report::RuleReport;

/// Backtests that are known; beyond it the oldest that has ended is forgotten.
const KNOWN_MAX: usize = 16;

/// Findings that a report looks at: a rule with more of them is none to put in force.
pub(crate) const FINDINGS_MAX: usize = 50_000;

/// What a backtest takes of the configuration.
#[derive(Clone)]
pub(crate) struct BacktestSettings {
    rules: RuleFiles,
    declared: Option<LogSource>,
    options: CorrelatorOptions,
    join: JoinPolicy,
}

impl BacktestSettings {
    pub(crate) fn of(config: &Config) -> BacktestSettings {
        BacktestSettings {
            rules: RuleFiles::of(config, &Default::default()),
            declared: config.rules.logsource.clone(),
            options: config.correlation.options(),
            join: config.store.join,
        }
    }

    /// The rule of an order, with those that it needs.
    pub(crate) fn rules_of(&self, order: &BacktestOrder) -> Result<RuleSet, Unanswerable> {
        let texts = self.rules.read().map_err(|error| Unanswerable::Away(format!("{error:#}")))?;
        let given: Vec<(String, String)> = order.text.iter().map(|text| ("body".to_owned(), text.clone())).collect();
        let loaded = texts.load_alone(&given, &order.rule);
        let missing = || {
            let place = if given.is_empty() { "among the configured rules" } else { "in the body" };
            Unanswerable::NoSuchRule(format!("no rule {place} has the id, name or title `{}`", order.rule))
        };
        let of_body = |problems: &mut dyn Iterator<Item = &Diagnostic>| -> Vec<String> {
            let is_error = |problem: &&Diagnostic| problem.path == "body" && problem.gravity == Gravity::Error;
            problems.filter(is_error).map(ToString::to_string).collect()
        };
        // A rule that cannot be read has no name either: what is wrong with the body is told first.
        let wrong = match &loaded {
            Ok(loaded) => of_body(&mut loaded.diagnostics.iter()),
            Err(problems) => of_body(&mut problems.iter()),
        };
        if !wrong.is_empty() {
            return Err(Unanswerable::RuleRefused(wrong));
        }
        let loaded = loaded.map_err(|_problems| missing())?;
        let is_there = given.is_empty() || loaded.set.heads().any(|head| head.path == "body");
        let runs = loaded.set.heads().next().is_some();
        if is_there && runs { Ok(loaded.set) } else { Err(missing()) }
    }
}

/// What a backtest reads, and what it may take.
pub(crate) struct BacktestInput {
    pub(crate) settings: BacktestSettings,
    pub(crate) place: ArchivePlace,
    pub(crate) files: Vec<ArchiveFile>,
    pub(crate) set: Arc<RuleSet>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) jobs: usize,
    /// A seat among the questions that run at once.
    pub(crate) seat: OwnedSemaphorePermit,
}

/// All backtests since the process began.
#[derive(Default)]
pub(crate) struct Backtests {
    known: Mutex<KnownBacktests>,
}

#[derive(Default)]
struct KnownBacktests {
    last: HuntId,
    all: BTreeMap<HuntId, KnownBacktest>,
}

/// One backtest, as it is asked about.
struct KnownBacktest {
    order: BacktestOrder,
    started_at: Timestamp,
    started: Instant,
    way: watch::Receiver<Way>,
    stop: Arc<AtomicBool>,
}

/// How a backtest is, as its thread tells it.
#[derive(Clone, Debug, Default)]
struct Way {
    counts: BacktestCounts,
    /// How long it took, and the report, or why there is none.
    ended: Option<(Duration, Result<Arc<BacktestReport>, String>)>,
}

impl Backtests {
    fn known(&self) -> std::sync::MutexGuard<'_, KnownBacktests> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a backtest on a thread of the runtime.
    pub(crate) fn start(&self, order: BacktestOrder, input: BacktestInput, on: &Handle) -> HuntId {
        let mut known = self.known();
        while known.all.len() >= KNOWN_MAX {
            let mut ended = known.all.iter().filter(|(_, one)| one.way.borrow().ended.is_some());
            let Some(oldest) = ended.next().map(|(id, _)| *id) else { break };
            known.all.remove(&oldest);
        }
        known.last += 1;
        let id = known.last;
        let (tell, way) = watch::channel(Way::default());
        let stop = Arc::new(AtomicBool::new(false));
        let one = KnownBacktest {
            order: order.clone(),
            started_at: clock::now(),
            started: Instant::now(),
            way,
            stop: Arc::clone(&stop),
        };
        known.all.insert(id, one);
        drop(on.spawn(run(order, input, tell, stop)));
        id
    }

    /// How a backtest is once it has ended, or after so long.
    pub(crate) async fn state(&self, id: HuntId, wait: Duration) -> Option<BacktestState> {
        let mut way = self.known().all.get(&id)?.way.clone();
        // Where the time is over, or the backtest was removed, it is told as it is.
        let _waited = tokio::time::timeout(wait, way.wait_for(|way| way.ended.is_some())).await.is_ok();
        self.known().all.get(&id).map(|one| one.state(id, true))
    }

    pub(crate) fn all(&self) -> Vec<BacktestState> {
        self.known().all.iter().rev().map(|(id, one)| one.state(*id, false)).collect()
    }

    /// Ends a backtest and forgets its report.
    pub(crate) fn remove(&self, id: HuntId) -> bool {
        let removed = self.known().all.remove(&id);
        removed.as_ref().inspect(|one| one.stop.store(true, Ordering::Relaxed)).is_some()
    }
}

impl KnownBacktest {
    fn state(&self, id: HuntId, whole: bool) -> BacktestState {
        let Way { counts, ended } = self.way.borrow().clone();
        let (state, error, report) = match &ended {
            None => (HuntPhase::Running, None, None),
            Some((_, Ok(report))) => (HuntPhase::Done, None, whole.then(|| BacktestReport::clone(report))),
            Some((_, Err(error))) => (HuntPhase::Failed, Some(error.clone()), None),
        };
        BacktestState {
            id,
            rule: self.order.rule.clone(),
            is_new: self.order.text.is_some(),
            asked_by: self.order.asked_by.clone(),
            state,
            started_at: self.started_at.to_string(),
            seconds: ended.map_or_else(|| self.started.elapsed(), |(took, _)| took).as_secs_f64(),
            progress: counts,
            error,
            report,
        }
    }
}

/// Judges on a thread of its own; the time that it may take is measured here.
async fn run(order: BacktestOrder, input: BacktestInput, tell: watch::Sender<Way>, stop: Arc<AtomicBool>) {
    let (started, most, runtime) = (Instant::now(), order.time_max, Handle::current());
    let (told, ends) = (tell.clone(), Arc::clone(&stop));
    let mut work = runtime.clone().spawn_blocking(move || judged(&order, &input, &told, &ends, &runtime));
    let ended = match tokio::time::timeout(most, &mut work).await {
        Ok(ended) => ended,
        Err(_) => {
            stop.store(true, Ordering::Relaxed);
            work.await.map(|_| Err(format!("it took longer than {} s", most.as_secs())))
        }
    };
    let ended = ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a backtest ended in an unexpected way");
        Err("it ended in an unexpected way; the log says more".to_owned())
    });
    let outcome = if ended.is_ok() { "done" } else { "failed" };
    metrics::counter!("backtests_total", "outcome" => outcome).increment(1);
    tell.send_modify(|way| way.ended = Some((started.elapsed(), ended.map(Arc::new))));
}

fn judged(
    order: &BacktestOrder,
    input: &BacktestInput,
    tell: &watch::Sender<Way>,
    stop: &AtomicBool,
    runtime: &Handle,
) -> Result<BacktestReport, String> {
    let _seat = &input.seat;
    let retro = Retro {
        place: &input.place,
        set: Arc::clone(&input.set),
        declared: input.settings.declared.clone(),
        since: order.since,
        jobs: input.jobs,
        options: input.settings.options.clone(),
        stop,
    };
    tell.send_modify(|way| way.counts.files = input.files.len() as u64);
    let mut watching = Watching { report: RuleReport::new(Arc::clone(&input.set), FINDINGS_MAX), tell, stop };
    let counts = retro.run(&input.files, &mut watching).map_err(|error| format!("{error:#}"))?;
    let report = watching.report;
    if stop.load(Ordering::Relaxed) && !report.is_cut() {
        return Err("it was ended".to_owned());
    }
    let incidents = runtime.block_on(report.incidents(&*input.store, input.settings.join, clock::now()));
    let incidents = incidents.map_err(|error| format!("the incidents cannot be read: {error}"))?;
    Ok(BacktestReport {
        since: order.since.map(|since| since.to_string()),
        events: counts.events,
        events_left_out: counts.left_out,
        findings: report.findings(),
        is_cut: report.is_cut(),
        rules: report.rules(),
        incidents,
    })
}

/// Takes what is found into the report, and tells how far it is.
struct Watching<'a> {
    report: RuleReport,
    tell: &'a watch::Sender<Way>,
    stop: &'a AtomicBool,
}

impl RetroWatch for Watching<'_> {
    fn hit(&mut self, hit: &Hit) {
        self.report.hit(hit);
    }

    fn changed(&mut self, counts: RetroCounts, changes: &[Change]) -> anyhow::Result<()> {
        self.report.changed(changes);
        if self.report.is_cut() {
            self.stop.store(true, Ordering::Relaxed);
        }
        let findings = self.report.findings();
        self.tell.send_modify(|way| {
            way.counts.files_read = counts.files;
            way.counts.events = counts.events;
            way.counts.findings = findings;
        });
        Ok(())
    }
}
