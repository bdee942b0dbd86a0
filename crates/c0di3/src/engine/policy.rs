//! How live sources are committed: findings as they come, positions and correlation state at checkpoints. A store that does
//! not answer is waited for, and whoever asks about windows is answered between two blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::{Tap, exemplars};
use archive::ArchiveError;
use correlate::{Change, CorrelatorCounts, Live, LiveCorrelator};
use crossbeam_channel::Receiver;
use event::Timestamp;
use ingest::spool::Spool;
use rules::RuleSet;
use spans::TracePoint;
use store::StoreError;

use super::progress::Progress;
use crate::clock;
use crate::committer::{Extent, Policy, Taken};
use crate::config::AnalyzerConfig;
use crate::pipeline::DoneBlock;
use crate::positions::Positions;
use crate::rulebook::Question;
use crate::source::LiveSources;
use crate::tap::found;

/// Pause after a store that did not answer.
pub(super) const RETRY: Duration = Duration::from_millis(300);
/// How often it is told again that the store or the archive does not answer.
const TOLD_AGAIN: Duration = Duration::from_secs(60);
/// Share of the time that checkpoints may take: a state that is long to write is written more seldom.
const CHECKPOINT_SHARE: u32 = 10;

/// When to commit next.
struct Schedule {
    commit_interval: Duration,
    checkpoint_interval: Duration,
    committed_at: Instant,
    checkpoint_at: Instant,
    /// At least the interval.
    checkpoint_pause: Duration,
    /// Something was read since the last checkpoint.
    dirty: bool,
}

impl Schedule {
    fn next(&self) -> Option<Extent> {
        if self.dirty && self.checkpoint_at.elapsed() >= self.checkpoint_pause {
            return Some(Extent::Checkpoint);
        }
        (self.committed_at.elapsed() >= self.commit_interval).then_some(Extent::Findings)
    }

    fn has_checkpoint(&mut self, took: Duration) {
        self.checkpoint_at = Instant::now();
        self.checkpoint_pause = self.checkpoint_interval.max(took * CHECKPOINT_SHARE);
        self.dirty = false;
    }
}

/// What a store that does not answer means, for people.
pub(super) fn away(error: &StoreError) -> String {
    format!("the store does not answer ({error}: {}); events are kept in the spool until it does", error.cause())
}

/// A time in which nothing is taken.
struct Outage {
    since: Instant,
    told: Instant,
}

/// Whether it is to be told that there is an outage: when it begins, and every minute.
fn is_to_be_told(outage: &mut Option<Outage>) -> Option<Duration> {
    let now = Instant::now();
    let begun = outage.is_none();
    let outage = outage.get_or_insert(Outage { since: now, told: now });
    if !begun && outage.told.elapsed() < TOLD_AGAIN {
        return None;
    }
    outage.told = now;
    Some(outage.since.elapsed())
}

/// What one run of the engine works with beside the committer.
pub(super) struct Run {
    pub(super) sources: Arc<LiveSources>,
    pub(super) spool: Spool,
    pub(super) positions: Positions,
    pub(super) questions: Receiver<Question>,
    pub(super) progress: Arc<Progress>,
    pub(super) tap: Tap,
    /// Set when the process stops.
    pub(super) stop: Arc<AtomicBool>,
}

/// The policy of live sources.
pub(super) struct LivePolicy {
    run: Run,
    schedule: Schedule,
    /// When the events with hits came that are not committed yet.
    received: Vec<Timestamp>,
    counts: CorrelatorCounts,
    /// The store, or the place of the archive, did not answer at the last try.
    outage: Option<Outage>,
}

impl LivePolicy {
    pub(super) fn new(config: &AnalyzerConfig, run: Run) -> Self {
        let schedule = Schedule {
            commit_interval: config.commit_interval,
            checkpoint_interval: config.checkpoint_interval,
            committed_at: Instant::now(),
            checkpoint_at: Instant::now(),
            checkpoint_pause: config.checkpoint_interval,
            dirty: false,
        };
        LivePolicy { run, schedule, received: Vec::new(), counts: CorrelatorCounts::default(), outage: None }
    }

    /// What the correlator left out since the last time, and what it holds.
    fn measure(&mut self, correlator: &LiveCorrelator, rules: &RuleSet) {
        let now = correlator.counts();
        let before = std::mem::replace(&mut self.counts, now);
        for (reason, new, old) in [
            ("late", now.late, before.late),
            ("left_out", now.left_out, before.left_out),
            ("cut", now.cut, before.cut),
            ("not_numeric", now.not_numeric, before.not_numeric),
            ("untimed", now.untimed, before.untimed),
            ("ahead", now.from_future, before.from_future),
            ("ungrouped", now.ungrouped, before.ungrouped),
            ("evicted", now.evicted, before.evicted),
            ("forgiven", now.forgiven, before.forgiven),
            ("proof_dropped", now.proof_dropped, before.proof_dropped),
            ("unnamed", now.unplaced.unnamed, before.unplaced.unnamed),
            ("unknown_rule", now.unplaced.unknown_rule, before.unplaced.unknown_rule),
        ] {
            if new > old {
                metrics::counter!("correlation_exceptions_total", "reason" => reason).increment(new - old);
            }
        }
        for exception in rules.exceptions.iter() {
            let hits = exception.take_hits();
            if hits > 0 {
                metrics::counter!("excepted_hits_total", "exception" => exception.name.clone()).increment(hits);
            }
        }
        let (findings, groups) = correlator.open();
        metrics::gauge!("correlation_open", "kind" => "findings").set(findings as f64);
        metrics::gauge!("correlation_open", "kind" => "groups").set(groups as f64);
    }
}

