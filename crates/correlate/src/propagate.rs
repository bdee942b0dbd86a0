//! How a hit is counted: in the group of every correlation over its rule, and what fires there in the correlations over
//! that one. Windows that a hit comes to out of order are counted again from here, because that may fire as well.

use std::sync::Arc;

use event::Timestamp;
use rules::ruleset::{BoundCorrelation, RuleSet};

use crate::episode::RuleRef;
use crate::group_key::{group_text, lacking, write_key};
use crate::groups::GroupKey;
use crate::hit::IndexedHit;
use crate::one_event::waits_after;
use crate::out_of_order::OutOfOrderGroup;
use crate::prefetch::Prefetch;
use crate::setup::HitOrder;
use crate::state::State;
use crate::watch::Outcome;
use crate::window::added::{Added, LeftOut};
use crate::window::arrival::Arrival;

/// What brings a hit to a correlation: a rule that matched, or a correlation that fires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal {
    /// See [`rules::ruleset::RuleSet::signal_of`].
    number: usize,
    /// The correlation fired already: it is still there, but not once more.
    still_firing: bool,
    /// The windows of the hit were prefetched, with the run that it belongs to.
    prefetched: bool,
}

impl Signal {
    /// A rule matched; the hit belongs to a run that was prefetched, or that was cleared.
    pub(crate) fn matched(hit: &IndexedHit) -> Self {
        Signal { number: hit.rule as usize, still_firing: false, prefetched: true }
    }

    /// A correlation fires, by its number as a signal.
    pub(crate) fn fired(number: usize, still_firing: bool) -> Self {
        Signal { number, still_firing, prefetched: false }
    }
}

/// A hit on its way through the correlations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalledHit<'a> {
    pub(crate) signal: Signal,
    pub(crate) hit: &'a IndexedHit,
    /// When it counts.
    pub(crate) time: Timestamp,
    /// It is older than the newest event by more than the lateness.
    pub(crate) late: bool,
}

impl State {
    /// Counts the hit in every correlation over its signal. `set` is the set at work, which callers hold for a whole run
    /// of hits.
    pub(crate) fn correlate(&mut self, set: &RuleSet, signalled: SignalledHit<'_>) {
        let SignalledHit { signal, hit, .. } = signalled;
        let mut run = if signal.prefetched { std::mem::take(&mut self.prefetch) } else { Prefetch::default() };
        let mut key = std::mem::take(&mut self.hit_keys.one);
        let mut fired = Vec::new();
        for index in &set.uses[signal.number].correlations {
            let bound = &set.correlations[*index];
            let mut kept = None;
            let (group, slot) = match run.next(*index) {
                Some((group, likely)) => {
                    let slot = group.as_ref().and_then(|key| self.windows.of(*index).slot_at(likely, key.text));
                    (group, slot)
                }
                None if write_key(bound, hit, &mut key) => {
                    let hash = self.windows.hash(&key);
                    let slot = self.windows.of(*index).slot_of(hash, &key);
                    (Some(GroupKey { text: &key, hash, kept: &mut kept }), slot)
                }
                None => (None, None),
            };
            let Some(group) = group else {
                self.counts.ungrouped += 1;
                self.watch_ungrouped(bound, *index, signalled);
                continue;
            };
            if let Some(still_firing) = self.count_in(set, *index, slot, group, signalled) {
                fired.push(Signal::fired(set.signal_of(*index), still_firing));
            }
        }
        self.hit_keys.one = key;
        if signal.prefetched {
            self.prefetch = run;
        }
        self.forgive(set, signalled);
        for signal in fired {
            self.correlate(set, SignalledHit { signal, ..signalled });
        }
    }

    /// Counts the hit in its group of one correlation. Where that fires: whether it was firing before.
    fn count_in(
        &mut self,
        set: &RuleSet,
        index: usize,
        slot: Option<usize>,
        mut key: GroupKey<'_>,
        signalled: SignalledHit<'_>,
    ) -> Option<bool> {
        let SignalledHit { signal, hit, time, late } = signalled;
        let bound = &set.correlations[index];
        // A late hit of a rule whose windows are judged at their end: its window has been judged already.
        let judged = late && bound.waits_for_close;
        let covers = |slot| self.windows.of(index).covers(slot, time, bound.rule.timespan_us);
        if judged && !slot.is_some_and(covers) {
            self.counts.left_out += 1;
            return None;
        }
        let arrival = Arrival {
            bound,
            index,
            signal: signal.number,
            hit,
            time,
            newest_proof_only: false,
            idle_us: self.setup.idle_us(bound),
            retention_us: self.setup.retention_us(bound),
            still_firing: signal.still_firing,
            as_arrived: self.setup.order == HitOrder::AsArrived,
        };
        let (slot, added) = match slot {
            Some(slot) => (slot, self.windows.add(slot, key.text, arrival)),
            None if self.forgives_at_once(set, &arrival) => return None,
            None => {
                self.evict_for_new(index);
                self.windows.open(&mut key, arrival)
            }
        };
        self.note_added(&added);
        if added.out_of_order && self.out_of_order.note(index, key.text, hit, time) {
            self.recount_out_of_order();
        }
        if added.begins {
            self.begin_finding(bound, index, slot, key.text, hit);
        }
        if added.fires {
            self.list_finding(index, slot, key.text);
        }
        self.watch_counted(index, key.text, signalled, &added);
        if let Some(ended) = &added.ended {
            self.close(ended);
        }
        self.enforce_budget();
        added.fires.then_some(!added.restarts)
    }

