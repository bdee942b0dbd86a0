//! Why a correlation did or did not fire over given hits: what it counted, what it left out and for which reason, how
//! near each group came, and how windows were judged that wait for their end. Told by the correlator itself, on the
//! way.

use std::fmt;
use std::sync::Arc;

use event::Hit;
use rules::ruleset::RuleSet;
use serde::Serialize;

use crate::batch::BatchCorrelator;
use crate::group_view::GroupView;
use crate::options::CorrelatorOptions;
use crate::watch::{ExplainedEvent, JudgedWindow, NearestGroup, Watch};

/// Events that are told of.
const EVENTS_MAX: usize = 1000;
/// Groups that are told of.
const GROUPS_MAX: usize = 50;

/// All that can be said of a correlation over given hits.
#[derive(Clone, Debug, Serialize)]
pub struct CorrelationExplanation {
    /// Title of the correlation.
    pub title: String,
    /// Its condition, in words.
    pub asks_for: String,
    /// What became of each event, in the order of their times; the first 1,000.
    #[serde(rename = "steps")]
    pub events: Vec<ExplainedEvent>,
    /// Events beyond those that are shown.
    #[serde(rename = "steps_left_out")]
    pub events_left_out: usize,
    /// How windows were judged that wait for their end.
    pub judged: Vec<JudgedWindow>,
    /// Groups by how near they came, the nearest first; at most 50.
    pub nearest: Vec<NearestGroup>,
    /// Groups beyond those that are shown.
    pub groups_left_out: usize,
    /// Reasons of the findings.
    pub fired: Vec<String>,
}

/// Lets a correlation, by id, count the hits in the order of their times. `None` where there is no such correlation.
pub fn explain_correlation(set: &Arc<RuleSet>, id: &str, mut hits: Vec<Hit>) -> Option<CorrelationExplanation> {
    let index = set.correlations.iter().position(|bound| bound.rule.head.id == id)?;
    let bound = &set.correlations[index];
    let options = CorrelatorOptions { lateness_us: 0, saved: false, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(set), options);
    correlator.unmute();
    correlator.state.watch = Some(Box::new(Watch::new(index)));
    hits.retain(|hit| {
        let rule = set.rule_of(hit.rule).map(|rule| rule as usize);
        rule.is_some_and(|rule| set.counts(bound, rule) || set.uses[rule].forgives.contains(&index))
    });
    hits.sort_by_key(|hit| hit.event.time);
    for hit in hits {
        let time = hit.event.time;
        correlator.observe(vec![hit]);
        time.into_iter().for_each(|time| correlator.advance(time));
    }
    correlator.finish_for_good();
    let fired = correlator.changes().into_iter().filter(|change| change.finding.rule.id == id);
    let fired = fired.map(|change| change.finding.reason).collect();
    let Watch { mut events, judged, nearest, .. } = *correlator.state.watch.take()?;
    let events_left_out = events.len().saturating_sub(EVENTS_MAX);
    events.truncate(EVENTS_MAX);
    let mut nearest: Vec<NearestGroup> = nearest.into_values().collect();
    nearest.sort_by(|one, other| other.window.rank().total_cmp(&one.window.rank()));
    let groups_left_out = nearest.len().saturating_sub(GROUPS_MAX);
    nearest.truncate(GROUPS_MAX);
    let (title, asks_for) = (bound.rule.head.title.clone(), bound.rule.asks_for());
    Some(CorrelationExplanation { title, asks_for, events, events_left_out, judged, nearest, groups_left_out, fired })
}

/// Text of events, with what would break a line or move the cursor made visible.
fn shown(text: &str) -> String {
    text.chars()
        .flat_map(
            |character| if character.is_control() { character.escape_default().collect() } else { vec![character] },
        )
        .collect()
}

impl fmt::Display for CorrelationExplanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: {}", self.title, self.asks_for)?;
        for event in &self.events {
            let ExplainedEvent { line_no, rule, group, aggregate, left_out, .. } = event;
            let group = group.as_ref().map_or(String::new(), |group| format!(" for {}", shown(group)));
            match left_out {
                Some(reason) => writeln!(out, "line {line_no}: {rule}, NOT counted{group}: {}", shown(reason))?,
                None => {
                    let inside = aggregate.map_or(String::new(), |number| format!(", now {number}"));
                    let fires = if event.fires { ": fires" } else { "" };
                    writeln!(out, "line {line_no}: {rule}, counted{group}{inside}{fires}")?;
                }
            }
        }
        if self.events_left_out > 0 {
            writeln!(out, "… and {} more events", self.events_left_out)?;
        }
        self.judged.iter().try_for_each(|judged| writeln!(out, "{judged}"))?;
        if self.judged.is_empty() {
            self.nearest.iter().try_for_each(|nearest| writeln!(out, "{nearest}"))?;
        }
        if self.groups_left_out > 0 {
            writeln!(out, "… and {} more groups", self.groups_left_out)?;
        }
        for reason in &self.fired {
            writeln!(out, "FIRED: {}", shown(reason))?;
        }
        if !self.fired.is_empty() {
            return Ok(());
        }
        let counted = self.events.iter().filter(|event| event.left_out.is_none()).count() + self.events_left_out;
        match (self.events.len(), counted) {
            (0, _) => writeln!(
                out,
                "did not fire: no line matched a rule that it counts; `rules explain` on those rules says why"
            ),
            (all, counted) => writeln!(out, "did not fire: {counted} of {all} event(s) were counted"),
        }
    }
}

impl fmt::Display for JudgedWindow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GroupView { events, aggregate, rules_missing, .. } = &self.window;
        let (group, span) = (shown(&self.window.named()), self.window.span());
        let number = aggregate.map_or(String::new(), |number| format!(", {number}"));
        let missing =
            if rules_missing.is_empty() { String::new() } else { format!(", without {}", rules_missing.join(" and ")) };
        let word = if self.held { "is what the rule asks for" } else { "is not what the rule asks for" };
        write!(out, "{group}: the window{span} has {events} event(s){number}{missing}: {word}")
    }
}

impl fmt::Display for NearestGroup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NearestGroup { group, line_no, fired_at, window } = self;
        let group = shown(group);
        if let Some(line) = fired_at {
            return write!(out, "{group}: reached at line {line}");
        }
        let lines: Vec<String> = window.evidence.iter().map(|(_, line)| line.to_string()).collect();
        let span = window.span();
        let values: Vec<String> = window.values.iter().map(|value| shown(value)).collect();
        let values = if values.is_empty() { String::new() } else { format!("; values {}", values.join(", ")) };
        write!(
            out,
            "{group}: not reached; nearest at line {line_no}: {}; the window held {} event(s){span}, lines {}{values}",
            window.missing,
            window.events,
            lines.join(", ")
        )
    }
}
