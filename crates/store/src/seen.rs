//! What findings have named so far: source addresses by their number, so that a network is found through an index, and
//! titles of rules. Written in the transaction that writes the findings.

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use event::{Finding, Network};
use serde_json::{Value, json};

use crate::error::StoreError;
use crate::postgres::partitions::LAYOUT_LOCK;
use crate::sql::{Pool, Text, Transaction, both, sql};
use crate::sql_store::SqlStore;

/// Rules of one title that are looked for.
const TITLED_MAX: i64 = 100;

/// What findings have named so far.
#[async_trait]
pub trait Seen: Send + Sync + std::fmt::Debug {
    /// Source addresses within the network that findings name, as they are written there; at most `limit`.
    async fn addresses(&self, network: Network, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Ids of rules of this title, in upper or lower case, that found something or are named in a finding; 100 of them at most.
    async fn rules_titled(&self, title: &str) -> Result<Vec<String>, StoreError>;
}

/// Sorts as numbers do; IPv4 and IPv6 apart, and one that is mapped into IPv6 with its like.
fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    }
}

/// The keys of the first and the last address of a network.
fn key_range(network: Network) -> (String, String) {
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

/// Titles are compared without regard to case.
fn title_key(title: &str) -> String {
    title.replace('\0', "").to_lowercase()
}

const PUT_ADDRESSES: Text =
    both!("INSERT INTO addresses (key, value) " rows(key TEXT, value TEXT) " ON CONFLICT DO NOTHING");
const PUT_TITLES: Text =
    both!("INSERT INTO rule_titles (title, rule_id) " rows(title TEXT, rule_id TEXT) " ON CONFLICT DO NOTHING");
/// The row that says that older findings have been taken in.
const FILLED: &str = "SELECT 1 FROM addresses WHERE key = ''";
const OLD_ADDRESSES: Text = Text {
    sqlite: "SELECT DISTINCT value FROM finding_entities WHERE kind = 'source.ip'",
    postgres: "SELECT DISTINCT substr(entity, 11) FROM findings, unnest(entities) AS entity
        WHERE entity LIKE 'source.ip=%'",
};

/// Addresses as findings write them, and titles with the ids of their rules.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    addresses: BTreeSet<&'a str>,
    titles: BTreeSet<(&'a str, &'a str)>,
}

/// What the findings name.
pub(crate) fn names_of(findings: &[Finding]) -> Names<'_> {
    let addresses = findings.iter().flat_map(|finding| finding.entities.source_ip.iter().map(String::as_str));
    let titles = findings.iter().flat_map(Finding::rules).map(|(id, title)| (title, id));
    Names { addresses: addresses.collect(), titles: titles.collect() }
}

/// Writes the names, within the transaction that writes their findings. In order, so that two writers never wait for
/// each other. What is no address is left out.
pub(crate) async fn write_names(transaction: &mut Transaction, names: &Names<'_>) -> Result<(), StoreError> {
    let keyed = |value: &&'_ str| Some((address_key(value.parse().ok()?), (*value).to_owned()));
    let addresses: BTreeSet<(String, String)> = names.addresses.iter().filter_map(keyed).collect();
    let address = |(key, value): &(String, String)| json!({"key": key, "value": value});
    let title = |(title, id): &(&str, &str)| json!({"title": title_key(title), "rule_id": id.replace('\0', "")});
    let (addresses, titles): (Vec<Value>, Vec<Value>) =
        (addresses.iter().map(address).collect(), names.titles.iter().map(title).collect());
    for (statement, rows) in [(PUT_ADDRESSES, addresses), (PUT_TITLES, titles)] {
        if !rows.is_empty() {
            transaction.write(sql(statement).bind(Value::Array(rows).to_string())).await?;
        }
    }
    Ok(())
}

/// Takes in what findings named before there were these tables. Once in the life of a store.
pub(crate) async fn fill_seen(pool: &Pool) -> Result<(), StoreError> {
    if pool.row(sql(FILLED)).await?.is_some() {
        return Ok(());
    }
    let mut transaction = pool.begin().await?;
    if let Pool::Postgres(_) = pool {
        // All findings are read, and one process does it.
        transaction.write(sql("SET LOCAL statement_timeout = 0")).await?;
        transaction.write(sql("SELECT pg_advisory_xact_lock($1)").bind(LAYOUT_LOCK)).await?;
    }
    if transaction.row(sql(FILLED)).await?.is_some() {
        return Ok(());
    }
    let rows = transaction.rows(sql(OLD_ADDRESSES)).await?;
    let addresses = rows.iter().map(|row| row.get::<&str>(0)).collect();
    let rows = transaction.rows(sql("SELECT DISTINCT rule_title, rule_id FROM findings")).await?;
    let titles = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    write_names(&mut transaction, &Names { addresses, titles }).await?;
    transaction.write(sql("INSERT INTO addresses (key, value) VALUES ('', '')")).await?;
    transaction.commit().await
}

#[async_trait]
impl Seen for SqlStore {
    async fn addresses(&self, network: Network, limit: u32) -> Result<Vec<String>, StoreError> {
        let (first, last) = key_range(network);
        let addresses = sql("SELECT value FROM addresses WHERE key >= $1 AND key <= $2 ORDER BY key, value LIMIT $3");
        let rows = self.pool.rows(addresses.bind(first).bind(last).bind(i64::from(limit))).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn rules_titled(&self, title: &str) -> Result<Vec<String>, StoreError> {
        let rules = sql("SELECT rule_id FROM rule_titles WHERE title = $1 ORDER BY rule_id LIMIT $2");
        let rows = self.pool.rows(rules.bind(title_key(title)).bind(TITLED_MAX)).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
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
