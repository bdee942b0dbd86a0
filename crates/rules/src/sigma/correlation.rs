//! The `correlation` section: what is counted over a sliding window, by which fields, and what the count must be.

use crate::sigma::condition;
use crate::sigma::diagnostic::Problems;
use crate::sigma::old_form;
use crate::sigma::rule::{
    Alias, Bounds, Correlation, CorrelationKind, Distinct, Function, Head, HistoryKind, HistoryRule, Mentions,
};
use crate::sigma::shape;
use crate::sigma::threshold::{WINDOW_ENTRIES_MAX, above_zero, bounds, check_counts, number};
use crate::yaml::{Kind, Node, ScalarValue};

const TYPES: &str = "event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile, value_median, and \
     ours: new_terms, rare or spike";
const KEYS: &[&str] = &["type", "rules", "group-by", "timespan", "condition", "generate", "aliases", "warm-up"];
/// What may stand in conditions beside an operator.
const FIELDS_OF_CONDITIONS: &[&str] = &["field", "percentile", "events", "factor"];

/// Highest threshold of a count: as many events as a window holds.
const THRESHOLD_MAX: f64 = WINDOW_ENTRIES_MAX as f64;

/// Our key for rules whose hits take back what was counted.
const FORGIVEN_KEY: &str = "c0di3.forgiven_by";
/// Our key for how many different events a temporal correlation takes.
const DISTINCT_KEY: &str = "c0di3.distinct";
/// Most different events that can be asked for.
const DISTINCT_MAX: f64 = 1000.0;

/// `document`: what the section stands in. Every part is checked, whatever is wrong with the others.
pub(crate) fn read(document: &Node, section: &Node, head: Head, problems: &mut Problems) -> Option<Correlation> {
    let Some(pairs) = section.map() else {
        problems.error(section.place, format!("`correlation` must be a map, not {}", section.shown()));
        return None;
    };
    let before = problems.error_count();
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems.error(key.place, old_form::unknown_key(&key.text, KEYS));
    }
    let named = shape::texts(section, "rules", "ids or names of rules", problems);
    named.refuse_doubles("rules", problems);
    let mut rules = named.words();
    let has_names = !rules.is_empty() || problems.error_count() > before;
    let group_by = shape::texts(section, "group-by", "names of fields", problems).words();
    if section.get("group-by").is_none_or(|node| node.one_or_many().iter().all(Node::is_null)) {
        problems.warn(section.place, "without `group-by` all events count together");
    }
    let timespan_us = timespan(section, problems);
    let (aliases, alias_places) = aliases(section, problems);
    let counted = match shape::text(section, "type", "event_count", problems) {
        Some(kind @ ("temporal" | "temporal_ordered")) => {
            temporal(section, kind == "temporal_ordered", &mut rules, problems)
        }
        Some(kind @ ("new_terms" | "rare" | "spike")) => history(section, kind, timespan_us.unwrap_or(0), problems),
        Some(kind) => counting(section, kind, problems),
        None => {
            if !shape::is_other(section, "type") {
                problems.error(section.place, format!("a correlation needs a `type`: {TYPES}"));
            }
            // Of whatever type: what is no number is wrong.
            let condition = section.get("condition").filter(|node| node.map().is_some());
            condition.and_then(|node| bounds(node, FIELDS_OF_CONDITIONS, problems));
            None
        }
    };
    if rules.is_empty() && !has_names {
        problems.error(section.place, "`rules` must name at least one rule by id or name");
    }
    let generate_outside = flag(document, "generate", problems);
    let inside = flag(section, "generate", problems);
    if generate_outside.zip(inside).is_some_and(|(outside, inside)| outside != inside) {
        problems.error(section.place, "`generate` stands twice, with different values: keep one");
    }
    let forgivers = shape::texts(document, FORGIVEN_KEY, "ids or names of rules", problems);
    let is_temporal = matches!(counted, Some((CorrelationKind::Temporal { .. }, _)));
    let distinct = distinct(document, is_temporal, problems);
    if problems.error_count() > before {
        return None;
    }
    let (kind, bounds) = counted?;
    let generate = inside.or(generate_outside).unwrap_or(false);
    let forgiven_by = forgivers.words();
    let timespan_us = timespan_us?;
    let places = Mentions([named.mentions().0, forgivers.mentions().0].concat());
    Some(Correlation {
        head,
        kind,
        rules,
        group_by,
        aliases,
        timespan_us,
        bounds,
        generate,
        forgiven_by,
        distinct,
        places,
        alias_places,
    })
}

