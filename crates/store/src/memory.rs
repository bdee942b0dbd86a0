//! What an incident keeps that people do not see: which events its findings count, so that an event of several findings
//! counts once, and which rules a notice has named, so that none is named twice. Stored as JSON: names must not change.

use event::block::digest;
use event::event_set::{EventSet, INCIDENT_EVENTS_MAX};
use event::{Finding, Incident};
use serde::{Deserialize, Serialize};

/// Rules that are remembered. Later ones are still told once: ids of notices are derived, and the outbox refuses a
/// second.
const TOLD_MAX: usize = 1000;

/// Stored in the column `memory` of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Sum of the findings' counts: the most events that there can be.
    sum: u64,
    /// The greatest count of one finding: the fewest events that there can be.
    largest: u64,
    /// Sum of the counts of findings without a set of events.
    unknown: u64,
    /// The events of all other findings, united.
    set: EventSet,
    /// Digests of the ids of rules that a notice has named.
    told: Vec<u32>,
    /// The incident was opened by a version that kept no memory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_old: bool,
}

impl Memory {
    /// The memory of an incident that has no finding yet.
    pub(crate) fn new() -> Self {
        Memory { sum: 0, largest: 0, unknown: 0, set: EventSet::empty(), told: Vec::new(), is_old: false }
    }

    /// The memory of an incident that an earlier version opened; that version only added counts up.
    pub(crate) fn of_old(incident: &Incident) -> Self {
        Memory { sum: incident.scope.events, unknown: incident.scope.events, is_old: true, ..Memory::new() }
    }

    /// Counts a finding and writes the number of events into the incident. `before`: the finding's count when it was
    /// last counted, 0 for a new one.
    pub(crate) fn count(&mut self, incident: &mut Incident, finding: &Finding, before: u64) {
        self.take_up(finding.span.count, &finding.counted.events, before);
        let (number, estimated) = self.events(incident.scope.findings);
        // The number never goes down, although an estimate may.
        incident.scope.events = incident.scope.events.max(number);
        incident.scope.events_are_estimated = estimated;
    }

    /// Adds the events of a finding. `before`: its count when it was last added, 0 for a new one.
    pub(crate) fn take_up(&mut self, count: u64, events: &EventSet, before: u64) {
        self.sum = self.sum.saturating_sub(before) + count;
        self.largest = self.largest.max(count);
        if events.is_known() {
            self.set.unite(events, INCIDENT_EVENTS_MAX);
        } else {
            self.unknown = self.unknown.saturating_sub(before) + count;
        }
    }

    /// The memory without its events, to count them anew.
    pub(crate) fn cleared(self) -> Self {
        Memory { sum: 0, largest: 0, unknown: 0, set: EventSet::empty(), ..self }
    }

    /// The fewest and the most events that there can be.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        (self.largest.min(self.sum), self.sum)
    }

    /// The number of distinct events of this many findings, and whether it is an estimate.
    pub(crate) fn events(&self, findings: u64) -> (u64, bool) {
        let rough = self.set.is_rough();
        match (findings, self.unknown) {
            (0, _) => (0, false),
            (_, 0) if self.set.is_exact() => (self.set.count(), false),
            // The count of a single finding needs no set.
            (1, _) => (self.sum, rough),
            _ => {
                let number = self.set.count().saturating_add(self.unknown);
                (number.clamp(self.largest.min(self.sum), self.sum), true)
            }
        }
    }

    /// Whether a notice has named the rule; false as well where it is no longer remembered.
    pub(crate) fn has_told(&self, rule_id: &str) -> bool {
        self.told.contains(&rule_digest(rule_id))
    }

    /// Whether an earlier version opened the incident: then findings that only grow are not told.
    pub(crate) fn is_old(&self) -> bool {
        self.is_old
    }

    /// Remembers that a notice names the rule.
    pub(crate) fn tell(&mut self, rule_id: &str) {
        if self.told.len() < TOLD_MAX && !self.has_told(rule_id) {
            self.told.push(rule_digest(rule_id));
        }
    }
}

fn rule_digest(rule_id: &str) -> u32 {
    digest(&[rule_id.as_bytes()]) as u32
}
