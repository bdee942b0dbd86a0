//! Events that are pairs of names and values (CEF, LEEF, key=value): each pair goes to the column of its name, as members of
//! JSON do, and then the shape of the names says what they mean. Knows no format.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, Timestamp, ValueTag, dataset};

use crate::context::Context;
use crate::naming;
use crate::naming::places::{MemberId, MemberPlace, Places, ROOT};
use crate::needle::{NAME_BYTES_MAX, find_byte, is_name_byte};
use crate::shape::model::Signs;

/// Pairs of one event that are read; others are counted as dropped.
const PAIRS_MAX: usize = 512;
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
        self.put_at(place, value);
    }

    /// A value of the event under a name of which it may be known already what it is.
    #[inline]
    pub(crate) fn put_named(&mut self, name: PairName<'_>, value: &[u8]) {
        let Some(known) = name.known.filter(|_| self.count < PAIRS_MAX) else { return self.put(name.text, value) };
        self.count += 1;
        let place = self.context.names.places.follow(known);
        self.put_at(place, value);
    }

    /// Takes what a line before it had, whose values were put: these members, and these keys of signatures.
    pub(crate) fn take_all(&mut self, (row, signs): (&[MemberId], Signs)) {
        self.context.names.places.take_all(row, signs);
    }

    /// The members of the event so far, and which keys of signatures they are.
    pub(crate) fn row_now(&self) -> (&[MemberId], Signs) {
        (self.context.names.places.row_now(), self.context.names.places.signs_now())
    }

    /// Where the values of a member belong.
    pub(crate) fn place_of(&self, member: MemberId) -> MemberPlace {
        self.context.names.places.place_of(member)
    }

    /// A value of the event whose place is known.
    #[inline]
    pub(crate) fn put_at(&mut self, place: MemberPlace, value: &[u8]) {
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

/// The name of a pair, and which member of the block's events it is, where that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairName<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) known: Option<MemberId>,
}

/// Pairs of a text in which values may hold blanks: a value ends before the last word in front of the next `=` that no
/// backslash escapes.
pub(crate) fn spaced<'a>(
    text: &'a [u8],
    pairs: &mut Pairs<'_, '_>,
    mut each: impl FnMut(&mut Pairs<'_, '_>, PairName<'a>, &'a [u8]),
) {
    let places = &pairs.context.names.places;
    let Some((mut name, mut at)) = next_name(text, 0, places, Some(places.last())) else { return };
    loop {
        let next = next_name(text, at, &pairs.context.names.places, name.known);
        let end = next.as_ref().map_or(text.len(), |(name, after)| after - 1 - name.text.len());
        each(pairs, name, text[at..end.max(at)].trim_ascii());
        match next {
            Some((found, after)) => (name, at) = (found, after),
            None => return,
        }
    }
}

/// The first name from `from` on that a `=` follows, and where its value begins. Mostly it is the one that followed `last` in
/// another line, which is compared first.
#[inline]
fn next_name<'a>(
    text: &'a [u8],
    from: usize,
    places: &Places,
    last: Option<MemberId>,
) -> Option<(PairName<'a>, usize)> {
    let mut at = from;
    let expected = last.and_then(|last| places.word_behind(last));
    loop {
        let equals = at + find_byte(b'=', text.get(at..)?)?;
        if let Some(expected) = &expected
            && let Some(start) = equals.checked_sub(expected.key.len()).filter(|start| *start > from)
            && text[start - 1].is_ascii_whitespace()
            && expected.begins(&text[start..])
        {
            let name = PairName { text: &text[start..equals], known: Some(expected.id) };
            return Some((name, equals + 1));
        }
        let name =
            text[from..equals].iter().rposition(|byte| !is_name_byte(*byte)).map_or(from, |blank| from + blank + 1);
        let is_led = name == 0 || name == from && from == 0 || text[name - 1].is_ascii_whitespace();
        if name < equals && is_led {
            let name = &text[name..equals];
            return Some((PairName { text: name, known: places.word(name) }, equals + 1));
        }
        at = equals + 1;
    }
}
