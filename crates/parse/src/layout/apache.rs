//! Apache's `LogFormat` strings: `%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"`.
//!
//! A letter or header that has no field here becomes `apache.NAME`.

use event::catalog::field;

use super::named_fields::finish;
use super::{BadLayout, Layout, LayoutPart, names};
use crate::values::{Own, TimeForm, Value};

/// Compiles a string; every problem is told.
pub(crate) fn compile(text: &str) -> Result<Layout, Vec<BadLayout>> {
    let (mut own, mut parts, mut problems) = (Own::default(), Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let column = text[..at].chars().count() + 1;
        let push = |parts: &mut Vec<_>, text: &[u8]| parts.push((column, LayoutPart::Text(text.to_vec())));
        if let Some(after) = rest.strip_prefix('%') {
            match Directive::read(after) {
                Ok((directive, length)) => {
                    directive.push_to(column, &mut own, &mut parts);
                    at += 1 + length;
                }
                Err(reason) => {
                    problems.push(BadLayout::new(column, reason));
                    at += 1;
                }
            }
        } else if let Some(after) = rest.strip_prefix('\\') {
            let (byte, used) = match after.chars().next() {
                Some('t') => ("\t", 1),
                Some('n') => ("\n", 1),
                Some('"') => ("\"", 1),
                Some('\\') => ("\\", 1),
                _ => ("\\", 0),
            };
            push(&mut parts, byte.as_bytes());
            at += 1 + used;
        } else {
            let end = rest.find(['%', '\\']).unwrap_or(rest.len());
            push(&mut parts, &rest.as_bytes()[..end]);
            at += end;
        }
    }
    finish(parts, problems, own)
}

/// `%[!statuses][<>]{argument}letter`
struct Directive<'a> {
    argument: Option<&'a str>,
    letter: &'a str,
}

impl<'a> Directive<'a> {
    /// The text behind the percent sign; how many bytes of it belong to the directive.
    fn read(text: &'a str) -> Result<(Self, usize), String> {
        let start = text.bytes().take_while(|byte| matches!(byte, b'!' | b',' | b'<' | b'>' | b'0'..=b'9')).count();
        let rest = &text[start..];
        let (argument, rest) = match rest.strip_prefix('{') {
            Some(inside) => {
                let close = inside.find('}').ok_or("`%{` is not closed: write `}` behind the name")?;
                (Some(&inside[..close]), &inside[close + 1..])
            }
            None => (None, rest),
        };
        let length = if rest.starts_with('^') { 3 } else { 1 };
        let letter = rest.get(..length).filter(|letter| letter.is_ascii() && !letter.starts_with(char::is_whitespace));
        let letter = letter.ok_or("`%` without a letter: write `%%` for the sign itself")?;
        Ok((Directive { argument, letter }, text.len() - rest.len() + length))
    }

    fn push_to(&self, column: usize, own: &mut Own, parts: &mut Vec<(usize, LayoutPart)>) {
        if self.letter == "%" {
            parts.push((column, LayoutPart::Text(b"%".to_vec())));
        } else if self.letter == "t" && self.argument.is_none() {
            // The time brings its brackets.
            parts.push((column, LayoutPart::Text(b"[".to_vec())));
            parts.push((column, LayoutPart::Value(Value::Stamp(TimeForm::Any))));
            parts.push((column, LayoutPart::Text(b"]".to_vec())));
        } else {
            parts.push((column, LayoutPart::Value(self.value(own))));
        }
    }

    fn value(&self, own: &mut Own) -> Value {
        match (self.letter, self.argument) {
            ("h" | "a", _) => Value::Peer,
            ("A", _) => Value::Ip(field::DESTINATION_IP),
            ("l", _) => Value::Skip,
            ("u", _) => Value::Escaped(field::USER_NAME),
            ("t", Some("sec")) => Value::Stamp(TimeForm::Since(1)),
            ("t", Some("msec")) => Value::Stamp(TimeForm::Since(1000)),
            ("t", Some("usec")) => Value::Stamp(TimeForm::Since(1_000_000)),
            ("t", Some("msec_frac" | "usec_frac")) => Value::Skip,
            ("t", Some(_)) => Value::Stamp(TimeForm::Any),
            ("r", _) => Value::Request,
            ("m", _) => Value::Text(field::HTTP_REQUEST_METHOD),
            ("U", _) => Value::Stem,
            ("q", _) => Value::Query,
            ("H", _) => Value::Version,
            ("s", _) => Value::Number(field::HTTP_RESPONSE_STATUS_CODE),
            ("b" | "B", _) => Value::Number(field::HTTP_RESPONSE_BODY_BYTES),
            ("O", _) => Value::Number(field::HTTP_RESPONSE_BYTES),
            ("I", _) => Value::Number(field::HTTP_REQUEST_BYTES),
            ("D", _) | ("T", Some("us")) => Value::Duration(1000),
            ("T", Some("ms")) => Value::Duration(1_000_000),
            ("T", _) => Value::Duration(1_000_000_000),
            ("v" | "V", _) => Value::Host,
            ("p", Some("remote")) => Value::Number(field::SOURCE_PORT),
            ("p", _) => Value::Number(field::URL_PORT),
            ("P", None | Some("pid")) => Value::Number(field::PROCESS_PID),
            ("f", _) => Value::Escaped(field::FILE_PATH),
            ("i", Some(name)) => names::header(name).unwrap_or_else(|| own.add(format!("apache.{name}"))),
            (letter, Some(name)) => own.add(format!("apache.{letter}.{name}")),
            (letter, None) => own.add(format!("apache.{letter}")),
        }
    }
}
