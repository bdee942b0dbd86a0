//! The `correlation` section: what is counted over a sliding window, by which fields, and what the count must be.

use event::time::parse_span_us;

use crate::sigma::condition;
use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{
    Alias, Bound, Bounds, Correlation, CorrelationKind, Function, Head, HistoryKind, HistoryRule,
};
use crate::yaml::{Kind, Node, Value};

const TYPES: &str = "event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile, value_median, and \
     ours: new_terms, rare or spike";
const KEYS: &[&str] = &["type", "rules", "group-by", "timespan", "condition", "generate", "aliases", "warm-up"];
const OPERATORS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq"];

/// Highest threshold of a count: as many events as a window holds.
const THRESHOLD_MAX: f64 = crate::correlate::WINDOW_ENTRIES_MAX as f64;

/// Our key for rules whose hits take back what was counted.
const FORGIVEN_KEY: &str = "c0di3.forgiven_by";

/// `document`: what the section stands in.
pub(crate) fn read(document: &Node, section: &Node, head: Head, problems: &mut Problems) -> Option<Correlation> {
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`correlation` must be a map, not {}", section.kind_name()));
        return None;
    };
    let before = problems.error_count();
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems
            .error(key.place, format!("unknown key `{}` in a correlation: known are {}", key.text, KEYS.join(", ")));
    }
    let mut rules = texts(section, "rules");
    let group_by = texts(section, "group-by");
    if group_by.is_empty() {
        problems.warn(section.place, "without `group-by` all events count together");
    }
    let timespan_us = timespan(section, problems);
    let aliases = aliases(section, problems);
    let counted = match section.get("type").and_then(Node::text) {
        Some(kind @ ("temporal" | "temporal_ordered")) => {
            temporal(section, kind == "temporal_ordered", &mut rules, problems)
        }
        Some(kind @ ("new_terms" | "rare" | "spike")) => history(section, kind, timespan_us.unwrap_or(0), problems),
        Some(kind) => counting(section, kind, problems),
        None => {
            problems.error(section.place, format!("a correlation needs a `type`: {TYPES}"));
            None
        }
    };
    if rules.is_empty() {
        problems.error(section.place, "`rules` must name at least one rule by id or name");
    }
    let generate_outside = flag(document, "generate", problems);
    let inside = flag(section, "generate", problems);
    if generate_outside.zip(inside).is_some_and(|(outside, inside)| outside != inside) {
        problems.error(section.place, "`generate` stands twice, with different values: keep one");
    }
    if problems.error_count() > before {
        return None;
    }
    let (kind, bounds) = counted?;
    let generate = inside.or(generate_outside).unwrap_or(false);
    let forgiven_by = texts(document, FORGIVEN_KEY);
    let timespan_us = timespan_us?;
    Some(Correlation { head, kind, rules, group_by, aliases, timespan_us, bounds, generate, forgiven_by })
}

fn texts(section: &Node, name: &str) -> Vec<String> {
    let nodes = section.get(name).map_or(&[][..], Node::one_or_many);
    nodes.iter().filter_map(|node| node.text().map(str::to_owned)).collect()
}

/// A boolean key, if it is there.
pub(crate) fn flag(section: &Node, key: &str, problems: &mut Problems) -> Option<bool> {
    let node = section.get(key)?;
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.value() {
            Value::Boolean(value) => return Some(value),
            _ => problems.error(node.place, format!("`{key}` must be true or false")),
        },
        _ => problems.error(node.place, format!("`{key}` must be true or false")),
    }
    None
}

/// `alias: {rule: field}`.
fn aliases(section: &Node, problems: &mut Problems) -> Vec<Alias> {
    let Some(node) = section.get("aliases") else { return Vec::new() };
    let mut aliases = Vec::new();
    for (name, fields) in node.map().unwrap_or(&[]) {
        let pairs = fields.map().unwrap_or(&[]).iter();
        let fields: Vec<(String, String)> =
            pairs.filter_map(|(rule, field)| Some((rule.text.clone(), field.text()?.to_owned()))).collect();
        if fields.is_empty() {
            problems.error(name.place, format!("the alias `{}` needs a field for each rule: `rule: field`", name.text));
        }
        aliases.push(Alias { name: name.text.clone(), fields });
    }
    if aliases.is_empty() {
        problems.error(node.place, "`aliases` must be a map such as `address: {rule_a: SourceIp, rule_b: c-ip}`");
    }
    aliases
}

