//! Forms in which columns hold the values of fields, and what a rule's test means for a value in each form.

use std::collections::{BTreeMap, BTreeSet};

use event::{LogSource, ValueTag};

use crate::check::{Check, Number, REGEX_BYTES_MAX, Value};
use crate::sigma::modifier::RegexFlags;
use crate::sigma::regex::regex;
use crate::taxonomy::expression;
use crate::text_pattern::{Anchor, TextPattern, read_pieces};

/// One entry of a taxonomy: the names that rules on some log sources use.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) logsources: Vec<LogSource>,
    /// Columns of each field, best first.
    pub(super) fields: BTreeMap<String, Vec<FieldColumn>>,
}

/// A column that holds a field's value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldColumn {
    pub(super) column: String,
    pub(super) form: Form,
}

/// How the column's value differs from the one that a rule names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// The value is as rules write it.
    Same,
    /// The rule's value has this in front.
    Prefix(String),
    /// The column's value has this behind.
    Trailing(String),
    /// The column's number is so many times the rule's.
    Scale(f64),
    /// The rule's value, and the column's.
    Values(Vec<(String, String)>),
    /// The rule's value means that the column is absent.
    Absent(String),
    /// The column holds the value among other things: where the value is, the column need not be that alone.
    Within,
}

impl Form {
    /// Tests of the column's value of which one passes where the rule's value would. None where that cannot be said:
    /// part of a number, or parts of dates.
    pub(super) fn checks(&self, check: &Check) -> Vec<Check> {
        match (self, check) {
            (Form::Prefix(prefix), Check::Text(pattern)) => {
                pattern.without_prefix(prefix).into_iter().map(Check::Text).collect()
            }
            (Form::Trailing(text), Check::Text(pattern)) => {
                pattern.followed_by(text).into_iter().map(Check::Text).collect()
            }
            (Form::Prefix(prefix), Check::Regex(check)) => {
                again(expression::without_prefix(check.regex.as_str(), prefix))
            }
            (Form::Trailing(text), Check::Regex(check)) => again(expression::followed_by(check.regex.as_str(), text)),
            // What is looked up is the value without its surroundings.
            (Form::Prefix(_) | Form::Trailing(_), Check::Indicator(_)) => vec![check.clone()],
            (Form::Scale(factor), check) => scaled(*factor, check).into_iter().collect(),
            (Form::Values(values), check) => of_values(values, check),
            (Form::Absent(word), Check::Text(pattern)) if pattern.whole_text().as_ref() == Some(word) => {
                vec![Check::Null]
            }
            _ => Vec::new(),
        }
    }

    /// Whether values are equal in this form where they are equal as rules write them, so that a column can stand for
    /// the field where only equality matters.
    pub(super) fn keeps_equality(&self) -> bool {
        matches!(self, Form::Same | Form::Prefix(_) | Form::Trailing(_) | Form::Values(_))
    }
}

fn again(expression: Option<String>) -> Vec<Check> {
    let compiled = expression.and_then(|expression| regex(&expression, RegexFlags::default(), REGEX_BYTES_MAX).ok());
    compiled.into_iter().collect()
}

fn scaled(factor: f64, check: &Check) -> Option<Check> {
    Some(match check {
        Check::Number(number) => Check::Number(number.times(factor)),
        Check::Text(pattern) => {
            let text = pattern.whole_text()?;
            let number = text.parse().map(Number::Integer).or_else(|_| text.parse().map(Number::Float)).ok()?;
            Check::Number(number.times(factor))
        }
        Check::Compare(order, number) => Check::Compare(*order, number * factor),
        _ => return None,
    })
}

impl Number {
    /// Stays whole where it can: floats cannot tell the largest numbers apart.
    fn times(self, factor: f64) -> Number {
        match self {
            Number::Integer(number) if factor.fract() == 0.0 && factor.abs() < i64::MAX as f64 => {
                let whole = number.checked_mul(factor as i64).map(Number::Integer);
                whole.unwrap_or(Number::Float(number as f64 * factor))
            }
            Number::Integer(number) => Number::Float(number as f64 * factor),
            Number::Float(number) => Number::Float(number * factor),
        }
    }
}

/// Ours, where theirs passes.
fn of_values(values: &[(String, String)], check: &Check) -> Vec<Check> {
    let passing = values.iter().filter(|(theirs, _)| check.passes(Value::Text(theirs, ValueTag::String)));
    let ours: BTreeSet<&String> = passing.map(|(_, ours)| ours).collect();
    let equal = |text: &String| match text.parse() {
        Ok(number) => Check::Number(Number::Integer(number)),
        Err(_) => Check::Text(TextPattern::new(read_pieces(&escaped(text)), Anchor::Whole, false)),
    };
    ours.into_iter().map(equal).collect()
}

/// The text with what a pattern would take for wildcards or escapes marked as itself.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|each| ['\\'].into_iter().filter(move |_| "*?\\".contains(each)).chain([each])).collect()
}
