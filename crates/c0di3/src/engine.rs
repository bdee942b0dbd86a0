//! The analyzer's engine: live sources in, findings committed. One committer owns everything that changes.
//!
//! Findings are committed as they come; positions and correlation state together at checkpoints. After a crash the events
//! behind the last checkpoint are read again, through the state of that checkpoint, and arrive at the same findings.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use correlate::{Correlator, CorrelatorOptions};
use crossbeam_channel::Receiver;
use event::Timestamp;
use ingest::kafka::KafkaState;
use ingest::live::{Item, LiveInput, feed_spool, queue};
use ingest::spool::Spool;
use ingest::tail::TailState;
use rules::RuleSet;
use store::{Commit, Lease, Resume, StateChange, Store, StoreError};
use tokio::runtime::Handle;

use crate::clock;
use crate::config::Config;
use crate::pipeline::{self, Done, DoneBlock, PipelineOptions, RulesInForce};
use crate::positions::{Claims, FollowedFiles, Positions};
use crate::rulebook::Question;

/// Pause after a store that did not answer.
const RETRY: Duration = Duration::from_millis(300);
/// Share of the time that checkpoints may take: a state that is long to write is written more seldom.
const CHECKPOINT_SHARE: u32 = 10;

/// How the engine gets on, for health.
#[derive(Debug)]
pub(crate) struct Progress {
    committed: Mutex<Instant>,
    trouble: Mutex<Option<String>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { committed: Mutex::new(Instant::now()), trouble: Mutex::new(None) }
    }

    pub(crate) fn since_commit(&self) -> Duration {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_well(&self) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn is_in_trouble(&self, words: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}

/// What the engine works with.
pub(crate) struct Engine {
    pub(crate) config: Config,
    pub(crate) rules: Arc<RulesInForce>,
    pub(crate) questions: Receiver<Question>,
    pub(crate) parse: parse::Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) spool: Spool,
    pub(crate) kafka: Option<Arc<KafkaState>>,
    pub(crate) files: Option<Arc<TailState>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) runtime: Handle,
}

/// Why one run of the pipeline ended.
enum Ended {
    Stopped,
    /// A source was taken over by another process: what was read of it here is thrown away, from the last checkpoint on.
    Fenced,
}

impl Engine {
    /// Runs until `stop` is set. Blocks.
    pub(crate) fn run(self, stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
        loop {
            let Some((lease, resume)) = self.take_over(stop)? else { return Ok(()) };
            match self.run_once(lease, resume, stop)? {
                Ended::Stopped => return Ok(()),
                Ended::Fenced => metrics::counter!("analyzer_restarts_total").increment(1),
            }
        }
    }

    /// Takes the instance's name over as soon as the store answers; `None` when stopped before.
    fn take_over(&self, stop: &AtomicBool) -> anyhow::Result<Option<(Lease, Resume)>> {
        while !stop.load(Ordering::Relaxed) {
            match self.runtime.block_on(self.store.take_over(&self.config.analyzer.instance)) {
                Ok(taken) => return Ok(Some(taken)),
                Err(error) if error.is_passing() => {
                    self.progress.is_in_trouble(format!("the store does not answer: {error}"));
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(error).context("cannot take up the analyzer's state"),
            }
        }
        Ok(None)
    }

    fn run_once(&self, lease: Lease, resume: Resume, stop: &Arc<AtomicBool>) -> anyhow::Result<Ended> {
        let options = CorrelatorOptions { live: true, ..self.config.correlation.options() };
        let set = Arc::clone(self.rules.current().set());
        let mut correlator = Correlator::new(Arc::clone(&set), options);
        if let Some(state) = resume.state {
            correlator.restore(&state.head, state.entries.into_iter()).context("cannot go on from the stored state")?;
        }
        let positions = Positions::new(resume.sources);
        // Set when the process stops, or when this run has to end.
        let run_stop = Arc::new(AtomicBool::new(false));
        let (sender, input) = queue(Arc::clone(&run_stop));
        let mut committer = Committer {
            engine: self,
            lease,
            set,
            correlator,
            positions: positions.clone(),
            stop,
            received: Vec::new(),
            committed_at: Instant::now(),
            checkpoint_at: Instant::now(),
            checkpoint_pause: self.config.analyzer.checkpoint_interval,
            dirty: false,
            counts: correlate::CorrelatorCounts::default(),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = if self.config.analyzer.jobs == 0 { cores } else { self.config.analyzer.jobs };
        let options = PipelineOptions { jobs, parse: self.parse.clone(), since: None, until: None };
        std::thread::scope(|scope| {
            self.start_sources(scope, &sender, &positions, &run_stop);
            drop(sender);
            let relay = Arc::clone(&run_stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !relay.load(Ordering::Relaxed) {
                    std::thread::sleep(RETRY / 6);
                }
                relay.store(true, Ordering::Relaxed);
            });
            let done = self.run_pipeline(input, &options, &run_stop, &mut committer);
            run_stop.store(true, Ordering::Relaxed);
            done
        })
    }

    fn run_pipeline(
        &self,
        input: LiveInput,
        options: &PipelineOptions,
        run_stop: &AtomicBool,
        committer: &mut Committer<'_>,
    ) -> anyhow::Result<Ended> {
        let ran = pipeline::run(input, &self.rules, options, run_stop, |done| committer.take(done));
        let ran = ran.and_then(|()| committer.checkpoint());
        match ran {
            Ok(()) => Ok(Ended::Stopped),
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Fenced(what)) if *what == self.config.analyzer.instance => {
                    anyhow::bail!(
                        "another process has taken the analyzer's name `{what}` over: give each its own analyzer.instance"
                    )
                }
                Some(StoreError::Fenced(what)) => {
                    tracing::warn!(
                        source = what,
                        "a source was taken over by another process; going on from the last checkpoint"
                    );
                    Ok(Ended::Fenced)
                }
                Some(error) if error.is_passing() => {
                    tracing::warn!(
                        "stopped while the store was away: what was not committed is read again at the next start"
                    );
                    Ok(Ended::Stopped)
                }
                _ => Err(error),
            },
        }
    }

    fn start_sources<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        sender: &crossbeam_channel::Sender<Item>,
        positions: &Positions,
        run_stop: &Arc<AtomicBool>,
    ) {
        let position = positions.of(self.spool.source().id);
        self.spool.release(position);
        let reader = self.spool.read_from(position);
        let (queue, flag) = (sender.clone(), Arc::clone(run_stop));
        scope.spawn(move || feed_spool(reader, &queue, &flag));
        if let (Some(options), Some(state)) = (self.config.analyzer.tail.clone(), self.files.clone()) {
            let (queue, flag, known) = (sender.clone(), Arc::clone(run_stop), FollowedFiles(positions.clone()));
            scope.spawn(move || ingest::tail::feed(&options, known, &state, &queue, &flag));
        }
        if let (Some(options), Some(state)) = (self.config.analyzer.kafka.clone(), self.kafka.clone()) {
            let (positions, store, runtime) = (positions.clone(), Arc::clone(&self.store), self.runtime.clone());
            let (queue, flag) = (sender.clone(), Arc::clone(run_stop));
            scope.spawn(move || {
                let claims = Arc::new(Claims { positions, store, runtime });
                if let Err(error) = ingest::kafka::feed(&options, claims, state, queue, flag) {
                    tracing::error!(%error, "cannot read from Kafka");
                }
            });
        }
    }
}

