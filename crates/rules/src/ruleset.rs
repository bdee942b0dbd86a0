//! Loaded rules as one set: references resolved, doubles refused, and what must be captured from events decided.

mod digest;
mod keys;
pub(crate) mod loading;
mod reading;
mod refusal;
mod sums;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use event::{LogSource, RuleKey};
use hashbrown::HashMap;

use crate::exceptions::Exceptions;
use crate::ruleset::keys::RuleKeys;
use crate::sigma::diagnostic::{Diagnostic, Gravity};
use crate::sigma::document::Document;
use crate::sigma::filter::{Filter, Target, names_rule};
use crate::sigma::rule::{Correlation, CorrelationKind, Expr, Head, HistoryRule, Rule};
use crate::taxonomy::{Names, Terms};
use crate::yaml::Location;

/// Every rule that runs. Immutable; a reload makes a new one.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Detection rules. Hits and other indexes count in this order.
    pub rules: Vec<Rule>,
    /// Correlations, each after those that it counts.
    pub correlations: Vec<BoundCorrelation>,
    /// Filters. Each has become part of the conditions of the rules that it means.
    pub filters: Vec<Filter>,
    /// Allow lists, which leave out hits and findings.
    pub exceptions: Exceptions,
    /// Columns of each captured field, best first. A hit carries one value for each captured field.
    pub captures: Vec<Vec<String>>,
    /// How each rule names fields.
    names: Vec<Arc<Names>>,
    digests: OnceLock<RuleDigests>,
    /// What is done with the hits of each rule, then with those of each correlation, by [`RuleSet::signal_of`].
    pub uses: Vec<Use>,
    keys: RuleKeys,
}

/// What each rule means, as a hash of 128 bits: equal where nothing that decides has changed. Saved correlation state
/// is kept under these hashes.
#[derive(Debug)]
pub struct RuleDigests {
    /// In the order of [`RuleSet::rules`].
    pub rules: Vec<u128>,
    /// In the order of [`RuleSet::correlations`].
    pub correlations: Vec<u128>,
}

/// What happens to the hits of one rule.
#[derive(Clone, Debug, Default)]
pub struct Use {
    /// Indexes of the correlations that count them.
    pub correlations: Vec<usize>,
    /// Indexes of the correlations whose groups they forgive.
    pub forgives: Vec<usize>,
    /// The hits make no findings of their own.
    pub muted: bool,
    /// Captures that the correlations need, by index.
    pub captures: BTreeSet<usize>,
}

/// A correlation with its fields bound to captures.
#[derive(Debug)]
pub struct BoundCorrelation {
    /// The correlation as read.
    pub rule: Correlation,
    /// The captures whose values make a group.
    pub group_by: Vec<Captured>,
    /// The captures whose values are counted or computed with.
    pub values: Vec<Captured>,
    /// Signals that it counts, in the order written: see [`RuleSet::signal_of`].
    pub bases: Vec<usize>,
    /// It is judged when a window closes, not when a hit comes.
    pub waits_for_close: bool,
    /// Indexes of the detection rules whose hits reach it, directly or through other correlations.
    base_rules: Vec<usize>,
    /// Longest chain of correlations that count one another, this one included.
    depth: usize,
    /// How long after its events a signal that it counts may come, at most, in microseconds: correlations that wait for
    /// the end of their windows tell late.
    pub base_delay_us: i64,
}

impl Correlation {
    /// Rules that must be loaded for it.
    fn references(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().chain(&self.forgiven_by)
    }
}

impl BoundCorrelation {
    /// One in how many events is looked at, where that is not every one.
    pub fn sample_of(&self, set: &RuleSet) -> Option<u32> {
        self.bases.iter().filter_map(|base| set.rules.get(*base)?.sample_of).max()
    }

    /// Indexes of the correlations that it counts and that group by the fields that it groups by.
    pub fn bases_of_same_groups<'s>(&'s self, set: &'s RuleSet) -> impl Iterator<Item = usize> + 's {
        let correlations = self.bases.iter().filter_map(|base| base.checked_sub(set.rules.len()));
        correlations.filter(|index| set.correlations[*index].rule.group_by == self.rule.group_by)
    }

