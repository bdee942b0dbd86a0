//! A segment becomes Parquet files: one for each kind of log and hour, made side by side, synced to the disk under their final
//! names. Nobody reads a file before a commit has named it; what was written and never named is removed at the next start.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use event::time::Civil;
use event::{ArchiveFile, EventBatch, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::columns::{Columns, Rows};
use crate::error::ArchiveError;
use crate::form::FormBook;
use crate::owner;
use crate::place::ArchivePlace;
use crate::privacy::Privacy;
use crate::schema::{FORM, LINE, OFFSET, SEQUENCE, columns};
use crate::segment::{Part, Partition, Segment};

/// Rows of a row group: what a reader skips at once.
const ROW_GROUP_ROWS: usize = 256 * 1024;

/// Fields that people look for by value: a small filter tells row groups that do not have it.
pub(crate) const SEARCHED: [&str; 12] = [
    "source.ip",
    "source.address",
    "destination.ip",
    "user.name",
    "user.target.name",
    "host.hostname",
    "url.path",
    "url.domain",
    "dns.question.name",
    "file.hash.sha256",
    "process.executable",
    "user_agent.original",
];

/// Different values that a filter has room for; beyond it answers "perhaps" more often.
const FILTER_VALUES_MAX: u64 = 50_000;

/// How hard files are compressed.
const ZSTD_LEVEL: i32 = 3;

/// Writes the files of one archive.
#[derive(Debug)]
pub struct Writer {
    place: ArchivePlace,
    /// Begins the names of all files: the instance and its epoch, so that two writers never share a name.
    prefix: String,
    jobs: usize,
    books: Mutex<BTreeMap<String, FormBook>>,
    privacy: Privacy,
    /// Files that compaction has written.
    compacted: AtomicU64,
}

impl Writer {
    /// Writes to this place, whose folder is made where it is not there, for the archive of this name. Files of the instance
    /// that are not known were never committed: they are removed, and counted in the answer.
    pub fn open(
        place: impl Into<ArchivePlace>,
        archive: &str,
        (instance, epoch): (&str, u64),
        jobs: usize,
        known: &BTreeSet<String>,
    ) -> Result<(Writer, u64), ArchiveError> {
        let place = place.into();
        place.make()?;
        owner::claim(&place, archive, !known.is_empty())?;
        let orphans = owner::remove_orphans(&place, instance, known)?;
        let prefix = format!("{instance}-{epoch}");
        let writer = Writer {
            place,
            prefix,
            jobs: jobs.max(1),
            books: Mutex::default(),
            privacy: Privacy::default(),
            compacted: AtomicU64::new(0),
        };
        Ok((writer, orphans))
    }

    /// Writes beside whoever else writes to the archive of this name. `began`: in microseconds since 1970; the names of the
    /// files begin with it.
    pub fn beside(place: impl Into<ArchivePlace>, archive: &str, began: Timestamp) -> Result<Writer, ArchiveError> {
        let place = place.into();
        owner::claim(&place, archive, true)?;
        let prefix = format!("{}-{}", owner::BESIDE, began.micros());
        let (books, privacy, compacted) = Default::default();
        Ok(Writer { place, prefix, jobs: 1, books, privacy, compacted })
    }

    /// Removes files of those who wrote beside and ended before they were named, and says how many: those that the catalogue does not
    /// know and that were written before a time at which nobody can still be about to name them.
    pub fn remove_left_over(&self, known: &BTreeSet<String>, before: Timestamp) -> Result<u64, ArchiveError> {
        owner::remove_left_over(&self.place, known, before)
    }

    /// Takes out of events what must not be stored.
    pub fn with_privacy(self, privacy: Privacy) -> Writer {
        Writer { privacy, ..self }
    }

    /// Writes all events of the segment and syncs them. Its first row gets the number `first_sequence`.
    pub fn write(&self, segment: &Segment, first_sequence: u64) -> Result<Vec<ArchiveFile>, ArchiveError> {
        let mut next = first_sequence;
        let numbered = |batch: &'_ Arc<EventBatch>| {
            let first = next;
            next += batch.rows() as u64;
            first
        };
        let firsts: Vec<u64> = segment.batches.iter().map(numbered).collect();
        let numbered: Vec<(&EventBatch, u64)> = segment.batches.iter().map(AsRef::as_ref).zip(firsts).collect();
        let partitions: Vec<(Partition, Vec<Part>)> = segment.partitions().into_iter().collect();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(partitions.len()));
        let work = || {
            while let Some((partition, parts)) = partitions.get(next.fetch_add(1, Ordering::Relaxed)) {
                let file = self.write_partition(&numbered, partition, parts);
                done.lock().unwrap_or_else(PoisonError::into_inner).push(file);
            }
        };
        std::thread::scope(|scope| {
            let helpers = self.jobs.min(partitions.len()).saturating_sub(1);
            (0..helpers).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut files = done.into_iter().collect::<Result<Vec<ArchiveFile>, ArchiveError>>()?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn write_partition(
        &self,
        batches: &[(&EventBatch, u64)],
        partition: &Partition,
        parts: &[Part],
    ) -> Result<ArchiveFile, ArchiveError> {
        let mut book = self.take_book(&partition.dataset);
        let (mut chunks, mut raw_bytes) = (Vec::with_capacity(parts.len()), 0);
        for part in parts {
            let Some((batch, first_sequence)) = batches.get(part.batch) else { continue };
            raw_bytes += part.rows.iter().map(|row| batch.original(*row as usize).len() as u64 + 1).sum::<u64>();
            let mut forms = book.forms_of(batch, &part.rows);
            let hidden = self.privacy.hidden(&partition.dataset, batch, &part.rows);
            hidden.iter().for_each(|hidden| hidden.clear(&mut forms));
            let rows = Rows { batch, rows: &part.rows, first_sequence: *first_sequence, forms: &forms };
            let mut columns = rows.columns()?;
            hidden.map_or(Ok(()), |hidden| hidden.apply(&mut columns))?;
            chunks.push((columns, part.rows.len()));
        }
        self.put_book(&partition.dataset, book);
        let first = batches.first().map_or(0, |(_, first)| *first);
        let name = format!("{}-{first:012x}.parquet", self.prefix);
        let path = format!("{}/{name}", folder_of(partition));
        self.write_file(path, partition, (&chunks, raw_bytes))
    }

    /// Where the files go.
    pub fn place(&self) -> &ArchivePlace {
        &self.place
    }

    /// A name that no file has: compaction runs beside commits, and again over what it wrote.
    pub(crate) fn compacted_path(&self, partition: &Partition, first: u64) -> String {
        let number = self.compacted.fetch_add(1, Ordering::Relaxed);
        format!("{}/{}-{first:012x}-{number:x}.parquet", folder_of(partition), self.prefix)
    }

    /// Forms that a kind of log had so far: whoever writes the kind next goes on with them.
    fn take_book(&self, dataset: &str) -> FormBook {
        self.books.lock().unwrap_or_else(PoisonError::into_inner).remove(dataset).unwrap_or_default()
    }

    fn put_book(&self, dataset: &str, book: FormBook) {
        self.books.lock().unwrap_or_else(PoisonError::into_inner).insert(dataset.to_owned(), book);
    }

    pub(crate) fn write_file(
        &self,
        path: String,
        partition: &Partition,
        (chunks, raw_bytes): (&[(Columns, usize)], u64),
    ) -> Result<ArchiveFile, ArchiveError> {
        let schema = schema_of(chunks.iter().map(|(columns, _)| columns));
        let rows = chunks.iter().map(|(_, rows)| rows).sum::<usize>();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties(&schema, rows)))?;
        let (mut times, mut sequences) = (Range::default(), Range::default());
        for (columns, rows) in chunks {
            let records = padded(columns, *rows, &schema)?;
            times.take(records.column_by_name("@timestamp"));
            sequences.take(records.column_by_name(SEQUENCE));
            writer.write(&records)?;
        }
        let bytes = writer.into_inner()?;
        let file = ArchiveFile {
            dataset: partition.dataset.clone(),
            hour: partition.hour,
            events: rows as u64,
            bytes: bytes.len() as u64,
            raw_bytes,
            // Events without a time lie in the hour in which they were received.
            times: times
                .ends()
                .map_or((partition.hour, partition.hour), |(first, last)| (Timestamp(first), Timestamp(last))),
            sequences: sequences.ends().map_or((0, 0), |(first, last)| (first as u64, last as u64)),
            columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
            path,
        };
        self.place.put(&file.path, bytes)?;
        Ok(file)
    }
}

