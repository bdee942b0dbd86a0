//! Hot aggregates: what a dashboard asks for every second. Rebuilt from the store at any time, so losing them loses
//! nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use event::{Finding, FindingId, Level, Risk, Severity, Status, Timestamp};
use hashbrown::HashMap;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::query::{ChangeCursor, StoredFinding};

/// Distinct values of one kind that are counted exactly; beyond it new ones go to `other`.
pub(crate) const VALUES_MAX: usize = 100_000;
/// Minutes of the time series that are kept.
pub(crate) const MINUTES_MAX: usize = 10_080;
/// Findings whose last values are remembered, so that a change adds only the difference.
pub(crate) const FINDINGS_MAX: usize = 1_000_000;

/// Counts over findings and the events that they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Findings.
    pub findings: u64,
    /// Events that the findings count, one that several count each time.
    pub events: u64,
    /// Findings by severity, such as `P1`.
    pub by_severity: BTreeMap<String, u64>,
    /// Findings by the level of their rule, such as `high`.
    pub by_level: BTreeMap<String, u64>,
    /// Findings by status, such as `new`.
    pub by_status: BTreeMap<String, u64>,
    /// `(rule id, title, findings)`, most first. A finding counts for each rule that it names.
    pub top_rules: Vec<(String, String, u64)>,
    /// `(address, events)`, most first.
    pub top_sources: Vec<(String, u64)>,
    /// Source addresses; an estimate where Redis counts (HyperLogLog, 0.8 %).
    pub distinct_sources: u64,
    /// `(minute of the last event, findings)`, oldest first.
    pub per_minute: Vec<(Timestamp, u64)>,
}

/// Who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Redis, for all agents.
    Redis,
    /// This process, in its memory.
    Memory,
}

impl Counter {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Counter::Redis => "redis",
            Counter::Memory => "memory",
        }
    }
}

/// Who counts at the moment, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who counts.
    pub counter: Counter,
    /// Redis should count, and is away.
    pub degraded: bool,
    /// All changes of the store are counted; false while they are counted anew from the start.
    pub complete: bool,
}

/// Counts that follow the store: whoever records reads its changes in order and hands them over.
#[async_trait]
pub trait Hot: Send + Sync + std::fmt::Debug {
    /// Who counts, and whether the counts are complete.
    fn standing(&self) -> Standing;
    /// Tells whether all changes of the store are counted.
    fn caught_up(&self, whether: bool);
    /// The counts, and who counted them.
    async fn counts(&self, top: usize) -> Result<(Snapshot, Standing), StoreError> {
        Ok((self.snapshot(top).await?, self.standing()))
    }
    /// Whether this process records: of several agents only one does. Takes or renews that right.
    async fn leads(&self) -> Result<bool, StoreError>;
    /// The last change that is counted.
    async fn mark(&self) -> Result<ChangeCursor, StoreError>;
    /// Counts new and changed findings, each as it now is, and moves the mark from `from` to `mark`. False, and nothing
    /// is counted, where the mark is no longer `from`: somebody else recorded, or all was cleared meanwhile.
    async fn record(
        &self,
        findings: &[StoredFinding],
        from: ChangeCursor,
        mark: ChangeCursor,
    ) -> Result<bool, StoreError>;
    /// The counts, with the `top` most frequent rules and sources.
    async fn snapshot(&self, top: usize) -> Result<Snapshot, StoreError>;
    /// Sum of the scores of an entity's findings, each halved every day. The entity is a kind and a value: `source.ip`,
    /// `192.0.2.1`.
    async fn risk(&self, kind: &str, value: &str, now: Timestamp) -> Result<f64, StoreError>;
    /// Forgets all counts, which are then rebuilt from the store; gives how many keys there were.
    async fn clear(&self) -> Result<u64, StoreError>;
}

/// Hot aggregates of one process, in its memory.
#[derive(Debug, Default)]
pub struct MemoryHot {
    inner: Mutex<Inner>,
    complete: watch::Sender<bool>,
}

/// What a finding added to the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) severity: Severity,
    pub(crate) level: Level,
    pub(crate) status: Status,
    pub(crate) events: u64,
    /// Minutes since 1970 of its last event.
    pub(crate) minute: Option<i64>,
    pub(crate) sources: Vec<String>,
    pub(crate) score: u8,
    /// Rules that it is counted for: its own and those that it names, in its order.
    pub(crate) rules: u8,
}

