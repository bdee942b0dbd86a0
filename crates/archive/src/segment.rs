//! Events that go into the archive with one commit: batches in the order of the commit, cut into partitions by kind of log and
//! hour. It says what goes where; it writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::catalog::field;
use event::time::SECOND_US;
use event::{Dataset, EventBatch, Timestamp};

/// An hour in microseconds.
pub(crate) const HOUR_US: i64 = 3600 * SECOND_US;

/// Partitions of one segment. Times and kinds of logs come from senders: events beyond it go to the hour in which they were
/// received, and to the kind that their parser names.
const PARTITIONS_MAX: usize = 256;

/// Longest name of a kind of log that becomes a folder, in bytes.
const NAME_BYTES_MAX: usize = 48;

/// Kind of log and start of the hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) dataset: String,
    pub(crate) hour: Timestamp,
}

/// Rows of one batch.
#[derive(Debug)]
pub(crate) struct Part {
    /// Index of the batch in the segment.
    pub(crate) batch: usize,
    pub(crate) rows: Vec<u32>,
}

/// Batches that wait for their commit.
#[derive(Debug, Default)]
pub struct Segment {
    pub(crate) batches: Vec<Arc<EventBatch>>,
    rows: u64,
    bytes: u64,
}

impl Segment {
    /// Adds a batch behind those that are there, and the length of its raw lines in bytes.
    pub fn push(&mut self, batch: Arc<EventBatch>, bytes: u64) {
        self.bytes += bytes;
        self.rows += batch.rows() as u64;
        self.batches.push(batch);
    }

    /// Numbers that its events need.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Length of the raw lines in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Where each event goes. Rows that are no events, empty lines and further lines of a record, go nowhere.
    pub(crate) fn partitions(&self) -> BTreeMap<Partition, Vec<Part>> {
        let mut all: BTreeMap<Partition, Vec<Part>> = BTreeMap::new();
        for (at, batch) in self.batches.iter().enumerate() {
            let places = RowPlaces::of(batch);
            let mut last: Option<(Partition, Vec<u32>)> = None;
            for row in (0..batch.rows()).filter(|row| places.is_event(*row)) {
                let wanted = places.partition(row, last.as_ref().map(|(partition, _)| partition.dataset.as_str()));
                let is_same = last.as_ref().is_some_and(|(partition, _)| wanted.is(partition));
                if !is_same {
                    put(&mut all, at, last.take());
                    let partition = wanted.owned();
                    let is_full = all.len() >= PARTITIONS_MAX && !all.contains_key(&partition);
                    last = Some((if is_full { places.fallback(row) } else { partition }, Vec::new()));
                }
                if let Some((_, rows)) = &mut last {
                    rows.push(row as u32);
                }
            }
            put(&mut all, at, last);
        }
        all
    }
}

/// Adds rows to a partition; rows of one batch become one part.
fn put(all: &mut BTreeMap<Partition, Vec<Part>>, batch: usize, rows: Option<(Partition, Vec<u32>)>) {
    let Some((partition, rows)) = rows else { return };
    let parts = all.entry(partition).or_default();
    match parts.last_mut() {
        Some(last) if last.batch == batch => last.rows.extend(rows),
        _ => parts.push(Part { batch, rows }),
    }
}

/// What tells where the rows of a batch go.
struct RowPlaces<'a> {
    batch: &'a EventBatch,
    datasets: Option<event::TextColumn<'a>>,
    times: Option<event::LongColumn<'a>>,
    lines: Option<event::TextColumn<'a>>,
}

/// The partition of a row, borrowed.
struct Wanted<'a> {
    dataset: &'a str,
    hour: i64,
}

impl Wanted<'_> {
    fn is(&self, partition: &Partition) -> bool {
        self.hour == partition.hour.micros() && self.dataset == partition.dataset
    }

    fn owned(&self) -> Partition {
        Partition { dataset: self.dataset.to_owned(), hour: Timestamp(self.hour) }
    }
}

impl<'a> RowPlaces<'a> {
    fn of(batch: &'a EventBatch) -> Self {
        let datasets = batch.text(field::EVENT_DATASET);
        RowPlaces { batch, datasets, times: batch.times(), lines: batch.text(field::EVENT_ORIGINAL) }
    }

    fn is_event(&self, row: usize) -> bool {
        let has_line = self.lines.as_ref().is_some_and(|lines| !lines.is_null(row));
        has_line && self.batch.datasets()[row] != event::dataset::CONTINUATION
    }

    /// `known`: a name that is a folder's.
    fn partition(&self, row: usize, known: Option<&str>) -> Wanted<'a> {
        let named = self.datasets.and_then(|column| column.str(row));
        let named = named.filter(|name| known == Some(*name) || is_folder(name));
        let dataset = named.unwrap_or(Dataset::of(self.batch.datasets()[row]).name);
        let time = self.times.and_then(|times| times.get(row)).unwrap_or(self.batch.reference().micros());
        Wanted { dataset, hour: time - time.rem_euclid(HOUR_US) }
    }

    fn fallback(&self, row: usize) -> Partition {
        let received = self.batch.reference().micros();
        let dataset = Dataset::of(self.batch.datasets()[row]).name.to_owned();
        Partition { dataset, hour: Timestamp(received - received.rem_euclid(HOUR_US)) }
    }
}

/// Whether a name, which may come from a sender, can be that of a folder as it is.
fn is_folder(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= NAME_BYTES_MAX
        && name.bytes().all(known)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
}
