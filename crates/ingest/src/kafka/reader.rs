//! Messages to blocks: gathered by partition, handed over when large or old enough. A partition whose message cannot be
//! taken is paused until the worker beside has kept it; one that stands still is looked at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use event::{Block, Position, Source};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::consumer::Context;
use super::letters::{Letter, Outcome, Task};
use super::options::{BLOCK_AGE_MAX, KafkaOptions, LINE_BITS, report, source};
use super::state::{KafkaState, Key, Progress};
use crate::block_reader::LINE_BYTES_MAX;
use crate::body;
use crate::live::Item;

/// Bytes at which a block is handed over.
const BLOCK_BYTES: usize = 512 << 10;
/// Between two copies of the positions for the broker.
const COPY_INTERVAL: Duration = Duration::from_secs(5);
/// Between two looks for partitions that stand still.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How long a partition stands still before it is looked at, while librdkafka tells that something cannot be read.
const REFUSED_MAX: Duration = Duration::from_millis(500);
/// How long librdkafka's word counts: it comes again with every fetch.
const REFUSED_AGE_MAX: Duration = Duration::from_secs(3);
/// Longest wait for a partition to be set to another place.
const SEEK_MAX: Duration = Duration::from_secs(5);

/// Lines of one partition that become a block.
struct Gathered {
    block: Block,
    since: Instant,
}

