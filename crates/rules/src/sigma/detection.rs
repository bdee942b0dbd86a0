//! The `detection` section: maps, lists and keywords become expressions over checks.

use std::sync::Arc;

use crate::check::{Check, FieldRef, Number, network};
use crate::indicators::IndicatorCheck;
use crate::sigma::condition;
use crate::sigma::diagnostic::Problems;
use crate::sigma::modifier::{self, Chain, ChainKind};
use crate::sigma::regex::regex;
use crate::sigma::rule::{Expr, Item};
use crate::sigma::value::{ValueError, patterns};
use crate::taxonomy::Terms;
use crate::text_pattern::{Anchor, Piece, TextPattern, read_pieces};
use crate::yaml::{Kind, Location, Node, Scalar, ScalarValue};

/// Reads the section: every selection, then the condition, whatever is wrong with them. `patterns`: what the condition
/// calls so. `None` where a problem was reported.
pub(crate) fn read(section: &Node, patterns: Option<Expr>, terms: &Terms, problems: &mut Problems) -> Option<Expr> {
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`detection` must be a map of selections, not {}", section.shown()));
        return None;
    };
    let before = problems.error_count();
    let mut reader = SelectionReader { terms, problems, missing: Vec::new() };
    let mut selections: Vec<(String, Expr)> = patterns.map(|held| (PATTERNS.to_owned(), held)).into_iter().collect();
    let mut written = None;
    for (key, node) in pairs {
        match key.text.as_str() {
            "condition" => written = Some(node),
            "timeframe" => {
                let reason = "`timeframe` is the legacy form: write a correlation rule instead";
                reader.problems.error(key.place, reason);
            }
            PATTERNS if !selections.is_empty() => {
                reader.problems.error(key.place, "`patterns` is what the condition calls the patterns beside it");
            }
            // One that cannot be read is there all the same for the condition.
            name => selections.push((name.to_owned(), reader.selection(node).unwrap_or_else(Expr::nothing))),
        }
    }
    reader.report_missing(section.place);
    let mut parts = Vec::new();
    match written {
        None => problems.error(section.place, "`detection` has no `condition`"),
        Some(_) if selections.is_empty() => {
            problems.error(section.place, "`detection` has no selection beside `condition`");
        }
        Some(written) => parts = conditions(written, &selections, problems),
    }
    (problems.error_count() == before).then(|| Expr::or(parts))
}

/// What the condition calls the patterns that stand beside it.
const PATTERNS: &str = "patterns";

/// One condition, or a list of them of which one is enough.
fn conditions(written: &Node, selections: &[(String, Expr)], problems: &mut Problems) -> Vec<Expr> {
    let nodes = written.one_or_many();
    let wanted = "a text such as `selection and not filter`, or a list of them";
    if nodes.is_empty() {
        problems.error(written.place, format!("`condition` is an empty list: write {wanted}"));
    }
    let mut parts = Vec::new();
    for node in nodes {
        match node.text().filter(|text| !text.trim().is_empty()) {
            Some(text) => parts.extend(condition::read(text, selections, node.place, problems)),
            None => problems.error(node.place, format!("`condition` must be {wanted}, not {}", node.shown())),
        }
    }
    parts
}

/// Reads selections; names of placeholders without values are gathered, to be told once for the rule.
pub(crate) struct SelectionReader<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) problems: &'a mut Problems,
    pub(crate) missing: Vec<String>,
}

