//! Fast path: texts of a column that differ in their numbers alone are searched once. What a search of their shape nominates
//! is remembered by it, and checked on each text. Assumes what `patterns::search::shape` does. The slow twin is
//! `rules::evaluate`, which knows of no shape: the oracle's tests compare the two.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use patterns::JudgedTexts;
use patterns::search::shape::write_shape;

use crate::plan::Plan;
use crate::rest::{Rest, RestRule};

/// Shapes of one column that are remembered; beyond it all are forgotten.
const SHAPES_MAX: usize = 1 << 12;
/// Three in four shapes must be known.
const REST: RestRule = RestRule { lookups: 2048, known_min: 1536, rest_min: 1 << 14, rest_max: 1 << 20 };

/// What texts of one shape have in common.
#[derive(Debug)]
pub(super) struct Shape {
    text: Box<[u8]>,
    hash: u64,
    /// Predicates that may hold, in order; no other does, but for packs.
    pub(super) nominated: Box<[u32]>,
    /// Columns that hold parts of such a text must be searched.
    pub(super) opens_parts: bool,
    /// Which of the texts each engine judges; empty where none does.
    pub(super) judged: Box<[JudgedTexts]>,
}

/// The shapes of one column.
#[derive(Debug)]
pub(super) struct Shapes {
    list: Vec<Shape>,
    by_text: HashTable<u32>,
    hasher: RandomState,
    /// The shape at hand; the memory is used again.
    written: Vec<u8>,
    /// The column has none.
    are_off: bool,
    rest: Rest,
}

impl Shapes {
    pub(super) fn new(plan: &Plan) -> Self {
        Shapes {
            list: Vec::new(),
            by_text: HashTable::new(),
            hasher: RandomState::default(),
            written: Vec::new(),
            are_off: !plan.reads_shapes(),
            rest: Rest::new(REST),
        }
    }

    /// What is known of the text's shape, which is searched where it is new. `None` where the text must be searched.
    #[inline]
    pub(super) fn of(&mut self, plan: &Plan, text: &str) -> Option<&Shape> {
        if self.are_off || self.rest.is_resting() {
            return None;
        }
        if !write_shape(text.as_bytes(), &mut self.written) {
            return None;
        }
        self.rest.look_up();
        let hash = self.hasher.hash_one(&*self.written);
        let Shapes { list, by_text, written, .. } = self;
        let found = by_text.find(hash, |at| *list[*at as usize].text == **written).copied();
        let at = match found {
            Some(at) => {
                self.rest.know();
                at
            }
            None => self.search(plan, hash)?,
        };
        self.list.get(at as usize)
    }

    /// Searches a shape that is new, and gives its place.
    #[cold]
    fn search(&mut self, plan: &Plan, hash: u64) -> Option<u32> {
        if self.list.len() >= SHAPES_MAX {
            self.list.clear();
            self.by_text.clear();
        }
        let written = std::str::from_utf8(&self.written).ok()?;
        let mut nominated = plan.unfiltered.clone();
        let literals = plan.literals();
        let mut opens_parts = literals.is_none();
        plan.shaped().find(literals, written.as_bytes(), |literal| {
            nominated.extend(plan.sought.nominated[literal].iter().map(|nominee| nominee.predicate));
            opens_parts |= plan.sought.opens_parts[literal];
        });
        nominated.sort_unstable();
        nominated.dedup();
        let mut judged: Vec<JudgedTexts> =
            plan.engines().iter().map(|engine| engine.judged_of_shape(written)).collect();
        if judged.iter().all(JudgedTexts::is_none) {
            judged.clear();
        }
        let text: Box<[u8]> = self.written.as_slice().into();
        let at = self.list.len() as u32;
        self.list.push(Shape { text, hash, nominated: nominated.into(), opens_parts, judged: judged.into() });
        self.by_text.insert_unique(hash, at, |at| self.list[*at as usize].hash);
        Some(at)
    }
}
