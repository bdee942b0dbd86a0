//! `c0di3 replay`: batch over files and folders, resumable and idempotent. Findings, positions and correlation state
//! are committed together, so that whenever the process ends, the next run goes on and adds what an undisturbed run
//! would have added.

mod actors;
mod bar;
pub(crate) mod printable;
mod ranked;
pub(crate) mod report;
pub(crate) mod sources;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use correlate::{Batch, BatchCorrelator, Change, CorrelatorOptions};
use event::Timestamp;
use indicatif::ProgressBar;
use matcher::Matcher;
use rules::RuleSet;
use store::{JoinPolicy, Lease, Store, StoreError, Use};
use tokio::runtime::Runtime;

use crate::archiver::Archiver;
use crate::cli::ReplayArguments;
use crate::command::input;
use crate::command::replay::report::{Report, Totals};
use crate::command::replay::sources::Sources;
use crate::committer::{Committer, Extent, Policy, Taken, Target, count_in_order};
use crate::config::{self, ArchiveConfig, Config};
use crate::outcome::{Outcome, Usage, tell};
use crate::pipeline::{self, DoneBlock, PipelineOptions, RulesInForce};
use crate::{rule_files, signals};

/// Blocks after which findings that have ended are printed.
const PRINT_BLOCKS: u64 = 64;
/// Name under which replays keep their state.
const INSTANCE: &str = "replay";
/// Most worker threads.
const JOBS_MAX: usize = 256;

pub(crate) fn run(config: Config, arguments: ReplayArguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let options = pipeline_options(&config, &arguments)?;
    let declared = rule_files::log_source(&config, arguments.rules.logsource.as_deref())?;
    let set = Arc::new(rule_files::load_for(&config, &arguments.rules)?.set);
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let stop = runtime.block_on(async { signals::stop_flag() })?;
    let store_url = arguments.store.clone().unwrap_or_else(|| config.store.url.clone());
    let _lock = lock(&store_url)?;
    super::install_tls();
    let store = (store_url != "none").then(|| runtime.block_on(store::open(&store_url, Use::Commit))).transpose()?;
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
    let archiver = archiver((&arguments.archive, &config.store.archive), store.as_ref().zip(lease.as_ref()), &runtime)?;
    let sources = Sources::find(&arguments.paths, resume.sources, &options.parse);
    let replay = Replay {
        bar: bar::bar(sources.bytes),
        report: Report::new(arguments.out, store.is_some()),
        totals: Totals::new(sources.failed),
        extent: if whole { Extent::Checkpoint } else { Extent::Findings },
        stored: store.is_some(),
        committed_at: Instant::now(),
        commit_interval: config.store.commit_interval,
        blocks: 0,
        ended: false,
    };
    // Old logs are no news: nobody is told of them unless that was asked for.
    let join = JoinPolicy { notify_age_us: arguments.notify.then_some(i64::MAX), ..config.store.join };
    let correlation = CorrelatorOptions { saved: store.is_some(), ..config.correlation.options() };
    let target = store.clone().map(|store| Target { store, runtime: runtime.handle().clone(), lease, join });
    let correlator = BatchCorrelator::new(Arc::clone(&set), correlation);
    let committer = Committer::new(Arc::clone(&set), correlator, resume.state, sources.positions, target, replay)?;
    let mut committer = committer.with_archive(archiver);
    let rules = RulesInForce::new(Matcher::new(Arc::clone(&set), declared));
    let done = pipeline::run(sources.merge, &rules, &options, &stop, |done| committer.take(done));
    let interrupted = stop.load(Ordering::Relaxed);
    done?;
    finish(&mut committer, interrupted)?;
    if let Some(store) = &store {
        runtime.block_on(store.close());
    }
    let totals = &committer.policy.totals;
    totals.tell(started.elapsed(), committer.counts(), &set.exceptions);
    Ok(outcome(totals, interrupted, arguments.strict))
}

