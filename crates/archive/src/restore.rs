//! Rows of a file become batches of events again: raw lines are made of their forms, labels become columns, and every event
//! knows where it came from. A batch holds rows of one source that were received together, as the one had that was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, MapArray, PrimitiveArray, RecordBatch, StringViewArray};
use event::{DatasetId, EventBatch, RestoredColumns, RestoredRows, Source, SourceId, Timestamp, ValueTag};

use crate::error::ArchiveError;
use crate::form::{Form, Piece};
use crate::schema::{
    FORM, INGESTED, JSON_TYPES, JUDGED_AS, LABELS, LINE, OFFSET, SEQUENCE, SOURCE_ID, SOURCE_NAME, is_own,
};
use crate::stamp::Stamp;

/// A batch that was read again, and the number of each of its rows.
#[derive(Debug)]
pub struct Restored {
    /// The events.
    pub batch: EventBatch,
    /// Their numbers in the order of commits.
    pub sequences: Vec<u64>,
}

/// The batches of some rows, all columns of which were read.
pub fn restore(rows: &RecordBatch) -> Result<Vec<Restored>, ArchiveError> {
    let lines = originals(rows);
    let mut out = Vec::new();
    let mut start = 0;
    while start < rows.num_rows() {
        let end = run_end(rows, start);
        let part = rows.slice(start, end - start);
        let originals = lines.slice(start, end - start);
        out.push(restore_run(&part, &originals));
        start = end;
    }
    Ok(out)
}

/// Where rows of another source or another moment begin.
fn run_end(rows: &RecordBatch, start: usize) -> usize {
    let ids = text(rows, SOURCE_ID);
    let received = time(rows, INGESTED);
    // Values of one dictionary entry have equal views: the texts themselves are compared where they have not.
    let equal = |ids: &StringViewArray, row: usize| {
        ids.views()[row] == ids.views()[start] || ids.value(row) == ids.value(start)
    };
    let same = |row: &usize| {
        let is_source = ids.as_ref().is_none_or(|ids| equal(ids, *row));
        is_source && received.as_ref().is_none_or(|times| times[*row] == times[start])
    };
    (start + 1..rows.num_rows()).find(|row| !same(row)).unwrap_or(rows.num_rows())
}

fn restore_run(rows: &RecordBatch, originals: &StringViewArray) -> Restored {
    let count = rows.num_rows();
    let numbers = |name: &str| -> Vec<u64> {
        long(rows, name).map_or_else(|| vec![0; count], |column| column.iter().map(|number| *number as u64).collect())
    };
    let id = text(rows, SOURCE_ID).and_then(|ids| ids.value(0).parse().ok()).unwrap_or(SourceId(0));
    let names = text(rows, SOURCE_NAME);
    let name_at = |row: usize| names.as_ref().map_or("", |names| names.value(row));
    let source = |row: usize| Arc::new(Source { id, name: name_at(row).to_owned() });
    let mut origins: Vec<(u32, Arc<Source>)> = Vec::new();
    if let Some(names) = &names {
        let differs = |row: &usize| names.views()[*row] != names.views()[row - 1] && name_at(*row) != name_at(row - 1);
        origins.extend((1..count).filter(differs).map(|row| (row as u32, source(row))));
    }
    let restored = RestoredRows {
        source: source(0),
        reference: Timestamp(time(rows, INGESTED).and_then(|times| times.first().copied()).unwrap_or(0)),
        datasets: datasets(rows),
        offsets: numbers(OFFSET),
        line_numbers: numbers(LINE),
        origins,
    };
    let columns = columns_of(rows, originals);
    Restored { sequences: numbers(SEQUENCE), batch: EventBatch::restored(restored, columns) }
}

/// The kind of log of each row.
fn datasets(rows: &RecordBatch) -> Vec<DatasetId> {
    let Some(judged) = text(rows, JUDGED_AS) else { return vec![DatasetId(0); rows.num_rows()] };
    let mut last = None;
    let dataset = |(row, view): (usize, &u128)| match last {
        Some((known, dataset)) if known == *view => dataset,
        _ => {
            let dataset = DatasetId::of_key(judged.value(row)).unwrap_or(DatasetId(0));
            last = Some((*view, dataset));
            dataset
        }
    };
    judged.views().iter().enumerate().map(dataset).collect()
}

fn columns_of(rows: &RecordBatch, originals: &StringViewArray) -> RestoredColumns {
    let mut columns = RestoredColumns::default();
    for (field, array) in rows.schema().fields().iter().zip(rows.columns()) {
        let is_field = !is_own(field.name()) && field.name() != "event.original";
        if is_field && array.null_count() < array.len() {
            columns.arrays.push((field.name().clone(), Arc::clone(array)));
        }
    }
    columns.arrays.push(("event.original".to_owned(), Arc::new(originals.clone())));
    columns.arrays.extend(labels(rows));
    let types = text(rows, JSON_TYPES);
    for row in 0..rows.num_rows() {
        let Some(types) = types.as_ref().filter(|types| !types.is_null(row)) else { continue };
        for pair in types.value(row).split(';') {
            let named = pair.split_once('=').and_then(|(name, word)| Some((name, ValueTag::named(word)?)));
            columns.tags.extend(named.map(|(name, tag)| (name.to_owned(), row, tag)));
        }
    }
    // A value that was `null` in every row has no column of its own: it exists all the same.
    let missing: Vec<String> = columns.tags.iter().map(|(name, ..)| name.clone()).collect();
    for name in missing {
        if !columns.arrays.iter().any(|(known, _)| *known == name) {
            columns.arrays.push((name, Arc::new(StringViewArray::new_null(rows.num_rows()))));
        }
    }
    columns
}

