//! Kafka as a source: a consumer group whose positions live with the findings, not with the broker (the broker gets a
//! copy, for its lag displays). When partitions are taken away, what was read of them is committed first.
//!
//! An event's offset is the message's offset times 65,536 plus its line in the message.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use event::block::digest;
use event::{Block, Position, Source, SourceId, Timestamp};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

use crate::body;
use crate::live::{Barrier, Item, Resume};

/// Bits of an event's offset that count lines within a message.
const LINE_BITS: u32 = 16;
/// Bytes at which a block is handed over.
const BLOCK_BYTES: usize = 512 << 10;
/// Longest that messages wait to become a block.
const BLOCK_AGE_MAX: Duration = Duration::from_millis(20);
/// Longest that a revoked partition waits for its commit.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Between two copies of the positions for the broker.
const COPY_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct KafkaOptions {
    pub brokers: String,
    pub group: String,
    pub topics: Vec<String>,
    pub message_bytes_max: usize,
    pub clock: fn() -> Timestamp,
}

/// How the connection is, for health.
#[derive(Debug, Default)]
pub struct KafkaState {
    up: AtomicBool,
    trouble: Mutex<String>,
    /// Committed positions by topic and partition, to be copied to the broker.
    committed: Mutex<BTreeMap<(String, i32), i64>>,
}

impl KafkaState {
    /// `None` while a broker is connected, else what is wrong.
    pub fn trouble(&self) -> Option<String> {
        if self.up.load(Ordering::Relaxed) {
            return None;
        }
        let text = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(if text.is_empty() { "not connected yet".to_owned() } else { text })
    }

    fn is_down(&self, reason: String) {
        self.up.store(false, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// A position of a Kafka source that has been committed.
    pub fn committed(&self, source_name: &str, position: Position) {
        let Some((topic, partition)) = source_name.strip_prefix("kafka://").and_then(|name| name.rsplit_once('/'))
        else {
            return;
        };
        if let Ok(partition) = partition.parse() {
            let mut committed = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
            committed.insert((topic.to_owned(), partition), next_message(position));
        }
    }
}

/// The message that a position stands at: one inside a message counts as behind it.
fn next_message(position: Position) -> i64 {
    (position.offset.saturating_add((1 << LINE_BITS) - 1) >> LINE_BITS) as i64
}

fn source(topic: &str, partition: i32) -> Source {
    let id = SourceId(digest(&[b"kafka", topic.as_bytes(), &partition.to_be_bytes()]));
    Source { id, name: format!("kafka://{topic}/{partition}") }
}

struct Context {
    resume: Arc<dyn Resume>,
    queue: Sender<Item>,
    state: Arc<KafkaState>,
    /// Partitions changed hands: what was gathered and not handed over is thrown away.
    changed: AtomicBool,
    stop: Arc<AtomicBool>,
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        let up = statistics.brokers.values().any(|broker| broker.state == "UP");
        if up {
            self.state.up.store(true, Ordering::Relaxed);
        } else if self.state.trouble().is_none() {
            self.state.is_down("no broker is connected".to_owned());
        }
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let lag: i64 = partitions.map(|partition| partition.consumer_lag.max(0)).sum();
        metrics::gauge!("kafka_consumer_lag_messages").set(lag as f64);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka");
        self.state.is_down(format!("{error}: {reason}"));
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        self.changed.store(true, Ordering::Relaxed);
        let done = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            _ => {
                self.drain();
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, "cannot change the assignment of partitions");
        }
    }
}

impl Context {
    /// Goes on where the store says. A store that does not answer is asked until it does: the broker's copy may be old.
    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for element in partitions.elements() {
            let source = source(element.topic(), element.partition());
            let position = loop {
                match self.resume.claim(&source) {
                    Ok(position) => break position,
                    Err(reason) if self.stop.load(Ordering::Relaxed) => {
                        tracing::warn!(reason, "stopping before the positions were known");
                        return consumer.unassign();
                    }
                    Err(reason) => {
                        tracing::warn!(reason, "cannot learn where to go on; asking again");
                        std::thread::sleep(Duration::from_millis(500));
                    }
                }
            };
            let offset = position.map_or(Offset::Beginning, |position| Offset::Offset(next_message(position)));
            tracing::info!(source = source.name, ?offset, "reading a partition");
            list.add_partition_offset(element.topic(), element.partition(), offset)?;
        }
        consumer.assign(&list)
    }

    /// Waits until everything that was handed over is committed.
    fn drain(&self) {
        let (barrier, passed) = Barrier::new();
        let sent = self.queue.send_timeout(Item::Barrier(barrier), DRAIN_MAX).is_ok();
        if !sent || passed.recv_timeout(DRAIN_MAX).is_err() {
            tracing::warn!("partitions were given up before all of them was committed: the next owner reads it again");
        }
    }
}

/// Lines of one partition that become a block.
struct Gathered {
    source: Arc<Source>,
    block: Block,
    since: Instant,
}

