//! Kafka as a source: a consumer group whose positions live with the findings, not with the broker (the broker gets a
//! copy, for its lag displays). When partitions are taken away, what was read of them is committed first. What cannot be
//! read is kept in a dead-letter topic, and its partition goes on.
//!
//! An event's offset is the message's offset times 65,536 plus its line in the message.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use event::block::digest;
use event::{Position, Source, SourceId, Timestamp};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use crate::live::{Barrier, ClaimError, Item, Resume};

mod letters;
mod reader;
mod state;
mod wire;

#[cfg(test)]
mod tests;

pub use state::{KafkaReport, KafkaState};

use letters::Letters;
use reader::Reader;
use state::Progress;

/// Bits of an event's offset that count lines within a message.
const LINE_BITS: u32 = 16;
/// Longest that messages wait to become a block.
const BLOCK_AGE_MAX: Duration = Duration::from_millis(20);
/// Longest that a revoked partition waits for its commit.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Longest answer of a broker, in bytes: a batch that is longer cannot be read.
const ANSWER_BYTES_MAX: usize = 100_000_000;
/// Stand in the name of a dead-letter topic for the topic that the message came from.
pub const TOPIC_PLACE: &str = "{topic}";
/// Between two questions where partitions end that are not fetched, and the longest wait for each answer.
const ENDS_INTERVAL: Duration = Duration::from_secs(1);
/// Tasks that wait for the worker beside the reader.
const TASKS_MAX: usize = 64;

/// What is done with messages that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Kept in the dead-letter topic before the partition goes on; while that cannot be written, the partition waits.
    DeadLetter,
    /// Counted and told, and no more.
    Skip,
}

#[derive(Clone, Debug)]
pub struct KafkaOptions {
    pub brokers: String,
    pub group: String,
    pub topics: Vec<String>,
    /// Longest message that is read, in bytes.
    pub message_bytes_max: usize,
    pub unreadable: Unreadable,
    /// Name of the dead-letter topic; may hold [`TOPIC_PLACE`].
    pub dead_letter_topic: String,
    /// How long a partition may stand still with something to read before it is looked at.
    pub still_max: Duration,
    pub clock: fn() -> Timestamp,
}

impl KafkaOptions {
    /// Where the dead letters of a topic go.
    fn dead_letter_topic(&self, topic: &str) -> String {
        self.dead_letter_topic.replace(TOPIC_PLACE, topic)
    }

