//! Fast path: the keys of a run of hits are written and hashed once, before the hits are counted, and what counting them will
//! touch is read. Groups lie far apart in memory, and a processor that knows of several reads waits for them at one
//! time. Assumes that hits are counted in the order of the run; where they are not, `next` has nothing, and the slow twin in
//! `propagate.rs` writes the key. Nothing is decided here.

use std::ops::Range;
use std::sync::Arc;

use rules::ruleset::{BoundCorrelation, RuleSet};

use crate::group_key::append_key;
use crate::groups::{GroupKey, LikelySlot};
use crate::hit::IndexedHit;
use crate::windows::Windows;

/// Hits that are prefetched, then counted, together.
pub(crate) const RUN_HITS: usize = 64;

/// The key of a hit for all correlations that group by the same fields.
#[derive(Debug)]
struct RunKey {
    /// Of the correlations: see `Prefetch::grouping`.
    grouping: u32,
    /// Where it stands in the texts; `None` where the hit lacks a field.
    text: Option<Range<usize>>,
    hash: u64,
    /// The text as groups keep it, once one of them does.
    kept: Option<Arc<str>>,
}

/// A hit's group in one correlation.
#[derive(Clone, Copy, Debug)]
struct RunGroup {
    /// Index of the correlation.
    index: u32,
    /// Position among the keys.
    key: u32,
    /// Where the group may be.
    slot: Option<u32>,
}

/// Where the groups of a run may be, in the order in which its hits are counted; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Prefetch {
    /// By correlation: equal numbers where they group by the same fields.
    grouping: Vec<u32>,
    texts: String,
    keys: Vec<RunKey>,
    groups: Vec<RunGroup>,
    /// The next group that is asked for.
    next: usize,
}

/// The keys of one hit that forgives, each written once for all correlations that group by the same fields; the memory is used
/// again. The slow twin is to write the key for each correlation.
#[derive(Debug)]
pub(crate) struct HitKeys {
    /// Memory for the key of a hit that is counted without a run.
    pub(crate) one: String,
    /// By correlation: see [`Prefetch::grouping`].
    grouping: Vec<u32>,
    texts: String,
    keys: Vec<RunKey>,
}

/// By correlation of a set: equal numbers where they group by the same fields.
fn groupings(set: &RuleSet) -> Vec<u32> {
    let first_alike = |bound: &BoundCorrelation| {
        set.correlations.iter().position(|known| known.group_by == bound.group_by).unwrap_or(0) as u32
    };
    set.correlations.iter().map(first_alike).collect()
}

impl HitKeys {
    /// For the correlations of a set.
    pub(crate) fn new(set: &RuleSet) -> Self {
        HitKeys { one: String::new(), grouping: groupings(set), texts: String::new(), keys: Vec::new() }
    }

    /// Another hit follows.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.texts.clear();
        self.keys.clear();
    }

    /// The hit's key in a correlation, and its hash; `None` where it lacks a field.
    #[inline]
    pub(crate) fn of(
        &mut self,
        index: usize,
        bound: &BoundCorrelation,
        hit: &IndexedHit,
        windows: &Windows,
    ) -> Option<(&str, u64)> {
        let HitKeys { grouping, texts, keys, .. } = self;
        let grouping = grouping[index];
        let known = keys.iter().position(|key| key.grouping == grouping);
        let at = known.unwrap_or_else(|| {
            keys.push(RunKey::written(grouping, bound, hit, windows, texts));
            keys.len() - 1
        });
        let RunKey { text, hash, .. } = keys.get(at)?;
        Some((texts.get(text.clone()?)?, *hash))
    }
}

impl RunKey {
    /// Writes the key of a hit behind other texts.
    fn written(
        grouping: u32,
        bound: &BoundCorrelation,
        hit: &IndexedHit,
        windows: &Windows,
        texts: &mut String,
    ) -> Self {
        let from = texts.len();
        let is_complete = append_key(bound, hit, texts);
        let hash = windows.hash(&texts[from..]);
        RunKey { grouping, text: is_complete.then_some(from..texts.len()), hash, kept: None }
    }
}

impl Prefetch {
    /// For the correlations of a set.
    pub(crate) fn new(set: &RuleSet) -> Self {
        Prefetch { grouping: groupings(set), ..Prefetch::default() }
    }

    /// Forgets the run: hits follow that were not prefetched.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
    }

    /// The group of the next hit in the next correlation over its rule: key, and where it may be; no key where the hit
    /// lacks a field. `None` where the run is another one.
    #[inline]
    pub(crate) fn next(&mut self, index: usize) -> Option<(Option<GroupKey<'_>>, LikelySlot)> {
        let RunGroup { key, slot, .. } = *self.groups.get(self.next).filter(|group| group.index as usize == index)?;
        self.next += 1;
        let RunKey { text, hash, kept, .. } = self.keys.get_mut(key as usize)?;
        let likely = LikelySlot { hash: *hash, slot: slot.map(|slot| slot as usize) };
        let text = text.clone().and_then(|text| self.texts.get(text));
        Some((text.map(|text| GroupKey { text, hash: *hash, kept }), likely))
    }

    /// Reads the memory that counting the hits will read. Each step is done for all hits before the next one, so that
    /// their waits for memory overlap. The values mean nothing: `black_box` keeps the compiler from removing the reads.
    pub(crate) fn read<'h>(
        &mut self,
        set: &RuleSet,
        windows: &Windows,
        hits: impl Iterator<Item = &'h IndexedHit> + Clone,
    ) {
        let mix = |read: u64, more: u64| read ^ more;
        let events = hits.clone().map(|hit| hit.event.line_no ^ hit.event.original().len() as u64).fold(0, mix);
        let values = hits.clone().map(|hit| u64::from(hit.values.is_empty())).fold(0, mix);
        self.write_keys(set, windows, hits);
        let Prefetch { keys, groups, .. } = self;
        for group in &mut *groups {
            let RunKey { text, hash, .. } = &keys[group.key as usize];
            let slot = text.as_ref().and_then(|_| windows.of(group.index as usize).likely_slot(*hash));
            group.slot = slot.map(|slot| slot as u32);
        }
        let found = || groups.iter().filter_map(|group| Some((windows.of(group.index as usize), group.slot? as usize)));
        let heads = found().map(|(groups, slot)| groups.prefetch_key(slot)).fold(0, mix);
        let windows_read = found().map(|(groups, slot)| groups.prefetch_window(slot)).fold(0, mix);
        let ends = found().map(|(groups, slot)| groups.prefetch_ends(slot)).fold(0, mix);
        let proof = found().map(|(groups, slot)| groups.prefetch_proof(slot)).fold(0, mix);
        std::hint::black_box((events, values, heads, windows_read, ends, proof));
    }

    /// Writes the keys of the hits, those of one hit once for each way to group.
    fn write_keys<'h>(&mut self, set: &RuleSet, windows: &Windows, hits: impl Iterator<Item = &'h IndexedHit>) {
        let Prefetch { grouping, texts, keys, groups, next, .. } = self;
        texts.clear();
        keys.clear();
        groups.clear();
        *next = 0;
        for hit in hits {
            let first = keys.len();
            for index in &set.uses[hit.rule as usize].correlations {
                let grouping = grouping[*index];
                let known = keys[first..].iter().position(|key| key.grouping == grouping);
                let key = known.map_or(keys.len(), |known| first + known);
                if known.is_none() {
                    keys.push(RunKey::written(grouping, &set.correlations[*index], hit, windows, texts));
                }
                groups.push(RunGroup { index: *index as u32, key: key as u32, slot: None });
            }
        }
    }
}
