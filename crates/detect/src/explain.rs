//! One rule against one event, the slow and obvious way: the oracle for the matcher, and the answer to "why".

use std::borrow::Cow;

use event::catalog::field;
use event::{Dataset, EventBatch, Field, ValueTag, dataset};
use memchr::memchr;

use crate::check::{Check, FieldRef, Value};
use crate::origin::origin_of;
use crate::sigma::rule::{Expr, Item, Rule};
use crate::view::{decoded, may_be_encoded};

/// The value of a column in a row, if it has one.
pub(crate) fn value_at<'a>(batch: &'a EventBatch, position: usize, row: usize) -> Option<Value<'a>> {
    if let Some(column) = batch.text_at(position) {
        let tag = column.tag(row);
        return column.str(row).map(|text| Value::Text(text, tag));
    }
    let column = batch.long_at(position).or_else(|| batch.date_at(position))?;
    column.get(row).map(Value::Long)
}

/// Whether a column's percent-encoded text is also matched decoded.
pub(crate) fn has_views(column: &str) -> bool {
    Field::named(column).is_some_and(|(_, row)| row.url)
}

/// The raw value passes, or one of its decoded views does.
pub(crate) fn passes_in_any_view(check: &Check, value: Value<'_>, views: bool) -> bool {
    if check.passes(value) {
        return true;
    }
    match value {
        Value::Text(text, tag) if views && may_be_encoded(text.as_bytes()) => {
            decoded(text).any(|view| check.passes(Value::Text(&view, tag)))
        }
        _ => false,
    }
}

/// Texts of a row that keywords are looked for in.
pub(crate) struct KeywordTexts<'a> {
    pub(crate) line: &'a str,
    /// The line without its JSON escapes, where there are any: they hide text.
    pub(crate) unescaped: Option<String>,
    /// Where the line has escapes that do more than put a backslash before a character.
    pub(crate) odd: Vec<(usize, usize)>,
}

pub(crate) fn keyword_texts(batch: &EventBatch, row: usize) -> KeywordTexts<'_> {
    let line = batch.text(field::EVENT_ORIGINAL).and_then(|column| column.str(row)).unwrap_or("");
    let escaped = batch.datasets()[row] == dataset::JSON && memchr(b'\\', line.as_bytes()).is_some();
    if !escaped {
        return KeywordTexts { line, unescaped: None, odd: Vec::new() };
    }
    let (unescaped, odd) = unescaped(line);
    KeywordTexts { line, unescaped: Some(unescaped), odd }
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

/// The strings of a JSON array, decoded, one below the other.
fn strings_of(array: &str) -> String {
    fn collect(value: &serde_json::Value, out: &mut String) {
        match value {
            serde_json::Value::String(text) => {
                out.push_str(text);
                out.push('\n');
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, out)),
            serde_json::Value::Object(members) => members.values().for_each(|value| collect(value, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    if let Ok(value) = serde_json::from_str(array) {
        collect(&value, &mut out);
    }
    out
}

/// Whether the row has the column, an explicit null included.
pub(crate) fn exists(batch: &EventBatch, position: usize, row: usize) -> bool {
    match batch.text_at(position) {
        Some(text) => text.exists(row),
        None => value_at(batch, position, row).is_some(),
    }
}

/// Texts of a value: its own, or those of its elements.
fn texts_of(value: Value<'_>) -> Vec<Cow<'_, str>> {
    match value {
        Value::Text(text, ValueTag::Array) => strings_of(text).lines().map(|text| text.to_owned().into()).collect(),
        Value::Text(_, ValueTag::Null) => Vec::new(),
        Value::Text(text, _) => vec![text.into()],
        Value::Long(number) => vec![number.to_string().into()],
    }
}

/// Whether a value at the positions has a value of the others where the reference says.
pub(crate) fn refers(
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
        return passes(line) || unescaped.as_deref().is_some_and(passes);
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

/// Whether events of the row's dataset are judged by the rule.
pub fn applies(rule: &Rule, batch: &EventBatch, row: usize) -> bool {
    origin_of(batch, row).satisfies(&rule.logsource)
}

/// The whole evaluation as indented text: each part, whether it held, and the value that decided.
pub fn explain(rule: &Rule, batch: &EventBatch, row: usize) -> (bool, String) {
    let mut out = String::new();
    let dataset = Dataset::of(batch.datasets()[row]);
    let judged = applies(rule, batch, row);
    let word = if judged { "satisfies" } else { "does NOT satisfy" };
    let wanted = serde_json::to_string(&rule.logsource).unwrap_or_default();
    line(&mut out, 0, judged, &format!("log source: `{}` {word} {wanted}", dataset.name));
    let held = tree(&rule.condition, batch, row, 0, &mut out);
    (judged && held, out)
}

fn line(out: &mut String, depth: usize, held: bool, text: &str) {
    let mark = if held { "yes" } else { "no " };
    out.push_str(&format!("{mark}  {:indent$}{text}\n", "", indent = depth * 2));
}

fn tree(expr: &Expr, batch: &EventBatch, row: usize, depth: usize, out: &mut String) -> bool {
    let held = evaluate(expr, batch, row);
    match expr {
        Expr::And(parts) | Expr::Or(parts) => {
            let word = if matches!(expr, Expr::And(_)) { "all of" } else { "any of" };
            line(out, depth, held, word);
            for part in parts {
                tree(part, batch, row, depth + 1, out);
            }
        }
        Expr::Not(inner) => {
            line(out, depth, held, "not");
            tree(inner, batch, row, depth + 1, out);
        }
        Expr::Named(name, inner) => {
            line(out, depth, held, &format!("selection `{name}`"));
            tree(inner, batch, row, depth + 1, out);
        }
        Expr::Item(item) => line(out, depth, held, &format!("{} {}", item.written, found(item, batch, row))),
    }
    held
}

/// Longest value that an explanation shows, in characters.
const SHOWN_CHARS_MAX: usize = 160;

/// What the event holds where the item looks.
fn found(item: &Item, batch: &EventBatch, row: usize) -> String {
    let Some(field) = &item.field else { return "→ looked for in the whole line".to_owned() };
    let mut shown = Vec::new();
    for column in &item.columns {
        let Some(value) = batch.position_of(column).and_then(|position| value_at(batch, position, row)) else {
            continue;
        };
        let text = match value {
            Value::Text(text, _) => text.to_owned(),
            Value::Long(number) => number.to_string(),
        };
        let view = view_that_passes(&item.check, &text, has_views(column));
        let text: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        shown.push(format!("{column} = {text:?}{view}"));
    }
    if shown.is_empty() { format!("→ the event has no `{field}`") } else { format!("→ {}", shown.join(", ")) }
}

fn view_that_passes(check: &Check, text: &str, views: bool) -> String {
    let raw = Value::Text(text, ValueTag::String);
    if !views || !may_be_encoded(text.as_bytes()) || check.passes(raw) {
        return String::new();
    }
    let passing = decoded(text).enumerate().find(|(_, view)| check.passes(Value::Text(view, ValueTag::String)));
    passing.map_or(String::new(), |(round, view)| {
        let view: String = view.chars().take(SHOWN_CHARS_MAX).collect();
        format!(" (after {} percent-decoding(s): {view:?})", round + 1)
    })
}
