//! `c0di3 replay`: batch over files and folders, resumable and idempotent. Findings, positions and correlation state
//! are committed together, so that whenever the process ends, the next run goes on and adds what an undisturbed run
//! would have added.

mod printable;
mod ranked;
mod report;
pub(crate) mod sources;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use correlate::{Correlator, CorrelatorOptions};
use event::Timestamp;
use indicatif::ProgressBar;
use matcher::Matcher;
use store::{Commit, JoinPolicy, Lease, StateChange, Store, Use};
use tokio::runtime::Runtime;

use crate::cli::ReplayArguments;
use crate::command::input;
use crate::command::replay::report::{Report, Totals};
use crate::command::replay::sources::Sources;
use crate::config::{self, Config};
use crate::outcome::{Outcome, Usage, tell};
use crate::pipeline::{self, AHEAD_MAX_US, Done, DoneBlock, PipelineOptions, RulesInForce};
use crate::{clock, progress, rule_files, signals};

/// Blocks after which findings that have ended are printed.
const PRINT_BLOCKS: u64 = 64;
/// Name under which replays keep their state.
const INSTANCE: &str = "replay";
/// Most worker threads.
const JOBS_MAX: usize = 256;

pub(crate) fn run(config: Config, arguments: ReplayArguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    if arguments.archive != "none" {
        let reason =
            format!("--archive: this version keeps no events, only findings; `{}` must be none", arguments.archive);
        return Err(Usage(reason).into());
    }
    let options = pipeline_options(&config, &arguments)?;
    let declared = rule_files::log_source(&config, arguments.rules.logsource.as_deref())?;
    let set = Arc::new(rule_files::load_for(&config, &arguments.rules)?.set);
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let stop = runtime.block_on(async { signals::stop_flag() })?;
    let store_url = arguments.store.clone().unwrap_or_else(|| config.store.url.clone());
    let _lock = lock(&store_url)?;
    super::install_tls();
    let store = (store_url != "none").then(|| runtime.block_on(store::open(&store_url, Use::Commit))).transpose()?;
    let correlator_options = CorrelatorOptions { saved: store.is_some(), ..config.correlation.options() };
    let mut correlator = Correlator::new(Arc::clone(&set), correlator_options);
    // A run that leaves lines out by their time has not read the files: it neither goes on from positions nor keeps any.
    let whole = options.since.is_none() && options.until.is_none();
    if !whole && store.is_some() {
        tell("note: with --since or --until findings are kept, but not how far the files were read");
    }
    let (lease, resume) = match &store {
        Some(store) if whole => {
            let (lease, resume) = runtime.block_on(store.take_over(INSTANCE))?;
            (Some(lease), resume)
        }
        _ => (None, store::Resume::default()),
    };
    // Old logs are no news: nobody is told of them unless that was asked for.
    let notify_age_us = arguments.notify.then_some(i64::MAX);
    let join = JoinPolicy { notify_age_us, ..config.store.join };
    if let Some(state) = resume.state {
        correlator.restore(&state.head, state.entries.into_iter()).context("cannot go on from the stored state")?;
    }
    let sources = Sources::find(&arguments.paths, resume.sources, &options.parse);
    let rules = RulesInForce::new(Matcher::new(Arc::clone(&set), declared));
    let mut replay = Replay {
        bar: progress::bar(sources.bytes),
        checkpoints: sources.checkpoints,
        correlator,
        report: Report::new(arguments.out, store.is_some()),
        totals: Totals::new(sources.failed),
        runtime: &runtime,
        store,
        lease,
        join,
        whole,
        committed_at: Instant::now(),
        commit_interval: config.store.commit_interval,
        blocks: 0,
    };
    let done = pipeline::run(sources.merge, &rules, &options, &stop, |done| replay.take(done));
    let interrupted = stop.load(Ordering::Relaxed);
    done?;
    replay.finish(interrupted)?;
    replay.totals.tell(started.elapsed(), replay.correlator.counts(), &set.exceptions);
    Ok(outcome(&replay.totals, interrupted, arguments.strict))
}

