//! Lists of what is known to be bad: addresses, networks, domains, URLs and hashes, millions of each. A value is looked
//! up by what it looks like; rules ask with the modifier `indicator`.
//!
//! ```text
//! list files ─line by line─▶ IndicatorsBuilder ─sort─▶ Indicators (shared): value ─▶ lists that have it
//! ```
//! Sixteen bytes for each entry, eight for IPv4: a text is kept as the first 104 bits of its SHA-256.
//! **Absent on purpose:** no I/O and no clock; whoever reads the files says what time it is.

mod entry;
mod sorted;
mod stix;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use event::block::digest;
use event::{Network, Timestamp};

use crate::fold::fold;
use crate::indicators::entry::{Entry, address, domain, entry, is_hash, url, without_port};
use crate::indicators::sorted::Sorted;
use crate::text_pattern::TextPattern;

/// Longest line of a list, in bytes.
const LINE_BYTES_MAX: usize = 4096;
/// Entries of all lists together.
pub const INDICATORS_MAX: usize = 50_000_000;
/// Lists, and indicators of STIX bundles that have a name of their own.
const LISTS_MAX: usize = 1 << 24;

/// Where an entry comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// What rules call it: the name of the file without its ending.
    pub(crate) name: String,
    /// What a STIX indicator is called.
    pub(crate) label: Option<String>,
}

/// Every entry of every list.
#[derive(Debug, Default)]
pub struct Indicators {
    lists: Vec<List>,
    /// IPv4 networks by the length of their prefix: address and list.
    ipv4: BTreeMap<u8, Sorted<u64>>,
    /// Lengths of the prefixes of IPv6 networks; the networks themselves are in `texts`.
    ipv6_lengths: Vec<u8>,
    /// Hash and list.
    texts: Sorted<u128>,
}

const LIST_BITS: u32 = 24;

fn text_key(kind: &str, text: &[u8]) -> u128 {
    digest(&[kind.as_bytes(), text]) >> LIST_BITS << LIST_BITS
}

/// The key of an IPv6 network.
fn network_key(network: Network) -> u128 {
    text_key("net", format!("{}/{}", network.start(), network.bits()).as_bytes())
}

/// Lists on their way.
#[derive(Debug, Default)]
pub struct IndicatorsBuilder {
    lists: Vec<List>,
    ipv4: BTreeMap<u8, Vec<u64>>,
    ipv6_lengths: Vec<u8>,
    texts: Vec<u128>,
    count: usize,
}

/// What a STIX bundle gave.
#[derive(Debug, Default)]
pub struct Bundle {
    /// Indicators that cannot be used: name and reason.
    pub rejected: Vec<(String, String)>,
    /// Indicators that have ended, or were revoked.
    pub ended: u64,
}

impl IndicatorsBuilder {
    /// A list that entries are added to.
    pub fn list(&mut self, name: &str) -> u32 {
        self.lists.push(List { name: name.to_owned(), label: None });
        self.lists.len() as u32 - 1
    }

