//! Names that rules use for fields, and the columns that hold them. Decided once, when rules are loaded; the names
//! stand in `schemas/sigma-taxonomy.yaml`, and in files of the same form that users give.

mod expression;
mod form;
mod read;
mod windows;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use event::LogSource;

use crate::check::{Check, FieldRef};
use crate::indicators::Indicators;
use crate::rule_text::{RuleText, standard as standard_file};
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::rule::{Expr, Item};
use crate::sigma::value::Placeholders;
use crate::sigma::words::Words;
use crate::taxonomy::form::{FieldColumn, Form, Section};
use crate::text_pattern::Anchor;
use crate::yaml::Node;

/// Where the names stand that the program knows by itself.
const STANDARD_PATH: &str = "schemas/sigma-taxonomy.yaml";

/// What rules need beside their own text.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Values for the modifier `expand`.
    pub placeholders: Placeholders,
    /// Names of fields, and the columns that hold them.
    pub taxonomy: Taxonomy,
    /// Patterns above this level, from 1 to 4, do not run.
    pub paranoia: u8,
    /// Words that patterns look up.
    pub vocabulary: Words,
    /// Lists that the modifier `indicator` looks up.
    pub indicators: Arc<Indicators>,
}

impl Default for Terms {
    /// The standard taxonomy, paranoia level 1, and no lists.
    fn default() -> Self {
        let (taxonomy, _) = standard();
        Terms {
            placeholders: Placeholders::new(),
            taxonomy: taxonomy.clone(),
            paranoia: 1,
            vocabulary: Words::standard(),
            indicators: Arc::default(),
        }
    }
}

/// The names that the program knows by itself, and what is wrong with them: loading tells it.
pub(crate) fn standard() -> &'static (Taxonomy, Vec<Diagnostic>) {
    static READ: OnceLock<(Taxonomy, Vec<Diagnostic>)> = OnceLock::new();
    READ.get_or_init(|| {
        let mut taxonomy = Taxonomy::default();
        let problems = taxonomy.add_file(standard_file(STANDARD_PATH));
        (taxonomy, problems)
    })
}

/// Names by log source.
#[derive(Clone, Debug, Default)]
pub struct Taxonomy {
    sections: Vec<Section>,
}

/// The names of fields that rules on one log source use.
#[derive(Debug)]
pub(crate) struct Names {
    fields: BTreeMap<String, Vec<FieldColumn>>,
    /// Fields are also looked for where shippers of Windows events put them.
    is_windows: bool,
}

impl Taxonomy {
    /// Adds the entries of a file to those that are there. Gives what is wrong with the file, whose other entries
    /// count.
    pub fn add(&mut self, path: &str, text: &str) -> Vec<Diagnostic> {
        self.add_file((path, text).into())
    }

    fn add_file(&mut self, file: RuleText<'_>) -> Vec<Diagnostic> {
        let mut problems = Problems::new(file.path);
        match file.sound_documents() {
            Ok(documents) => {
                for node in documents.iter().flat_map(Node::one_or_many) {
                    self.sections.extend(read::section(node, &mut problems));
                }
            }
            Err(error) => problems.error(error.place, error.message),
        }
        problems.into_found()
    }

    pub(crate) fn names_for(&self, logsource: &LogSource) -> Names {
        let is_windows = logsource.product.as_deref() == Some("windows");
        let mut names = Names { fields: BTreeMap::new(), is_windows };
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
    fn targets(&self, field: &str) -> &[FieldColumn] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// Columns that hold the field as rules write it, the best first. The name itself is always among them, for events
    /// that carry it literally, unless it is that of a column which has the value in another form.
    fn same_columns(&self, field: &str) -> Vec<String> {
        let targets = self.targets(field);
        let mut columns = columns_of(targets.iter().filter(|target| target.form == Form::Same));
        let is_literal = !targets.iter().any(|target| target.column == field && matches!(target.form, Form::Scale(_)));
        let shipped = self.is_windows.then(|| windows::columns(field)).into_iter().flatten();
        for column in is_literal.then(|| field.to_owned()).into_iter().chain(shipped) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Columns of which the first that has a value tells events apart as the field would: for grouping and counting.
    pub(crate) fn columns(&self, field: &str) -> Vec<String> {
        let mut columns = self.same_columns(field);
        for target in self.targets(field).iter().filter(|target| target.form.keeps_equality()) {
            if !columns.contains(&target.column) {
                columns.push(target.column.clone());
            }
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
        item.columns = self.same_columns(&field);
        if let Check::FieldRef(reference) = &mut item.check {
            reference.columns = self.same_columns(&reference.field);
            let reference = reference.clone();
            return self.references(item, &reference);
        }
        if matches!(item.check, Check::Pack(_)) {
            return Vec::new();
        }
        let other_forms = self.targets(&field).iter().filter(|target| target.form != Form::Same);
        let (within, other_forms): (Vec<&FieldColumn>, Vec<&FieldColumn>) =
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
        let in_form = |target: &FieldColumn| -> Vec<Item> {
            let checks = target.form.checks(&item.check).into_iter();
            checks.map(|check| Item { check, columns: vec![target.column.clone()], ..item.clone() }).collect()
        };
        other_forms.into_iter().flat_map(in_form).collect()
    }

    /// Two fields in the same form are equal where their values are: each form in which both are known is a test.
    fn references(&self, item: &Item, reference: &FieldRef) -> Vec<Item> {
        let Some(field) = item.field.as_ref().filter(|_| reference.anchor == Anchor::Whole) else { return Vec::new() };
        let others = self.targets(&reference.field);
        let shared =
            self.targets(field).iter().filter(|target| target.form != Form::Same && target.form.keeps_equality());
        let in_form = |target: &FieldColumn| {
            let columns = columns_of(others.iter().filter(|other| other.form == target.form));
            let check = Check::FieldRef(FieldRef { columns, ..reference.clone() });
            Item { check, columns: vec![target.column.clone()], ..item.clone() }
        };
        shared.map(in_form).collect()
    }
}

fn columns_of<'a>(targets: impl Iterator<Item = &'a FieldColumn>) -> Vec<String> {
    targets.map(|target| target.column.clone()).collect()
}

#[cfg(test)]
mod tests;
