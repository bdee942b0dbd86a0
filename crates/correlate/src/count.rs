//! A hit counts in the groups of the correlations over its signal, and what those make of it counts in others.

use std::sync::Arc;

use event::{Hit, Timestamp};
use rules::ruleset::BoundCorrelation;

use crate::ahead::Place;
use crate::episode::Source;
use crate::explained::Witnessed;
use crate::window::{Arrival, LeftOut, Window};
use crate::{Correlator, Signal, group};

impl Correlator {
    /// Counts the hit in every correlation over its signal (its rule, or a correlation that it made fire).
    pub(super) fn correlate(&mut self, signal: Signal, hit: &Hit, time: Timestamp, late: bool) {
        let set = Arc::clone(&self.set);
        let mut key = std::mem::take(&mut self.key);
        let mut fired = Vec::new();
        for index in &set.uses[signal.number].correlations {
            let bound = &set.correlations[*index];
            if !group::write_key(bound, hit, &mut key) {
                self.counts.ungrouped += 1;
                let lacking = || format!("it lacks {}", group::lacking(bound, hit).join(", "));
                if self.watch.is_some() {
                    self.witness(*index, signal.number, hit, Witnessed::LeftOut(lacking()));
                }
                continue;
            }
            let place = if signal.ahead { self.place_ahead(*index, &key) } else { self.windows[*index].place(&key) };
            if let Some(goes_on) = self.count_in(*index, (place, &key), signal, hit, time, late) {
                fired.push(Signal { number: set.signal_of(*index), goes_on, ahead: false });
            }
        }
        self.forgive(signal.number, hit, time, &mut key);
        self.key = key;
        for signal in fired {
            self.correlate(signal, hit, time, late);
        }
    }

    /// Counts the hit in its group of one correlation. Where that fires: whether it went on firing.
    fn count_in(
        &mut self,
        index: usize,
        (place, key): (Option<usize>, &str),
        signal: Signal,
        hit: &Hit,
        time: Timestamp,
        late: bool,
    ) -> Option<bool> {
        let set = Arc::clone(&self.set);
        let bound = &set.correlations[index];
        let place = self.place_in(index, (place, key), time, late)?;
        let keep_us = self.keep_us(bound);
        let window = self.windows[index].at_mut(place);
        let (proof, bytes) = (window.proof_bytes(), window.bytes());
        let lean = self.window_proof > self.options.proof_bytes_max / 2;
        let spent = self.spent.len();
        let arrival = Arrival {
            bound,
            index,
            signal: signal.number,
            hit,
            time,
            lean,
            quiet_us: self.options.fold_gap_us.max(bound.rule.timespan_us),
            keep_us,
            goes_on: signal.goes_on,
            live: self.options.live,
        };
        let due = bound.waits_for_close && window.is_empty();
        let added = window.add(arrival, &mut self.spent);
        if lean {
            self.counts.proof_dropped += (self.spent.len() - spent) as u64;
        }
        self.window_proof = (self.window_proof + window.proof_bytes()).saturating_sub(proof);
        self.weights.change(index, bytes, window.bytes());
        self.counts.cut += u64::from(added.cut);
        self.counts.not_numeric += u64::from(added.left_out == Some(LeftOut::NotNumeric));
        self.counts.left_out += u64::from(added.left_out == Some(LeftOut::TooOld));
        if due {
            self.due.add(time.saturating_add_us(bound.rule.timespan_us), index, key);
        }
        if added.stray {
            self.note_stray(index, key, hit, time);
        }
        if added.begins {
            self.begin(index, place, key, hit);
        }
        if added.fires {
            self.note_firing(index, place, key);
        }
        if self.watch.is_some() {
            let left_out = added.left_out.map(|why| why.reason().to_owned());
            self.witness(index, signal.number, hit, Witnessed::Counted { key, left_out, fires: added.fires });
        }
        if let Some(ended) = added.ended {
            self.close(*ended);
        }
        self.bound_windows();
        added.fires.then_some(!added.anew)
    }

    /// Where the group's window is, by what was looked at before; what has moved since is looked for again.
    fn place_ahead(&mut self, index: usize, key: &str) -> Option<usize> {
        let table = &self.windows[index];
        match self.run.next_place(index) {
            Some(Place { slot: Some(slot), .. }) if table.is_at(slot, key) => Some(slot),
            Some(Place { hash, .. }) => {
                debug_assert_eq!(hash, table.hash(key), "looked at in another order");
                table.place_of(hash, key)
            }
            None => table.place(key),
        }
    }

    /// Where the group's window is, which is made if need be. `None`: the hit comes too late for it.
    fn place_in(
        &mut self,
        index: usize,
        (place, key): (Option<usize>, &str),
        time: Timestamp,
        late: bool,
    ) -> Option<usize> {
        let bound = &self.set.correlations[index];
        let table = &mut self.windows[index];
        // What waits for its end has been judged without what comes now.
        let judged = late && bound.waits_for_close;
        if judged && place.is_none_or(|place| !table.at(place).covers(time, bound.rule.timespan_us)) {
            self.counts.left_out += 1;
            return None;
        }
        if place.is_some() {
            return place;
        }
        if table.len() >= self.options.groups_max {
            self.evict_group(index);
        }
        let window = Window::default();
        self.weights.change(index, 0, window.bytes());
        Some(self.windows[index].push(key, window))
    }

    /// How long events stay beyond the time span: for what may come late.
    fn keep_us(&self, bound: &BoundCorrelation) -> i64 {
        let late_us = if self.options.live { self.options.lateness_us } else { 0 };
        bound.base_delay_us.saturating_add(late_us)
    }

    /// A finding of a correlation begins with the hit.
    pub(super) fn begin(&mut self, index: usize, place: usize, key: &str, hit: &Hit) {
        self.prove(index, key, hit);
        self.take_up_risk(index, place, hit.event.id);
    }

    pub(super) fn note_firing(&mut self, index: usize, place: usize, key: &str) {
        let window = self.windows[index].at_mut(place);
        if !window.noted {
            window.noted = true;
            self.noted.push((Source::Correlation(index), key.into()));
        }
    }
}
