//! All packs on one column as one engine: a value is normalised once, one search for literals nominates patterns in
//! each view, and only those are tried. What most values are, plain and without a nominee, costs one decoding and one
//! search.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use crate::context::Context;
use crate::normalise::{self, base64, views};
use crate::pack::{How, Pack, Pattern};
use crate::search::literals::{Literals, Present};
use crate::search::seen::SeenSet;
use crate::search::shape::ShapedNeeds;
use crate::{Input, Part, THRESHOLD, View};

/// Packs, each with the number that its holder knows it by.
pub type NumberedPacks = Vec<(u32, Arc<Pack>)>;

/// Packs that are looked for, with the number that their holder knows them by, where it does.
type SoughtPacks = Vec<(Option<u32>, Arc<Pack>)>;

/// Packs that look at texts of one kind.
#[derive(Debug)]
pub struct Engine {
    pub(crate) input: Input,
    /// Every pack that is looked for, with the number that its holder knows it by; members of sums may have none.
    packs: SoughtPacks,
    /// Packs that add up what others find.
    sums: Vec<Sum>,
    /// What weighs unsure readings.
    pub(crate) context: Arc<Context>,
    /// Pack (index into `packs`) and place in it, for each pattern.
    patterns: Vec<(u32, u32)>,
    pub(crate) literals: Literals,
    /// What finds needs with digits in shapes; made on first use.
    pub(crate) shaped: OnceLock<ShapedNeeds>,
    /// Patterns that each literal nominates.
    nominated: Vec<Vec<u32>>,
    /// Bits of the parts that those patterns look at, for each literal.
    parts_of: Vec<u8>,
    /// Bits of the parts that some pattern looks at as they were sent.
    raw_parts: u8,
    /// The literal that is one ampersand.
    pub(crate) ampersand: Option<usize>,
}

/// A pack that adds up what others find.
#[derive(Debug)]
struct Sum {
    number: u32,
    threshold: u32,
    /// Indexes of its members in [`Engine::packs`].
    members: Vec<usize>,
}

/// One thread's state for one engine, used again from value to value.
#[derive(Debug, Default)]
pub struct PatternScratch {
    nominated: Vec<u32>,
    /// Literals that the value as a whole has, with start and end.
    candidates: Vec<(u32, u32, u32)>,
    /// `candidates` has every place of each literal.
    placed: bool,
    /// Patterns that were found in this value and cannot give more points.
    found: SeenSet,
    /// Those that were found and might give more in another view, with the points so far.
    unsure: Vec<(u32, u32)>,
    /// Patterns that were nominated in this view.
    seen: SeenSet,
    /// Literals that have nominated in this view: a value may hold one thousands of times.
    told: SeenSet,
    points: Vec<u32>,
}

/// A part of a value in one view.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) part: Part,
    pub(crate) view: View,
    pub(crate) text: &'a str,
    pub(crate) original: &'a str,
    /// Name of the parameter whose value this is, as it was sent; empty for other parts.
    pub(crate) name: &'a str,
    /// The decoded text is the text as it was sent: patterns that look at the raw text look at it, too.
    is_raw: bool,
}

