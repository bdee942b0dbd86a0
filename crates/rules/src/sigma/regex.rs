//! Regular expressions of rules are read, and the texts that every match contains are found, to nominate candidates by.

use patterns::Expression;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::check::{Check, RegexCheck};
use crate::fold::{fold, fold_char};
use crate::sigma::modifier::RegexFlags;
use crate::sigma::pcre::translate;

/// Reads the expression of a rule; else the reason. `bytes_max`: how large it may become when it is compiled.
pub(crate) fn regex(written: &str, flags: RegexFlags, bytes_max: usize) -> Result<Check, String> {
    // Flags stand in the expression, so that two that differ in nothing else are not taken for one.
    let read = |pattern: &str| Expression::new(&format!("{}{pattern}", flags.written()), false, bytes_max);
    let translated = translate(written, flags)
        .map_err(|reason| format!("the regular expression `{}` cannot be used: {reason}", shown(written)))?;
    let (regex, hir) = read(&translated).map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the regular expression needs more than {limit} bytes: bound its repeats")
        }
        other => format!("the regular expression cannot be read: {}", why(&translated, &other)),
    })?;
    let required = required_texts(&hir, by_length);
    Ok(Check::Regex(RegexCheck { regex, required }))
}

/// Longest part of an expression in a message, in characters.
const SHOWN_MAX: usize = 60;

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The reason with the part of the expression that it is about.
fn why(translated: &str, error: &regex::Error) -> String {
    let about = |kind: String, span: &regex_syntax::ast::Span| {
        let part = translated.get(span.start.offset..span.end.offset).filter(|part| !part.is_empty());
        part.map_or(kind.clone(), |part| format!("`{}`: {kind}", shown(part)))
    };
    match regex_syntax::Parser::new().parse(translated) {
        Err(regex_syntax::Error::Parse(found)) => about(found.kind().to_string(), found.span()),
        Err(regex_syntax::Error::Translate(found)) => about(found.kind().to_string(), found.span()),
        _ => error.to_string().lines().last().unwrap_or("").trim().to_owned(),
    }
}

/// Most alternatives that a required text may have.
const REQUIRED_MAX: usize = 256;

/// What it costs to be nominated by these texts: of several sets the cheapest is taken.
pub(crate) type Cost = fn(&[String]) -> u64;

/// The longer the shortest text, the better.
fn by_length(texts: &[String]) -> u64 {
    u64::MAX - texts.iter().map(String::len).min().unwrap_or(0) as u64
}

/// Folded texts of which each match contains at least one: of several sets the cheapest. Empty where the expression
/// promises none.
pub(crate) fn required_texts(hir: &Hir, cost: Cost) -> Vec<String> {
    required(hir, cost).unwrap_or_default()
}

fn required(hir: &Hir, cost: Cost) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(|text| vec![fold(text)]),
        HirKind::Capture(capture) => required(&capture.sub, cost),
        HirKind::Repetition(repeat) if repeat.min > 0 => required(&repeat.sub, cost),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(required(branch, cost)?);
            }
            (all.len() <= REQUIRED_MAX).then_some(all)
        }
        HirKind::Concat(parts) => required_of_sequence(parts, cost),
        _ => None,
    }
}

/// The best of the parts, where neighbouring single letters (in either case) are joined to a text.
fn required_of_sequence(parts: &[Hir], cost: Cost) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut run = String::new();
    let mut offer = |texts: Vec<String>| {
        if texts.is_empty() || texts.iter().any(String::is_empty) {
            return;
        }
        if best.as_ref().is_none_or(|best| cost(&texts) < cost(best)) {
            best = Some(texts);
        }
    };
    // Of the part before the run.
    let mut ends: Option<Vec<String>> = None;
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) if std::str::from_utf8(&literal.0).is_ok() => {
                run.push_str(&fold(std::str::from_utf8(&literal.0).unwrap_or("")));
            }
            HirKind::Class(class) if one_letter(class).is_some() => run.extend(one_letter(class)),
            _ => {
                // What stands beside alternatives belongs to each: `\.(php|pl)` asks for `.php` or `.pl`.
                if !run.is_empty() {
                    let starts = edges(part, Edge::Start).into_iter().flatten();
                    offer(starts.map(|start| format!("{run}{start}")).collect());
                    offer(ends.iter().flatten().map(|end| format!("{end}{run}")).collect());
                }
                offer(vec![std::mem::take(&mut run)]);
                ends = edges(part, Edge::End);
                if let Some(texts) = required(part, cost) {
                    offer(texts);
                }
            }
        }
    }
    if !run.is_empty() {
        offer(ends.iter().flatten().map(|end| format!("{end}{run}")).collect());
    }
    offer(vec![run]);
    best
}