    /// Adds a line of a plain list; comments (`#`, `;`) and what stands behind the first value are passed over. The
    /// reason where it cannot be used.
    pub fn line(&mut self, list: u32, line: &str) -> Result<(), String> {
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
        }
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
            return Ok(());
        }
        let value = line.split([',', ' ', '\t', ';', '"']).find(|value| !value.is_empty()).unwrap_or("");
        // Hosts files name the address that the domain is to lead to.
        let second = line.split_ascii_whitespace().nth(1).filter(|_| matches!(value, "0.0.0.0" | "127.0.0.1" | "::1"));
        self.add(list, entry(second.unwrap_or(value))?)
    }

    /// Adds a STIX 2.1 bundle, without the indicators that have ended before `now`.
    pub fn bundle(&mut self, list: u32, text: &str, now: Timestamp) -> Result<Bundle, String> {
        let mut bundle = Bundle::default();
        let name = self.lists.get(list as usize).map_or(String::new(), |list| list.name.clone());
        for indicator in stix::indicators(text)? {
            if indicator.until.is_some_and(|until| until <= now) || indicator.revoked {
                bundle.ended += 1;
                continue;
            }
            let values = indicator.values.and_then(|values| values.iter().map(|value| entry(value)).collect());
            let values: Vec<Entry> = match values {
                Ok(values) => values,
                Err(reason) => {
                    bundle.rejected.push((indicator.name, reason));
                    continue;
                }
            };
            if self.lists.len() >= LISTS_MAX {
                return Err(format!("more than {LISTS_MAX} lists and named indicators"));
            }
            self.lists.push(List { name: name.clone(), label: Some(indicator.name) });
            let list = self.lists.len() as u32 - 1;
            for value in values {
                self.add(list, value)?;
            }
        }
        Ok(bundle)
    }

    fn add(&mut self, list: u32, entry: Entry) -> Result<(), String> {
        if self.count >= INDICATORS_MAX {
            return Err(format!("more than {INDICATORS_MAX} entries in all lists"));
        }
        self.count += 1;
        let key = match entry {
            Entry::Network(network) => match network.start() {
                IpAddr::V4(start) => {
                    let packed = u64::from(start.to_bits()) << 32 | u64::from(list);
                    self.ipv4.entry(network.bits()).or_default().push(packed);
                    return Ok(());
                }
                IpAddr::V6(_) => {
                    if !self.ipv6_lengths.contains(&network.bits()) {
                        self.ipv6_lengths.push(network.bits());
                    }
                    network_key(network)
                }
            },
            Entry::Domain(name) => text_key("domain", name.as_bytes()),
            Entry::Url(whole) => text_key("url", whole.as_bytes()),
            Entry::Hash(hash) => text_key("hash", hash.as_bytes()),
        };
        self.texts.push(key | u128::from(list));
        Ok(())
    }

    /// Sorts all entries, so that they can be looked up.
    pub fn finish(self) -> Indicators {
        let ipv4 = self.ipv4.into_iter().map(|(length, packed)| (length, Sorted::new(packed))).collect();
        let mut lists = self.lists;
        lists.shrink_to_fit();
        Indicators { lists, ipv4, ipv6_lengths: self.ipv6_lengths, texts: Sorted::new(self.texts) }
    }
}

impl Indicators {
    /// There are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries; what stands in one list twice counts once.
    pub fn len(&self) -> usize {
        self.ipv4.values().map(Sorted::len).sum::<usize>() + self.texts.len()
    }

    /// Names of the lists, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.lists.iter().map(|list| list.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A list with one of each kind, all of them from ranges and names reserved for examples: for the tests of rules.
    pub fn examples() -> Self {
        let mut builder = IndicatorsBuilder::default();
        let list = builder.list("examples");
        for value in [
            "203.0.113.66",
            "198.51.100.128/25",
            "2001:db8:bad::/48",
            "indicator.example",
            "http://files.example.net/bad.bin",
            "44d88612fea8a8f36de82e1278abb02f",
            "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        ] {
            let added = builder.line(list, value);
            debug_assert!(added.is_ok(), "{added:?}");
        }
        builder.finish()
    }

    /// Every list that has the value: as address or network, URL, domain or one of those above it, or hash.
    pub(crate) fn find(&self, value: &str, visit: &mut impl FnMut(&List)) {
        let value = value.trim();
        if value.is_empty() || value.len() > LINE_BYTES_MAX || self.lists.is_empty() {
            return;
        }
        if let Some(address) = address(value) {
            return self.find_address(address, visit);
        }
        if is_hash(value) {
            return self.find_text("hash", value.to_ascii_lowercase().as_bytes(), visit);
        }
        let host = match url(value) {
            Some((whole, host)) => {
                self.find_text("url", whole.as_bytes(), visit);
                host
            }
            None => without_port(value).to_owned(),
        };
        match address(&host) {
            Some(address) => self.find_address(address, visit),
            None => {
                let Some(name) = domain(&host) else { return };
                let mut rest = name.as_str();
                while rest.contains('.') {
                    self.find_text("domain", rest.as_bytes(), visit);
                    rest = rest.split_once('.').map_or("", |(_, above)| above);
                }
            }
        }
    }

