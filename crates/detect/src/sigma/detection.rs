//! The `detection` section: maps, lists and keywords become expressions over checks.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::check::{Check, Network, Number, REGEX_BYTES_MAX, RegexCheck};
use crate::fold::{fold, fold_char};
use crate::pattern::{Anchor, Pattern, read_pieces, with_dashes};
use crate::sigma::condition;
use crate::sigma::diagnostic::Problems;
use crate::sigma::modifier::{self, Chain, ChainKind, RegexFlags};
use crate::sigma::rule::{Expr, Item};
use crate::yaml::{Kind, Node, Place, Scalar, Value};

/// Reads the section: every selection, then the condition. `None` where a problem was reported.
pub(crate) fn read(section: &Node, problems: &mut Problems) -> Option<Expr> {
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`detection` must be a map of selections, not {}", section.kind_name()));
        return None;
    };
    let before = problems.error_count();
    let mut selections = Vec::new();
    let mut written = None;
    for (key, node) in pairs {
        match key.text.as_str() {
            "condition" => written = Some(node),
            "timeframe" => {
                problems.error(key.place, "`timeframe` is the legacy form: write a correlation rule instead")
            }
            name => selections.extend(selection(node, problems).map(|expr| (name.to_owned(), expr))),
        }
    }
    let Some(written) = written else {
        problems.error(section.place, "`detection` has no `condition`");
        return None;
    };
    if selections.is_empty() && problems.error_count() == before {
        problems.error(section.place, "`detection` has no selection beside `condition`");
    }
    if problems.error_count() > before {
        return None;
    }
    let mut parts = Vec::new();
    for node in written.one_or_many() {
        match node.text().filter(|text| !text.trim().is_empty()) {
            Some(text) => parts.extend(condition::read(text, &selections, node.place, problems)),
            None => problems.error(node.place, "`condition` must be a text such as `selection and not filter`"),
        }
    }
    (problems.error_count() == before && !parts.is_empty()).then(|| Expr::or(parts))
}

/// A selection: a map (and), a list of maps or keywords (or), or one keyword.
fn selection(node: &Node, problems: &mut Problems) -> Option<Expr> {
    match &node.kind {
        Kind::Map(pairs) if !pairs.is_empty() => {
            let parts: Vec<_> =
                pairs.iter().filter_map(|(key, value)| item(&key.text, key.place, value, problems)).collect();
            (parts.len() == pairs.len()).then(|| Expr::and(parts))
        }
        Kind::List(items) if !items.is_empty() => {
            let parts: Vec<_> = items.iter().filter_map(|node| selection(node, problems)).collect();
            (parts.len() == items.len()).then(|| Expr::or(parts))
        }
        Kind::Scalar(_) => item("", node.place, node, problems),
        _ => {
            problems.error(node.place, "an empty selection would match everything: give it a field or a keyword");
            None
        }
    }
}

/// `field|modifiers: value(s)`.
fn item(key: &str, place: Place, node: &Node, problems: &mut Problems) -> Option<Expr> {
    let mut names = key.split('|');
    let field = names.next().filter(|field| !field.is_empty()).map(str::to_owned);
    let names: Vec<&str> = names.collect();
    let chain = modifier::read(&names, place, problems)?;
    if field.is_none() && matches!(chain.kind, ChainKind::Exists | ChainKind::Cidr | ChainKind::Compare(_)) {
        problems.error(place, "exists, cidr and comparisons need a field name");
        return None;
    }
    let values = node.one_or_many();
    if values.is_empty() {
        problems.error(node.place, "an empty list of values matches nothing: remove it, or write null for `absent`");
        return None;
    }
    if chain.all && values.len() == 1 {
        problems.warn(place, "`all` on a single value has no effect");
    }
    let builder = ItemBuilder { field, key, chain, in_list: matches!(node.kind, Kind::List(_)) };
    let parts: Vec<Expr> = values.iter().filter_map(|value| builder.value(value, problems)).collect();
    if parts.len() != values.len() {
        return None;
    }
    let expr = if chain.all { Expr::and(parts) } else { Expr::or(parts) };
    Some(if chain.negated { Expr::Not(Box::new(expr)) } else { expr })
}

struct ItemBuilder<'a> {
    field: Option<String>,
    key: &'a str,
    chain: Chain,
    in_list: bool,
}

