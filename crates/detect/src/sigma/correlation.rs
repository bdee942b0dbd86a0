//! The `correlation` section: `event_count`, `value_count`, `temporal` and `temporal_ordered` over a sliding window.
//! Other types are refused by name.

use event::time::parse_span_us;

use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{Correlation, CorrelationKind, Head};
use crate::yaml::{Kind, Node, Value};

/// Types of the specification that this version refuses.
const NOT_YET: &[&str] = &["value_sum", "value_avg", "value_percentile", "value_median"];
const KEYS: &[&str] = &["type", "rules", "group-by", "timespan", "condition", "generate"];

/// Highest threshold: as many events as a window holds.
const THRESHOLD_MAX: u64 = crate::correlate::WINDOW_ENTRIES_MAX as u64;

pub(crate) fn read(section: &Node, head: Head, generate: bool, problems: &mut Problems) -> Option<Correlation> {
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`correlation` must be a map, not {}", section.kind_name()));
        return None;
    };
    let before = problems.error_count();
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems.error(key.place, format!("`{}` is not supported in a correlation by this version", key.text));
    }
    let texts = |name: &str| -> Vec<String> {
        let nodes = section.get(name).map_or(&[][..], Node::one_or_many);
        nodes.iter().filter_map(|node| node.text().map(str::to_owned)).collect()
    };
    let rules = texts("rules");
    if rules.is_empty() {
        problems.error(section.place, "`rules` must name at least one rule by id or name");
    }
    let group_by = texts("group-by");
    if group_by.is_empty() {
        problems.warn(section.place, "without `group-by` all events count together");
    }
    let timespan_us = timespan(section, problems);
    let temporal = section.get("type").and_then(Node::text).is_some_and(|kind| kind.starts_with("temporal"));
    let condition = if temporal { every_rule(section, &rules, problems) } else { condition(section, problems) };
    let kind = kind(section, condition.as_ref().and_then(|(_, field)| field.clone()), problems);
    let generate = generate | flag(section, "generate", problems);
    if problems.error_count() > before {
        return None;
    }
    Some(Correlation {
        head,
        kind: kind?,
        rules,
        group_by,
        timespan_us: timespan_us?,
        threshold: condition?.0,
        generate,
    })
}

/// A boolean key; absent means false.
pub(crate) fn flag(section: &Node, key: &str, problems: &mut Problems) -> bool {
    let Some(node) = section.get(key) else { return false };
    match &node.kind {
        Kind::Scalar(scalar) if matches!(scalar.value(), Value::Boolean(_)) => scalar.value() == Value::Boolean(true),
        _ => {
            problems.error(node.place, format!("`{key}` must be true or false"));
            false
        }
    }
}

/// Temporal correlations fire when every rule has matched; a condition of their own is for a later version.
fn every_rule(section: &Node, rules: &[String], problems: &mut Problems) -> Option<(u64, Option<String>)> {
    if let Some(node) = section.get("condition") {
        problems.error(node.place, "a `condition` of a temporal correlation is not supported by this version");
    }
    let mut distinct = rules.to_vec();
    distinct.sort();
    distinct.dedup();
    if distinct.len() < rules.len() {
        problems.error(section.place, "a temporal correlation names each of its rules once");
    }
    if rules.len() < 2 {
        problems.error(section.place, "a temporal correlation needs at least two rules");
    }
    Some((rules.len() as u64, None))
}

fn kind(section: &Node, field: Option<String>, problems: &mut Problems) -> Option<CorrelationKind> {
    let Some(node) = section.get("type") else {
        problems.error(
            section.place,
            "a correlation needs a `type`: event_count, value_count, temporal or temporal_ordered",
        );
        return None;
    };
    match (node.text().unwrap_or(""), field) {
        ("temporal", _) => Some(CorrelationKind::Temporal { ordered: false }),
        ("temporal_ordered", _) => Some(CorrelationKind::Temporal { ordered: true }),
        ("event_count", None) => Some(CorrelationKind::EventCount),
        ("event_count", Some(_)) => {
            problems.error(node.place, "`field` belongs to value_count; event_count counts events");
            None
        }
        ("value_count", Some(field)) => Some(CorrelationKind::ValueCount(field)),
        ("value_count", None) => {
            problems.error(node.place, "value_count needs `field` in its condition: what to count the values of");
            None
        }
        (other, _) if NOT_YET.contains(&other) => {
            problems.error(node.place, format!("the correlation type `{other}` is not supported by this version"));
            None
        }
        (other, _) => {
            problems.error(
                node.place,
                format!(
                    "unknown correlation type `{other}`: use event_count, value_count, temporal or temporal_ordered"
                ),
            );
            None
        }
    }
}

/// `5m` and the like in microseconds.
fn timespan(section: &Node, problems: &mut Problems) -> Option<i64> {
    let Some(node) = section.get("timespan") else {
        problems.error(section.place, "a correlation needs a `timespan` such as 5m");
        return None;
    };
    let text = node.text().unwrap_or("");
    let read = parse_span_us(text).filter(|span| *span > 0);
    if read.is_none() {
        problems.error(node.place, format!("`{text}` is not a time span: write a number and s, m, h or d, such as 5m"));
    }
    read
}

/// Threshold, and the field of a value count.
fn condition(section: &Node, problems: &mut Problems) -> Option<(u64, Option<String>)> {
    let Some(node) = section.get("condition") else {
        problems.error(section.place, "a correlation needs a `condition` such as {gte: 10}");
        return None;
    };
    let Kind::Map(pairs) = &node.kind else {
        problems.error(node.place, "the `condition` of a correlation must be a map such as {gte: 10}");
        return None;
    };
    let mut threshold = None;
    let mut field = None;
    let lower_bounds = pairs.iter().filter(|(key, _)| matches!(key.text.as_str(), "gte" | "gt")).count();
    if lower_bounds > 1 {
        problems.error(node.place, "gte and gt together say the same thing twice: keep one");
    }
    for (key, value) in pairs {
        let number = match &value.kind {
            Kind::Scalar(scalar) => match scalar.value() {
                Value::Integer(number) => u64::try_from(number).ok(),
                _ => None,
            },
            _ => None,
        };
        match (key.text.as_str(), number) {
            ("gte", Some(number)) if number > 0 => threshold = Some(number),
            ("gt", Some(number)) => threshold = Some(number + 1),
            ("gte" | "gt", _) => problems.error(value.place, "a threshold must be a whole number above 0"),
            ("lt" | "lte" | "eq" | "neq", _) => {
                problems.error(key.place, format!("the operator `{}` is not supported by this version", key.text));
            }
            ("field", _) => field = value.text().map(str::to_owned),
            (other, _) => {
                problems.error(key.place, format!("unknown key `{other}` in the condition: use gte or gt, and field"))
            }
        }
    }
    if threshold.is_some_and(|threshold| threshold > THRESHOLD_MAX) {
        problems.error(node.place, format!("a window holds at most {THRESHOLD_MAX} events: use a lower threshold"));
    }
    if threshold.is_none() {
        problems.error(node.place, "the `condition` needs gte or gt with a number");
    }
    threshold.map(|threshold| (threshold, field))
}
