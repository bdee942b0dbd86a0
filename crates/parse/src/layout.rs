//! Line layouts: texts that stand in every line, and values between them. A layout is compiled once and run from left to right.
//!
//! A value ends where the text behind it stands first; in quotes, at the first quote without a backslash in front that this text
//! follows. So nothing that stands behind a value can move its end, and what a server escapes cannot move anything.

use memchr::memchr;

use crate::needle::frequency;
use crate::values::{Dialect, Own, Value};

pub(crate) mod apache;
pub(crate) mod named_fields;
pub(crate) mod names;
pub(crate) mod nginx;

/// Whether values of a line have the forms that they should.
pub(crate) type Fits<'f> = dyn Fn(&[Value], &[&[u8]]) -> bool + 'f;
/// Values of one line.
pub(crate) const VALUES_MAX: usize = 96;

/// What stands in front of a value or behind it, the same in every line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Between {
    Text(Box<[u8]>),
    /// Blanks; one at least where they end a value.
    Blanks,
}

/// A value, and what ends it.
#[derive(Clone, Debug)]
struct ValueStep {
    value: Value,
    /// `None`: the end of the line.
    until: Option<Between>,
    /// What follows that.
    behind: Vec<Between>,
    /// Place of the byte of `until` that lines have least often.
    rarest: usize,
    /// The text behind it begins with a quote or a bracket that the server escapes within.
    is_quoted: bool,
}

/// A compiled layout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    head: Vec<Between>,
    steps: Vec<ValueStep>,
    values: Vec<Value>,
    /// What stands behind the last value does not matter.
    is_open: bool,
    pub(crate) own: Own,
    pub(crate) dialect: Dialect,
}

/// A part of a layout before it is compiled, and the column that it begins at, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayoutPart {
    Text(Vec<u8>),
    Blanks,
    Value(Value),
    /// Whatever follows.
    Rest,
}

/// Why parts are no layout: a text for people, and the column that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLayout {
    /// Column of the definition, from 1.
    pub(crate) column: usize,
    /// What is wrong there and what to write instead.
    pub(crate) reason: String,
}

impl BadLayout {
    pub(crate) fn new(column: usize, reason: impl Into<String>) -> Self {
        BadLayout { column, reason: reason.into() }
    }
}

impl Layout {
    /// Compiles parts; every problem is told.
    pub(crate) fn compile(parts: Vec<(usize, LayoutPart)>, own: Own, dialect: Dialect) -> Result<Self, Vec<BadLayout>> {
        let mut problems = Vec::new();
        let mut layout = Layout { own, dialect, ..Layout::default() };
        layout.is_open = matches!(parts.last(), Some((_, LayoutPart::Rest)));
        let mut parts = joined(parts).into_iter().filter(|(_, part)| *part != LayoutPart::Rest).peekable();
        layout.head = fixed(&mut parts);
        while let Some((column, part)) = parts.next() {
            let LayoutPart::Value(value) = part else { continue };
            let mut behind = fixed(&mut parts);
            let until = (!behind.is_empty()).then(|| behind.remove(0));
            if let Some((next, _)) = parts.peek().filter(|_| until.is_none()) {
                let reason = "two values follow each other without a text between them: it cannot be known where the first \
                              one ends; put a blank or another mark between them";
                problems.push(BadLayout::new(*next, reason));
            }
            let before = match layout.steps.last() {
                Some(step) => step.behind.last().or(step.until.as_ref()),
                None => layout.head.last(),
            };
            let is_quoted = matches!((before, &until), (Some(Between::Text(before)), Some(Between::Text(until)))
                if before.last() == Some(&b'"') && until.first() == Some(&b'"'));
            if layout.steps.len() == VALUES_MAX {
                problems
                    .push(BadLayout::new(column, format!("more than {VALUES_MAX} values: leave the last ones out")));
                break;
            }
            let rarest = match &until {
                Some(Between::Text(mark)) => (0..mark.len()).min_by_key(|at| frequency(mark[*at])).unwrap_or(0),
                _ => 0,
            };
            layout.steps.push(ValueStep { value, until, behind, rarest, is_quoted });
        }
        if layout.steps.is_empty() {
            problems.push(BadLayout::new(1, "no value is named: a line would say nothing"));
        }
        layout.values = layout.steps.iter().map(|step| step.value).collect();
        if problems.is_empty() { Ok(layout) } else { Err(problems) }
    }

    /// What each value is, in the order of the line.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// Whether the line is of the layout in one way only, as far as it matters who sent it: where a value that a client may write
    /// stands bare in front of the address that the server saw, its words may be those of the layout. `fits` tells a reading.
    pub(crate) fn is_clear(&self, text: &[u8], fits: &Fits<'_>) -> bool {
        let Some(peer) = self.values.iter().position(|value| *value == Value::Peer) else { return true };
        let is_bare = |step: &ValueStep| !step.is_quoted && step.until.is_some() && step.value.may_be_a_clients();
        if !self.steps[..peer].iter().any(is_bare) {
            return true;
        }
        let Some(rest) = after_all(text, &self.head) else { return true };
        let mut readings =
            Readings { layout: self, fits, peer, words: Vec::new(), known: None, steps: 0, is_clear: true };
        readings.go(0, rest);
        readings.is_clear
    }

    /// Cuts a line into its values; how many there are, or `None` where it is not of the layout.
    #[inline]
    pub(crate) fn cut<'a>(&self, text: &'a [u8], words: &mut [&'a [u8]; VALUES_MAX]) -> Option<usize> {
        let mut rest = after_all(text, &self.head)?;
        for (step, slot) in self.steps.iter().zip(words.iter_mut()) {
            let (value, after) = step.take(rest)?;
            *slot = value;
            rest = if step.behind.is_empty() { after } else { after_all(after, &step.behind)? };
        }
        (self.is_open || rest.is_empty()).then_some(self.steps.len())
    }
}