/// Where events are kept, if anywhere: the catalogue of the files is in the store.
fn archiver(
    (folder, kept): (&str, &ArchiveConfig),
    target: Option<(&Arc<dyn Store>, &Lease)>,
    runtime: &Runtime,
) -> anyhow::Result<Option<Archiver>> {
    if folder == "none" {
        return Ok(None);
    }
    let Some((store, lease)) = target else {
        let reason = "--archive needs a store, which knows the files, and whole files: leave out --store none, --since and --until";
        return Err(Usage(reason.to_owned()).into());
    };
    let place = kept.reached.at(folder);
    place.check().map_err(|reason| Usage(format!("--archive: {reason}")))?;
    Archiver::open((&place, &kept.privacy), lease, Arc::clone(store), runtime.handle().clone()).map(Some)
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
    let (since, until) = (time("--since", &arguments.range.since)?, time("--until", &arguments.range.until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(Usage(format!(
            "--since: {since} is later than --until: {until}, so that no event lies between them"
        ))
        .into());
    }
    Ok(PipelineOptions {
        jobs: jobs(arguments.jobs)?,
        parse: input::parse_options(
            config,
            arguments.format.as_deref(),
            arguments.timezone.as_deref(),
            None,
            &arguments.shapes,
        )?,
        since,
        until,
        archived: arguments.archive != "none",
        watch: None,
    })
}

/// How a replay is committed: whole after each interval, and never twice tried.
struct Replay {
    bar: ProgressBar,
    report: Report,
    totals: Totals,
    extent: Extent,
    /// There is a store.
    stored: bool,
    committed_at: Instant,
    commit_interval: Duration,
    blocks: u64,
    /// The next commit is the last.
    ended: bool,
}

impl Policy for Replay {
    type Intake = Batch;

    fn correlate(&mut self, correlator: &mut BatchCorrelator, block: DoneBlock) {
        self.totals.add(&block.source.name, block.events, block.counts);
        self.totals.unknown.add(block.unknown.clone());
        self.bar.inc(block.bytes);
        count_in_order(correlator, block);
    }

    fn source_failed(&mut self, name: &str, reason: &str) {
        self.totals.failed += 1;
        self.bar.suspend(|| tell(&format!("error: {name}: {reason}; the lines before were read")));
    }

    fn wants(&mut self) -> Option<Extent> {
        self.blocks += 1;
        let is_time = match self.stored {
            true => self.committed_at.elapsed() >= self.commit_interval,
            false => self.blocks.is_multiple_of(PRINT_BLOCKS),
        };
        is_time.then_some(self.extent)
    }

    /// Prints what has ended.
    fn changed(&mut self, _correlator: &BatchCorrelator, _rules: &RuleSet, changes: &[Change]) -> anyhow::Result<()> {
        self.report.take(changes)?;
        if self.ended { self.report.print_open() } else { Ok(()) }
    }

    fn nothing_new(&mut self) {
        self.committed_at = Instant::now();
    }

    fn refused(&mut self, error: StoreError) -> anyhow::Result<()> {
        Err(error).context("cannot keep the findings")
    }

    fn taken(&mut self, taken: &Taken<'_>) {
        self.totals.new_findings += taken.committed.new;
        self.committed_at = Instant::now();
    }
}

/// At the end of the input everything that waits is counted; after an interruption it is kept for the next run.
fn finish(committer: &mut Committer<Replay>, interrupted: bool) -> anyhow::Result<()> {
    committer.policy.bar.finish_and_clear();
    if !interrupted {
        committer.end_of_input();
    }
    committer.policy.ended = true;
    committer.commit(committer.policy.extent)?;
    let replay = &mut committer.policy;
    replay.totals.findings = replay.report.printed();
    if interrupted {
        let hint = if replay.stored { "; run the same command to go on" } else { "" };
        tell(&format!("interrupted{hint}"));
    }
    Ok(())
}