pub(super) struct Reader<'a> {
    options: &'a KafkaOptions,
    consumer: &'a BaseConsumer<Context>,
    state: &'a KafkaState,
    queue: Sender<Item>,
    tasks: Sender<Task>,
    outcomes: Receiver<Outcome>,
    assignment: u64,
    gathered: BTreeMap<Key, Gathered>,
    /// Blocks to be handed over, in order.
    ready: VecDeque<Block>,
    /// Paused until the worker has kept what cannot be read.
    held: BTreeSet<Key>,
    copied: Instant,
    looked: Instant,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        options: &'a KafkaOptions,
        consumer: &'a BaseConsumer<Context>,
        state: &'a KafkaState,
        queue: Sender<Item>,
        tasks: Sender<Task>,
        outcomes: Receiver<Outcome>,
    ) -> Self {
        let (gathered, ready, held) = (BTreeMap::new(), VecDeque::new(), BTreeSet::new());
        let now = Instant::now();
        Reader {
            options,
            consumer,
            state,
            queue,
            tasks,
            outcomes,
            assignment: 0,
            gathered,
            ready,
            held,
            copied: now,
            looked: now,
        }
    }

    /// Takes one message up.
    pub(super) fn take(&mut self, message: &BorrowedMessage<'_>) {
        self.follow_assignment();
        let key = (message.topic().to_owned(), message.partition());
        let offset = message.offset();
        if self.held.contains(&key) {
            // It slipped through before the pause: it is read again behind the one that is held.
            return;
        }
        let value = message.payload().unwrap_or(b"");
        if value.len() > self.options.message_bytes_max {
            let most = self.options.message_bytes_max;
            let reason = format!("the message has {} bytes, more than kafka.message_bytes_max ({most})", value.len());
            return self.hold(key, offset, "too_large", reason, value);
        }
        let lines = lines_of(value);
        let count = memchr::memchr_iter(b'\n', &lines).count() as u64;
        if let Some((kind, reason)) = unfit(&lines, count) {
            return self.hold(key, offset, kind, reason, value);
        }
        if let Some(progress) = self.state.lock().partitions.get_mut(&key) {
            (progress.next, progress.moved) = (offset + 1, Instant::now());
        }
        let base = (offset as u64) << LINE_BITS;
        let gathered = self.gathered.entry(key).or_insert_with(|| {
            let source = source(message.topic(), message.partition());
            let block = empty_block(source, offset, self.options);
            Gathered { block, since: Instant::now() }
        });
        gathered.block.bytes.extend_from_slice(&lines);
        gathered.block.layout.line_offsets.extend((0..count).map(|line| base + line));
        metrics::counter!("ingest_events_total", "source" => "kafka").increment(count);
        metrics::counter!("ingest_bytes_total", "source" => "kafka").increment(value.len() as u64);
    }

    /// Everything between two messages. False where the pipeline has ended.
    pub(super) fn go_on(&mut self, stop: &AtomicBool) -> bool {
        self.follow_assignment();
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.settle(outcome);
        }
        self.look();
        if !self.hand_over(stop) {
            return false;
        }
        self.copy_positions();
        true
    }

    /// What belongs to an assignment of before is read again by whoever has the partition now.
    fn follow_assignment(&mut self) {
        let now = self.consumer.context().assignment.load(Ordering::Relaxed);
        if now != self.assignment {
            self.assignment = now;
            self.gathered.clear();
            self.ready.clear();
            self.held.clear();
        }
    }

    /// Pauses a partition at a message that cannot be read, and asks the worker to write it to the dead-letter topic.
    fn hold(&mut self, key: Key, offset: i64, kind: &'static str, reason: String, value: &[u8]) {
        report(self.consumer.pause(&list_of(&key)));
        if let Some(progress) = self.state.lock().partitions.get_mut(&key) {
            (progress.next, progress.moved) = (offset, Instant::now());
        }
        let holds = "message".to_owned();
        let letter = Letter { first: offset, last: offset, reason, kind, holds, payload: value.to_vec() };
        self.held.insert(key.clone());
        let task = Task::Bury { key: key.clone(), letter, assignment: self.assignment };
        if self.tasks.try_send(task).is_err() {
            // Too many wait: it is read again in a moment.
            self.held.remove(&key);
            self.set_to(&key, offset);
        }
    }

    /// A partition goes on behind what could not be read.
    fn settle(&mut self, outcome: Outcome) {
        let Outcome { key, assignment, at, next } = outcome;
        let stands = self.state.lock().partitions.get(&key).is_some_and(|progress| progress.at() == at);
        if assignment != self.assignment || !(stands || self.held.contains(&key)) {
            return;
        }
        if next > at {
            // The position moves on, also where nothing follows.
            if let Some(gathered) = self.gathered.remove(&key) {
                self.ready.push_back(gathered.block);
            }
            self.ready.push_back(empty_block(source(&key.0, key.1), next, self.options));
            if let Some(progress) = self.state.lock().partitions.get_mut(&key) {
                *progress = Progress { end: progress.end, ..Progress::new(next) };
            }
        }
        self.held.remove(&key);
        self.set_to(&key, next);
    }

    fn set_to(&self, key: &Key, next: i64) {
        report(self.consumer.resume(&list_of(key)));
        if let Err(error) = self.consumer.seek(&key.0, key.1, Offset::Offset(next), SEEK_MAX) {
            // It stands still, and is looked at again.
            tracing::warn!(topic = key.0, partition = key.1, next, %error, "cannot go on behind what cannot be read");
        }
    }

    /// Has partitions looked at that stand still with something to read.
    fn look(&mut self) {
        if self.looked.elapsed() < LOOK_INTERVAL {
            return;
        }
        self.looked = Instant::now();
        let refused = *self.consumer.context().unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = refused.is_some_and(|told| told.elapsed() < REFUSED_AGE_MAX);
        let most = if refused { REFUSED_MAX.min(self.options.still_max) } else { self.options.still_max };
        if !refused && !self.state.is_up() {
            return;
        }
        let now = Instant::now();
        for (key, progress) in &mut self.state.lock().partitions {
            let stands = progress.lag() > 0 && progress.moved.elapsed() > most && now >= progress.look_after;
            if !stands || self.held.contains(key) {
                continue;
            }
            let task = Task::Look { key: key.clone(), at: progress.at(), assignment: self.assignment };
            if self.tasks.try_send(task).is_ok() {
                progress.look_after = now + most * 2;
            }
        }
    }

    /// Hands over what is large or old enough. While the pipeline takes nothing the partitions are paused and polled on,
    /// so that the group keeps them. False where the pipeline has ended.
    fn hand_over(&mut self, stop: &AtomicBool) -> bool {
        let due = |gathered: &Gathered| {
            gathered.block.bytes.len() >= BLOCK_BYTES || gathered.since.elapsed() >= BLOCK_AGE_MAX
        };
        let keys: Vec<_> = self.gathered.iter().filter(|(_, one)| due(one)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.ready.extend(self.gathered.remove(&key).map(|gathered| gathered.block));
        }
        while let Some(block) = self.ready.pop_front() {
            tracing::trace!(source = block.source.name, bytes = block.bytes.len(), "a block from kafka");
            let item = match self.queue.try_send(Item::Block(block)) {
                Ok(()) => continue,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(item)) => item,
            };
            let paused = self.consumer.assignment();
            if let Ok(partitions) = &paused {
                report(self.consumer.pause(partitions));
            }
            metrics::counter!("kafka_pauses_total").increment(1);
            self.state.lock().blocked = Some(Instant::now());
            let sent = self.wait_for_room(item, stop);
            self.unblock();
            match sent {
                Some(true) => {}
                Some(false) => return false,
                None => return true,
            }
            if let Ok(partitions) = &paused {
                report(self.consumer.resume(partitions));
                for key in &self.held {
                    report(self.consumer.pause(&list_of(key)));
                }
            }
        }
        true
    }

    /// `None` where the block is not wanted any more, `Some(false)` where the pipeline has ended.
    fn wait_for_room(&mut self, mut item: Item, stop: &AtomicBool) -> Option<bool> {
        let begun = self.assignment;
        loop {
            // Nothing is fetched while all is paused; a message that slipped through must not be lost.
            if let Some(Ok(message)) = self.consumer.poll(BLOCK_AGE_MAX) {
                self.take(&message);
            }
            let now = self.consumer.context().assignment.load(Ordering::Relaxed);
            if now != begun || stop.load(Ordering::Relaxed) {
                return None;
            }
            item = match self.queue.try_send(item) {
                Ok(()) => return Some(true),
                Err(TrySendError::Disconnected(_)) => return Some(false),
                Err(TrySendError::Full(item)) => item,
            };
        }
    }

    /// Partitions stood still for another reason than their own.
    fn unblock(&self) {
        let mut inner = self.state.lock();
        inner.blocked = None;
        let now = Instant::now();
        inner.partitions.values_mut().for_each(|progress| progress.moved = now);
    }

    fn copy_positions(&mut self) {
        if self.copied.elapsed() < COPY_INTERVAL {
            return;
        }
        self.copied = Instant::now();
        let committed = std::mem::take(&mut self.state.lock().committed);
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in committed {
            report(list.add_partition_offset(&topic, partition, Offset::Offset(offset)));
        }
        if list.count() > 0 {
            report(self.consumer.commit(&list, CommitMode::Async));
        }
    }
}

