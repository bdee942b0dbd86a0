//! Batches whose rows were stored and are read again, as an archive does. They are judged as the batches were that they were
//! written from; nothing is parsed here, and no block of lines is behind them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;

use crate::batch::{Counts, EventBatch, Part, Provenance};
use crate::block::{Layout, Position, Source};
use crate::catalog::{FIELDS, Field, FieldId};
use crate::column::ValueTag;
use crate::dataset::DatasetId;
use crate::time::Timestamp;

/// Rows of one source, in their order.
#[derive(Debug)]
pub struct RestoredRows {
    /// Where the lines came from.
    pub source: Arc<Source>,
    /// When they were received.
    pub reference: Timestamp,
    /// Kind of log of each row.
    pub datasets: Vec<DatasetId>,
    /// Offset of each row's line in the source.
    pub offsets: Vec<u64>,
    /// Number of each row's line, from 1.
    pub line_numbers: Vec<u64>,
    /// Senders that are not the source itself, each from a row on.
    pub origins: Vec<(u32, Arc<Source>)>,
}

/// Columns by name, and what values of a text column were in JSON where they were no strings: column, row, tag.
#[derive(Debug, Default)]
pub struct RestoredColumns {
    /// Text, whole numbers or times, as many as there are rows.
    pub arrays: Vec<(String, ArrayRef)>,
    /// Tags that are not [`ValueTag::String`].
    pub tags: Vec<(String, usize, ValueTag)>,
}

impl EventBatch {
    /// The batch of rows that were read again. Columns of the catalog come in its order, then the others.
    pub fn restored(rows: RestoredRows, columns: RestoredColumns) -> EventBatch {
        let count = rows.datasets.len();
        let mut tags: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for (name, row, tag) in &columns.tags {
            let of_column = tags.entry(name).or_insert_with(|| vec![ValueTag::String as u8; count]);
            if let Some(place) = of_column.get_mut(*row) {
                *place = *tag as u8;
            }
        }
        let mut named: Vec<(FieldId, &str, ArrayRef)> = Vec::with_capacity(columns.arrays.len());
        let mut next = FIELDS.len();
        for (name, array) in &columns.arrays {
            let id = Field::named(name).map_or_else(
                || {
                    next += 1;
                    FieldId((next - 1) as u16)
                },
                |(id, _)| id,
            );
            named.push((id, name, Arc::clone(array)));
        }
        named.sort_by_key(|(id, ..)| *id);
        let part = |(id, name, array): (FieldId, _, ArrayRef)| {
            let is_text = array.as_string_view_opt().is_some();
            let tags = tags.get(name).filter(|_| is_text).map(|tags| Arc::from(tags.as_slice()));
            (id, name, array, tags)
        };
        let parts: Vec<Part<'_>> = named.into_iter().map(part).collect();
        EventBatch::assemble(provenance(&rows), rows.datasets, parts, Counts::default())
    }
}

/// A row stands where its number is: there is no block whose bytes could be counted.
fn provenance(rows: &RestoredRows) -> Provenance {
    let line_starts: Vec<u32> = (0..rows.datasets.len()).map(|row| u32::try_from(row).unwrap_or(u32::MAX)).collect();
    let at = |row: Option<usize>| Position {
        offset: row.and_then(|row| rows.offsets.get(row)).copied().unwrap_or(0),
        line: row.and_then(|row| rows.line_numbers.get(row)).map_or(0, |line| line.saturating_sub(1)),
    };
    Provenance {
        source: Arc::clone(&rows.source),
        start: at(Some(0)),
        end: at(rows.datasets.len().checked_sub(1)),
        line_starts,
        layout: Layout { origins: rows.origins.clone(), line_offsets: rows.offsets.clone() },
        line_numbers: rows.line_numbers.clone(),
        reference: rows.reference,
    }
}
