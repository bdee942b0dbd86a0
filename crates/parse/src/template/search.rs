//! All readings of one message by one template. Knows no field.

use super::parts::{CAPTURES_MAX, Follow, Move, Sought, Takes};
use super::told::{ValueSpan, Values};
use super::{LateBigrams, Template};
use crate::address::{decimal, is_ip};

/// Steps that are made for one message before it counts as unclear.
const STEPS_MAX: usize = 1500;

impl Template {
    /// What the readings of the message agree on; `None` where it is another message. `known`: the pairs of bytes of the
    /// message, or of a text that it is a part of.
    #[inline]
    pub(crate) fn read_message<'a>(&self, message: &'a [u8], known: &mut LateBigrams) -> Option<Values<'a>> {
        if !self.begins_message(message) || !known.hold(message, &self.bigrams) || !self.has_needed(message) {
            return None;
        }
        Search::all(self, message, known)
    }
}

/// The search for all readings of one message.
pub(super) struct Search<'a, 't> {
    template: &'t Template,
    message: &'a [u8],
    known: &'t LateBigrams,
    now: [ValueSpan; CAPTURES_MAX],
    found: Option<Values<'a>>,
    steps: usize,
}

impl<'a, 't> Search<'a, 't> {
    /// What all readings agree on; `None` where there is none.
    pub(super) fn all(template: &'t Template, message: &'a [u8], known: &'t LateBigrams) -> Option<Values<'a>> {
        let mut search =
            Search { template, message, known, now: [ValueSpan::NONE; CAPTURES_MAX], found: None, steps: 0 };
        search.go(0, 0);
        search.found
    }

    /// Reads from `at` on with the steps from `step` on.
    fn go(&mut self, mut step: usize, mut at: usize) {
        let template = self.template;
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return self.give_up();
            }
            let rest = &self.message[at..];
            match &template.steps[step] {
                Move::End => {
                    if rest.is_empty() || template.is_open {
                        self.add();
                    }
                    return;
                }
                Move::Literal(literal) => {
                    if !template.begins(rest, literal) {
                        return;
                    }
                    at += literal.text().len();
                    step = template.landings[step + 1];
                }
                Move::Blanks => {
                    at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    step = template.landings[step + 1];
                }
                Move::Jump(to) => step = *to,
                Move::Split(ways) => {
                    let begins = |way: &usize| match &template.steps[*way] {
                        Move::Literal(literal) => template.begins(rest, literal),
                        _ => true,
                    };
                    let mut open = ways.iter().copied().filter(begins);
                    let Some(mut way) = open.next() else { return };
                    for next in open {
                        self.go(template.landings[way], at);
                        way = next;
                    }
                    step = template.landings[way];
                }
                Move::Capture(slot, follow) => return self.capture((step, at, *slot), follow),
            }
        }
    }

    fn capture(&mut self, (step, at, slot): (usize, usize, usize), follow: &Follow) {
        let message = self.message;
        let kind = self.template.captures[slot].1;
        let longest = at + extent(kind, &message[at..]);
        let take = |search: &mut Self, end: usize| {
            if fits(kind, &message[at..end]) && (kind != Takes::Own || search.is_own(at, end)) {
                search.now[slot] = ValueSpan::new(at, end);
                search.go(search.template.landings[step + 1], end);
                search.now[slot] = ValueSpan::NONE;
            }
        };
        if follow.anywhere {
            return (at..=longest).for_each(|end| take(self, end));
        }
        if follow.end {
            if self.template.is_open {
                take(self, longest - trailing_marks(kind, &message[at..longest]));
            } else if longest == message.len() {
                take(self, longest);
            }
        }
        for (which, literal) in follow.literals.iter().enumerate() {
            // Where several texts that may follow stand at one place, it is tried once.
            let take_once = |search: &mut Self, end: usize| {
                let begins = |it: &Sought| search.template.begins(&message[end..], it.head());
                let is_tried = follow.literals[..which].iter().any(begins);
                if !(is_tried || follow.end && !search.template.is_open && end == message.len()) {
                    take(search, end);
                }
            };
            // A text that begins with a byte which no value of the kind has stands behind the longest value, and nowhere before.
            if literal.text().first().is_some_and(|first| !takes(kind, *first)) {
                if self.template.begins(&message[longest..], literal.head()) {
                    take_once(self, longest);
                }
                continue;
            }
            if !self.known.may_hold(literal.bigrams()) {
                continue;
            }
            let mut from = at;
            while self.steps <= STEPS_MAX
                && let Some(end) = self.next(literal, from, longest)
            {
                take_once(self, end);
                from = end + 1;
            }
        }
    }

    /// Whether none of the template's longer texts stands between these places.
    fn is_own(&self, start: usize, end: usize) -> bool {
        !self.template.marks.as_ref().is_some_and(|marks| marks.is_match(&self.message[start..end]))
    }

    /// Where the literal begins next, at `longest` at the latest.
    #[inline]
    fn next(&self, literal: &Sought, from: usize, longest: usize) -> Option<usize> {
        let text = literal.text();
        let within = self.message.get(from..self.message.len().min(longest + text.len()))?;
        let found = match self.template.ignores_case {
            true => within.windows(text.len()).position(|here| here.eq_ignore_ascii_case(text)),
            false => literal.find(within),
        };
        found.map(|at| from + at)
    }

    fn add(&mut self) {
        let mut values = Values::new(self.message);
        for (place, (id, kind)) in self.now.iter().zip(&self.template.captures) {
            if let Some(id) = id
                && *place != ValueSpan::NONE
            {
                values.push(*id, *kind, *place);
            }
        }
        match &mut self.found {
            None => self.found = Some(values),
            Some(found) => found.keep_shared(&values),
        }
    }

    /// Too many readings: what they agree on is not known.
    fn give_up(&mut self) {
        let mut values = Values::new(self.message);
        for (id, kind) in &self.template.captures {
            if let Some(id) = id {
                values.push(*id, *kind, ValueSpan::NONE);
            }
        }
        self.found = Some(values);
    }
}

