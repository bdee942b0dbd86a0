//! Events that are pairs of names and values (CEF, LEEF, key=value): each pair goes to the column of its name, as members of
//! JSON do, and then the shape of the names says what they mean. Knows no format.

use std::borrow::Cow;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, Timestamp, ValueTag, dataset};

use crate::context::Context;
use crate::naming::{self, places::ROOT};
use crate::needle::{bytes_of, find_byte};

/// Pairs of one event that are read; others are counted as dropped.
const PAIRS_MAX: usize = 512;
/// Longest name in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// Puts the pairs of one event.
pub(crate) struct Pairs<'c, 'r> {
    context: &'c mut Context,
    rows: &'r mut BatchBuilder,
    count: usize,
    best_time: Option<(u8, Timestamp)>,
    /// Columns of names that came twice with different values: neither is believed.
    doubted: Vec<FieldId>,
}

impl<'c, 'r> Pairs<'c, 'r> {
    pub(crate) fn new(context: &'c mut Context, rows: &'r mut BatchBuilder) -> Self {
        context.names.places.begin_line();
        Pairs { context, rows, count: 0, best_time: None, doubted: Vec::new() }
    }

    /// A value of the event under its name.
    pub(crate) fn put(&mut self, name: &[u8], value: &[u8]) {
        self.count += 1;
        if self.count > PAIRS_MAX || name.is_empty() || name.len() > NAME_BYTES_MAX {
            self.rows.count_field_dropped();
            return;
        }
        let places = &mut self.context.names.places;
        let place = match places.recall(ROOT, name, false) {
            Some((_, place)) => place,
            None => {
                let path = String::from_utf8_lossy(name);
                places.remember((ROOT, name), &path, false, self.rows).1
            }
        };
        if let Some(rank) = place.time
            && let Some(time) = naming::time(value, &mut self.context.times)
            && self.best_time.is_none_or(|(best, _)| rank <= best)
        {
            self.best_time = Some((rank, time));
        }
        let Some(column) = place.column else { return };
        if column == field::TIMESTAMP {
            if self.best_time.is_some() {
                self.context.names.places.note_put(column);
            }
            return;
        }
        if self.context.names.places.is_first_put(column, false) {
            self.rows.tagged(column, value, ValueTag::String);
            return;
        }
        let is_same = self.rows.value_now(column).is_some_and(|known| known.text() == Some(value));
        if !is_same {
            self.doubted.push(column);
        }
    }

    /// The event's time, as its format says it.
    pub(crate) fn put_time(&mut self, time: Timestamp) {
        self.best_time = Some((0, time));
    }

    pub(crate) fn times(&mut self) -> &mut crate::clock::Times {
        &mut self.context.times
    }

    /// What the names mean. `otherwise`: the dataset of events of no known shape.
    pub(crate) fn finish(self, otherwise: &'static str) -> DatasetId {
        for column in &self.doubted {
            self.rows.take_out(*column);
        }
        if !self.doubted.is_empty() {
            self.rows.mark("duplicate_key");
        }
        if let Some((_, time)) = self.best_time {
            self.rows.date(field::TIMESTAMP, time);
        }
        naming::finish(self.context, self.rows).unwrap_or_else(|| {
            self.rows.name_dataset(otherwise);
            dataset::JSON
        })
    }
}

/// A text without its escapes: a backslash stands for the character behind it; `n`, `r` and `t` are white space.
pub(crate) fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if find_byte(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        match bytes.as_slice().first() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(known @ (b'\\' | b'"' | b'=' | b'|' | b'\'')) => out.push(*known),
            // Paths of Windows are often written as they are.
            _ => {
                out.push(b'\\');
                continue;
            }
        }
        bytes.next();
    }
    Cow::Owned(out)
}

/// Bytes of which names are made.
#[inline]
pub(crate) fn is_name_byte(byte: u8) -> bool {
    const NAMES: [bool; 256] = bytes_of(b"_-.@[]/%:", true);
    NAMES[usize::from(byte)]
}

/// Pairs of a text in which values may hold blanks: a value ends before the last word in front of the next `=` that no
/// backslash escapes.
pub(crate) fn spaced<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) {
    let Some((mut name, mut at)) = next_name(text, 0) else { return };
    loop {
        let next = next_name(text, at);
        let end = next.as_ref().map_or(text.len(), |(range, _)| range.start);
        each(&text[name.clone()], text[at..end.max(at)].trim_ascii());
        match next {
            Some((range, after)) => (name, at) = (range, after),
            None => return,
        }
    }
}

/// The first name from `from` on that a `=` follows, and where its value begins.
fn next_name(text: &[u8], from: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let mut at = from;
    loop {
        let equals = at + memchr::memchr(b'=', text.get(at..)?)?;
        let name =
            text[from..equals].iter().rposition(|byte| !is_name_byte(*byte)).map_or(from, |blank| from + blank + 1);
        let is_led = name == 0 || name == from && from == 0 || text[name - 1].is_ascii_whitespace();
        if name < equals && is_led {
            return Some((name..equals, equals + 1));
        }
        at = equals + 1;
    }
}
