//! What is known of an address or a client program beside the line: country and network owner from MaxMind databases, whether
//! an address is one of ours, and what kind of program an agent is. Put into the row as fields, so that rules can ask for it.
//!
//! **Absent on purpose:** no I/O; whoever makes an [`Enricher`] hands over the databases' bytes.

use std::net::IpAddr;
use std::sync::Arc;

use event::catalog::field;
use event::{BatchBuilder, Network};
use hashbrown::HashMap;
use maxminddb::{Reader, geoip2};

/// Addresses and agents that are remembered with what they are; then all are forgotten.
const KNOWN_MAX: usize = 65_536;

/// Databases and lists, shared by all parsers.
#[derive(Debug, Default)]
pub struct Enricher {
    country: Option<Reader<Vec<u8>>>,
    network: Option<Reader<Vec<u8>>>,
    internal: Vec<Network>,
    agents: bool,
}

/// Why a database cannot be used. `wanted`: what it was to tell of addresses, such as countries.
#[derive(Debug, thiserror::Error)]
pub enum BadDatabase {
    /// The bytes are no sound database. The cause is part of the message, not the error's source.
    #[error("not a MaxMind database with {wanted}: {cause}")]
    Unreadable {
        /// What it was to tell.
        wanted: &'static str,
        /// What is wrong.
        cause: maxminddb::MaxMindDbError,
    },
    /// A sound database that tells something else; `kind` is its own name for what it tells.
    #[error("not a MaxMind database with {wanted}: it is a `{kind}`")]
    OfAnotherKind {
        /// What it was to tell.
        wanted: &'static str,
        /// What it tells.
        kind: String,
    },
}

fn database(bytes: Vec<u8>, wanted: &'static str, kinds: &[&str]) -> Result<Reader<Vec<u8>>, BadDatabase> {
    let reader = Reader::from_source(bytes).map_err(|cause| BadDatabase::Unreadable { wanted, cause })?;
    let kind = reader.metadata().database_type.clone();
    if kinds.iter().any(|known| kind.contains(known)) {
        Ok(reader)
    } else {
        Err(BadDatabase::OfAnotherKind { wanted, kind })
    }
}

impl Enricher {
    /// Countries of addresses, from a Country or City database.
    pub fn set_country(&mut self, bytes: Vec<u8>) -> Result<(), BadDatabase> {
        self.country = Some(database(bytes, "countries", &["Country", "City", "Enterprise"])?);
        Ok(())
    }

    /// Numbers and owners of networks, from an ASN or ISP database.
    pub fn set_network(&mut self, bytes: Vec<u8>) -> Result<(), BadDatabase> {
        self.network = Some(database(bytes, "networks", &["ASN", "ISP", "Enterprise"])?);
        Ok(())
    }

    /// Networks of ours.
    pub fn set_internal(&mut self, networks: Vec<Network>) {
        self.internal = networks;
    }

    /// Whether agents are told apart by their kind.
    pub fn set_agents(&mut self, wanted: bool) {
        self.agents = wanted;
    }

    /// Whether nothing is added to any event.
    pub fn is_idle(&self) -> bool {
        self.country.is_none() && self.network.is_none() && self.internal.is_empty() && !self.agents
    }