impl ItemBuilder<'_> {
    fn value(&self, node: &Node, problems: &mut Problems) -> Option<Expr> {
        let check = match &node.kind {
            Kind::Scalar(scalar) => self.check(scalar),
            Kind::Null => self.null(),
            _ => Err(format!("a value of `{}` must be a single value, not {}", self.key, node.kind_name())),
        };
        match check {
            Ok(check) => {
                let key = if self.key.is_empty() { "keyword" } else { self.key };
                let written = format!("{key}: {}", node.text().map_or("null".to_owned(), |text| format!("'{text}'")));
                Some(Expr::Item(Item { field: self.field.clone(), check, written }))
            }
            Err(reason) => {
                problems.error(node.place, reason);
                None
            }
        }
    }

    fn null(&self) -> Result<Check, String> {
        if self.in_list {
            return Err("null must not stand in a list of values: write a selection of its own".to_owned());
        }
        if self.field.is_none() || self.chain.kind != ChainKind::Plain || self.chain.anchor.is_some() {
            return Err("null needs a field name without modifiers".to_owned());
        }
        Ok(Check::Null)
    }

    fn check(&self, scalar: &Scalar) -> Result<Check, String> {
        match self.chain.kind {
            ChainKind::Regex => regex(&scalar.text, self.chain.flags),
            ChainKind::Cidr => Network::read(&scalar.text).map(Check::Cidr),
            ChainKind::Exists => match scalar.value() {
                Value::Boolean(wanted) => Ok(Check::Exists(wanted)),
                _ => Err("`exists` takes true or false".to_owned()),
            },
            ChainKind::Compare(order) => match scalar.value() {
                Value::Integer(number) => Ok(Check::Compare(order, number as f64)),
                Value::Float(number) => Ok(Check::Compare(order, number)),
                _ => Err(format!("`{}` compares with a number", self.key)),
            },
            ChainKind::Plain => self.plain(scalar),
        }
    }

    fn plain(&self, scalar: &Scalar) -> Result<Check, String> {
        let anchored = self.chain.anchor.is_some() || self.field.is_none();
        match scalar.value() {
            Value::Null => self.null(),
            Value::Boolean(wanted) if !anchored => Ok(Check::Boolean(wanted)),
            Value::Integer(number) if !anchored => Ok(Check::Number(Number::Integer(number))),
            Value::Float(number) if !anchored => Ok(Check::Number(Number::Float(number))),
            _ => {
                if self.chain.windash && !scalar.quoted && !matches!(scalar.value(), Value::Text(_)) {
                    return Err("`windash` works on text values only".to_owned());
                }
                let mut pieces = read_pieces(&scalar.text);
                if self.chain.windash {
                    pieces = with_dashes(pieces);
                }
                // A keyword is found anywhere in the line.
                let whole = if self.field.is_none() { Anchor::Contains } else { Anchor::Whole };
                Ok(Check::Text(Pattern::new(pieces, self.chain.anchor.unwrap_or(whole), self.chain.cased)))
            }
        }
    }
}

fn regex(written: &str, flags: RegexFlags) -> Result<Check, String> {
    let build = |pattern: &str| {
        regex::RegexBuilder::new(pattern)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .size_limit(REGEX_BYTES_MAX)
            .build()
    };
    let written = &with_literal_class_operators(written);
    // What PCRE reads as a literal brace is an error here: escape it and try again.
    let compiled = build(written).or_else(|error| build(&with_literal_braces(written)).map_err(|_| error));
    let regex = compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the regular expression needs more than {limit} bytes: bound its repeats")
        }
        _ if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| written.contains(look)) => {
            "look-around is not supported in regular expressions: split the rule into two selections".to_owned()
        }
        other => format!("the regular expression cannot be read: {}", last_line(&other.to_string())),
    })?;
    let required = required_texts(regex.as_str(), flags);
    Ok(Check::Regex(RegexCheck { regex, required }))
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim()
}

/// Escapes what PCRE reads literally inside a class and this engine as set operations: `[`, `&&`, `--` and `~~`.
/// POSIX classes such as `[:alpha:]` stay.
fn with_literal_class_operators(written: &str) -> String {
    let mut out = String::with_capacity(written.len() + 4);
    let mut inside = false;
    let mut rest = written;
    while let Some(character) = rest.chars().next() {
        let length = if character == '\\' {
            1 + rest[1..].chars().next().map_or(0, char::len_utf8)
        } else {
            character.len_utf8()
        };
        let (taken, after) = rest.split_at(length);
        let first_in_class = inside && (out.ends_with('[') || out.ends_with("[^"));
        let operator = ["&&", "--", "~~"].iter().any(|operator| rest.starts_with(operator));
        if inside && ((character == '[' && !rest.starts_with("[:")) || operator) {
            out.push('\\');
        }
        match character {
            '[' if !inside => inside = true,
            ']' if inside && !first_in_class && !out.ends_with(':') => inside = false,
            _ => {}
        }
        out.push_str(taken);
        rest = after;
    }
    out
}

