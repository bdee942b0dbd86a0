//! Verdicts that outlive a batch: which predicates hold for a value, remembered for values that come again.
//!
//! Keys are compared byte for byte, so that no hash collision can turn into a wrong verdict. The cache is bounded and
//! forgets by overwriting. Where values hardly repeat, it is not used for a number of look-ups.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::rest::{Rest, RestRule};

/// Slots per column; one value each.
const SLOTS: usize = 1 << 14;
/// Slots of a column that packs look at, whose values are costly to decide.
const SLOTS_OF_COSTLY: usize = 1 << 16;
/// Slots for short texts, and slots for numbers.
const SMALL_SLOTS: usize = 1 << 10;
/// Longest value that is remembered.
const VALUE_BYTES_MAX: usize = 512;
/// Verdicts per column before everything is forgotten.
const VERDICTS_MAX: usize = 1 << 16;
/// A miss costs more than a hit saves: one in three must hit, or one in five where a value is costly to decide.
const REST: RestRule = RestRule { lookups: 4096, known_min: 4096 / 3, rest_min: 4096, rest_max: 262_144 };
const REST_OF_COSTLY: RestRule = RestRule { known_min: 4096 / 5, ..REST };

/// Number of a verdict. 0 means that no predicate holds. Numbers with the highest bit are of verdicts that end with
/// their batch.
pub(super) type VerdictId = u32;
const PASSING: VerdictId = 1 << 31;

/// What a predicate means for the row in which it holds, or what those of a value mean together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    /// It triggers a rule.
    pub(super) triggers: bool,
    /// Gates that it closes, as bits.
    pub(super) closes: u128,
}

impl Role {
    fn of(held: &[u32], roles: &[Role]) -> Self {
        held.iter().fold(Role::default(), |all, predicate| {
            let Role { triggers, closes } = roles[*predicate as usize];
            Role { triggers: all.triggers | triggers, closes: all.closes | closes }
        })
    }
}

/// The predicates that hold for a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict<'a> {
    pub(super) held: &'a [u32],
    pub(super) role: Role,
    /// Columns that hold parts of this text (`url.path` of `url.original`) must be searched.
    pub(super) opens_parts: bool,
}

/// A verdict in a pool of predicates.
#[derive(Clone, Copy, Debug)]
struct Pooled {
    start: usize,
    end: usize,
    role: Role,
    opens_parts: bool,
}

/// Verdicts of one batch, on values that are not remembered.
#[derive(Debug, Default)]
struct Passing {
    pool: Vec<u32>,
    list: Vec<Pooled>,
}

/// All verdicts of one column.
#[derive(Debug)]
pub(super) struct Verdicts {
    list: Vec<(Box<[u32]>, Role, bool)>,
    /// Verdict by its predicates: first those that do not open parts, then those that do.
    known: [HashMap<Box<[u32]>, VerdictId>; 2],
    passing: Passing,
}

impl Verdicts {
    pub(super) fn new() -> Self {
        let nothing = (Box::from([]), Role::default(), false);
        Verdicts { list: vec![nothing], known: [HashMap::new(), HashMap::new()], passing: Passing::default() }
    }

    #[inline]
    pub(super) fn of(&self, id: VerdictId) -> Verdict<'_> {
        if id & PASSING != 0 {
            let Pooled { start, end, role, opens_parts } = self.passing.list[(id & !PASSING) as usize];
            return Verdict { held: &self.passing.pool[start..end], role, opens_parts };
        }
        let (held, role, opens_parts) = &self.list[id as usize];
        Verdict { held, role: *role, opens_parts: *opens_parts }
    }

    /// Forgets the verdicts that are not kept: a new batch begins.
    pub(super) fn begin_batch(&mut self) {
        self.passing.pool.clear();
        self.passing.list.clear();
    }

    /// A verdict of this batch alone.
    pub(super) fn pass(&mut self, held: &[u32], opens_parts: bool, roles: &[Role]) -> VerdictId {
        if held.is_empty() && !opens_parts {
            return 0;
        }
        let Passing { pool, list } = &mut self.passing;
        let start = pool.len();
        pool.extend_from_slice(held);
        list.push(Pooled { start, end: pool.len(), role: Role::of(held, roles), opens_parts });
        PASSING | (list.len() as VerdictId - 1)
    }

    /// Number of the verdict with these predicates, kept from batch to batch. Sorts `held`.
    pub(super) fn intern(&mut self, held: &mut [u32], opens_parts: bool, roles: &[Role]) -> VerdictId {
        if held.is_empty() && !opens_parts {
            return 0;
        }
        held.sort_unstable();
        let known = &mut self.known[usize::from(opens_parts)];
        if let Some(id) = known.get(&*held) {
            return *id;
        }
        let id = self.list.len() as VerdictId;
        self.list.push(((&*held).into(), Role::of(held, roles), opens_parts));
        known.insert((&*held).into(), id);
        id
    }

    /// More verdicts than a column should have: the caller must clear, together with its cache, between batches.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() > VERDICTS_MAX
    }
}

