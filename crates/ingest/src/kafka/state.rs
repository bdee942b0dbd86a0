//! How reading from Kafka gets on, for health: the connection, and how far each partition is behind its end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event::Position;
use rdkafka::statistics::{Broker, Partition, Statistics};

use super::options::next_message;

/// Silence of a broker that owes an answer, after which it counts as away. A fetch is answered after 0.5 s at most.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Longest that a partition may stand still with something to read before somebody should look, and before it fails.
const STILL_WARN: Duration = Duration::from_secs(15);
const STILL_FAIL: Duration = Duration::from_secs(60);
/// Partitions that are named in one report; the others are counted.
const NAMED_MAX: usize = 5;

/// Topic and partition.
pub(super) type Key = (String, i32);

/// How far one partition has been read.
#[derive(Debug)]
pub(super) struct Progress {
    /// Behind the last message that was read.
    pub(super) next: i64,
    /// What librdkafka has passed without giving a message: marks of transactions, or what was compacted away.
    pub(super) passed: i64,
    /// Behind the last message that can be read; `None` until the broker has told.
    pub(super) end: Option<i64>,
    /// When `next` moved last, or there was nothing to read.
    pub(super) moved: Instant,
    /// Why it is not read at the moment.
    pub(super) waits: Option<String>,
    /// Not looked at before this, where it stands still.
    pub(super) look_after: Instant,
    /// Whether fetches tell where it ends.
    pub(super) fetching: bool,
}

impl Progress {
    pub(super) fn new(next: i64) -> Self {
        let now = Instant::now();
        Progress { next, passed: next, end: None, moved: now, waits: None, look_after: now, fetching: false }
    }

    /// The message that is read next.
    pub(super) fn at(&self) -> i64 {
        self.next.max(self.passed)
    }

    fn told(&mut self, partition: &Partition) {
        self.fetching = partition.fetch_state == "active";
        let end = if partition.ls_offset >= 0 { partition.ls_offset } else { partition.hi_offset };
        if end >= 0 {
            let before = self.end.filter(|_| !self.fetching);
            self.end = before.max(Some(end));
        }
        if partition.fetchq_cnt == 0 && partition.next_offset > self.at() {
            self.passed = partition.next_offset;
            self.moved = Instant::now();
        }
        if self.lag() == 0 {
            self.moved = Instant::now();
        }
    }

    pub(super) fn lag(&self) -> i64 {
        self.end.map_or(0, |end| end - self.at()).max(0)
    }
}

#[derive(Debug, Default)]
pub(super) struct KafkaProgress {
    up: bool,
    trouble: String,
    /// Reading has ended for good.
    ended: Option<String>,
    /// When librdkafka last told how it gets on.
    told: Option<Instant>,
    /// The pipeline has taken nothing since.
    pub(super) blocked: Option<Instant>,
    /// Committed positions, to be copied to the broker.
    pub(super) committed: BTreeMap<Key, i64>,
    pub(super) partitions: BTreeMap<Key, Progress>,
    /// Partitions that are not read because the store has refused them for good, with its reason.
    pub(super) refused: BTreeMap<Key, String>,
}

/// How the connection and the partitions are, for health.
#[derive(Debug, Default)]
pub struct KafkaState(Mutex<KafkaProgress>);

/// What health says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KafkaReport {
    /// Messages that can be read and have not been, over all partitions of this process.
    pub lag: i64,
    /// What is wrong now.
    pub failed: Vec<String>,
    /// What may become wrong.
    pub warned: Vec<String>,
}

impl KafkaProgress {
    fn tell_lag(&self) {
        let lag: i64 = self.partitions.values().map(Progress::lag).sum();
        metrics::gauge!("kafka_consumer_lag_messages").set(lag as f64);
    }
}