/// Which end of a match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

/// Texts of which every match has one at its start, or at its end.
fn edges(hir: &Hir, edge: Edge) -> Option<Vec<String>> {
    if let Some(text) = letters(hir) {
        return Some(vec![text]);
    }
    match hir.kind() {
        HirKind::Capture(capture) => edges(&capture.sub, edge),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(edges(branch, edge)?);
            }
            (all.len() <= REQUIRED_MAX).then_some(all)
        }
        HirKind::Concat(parts) => {
            // What may be left out at the end gives both forms: `sips?`.
            if let (Edge::End, [before @ .., last]) = (edge, parts.as_slice())
                && let HirKind::Repetition(repeat) = last.kind()
                && (repeat.min, repeat.max) == (0, Some(1))
            {
                let (text, ends) = (letters(&repeat.sub)?, edges(&Hir::concat(before.to_vec()), edge)?);
                return Some(ends.into_iter().flat_map(|end| [format!("{end}{text}"), end]).collect());
            }
            let mut runs: Vec<String> = match edge {
                Edge::Start => parts.iter().map_while(letters).collect(),
                Edge::End => parts.iter().rev().map_while(letters).collect(),
            };
            if edge == Edge::End {
                runs.reverse();
            }
            let outer = if edge == Edge::Start { parts.first() } else { parts.last() };
            if runs.is_empty() { edges(outer?, edge) } else { Some(vec![runs.concat()]) }
        }
        _ => None,
    }
}

/// The folded text, where the part is nothing but one.
fn letters(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(fold),
        HirKind::Class(class) => one_letter(class).map(String::from),
        _ => None,
    }
}

/// The folded character, where a class holds nothing but one letter in its cases.
fn one_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut characters = class.ranges().iter().take(4).flat_map(|range| range.start()..=range.end()).take(6);
    let first = fold_char(characters.next()?);
    characters.all(|other| fold_char(other) == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::REGEX_BYTES_MAX;

    fn texts(pattern: &str, ignore_case: bool) -> Vec<String> {
        let flags = RegexFlags { ignore_case, ..RegexFlags::default() };
        required_texts(&regex_syntax::parse(&format!("{}{pattern}", flags.written())).unwrap(), by_length)
    }

    #[test]
    fn required_texts_of_regular_expressions() {
        assert_eq!(texts("union\\s+select", false), ["select"]);
        assert_eq!(texts("union\\s+all", true), ["union"]);
        assert_eq!(texts("(cat|less)\\s+/etc/passwd", false), ["/etc/passwd"]);
        assert_eq!(texts("(sleep|benchmark)\\(", false), ["sleep(", "benchmark("]);
        assert_eq!(texts(".*", false), Vec::<String>::new());
        assert_eq!(texts("\\.(php\\d?|pl|(jsp|war)x?)$", true), [".php", ".pl", ".jsp", ".war"]);
        assert_eq!(texts("\\.(php|\\d)", false), ["."]);
        assert_eq!(texts("^(sips?|t3|x(ab|cd)):", true), ["sips:", "sip:", "t3:", "ab:", "cd:"]);
        assert_eq!(texts("(abc)?", false), Vec::<String>::new());
        assert_eq!(texts("a|", false), Vec::<String>::new());
    }

    #[test]
    fn explosive_or_unsupported_expressions_are_refused_with_the_reason() {
        let reason = |pattern: &str| regex(pattern, RegexFlags::default(), REGEX_BYTES_MAX).map(|_| ()).unwrap_err();
        assert!(reason("(((a{1,1000}){1,1000}){1,1000})").contains("needs more than"), "repeats of repeats");
        assert!(reason("a(?=b)").contains("`a(?=b)` cannot be used: `(?=`: look-around is not supported"));
        assert!(reason("x(a").contains("cannot be read: `(`: unclosed group"), "{}", reason("x(a"));
        assert!(reason("a\\yb").contains("`\\y`: unrecognized escape"), "{}", reason("a\\yb"));
        assert!(reason("(?<n>a)(?<n>b)").contains("`n`: duplicate"), "{}", reason("(?<n>a)(?<n>b)"));
        assert!(reason("\\p{Nothing}").contains("`\\p{Nothing}`: Unicode property"), "{}", reason("\\p{Nothing}"));
        assert_eq!(texts("a\\.(php|pl)$", false), texts("a\\.(php|pl)(?:\\n?\\z)", false));
    }
}
