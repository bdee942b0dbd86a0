//! Hot aggregates: what a dashboard asks for every second. Rebuilt from the store at any time, so losing them loses nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use event::{FindingId, Timestamp};
use hashbrown::HashMap;

use crate::StoredFinding;

/// Distinct values of one kind that are counted exactly; beyond it new ones go to `other`.
const VALUES_MAX: usize = 100_000;
/// Minutes of the time series that are kept.
const MINUTES_MAX: usize = 10_080;
/// Findings whose last count is remembered, so that a change adds only the difference.
const FINDINGS_MAX: usize = 1_000_000;

/// Counts over findings and the events that they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub findings: u64,
    pub events: u64,
    pub by_severity: BTreeMap<String, u64>,
    pub by_level: BTreeMap<String, u64>,
    pub by_status: BTreeMap<String, u64>,
    /// `(rule id, title, findings)`, most first.
    pub top_rules: Vec<(String, String, u64)>,
    /// `(address, events)`, most first.
    pub top_sources: Vec<(String, u64)>,
    pub distinct_sources: u64,
    /// `(minute of the last event, findings)`, oldest first.
    pub per_minute: Vec<(Timestamp, u64)>,
}

/// Counts that are kept up with the store.
pub trait Hot: Send + Sync + std::fmt::Debug {
    /// Takes new and changed findings, each as it now is.
    fn record(&self, findings: &[StoredFinding]);
    /// The counts, with the `top` most frequent rules and sources.
    fn snapshot(&self, top: usize) -> Snapshot;
    fn clear(&self);
}

/// Hot aggregates of one process, in its memory.
#[derive(Debug, Default)]
pub struct MemoryHot {
    inner: Mutex<Inner>,
}

/// What a finding added to the counts.
#[derive(Clone, Debug)]
struct Added {
    severity: &'static str,
    level: &'static str,
    status: &'static str,
    events: u64,
    minute: Option<i64>,
    sources: Vec<String>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<FindingId, Added>,
    events: u64,
    severities: BTreeMap<&'static str, u64>,
    levels: BTreeMap<&'static str, u64>,
    statuses: BTreeMap<&'static str, u64>,
    rules: BTreeMap<String, (String, u64)>,
    sources: HashMap<String, u64>,
    minutes: BTreeMap<i64, u64>,
}

const MINUTE_US: i64 = 60_000_000;

impl MemoryHot {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counts are never left half-changed by a panic that matters: they can be rebuilt.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hot for MemoryHot {
    fn record(&self, findings: &[StoredFinding]) {
        let mut inner = self.lock();
        for stored in findings {
            inner.record(stored);
        }
    }

    fn snapshot(&self, top: usize) -> Snapshot {
        self.lock().snapshot(top)
    }

    fn clear(&self) {
        *self.lock() = Inner::default();
    }
}

fn take(counts: &mut BTreeMap<&'static str, u64>, key: &'static str) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
    }
}

impl Inner {
    fn record(&mut self, stored: &StoredFinding) {
        let finding = &stored.finding;
        let added = Added {
            severity: finding.severity.name(),
            level: finding.level.name(),
            status: stored.status.name(),
            events: finding.count,
            minute: finding.last_seen.map(|time| time.0.div_euclid(MINUTE_US) * MINUTE_US),
            sources: finding.entities.source_ip.clone(),
        };
        let before = if self.known.len() < FINDINGS_MAX || self.known.contains_key(&finding.id) {
            self.known.insert(finding.id, added.clone())
        } else {
            None
        };
        match &before {
            Some(before) => self.subtract(before),
            None => self.rules.entry(finding.rule_id.clone()).or_insert_with(|| (finding.rule_title.clone(), 0)).1 += 1,
        }
        self.add(&added);
    }

    fn subtract(&mut self, before: &Added) {
        self.events = self.events.saturating_sub(before.events);
        take(&mut self.severities, before.severity);
        take(&mut self.levels, before.level);
        take(&mut self.statuses, before.status);
        if let Some(count) = before.minute.and_then(|minute| self.minutes.get_mut(&minute)) {
            *count = count.saturating_sub(1);
        }
        for source in &before.sources {
            if let Some(count) = self.sources.get_mut(source) {
                *count = count.saturating_sub(before.events);
            }
        }
    }

    fn add(&mut self, added: &Added) {
        self.events += added.events;
        *self.severities.entry(added.severity).or_insert(0) += 1;
        *self.levels.entry(added.level).or_insert(0) += 1;
        *self.statuses.entry(added.status).or_insert(0) += 1;
        if let Some(minute) = added.minute {
            *self.minutes.entry(minute).or_insert(0) += 1;
            while self.minutes.len() > MINUTES_MAX {
                self.minutes.pop_first();
            }
        }
        for source in &added.sources {
            let known = self.sources.len() < VALUES_MAX || self.sources.contains_key(source);
            let source = if known { source.as_str() } else { "other" };
            *self.sources.entry_ref(source).or_insert(0) += added.events;
        }
    }

    fn snapshot(&self, top: usize) -> Snapshot {
        let owned = |counts: &BTreeMap<&'static str, u64>| {
            counts.iter().filter(|(_, count)| **count > 0).map(|(key, count)| ((*key).to_owned(), *count)).collect()
        };
        let mut rules: Vec<_> =
            self.rules.iter().map(|(id, (title, count))| (id.clone(), title.clone(), *count)).collect();
        rules.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        rules.truncate(top);
        let mut sources: Vec<_> = self.sources.iter().map(|(source, count)| (source.clone(), *count)).collect();
        sources.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sources.truncate(top);
        Snapshot {
            findings: self.known.len() as u64,
            events: self.events,
            by_severity: owned(&self.severities),
            by_level: owned(&self.levels),
            by_status: owned(&self.statuses),
            top_rules: rules,
            top_sources: sources,
            distinct_sources: self.sources.len() as u64,
            per_minute: self
                .minutes
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(at, count)| (Timestamp(*at), *count))
                .collect(),
        }
    }
}
