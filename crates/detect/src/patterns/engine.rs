//! All packs on one column as one engine: a value is normalised once, one search for literals nominates patterns in each
//! view, and only those are tried. What most values are, plain and without a nominee, costs one decoding and one search.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::matcher::literals::{Literals, Present};
use crate::matcher::marks::Marks;
use crate::patterns::normalise::{self, base64, views};
use crate::patterns::pack::{How, Pack, PackCheck, Pattern};
use crate::patterns::{Input, POINTS_MAX, Part, View};

/// Packs, each with the number that its holder knows it by.
pub(crate) type NumberedPacks = Vec<(u32, Arc<Pack>)>;

/// Packs that look at texts of one kind.
#[derive(Debug)]
pub(crate) struct Engine {
    input: Input,
    packs: NumberedPacks,
    /// Pack and place in it.
    patterns: Vec<(u32, u32)>,
    literals: Literals,
    /// Patterns that each literal nominates.
    nominated: Vec<Vec<u32>>,
    /// Parts that those look at.
    parts_of: Vec<u8>,
    /// The literal that is one ampersand.
    ampersand: Option<usize>,
}

/// What is used again from value to value.
#[derive(Debug, Default)]
pub(crate) struct PatternScratch {
    nominated: Vec<u32>,
    /// Patterns that were found in this value.
    found: Marks,
    /// Patterns that were nominated in this view.
    seen: Marks,
    points: Vec<u32>,
}

/// A pattern found in a value: where, in which view, and what stood there.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    pub pattern: String,
    pub what: String,
    pub points: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<String>,
    pub part: &'static str,
    pub view: &'static str,
    /// What matched, in the view.
    pub matched: String,
    /// The part as it was sent.
    pub original: String,
}

/// What a pack found in a value.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Standing {
    pub points: u32,
    pub threshold: u32,
    pub found: Vec<Found>,
}

/// Longest text that a finding shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// A part of a value in one view.
#[derive(Clone, Copy)]
struct Look<'a> {
    part: Part,
    view: View,
    text: &'a str,
    original: &'a str,
    /// Nothing had to be undone: the text as it is, too.
    is_raw: bool,
}

type Visit<'v> = dyn FnMut(u32, Look<'_>) + 'v;

impl Engine {
    pub(crate) fn new(packs: NumberedPacks, input: Input) -> Self {
        let mut patterns = Vec::new();
        let mut by_text: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (at, (_, pack)) in packs.iter().enumerate() {
            let looked_at = |pattern: &Pattern| pattern.parts & input.parts() != 0;
            for (place, pattern) in pack.patterns.iter().enumerate().filter(|(_, pattern)| looked_at(pattern)) {
                let number = patterns.len() as u32;
                patterns.push((at as u32, place as u32));
                pattern.needs.iter().for_each(|need| by_text.entry(need.clone()).or_default().push(number));
            }
        }
        let literals = Literals::new(by_text.keys().map(|text| text.as_bytes().into()).collect());
        let ampersand = by_text.keys().position(|text| text == "&");
        let nominated: Vec<Vec<u32>> = by_text.into_values().collect();
        let part = |number: &u32| {
            let (pack, place) = patterns[*number as usize];
            let (_, pack) = &packs[pack as usize];
            pack.patterns[place as usize].parts
        };
        let parts_of =
            nominated.iter().map(|patterns| patterns.iter().map(part).fold(0, |all, one| all | one)).collect();
        Engine { input, packs, patterns, literals, nominated, parts_of, ampersand }
    }

    pub(crate) fn scratch(&self) -> PatternScratch {
        PatternScratch {
            nominated: Vec::new(),
            found: Marks::new(self.patterns.len()),
            seen: Marks::new(self.patterns.len()),
            points: vec![0; self.packs.len()],
        }
    }

    fn pattern(&self, number: u32) -> (usize, &Pattern) {
        let (pack, place) = self.patterns[number as usize];
        (pack as usize, &self.packs[pack as usize].1.patterns[place as usize])
    }

