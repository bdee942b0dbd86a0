//! Prefetch: what a run of hits will touch is read before they are counted. Groups lie far apart in memory, and a
//! processor that knows of several reads waits for them at one time. Nothing is decided here.

use rules::ruleset::RuleSet;

use crate::group_key::write_key;
use crate::groups::LikelySlot;
use crate::hit::IndexedHit;
use crate::windows::Windows;

/// Hits that are prefetched, then counted, together.
pub(crate) const RUN_HITS: usize = 64;

/// Where the windows of a run may be, in the order in which its hits are counted; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Prefetch {
    /// Index of the correlation, and slot among its groups.
    slots: Vec<(usize, LikelySlot)>,
    /// The next slot that is asked for.
    next: usize,
    /// For keys, used again.
    key: String,
}

impl Prefetch {
    /// Forgets the run: hits follow that were not prefetched.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Where the window of the next hit that has a group may be. Hits are counted in the order in which they were
    /// prefetched.
    #[inline]
    pub(crate) fn next(&mut self, index: usize) -> Option<LikelySlot> {
        let slot = self.slots.get(self.next).filter(|(of, _)| *of == index).map(|(_, slot)| *slot);
        self.next += usize::from(slot.is_some());
        slot
    }

    /// Reads the memory that counting the hits will read. Each step is done for all hits before the next one, so that
    /// their waits for memory overlap. The values mean nothing: `black_box` keeps the compiler from removing the reads.
    pub(crate) fn read<'h>(
        &mut self,
        set: &RuleSet,
        windows: &Windows,
        hits: impl Iterator<Item = &'h IndexedHit> + Clone,
    ) {
        let Prefetch { slots, next, key } = self;
        slots.clear();
        *next = 0;
        let mix = |read: u64, more: u64| read ^ more;
        let events = hits.clone().map(|hit| hit.event.line_no ^ hit.event.original.len() as u64).fold(0, mix);
        let values = hits.clone().map(|hit| u64::from(hit.values.first().is_some_and(Option::is_some))).fold(0, mix);
        for hit in hits {
            for index in &set.uses[hit.rule as usize].correlations {
                if write_key(&set.correlations[*index], hit, key) {
                    slots.push((*index, LikelySlot { hash: windows.of(*index).hash(key), slot: None }));
                }
            }
        }
        for (index, likely) in &mut *slots {
            likely.slot = windows.of(*index).likely_slot(likely.hash);
        }
        let found = || slots.iter().filter_map(|(index, likely)| Some((windows.of(*index), likely.slot?)));
        let keys = found().map(|(groups, slot)| groups.prefetch_key(slot)).fold(0, mix);
        let ends = found().map(|(groups, slot)| groups.at(slot).prefetch_ends()).fold(0, mix);
        let proof = found().map(|(groups, slot)| groups.at(slot).prefetch_proof()).fold(0, mix);
        std::hint::black_box((events, values, keys, ends, proof));
    }
}
