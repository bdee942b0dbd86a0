//! Filter documents: what many rules leave out, written once. A filter becomes part of the condition of each rule that
//! it means; its selections stay its own.

use event::LogSource;

use crate::sigma::condition;
use crate::sigma::detection::SelectionReader;
use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{Expr, Head, Mentions};
use crate::sigma::shape;
use crate::taxonomy::Terms;
use crate::yaml::Node;

/// Custom attribute that says what a filter's condition describes.
const SENSE_KEY: &str = "c0di3.filter";

/// A filter as meant.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Title, id and what else all documents have.
    pub head: Head,
    /// Rules for other log sources are not meant.
    pub logsource: LogSource,
    /// Which rules are meant.
    pub target: Target,
    /// What the condition does to them.
    pub sense: Sense,
    /// The condition that is added.
    pub condition: Expr,
    /// Where it names its rules.
    pub places: Mentions,
}

/// Which rules a filter means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every rule for the log source.
    Any,
    /// Ids or names.
    Listed(Vec<String>),
}

/// What the condition of a filter describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Events that a rule must not report (the specification's examples).
    Exclude,
    /// Events that a rule may report (the form with `not`).
    Require,
}

impl Filter {
    /// Whether a rule is meant: everything that the filter's log source names is the same, and the rule is listed.
    pub(crate) fn means(&self, head: &Head, logsource: &LogSource) -> bool {
        logsource.satisfies(&self.logsource)
            && match &self.target {
                Target::Any => true,
                Target::Listed(names) => names.iter().any(|name| names_rule(head, name)),
            }
    }

    /// The rule's condition with what the filter says.
    pub(crate) fn applied_to(&self, condition: Expr) -> Expr {
        let own = Expr::Named(format!("filter `{}`", self.head.title), Box::new(self.condition.clone()));
        let own = match self.sense {
            Sense::Exclude => Expr::Not(Box::new(own)),
            Sense::Require => own,
        };
        Expr::And(vec![condition, own])
    }
}

pub(crate) fn names_rule(head: &Head, name: &str) -> bool {
    head.id == name || head.name.as_deref() == Some(name)
}

/// Reads the `filter` section of a document, whatever is wrong with its head. `None` where a problem was reported.
pub(crate) fn read(
    node: &Node,
    section: &Node,
    head: Head,
    logsource: Option<LogSource>,
    terms: &Terms,
    problems: &mut Problems,
) -> Option<Filter> {
    let before = problems.error_count();
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`filter` must be a map, not {}", section.shown()));
        return None;
    };
    let (target, places) = target(section, problems).unzip();
    let mut reader = SelectionReader { terms, problems, missing: Vec::new() };
    let mut selections = Vec::new();
    for (key, node) in pairs {
        match key.text.as_str() {
            "rules" | "condition" => {}
            "timeframe" => {
                let reason = "a filter counts nothing: it has no `timeframe`";
                reader.problems.error(key.place, reason);
            }
            name => selections.push((name.to_owned(), reader.selection(node).unwrap_or_else(Expr::nothing))),
        }
    }
    reader.report_missing(section.place);
    let written = section.get("condition");
    let text = written.and_then(|node| Some((node.text().filter(|text| !text.trim().is_empty())?, node.place)));
    let condition = match text {
        Some((text, place)) => condition::read(text, &selections, place, problems),
        None => {
            let shown = written.map_or("nothing".to_owned(), Node::shown);
            let reason = format!("`filter` needs a `condition` that is one text, such as `selection`, not {shown}");
            problems.error(written.map_or(section.place, |node| node.place), reason);
            None
        }
    };
    for (key, value) in node.map().unwrap_or(&[]).iter().filter(|(key, _)| matches!(&*key.text, "level" | "status")) {
        let reason = format!("a filter has no `{}`: {} is ignored, the filter is in force", key.text, value.shown());
        problems.warn(key.place, reason);
    }
    let sense = sense(node, condition.as_ref(), problems);
    if problems.error_count() > before {
        return None;
    }
    let (logsource, target, sense, condition, places) = (logsource?, target?, sense?, condition?, places?);
    Some(Filter { head, logsource, target, sense, condition, places })
}

fn target(section: &Node, problems: &mut Problems) -> Option<(Target, Mentions)> {
    let Some(node) = section.get("rules") else {
        problems.error(section.place, "`filter` needs `rules`: ids or names, or the word any");
        return None;
    };
    let before = problems.error_count();
    let named = shape::texts(section, "rules", "ids or names of rules", problems);
    named.refuse_doubles("rules", problems);
    let names = named.words();
    if names.is_empty() && problems.error_count() == before {
        problems.error(node.place, "an empty list of `rules` means no rule: list ids or names, or write any");
    }
    let target = if names == ["any"] { Target::Any } else { Target::Listed(names) };
    (problems.error_count() == before).then(|| (target, named.mentions()))
}

/// As the custom attribute says; else as the condition is written: one whose every operand is negated says what to
/// keep.
fn sense(node: &Node, condition: Option<&Expr>, problems: &mut Problems) -> Option<Sense> {
    if let Some(given) = node.get(SENSE_KEY) {
        return match given.text() {
            Some("exclude") => Some(Sense::Exclude),
            Some("require") => Some(Sense::Require),
            _ => {
                problems.error(given.place, format!("`{SENSE_KEY}` is exclude or require"));
                None
            }
        };
    }
    let condition = condition?;
    let negated = |part: &Expr| matches!(part, Expr::Not(_));
    Some(match condition {
        Expr::Not(_) => Sense::Require,
        Expr::And(parts) | Expr::Or(parts) if parts.iter().all(negated) => Sense::Require,
        Expr::And(parts) | Expr::Or(parts) => {
            if parts.iter().any(negated) {
                let reason = format!(
                    "the condition mixes negated and plain selections: it is taken for what to leave out; `{SENSE_KEY}: require` says otherwise"
                );
                problems.warn(node.place, reason);
            }
            Sense::Exclude
        }
        _ => Sense::Exclude,
    })
}
