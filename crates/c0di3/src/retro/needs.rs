//! What a rule set needs of the archive: the columns that its rules test, and what rows must have so that one of them can match.
//! A need that is too weak costs time, one that is too strong would lose a finding: what is not certain is unknown.

use std::collections::BTreeSet;

use archive::schema::{INGESTED, JSON_TYPES, JUDGED_AS, LABELS, OFFSET, SEQUENCE, SOURCE_ID};
use archive::{Need, NeededValue, PassingTest};
use event::dataset::{DATASETS, JSON};
use event::{DatasetId, Field, LogSource};
use rules::check::{Check, Number};
use rules::percent::is_url_column;
use rules::ruleset::RuleSet;
use rules::sigma::rule::{Expr, Item};

use std::sync::Arc;

/// The raw line, which is made of all columns.
const LINE: &str = "event.original";

/// Columns that tell which event a row is, and when it was.
pub(super) const PLACE: [&str; 5] = [SEQUENCE, SOURCE_ID, OFFSET, INGESTED, "@timestamp"];

/// The columns that decide whether rules match; `None` where rules look at the whole line.
pub(super) fn columns(set: &RuleSet) -> Option<BTreeSet<String>> {
    let mut all: BTreeSet<String> = set.fields().into_iter().flat_map(|field| field.columns).collect();
    if all.contains(LINE) {
        return None;
    }
    // Fields of requests are searched where the whole of them is.
    let wholes: Vec<&str> = all.iter().filter_map(|name| Field::named(name)?.1.within).collect();
    let wholes: Vec<String> = wholes.into_iter().map(str::to_owned).collect();
    all.extend(wholes);
    if all.iter().any(|name| Field::named(name).is_none()) {
        all.insert(LABELS.to_owned());
    }
    all.extend(PLACE.into_iter().chain([JUDGED_AS, JSON_TYPES, LABELS]).map(str::to_owned));
    Some(all)
}

/// Whether the rules for a kind of log are decided by the rules' own columns: events of a JSON log tell by many others where they
/// come from.
pub(super) fn is_decided(key: &str) -> bool {
    DatasetId::of_key(key).is_some_and(|dataset| dataset != JSON)
}

/// What a row needs so that one of the rules can match it.
pub(super) fn need(set: &RuleSet, declared: Option<&LogSource>) -> Need {
    let of_rule = |rule: &rules::sigma::rule::Rule| {
        let (wanted, declared) = (rule.logsource.clone(), declared.cloned());
        let judges = move |key: &str| {
            let Some(id) = DatasetId::of_key(key) else { return true };
            let Some(dataset) = DATASETS.get(usize::from(id.0)) else { return true };
            let declared = declared.as_ref().filter(|_| dataset.is_unknown());
            id == JSON || declared.map_or_else(|| dataset.satisfies(&wanted), |declared| declared.allows(&wanted))
        };
        let judged = Need::Passing(JUDGED_AS.to_owned(), PassingTest(Arc::new(judges)));
        Need::All(vec![judged, of_condition(&rule.condition)])
    };
    Need::Any(set.rules.iter().map(of_rule).collect())
}

fn of_condition(condition: &Expr) -> Need {
    match condition {
        Expr::And(parts) => Need::All(parts.iter().map(of_condition).collect()),
        Expr::Or(parts) => of_any(parts),
        Expr::Named(_, inner) => of_condition(inner),
        Expr::Not(_) => Need::Unknown,
        Expr::Item(item) => of_item(item),
    }
}

/// A list of values of one field is one need, so that thousands of values are looked up side by side.
fn of_any(parts: &[Expr]) -> Need {
    let mut needs: Vec<Need> = Vec::new();
    for part in parts {
        match (of_condition(part), needs.last_mut()) {
            (Need::Value(columns, values), Some(Need::Value(known, all))) if *known == columns => all.extend(values),
            (need, _) => needs.push(need),
        }
    }
    Need::Any(needs)
}

fn of_item(item: &Item) -> Need {
    if item.field.is_none() || item.columns.iter().any(|column| column == LINE) {
        return Need::Unknown;
    }
    let columns = || item.columns.clone();
    let value = |value| Need::Value(item.columns.clone(), vec![value]);
    match &item.check {
        // Parts of addresses are compared decoded, too.
        Check::Text(pattern) => match pattern.only_bytes() {
            Some(text) if !item.columns.iter().any(|column| is_url_column(column)) => value(NeededValue::Text(text)),
            _ => Need::Present(columns()),
        },
        Check::Number(Number::Integer(number)) => value(NeededValue::Number(*number)),
        Check::Regex(_) | Check::Cidr(_) | Check::Number(_) | Check::Compare(..) | Check::Boolean(_) => {
            Need::Present(columns())
        }
        Check::Time(..) | Check::FieldRef(_) | Check::Pack(_) | Check::Indicator(_) => Need::Present(columns()),
        // A null of JSON is there, and has no value.
        Check::Exists(_) | Check::Null => Need::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rules::{Terms, load};

    use super::*;

    fn need_of(detection: &str) -> String {
        let text = format!(
            "title: a\nid: 6f0f6a0b-2f0a-4f0e-8d0e-000000000001\nlogsource: {{category: webserver}}\ndetection:\n{detection}"
        );
        let set = load([("a.yml", text.as_str())], &Terms::default()).set;
        let Need::Any(rules) = need(&set, None) else { return String::new() };
        rules.iter().map(|need| format!("{need:?}")).collect()
    }

    #[test]
    fn only_what_is_certain_is_needed() {
        let shown = need_of("  s:\n    c-ip: ['192.0.2.1', '192.0.2.2']\n    sc-status: 404\n  condition: s\n");
        assert!(shown.contains("Text(\"192.0.2.1\"), Text(\"192.0.2.2\")"), "{shown}");
        assert!(shown.contains("Number(404)"), "{shown}");
        let shown = need_of("  s:\n    c-uri|contains: 'x'\n  condition: s\n");
        assert!(shown.contains("present"), "{shown}");
        let letters = need_of("  s:\n    c-useragent: 'sqlmap'\n  condition: s\n");
        assert!(letters.contains("present") && !letters.contains("sqlmap"), "cases are equal: {letters}");
        let not = need_of("  s:\n    c-ip: '192.0.2.1'\n  condition: not s\n");
        assert!(not.contains('?'), "{not}");
        let line = need_of("  s:\n    - 'word'\n  condition: s\n");
        assert!(line.contains('?'), "{line}");
    }
}