impl Added {
    pub(crate) fn of(stored: &StoredFinding) -> Self {
        let finding = &stored.finding;
        Added {
            severity: finding.rating.severity,
            level: finding.rule.level,
            status: stored.status,
            events: finding.span.count,
            minute: finding.span.last_seen.map(|time| time.0.div_euclid(MINUTE_US)),
            sources: finding.entities.source_ip.clone(),
            score: finding.rating.score,
            rules: rules_of(finding),
        }
    }
}

/// Rules that a finding is counted for. New ones come after those that are counted.
fn rules_of(finding: &Finding) -> u8 {
    u8::try_from(finding.rules().count()).unwrap_or(u8::MAX)
}

/// Whether to count a finding that is not remembered. Once [`FINDINGS_MAX`] are remembered, a finding that has changed
/// since it was created may have been counted before: it is not counted, and `hot_changes_passed_over_total` goes up.
pub(crate) fn counts(stored: &StoredFinding, remembered: usize) -> bool {
    let counts = remembered < FINDINGS_MAX || stored.created_at == stored.updated_at;
    if !counts {
        metrics::counter!("hot_changes_passed_over_total").increment(1);
    }
    counts
}

/// What is remembered of a finding; up to [`FINDINGS_MAX`] of them, so it is kept small.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    events: u64,
    minute: Option<NonZeroMinute>,
    sources: Sources,
    severity: Severity,
    level: Level,
    status: Status,
    score: u8,
    rules: u8,
}

/// Minutes since 1970, plus one: so an `Option` of it takes no more room.
type NonZeroMinute = std::num::NonZeroI32;

/// Sources of a finding: the number of its only source, or of a list of sources.
#[derive(Clone, Copy, Debug)]
enum Sources {
    None,
    One(u32),
    Many(u32),
}

/// Source addresses by number, with their events. Number 0 is `other`: all addresses beyond [`VALUES_MAX`].
#[derive(Debug)]
struct SourceCounts {
    numbers: HashMap<Box<str>, u32>,
    names: Vec<(Box<str>, u64)>,
    lists: Vec<Box<[u32]>>,
}

impl Default for SourceCounts {
    fn default() -> Self {
        SourceCounts { numbers: HashMap::new(), names: vec![("other".into(), 0)], lists: Vec::new() }
    }
}

impl SourceCounts {
    /// The number of an address, a new one where it has none yet.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.names.len() > VALUES_MAX {
            return 0;
        }
        let number = self.names.len() as u32;
        self.names.push((name.into(), 0));
        self.numbers.insert(name.into(), number);
        number
    }

    /// The sources of a finding; `before`: the list that it had, whose memory is used again.
    fn numbers(&mut self, names: &[String], before: Option<Sources>) -> Sources {
        match (names, before) {
            ([], _) => Sources::None,
            ([name], _) => Sources::One(self.number(name)),
            (_, before) => {
                let list: Box<[u32]> = names.iter().map(|name| self.number(name)).collect();
                if let Some(Sources::Many(number)) = before {
                    self.lists[number as usize] = list;
                    return Sources::Many(number);
                }
                self.lists.push(list);
                Sources::Many(self.lists.len() as u32 - 1)
            }
        }
    }

    /// Changes the events of each of the sources.
    fn each(&mut self, sources: Sources, change: impl Fn(u64) -> u64) {
        let SourceCounts { names, lists, .. } = self;
        let mut apply = |number: u32| names[number as usize].1 = change(names[number as usize].1);
        match sources {
            Sources::None => {}
            Sources::One(number) => apply(number),
            Sources::Many(list) => lists[list as usize].iter().copied().for_each(apply),
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<FindingId, Remembered>,
    findings: u64,
    events: u64,
    severities: BTreeMap<Severity, u64>,
    levels: BTreeMap<Level, u64>,
    statuses: BTreeMap<&'static str, u64>,
    rules: BTreeMap<String, (String, u64)>,
    sources: SourceCounts,
    minutes: BTreeMap<i64, u64>,
    risks: HashMap<String, Risk>,
    mark: Option<ChangeCursor>,
}

pub(crate) const MINUTE_US: i64 = 60_000_000;

impl MemoryHot {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic may have left them half-changed; they can be rebuilt from the store.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes to true when all changes of the store are counted.
    pub(crate) fn completion(&self) -> watch::Receiver<bool> {
        self.complete.subscribe()
    }
}

#[async_trait]
impl Hot for MemoryHot {
    fn standing(&self) -> Standing {
        Standing { counter: Counter::Memory, degraded: false, complete: *self.complete.borrow() }
    }

    fn caught_up(&self, whether: bool) {
        self.complete.send_replace(whether);
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn mark(&self) -> Result<ChangeCursor, StoreError> {
        Ok(self.lock().mark.unwrap_or(ChangeCursor::START))
    }

    async fn record(
        &self,
        findings: &[StoredFinding],
        from: ChangeCursor,
        mark: ChangeCursor,
    ) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        if inner.mark.unwrap_or(ChangeCursor::START) != from {
            return Ok(false);
        }
        for stored in findings {
            inner.record(stored);
        }
        inner.mark = Some(mark);
        Ok(true)
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
        self.complete.send_replace(false);
        Ok(keys)
    }
}

fn take<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
    }
}

