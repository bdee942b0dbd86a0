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
mod entries;
mod episode;
mod group;
mod history;
mod inspect;
mod limits;
mod risk;
mod state;
mod table;
mod tally;
mod waiting;
mod window;

use std::sync::Arc;

use event::{EventRef, Finding, Hit, Timestamp};

use crate::correlate::ahead::{RUN_HITS, Run};
use crate::correlate::episode::{Episode, Source};
use crate::correlate::risk::EntityRisk;
use crate::correlate::table::Table;
use crate::correlate::waiting::Waiting;
use crate::correlate::window::{Arrival, Window};
use crate::ruleset::RuleSet;

pub use adopt::Adopted;
pub use inspect::GroupView;
pub use limits::{ASSET_WEIGHT_MAX, Assets, Change, CorrelatorCounts, CorrelatorOptions};
pub use state::{SavedState, StateError};
pub(crate) use window::ENTRIES_MAX as WINDOW_ENTRIES_MAX;

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
}

/// Event time between sweeps for what has ended.
const SWEEP_US: i64 = 60_000_000;
/// Hits between two weighings of the proof that is kept.
const WEIGH_HITS: usize = 10_000;

impl Correlator {
    pub fn new(set: Arc<RuleSet>, options: CorrelatorOptions) -> Self {
        let windows = set.correlations.iter().map(|_| Table::default()).collect();
        Correlator {
            set,
            options,
            waiting: Waiting::default(),
            waiting_bytes: 0,
            arrivals: 0,
            watermark: Timestamp(i64::MIN),
            newest: Timestamp(i64::MIN),
            swept: Timestamp(i64::MIN),
            released: 0,
            folds: Table::default(),
            windows,
            closed: Vec::new(),
            noted: Vec::new(),
            window_proof: 0,
            key: String::new(),
            run: Run::default(),
            spent: Vec::new(),
            risks: Table::default(),
            forgotten: Vec::new(),
            counts: CorrelatorCounts::default(),
            unmuted: false,
        }
    }

