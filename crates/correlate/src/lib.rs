//! Hits over time: repeats fold into one finding, and correlations count within sliding windows of event time.
//!
//! ```text
//! Hit ─▶ reorder (until the watermark passes) ─▶ fold ──▶ Finding
//!                                            └─▶ window ─▶ Finding
//! ```
//! Order of arrival within the allowed lateness does not matter. State is bounded; what is pushed out is counted.

mod adopt;
mod ahead;
mod behind;
mod chain;
mod count;
mod due;
mod entries;
mod episode;
mod explained;
mod group;
mod history;
mod inspect;
mod limits;
mod risk;
mod room;
mod score;
mod state;
mod strays;
mod table;
mod tally;
mod waiting;
mod window;

use std::sync::Arc;

use event::{EventRef, Finding, Hit, Timestamp};
use rules::ruleset::RuleSet;

use crate::ahead::{RUN_HITS, Run};
use crate::due::Due;
use crate::episode::{Episode, Source};
use crate::explained::Watch;
use crate::risk::EntityRisk;
use crate::room::Weights;
use crate::strays::Stray;
use crate::table::Table;
use crate::waiting::Waiting;
use crate::window::Window;

pub use adopt::Adopted;
pub use explained::{CorrelationExplanation, explain_correlation};
pub use inspect::GroupView;
pub use limits::{ASSET_WEIGHT_MAX, Assets, Change, CorrelatorCounts, CorrelatorOptions};
pub use state::{SavedState, StateError};

/// Owns all state over time. One owner, `&mut self`.
#[derive(Debug)]
pub struct Correlator {
    set: Arc<RuleSet>,
    options: CorrelatorOptions,
    /// Hits by time and arrival that wait for the watermark.
    waiting: Waiting,
    /// Raw bytes of the hits that wait.
    waiting_bytes: usize,
    arrivals: u64,
    watermark: Timestamp,
    newest: Timestamp,
    /// How far the input has come, hits or not.
    reached: Option<Timestamp>,
    /// The last hit's time that can be believed, and the latest that is.
    usual: Timestamp,
    believed: Timestamp,
    swept: Timestamp,
    /// Hits released since proof was last weighed.
    released: usize,
    folds: Table<Episode>,
    windows: Vec<Table<Window>>,
    closed: Vec<Finding>,
    /// Groups whose open finding has changed since the last look: rule or correlation, and key.
    noted: Vec<(Source, Box<str>)>,
    /// Bytes that windows keep as proof.
    window_proof: usize,
    /// What windows take beside it.
    weights: Weights,
    /// When windows that wait for their end are to be judged.
    due: Due,
    /// Groups that hits have come to out of order.
    strays: Vec<Stray>,
    /// For keys, used again and again.
    key: String,
    run: Run,
    /// Proof that windows have given back, freed together.
    spent: Vec<Arc<EventRef>>,
    /// What findings about an entity add up to.
    risks: Table<EntityRisk>,
    /// Keys of saved state that no longer hold, of rules that another set does not have.
    forgotten: Vec<String>,
    counts: CorrelatorCounts,
    /// Muted correlations report as well: for their own tests.
    unmuted: bool,
    /// What becomes of every event in one correlation, for people who ask why.
    watch: Option<Box<Watch>>,
}

/// Whose hit it is: a rule's, or that of a correlation that fires.
#[derive(Clone, Copy, Debug)]
struct Signal {
    /// See [`RuleSet::signal_of`].
    number: usize,
    /// The correlation fired already: it is still there, but not once more.
    goes_on: bool,
    /// Where its windows are was looked at before, with the run that it belongs to.
    ahead: bool,
}

/// Event time between sweeps for what has ended.
const SWEEP_US: i64 = 60_000_000;
/// Hits between two weighings of the proof that is kept.
const WEIGH_HITS: usize = 10_000;

impl Correlator {
    pub fn new(set: Arc<RuleSet>, options: CorrelatorOptions) -> Self {
        let windows = set.correlations.iter().map(|_| Table::new(options.saved)).collect();
        Correlator {
            weights: Weights::default(),
            due: Due::default(),
            strays: Vec::new(),
            folds: Table::new(options.saved),
            risks: Table::new(options.saved),
            set,
            options,
            waiting: Waiting::default(),
            waiting_bytes: 0,
            arrivals: 0,
            watermark: Timestamp(i64::MIN),
            newest: Timestamp(i64::MIN),
            reached: None,
            usual: Timestamp(i64::MIN),
            believed: Timestamp(i64::MAX),
            swept: Timestamp(i64::MIN),
            released: 0,
            windows,
            closed: Vec::new(),
            noted: Vec::new(),
            window_proof: 0,
            key: String::new(),
            run: Run::default(),
            spent: Vec::new(),
            forgotten: Vec::new(),
            counts: CorrelatorCounts::default(),
            unmuted: false,
            watch: None,
        }
    }

    /// Lets correlations report that others have muted.
    pub fn unmute(&mut self) {
        self.unmuted = true;
    }

    pub fn counts(&self) -> CorrelatorCounts {
        self.counts
    }