    /// It counts more than events: distinct values, rules, or sums.
    pub fn needs_tally(&self) -> bool {
        !matches!(self.rule.kind, CorrelationKind::EventCount | CorrelationKind::History(_))
    }

    /// Place of a signal among those that it counts.
    pub fn place_of(&self, signal: usize) -> usize {
        self.bases.iter().position(|base| *base == signal).unwrap_or(0)
    }
}

/// Which capture holds a field of a hit: an alias means another field for some rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    default: usize,
    by_rule: Vec<(u32, usize)>,
}

impl Captured {
    /// Index of the capture, in [`RuleSet::captures`], for hits of the detection rule.
    pub fn of(&self, rule: u32) -> usize {
        self.by_rule.iter().find(|(known, _)| *known == rule).map_or(self.default, |(_, capture)| *capture)
    }
}

/// Outcome of loading: the rules that run, and what was wrong with the others.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What runs.
    pub set: RuleSet,
    /// Sorted by path and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Rules that were read but are deprecated or unsupported by their own word.
    pub disabled: usize,
}

impl Loaded {
    /// The errors: each kept a rule from being loaded.
    pub fn rejected(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|problem| problem.gravity == Gravity::Error)
    }
}

#[derive(Default)]
struct Loading {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    filters: Vec<Filter>,
    /// Ids and names, and where each was first seen.
    known: BTreeMap<String, String>,
    keys: RuleKeys,
    diagnostics: Vec<Diagnostic>,
    disabled: usize,
}

/// At the place, or at the beginning of the document where that is not known.
fn error(head: &Head, place: Option<Location>, reason: String) -> Diagnostic {
    let Location { line, column } = place.unwrap_or(Location { line: head.written.line, column: 1 });
    Diagnostic { path: head.path.clone(), line, column, gravity: Gravity::Error, reason }
}

fn warning(head: &Head, place: Option<Location>, reason: String) -> Diagnostic {
    Diagnostic { gravity: Gravity::Warning, ..error(head, place, reason) }
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
                self.diagnostics.push(error(head, head.written.names.place_of(name), reason));
                return;
            }
        }
        for name in names {
            let line = head.written.names.place_of(name).map_or(head.written.line, |place| place.line);
            self.known.insert(name.clone(), format!("{}:{line}", head.path));
        }
        match document {
            Document::Detection(rule) => self.accept_rule(rule),
            Document::Correlation(rule) => self.correlations.push(rule),
            Document::Filter(filter) => self.filters.push(filter),
        }
    }

    /// Takes up a detection rule, unless hits could not tell it from another.
    fn accept_rule(&mut self, rule: Rule) {
        if let Err(other) = self.keys.add(&rule.head.id) {
            let (id, other) = (&rule.head.id, &self.rules[other as usize].head.id);
            let reason = format!("the id `{id}` has the key of the rule `{other}`: give it another id");
            return self.diagnostics.push(error(&rule.head, rule.head.written.names.place_of(id), reason));
        }
        self.rules.push(rule);
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
                self.diagnostics.push(warning(&filter.head, filter.places.place_of(name), reason));
            }
        }
    }

    /// Gives every test its columns, as the rules' log sources name fields.
    fn bind_fields(&mut self, terms: &Terms) -> Vec<Arc<Names>> {
        let mut known: HashMap<LogSource, Arc<Names>> = HashMap::new();
        let mut names_of = Vec::with_capacity(self.rules.len());
        for rule in &mut self.rules {
            let names = known
                .entry(rule.logsource.clone())
                .or_insert_with(|| Arc::new(terms.taxonomy.names_for(&rule.logsource)));
            names.bind(&mut rule.condition);
            names_of.push(Arc::clone(names));
        }
        names_of
    }

    fn finish(mut self, terms: &Terms) -> Loaded {
        sums::bind(&mut self.rules, &mut self.diagnostics);
        self.apply_filters();
        let names = self.bind_fields(terms);
        let mut set = RuleSet { uses: vec![Use::default(); self.rules.len()], names, ..RuleSet::default() };
        std::mem::swap(&mut set.rules, &mut self.rules);
        std::mem::swap(&mut set.keys, &mut self.keys);
        std::mem::swap(&mut set.filters, &mut self.filters);
        // A correlation may count others, in whatever order the files hold them: bind what can be bound, again and
        // again.
        let mut open = std::mem::take(&mut self.correlations);
        loop {
            let before = open.len();
            let (ready, unresolved): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|rule| rule.references().all(|reference| set.signal_named(reference).is_some()));
            for rule in ready {
                match set.refusal(&rule) {
                    Some((place, reason)) => self.diagnostics.push(error(&rule.head, place, reason)),
                    None => set.bind(rule),
                }
            }
            open = unresolved;
            if open.len() == before || open.is_empty() {
                break;
            }
        }
        let unresolved: BTreeSet<String> =
            open.iter().flat_map(|rule| std::iter::once(&rule.head.id).chain(&rule.head.name)).cloned().collect();
        for rule in open {
            let missing = rule.references().filter(|reference| set.signal_named(reference).is_none());
            for missing in missing {
                let reason = if unresolved.contains(missing) {
                    format!(
                        "the correlation counts `{missing}`, which counts this correlation in turn or was refused itself"
                    )
                } else {
                    format!("the correlation counts `{missing}`, which was not loaded")
                };
                self.diagnostics.push(error(&rule.head, rule.places.place_of(missing), reason));
            }
        }
        let unused = |(at, rule): &(usize, &Rule)| rule.sample_of.is_some() && !set.is_muted(*at);
        for (_, rule) in set.rules.iter().enumerate().filter(unused) {
            let reason =
                "`c0di3.sample_of` is for rules that only correlations count: this one reports some of its events"
                    .to_owned();
            self.diagnostics.push(warning(&rule.head, None, reason));
        }
        self.diagnostics.sort();
        Loaded { set, diagnostics: self.diagnostics, disabled: self.disabled }
    }
}

