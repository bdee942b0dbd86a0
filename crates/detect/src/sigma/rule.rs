//! Rules as meant: checked, complete, and independent of the text they came from.

use std::fmt;

use event::{Level, LogSource};

use crate::check::Check;

/// A detection rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub head: Head,
    pub logsource: LogSource,
    pub condition: Expr,
}

/// What detections and correlations have in common.
#[derive(Clone, Debug)]
pub struct Head {
    /// `id`, else `name`, else the title: what findings and references call the rule.
    pub id: String,
    pub name: Option<String>,
    pub title: String,
    pub description: String,
    pub level: Level,
    /// ATT&CK techniques from the tags, such as `T1110.001`.
    pub techniques: Vec<String>,
    /// Deprecated and unsupported rules are read but do not run.
    pub enabled: bool,
    pub tests: Tests,
    /// Author, references, scope, related rules, custom keys: kept as written, for people.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    pub path: String,
    pub line: usize,
}

/// The rule's own cases. Each is one or more log lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    pub hits: Vec<String>,
    pub ignores: Vec<String>,
}

/// A boolean expression over tests of fields.
#[derive(Clone, Debug)]
pub enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// A selection of the rule: named for explanations.
    Named(String, Box<Expr>),
    Item(Item),
}

/// One test of one field, or of the whole line where `field` is absent (a keyword).
#[derive(Clone, Debug)]
pub struct Item {
    pub field: Option<String>,
    pub(crate) check: Check,
    /// As in the rule: `CommandLine|contains: 'x'`.
    pub written: String,
}

impl Expr {
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
    pub head: Head,
    pub kind: CorrelationKind,
    /// Ids or names of the rules and correlations whose hits are counted.
    pub rules: Vec<String>,
    pub group_by: Vec<String>,
    pub timespan_us: i64,
    /// Fires when the aggregate reaches this.
    pub threshold: u64,
    /// The referenced rules also report on their own.
    pub generate: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    EventCount,
    /// Distinct values of a field.
    ValueCount(String),
    /// Each of the rules at least once; in their order where `ordered`.
    Temporal {
        ordered: bool,
    },
}

impl CorrelationKind {
    pub fn name(&self) -> &'static str {
        match self {
            CorrelationKind::EventCount => "event_count",
            CorrelationKind::ValueCount(_) => "value_count",
            CorrelationKind::Temporal { ordered: false } => "temporal",
            CorrelationKind::Temporal { ordered: true } => "temporal_ordered",
        }
    }
}