    /// Open findings and groups, for metrics.
    pub fn open(&self) -> (usize, usize) {
        (self.folds.len(), self.windows.iter().map(Table::len).sum())
    }

    /// Takes hits in the order of their source.
    pub fn observe(&mut self, hits: Vec<Hit>) {
        for hit in hits {
            let time = hit.event.time.unwrap_or_else(|| {
                self.counts.untimed += 1;
                self.usual_time()
            });
            self.newest = self.newest.max(time);
            if time <= self.believed {
                self.usual = time;
            }
            self.arrivals += 1;
            if time < self.watermark {
                self.counts.late += 1;
                self.fold(&hit, time);
                continue;
            }
            self.waiting_bytes += hit.event.original.len();
            self.waiting.push((time, self.arrivals), hit);
        }
        while self.waiting.len() > self.options.waiting_max || self.waiting_bytes > self.options.proof_bytes_max {
            self.counts.released_early += 1;
            self.release_first();
        }
    }

    /// A block of input comes, with events up to `newest`. Times after `believed` are not believed: hits without any do
    /// not take them over.
    pub fn next_block(&mut self, newest: Option<Timestamp>, believed: Timestamp) {
        self.reached = self.reached.max(newest);
        self.believed = believed;
    }

    /// The time of a hit that has none: that of the hit before.
    fn usual_time(&self) -> Timestamp {
        if self.usual == Timestamp(i64::MIN) { Timestamp(0) } else { self.usual }
    }

    /// Takes hits as they arrive, received at `received`: each counts at once, and what came out of order is looked at again
    /// with all that came with it. What claims to be from the future counts at its arrival.
    pub fn observe_live(&mut self, mut hits: Vec<Hit>, received: Timestamp) {
        // Within what came together the order is known.
        hits.sort_by_key(|hit| hit.event.time.unwrap_or(received));
        for run in hits.chunks(RUN_HITS) {
            self.look_at(run.iter());
            run.iter().for_each(|hit| self.count_live(hit, received));
            self.spent.clear();
        }
        self.recount_strays();
        self.passed(self.newest, received);
    }

    /// Live, events up to `time` have come by `received`, whether any of them is a hit or not.
    pub fn passed(&mut self, time: Timestamp, received: Timestamp) {
        self.newest = self.newest.max(time.min(received));
        self.watermark = self.watermark.max(self.newest.saturating_sub_us(self.options.lateness_us));
        self.judge_due(self.watermark);
        self.sweep_when_due();
    }

    /// Live, nothing has come for a while, and it is `now`: windows that wait for their end are judged when what could still
    /// come into them would be late.
    pub fn idle(&mut self, now: Timestamp) {
        self.judge_due(now.saturating_sub_us(self.options.lateness_us));
    }

    fn count_live(&mut self, hit: &Hit, received: Timestamp) {
        let mut time = hit.event.time.unwrap_or_else(|| {
            self.counts.untimed += 1;
            received
        });
        if time > received.saturating_add_us(self.options.lateness_us) {
            self.counts.ahead += 1;
            time = received;
        }
        // A clock that is ahead must not make others look late.
        self.newest = self.newest.max(time.min(received));
        let late = time < self.newest.saturating_sub_us(self.options.lateness_us);
        self.counts.late += u64::from(late);
        self.arrivals += 1;
        self.weigh();
        self.fold(hit, time);
        self.correlate(Signal { number: hit.rule as usize, goes_on: false, ahead: true }, hit, time, late);
    }

    /// Nothing that comes later is older than `time` (less the allowed lateness): hits before that are counted now.
    pub fn advance(&mut self, time: Timestamp) {
        let watermark = time.saturating_sub_us(self.options.lateness_us);
        if watermark <= self.watermark {
            return;
        }
        self.release_before(Some(watermark));
        self.watermark = watermark;
        self.judge_due(watermark);
        self.sweep_when_due();
    }

    fn sweep_when_due(&mut self) {
        let watermark = self.watermark;
        if watermark.saturating_sub_us(SWEEP_US) > self.swept {
            self.swept = watermark;
            self.sweep(watermark);
        }
    }

    /// Bounds the proof that is kept, every so many hits.
    fn weigh(&mut self) {
        self.released += 1;
        if self.released >= WEIGH_HITS {
            self.released = 0;
            self.bound_proof();
        }
    }

    /// The input ends: whatever waits is counted now, and windows whose time span was over by the lateness are judged. Open findings stay open, so that more input can join them. What comes later may be of any time: other sources have
    /// clocks and pasts of their own.
    pub fn finish(&mut self) {
        self.release_before(None);
        if let Some(reached) = self.reached.take() {
            self.judge_due(reached.saturating_sub_us(self.options.lateness_us));
        }
        for time in [&mut self.watermark, &mut self.newest, &mut self.usual, &mut self.swept] {
            *time = Timestamp(i64::MIN);
        }
    }

    fn release_first(&mut self) {
        if let Some(((time, _), hit)) = self.waiting.pop() {
            self.run.forget();
            self.count(hit, time);
            self.spent.clear();
        }
    }

