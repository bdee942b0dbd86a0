//! Patterns with named fields: `{@timestamp} {source.ip} "{request}" {http.response.status_code}`.
//!
//! `{name}` a field, `{name:unit}` a time or duration, `{*}` a value that goes nowhere, `{_}` blanks, `{...}` whatever follows,
//! `{{` and `}}` the brackets themselves.

use super::{BadLayout, Layout, LayoutPart, names};
use crate::values::{Dialect, Own, Value};

/// Compiles a pattern; every problem is told.
pub(crate) fn compile(text: &str) -> Result<Layout, Vec<BadLayout>> {
    let (mut own, mut parts, mut problems) = (Own::default(), Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let column = text[..at].chars().count() + 1;
        if let Some(bracket) = ["{{", "}}"].into_iter().find(|bracket| rest.starts_with(bracket)) {
            parts.push((column, LayoutPart::Text(bracket.as_bytes()[..1].to_vec())));
            at += 2;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let Some(close) = inside.find('}') else {
                problems.push(BadLayout::new(
                    column,
                    "`{` is not closed: write `}` behind the name, or `{{` for the bracket itself",
                ));
                break;
            };
            match part(&inside[..close], &mut own) {
                Ok(part) => {
                    if let Some(first) = same(&parts, &part) {
                        problems.push(BadLayout::new(column, twice(&inside[..close], first)));
                    }
                    parts.push((column, part));
                }
                Err(reason) => problems.push(BadLayout::new(column, reason)),
            }
            at += close + 2;
        } else if rest.starts_with('}') {
            problems.push(BadLayout::new(column, "`}` closes nothing: write `}}` for the bracket itself"));
            at += 1;
        } else {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            parts.push((column, LayoutPart::Text(rest.as_bytes()[..end].to_vec())));
            at += end;
        }
    }
    finish(parts, problems, own)
}

/// The column of the part that says the same.
fn same(parts: &[(usize, LayoutPart)], part: &LayoutPart) -> Option<usize> {
    let LayoutPart::Value(value) = part else { return None };
    let is_same = |known: &LayoutPart| matches!(known, LayoutPart::Value(known) if known == value);
    let first = parts.iter().find(|(_, known)| *value != Value::Skip && is_same(known));
    first.map(|(column, _)| *column)
}

/// Why a name cannot stand there.
pub(crate) fn twice(name: &str, first: usize) -> String {
    format!("`{name}` is the value of column {first} already: name another field, or leave one of them out with `*`")
}

fn part(inside: &str, own: &mut Own) -> Result<LayoutPart, String> {
    Ok(match inside {
        "_" => LayoutPart::Blanks,
        "..." => LayoutPart::Rest,
        _ => {
            let (name, unit) = inside.split_once(':').map_or((inside, None), |(name, unit)| (name, Some(unit)));
            LayoutPart::Value(names::value(name, unit, own)?)
        }
    })
}

/// Compiles the parts unless there are problems, and adds those of compiling.
pub(super) fn finish(
    parts: Vec<(usize, LayoutPart)>,
    mut problems: Vec<BadLayout>,
    own: Own,
) -> Result<Layout, Vec<BadLayout>> {
    match Layout::compile(parts, own, Dialect::default()) {
        Ok(layout) if problems.is_empty() => Ok(layout),
        Ok(_) => Err(problems),
        // A definition of which parts are missing has no values for that reason.
        Err(more) => {
            let is_first = problems.is_empty();
            problems.extend(more.into_iter().filter(|problem| is_first || problem.column > 1));
            Err(problems)
        }
    }
}

/// The layouts of a format of our own, of which a test says that all compile.
pub(crate) fn compile_all(patterns: &[&str], dialect: Dialect) -> Vec<Layout> {
    patterns.iter().filter_map(|pattern| compile(pattern).ok()).map(|layout| Layout { dialect, ..layout }).collect()
}
