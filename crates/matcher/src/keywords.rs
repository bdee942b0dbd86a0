//! Where keywords are looked for: the line, the line without its JSON escapes, and each value of a JSON line. Made for
//! speed: most lines have no escape, and a line is unescaped once for all keywords.
//!
//! It must not use `rules::evaluate`, which does all of this the slow way and is what it is tested against.

use event::catalog::OF_THE_PIPELINE;
use event::{EventBatch, ValueTag, dataset};
use memchr::memchr;
use rules::check::{Check, Value};

use crate::values;

/// Texts of a row that keywords are looked for in.
#[derive(Debug)]
pub(super) struct KeywordTexts<'a> {
    pub(super) line: &'a str,
    /// The line without its JSON escapes, where there are any: they hide text.
    pub(super) unescaped: Option<String>,
    /// Where the line has escapes that stand for another character than the one behind the backslash: start and end of
    /// each, in bytes.
    pub(super) rewritten: Vec<(usize, usize)>,
}

impl<'a> KeywordTexts<'a> {
    pub(super) fn of(batch: &'a EventBatch, row: usize) -> Self {
        let line = batch.original(row);
        let is_escaped = batch.datasets()[row] == dataset::JSON && memchr(b'\\', line.as_bytes()).is_some();
        if !is_escaped {
            return KeywordTexts { line, unescaped: None, rewritten: Vec::new() };
        }
        let (unescaped, rewritten) = unescaped(line);
        KeywordTexts { line, unescaped: Some(unescaped), rewritten }
    }
}

/// Whether where a keyword stands matters, so that it is also looked for in each value of a JSON line by itself. What
/// may stand anywhere in a value may stand anywhere in the line.
pub(super) fn place_matters(check: &Check) -> bool {
    match check {
        Check::Text(pattern) => pattern.is_anchored(),
        Check::Regex(check) => ["^", "$", "\\A", "\\z"].iter().any(|anchor| check.regex.as_str().contains(anchor)),
        _ => false,
    }
}

/// Whether a keyword stands as it should in some value of a JSON line.
pub(super) fn is_in_a_value(check: &Check, batch: &EventBatch, row: usize) -> bool {
    if batch.datasets()[row] != dataset::JSON || !place_matters(check) {
        return false;
    }
    let names = batch.column_names().enumerate().filter(|(_, name)| !OF_THE_PIPELINE.contains(name));
    names.map(|(position, _)| position).any(|position| {
        let value = Value::at(batch, position, row);
        value
            .is_some_and(|value| values::any_text(value, &mut |text| check.passes(Value::Text(text, ValueTag::String))))
    })
}

/// JSON text with its escapes replaced by what they stand for, and the places of those that did not stand for the
/// character behind them. What is no escape stays.
fn unescaped(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut rewritten = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let simple = match after.bytes().next() {
            Some(plain @ (b'"' | b'\\' | b'/')) => Some(char::from(plain)),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            _ => None,
        };
        let is_plain = matches!(after.bytes().next(), Some(b'"' | b'\\' | b'/'));
        if let Some(character) = simple {
            out.push(character);
            rest = &after[1..];
        } else if let bytes = event::json::byte_escapes(&rest.as_bytes()[at..])
            && !bytes.is_empty()
        {
            out.push_str(&String::from_utf8_lossy(&bytes));
            rest = &rest[at + bytes.len() * 4..];
        } else if let Some((character, length)) = code_point(after) {
            out.push(character);
            rest = &after[length..];
        } else {
            out.push('\\');
            rest = after;
        }
        if !is_plain {
            rewritten.push((text.len() - after.len() - 1, text.len() - rest.len()));
        }
    }
    out.push_str(rest);
    (out, rewritten)
}

/// `u00e9`, or a pair of surrogates, at the start of the text: the character and how long it is written. Half of a pair is
/// U+FFFD, whatever escape follows.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(1).filter(|_| text.starts_with('u'))?;
    if (0xD800..0xDC00).contains(&first)
        && text.get(5..7) == Some("\\u")
        && let Some(second) = unit(7).filter(|second| (0xDC00..0xE000).contains(second))
    {
        return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map(|found| (found, 11));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

#[cfg(test)]
mod tests {
    use rules::check::RegexCheck;
    use rules::text_pattern::{Anchor, TextPattern, read_pieces};

    use super::*;

    #[test]
    fn escapes_are_undone_and_those_that_rewrite_are_placed() {
        for (written, expected, rewritten) in [
            ("plain é", "plain é", &[][..]),
            (r#"\"\\\/"#, "\"\\/", &[]),
            (r"a\nb\\n", "a\nb\\n", &[(1, 3)]),
            (r"\u00e9\u0041", "éA", &[(0, 6), (6, 12)]),
            (r"x\ud83d\ude00", "x😀", &[(1, 13)]),
            (r"\ud83dx", "\u{fffd}x", &[(0, 6)]),
            (r"\ud83d\u00e9", "\u{fffd}é", &[(0, 6), (6, 12)]),
            (r"\u00g1", r"\u00g1", &[(0, 1)]),
            (r"\xc3\xa9\x6", "é\\x6", &[(0, 8), (8, 9)]),
            (r"\q\", r"\q\", &[(0, 1), (2, 3)]),
        ] {
            assert_eq!(unescaped(written), (expected.to_owned(), rewritten.to_vec()), "{written}");
        }
    }

    #[test]
    fn a_keyword_with_an_anchor_has_a_place() {
        let regex = |written: &str| {
            let (regex, _) = patterns::Expression::new(written, false, 1 << 20).unwrap();
            Check::Regex(RegexCheck { regex, required: Vec::new() })
        };
        let text = |written, anchor| Check::Text(TextPattern::new(read_pieces(written), anchor, false));
        for (check, expected) in [
            (text("a", Anchor::Contains), false),
            (text("a", Anchor::StartsWith), true),
            (text("a", Anchor::EndsWith), true),
            (text("a", Anchor::Whole), true),
            (text("*", Anchor::Whole), false),
            (regex("a"), false),
            (regex("^a"), true),
            (regex("a$"), true),
            (regex(r"\Aa"), true),
            (regex(r"a\z"), true),
            (Check::Boolean(true), false),
        ] {
            assert_eq!(place_matters(&check), expected, "{check:?}");
        }
    }
}