impl KafkaState {
    pub(super) fn lock(&self) -> MutexGuard<'_, KafkaProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_down(&self, reason: String) {
        let mut inner = self.lock();
        (inner.up, inner.trouble) = (false, reason);
    }

    /// No broker can be used: the reason that was told for one of them says more.
    pub(super) fn all_are_down(&self, reason: String) {
        let mut inner = self.lock();
        if inner.up || inner.trouble.is_empty() {
            inner.trouble = reason;
        }
        inner.up = false;
    }

    pub(super) fn has_begun(&self) {
        self.lock().ended = None;
    }

    pub(super) fn has_ended(&self, reason: String) {
        self.lock().ended = Some(reason);
    }

    /// A position of a Kafka source that has been committed.
    pub fn committed(&self, source_name: &str, position: Position) {
        let Some((topic, partition)) = source_name.strip_prefix("kafka://").and_then(|name| name.rsplit_once('/'))
        else {
            return;
        };
        if let Ok(partition) = partition.parse() {
            self.lock().committed.insert((topic.to_owned(), partition), next_message(position));
        }
    }

    /// Takes up what librdkafka tells of itself every second.
    pub(super) fn told(&self, statistics: &Statistics) {
        let up = statistics.brokers.values().any(|broker| broker.state == "UP");
        let answers = |broker: &&Broker| broker.nodeid >= 0 && broker.source != "logical" && broker.state == "UP";
        let silence = |broker: &Broker| {
            let idle = Duration::from_micros(broker.rxidle.max(0) as u64);
            if broker.waitresp_cnt > 0 { idle } else { Duration::ZERO }
        };
        let silence = statistics.brokers.values().filter(answers).map(silence).min().unwrap_or_default();
        let mut inner = self.lock();
        inner.told = Some(Instant::now());
        if !up {
            if inner.up || inner.trouble.is_empty() {
                inner.trouble = "no broker is connected".to_owned();
            }
            inner.up = false;
        } else if silence > SILENCE_MAX {
            inner.up = false;
            inner.trouble = format!("no broker has answered for {} s", silence.as_secs());
        } else {
            inner.up = true;
        }
        for (key, progress) in &mut inner.partitions {
            let topic = statistics.topics.get(&key.0);
            let Some(partition) = topic.and_then(|topic| topic.partitions.get(&key.1)) else { continue };
            progress.told(partition);
        }
        metrics::gauge!("kafka_up").set(if inner.up { 1.0 } else { 0.0 });
        inner.tell_lag();
    }

    /// Partitions of which no fetch tells where they end: they are paused, or cannot be fetched.
    pub(super) fn untold(&self) -> Vec<Key> {
        let inner = self.lock();
        let blocked = inner.blocked.is_some();
        let untold = |progress: &Progress| blocked || progress.waits.is_some() || !progress.fetching;
        inner.partitions.iter().filter(|(_, progress)| untold(progress)).map(|(key, _)| key.clone()).collect()
    }

    /// A partition ends there, as the broker was asked.
    pub(super) fn ends(&self, key: &Key, end: i64) {
        let mut inner = self.lock();
        if let Some(progress) = inner.partitions.get_mut(key) {
            progress.end = progress.end.max(Some(end));
        }
        inner.tell_lag();
    }

    /// Whether a broker answers.
    pub(super) fn is_up(&self) -> bool {
        self.lock().up
    }

    /// Nothing is read any more: the process ends, or begins again.
    pub(super) fn is_over(&self) {
        let mut inner = self.lock();
        inner.partitions.clear();
        inner.refused.clear();
        inner.blocked = None;
    }

    /// What health says.
    pub fn report(&self) -> KafkaReport {
        let inner = self.lock();
        let mut report = KafkaReport::default();
        if let Some(reason) = &inner.ended {
            report.failed.push(format!("nothing is read from Kafka: {reason}"));
            return report;
        }
        if !inner.up {
            let trouble = if inner.trouble.is_empty() { "not connected yet" } else { &inner.trouble };
            report.failed.push(trouble.to_owned());
        } else if let Some(told) = inner.told.filter(|told| told.elapsed() > STILL_WARN) {
            let seconds = told.elapsed().as_secs();
            report.warned.push(format!("the reader has not come back for {seconds} s: does the store answer?"));
        }
        for ((topic, partition), reason) in &inner.refused {
            report.failed.push(format!("{topic}/{partition} is not read: {reason}"));
        }
        for ((topic, partition), progress) in &inner.partitions {
            let lag = progress.lag();
            report.lag += lag;
            let (next, still) = (progress.at(), progress.moved.elapsed());
            if let Some(reason) = &progress.waits {
                report.failed.push(format!("{topic}/{partition} waits at offset {next}: {reason}"));
            } else if lag > 0 && still > STILL_WARN && inner.up {
                let why = if inner.blocked.is_some() { ", because the pipeline takes nothing" } else { "" };
                let seconds = still.as_secs();
                let words = format!(
                    "{topic}/{partition} stands at offset {next} for {seconds} s with {lag} messages to read{why}"
                );
                let into = if still > STILL_FAIL { &mut report.failed } else { &mut report.warned };
                into.push(words);
            }
        }
        for words in [&mut report.failed, &mut report.warned] {
            let more = words.len().saturating_sub(NAMED_MAX);
            if more > 0 {
                words.truncate(NAMED_MAX);
                words.push(format!("and {more} more"));
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_with(next: i64, end: i64, still: Duration) -> KafkaState {
        let state = KafkaState::default();
        let mut inner = state.lock();
        inner.up = true;
        let moved = Instant::now().checked_sub(still).unwrap();
        let progress = Progress { end: Some(end), moved, ..Progress::new(next) };
        inner.partitions.insert(("events".to_owned(), 3), progress);
        drop(inner);
        state
    }

    #[test]
    fn a_partition_that_stands_still_is_named_with_its_offset_and_lag() {
        let said = |still| state_with(40, 47, Duration::from_secs(still)).report();
        assert_eq!((said(1).lag, said(1).warned, said(1).failed), (7, vec![], vec![]));
        assert_eq!(said(20).warned, ["events/3 stands at offset 40 for 20 s with 7 messages to read"]);
        assert_eq!(said(70).failed, ["events/3 stands at offset 40 for 70 s with 7 messages to read"]);
        assert_eq!(state_with(47, 47, Duration::from_secs(70)).report(), KafkaReport::default());
    }

    #[test]
    fn what_waits_what_was_refused_and_what_has_ended_is_told() {
        let state = state_with(40, 47, Duration::ZERO);
        let key = ("events".to_owned(), 3);
        state.lock().partitions.get_mut(&key).unwrap().waits = Some("no room".to_owned());
        assert_eq!(state.report().failed, ["events/3 waits at offset 40: no room"]);
        state.lock().refused.insert(("events".to_owned(), 1), "denied".to_owned());
        assert!(state.report().failed[0].contains("events/1 is not read: denied"));
        state.is_down("away".to_owned());
        state.all_are_down("1/1 brokers are down".to_owned());
        assert_eq!(state.report().failed[0], "away");
        state.has_ended("wrong setting".to_owned());
        assert_eq!(state.report().failed, ["nothing is read from Kafka: wrong setting"]);
    }
}