/// The points of a pattern that was found.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// What it gives now.
    pub(crate) points: u32,
    /// How many more that are than an earlier view gave.
    pub(crate) gained: u32,
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
        let shaped = OnceLock::new();
        Engine { input, packs, sums, context, patterns, literals, shaped, nominated, parts_of, raw_parts, ampersand }
    }

    /// New state for one thread. It belongs to this engine alone.
    pub fn scratch(&self) -> PatternScratch {
        PatternScratch {
            nominated: Vec::new(),
            candidates: Vec::new(),
            placed: false,
            found: SeenSet::new(self.patterns.len()),
            unsure: Vec::new(),
            seen: SeenSet::new(self.patterns.len()),
            told: SeenSet::new(self.nominated.len()),
            points: vec![0; self.packs.len()],
        }
    }

    /// Texts that its patterns need.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        (0..self.patterns.len() as u32).flat_map(|number| &self.pattern(number).1.needs).map(String::as_str)
    }

    pub(crate) fn pattern(&self, number: u32) -> (usize, &Pattern) {
        let (pack, place) = self.patterns[number as usize];
        (pack as usize, &self.packs[pack as usize].1.patterns[place as usize])
    }

    /// Calls back with the number of every pack whose threshold the text reaches.
    #[inline]
    pub fn judge(&self, text: &str, scratch: &mut PatternScratch, mut holds: impl FnMut(u32)) {
        let mut points = std::mem::take(&mut scratch.points);
        let mut any = false;
        self.each(text, scratch, &mut |pattern, _, told| {
            let (pack, _) = self.pattern(pattern);
            points[pack] += told.gained;
            any = true;
        });
        if any {
            for ((number, pack), points) in self.packs.iter().zip(&points) {
                if *points >= pack.threshold {
                    number.iter().for_each(|number| holds(*number));
                }
            }
            for sum in &self.sums {
                let is_led = sum.members.iter().any(|member| points[*member] >= self.packs[*member].1.threshold);
                let total: u32 = sum.members.iter().map(|member| points[*member]).sum();
                if !is_led && total >= sum.threshold {
                    holds(sum.number);
                }
            }
            points.fill(0);
        }
        scratch.points = points;
    }

    /// Visits every pattern that the text has with the first view that shows it, and again with one that gives more
    /// points.
    pub(crate) fn each(&self, text: &str, scratch: &mut PatternScratch, visit: &mut Visit<'_>) {
        scratch.found.begin();
        scratch.unsure.clear();
        let mut work = Work { engine: self, scratch, visit };
        match self.input {
            Input::Target => work.target(text),
            Input::Path => work.parts_of_path(text),
            Input::Query => work.query(text),
            Input::Address => work.address(text),
            Input::Text => work.text(text),
        }
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

struct Work<'a> {
    engine: &'a Engine,
    scratch: &'a mut PatternScratch,
    visit: &'a mut Visit<'a>,
}

/// A part as it was sent, and where it stands in the whole.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    at: usize,
    /// Name of the parameter whose value this is.
    name: &'a str,
}

impl<'a> Piece<'a> {
    fn of(text: &'a str, at: usize) -> Self {
        Piece { text, at, name: "" }
    }
}

/// What the search of a whole value tells about its parts.
#[derive(Clone, Copy)]
struct Overview {
    /// Bits of the parts that nominated patterns look at.
    parts: u8,
    /// There are views that show something else.
    views: bool,
    /// Parts need no search of their own: where they stand in the whole, `candidates` tell what they nominate.
    known: bool,
}

impl Overview {
    fn opens(self, part: Part) -> bool {
        self.views || self.parts & part.bit() != 0
    }
}