    /// Counts a hit that no longer waits: nothing older comes.
    fn count(&mut self, hit: Hit, time: Timestamp) {
        self.waiting_bytes -= hit.event.original.len();
        self.weigh();
        self.judge_due(time);
        self.fold(&hit, time);
        self.correlate(Signal { number: hit.rule as usize, goes_on: false, ahead: true }, &hit, time, false);
        self.recount_strays();
    }

    /// Joins the hit to the open finding of its rule and entity, or opens one.
    fn fold(&mut self, hit: &Hit, time: Timestamp) {
        if self.set.uses[hit.rule as usize].muted {
            return;
        }
        let group = group::fold_group(hit);
        let key = format!("{}\u{1f}{group}", hit.rule);
        let ended = self.folds.get(&key).is_some_and(|open| open.is_apart_from(time, self.options.fold_gap_us));
        if ended && let Some(episode) = self.folds.remove(&key) {
            self.close(episode);
        }
        if self.folds.get(&key).is_none() {
            self.make_room();
        }
        let rule = hit.rule;
        let episode = self.folds.get_or_insert_with(&key, || Episode::new(Source::Detection(rule), group, time));
        if !episode.is_changed() {
            self.noted.push((Source::Detection(rule), key.as_str().into()));
        }
        episode.add(&hit.event, time, hit.repeated);
        episode.note(hit.patterns.as_deref());
        risk::take_up(&mut self.risks, self.options.groups_max, &self.set, episode, hit.event.id);
    }

    /// Nothing will ever follow: windows that wait for their end are judged with what they have.
    pub fn finish_for_good(&mut self) {
        self.finish();
        self.judge_due(Timestamp(i64::MAX));
    }

    fn close_window(&mut self, window: Window) {
        self.window_proof = self.window_proof.saturating_sub(window.proof_bytes());
        if let Some(episode) = window.into_firing() {
            self.close(*episode);
        }
    }

    /// Closes what no event within the lateness can join any more.
    fn sweep(&mut self, watermark: Timestamp) {
        let gap = self.options.fold_gap_us;
        let set = Arc::clone(&self.set);
        for episode in self.folds.remove_where(|episode| episode.silent_before(watermark, gap)) {
            self.close(episode);
        }
        let mut ended = Vec::new();
        for (index, table) in self.windows.iter_mut().enumerate() {
            let timespan = set.correlations[index].rule.timespan_us;
            let gone = table.remove_where(|window| window.ended_before(watermark, timespan, gap.max(timespan)));
            self.weights.change(index, gone.iter().map(Window::bytes).sum(), 0);
            ended.extend(gone);
        }
        ended.into_iter().for_each(|window| self.close_window(window));
        self.risks.remove_where(|risk| risk.now(watermark) < 1.0);
    }

    /// Reports an episode for the last time, unless nothing changed since it was last reported.
    fn close(&mut self, episode: Episode) {
        if episode.must_be_reported() && !self.is_muted(episode.source) {
            let finding = episode.finding(&self.set, &self.options);
            if !self.is_excepted(episode.source, &finding) {
                self.closed.push(finding);
            }
        }
    }

    /// Whether an allow list leaves a correlation's finding out; that of a detection was looked at hit by hit.
    fn is_excepted(&self, source: Source, finding: &Finding) -> bool {
        match source {
            Source::Detection(_) => false,
            Source::Correlation(index) => {
                self.set.exceptions.leave_out_finding(&self.set.correlations[index].rule.head, finding)
            }
        }
    }

    fn is_muted(&self, source: Source) -> bool {
        match source {
            Source::Detection(rule) => self.set.uses[rule as usize].muted,
            Source::Correlation(index) => !self.unmuted && self.set.uses[self.set.signal_of(index)].muted,
        }
    }

    /// Findings that are new or have changed since the last call: closed ones, then open ones, in a fixed order.
    pub fn changes(&mut self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.closed.drain(..).map(|finding| Change { finding, open: false }).collect();
        let (set, options) = (Arc::clone(&self.set), self.options.clone());
        for (source, key) in std::mem::take(&mut self.noted) {
            let episode = match source {
                Source::Detection(_) => self.folds.get_mut(&key),
                Source::Correlation(index) => {
                    let window = self.windows[index].get_mut(&key);
                    window.and_then(|window| {
                        window.noted = false;
                        window.firing_mut()
                    })
                }
            };
            let finding = episode.and_then(|episode| episode.take_changed().then(|| episode.finding(&set, &options)));
            let reported = |finding: &Finding| !self.is_muted(source) && !self.is_excepted(source, finding);
            if let Some(finding) = finding.filter(reported) {
                changes.push(Change { finding, open: true });
            }
        }
        changes
    }

    /// What must survive a restart and has changed since the last call.
    pub fn save(&mut self) -> Result<SavedState, StateError> {
        state::save(self)
    }

    /// Takes up what was saved: the last head, and the last value of every key that still holds.
    pub fn restore(&mut self, head: &str, entries: impl Iterator<Item = (String, String)>) -> Result<(), StateError> {
        state::restore(self, head, entries)
    }
}

#[cfg(test)]
mod adopt_tests;
#[cfg(test)]
mod exception_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;
