//! A batch of events: one Arrow `RecordBatch`, a row per line, and what ties rows to their place in the source.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field as ArrowField, Schema};

use crate::block::{EventId, Layout, Position, Source};
use crate::catalog::{FIELDS, Field, FieldId, field};
use crate::column::ValueTag;
use crate::dataset::DatasetId;
use crate::time::Timestamp;
use crate::views;

/// What happened to lines on their way into the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that break the format that they begin with, or that was asked for (`event.kind: pipeline_error`).
    pub rejected: u64,
    /// Lines of no known format (`event.dataset: text`).
    pub text: u64,
    /// Lines with nothing in them. They have a row, so that rows and lines go together, and are no events.
    pub empty: u64,
    /// Lines that go on with the record of a line before them. They have a row, too, and are no events.
    pub joined: u64,
    /// JSON lines with escapes that JSON does not know, kept as they stand.
    pub mended: u64,
    /// Lines in which bytes that are not UTF-8 were replaced.
    pub repaired: u64,
    /// Lines cut at the length limit.
    pub cut: u64,
    /// JSON fields beyond the column limit; they are still in `event.original`.
    pub fields_dropped: u64,
    /// Lines that name several clients, of which none counts (tag `ambiguous_source`).
    pub ambiguous: u64,
    /// Lines whose time lies more than a day after they were written or received: counted by who orders them.
    pub ahead: u64,
    /// Parts of values that were too long for patterns to judge them whole: counted by who matches.
    pub in_pieces: u64,
}

#[derive(Debug)]
struct Column {
    id: FieldId,
    name: Arc<str>,
    tags: Option<Arc<[u8]>>,
}

/// Rows of one block. Immutable.
#[derive(Debug)]
pub struct EventBatch {
    records: RecordBatch,
    columns: Vec<Column>,
    fingerprint: u64,
    provenance: Provenance,
    datasets: Vec<DatasetId>,
    counts: Counts,
}

/// Where the rows of a batch come from.
#[derive(Debug)]
pub(crate) struct Provenance {
    pub(crate) source: Arc<Source>,
    pub(crate) start: Position,
    pub(crate) end: Position,
    /// First byte of each row's line in the block.
    pub(crate) line_starts: Vec<u32>,
    pub(crate) layout: Layout,
    /// Number of each row's line, where they do not follow one another; empty where they do.
    pub(crate) line_numbers: Vec<u64>,
    pub(crate) reference: Timestamp,
}

/// Arrow field and shared name of each catalog row, made once.
fn catalog_names() -> &'static [Arc<str>] {
    static NAMES: OnceLock<Vec<Arc<str>>> = OnceLock::new();
    NAMES.get_or_init(|| FIELDS.iter().map(|row| Arc::from(row.name)).collect())
}

/// A finished column: field, name, values, and tags where it has any.
pub(crate) type Part<'a> = (FieldId, &'a str, ArrayRef, Option<Arc<[u8]>>);

impl EventBatch {
    pub(crate) fn assemble(
        provenance: Provenance,
        datasets: Vec<DatasetId>,
        parts: Vec<Part<'_>>,
        counts: Counts,
    ) -> Self {
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        let mut columns = Vec::with_capacity(parts.len());
        let mut fields = Vec::with_capacity(parts.len());
        let mut arrays = Vec::with_capacity(parts.len());
        for (id, name, array, tags) in parts {
            (name, type_letter(array.data_type())).hash(&mut hasher);
            fields.push(ArrowField::new(name, array.data_type().clone(), true));
            arrays.push(array);
            let name = catalog_names().get(usize::from(id.0)).map_or_else(|| Arc::from(name), Arc::clone);
            columns.push(Column { id, name, tags });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(datasets.len()));
        let schema = Arc::new(Schema::new(fields));
        let records = match RecordBatch::try_new_with_options(schema, arrays, &options) {
            Ok(records) => records,
            // Every array was finished with the same row count and its own type: an error here is ours.
            Err(error) => unreachable!("columns of one batch differ: {error}"),
        };
        EventBatch { records, columns, fingerprint: hasher.finish(), provenance, datasets, counts }
    }

    /// Number of rows: one for each line of the block, empty ones included.
    pub fn rows(&self) -> usize {
        self.datasets.len()
    }

    /// The Arrow form: what the archive writes and hunts read.
    pub fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// Hash of the columns' names and types: equal for batches with equal columns, so that rules are bound to them once.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The block's source.
    pub fn source(&self) -> &Arc<Source> {
        &self.provenance.source
    }

    /// Who sent the row: the source, or the sender that it names.
    pub fn origin(&self, row: usize) -> &Arc<Source> {
        let origins = &self.provenance.layout.origins;
        let after = origins.partition_point(|(first, _)| *first <= self.provenance.line_starts[row]);
        after.checked_sub(1).map_or(&self.provenance.source, |at| &origins[at].1)
    }

    /// When the lines were received, or last written.
    pub fn reference(&self) -> Timestamp {
        self.provenance.reference
    }

    /// Position before the first and after the last line.
    pub fn span(&self) -> (Position, Position) {
        (self.provenance.start, self.provenance.end)
    }

    /// Rows that are events: neither empty lines nor further lines of a record.
    pub fn events(&self) -> u64 {
        self.rows() as u64 - self.counts.empty - self.counts.joined
    }

