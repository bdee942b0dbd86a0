//! Regular expressions for columns whose values lack what a rule expects in front, or have something behind.
//!
//! What is in front is known, so the expression is taken forward over it, character by character (Brzozowski,
//! Derivatives of Regular Expressions, 1964): of `/bash$` over `/` stays `bash$`, at the start of the value.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// The place between two characters of what is in front.
#[derive(Clone, Copy)]
struct Boundary {
    before: Option<char>,
    after: char,
}

/// An expression that matches a value where `expression` matches `prefix` with the value behind it. `None` where it can
/// match none, or where its assertions do not allow to say so.
pub(super) fn without_prefix(expression: &str, prefix: &str) -> Option<String> {
    let whole = parse(expression)?;
    // The end of what is in front and the start of the value must look alike to `\b`.
    let is_open = prefix.chars().next_back().is_some_and(is_word);
    if is_open || !has_only(&whole, &[Look::Start, Look::End, Look::WordUnicode, Look::WordUnicodeNegate]) {
        return None;
    }
    let characters: Vec<char> = prefix.chars().collect();
    let mut ways = vec![without_start(&whole)];
    for start in 0..characters.len() {
        let mut rest = if start == 0 { whole.clone() } else { without_start(&whole) };
        for (at, after) in characters.iter().copied().enumerate().skip(start) {
            let boundary = Boundary { before: at.checked_sub(1).and_then(|at| characters.get(at).copied()), after };
            if is_done(&rest, boundary) {
                // What is in front is enough.
                return Some(String::new());
            }
            rest = without_start(&step(&rest, boundary));
        }
        ways.push(Hir::concat(vec![Hir::look(Look::Start), rest]));
    }
    ways.retain(|way| !fails(way));
    (!ways.is_empty()).then(|| Hir::alternation(ways).to_string())
}

/// An expression that matches a value with `text` behind it where `expression` matches the value at its end. `None`
/// where it says nothing about the end: then it does as it is.
pub(super) fn followed_by(expression: &str, text: &str) -> Option<String> {
    let whole = parse(expression)?;
    if has_only(&whole, &[Look::Start, Look::WordUnicode, Look::WordUnicodeNegate]) || has_lines(&whole) {
        return None;
    }
    let end = Hir::concat(vec![Hir::literal(text.as_bytes().to_vec()), Hir::look(Look::End)]);
    Some(with_look(&whole, Look::End, &end).to_string())
}

/// Flags stand in the expression itself.
fn parse(expression: &str) -> Option<Hir> {
    ParserBuilder::new().build().parse(expression).ok()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn has_only(hir: &Hir, known: &[Look]) -> bool {
    hir.properties().look_set().iter().all(|look| known.contains(&look))
}

/// Whether ends and starts of lines inside of the text matter.
fn has_lines(hir: &Hir) -> bool {
    !has_only(hir, &[Look::Start, Look::End, Look::WordUnicode, Look::WordUnicodeNegate])
}

/// Whether the expression matches nothing before going on.
fn is_done(hir: &Hir, boundary: Boundary) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Look(look) => {
            let is_edge = boundary.before.is_some_and(is_word) != is_word(boundary.after);
            match look {
                Look::Start => boundary.before.is_none(),
                Look::WordUnicode => is_edge,
                Look::WordUnicodeNegate => !is_edge,
                _ => false,
            }
        }
        HirKind::Repetition(repeat) => repeat.min == 0 || is_done(&repeat.sub, boundary),
        HirKind::Capture(capture) => is_done(&capture.sub, boundary),
        HirKind::Concat(parts) => parts.iter().all(|part| is_done(part, boundary)),
        HirKind::Alternation(parts) => parts.iter().any(|part| is_done(part, boundary)),
    }
}

/// What is left of the expression behind the character.
fn step(hir: &Hir, boundary: Boundary) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::fail(),
        HirKind::Literal(literal) => {
            let mut bytes = [0; 4];
            let first = boundary.after.encode_utf8(&mut bytes).as_bytes();
            literal.0.strip_prefix(first).map_or_else(Hir::fail, |rest| Hir::literal(rest.to_vec()))
        }
        HirKind::Class(class) => {
            let has = match class {
                Class::Unicode(class) => {
                    class.iter().any(|range| (range.start()..=range.end()).contains(&boundary.after))
                }
                Class::Bytes(class) => u8::try_from(boundary.after)
                    .is_ok_and(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&byte))),
            };
            if has { Hir::empty() } else { Hir::fail() }
        }
        HirKind::Repetition(Repetition { max: Some(0), .. }) => Hir::fail(),
        HirKind::Repetition(repeat) => {
            let (min, max) = (repeat.min.saturating_sub(1), repeat.max.map(|max| max - 1));
            let more = Hir::repetition(Repetition { min, max, greedy: repeat.greedy, sub: repeat.sub.clone() });
            sequence(vec![step(&repeat.sub, boundary), more])
        }
        HirKind::Capture(capture) => step(&capture.sub, boundary),
        HirKind::Concat(parts) => {
            let mut ways = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let rest = parts[at + 1..].iter().cloned();
                ways.push(sequence(std::iter::once(step(part, boundary)).chain(rest).collect()));
                if !is_done(part, boundary) {
                    break;
                }
            }
            choice(ways)
        }
        HirKind::Alternation(parts) => choice(parts.iter().map(|part| step(part, boundary)).collect()),
    }
}