fn list_of(key: &Key) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(&key.0, key.1);
    list
}

/// A block of no lines, which begins and ends at a message.
fn empty_block(source: Source, message: i64, options: &KafkaOptions) -> Block {
    let start = Position { offset: (message as u64) << LINE_BITS, line: message as u64 };
    Block::new(Arc::new(source), start, Vec::new(), (options.clock)())
}

/// One message as lines, in every form that a body of POST /ingest may have. A message of nothing is an empty line, so
/// that every message has its event.
pub(super) fn lines_of(value: &[u8]) -> Vec<u8> {
    let (mut lines, count) = body::lines(value.to_vec());
    if count == 0 {
        lines.push(b'\n');
    }
    lines
}

/// Why lines cannot be taken, if they cannot: a word for the counter, and words for people.
fn unfit(lines: &[u8], count: u64) -> Option<(&'static str, String)> {
    if count > 1 << LINE_BITS {
        return Some(("too_many_lines", format!("the message has {count} lines, more than {}", 1 << LINE_BITS)));
    }
    if lines.len() <= LINE_BYTES_MAX {
        return None;
    }
    let longest = lines.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0);
    let reason = format!("the message has a line of {longest} bytes, more than {LINE_BYTES_MAX}");
    (longest > LINE_BYTES_MAX).then_some(("line_too_long", reason))
}
