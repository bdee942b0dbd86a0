//! One event as a flat JSON object, keys in the order of the batch's columns. For people and pipes, not for the hot path.

use std::fmt::Write;

use crate::batch::EventBatch;
use crate::catalog::field;
use crate::column::ValueTag;
use crate::time::Timestamp;

/// Appends row `row` as one line without its line feed. `event.kind` is always there.
pub fn write_row(batch: &EventBatch, row: usize, out: &mut String) {
    out.push('{');
    let mut first = true;
    if batch.text(field::EVENT_KIND).is_none_or(|kind| kind.bytes(row).is_none()) {
        write_pair("event.kind", "\"event\"", &mut first, out);
    }
    for (position, name) in batch.column_names().enumerate() {
        if let Some(value) = value_at(batch, position, row) {
            write_pair(name, &value, &mut first, out);
        }
    }
    out.push('}');
}

fn write_pair(name: &str, value: &str, first: &mut bool, out: &mut String) {
    if !std::mem::take(first) {
        out.push(',');
    }
    out.push_str(&quote(name));
    out.push(':');
    out.push_str(value);
}

/// The bytes that a run of `\xHH` at the start of the text stands for, four written ones each. JSON has no such escapes; web
/// servers write them into it, several for a character.
pub fn byte_escapes(mut text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let mut bytes = Vec::new();
    while let [b'\\', b'x', high, low, rest @ ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        bytes.push((high << 4 | low) as u8);
        text = rest;
    }
    bytes
}

/// A JSON string literal.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn value_at(batch: &EventBatch, position: usize, row: usize) -> Option<String> {
    if let Some(column) = batch.text_at(position) {
        if column.tag(row) == ValueTag::Null {
            return Some("null".to_owned());
        }
        let text = column.str(row)?;
        // What came from JSON as a number, a boolean or an array goes out as it came in, if every reader can take it:
        // a number such as 1e999 is beyond what most can hold and goes out as text.
        let raw = column.tag(row) != ValueTag::String && serde_json::from_str::<serde_json::Value>(text).is_ok();
        return Some(if raw { text.to_owned() } else { quote(text) });
    }
    let mut out = String::new();
    if let Some(column) = batch.long_at(position) {
        write!(out, "{}", column.get(row)?).ok()?;
    } else {
        write!(out, "\"{}\"", Timestamp(batch.date_at(position)?.get(row)?)).ok()?;
    }
    Some(out)
}