/// Escapes each `{` that does not start a repeat such as `{2}`, `{2,}` or `{2,5}`.
fn with_literal_braces(written: &str) -> String {
    let mut out = String::with_capacity(written.len() + 4);
    let mut escaped = false;
    for (at, character) in written.char_indices() {
        let inside = written[at..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(inside, _)| inside);
        let repeat = inside.is_some_and(|inside| {
            inside.starts_with(|first: char| first.is_ascii_digit())
                && inside.chars().all(|digit| digit.is_ascii_digit() || digit == ',')
        });
        if character == '{' && !escaped && !repeat {
            out.push('\\');
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
    out
}

/// Most alternatives that a required text may have.
const REQUIRED_MAX: usize = 64;

/// Folded texts of which each match contains at least one. Empty where the expression promises none.
fn required_texts(pattern: &str, flags: RegexFlags) -> Vec<String> {
    let parsed = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(pattern);
    parsed.ok().and_then(|hir| required(&hir)).unwrap_or_default()
}

fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(|text| vec![fold(text)]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repeat) if repeat.min > 0 => required(&repeat.sub),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(required(branch)?);
            }
            (all.len() <= REQUIRED_MAX).then_some(all)
        }
        HirKind::Concat(parts) => required_of_sequence(parts),
        _ => None,
    }
}

/// The best of the parts, where neighbouring single letters (in either case) are joined to a text.
fn required_of_sequence(parts: &[Hir]) -> Option<Vec<String>> {
    let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
    let mut best: Option<Vec<String>> = None;
    let mut run = String::new();
    let mut offer = |texts: Vec<String>| {
        if shortest(&texts) > best.as_ref().map_or(0, shortest) {
            best = Some(texts);
        }
    };
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) if std::str::from_utf8(&literal.0).is_ok() => {
                run.push_str(&fold(std::str::from_utf8(&literal.0).unwrap_or("")));
            }
            HirKind::Class(class) if one_letter(class).is_some() => run.extend(one_letter(class)),
            _ => {
                offer(vec![std::mem::take(&mut run)]);
                if let Some(texts) = required(part) {
                    offer(texts);
                }
            }
        }
    }
    offer(vec![run]);
    best
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

    fn texts(pattern: &str, ignore_case: bool) -> Vec<String> {
        required_texts(pattern, RegexFlags { ignore_case, ..RegexFlags::default() })
    }

    #[test]
    fn required_texts_of_regular_expressions() {
        assert_eq!(texts("union\\s+select", false), ["select"]);
        assert_eq!(texts("union\\s+all", true), ["union"]);
        assert_eq!(texts("(cat|less)\\s+/etc/passwd", false), ["/etc/passwd"]);
        assert_eq!(texts("(sleep|benchmark)\\(", false), ["sleep", "benchmark"]);
        assert_eq!(texts(".*", false), Vec::<String>::new());
        assert_eq!(texts("(abc)?", false), Vec::<String>::new());
        assert_eq!(texts("a|", false), Vec::<String>::new());
    }

    #[test]
    fn braces_that_are_no_repeats_are_literal() {
        let check = |pattern: &str| regex(pattern, RegexFlags::default());
        let Ok(Check::Regex(check)) = check("\\$\\{jndi:{x") else { panic!("must compile") };
        assert!(check.regex.is_match("${jndi:{x"));
    }

    #[test]
    fn classes_mean_what_they_mean_in_pcre() {
        for (pattern, yes, no) in [
            ("^[a&&b]z$", "&z", "cz"),
            ("^[a--b]z$", "-z", "cz"),
            ("^[[x]z$", "[z", "cz"),
            ("^[[:digit:]]z$", "4z", "az"),
            ("^[]a]z$", "]z", "bz"),
            ("^[a\\]b]z$", "]z", "cz"),
        ] {
            let Ok(Check::Regex(check)) = regex(pattern, RegexFlags::default()) else {
                panic!("{pattern} must compile")
            };
            assert!(check.regex.is_match(yes) && !check.regex.is_match(no), "{pattern}");
        }
    }

    #[test]
    fn explosive_or_unsupported_expressions_are_refused_with_the_reason() {
        let reason = |pattern: &str| regex(pattern, RegexFlags::default()).map(|_| ()).unwrap_err();
        assert!(reason("(((a{1,1000}){1,1000}){1,1000})").contains("needs more than"), "repeats of repeats");
        assert!(reason("a(?=b)").contains("look-around"));
        assert!(reason("(a").contains("cannot be read"));
        assert!(reason("(a)\\1").contains("backreferences"));
    }
}
