//! Texts of devices whose values stand in a fixed order: a table of column names says which value goes where. Commas part values;
//! a value in double quotes may hold commas, and a quote is written twice. Knows no device.

use std::sync::OnceLock;

use event::catalog::{Field, FieldType};
use event::{BatchBuilder, FieldId};
use memchr::{memchr, memmem};

use super::device::{self, Verdict};
use crate::address::{decimal, put_ip, put_peer};

/// Values of one text that are looked at.
pub(super) const VALUES_MAX: usize = 128;

/// Columns by name, in their order, parted by blanks: names of fields, `-` for what goes nowhere, and words with an `@`:
/// `@transport`, `@verdict`, `@direction`, `@source` (an address or a name), `@seconds` (to `event.duration`).
#[derive(Debug)]
pub(super) struct Columns {
    names: &'static str,
    places: OnceLock<Vec<Place>>,
}

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
enum Place {
    Nowhere,
    Ip(FieldId),
    Long(FieldId),
    /// Nought stands for none.
    Port(FieldId),
    Text(FieldId),
    Transport,
    Verdict,
    Direction,
    Source,
    Seconds,
}

impl Place {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "-" => Place::Nowhere,
            "@transport" => Place::Transport,
            "@verdict" => Place::Verdict,
            "@direction" => Place::Direction,
            "@source" => Place::Source,
            "@seconds" => Place::Seconds,
            name => {
                let (id, _) = Field::named(name)?;
                match BatchBuilder::kind_of(id) {
                    FieldType::Ip => Place::Ip(id),
                    FieldType::Long if name.ends_with(".port") => Place::Port(id),
                    FieldType::Long | FieldType::Date => Place::Long(id),
                    FieldType::Keyword => Place::Text(id),
                }
            }
        })
    }

    #[inline]
    fn put(self, rows: &mut BatchBuilder, value: &[u8]) {
        match self {
            _ if value.is_empty() => {}
            Place::Nowhere => {}
            Place::Ip(_) if matches!(value, b"0.0.0.0" | b"::") => {}
            Place::Ip(id) => put_ip(rows, id, value),
            Place::Long(id) => decimal(value).into_iter().for_each(|number| rows.long(id, number)),
            Place::Port(_) if value == b"0" => {}
            Place::Port(id) => decimal(value).into_iter().for_each(|number| rows.long(id, number)),
            Place::Text(id) => put_text(rows, id, value),
            Place::Transport => device::put_transport(rows, value),
            Place::Verdict => Verdict::of_word(value).put(rows),
            Place::Direction => device::put_direction(rows, value),
            Place::Source => put_peer(rows, value),
            Place::Seconds => decimal(value)
                .and_then(|seconds| seconds.checked_mul(1_000_000_000))
                .into_iter()
                .for_each(|nanoseconds| rows.long(event::catalog::field::EVENT_DURATION, nanoseconds)),
        }
    }
}

/// A text, with its doubled quotes made single.
fn put_text(rows: &mut BatchBuilder, id: FieldId, value: &[u8]) {
    match memmem::find(value, b"\"\"") {
        Some(_) => rows.owned(id, &String::from_utf8_lossy(value).replace("\"\"", "\"")),
        None => rows.text(id, value),
    }
}

impl Columns {
    pub(super) const fn new(names: &'static str) -> Self {
        Columns { names, places: OnceLock::new() }
    }

    /// Puts each value to its place; values without a column, and columns without a value, are left out.
    pub(super) fn put<'a>(&self, rows: &mut BatchBuilder, values: impl Iterator<Item = &'a [u8]>) {
        let read =
            || self.names.split_ascii_whitespace().map(|name| Place::read(name).unwrap_or(Place::Nowhere)).collect();
        let places = self.places.get_or_init(read);
        for (place, value) in places.iter().zip(values) {
            place.put(rows, value);
        }
    }
}

/// The values of a text with commas.
pub(super) fn values(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    let next = move || {
        let text = rest?;
        let (value, after) = match text.strip_prefix(b"\"") {
            Some(inner) => quoted(inner),
            None => memchr(b',', text).map_or((text, None), |comma| (&text[..comma], Some(&text[comma + 1..]))),
        };
        rest = after;
        Some(value)
    };
    std::iter::from_fn(next).take(VALUES_MAX)
}

/// The value up to its closing quote, and what follows the comma.
fn quoted(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| memchr(b'"', rest)) {
        let end = from + at;
        match text.get(end + 1) {
            Some(b'"') => from = end + 2,
            Some(b',') => return (&text[..end], Some(&text[end + 2..])),
            None => return (&text[..end], None),
            Some(_) => from = end + 1,
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parted_by_commas_outside_of_quotes() {
        let read = |text: &'static str| -> Vec<_> {
            values(text.as_bytes()).map(|value| std::str::from_utf8(value).unwrap()).collect()
        };
        assert_eq!(read(r#"a,,"b,c","d""e",f"#), ["a", "", "b,c", r#"d""e"#, "f"]);
        assert_eq!(read(r#""open,x"#), ["open,x"]);
        assert_eq!(read("a,"), ["a", ""]);
    }

    #[test]
    fn every_name_of_a_column_is_known() {
        for columns in super::super::filterlog::ALL.iter().chain(super::super::paloalto::ALL) {
            for name in columns.names.split_ascii_whitespace() {
                assert!(Place::read(name).is_some(), "{name}");
            }
        }
    }
}
