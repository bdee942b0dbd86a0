//! Why a rule did or did not match an event: each part of its condition, whether it held, and the value that decided.

use std::fmt;

use event::{Dataset, EventBatch, LogSource};
use patterns::{FoundPattern, Standing};
use serde::Serialize;

use crate::check::Check;
use crate::evaluate::{Given, evaluate, given, text_passes, views};
use crate::origin::origin_of;
use crate::percent::is_url_column;
use crate::sigma::rule::{Expr, Item, Rule};

/// Whether events such as the row's are judged by the rule: by what is known of them, else by what was declared.
pub fn judges(rule: &Rule, batch: &EventBatch, row: usize, declared: Option<&LogSource>) -> bool {
    // A further line of a record is no event.
    if batch.datasets()[row] == event::dataset::CONTINUATION {
        return false;
    }
    let origin = origin_of(batch, row);
    match declared.filter(|_| !origin.is_known()) {
        Some(declared) => declared.allows(&rule.logsource),
        None => origin.satisfies(&rule.logsource),
    }
}

/// Why a rule did or did not match an event.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The rule reports the event.
    pub matched: bool,
    /// The log source, then the condition.
    pub parts: Vec<Part>,
}

/// One part of a condition, and what decided it.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Whether this part holds for the event.
    pub held: bool,
    /// `all of`, a selection, or a test as the rule has it.
    pub what: String,
    /// Values where the test looked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundValue>,
    /// The field that the event lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// What it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A value of the event, and the form of it that passed, where that is another.
#[derive(Debug, Serialize)]
pub struct FoundValue {
    /// Column of the event.
    pub column: String,
    /// The value as text, cut where it is long.
    pub value: String,
    /// The decoded view that passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Decoded>,
    /// What a pack of patterns finds in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Standing>,
    /// Lists of indicators that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
}

/// A decoded view of a value.
#[derive(Debug, Serialize)]
pub struct Decoded {
    /// Rounds of percent-decoding.
    pub rounds: usize,
    /// The text after these rounds, cut where it is long.
    pub value: String,
}

/// The whole evaluation: each part, whether it held, and the value that decided. `declared` is what the input was said
/// to be, where the event does not tell.
pub fn explain(rule: &Rule, batch: &EventBatch, row: usize, declared: Option<&LogSource>) -> Explanation {
    let judged = judges(rule, batch, row, declared);
    let origin = origin_of(batch, row);
    let dataset = Dataset::of(batch.datasets()[row]).name;
    let known = match declared.filter(|_| !origin.is_known()) {
        Some(declared) => format!(" (declared {})", serde_json::to_string(declared).unwrap_or_default()),
        None if origin.is_known() => format!(" ({origin})"),
        None => String::new(),
    };
    let word = if judged { "satisfies" } else { "does NOT satisfy" };
    let wanted = serde_json::to_string(&rule.logsource).unwrap_or_default();
    let source = Part::new(judged, format!("log source: `{dataset}`{known} {word} {wanted}"));
    let condition = tree(&rule.condition, batch, row);
    Explanation { matched: judged && condition.held, parts: vec![source, condition] }
}

impl Part {
    /// A part without values and parts of its own.
    pub fn new(held: bool, what: String) -> Self {
        Part { held, what, found: Vec::new(), missing: None, parts: Vec::new() }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let answer = if self.held { "yes" } else { "no " };
        write!(out, "{answer}  {:indent$}{}", "", self.what, indent = depth * 2)?;
        if let Some(field) = &self.missing {
            write!(out, " → the event has no `{field}`")?;
        }
        for (at, found) in self.found.iter().enumerate() {
            let before = if at == 0 { " → " } else { ", " };
            write!(out, "{before}{} = {:?}", found.column, found.value)?;
            if let Some(Decoded { rounds, value }) = &found.decoded {
                write!(out, " (after {rounds} percent-decoding(s): {value:?})")?;
            }
        }
        writeln!(out)?;
        for standing in self.found.iter().filter_map(|found| found.patterns.as_ref()) {
            let indent = (depth + 1) * 2;
            writeln!(out, "     {:indent$}{} of {} points", "", standing.points, standing.threshold)?;
            standing.found.iter().try_for_each(|found| write_found(out, found, indent))?;
        }
        self.parts.iter().try_for_each(|part| part.write(out, depth + 1))
    }
}

/// A pattern that was found: who read it, what it is worth, where and how it was seen, and what surrounds it.
fn write_found(out: &mut fmt::Formatter<'_>, found: &FoundPattern, indent: usize) -> fmt::Result {
    let FoundPattern { pattern, reader, points, part, view, matched, original, .. } = found;
    write!(out, "     {:indent$}{pattern} (+{points}) by {reader} in the {part}", "")?;
    if let Some(parameter) = &found.parameter {
        write!(out, " of `{parameter}`")?;
    }
    write!(out, ", {view}: {matched:?}; sent as {original:?}")?;
    if let Some(context) = &found.context {
        write!(out, "; {context}")?;
    }
    writeln!(out)
}

/// As indented lines for people.
impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| part.write(out, 0))
    }
}

fn tree(expr: &Expr, batch: &EventBatch, row: usize) -> Part {
    let held = evaluate(expr, batch, row);
    let with = |what: String, parts: &[&Expr]| {
        let parts = parts.iter().map(|part| tree(part, batch, row)).collect();
        Part { parts, ..Part::new(held, what) }
    };
    match expr {
        Expr::And(parts) => with("all of".to_owned(), &parts.iter().collect::<Vec<_>>()),
        Expr::Or(parts) => with("any of".to_owned(), &parts.iter().collect::<Vec<_>>()),
        Expr::Not(inner) => with("not".to_owned(), &[inner]),
        Expr::Named(name, inner) => with(format!("selection `{name}`"), &[inner]),
        Expr::Item(item) => looked_at(item, batch, row, held),
    }
}

/// Longest value that an explanation shows, in characters.
const SHOWN_CHARS_MAX: usize = 512;

/// The beginning of a text; what is left out is told.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{} [… {} bytes in all]", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// What the event holds where the item looks.
fn looked_at(item: &Item, batch: &EventBatch, row: usize, held: bool) -> Part {
    let mut part = Part::new(held, item.written.clone());
    let Some(field) = &item.field else {
        part.what += " (looked for in the whole line)";
        return part;
    };
    for column in &item.columns {
        let text = match given(batch, column, row) {
            Some(Given::Text(text) | Given::List(text)) => text.to_owned(),
            Some(Given::Number(number)) => number.to_string(),
            None => continue,
        };
        let decoded = is_url_column(column).then(|| view_that_passes(&item.check, &text)).flatten();
        let patterns = match &item.check {
            Check::Pack(check) => Some(check.standing(&text)),
            _ => None,
        };
        let lists = match &item.check {
            Check::Indicator(check) => check.lists(&text),
            _ => Vec::new(),
        };
        part.found.push(FoundValue { column: column.clone(), value: shown(&text), decoded, patterns, lists });
    }
    if part.found.is_empty() {
        part.missing = Some(field.clone());
    }
    part
}

/// The first decoded view that passes, where the text as it is does not.
fn view_that_passes(check: &Check, text: &str) -> Option<Decoded> {
    if text_passes(check, text) {
        return None;
    }
    let passing = views(text).into_iter().enumerate().find(|(_, view)| text_passes(check, view));
    passing.map(|(round, view)| Decoded { rounds: round + 1, value: shown(&view) })
}
