//! Building an [`EventBatch`]: a parser walks a block and puts values, row by row; text is not copied.
//!
//! A value that lies inside the block becomes a view of it. Anything else (unescaped text, repaired lines, fixed words)
//! is copied once to a scratch buffer. Nothing here knows a log format.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::Array;
pub use arrow_buffer::Buffer;
use hashbrown::HashMap;

use crate::batch::{Counts, EventBatch, Provenance};
use crate::block::{Block, Position, Source};
use crate::catalog::{FIELDS, Field, FieldId, FieldType, field};
use crate::column::{ColumnBuilder, ValueTag, Values};
use crate::dataset::DatasetId;
use crate::time::Timestamp;
use crate::views;

/// Columns outside the catalog that one batch may have.
pub const DYNAMIC_COLUMNS_MAX: usize = 2048;
/// Cells (rows times columns outside the catalog) that one batch may have: bounds its memory to about 70 MB.
pub const DYNAMIC_CELLS_MAX: usize = 4_000_000;
/// Bytes of copied text that one batch may hold.
pub const SCRATCH_BYTES_MAX: usize = 256 << 20;

/// Why a column could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyColumns;

/// A fixed word that was copied to the scratch buffer: its address and length, and its view.
type Interned = ((usize, usize), u128);

/// A batch that is being made. Values are put to the current row until [`BatchBuilder::end_row`] ends it.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Its `end` is not known before the batch is finished.
    provenance: Provenance,
    block: Buffer,
    /// The whole block is UTF-8, so that a slice cut at character boundaries is, too.
    block_is_utf8: bool,
    scratch: Vec<u8>,
    columns: Vec<Option<ColumnBuilder>>,
    dynamic: HashMap<Box<str>, FieldId>,
    dynamic_names: Vec<Box<str>>,
    interned: Vec<Interned>,
    datasets: Vec<DatasetId>,
    expected_rows: usize,
    later: Later,
    pub(crate) counts: Counts,
}

/// What columns get when the batch is finished.
#[derive(Debug, Default)]
struct Later {
    /// Name of the current row's dataset, where it is not that of the table.
    dataset_now: Option<u128>,
    /// Such names of ended rows, in order.
    datasets: Vec<(usize, u128)>,
    /// Columns that have one text in every row.
    constants: Vec<(FieldId, &'static str)>,
}

/// A text that a batch under construction keeps for its rows. Means nothing to another batch.
#[derive(Clone, Copy, Debug)]
pub struct KeptText(u128);

/// What a row that is being made has in a column.
#[derive(Clone, Copy, Debug)]
pub enum ValueNow<'a> {
    /// A text of at most 12 bytes: a view, and the length.
    Short([u8; 16], usize, ValueTag),
    /// A longer text.
    Text(&'a [u8], ValueTag),
    /// The number of a column of whole numbers, or the microseconds of a time.
    Number(i64),
}

impl ValueNow<'_> {
    /// The text; `None` for the value of a column of numbers or times.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            ValueNow::Short(view, length, _) => view.get(4..4 + length),
            ValueNow::Text(text, _) => Some(text),
            ValueNow::Number(_) => None,
        }
    }

    /// What the text was in JSON.
    pub fn tag(&self) -> ValueTag {
        match self {
            ValueNow::Short(.., tag) | ValueNow::Text(_, tag) => *tag,
            ValueNow::Number(_) => ValueTag::Number,
        }
    }
}

impl BatchBuilder {
    /// Checks the block's UTF-8 once, for all values that will be cut from it.
    pub fn new(block: Block, expected_rows: usize) -> Self {
        let mut columns = Vec::with_capacity(FIELDS.len() + 32);
        columns.resize_with(FIELDS.len(), || None);
        let block_is_utf8 = simdutf8::basic::from_utf8(&block.bytes).is_ok();
        BatchBuilder {
            provenance: Provenance {
                source: block.source,
                start: block.start,
                end: block.start,
                line_starts: Vec::with_capacity(expected_rows),
                layout: block.layout,
                line_numbers: Vec::new(),
                reference: block.reference,
            },
            block: Buffer::from_vec(block.bytes),
            block_is_utf8,
            scratch: Vec::new(),
            columns,
            dynamic: HashMap::new(),
            dynamic_names: Vec::new(),
            interned: Vec::new(),
            datasets: Vec::with_capacity(expected_rows),
            expected_rows,
            later: Later::default(),
            counts: Counts::default(),
        }
    }

