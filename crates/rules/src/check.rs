//! One test of one value: what a rule's item comes down to. Exact; candidates are found elsewhere.

use std::net::IpAddr;

use event::{EventBatch, Network, ValueTag};

use crate::date;

pub use crate::date::TimePart;
use crate::fold::fold;
use crate::indicators::IndicatorCheck;
use crate::text_pattern::{Anchor, TextPattern};
use patterns::{Expression, PackCheck};

/// Largest compiled regular expression, in bytes.
pub(crate) const REGEX_BYTES_MAX: usize = 4 << 20;

/// A value of an event, as its column holds it.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Text, with what JSON said it was. An array is its JSON text.
    Text(&'a str, ValueTag),
    /// A whole number, or microseconds since 1970 in UTC.
    Long(i64),
}

impl<'a> Value<'a> {
    /// The value of a row in the column at a position of the batch. `None` where the row has none; an explicit null is
    /// none.
    #[inline]
    pub fn at(batch: &'a EventBatch, position: usize, row: usize) -> Option<Self> {
        if let Some(column) = batch.text_at(position) {
            return column.str(row).map(|text| Value::Text(text, column.tag(row)));
        }
        let column = batch.long_at(position).or_else(|| batch.date_at(position))?;
        column.get(row).map(Value::Long)
    }
}

/// How a number is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
}

/// One test of one value (Sigma specification 2.1, field modifiers; the last two are ours). Names of variants are part
/// of what rules are hashed from: see [`RuleSet::digests`](crate::RuleSet::digests).
#[derive(Clone, Debug)]
pub enum Check {
    /// The text fits a pattern with wildcards.
    Text(TextPattern),
    /// A regular expression matches (`re`).
    Regex(RegexCheck),
    /// The address lies in the network (`cidr`).
    Cidr(Network),
    /// The value is this number, or a text that writes it.
    Number(Number),
    /// The number, or the text that is one, is in this order to the bound.
    Compare(Order, f64),
    /// The text is `true` or `false`, in any case.
    Boolean(bool),
    /// Whether the field is there (`exists`); an explicit null is.
    Exists(bool),
    /// The field is absent, or null.
    Null,
    /// A part of the date is equal to the number, or in this order to it.
    Time(TimePart, Option<Order>, i64),
    /// The value has another field's value where the anchor says (`fieldref`).
    FieldRef(FieldRef),
    /// The patterns of a pack that are found in the value reach its threshold in points.
    Pack(PackCheck),
    /// The value stands on a list of indicators (`indicator`).
    Indicator(IndicatorCheck),
}

/// The other field of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    pub(crate) field: String,
    /// Columns that may hold it.
    pub columns: Vec<String>,
    pub(crate) anchor: Anchor,
    pub(crate) cased: bool,
}

impl FieldRef {
    /// Whether the value has the other one where it should.
    pub fn holds(&self, value: &str, other: &str) -> bool {
        let folded = |text: &str| if self.cased { text.to_owned() } else { fold(text) };
        let (value, other) = (folded(value), folded(other));
        match self.anchor {
            Anchor::Whole => {
                value == other || text_number(&value).is_some_and(|number| text_number(&other) == Some(number))
            }
            Anchor::Contains => value.contains(&other),
            Anchor::StartsWith => value.starts_with(&other),
            Anchor::EndsWith => value.ends_with(&other),
        }
    }
}

/// A number as a rule writes it. Whole ones are kept whole: floats cannot tell the largest apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other.
    Float(f64),
}

/// An expression, and what nominates values for it.
#[derive(Clone, Debug)]
pub struct RegexCheck {
    /// The expression with its flags.
    pub regex: Expression,
    /// Folded texts of which every match contains one; empty where none could be found.
    pub required: Vec<String>,
}

/// Bits in front of an IPv4 address that is mapped into IPv6.
const MAPPED_BITS: u8 = 96;

/// Reads `address[/prefix]`. Host bits must be zero.
pub(crate) fn network(text: &str) -> Result<Network, String> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().map_err(|_| format!("`{text}` is not an IP network such as 10.0.0.0/8"))?;
    let whole = Network::of(address);
    let network = prefix.map_or(Some(whole), |prefix| Network::new(address, prefix.parse().ok()?));
    let wrong = || format!("the prefix length of `{text}` is not between 0 and {}", whole.bits());
    // IPv4 addresses mapped into IPv6 are compared as what they are.
    let network = match (network, address.to_canonical()) {
        (Some(mapped), short) if short != address && mapped.bits() >= MAPPED_BITS => {
            Network::new(short, mapped.bits() - MAPPED_BITS)
        }
        (network, _) => network,
    };
    let network = network.ok_or_else(wrong)?;
    if network.start() != address.to_canonical() && network.start() != address {
        let (start, bits) = (network.start(), network.bits());
        return Err(format!("`{text}` has host bits set: the network is {start}/{bits}"));
    }
    Ok(network)
}

impl Check {
    /// Whether a value that is there passes. Presence itself is decided by the caller.
    #[inline]
    pub fn passes(&self, value: Value<'_>) -> bool {
        match value {
            Value::Long(number) => self.passes_long(number),
            Value::Text(text, ValueTag::Array) => self.passes_array(text),
            Value::Text(text, tag) => self.passes_text(text, tag),
        }
    }