/// Reads until `stop` is set or the pipeline has ended.
pub fn feed(
    options: &KafkaOptions,
    resume: Arc<dyn Resume>,
    state: Arc<KafkaState>,
    queue: Sender<Item>,
    stop: Arc<AtomicBool>,
) -> Result<(), KafkaError> {
    let context = Context {
        resume,
        queue: queue.clone(),
        state: Arc::clone(&state),
        changed: AtomicBool::new(false),
        stop: Arc::clone(&stop),
    };
    let consumer: BaseConsumer<Context> = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "range")
        // How long the partitions of a killed process stand still.
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "2000")
        .set("statistics.interval.ms", "1000")
        .set("queued.max.messages.kbytes", "16384")
        .set("reconnect.backoff.max.ms", "2000")
        // A topic that is made later is noticed within seconds.
        .set("topic.metadata.refresh.interval.ms", "3000")
        .create_with_context(context)?;
    let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics)?;
    let mut reader = Reader { options, gathered: BTreeMap::new(), queue, copied: Instant::now() };
    while !stop.load(Ordering::Relaxed) {
        let polled = consumer.poll(BLOCK_AGE_MAX);
        if consumer.context().changed.swap(false, Ordering::Relaxed) {
            reader.gathered.clear();
        }
        match polled {
            Some(Ok(message)) => reader.take(&message),
            Some(Err(error)) => {
                tracing::warn!(%error, "kafka");
                metrics::counter!("kafka_errors_total").increment(1);
            }
            None => {}
        }
        if !reader.hand_over(&consumer, &stop) {
            break;
        }
        reader.copy_positions(&consumer, &state);
    }
    Ok(())
}

struct Reader<'a> {
    options: &'a KafkaOptions,
    gathered: BTreeMap<(String, i32), Gathered>,
    queue: Sender<Item>,
    copied: Instant,
}

impl Reader<'_> {
    fn take(&mut self, message: &rdkafka::message::BorrowedMessage<'_>) {
        let key = (message.topic().to_owned(), message.partition());
        let base = (message.offset() as u64) << LINE_BITS;
        let gathered = self.gathered.entry(key).or_insert_with(|| {
            let source = Arc::new(source(message.topic(), message.partition()));
            let start = Position { offset: base, line: message.offset() as u64 };
            let block = Block::new(Arc::clone(&source), start, Vec::new(), (self.options.clock)());
            Gathered { source, block, since: Instant::now() }
        });
        let before = gathered.block.bytes.len();
        let value = message.payload().unwrap_or(b"");
        let value = &value[..value.len().min(self.options.message_bytes_max)];
        write_message(value, &mut gathered.block.bytes);
        let lines = memchr::memchr_iter(b'\n', &gathered.block.bytes[before..]).count() as u64;
        let places = (0..lines).map(|line| base + line.min((1 << LINE_BITS) - 1));
        gathered.block.layout.line_offsets.extend(places);
        metrics::counter!("ingest_events_total", "source" => "kafka").increment(lines);
        metrics::counter!("ingest_bytes_total", "source" => "kafka").increment(value.len() as u64);
    }

    /// Hands over what is large or old enough. While the pipeline takes nothing the partitions are paused and polled on,
    /// so that the group keeps them. False where the pipeline has ended.
    fn hand_over(&mut self, consumer: &BaseConsumer<Context>, stop: &AtomicBool) -> bool {
        let due = |gathered: &Gathered| {
            gathered.block.bytes.len() >= BLOCK_BYTES || gathered.since.elapsed() >= BLOCK_AGE_MAX
        };
        let keys: Vec<_> = self.gathered.iter().filter(|(_, one)| due(one)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(Gathered { block, source, .. }) = self.gathered.remove(&key) else { continue };
            if block.bytes.is_empty() {
                continue;
            }
            tracing::trace!(source = source.name, bytes = block.bytes.len(), "a block from kafka");
            let mut item = match self.queue.try_send(Item::Block(block)) {
                Ok(()) => continue,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(item)) => item,
            };
            let paused = consumer.assignment();
            if let Ok(partitions) = &paused {
                report(consumer.pause(partitions));
            }
            metrics::counter!("kafka_pauses_total").increment(1);
            loop {
                // Nothing is fetched while all is paused; a message that slipped through would be lost: seek to it.
                if let Some(Ok(message)) = consumer.poll(BLOCK_AGE_MAX) {
                    self.take(&message);
                }
                if consumer.context().changed.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed) {
                    return true;
                }
                item = match self.queue.try_send(item) {
                    Ok(()) => break,
                    Err(TrySendError::Disconnected(_)) => return false,
                    Err(TrySendError::Full(item)) => item,
                };
            }
            if let Ok(partitions) = &paused {
                report(consumer.resume(partitions));
            }
        }
        true
    }

    fn copy_positions(&mut self, consumer: &BaseConsumer<Context>, state: &KafkaState) {
        if self.copied.elapsed() < COPY_INTERVAL {
            return;
        }
        self.copied = Instant::now();
        let committed = std::mem::take(&mut *state.committed.lock().unwrap_or_else(PoisonError::into_inner));
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in committed {
            report(list.add_partition_offset(&topic, partition, Offset::Offset(offset)));
        }
        if list.count() > 0 {
            report(consumer.commit(&list, CommitMode::Async));
        }
    }
}

fn report(done: KafkaResult<()>) {
    if let Err(error) = done {
        tracing::debug!(%error, "kafka");
    }
}

/// One message as lines, in every form that a body of POST /ingest may have. A message of nothing is an empty line, so
/// that every message has its event.
fn write_message(value: &[u8], lines: &mut Vec<u8>) {
    let (written, count) = body::lines(value.to_vec());
    lines.extend_from_slice(&written);
    if count == 0 {
        lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_lines_and_positions_round_up_to_whole_messages() {
        let written = |value: &[u8]| {
            let mut lines = Vec::new();
            write_message(value, &mut lines);
            String::from_utf8(lines).unwrap()
        };
        assert_eq!(written(b"{\n \"a\": 1\n}\n"), "{  \"a\": 1 }\n");
        assert_eq!(written(b"{\"a\":1}\n{\"b\":2}\n"), "{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(written(b"one\ntwo\n"), "one\ntwo\n");
        assert_eq!(written(b""), "\n");
        let at = |offset| next_message(Position { offset, line: 0 });
        assert_eq!((at(0), at(5 << 16), at((5 << 16) + 1), at((5 << 16) + 70)), (0, 5, 6, 6));
    }
}
