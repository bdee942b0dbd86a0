//! Rules as meant: checked, complete, and independent of the text they came from.

use std::fmt;
use std::sync::Arc;

use event::{Level, LogSource};
use patterns::Pack;

use crate::check::Check;
use crate::yaml::Location;

/// A detection rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Title, id and what else all documents have.
    pub head: Head,
    /// Events of other log sources are not judged.
    pub logsource: LogSource,
    /// What must hold for an event.
    pub condition: Expr,
    /// Where the rule is a pack: its patterns.
    pub pack: Option<Arc<Pack>>,
    /// Names of the packs whose points its pack adds up.
    pub sum_of: Vec<String>,
    /// It asks whether a value is on a list of indicators.
    pub looks_up: bool,
    /// Only one in so many events is looked at, and counts for as many.
    pub sample_of: Option<u32>,
    /// What somebody did, in one word, where other events tell of it as well: rules with this word that fire for one account
    /// on one host within seconds are one finding.
    pub act: Option<Box<str>>,
}

/// What detections and correlations have in common.
#[derive(Clone, Debug)]
pub struct Head {
    /// `id`, else `name`, else the title: what findings and references call the rule.
    pub id: String,
    /// A second name by which correlations may refer to the rule.
    pub name: Option<String>,
    /// What people call it, at most 256 characters.
    pub title: String,
    /// Free text; may be empty.
    pub description: String,
    /// How grave a finding is, as the rule's author says.
    pub level: Level,
    /// ATT&CK techniques from the tags, such as `T1110.001`.
    pub techniques: Vec<String>,
    /// What to do about a finding, step by step.
    pub response: Vec<String>,
    /// Deprecated and unsupported rules are read but do not run.
    pub enabled: bool,
    /// The rule's own cases.
    pub tests: Tests,
    /// Author, references, scope, related rules, custom keys: kept as written, for people.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// File that the rule stands in.
    pub path: String,
    /// Where in that file. Messages alone may depend on it.
    pub written: WrittenAt,
}

/// Where a rule stands in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenAt {
    /// First line of the rule, from 1.
    pub line: usize,
    /// Where id and name are written.
    pub names: Mentions,
}

/// Names of rules, and where in the file of the rule each of them is written: for messages. Nothing else may depend on
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions(pub(crate) Vec<(String, Location)>);

impl Mentions {
    /// Where the name is written first.
    pub fn place_of(&self, name: &str) -> Option<Location> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, place)| *place)
    }
}

/// The rule's own cases. Each is one or more log lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// Lines that the rule must report.
    pub hits: Vec<String>,
    /// Lines that it must not report.
    pub ignores: Vec<String>,
    /// Ids, names or titles of other rules that may report what this one ignores.
    pub near: Vec<String>,
}

/// A boolean expression over tests of fields.
#[derive(Clone, Debug)]
pub enum Expr {
    /// All of these hold; true where there are none.
    And(Vec<Expr>),
    /// One of these holds; false where there are none.
    Or(Vec<Expr>),
    /// This does not hold.
    Not(Box<Expr>),
    /// A selection of the rule: named for explanations.
    Named(String, Box<Expr>),
    /// One test.
    Item(Item),
}

/// One test of one field, or of the whole line where `field` is absent (a keyword).
#[derive(Clone, Debug)]
pub struct Item {
    /// The field's name as the rule writes it.
    pub field: Option<String>,
    /// Columns that may hold the field: any of them decides.
    pub columns: Vec<String>,
    /// What the value must be.
    pub check: Check,
    /// As in the rule: `CommandLine|contains: 'x'`.
    pub written: String,
}

impl Expr {
    /// Stands for what could not be read, while the rest of the rule is looked at.
    pub(crate) fn nothing() -> Expr {
        Expr::And(Vec::new())
    }

