//! One value at an engine: it is taken apart and decoded, one search over the whole nominates, and only the parts, views and
//! patterns that can matter are looked at. The work for one value is bounded: see `pieces.rs`.

use std::borrow::Cow;

use crate::engine::{Engine, PatternScratch, Visit};
use crate::look::{Look, Told, Unsure};
use crate::normalise::{self, base64, views};
use crate::pack::How;
use crate::pieces::{WHOLE_BYTES_MAX, pieces};
use crate::search::literals::Present;
use crate::{Input, Part, THRESHOLD, View};

impl Engine {
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
            let PatternScratch { unsure, doubts, .. } = scratch;
            for one in unsure.iter() {
                let (pack, _) = self.pattern(one.number);
                doubts[pack] = doubts[pack].max(one.doubt());
            }
            for ((number, pack), (points, doubt)) in self.packs.iter().zip(points.iter().zip(&*doubts)) {
                if points + doubt >= pack.threshold {
                    number.iter().for_each(|number| holds(*number));
                }
            }
            for sum in &self.sums {
                let holds_alone = |member: &usize| points[*member] + doubts[*member] >= self.packs[*member].1.threshold;
                let total: u32 = sum.members.iter().map(|member| points[*member]).sum();
                let doubt = sum.members.iter().map(|member| doubts[*member]).max().unwrap_or(0);
                if total + doubt >= sum.threshold && !sum.members.iter().any(holds_alone) {
                    holds(sum.number);
                }
            }
            points.fill(0);
            doubts.fill(0);
        }
        scratch.points = points;
    }

    /// What all readings of the value that was visited last add that their surroundings made less: the most that one of
    /// them gives beyond a sure reading of its own pattern. A sentence that names a thing is read by several readers, and
    /// they tell of one thing.
    pub(crate) fn doubt(scratch: &PatternScratch) -> u32 {
        scratch.unsure.iter().map(|one| one.doubt()).max().unwrap_or(0)
    }

    /// Visits every pattern that the text has with the first view that shows it, and again with one that gives more
    /// points.
    pub(crate) fn each(&self, text: &str, scratch: &mut PatternScratch, visit: &mut Visit<'_>) {
        scratch.found.begin();
        scratch.unsure.clear();
        Work { engine: self, scratch, visit }.value(text);
    }
}

/// One value at work.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) scratch: &'a mut PatternScratch,
    pub(crate) visit: &'a mut Visit<'a>,
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
    /// Visits what the value has.
    pub(crate) fn value(&mut self, text: &str) {
        match self.engine.input {
            Input::Target => self.target(text),
            Input::Path => self.parts_of_path(text),
            Input::Query => self.query(text),
            Input::Address => self.address(text),
            Input::Text => self.text(text),
        }
    }

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
        if decoded.len() > WHOLE_BYTES_MAX {
            // Its pieces are searched.
            return Overview { parts: u8::MAX, views, known: false };
        }
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
                self.value_of_parameter(Piece { text: value, at: value_at, name }, overview);
            }
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
                self.part(Part::Value, Piece::of(name, at), true, overview);
            }
            at += parameter.len() + 1;
        }
    }

    /// A value that nothing was found in needs no second look: see `plain_values.rs`.
    fn value_of_parameter(&mut self, piece: Piece<'_>, overview: Overview) {
        let Piece { text, name, .. } = piece;
        let place = if overview.views { None } else { self.scratch.plain.place(name, text) };
        let Some(place) = place else { return self.part(Part::Value, piece, true, overview) };
        if self.scratch.plain.knows(place, name, text) {
            return;
        }
        let before = self.scratch.readings;
        self.part(Part::Value, piece, true, overview);
        if self.scratch.readings == before {
            self.scratch.plain.add(place, name, text);
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
        let is_long = decoded.len() > WHOLE_BYTES_MAX;
        self.scratch.in_pieces += u64::from(is_long);
        if overview.known && !is_long {
            self.look_at_candidates(look, piece.at);
        } else {
            // Of a long text the pieces are chosen once.
            self.look_in_pieces(look, overview.views && is_long);
        }
        if !is_raw && self.engine.raw_parts & part.bit() != 0 {
            self.look_in_pieces(Look { view: View::Raw, text: &raw, is_raw: true, ..look }, false);
        }
        let look = Look { is_raw: false, ..look };
        if overview.views && !is_long {
            views(&decoded, &mut |view, text| self.look(Look { view, text, ..look }));
        }
        if part == Part::Path && memchr::memchr(b'+', original.as_bytes()).is_some() {
            // Some servers read it as a space there, too.
            self.look_in_pieces(Look { text: &decoded.replace('+', " "), ..look }, true);
        }
        if normalise::has_utf7(original)
            && let Some(text) = normalise::utf7(&normalise::decode_cased(original, false))
        {
            self.look_in_pieces(Look { view: View::Markup, text: &text, ..look }, false);
        }
        if matches!(part, Part::Value | Part::Path) && normalise::has_base64(&cased) {
            // A plus is one of its characters.
            let cased = if plus { normalise::decode_cased(original, false) } else { Cow::Borrowed(&*cased) };
            base64(&cased, &mut |hidden| {
                let hidden = normalise::decode(hidden, false);
                self.look_in_pieces(Look { view: View::Base64, text: &hidden, ..look }, false);
            });
        }
    }

    /// Looks at a text, or at the pieces of a long one that are judged, and at what their views show.
    fn look_in_pieces(&mut self, look: Look<'_>, views_too: bool) {
        if look.text.len() <= WHOLE_BYTES_MAX && !views_too {
            return self.look(look);
        }
        for text in self.pieces(look) {
            self.look(Look { text, ..look });
            if views_too {
                views(text, &mut |view, text| self.look(Look { view, text, is_raw: false, ..look }));
            }
        }
    }

    /// A whole target or query has its values in it, which are judged by themselves.
    fn pieces<'t>(&self, look: Look<'t>) -> Vec<&'t str> {
        let whole = matches!(look.part, Part::Target | Part::Query);
        pieces(look.text, (!whole).then_some(&self.engine.literals))
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
            // Of a single byte not every place is told.
            let is_ampersand = Some(literal) == engine.ampersand && look.part != Part::Value;
            let counts = is_inside || is_ampersand && memchr::memchr(b'&', look.text.as_bytes()).is_some();
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
        if !looks || look.text.len() > pattern.bytes_max {
            return;
        }
        if self.scratch.found.has(number) {
            self.scratch.readings += 1;
            return;
        }
        let Some(points) = pattern.points(look.text, look.part, has_need) else { return };
        let is_mention = !matches!(pattern.how, How::Grammar(_));
        let alone = points;
        let points = self.engine.context.weighed(alone, is_mention, look.name, look.text);
        if points == 0 {
            return;
        }
        self.scratch.readings += 1;
        let unsure = &mut self.scratch.unsure;
        let at = unsure.iter().position(|known| known.number == number);
        let mut known = at.map_or(Unsure { number, sure: 0, less: 0 }, |at| unsure[at]);
        let before = known;
        let side = if points < alone { &mut known.less } else { &mut known.sure };
        if points <= *side || points < alone && points <= before.sure {
            return;
        }
        *side = points;
        match at {
            Some(at) => unsure[at] = known,
            None if points < THRESHOLD => unsure.push(known),
            None => {}
        }
        if points >= THRESHOLD {
            self.scratch.found.add(number);
        }
        let best = points > before.sure.max(before.less);
        (self.visit)(number, look, Told { points, gained: known.sure - before.sure, best });
    }
}
