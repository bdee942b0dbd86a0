//! The condition line: `selection and not 1 of filter_*`. Loosest to tightest: or, and, not, x-of, parentheses.

use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{Expr, Needed};
use crate::yaml::Location;

/// Deepest nesting of parentheses and `not`.
const DEPTH_MAX: usize = 64;

/// What joins selections, and what no selection of a condition can be.
const OPERATORS: [&str; 7] = ["and", "or", "not", "of", "them", ")", "|"];

/// The named selections of a rule, in the order written.
pub(crate) type Selections = [(String, Expr)];

/// Reads one condition and puts the selections in. `None` where a problem was reported.
pub(crate) fn read(text: &str, selections: &Selections, place: Location, problems: &mut Problems) -> Option<Expr> {
    let tokens: Vec<&str> = tokens(text);
    let mut reader = ConditionReader { tokens: &tokens, at: 0, depth: 0, selections, unknown: Vec::new() };
    let found = reader.or().and_then(|expr| match reader.peek() {
        None => Ok(expr),
        Some(")") => Err("`)` without `(` in the condition".to_owned()),
        Some("|") => Err("aggregation after `|` is the legacy form: write a correlation rule instead".to_owned()),
        Some(word) => Err(format!("`{word}` is not expected here: join selections with and, or, not, in lower case")),
    });
    let reasons = reader.reasons(found.as_ref().err());
    let is_sound = reasons.is_empty();
    reasons.into_iter().for_each(|reason| problems.error(place, reason));
    found.ok().filter(|_| is_sound)
}

/// The condition of a temporal correlation: an expression over its rules. Where none are listed, those that it names
/// are meant; else it must name each of them. Every reason against it.
pub(crate) fn read_rules(text: &str, rules: &mut Vec<String>) -> Result<Needed, Vec<String>> {
    let tokens = tokens(text);
    let is_word = |token: &&&str| !matches!(**token, "and" | "or" | "not" | "(" | ")");
    let named: Vec<&str> = tokens.iter().filter(is_word).copied().collect();
    if rules.is_empty() {
        for name in &named {
            if !rules.iter().any(|known| known == name) {
                rules.push((*name).to_owned());
            }
        }
    }
    let unused = rules.iter().filter(|rule| !named.contains(&rule.as_str()));
    let mut reasons: Vec<String> =
        unused.map(|rule| format!("the condition does not name `{rule}`, which `rules` lists")).collect();
    let selections: Vec<(String, Expr)> = rules.iter().map(|rule| (rule.clone(), Expr::nothing())).collect();
    let mut reader = ConditionReader { tokens: &tokens, at: 0, depth: 0, selections: &selections, unknown: Vec::new() };
    let found = reader.or().and_then(|expr| match reader.peek() {
        None => Ok(expr),
        Some(word) => Err(format!("`{word}` is not expected here: join rules with and, or, not, in lower case")),
    });
    let wrong = reader.reasons(found.as_ref().err()).into_iter();
    reasons.extend(wrong.map(|reason| reason.replace("a selection of this rule", "one of `rules`")));
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let needed = found.ok().and_then(|expr| needed(&expr, rules));
    needed.ok_or_else(|| vec!["the condition cannot be read".to_owned()])
}

fn needed(expr: &Expr, rules: &[String]) -> Option<Needed> {
    let all = |parts: &[Expr]| parts.iter().map(|part| needed(part, rules)).collect::<Option<Vec<_>>>();
    Some(match expr {
        Expr::And(parts) => Needed::All(all(parts)?),
        Expr::Or(parts) => Needed::Any(all(parts)?),
        Expr::Not(inner) => Needed::Not(Box::new(needed(inner, rules)?)),
        Expr::Named(name, _) => Needed::Rule(rules.iter().position(|rule| rule == name)?),
        Expr::Item(_) => return None,
    })
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')', '|']) {
            if at > 0 {
                tokens.push(&rest[..at]);
            }
            tokens.push(&rest[at..=at]);
            rest = &rest[at + 1..];
        }
        if !rest.is_empty() {
            tokens.push(rest);
        }
    }
    tokens
}

struct ConditionReader<'a> {
    tokens: &'a [&'a str],
    at: usize,
    depth: usize,
    selections: &'a Selections,
    /// Why names mean nothing: reading goes on, to find the others.
    unknown: Vec<String>,
}