impl SelectionReader<'_> {
    pub(crate) fn report_missing(&mut self, place: Location) {
        let mut names = std::mem::take(&mut self.missing);
        names.sort();
        names.dedup();
        if !names.is_empty() {
            self.problems.wait(place, &names);
        }
    }

    /// A selection: a map (and), a list of maps or keywords (or), or one keyword.
    pub(crate) fn selection(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            Kind::Map(pairs) if !pairs.is_empty() => {
                let parts: Vec<_> =
                    pairs.iter().filter_map(|(key, value)| self.item(&key.text, key.place, value)).collect();
                (parts.len() == pairs.len()).then(|| Expr::and(parts))
            }
            Kind::List(items) if !items.is_empty() => {
                let parts: Vec<_> = items.iter().filter_map(|node| self.selection(node)).collect();
                (parts.len() == items.len()).then(|| Expr::or(parts))
            }
            Kind::Scalar(_) => self.item("", node.place, node),
            _ => {
                let reason = "an empty selection would match everything: give it a field or a keyword";
                self.problems.error(node.place, reason);
                None
            }
        }
    }

    /// `field|modifiers: value(s)`.
    fn item(&mut self, key: &str, place: Location, node: &Node) -> Option<Expr> {
        let mut names = key.split('|');
        let field = names.next().filter(|field| !field.is_empty()).map(str::to_owned);
        let names: Vec<&str> = names.collect();
        let chain = modifier::read(&names, place, self.problems)?;
        if field.is_none() && !matches!(chain.kind, ChainKind::Plain | ChainKind::Regex) {
            let shown = names.join("|");
            let reason = format!("`{shown}` needs a field name in front: it compares a field, not the whole line");
            self.problems.error(place, reason);
            return None;
        }
        let values = node.one_or_many();
        if values.is_empty() {
            let reason = "an empty list of values matches nothing: remove it, or write null for `absent`";
            self.problems.error(node.place, reason);
            return None;
        }
        if chain.all && values.len() == 1 {
            self.problems.warn(place, "`all` on a single value has no effect");
        }
        let builder = ItemBuilder {
            field,
            key,
            chain: &chain,
            in_list: matches!(node.kind, Kind::List(_)),
            terms: self.terms,
            regex_bytes_max: self.problems.regex_bytes_max(),
        };
        let parts: Vec<Expr> = values.iter().filter_map(|value| self.value(&builder, value)).collect();
        if parts.len() != values.len() {
            return None;
        }
        let expr = if chain.all { Expr::and(parts) } else { Expr::or(parts) };
        Some(if chain.negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn value(&mut self, builder: &ItemBuilder<'_>, node: &Node) -> Option<Expr> {
        match builder.value(node) {
            Ok(expr) => {
                self.warn_of_anything(builder, &expr, node);
                return Some(expr);
            }
            Err(ValueError::Unresolved(names)) => self.missing.extend(names),
            Err(ValueError::Wrong(reason)) => self.problems.error(node.place, reason),
        }
        None
    }

    /// Only wildcards are no value: what is said so is said better otherwise, or was not meant.
    fn warn_of_anything(&mut self, builder: &ItemBuilder<'_>, expr: &Expr, node: &Node) {
        let mut is_anything = false;
        expr.items(&mut |item| is_anything |= matches!(&item.check, Check::Text(found) if found.matches_anything()));
        if is_anything {
            let shown = node.shown();
            let reason = match &builder.field {
                Some(field) => {
                    format!("{shown} fits every text: where `{field}` need only be there, write `{field}|exists: true`")
                }
                None => format!("the keyword {shown} is found in every line: write what to look for"),
            };
            self.problems.warn(node.place, reason);
        }
    }
}

struct ItemBuilder<'a> {
    field: Option<String>,
    key: &'a str,
    chain: &'a Chain,
    in_list: bool,
    terms: &'a Terms,
    regex_bytes_max: usize,
}

fn wrong<T>(reason: impl Into<String>) -> Result<T, ValueError> {
    Err(ValueError::Wrong(reason.into()))
}