/// Steps that are made for one line before it counts as unclear.
const READING_STEPS_MAX: usize = 2000;

/// All ways to read one line, until two of them tell another peer.
struct Readings<'a, 'l> {
    layout: &'l Layout,
    fits: &'l Fits<'l>,
    /// The step of the address that the server saw.
    peer: usize,
    words: Vec<&'a [u8]>,
    known: Option<&'a [u8]>,
    steps: usize,
    is_clear: bool,
}

impl<'a> Readings<'a, '_> {
    fn go(&mut self, at: usize, rest: &'a [u8]) {
        self.steps += 1;
        self.is_clear &= self.steps <= READING_STEPS_MAX;
        if !self.is_clear {
            return;
        }
        let Some(step) = self.layout.steps.get(at) else {
            let is_whole = self.layout.is_open || rest.is_empty();
            if is_whole && (self.fits)(&self.layout.values, &self.words) {
                let peer = self.words[self.peer];
                self.is_clear &= *self.known.get_or_insert(peer) == peer;
            }
            return;
        };
        let mut from = 0;
        while let Some((value, after)) = step.take(&rest[from..]) {
            let word = &rest[..from + value.len()];
            if let Some(next) = after_all(after, &step.behind) {
                self.words.push(word);
                self.go(at + 1, next);
                self.words.pop();
            }
            // What stands behind the peer cannot move it.
            if step.is_quoted || step.until.is_none() || at > self.peer || !step.value.may_be_a_clients() {
                break;
            }
            from += value.len() + 1;
            if from > rest.len() {
                break;
            }
        }
    }
}

/// Steps over what is the same in every line.
fn after_all<'a>(mut text: &'a [u8], all: &[Between]) -> Option<&'a [u8]> {
    for fixed in all {
        text = match fixed {
            Between::Text(mark) => text.strip_prefix(&**mark)?,
            Between::Blanks => after_blanks(text),
        };
    }
    Some(text)
}

fn after_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

/// The parts up to the next value.
fn fixed(parts: &mut std::iter::Peekable<impl Iterator<Item = (usize, LayoutPart)>>) -> Vec<Between> {
    let mut all = Vec::new();
    while let Some((_, part)) = parts.next_if(|(_, part)| !matches!(part, LayoutPart::Value(_))) {
        match part {
            LayoutPart::Text(text) => all.push(Between::Text(text.into())),
            LayoutPart::Blanks => all.push(Between::Blanks),
            LayoutPart::Value(_) | LayoutPart::Rest => {}
        }
    }
    all
}

impl ValueStep {
    /// The value at the start of a text, and what follows the text behind it.
    #[inline]
    fn take<'a>(&self, text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        match &self.until {
            None => Some((text, b"")),
            Some(Between::Blanks) => {
                let at = memchr(b' ', text)?;
                Some((&text[..at], after_blanks(&text[at..])))
            }
            Some(Between::Text(mark)) if self.is_quoted => self.take_quoted(text, mark),
            Some(Between::Text(mark)) => match **mark {
                [one] => memchr(one, text).map(|at| (&text[..at], &text[at + 1..])),
                _ => {
                    // The rarest byte is looked for, because the texts are short.
                    let stands = |found: usize| Some(found).filter(|at| text[*at..].starts_with(mark));
                    let mut found = memchr::memchr_iter(*mark.get(self.rarest)?, text.get(self.rarest..)?);
                    let at = found.find_map(stands)?;
                    Some((&text[..at], &text[at + mark.len()..]))
                }
            },
        }
    }

    fn take_quoted<'a>(&self, text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut at = 0;
        while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..)?) {
            let stop = at + found;
            if text[stop] == b'\\' {
                at = stop + 2;
            } else if text[stop..].starts_with(mark) {
                return Some((&text[..stop], &text[stop + mark.len()..]));
            } else {
                at = stop + 1;
            }
        }
        None
    }
}

/// Cuts a line at its separators; a value in quotes may hold them. `None` where there are too many.
pub(crate) fn split_delimited<'a>(text: &'a [u8], separator: u8, words: &mut [&'a [u8]; VALUES_MAX]) -> Option<usize> {
    let (mut rest, mut count) = (text, 0);
    loop {
        let slot = words.get_mut(count)?;
        count += 1;
        if let Some(inside) = rest.strip_prefix(b"\"")
            && let Some(close) = memchr(b'"', inside)
            && inside.get(close + 1).is_none_or(|after| *after == separator)
        {
            *slot = &inside[..close];
            match inside.get(close + 2..) {
                Some(after) => rest = after,
                None => return Some(count),
            }
            continue;
        }
        match memchr(separator, rest) {
            Some(end) => (*slot, rest) = (&rest[..end], &rest[end + 1..]),
            None => {
                *slot = rest;
                return Some(count);
            }
        }
    }
}

/// Texts that follow each other become one.
fn joined(parts: Vec<(usize, LayoutPart)>) -> Vec<(usize, LayoutPart)> {
    let mut out: Vec<(usize, LayoutPart)> = Vec::with_capacity(parts.len());
    for (column, part) in parts {
        match (out.last_mut(), part) {
            (Some((_, LayoutPart::Text(before))), LayoutPart::Text(text)) => before.extend_from_slice(&text),
            (_, part) => out.push((column, part)),
        }
    }
    out
}
