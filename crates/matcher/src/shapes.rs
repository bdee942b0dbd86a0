//! Fast path: texts of a column that differ alone in their numbers, and in words that nothing looks for, are searched once.
//! What a search of their shape nominates is remembered by it, and checked on each text. Assumes what
//! `patterns::search::shape` and `patterns::search::words` do. The slow twin is `rules::evaluate`, which knows of no shape:
//! the oracle's tests compare the two.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use memchr::memchr;
use patterns::normalise::has_utf7;
use patterns::search::shape::write_shape;
use patterns::search::words::KnownWords;
use patterns::{Engine, JudgedTexts};

use crate::cache::VerdictId;
use crate::plan::{Nominee, Plan};

/// Shapes of one column that are remembered; beyond it all are forgotten.
const SHAPES_MAX: usize = 1 << 12;
/// Look-ups after which the share of known shapes is judged.
const PROBE_LOOKUPS: u32 = 2048;
/// Of those so many must be known, or shapes rest for a number of texts, doubled each time.
const KNOWN_MIN: u32 = PROBE_LOOKUPS / 4 * 3;
const REST_MIN: u32 = 1 << 14;
const REST_MAX: u32 = 1 << 20;

/// What texts of one shape have in common.
#[derive(Debug)]
pub(super) struct Shape {
    key: Box<[u8]>,
    hash: u64,
    /// Predicates that hold for each text.
    pub(super) held: Box<[u32]>,
    /// Predicates that may hold, in order: those that are checked on each text, and those that rules check where they come
    /// to ask for them. No other holds, but for packs.
    pub(super) nominated: Box<[u32]>,
    pub(super) possible: Box<[u32]>,
    /// Columns that hold parts of such a text must be searched.
    pub(super) opens_parts: bool,
    /// What each engine does with the texts; empty where none has to do anything.
    pub(super) judged: Box<[JudgedTexts]>,
    /// The verdict on texts that no engine has to do anything with, once there was one.
    pub(super) settled: Option<VerdictId>,
}

impl Shape {
    /// Whether no engine has to do anything with the text.
    #[inline]
    pub(super) fn settles(&self, text: &str) -> bool {
        self.judged.iter().all(|judged| judged.settles(text))
    }
}

/// The shapes of one column.
#[derive(Debug)]
pub(super) struct Shapes {
    list: Vec<Shape>,
    by_key: HashTable<u32>,
    hasher: RandomState,
    /// The shape at hand, and its key; the memory is used again.
    written: Vec<u8>,
    key: Vec<u8>,
    words: KnownWords,
    /// The column has none.
    are_off: bool,
    /// Shapes are known by their words, because too few were known without.
    by_words: bool,
    lookups: u32,
    known: u32,
    resting: u32,
    rest: u32,
}

impl Shapes {
    pub(super) fn new(plan: &Plan) -> Self {
        Shapes {
            list: Vec::new(),
            by_key: HashTable::new(),
            hasher: RandomState::default(),
            written: Vec::new(),
            key: Vec::new(),
            words: KnownWords::default(),
            // A search for few literals costs less than to write a shape.
            are_off: !plan.reads_shapes() || !plan.has_packs(),
            by_words: false,
            lookups: 0,
            known: 0,
            resting: 0,
            rest: REST_MIN,
        }
    }

    /// What is known of the text's shape, which is searched where it is new. `None` where the text must be searched.
    /// `asked_last`: see [`crate::group::Group`].
    #[inline]
    pub(super) fn of(&mut self, plan: &Plan, asked_last: &[bool], text: &str) -> Option<&mut Shape> {
        if self.are_off {
            return None;
        }
        if self.resting > 0 {
            self.resting -= 1;
            return None;
        }
        if !write_shape(text.as_bytes(), &mut self.written) {
            return None;
        }
        // Nothing percent-encodes its plus.
        if memchr(b'+', text.as_bytes()).is_some() && has_utf7(text) {
            return None;
        }
        if self.by_words {
            plan.touched().write_key(&self.written, &mut self.words, &mut self.key);
        } else {
            self.key.clear();
            self.key.extend_from_slice(&self.written);
        }
        self.lookups += 1;
        if self.lookups == PROBE_LOOKUPS {
            self.judge_use();
        }
        let hash = self.hasher.hash_one(&*self.key);
        let Shapes { list, by_key, key, .. } = self;
        let found = by_key.find(hash, |at| *list[*at as usize].key == **key).copied();
        let at = match found {
            Some(at) => {
                self.known += 1;
                at
            }
            None => self.search(plan, asked_last, hash)?,
        };
        self.list.get_mut(at as usize)
    }

    fn judge_use(&mut self) {
        if self.known >= KNOWN_MIN {
            self.rest = REST_MIN;
        } else if !self.by_words {
            self.by_words = true;
            self.list.clear();
            self.by_key.clear();
        } else {
            self.resting = self.rest;
            self.rest = (self.rest * 2).min(REST_MAX);
        }
        (self.lookups, self.known) = (0, 0);
    }

    /// Searches a shape that is new, and gives its place.
    #[cold]
    fn search(&mut self, plan: &Plan, asked_last: &[bool], hash: u64) -> Option<u32> {
        if self.list.len() >= SHAPES_MAX {
            self.list.clear();
            self.by_key.clear();
        }
        let written = std::str::from_utf8(&self.written).ok()?;
        let (mut held, mut nominated) = (Vec::new(), plan.unfiltered.clone());
        let literals = plan.literals();
        let mut opens_parts = literals.is_none();
        plan.shaped().find(literals, written.as_bytes(), |literal, stands| {
            for Nominee { predicate, place } in &plan.sought.nominated[literal] {
                match (place, stands) {
                    (Some(place), Some((start, end))) if Nominee::holds(*place, start, end, written.len()) => {
                        held.push(*predicate);
                    }
                    // Where it stands it does not count, whatever the text.
                    (Some(_), Some(_)) => {}
                    _ => nominated.push(*predicate),
                }
            }
            opens_parts |= plan.sought.opens_parts[literal];
        });
        held.sort_unstable();
        held.dedup();
        nominated.sort_unstable();
        nominated.dedup();
        nominated.retain(|predicate| held.binary_search(predicate).is_err());
        // Each word has a letter at the least.
        let judged = |engine: &Engine| engine.judged_of_shape(written, self.key.len());
        let (possible, nominated): (Vec<u32>, Vec<u32>) =
            nominated.into_iter().partition(|predicate| asked_last[*predicate as usize]);
        let mut judged: Vec<JudgedTexts> = plan.engines().iter().map(judged).collect();
        if judged.iter().all(JudgedTexts::is_none) {
            judged.clear();
        }
        let key: Box<[u8]> = self.key.as_slice().into();
        let at = self.list.len() as u32;
        self.list.push(Shape {
            key,
            hash,
            held: held.into(),
            nominated: nominated.into(),
            possible: possible.into(),
            opens_parts,
            judged: judged.into(),
            settled: None,
        });
        self.by_key.insert_unique(hash, at, |at| self.list[*at as usize].hash);
        Some(at)
    }
}