/// A column for each name among the labels.
fn labels(rows: &RecordBatch) -> Vec<(String, ArrayRef)> {
    let Some(maps) = rows.column_by_name(LABELS).and_then(|column| column.as_map_opt()) else { return Vec::new() };
    let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
    let mut columns: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for row in (0..maps.len()).filter(|row| !maps.is_null(*row)) {
        let (start, end) = (maps.value_offsets()[row] as usize, maps.value_offsets()[row + 1] as usize);
        for at in start..end {
            let column = columns.entry(keys.value(at)).or_insert_with(|| vec![None; maps.len()]);
            column[row] = (!values.is_null(at)).then(|| values.value(at));
        }
    }
    let array = |values: Vec<Option<&str>>| Arc::new(StringViewArray::from_iter(values)) as ArrayRef;
    columns.into_iter().map(|(name, values)| (name.to_owned(), array(values))).collect()
}

/// The raw line of each row.
pub(crate) fn originals(rows: &RecordBatch) -> StringViewArray {
    let kept = text(rows, "event.original");
    let Some(forms) = text(rows, FORM) else {
        return kept.cloned().unwrap_or_else(|| StringViewArray::new_null(rows.num_rows()));
    };
    let times = rows.column_by_name("@timestamp").and_then(|column| column.as_primitive_opt());
    let labels = rows.column_by_name(LABELS).and_then(|column| column.as_map_opt());
    let mut known: BTreeMap<&str, Option<FormColumns<'_>>> = BTreeMap::new();
    let mut out = StringViewBuilder::with_capacity(rows.num_rows());
    let mut line = Vec::new();
    for row in 0..rows.num_rows() {
        if let Some(kept) = kept.filter(|kept| !kept.is_null(row)) {
            out.append_value(kept.value(row));
            continue;
        }
        line.clear();
        let form = (!forms.is_null(row)).then(|| forms.value(row));
        let bind = |form: &str| Some(FormColumns { pieces: bound(&Form::read(form)?, rows), times, labels });
        let form = form.and_then(|form| known.entry(form).or_insert_with(|| bind(form)).as_ref());
        let is_made = form.is_some_and(|form| form.write(row, &mut line));
        out.append_option(std::str::from_utf8(&line).ok().filter(|_| is_made));
    }
    out.finish()
}

/// What a piece of a form is read from.
enum FormPart<'a> {
    Literal(String),
    Time(Stamp),
    /// The column of the name, where there is one; a row without a value in it may have a label.
    Text(Option<&'a StringViewArray>, Arc<str>),
    Number(&'a PrimitiveArray<Int64Type>, Arc<str>),
}

/// The pieces of a form, each with its column: looked up once for all rows.
fn bound<'a>(form: &Form, rows: &'a RecordBatch) -> Vec<FormPart<'a>> {
    let part = |piece: &Piece| match piece {
        Piece::Literal(literal) => FormPart::Literal(literal.clone()),
        Piece::Time(stamp) => FormPart::Time(*stamp),
        // A sender may give a field the name of one of our own columns: it is a label.
        Piece::Value(name) if is_own(name) => FormPart::Text(None, Arc::clone(name)),
        Piece::Value(name) => {
            let numbers = rows.column_by_name(name).and_then(|column| column.as_primitive_opt());
            match numbers {
                Some(numbers) => FormPart::Number(numbers, Arc::clone(name)),
                None => FormPart::Text(text(rows, name), Arc::clone(name)),
            }
        }
    };
    form.pieces.iter().map(part).collect()
}

/// A form over the columns of some rows.
struct FormColumns<'a> {
    pieces: Vec<FormPart<'a>>,
    times: Option<&'a PrimitiveArray<TimestampMicrosecondType>>,
    labels: Option<&'a MapArray>,
}

impl FormColumns<'_> {
    /// Writes the line that the form makes of a row; false where a value is missing.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        self.pieces.iter().all(|part| match part {
            FormPart::Literal(literal) => {
                out.extend_from_slice(literal.as_bytes());
                true
            }
            FormPart::Time(stamp) => {
                let time = self.times.filter(|times| !times.is_null(row)).map(|times| Timestamp(times.value(row)));
                time.map(|time| stamp.write(time, out)).is_some()
            }
            FormPart::Text(Some(texts), _) if !texts.is_null(row) => {
                out.extend_from_slice(texts.value(row).as_bytes());
                true
            }
            FormPart::Number(numbers, _) if !numbers.is_null(row) => {
                out.extend_from_slice(numbers.value(row).to_string().as_bytes());
                true
            }
            FormPart::Text(_, name) | FormPart::Number(_, name) => self.write_label(row, name, out),
        })
    }

    fn write_label(&self, row: usize, name: &str, out: &mut Vec<u8>) -> bool {
        let Some(maps) = self.labels.filter(|maps| !maps.is_null(row)) else { return false };
        let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
        let (start, end) = (maps.value_offsets()[row] as usize, maps.value_offsets()[row + 1] as usize);
        let found = (start..end).find(|at| keys.value(*at) == name && !values.is_null(*at));
        found.map(|at| out.extend_from_slice(values.value(at).as_bytes())).is_some()
    }
}

fn text<'a>(rows: &'a RecordBatch, name: &str) -> Option<&'a StringViewArray> {
    rows.column_by_name(name)?.as_string_view_opt()
}

fn long<'a>(rows: &'a RecordBatch, name: &str) -> Option<&'a [i64]> {
    Some(rows.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.values())
}

fn time<'a>(rows: &'a RecordBatch, name: &str) -> Option<&'a [i64]> {
    Some(rows.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?.values())
}
