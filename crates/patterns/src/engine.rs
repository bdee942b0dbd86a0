//! All packs on one column as one engine: a value is normalised once, one search for literals nominates patterns in
//! each view, and only those are tried. What most values are, plain and without a nominee, costs one decoding and one
//! search.

use std::sync::{Arc, OnceLock};

use crate::context::Context;
use crate::look::{Look, Told, Unsure};
use crate::pack::{Pack, Pattern};
use crate::plain_values::PlainValues;
use crate::search::literals::Literals;
use crate::search::part_needs::PartNeeds;
use crate::search::seen::SeenSet;
use crate::search::shape::ShapedNeeds;
use crate::{Input, View};

/// Packs, each with the number that its holder knows it by.
pub type NumberedPacks = Vec<(u32, Arc<Pack>)>;

/// Packs that are looked for, with the number that their holder knows them by, where it does.
pub(crate) type SoughtPacks = Vec<(Option<u32>, Arc<Pack>)>;

/// Packs that look at texts of one kind.
#[derive(Debug)]
pub struct Engine {
    pub(crate) input: Input,
    /// Every pack that is looked for, with the number that its holder knows it by; members of sums may have none.
    pub(crate) packs: SoughtPacks,
    /// Packs that add up what others find.
    pub(crate) sums: Vec<Sum>,
    /// What weighs unsure readings.
    pub(crate) context: Arc<Context>,
    /// Pack (index into `packs`) and place in it, for each pattern.
    patterns: Vec<(u32, u32)>,
    pub(crate) literals: Literals,
    /// What finds needs with digits in shapes; made on first use.
    pub(crate) shaped: OnceLock<ShapedNeeds>,
    /// What finds needs in parts of targets; made on first use.
    pub(crate) of_parts: OnceLock<PartNeeds>,
    /// Patterns that each literal nominates.
    pub(crate) nominated: Vec<Vec<u32>>,
    /// Bits of the parts that those patterns look at, for each literal.
    pub(crate) parts_of: Vec<u8>,
    /// Bits of the parts that some pattern looks at as they were sent.
    pub(crate) raw_parts: u8,
    /// The literal that is one ampersand.
    pub(crate) ampersand: Option<usize>,
}

/// A pack that adds up what others find.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(crate) number: u32,
    pub(crate) threshold: u32,
    /// Indexes of its members in [`Engine::packs`].
    pub(crate) members: Vec<usize>,
}

/// One thread's state for one engine, used again from value to value.
#[derive(Debug, Default)]
pub struct PatternScratch {
    pub(crate) nominated: Vec<u32>,
    /// Literals that the value as a whole has, with start and end.
    pub(crate) candidates: Vec<(u32, u32, u32)>,
    /// `candidates` has every place of each literal.
    pub(crate) placed: bool,
    /// Patterns that were found in this value and cannot give more points.
    pub(crate) found: SeenSet,
    /// Those that were found and might give more in another view.
    pub(crate) unsure: Vec<Unsure>,
    /// Patterns that were nominated in this view.
    pub(crate) seen: SeenSet,
    /// Literals that have nominated in this view: a value may hold one thousands of times.
    pub(crate) told: SeenSet,
    pub(crate) points: Vec<u32>,
    /// Per pack: what its readings that their surroundings made less give.
    pub(crate) doubts: Vec<u32>,
    /// Values in which nothing is found.
    pub(crate) plain: PlainValues,
    /// Readings that were made or left out because their pattern is found already.
    pub(crate) readings: u64,
    /// Parts that were too long to be judged whole.
    pub(crate) in_pieces: u64,
}

impl PatternScratch {
    /// How many parts of values were too long to be judged whole since it was asked last.
    pub fn take_in_pieces(&mut self) -> u64 {
        std::mem::take(&mut self.in_pieces)
    }
}

/// Takes a pattern that was found, the look that shows it, and its points.
pub(crate) type Visit<'v> = dyn FnMut(u32, Look<'_>, Told) + 'v;