impl ItemBuilder<'_> {
    /// The tests that a value means: any of them.
    fn value(&self, node: &Node) -> Result<Expr, ValueError> {
        let checks = match &node.kind {
            Kind::Scalar(scalar) => self.checks(scalar)?,
            Kind::Null => vec![self.null()?],
            _ => return wrong(format!("a value of `{}` must be a single value, not {}", self.key, node.shown())),
        };
        let key = if self.key.is_empty() { "keyword" } else { self.key };
        let written = format!("{key}: {}", node.text().map_or("null".to_owned(), |text| format!("'{text}'")));
        let item = |check| {
            Expr::Item(Item { field: self.field.clone(), columns: Vec::new(), check, written: written.clone() })
        };
        Ok(Expr::or(checks.into_iter().map(item).collect()))
    }

    fn null(&self) -> Result<Check, ValueError> {
        if self.in_list {
            return wrong("null must not stand in a list of values: write a selection of its own");
        }
        if self.field.is_none() || self.chain.kind != ChainKind::Plain || !self.chain.steps.is_empty() {
            return wrong("null needs a field name without modifiers");
        }
        Ok(Check::Null)
    }

    fn checks(&self, scalar: &Scalar) -> Result<Vec<Check>, ValueError> {
        let check = match self.chain.kind {
            ChainKind::Plain => return self.plain(scalar),
            ChainKind::Regex => {
                regex(self.text(scalar, "re")?, self.chain.flags, self.regex_bytes_max).map_err(ValueError::Wrong)?
            }
            ChainKind::Cidr => network(self.text(scalar, "cidr")?).map(Check::Cidr).map_err(ValueError::Wrong)?,
            ChainKind::Exists => match scalar.value() {
                ScalarValue::Boolean(wanted) => Check::Exists(wanted),
                _ => return wrong("`exists` takes true or false"),
            },
            ChainKind::Compare(order) => match scalar.value() {
                ScalarValue::Integer(number) => Check::Compare(order, number as f64),
                ScalarValue::Float(number) => Check::Compare(order, number),
                _ => return wrong(format!("`{}` compares with a number", self.key)),
            },
            ChainKind::Time(part, order) => match scalar.value() {
                ScalarValue::Integer(number) if (part.range().0..=part.range().1).contains(&number) => {
                    Check::Time(part, order, number)
                }
                _ => {
                    let (least, most) = part.range();
                    return wrong(format!("`{}` takes a whole number from {least} to {most}", self.key));
                }
            },
            ChainKind::FieldRef => self.field_ref(self.text(scalar, "fieldref")?)?,
            ChainKind::Indicator => {
                let written = self.text(scalar, "indicator")?.to_owned();
                let wanted = TextPattern::new(read_pieces(&written), Anchor::Whole, false);
                let indicators = Arc::clone(&self.terms.indicators);
                Check::Indicator(IndicatorCheck { wanted, written, indicators })
            }
        };
        Ok(vec![check])
    }

    /// The text of a value that must be one.
    fn text<'s>(&self, scalar: &'s Scalar, modifier: &str) -> Result<&'s str, ValueError> {
        if !scalar.quoted && !matches!(scalar.value(), ScalarValue::Text(_)) {
            let shown = &scalar.text;
            return wrong(format!("`{modifier}` works on text values only: put `{shown}` in quotes"));
        }
        Ok(&scalar.text)
    }

    fn field_ref(&self, written: &str) -> Result<Check, ValueError> {
        let field = match read_pieces(written).as_slice() {
            [Piece::Text(field)] => field.clone(),
            _ => return wrong("`fieldref` takes the name of one field, without wildcards"),
        };
        let anchor = self.chain.anchor().unwrap_or(Anchor::Whole);
        Ok(Check::FieldRef(FieldRef { field, columns: Vec::new(), anchor, cased: self.chain.cased }))
    }

    fn plain(&self, scalar: &Scalar) -> Result<Vec<Check>, ValueError> {
        let as_text = !self.chain.steps.is_empty() || self.field.is_none();
        match scalar.value() {
            ScalarValue::Null => return Ok(vec![self.null()?]),
            ScalarValue::Boolean(wanted) if !as_text => return Ok(vec![Check::Boolean(wanted)]),
            ScalarValue::Integer(number) if !as_text => return Ok(vec![Check::Number(Number::Integer(number))]),
            ScalarValue::Float(number) if !as_text => return Ok(vec![Check::Number(Number::Float(number))]),
            _ => {}
        }
        if let Some(name) = self.chain.changes_by {
            self.text(scalar, name)?;
        }
        let patterns = patterns(&scalar.text, self.chain, self.field.is_none(), &self.terms.placeholders)?;
        Ok(patterns.into_iter().map(Check::Text).collect())
    }
}
