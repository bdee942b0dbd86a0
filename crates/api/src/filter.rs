//! Filters of lists: read from parameters, and brought to what the store compares. What cannot be understood is refused; a
//! list that is empty says what nothing is known of.

use std::collections::BTreeSet;
use std::str::FromStr;

use event::{Network, Timestamp};
use store::query::LIMIT_MAX;
use store::{FindingQuery, Store};

use crate::problem::{PartProblem, Problem};

/// Addresses within the networks of one list that findings may name.
const ADDRESSES_MAX: usize = 1_000;
/// Rules and entities of one list: each is looked up.
const VALUES_MAX: usize = 100;
pub(crate) const SOURCE_IP: &str = "source.ip";
/// Parameters that have one value.
const SINGLE: [&str; 11] =
    ["since", "until", "limit", "cursor", "assignee", "state", "actor", "action", "outcome", "address", "target"];

/// Parameters that were there already.
#[derive(Debug, Default)]
pub(crate) struct Once(BTreeSet<String>);

impl Once {
    /// Whether a parameter with one value comes a second time.
    pub(crate) fn is_again(&mut self, name: &str) -> bool {
        SINGLE.contains(&name) && !self.0.insert(name.to_owned())
    }
}

/// A time of a list filter, from RFC 3339; or why the text is none.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    // A plus sign in a query string means a blank.
    let text = text.replace(' ', "+");
    Timestamp::parse_rfc3339(text.as_bytes())
        .ok_or_else(|| format!("`{text}` is not a time such as 2026-01-02T03:04:05Z"))
}

/// A span that ends before it begins holds nothing.
pub(crate) fn after_since(since: Option<Timestamp>, until: Option<Timestamp>) -> Option<PartProblem> {
    let (since, until) = since.zip(until)?;
    let problem = || PartProblem { pointer: "until".to_owned(), detail: format!("it is not after since, {since}") };
    (until <= since).then(problem)
}

pub(crate) fn limit(text: &str) -> Result<u32, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("`{text}` is not a number from 1 to {LIMIT_MAX}"))
}

/// More values than are looked up are refused.
pub(crate) fn too_many(count: usize) -> Option<PartProblem> {
    let detail = || format!("a list is filtered by at most {VALUES_MAX} rules and entities");
    let pointer = "rule, source.ip, user.name, host.name";
    (count > VALUES_MAX).then(|| PartProblem { pointer: pointer.to_owned(), detail: detail() })
}

/// Alternatives, separated by commas.
pub(crate) fn values(text: &str) -> Result<Vec<&str>, String> {
    let values: Vec<&str> = text.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
    if values.is_empty() { Err("the parameter has no value".to_owned()) } else { Ok(values) }
}

pub(crate) fn words<T: FromStr>(text: &str, into: &mut Vec<T>, known: &str) -> Result<(), String> {
    for value in values(text)? {
        into.push(value.parse().map_err(|_| format!("`{value}` is not one of {known}"))?);
    }
    Ok(())
}

/// Alternatives, and the whole text where it holds commas itself: titles and names may.
pub(crate) fn names(text: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = values(text)?.into_iter().map(str::to_owned).collect();
    if names.len() > 1 {
        names.push(text.trim().to_owned());
    }
    Ok(names)
}

/// What an entity is called, or in which networks it lies.
pub(crate) fn entities(kind: &str, text: &str, into: &mut Vec<(String, String)>) -> Result<(), String> {
    let names = if kind == SOURCE_IP {
        let networks = values(text)?.into_iter().map(|value| network(value).map(|_| value.to_owned()));
        networks.collect::<Result<Vec<_>, _>>()?
    } else {
        names(text)?.iter().map(|name| whole_name(name)).collect::<Result<Vec<_>, _>>()?
    };
    into.extend(names.into_iter().map(|name| (kind.to_owned(), name)));
    Ok(())
}

pub(crate) fn network(text: &str) -> Result<Network, String> {
    let wrong = |_| format!("`{text}` is no address and no network such as 192.0.2.0/24");
    text.parse().map_err(wrong)
}

/// Names are compared whole. A star that is meant is written `\*`.
fn whole_name(name: &str) -> Result<String, String> {
    if name.replace("\\*", "").contains('*') {
        return Err(format!(
            "`{name}` holds a wildcard, and names are compared whole; a star that is meant is written \\*"
        ));
    }
    Ok(name.replace("\\*", "*"))
}

/// The entities with every way in which findings write their addresses.
pub(crate) async fn with_addresses(
    store: &dyn Store,
    entities: &[(String, String)],
) -> Result<Vec<(String, String)>, Problem> {
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    let mut room = ADDRESSES_MAX;
    for (kind, value) in entities {
        found.insert((kind.clone(), value.clone()));
        let Some(network) = network(value).ok().filter(|_| kind == SOURCE_IP) else { continue };
        let addresses = store.addresses(network, room as u32 + 1).await?;
        if addresses.len() > room {
            let detail =
                format!("findings name more than {ADDRESSES_MAX} addresses up to `{value}`: take smaller networks");
            return Err(Problem::bad_request(vec![PartProblem { pointer: kind.clone(), detail }]));
        }
        room -= addresses.len();
        found.extend(addresses.into_iter().map(|address| (kind.clone(), address)));
    }
    Ok(found.into_iter().collect())
}

/// The query as the store compares it: titles as ids, networks as addresses.
pub(crate) async fn resolved(store: &dyn Store, query: &FindingQuery) -> Result<FindingQuery, Problem> {
    let mut rules: BTreeSet<String> = query.rules.iter().cloned().collect();
    for rule in &query.rules {
        rules.extend(store.rules_titled(rule).await?);
    }
    let entities = with_addresses(store, &query.entities).await?;
    Ok(FindingQuery { rules: rules.into_iter().collect(), entities, ..query.clone() })
}

/// Why there is nothing: rules and entities that no finding knows.
pub(crate) async fn notes(
    store: &dyn Store,
    rules: &[String],
    entities: &[(String, String)],
) -> Result<Vec<String>, Problem> {
    let mut notes = Vec::new();
    let is_empty = async |query: FindingQuery| {
        let query = resolved(store, &FindingQuery { limit: 1, ..query }).await?;
        Ok::<bool, Problem>(store.list(&query).await?.findings.is_empty())
    };
    for rule in rules {
        if is_empty(FindingQuery { rules: vec![rule.clone()], ..FindingQuery::default() }).await? {
            notes.push(format!("no finding is of a rule `{rule}`, by id or title"));
        }
    }
    for (kind, value) in entities {
        let entities = vec![(kind.clone(), value.clone())];
        if is_empty(FindingQuery { entities, ..FindingQuery::default() }).await? {
            notes.push(format!("no finding names {kind} `{value}`; names are compared whole, and by case"));
        }
    }
    Ok(notes)
}