impl Engine {
    /// Compiles the patterns of all packs that look at such a text into one search.
    pub fn new(packs: NumberedPacks, input: Input) -> Self {
        let (packs, sums) = with_members(packs);
        let context = packs.first().map(|(_, pack)| Arc::clone(&pack.context)).unwrap_or_default();
        let mut patterns = Vec::new();
        let mut needs: Vec<(&str, u32)> = Vec::new();
        for (at, (_, pack)) in packs.iter().enumerate() {
            let looked_at = |pattern: &Pattern| pattern.parts & input.parts() != 0;
            for (place, pattern) in pack.patterns.iter().enumerate().filter(|(_, pattern)| looked_at(pattern)) {
                let number = patterns.len() as u32;
                patterns.push((at as u32, place as u32));
                needs.extend(pattern.needs.iter().map(|need| (need.as_str(), number)));
            }
        }
        // Patterns of a text in the order of their numbers, each as often as it names the text.
        needs.sort();
        let by_text: Vec<&[(&str, u32)]> = needs.chunk_by(|(one, _), (other, _)| one == other).collect();
        let texts: Vec<&str> = by_text.iter().filter_map(|run| run.first()).map(|(text, _)| *text).collect();
        let literals = Literals::for_requests(texts.iter().map(|text| text.as_bytes().into()).collect());
        let ampersand = texts.iter().position(|text| *text == "&");
        let nominated: Vec<Vec<u32>> =
            by_text.iter().map(|run| run.iter().map(|(_, number)| *number).collect()).collect();
        let part = |number: &u32| {
            let (pack, place) = patterns[*number as usize];
            let (_, pack) = &packs[pack as usize];
            pack.patterns[place as usize].parts
        };
        let parts_of =
            nominated.iter().map(|patterns| patterns.iter().map(part).fold(0, |all, one| all | one)).collect();
        let raw = |number: u32| {
            let (pack, place) = patterns[number as usize];
            let pattern = &packs[pack as usize].1.patterns[place as usize];
            if pattern.views.contains(&View::Raw) { pattern.parts } else { 0 }
        };
        let raw_parts = (0..patterns.len() as u32).map(raw).fold(0, |all, one| all | one);
        Engine {
            input,
            packs,
            sums,
            context,
            patterns,
            literals,
            shaped: OnceLock::new(),
            of_parts: OnceLock::new(),
            nominated,
            parts_of,
            raw_parts,
            ampersand,
        }
    }

    /// New state for one thread. It belongs to this engine alone.
    pub fn scratch(&self) -> PatternScratch {
        PatternScratch {
            found: SeenSet::new(self.patterns.len()),
            seen: SeenSet::new(self.patterns.len()),
            told: SeenSet::new(self.nominated.len()),
            points: vec![0; self.packs.len()],
            doubts: vec![0; self.packs.len()],
            ..PatternScratch::default()
        }
    }

    /// Every pattern.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        (0..self.patterns.len() as u32).map(|number| self.pattern(number).1)
    }

    /// Texts that its patterns need.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        self.patterns().flat_map(|pattern| &pattern.needs).map(String::as_str)
    }

    pub(crate) fn pattern(&self, number: u32) -> (usize, &Pattern) {
        let (pack, place) = self.patterns[number as usize];
        (pack as usize, &self.packs[pack as usize].1.patterns[place as usize])
    }
}

/// The packs that are looked for, and the sums among them with the places of their members.
fn with_members(given: NumberedPacks) -> (SoughtPacks, Vec<Sum>) {
    let (sums, plain): (NumberedPacks, NumberedPacks) =
        given.into_iter().partition(|(_, pack)| !pack.members.is_empty());
    let mut packs: SoughtPacks = plain.into_iter().map(|(number, pack)| (Some(number), pack)).collect();
    let sums = sums.into_iter().map(|(number, sum)| {
        let place = |member: &Arc<Pack>| {
            let known = packs.iter().position(|(_, pack)| pack.digest() == member.digest());
            known.unwrap_or_else(|| {
                packs.push((None, Arc::clone(member)));
                packs.len() - 1
            })
        };
        Sum { number, threshold: sum.threshold, members: sum.members.iter().map(place).collect() }
    });
    let sums = sums.collect();
    (packs, sums)
}