    /// What parsing met beside well-formed events.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Kind of log of each row.
    pub fn datasets(&self) -> &[DatasetId] {
        &self.datasets
    }

    /// Names of the columns, by position.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// Place of the column with this name.
    pub fn position_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| &*column.name == name)
    }

    /// The catalog's row for the column at this position; `None` for a column that only this batch knows.
    pub fn field_at(&self, position: usize) -> Option<&'static Field> {
        Field::of(self.columns.get(position)?.id)
    }

    fn position_of_id(&self, id: FieldId) -> Option<usize> {
        self.columns.iter().position(|column| column.id == id)
    }

    /// The column at this position; `None` where it holds no text.
    pub fn text_at(&self, position: usize) -> Option<TextColumn<'_>> {
        let array = self.records.columns().get(position)?.as_string_view_opt()?;
        let tags = self.columns[position].tags.as_deref();
        Some(TextColumn { array, views: array.views(), tags })
    }

    /// The column at this position; `None` where it holds no whole numbers.
    pub fn long_at(&self, position: usize) -> Option<LongColumn<'_>> {
        let array = self.records.columns().get(position)?.as_primitive_opt::<Int64Type>()?;
        Some(LongColumn { values: array.values(), nulls: array.nulls() })
    }

    /// The column at this position, in microseconds since the epoch; `None` where it holds no times.
    pub fn date_at(&self, position: usize) -> Option<LongColumn<'_>> {
        let array = self.records.columns().get(position)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        Some(LongColumn { values: array.values(), nulls: array.nulls() })
    }

    /// The column of a catalog field; `None` where no row has a value, or the values are no text.
    pub fn text(&self, id: FieldId) -> Option<TextColumn<'_>> {
        self.text_at(self.position_of_id(id)?)
    }

    /// The column with this name; `None` where no row has a value, or the values are no text.
    pub fn text_named(&self, name: &str) -> Option<TextColumn<'_>> {
        self.text_at(self.position_of(name)?)
    }

    /// The column of a catalog field; `None` where no row has a value, or the values are no whole numbers.
    pub fn long(&self, id: FieldId) -> Option<LongColumn<'_>> {
        self.long_at(self.position_of_id(id)?)
    }

    /// Event time of each row.
    pub fn times(&self) -> Option<LongColumn<'_>> {
        self.date_at(self.position_of_id(field::TIMESTAMP)?)
    }

    /// The raw line, without its line ending.
    pub fn original(&self, row: usize) -> &str {
        self.text(field::EVENT_ORIGINAL).and_then(|column| column.str(row)).unwrap_or("")
    }

    /// Byte offset of the row's line in the source.
    pub fn offset(&self, row: usize) -> u64 {
        let own = self.provenance.layout.line_offsets.get(row).copied();
        own.unwrap_or_else(|| self.provenance.start.offset + u64::from(self.provenance.line_starts[row]))
    }

    /// Line number in the source, from 1.
    pub fn line_no(&self, row: usize) -> u64 {
        let own = self.provenance.line_numbers.get(row).copied();
        own.unwrap_or(self.provenance.start.line + row as u64 + 1)
    }

    /// Identity of the row's event, from its source and offset.
    pub fn event_id(&self, row: usize) -> EventId {
        EventId::derive(self.provenance.source.id, self.offset(row))
    }
}

fn type_letter(kind: &DataType) -> u8 {
    match kind {
        DataType::Int64 => b'l',
        DataType::Timestamp(..) => b'd',
        _ => b't',
    }
}

/// A text column of a batch.
#[derive(Clone, Copy, Debug)]
pub struct TextColumn<'a> {
    array: &'a StringViewArray,
    views: &'a [u128],
    tags: Option<&'a [u8]>,
}

impl<'a> TextColumn<'a> {
    /// The raw view: equal views of at most 12 bytes mean equal text.
    #[inline]
    pub fn view(&self, row: usize) -> u128 {
        self.views[row]
    }

    /// Whether the view holds the whole text.
    #[inline]
    pub fn is_inline(view: u128) -> bool {
        views::length(view) <= views::INLINE_BYTES_MAX
    }

    /// Whether the row has no value.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row)
    }

    /// The text, or `None` where the row has none.
    #[inline]
    pub fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        self.str(row).map(str::as_bytes)
    }

    /// The row's text; `None` where it has none.
    #[inline]
    pub fn str(&self, row: usize) -> Option<&'a str> {
        (!self.is_null(row)).then(|| self.array.value(row))
    }

    /// What the row's text was in JSON.
    pub fn tag(&self, row: usize) -> ValueTag {
        self.tags.map_or(ValueTag::String, |tags| tags.get(row).copied().map_or(ValueTag::String, ValueTag::from_byte))
    }

    /// Whether any row's text was something else than a string in JSON.
    pub fn has_tags(&self) -> bool {
        self.tags.is_some()
    }

    /// Whether the field was there, `null` included.
    pub fn exists(&self, row: usize) -> bool {
        !self.is_null(row) || self.tag(row) == ValueTag::Null
    }
}

/// A column of whole numbers or instants.
#[derive(Clone, Copy, Debug)]
pub struct LongColumn<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
}

impl LongColumn<'_> {
    /// The row's number; `None` where it has none.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => self.values.get(row).copied(),
        }
    }
}