fn sequence(parts: Vec<Hir>) -> Hir {
    if parts.iter().any(fails) { Hir::fail() } else { Hir::concat(parts) }
}

fn choice(mut ways: Vec<Hir>) -> Hir {
    ways.retain(|way| !fails(way));
    Hir::alternation(ways)
}

/// Matches nothing at all.
fn fails(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => class.is_empty(),
        HirKind::Repetition(repeat) => repeat.min > 0 && fails(&repeat.sub),
        HirKind::Capture(capture) => fails(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(fails),
        HirKind::Alternation(parts) => parts.iter().all(fails),
        _ => false,
    }
}

/// The expression where the start of the text has been passed.
fn without_start(hir: &Hir) -> Hir {
    with_look(hir, Look::Start, &Hir::fail())
}

fn with_look(hir: &Hir, wanted: Look, instead: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(look) if *look == wanted => instead.clone(),
        HirKind::Repetition(repeat) => {
            Hir::repetition(Repetition { sub: Box::new(with_look(&repeat.sub, wanted, instead)), ..repeat.clone() })
        }
        HirKind::Capture(capture) => with_look(&capture.sub, wanted, instead),
        HirKind::Concat(parts) => sequence(parts.iter().map(|part| with_look(part, wanted, instead)).collect()),
        HirKind::Alternation(parts) => choice(parts.iter().map(|part| with_look(part, wanted, instead)).collect()),
        _ => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn found(expression: &str, prefix: &str, value: &str) -> bool {
        without_prefix(expression, prefix).is_some_and(|made| Regex::new(&made).unwrap().is_match(value))
    }

    #[test]
    fn an_expression_is_taken_over_what_stands_in_front() {
        for (expression, prefix, value, expected) in [
            ("/bash$", "/", "bash", true),
            ("/bash$", "/", "rbash", false),
            ("^/bash$", "/", "bash", true),
            ("^bash$", "/", "bash", false),
            ("(^|/)(ba|da)sh$", "/", "dash", true),
            (r"^HTTP/1\.[01]$", "HTTP/", "1.1", true),
            (r"^HTTP/1\.[01]$", "HTTP/", "1.2", false),
            ("^HTTP/.*", "HTTP/", "", true),
            ("HTTP", "HTTP/", "anything", true),
            ("MD5=(AB|CD)", "MD5=", "CDEF", true),
            ("MD5=(AB|CD)", "MD5=", "EFAB", false),
            (r"\bbash\b", "/", "bash", true),
            ("^.{2}sh$", "/", "ash", true),
            ("[^/]+$", "/", "x", true),
            ("a{2,3}b", "aa", "b", false),
            ("", "/", "x", true),
        ] {
            assert_eq!(found(expression, prefix, value), expected, "{expression} on {prefix}{value}");
        }
        assert!(found("(?i)^http/1", "HTTP/", "1.1") && !found("^http/1", "HTTP/", "1.1"));
        assert_eq!(without_prefix("(?m)^x", "/"), None, "ends of lines are not followed");
    }

    #[test]
    fn what_stands_behind_is_put_before_the_end() {
        let made = followed_by(r"\.onion$", ".").unwrap();
        assert!(Regex::new(&made).unwrap().is_match("x.onion.") && !Regex::new(&made).unwrap().is_match("x.onion"));
        assert_eq!(followed_by("onion", "."), None);
    }

    proptest! {
        #[test]
        fn it_matches_where_the_whole_would(
            parts in prop::collection::vec(prop::sample::select(&["a", "/", "[ab/]", ".", "^", "$", r"\b", "(a|/b)", "b*", "/?", "(^|/)", "a{1,2}", "|"][..]), 0..6),
            prefix in prop::sample::select(&["/", "a/", "b=/", "=", "//"][..]),
            value in "[ab/=]{0,4}",
        ) {
            let expression = parts.concat();
            if let Ok(whole) = Regex::new(&expression) {
                let expected = whole.is_match(&format!("{prefix}{value}"));
                prop_assert_eq!(found(&expression, prefix, &value), expected, "{} on {}{}", expression, prefix, value);
            }
        }
    }
}
