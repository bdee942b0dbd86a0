//! One group of a correlation as people see it who ask why it did not fire.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;
use serde::Serialize;

use crate::group_key::read_key;
use crate::window::Window;

/// Values and events that are shown of a group.
const SHOWN_MAX: usize = 10;

/// One group of a correlation, as its window is now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupView {
    /// Fields and their values.
    pub group: Vec<(String, String)>,
    /// The rule reports, or would if it were not muted.
    pub firing: bool,
    /// The time span has passed since its newest event: nothing that comes can find these events any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// Events in the window.
    pub events: u64,
    /// What is compared with the condition; absent where there is nothing to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<f64>,
    /// Rules that have not matched within the window, of those that are counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules_missing: Vec<String>,
    /// What is missing, in words; empty where nothing is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub missing: String,
    /// Time of the oldest event inside, as RFC 3339.
    pub first: Option<String>,
    /// Time of the newest event inside.
    pub last: Option<String>,
    /// Some of the values that are counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Some of the events: source and line.
    pub evidence: Vec<(String, u64)>,
}

impl GroupView {
    /// The group, as people write it.
    pub fn named(&self) -> String {
        let parts: Vec<String> = self.group.iter().map(|(field, value)| format!("{field}={value}")).collect();
        if parts.is_empty() { "all events together".to_owned() } else { parts.join(", ") }
    }

    /// Times of its events as ` from … to …`; empty where there are none.
    pub(crate) fn span(&self) -> String {
        match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!(" from {first} to {last}"),
            _ => String::new(),
        }
    }

    /// How near it is to what the rule asks for, to compare groups of one rule.
    pub(crate) fn rank(&self) -> f64 {
        self.aggregate.unwrap_or(self.events as f64)
    }
}

/// A window that is judged, as it was at its end.
pub(crate) fn closed_view(bound: &BoundCorrelation, key: &str, window: &Window) -> GroupView {
    GroupView { missing: String::new(), ..view(bound, key, window, Timestamp(i64::MIN)) }
}

/// A window as it is; `now` is the time of the newest event of all.
pub(crate) fn view(bound: &BoundCorrelation, key: &str, window: &Window, now: Timestamp) -> GroupView {
    let rules_missing = match bound.rule.kind {
        CorrelationKind::Temporal { .. } => {
            let names = bound.rule.rules.iter().enumerate();
            names.filter(|(base, _)| !window.has_base(*base)).map(|(_, name)| name.clone()).collect()
        }
        _ => Vec::new(),
    };
    let aggregate = window.aggregate(bound);
    // Of a temporal correlation they only tell events apart.
    let values = match bound.rule.kind {
        CorrelationKind::Temporal { .. } => Vec::new(),
        _ => window.some_values(SHOWN_MAX),
    };
    let (first, last) = window.times();
    let over = last.is_some_and(|last| last.saturating_add_us(bound.rule.timespan_us) < now);
    let firing = window.is_firing() && !over;
    let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
    GroupView {
        group: bound.rule.group_by.iter().cloned().zip(read_key(key)).collect(),
        firing,
        over,
        events: window.events(),
        aggregate,
        missing: if firing { String::new() } else { missing(bound, aggregate, &rules_missing, window) },
        rules_missing,
        first: shown(first),
        last: shown(last),
        values,
        evidence: window.some_events(SHOWN_MAX),
    }
}

/// What is missing, in words.
fn missing(bound: &BoundCorrelation, aggregate: Option<f64>, rules: &[String], window: &Window) -> String {
    if bound.waits_for_close {
        let now = aggregate.map_or(String::new(), |number| format!("; so far {number}"));
        return format!("{} is judged when the time span has passed{now}", bound.rule.bounds);
    }
    if let Some(distinct) = bound.rule.distinct.as_ref().filter(|distinct| window.distinct() < distinct.least) {
        let missing = if rules.is_empty() { String::new() } else { format!("; no match of {}", rules.join(", ")) };
        return format!("{} of {distinct} within the window{missing}", window.distinct());
    }
    if !rules.is_empty() {
        return format!("no match of {} within the window", rules.join(", "));
    }
    if matches!(bound.rule.kind, CorrelationKind::Temporal { ordered: true, .. }) {
        return "the rules have matched, but not in this order".to_owned();
    }
    let Some(found) = aggregate else { return "no event with a value that can be counted".to_owned() };
    match bound.rule.bounds.low {
        Some(low) if found < low.value || !low.inclusive && found <= low.value => {
            format!("{found} of {} within the window of {} event(s)", bound.rule.bounds, window.events())
        }
        _ => String::new(),
    }
}
