//! What a name of a field means as a value of a line. Reads no definitions.

use event::catalog::{Field, FieldType, field};

use crate::near::{self, NameKind};
use crate::values::{Own, TimeForm, Value};

/// Nanoseconds and units of the words that may stand behind a time or a duration.
const UNITS: &[(&str, i64)] = &[("s", 1), ("ms", 1000), ("us", 1_000_000)];

/// The value of a field by its ECS name, with a unit where it is a time or a duration; a field that the catalog does not know
/// keeps its name. The error says what is wrong.
pub(crate) fn value(name: &str, unit: Option<&str>, own: &mut Own) -> Result<Value, String> {
    let per_second = match unit {
        None => None,
        Some(unit) => match UNITS.iter().find(|(known, _)| *known == unit) {
            Some((_, per_second)) => Some(*per_second),
            None => return Err(format!("`{unit}` is no unit: use s, ms or us")),
        },
    };
    let value = match (name, per_second) {
        ("@timestamp", None) => Value::Stamp(TimeForm::Any),
        ("@timestamp", Some(units)) => Value::Stamp(TimeForm::Since(units)),
        ("event.duration", Some(units)) => Value::Duration(1_000_000_000 / units),
        ("event.duration", None) => {
            return Err("a duration needs its unit: write event.duration:s, :ms or :us".to_owned());
        }
        (_, Some(_)) => return Err(format!("`{name}` has no unit: only @timestamp and event.duration have one")),
        ("" | "*" | "-", None) => Value::Skip,
        ("source.ip" | "source.address" | "client.ip", None) => Value::Peer,
        ("network.forwarded_ip", None) => Value::Forwarded,
        ("destination.address", None) => Value::Server,
        ("request" | "http.request.line", None) => Value::Request,
        ("url.original" | "url.path" | "url.full", None) => Value::Stem,
        ("url.query", None) => Value::Query,
        ("url.domain", None) => Value::Host,
        ("http.version", None) => Value::Version,
        ("event.original" | "event.dataset" | "event.kind" | "tags" | "error.message", None) => {
            return Err(format!("`{name}` is written by the program itself: choose another name"));
        }
        (name, None) => match Field::named(name) {
            Some((id, found)) => match found.kind {
                FieldType::Long => Value::Number(id),
                FieldType::Ip => Value::Ip(id),
                FieldType::Date => Value::Skip,
                FieldType::Keyword => Value::Escaped(id),
            },
            None if is_name(name) => match near::field(name, &[]) {
                NameKind::Nearly(meant) => return Err(near::slip(name, meant)),
                _ => own.add(name.to_owned()),
            },
            None => return Err(format!("`{name}` is no name of a field: use letters, digits, dots, `_` and `-`")),
        },
    };
    Ok(value)
}

fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@'))
}

/// The headers that variables and letters of both web servers name.
pub(crate) fn header(name: &str) -> Option<Value> {
    Some(match name.to_ascii_lowercase().replace('-', "_").as_str() {
        "referer" => Value::Escaped(field::HTTP_REQUEST_REFERRER),
        "user_agent" => Value::Escaped(field::USER_AGENT_ORIGINAL),
        "x_forwarded_for" => Value::Forwarded,
        "host" => Value::Host,
        "cookie" => Value::Escaped(field::HTTP_REQUEST_HEADERS_COOKIE),
        _ => return None,
    })
}
