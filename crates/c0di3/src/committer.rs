//! The one committer: it takes what the pipeline has done, in order, and owns all that changes, which is correlation,
//! positions, and the right to write to the store. What of the events is kept is decided in one place, [`Committer::kept`],
//! for live sources, replays and backtests alike. When to commit, what to tell and what to try again is the [`Policy`]'s.
//! It knows no source and prints nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use archive::ArchiveError;
use correlate::{Batch, BatchCorrelator, Change, Correlator, CorrelatorCounts};
use event::Finding;
use rules::RuleSet;
use spans::{Began, Kind, Span, TracePoint};
use store::{Commit, Committed, JoinPolicy, Lease, StateChange, StateText, Store, StoreError};
use tokio::runtime::Handle;

use crate::archiver::{Archiver, Unarchived};
use crate::clock;
use crate::pipeline::{Done, DoneBlock, FUTURE_MAX_US};
use crate::positions::Positions;

/// What a commit writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Findings alone.
    Findings,
    /// Findings, positions and correlation state, which always agree.
    Checkpoint,
}

impl Extent {
    fn name(self) -> &'static str {
        match self {
            Extent::Findings => "findings",
            Extent::Checkpoint => "checkpoint",
        }
    }
}

/// Where commits go, and by what right.
pub(crate) struct Target {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
    /// `None`: findings are kept, and not how far sources were read.
    pub(crate) lease: Option<Lease>,
    /// How findings become incidents.
    pub(crate) join: JoinPolicy,
}

/// A commit that the store has taken.
pub(crate) struct Taken<'a> {
    pub(crate) commit: &'a Commit,
    pub(crate) committed: Committed,
    /// How long the store took, at the try that succeeded.
    pub(crate) store_took: Duration,
    /// How long all took: saving the state, and every try.
    pub(crate) took: Duration,
    /// Its span, where it is traced.
    pub(crate) place: Option<TracePoint>,
}

/// What differs between sources that never end and files that are read once.
pub(crate) trait Policy {
    /// How hits come to the correlator: in order ([`Batch`]) or as they arrive ([`correlate::Live`]).
    type Intake;

    /// Counts a block's hits over time.
    fn correlate(&mut self, correlator: &mut Correlator<Self::Intake>, block: DoneBlock);

    /// Nothing has come for a moment.
    fn idle(&mut self, _correlator: &mut Correlator<Self::Intake>) {}

    /// A source could not be read to its end.
    fn source_failed(&mut self, name: &str, reason: &str);

    /// Answers whoever asks about windows; called after every outcome.
    fn answer(&mut self, _correlator: &Correlator<Self::Intake>) {}

    /// What is to be committed now, if anything; asked after every outcome.
    fn wants(&mut self) -> Option<Extent>;

    /// Findings that are new or have changed, before they are committed.
    fn changed(
        &mut self,
        correlator: &Correlator<Self::Intake>,
        rules: &RuleSet,
        changes: &[Change],
    ) -> anyhow::Result<()>;

    /// The spans of what came since they were asked for last, oldest first.
    fn causes(&mut self) -> Vec<TracePoint> {
        Vec::new()
    }

    /// There was nothing to commit.
    fn nothing_new(&mut self) {}

    /// The store has not taken a commit: `Ok` tries again, after a pause of the policy's own.
    fn refused(&mut self, error: StoreError) -> anyhow::Result<()>;

    /// Events could not be archived: `Ok` tries again, after a pause of the policy's own.
    fn unarchived(&mut self, error: ArchiveError) -> anyhow::Result<()> {
        Err(error).context("cannot keep the events")
    }

    /// The store has taken a commit.
    fn taken(&mut self, taken: &Taken<'_>);
}

/// Counts a block of files that are read in the order of their events.
pub(crate) fn count_in_order(correlator: &mut BatchCorrelator, block: DoneBlock) {
    correlator.next_block(block.newest, block.received.saturating_add_us(FUTURE_MAX_US));
    correlator.observe(block.hits);
    if let Some(time) = block.followed_by {
        correlator.advance(time);
    }
}

/// The one owner of correlation, positions and commits.
pub(crate) struct Committer<P: Policy> {
    /// The correlator's rules.
    rules: Arc<RuleSet>,
    correlator: Correlator<P::Intake>,
    positions: Positions,
    /// `None`: nothing is kept.
    target: Option<Arc<Target>>,
    /// `None`: events are not kept.
    archiver: Option<Archiver>,
    pub(crate) policy: P,
}

impl<P: Policy> Committer<P> {
    /// Goes on from the stored state, if there is any. `rules` are those that the correlator was made with.
    pub(crate) fn new(
        rules: Arc<RuleSet>,
        mut correlator: Correlator<P::Intake>,
        state: Option<StateText>,
        positions: Positions,
        target: Option<Target>,
        policy: P,
    ) -> anyhow::Result<Self> {
        if let Some(state) = state {
            correlator.restore(&state.head, state.entries.into_iter()).context("cannot go on from the stored state")?;
        }
        Ok(Committer { rules, correlator, positions, target: target.map(Arc::new), archiver: None, policy })
    }

    /// Keeps the events of what comes from now on, too.
    pub(crate) fn with_archive(self, archiver: Option<Archiver>) -> Self {
        Committer { archiver, ..self }
    }