/// A boolean key, if it is there.
pub(crate) fn flag(section: &Node, key: &str, problems: &mut Problems) -> Option<bool> {
    let node = section.get(key)?;
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.value() {
            ScalarValue::Boolean(value) => return Some(value),
            _ => problems.error(node.place, format!("`{key}` must be true or false")),
        },
        _ => problems.error(node.place, format!("`{key}` must be true or false")),
    }
    None
}

/// `c0di3.distinct: {gte: 2, field: [url.original]}`, if it is there.
fn distinct(document: &Node, is_temporal: bool, problems: &mut Problems) -> Option<Distinct> {
    let node = document.get(DISTINCT_KEY)?;
    if !is_temporal {
        let reason =
            format!("`{DISTINCT_KEY}` is for temporal and temporal_ordered: others count an event once anyway");
        problems.error(node.place, reason);
        return None;
    }
    let keys = node.map().unwrap_or(&[]).iter().map(|(key, _)| key);
    for key in keys.filter(|key| !["gte", "field"].contains(&key.text.as_str())) {
        problems.error(key.place, format!("unknown key `{}` in `{DISTINCT_KEY}`: known are gte, field", key.text));
    }
    let least = node.get("gte").and_then(number);
    let Some(least) = least.filter(|least| least.fract() == 0.0 && (2.0..=DISTINCT_MAX).contains(least)) else {
        let reason = format!("`{DISTINCT_KEY}` needs `gte`, a whole number from 2 to {DISTINCT_MAX}: {{gte: 2}}");
        problems.error(node.place, reason);
        return None;
    };
    let fields = shape::texts(node, "field", "names of fields", problems);
    fields.refuse_doubles("field", problems);
    Some(Distinct { least: least as u64, fields: fields.words() })
}

/// `alias: {rule: field}`, and where each names its rules.
fn aliases(section: &Node, problems: &mut Problems) -> (Vec<Alias>, Vec<Mentions>) {
    let Some(node) = section.get("aliases") else { return Default::default() };
    let (mut aliases, mut places) = (Vec::new(), Vec::new());
    let wanted = "a map such as `address: {rule_a: SourceIp, rule_b: c-ip}`";
    let Some(pairs) = node.map().filter(|pairs| !pairs.is_empty()) else {
        problems.error(node.place, format!("`aliases` must be {wanted}, not {}", node.shown()));
        return Default::default();
    };
    for (name, fields) in pairs {
        let Some(pairs) = fields.map().filter(|pairs| !pairs.is_empty()) else {
            let (name, shown) = (&name.text, fields.shown());
            let reason = format!("the alias `{name}` needs a field for each rule, `rule: field`, not {shown}");
            problems.error(fields.place, reason);
            continue;
        };
        let mut known = Vec::new();
        for (rule, field) in pairs {
            match field.text().filter(|text| !field.is_null() && !text.trim().is_empty()) {
                Some(text) => known.push((rule.text.clone(), text.to_owned())),
                None => {
                    let (name, rule, shown) = (&name.text, &rule.text, field.shown());
                    let reason = format!("the alias `{name}` takes one field of `{rule}`, not {shown}");
                    problems.error(field.place, reason);
                }
            }
        }
        aliases.push(Alias { name: name.text.clone(), fields: known });
        places.push(Mentions(pairs.iter().map(|(rule, _)| (rule.text.clone(), rule.place)).collect()));
    }
    (aliases, places)
}

/// Largest number of a time span in s, m, h, d and w, and in the longer M and y.
const SPAN_MAX: i64 = 1_000_000;
const LONG_SPAN_MAX: i64 = 1000;
const SECOND_US: i64 = 1_000_000;
/// Units of time spans. Months and years are those of pySigma: averages.
const UNITS: [(char, i64, i64); 7] = [
    ('s', SECOND_US, SPAN_MAX),
    ('m', 60 * SECOND_US, SPAN_MAX),
    ('h', 3600 * SECOND_US, SPAN_MAX),
    ('d', 86_400 * SECOND_US, SPAN_MAX),
    ('w', 7 * 86_400 * SECOND_US, SPAN_MAX),
    ('M', 2_629_746 * SECOND_US, LONG_SPAN_MAX),
    ('y', 31_556_952 * SECOND_US, LONG_SPAN_MAX),
];

