//! Why a correlation did or did not fire over given hits: what it counted, what it left out and for which reason, how near each
//! group came, and how windows were judged that wait for their end. Told by the correlator itself, on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use event::Hit;
use rules::ruleset::RuleSet;
use serde::Serialize;

use crate::inspect::GroupView;
use crate::{Correlator, CorrelatorOptions};

/// Lines that are told of, and groups.
const LINES_MAX: usize = 1000;
const GROUPS_MAX: usize = 50;

/// What became of one event in the correlation that is watched.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    pub line_no: u64,
    /// Title of the rule that it came from: one of those that are counted.
    pub rule: String,
    /// `None` where it lacks what the rule groups by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What is compared with the condition, with this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<f64>,
    /// Why it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    pub fires: bool,
}

/// A window that was judged at its end.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    pub held: bool,
    pub window: GroupView,
}

/// The nearest that a group came.
#[derive(Clone, Debug, Serialize)]
pub struct Nearest {
    pub group: String,
    pub line_no: u64,
    /// The event at which it fired first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<u64>,
    pub window: GroupView,
}

/// The correlation that is watched, and what was seen of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) index: usize,
    pub(super) steps: Vec<Step>,
    pub(super) judged: Vec<Judged>,
    pub(super) nearest: BTreeMap<String, Nearest>,
}

/// All that can be said.
#[derive(Clone, Debug, Serialize)]
pub struct CorrelationExplanation {
    pub title: String,
    pub asks_for: String,
    pub steps: Vec<Step>,
    /// Steps beyond those that are shown.
    pub steps_left_out: usize,
    pub judged: Vec<Judged>,
    /// Those that came nearest first.
    pub nearest: Vec<Nearest>,
    pub groups_left_out: usize,
    /// Reasons of the findings.
    pub fired: Vec<String>,
}

/// Lets a correlation, by id, count the hits in the order of their times. `None` where there is no such correlation.
pub fn explain_correlation(set: &Arc<RuleSet>, id: &str, mut hits: Vec<Hit>) -> Option<CorrelationExplanation> {
    let index = set.correlations.iter().position(|bound| bound.rule.head.id == id)?;
    let bound = &set.correlations[index];
    let options = CorrelatorOptions { lateness_us: 0, saved: false, ..CorrelatorOptions::default() };
    let mut correlator = Correlator::new(Arc::clone(set), options);
    correlator.unmute();
    correlator.watch = Some(Box::new(Watch { index, ..Watch::default() }));
    hits.retain(|hit| set.counts(bound, hit.rule as usize) || set.uses[hit.rule as usize].forgives.contains(&index));
    hits.sort_by_key(|hit| hit.event.time);
    for hit in hits {
        let time = hit.event.time;
        correlator.observe(vec![hit]);
        time.into_iter().for_each(|time| correlator.advance(time));
    }
    correlator.finish_for_good();
    let fired = correlator.changes().into_iter().filter(|change| change.finding.rule.id == id);
    let fired = fired.map(|change| change.finding.reason).collect();
    let Watch { mut steps, judged, nearest, .. } = *correlator.watch.take()?;
    let steps_left_out = steps.len().saturating_sub(LINES_MAX);
    steps.truncate(LINES_MAX);
    let mut nearest: Vec<Nearest> = nearest.into_values().collect();
    nearest.sort_by(|one, other| other.window.rank().total_cmp(&one.window.rank()));
    let groups_left_out = nearest.len().saturating_sub(GROUPS_MAX);
    nearest.truncate(GROUPS_MAX);
    let (title, asks_for) = (bound.rule.head.title.clone(), bound.rule.asks_for());
    Some(CorrelationExplanation { title, asks_for, steps, steps_left_out, judged, nearest, groups_left_out, fired })
}

impl Correlator {
    /// Notes what became of an event in the correlation that is watched.
    pub(super) fn witness(&mut self, index: usize, signal: usize, hit: &Hit, outcome: Witnessed<'_>) {
        if self.watch.as_ref().is_none_or(|watch| watch.index != index) {
            return;
        }
        let set = Arc::clone(&self.set);
        let rule = set.heads().nth(signal).map_or(String::new(), |head| head.title.clone());
        let line_no = hit.event.line_no;
        let step = match outcome {
            Witnessed::LeftOut(reason) => {
                Step { line_no, rule, group: None, aggregate: None, left_out: Some(reason), fires: false }
            }
            Witnessed::Counted { key, left_out, fires } => {
                let Some(window) = self.view_of(index, key) else { return };
                let (group, aggregate) = (window.named(), window.aggregate.filter(|_| left_out.is_none()));
                if left_out.is_none() {
                    self.note_nearest(window, line_no, fires);
                }
                Step { line_no, rule, group: Some(group), aggregate, left_out, fires }
            }
        };
        self.watch.iter_mut().for_each(|watch| watch.steps.push(step.clone()));
    }

    fn note_nearest(&mut self, window: GroupView, line_no: u64, fires: bool) {
        let Some(watch) = &mut self.watch else { return };
        let group = window.named();
        let fired_at = fires.then_some(line_no);
        match watch.nearest.get_mut(&group) {
            None => drop(watch.nearest.insert(group.clone(), Nearest { group, line_no, fired_at, window })),
            Some(known) => {
                known.fired_at = known.fired_at.or(fired_at);
                if window.rank() > known.window.rank() {
                    (known.window, known.line_no) = (window, line_no);
                }
            }
        }
    }

    /// Notes how a window was judged.
    pub(super) fn witness_judgement(&mut self, index: usize, judged: impl FnOnce() -> Judged) {
        if let Some(watch) = self.watch.as_mut().filter(|watch| watch.index == index) {
            watch.judged.push(judged());
        }
    }
}

/// What became of an event.
pub(super) enum Witnessed<'a> {
    /// It belongs to no group.
    LeftOut(String),
    Counted {
        key: &'a str,
        left_out: Option<String>,
        fires: bool,
    },
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
        for step in &self.steps {
            let Step { line_no, rule, group, aggregate, left_out, .. } = step;
            let group = group.as_ref().map_or(String::new(), |group| format!(" for {}", shown(group)));
            match left_out {
                Some(reason) => writeln!(out, "line {line_no}: {rule}, NOT counted{group}: {}", shown(reason))?,
                None => {
                    let inside = aggregate.map_or(String::new(), |number| format!(", now {number}"));
                    let fires = if step.fires { ": fires" } else { "" };
                    writeln!(out, "line {line_no}: {rule}, counted{group}{inside}{fires}")?;
                }
            }
        }
        if self.steps_left_out > 0 {
            writeln!(out, "… and {} more events", self.steps_left_out)?;
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
        let counted = self.steps.iter().filter(|step| step.left_out.is_none()).count() + self.steps_left_out;
        match (self.steps.len(), counted) {
            (0, _) => writeln!(
                out,
                "did not fire: no line matched a rule that it counts; `rules explain` on those rules says why"
            ),
            (all, counted) => writeln!(out, "did not fire: {counted} of {all} event(s) were counted"),
        }
    }
}

impl fmt::Display for Judged {
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

impl fmt::Display for Nearest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Nearest { group, line_no, fired_at, window } = self;
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
