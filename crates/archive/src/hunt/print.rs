//! Answers as text: JSON lines, CSV, and columns for a terminal. What a line holds never reaches a terminal as a control
//! character.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, StringViewArray};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use event::{SourceId, Timestamp};
use serde_json::{Map, Value};

use super::Answer;
use crate::passage::FoundLine;
use crate::schema::{LINE, OFFSET, SOURCE_ID, SOURCE_NAME};

/// Widest column of a table, in characters.
const WIDTH_MAX: usize = 60;

impl Answer {
    /// One JSON object for each row, without fields that have no value.
    pub fn write_ndjson(&self, out: &mut impl Write) -> io::Result<()> {
        for batch in &self.batches {
            let cells = cells(batch)?;
            for row in 0..batch.num_rows() {
                let mut object = Map::new();
                for (column, cell) in batch.columns().iter().zip(&cells) {
                    if !column.is_null(row) {
                        object.insert(cell.name.clone(), cell.json(row)?);
                    }
                }
                writeln!(out, "{}", Value::Object(object))?;
            }
        }
        Ok(())
    }

    /// A line of names, then one for each row, as RFC 4180 has it.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let names = self.schema.fields().iter().map(|field| csv(field.name()));
        writeln!(out, "{}", names.collect::<Vec<_>>().join(","))?;
        self.write_csv_rows(out)
    }

    /// The lines below that of the names.
    pub(super) fn write_csv_rows(&self, out: &mut impl Write) -> io::Result<()> {
        for batch in &self.batches {
            let cells = cells(batch)?;
            for row in 0..batch.num_rows() {
                let row: io::Result<Vec<String>> = cells.iter().map(|cell| Ok(csv(&cell.text(row)?))).collect();
                writeln!(out, "{}", row?.join(","))?;
            }
        }
        Ok(())
    }

    /// Columns under their names, in lines of at most `width` characters; those that no row has a value in are left out.
    pub fn write_table(&self, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        for (at, field) in self.schema.fields().iter().enumerate() {
            let mut texts = Vec::new();
            let mut any = self.batches.is_empty();
            for batch in &self.batches {
                let cells = cells(batch)?;
                any |= batch.column(at).null_count() < batch.num_rows();
                for row in 0..batch.num_rows() {
                    texts.push(short(&cells[at].text(row)?));
                }
            }
            if any {
                columns.push((field.name().clone(), texts));
            }
        }
        let most = width.unwrap_or(usize::MAX);
        let width = |(name, texts): &(String, Vec<String>)| {
            texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(name.chars().count())
        };
        let widths: Vec<usize> = columns.iter().map(width).collect();
        let rows = columns.first().map_or(0, |(_, texts)| texts.len());
        let line = |texts: &mut dyn Iterator<Item = &str>| {
            let cells = texts.zip(&widths).map(|(text, width)| format!("{text:width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            cut(line.trim_end(), most)
        };
        writeln!(out, "{}", line(&mut columns.iter().map(|(name, _)| name.as_str())))?;
        for row in 0..rows {
            writeln!(out, "{}", line(&mut columns.iter().map(|(_, texts)| texts[row].as_str())))?;
        }
        Ok(())
    }
}

/// One column of a batch, ready for writing.
struct Cells<'a> {
    name: String,
    array: &'a dyn Array,
    formatter: ArrayFormatter<'a>,
}

fn cells(batch: &RecordBatch) -> io::Result<Vec<Cells<'_>>> {
    let options = FormatOptions::default().with_null("").with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
    let schema = batch.schema_ref();
    let mut out = Vec::new();
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let formatter = ArrayFormatter::try_new(array.as_ref(), &options).map_err(io::Error::other)?;
        out.push(Cells { name: field.name().clone(), array: array.as_ref(), formatter });
    }
    Ok(out)
}

impl Cells<'_> {
    fn text(&self, row: usize) -> io::Result<String> {
        self.formatter.value(row).try_to_string().map_err(io::Error::other)
    }

    /// Numbers and truth values as JSON has them, all else as text.
    fn json(&self, row: usize) -> io::Result<Value> {
        let text = self.text(row)?;
        let kind = self.array.data_type();
        let is_plain = kind.is_integer() || kind.is_floating() || *kind == arrow_schema::DataType::Boolean;
        let plain = is_plain.then(|| serde_json::from_str(&text).ok()).flatten();
        Ok(plain.unwrap_or(Value::String(text)))
    }
}

fn csv(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// As a column shows it, without control characters.
fn short(text: &str) -> String {
    cut(&clean(text), WIDTH_MAX)
}

/// At most so many characters; the last one tells that there were more.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

impl Answer {
    /// The raw lines of the rows, without control characters.
    pub fn raw_lines(&self) -> impl Iterator<Item = String> {
        let lines = |batch: &RecordBatch| {
            let column = batch.column_by_name("event.original").and_then(|column| column.as_string_view_opt().cloned());
            let texts = column.map(|column| column.iter().map(|text| clean(text.unwrap_or(""))).collect::<Vec<_>>());
            texts.unwrap_or_default()
        };
        self.batches.iter().flat_map(lines)
    }

    /// The earliest time of an answer to the question for times; `None` where a row has none, or there is no row.
    pub fn earliest(&self) -> Option<Timestamp> {
        let mut earliest: Option<i64> = None;
        for batch in self.batches.iter().filter(|batch| batch.num_rows() > 0) {
            let times = batch.column(0).as_primitive_opt::<TimestampMicrosecondType>()?;
            if times.null_count() > 0 {
                return None;
            }
            earliest = earliest.into_iter().chain(times.values().iter().copied()).min();
        }
        earliest.map(Timestamp)
    }

    /// The rows of an answer to the question for passages.
    pub fn found_lines(&self) -> Vec<FoundLine> {
        let lines = |batch: &RecordBatch| {
            let lines = batch.column_by_name("event.original")?.as_string_view_opt()?;
            Some(found_lines_of(batch, lines))
        };
        self.batches.iter().filter_map(lines).flatten().collect()
    }
}

/// Rows as lines of their sources.
pub(crate) fn found_lines_of(rows: &RecordBatch, lines: &StringViewArray) -> Vec<FoundLine> {
    let text = |name| rows.column_by_name(name).and_then(|column| column.as_string_view_opt());
    let number = |name| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let columns = (text(SOURCE_NAME), text(SOURCE_ID), number(OFFSET), number(LINE));
    let (Some(names), Some(ids), Some(offsets), Some(numbers)) = columns else { return Vec::new() };
    let with_line = (0..rows.num_rows()).filter(|row| !lines.is_null(*row));
    let line = |row: usize| FoundLine {
        name: names.value(row).to_owned(),
        source: ids.value(row).parse().unwrap_or(SourceId(0)),
        offset: offsets.value(row) as u64,
        number: numbers.value(row) as u64,
        text: lines.value(row).to_owned(),
    };
    with_line.map(line).collect()
}

/// Without control characters: they could move the cursor of a terminal, or worse.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