    fn find_address(&self, address: IpAddr, visit: &mut impl FnMut(&List)) {
        if address.is_ipv6() {
            let networks = self.ipv6_lengths.iter().filter_map(|bits| Network::new(address, *bits));
            return networks.for_each(|network| self.find_key(network_key(network), visit));
        }
        for (bits, sorted) in &self.ipv4 {
            let start = Network::new(address, *bits).map(Network::start);
            let Some(IpAddr::V4(start)) = start else { continue };
            let least = u64::from(start.to_bits()) << 32;
            for packed in sorted.between(least, least | u64::from(u32::MAX)) {
                self.lists.get(*packed as u32 as usize).into_iter().for_each(&mut *visit);
            }
        }
    }

    fn find_text(&self, kind: &str, text: &[u8], visit: &mut impl FnMut(&List)) {
        self.find_key(text_key(kind, text), visit);
    }

    fn find_key(&self, key: u128, visit: &mut impl FnMut(&List)) {
        for packed in self.texts.between(key, key | ((1 << LIST_BITS) - 1)) {
            let list = (packed & ((1 << LIST_BITS) - 1)) as usize;
            self.lists.get(list).into_iter().for_each(&mut *visit);
        }
    }
}

impl Indicators {
    /// Whether the list of this name has the value.
    pub fn has(&self, list: &str, value: &str) -> bool {
        let mut found = false;
        self.find(value, &mut |known| found |= known.name == list);
        found
    }
}

/// Whether a value stands in one of some lists.
#[derive(Clone)]
pub struct IndicatorCheck {
    /// The name of the list, which may hold wildcards.
    pub(crate) wanted: TextPattern,
    pub(crate) written: String,
    /// All lists.
    pub indicators: Arc<Indicators>,
}

impl fmt::Debug for IndicatorCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "in list {:?}", self.written)
    }
}

impl IndicatorCheck {
    /// Whether one of the wanted lists has the value.
    pub fn passes(&self, value: &str) -> bool {
        let mut found = false;
        self.indicators.find(value, &mut |list| found |= self.wanted.matches(&list.name, &fold(&list.name)));
        found
    }