/// Only one replay at a time may write to a store: both would keep their own correlation state. Held until the file is
/// closed, and so given back by the system however the process ends.
fn lock(store_url: &str) -> anyhow::Result<Option<std::fs::File>> {
    if store_url == "none" {
        return Ok(None);
    }
    config::check_store_url(store_url).map_err(|reason| Usage(format!("--store: {reason} or none")))?;
    if super::is_server(store_url) {
        // The store's lease fences the older of two replays.
        return Ok(None);
    }
    let path = format!("{}.replay-lock", store_url.strip_prefix("sqlite:").unwrap_or(store_url));
    if let Some(folder) = std::path::Path::new(&path).parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    let file = std::fs::File::create(&path).with_context(|| format!("cannot write {path}"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => {
            anyhow::bail!("another replay is writing to {store_url}: wait for it, or use another store")
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {path}")),
    }
}

fn outcome(totals: &Totals, interrupted: bool, strict: bool) -> Outcome {
    if interrupted || totals.failed > 0 {
        Outcome::Failed
    } else if strict && totals.rejected > 0 {
        Outcome::Rejected
    } else {
        Outcome::Done
    }
}

/// As many as there are cores, where nobody says.
pub(super) fn jobs(given: Option<usize>) -> Result<usize, Usage> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = given.unwrap_or(cores);
    if jobs == 0 || jobs > JOBS_MAX {
        return Err(Usage(format!("--jobs: {jobs} is not a number from 1 to {JOBS_MAX}")));
    }
    Ok(jobs)
}

fn pipeline_options(config: &Config, arguments: &ReplayArguments) -> anyhow::Result<PipelineOptions> {
    let time = |name: &str, text: &Option<String>| -> anyhow::Result<Option<Timestamp>> {
        let read = |text: &String| {
            Timestamp::parse_rfc3339(text.as_bytes())
                .ok_or_else(|| Usage(format!("{name}: `{text}` is not a time such as 2026-01-02T03:04:05Z")))
        };
        Ok(text.as_ref().map(read).transpose()?)
    };
    Ok(PipelineOptions {
        jobs: jobs(arguments.jobs)?,
        parse: input::parse_options(config, arguments.format.as_deref(), arguments.timezone.as_deref(), None)?,
        since: time("--since", &arguments.since)?,
        until: time("--until", &arguments.until)?,
    })
}

/// The committer: the one owner of everything that changes.
struct Replay<'a> {
    bar: ProgressBar,
    checkpoints: sources::Checkpoints,
    correlator: Correlator,
    report: Report,
    totals: Totals,
    runtime: &'a Runtime,
    store: Option<Arc<dyn Store>>,
    lease: Option<Lease>,
    join: JoinPolicy,
    /// Positions and state are kept.
    whole: bool,
    committed_at: Instant,
    commit_interval: Duration,
    blocks: u64,
}

impl Replay<'_> {
    fn take(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Failed { name, reason } => {
                self.totals.failed += 1;
                self.bar.suspend(|| tell(&format!("error: {name}: {reason}; the lines before were read")));
            }
            Done::Idle => {}
            Done::Barrier(barrier) => barrier.pass(),
            Done::Block(block) => self.take_block(block),
        }
        self.blocks += 1;
        let due = self.store.is_some() && self.committed_at.elapsed() >= self.commit_interval;
        if due || (self.store.is_none() && self.blocks.is_multiple_of(PRINT_BLOCKS)) {
            self.commit(false)?;
        }
        Ok(())
    }

    fn take_block(&mut self, block: DoneBlock) {
        self.checkpoints.reached(&block);
        self.totals.add(&block.source.name, block.events, block.counts);
        self.bar.inc(block.bytes);
        self.correlator.next_block(block.newest, block.received.saturating_add_us(AHEAD_MAX_US));
        self.correlator.observe(block.hits);
        if let Some(time) = block.followed_by {
            self.correlator.advance(time);
        }
    }

    /// Prints what has ended, then writes findings, positions and state in one transaction.
    fn commit(&mut self, ended: bool) -> anyhow::Result<()> {
        let changes = self.correlator.changes();
        self.report.take(&changes)?;
        if ended {
            self.report.print_open()?;
        }
        if let Some(store) = self.store.clone() {
            let commit = Commit {
                findings: changes.into_iter().map(|change| change.finding).collect(),
                sources: if self.whole { self.checkpoints.take_changed() } else { Vec::new() },
                forgotten: if self.whole { self.checkpoints.take_forgotten() } else { Vec::new() },
                state: if self.whole { Some(self.state()?) } else { None },
                now: clock::now(),
                lease: self.lease.clone(),
                join: Some(self.join),
            };
            let committed = self.runtime.block_on(store.commit(&commit)).context("cannot keep the findings")?;
            self.totals.new_findings += committed.new;
        }
        self.committed_at = Instant::now();
        Ok(())
    }

    fn state(&mut self) -> anyhow::Result<StateChange> {
        let saved = self.correlator.save()?;
        Ok(StateChange { head: saved.head, put: saved.put, gone: saved.gone })
    }

    /// At the end of the input everything that waits is counted; after an interruption it is kept for the next run.
    fn finish(&mut self, interrupted: bool) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        if !interrupted {
            self.correlator.finish();
        }
        self.commit(true)?;
        self.totals.findings = self.report.printed();
        if interrupted {
            let hint = if self.store.is_some() { "; run the same command to go on" } else { "" };
            tell(&format!("interrupted{hint}"));
        }
        if let Some(store) = &self.store {
            self.runtime.block_on(store.close());
        }
        Ok(())
    }
}
