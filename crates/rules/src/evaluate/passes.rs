//! One value against one test, for the oracle: each test written as its definition reads, without a search, a cache or
//! a folded copy that is shared. `check.rs` has the fast form that the matcher uses.

use std::net::IpAddr;

use event::{Network, Timestamp};

use super::date;
use super::read::Given;
use crate::check::{Check, FieldRef, Number, Order};
use crate::fold::fold_char;
use crate::text_pattern::{Anchor, DASHES, Piece, TextPattern};

/// Whether a value that is there passes. A list passes where an element does; nulls in it do not.
pub(super) fn passes(check: &Check, value: Given<'_>) -> bool {
    match value {
        Given::Text(text) => text_passes(check, text),
        Given::Number(number) => number_passes(check, number),
        Given::List(array) => match serde_json::from_str(array) {
            Ok(serde_json::Value::Array(elements)) => elements.iter().any(|element| element_passes(check, element)),
            _ => text_passes(check, array),
        },
    }
}

fn element_passes(check: &Check, element: &serde_json::Value) -> bool {
    match element {
        serde_json::Value::Null => false,
        serde_json::Value::String(text) => text_passes(check, text),
        serde_json::Value::Array(elements) => elements.iter().any(|element| element_passes(check, element)),
        other => text_passes(check, &other.to_string()),
    }
}

/// Whether a number passes: as a number, or as its digits where the test is about text.
fn number_passes(check: &Check, number: i64) -> bool {
    match check {
        Check::Number(Number::Integer(wanted)) => number == *wanted,
        Check::Number(Number::Float(wanted)) => number as f64 == *wanted,
        Check::Compare(order, bound) => is_in_order(*order, number as f64, *bound),
        Check::Text(_) | Check::Regex(_) => text_passes(check, &number.to_string()),
        // The number is microseconds since 1970.
        Check::Time(..) => text_passes(check, &Timestamp(number).to_string()),
        Check::Exists(wanted) => *wanted,
        Check::Cidr(_)
        | Check::Boolean(_)
        | Check::Null
        | Check::FieldRef(_)
        | Check::Pack(_)
        | Check::Indicator(_) => false,
    }
}

/// Whether a text passes. Tests that need more than one value (absence, another field) are decided elsewhere.
pub(crate) fn text_passes(check: &Check, text: &str) -> bool {
    match check {
        Check::Text(pattern) => text_matches(pattern, text),
        Check::Regex(check) => check.regex.is_match(text),
        Check::Cidr(network) => text.parse().is_ok_and(|address| is_in_network(*network, address)),
        Check::Number(Number::Integer(wanted)) => match text.parse::<i64>() {
            Ok(number) => number == *wanted,
            Err(_) => number_of(text) == Some(*wanted as f64),
        },
        Check::Number(Number::Float(wanted)) => number_of(text) == Some(*wanted),
        Check::Compare(order, bound) => number_of(text).is_some_and(|number| is_in_order(*order, number, *bound)),
        Check::Boolean(wanted) => text.to_ascii_lowercase() == wanted.to_string(),
        Check::Time(part, None, wanted) => date::part(*part, text) == Some(*wanted),
        Check::Time(part, Some(order), wanted) => {
            date::part(*part, text).is_some_and(|number| is_in_order(*order, number as f64, *wanted as f64))
        }
        Check::Exists(wanted) => *wanted,
        Check::Null | Check::FieldRef(_) => false,
        Check::Pack(check) => check.passes(text),
        Check::Indicator(check) => check.passes(text),
    }
}

/// Whether a keyword must stand at the beginning or the end of a value: what may stand anywhere in a value may stand
/// anywhere in the line.
pub(super) fn place_matters(check: &Check) -> bool {
    match check {
        Check::Text(pattern) => {
            let pieces = pattern.pieces();
            !pieces.is_empty() && (pieces.first() != Some(&Piece::Many) || pieces.last() != Some(&Piece::Many))
        }
        Check::Regex(check) => {
            let written = check.regex.as_str();
            written.contains('^') || written.contains('$') || written.contains("\\A") || written.contains("\\z")
        }
        _ => false,
    }
}

fn folded(text: &str, is_cased: bool) -> Vec<char> {
    text.chars().map(|character| if is_cased { character } else { fold_char(character) }).collect()
}

/// Keeps the set of places that the pieces read so far can have led to.
fn text_matches(pattern: &TextPattern, text: &str) -> bool {
    let text = folded(text, pattern.is_cased());
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pattern.pieces() {
        let mut next = vec![false; text.len() + 1];
        for at in (0..=text.len()).filter(|at| reached[*at]) {
            let rest = &text[at..];
            match piece {
                Piece::Text(wanted) => {
                    let wanted: Vec<char> = wanted.chars().collect();
                    if rest.starts_with(&wanted) {
                        next[at + wanted.len()] = true;
                    }
                }
                Piece::One if !rest.is_empty() => next[at + 1] = true,
                Piece::Dash if rest.first().is_some_and(|first| DASHES.contains(first)) => next[at + 1] = true,
                Piece::One | Piece::Dash => {}
                Piece::Many => {
                    next[at..].fill(true);
                    break;
                }
            }
        }
        reached = next;
    }
    reached[text.len()]
}

/// The number that the whole text writes in digits. No infinity, and no word that stands for a number.
fn number_of(text: &str) -> Option<f64> {
    let first = text.chars().next()?;
    let number: f64 = text.parse().ok()?;
    ((first.is_ascii_digit() || "+-.".contains(first)) && number.is_finite()).then_some(number)
}

fn is_in_order(order: Order, number: f64, bound: f64) -> bool {
    match order {
        Order::Less => number < bound,
        Order::LessOrEqual => number <= bound,
        Order::Greater => number > bound,
        Order::GreaterOrEqual => number >= bound,
    }
}

/// Whether the first bits are equal. An IPv4 address mapped into IPv6 counts as IPv4.
fn is_in_network(network: Network, address: IpAddr) -> bool {
    let differ = match (network.start(), address.to_canonical()) {
        (IpAddr::V4(start), IpAddr::V4(address)) => (start.to_bits() ^ address.to_bits()).leading_zeros(),
        (IpAddr::V6(start), IpAddr::V6(address)) => (start.to_bits() ^ address.to_bits()).leading_zeros(),
        _ => return false,
    };
    differ >= u32::from(network.bits())
}

/// Whether a value has the other field's value where the reference says.
pub(super) fn refers(reference: &FieldRef, value: &str, other: &str) -> bool {
    let text = |text: &str| -> String { folded(text, reference.cased).into_iter().collect() };
    let (value, other) = (text(value), text(other));
    match reference.anchor {
        Anchor::Whole => value == other || number_of(&value).is_some_and(|number| number_of(&other) == Some(number)),
        Anchor::Contains => value.contains(&other),
        Anchor::StartsWith => value.starts_with(&other),
        Anchor::EndsWith => value.ends_with(&other),
    }
}
