//! Loaded rules as one set: references resolved, doubles refused, and what must be captured from events decided.

use std::collections::{BTreeMap, BTreeSet};

use crate::sigma::diagnostic::{Diagnostic, Gravity};
use crate::sigma::document::{self, Document};
use crate::sigma::filter::{Filter, Target, names_rule};
use crate::sigma::rule::{Correlation, CorrelationKind, Expr, Head, Rule};
use crate::sigma::value::Placeholders;
use crate::taxonomy;

/// Every rule that runs. Immutable; a reload makes a new one.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub rules: Vec<Rule>,
    pub correlations: Vec<BoundCorrelation>,
    /// They are part of the conditions of the rules that they mean.
    pub filters: Vec<Filter>,
    /// Columns of each captured field, best first: hits carry one value for each.
    pub(crate) captures: Vec<Vec<String>>,
    /// What the hits of each rule, then of each correlation are for: see [`RuleSet::signal_of`].
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
    /// What it counts, in the order written: rules, or correlations behind them.
    pub(crate) bases: Vec<usize>,
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
pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>, placeholders: &Placeholders) -> Loaded {
    let mut loading = Loading::default();
    for (path, text) in files {
        let (documents, mut problems) = document::read(path, text, placeholders);
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
    filters: Vec<Filter>,
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
            Document::Filter(filter) => self.filters.push(filter),
        }
    }

    /// Puts each filter into the conditions of the rules that it means.
    fn apply_filters(&mut self) {
        for filter in &self.filters {
            for rule in self.rules.iter_mut().filter(|rule| filter.means(&rule.head, &rule.logsource)) {
                let condition = std::mem::replace(&mut rule.condition, Expr::Or(Vec::new()));
                rule.condition = filter.applied_to(condition);
            }
            let Target::Listed(names) = &filter.target else { continue };
            for name in names.iter().filter(|name| !self.rules.iter().any(|rule| names_rule(&rule.head, name))) {
                let reason = format!("the filter names `{name}`, which is no detection rule that was loaded");
                self.diagnostics.push(Diagnostic { gravity: Gravity::Warning, ..error(&filter.head, reason) });
            }
        }
    }

    fn finish(mut self) -> Loaded {
        self.apply_filters();
        let mut set = RuleSet { uses: vec![Use::default(); self.rules.len()], ..RuleSet::default() };
        std::mem::swap(&mut set.rules, &mut self.rules);
        std::mem::swap(&mut set.filters, &mut self.filters);
        // A correlation may count others, in whatever order the files hold them: bind what can be bound, again and again.
        let mut open = std::mem::take(&mut self.correlations);
        loop {
            let before = open.len();
            let (ready, waiting): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|rule| rule.rules.iter().all(|reference| set.signal_named(reference).is_some()));
            for rule in ready {
                set.bind(rule);
            }
            open = waiting;
            if open.len() == before || open.is_empty() {
                break;
            }
        }
        for rule in open {
            let missing = rule.rules.iter().find(|reference| set.signal_named(reference).is_none());
            let reason = format!(
                "the correlation counts `{}`, which was not loaded or counts this correlation in turn",
                missing.map_or("", String::as_str)
            );
            self.diagnostics.push(error(&rule.head, reason));
        }
        self.diagnostics.sort();
        Loaded { set, diagnostics: self.diagnostics, disabled: self.disabled }
    }
}

impl RuleSet {
    /// Number under which the hits of a correlation are counted by others: rules first, correlations behind them.
    pub(crate) fn signal_of(&self, correlation: usize) -> usize {
        self.rules.len() + correlation
    }

    fn signal_named(&self, reference: &str) -> Option<usize> {
        let fits = |head: &Head| head.id == reference || head.name.as_deref() == Some(reference);
        let rule = self.rules.iter().position(|rule| fits(&rule.head));
        rule.or_else(|| {
            let at = self.correlations.iter().position(|bound| fits(&bound.rule.head))?;
            Some(self.signal_of(at))
        })
    }

    /// The detection rules whose hits reach a signal.
    fn rules_behind(&self, signal: usize) -> Vec<usize> {
        if signal < self.rules.len() {
            return vec![signal];
        }
        let bases = &self.correlations[signal - self.rules.len()].bases;
        bases.iter().flat_map(|base| self.rules_behind(*base)).collect()
    }

    fn bind(&mut self, rule: Correlation) {
        let bases: Vec<usize> = rule.rules.iter().filter_map(|reference| self.signal_named(reference)).collect();
        let behind: Vec<usize> = bases.iter().flat_map(|base| self.rules_behind(*base)).collect();
        let group_by: Vec<usize> = rule.group_by.iter().map(|field| self.capture(field, &behind)).collect();
        let value = match &rule.kind {
            CorrelationKind::ValueCount(field) => Some(self.capture(field, &behind)),
            CorrelationKind::EventCount | CorrelationKind::Temporal { .. } => None,
        };
        let index = self.correlations.len();
        for base in &bases {
            self.uses[*base].correlations.push(index);
            // Where correlations disagree, the one that mutes wins.
            self.uses[*base].muted |= !rule.generate;
        }
        for rule in behind {
            self.uses[rule].captures.extend(group_by.iter().copied().chain(value));
        }
        self.correlations.push(BoundCorrelation { rule, group_by, value, bases });
        self.uses.push(Use::default());
    }

    /// Number of the capture for a field, as the rules behind a correlation know it.
    fn capture(&mut self, field: &str, behind: &[usize]) -> usize {
        let mut columns: Vec<String> = Vec::new();
        for rule in behind {
            for column in taxonomy::columns(field, &self.rules[*rule].logsource) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        self.captures.iter().position(|known| *known == columns).unwrap_or_else(|| {
            self.captures.push(columns);
            self.captures.len() - 1
        })
    }

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

    const BASE: &str =
        "title: base\nid: base\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n";

    fn correlation(id: &str, base: &str) -> String {
        format!(
            "title: c\nid: {id}\nlevel: high\ncorrelation: {{type: event_count, rules: [{base}], group-by: [src_ip], timespan: 5m, condition: {{gte: 3}}}}\n"
        )
    }

    #[test]
    fn a_correlation_binds_its_rules_and_mutes_them() {
        let text = format!("{BASE}---\n{}", correlation("c1", "base"));
        let loaded = load([("a.yml", text.as_str())], &Placeholders::new());
        assert_eq!(loaded.diagnostics, []);
        assert!(loaded.set.uses[0].muted);
        assert_eq!(loaded.set.captures, [["source.ip", "src_ip"]]);
        assert_eq!(loaded.set.correlations[0].group_by, [0]);
    }

    #[test]
    fn doubles_and_missing_references_are_refused_and_the_rest_runs() {
        let missing = correlation("c2", "nowhere");
        let loaded = load([("a.yml", BASE), ("b.yml", BASE), ("c.yml", missing.as_str())], &Placeholders::new());
        let reasons: Vec<_> = loaded.rejected().map(|problem| problem.reason.as_str()).collect();
        assert_eq!(loaded.set.rules.len(), 1);
        assert!(reasons[0].contains("already that of a rule in a.yml:1"), "{reasons:?}");
        assert!(reasons[1].contains("`nowhere`"), "{reasons:?}");
    }
}
