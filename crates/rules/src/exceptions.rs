//! Allow lists: events that rules must not report, each with an owner, a reason and a date on which it ends. An
//! exception is applied to hits before anything is counted, and to findings afterwards; whatever it leaves out is
//! counted.
//!
//! **Absent on purpose:** an exception never changes a rule, and one without an owner or a date is refused: nobody would
//! ever take it away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event::{EventBatch, Finding, LogSource, Timestamp, ValueTag};

use crate::check::Value;
use crate::evaluate::evaluate;
use crate::sigma::detection::SelectionReader;
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::rule::{Expr, Head};
use crate::taxonomy::Terms;
use crate::yaml::{self, Node};

const KEYS: [&str; 6] = ["name", "owner", "reason", "expires", "rules", "match"];

/// One entry of an allow list.
#[derive(Debug)]
pub struct Exception {
    /// What reports call it. No two have one name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is right.
    pub reason: String,
    /// From this moment of event time on it is as if it were not there.
    pub expires: Timestamp,
    /// Ids, names or titles; empty: every rule.
    rules: Vec<String>,
    condition: Expr,
    hits: AtomicU64,
}

impl Exception {
    fn is_for(&self, head: &Head) -> bool {
        let named = |name: &String| *name == head.id || *name == head.title || head.name.as_ref() == Some(name);
        self.rules.is_empty() || self.rules.iter().any(named)
    }

    fn is_in_force(&self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| time < self.expires)
    }

    /// Hits and findings that it has left out since this was last asked.
    pub fn take_hits(&self) -> u64 {
        self.hits.swap(0, Ordering::Relaxed)
    }

    fn leave_out(&self) -> bool {
        self.hits.fetch_add(1, Ordering::Relaxed);
        true
    }
}

/// All allow lists of a rule set; shared by those who use it.
#[derive(Clone, Debug, Default)]
pub struct Exceptions(Arc<Vec<Exception>>);

impl Exceptions {
    /// Every exception, in the order read.
    pub fn iter(&self) -> impl Iterator<Item = &Exception> {
        self.0.iter()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry that covers a hit of the rule on this row.
    pub fn covering(&self, head: &Head, batch: &EventBatch, row: usize) -> Option<&Exception> {
        let time = || batch.times().and_then(|times| times.get(row)).map(Timestamp);
        let excepts = |one: &&Exception| one.is_for(head) && evaluate(&one.condition, batch, row);
        self.0.iter().filter(|one| one.is_in_force(time())).find(excepts)
    }

    /// Whether a hit of the rule on this row is left out.
    pub fn leave_out_hit(&self, head: &Head, batch: &EventBatch, row: usize) -> bool {
        self.covering(head, batch, row).is_some_and(Exception::leave_out)
    }

    /// Whether a finding is left out: what it is about, all of it, is what the exception names.
    pub fn leave_out_finding(&self, head: &Head, finding: &Finding) -> bool {
        let excepts = |one: &&Exception| one.is_for(head) && holds_for(&one.condition, finding);
        self.0
            .iter()
            .filter(|one| one.is_in_force(finding.span.last_seen))
            .find(excepts)
            .is_some_and(Exception::leave_out)
    }
}

/// Whether every entity of the finding is what the condition asks for; fields that findings do not have are never so.
fn holds_for(condition: &Expr, finding: &Finding) -> bool {
    match condition {
        Expr::And(parts) => parts.iter().all(|part| holds_for(part, finding)),
        Expr::Or(parts) => parts.iter().any(|part| holds_for(part, finding)),
        Expr::Named(_, inner) => holds_for(inner, finding),
        Expr::Not(_) => false,
        Expr::Item(item) => {
            let entities = &finding.entities;
            let values = match item.columns.iter().map(String::as_str).find_map(|column| match column {
                "source.ip" => Some(&entities.source_ip),
                "user.name" => Some(&entities.user_name),
                "host.name" | "host.hostname" => Some(&entities.host_name),
                _ => None,
            }) {
                Some(values) => values,
                None => return false,
            };
            !values.is_empty() && values.iter().all(|value| item.check.passes(Value::Text(value, ValueTag::String)))
        }
    }
}

/// Reads files of allow lists, each with the path that diagnostics name.
pub fn read_exceptions<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    terms: &Terms,
) -> (Exceptions, Vec<Diagnostic>) {
    let mut read: Vec<Exception> = Vec::new();
    let mut diagnostics = Vec::new();
    for (path, text) in files {
        let mut problems = Problems::new(path);
        let documents = yaml::read(text).unwrap_or_else(|error| {
            problems.error(error.place, error.message);
            Vec::new()
        });
        for document in &documents {
            let Some(list) = document.get("exceptions") else {
                problems.error(document.place, "a file of exceptions is a map with a list `exceptions`");
                continue;
            };
            for node in list.one_or_many() {
                let Some(one) = exception(node, terms, &mut problems) else { continue };
                if read.iter().any(|known| known.name == one.name) {
                    problems.error(node.place, format!("the exception `{}` stands twice", one.name));
                } else {
                    read.push(one);
                }
            }
        }
        diagnostics.append(&mut problems.into_found());
    }
    (Exceptions(Arc::new(read)), diagnostics)
}

fn exception(node: &Node, terms: &Terms, problems: &mut Problems) -> Option<Exception> {
    let before = problems.error_count();
    let Some(pairs) = node.map() else {
        problems.error(node.place, format!("an exception is a map with {}", KEYS.join(", ")));
        return None;
    };
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems.error(key.place, format!("unknown key `{}` of an exception: use {}", key.text, KEYS.join(", ")));
    }
    let mut text = |key: &str, why: &str| {
        let text = node.get(key).and_then(Node::text).map(str::to_owned).filter(|text| !text.is_empty());
        if text.is_none() {
            problems.error(node.place, format!("an exception needs `{key}`: {why}"));
        }
        text
    };
    let name = text("name", "what reports call it");
    let owner = text("owner", "who answers for it");
    let reason = text("reason", "why it is right");
    let expires = text("expires", "the day on which it ends, such as 2027-06-30");
    let expires = expires.and_then(|day| {
        let read = Timestamp::parse_rfc3339(format!("{day}T00:00:00Z").as_bytes());
        if read.is_none() {
            problems.error(node.place, format!("`expires: {day}` is not a day such as 2027-06-30"));
        }
        read
    });
    let rules = node.get("rules").map_or(&[][..], Node::one_or_many).iter().filter_map(Node::text);
    let rules = rules.map(str::to_owned).collect();
    let Some(section) = node.get("match") else {
        problems.error(node.place, "an exception needs `match`: fields and values, as in a selection of a rule");
        return None;
    };
    let mut reader = SelectionReader { terms, problems, missing: Vec::new() };
    let condition = reader.selection(section);
    reader.report_missing(section.place);
    let mut condition = condition?;
    terms.taxonomy.names_for(&LogSource::default()).bind(&mut condition);
    if problems.error_count() > before {
        return None;
    }
    let (name, owner, reason, expires) = (name?, owner?, reason?, expires?);
    Some(Exception { name, owner, reason, expires, rules, condition, hits: AtomicU64::new(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_without_owner_or_end_is_refused() {
        let text = "exceptions:\n- {name: a, reason: b, match: {user.name: root}, rule: x}";
        let (_, problems) = read_exceptions([("e.yml", text)], &Terms::default());
        let reasons: Vec<&str> = problems.iter().map(|problem| problem.reason.as_str()).collect();
        assert!(reasons.iter().any(|reason| reason.contains("needs `owner`")), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.contains("needs `expires`")), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.contains("unknown key `rule`")), "{reasons:?}");
    }
}