impl<'a> ConditionReader<'a> {
    /// What is wrong, each thing once.
    fn reasons(&self, last: Option<&String>) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for reason in self.unknown.iter().chain(last) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        reasons
    }

    /// Notes why a name means nothing and stands in for it.
    fn nothing(&mut self, reason: String) -> Expr {
        self.unknown.push(reason);
        Expr::nothing()
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.and()?];
        while self.take("or") {
            parts.push(self.and()?);
        }
        Ok(Expr::or(parts))
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        while self.take("and") {
            parts.push(self.not()?);
        }
        Ok(Expr::and(parts))
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the condition is nested deeper than 64 levels".to_owned());
        }
        let expr = if self.take("not") { Expr::Not(Box::new(self.not()?)) } else { self.primary()? };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inside = self.or()?;
            return if self.take(")") { Ok(inside) } else { Err("`(` is not closed in the condition".to_owned()) };
        }
        let Some(word) = self.peek() else { return Err("the condition ends where a selection is expected".to_owned()) };
        self.at += 1;
        if let Some(of) = self.peek().filter(|next| next.eq_ignore_ascii_case("of")) {
            if of != "of" {
                return Err(format!("`{of}` stands where `of` is expected; operators are written in lower case"));
            }
            self.at += 1;
            return self.of(word);
        }
        // A selection may be called `Not`, but not `not`.
        if let Some(known) = self.named(word).filter(|_| !OPERATORS.contains(&word)) {
            return Ok(known);
        }
        if OPERATORS.iter().any(|operator| operator.eq_ignore_ascii_case(word)) {
            return Err(format!("`{word}` stands where a selection is expected; operators are written in lower case"));
        }
        Ok(self.nothing(format!("the condition names `{word}`, which is not a selection of this rule")))
    }

    fn named(&self, name: &str) -> Option<Expr> {
        let (name, expr) = self.selections.iter().find(|(known, _)| known == name)?;
        Some(Expr::Named(name.clone(), Box::new(expr.clone())))
    }

    /// `1 of pattern`, `any of pattern`, `all of pattern`.
    fn of(&mut self, quantifier: &str) -> Result<Expr, String> {
        let all = match quantifier {
            "1" | "any" => false,
            "all" => true,
            other => return Err(format!("`{other} of` is not known: write `1 of`, `any of` or `all of`")),
        };
        let Some(pattern) = self.peek() else {
            return Err("`of` must be followed by them, a name or a pattern".to_owned());
        };
        self.at += 1;
        let chosen: Vec<Expr> = self
            .selections
            .iter()
            .filter(|(name, _)| selects(pattern, name))
            .filter_map(|(name, _)| self.named(name))
            .collect();
        if chosen.is_empty() {
            let case = pattern.eq_ignore_ascii_case("them") && pattern != "them";
            let hint = if case { "`them` is written in lower case" } else { "no selection of this rule fits" };
            return Ok(self.nothing(format!("`{pattern}` selects nothing: {hint}")));
        }
        Ok(if all { Expr::and(chosen) } else { Expr::or(chosen) })
    }
}

/// Whether a pattern of `of` means this selection. Names that start with `_` are meant only by patterns that do, too.
fn selects(pattern: &str, name: &str) -> bool {
    let hidden = name.starts_with('_') && !pattern.starts_with('_');
    if hidden {
        return false;
    }
    pattern == "them" || fits(pattern.as_bytes(), name.as_bytes())
}

/// `*` stands for any run of characters, everything else for itself.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| fits(rest, &name[skip..])),
        Some((first, rest)) => name.split_first().is_some_and(|(head, tail)| head == first && fits(rest, tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Check;
    use crate::sigma::rule::Item;

    fn check(text: &str) -> Result<String, String> {
        let item = |name: &str| {
            Expr::Item(Item { field: Some(name.into()), columns: Vec::new(), check: Check::Null, written: name.into() })
        };
        let names = ["a", "b", "filter_1", "filter_2", "_hidden", "x.conf", "sel|endswith"];
        let selections: Vec<_> = names.iter().map(|name| ((*name).to_owned(), item(name))).collect();
        let mut problems = Problems::new("test");
        let expr = read(text, &selections, Location::default(), &mut problems);
        expr.map(|expr| expr.to_string()).ok_or_else(|| problems.into_found().remove(0).reason)
    }

    #[test]
    fn precedence_is_or_and_not_of() {
        for (text, expected) in [
            ("a", "a"),
            ("a or b and not a", "(a or (b and not a))"),
            ("not a and b", "(not a and b)"),
            ("not (a or b)", "not (a or b)"),
            ("a and not 1 of filter_*", "(a and not (filter_1 or filter_2))"),
            ("all of filter_*", "(filter_1 and filter_2)"),
            ("1 of filter*", "(filter_1 or filter_2)"),
            ("any of them", "(a or b or filter_1 or filter_2 or x.conf or sel|endswith)"),
            ("1 of _*", "_hidden"),
            ("1 of x*", "x.conf"),
            ("1 of *er_2", "filter_2"),
            ("a\n  or\n b", "(a or b)"),
        ] {
            assert_eq!(check(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_condition_is_refused_with_the_reason() {
        for (text, words) in [
            ("", "ends where"),
            ("a and", "ends where"),
            ("a b", "not expected"),
            ("(a", "not closed"),
            ("a)", "without `(`"),
            ("c", "`c`, which is not a selection"),
            ("1 of none_*", "selects nothing"),
            ("2 of filter_*", "`2 of` is not known"),
            ("a AND b", "not expected here: join selections with and, or, not, in lower case"),
            ("1 OF filter_*", "`OF` stands where `of` is expected; operators are written in lower case"),
            ("ANY of filter_*", "`ANY of` is not known"),
            ("1 of THEM", "`them` is written in lower case"),
            ("Not a", "`Not` stands where"),
            ("a and or b", "`or` stands where"),
            ("a | count() > 5", "legacy"),
            (&"(".repeat(100), "64 levels"),
        ] {
            let reason = check(text).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    #[test]
    fn every_unknown_name_is_told_once() {
        let mut problems = Problems::new("test");
        read("x and not (y or x) or 1 of z* and", &[], Location::default(), &mut problems);
        let reasons: Vec<String> = problems.into_found().into_iter().map(|found| found.reason).collect();
        let wanted = ["names `x`", "names `y`", "`z*` selects nothing", "ends where a selection"];
        assert_eq!(reasons.len(), wanted.len(), "{reasons:?}");
        assert!(reasons.iter().zip(wanted).all(|(reason, words)| reason.contains(words)), "{reasons:?}");
    }
}