    /// Takes one outcome of the pipeline, and commits where the policy wants it.
    pub(crate) fn take(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Block(mut block) => {
                self.follow(&block.rules)?;
                self.positions.reached(&block);
                if let (Some(archiver), Some(batch)) = (&mut self.archiver, block.batch.take()) {
                    archiver.take(batch, block.bytes);
                    if archiver.is_full() {
                        self.archive(&Span::none())?;
                    }
                }
                self.policy.correlate(&mut self.correlator, *block);
            }
            Done::Barrier(barrier) => {
                self.commit(Extent::Checkpoint)?;
                barrier.pass();
            }
            Done::Failed { name, reason } => self.policy.source_failed(&name, &reason),
            Done::Idle => self.policy.idle(&mut self.correlator),
        }
        self.policy.answer(&self.correlator);
        match self.policy.wants() {
            Some(extent) => self.commit(extent),
            None => Ok(()),
        }
    }

    /// Goes on with the rules that made the hits of the next block. What came before is committed first, so that a restart
    /// reads every event with the rules that it was read with.
    fn follow(&mut self, rules: &Arc<RuleSet>) -> anyhow::Result<()> {
        if Arc::ptr_eq(rules, &self.rules) {
            return Ok(());
        }
        self.commit(Extent::Checkpoint)?;
        let change = self.correlator.reload(Arc::clone(rules));
        self.rules = Arc::clone(rules);
        tracing::info!(kept = change.kept, dropped = change.dropped, "correlation goes on with other rules");
        Ok(())
    }

    /// Tells the policy what has changed, and writes what is kept in one transaction.
    pub(crate) fn commit(&mut self, extent: Extent) -> anyhow::Result<()> {
        let (started, began) = (Instant::now(), Began::now());
        let changes = self.correlator.changes();
        self.policy.changed(&self.correlator, &self.rules, &changes)?;
        let Some(target) = self.target.clone() else { return Ok(()) };
        if changes.is_empty() && extent == Extent::Findings {
            self.policy.nothing_new();
            return Ok(());
        }
        let causes = self.policy.causes();
        let mut span = Span::of_many("commit", &causes, began);
        span.note("c0di3.extent", extent.name());
        span.note("c0di3.causes", i64::try_from(causes.len()).unwrap_or(i64::MAX));
        span.note("c0di3.findings", i64::try_from(changes.len()).unwrap_or(i64::MAX));
        let findings = changes.into_iter().map(|change| change.finding).collect();
        let commit = self.kept(&target, findings, extent, &span)?;
        let (committed, store_took) = self.write(&target, &commit, &span)?;
        let took = started.elapsed();
        self.policy.taken(&Taken { commit: &commit, committed, store_took, took, place: span.place() });
        Ok(())
    }

    /// What is kept of the blocks since the last commit: findings as they come, and at a checkpoint the events, how far each
    /// source was read, and the correlation state.
    fn kept(&mut self, target: &Target, findings: Vec<Finding>, extent: Extent, span: &Span) -> anyhow::Result<Commit> {
        let (mut sources, mut forgotten, mut state, mut files) = (Vec::new(), Vec::new(), None, Vec::new());
        if extent == Extent::Checkpoint {
            let saved = self.correlator.save()?;
            state = Some(StateChange { head: saved.head, put: saved.put, gone: saved.gone });
            (sources, forgotten) = self.positions.take_changed();
            self.archive(span)?;
            files = self.archiver.as_mut().map(Archiver::take_written).unwrap_or_default();
        }
        let (lease, join) = (target.lease.clone(), Some(target.join));
        let trace = span.place().map(|place| place.traceparent());
        Ok(Commit { findings, sources, forgotten, state, files, now: clock::now(), lease, join, trace })
    }

    /// Writes the events that wait: again and again, until it is done or the policy gives up.
    fn archive(&mut self, within: &Span) -> anyhow::Result<()> {
        let Some(archiver) = &mut self.archiver else { return Ok(()) };
        loop {
            let mut span = within.child("archive", Kind::Internal);
            let unarchived = match archiver.write() {
                Ok(()) => return Ok(()),
                Err(unarchived) => unarchived,
            };
            span.fail("unavailable");
            // The pause before the next try is not a part of it.
            drop(span);
            match unarchived {
                Unarchived::Numbers(error) => self.policy.refused(error)?,
                Unarchived::Files(error) => self.policy.unarchived(error)?,
            }
        }
    }

    /// Tries until the store has taken the commit, or the policy gives up. Until then nothing after it is committed.
    fn write(&mut self, target: &Target, commit: &Commit, within: &Span) -> anyhow::Result<(Committed, Duration)> {
        let Target { store, runtime, .. } = target;
        loop {
            let started = Instant::now();
            let mut span = within.child("store", Kind::Client);
            match runtime.block_on(store.commit(commit)) {
                Ok(committed) => return Ok((committed, started.elapsed())),
                Err(error) => {
                    span.fail(if error.is_passing() { "unavailable" } else { "refused" });
                    drop(span);
                    self.policy.refused(error)?;
                }
            }
        }
    }

    /// What the correlator left out.
    pub(crate) fn counts(&self) -> CorrelatorCounts {
        self.correlator.counts()
    }
}

impl<P: Policy<Intake = Batch>> Committer<P> {
    /// The input has ended: everything that waits for later events is counted.
    pub(crate) fn end_of_input(&mut self) {
        self.correlator.finish();
    }
}