/// Marks that end a sentence behind a name or an address.
fn trailing_marks(kind: Takes, text: &[u8]) -> usize {
    match kind {
        Takes::Host | Takes::Peer | Takes::Ip => {
            text.iter().rev().take_while(|byte| matches!(byte, b'.' | b':')).count()
        }
        _ => 0,
    }
}

/// Which kinds take a byte, one bit for each.
const NAME: u8 = 1;
const HOST: u8 = 2;
const ADDRESS: u8 = 4;

const TAKEN: [u8; 256] = {
    let (mut table, mut at) = ([NAME; 256], 0);
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_whitespace() || matches!(byte, b':' | b'/' | b',' | b'(' | b')' | b'[' | b']' | b'\'' | b'"') {
            table[at] = 0;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'%') {
            table[at] |= HOST | ADDRESS;
        }
        if matches!(byte, b'-' | b'_') {
            table[at] |= HOST;
        }
        at += 1;
    }
    table
};

/// Whether a value of the kind can have the byte.
#[inline]
fn takes(kind: Takes, byte: u8) -> bool {
    match kind {
        Takes::Text | Takes::Own => true,
        Takes::Word => !matches!(byte, b' ' | b'\t'),
        Takes::Name => TAKEN[usize::from(byte)] & NAME != 0,
        Takes::Host | Takes::Peer => TAKEN[usize::from(byte)] & HOST != 0,
        Takes::Ip => TAKEN[usize::from(byte)] & ADDRESS != 0,
        Takes::Clients => TAKEN[usize::from(byte)] & ADDRESS != 0 || matches!(byte, b',' | b' '),
        Takes::Number => byte.is_ascii_digit(),
    }
}

/// How many bytes the capture can take at most.
#[inline]
fn extent(kind: Takes, text: &[u8]) -> usize {
    match kind {
        Takes::Text | Takes::Own => text.len(),
        _ => text.iter().position(|byte| !takes(kind, *byte)).unwrap_or(text.len()),
    }
}

fn fits(kind: Takes, text: &[u8]) -> bool {
    match kind {
        Takes::Text | Takes::Own => true,
        Takes::Word | Takes::Name | Takes::Host | Takes::Peer => !text.is_empty(),
        Takes::Number => decimal(text).is_some(),
        Takes::Clients => text.split(|byte| *byte == b',').all(|one| is_ip(one.trim_ascii())),
        Takes::Ip => {
            let bare = memchr::memchr(b'%', text).map_or(text, |zone| &text[..zone]);
            is_ip(bare)
        }
    }
}