/// `5m` and the like in microseconds. Months and years are those of pySigma: averages.
fn timespan(section: &Node, problems: &mut Problems) -> Option<i64> {
    const MONTH_US: i64 = 2_629_746_000_000;
    const YEAR_US: i64 = 31_556_952_000_000;
    let Some(node) = section.get("timespan") else {
        problems.error(section.place, "a correlation needs a `timespan` such as 5m");
        return None;
    };
    let text = node.text().unwrap_or("");
    let long = |unit: char, span_us: i64| {
        let count = text.strip_suffix(unit)?.parse::<i64>().ok().filter(|count| (1..=1000).contains(count))?;
        Some(count * span_us)
    };
    let read = parse_span_us(text).or_else(|| long('M', MONTH_US)).or_else(|| long('y', YEAR_US));
    let read = read.filter(|span| *span > 0);
    if read.is_none() {
        problems.error(node.place, format!("`{text}` is not a time span: write a number and s, m, h or d, such as 5m"));
    } else if text.ends_with(['w', 'M', 'y']) {
        problems.warn(
            node.place,
            format!("the specification has no unit as in `{text}`: s, m, h and d are understood everywhere"),
        );
    }
    read
}

/// Rules that must all have matched; or as many, or those of an expression, as the condition says.
fn temporal(
    section: &Node,
    ordered: bool,
    rules: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<(CorrelationKind, Bounds)> {
    let condition = section.get("condition");
    let mut expression = None;
    if let Some((node, text)) = condition.and_then(|node| Some((node, node.text()?))) {
        let needed = condition::read_rules(text, rules).map_err(|reason| problems.error(node.place, reason)).ok()?;
        if ordered {
            let reason = "an expression has no order: use `temporal`, or list the rules in their order";
            problems.error(node.place, reason);
        }
        expression = Some(needed);
    }
    let mut distinct = rules.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() < rules.len() {
        problems.error(section.place, "a temporal correlation names each of its rules once");
    }
    if rules.len() < 2 {
        problems.error(section.place, "a temporal correlation needs at least two rules");
    }
    let all = Bounds::at_least(rules.len() as f64);
    let bounds = match condition {
        Some(node) if expression.is_none() => {
            let read = bounds(node, &[], problems)?;
            if ordered && read != all {
                problems.error(node.place, "an ordered correlation asks for all of its rules: leave `condition` out");
            }
            read
        }
        Some(_) => Bounds::default(),
        None => all,
    };
    Some((CorrelationKind::Temporal { ordered, expression }, bounds))
}

/// Types with a count or a number that is compared.
fn counting(section: &Node, kind: &str, problems: &mut Problems) -> Option<(CorrelationKind, Bounds)> {
    let Some(node) = section.get("condition") else {
        problems.error(section.place, "a correlation needs a `condition` such as {gte: 10}");
        return None;
    };
    let fields = texts(node, "field");
    let extra: &[&str] = if kind == "value_percentile" { &["field", "percentile"] } else { &["field"] };
    let bounds = bounds(node, extra, problems);
    let field = || match fields.as_slice() {
        [field] => Some(field.clone()),
        _ => None,
    };
    let value = |function| field().map(|field| CorrelationKind::Value { field, function });
    let found = match kind {
        "event_count" if fields.is_empty() => Some(CorrelationKind::EventCount),
        "event_count" => {
            problems.error(node.place, "`field` belongs to value_count; event_count counts events");
            return None;
        }
        "value_count" => (!fields.is_empty()).then(|| CorrelationKind::ValueCount(fields.clone())),
        "value_sum" => value(Function::Sum),
        "value_avg" => value(Function::Average),
        "value_median" => value(Function::Percentile(50.0)),
        "value_percentile" => value(percentile(node, problems)?),
        other => {
            problems.error(section.place, format!("unknown correlation type `{other}`: use {TYPES}"));
            return None;
        }
    };
    if found.is_none() {
        let what = if kind == "value_count" { "at least one field" } else { "one field" };
        problems.error(node.place, format!("{kind} needs {what} in its condition: `field`"));
    }
    let counts = matches!(found, Some(CorrelationKind::EventCount | CorrelationKind::ValueCount(_)));
    let limits = bounds.iter().flat_map(|bounds| [bounds.low, bounds.high]).flatten();
    if counts && limits.clone().any(|bound| bound.value > THRESHOLD_MAX) {
        problems.error(node.place, format!("a window holds at most {THRESHOLD_MAX} events: use a lower threshold"));
    }
    let always = bounds.is_some_and(|bounds| bounds.hold(0.0) && bounds.low.is_some());
    if counts && always {
        problems.error(node.place, "a threshold must be above 0: every event alone would reach it");
    }
    found.zip(bounds)
}

/// Types that compare with what the group has been like before.
fn history(section: &Node, kind: &str, timespan_us: i64, problems: &mut Problems) -> Option<(CorrelationKind, Bounds)> {
    let before = problems.error_count();
    let Some(node) = section.get("condition") else {
        problems.error(section.place, format!("{kind} needs a `condition`, such as {{field: source.ip}}"));
        return None;
    };
    let fields = texts(node, "field");
    let one = |key: &str| node.get(key).and_then(number).filter(|number| *number > 0.0);
    let (kind, bounds) = match kind {
        "new_terms" => {
            if let Some(pairs) = node.map() {
                for (key, _) in pairs.iter().filter(|(key, _)| key.text != "field") {
                    problems.error(key.place, format!("unknown key `{}`: new_terms takes `field` alone", key.text));
                }
            }
            (HistoryKind::NewTerms, Bounds::default())
        }
        "rare" => {
            let bounds = bounds(node, &["field", "events"], problems)?;
            if bounds.high.is_none() {
                problems.error(node.place, "rare needs `lte`: how often a value may have been seen to be rare");
            }
            (HistoryKind::Rare { events: one("events").map_or(100, |number| number as u64) }, bounds)
        }
        _ => {
            let bounds = bounds(node, &["factor"], problems)?;
            if bounds.low.is_none() {
                problems.error(node.place, "spike needs `gte`: as many events it takes at least");
            }
            (HistoryKind::Spike { factor: one("factor").unwrap_or(5.0) }, bounds)
        }
    };
    if fields.is_empty() == !matches!(kind, HistoryKind::Spike { .. }) {
        problems.error(node.place, "new_terms and rare look at one `field` or several, spike at none");
    }
    let warm_up_us = match section.get("warm-up") {
        None => timespan_us,
        Some(node) => parse_span_us(node.text().unwrap_or("")).unwrap_or_else(|| {
            problems.error(node.place, "`warm-up` is a time span such as 1d");
            0
        }),
    };
    let rule = HistoryRule { kind, fields, warm_up_us };
    (problems.error_count() == before).then_some((CorrelationKind::History(rule), bounds))
}

fn percentile(node: &Node, problems: &mut Problems) -> Option<Function> {
    let Some(given) = node.get("percentile") else { return Some(Function::Share) };
    match number(given).filter(|number| (0.0..=100.0).contains(number)) {
        Some(number) => Some(Function::Percentile(number)),
        None => {
            problems.error(given.place, "`percentile` is a number from 0 to 100");
            None
        }
    }
}

fn number(node: &Node) -> Option<f64> {
    let Kind::Scalar(scalar) = &node.kind else { return None };
    match scalar.value() {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

/// One operator, or two that make a range. `extra` are keys that something else reads.
fn bounds(node: &Node, extra: &[&str], problems: &mut Problems) -> Option<Bounds> {
    let Kind::Map(pairs) = &node.kind else {
        problems.error(node.place, "the `condition` of a correlation must be a map such as {gte: 10}");
        return None;
    };
    let before = problems.error_count();
    let mut bounds = Bounds::default();
    let mut operators = 0;
    for (key, value) in pairs.iter().filter(|(key, _)| !extra.contains(&key.text.as_str())) {
        if !OPERATORS.contains(&key.text.as_str()) {
            let known = [OPERATORS, extra].concat().join(", ");
            problems.error(key.place, format!("unknown key `{}` in the condition: known are {known}", key.text));
            continue;
        }
        operators += 1;
        let Some(number) = number(value) else {
            problems.error(value.place, format!("`{}` compares with a number", key.text));
            continue;
        };
        let bound = Some(Bound { value: number, inclusive: key.text.ends_with('e') || key.text == "eq" });
        let target: &mut [&mut Option<Bound>] = match key.text.as_str() {
            "gt" | "gte" => &mut [&mut bounds.low],
            "lt" | "lte" => &mut [&mut bounds.high],
            "eq" => &mut [&mut bounds.low, &mut bounds.high],
            _ => {
                bounds.other_than = Some(number);
                continue;
            }
        };
        for side in target {
            if side.is_some() {
                problems
                    .error(key.place, format!("`{}` bounds a side that another operator bounds: keep one", key.text));
            }
            **side = bound;
        }
    }
    if operators == 0 {
        problems.error(node.place, format!("the `condition` needs one of {} with a number", OPERATORS.join(", ")));
    }
    let range = bounds.low.zip(bounds.high);
    if range.is_some_and(|(low, high)| {
        low.value > high.value || low.value == high.value && !(low.inclusive && high.inclusive)
    }) {
        problems.error(node.place, "no number lies between these bounds");
    }
    (problems.error_count() == before).then_some(bounds)
}