    fn look_up(&self, text: &str) -> Known {
        let Ok(address) = text.parse::<IpAddr>() else { return Known::default() };
        let address = address.to_canonical();
        let mut known = Known::default();
        if let Some(reader) = &self.country {
            let found =
                reader.lookup(address).ok().and_then(|found| found.decode::<geoip2::Country<'_>>().ok().flatten());
            known.country = found.and_then(|found| found.country.iso_code.map(str::to_owned));
        }
        if let Some(reader) = &self.network {
            let found = reader.lookup(address).ok().and_then(|found| found.decode::<geoip2::Asn<'_>>().ok().flatten());
            if let Some(found) = found {
                known.number = found.autonomous_system_number.map(i64::from);
                known.organization = found.autonomous_system_organization.map(str::to_owned);
            }
        }
        if !self.internal.is_empty() {
            let is_ours = self.internal.iter().any(|network| network.holds(address));
            known.scope = Some(if is_ours { "internal" } else { "external" });
        }
        known
    }
}

/// What an address is.
#[derive(Clone, Debug, Default)]
struct Known {
    country: Option<String>,
    number: Option<i64>,
    organization: Option<String>,
    scope: Option<&'static str>,
}

/// One parser's memory of what it has looked up.
#[derive(Debug, Default)]
pub(crate) struct Enrichment {
    enricher: Arc<Enricher>,
    addresses: HashMap<String, Known>,
    agents: HashMap<String, &'static str>,
    text: String,
}

impl Enrichment {
    pub(crate) fn new(enricher: Arc<Enricher>) -> Self {
        Enrichment { enricher, ..Enrichment::default() }
    }

    /// Adds what is known to the current row.
    pub(crate) fn put(&mut self, rows: &mut BatchBuilder) {
        let Enrichment { enricher, addresses, agents, text } = self;
        if enricher.is_idle() {
            return;
        }
        if rows.text_now(field::SOURCE_IP, text) {
            if addresses.len() >= KNOWN_MAX {
                addresses.clear();
            }
            put_known(rows, addresses.entry_ref(text.as_str()).or_insert_with_key(|address| enricher.look_up(address)));
        }
        if enricher.agents && rows.text_now(field::USER_AGENT_ORIGINAL, text) {
            if agents.len() >= KNOWN_MAX {
                agents.clear();
            }
            rows.literal(
                field::USER_AGENT_TYPE,
                agents.entry_ref(text.as_str()).or_insert_with_key(|agent| kind_of(agent)),
            );
        }
    }
}

fn put_known(rows: &mut BatchBuilder, known: &Known) {
    if let Some(country) = &known.country {
        rows.owned(field::SOURCE_GEO_COUNTRY_ISO_CODE, country);
    }
    if let Some(number) = known.number {
        rows.long(field::SOURCE_AS_NUMBER, number);
    }
    if let Some(organization) = &known.organization {
        rows.owned(field::SOURCE_AS_ORGANIZATION_NAME, organization);
    }
    if let Some(scope) = known.scope {
        rows.literal(field::SOURCE_SCOPE, scope);
    }
}

/// Marks of agents and what they mean; the first that stands there counts.
const AGENTS: [(&str, &str); 27] = [
    ("sqlmap", "scanner"),
    ("nikto", "scanner"),
    ("nuclei", "scanner"),
    ("nmap", "scanner"),
    ("zgrab", "scanner"),
    ("masscan", "scanner"),
    ("wpscan", "scanner"),
    ("gobuster", "scanner"),
    ("dirbuster", "scanner"),
    ("ffuf", "scanner"),
    ("acunetix", "scanner"),
    ("bot", "crawler"),
    ("spider", "crawler"),
    ("crawl", "crawler"),
    ("slurp", "crawler"),
    ("uptime", "monitor"),
    ("monitor", "monitor"),
    ("kube-probe", "monitor"),
    ("prometheus", "monitor"),
    ("curl/", "tool"),
    ("wget/", "tool"),
    ("postman", "tool"),
    ("httpie", "tool"),
    ("python", "library"),
    ("java/", "library"),
    ("okhttp", "library"),
    ("http-client", "library"),
];

/// What an agent calls itself to be. It may lie.
fn kind_of(agent: &str) -> &'static str {
    let folded = agent.to_ascii_lowercase();
    let marked = AGENTS.iter().find(|(mark, _)| folded.contains(mark)).map(|(_, kind)| *kind);
    marked.unwrap_or_else(|| match folded.as_str() {
        "" | "-" => "none",
        text if text.starts_with("mozilla/") || text.starts_with("opera/") => "browser",
        _ => "other",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_apart() {
        for (agent, kind) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "browser"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler"),
            ("sqlmap/1.8.2#stable", "scanner"),
            ("curl/8.5.0", "tool"),
            ("python-requests/2.31", "library"),
            ("-", "none"),
            ("MyApp/3", "other"),
        ] {
            assert_eq!(kind_of(agent), kind, "{agent}");
        }
    }

    /// A database in which 203.0.113.0/24 has this map of text and numbers.
    fn database_of(kind: &str, entries: &[(&str, Value<'_>)]) -> Vec<u8> {
        let bits: Vec<bool> =
            [203_u8, 0, 113].iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
        let count = bits.len() as u32;
        let mut out = Vec::new();
        for (node, bit) in bits.iter().enumerate() {
            // The next node, or behind the last one the first byte of the data; elsewhere nothing.
            let next = if node as u32 + 1 == count { count + 16 } else { node as u32 + 1 };
            let records = if *bit { [count, next] } else { [next, count] };
            records.iter().for_each(|record| out.extend_from_slice(&record.to_be_bytes()[1..]));
        }
        out.extend_from_slice(&[0; 16]);
        map(&mut out, entries);
        out.extend_from_slice(b"\xAB\xCD\xEFMaxMind.com");
        let metadata = [
            ("binary_format_major_version", Value::Short(2)),
            ("binary_format_minor_version", Value::Short(0)),
            ("build_epoch", Value::Long(1)),
            ("database_type", Value::Text(kind)),
            ("description", Value::Map(&[])),
            ("ip_version", Value::Short(4)),
            ("languages", Value::List),
            ("node_count", Value::Number(count)),
            ("record_size", Value::Short(24)),
        ];
        map(&mut out, &metadata);
        out
    }

    enum Value<'a> {
        Text(&'a str),
        Number(u32),
        Short(u8),
        Long(u8),
        Map(&'a [(&'a str, Value<'a>)]),
        List,
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        let length = text.len() as u8;
        if length < 29 {
            out.push(0x40 | length);
        } else {
            out.extend_from_slice(&[0x40 | 29, length - 29]);
        }
        out.extend_from_slice(text.as_bytes());
    }

    fn map(out: &mut Vec<u8>, entries: &[(&str, Value<'_>)]) {
        out.push(0xE0 | entries.len() as u8);
        for (key, value) in entries {
            text(out, key);
            match value {
                Value::Text(value) => text(out, value),
                Value::Number(number) => {
                    out.push(0xC4);
                    out.extend_from_slice(&number.to_be_bytes());
                }
                Value::Short(number) => out.extend_from_slice(&[0xA1, *number]),
                Value::Long(number) => out.extend_from_slice(&[1, 2, *number]),
                Value::Map(entries) => map(out, entries),
                Value::List => out.extend_from_slice(&[0, 4]),
            }
        }
    }

    #[test]
    fn events_get_country_network_scope_and_kind_of_agent() {
        let mut enricher = Enricher::default();
        let country = [("country", Value::Map(&[("iso_code", Value::Text("NL"))]))];
        enricher.set_country(database_of("GeoLite2-Country", &country)).unwrap();
        let network = [
            ("autonomous_system_number", Value::Number(64_500)),
            ("autonomous_system_organization", Value::Text("Example Networks of the Tests")),
        ];
        enricher.set_network(database_of("GeoLite2-ASN", &network)).unwrap();
        enricher.set_internal(vec!["10.0.0.0/8".parse().unwrap()]);
        enricher.set_agents(true);
        let options = crate::Options { enricher: Arc::new(enricher), ..crate::Options::default() };
        let line =
            |ip: &str| format!("{ip} - - [23/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n");
        let text = ["203.0.113.9", "10.1.2.3", "192.0.2.1", "203.0.113.200"].map(line).concat();
        let block = event::Block::detached("test", text.into_bytes(), event::Timestamp(0));
        let batch = crate::Parser::new(options).parse(block);
        let texts = |id| (0..4).map(|row| batch.text(id).and_then(|column| column.str(row))).collect::<Vec<_>>();
        assert_eq!(texts(field::SOURCE_GEO_COUNTRY_ISO_CODE), [Some("NL"), None, None, Some("NL")]);
        let owner = Some("Example Networks of the Tests");
        assert_eq!(texts(field::SOURCE_AS_ORGANIZATION_NAME), [owner, None, None, owner]);
        assert_eq!(batch.long(field::SOURCE_AS_NUMBER).and_then(|column| column.get(3)), Some(64_500));
        assert_eq!(
            texts(field::SOURCE_SCOPE),
            [Some("external"), Some("internal"), Some("external"), Some("external")]
        );
        assert_eq!(texts(field::USER_AGENT_TYPE), [Some("tool"); 4]);
        let wrong = Enricher::default().set_network(database_of("GeoLite2-Country", &[])).unwrap_err();
        assert!(wrong.to_string().contains("it is a `GeoLite2-Country`"), "{wrong}");
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let error = Enricher::default().set_country(b"nothing".to_vec()).unwrap_err();
        assert!(error.to_string().starts_with("not a MaxMind database with countries"), "{error}");
    }
}