/// The one owner of correlation, positions and commits.
struct Committer<'a> {
    engine: &'a Engine,
    lease: Lease,
    /// The correlator's rules.
    set: Arc<RuleSet>,
    correlator: Correlator,
    positions: Positions,
    stop: &'a AtomicBool,
    /// When the events with hits came that are not committed yet.
    received: Vec<Timestamp>,
    committed_at: Instant,
    checkpoint_at: Instant,
    checkpoint_pause: Duration,
    /// Something was read since the last checkpoint.
    dirty: bool,
    counts: correlate::CorrelatorCounts,
}

impl Committer<'_> {
    fn take(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Block(block) => {
                self.follow(&block.rules)?;
                self.take_block(block);
            }
            Done::Barrier(barrier) => {
                self.checkpoint()?;
                barrier.pass();
            }
            Done::Failed { name, reason } => tracing::warn!(source = name, reason, "a source cannot be read"),
            Done::Idle => self.correlator.idle(clock::now()),
        }
        self.answer();
        if self.dirty && self.checkpoint_at.elapsed() >= self.checkpoint_pause {
            return self.checkpoint();
        }
        if self.committed_at.elapsed() >= self.engine.config.analyzer.commit_interval {
            self.commit(None)?;
        }
        Ok(())
    }

    /// Goes on with the rules that made the hits of the next block. What came before is committed first, so that a restart
    /// reads every event with the rules that it was read with.
    fn follow(&mut self, rules: &Arc<RuleSet>) -> anyhow::Result<()> {
        if Arc::ptr_eq(rules, &self.set) {
            return Ok(());
        }
        self.checkpoint()?;
        let adopted = self.correlator.adopt(Arc::clone(rules));
        self.set = Arc::clone(rules);
        tracing::info!(kept = adopted.kept, dropped = adopted.dropped, "correlation goes on with other rules");
        Ok(())
    }

    /// Questions about windows.
    fn answer(&self) {
        for Question { correlation, wanted, answer } in self.engine.questions.try_iter() {
            let groups = match &wanted.group {
                Some(named) => self.correlator.group_named(&correlation, named).map(|group| vec![group]),
                None => self.correlator.groups(&correlation, wanted.limit),
            };
            // Whoever asked may have gone.
            let _gone = answer.send(groups);
        }
    }

    fn take_block(&mut self, block: DoneBlock) {
        metrics::counter!("events_total").increment(block.events);
        metrics::counter!("events_rejected_total").increment(block.counts.rejected);
        metrics::counter!("events_text_total").increment(block.counts.text);
        metrics::counter!("lines_empty_total").increment(block.counts.empty);
        metrics::counter!("hits_total").increment(block.hits.len() as u64);
        let altered = [("repaired", block.counts.repaired), ("cut", block.counts.cut), ("mended", block.counts.mended)];
        for (reason, number) in altered {
            if number > 0 {
                metrics::counter!("events_altered_total", "reason" => reason).increment(number);
            }
        }
        self.positions.reached(&block);
        self.dirty = true;
        if !block.hits.is_empty() {
            self.received.push(block.received);
            self.correlator.observe_live(block.hits, block.received);
        }
        if let Some(newest) = block.newest {
            self.correlator.passed(newest, block.received);
        }
    }

    /// Findings with positions and state.
    fn checkpoint(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let state = self.correlator.save()?;
        let size: usize = state.put.iter().map(|(key, value)| key.len() + value.len()).sum();
        metrics::histogram!("checkpoint_bytes").record(size as f64);
        self.commit(Some(StateChange { head: state.head, put: state.put, gone: state.gone }))?;
        let took = started.elapsed();
        metrics::histogram!("checkpoint_duration_seconds").record(took.as_secs_f64());
        self.checkpoint_at = Instant::now();
        self.checkpoint_pause = self.engine.config.analyzer.checkpoint_interval.max(took * CHECKPOINT_SHARE);
        self.dirty = false;
        self.engine.spool.release(self.positions.of(self.engine.spool.source().id));
        Ok(())
    }

    /// Commits until the store has taken it: what cannot be committed holds everything behind it back.
    fn commit(&mut self, state: Option<StateChange>) -> anyhow::Result<()> {
        self.committed_at = Instant::now();
        self.report();
        let findings: Vec<_> = self.correlator.changes().into_iter().map(|change| change.finding).collect();
        if findings.is_empty() && state.is_none() {
            self.engine.progress.is_well();
            self.received.clear();
            return Ok(());
        }
        let (sources, forgotten) = if state.is_some() { self.positions.take_changed() } else { Default::default() };
        let commit = Commit {
            findings,
            sources,
            forgotten,
            state,
            now: clock::now(),
            lease: Some(self.lease.clone()),
            join: Some(self.engine.config.store.join),
        };
        let committed = self.until_taken(&commit)?;
        metrics::counter!("findings_total", "change" => "new").increment(committed.new);
        metrics::counter!("findings_total", "change" => "changed").increment(committed.changed);
        metrics::counter!("findings_continued_total").increment(committed.continued);
        metrics::counter!("findings_muted_total").increment(committed.muted);
        let now = clock::now();
        for received in self.received.drain(..) {
            metrics::histogram!("finding_delay_seconds").record((now.0 - received.0).max(0) as f64 / 1e6);
        }
        if let Some(kafka) = &self.engine.kafka {
            commit.sources.iter().for_each(|source| kafka.committed(&source.name, source.position));
        }
        self.engine.progress.is_well();
        Ok(())
    }

    fn until_taken(&self, commit: &Commit) -> anyhow::Result<store::Committed> {
        let mut told = false;
        loop {
            let started = Instant::now();
            let error = match self.engine.runtime.block_on(self.engine.store.commit(commit)) {
                Ok(committed) => {
                    metrics::histogram!("commit_duration_seconds").record(started.elapsed().as_secs_f64());
                    if told {
                        tracing::info!("the store answers again");
                    }
                    return Ok(committed);
                }
                Err(error) => error,
            };
            if !error.is_passing() || self.stop.load(Ordering::Relaxed) {
                return Err(error.into());
            }
            metrics::counter!("store_errors_total").increment(1);
            if !told {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(%error, cause, "the store does not answer; events are kept in the spool until it does");
                self.engine.progress.is_in_trouble(format!("{error}: {cause}"));
            }
            told = true;
            std::thread::sleep(RETRY);
        }
    }

    /// What the correlator left out, as counters.
    fn report(&mut self) {
        let now = self.correlator.counts();
        let before = std::mem::replace(&mut self.counts, now);
        for (reason, new, old) in [
            ("late", now.late, before.late),
            ("left_out", now.left_out, before.left_out),
            ("cut", now.cut, before.cut),
            ("not_numeric", now.not_numeric, before.not_numeric),
            ("untimed", now.untimed, before.untimed),
            ("ahead", now.ahead, before.ahead),
            ("ungrouped", now.ungrouped, before.ungrouped),
            ("evicted", now.evicted, before.evicted),
            ("forgiven", now.forgiven, before.forgiven),
            ("proof_dropped", now.proof_dropped, before.proof_dropped),
        ] {
            if new > old {
                metrics::counter!("correlation_exceptions_total", "reason" => reason).increment(new - old);
            }
        }
        for exception in self.set.exceptions.iter() {
            let hits = exception.take_hits();
            if hits > 0 {
                metrics::counter!("excepted_hits_total", "exception" => exception.name.clone()).increment(hits);
            }
        }
        let (findings, groups) = self.correlator.open();
        metrics::gauge!("correlation_open", "kind" => "findings").set(findings as f64);
        metrics::gauge!("correlation_open", "kind" => "groups").set(groups as f64);
    }
}
