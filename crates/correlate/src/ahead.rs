//! Hits that are due are counted a run at a time, and what a run will touch is looked at before: many groups lie far apart
//! in memory, and a processor that knows of several look-ups waits for them at the same time. Nothing is decided here.

use event::{Hit, Timestamp};

use crate::Correlator;
use crate::group::write_key;

/// Hits in a run.
pub(super) const RUN_HITS: usize = 64;

/// A run on its way, and where its windows are; both are used again.
#[derive(Debug, Default)]
pub(super) struct Run {
    hits: Vec<(Timestamp, Hit)>,
    places: Vec<Place>,
    /// The next place that is asked for.
    next: usize,
}

/// Where a window may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The correlation.
    pub(super) table: usize,
    pub(super) hash: u64,
    pub(super) slot: Option<usize>,
}

impl Run {
    /// Hits come that nobody looked at.
    pub(super) fn forget(&mut self) {
        self.places.clear();
    }

    /// What was looked at for the next hit that has a group: hits are counted in the order in which they were looked at.
    pub(super) fn next_place(&mut self, table: usize) -> Option<Place> {
        let place = self.places.get(self.next).copied().filter(|place| place.table == table);
        self.next += usize::from(place.is_some());
        place
    }
}

impl Correlator {
    /// Counts the hits that wait for a time before `watermark`, or all of them.
    pub(super) fn release_before(&mut self, watermark: Option<Timestamp>) {
        let mut hits = std::mem::take(&mut self.run.hits);
        loop {
            let is_due = |time: Timestamp| watermark.is_none_or(|watermark| time < watermark);
            while hits.len() < RUN_HITS && self.waiting.next_time().is_some_and(is_due) {
                hits.extend(self.waiting.pop().map(|((time, _), hit)| (time, hit)));
            }
            if hits.is_empty() {
                break;
            }
            self.look_at(hits.iter().map(|(_, hit)| hit));
            for (time, hit) in hits.drain(..) {
                self.count(hit, time);
            }
            self.spent.clear();
        }
        self.run.hits = hits;
    }

    /// Reads what counting the hits will read, step by step for all of them: no step waits for the one before it longer
    /// than memory takes once.
    pub(super) fn look_at<'h>(&mut self, hits: impl Iterator<Item = &'h Hit> + Clone) {
        let Correlator { set, windows, key, run: Run { places, next, .. }, .. } = self;
        places.clear();
        *next = 0;
        let seen = |seen: u64, more: u64| seen ^ more;
        let events = hits.clone().map(|hit| hit.event.line_no ^ hit.event.original.len() as u64).fold(0, seen);
        let values = hits.clone().map(|hit| u64::from(hit.values.first().is_some_and(Option::is_some))).fold(0, seen);
        for hit in hits {
            for index in &set.uses[hit.rule as usize].correlations {
                if write_key(&set.correlations[*index], hit, key) {
                    places.push(Place { table: *index, hash: windows[*index].hash(key), slot: None });
                }
            }
        }
        for place in &mut *places {
            place.slot = windows[place.table].likely_place(place.hash);
        }
        let found = || places.iter().filter_map(|place| Some(&windows[place.table]).zip(place.slot));
        let keys = found().map(|(table, slot)| table.look_at_key(slot)).fold(0, seen);
        let ends = found().map(|(table, slot)| table.at(slot).look_at_ends()).fold(0, seen);
        let proof = found().map(|(table, slot)| table.at(slot).look_at_proof()).fold(0, seen);
        std::hint::black_box((events, values, keys, ends, proof));
    }
}
