//! One rule's condition against one event, the slow and obvious way: the oracle that the matcher is held against. It must
//! not use anything of the matcher, nor the matcher anything of it but data types.

use std::borrow::Cow;

use event::catalog::{OF_THE_PIPELINE, field};
use event::{EventBatch, Field, ValueTag, dataset};
use memchr::memchr;

use crate::check::{Check, FieldRef, Value};
use crate::percent::{decoded, may_be_encoded};
use crate::sigma::rule::{Expr, Item};

/// The value of a column in a row, if it has one.
pub fn value_at<'a>(batch: &'a EventBatch, position: usize, row: usize) -> Option<Value<'a>> {
    if let Some(column) = batch.text_at(position) {
        let tag = column.tag(row);
        return column.str(row).map(|text| Value::Text(text, tag));
    }
    let column = batch.long_at(position).or_else(|| batch.date_at(position))?;
    column.get(row).map(Value::Long)
}

/// Columns of JSON events that hold addresses of pages under Sigma's names.
const URLS: [&str; 7] = ["cs-uri", "cs-uri-query", "cs-uri-stem", "c-uri", "c-uri-query", "c-uri-stem", "cs-referer"];

/// Whether a column's percent-encoded text is also matched decoded.
pub fn has_views(column: &str) -> bool {
    Field::named(column).is_some_and(|(_, row)| row.url) || URLS.contains(&column)
}

/// The raw value passes, or one of its decoded views does.
pub fn passes_in_any_view(check: &Check, value: Value<'_>, views: bool) -> bool {
    if check.passes(value) {
        return true;
    }
    // Packs make their own views.
    let views = views && !matches!(check, Check::Pack(_) | Check::Indicator(_));
    match value {
        Value::Text(text, tag) if views && may_be_encoded(text.as_bytes()) => {
            decoded(text).any(|view| check.passes(Value::Text(&view, tag)))
        }
        _ => false,
    }
}

/// Texts of a row that keywords are looked for in.
#[derive(Debug)]
pub struct KeywordTexts<'a> {
    pub line: &'a str,
    /// The line without its JSON escapes, where there are any: they hide text.
    pub unescaped: Option<String>,
    /// Where the line has escapes that do more than put a backslash before a character.
    pub odd: Vec<(usize, usize)>,
}

pub fn keyword_texts(batch: &EventBatch, row: usize) -> KeywordTexts<'_> {
    let line = batch.text(field::EVENT_ORIGINAL).and_then(|column| column.str(row)).unwrap_or("");
    let escaped = batch.datasets()[row] == dataset::JSON && memchr(b'\\', line.as_bytes()).is_some();
    if !escaped {
        return KeywordTexts { line, unescaped: None, odd: Vec::new() };
    }
    let (unescaped, odd) = unescaped(line);
    KeywordTexts { line, unescaped: Some(unescaped), odd }
}

/// Whether where a keyword stands matters, so that it is also looked for in each value of a JSON line by itself. What may
/// stand anywhere in a value may stand anywhere in the line.
pub fn looks_at_values(check: &Check) -> bool {
    match check {
        Check::Text(pattern) => pattern.is_anchored(),
        Check::Regex(check) => ["^", "$", "\\A", "\\z"].iter().any(|anchor| check.regex.as_str().contains(anchor)),
        _ => false,
    }
}

/// Whether a keyword stands as it should in some value of a JSON line.
pub fn is_in_a_value(check: &Check, batch: &EventBatch, row: usize) -> bool {
    if batch.datasets()[row] != dataset::JSON || !looks_at_values(check) {
        return false;
    }
    let names = batch.column_names().enumerate().filter(|(_, name)| !OF_THE_PIPELINE.contains(name));
    names.map(|(position, _)| position).any(|position| match value_at(batch, position, row) {
        Some(Value::Text(_, ValueTag::Null)) | None => false,
        Some(value) => texts_of(value).iter().any(|text| check.passes(Value::Text(text, ValueTag::String))),
    })
}

