//! The batch intake: hits of sorted sources wait in a reorder buffer for the watermark and are counted in the order of
//! their times, whatever the order of their arrival within the lateness.

use std::sync::Arc;

use event::{Hit, Timestamp};
use rules::ruleset::RuleSet;

use crate::clock::LastKnownTime;
use crate::correlator::Correlator;
use crate::hit::IndexedHit;
use crate::lead::same_event;
use crate::options::CorrelatorOptions;
use crate::prefetch::RUN_HITS;
use crate::propagate::{Signal, SignalledHit};
use crate::setup::HitOrder;
use crate::state::State;

/// Counts hits in the order of their times: for files that are read again, and for tests.
pub type BatchCorrelator = Correlator<Batch>;

/// The times of the sources that hits come from.
#[derive(Debug)]
pub struct Batch {
    last_known: LastKnownTime,
    /// Time that the input has reached, hits or not.
    reached: Option<Timestamp>,
    /// Hits that are counted next; the memory is used again.
    run: Vec<TimedHit>,
}

/// A hit and when it counts.
type TimedHit = (Timestamp, IndexedHit);

fn timed_together((_, one): &TimedHit, (_, other): &TimedHit) -> bool {
    same_event(one, other)
}

impl Correlator<Batch> {
    /// Without events.
    pub fn new(set: Arc<RuleSet>, options: CorrelatorOptions) -> Self {
        let intake = Batch { last_known: LastKnownTime::new(), reached: None, run: Vec::new() };
        Correlator { state: State::new(set, options, HitOrder::Sorted), intake }
    }

    /// Takes hits in the order of their source.
    pub fn observe(&mut self, hits: Vec<Hit>) {
        let Correlator { state, intake } = self;
        let mut late_hits: Vec<TimedHit> = Vec::new();
        for hit in hits {
            let Some(hit) = IndexedHit::resolve(hit, &state.setup.set) else {
                state.counts.unplaced.unknown_rule += 1;
                continue;
            };
            let time = hit.event.time.unwrap_or_else(|| {
                state.counts.untimed += 1;
                intake.last_known.time()
            });
            let late = state.clock.see(time);
            intake.last_known.see(time);
            if late {
                state.counts.late += 1;
                late_hits.push((time, hit));
                continue;
            }
            state.reorder.push((time, state.clock.arrivals()), hit);
        }
        for event in late_hits.chunk_by(timed_together) {
            state.fold(event.iter().map(|(_, hit)| hit), event[0].0);
        }
        while self.state.reorder.is_over_limit() {
            self.release_first();
        }
    }

    /// A block of input begins, whose newest event time is `newest`. A hit without a time takes that of the hit before
    /// it, but never a time after `believed`.
    pub fn next_block(&mut self, newest: Option<Timestamp>, believed: Timestamp) {
        self.intake.reached = self.intake.reached.max(newest);
        self.intake.last_known.believe_until(believed);
    }

    /// Nothing that comes later is older than `time` (less the allowed lateness): hits before that are counted now.
    pub fn advance(&mut self, time: Timestamp) {
        let Some(watermark) = self.state.clock.advance(time) else { return };
        self.release_before(Some(watermark));
        self.state.judge_until(watermark);
        self.state.sweep();
    }

    /// The input ends: whatever waits is counted now, and windows whose time span was over by the lateness are judged.
    /// Open findings stay open, so that more input can join them. What comes later may be of any time: other sources
    /// have clocks and pasts of their own.
    pub fn finish(&mut self) {
        self.release_before(None);
        if let Some(reached) = self.intake.reached.take() {
            let complete = self.state.clock.before_lateness(reached);
            self.state.judge_until(complete);
        }
        self.state.clock.reset();
        self.intake.last_known.reset();
    }

    /// Nothing will ever follow: windows that wait for their end are judged with what they have.
    pub fn finish_for_good(&mut self) {
        self.finish();
        self.state.judge_until(Timestamp(i64::MAX));
    }

    /// Counts the hits that wait for a time before `watermark`, or all of them.
    fn release_before(&mut self, watermark: Option<Timestamp>) {
        let Correlator { state, intake: Batch { run, .. } } = self;
        let set = Arc::clone(&state.setup.set);
        let is_passed = |time: Timestamp| watermark.is_none_or(|watermark| time < watermark);
        loop {
            while run.len() < RUN_HITS && state.reorder.next_time().is_some_and(is_passed) {
                run.extend(state.reorder.pop().map(|((time, _), hit)| (time, hit)));
            }
            if run.is_empty() {
                break;
            }
            pop_rest_of_event(state, run);
            state.prefetch(run.iter().map(|(_, hit)| hit));
            run.chunk_by(timed_together).for_each(|event| count(state, &set, event));
            run.clear();
            state.windows.free_released();
        }
    }

    /// Counts the oldest event before the watermark has passed it.
    fn release_first(&mut self) {
        let Correlator { state, intake: Batch { run, .. } } = self;
        run.extend(state.reorder.pop().map(|((time, _), hit)| (time, hit)));
        pop_rest_of_event(state, run);
        state.counts.released_early += run.len() as u64;
        state.prefetch.clear();
        let set = Arc::clone(&state.setup.set);
        run.chunk_by(timed_together).for_each(|event| count(state, &set, event));
        run.clear();
        state.windows.free_released();
    }
}

/// Takes out the hits that wait of the event that the run ends with: they are counted together.
fn pop_rest_of_event(state: &mut State, run: &mut Vec<TimedHit>) {
    while let Some((_, last)) = run.last()
        && state.reorder.next_hit().is_some_and(|next| same_event(last, next))
    {
        run.extend(state.reorder.pop().map(|((time, _), hit)| (time, hit)));
    }
}

/// Counts the hits of an event that no longer wait: nothing older comes.
fn count(state: &mut State, set: &RuleSet, event: &[TimedHit]) {
    for (at, (time, hit)) in event.iter().enumerate() {
        state.reorder.release(hit);
        state.check_proof();
        state.judge_until(*time);
        if at == 0 {
            state.fold(event.iter().map(|(_, hit)| hit), *time);
        }
        state.correlate(set, SignalledHit { signal: Signal::matched(hit), hit, time: *time, late: false });
        state.recount_out_of_order();
    }
}