    pub(crate) fn and(mut parts: Vec<Expr>) -> Expr {
        if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) }
    }

    pub(crate) fn or(mut parts: Vec<Expr>) -> Expr {
        if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) }
    }

    /// Every test in the expression, in order.
    pub fn items<'a>(&'a self, visit: &mut impl FnMut(&'a Item)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| part.items(visit)),
            Expr::Not(inner) | Expr::Named(_, inner) => inner.items(visit),
            Expr::Item(item) => visit(item),
        }
    }

    /// Visits every test to change it.
    pub(crate) fn items_mut(&mut self, visit: &mut impl FnMut(&mut Item)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().for_each(|part| part.items_mut(visit)),
            Expr::Not(inner) | Expr::Named(_, inner) => inner.items_mut(visit),
            Expr::Item(item) => visit(item),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |out: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str| {
            out.write_str("(")?;
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    write!(out, " {word} ")?;
                }
                write!(out, "{part}")?;
            }
            out.write_str(")")
        };
        match self {
            Expr::And(parts) => join(out, parts, "and"),
            Expr::Or(parts) => join(out, parts, "or"),
            Expr::Not(inner) => write!(out, "not {inner}"),
            Expr::Named(name, _) => out.write_str(name),
            Expr::Item(item) => out.write_str(&item.written),
        }
    }
}

/// A rule over the hits of other rules.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// Title, id and what else all documents have.
    pub head: Head,
    /// What is counted or computed.
    pub kind: CorrelationKind,
    /// Ids or names of the rules and correlations whose hits are counted.
    pub rules: Vec<String>,
    /// Fields, or names of aliases.
    pub group_by: Vec<String>,
    /// Names in `group_by` that mean another field for each rule.
    pub aliases: Vec<Alias>,
    /// Length of the window, in microseconds.
    pub timespan_us: i64,
    /// What the aggregate must be for it to fire.
    pub bounds: Bounds,
    /// The referenced rules also report on their own.
    pub generate: bool,
    /// Rules whose hits take back what their group has counted: `c0di3.forgiven_by`.
    pub forgiven_by: Vec<String>,
    /// How many different events it takes: `c0di3.distinct`.
    pub distinct: Option<Distinct>,
    /// Where `rules` and `c0di3.forgiven_by` name other rules.
    pub places: Mentions,
    /// Where each alias names rules, in the order of `aliases`.
    pub alias_places: Vec<Mentions>,
}

/// So many different events must be behind a temporal correlation, whatever rules match each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// From 2 to 1,000.
    pub least: u64,
    /// Fields of which one at least must differ; where there are none, every event differs from every other.
    pub fields: Vec<String>,
}

impl fmt::Display for Distinct {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} or more different events", self.least)?;
        if self.fields.is_empty() { Ok(()) } else { write!(out, " by {}", self.fields.join(", ")) }
    }
}

/// A name for fields that are called differently in different rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// What stands in `group-by`.
    pub name: String,
    /// Rule, by id or name, and its field.
    pub fields: Vec<(String, String)>,
}

/// The type of a correlation (Sigma correlation rules specification 2.1).
#[derive(Clone, Debug, PartialEq)]
pub enum CorrelationKind {
    /// How many events.
    EventCount,
    /// Distinct values of a field, or of several together.
    ValueCount(Vec<String>),
    /// Each of the rules at least once; in their order where `ordered`. An expression says which of them are needed.
    Temporal {
        /// They must come in the order of `rules`.
        ordered: bool,
        /// Which of the rules must have matched, where not all.
        expression: Option<Needed>,
    },
    /// A number made of the values of a field.
    Value {
        /// The field whose values are taken.
        field: String,
        /// How they become one number.
        function: Function,
    },
    /// What the group has been like before (ours).
    History(HistoryRule),
}

/// A question about a group's past.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRule {
    /// The question.
    pub kind: HistoryKind,
    /// What is looked at; several fields count together.
    pub fields: Vec<String>,
    /// How long a group must be known before anything of it stands out.
    pub warm_up_us: i64,
}

/// What of a group stands out against its past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HistoryKind {
    /// A value that was not seen within the time span.
    NewTerms,
    /// A value that few events had, of at least so many.
    Rare {
        /// Events of the group within the time span, from which on a value can be rare.
        events: u64,
    },
    /// So many times as many events within the time span as usual.
    Spike {
        /// Above 0.
        factor: f64,
    },
}