/// JSON text with its escapes replaced by what they stand for, and the places of those that did not stand for the
/// character behind them. What is no escape stays.
fn unescaped(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut odd = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let simple = match after.bytes().next() {
            Some(mark @ (b'"' | b'\\' | b'/')) => Some(char::from(mark)),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            _ => None,
        };
        let is_plain = matches!(after.bytes().next(), Some(b'"' | b'\\' | b'/'));
        if let Some(character) = simple {
            out.push(character);
            rest = &after[1..];
        } else if let bytes = event::json::byte_escapes(&rest.as_bytes()[at..])
            && !bytes.is_empty()
        {
            out.push_str(&String::from_utf8_lossy(&bytes));
            rest = &rest[at + bytes.len() * 4..];
        } else if let Some((character, length)) = code_point(after) {
            out.push(character);
            rest = &after[length..];
        } else {
            out.push('\\');
            rest = after;
        }
        if !is_plain {
            odd.push((text.len() - after.len() - 1, text.len() - rest.len()));
        }
    }
    out.push_str(rest);
    (out, odd)
}

/// `u00e9`, or a pair of surrogates, at the start of the text: the character and how long it is written.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(1).filter(|_| text.starts_with('u'))?;
    if (0xD800..0xDC00).contains(&first) && text.get(5..7) == Some("\\u") {
        let second = unit(7).filter(|second| (0xDC00..0xE000).contains(second))?;
        return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map(|found| (found, 11));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

/// The texts and numbers in a JSON array, decoded.
fn elements_of(array: &str) -> Vec<String> {
    fn collect(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => out.push(text.clone()),
            serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, out)),
            serde_json::Value::Object(members) => members.values().for_each(|value| collect(value, out)),
            other => out.push(other.to_string()),
        }
    }
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_str(array) {
        collect(&value, &mut out);
    }
    out
}

/// Whether the row has the column, an explicit null included.
pub fn exists(batch: &EventBatch, position: usize, row: usize) -> bool {
    match batch.text_at(position) {
        Some(text) => text.exists(row),
        None => value_at(batch, position, row).is_some(),
    }
}

/// Texts of a value: its own, or those of its elements.
fn texts_of(value: Value<'_>) -> Vec<Cow<'_, str>> {
    match value {
        Value::Text(text, ValueTag::Array) => elements_of(text).into_iter().map(Cow::from).collect(),
        Value::Text(_, ValueTag::Null) => Vec::new(),
        Value::Text(text, _) => vec![text.into()],
        Value::Long(number) => vec![number.to_string().into()],
    }
}

/// Whether a value at the positions has a value of the others where the reference says.
pub fn refers(
    batch: &EventBatch,
    row: usize,
    positions: impl Iterator<Item = usize>,
    others: impl Iterator<Item = usize>,
    reference: &FieldRef,
) -> bool {
    let others: Vec<Cow<'_, str>> =
        others.filter_map(|position| value_at(batch, position, row)).flat_map(texts_of).collect();
    let mut values = positions.filter_map(|position| value_at(batch, position, row)).flat_map(texts_of);
    values.any(|value| others.iter().any(|other| reference.holds(&value, other)))
}

fn item_matches(item: &Item, batch: &EventBatch, row: usize) -> bool {
    if item.field.is_none() {
        let KeywordTexts { line, unescaped, .. } = keyword_texts(batch, row);
        let passes = |text: &str| item.check.passes(Value::Text(text, ValueTag::String));
        return passes(line) || unescaped.as_deref().is_some_and(passes) || is_in_a_value(&item.check, batch, row);
    }
    let columns = &item.columns;
    let present = |column: &String| value_at(batch, batch.position_of(column)?, row);
    match &item.check {
        Check::Null => columns.iter().all(|column| present(column).is_none()),
        Check::Exists(wanted) => {
            let mut positions = columns.iter().filter_map(|column| batch.position_of(column));
            positions.any(|position| exists(batch, position, row)) == *wanted
        }
        Check::FieldRef(reference) => {
            let positions =
                |names: &[String]| -> Vec<usize> { names.iter().filter_map(|name| batch.position_of(name)).collect() };
            refers(batch, row, positions(columns).into_iter(), positions(&reference.columns).into_iter(), reference)
        }
        check => columns
            .iter()
            .any(|column| present(column).is_some_and(|value| passes_in_any_view(check, value, has_views(column)))),
    }
}

/// Whether the rule's condition holds for the row; the log source is not looked at.
pub fn evaluate(expr: &Expr, batch: &EventBatch, row: usize) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| evaluate(part, batch, row)),
        Expr::Or(parts) => parts.iter().any(|part| evaluate(part, batch, row)),
        Expr::Not(inner) => !evaluate(inner, batch, row),
        Expr::Named(_, inner) => evaluate(inner, batch, row),
        Expr::Item(item) => item_matches(item, batch, row),
    }
}