/// Folder of a partition below the root, as readers of Hive layouts expect it.
fn folder_of(partition: &Partition) -> String {
    let civil = Civil::shown(partition.hour, 0);
    let (year, month, day, hour) = (civil.year, civil.month, civil.day, civil.hour);
    format!("dataset={}/date={year:04}-{month:02}-{day:02}/hour={hour:02}", partition.dataset)
}

/// The columns that any chunk has, in the order of the archive.
fn schema_of<'a>(chunks: impl Iterator<Item = &'a Columns>) -> Arc<Schema> {
    let mut present: BTreeMap<&str, &ArrayRef> = BTreeMap::new();
    for (name, array) in chunks.flatten() {
        if let Entry::Vacant(entry) = present.entry(name) {
            entry.insert(array);
        }
    }
    let fields = columns().into_iter().filter(|column| present.contains_key(column.name().as_str()));
    Arc::new(Schema::new(fields.collect::<Vec<ArrowField>>()))
}

/// The chunk with a column of nulls for each that it has not.
fn padded(columns: &Columns, rows: usize, schema: &Arc<Schema>) -> Result<RecordBatch, ArchiveError> {
    let column = |field: &Arc<ArrowField>| match columns.get(field.name()) {
        Some(column) => Arc::clone(column),
        None => new_null_array(field.data_type(), rows),
    };
    let arrays = schema.fields().iter().map(column).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

fn properties(schema: &Schema, rows: usize) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(64));
    let values = (rows as u64).clamp(64, FILTER_VALUES_MAX);
    for name in SEARCHED.iter().filter(|name| schema.field_with_name(name).is_ok()) {
        let column = ColumnPath::from(vec![(*name).to_owned()]);
        properties = properties
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_max_ndv(column, values);
    }
    for column in schema.fields().iter().filter(|field| is_counted(field)) {
        let column = ColumnPath::from(vec![column.name().clone()]);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    // Long texts that are read seldom need no statistics of their pages.
    for name in ["event.original", "message", FORM] {
        properties =
            properties.set_column_statistics_enabled(ColumnPath::from(vec![name.to_owned()]), EnabledStatistics::None);
    }
    properties.build()
}

/// Whether nearly every row of a column has a number of its own, mostly a little more than the last one's: such columns take the
/// differences, and no dictionary.
fn is_counted(column: &ArrowField) -> bool {
    let name = column.name().as_str();
    let is_time = matches!(column.data_type(), DataType::Timestamp(..));
    is_time
        || matches!(name, SEQUENCE | OFFSET | LINE)
        || (*column.data_type() == DataType::Int64 && name.ends_with(".bytes"))
}

/// The smallest and largest number of some columns.
#[derive(Default)]
struct Range(Option<(i64, i64)>);

impl Range {
    fn take(&mut self, column: Option<&ArrayRef>) {
        let Some(column) = column else { return };
        if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
            times.iter().flatten().for_each(|number| self.widen(number));
        } else if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
            numbers.iter().flatten().for_each(|number| self.widen(number));
        }
    }

    fn widen(&mut self, number: i64) {
        let (first, last) = self.0.unwrap_or((number, number));
        self.0 = Some((first.min(number), last.max(number)));
    }

    fn ends(&self) -> Option<(i64, i64)> {
        self.0
    }
}
