//! The `condition` of a correlation that compares: its operators and numbers, and whether any count can fit them.

use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{Bound, Bounds};
use crate::yaml::{Kind, Node, ScalarValue};

/// Events that one window keeps, at most: beyond it the oldest are let go, which is counted. A threshold above it could
/// never be reached, so that none is accepted.
pub const WINDOW_ENTRIES_MAX: usize = 20_000;

const OPERATORS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq"];

/// One operator, or two that make a range. `extra` are keys that something else reads.
pub(super) fn bounds(node: &Node, extra: &[&str], problems: &mut Problems) -> Option<Bounds> {
    let Kind::Map(pairs) = &node.kind else {
        problems.error(node.place, "the `condition` of a correlation must be a map such as {gte: 10}");
        return None;
    };
    let before = problems.error_count();
    let mut bounds = Bounds::default();
    let mut operators = 0;
    for (key, value) in pairs.iter().filter(|(key, _)| !extra.contains(&key.text.as_str())) {
        if !OPERATORS.contains(&key.text.as_str()) {
            let known = [OPERATORS, extra].concat().join(", ");
            problems.error(key.place, format!("unknown key `{}` in the condition: known are {known}", key.text));
            continue;
        }
        operators += 1;
        let Some(number) = number(value) else {
            problems.error(value.place, format!("`{}` compares with a number", key.text));
            continue;
        };
        let bound = Some(Bound { value: number, inclusive: key.text.ends_with('e') || key.text == "eq" });
        let target: &mut [&mut Option<Bound>] = match key.text.as_str() {
            "gt" | "gte" => &mut [&mut bounds.low],
            "lt" | "lte" => &mut [&mut bounds.high],
            "eq" => &mut [&mut bounds.low, &mut bounds.high],
            _ => {
                bounds.other_than = Some(number);
                continue;
            }
        };
        for side in target {
            if side.is_some() {
                problems
                    .error(key.place, format!("`{}` bounds a side that another operator bounds: keep one", key.text));
            }
            **side = bound;
        }
    }
    if operators == 0 {
        problems.error(node.place, format!("the `condition` needs one of {} with a number", OPERATORS.join(", ")));
    }
    let range = bounds.low.zip(bounds.high);
    if range.is_some_and(|(low, high)| {
        low.value > high.value || low.value == high.value && !(low.inclusive && high.inclusive)
    }) {
        problems.error(node.place, "no number lies between these bounds");
    }
    (problems.error_count() == before).then_some(bounds)
}

/// Refuses what no count fits, and what every count fits. What is counted has been seen once at least; `most` is the
/// highest count that there can be, and `why`.
pub(super) fn check_counts(node: &Node, bounds: &Bounds, most: f64, why: &str, problems: &mut Problems) {
    let before = problems.error_count();
    for (key, value) in node.map().unwrap_or(&[]).iter().filter(|(key, _)| OPERATORS.contains(&key.text.as_str())) {
        match number(value) {
            Some(number) if number < 0.0 => {
                let reason = format!("`{}: {number}` compares with a count, which is never below 0", key.text);
                problems.error(value.place, reason);
            }
            Some(number) if number.fract() != 0.0 => {
                let reason = format!("`{}: {number}` compares with a count: write a whole number", key.text);
                problems.error(value.place, reason);
            }
            _ => {}
        }
    }
    if problems.error_count() > before {
        return;
    }
    let least = bounds.low.map_or(1.0, |low| if low.inclusive { low.value } else { low.value + 1.0 }).max(1.0);
    let highest = bounds.high.map_or(most, |high| if high.inclusive { high.value } else { high.value - 1.0 }).min(most);
    let excluded = bounds.other_than.filter(|other| (least..=highest).contains(other));
    if least > highest || excluded.is_some() && least == highest {
        problems.error(node.place, format!("no count fits this: the lowest is 1, the highest {most}, {why}"));
    } else if least == 1.0 && highest == most && excluded.is_none() {
        let by_one = Bounds { low: Some(Bound { value: 1.0, inclusive: true }), ..Bounds::default() };
        let by_more_than_none = Bounds { low: Some(Bound { value: 0.0, inclusive: false }), ..Bounds::default() };
        if [by_one, by_more_than_none].contains(bounds) {
            problems.warn(node.place, "every event alone reaches this: the correlation only gathers them in groups");
        } else {
            problems.error(node.place, "every count fits this, also that of one event alone: write another threshold");
        }
    }
}

/// The number of a key, which must be above 0; else `absent`.
pub(super) fn above_zero(node: &Node, key: &str, absent: f64, problems: &mut Problems) -> f64 {
    let Some(given) = node.get(key) else { return absent };
    let number = number(given).filter(|number| *number > 0.0);
    if number.is_none() {
        problems.error(given.place, format!("`{key}` is a number above 0, not {}", given.shown()));
    }
    number.unwrap_or(absent)
}

pub(super) fn number(node: &Node) -> Option<f64> {
    let Kind::Scalar(scalar) = &node.kind else { return None };
    match scalar.value() {
        ScalarValue::Integer(number) => Some(number as f64),
        ScalarValue::Float(number) => Some(number),
        _ => None,
    }
}
