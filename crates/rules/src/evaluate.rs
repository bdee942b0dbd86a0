//! One rule's condition against one event, the slow and obvious way: the oracle that the matcher is held against, and
//! what `explain` and exceptions use.
//!
//! It shares data types with the matcher (`Expr`, `Item`, the variants of `Check`, the pieces of a `TextPattern`), the
//! compiled `Regex`, case folding of one character (`fold_char`), the list of URL columns, and the look-ups of packs
//! and indicators, each with tests of its own. It must use nothing else of `check.rs`, `date.rs`, `percent.rs` or the
//! matcher.

mod date;
mod passes;
mod read;

use event::EventBatch;

use crate::check::{Check, FieldRef};
use crate::percent::is_url_column;
use crate::sigma::rule::{Expr, Item};

pub(crate) use passes::text_passes;
pub(crate) use read::{Given, given, views};

/// Whether the rule's condition holds for a row of the batch. The log source is not looked at: see
/// [`judges`](crate::explain::judges).
pub fn evaluate(expr: &Expr, batch: &EventBatch, row: usize) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| evaluate(part, batch, row)),
        Expr::Or(parts) => parts.iter().any(|part| evaluate(part, batch, row)),
        Expr::Not(inner) => !evaluate(inner, batch, row),
        Expr::Named(_, inner) => evaluate(inner, batch, row),
        Expr::Item(item) if item.field.is_none() => keyword_matches(&item.check, batch, row),
        Expr::Item(item) => field_matches(item, batch, row),
    }
}

/// A keyword is looked for in the line as it is, in the line without its JSON escapes, and, where its place matters, in
/// each value of a JSON line.
fn keyword_matches(check: &Check, batch: &EventBatch, row: usize) -> bool {
    let line = batch.original(row);
    if text_passes(check, line) {
        return true;
    }
    if batch.datasets()[row] != event::dataset::JSON {
        return false;
    }
    text_passes(check, &read::without_json_escapes(line))
        || passes::place_matters(check)
            && read::values_of_sender(batch, row)
                .iter()
                .any(|value| value.texts().iter().any(|text| text_passes(check, text)))
}

fn field_matches(item: &Item, batch: &EventBatch, row: usize) -> bool {
    let mut columns = item.columns.iter();
    match &item.check {
        Check::Null => columns.all(|column| given(batch, column, row).is_none()),
        Check::Exists(wanted) => columns.any(|column| read::exists(batch, column, row)) == *wanted,
        Check::FieldRef(reference) => refers(item, reference, batch, row),
        check => columns.any(|column| {
            let value = given(batch, column, row);
            value.is_some_and(|value| passes_in_any_view(check, value, is_url_column(column)))
        }),
    }
}

/// Whether the value passes as it is, or decoded. Packs of patterns decode by themselves.
fn passes_in_any_view(check: &Check, value: Given<'_>, is_url: bool) -> bool {
    if passes::passes(check, value) {
        return true;
    }
    let decodes = is_url && !matches!(check, Check::Pack(_));
    let decoded = |text| if decodes { views(text) } else { Vec::new() };
    match value {
        Given::Text(text) => decoded(text).iter().any(|view| text_passes(check, view)),
        Given::List(array) => decoded(array).iter().any(|view| passes::passes(check, Given::List(view))),
        Given::Number(_) => false,
    }
}

/// Whether some value of the item's columns has some value of the other field's columns where the reference says.
fn refers(item: &Item, reference: &FieldRef, batch: &EventBatch, row: usize) -> bool {
    let texts = |columns: &[String]| -> Vec<String> {
        columns.iter().filter_map(|column| given(batch, column, row)).flat_map(|value| value.texts()).collect()
    };
    let others = texts(&reference.columns);
    texts(&item.columns).iter().any(|value| others.iter().any(|other| passes::refers(reference, value, other)))
}

#[cfg(test)]
mod tests;
