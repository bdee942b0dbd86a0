//! What a row gives to look at, for the oracle: values of columns, texts behind JSON escapes, decoded views of URLs.
//! Each function reads character by character; none is shared with the matcher.

use event::catalog::OF_THE_PIPELINE;
use event::{EventBatch, ValueTag};

/// Most rounds of percent-decoding.
const ROUNDS_MAX: usize = 3;

/// A value of one row, as its column holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Given<'a> {
    Text(&'a str),
    /// JSON text of an array.
    List(&'a str),
    /// A whole number, or microseconds since 1970 in UTC.
    Number(i64),
}

impl Given<'_> {
    /// The value as text: one, or one for each string, number and boolean at any depth of a list.
    pub(crate) fn texts(self) -> Vec<String> {
        match self {
            Given::Text(text) => vec![text.to_owned()],
            Given::Number(number) => vec![number.to_string()],
            Given::List(array) => serde_json::from_str(array).map_or_else(|_| Vec::new(), |array| leaves(&array)),
        }
    }
}

fn leaves(value: &serde_json::Value) -> Vec<String> {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match value {
        Null => Vec::new(),
        Bool(value) => vec![value.to_string()],
        Number(number) => vec![number.to_string()],
        String(text) => vec![text.clone()],
        Array(elements) => elements.iter().flat_map(leaves).collect(),
        Object(members) => members.values().flat_map(leaves).collect(),
    }
}

/// The row's value in the column. `None` where the batch lacks the column, or the row the value; an explicit null is no
/// value.
pub(crate) fn given<'a>(batch: &'a EventBatch, column: &str, row: usize) -> Option<Given<'a>> {
    let position = batch.position_of(column)?;
    let number = batch.long_at(position).or_else(|| batch.date_at(position));
    if let Some(number) = number {
        return number.get(row).map(Given::Number);
    }
    let text = batch.text_at(position)?;
    match text.tag(row) {
        ValueTag::Null => None,
        ValueTag::Array => text.str(row).map(Given::List),
        ValueTag::String | ValueTag::Number | ValueTag::Boolean | ValueTag::Object => text.str(row).map(Given::Text),
    }
}

/// Whether the row has the column, an explicit null included.
pub(super) fn exists(batch: &EventBatch, column: &str, row: usize) -> bool {
    let is_null = |position| batch.text_at(position).is_some_and(|text| text.tag(row) == ValueTag::Null);
    given(batch, column, row).is_some() || batch.position_of(column).is_some_and(is_null)
}

/// Every value of a row that its sender wrote.
pub(super) fn values_of_sender(batch: &EventBatch, row: usize) -> Vec<Given<'_>> {
    let columns = batch.column_names().filter(|name| !OF_THE_PIPELINE.contains(name));
    columns.filter_map(|column| given(batch, column, row)).collect()
}

/// The text after one, two and three rounds of percent-decoding, as long as each changes it.
pub(crate) fn views(text: &str) -> Vec<String> {
    let mut views: Vec<String> = Vec::new();
    while views.len() < ROUNDS_MAX {
        let last = views.last().map_or(text, String::as_str);
        let next = percent_decoded(last);
        if next == last {
            break;
        }
        views.push(next);
    }
    views
}

/// One round. Bytes that are no UTF-8 become U+FFFD; what is no encoding stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| hexadecimal(after.get(..2)?)).flatten();
        match code {
            Some(code) => {
                bytes.push(code as u8);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The number that hexadecimal digits make, where all are such.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// The text with each JSON escape (RFC 8259, section 7) replaced by what it stands for, and runs of `\xHH`, which web
/// servers write, by the bytes that they are. What is no escape stays.
pub(super) fn without_json_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (meant, written) = escape(rest).unwrap_or_else(|| (first.to_string(), first.len_utf8()));
        out.push_str(&meant);
        rest = rest.get(written..).unwrap_or("");
    }
    out
}

/// What the escape at the start of the text stands for, and how many bytes it is written in.
fn escape(text: &str) -> Option<(String, usize)> {
    let kind = text.strip_prefix('\\')?.chars().next()?;
    let simple = |meant: char| Some((meant.to_string(), 2));
    match kind {
        '"' | '\\' | '/' => simple(kind),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'x' => {
            let bytes: Vec<u8> = text.as_bytes().chunks(4).map_while(byte_escape).collect();
            (!bytes.is_empty()).then(|| (String::from_utf8_lossy(&bytes).into_owned(), bytes.len() * 4))
        }
        'u' => {
            let high = code_unit(text)?;
            let low = text.get(6..).and_then(code_unit);
            let (meant, written) = match (high, low) {
                (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => (vec![high, low], 12),
                _ => (vec![high], 6),
            };
            Some((String::from_utf16_lossy(&meant), written))
        }
        _ => None,
    }
}

/// `\x41`, all of it.
fn byte_escape(written: &[u8]) -> Option<u8> {
    hexadecimal(written.strip_prefix(b"\\x").filter(|digits| digits.len() == 2)?).map(|byte| byte as u8)
}

/// `\u00e9` at the start of the text.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.as_bytes().get(..4)?;
    hexadecimal(digits).map(|unit| unit as u16)
}