fn timespan(section: &Node, problems: &mut Problems) -> Option<i64> {
    let Some(node) = section.get("timespan") else {
        problems.error(section.place, "a correlation needs a `timespan` such as 5m");
        return None;
    };
    let read = span(node, 1, problems);
    if read.is_some() && node.text().is_some_and(|text| text.ends_with(['w', 'M', 'y'])) {
        let shown = node.shown();
        let reason = format!("the specification has no unit as in {shown}: s, m, h and d are understood everywhere");
        problems.warn(node.place, reason);
    }
    read
}

/// `5m` and the like in microseconds.
fn span(node: &Node, least: i64, problems: &mut Problems) -> Option<i64> {
    let wanted = "write a number and s, m, h or d, such as 5m";
    let text = node.text().unwrap_or("");
    let unit = UNITS.iter().find(|(unit, ..)| text.ends_with(*unit));
    let digits = unit.map_or("", |(unit, ..)| text.trim_end_matches(*unit));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let Some((unit, unit_us, most)) = unit.filter(|_| is_number && digits.len() + 1 == text.len()) else {
        problems.error(node.place, format!("{} is not a time span: {wanted}", node.shown()));
        return None;
    };
    // What is too large for a number is too long, too.
    let count = digits.parse().unwrap_or(i64::MAX);
    if count < least {
        problems.error(node.place, format!("`{text}` is not a time span, it is no time at all: {wanted}"));
    } else if count > *most {
        problems.error(node.place, format!("`{text}` is longer than what is allowed: at most {most}{unit}"));
    }
    (least..=*most).contains(&count).then(|| count * unit_us)
}

/// Rules that must all have matched; or as many, or those of an expression, as the condition says.
fn temporal(
    section: &Node,
    ordered: bool,
    rules: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<(CorrelationKind, Bounds)> {
    let condition = section.get("condition").filter(|node| !node.is_null());
    let mut expression = None;
    if let Some((node, text)) = condition.and_then(|node| Some((node, node.text()?))) {
        match condition::read_rules(text, rules) {
            Ok(needed) => expression = Some(needed),
            Err(reasons) => reasons.into_iter().for_each(|reason| problems.error(node.place, reason)),
        }
        if ordered {
            let reason = "an expression has no order: use `temporal`, or list the rules in their order";
            problems.error(node.place, reason);
        }
    }
    // Names that cannot be read are told already.
    let count = section.get("rules").map_or(0, |node| node.one_or_many().len()).max(rules.len());
    if count < 2 {
        problems.error(section.place, "a temporal correlation needs at least two rules");
    }
    let all = Bounds::at_least(rules.len() as f64);
    let bounds = match condition {
        Some(node) if node.text().is_none() => {
            let read = bounds(node, &[], problems)?;
            check_counts(node, &read, count as f64, "the number of its rules", problems);
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
    if let Some(new) = old_form::present_type(kind) {
        let place = section.get("type").map_or(section.place, |node| node.place);
        problems.error(place, format!("`{kind}` is the old name of a correlation type: write `{new}`"));
        return None;
    }
    let Some(node) = section.get("condition") else {
        problems.error(section.place, "a correlation needs a `condition` such as {gte: 10}");
        return None;
    };
    let fields = shape::texts(node, "field", "names of fields", problems).words();
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
    if let Some(bounds) = bounds.filter(|_| counts) {
        let limits = [bounds.low, bounds.high].into_iter().flatten();
        if limits.map(|bound| bound.value).any(|value| value > THRESHOLD_MAX) {
            problems.error(node.place, format!("a window holds at most {THRESHOLD_MAX} events: use a lower threshold"));
        } else {
            check_counts(node, &bounds, THRESHOLD_MAX, "the events that a window holds", problems);
        }
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
    let fields = shape::texts(node, "field", "names of fields", problems).words();
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
            check_counts(node, &bounds, f64::INFINITY, "which is without end", problems);
            (HistoryKind::Rare { events: above_zero(node, "events", 100.0, problems) as u64 }, bounds)
        }
        _ => {
            let bounds = bounds(node, &["factor"], problems)?;
            if bounds.low.is_none() {
                problems.error(node.place, "spike needs `gte`: as many events it takes at least");
            }
            check_counts(node, &bounds, f64::INFINITY, "which is without end", problems);
            (HistoryKind::Spike { factor: above_zero(node, "factor", 5.0, problems) }, bounds)
        }
    };
    if fields.is_empty() == !matches!(kind, HistoryKind::Spike { .. }) {
        problems.error(node.place, "new_terms and rare look at one `field` or several, spike at none");
    }
    let warm_up_us = match section.get("warm-up") {
        None => timespan_us,
        Some(node) => span(node, 0, problems).unwrap_or(0),
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
