//! Fast path: request targets and queries are taken apart at `?` and `&`, and what a search finds in a part is remembered with
//! it, because parts come again where their combinations do not: pages, and parameters with their values. Assumes that what
//! stands in a text stands in one of its parts, the separators on both sides included, or reaches across a separator, which a part shows
//! by what it has in front of the separator. The slow twin is the search of the whole text: the oracle's tests compare the two, as
//! `rules::evaluate` knows of no parts.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use memchr::memchr;
use patterns::PatternScratch;

use crate::plan::Plan;
use crate::rest::{Rest, RestRule};

/// Columns that hold targets: a path, and a query behind a question mark.
const TARGETS: [&str; 4] = ["url.original", "url.full", "cs-uri", "c-uri"];
/// Columns that hold queries.
const QUERIES: [&str; 3] = ["url.query", "cs-uri-query", "c-uri-query"];
/// Parts of one column that are remembered.
const SLOTS: usize = 1 << 14;
/// Longest part that is remembered, in bytes, and parts of a text, at most.
const PART_BYTES_MAX: usize = 256;
const PARTS_MAX: usize = 24;
/// Half of the parts must be known, or texts are searched whole.
const REST: RestRule = RestRule { lookups: 4096, known_min: 2048, rest_min: 1 << 13, rest_max: 1 << 18 };

/// A literal that stands in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundLiteral {
    pub(super) literal: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What is known of a part.
#[derive(Clone, Debug, Default)]
struct PartSlot {
    hash: u64,
    text: Vec<u8>,
    is_path: bool,
    /// Texts with such a part must be searched whole.
    is_opaque: bool,
    /// No pack finds anything in it.
    is_plain: bool,
    found: Vec<FoundLiteral>,
}

/// What kind of text a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Target,
    Query,
    Other,
}

/// The parts of one column.
#[derive(Debug)]
pub(super) struct Parts {
    kind: Kind,
    /// Made when the first text comes.
    slots: Vec<PartSlot>,
    hasher: RandomState,
    /// Literals of the text at hand.
    pub(super) found: Vec<FoundLiteral>,
    rest: Rest,
}

impl Parts {
    pub(super) fn new(plan: &Plan) -> Self {
        let kind = match plan.column.as_str() {
            _ if !plan.reads_parts() => Kind::Other,
            column if TARGETS.contains(&column) => Kind::Target,
            column if QUERIES.contains(&column) => Kind::Query,
            _ => Kind::Other,
        };
        Parts { kind, slots: Vec::new(), hasher: RandomState::default(), found: Vec::new(), rest: Rest::new(REST) }
    }

    /// Whether the column's texts have parts.
    #[inline]
    pub(super) fn are_on(&self) -> bool {
        self.kind != Kind::Other
    }

    /// Finds the literals of the text, and tells whether packs find nothing. `None` where the text must be searched whole.
    #[inline]
    pub(super) fn of(&mut self, plan: &Plan, text: &str, patterns: &mut Vec<PatternScratch>) -> Option<bool> {
        if self.rest.is_resting() {
            return None;
        }
        let bytes = text.as_bytes();
        let (mut from, mut end) = match self.kind {
            Kind::Target => (0, memchr(b'?', bytes)?),
            Kind::Query => (0, memchr(b'&', bytes).unwrap_or(bytes.len())),
            Kind::Other => return None,
        };
        if self.slots.is_empty() {
            self.slots = vec![PartSlot::default(); SLOTS];
        }
        self.found.clear();
        let mut is_plain = true;
        for number in 0..PARTS_MAX {
            let to = (end + 1).min(bytes.len());
            let is_path = number == 0 && self.kind == Kind::Target;
            let place = self.place_of(plan, text.get(from..to)?, is_path, patterns)?;
            let Parts { slots, found, .. } = self;
            let part = &slots[place];
            if part.is_opaque {
                return None;
            }
            is_plain &= part.is_plain;
            found.extend(part.found.iter().map(|known| FoundLiteral {
                start: known.start + from as u32,
                end: known.end + from as u32,
                ..*known
            }));
            if end >= bytes.len() {
                return Some(is_plain);
            }
            from = end;
            end = memchr(b'&', &bytes[end + 1..]).map_or(bytes.len(), |at| end + 1 + at);
        }
        None
    }

    /// The slot of a part, which is searched where it is new. `None` where it is too long.
    #[inline]
    fn place_of(
        &mut self,
        plan: &Plan,
        part: &str,
        is_path: bool,
        patterns: &mut Vec<PatternScratch>,
    ) -> Option<usize> {
        if part.len() > PART_BYTES_MAX {
            return None;
        }
        self.rest.look_up();
        let hash = self.hasher.hash_one(part.as_bytes());
        let place = hash as usize % self.slots.len().max(2);
        let is_it = |place: &usize| {
            let slot = &self.slots[*place];
            slot.hash == hash && slot.is_path == is_path && slot.text == part.as_bytes()
        };
        if let Some(place) = [place, place ^ 1].into_iter().find(is_it) {
            self.rest.know();
            return Some(place);
        }
        // Two places for each part, so that two frequent ones do not push each other out.
        self.slots.swap(place, place ^ 1);
        let slot = &mut self.slots[place];
        (slot.hash, slot.is_path) = (hash, is_path);
        slot.learn(plan, part, patterns);
        Some(place)
    }
}

impl PartSlot {
    /// Searches a part that is new.
    #[cold]
    fn learn(&mut self, plan: &Plan, part: &str, patterns: &mut Vec<PatternScratch>) {
        self.text.clear();
        self.text.extend_from_slice(part.as_bytes());
        self.found.clear();
        self.is_opaque = !part.is_ascii() || memchr(b'%', part.as_bytes()).is_some() || plan.reaches_across(part);
        let is_path = self.is_path;
        let mut engines = plan.engines_with(patterns);
        self.is_plain =
            !self.is_opaque && engines.all(|(engine, scratch)| engine.is_plain_part(part, is_path, scratch));
        if let Some(literals) = plan.literals().filter(|_| !self.is_opaque) {
            literals.find(part.as_bytes(), |literal, start, end| {
                self.found.push(FoundLiteral { literal: literal as u32, start: start as u32, end: end as u32 });
            });
        }
    }
}
