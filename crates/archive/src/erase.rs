//! Erasing the events of one subject: a file that has some is written anew without them. The catalogue changes from the old file to
//! the new one in one step, which is the caller's; until then, and for those who read the old one, nothing has happened.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use event::ArchiveFile;

use crate::columns::Columns;
use crate::error::ArchiveError;
use crate::read::FileReader;
use crate::restore::originals;
use crate::schema::{LABELS, is_own};
use crate::segment::Partition;
use crate::write::Writer;

/// Whose events are erased: those with one of the values in the field.
#[derive(Clone, Debug)]
pub struct Subject {
    field: String,
    /// The value itself, and what stands for it where the field is hashed.
    values: Vec<String>,
}

/// What is left of a file.
#[derive(Debug)]
pub struct Rewritten {
    /// Events that are not in it any more.
    pub erased: u64,
    /// The file with the others; `None` where there are none.
    pub rest: Option<ArchiveFile>,
}

impl Subject {
    /// `values`: of which any is enough. The answer is what is wrong where something is.
    pub fn new(field: &str, values: Vec<String>) -> Result<Subject, String> {
        if field.is_empty() || is_own(field) || ["@timestamp", "event.original", "event.dataset"].contains(&field) {
            return Err(format!("events cannot be erased by `{field}`: name a field such as user.name"));
        }
        if values.iter().any(String::is_empty) {
            return Err("an empty value is nobody's".to_owned());
        }
        Ok(Subject { field: field.to_owned(), values })
    }

    /// Whether a file can have events of it, as far as the catalogue knows.
    pub fn may_be_in(&self, file: &ArchiveFile) -> bool {
        file.columns.iter().any(|column| *column == self.field || column == LABELS)
    }

    /// Which rows are not of it.
    fn others(&self, rows: &RecordBatch) -> BooleanArray {
        let is_of = |text: &str| self.values.iter().any(|value| value == text);
        let column = rows.column_by_name(&self.field);
        let texts = column.and_then(|column| column.as_string_view_opt());
        let numbers = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
        let labels = rows.column_by_name(LABELS).and_then(|column| column.as_map_opt());
        let in_labels = |row: usize| {
            labels.filter(|maps| !maps.is_null(row)).is_some_and(|maps| {
                let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
                let (start, end) = (maps.value_offsets()[row] as usize, maps.value_offsets()[row + 1] as usize);
                (start..end).any(|at| keys.value(at) == self.field && !values.is_null(at) && is_of(values.value(at)))
            })
        };
        let is_other = |row: usize| {
            let in_text = texts.is_some_and(|texts| !texts.is_null(row) && is_of(texts.value(row)));
            let in_number = numbers.is_some_and(|all| !all.is_null(row) && is_of(&all.value(row).to_string()));
            Some(!in_text && !in_number && !in_labels(row))
        };
        (0..rows.num_rows()).map(is_other).collect()
    }
}

impl Writer {
    /// Writes the file anew without the subject's events; `None` where it has none of them.
    pub fn without(&self, file: &ArchiveFile, subject: &Subject) -> Result<Option<Rewritten>, ArchiveError> {
        let asked = [subject.field.as_str(), LABELS];
        let mut found = false;
        for rows in FileReader::open(self.place(), &file.path, Some(&asked))? {
            found |= subject.others(&rows?).false_count() > 0;
        }
        if !found {
            return Ok(None);
        }
        let (mut chunks, mut erased, mut erased_bytes): (Vec<(Columns, usize)>, u64, u64) = (Vec::new(), 0, 0);
        for rows in FileReader::open(self.place(), &file.path, None)? {
            let rows = rows?;
            let others = subject.others(&rows);
            let lines = originals(&rows);
            for row in (0..rows.num_rows()).filter(|row| !others.value(*row)) {
                erased += 1;
                erased_bytes += if lines.is_null(row) { 1 } else { lines.value(row).len() as u64 + 1 };
            }
            let kept = filter_record_batch(&rows, &others)?;
            if kept.num_rows() > 0 {
                let names = kept.schema();
                let columns = names.fields().iter().zip(kept.columns());
                let columns = columns.map(|(field, column)| (field.name().clone(), Arc::clone(column))).collect();
                chunks.push((columns, kept.num_rows()));
            }
        }
        if chunks.is_empty() {
            return Ok(Some(Rewritten { erased, rest: None }));
        }
        let partition = Partition { dataset: file.dataset.clone(), hour: file.hour };
        let path = self.compacted_path(&partition, file.sequences.0);
        let rest = self.write_file(path, &partition, (&chunks, file.raw_bytes.saturating_sub(erased_bytes)))?;
        Ok(Some(Rewritten { erased, rest: Some(rest) }))
    }
}
