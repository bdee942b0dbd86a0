//! Columns under construction. A column starts at its first value; rows before it and between values are null.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

use crate::views;

/// What a text cell was in JSON. Cells of other formats are all `String`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ValueTag {
    /// A string, or text of a format that knows no types.
    String = 0,
    /// A number, as it was written.
    Number = 1,
    /// `true` or `false`.
    Boolean = 2,
    /// The key was there with the value `null`: exists, but matches nothing.
    Null = 3,
    /// Raw JSON text of an array.
    Array = 4,
    /// Raw JSON text of an object that was too deep to be taken apart.
    Object = 5,
}

impl ValueTag {
    /// The tag as a word, as JSON Schema names the type.
    pub fn word(self) -> &'static str {
        match self {
            ValueTag::String => "string",
            ValueTag::Number => "number",
            ValueTag::Boolean => "boolean",
            ValueTag::Null => "null",
            ValueTag::Array => "array",
            ValueTag::Object => "object",
        }
    }

    /// Reads [`ValueTag::word`].
    pub fn named(word: &str) -> Option<ValueTag> {
        (0..=5).map(ValueTag::from_byte).find(|tag| tag.word() == word)
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte {
            1 => ValueTag::Number,
            2 => ValueTag::Boolean,
            3 => ValueTag::Null,
            4 => ValueTag::Array,
            5 => ValueTag::Object,
            _ => ValueTag::String,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Values {
    Text { views: Vec<u128>, tags: Vec<u8> },
    Long(Vec<i64>),
    Date(Vec<i64>),
}

impl Values {
    /// Rows that there is room for.
    fn capacity(&self) -> usize {
        match self {
            Values::Text { views, .. } => views.capacity(),
            Values::Long(values) | Values::Date(values) => values.capacity(),
        }
    }
}

/// One column: values for rows `0..len`, and which of them are there.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    pub(crate) values: Values,
    /// A bit for each row that has a value; rows beyond the last word have none. Empty as long as every row has one.
    present: Vec<u64>,
    len: usize,
}

impl ColumnBuilder {
    pub(crate) fn text(expected_rows: usize) -> Self {
        Self::new(Values::Text { views: Vec::with_capacity(expected_rows), tags: Vec::new() })
    }

    pub(crate) fn long(expected_rows: usize) -> Self {
        Self::new(Values::Long(Vec::with_capacity(expected_rows)))
    }

    pub(crate) fn date(expected_rows: usize) -> Self {
        Self::new(Values::Date(Vec::with_capacity(expected_rows)))
    }

    fn new(values: Values) -> Self {
        ColumnBuilder { values, present: Vec::new(), len: 0 }
    }

    /// Texts of which every row has one.
    pub(crate) fn full(views: Vec<u128>) -> Self {
        let len = views.len();
        ColumnBuilder { values: Values::Text { views, tags: Vec::new() }, present: Vec::new(), len }
    }

    /// The texts that belong to the numbers of this column; `None` where a row has a number that has no text.
    pub(crate) fn mapped(&self, texts: &[u128]) -> Option<Self> {
        let Values::Long(numbers) = &self.values else { return None };
        let has_text = |number: &i64| usize::try_from(*number).is_ok_and(|at| at < texts.len());
        // A row without a number has 0 there.
        if texts.is_empty() || !numbers.iter().all(has_text) {
            return None;
        }
        let views = numbers.iter().map(|number| texts[*number as usize]).collect();
        Some(ColumnBuilder {
            values: Values::Text { views, tags: Vec::new() },
            present: self.present.clone(),
            len: self.len,
        })
    }

    /// The number that all of so many rows have.
    pub(crate) fn only_number(&self, rows: usize) -> Option<i64> {
        let Values::Long(numbers) = &self.values else { return None };
        let first = *numbers.first()?;
        let is_full = self.present.is_empty() && self.len == rows;
        (is_full && numbers.iter().all(|number| *number == first)).then_some(first)
    }

    /// The whole number of a row.
    pub(crate) fn number_at(&self, row: usize) -> Option<i64> {
        let Values::Long(values) = &self.values else { return None };
        values.get(row).copied().filter(|_| self.is_valid(row))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes room so that the next push lands on `row`. A value that the row already has is taken out (last one wins).
    #[inline]
    pub(crate) fn seek(&mut self, row: usize) {
        if row != self.len {
            self.seek_slow(row);
        }
    }

    #[cold]
    fn seek_slow(&mut self, row: usize) {
        if row < self.len {
            self.truncate(row);
            return;
        }
        self.tell_rows_apart();
        match &mut self.values {
            Values::Text { views, tags } => {
                views.resize(row, 0);
                if !tags.is_empty() {
                    tags.resize(row, ValueTag::String as u8);
                }
            }
            Values::Long(values) | Values::Date(values) => values.resize(row, 0),
        }
        self.len = row;
    }

    /// From here on rows without a value follow: each row so far gets its bit.
    fn tell_rows_apart(&mut self) {
        if self.present.is_empty() {
            self.present.reserve(self.values.capacity().div_ceil(64).max(1));
            self.present.resize(self.len / 64, u64::MAX);
            self.present.push((1 << (self.len % 64)) - 1);
        }
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        if rows >= self.len {
            return;
        }
        match &mut self.values {
            Values::Text { views, tags } => {
                views.truncate(rows);
                tags.truncate(rows);
            }
            Values::Long(values) | Values::Date(values) => values.truncate(rows),
        }
        if self.present.is_empty() {
            self.len = rows;
            return;
        }
        // One word stays: no word means that every row has a value.
        self.present.truncate(rows.div_ceil(64).max(1));
        if let Some(last) = self.present.get_mut(rows / 64) {
            *last &= (1 << (rows % 64)) - 1;
        }
        self.len = rows;
    }

    #[inline]
    fn pushed(&mut self, valid: bool) {
        if self.present.is_empty() && valid {
            self.len += 1;
        } else {
            self.pushed_apart(valid);
        }
    }

    fn pushed_apart(&mut self, valid: bool) {
        self.tell_rows_apart();
        let at = self.len / 64;
        if at >= self.present.len() {
            self.present.resize(at + 1, 0);
        }
        self.present[at] |= u64::from(valid) << (self.len % 64);
        self.len += 1;
    }

    /// Pushes a text where nothing else has to be changed for it; false where something has.
    #[inline]
    pub(crate) fn push_usual(&mut self, view: u128, tag: ValueTag) -> bool {
        let Values::Text { views, tags } = &mut self.values else { return false };
        if tags.is_empty() {
            if tag != ValueTag::String {
                return false;
            }
        } else if tag == ValueTag::Null {
            return false;
        } else {
            tags.push(tag as u8);
        }
        views.push(view);
        self.pushed(true);
        true
    }

    #[inline]
    pub(crate) fn push_tagged(&mut self, view: u128, tag: ValueTag) {
        if let Values::Text { views, tags } = &mut self.values {
            if tags.is_empty() && tag != ValueTag::String {
                tags.resize(views.len(), ValueTag::String as u8);
            }
            views.push(view);
            if !tags.is_empty() || tag != ValueTag::String {
                tags.push(tag as u8);
            }
            self.pushed(tag != ValueTag::Null);
        }
    }

    #[inline]
    pub(crate) fn push_number(&mut self, value: i64) {
        if let Values::Long(values) | Values::Date(values) = &mut self.values {
            values.push(value);
            self.pushed(true);
        }
    }

    /// Whether row `row` holds a value.
    #[inline]
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        let has_bit = || self.present.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1);
        row < self.len && (self.present.is_empty() || has_bit())
    }

    pub(crate) fn has_tags(&self) -> bool {
        matches!(&self.values, Values::Text { tags, .. } if !tags.is_empty())
    }

    /// The text of a row and what it was in JSON; an explicit `null` is one, too.
    #[inline]
    pub(crate) fn view_at(&self, row: usize) -> Option<(u128, ValueTag)> {
        let Values::Text { views, tags } = &self.values else { return None };
        let tag = tags.get(row).map_or(ValueTag::String, |tag| ValueTag::from_byte(*tag));
        let is_there = self.is_valid(row) || tag == ValueTag::Null;
        views.get(row).filter(|_| is_there).map(|view| (*view, tag))
    }

    /// Which of `rows` rows are null; `None` where none is.
    fn nulls(&mut self, rows: usize) -> Option<NullBuffer> {
        if self.present.is_empty() {
            return None;
        }
        let valid: usize = self.present.iter().map(|word| word.count_ones() as usize).sum();
        if valid == rows {
            return None;
        }
        let mut present = std::mem::take(&mut self.present);
        present.resize(rows.div_ceil(64), 0);
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(present), 0, rows)))
    }

    /// The finished array of `rows` rows, and the tags of a text column that has any.
    pub(crate) fn finish(mut self, rows: usize, buffers: &[Buffer; 2]) -> (ArrayRef, Option<Arc<[u8]>>) {
        self.seek(rows);
        let nulls = self.nulls(rows);
        match self.values {
            Values::Text { views, tags } => {
                let tags = (!tags.is_empty()).then(|| Arc::from(tags));
                (Arc::new(views::array(views, buffers.clone(), nulls)), tags)
            }
            Values::Long(values) => (Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls)), None),
            Values::Date(values) => {
                let array = TimestampMicrosecondArray::new(ScalarBuffer::from(values), nulls);
                (Arc::new(array.with_timezone("UTC")), None)
            }
        }
    }
}
