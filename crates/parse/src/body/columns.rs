//! Texts of devices whose values stand in a fixed order: a table of column names says which value goes where. Commas part values;
//! a value in double quotes may hold commas, and a quote is written twice. Knows no device.

use std::sync::OnceLock;

use event::catalog::{Field, FieldType};
use event::{BatchBuilder, FieldId};
use memchr::memchr;

use super::device::{self, Verdict};
use crate::address::{decimal, put_ip, put_peer};
use crate::needle::find;

/// Values of one text that are looked at.
pub(super) const VALUES_MAX: usize = 128;

/// ColumnOrder by name, in their order, parted by blanks: names of fields, `-` for what goes nowhere, and words with an `@`:
/// `@transport`, `@verdict`, `@direction`, `@source` (an address or a name), `@seconds` (to `event.duration`).
#[derive(Debug)]
pub(super) struct ColumnOrder {
    names: &'static str,
    places: OnceLock<Vec<ColumnPlace>>,
}

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
enum ColumnPlace {
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

impl ColumnPlace {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "-" => ColumnPlace::Nowhere,
            "@transport" => ColumnPlace::Transport,
            "@verdict" => ColumnPlace::Verdict,
            "@direction" => ColumnPlace::Direction,
            "@source" => ColumnPlace::Source,
            "@seconds" => ColumnPlace::Seconds,
            name => {
                let (id, _) = Field::named(name)?;
                match BatchBuilder::kind_of(id) {
                    FieldType::Ip => ColumnPlace::Ip(id),
                    FieldType::Long if name.ends_with(".port") => ColumnPlace::Port(id),
                    FieldType::Long | FieldType::Date => ColumnPlace::Long(id),
                    FieldType::Keyword => ColumnPlace::Text(id),
                }
            }
        })
    }

    #[inline]
    fn put(self, rows: &mut BatchBuilder, value: &[u8]) {
        match self {
            _ if value.is_empty() => {}
            ColumnPlace::Nowhere => {}
            ColumnPlace::Ip(_) if matches!(value, b"0.0.0.0" | b"::") => {}
            ColumnPlace::Ip(id) => put_ip(rows, id, value),
            ColumnPlace::Long(id) => decimal(value).into_iter().for_each(|number| rows.long(id, number)),
            ColumnPlace::Port(_) if value == b"0" => {}
            ColumnPlace::Port(id) => decimal(value).into_iter().for_each(|number| rows.long(id, number)),
            ColumnPlace::Text(id) => put_text(rows, id, value),
            ColumnPlace::Transport => device::put_transport(rows, value),
            ColumnPlace::Verdict => Verdict::of_word(value).put(rows),
            ColumnPlace::Direction => device::put_direction(rows, value),
            ColumnPlace::Source => put_peer(rows, value),
            ColumnPlace::Seconds => decimal(value)
                .and_then(|seconds| seconds.checked_mul(1_000_000_000))
                .into_iter()
                .for_each(|nanoseconds| rows.long(event::catalog::field::EVENT_DURATION, nanoseconds)),
        }
    }
}

/// A text, with its doubled quotes made single.
fn put_text(rows: &mut BatchBuilder, id: FieldId, value: &[u8]) {
    match find!(value, b"\"\"") {
        Some(_) => rows.owned(id, &String::from_utf8_lossy(value).replace("\"\"", "\"")),
        None => rows.text(id, value),
    }
}

impl ColumnOrder {
    pub(super) const fn new(names: &'static str) -> Self {
        ColumnOrder { names, places: OnceLock::new() }
    }

    /// Puts each value to its place; values without a column, and columns without a value, are left out.
    pub(super) fn put<'a>(&self, rows: &mut BatchBuilder, values: impl Iterator<Item = &'a [u8]>) {
        let read = || {
            self.names
                .split_ascii_whitespace()
                .map(|name| ColumnPlace::read(name).unwrap_or(ColumnPlace::Nowhere))
                .collect()
        };
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
                assert!(ColumnPlace::read(name).is_some(), "{name}");
            }
        }
    }
}