    /// The block's bytes; the handle keeps them alive apart from the builder.
    pub fn buffer(&self) -> Buffer {
        self.block.clone()
    }

    /// Whether all bytes of the block are UTF-8.
    pub fn block_is_utf8(&self) -> bool {
        self.block_is_utf8
    }

    /// The block's source.
    pub fn source(&self) -> &Source {
        &self.provenance.source
    }

    /// Row that values are put to: the number of rows ended so far.
    fn row(&self) -> usize {
        self.datasets.len()
    }

    /// Ends the row: `start` is the offset of its line in the block.
    #[inline]
    pub fn end_row(&mut self, start: u32, dataset: DatasetId) {
        if let Some(name) = self.later.dataset_now.take() {
            self.later.datasets.push((self.row(), name));
        }
        self.provenance.line_starts.push(start);
        self.datasets.push(dataset);
    }

    /// Takes out what was put to the current row.
    pub fn clear_row(&mut self) {
        let row = self.row();
        self.later.dataset_now = None;
        for column in self.columns.iter_mut().flatten() {
            column.truncate(row);
        }
    }

    /// What happens to lines is counted by whoever reads them.
    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Counts a value that had to be left out.
    pub fn count_field_dropped(&mut self) {
        self.counts.fields_dropped += 1;
    }

    /// Names the dataset of the current row where [`Self::end_row`] is given one without a name of its own.
    pub fn name_dataset(&mut self, name: &str) {
        self.later.dataset_now = Some(self.copied(name));
    }

    /// Text: a view if `value` lies in the block, else a copy. Bytes that are not UTF-8 are replaced.
    #[inline]
    pub fn text(&mut self, id: FieldId, value: &[u8]) {
        let view = self.view_of(value);
        self.put_view(id, view);
    }

    /// Text that does not lie in the block.
    pub fn owned(&mut self, id: FieldId, value: &str) {
        let view = self.copied(value);
        self.put_view(id, view);
    }

    /// A word of the program: copied at most once per batch.
    #[inline]
    pub fn literal(&mut self, id: FieldId, word: &'static str) {
        let view =
            if word.len() <= views::INLINE_BYTES_MAX { views::inline(word.as_bytes()) } else { self.interned(word) };
        self.put_view(id, view);
    }

    fn interned(&mut self, word: &'static str) -> u128 {
        let key = (word.as_ptr() as usize, word.len());
        if let Some((_, view)) = self.interned.iter().find(|(known, _)| *known == key) {
            return *view;
        }
        let view = self.copied(word);
        self.interned.push((key, view));
        view
    }

