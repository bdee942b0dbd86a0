//! Names that rules use for fields, and the columns that hold them. Decided once, when rules are loaded; the names stand
//! in `schemas/sigma-taxonomy.yaml`, and in files of the same form that users give.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::LogSource;

use crate::check::{Check, Number};
use crate::indicators::Indicators;
use crate::pattern::{Anchor, Pattern, read_pieces};
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::rule::{Expr, Item};
use crate::sigma::value::Placeholders;
use crate::yaml::{self, Node, Place};

/// The names that the program knows by itself.
const STANDARD: &str = include_str!("../../../schemas/sigma-taxonomy.yaml");
/// Where they stand, for diagnostics.
const STANDARD_PATH: &str = "schemas/sigma-taxonomy.yaml";

/// What rules need beside their own text.
#[derive(Clone, Debug)]
pub struct Terms {
    pub placeholders: Placeholders,
    pub taxonomy: Taxonomy,
    /// Patterns above this level, from 1 to 4, do not run.
    pub paranoia: u8,
    /// Lists that the modifier `indicator` looks up.
    pub indicators: Arc<Indicators>,
}

impl Default for Terms {
    /// The standard taxonomy, and no lists.
    fn default() -> Self {
        let mut taxonomy = Taxonomy::default();
        let problems = taxonomy.add(STANDARD_PATH, STANDARD);
        debug_assert!(problems.is_empty(), "{problems:?}");
        Terms { placeholders: Placeholders::new(), taxonomy, paranoia: 1, indicators: Arc::default() }
    }
}

/// Names by log source.
#[derive(Clone, Debug, Default)]
pub struct Taxonomy {
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    logsources: Vec<LogSource>,
    fields: BTreeMap<String, Vec<Target>>,
}

/// A column that holds a field's value.
#[derive(Clone, Debug, PartialEq)]
struct Target {
    column: String,
    form: Form,
}

/// How the column's value differs from the one that a rule names.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    Same,
    /// The rule's value has this in front.
    Prefix(String),
    /// The column's value has this behind.
    Trailing(String),
    /// The column's number is so many times the rule's.
    Scale(f64),
    /// The rule's value, folded, and the column's.
    Values(Vec<(String, String)>),
    /// The rule's value means that the column is absent.
    Absent(String),
    /// The column holds the value among other things: where the value is, the column need not be that alone.
    Within,
}

/// The names that rules on one log source speak.
#[derive(Debug)]
pub(crate) struct Names {
    fields: BTreeMap<String, Vec<Target>>,
}

impl Taxonomy {
    /// Adds the entries of a file; of what was there before and what comes now, all counts.
    pub fn add(&mut self, path: &str, text: &str) -> Vec<Diagnostic> {
        let mut problems = Problems::new(path);
        match yaml::read(text) {
            Ok(documents) => {
                for node in documents.iter().flat_map(Node::one_or_many) {
                    self.sections.extend(section(node, &mut problems));
                }
            }
            Err(error) => problems.error(error.place, error.message),
        }
        problems.into_found()
    }

    pub(crate) fn names_for(&self, logsource: &LogSource) -> Names {
        let mut names = Names { fields: BTreeMap::new() };
        let speaks = |section: &&Section| section.logsources.iter().any(|wanted| logsource.satisfies(wanted));
        for (field, targets) in self.sections.iter().filter(speaks).flat_map(|section| &section.fields) {
            let known = names.fields.entry(field.clone()).or_default();
            for target in targets {
                if !known.contains(target) {
                    known.push(target.clone());
                }
            }
        }
        names
    }
}

impl Names {
    fn targets(&self, field: &str) -> &[Target] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// Columns that hold the field as rules write it, the best first. The name itself is always among them, for events
    /// that carry it literally.
    pub(crate) fn columns(&self, field: &str) -> Vec<String> {
        let same = self.targets(field).iter().filter(|target| target.form == Form::Same);
        let mut columns: Vec<String> = same.map(|target| target.column.clone()).collect();
        if !columns.iter().any(|column| column == field) {
            columns.push(field.to_owned());
        }
        columns
    }

    /// Gives every test of the expression its columns; those that hold a value in another form get tests of their own.
    pub(crate) fn bind(&self, expr: &mut Expr) {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().for_each(|part| self.bind(part)),
            Expr::Not(inner) | Expr::Named(_, inner) => self.bind(inner),
            Expr::Item(item) => {
                let mut others = self.bind_item(item);
                if !others.is_empty() {
                    others.insert(0, item.clone());
                    *expr = Expr::Or(others.into_iter().map(Expr::Item).collect());
                }
            }
        }
    }

    /// Binds the item, and gives those that look for its value in other forms.
    fn bind_item(&self, item: &mut Item) -> Vec<Item> {
        let Some(field) = item.field.clone() else { return Vec::new() };
        item.columns = self.columns(&field);
        if let Check::FieldRef(reference) = &mut item.check {
            reference.columns = self.columns(&reference.field);
            return Vec::new();
        }
        if matches!(item.check, Check::Pack(_)) {
            return Vec::new();
        }
        let other_forms = self.targets(&field).iter().filter(|target| target.form != Form::Same);
        let (within, other_forms): (Vec<&Target>, Vec<&Target>) =
            other_forms.partition(|target| target.form == Form::Within);
        if matches!(item.check, Check::Null | Check::Exists(_)) {
            // Present in any form is present.
            for target in other_forms.iter().filter(|target| !matches!(target.form, Form::Absent(_))) {
                if !item.columns.contains(&target.column) {
                    item.columns.push(target.column.clone());
                }
            }
            return Vec::new();
        }
        item.columns.extend(within.iter().map(|target| target.column.clone()));
        let in_form = |target: &Target| -> Vec<Item> {
            let checks = target.form.checks(&item.check).into_iter();
            checks.map(|check| Item { check, columns: vec![target.column.clone()], ..item.clone() }).collect()
        };
        other_forms.into_iter().flat_map(in_form).collect()
    }
}