impl Inner {
    fn record(&mut self, stored: &StoredFinding) {
        let finding = &stored.finding;
        let before = self.known.get(&finding.id).copied();
        if before.is_none() && !counts(stored, self.known.len()) {
            return;
        }
        match &before {
            Some(before) => self.subtract(before),
            None => self.findings += 1,
        }
        let counted = before.map_or(0, |before| before.rules);
        for (id, title) in finding.rules().skip(usize::from(counted)) {
            self.rules.entry(id.to_owned()).or_insert_with(|| (title.to_owned(), 0)).1 += 1;
        }
        let minute = finding.span.last_seen.map(|time| time.0.div_euclid(MINUTE_US));
        let minute = minute.and_then(|minute| NonZeroMinute::new(i32::try_from(minute).ok()?.checked_add(1)?));
        let now = Remembered {
            events: finding.span.count,
            minute,
            sources: self.sources.numbers(&finding.entities.source_ip, before.map(|before| before.sources)),
            severity: finding.rating.severity,
            level: finding.rule.level,
            status: stored.status,
            score: finding.rating.score,
            rules: rules_of(finding).max(counted),
        };
        let points = f64::from(now.score) - before.map_or(0.0, |before| f64::from(before.score));
        if points > 0.0 {
            for (kind, value) in stored.finding.entities.pairs() {
                let name = format!("{kind}={value}");
                if self.risks.len() < VALUES_MAX || self.risks.contains_key(&name) {
                    let at = finding.span.last_seen.unwrap_or(stored.created_at);
                    self.risks.entry(name).or_default().add(points, at);
                }
            }
        }
        self.add(&now);
        if before.is_some() || self.known.len() < FINDINGS_MAX {
            self.known.insert(finding.id, now);
        }
    }

    fn subtract(&mut self, before: &Remembered) {
        self.events = self.events.saturating_sub(before.events);
        take(&mut self.severities, &before.severity);
        take(&mut self.levels, &before.level);
        take(&mut self.statuses, &before.status.name());
        if let Some(minute) = before.minute {
            take(&mut self.minutes, &i64::from(minute.get() - 1));
        }
        self.sources.each(before.sources, |count| count.saturating_sub(before.events));
    }

    fn add(&mut self, added: &Remembered) {
        self.events += added.events;
        *self.severities.entry(added.severity).or_insert(0) += 1;
        *self.levels.entry(added.level).or_insert(0) += 1;
        *self.statuses.entry(added.status.name()).or_insert(0) += 1;
        if let Some(minute) = added.minute {
            *self.minutes.entry(i64::from(minute.get() - 1)).or_insert(0) += 1;
            while self.minutes.len() > MINUTES_MAX {
                self.minutes.pop_first();
            }
        }
        self.sources.each(added.sources, |count| count + added.events);
    }

    fn snapshot(&self, top: usize) -> Snapshot {
        let mut rules: Vec<_> =
            self.rules.iter().map(|(id, (title, count))| (id.clone(), title.clone(), *count)).collect();
        rules.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        rules.truncate(top);
        let named = self.sources.names.iter().filter(|(_, count)| *count > 0);
        let mut sources: Vec<(&str, u64)> = named.map(|(source, count)| (&**source, *count)).collect();
        sources.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let distinct_sources = sources.len() as u64;
        sources.truncate(top);
        let minutes = self.minutes.iter().filter(|(_, count)| **count > 0);
        Snapshot {
            findings: self.findings,
            events: self.events,
            by_severity: named_counts(self.severities.iter().map(|(severity, count)| (severity.name(), *count))),
            by_level: named_counts(self.levels.iter().map(|(level, count)| (level.name(), *count))),
            by_status: named_counts(self.statuses.iter().map(|(status, count)| (*status, *count))),
            top_rules: rules,
            top_sources: sources.into_iter().map(|(source, count)| (source.to_owned(), count)).collect(),
            distinct_sources,
            per_minute: minutes.map(|(minute, count)| (Timestamp(minute * MINUTE_US), *count)).collect(),
        }
    }
}

fn named_counts(counts: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    counts.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}