impl Work<'_> {
    /// The parts that patterns which the whole target nominates look at, and those that have views; most have none.
    fn target(&mut self, target: &str) {
        let query = memchr::memchr(b'?', target.as_bytes());
        let target = normalise::plain_ampersands(target, query.map_or(target.len(), |at| at + 1));
        let decoded = normalise::decode_target(&target);
        let overview = self.overview(&target, &decoded, matches!(target, Cow::Owned(_)));
        let target = &*target;
        let (path, query) = match query {
            Some(at) => (&target[..at], Some(Piece::of(&target[at + 1..], at + 1))),
            None => (target, None),
        };
        let has_plus = |text: &str| memchr::memchr(b'+', text.as_bytes()).is_some();
        if overview.opens(Part::Target) {
            // The search has read a plus of the query as a space.
            let known = overview.known && !query.is_some_and(|query| has_plus(query.text));
            self.part(Part::Target, Piece::of(target, 0), false, Overview { known, ..overview });
        }
        if overview.opens(Part::Path) || has_plus(path) || normalise::has_base64(path) {
            self.part(Part::Path, Piece::of(path, 0), false, overview);
        }
        query.into_iter().for_each(|query| self.parts_of_query(query, overview));
    }

    fn parts_of_path(&mut self, path: &str) {
        let decoded = normalise::decode(path, false);
        let overview = self.overview(path, &decoded, false);
        if overview.opens(Part::Path) || normalise::has_base64(path) {
            self.part(Part::Path, Piece::of(path, 0), false, overview);
        }
    }

    /// An address: its scheme says nothing.
    fn address(&mut self, address: &str) {
        let query = memchr::memchr(b'?', address.as_bytes()).map_or(address.len(), |at| at + 1);
        let address = normalise::plain_ampersands(address, query);
        let scheme = ["https://", "http://"].into_iter().find(|scheme| address.starts_with(scheme));
        let own = scheme.and_then(|scheme| address.get(scheme.len()..)).unwrap_or(&address);
        let decoded = normalise::decode(own, true);
        let overview = self.overview(own, &decoded, matches!(address, Cow::Owned(_)));
        if overview.opens(Part::Text) {
            self.part(Part::Text, Piece::of(&address, 0), true, Overview { known: false, ..overview });
        }
        if let Some((before, query)) = own.split_once('?') {
            self.parts_of_query(Piece::of(query, before.len() + 1), overview);
        }
    }

    fn text(&mut self, text: &str) {
        let decoded = normalise::decode(text, false);
        let overview = self.overview(text, &decoded, false);
        if overview.views || overview.parts != 0 {
            self.part(Part::Text, Piece::of(text, 0), false, overview);
        }
    }

    /// One search over the whole. What it nominates is kept as `candidates`. Where ampersands were mended every part is
    /// looked at: what is rare may cost.
    fn overview(&mut self, original: &str, decoded: &str, mended: bool) -> Overview {
        let present = Present::of(decoded.as_bytes());
        let encoded = memchr::memchr(b'%', original.as_bytes()).is_some();
        let views = mended || normalise::has_views(decoded, &present) || normalise::has_utf7(original);
        self.scratch.candidates.clear();
        self.scratch.placed = true;
        let mut parts = self.nominated_parts(decoded, &present, encoded);
        if encoded {
            let raw = original.to_ascii_lowercase();
            parts |= self.nominated_parts(&raw, &Present::of(raw.as_bytes()), true);
        }
        // Then every character stands where it was sent.
        let known = !encoded && !views && original.len() == decoded.len() && self.scratch.placed;
        Overview { parts, views, known }
    }

    /// An ampersand that is not encoded parts parameters, and says nothing of their values.
    fn nominated_parts(&mut self, text: &str, present: &Present, encoded: bool) -> u8 {
        let Work { engine, scratch, .. } = self;
        let mut parts = 0;
        engine.literals.find_in(text.as_bytes(), Some(present), |literal, start, end| {
            if Some(literal) != engine.ampersand {
                parts |= engine.parts_of[literal];
                // Of single characters not every place is told.
                scratch.placed &= end - start > 1;
            } else if encoded {
                parts |= engine.parts_of[literal];
            }
            scratch.candidates.push((literal as u32, start as u32, end as u32));
        });
        parts
    }

    fn query(&mut self, query: &str) {
        let query = normalise::plain_ampersands(query, 0);
        let decoded = normalise::decode(&query, true);
        let overview = self.overview(&query, &decoded, matches!(query, Cow::Owned(_)));
        self.parts_of_query(Piece::of(&query, 0), overview);
    }

    /// The query as a whole, then its parameters, as far as somebody looks at them.
    fn parts_of_query(&mut self, query: Piece<'_>, overview: Overview) {
        if overview.opens(Part::Query) {
            self.part(Part::Query, query, true, overview);
        }
        if !overview.opens(Part::Value) && !normalise::has_base64(query.text) {
            return;
        }
        let mut at = query.at;
        for parameter in query.text.split('&') {
            let (name, value, value_at) = match memchr::memchr(b'=', parameter.as_bytes()) {
                Some(equals) => (&parameter[..equals], &parameter[equals + 1..], at + equals + 1),
                None => ("", parameter, at),
            };
            if !parameter.is_empty() {
                self.part(Part::Value, Piece { text: value, at: value_at, name }, true, overview);
            }
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
                self.part(Part::Value, Piece::of(name, at), true, overview);
            }
            at += parameter.len() + 1;
        }
    }

    fn part(&mut self, part: Part, piece: Piece<'_>, plus: bool, overview: Overview) {
        let Piece { text: original, name, .. } = piece;
        let cased = normalise::decode_cased(original, plus);
        let decoded = normalise::simplify(&cased);
        // Nothing was encoded, and only letters change their case.
        let is_same = matches!(cased, Cow::Borrowed(_)) && original.is_ascii();
        let raw = if is_same { Cow::Borrowed(&*decoded) } else { Cow::Owned(original.to_ascii_lowercase()) };
        let is_raw = is_same || raw == decoded;
        let look = Look { part, view: View::Decoded, text: &decoded, original, name, is_raw };
        if overview.known {
            self.look_at_candidates(look, piece.at);
        } else {
            self.look(look);
        }
        if !is_raw && self.engine.raw_parts & part.bit() != 0 {
            self.look(Look { part, view: View::Raw, text: &raw, original, name, is_raw: true });
        }
        if overview.views {
            views(&decoded, &mut |view, text| self.look(Look { part, view, text, original, name, is_raw: false }));
        }
        if part == Part::Path && memchr::memchr(b'+', original.as_bytes()).is_some() {
            // Some servers read it as a space there, too.
            let spaced = decoded.replace('+', " ");
            self.look(Look { part, view: View::Decoded, text: &spaced, original, name, is_raw: false });
            views(&spaced, &mut |view, text| self.look(Look { part, view, text, original, name, is_raw: false }));
        }
        if normalise::has_utf7(original)
            && let Some(text) = normalise::utf7(&normalise::decode_cased(original, false))
        {
            self.look(Look { part, view: View::Markup, text: &text, original, name, is_raw: false });
        }
        if matches!(part, Part::Value | Part::Path) && normalise::has_base64(&cased) {
            // A plus is one of its characters.
            let cased = if plus { normalise::decode_cased(original, false) } else { cased };
            base64(&cased, &mut |hidden| {
                let hidden = normalise::decode(hidden, false);
                self.look(Look { part, view: View::Base64, text: &hidden, original, name, is_raw: false });
            });
        }
    }

    /// Tries what a search of the text nominates.
    fn look(&mut self, look: Look<'_>) {
        let Work { engine, scratch, .. } = self;
        // Then what the search has found stands there as it is written. Other views may bring capital letters.
        let is_lower = matches!(look.view, View::Decoded | View::Raw);
        scratch.seen.begin();
        scratch.told.begin();
        let PatternScratch { nominated, seen, told, .. } = &mut **scratch;
        nominated.clear();
        engine.literals.find(look.text.as_bytes(), |literal, _, _| {
            if told.add(literal as u32) {
                nominated.extend(engine.nominated[literal].iter().copied().filter(|pattern| seen.add(*pattern)));
            }
        });
        nominated.sort_unstable();
        let mut nominated = std::mem::take(nominated);
        nominated.drain(..).for_each(|number| self.attempt(number, look, is_lower));
        self.scratch.nominated = nominated;
    }

    /// Tries what the search of the whole has found in this part of it, which begins at `at`.
    fn look_at_candidates(&mut self, look: Look<'_>, at: usize) {
        self.scratch.seen.begin();
        self.scratch.told.begin();
        let engine = self.engine;
        let candidates = std::mem::take(&mut self.scratch.candidates);
        for (literal, start, end) in &candidates {
            let (literal, start, end) = (*literal as usize, *start as usize, *end as usize);
            let is_inside = at <= start && end <= at + look.text.len();
            let counts = is_inside || Some(literal) == engine.ampersand && look.part != Part::Value;
            if counts && self.scratch.told.add(literal as u32) {
                for number in &engine.nominated[literal] {
                    if self.scratch.seen.add(*number) {
                        self.attempt(*number, look, is_inside);
                    }
                }
            }
        }
        self.scratch.candidates = candidates;
    }

    /// Tries a pattern. `has_need`: one of its needs is known to stand in the text.
    fn attempt(&mut self, number: u32, look: Look<'_>, has_need: bool) {
        let (_, pattern) = self.engine.pattern(number);
        let looks = pattern.looks_at(look.part, look.view) || look.is_raw && pattern.looks_at(look.part, View::Raw);
        if !looks || self.scratch.found.has(number) {
            return;
        }
        let Some(points) = pattern.points(look.text, look.part, has_need) else { return };
        let is_mention = !matches!(pattern.how, How::Grammar(_));
        let points = self.engine.context.weighed(points, is_mention, look.name, look.text);
        if points == 0 {
            return;
        }
        let unsure = &mut self.scratch.unsure;
        let known = unsure.iter_mut().find(|(known, _)| *known == number);
        let before = known.as_ref().map_or(0, |(_, before)| *before);
        if points <= before {
            return;
        }
        match known {
            Some((_, before)) => *before = points,
            None if points < THRESHOLD => unsure.push((number, points)),
            None => {}
        }
        if points >= THRESHOLD {
            self.scratch.found.add(number);
        }
        (self.visit)(number, look, Told { points, gained: points - before });
    }
}
