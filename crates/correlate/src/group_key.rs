//! What a correlation reads of a hit: the group it belongs to, and the value it brings.

use std::borrow::Cow;
use std::fmt::Write as _;

use rules::check::text_number;
use rules::ruleset::{BoundCorrelation, Captured};

use crate::hit::IndexedHit;
use crate::window::added::LeftOut;
use crate::window::tally::NUMBER_MAX;

fn captured<'h>(from: &Captured, hit: &'h IndexedHit) -> Option<&'h str> {
    hit.values.get(from.of(hit.rule))
}

/// Writes the key of the hit's group; false where the event lacks one of the fields. The key has each value's length in
/// front, so that values cannot be written to look like another group.
pub(crate) fn write_key(bound: &BoundCorrelation, hit: &IndexedHit, key: &mut String) -> bool {
    key.clear();
    append_key(bound, hit, key)
}

/// Writes the key behind other text; where the event lacks one of the fields, part of it may be written.
pub(crate) fn append_key(bound: &BoundCorrelation, hit: &IndexedHit, key: &mut String) -> bool {
    for from in &bound.group_by {
        let Some(value) = captured(from, hit) else { return false };
        push_number(key, value.len());
        key.push(':');
        key.push_str(value);
    }
    true
}

/// Fields of the group that the event does not have.
pub(crate) fn lacking<'b>(bound: &'b BoundCorrelation, hit: &IndexedHit) -> Vec<&'b str> {
    let fields = bound.group_by.iter().zip(&bound.rule.group_by);
    fields.filter(|(from, _)| captured(from, hit).is_none()).map(|(_, field)| field.as_str()).collect()
}

/// The values that a key was written from.
pub(crate) fn read_key(key: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = key;
    while let Some((length, after)) = rest.split_once(':') {
        let Some((value, more)) = length.parse().ok().and_then(|length| after.split_at_checked(length)) else { break };
        values.push(value.to_owned());
        rest = more;
    }
    values
}

fn push_number(text: &mut String, number: usize) {
    if number < 10 {
        text.push(char::from(b'0' + number as u8));
    } else {
        push_number(text, number / 10);
        text.push(char::from(b'0' + (number % 10) as u8));
    }
}

/// The group as people see it: `field=value, …`.
pub(crate) fn group_text(bound: &BoundCorrelation, hit: &IndexedHit) -> String {
    let mut text = String::new();
    for (from, field) in bound.group_by.iter().zip(&bound.rule.group_by) {
        let separator = if text.is_empty() { "" } else { ", " };
        let written = write!(text, "{separator}{field}={}", captured(from, hit).unwrap_or(""));
        debug_assert!(written.is_ok(), "texts take everything");
    }
    text
}

/// The value that is counted; of several fields one text that tells all combinations apart.
pub(crate) fn value_of<'h>(bound: &BoundCorrelation, hit: &'h IndexedHit) -> Option<Cow<'h, str>> {
    match bound.values.as_slice() {
        [from] => captured(from, hit).map(Cow::Borrowed),
        several => {
            let mut text = String::new();
            for from in several {
                let value = captured(from, hit)?;
                push_number(&mut text, value.len());
                text.push(':');
                text.push_str(value);
            }
            Some(Cow::Owned(text))
        }
    }
}

/// Text that tells different events apart, for rules that ask for several different ones: the values of the fields, or
/// the event's id where it has none of them.
pub(crate) fn distinct_key(bound: &BoundCorrelation, hit: &IndexedHit) -> String {
    let mut text = String::new();
    let mut any = false;
    for from in &bound.values {
        let value = captured(from, hit);
        any |= value.is_some();
        push_number(&mut text, value.map_or(0, str::len));
        text.push(':');
        text.push_str(value.unwrap_or(""));
    }
    if any { text } else { format!("#{:x}", hit.event.id.0) }
}

/// The number that an event brings; why there is none, where it brings none.
pub(crate) fn number_of(bound: &BoundCorrelation, hit: &IndexedHit) -> Result<f64, LeftOut> {
    let text = bound.values.first().and_then(|from| captured(from, hit)).ok_or(LeftOut::NoValue)?;
    text_number(text).filter(|number| number.abs() <= NUMBER_MAX).ok_or(LeftOut::NotNumeric)
}

/// Who the finding is about: the source address, else account and host.
pub(crate) fn fold_group(hit: &IndexedHit) -> String {
    let whom = hit.event.whom();
    let named = |name: &str, value: Option<&str>| value.map(|value| format!("{name}={value}"));
    named("source.ip", whom.source_ip).unwrap_or_else(|| {
        let parts = [named("user.name", whom.user_name), named("host.name", whom.host_name)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    })
}