    /// Lets correlations report that others have muted.
    pub(crate) fn unmute(&mut self) {
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
                if self.newest == Timestamp(i64::MIN) { Timestamp(0) } else { self.newest }
            });
            self.newest = self.newest.max(time);
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

    /// Takes hits as they arrive, received at `received`: each counts at once. What is older than the lateness may still
    /// join a window that is open, but does not begin one anew; what claims to be from the future counts at its arrival.
    pub fn observe_live(&mut self, hits: Vec<Hit>, received: Timestamp) {
        for run in hits.chunks(RUN_HITS) {
            self.look_at(run.iter());
            run.iter().for_each(|hit| self.count_live(hit, received));
            self.spent.clear();
        }
        self.watermark = self.watermark.max(self.newest.saturating_sub_us(self.options.lateness_us));
        self.sweep_when_due();
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
        self.newest = self.newest.max(time);
        let late = time < self.newest.saturating_sub_us(self.options.lateness_us);
        self.counts.late += u64::from(late);
        self.arrivals += 1;
        self.weigh();
        self.fold(hit, time);
        self.correlate(hit.rule as usize, hit, time, late);
    }

    /// Nothing that comes later is older than `time` (less the allowed lateness): hits before that are counted now.
    pub fn advance(&mut self, time: Timestamp) {
        let watermark = time.saturating_sub_us(self.options.lateness_us);
        if watermark <= self.watermark {
            return;
        }
        self.release_before(Some(watermark));
        self.watermark = watermark;
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

    /// The input ends: whatever waits is counted now. Open findings stay open, so that more input can join them. What
    /// comes later may be of any time: other sources have clocks and pasts of their own.
    pub fn finish(&mut self) {
        self.release_before(None);
        for time in [&mut self.watermark, &mut self.newest, &mut self.swept] {
            *time = Timestamp(i64::MIN);
        }
    }

    fn release_first(&mut self) {
        if let Some(((time, _), hit)) = self.waiting.pop() {
            self.count(hit, time);
            self.spent.clear();
        }
    }

    /// Counts a hit that no longer waits.
    fn count(&mut self, hit: Hit, time: Timestamp) {
        self.waiting_bytes -= hit.event.original.len();
        self.weigh();
        self.fold(&hit, time);
        self.correlate(hit.rule as usize, &hit, time, false);
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

    /// Lets proof go where windows or open findings keep too much: counts stay exact, and a finding that is closed for
    /// it is reported with what it has.
    fn bound_proof(&mut self) {
        let limit = self.options.proof_bytes_max;
        if self.window_proof > limit {
            self.counts.proof_dropped += 1;
            // First what windows can spare; then also the line of groups that were seen once.
            for newest_too in [false, true] {
                let windows = self.windows.iter_mut().flat_map(Table::values_mut);
                windows
                    .filter(|window| !newest_too || window.weight().0 <= 1)
                    .for_each(|window| window.drop_proof(newest_too, &mut self.spent));
                self.spent.clear();
                self.window_proof = self.windows.iter().flat_map(Table::values).map(Window::proof_bytes).sum();
                if self.window_proof <= limit / 2 {
                    break;
                }
            }
        }
        while self.folds.values().map(Episode::proof_bytes).sum::<usize>() > limit {
            self.counts.proof_dropped += 1;
            for _ in 0..self.folds.len().div_ceil(4) {
                if let Some(episode) = self.folds.evict(Episode::weight) {
                    self.close(episode);
                }
            }
        }
    }

    fn make_room(&mut self) {
        if self.folds.len() >= self.options.groups_max
            && let Some(episode) = self.folds.evict(Episode::weight)
        {
            self.counts.evicted += 1;
            self.close(episode);
        }
    }

    /// Counts the hit in every correlation over its signal (its rule, or a correlation that it made fire).
    fn correlate(&mut self, signal: usize, hit: &Hit, time: Timestamp, late: bool) {
        let set = Arc::clone(&self.set);
        let mut key = std::mem::take(&mut self.key);
        let mut fired = Vec::new();
        for index in &set.uses[signal].correlations {
            let bound = &set.correlations[*index];
            if !group::write_key(bound, hit, &mut key) {
                self.counts.ungrouped += 1;
                continue;
            }
            if bound.waits_for_close {
                // In order of time nothing earlier comes any more; live, only the watermark says so.
                let complete = if self.options.live { self.watermark } else { time };
                self.close_ready(*index, &key, complete);
            }
            if self.count_in(*index, &key, signal, hit, time, late) {
                fired.push(set.signal_of(*index));
            }
        }
        self.forgive(signal, hit, time, &mut key);
        self.key = key;
        for signal in fired {
            self.correlate(signal, hit, time, late);
        }
    }

    /// Counts the hit in its group of one correlation; true where that fires.
    fn count_in(&mut self, index: usize, key: &str, signal: usize, hit: &Hit, time: Timestamp, late: bool) -> bool {
        let set = Arc::clone(&self.set);
        let bound = &set.correlations[index];
        let table = &mut self.windows[index];
        let place = match table.place(key) {
            Some(place) if late && table.at(place).is_before_all(time, bound.rule.timespan_us) => return false,
            Some(place) => place,
            None => {
                let evicted = (table.len() >= self.options.groups_max).then(|| table.evict(Window::weight)).flatten();
                let place = table.push(key, Window::default());
                if let Some(window) = evicted {
                    self.counts.evicted += 1;
                    self.close_window(window);
                }
                place
            }
        };
        let window = self.windows[index].at_mut(place);
        let proof = window.proof_bytes();
        let lean = self.window_proof > self.options.proof_bytes_max / 2;
        let spent = self.spent.len();
        let quiet_us = self.options.fold_gap_us.max(bound.rule.timespan_us);
        let added = window.add(Arrival { bound, index, signal, hit, time, lean, quiet_us }, &mut self.spent);
        if lean {
            self.counts.proof_dropped += (self.spent.len() - spent) as u64;
        }
        self.window_proof = (self.window_proof + window.proof_bytes()).saturating_sub(proof);
        self.counts.cut += u64::from(added.cut);
        self.counts.not_numeric += u64::from(added.not_numeric);
        if added.begins {
            self.prove(index, key, hit);
            self.take_up_risk(index, place, hit.event.id);
        }
        let window = self.windows[index].at_mut(place);
        let fires = window.is_firing();
        if fires && !window.noted {
            window.noted = true;
            self.noted.push((Source::Correlation(index), key.into()));
        }
        if let Some(ended) = added.ended {
            self.close(*ended);
        }
        fires
    }

    /// Judges windows of a group that have closed before `complete`.
    fn close_ready(&mut self, index: usize, key: &str, complete: Timestamp) {
        let set = Arc::clone(&self.set);
        let span = set.correlations[index].rule.timespan_us;
        if self.windows[index].get(key).is_none_or(|window| !window.is_closed(complete, span)) {
            return;
        }
        let Some(window) = self.windows[index].get_mut(key) else { return };
        let proof = window.proof_bytes();
        let closed = window.close(&set.correlations[index], index, complete);
        self.window_proof = (self.window_proof + window.proof_bytes()).saturating_sub(proof);
        for closed in closed {
            self.close(*closed.episode);
            self.correlate(set.signal_of(index), &closed.hit, closed.time, false);
        }
    }

    /// Judges all windows that wait for their end, as far as nothing more can come into them.
    fn close_all_ready(&mut self, complete: Timestamp) {
        let set = Arc::clone(&self.set);
        for index in (0..set.correlations.len()).filter(|index| set.correlations[*index].waits_for_close) {
            let keys: Vec<Box<str>> = self.windows[index].iter_mut().map(|(key, _)| key.into()).collect();
            for key in keys {
                self.close_ready(index, &key, complete);
            }
        }
    }

    /// Nothing will ever follow: windows that wait for their end are judged with what they have.
    pub fn finish_for_good(&mut self) {
        self.finish();
        self.close_all_ready(Timestamp(i64::MAX));
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
        self.close_all_ready(watermark);
        for episode in self.folds.remove_where(|episode| episode.silent_before(watermark, gap)) {
            self.close(episode);
        }
        let mut ended = Vec::new();
        for (index, table) in self.windows.iter_mut().enumerate() {
            let timespan = set.correlations[index].rule.timespan_us;
            ended.extend(table.remove_where(|window| window.ended_before(watermark, timespan, gap.max(timespan))));
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
mod model_tests;
#[cfg(test)]
mod tests;
