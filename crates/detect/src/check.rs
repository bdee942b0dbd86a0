//! One test of one value: what a rule's item comes down to. Exact; candidates are found elsewhere.

use std::net::IpAddr;

use event::ValueTag;
use regex::Regex;

use crate::date;
pub(crate) use crate::date::TimePart;
use crate::fold::fold;
use crate::indicators::IndicatorCheck;
use crate::pattern::{Anchor, Pattern};
use crate::patterns::PackCheck;

/// Largest compiled regular expression, in bytes.
pub(crate) const REGEX_BYTES_MAX: usize = 4 << 20;

/// A value of an event, as its column holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Text(&'a str, ValueTag),
    Long(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(crate) enum Check {
    Text(Pattern),
    Regex(RegexCheck),
    Cidr(Network),
    /// Numeric equality; a text whose whole is that number is equal, too.
    Number(Number),
    Compare(Order, f64),
    Boolean(bool),
    /// Presence; an explicit null is present.
    Exists(bool),
    /// Absent or null.
    Null,
    /// A part of a date, equal to the number or in this order to it.
    Time(TimePart, Option<Order>, i64),
    /// Compared with another field of the same event: the value stands there as the anchor says.
    FieldRef(FieldRef),
    /// The value has patterns of a pack that are worth its threshold.
    Pack(PackCheck),
    /// The value is on a list of indicators.
    Indicator(IndicatorCheck),
}

/// The other field of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldRef {
    pub(crate) field: String,
    /// Columns that may hold it.
    pub(crate) columns: Vec<String>,
    pub(crate) anchor: Anchor,
    pub(crate) cased: bool,
}

impl FieldRef {
    /// Whether the value has the other one where it should.
    pub(crate) fn holds(&self, value: &str, other: &str) -> bool {
        let folded = |text: &str| if self.cased { text.to_owned() } else { fold(text) };
        let (value, other) = (folded(value), folded(other));
        match self.anchor {
            Anchor::Whole => value == other,
            Anchor::Contains => value.contains(&other),
            Anchor::StartsWith => value.starts_with(&other),
            Anchor::EndsWith => value.ends_with(&other),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Clone, Debug)]
pub(crate) struct RegexCheck {
    pub(crate) regex: Regex,
    /// Folded texts of which every match contains one; empty where none could be found.
    pub(crate) required: Vec<String>,
}

/// An IPv4 or IPv6 network; IPv4 addresses mapped into IPv6 count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network {
    address: u128,
    mask: u128,
    is_ipv4: bool,
}

impl Network {
    /// `address[/prefix]`. Host bits must be zero.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is not an IP network such as 10.0.0.0/8"))?;
        let (bits, width, is_ipv4) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32, true),
            IpAddr::V6(address) => (u128::from(address), 128, false),
        };
        let prefix: u32 = prefix
            .map_or(Ok(width), str::parse)
            .ok()
            .filter(|prefix| *prefix <= width)
            .ok_or_else(|| format!("the prefix length of `{text}` is not between 0 and {width}"))?;
        let all = if width == 128 { u128::MAX } else { (1 << width) - 1 };
        let mask = if prefix == 0 { 0 } else { (all << (width - prefix)) & all };
        if bits & !mask != 0 {
            return Err(format!(
                "`{text}` has host bits set: the network is {}",
                network_text(bits & mask, prefix, is_ipv4)
            ));
        }
        Ok(Network { address: bits, mask, is_ipv4 })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.is_ipv4 && u128::from(u32::from(address)) & self.mask == self.address,
            IpAddr::V6(address) => !self.is_ipv4 && u128::from(address) & self.mask == self.address,
        }
    }
}

fn network_text(bits: u128, prefix: u32, is_ipv4: bool) -> String {
    if is_ipv4 {
        format!("{}/{prefix}", std::net::Ipv4Addr::from(bits as u32))
    } else {
        format!("{}/{prefix}", std::net::Ipv6Addr::from(bits))
    }
}

impl Check {
    /// Whether a value that is there passes. Presence itself is decided by the caller.
    pub(crate) fn passes(&self, value: Value<'_>) -> bool {
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
            // Another field decides: see `item_matches`.
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

    /// The same for a text that is no list, with its folded form, which many checks share.
    pub(crate) fn passes_folded(&self, text: &str, folded: &str, tag: ValueTag) -> bool {
        match self {
            Check::Text(pattern) => pattern.matches(text, folded),
            Check::Regex(check) => check.regex.is_match(text),
            Check::Cidr(network) => text.parse().is_ok_and(|address| network.contains(address)),
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

pub(crate) fn text_number(text: &str) -> Option<f64> {
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
        let network = Network::read("10.0.0.0/8").unwrap();
        assert!(network.contains("10.255.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()), "mapped IPv4 counts as IPv4");
        assert!(!network.contains("11.0.0.0".parse().unwrap()));
        assert!(Network::read("2001:db8::/32").unwrap().contains("2001:db8:1::1".parse().unwrap()));
        assert!(Network::read("192.0.2.7").unwrap().contains("192.0.2.7".parse().unwrap()));
        assert!(Network::read("0.0.0.0/0").unwrap().contains("1.2.3.4".parse().unwrap()));
        assert_eq!(
            Network::read("10.0.0.1/8").unwrap_err(),
            "`10.0.0.1/8` has host bits set: the network is 10.0.0.0/8"
        );
        for bad in ["10.0.0.0/33", "ten", "10.0.0/8", "10.0.0.0/x"] {
            assert!(Network::read(bad).is_err(), "{bad}");
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