impl Form {
    /// Tests of the column's value of which one passes where the rule's value would.
    fn checks(&self, check: &Check) -> Vec<Check> {
        let whole = |text: &str| Check::Text(Pattern::new(read_pieces(&escaped(text)), Anchor::Whole, false));
        match (self, check) {
            (Form::Prefix(prefix), Check::Text(pattern)) => {
                pattern.behind(prefix).into_iter().map(Check::Text).collect()
            }
            (Form::Trailing(text), Check::Text(pattern)) => {
                pattern.followed_by(text).into_iter().map(Check::Text).collect()
            }
            (Form::Scale(factor), Check::Number(Number::Integer(number))) => {
                vec![Check::Number(Number::Float(*number as f64 * factor))]
            }
            (Form::Scale(factor), Check::Number(Number::Float(number))) => {
                vec![Check::Number(Number::Float(number * factor))]
            }
            (Form::Scale(factor), Check::Compare(order, number)) => vec![Check::Compare(*order, number * factor)],
            (Form::Values(values), check) => {
                let wanted = match check {
                    Check::Boolean(wanted) => wanted.to_string(),
                    Check::Text(pattern) => pattern.whole_text().unwrap_or_default(),
                    _ => return Vec::new(),
                };
                values.iter().filter(|(theirs, _)| *theirs == wanted).map(|(_, ours)| whole(ours)).collect()
            }
            (Form::Absent(mark), Check::Text(pattern)) if pattern.whole_text().as_ref() == Some(mark) => {
                vec![Check::Null]
            }
            _ => Vec::new(),
        }
    }
}

/// The text with what a pattern would take for wildcards or escapes marked as itself.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|each| ['\\'].into_iter().filter(move |_| "*?\\".contains(each)).chain([each])).collect()
}

fn section(node: &Node, problems: &mut Problems) -> Option<Section> {
    let (Some(logsource), Some(fields)) = (node.get("logsource"), node.get("fields").and_then(Node::map)) else {
        problems
            .error(node.place, "an entry needs `logsource`, one or a list, and `fields`, a map of names to columns");
        return None;
    };
    let logsources: Vec<LogSource> =
        logsource.one_or_many().iter().filter_map(|node| log_source(node, problems)).collect();
    if logsources.is_empty() {
        problems.error(logsource.place, "`logsource` needs a product, category or service");
    }
    let fields = fields.iter().map(|(name, node)| (name.text.clone(), targets(node, problems))).collect();
    Some(Section { logsources, fields })
}

fn log_source(node: &Node, problems: &mut Problems) -> Option<LogSource> {
    let mut source = LogSource::default();
    for (key, value) in node.map().unwrap_or_default() {
        let part = match key.text.as_str() {
            "product" => &mut source.product,
            "category" => &mut source.category,
            "service" => &mut source.service,
            other => {
                let reason = format!("`{other}` is no part of a log source: product, category or service");
                problems.error(key.place, reason);
                continue;
            }
        };
        *part = value.text().map(str::to_lowercase);
    }
    (source != LogSource::default()).then_some(source)
}

fn targets(node: &Node, problems: &mut Problems) -> Vec<Target> {
    let targets: Vec<Target> = node.one_or_many().iter().filter_map(|node| target(node, problems)).collect();
    if targets.is_empty() {
        problems.error(node.place, "the name needs at least one column");
    }
    targets
}

fn target(node: &Node, problems: &mut Problems) -> Option<Target> {
    if let Some(column) = node.text() {
        return Some(Target { column: column.to_owned(), form: Form::Same });
    }
    let Some(column) = node.get("column").and_then(Node::text) else {
        problems.error(
            node.place,
            "a column is a name, or a map with `column` and one of prefix, trailing, scale, values, absent, within",
        );
        return None;
    };
    let mut form = Form::Same;
    for (key, value) in node.map().unwrap_or_default().iter().filter(|(key, _)| key.text != "column") {
        let read = read_form(&key.text, value);
        match read {
            Some(read) if form == Form::Same => form = read,
            Some(_) => problems.error(key.place, "a column holds its value in one other form only"),
            None => wrong_form(&key.text, key.place, problems),
        }
    }
    Some(Target { column: column.to_owned(), form })
}

fn wrong_form(key: &str, place: Place, problems: &mut Problems) {
    let reason = match key {
        "prefix" | "trailing" | "absent" => format!("`{key}` takes a text that is not empty"),
        "scale" => "`scale` takes a number above 0".to_owned(),
        "within" => "`within` is true, or left out".to_owned(),
        "values" => "`values` takes a map of texts to texts".to_owned(),
        other => format!("`{other}` is not known here: prefix, trailing, scale, values, absent or within"),
    };
    problems.error(place, reason);
}

fn read_form(key: &str, value: &Node) -> Option<Form> {
    let text = || value.text().filter(|text| !text.is_empty()).map(str::to_lowercase);
    Some(match key {
        "prefix" => Form::Prefix(text()?),
        "trailing" => Form::Trailing(text()?),
        "absent" => Form::Absent(text()?),
        "scale" => Form::Scale(text()?.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0)?),
        "within" => (value.text()? == "true").then_some(Form::Within)?,
        "values" => {
            let pair = |(theirs, ours): &(yaml::Key, Node)| Some((theirs.text.to_lowercase(), ours.text()?.to_owned()));
            Form::Values(value.map()?.iter().map(pair).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
