//! What the windows of a correlation hold, for people who ask why it did not fire.

use event::{Hit, Timestamp};
use serde::Serialize;

use crate::correlate::Correlator;
use crate::correlate::group::{read_key, write_key};
use crate::correlate::window::Window;
use crate::ruleset::BoundCorrelation;
use crate::sigma::rule::CorrelationKind;

/// Values and events that are shown of a group.
const SHOWN_MAX: usize = 10;

/// One group of a correlation, as its window is now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupView {
    /// Fields and their values.
    pub group: Vec<(String, String)>,
    /// The rule reports, or would if it were not muted.
    pub firing: bool,
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
    /// Time of the oldest and of the newest event inside.
    pub first: Option<String>,
    pub last: Option<String>,
    /// Some of the values that are counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Some of the events: source and line.
    pub evidence: Vec<(String, u64)>,
}

impl BoundCorrelation {
    /// What it asks for, in words.
    pub fn asks_for(&self) -> String {
        let rule = &self.rule;
        let span = rule.timespan_us / 1_000_000;
        let by = if rule.group_by.is_empty() { String::new() } else { format!(" by {}", rule.group_by.join(", ")) };
        format!("{} of {}{by}: {} within {span} s", rule.kind.name(), rule.rules.join(", "), rule.bounds)
    }
}

impl Correlator {
    /// The groups of a correlation, by id; those first that have the most. `None` where there is no such correlation.
    pub fn groups(&self, id: &str, limit: usize) -> Option<Vec<GroupView>> {
        let index = self.set.correlations.iter().position(|bound| bound.rule.head.id == id)?;
        let bound = &self.set.correlations[index];
        let mut windows: Vec<(&str, &Window)> = self.windows[index].iter().collect();
        let weight = |window: &Window| (window.aggregate(bound).unwrap_or(0.0), window.events());
        windows.sort_by(|(key, one), (other_key, other)| {
            let (one, other) = (weight(one), weight(other));
            other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)).then(key.cmp(other_key))
        });
        Some(windows.into_iter().take(limit).map(|(key, window)| view(bound, key, window)).collect())
    }

    /// The group that the hit belongs to in a correlation, by id, as it is now.
    pub fn group_of(&self, id: &str, hit: &Hit) -> Option<GroupView> {
        let index = self.set.correlations.iter().position(|bound| bound.rule.head.id == id)?;
        let bound = &self.set.correlations[index];
        let mut key = String::new();
        if !write_key(bound, hit, &mut key) {
            return None;
        }
        self.windows[index].get(&key).map(|window| view(bound, &key, window))
    }
}

fn view(bound: &BoundCorrelation, key: &str, window: &Window) -> GroupView {
    let fields = bound.rule.group_by.iter().cloned();
    let rules_missing = match bound.rule.kind {
        CorrelationKind::Temporal { .. } => {
            let names = bound.rule.rules.iter().enumerate();
            names.filter(|(place, _)| !window.has_place(*place)).map(|(_, name)| name.clone()).collect()
        }
        _ => Vec::new(),
    };
    let aggregate = window.aggregate(bound);
    let firing = window.is_firing();
    let (first, last) = window.times();
    let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
    GroupView {
        group: fields.zip(read_key(key)).collect(),
        firing,
        events: window.events(),
        aggregate,
        missing: if firing { String::new() } else { missing(bound, aggregate, &rules_missing, window) },
        rules_missing,
        first: shown(first),
        last: shown(last),
        values: window.some_values(SHOWN_MAX),
        evidence: window.some_events(SHOWN_MAX),
    }
}

fn missing(bound: &BoundCorrelation, aggregate: Option<f64>, rules: &[String], window: &Window) -> String {
    if bound.waits_for_close {
        return "the window is judged when its time span has passed".to_owned();
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
