//! Hot aggregates: what a dashboard asks for every second. Rebuilt from the store at any time, so losing them loses nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use event::{FindingId, Timestamp};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::{Mark, StoreError, StoredFinding};

/// Distinct values of one kind that are counted exactly; beyond it new ones go to `other`.
pub(crate) const VALUES_MAX: usize = 100_000;
/// Minutes of the time series that are kept.
pub(crate) const MINUTES_MAX: usize = 10_080;
/// Findings whose last count is remembered, so that a change adds only the difference.
pub(crate) const FINDINGS_MAX: usize = 1_000_000;
/// Time in which the risk of an entity halves, in microseconds.
pub(crate) const RISK_HALF_LIFE_US: f64 = 86_400e6;

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
#[async_trait]
pub trait Hot: Send + Sync + std::fmt::Debug {
    /// Whether this process is the one that records: others only read.
    async fn leads(&self) -> Result<bool, StoreError>;
    /// How far the store has been followed.
    async fn mark(&self) -> Result<Mark, StoreError>;
    /// Takes new and changed findings, each as it now is, and how far the store has been followed with them.
    async fn record(&self, findings: &[StoredFinding], mark: Mark) -> Result<(), StoreError>;
    /// The counts, with the `top` most frequent rules and sources.
    async fn snapshot(&self, top: usize) -> Result<Snapshot, StoreError>;
    /// What an entity's findings add up to, halved every day: `source.ip`, `192.0.2.1`.
    async fn risk(&self, kind: &str, value: &str, now: Timestamp) -> Result<f64, StoreError>;
    /// Forgets everything; it is rebuilt from the store. How many keys there were.
    async fn clear(&self) -> Result<u64, StoreError>;
}

/// Hot aggregates of one process, in its memory.
#[derive(Debug, Default)]
pub struct MemoryHot {
    inner: Mutex<Inner>,
}

/// What a finding added to the counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Added {
    pub(crate) severity: String,
    pub(crate) level: String,
    pub(crate) status: String,
    pub(crate) events: u64,
    pub(crate) minute: Option<i64>,
    pub(crate) sources: Vec<String>,
    pub(crate) score: u8,
}

impl Added {
    pub(crate) fn of(stored: &StoredFinding) -> Self {
        let finding = &stored.finding;
        Added {
            severity: finding.severity.name().to_owned(),
            level: finding.level.name().to_owned(),
            status: stored.status.name().to_owned(),
            events: finding.count,
            minute: finding.last_seen.map(|time| time.0.div_euclid(MINUTE_US) * MINUTE_US),
            sources: finding.entities.source_ip.clone(),
            score: finding.score,
        }
    }
}

/// A sum that halves with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Risk {
    value: f64,
    at: i64,
}

impl Risk {
    pub(crate) fn now(self, now: Timestamp) -> f64 {
        self.value * (-(now.0 - self.at).max(0) as f64 / RISK_HALF_LIFE_US).exp2()
    }

    /// Points that were earned at a time, which may be before the last.
    pub(crate) fn add(&mut self, points: f64, at: Timestamp) {
        if at.0 >= self.at {
            *self = Risk { value: self.now(at) + points, at: at.0 };
        } else {
            self.value += Risk { value: points, at: at.0 }.now(Timestamp(self.at));
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<FindingId, Added>,
    events: u64,
    severities: BTreeMap<String, u64>,
    levels: BTreeMap<String, u64>,
    statuses: BTreeMap<String, u64>,
    rules: BTreeMap<String, (String, u64)>,
    sources: HashMap<String, u64>,
    minutes: BTreeMap<i64, u64>,
    risks: HashMap<String, Risk>,
    mark: Option<Mark>,
}

pub(crate) const MINUTE_US: i64 = 60_000_000;

impl MemoryHot {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counts are never left half-changed by a panic that matters: they can be rebuilt.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Hot for MemoryHot {
    async fn leads(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn mark(&self) -> Result<Mark, StoreError> {
        Ok(self.lock().mark.unwrap_or(Mark::START))
    }

    async fn record(&self, findings: &[StoredFinding], mark: Mark) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for stored in findings {
            inner.record(stored);
        }
        inner.mark = Some(mark);
        Ok(())
    }

    async fn snapshot(&self, top: usize) -> Result<Snapshot, StoreError> {
        Ok(self.lock().snapshot(top))
    }

    async fn risk(&self, kind: &str, value: &str, now: Timestamp) -> Result<f64, StoreError> {
        let inner = self.lock();
        Ok(inner.risks.get(&format!("{kind}={value}")).map_or(0.0, |risk| risk.now(now)))
    }

    async fn clear(&self) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        let keys = inner.known.len() as u64;
        *inner = Inner::default();
        Ok(keys)
    }
}

fn take(counts: &mut BTreeMap<String, u64>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
    }
}

impl Inner {
    fn record(&mut self, stored: &StoredFinding) {
        let finding = &stored.finding;
        let added = Added::of(stored);
        let before = if self.known.len() < FINDINGS_MAX || self.known.contains_key(&finding.id) {
            self.known.insert(finding.id, added.clone())
        } else {
            None
        };
        match &before {
            Some(before) => self.subtract(before),
            None => self.rules.entry(finding.rule_id.clone()).or_insert_with(|| (finding.rule_title.clone(), 0)).1 += 1,
        }
        let points = f64::from(added.score) - before.as_ref().map_or(0.0, |before| f64::from(before.score));
        if points > 0.0 {
            for (kind, value) in stored.finding.entities.pairs() {
                if self.risks.len() < VALUES_MAX || self.risks.contains_key(&format!("{kind}={value}")) {
                    let at = finding.last_seen.unwrap_or(stored.created_at);
                    self.risks.entry(format!("{kind}={value}")).or_default().add(points, at);
                }
            }
        }
        self.add(&added);
    }

    fn subtract(&mut self, before: &Added) {
        self.events = self.events.saturating_sub(before.events);
        take(&mut self.severities, &before.severity);
        take(&mut self.levels, &before.level);
        take(&mut self.statuses, &before.status);
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
        *self.severities.entry(added.severity.clone()).or_insert(0) += 1;
        *self.levels.entry(added.level.clone()).or_insert(0) += 1;
        *self.statuses.entry(added.status.clone()).or_insert(0) += 1;
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
        let owned = |counts: &BTreeMap<String, u64>| {
            counts.iter().filter(|(_, count)| **count > 0).map(|(key, count)| (key.clone(), *count)).collect()
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
