//! A form for one line: where the time and the values of its fields stand in it. Longer values take their place first. What is
//! found may be the wrong one of several equal texts: the form is right for this line all the same, and seldom used again.

use event::catalog::OF_THE_PIPELINE;
use event::{EventBatch, Timestamp};
use memchr::memmem;

use super::{Form, Piece};
use crate::stamp::Stamp;

/// Longest line that a form is looked for, in bytes: the search is quadratic in the worst case.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Parts of the line that have a value, in order of their place, none over another.
struct Places<'a> {
    line: &'a str,
    taken: Vec<(usize, usize, Piece)>,
}

impl Places<'_> {
    /// Takes the first place where the value stands alone, between bytes that do not go on with a word.
    fn take_first(&mut self, value: &str, piece: Piece) {
        let line = self.line.as_bytes();
        let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
        let stands_alone = |at: &usize| {
            let opens = !goes_on(value.as_bytes().first()) || !goes_on(at.checked_sub(1).and_then(|at| line.get(at)));
            let closes = !goes_on(value.as_bytes().last()) || !goes_on(line.get(at + value.len()));
            opens && closes && self.is_free(*at, at + value.len())
        };
        if let Some(at) = memmem::find_iter(line, value.as_bytes()).find(stands_alone) {
            self.take(at, at + value.len(), piece);
        }
    }

    fn is_free(&self, start: usize, end: usize) -> bool {
        let after = self.taken.partition_point(|(other, ..)| *other < end);
        after.checked_sub(1).is_none_or(|before| self.taken[before].1 <= start)
    }

    fn take(&mut self, start: usize, end: usize, piece: Piece) {
        let at = self.taken.partition_point(|(other, ..)| *other < start);
        self.taken.insert(at, (start, end, piece));
    }

    fn into_form(self) -> Form {
        let mut pieces = Vec::with_capacity(2 * self.taken.len() + 1);
        let mut done = 0;
        for (start, end, piece) in self.taken {
            if start > done {
                pieces.push(Piece::Literal(self.line[done..start].to_owned()));
            }
            pieces.push(piece);
            done = end;
        }
        if done < self.line.len() {
            pieces.push(Piece::Literal(self.line[done..].to_owned()));
        }
        Form::of(pieces)
    }
}

/// The form of a row's line; `None` where no field stands in it.
pub(super) fn derive(batch: &EventBatch, row: usize) -> Option<Form> {
    let line = batch.original(row);
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let mut places = Places { line, taken: Vec::new() };
    take_time(&mut places, batch.times().and_then(|times| times.get(row)).map(Timestamp));
    let mut values: Vec<(String, &str)> = Vec::new();
    for (at, name) in batch.column_names().enumerate() {
        // A name with a brace in it could not be told from what follows it.
        if OF_THE_PIPELINE.contains(&name) || name.contains(['{', '}']) {
            continue;
        }
        if let Some(text) = batch.text_at(at).and_then(|column| column.str(row)) {
            values.push((text.to_owned(), name));
        } else if let Some(number) = batch.long_at(at).and_then(|column| column.get(row)) {
            values.push((number.to_string(), name));
        }
    }
    // Stable: of equal lengths the field that comes first in the catalog.
    values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    for (value, name) in values.iter().filter(|(value, _)| !value.is_empty()) {
        places.take_first(value, Piece::Value((*name).into()));
    }
    (!places.taken.is_empty()).then(|| places.into_form())
}

/// The first place where the line writes the time of its event.
fn take_time(places: &mut Places<'_>, time: Option<Timestamp>) {
    let Some(time) = time else { return };
    let line = places.line.as_bytes();
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| line.get(at));
        line[*at].is_ascii_alphanumeric() && !before.is_some_and(u8::is_ascii_alphanumeric)
    };
    let found = (0..line.len()).filter(begins).find_map(|at| Some((at, Stamp::find(&line[at..], time)?)));
    if let Some((at, (stamp, length))) = found
        && places.line.is_char_boundary(at + length)
    {
        places.take(at, at + length, Piece::Time(stamp));
    }
}
