//! Indicators of STIX 2.1 bundles, as far as one value is enough to know them: comparisons joined by `OR`.

use event::Timestamp;
use serde::Deserialize;

/// An indicator as it stands in a bundle.
#[derive(Debug)]
pub(super) struct Indicator {
    pub(super) name: String,
    pub(super) until: Option<Timestamp>,
    pub(super) revoked: bool,
    /// Any of these values, or why they cannot be used.
    pub values: Result<Vec<String>, String>,
}

#[derive(Deserialize)]
struct StixDocument {
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type", default)]
    kind: String,
    id: Option<String>,
    name: Option<String>,
    pattern: Option<String>,
    pattern_type: Option<String>,
    valid_until: Option<String>,
    #[serde(default)]
    revoked: bool,
}

/// Objects and properties whose value an event can have.
const KNOWN: [(&str, &str); 6] = [
    ("ipv4-addr", "value"),
    ("ipv6-addr", "value"),
    ("domain-name", "value"),
    ("url", "value"),
    ("file", "hashes"),
    ("network-traffic", "dst_ref.value"),
];

pub(super) fn indicators(text: &str) -> Result<Vec<Indicator>, String> {
    let bundle: StixDocument =
        serde_json::from_str(text).map_err(|error| format!("not a STIX bundle in JSON: {error}"))?;
    let indicators = bundle.objects.into_iter().filter(|object| object.kind == "indicator");
    Ok(indicators.map(indicator).collect())
}

fn indicator(object: Object) -> Indicator {
    let name = object.name.or(object.id).unwrap_or_else(|| "without a name".to_owned());
    let until = object.valid_until.as_deref().and_then(|until| Timestamp::parse_rfc3339(until.as_bytes()));
    let values = match (object.pattern_type.as_deref(), object.pattern.as_deref()) {
        (Some("stix") | None, Some(pattern)) => values(pattern),
        (Some(other), _) => Err(format!("patterns of type `{other}` are not read")),
        (_, None) => Err("it has no `pattern`".to_owned()),
    };
    Indicator { name, until, revoked: object.revoked, values }
}

/// The values of `[type:property = 'value' OR …]`.
fn values(pattern: &str) -> Result<Vec<String>, String> {
    let mut rest = pattern.trim();
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(['[', '(', ' ', '\n', '\t']);
        let (path, after) = rest.split_once('=').ok_or("a comparison with `=` is missing")?;
        let path = path.trim().trim_end_matches([' ', '\t']);
        let (object, property) = path.split_once(':').ok_or_else(|| format!("`{path}` is no `type:property`"))?;
        let is_known =
            |(known, begin): &&(&str, &str)| *known == object.trim() && property.trim_start().starts_with(begin);
        if !KNOWN.iter().any(|known| is_known(&known)) {
            return Err(format!("`{path}` is nothing that an event could have"));
        }
        let (value, after) = quoted(after.trim_start()).ok_or("a value in quotes is missing")?;
        found.push(value);
        rest = after.trim_start_matches([']', ')', ' ', '\n', '\t']);
        if rest.is_empty() {
            return Ok(found);
        }
        rest = rest.strip_prefix("OR").ok_or("only comparisons joined by OR are known by one value")?;
    }
}

/// A text in single quotes, and what stands behind.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.strip_prefix('\'')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => return Some((value, &text[at + 2..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    None
}