/// How values become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `value_sum`
    Sum,
    /// `value_avg`
    Average,
    /// The value below which so many percent lie, interpolated between neighbours.
    Percentile(f64),
    /// Percent of the events that have the same value; it need not be a number.
    Share,
}

/// Which rules must have matched, by their places in `rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needed {
    /// The rule at this place.
    Rule(usize),
    /// All of these.
    All(Vec<Needed>),
    /// One of these.
    Any(Vec<Needed>),
    /// Not this.
    Not(Box<Needed>),
}

impl Needed {
    /// Whether it holds, where `matched` tells of each rule, by its place, whether it has matched.
    pub fn holds(&self, matched: &impl Fn(usize) -> bool) -> bool {
        match self {
            Needed::Rule(place) => matched(*place),
            Needed::All(parts) => parts.iter().all(|part| part.holds(matched)),
            Needed::Any(parts) => parts.iter().any(|part| part.holds(matched)),
            Needed::Not(part) => !part.holds(matched),
        }
    }

    fn negates(&self) -> bool {
        match self {
            Needed::Rule(_) => false,
            Needed::All(parts) | Needed::Any(parts) => parts.iter().any(Needed::negates),
            Needed::Not(_) => true,
        }
    }
}

/// Where a number must lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The least.
    pub low: Option<Bound>,
    /// The most.
    pub high: Option<Bound>,
    /// Anything but this.
    pub other_than: Option<f64>,
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The end itself.
    pub value: f64,
    /// The end belongs to the range.
    pub inclusive: bool,
}

impl Bounds {
    /// This or more.
    pub fn at_least(value: f64) -> Self {
        Bounds { low: Some(Bound { value, inclusive: true }), ..Bounds::default() }
    }

    /// Whether the number lies there.
    pub fn hold(&self, number: f64) -> bool {
        self.low.is_none_or(|low| number > low.value || low.inclusive && number == low.value)
            && self.high.is_none_or(|high| number < high.value || high.inclusive && number == high.value)
            && self.other_than.is_none_or(|value| number != value)
    }

    /// Only the whole window can tell: more events could still lead out of it.
    fn need_whole_window(&self) -> bool {
        self.high.is_some() || self.other_than.is_some()
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => parts.push(format!("exactly {}", low.value)),
            (low, high) => {
                let word = |bound: Bound, or: &str, than: &str| {
                    if bound.inclusive { format!("{} or {or}", bound.value) } else { format!("{than} {}", bound.value) }
                };
                parts.extend(low.map(|low| word(low, "more", "more than")));
                parts.extend(high.map(|high| word(high, "less", "less than")));
            }
        }
        parts.extend(self.other_than.map(|value| format!("other than {value}")));
        out.write_str(&parts.join(" and "))
    }
}

impl Correlation {
    /// Fires when a window closes, not at an event: only then it is known what did not happen.
    pub(crate) fn waits_for_close(&self) -> bool {
        let negates = match &self.kind {
            CorrelationKind::Temporal { expression: Some(expression), .. } => expression.negates(),
            _ => false,
        };
        let looks_back = matches!(self.kind, CorrelationKind::History(_));
        !looks_back && (negates || self.bounds.need_whole_window())
    }
}

impl CorrelationKind {
    /// What rule files and findings call the type.
    pub fn name(&self) -> &'static str {
        match self {
            CorrelationKind::History(HistoryRule { kind: HistoryKind::NewTerms, .. }) => "new_terms",
            CorrelationKind::History(HistoryRule { kind: HistoryKind::Rare { .. }, .. }) => "rare",
            CorrelationKind::History(HistoryRule { kind: HistoryKind::Spike { .. }, .. }) => "spike",
            CorrelationKind::EventCount => "event_count",
            CorrelationKind::ValueCount(_) => "value_count",
            CorrelationKind::Temporal { ordered: false, .. } => "temporal",
            CorrelationKind::Temporal { ordered: true, .. } => "temporal_ordered",
            CorrelationKind::Value { function: Function::Sum, .. } => "value_sum",
            CorrelationKind::Value { function: Function::Average, .. } => "value_avg",
            CorrelationKind::Value { .. } => "value_percentile",
        }
    }
}
