//! What is remembered of an incident beside what people see, so that the next finding is counted and told rightly: the
//! events that its findings count, and the rules that somebody was told of.

use event::block::digest;
use event::event_set::{EventSet, INCIDENT_EVENTS_MAX};
use event::{Finding, Incident};
use serde::{Deserialize, Serialize};

/// Rules that are remembered as told; beyond it the outbox knows what was told before.
const TOLD_MAX: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Counts of all findings together, and the greatest.
    sum: u64,
    largest: u64,
    /// Counts of findings that do not know which events they are.
    unknown: u64,
    set: EventSet,
    told: Vec<u32>,
    /// It was opened by a version that remembered nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_old: bool,
}

impl Memory {
    /// Of an incident that has no finding yet.
    pub(crate) fn new() -> Self {
        Memory { sum: 0, largest: 0, unknown: 0, set: EventSet::empty(), told: Vec::new(), is_old: false }
    }

    /// Of an incident that an earlier version opened, which added counts up.
    pub(crate) fn of_old(incident: &Incident) -> Self {
        Memory { sum: incident.events, unknown: incident.events, is_old: true, ..Memory::new() }
    }

    /// Counts the finding, which had `before` events when it was counted last, and says in the incident how many there are.
    pub(crate) fn count(&mut self, incident: &mut Incident, finding: &Finding, before: u64) {
        self.take_up(finding.count, &finding.counted.events, before);
        let (number, estimated) = self.events(incident.findings);
        // Events that are there do not go; an estimate may come out below what was known.
        incident.events = incident.events.max(number);
        incident.events_are_estimated = estimated;
    }

    /// Adds the events of a finding, which had `before` of them when they were added last.
    pub(crate) fn take_up(&mut self, count: u64, events: &EventSet, before: u64) {
        self.sum = self.sum.saturating_sub(before) + count;
        self.largest = self.largest.max(count);
        if events.is_known() {
            self.set.unite(events, INCIDENT_EVENTS_MAX);
        } else {
            self.unknown = self.unknown.saturating_sub(before) + count;
        }
    }

    /// Without any events, to count them again.
    pub(crate) fn cleared(self) -> Self {
        Memory { sum: 0, largest: 0, unknown: 0, set: EventSet::empty(), ..self }
    }

    /// The least and the most that there can be.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        (self.largest.min(self.sum), self.sum)
    }

    /// Distinct events, and whether that is an estimate.
    pub(crate) fn events(&self, findings: u64) -> (u64, bool) {
        let rough = self.set.is_rough();
        match (findings, self.unknown) {
            (0, _) => (0, false),
            (_, 0) if self.set.is_exact() => (self.set.count(), false),
            // One finding knows its count.
            (1, _) => (self.sum, rough),
            _ => {
                let number = self.set.count().saturating_add(self.unknown);
                (number.clamp(self.largest.min(self.sum), self.sum), true)
            }
        }
    }

    /// Whether the rule was told of, by what is remembered.
    pub(crate) fn has_told(&self, rule_id: &str) -> bool {
        self.told.contains(&mark(rule_id))
    }

    /// Growth of what an earlier version has joined is no news.
    pub(crate) fn is_old(&self) -> bool {
        self.is_old
    }

    pub(crate) fn tell(&mut self, rule_id: &str) {
        if self.told.len() < TOLD_MAX && !self.has_told(rule_id) {
            self.told.push(mark(rule_id));
        }
    }
}

fn mark(rule_id: &str) -> u32 {
    digest(&[rule_id.as_bytes()]) as u32
}