#[derive(Clone, Debug, Default)]
struct Slot {
    hash: u64,
    tag: u8,
    used: bool,
    verdict: VerdictId,
    value: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct InlineSlot {
    view: u128,
    verdict: VerdictId,
}

/// Value → verdict, for one column.
#[derive(Debug)]
pub(super) struct Cache {
    slots: Vec<Slot>,
    /// Values of at most 12 bytes: the view is the value. View 0 is the empty text.
    inline: Vec<InlineSlot>,
    longs: Vec<Option<(i64, VerdictId)>>,
    hasher: RandomState,
    rest: Rest,
    /// Values are costly to decide.
    costly: bool,
}

const INLINE_FREE: u128 = u128::MAX;

impl Cache {
    pub(super) fn new(costly: bool) -> Self {
        Cache {
            costly,
            slots: Vec::new(),
            inline: Vec::new(),
            longs: Vec::new(),
            hasher: RandomState::default(),
            rest: Rest::new(if costly { REST_OF_COSTLY } else { REST }),
        }
    }

    pub(super) fn hash(&self, value: &[u8]) -> u64 {
        self.hasher.hash_one(value)
    }

    #[inline]
    pub(super) fn inline(&self, view: u128) -> Option<VerdictId> {
        self.inline.get(Self::inline_slot(view)).filter(|slot| slot.view == view).map(|slot| slot.verdict)
    }

    #[inline]
    fn inline_slot(view: u128) -> usize {
        let folded = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (folded >> 54) as usize
    }

    pub(super) fn remember_inline(&mut self, view: u128, verdict: VerdictId) {
        // Made on first use: no batch ever has most of the columns that rules name.
        if self.inline.is_empty() {
            self.inline = vec![InlineSlot { view: INLINE_FREE, verdict: 0 }; SMALL_SLOTS];
        }
        self.inline[Self::inline_slot(view)] = InlineSlot { view, verdict };
    }

    #[inline]
    pub(super) fn long(&self, number: i64) -> Option<VerdictId> {
        let slot = self.longs.get(number as usize % SMALL_SLOTS)?;
        slot.filter(|(known, _)| *known == number).map(|(_, verdict)| verdict)
    }

    pub(super) fn remember_long(&mut self, number: i64, verdict: VerdictId) {
        if self.longs.is_empty() {
            self.longs = vec![None; SMALL_SLOTS];
        }
        self.longs[number as usize % SMALL_SLOTS] = Some((number, verdict));
    }

    /// Whether longer values are being remembered at the moment.
    #[inline]
    pub(super) fn is_awake(&mut self, length: usize) -> bool {
        !self.rest.is_resting() && length <= VALUE_BYTES_MAX
    }

    #[inline]
    pub(super) fn long_value(&mut self, hash: u64, value: &[u8], tag: u8) -> Option<VerdictId> {
        if self.slots.is_empty() {
            self.slots.resize(if self.costly { SLOTS_OF_COSTLY } else { SLOTS }, Slot::default());
        }
        self.rest.look_up();
        let place = hash as usize % self.slots.len().max(2);
        let is_it = |slot: &&Slot| slot.used && slot.hash == hash && slot.tag == tag && slot.value == value;
        let found = [place, place ^ 1].into_iter().map(|place| &self.slots[place]).find(is_it).map(|slot| slot.verdict);
        if found.is_some() {
            self.rest.know();
        }
        found
    }

    pub(super) fn remember(&mut self, hash: u64, value: &[u8], tag: u8, verdict: VerdictId) {
        // Two places for each value, so that two frequent ones do not push each other out.
        let place = hash as usize % self.slots.len().max(2);
        self.slots.swap(place, place ^ 1);
        let slot = &mut self.slots[place];
        slot.value.clear();
        slot.value.extend_from_slice(value);
        (slot.hash, slot.tag, slot.used, slot.verdict) = (hash, tag, true, verdict);
    }
}
