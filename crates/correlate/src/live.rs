//! The live intake: hits count as they arrive. What comes out of order is put where its time belongs, and the windows
//! around it are counted again, with all that came together.

use std::sync::Arc;

use event::{Hit, Timestamp};
use rules::ruleset::RuleSet;

use crate::clock::ArrivalTime;
use crate::correlator::Correlator;
use crate::hit::IndexedHit;
use crate::lead::same_event;
use crate::options::CorrelatorOptions;
use crate::prefetch::RUN_HITS;
use crate::propagate::{Signal, SignalledHit};
use crate::setup::HitOrder;
use crate::state::State;

/// Counts hits as they arrive: for a service.
pub type LiveCorrelator = Correlator<Live>;

/// Holds nothing: no hit waits.
#[derive(Debug)]
pub struct Live;

impl Correlator<Live> {
    /// Without events.
    pub fn new(set: Arc<RuleSet>, options: CorrelatorOptions) -> Self {
        Correlator { state: State::new(set, options, HitOrder::AsArrived), intake: Live }
    }

    /// Takes hits as they arrive, received at `received`: each counts at once, and what came out of order is counted
    /// again with all that came with it. What claims to be from the future counts at its arrival.
    pub fn observe(&mut self, hits: Vec<Hit>, received: Timestamp) {
        let state = &mut self.state;
        let set = Arc::clone(&state.setup.set);
        let given = hits.len();
        let known = hits.into_iter().filter_map(|hit| IndexedHit::resolve(hit, &set));
        let mut hits: Vec<IndexedHit> = known.collect();
        state.counts.unplaced.unknown_rule += (given - hits.len()) as u64;
        // Within what came together the order is known.
        hits.sort_by_key(|hit| hit.event.time.unwrap_or(received));
        let mut rest = hits.as_slice();
        while !rest.is_empty() {
            let (run, after) = rest.split_at(run_length(rest));
            rest = after;
            state.prefetch(run.iter());
            run.chunk_by(same_event).for_each(|event| arrive(state, &set, event, received));
            state.windows.free_released();
        }
        state.recount_out_of_order();
        self.passed(self.state.clock.newest(), received);
    }

    /// Events up to `time` have come by `received`, whether any of them is a hit or not.
    pub fn passed(&mut self, time: Timestamp, received: Timestamp) {
        let watermark = self.state.clock.pass(time, received);
        self.state.judge_until(watermark);
        self.state.sweep();
    }

    /// Nothing has come for a while, and it is `now`: windows that wait for their end are judged when what could still
    /// come into them would be late.
    pub fn idle(&mut self, now: Timestamp) {
        let complete = self.state.clock.before_lateness(now);
        self.state.judge_until(complete);
    }
}

/// How many of the hits make a run: [`RUN_HITS`], and the rest of the last one's event.
fn run_length(hits: &[IndexedHit]) -> usize {
    let mut length = RUN_HITS.min(hits.len());
    while length < hits.len() && same_event(&hits[length - 1], &hits[length]) {
        length += 1;
    }
    length
}

/// Counts the hits of an event that has just arrived.
fn arrive(state: &mut State, set: &RuleSet, event: &[IndexedHit], received: Timestamp) {
    for (at, hit) in event.iter().enumerate() {
        let ArrivalTime { time, untimed, from_future, late } = state.clock.see_arrival(hit.event.time, received);
        state.counts.untimed += u64::from(untimed);
        state.counts.from_future += u64::from(from_future);
        state.counts.late += u64::from(late);
        state.check_proof();
        if at == 0 {
            state.fold(event.iter(), time);
        }
        state.correlate(set, SignalledHit { signal: Signal::matched(hit), hit, time, late });
    }
}