    /// Calls back with the number of every pack whose threshold the text reaches.
    #[inline]
    pub(crate) fn judge(&self, text: &str, scratch: &mut PatternScratch, mut holds: impl FnMut(u32)) {
        let mut points = std::mem::take(&mut scratch.points);
        let mut any = false;
        self.each(text, scratch, &mut |pattern, _| {
            let (pack, pattern) = self.pattern(pattern);
            points[pack] += pattern.weight;
            any = true;
        });
        if any {
            for ((number, pack), points) in self.packs.iter().zip(&mut points) {
                if *points >= pack.threshold {
                    holds(*number);
                }
                *points = 0;
            }
        }
        scratch.points = points;
    }

    /// Visits every pattern that the text has, once, with the first view that shows it.
    fn each(&self, text: &str, scratch: &mut PatternScratch, visit: &mut Visit<'_>) {
        scratch.found.begin();
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

struct Work<'a> {
    engine: &'a Engine,
    scratch: &'a mut PatternScratch,
    visit: &'a mut Visit<'a>,
}

impl Work<'_> {
    /// The parts that patterns which the whole target nominates look at, and those that have views; most have none.
    fn target(&mut self, target: &str) {
        let decoded = normalise::decode_target(target);
        let (parts, views) = self.glance(target, &decoded);
        let (path, query) = match memchr::memchr(b'?', target.as_bytes()) {
            Some(at) => (&target[..at], Some(&target[at + 1..])),
            None => (target, None),
        };
        if views || parts & Part::Target.bit() != 0 {
            self.part(Part::Target, target, false);
        }
        let has_plus = memchr::memchr(b'+', path.as_bytes()).is_some();
        if views || parts & Part::Path.bit() != 0 || has_plus || normalise::has_base64(path) {
            self.part(Part::Path, path, false);
        }
        query.into_iter().for_each(|query| self.parts_of_query(query, parts, views));
    }

    fn parts_of_path(&mut self, path: &str) {
        let decoded = normalise::decode(path, false);
        let (parts, views) = self.glance(path, &decoded);
        if views || parts & Part::Path.bit() != 0 || normalise::has_base64(path) {
            self.part(Part::Path, path, false);
        }
    }

    /// An address: its scheme says nothing.
    fn address(&mut self, address: &str) {
        let scheme = ["https://", "http://"].into_iter().find(|scheme| address.starts_with(scheme));
        let own = scheme.and_then(|scheme| address.get(scheme.len()..)).unwrap_or(address);
        let decoded = normalise::decode(own, true);
        let (parts, views) = self.glance(own, &decoded);
        if views || parts & Part::Text.bit() != 0 {
            self.part(Part::Text, address, true);
        }
        if let Some((_, query)) = own.split_once('?') {
            self.parts_of_query(query, parts, views);
        }
    }

    fn text(&mut self, text: &str) {
        let decoded = normalise::decode(text, false);
        let (parts, views) = self.glance(text, &decoded);
        if views || parts != 0 {
            self.part(Part::Text, text, false);
        }
    }

    /// Parts that nominated patterns look at, and whether there are views.
    fn glance(&self, original: &str, decoded: &str) -> (u8, bool) {
        let present = Present::of(decoded.as_bytes());
        let encoded = memchr::memchr(b'%', original.as_bytes()).is_some();
        let mut parts = self.nominated_parts(decoded, &present, encoded);
        if encoded {
            let raw = original.to_ascii_lowercase();
            parts |= self.nominated_parts(&raw, &Present::of(raw.as_bytes()), true);
        }
        (parts, normalise::has_views(decoded, &present))
    }

    /// An ampersand that is not encoded parts parameters, and says nothing of their values.
    fn nominated_parts(&self, text: &str, present: &Present, encoded: bool) -> u8 {
        let mut parts = 0;
        self.engine.literals.find_in(text.as_bytes(), Some(present), |literal, _, _| {
            if encoded || Some(literal) != self.engine.ampersand {
                parts |= self.engine.parts_of[literal];
            }
        });
        parts
    }

    fn query(&mut self, query: &str) {
        let decoded = normalise::decode(query, true);
        let (parts, views) = self.glance(query, &decoded);
        self.parts_of_query(query, parts, views);
    }