impl Policy for LivePolicy {
    type Intake = Live;

    fn correlate(&mut self, correlator: &mut LiveCorrelator, block: DoneBlock) {
        count_block(&block);
        self.schedule.dirty = true;
        if block.source.id == self.run.spool.source().id {
            self.run.progress.passed(block.received);
        } else {
            self.run.spool.accounts().pulled(&block.source.name, block.events, block.received);
        }
        if !block.hits.is_empty() {
            self.received.push(block.received);
            correlator.observe(block.hits, block.received);
        }
        if let Some(newest) = block.newest {
            correlator.passed(newest, block.received);
        }
    }

    fn idle(&mut self, correlator: &mut LiveCorrelator) {
        correlator.idle(clock::now());
    }

    fn source_failed(&mut self, name: &str, reason: &str) {
        tracing::warn!(source = name, reason, "a source cannot be read");
    }

    fn answer(&mut self, correlator: &LiveCorrelator) {
        for Question { correlation, wanted, answer } in self.run.questions.try_iter() {
            let groups = match &wanted.group {
                Some(named) => correlator.group_named(&correlation, named).map(|group| vec![group]),
                None => correlator.groups(&correlation, wanted.limit),
            };
            // Whoever asked may have gone.
            let _gone = answer.send(groups);
        }
    }

    fn wants(&mut self) -> Option<Extent> {
        self.schedule.next()
    }

    fn changed(&mut self, correlator: &LiveCorrelator, rules: &RuleSet, changes: &[Change]) -> anyhow::Result<()> {
        found(&self.run.tap, changes);
        self.schedule.committed_at = Instant::now();
        self.measure(correlator, rules);
        Ok(())
    }

    fn causes(&mut self) -> Vec<TracePoint> {
        let spool = &self.run.spool;
        spool.causes(self.run.positions.of(spool.source().id))
    }

    fn nothing_new(&mut self) {
        self.run.progress.is_well();
        self.received.clear();
    }

    fn refused(&mut self, error: StoreError) -> anyhow::Result<()> {
        if !error.is_passing() || self.run.stop.load(Ordering::Relaxed) {
            return Err(error.into());
        }
        metrics::counter!("store_errors_total").increment(1);
        if let Some(lasting) = is_to_be_told(&mut self.outage) {
            let (cause, seconds) = (error.cause(), lasting.as_secs());
            tracing::error!(%error, cause, seconds, "the store does not answer; events are kept in the spool until it does");
        }
        self.run.progress.is_in_trouble(away(&error));
        std::thread::sleep(RETRY);
        Ok(())
    }

    fn unarchived(&mut self, error: ArchiveError) -> anyhow::Result<()> {
        if self.run.stop.load(Ordering::Relaxed) {
            return Err(error.into());
        }
        metrics::counter!("archive_errors_total").increment(1);
        if let Some(lasting) = is_to_be_told(&mut self.outage) {
            let seconds = lasting.as_secs();
            tracing::error!(%error, seconds, "events cannot be archived; they are kept in the spool until they can");
        }
        self.run.progress.is_in_trouble(error.to_string());
        std::thread::sleep(RETRY);
        Ok(())
    }

    fn taken(&mut self, taken: &Taken<'_>) {
        if let Some(outage) = self.outage.take() {
            tracing::info!(seconds = outage.since.elapsed().as_secs(), "the store answers again");
        }
        let Taken { commit, committed, store_took, took, place } = taken;
        metrics::histogram!("commit_duration_seconds").record(store_took.as_secs_f64());
        exemplars::remember("commit_duration_seconds", &[], store_took.as_secs_f64(), place.as_ref());
        metrics::counter!("findings_total", "change" => "new").increment(committed.new);
        metrics::counter!("findings_total", "change" => "changed").increment(committed.changed);
        metrics::counter!("findings_continued_total").increment(committed.continued);
        metrics::counter!("findings_muted_total").increment(committed.muted);
        let now = clock::now();
        for received in self.received.drain(..) {
            metrics::histogram!("finding_delay_seconds").record((now.0 - received.0).max(0) as f64 / 1e6);
        }
        self.run.progress.is_well();
        if let Some(state) = &commit.state {
            let bytes: usize = state.put.iter().map(|(key, value)| key.len() + value.len()).sum();
            metrics::histogram!("checkpoint_bytes").record(bytes as f64);
            metrics::histogram!("checkpoint_duration_seconds").record(took.as_secs_f64());
            self.schedule.has_checkpoint(*took);
            self.run.sources.committed(&commit.sources);
            self.run.spool.accounts().checkpoint();
            self.run.spool.release(self.run.positions.of(self.run.spool.source().id));
        }
    }
}

fn count_block(block: &DoneBlock) {
    metrics::counter!("events_total").increment(block.events);
    metrics::counter!("events_rejected_total").increment(block.counts.rejected);
    metrics::counter!("events_text_total").increment(block.counts.text);
    metrics::counter!("events_unknown_shape_total").increment(block.unknown.events());
    metrics::counter!("lines_empty_total").increment(block.counts.empty);
    metrics::counter!("lines_joined_total").increment(block.counts.joined);
    metrics::counter!("values_in_pieces_total").increment(block.counts.in_pieces);
    metrics::counter!("hits_total").increment(block.hits.len() as u64);
    metrics::counter!("events_ahead_total").increment(block.counts.ahead);
    metrics::counter!("events_ambiguous_source_total").increment(block.counts.ambiguous);
    let altered = [("repaired", block.counts.repaired), ("cut", block.counts.cut), ("mended", block.counts.mended)];
    for (reason, number) in altered {
        if number > 0 {
            metrics::counter!("events_altered_total", "reason" => reason).increment(number);
        }
    }
}