    /// The lists that have the value, for people.
    pub fn lists(&self, value: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.indicators.find(value, &mut |list| {
            if self.wanted.matches(&list.name, &fold(&list.name)) {
                let label = list.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
                found.push(format!("{}{label}", list.name));
            }
        });
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indicators(lines: &[&str]) -> Indicators {
        let mut builder = IndicatorsBuilder::default();
        let list = builder.list("test");
        lines.iter().for_each(|line| builder.line(list, line).unwrap());
        builder.finish()
    }

    fn has(indicators: &Indicators, value: &str) -> bool {
        let mut found = false;
        indicators.find(value, &mut |_| found = true);
        found
    }

    #[test]
    fn a_value_is_looked_up_by_what_it_looks_like() {
        let known = indicators(&[
            "# a comment",
            "",
            "192.0.2.7, seen twice",
            "198.51.100.0/24\tnetwork",
            "2001:db8:bad::/48",
            "0.0.0.0 tracker.example.net # hosts",
            "evil[.]example",
            "hxxp://Files.Example.org:80/Drop.exe#x",
            "D41D8CD98F00B204E9800998ECF8427E",
        ]);
        assert_eq!(known.len(), 7);
        for value in [
            "192.0.2.7",
            "::ffff:192.0.2.7",
            "198.51.100.255",
            "2001:db8:bad:1::9",
            "a.b.evil.example",
            "EVIL.example.",
            "evil.example:8443",
            "https://www.evil.example/x?y",
            "tracker.example.net",
            "http://files.example.org/Drop.exe",
            "d41d8cd98f00b204e9800998ecf8427e",
        ] {
            assert!(has(&known, value), "{value}");
        }
        for value in [
            "192.0.2.8",
            "198.51.101.1",
            "2001:db8:bae::1",
            "notevil.example",
            "example",
            "http://files.example.org/drop.exe",
            "files.example.org",
            "d41d8cd98f00b204e9800998ecf8427f",
            "",
            "-",
        ] {
            assert!(!has(&known, value), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_an_indicator_is_refused_with_its_reason() {
        let mut builder = IndicatorsBuilder::default();
        let list = builder.list("test");
        for (line, reason) in [
            ("10.0.0.0/4", "between 8 and 32"),
            ("10.0.0.0/33", "between 8 and 32"),
            ("com", "is no address"),
            ("1.2.3", "is no address"),
            ("zz88612fea8a8f36de82e1278abb02f0", "is no address"),
        ] {
            let error = builder.line(list, line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
        assert!(builder.line(list, &"x".repeat(5000)).unwrap_err().contains("longer than"));
    }

    #[test]
    fn bundles_give_values_with_names_until_they_end() {
        let text = r#"{"type":"bundle","id":"bundle--1","objects":[
            {"type":"identity","name":"x"},
            {"type":"indicator","name":"C2 of a botnet","pattern_type":"stix","valid_until":"2027-01-01T00:00:00Z",
             "pattern":"[ipv4-addr:value = '192.0.2.9' OR domain-name:value = 'c2.example']"},
            {"type":"indicator","name":"old","pattern_type":"stix","valid_until":"2020-01-01T00:00:00Z",
             "pattern":"[ipv4-addr:value = '192.0.2.10']"},
            {"type":"indicator","name":"file","pattern_type":"stix",
             "pattern":"[file:hashes.'SHA-256' = '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f']"},
            {"type":"indicator","name":"both","pattern_type":"stix",
             "pattern":"[ipv4-addr:value = '192.0.2.11' AND domain-name:value = 'a.example']"}]}"#;
        let mut builder = IndicatorsBuilder::default();
        let list = builder.list("feed");
        let bundle = builder.bundle(list, text, Timestamp::parse_rfc3339(b"2026-11-25T00:00:00Z").unwrap()).unwrap();
        assert_eq!(bundle.ended, 1);
        assert_eq!(bundle.rejected.len(), 1, "{bundle:?}");
        assert!(bundle.rejected[0].1.contains("OR"), "{bundle:?}");
        let known = Arc::new(builder.finish());
        assert!(has(&known, "c2.example") && !has(&known, "192.0.2.10") && !has(&known, "192.0.2.11"));
        let check = |wanted: &str| IndicatorCheck {
            wanted: TextPattern::new(
                crate::text_pattern::read_pieces(wanted),
                crate::text_pattern::Anchor::Whole,
                false,
            ),
            written: wanted.to_owned(),
            indicators: Arc::clone(&known),
        };
        assert_eq!(check("*").lists("192.0.2.9"), ["feed (C2 of a botnet)"]);
        assert!(check("fe*").passes("192.0.2.9") && !check("other").passes("192.0.2.9"));
        assert!(builder_error("{").contains("JSON"));
    }

    fn builder_error(text: &str) -> String {
        IndicatorsBuilder::default().bundle(0, text, Timestamp(0)).unwrap_err()
    }

    #[test]
    fn a_million_entries_are_told_apart() {
        let mut builder = IndicatorsBuilder::default();
        let list = builder.list("many");
        for number in 0..500_000_u32 {
            builder.line(list, &std::net::Ipv4Addr::from(number * 7919).to_string()).unwrap();
            builder.line(list, &format!("host{number}.example")).unwrap();
        }
        let known = builder.finish();
        assert_eq!(known.len(), 1_000_000);
        for number in (0..500_000_u32).step_by(997) {
            assert!(has(&known, &std::net::Ipv4Addr::from(number * 7919).to_string()));
            assert!(!has(&known, &std::net::Ipv4Addr::from(number * 7919 + 1).to_string()));
            assert!(has(&known, &format!("www.host{number}.example")));
            assert!(!has(&known, &format!("host{number}.example.org")));
        }
    }
}