    /// An expression of librdkafka for all dead-letter topics: they are not read again.
    fn dead_letter_topics(&self) -> String {
        let mut expression = "^".to_owned();
        for (at, part) in self.dead_letter_topic.split(TOPIC_PLACE).enumerate() {
            if at > 0 {
                expression.push_str(".+");
            }
            for letter in part.chars() {
                match letter {
                    '.' => expression.push_str("[.]"),
                    letter => expression.push(letter),
                }
            }
        }
        expression + "$"
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
    /// Counts assignments: what was gathered of an older one and not handed over is thrown away.
    assignment: AtomicU64,
    /// When librdkafka last told that something cannot be read.
    unreadable: Mutex<Option<Instant>>,
    stop: Arc<AtomicBool>,
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        self.state.told(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        match code {
            Some(
                RDKafkaErrorCode::BadCompression
                | RDKafkaErrorCode::NotImplemented
                | RDKafkaErrorCode::BadMessage
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::MessageSizeTooLarge,
            ) => {
                // It comes again with every fetch: what becomes of it is told once, by the worker beside.
                tracing::debug!(%error, reason, "kafka");
                *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            Some(RDKafkaErrorCode::PartitionEOF) => {}
            _ => {
                tracing::warn!(%error, reason, "kafka");
                self.state.is_down(format!("{error}: {reason}"));
            }
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        self.assignment.fetch_add(1, Ordering::Relaxed);
        let done = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            _ => {
                self.drain();
                self.state.is_over();
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, "cannot change the assignment of partitions");
        }
    }
}

impl Context {
    /// Goes on where the store says. A store that does not answer is asked until it does: the broker's copy may be old. A
    /// partition that the store refuses for good is left out; the others are read.
    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        self.state.is_over();
        for element in partitions.elements() {
            let source = source(element.topic(), element.partition());
            let key = (element.topic().to_owned(), element.partition());
            let position = loop {
                match self.resume.claim(&source) {
                    Ok(position) => break position,
                    Err(ClaimError::Final(reason)) => {
                        tracing::error!(source = source.name, reason, "a partition is not read");
                        metrics::counter!("kafka_claims_refused_total").increment(1);
                        self.state.lock().refused.insert(key.clone(), reason);
                        break None;
                    }
                    Err(ClaimError::Passing(reason)) if self.stop.load(Ordering::Relaxed) => {
                        tracing::warn!(reason, "stopping before the positions were known");
                        return consumer.unassign();
                    }
                    Err(ClaimError::Passing(reason)) => {
                        tracing::warn!(reason, "cannot learn where to go on; asking again");
                        std::thread::sleep(Duration::from_millis(500));
                    }
                }
            };
            if self.state.lock().refused.contains_key(&key) {
                continue;
            }
            let next = position.map(next_message);
            let offset = next.map_or(Offset::Beginning, Offset::Offset);
            tracing::info!(source = source.name, ?offset, "reading a partition");
            list.add_partition_offset(element.topic(), element.partition(), offset)?;
            self.state.lock().partitions.insert(key, Progress::new(next.unwrap_or(0)));
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

/// What all clients that read have in common.
fn client(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.brokers)
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("receive.message.max.bytes", (ANSWER_BYTES_MAX + (1 << 20)).to_string())
        .set("reconnect.backoff.max.ms", "2000");
    config
}

/// Reads until `stop` is set or the pipeline has ended.
pub fn feed(
    options: &KafkaOptions,
    resume: Arc<dyn Resume>,
    state: Arc<KafkaState>,
    queue: Sender<Item>,
    stop: Arc<AtomicBool>,
) -> Result<(), KafkaError> {
    let consumer = subscribed(options, resume, &state, &queue, &stop).inspect_err(|error| {
        state.has_ended(error.to_string());
    })?;
    state.has_begun();
    let (tasks, asked) = bounded(TASKS_MAX);
    let (answers, outcomes) = bounded(TASKS_MAX);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let letters = Letters::new(options, &state, &stop);
        scope.spawn(move || letters.run(&asked, &answers));
        let over = &over;
        scope.spawn(|| watch_ends(&consumer, &state, over));
        let mut reader = Reader::new(options, &consumer, &state, queue, tasks, outcomes);
        while !stop.load(Ordering::Relaxed) {
            match consumer.poll(BLOCK_AGE_MAX) {
                Some(Ok(message)) => reader.take(&message),
                Some(Err(error)) => {
                    tracing::debug!(%error, "kafka");
                    metrics::counter!("kafka_errors_total").increment(1);
                }
                None => {}
            }
            if !reader.go_on(&stop) {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    drop(consumer);
    state.is_over();
    Ok(())
}

fn subscribed(
    options: &KafkaOptions,
    resume: Arc<dyn Resume>,
    state: &Arc<KafkaState>,
    queue: &Sender<Item>,
    stop: &Arc<AtomicBool>,
) -> Result<BaseConsumer<Context>, KafkaError> {
    let context = Context {
        resume,
        queue: queue.clone(),
        state: Arc::clone(state),
        assignment: AtomicU64::new(0),
        unreadable: Mutex::new(None),
        stop: Arc::clone(stop),
    };
    let consumer: BaseConsumer<Context> = client(options)
        .set("partition.assignment.strategy", "range")
        // How long the partitions of a killed process stand still.
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "2000")
        .set("statistics.interval.ms", "1000")
        .set("queued.max.messages.kbytes", "16384")
        // A topic that is made later is noticed within seconds.
        .set("topic.metadata.refresh.interval.ms", "3000")
        .set("topic.blacklist", options.dead_letter_topics())
        .create_with_context(context)?;
    let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics)?;
    Ok(consumer)
}

/// Asks where partitions end that are not fetched: what waits in them is lag, too.
fn watch_ends(consumer: &BaseConsumer<Context>, state: &KafkaState, over: &AtomicBool) {
    let mut asked = Instant::now();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(BLOCK_AGE_MAX);
        if asked.elapsed() < ENDS_INTERVAL {
            continue;
        }
        for key in state.untold() {
            match consumer.fetch_watermarks(&key.0, key.1, ENDS_INTERVAL) {
                Ok((_, end)) => state.ends(&key, end),
                // The others are asked in vain as well.
                Err(_) => break,
            }
            if over.load(Ordering::Relaxed) {
                return;
            }
        }
        asked = Instant::now();
    }
}

fn report(done: KafkaResult<()>) {
    if let Err(error) = done {
        tracing::debug!(%error, "kafka");
    }
}