    /// The query as a whole, then its parameters, as far as somebody looks at them.
    fn parts_of_query(&mut self, query: &str, parts: u8, views: bool) {
        if views || parts & Part::Query.bit() != 0 {
            self.part(Part::Query, query, true);
        }
        if !views && parts & Part::Value.bit() == 0 && !normalise::has_base64(query) {
            return;
        }
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
            self.part(Part::Value, value, true);
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
                self.part(Part::Value, name, true);
            }
        }
    }

    fn part(&mut self, part: Part, original: &str, plus: bool) {
        let cased = normalise::decode_cased(original, plus);
        let decoded = normalise::simplify(&cased);
        // Nothing was encoded, and only letters change their case.
        let is_same = matches!(cased, Cow::Borrowed(_)) && original.is_ascii();
        let raw = if is_same { Cow::Borrowed(&*decoded) } else { Cow::Owned(original.to_ascii_lowercase()) };
        let is_raw = is_same || raw == decoded;
        self.look(Look { part, view: View::Decoded, text: &decoded, original, is_raw });
        if !is_raw {
            self.look(Look { part, view: View::Raw, text: &raw, original, is_raw: true });
        }
        views(&decoded, &mut |view, text| self.look(Look { part, view, text, original, is_raw: false }));
        if part == Part::Path && memchr::memchr(b'+', original.as_bytes()).is_some() {
            // Some servers read it as a space there, too.
            let spaced = decoded.replace('+', " ");
            self.look(Look { part, view: View::Decoded, text: &spaced, original, is_raw: false });
            views(&spaced, &mut |view, text| self.look(Look { part, view, text, original, is_raw: false }));
        }
        if matches!(part, Part::Value | Part::Path) && normalise::has_base64(&cased) {
            // A plus is one of its characters.
            let cased = if plus { normalise::decode_cased(original, false) } else { cased };
            base64(&cased, &mut |hidden| {
                let hidden = normalise::decode(hidden, false);
                self.look(Look { part, view: View::Base64, text: &hidden, original, is_raw: false });
            });
        }
    }

    fn look(&mut self, look: Look<'_>) {
        let Work { engine, scratch, visit } = self;
        scratch.seen.begin();
        scratch.nominated.clear();
        let PatternScratch { nominated, seen, .. } = &mut **scratch;
        engine.literals.find(look.text.as_bytes(), |literal, _, _| {
            nominated.extend(engine.nominated[literal].iter().copied().filter(|pattern| seen.add(*pattern)));
        });
        nominated.sort_unstable();
        for number in scratch.nominated.drain(..) {
            let (_, pattern) = engine.pattern(number);
            let looks = pattern.looks_at(look.part, look.view) || look.is_raw && pattern.looks_at(look.part, View::Raw);
            let is_new = looks && !scratch.found.has(number);
            if is_new && pattern.find(look.text, look.part).is_some() {
                scratch.found.add(number);
                visit(number, look);
            }
        }
    }
}

impl PackCheck {
    /// Whether a value reaches the threshold, for callers without an engine at hand.
    pub(crate) fn passes(&self, text: &str) -> bool {
        self.standing(text).points >= self.pack.threshold
    }

    /// What the pack finds in a value, the slow way.
    pub(crate) fn standing(&self, text: &str) -> Standing {
        let engine = self.engine();
        let mut found = Vec::new();
        engine.each(text, &mut engine.scratch(), &mut |number, look| {
            let (_, pattern) = engine.pattern(number);
            let matched = match pattern.how {
                How::Sql => super::sql::injection_in_path(look.text).unwrap_or("").to_owned(),
                How::Markup => super::markup::injection(look.text).unwrap_or("").to_owned(),
                _ => shown(pattern.find(look.text, look.part).unwrap_or("")),
            };
            found.push(Found {
                pattern: pattern.id.clone(),
                what: pattern.what.clone(),
                points: pattern.weight,
                technique: pattern.technique.clone(),
                part: look.part.name(),
                view: look.view.name(),
                matched,
                original: shown(look.original),
            });
        });
        let points = found.iter().map(|found| found.points).sum::<u32>();
        Standing { points: points.min(POINTS_MAX.max(self.pack.threshold)), threshold: self.pack.threshold, found }
    }
}
