//! What findings have named so far: source addresses by their number, so that a network is found through an index, and
//! titles of rules. Written in the transaction that writes the findings.

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use event::{Finding, Network};
use serde_json::{Value, json};

use crate::StoreError;

/// Rules of one title that are looked for.
pub(crate) const TITLED_MAX: i64 = 100;

#[async_trait]
pub trait Seen: Send + Sync + std::fmt::Debug {
    /// Source addresses within the network that findings name, as they are written there; at most `limit`.
    async fn addresses(&self, network: Network, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Ids of rules of this title, in upper or lower case, that found something.
    async fn rules_titled(&self, title: &str) -> Result<Vec<String>, StoreError>;
}

/// Sorts as numbers do; IPv4 and IPv6 apart, and one that is mapped into IPv6 with its like.
pub(crate) fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    }
}

/// The keys of the first and the last address of a network.
pub(crate) fn key_range(network: Network) -> (String, String) {
    /// Bits in front of an IPv4 address that is mapped into IPv6.
    const MAPPED_BITS: u8 = 96;
    let (start, bits) = (network.start(), network.bits());
    match (start, start.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(inner)) if bits >= MAPPED_BITS => range_v4(inner.to_bits(), bits - MAPPED_BITS),
        (IpAddr::V6(start), _) => {
            let rest = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
            (format!("6{:032x}", start.to_bits()), format!("6{:032x}", start.to_bits() | rest))
        }
        (IpAddr::V4(start), _) => range_v4(start.to_bits(), bits),
    }
}

fn range_v4(start: u32, bits: u8) -> (String, String) {
    let rest = u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
    (format!("4{start:08x}"), format!("4{:08x}", start | rest))
}

/// Rows as JSON for one statement each; `None` where there is nothing.
#[derive(Debug, Default)]
pub(crate) struct SeenRows {
    pub(crate) addresses: Option<String>,
    pub(crate) titles: Option<String>,
}

impl SeenRows {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let values = findings.iter().flat_map(|finding| finding.entities.source_ip.iter().map(String::as_str));
        let titles = findings.iter().map(|finding| (finding.rule_title.as_str(), finding.rule_id.as_str()));
        Self::from_parts(values, titles)
    }

    /// In order, so that two writers never wait for each other.
    pub(crate) fn from_parts<'a>(
        values: impl Iterator<Item = &'a str>,
        titles: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let keyed = |value: &'a str| Some((address_key(value.parse().ok()?), value));
        let addresses: BTreeSet<(String, &str)> = values.filter_map(keyed).collect();
        let address = |(key, value): &(String, &str)| json!({"key": key, "value": value});
        let titles: BTreeSet<(&str, &str)> = titles.collect();
        let title = |(title, id): &(&str, &str)| json!({"title": title_key(title), "rule_id": id.replace('\0', "")});
        let rows = |rows: Vec<Value>| (!rows.is_empty()).then(|| Value::Array(rows).to_string());
        SeenRows {
            addresses: rows(addresses.iter().map(address).collect()),
            titles: rows(titles.iter().map(title).collect()),
        }
    }
}

/// Titles are compared without regard to case.
pub(crate) fn title_key(title: &str) -> String {
    title.replace('\0', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_ranges_of_keys() {
        let inside = |address: &str, network: &str| {
            let (first, last) = key_range(network.parse().unwrap());
            let key = address_key(address.parse().unwrap());
            first <= key && key <= last
        };
        for network in ["10.1.0.0/16", "10.1.2.3/32", "10.1.2.3", "0.0.0.0/0", "::ffff:10.1.2.3", "::ffff:10.0.0.0/104"]
        {
            assert!(inside("10.1.2.3", network) && inside("::ffff:10.1.2.3", network), "{network}");
            assert!(!inside("2001:db8::1", network), "{network}");
        }
        for network in ["10.2.0.0/16", "10.1.2.4/31", "::/0", "2001:db8::/32"] {
            assert!(!inside("10.1.2.3", network), "{network}");
        }
        for network in ["2001:db8::/32", "::/0", "2001:DB8::1", "2001:db8::/127"] {
            assert!(inside("2001:db8:0:0::1", network), "{network}");
        }
        assert!(!inside("2001:db9::1", "2001:db8::/32"));
    }
}
