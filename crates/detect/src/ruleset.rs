//! Loaded rules as one set: references resolved, doubles refused, and what must be captured from events decided.

use std::collections::{BTreeMap, BTreeSet};

use crate::sigma::diagnostic::{Diagnostic, Gravity};
use crate::sigma::document::{self, Document};
use crate::sigma::rule::{Correlation, CorrelationKind, Head, Rule};
use crate::taxonomy;

/// Every rule that runs. Immutable; a reload makes a new one.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub rules: Vec<Rule>,
    pub correlations: Vec<BoundCorrelation>,
    /// Columns of each captured field, best first: hits carry one value for each.
    pub(crate) captures: Vec<Vec<String>>,
    /// What each rule's hits are for, in the order of `rules`.
    pub(crate) uses: Vec<Use>,
}

/// What happens to the hits of one rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Use {
    /// Indexes of the correlations that count them.
    pub(crate) correlations: Vec<usize>,
    /// They make no findings of their own.
    pub(crate) muted: bool,
    /// Captures that the correlations need.
    pub(crate) captures: BTreeSet<usize>,
}

/// A correlation with its fields bound to captures.
#[derive(Debug)]
pub struct BoundCorrelation {
    pub rule: Correlation,
    /// Indexes into the captures.
    pub(crate) group_by: Vec<usize>,
    pub(crate) value: Option<usize>,
}

/// Outcome of loading: the rules that run, and what was wrong with the others.
#[derive(Debug, Default)]
pub struct Loaded {
    pub set: RuleSet,
    /// Sorted by path and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Rules that were read but are deprecated or unsupported by their own word.
    pub disabled: usize,
}

impl Loaded {
    pub fn rejected(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|problem| problem.gravity == Gravity::Error)
    }
}

/// Loads rules from file texts, each with the path that diagnostics name. One bad rule never fails the set.
pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Loaded {
    let mut loading = Loading::default();
    for (path, text) in files {
        let (documents, mut problems) = document::read(path, text);
        loading.diagnostics.append(&mut problems);
        for document in documents {
            loading.accept(document);
        }
    }
    loading.finish()
}

#[derive(Default)]
struct Loading {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    /// Ids and names, and where each was first seen.
    known: BTreeMap<String, String>,
    diagnostics: Vec<Diagnostic>,
    disabled: usize,
}

fn error(head: &Head, reason: String) -> Diagnostic {
    Diagnostic { path: head.path.clone(), line: head.line, column: 1, gravity: Gravity::Error, reason }
}

impl Loading {
    fn accept(&mut self, document: Document) {
        let head = document.head();
        if !head.enabled {
            self.disabled += 1;
            return;
        }
        let names: BTreeSet<&String> = std::iter::once(&head.id).chain(head.name.as_ref()).collect();
        for name in &names {
            if let Some(first) = self.known.get(*name) {
                let reason = format!("the id or name `{name}` is already that of a rule in {first}");
                self.diagnostics.push(error(head, reason));
                return;
            }
        }
        let place = format!("{}:{}", head.path, head.line);
        for name in names {
            self.known.insert(name.clone(), place.clone());
        }
        match document {
            Document::Detection(rule) => self.rules.push(rule),
            Document::Correlation(rule) => self.correlations.push(rule),
        }
    }

    fn finish(mut self) -> Loaded {
        let mut set = RuleSet { uses: vec![Use::default(); self.rules.len()], ..RuleSet::default() };
        let mut silenced = vec![false; self.rules.len()];
        for rule in std::mem::take(&mut self.correlations) {
            let Some(bases) = self.bases(&rule) else { continue };
            let index = set.correlations.len();
            for base in &bases {
                silenced[*base] |= !rule.generate;
            }
            let bound = self.bind(&mut set, rule, &bases);
            let captures: Vec<usize> = bound.group_by.iter().copied().chain(bound.value).collect();
            for base in bases {
                set.uses[base].correlations.push(index);
                set.uses[base].captures.extend(&captures);
            }
            set.correlations.push(bound);
        }
        // Where correlations disagree, the one that mutes wins.
        for (rule_use, silenced) in set.uses.iter_mut().zip(silenced) {
            rule_use.muted = silenced;
        }
        set.rules = self.rules;
        self.diagnostics.sort();
        Loaded { set, diagnostics: self.diagnostics, disabled: self.disabled }
    }