    /// Puts a mark on the current row, beside those that it has. Rare.
    #[cold]
    pub fn mark(&mut self, mark: &str) {
        let mut now = String::new();
        if !self.text_now(field::TAGS, &mut now) {
            return self.owned(field::TAGS, mark);
        }
        let quoted = crate::json::quote(mark);
        if now == mark || now.contains(&quoted) {
            return;
        }
        let list = match now.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(marks) => format!("[{marks},{quoted}]"),
            None => format!("[{},{quoted}]", crate::json::quote(&now)),
        };
        self.tagged_owned(field::TAGS, &list, ValueTag::Array);
    }

    /// Whether the row has the mark.
    pub fn is_marked(&self, mark: &str) -> bool {
        let now = self.value_now(field::TAGS);
        now.as_ref().and_then(ValueNow::text).is_some_and(|tags| has_mark(tags, mark))
    }

    /// JSON value under its path: text with a tag that says what it was.
    #[inline]
    pub fn tagged(&mut self, id: FieldId, value: &[u8], tag: ValueTag) {
        let view = self.view_of(value);
        self.put_tagged(id, view, tag);
    }

    /// JSON string that had escapes, unescaped.
    pub fn tagged_owned(&mut self, id: FieldId, value: &str, tag: ValueTag) {
        let view = self.copied(value);
        self.put_tagged(id, view, tag);
    }

    /// A whole number. In a column that has become text it is written as text.
    #[inline]
    pub fn long(&mut self, id: FieldId, value: i64) {
        let (row, expected) = (self.row(), self.expected_rows);
        let column = self.columns[usize::from(id.0)].get_or_insert_with(|| ColumnBuilder::long(expected));
        column.seek(row);
        match column.values {
            Values::Text { .. } => self.tagged_owned(id, &value.to_string(), ValueTag::Number),
            _ => column.push_number(value),
        }
    }

    /// A time. In a column that has become text it is written in RFC 3339.
    #[inline]
    pub fn date(&mut self, id: FieldId, value: Timestamp) {
        let (row, expected) = (self.row(), self.expected_rows);
        let column = self.columns[usize::from(id.0)].get_or_insert_with(|| ColumnBuilder::date(expected));
        column.seek(row);
        match column.values {
            Values::Text { .. } => self.tagged_owned(id, &value.to_string(), ValueTag::String),
            _ => column.push_number(value.micros()),
        }
    }

    /// Column for a field by name: the catalog's, or one that only this batch has.
    pub fn column_named(&mut self, name: &str) -> Result<FieldId, TooManyColumns> {
        if let Some(id) = self.dynamic.get(name) {
            return Ok(*id);
        }
        let id = match Field::named(name) {
            Some((id, _)) => id,
            None => {
                let count = self.dynamic_names.len();
                if count >= DYNAMIC_COLUMNS_MAX || (count + 1) * self.row() > DYNAMIC_CELLS_MAX {
                    return Err(TooManyColumns);
                }
                self.dynamic_names.push(name.into());
                self.columns.push(None);
                FieldId((FIELDS.len() + count) as u16)
            }
        };
        self.dynamic.insert(name.into(), id);
        Ok(id)
    }

    /// Adds text to the scratch buffer; past the limit the text is cut to nothing and counted.
    fn copied(&mut self, value: &str) -> u128 {
        if value.len() <= views::INLINE_BYTES_MAX {
            return views::inline(value.as_bytes());
        }
        if self.scratch.len() + value.len() > SCRATCH_BYTES_MAX {
            self.counts.fields_dropped += 1;
            return 0;
        }
        let offset = self.scratch.len() as u32;
        self.scratch.extend_from_slice(value.as_bytes());
        views::outside(value.as_bytes(), 1, offset)
    }

    /// Text that does not lie in the block, or not as it is. Mostly it is UTF-8, and checking that first is quicker.
    #[cold]
    fn copied_bytes(&mut self, value: &[u8]) -> u128 {
        match std::str::from_utf8(value) {
            Ok(text) => self.copied(text),
            Err(_) => self.copied(&String::from_utf8_lossy(value)),
        }
    }

    #[inline]
    fn view_of(&mut self, value: &[u8]) -> u128 {
        match self.place_in_block(value) {
            Some(place) if value.len() <= views::INLINE_BYTES_MAX => {
                views::inline_at(&self.block, place.start, value.len())
            }
            Some(place) => views::outside(value, 0, place.start as u32),
            None => self.copied_bytes(value),
        }
    }

    /// Where `value` lies in the block, if it does and can be viewed as it is.
    #[inline]
    fn place_in_block(&self, value: &[u8]) -> Option<Range<usize>> {
        let start = (value.as_ptr() as usize).wrapping_sub(self.block.as_ptr() as usize);
        let end = start.checked_add(value.len())?;
        if !self.block_is_utf8 || end > self.block.len() || end > u32::MAX as usize {
            return None;
        }
        let boundary = |at: usize| self.block.get(at).is_none_or(|byte| (*byte as i8) >= -0x40);
        (boundary(start) && boundary(end)).then_some(start..end)
    }

    #[inline]
    fn put_view(&mut self, id: FieldId, view: u128) {
        self.put_tagged(id, view, ValueTag::String);
    }

    #[inline]
    fn put_tagged(&mut self, id: FieldId, view: u128, tag: ValueTag) {
        let row = self.row();
        let column = self.columns.get_mut(usize::from(id.0)).and_then(Option::as_mut);
        if !column.is_some_and(|column| column.len() == row && column.push_usual(view, tag)) {
            self.put_unusual(id, view, tag);
        }
    }

    /// To a column that is new, or has other values, or whose rows have gaps.
    fn put_unusual(&mut self, id: FieldId, view: u128, tag: ValueTag) {
        let (row, expected) = (self.row(), self.expected_rows);
        let at = usize::from(id.0);
        if !matches!(self.columns[at], Some(ColumnBuilder { values: Values::Text { .. }, .. }) | None) {
            self.make_text(id);
        }
        let column = self.columns[at].get_or_insert_with(|| ColumnBuilder::text(expected));
        column.seek(row);
        column.push_tagged(view, tag);
    }

    /// Rewrites a number or date column as text, because a row brought something else. Rare: mixed formats in a block.
    fn make_text(&mut self, id: FieldId) {
        let Some(column) = self.columns[usize::from(id.0)].take() else { return };
        let mut text = ColumnBuilder::text(self.expected_rows);
        for row in 0..column.len() {
            if !column.is_valid(row) {
                continue;
            }
            let (written, tag) = match &column.values {
                Values::Long(values) => (values[row].to_string(), ValueTag::Number),
                Values::Date(values) => (Timestamp(values[row]).to_string(), ValueTag::String),
                Values::Text { .. } => continue,
            };
            let view = self.copied(&written);
            text.seek(row);
            text.push_tagged(view, tag);
        }
        self.columns[usize::from(id.0)] = Some(text);
    }

    /// `source.address` is the source in every row that names one: its address, or its name where that is all. Where no
    /// row has a name nothing is done here: [`Self::finish`] lets both fields share one column.
    fn complete_addresses(&mut self) {
        let at = usize::from(field::SOURCE_ADDRESS.0);
        let Some(ips) = &self.columns[usize::from(field::SOURCE_IP.0)] else { return };
        let names = self.columns[at].as_ref();
        if names.is_none() && !ips.has_tags() {
            return;
        }
        let mut complete = ColumnBuilder::text(self.row());
        for row in 0..self.row() {
            // What a sender of JSON gave stays, whatever it is.
            let name = names.and_then(|names| names.view_at(row));
            let found = name.or_else(|| ips.view_at(row).filter(|(_, tag)| *tag == ValueTag::String));
            if let Some((view, tag)) = found {
                complete.seek(row);
                complete.push_tagged(view, tag);
            }
        }
        self.columns[at] = Some(complete);
    }

    /// Whether a catalog field takes whole numbers or dates as such.
    #[inline]
    pub fn kind_of(id: FieldId) -> FieldType {
        Field::of(id).map_or(FieldType::Keyword, |row| row.kind)
    }

    /// The finished batch. `end` is the position after the block.
    pub fn finish(mut self, end: Position) -> EventBatch {
        self.provenance.end = end;
        // Lines with offsets of their own end after the last of them.
        if let Some(last) = self.provenance.layout.line_offsets.last() {
            self.provenance.end.offset = last + 1;
        }
        let rows = self.row();
        self.clear_row();
        self.complete_addresses();
        self.name_datasets();
        let buffers = [self.block, Buffer::from_vec(self.scratch)];
        let names = FIELDS.iter().map(|row| row.name).chain(self.dynamic_names.iter().map(|name| &**name));
        let mut columns = Vec::with_capacity(24);
        for (at, (name, column)) in names.zip(self.columns).enumerate() {
            let id = FieldId(at as u16);
            if let Some((_, text)) = self.later.constants.iter().find(|(constant, _)| *constant == id) {
                columns.push((id, name, constant::column(text, rows), None));
            } else if let Some(column) = column
                && column.len() > 0
            {
                let (array, tags) = column.finish(rows, &buffers);
                if array.null_count() < rows || tags.is_some() {
                    columns.push((id, name, array, tags));
                }
            } else if id == field::SOURCE_ADDRESS
                && let Some((field::SOURCE_IP, _, addresses, None)) = columns.last()
            {
                // No source is a mere name: both columns are one.
                let same = Arc::clone(addresses);
                columns.push((id, name, same, None));
            }
        }
        EventBatch::assemble(self.provenance, self.datasets, columns, self.counts)
    }
}

mod constant;
mod row;

/// Whether tags, as [`BatchBuilder::mark`] writes them, hold the mark: alone, or in a list of quoted ones.
pub fn has_mark(tags: &[u8], mark: &str) -> bool {
    let is_listed = || tags.split(|byte| *byte == b'"').any(|tag| tag == mark.as_bytes());
    tags == mark.as_bytes() || tags.first() == Some(&b'[') && is_listed()
}

#[cfg(test)]
mod tests;
