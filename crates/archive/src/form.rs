//! Forms: the raw line of an event as a template over its fields, so that a line which its fields reproduce is not stored
//! twice. `{source.ip} - - [{@access 0}] "{http.request.method} …`: names of texts and whole numbers in braces, the time of
//! the event as a style behind `@`, braces of the line doubled. A form is proven against the line before it takes its place.

mod book;
mod derive;

use std::sync::Arc;

use event::{EventBatch, LongColumn, TextColumn, Timestamp};

use crate::stamp::Stamp;

pub(crate) use book::FormBook;

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Bytes that stand in the line.
    Literal(String),
    /// The value of a field: a text as it is, a whole number in decimal digits.
    Value(Arc<str>),
    /// The time of the event.
    Time(Stamp),
}

/// A line as a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// As it is stored.
    pub(crate) text: Arc<str>,
    pub(crate) pieces: Vec<Piece>,
}

impl Form {
    pub(crate) fn of(pieces: Vec<Piece>) -> Form {
        let mut text = String::new();
        for piece in &pieces {
            match piece {
                Piece::Literal(literal) => {
                    for part in literal.split_inclusive(['{', '}']) {
                        text.push_str(part);
                        text.extend(part.chars().next_back().filter(|last| matches!(last, '{' | '}')));
                    }
                }
                // A field of a sender may begin as a time does.
                Piece::Value(name) if name.starts_with(['@', '=']) => text.extend(["{=", &**name, "}"]),
                Piece::Value(name) => text.extend(["{", &**name, "}"]),
                Piece::Time(stamp) => text.push_str(&format!("{{@{stamp}}}")),
            }
        }
        Form { text: text.into(), pieces }
    }

    /// Reads what is stored; `None` where it is no form.
    pub(crate) fn read(text: &str) -> Option<Form> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return None;
            }
            let (name, after) = rest.split_once('}')?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(match (name.strip_prefix('@'), name.strip_prefix('=')) {
                (Some(stamp), _) => Piece::Time(Stamp::named(stamp)?),
                (_, name_after) => Piece::Value(name_after.unwrap_or(name).into()),
            });
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Some(Form { text: text.into(), pieces })
    }
}

/// A column that a form reads.
#[derive(Clone, Copy, Debug)]
enum Read<'a> {
    Text(TextColumn<'a>),
    Number(LongColumn<'a>),
}

/// A form over the columns of one batch.
pub(crate) struct Bound<'a> {
    pieces: Vec<(&'a Piece, Option<Read<'a>>)>,
}

impl<'a> Bound<'a> {
    /// `None` where the batch lacks a column, so that no row can have the form.
    pub(crate) fn of(form: &'a Form, batch: &'a EventBatch) -> Option<Bound<'a>> {
        let read = |name: &str| {
            let at = batch.position_of(name)?;
            batch.text_at(at).map(Read::Text).or_else(|| batch.long_at(at).map(Read::Number))
        };
        let bind = |piece: &'a Piece| match piece {
            Piece::Literal(_) => Some((piece, None)),
            Piece::Value(name) => Some((piece, Some(read(name)?))),
            Piece::Time(_) => Some((piece, Some(Read::Number(batch.times()?)))),
        };
        Some(Bound { pieces: form.pieces.iter().map(bind).collect::<Option<_>>()? })
    }

    /// Whether the form makes exactly this line of the row's values. `scratch` is emptied first.
    pub(crate) fn makes(&self, row: usize, line: &[u8], scratch: &mut Vec<u8>) -> bool {
        let mut rest = line;
        for (piece, column) in &self.pieces {
            let after = match (piece, column) {
                (Piece::Literal(literal), _) => rest.strip_prefix(literal.as_bytes()),
                (_, Some(Read::Text(column))) => column.bytes(row).and_then(|value| rest.strip_prefix(value)),
                (Piece::Time(stamp), Some(Read::Number(column))) => column.get(row).and_then(|time| {
                    scratch.clear();
                    stamp.write(Timestamp(time), scratch);
                    rest.strip_prefix(scratch.as_slice())
                }),
                (_, Some(Read::Number(column))) => column.get(row).and_then(|number| strip_number(rest, number)),
                _ => None,
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }
}

/// What follows the number in decimal digits, without leading zeros.
fn strip_number(text: &[u8], number: i64) -> Option<&[u8]> {
    let (sign, digits) = text.strip_prefix(b"-").map_or((1_i64, text), |rest| (-1, rest));
    let length = digits.iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
    let read = digits[..length]
        .iter()
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10).and_then(|sum| sum.checked_add(i64::from(digit - b'0'))))?;
    let is_plain = length > 0 && (length == 1 || digits[0] != b'0') && (sign == 1 || read != 0);
    // A longer run of digits is another number.
    let ends = !digits.get(length).is_some_and(u8::is_ascii_digit);
    (is_plain && ends && read.checked_mul(sign) == Some(number)).then(|| &digits[length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_they_are_written() {
        let pieces = vec![
            Piece::Literal("{\"ip\":\"".to_owned()),
            Piece::Value("source.ip".into()),
            Piece::Value("@metadata.beat".into()),
            Piece::Literal("\",\"t\":".to_owned()),
            Piece::Time(Stamp::named("epoch 3").unwrap()),
            Piece::Literal("}}".to_owned()),
        ];
        let form = Form::of(pieces.clone());
        assert_eq!(&*form.text, "{{\"ip\":\"{source.ip}{=@metadata.beat}\",\"t\":{@epoch 3}}}}}");
        assert_eq!(Form::read(&form.text).unwrap().pieces, pieces);
        for broken in ["{source.ip", "a}b", "{@never 3}"] {
            assert_eq!(Form::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn numbers_are_made_again_only_where_they_are_plain() {
        assert_eq!(strip_number(b"200 x", 200), Some(&b" x"[..]));
        assert_eq!(strip_number(b"-5", -5), Some(&b""[..]));
        for (text, number) in [(&b"0200"[..], 200), (b"2001", 200), (b"", 0), (b"-0", 0)] {
            assert_eq!(strip_number(text, number), None);
        }
    }
}