    /// Fast path: whether the group that the hit would open is emptied again by the hit itself, which the correlation both
    /// counts and is forgiven by, as for logins that end a guess. Assumes that nothing comes of one event alone. Its slow
    /// twin is to open the group and to forgive it, which whoever watches the correlation still sees; tests compare the two.
    fn forgives_at_once(&self, set: &RuleSet, arrival: &Arrival<'_>) -> bool {
        let Arrival { bound, index, signal, hit, .. } = *arrival;
        set.uses[signal].forgives.contains(&index) && self.watch.is_none() && waits_after(bound, hit)
    }

    /// Makes room for a new group: where there are too many groups, one is evicted.
    fn evict_for_new(&mut self, index: usize) {
        if self.windows.of(index).len() >= self.setup.options.groups_max {
            self.evict_group(index);
        }
    }

    fn note_added(&mut self, added: &Added) {
        self.counts.proof_dropped += added.proof_dropped;
        self.counts.cut += u64::from(added.cut);
        self.counts.not_numeric += u64::from(added.left_out == Some(LeftOut::NotNumeric));
        self.counts.left_out += u64::from(added.left_out == Some(LeftOut::TooOld));
    }

    /// Takes back what groups of the hit have counted, in correlations that its signal forgives.
    fn forgive(&mut self, set: &RuleSet, signalled: SignalledHit<'_>) {
        let SignalledHit { signal, hit, time, .. } = signalled;
        let State { windows, hit_keys, counts, .. } = self;
        hit_keys.begin();
        for index in &set.uses[signal.number].forgives {
            // Most have nothing to forgive.
            if windows.of(*index).len() == 0 {
                continue;
            }
            let bound = &set.correlations[*index];
            let key = hit_keys.of(*index, bound, hit, windows);
            if let Some(slot) = key.and_then(|(key, hash)| windows.of(*index).slot_of(hash, key)) {
                windows.forgive(bound, *index, slot, hit, time);
                counts.forgiven += 1;
            }
        }
    }

    /// A finding of a correlation begins with the hit: it shows the events of the correlations that it counts, and
    /// takes up the risk of its entity.
    fn begin_finding(&mut self, bound: &BoundCorrelation, index: usize, slot: usize, key: &str, hit: &IndexedHit) {
        let State { setup, windows, risks, .. } = self;
        let set = &setup.set;
        let chained = bound.bases_of_same_groups(set).map(|base| (base, &set.correlations[base]));
        windows.begin_with(bound, index, key, hit, chained);
        if !setup.is_muted(RuleRef::Correlation(index))
            && let Some(episode) = windows.firing_mut(index, slot)
        {
            risks.assign(&setup.set, episode, hit.event.id);
        }
    }

    /// Lists the finding of a window as changed.
    fn list_finding(&mut self, index: usize, slot: usize, key: &str) {
        if self.windows.list(index, slot) {
            self.findings.list(RuleRef::Correlation(index), key);
        }
    }

    /// Counts the windows again that hits have come to out of order. What fires may bring hits out of order to others.
    pub(crate) fn recount_out_of_order(&mut self) {
        loop {
            let groups = self.out_of_order.take();
            if groups.is_empty() {
                return;
            }
            groups.iter().for_each(|group| self.recount(group));
        }
    }

    fn recount(&mut self, group: &OutOfOrderGroup) {
        let OutOfOrderGroup { index, key, times, hit } = group;
        let set = Arc::clone(&self.setup.set);
        let bound = &set.correlations[*index];
        let Some(slot) = self.windows.of(*index).slot(key) else { return };
        let recounted = self.windows.recount(bound, *index, slot, *times, &group_text(bound, hit));
        if !recounted.fires {
            return;
        }
        if recounted.begins {
            self.begin_finding(bound, *index, slot, key, hit);
        }
        self.list_finding(*index, slot, key);
        let signal = Signal::fired(set.signal_of(*index), !recounted.restarts);
        self.correlate(&set, SignalledHit { signal, hit, time: times.1, late: false });
    }

    /// Tells whoever watches the correlation that the hit belongs to no group.
    fn watch_ungrouped(&mut self, bound: &BoundCorrelation, index: usize, signalled: SignalledHit<'_>) {
        if let Some(watch) = self.watch.as_deref_mut().filter(|watch| watch.is_of(index)) {
            let reason = format!("it lacks {}", lacking(bound, signalled.hit).join(", "));
            let rule = self.setup.set.heads().nth(signalled.signal.number).map(|head| head.title.as_str());
            watch.event(signalled.hit.event.line_no, rule.unwrap_or_default(), Outcome::Ungrouped(reason));
        }
    }

    /// Tells whoever watches the correlation what became of the hit.
    #[inline]
    fn watch_counted(&mut self, index: usize, key: &str, signalled: SignalledHit<'_>, added: &Added) {
        let Some(watch) = self.watch.as_deref_mut().filter(|watch| watch.is_of(index)) else { return };
        let bound = &self.setup.set.correlations[index];
        let Some(window) = self.windows.of(index).get(bound, key) else { return };
        let window = crate::group_view::view(bound, key, &window, self.clock.newest());
        let rule = self.setup.set.heads().nth(signalled.signal.number).map(|head| head.title.as_str());
        let left_out = added.left_out.map(|why| why.reason().to_owned());
        let outcome = Outcome::Counted { window: Box::new(window), left_out, fires: added.fires };
        watch.event(signalled.hit.event.line_no, rule.unwrap_or_default(), outcome);
    }
}