    fn passes_long(&self, number: i64) -> bool {
        match self {
            Check::Number(Number::Integer(wanted)) => number == *wanted,
            Check::Number(Number::Float(wanted)) => number as f64 == *wanted,
            Check::Compare(order, bound) => compare(*order, number as f64, *bound),
            Check::Text(_) | Check::Regex(_) => self.passes_text(&number.to_string(), ValueTag::Number),
            Check::Exists(wanted) => *wanted,
            Check::Time(part, order, wanted) => {
                date::part_of_time(*part, number).is_some_and(|found| ordered(*order, found, *wanted))
            }
            // Another field decides.
            Check::Cidr(_) | Check::Boolean(_) | Check::Null | Check::FieldRef(_) | Check::Pack(_) => false,
            Check::Indicator(_) => false,
        }
    }

    fn passes_text(&self, text: &str, tag: ValueTag) -> bool {
        match self {
            Check::Text(pattern) => pattern.matches(text, &fold(text)),
            _ => self.passes_folded(text, "", tag),
        }
    }

    /// Whether a text that is no list passes. `folded` is its folded form ([`fold`]), which many checks share.
    #[inline]
    pub fn passes_folded(&self, text: &str, folded: &str, tag: ValueTag) -> bool {
        match self {
            Check::Text(pattern) => pattern.matches(text, folded),
            Check::Regex(check) => check.regex.is_match(text),
            Check::Cidr(network) => text.parse().is_ok_and(|address: IpAddr| network.holds(address.to_canonical())),
            Check::Number(Number::Integer(wanted)) => match text.parse::<i64>() {
                Ok(number) => number == *wanted,
                Err(_) => text_number(text).is_some_and(|number| number == *wanted as f64),
            },
            Check::Number(Number::Float(wanted)) => text_number(text).is_some_and(|number| number == *wanted),
            Check::Compare(order, bound) => text_number(text).is_some_and(|number| compare(*order, number, *bound)),
            Check::Boolean(wanted) => text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" }),
            Check::Exists(wanted) => *wanted,
            Check::Null => tag == ValueTag::Null,
            Check::Time(part, order, wanted) => {
                date::part_of_text(*part, text).is_some_and(|found| ordered(*order, found, *wanted))
            }
            Check::FieldRef(_) => false,
            Check::Pack(check) => check.passes(text),
            Check::Indicator(check) => check.passes(text),
        }
    }

    /// A list passes if any element does.
    fn passes_array(&self, raw: &str) -> bool {
        match serde_json::from_str::<Vec<serde_json::Value>>(raw) {
            Ok(elements) => elements.iter().any(|element| self.passes_json(element)),
            Err(_) => self.passes_text(raw, ValueTag::Array),
        }
    }

    fn passes_json(&self, element: &serde_json::Value) -> bool {
        match element {
            serde_json::Value::String(text) => self.passes_text(text, ValueTag::String),
            serde_json::Value::Array(elements) => elements.iter().any(|element| self.passes_json(element)),
            serde_json::Value::Null => false,
            other => self.passes_text(&other.to_string(), ValueTag::Number),
        }
    }
}

/// The number that the whole text writes in digits. `None` for words such as `inf`, and for what is beyond a float.
pub fn text_number(text: &str) -> Option<f64> {
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    text.parse().ok().filter(|number: &f64| starts && number.is_finite())
}

fn ordered(order: Option<Order>, found: i64, wanted: i64) -> bool {
    order.map_or(found == wanted, |order| compare(order, found as f64, wanted as f64))
}

fn compare(order: Order, number: f64, bound: f64) -> bool {
    match order {
        Order::Less => number < bound,
        Order::LessOrEqual => number <= bound,
        Order::Greater => number > bound,
        Order::GreaterOrEqual => number >= bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value<'_> {
        Value::Text(value, ValueTag::String)
    }

    #[test]
    fn networks_contain_their_addresses_and_refuse_host_bits() {
        let holds = |of: &str, address: &str| Check::Cidr(network(of).unwrap()).passes(text(address));
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"), "mapped IPv4 counts as IPv4");
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(holds("0.0.0.0/0", "1.2.3.4"));
        assert!(holds("::ffff:10.0.0.0/104", "10.1.2.3") && holds("::ffff:10.0.0.0/104", "::ffff:10.1.2.3"));
        assert!(!holds("::ffff:10.0.0.0/104", "11.1.2.3") && holds("::ffff:192.0.2.7", "192.0.2.7"));
        assert!(network("::ffff:10.0.0.1/104").is_err());
        assert_eq!(network("10.0.0.1/8").unwrap_err(), "`10.0.0.1/8` has host bits set: the network is 10.0.0.0/8");
        for bad in ["10.0.0.0/33", "ten", "10.0.0/8", "10.0.0.0/x"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_their_text_are_equal() {
        let check = Check::Number(Number::Integer(404));
        assert!(check.passes(Value::Long(404)) && check.passes(text("404")) && check.passes(text("404.0")));
        assert!(!check.passes(text("404 ")) && !check.passes(text("x404")) && !check.passes(Value::Long(405)));
        assert!(Check::Compare(Order::GreaterOrEqual, 500.0).passes(text("503")));
        assert!(!Check::Compare(Order::GreaterOrEqual, 500.0).passes(text("many")));
    }

    #[test]
    fn a_list_passes_if_one_element_does() {
        let check = Check::Number(Number::Integer(7));
        assert!(check.passes(Value::Text("[1, [\"x\", 7], null]", ValueTag::Array)));
        assert!(!check.passes(Value::Text("[17]", ValueTag::Array)));
    }

    #[test]
    fn booleans_and_their_words_are_equal() {
        assert!(Check::Boolean(true).passes(text("True")));
        assert!(!Check::Boolean(true).passes(text("1")));
    }
}
