//! Which fields rules read, where they are looked for, and which of our parsers write them.

use std::collections::{BTreeMap, BTreeSet};

use event::dataset::{CONTAINER, CONTINUATION, DATASETS, JSON, TEXT, UNPARSED};
use event::{Dataset, DatasetId, Field, LogSource};

use crate::check::Check;
use crate::ruleset::RuleSet;
use crate::sigma::rule::{CorrelationKind, Expr};

/// A field as rules on one log source name it.
#[derive(Clone, Debug)]
pub struct FieldUse {
    /// The field's name as rules write it.
    pub field: String,
    /// The log source of those rules.
    pub logsource: LogSource,
    /// Where it is looked for, its own name included.
    pub columns: Vec<String>,
    /// Ids of the rules that read it.
    pub rules: Vec<String>,
    /// Our parsers' kinds of log that satisfy the log source, by name; where there are none, only JSON events can.
    pub judged: Vec<&'static str>,
    /// Those of them that have the field.
    pub written: Vec<&'static str>,
}

impl FieldUse {
    /// A parser reads the rules' log source, or others of its product, and never writes the field: only JSON events can
    /// have it.
    pub fn is_unwritten(&self) -> bool {
        let product = self.logsource.product.as_deref();
        let is_ours = product.is_some_and(|product| parsed().any(|dataset| dataset.products.contains(&product)));
        self.written.is_empty() && (is_ours || !self.judged.is_empty())
    }
}

/// Name of the field that has the whole line.
const LINE: &str = "event.original";

/// Who reads a field of one log source, and where.
struct Readers<'a> {
    logsource: &'a LogSource,
    columns: BTreeSet<String>,
    rules: BTreeSet<&'a str>,
}

fn parsed() -> impl Iterator<Item = &'static Dataset> {
    let known = |at: &usize| ![CONTAINER, CONTINUATION, JSON, TEXT, UNPARSED].contains(&DatasetId(*at as u8));
    (0..DATASETS.len()).filter(known).map(|at| &DATASETS[at])
}

impl RuleSet {
    /// Every field that rules read, by name, then by log source.
    pub fn fields(&self) -> Vec<FieldUse> {
        // By name and log source.
        let mut uses: BTreeMap<(String, String), Readers<'_>> = BTreeMap::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let mut note = |field: &str, columns: &[String]| {
                let key = (field.to_owned(), format!("{:?}", rule.logsource));
                let readers = uses.entry(key).or_insert_with(|| Readers {
                    logsource: &rule.logsource,
                    columns: BTreeSet::new(),
                    rules: BTreeSet::new(),
                });
                readers.columns.extend(columns.iter().cloned());
                readers.rules.insert(rule.head.id.as_str());
            };
            items(&rule.condition, &mut note);
            // What correlations group by and count, as this rule names it.
            for bound in &self.correlations {
                let counted = match &bound.rule.kind {
                    CorrelationKind::ValueCount(fields) => fields.as_slice(),
                    CorrelationKind::History(rule) => rule.fields.as_slice(),
                    CorrelationKind::Value { field, .. } => std::slice::from_ref(field),
                    _ => &[],
                };
                let is_alias = |field: &&String| bound.rule.aliases.iter().any(|alias| alias.name == **field);
                if self.counts(bound, at) {
                    let read = bound.rule.group_by.iter().chain(counted).filter(|field| !is_alias(field));
                    read.for_each(|field| note(field, &self.columns_of(at, field)));
                }
            }
        }
        uses.into_iter().map(|((field, _), readers)| readers.field(field)).collect()
    }
}

impl Readers<'_> {
    fn field(self, field: String) -> FieldUse {
        let judged: Vec<&'static Dataset> = parsed().filter(|dataset| dataset.satisfies(self.logsource)).collect();
        let writes = |dataset: &&&Dataset| {
            let mut known = self.columns.iter().filter_map(|column| Field::named(column));
            known.any(|(_, row)| row.is_written_for(dataset))
        };
        // Some rows of the table are parts of one log.
        let names = |datasets: &mut dyn Iterator<Item = &&'static Dataset>| -> Vec<&'static str> {
            let names: BTreeSet<&str> = datasets.map(|dataset| dataset.name).collect();
            names.into_iter().collect()
        };
        FieldUse {
            written: names(&mut judged.iter().filter(writes)),
            judged: names(&mut judged.iter()),
            rules: self.rules.iter().map(|id| (*id).to_owned()).collect(),
            logsource: self.logsource.clone(),
            columns: self.columns.into_iter().collect(),
            field,
        }
    }
}

fn items(expr: &Expr, note: &mut impl FnMut(&str, &[String])) {
    expr.items(&mut |item| {
        match &item.field {
            Some(field) => note(field, &item.columns),
            // Keywords are looked for in the whole line.
            None => note(LINE, &[LINE.to_owned()]),
        }
        if let Check::FieldRef(reference) = &item.check {
            note(&reference.field, &reference.columns);
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::{Terms, load};

    #[test]
    fn fields_that_no_parser_writes_are_told_apart() {
        let rule = |id: &str, source: &str, field: &str| {
            format!(
                "title: t\nid: {id}\nlevel: low\nlogsource: {source}\ndetection: {{s: {{{field}: x}}, condition: s}}\n---\n"
            )
        };
        let text = [
            rule("a", "{category: webserver}", "cs-host"),
            rule("b", "{category: webserver}", "cs-cookie"),
            rule("c", "{product: windows}", "Image"),
            rule("d", "{product: linux, service: sshd}", "url.path"),
            rule("f", "{product: linux, service: vmware}", "keyword").replace("{keyword: x}", "[x]"),
            "title: c\nid: e\nlevel: low\ncorrelation: {type: value_count, rules: [d], group-by: [src_ip], timespan: 1m, condition: {gte: 2, field: TTY}}\n".to_owned(),
        ]
        .concat();
        let fields = load([("rules.yml", text.as_str())], &Terms::default()).set.fields();
        let shown: Vec<(&str, bool, usize)> =
            fields.iter().map(|field| (field.field.as_str(), field.is_unwritten(), field.judged.len())).collect();
        assert_eq!(
            shown,
            [
                ("Image", true, 4),
                ("TTY", true, 2),
                ("cs-cookie", false, 8),
                ("cs-host", false, 8),
                ("event.original", false, 1),
                ("src_ip", false, 2),
                ("url.path", true, 2)
            ]
        );
    }
}