    /// Indexes of the rules that a correlation counts. `None` where one is missing, which is reported.
    fn bases(&mut self, rule: &Correlation) -> Option<Vec<usize>> {
        let mut bases = Vec::new();
        for reference in &rule.rules {
            let fits = |base: &Rule| base.head.id == *reference || base.head.name.as_ref() == Some(reference);
            match self.rules.iter().position(fits) {
                Some(at) => bases.push(at),
                None => {
                    let reason = format!("the correlation counts `{reference}`, which is no detection rule that was loaded");
                    self.diagnostics.push(error(&rule.head, reason));
                    return None;
                }
            }
        }
        Some(bases)
    }

    fn bind(&self, set: &mut RuleSet, rule: Correlation, bases: &[usize]) -> BoundCorrelation {
        let mut capture = |field: &str| {
            let mut columns: Vec<String> = Vec::new();
            for base in bases {
                for column in taxonomy::columns(field, &self.rules[*base].logsource) {
                    if !columns.contains(&column) {
                        columns.push(column);
                    }
                }
            }
            set.captures.iter().position(|known| *known == columns).unwrap_or_else(|| {
                set.captures.push(columns);
                set.captures.len() - 1
            })
        };
        let group_by = rule.group_by.iter().map(|field| capture(field)).collect();
        let value = match &rule.kind {
            CorrelationKind::ValueCount(field) => Some(capture(field)),
            CorrelationKind::EventCount => None,
        };
        BoundCorrelation { rule, group_by, value }
    }
}

impl RuleSet {
    /// Heads of all rules: detections, then correlations.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        self.rules.iter().map(|rule| &rule.head).chain(self.correlations.iter().map(|bound| &bound.rule.head))
    }

    /// Detection rule by id, name or title.
    pub fn find(&self, wanted: &str) -> Option<usize> {
        self.rules.iter().position(|rule| names(&rule.head, wanted))
    }

    /// Correlation by id, name or title.
    pub fn find_correlation(&self, wanted: &str) -> Option<&BoundCorrelation> {
        self.correlations.iter().find(|bound| names(&bound.rule.head, wanted))
    }
}

fn names(head: &Head, wanted: &str) -> bool {
    head.id == wanted || head.title == wanted || head.name.as_deref() == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "title: base\nid: base\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n";

    fn correlation(id: &str, base: &str) -> String {
        format!(
            "title: c\nid: {id}\nlevel: high\ncorrelation: {{type: event_count, rules: [{base}], group-by: [src_ip], timespan: 5m, condition: {{gte: 3}}}}\n"
        )
    }

    #[test]
    fn a_correlation_binds_its_rules_and_mutes_them() {
        let text = format!("{BASE}---\n{}", correlation("c1", "base"));
        let loaded = load([("a.yml", text.as_str())]);
        assert_eq!(loaded.diagnostics, []);
        assert!(loaded.set.uses[0].muted);
        assert_eq!(loaded.set.captures, [["source.ip", "src_ip"]]);
        assert_eq!(loaded.set.correlations[0].group_by, [0]);
    }

    #[test]
    fn doubles_and_missing_references_are_refused_and_the_rest_runs() {
        let missing = correlation("c2", "nowhere");
        let loaded = load([("a.yml", BASE), ("b.yml", BASE), ("c.yml", missing.as_str())]);
        let reasons: Vec<_> = loaded.rejected().map(|problem| problem.reason.as_str()).collect();
        assert_eq!(loaded.set.rules.len(), 1);
        assert!(reasons[0].contains("already that of a rule in a.yml:1"), "{reasons:?}");
        assert!(reasons[1].contains("`nowhere`"), "{reasons:?}");
    }
}