impl RuleSet {
    /// Key of the detection rule with this index.
    pub fn key_of(&self, rule: u32) -> RuleKey {
        self.keys.key(rule)
    }

    /// Index of the detection rule with this key; `None` where the set does not hold it.
    pub fn rule_of(&self, key: RuleKey) -> Option<u32> {
        self.keys.index(key)
    }

    /// Number of the signal that a correlation sends to those that count it. Numbers below that of `rules` are
    /// detection rules, by index.
    pub fn signal_of(&self, correlation: usize) -> usize {
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
    fn base_rules_of(&self, signal: usize) -> BTreeSet<usize> {
        match signal.checked_sub(self.rules.len()) {
            None => BTreeSet::from([signal]),
            Some(index) => self.correlations[index].base_rules.iter().copied().collect(),
        }
    }

    fn bind(&mut self, rule: Correlation) {
        let bases: Vec<usize> = rule.rules.iter().filter_map(|reference| self.signal_named(reference)).collect();
        let base_rules: BTreeSet<usize> = bases.iter().flat_map(|base| self.base_rules_of(*base)).collect();
        let base_rules: Vec<usize> = base_rules.into_iter().collect();
        let group_by: Vec<Captured> =
            rule.group_by.iter().map(|field| self.captured(field, &rule, &base_rules)).collect();
        let values: Vec<Captured> = match &rule.kind {
            CorrelationKind::ValueCount(fields) | CorrelationKind::History(HistoryRule { fields, .. }) => {
                fields.iter().map(|field| self.captured(field, &rule, &base_rules)).collect()
            }
            CorrelationKind::Value { field, .. } => vec![self.captured(field, &rule, &base_rules)],
            CorrelationKind::Temporal { .. } => {
                let fields = rule.distinct.iter().flat_map(|distinct| &distinct.fields);
                fields.map(|field| self.captured(field, &rule, &base_rules)).collect()
            }
            CorrelationKind::EventCount => Vec::new(),
        };
        let index = self.correlations.len();
        for base in &bases {
            self.uses[*base].correlations.push(index);
            // Where correlations disagree, the one that mutes wins.
            self.uses[*base].muted |= !rule.generate;
        }
        let forgivers: Vec<usize> =
            rule.forgiven_by.iter().filter_map(|reference| self.signal_named(reference)).collect();
        for forgiver in forgivers {
            self.uses[forgiver].forgives.push(index);
            for rule in self.base_rules_of(forgiver) {
                let read = group_by.iter().chain(&values).map(|from| from.of(rule as u32));
                self.uses[rule].captures.extend(read);
            }
        }
        for rule in &base_rules {
            let rule = *rule;
            self.uses[rule].captures.extend(group_by.iter().chain(&values).map(|from| from.of(rule as u32)));
        }
        let waits_for_close = rule.waits_for_close();
        let inner = || bases.iter().filter_map(|base| self.correlations.get(base.checked_sub(self.rules.len())?));
        let own_us = |bound: &BoundCorrelation| if bound.waits_for_close { bound.rule.timespan_us } else { 0 };
        let base_delay_us = inner().map(|bound| bound.base_delay_us.saturating_add(own_us(bound))).max().unwrap_or(0);
        let depth = 1 + inner().map(|bound| bound.depth).max().unwrap_or(0);
        let bound =
            BoundCorrelation { rule, group_by, values, bases, waits_for_close, base_rules, depth, base_delay_us };
        self.correlations.push(bound);
        self.uses.push(Use::default());
    }

    /// Captures of a field, or of what an alias of this name means for each rule.
    fn captured(&mut self, field: &str, correlation: &Correlation, base_rules: &[usize]) -> Captured {
        let alias = correlation.aliases.iter().find(|alias| alias.name == field);
        let mut by_rule = Vec::new();
        for (reference, field) in alias.map_or(&[][..], |alias| &alias.fields) {
            let meant = self.signal_named(reference).map(|signal| self.base_rules_of(signal)).unwrap_or_default();
            let meant: Vec<usize> = meant.into_iter().collect();
            let capture = self.capture(field, &meant);
            by_rule.extend(meant.iter().map(|rule| (*rule as u32, capture)));
        }
        Captured { default: self.capture(field, base_rules), by_rule }
    }

    /// Index of the capture for a field, as these detection rules name it; added where it is new.
    fn capture(&mut self, field: &str, base_rules: &[usize]) -> usize {
        let mut columns: Vec<String> = Vec::new();
        for rule in base_rules {
            for column in self.names[*rule].columns(field) {
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

    /// Whether the hits of a detection rule reach a correlation, directly or through other correlations.
    pub fn counts(&self, bound: &BoundCorrelation, rule: usize) -> bool {
        bound.base_rules.contains(&rule)
    }

    /// Whether a detection rule only counts for correlations, and makes no findings of its own.
    pub fn is_muted(&self, rule: usize) -> bool {
        self.uses[rule].muted
    }

    /// Titles of the correlations that mute a detection rule.
    pub fn muted_by(&self, rule: usize) -> Vec<&str> {
        let counting = self.uses[rule].correlations.iter().map(|index| &self.correlations[*index].rule);
        counting
            .filter(|correlation| !correlation.generate)
            .map(|correlation| correlation.head.title.as_str())
            .collect()
    }

    /// Columns that hold a field for a detection rule.
    pub(crate) fn columns_of(&self, rule: usize, field: &str) -> Vec<String> {
        self.names[rule].columns(field)
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
    use super::loading::load;
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
        let loaded = load([("a.yml", text.as_str())], &Terms::default());
        assert_eq!(loaded.diagnostics, []);
        assert!(loaded.set.uses[0].muted);
        assert_eq!(loaded.set.captures, [["source.ip", "src_ip"]]);
        assert_eq!(loaded.set.correlations[0].group_by[0].of(0), 0);
    }

    #[test]
    fn doubles_and_missing_references_are_refused_and_the_rest_runs() {
        let missing = correlation("c2", "nowhere");
        let loaded = load([("a.yml", BASE), ("b.yml", BASE), ("c.yml", missing.as_str())], &Terms::default());
        let reasons: Vec<_> = loaded.rejected().map(|problem| problem.reason.as_str()).collect();
        assert_eq!(loaded.set.rules.len(), 1);
        assert!(reasons[0].contains("already that of a rule in a.yml:2"), "{reasons:?}");
        assert!(reasons[1].contains("`nowhere`"), "{reasons:?}");
    }
}
