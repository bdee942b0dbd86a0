//! What cannot be read from Kafka: looked at where a partition stands still, and kept in a dead-letter topic before the
//! partition goes on. Works beside the reader, so that other partitions are not held up. A letter may be written twice
//! where the process was killed between the letter and the next checkpoint; its key says that it is the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::access::Tokens;
use super::options::{ANSWER_BYTES_MAX, KafkaOptions, Unreadable, client, reading_client};
use super::state::{KafkaState, Key};
use super::wire::{self, RecordBatch};

/// Bytes of a batch that a letter holds at most.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Bytes of a letter where the broker refuses the whole.
const CUT_BYTES: usize = 512 << 10;
/// Longest that one letter may take before it is tried again, and the pause before that.
const DELIVERY_MAX: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(1);
/// Batches that one look may find to be unreadable, one behind the other.
const RUN_MAX: usize = 1_000;

/// What is asked for. All of it is about one assignment of partitions; of an older one the answer is thrown away.
#[derive(Debug)]
pub(super) enum Task {
    /// A partition stands still at the offset.
    Look { key: Key, at: i64, assignment: u64 },
    /// A message that was read and cannot be taken.
    Bury { key: Key, letter: Letter, assignment: u64 },
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) key: Key,
    pub(super) assignment: u64,
    /// Where the partition stood.
    pub(super) at: i64,
    /// Where it goes on; the same place where nothing was found to be unreadable.
    pub(super) next: i64,
}

/// Something that cannot be read.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) reason: String,
    /// A word for the counter.
    pub(super) kind: &'static str,
    /// What the payload is.
    pub(super) holds: String,
    pub(super) payload: Vec<u8>,
}

/// The worker beside the reader.
pub(super) struct Letters<'a> {
    options: &'a KafkaOptions,
    state: &'a KafkaState,
    stop: &'a AtomicBool,
    producer: Option<BaseProducer<Delivered>>,
    /// Batches that gave nothing at all, once.
    doubts: BTreeMap<Key, i64>,
}

impl<'a> Letters<'a> {
    pub(super) fn new(options: &'a KafkaOptions, state: &'a KafkaState, stop: &'a AtomicBool) -> Self {
        Letters { options, state, stop, producer: None, doubts: BTreeMap::new() }
    }

    /// Works until nobody asks any more.
    pub(super) fn run(mut self, tasks: &Receiver<Task>, outcomes: &Sender<Outcome>) {
        for task in tasks {
            let outcome = match task {
                Task::Look { key, at, assignment } => {
                    let next = self.look(&key, at);
                    Outcome { key, assignment, at, next }
                }
                Task::Bury { key, letter, assignment } => {
                    let (at, last) = (letter.first, letter.last);
                    let next = if self.bury(&key, &letter) { last + 1 } else { at };
                    Outcome { key, assignment, at, next }
                }
            };
            if self.stop.load(Ordering::Relaxed) || outcomes.send(outcome).is_err() {
                return;
            }
        }
    }

    /// Passes over what cannot be read from the offset on, each kept before; where to go on.
    fn look(&mut self, key: &Key, mut at: i64) -> i64 {
        for _ in 0..RUN_MAX {
            let batch = match wire::batch_at(&self.options.brokers, &key.0, key.1, at, BATCH_BYTES_MAX) {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(topic = key.0, partition = key.1, %error, "cannot look at a batch that stands still");
                    break;
                }
            };
            let Some((kind, reason)) = self.unreadable(key, at, &batch) else { break };
            let RecordBatch { first, last, bytes, full_bytes, .. } = batch;
            let holds = if bytes.len() as u64 == full_bytes {
                "batch".to_owned()
            } else {
                format!("batch, the first {} of {full_bytes} bytes", bytes.len())
            };
            let letter = Letter { first: first.max(at), last, reason, kind, holds, payload: bytes };
            if !self.bury(key, &letter) {
                break;
            }
            at = last + 1;
        }
        at
    }

    /// Why the batch cannot be read, if it cannot: our own decompressor must say so, or another consumer than the one that
    /// stands still.
    fn unreadable(&mut self, key: &Key, at: i64, batch: &RecordBatch) -> Option<(&'static str, String)> {
        if batch.full_bytes > ANSWER_BYTES_MAX as u64 {
            let reason = format!("the batch has {} bytes, more than {ANSWER_BYTES_MAX}", batch.full_bytes);
            return Some(("too_large", reason));
        }
        let codec = ["none", "gzip", "snappy", "lz4", "zstd"].get(usize::from(batch.codec)).unwrap_or(&"unknown");
        let is_whole = batch.bytes.len() as u64 == batch.full_bytes;
        if let Some(reason) = batch.damage().filter(|_| is_whole) {
            return Some(("undecodable", format!("{reason} (codec {codec})")));
        }
        match self.probe(key, at) {
            Ok(Probe::Refused(reason)) => Some(("undecodable", format!("{reason} (codec {codec})"))),
            Ok(Probe::Nothing) if self.doubts.insert(key.clone(), at) == Some(at) => {
                Some(("undecodable", format!("no message could be read from the batch (codec {codec})")))
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(topic = key.0, partition = key.1, %error, "cannot look at a partition that stands still");
                None
            }
        }
    }

    /// Reads at the offset with a consumer of its own, which joins no group.
    fn probe(&self, key: &Key, at: i64) -> Result<Probe, KafkaError> {
        let consumer: BaseConsumer<Told> = reading_client(self.options)
            .set("enable.partition.eof", "true")
            .set("fetch.error.backoff.ms", "100")
            .create_with_context(Told::new(self.options))?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&key.0, key.1, Offset::Offset(at))?;
        consumer.assign(&list)?;
        let (started, mut refused) = (Instant::now(), 0);
        while started.elapsed() < self.options.still_max && !self.stop.load(Ordering::Relaxed) {
            match consumer.poll(Duration::from_millis(50)) {
                Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(Probe::Read),
                Some(Err(KafkaError::MessageConsumption(code))) => {
                    refused += match code {
                        RDKafkaErrorCode::BadCompression | RDKafkaErrorCode::NotImplemented => 2,
                        RDKafkaErrorCode::BadMessage
                        | RDKafkaErrorCode::InvalidMessage
                        | RDKafkaErrorCode::MessageSizeTooLarge => 1,
                        _ => 0,
                    };
                    if refused >= 2 {
                        return Ok(Probe::Refused(consumer.context().words()));
                    }
                }
                _ => {}
            }
        }
        let is_up = self.state.is_up() && !self.stop.load(Ordering::Relaxed);
        Ok(if is_up { Probe::Nothing } else { Probe::Read })
    }

    /// Counts a letter and keeps it. False where the process is to stop before it is kept.
    fn bury(&mut self, key: &Key, letter: &Letter) -> bool {
        let topic = self.options.dead_letter_topic(&key.0);
        let kept = self.options.unreadable == Unreadable::DeadLetter;
        while kept && let Err(error) = self.write(&topic, key, letter) {
            let reason = error.to_string();
            let words = format!("the dead-letter topic {topic} cannot be written: {reason}");
            tracing::warn!(topic = key.0, partition = key.1, offset = letter.first, reason, "a dead letter waits");
            metrics::counter!("kafka_dead_letter_errors_total").increment(1);
            self.wait_for(key, Some(words));
            let tried = Instant::now();
            while tried.elapsed() < RETRY {
                if self.stop.load(Ordering::Relaxed) {
                    return false;
                }
                std::thread::sleep(RETRY / 10);
            }
        }
        self.wait_for(key, None);
        let Letter { first, last, reason, kind, .. } = letter;
        tracing::warn!(topic = key.0, partition = key.1, first, last, reason, kept, "messages cannot be read");
        let kept = if kept { "dead_letter" } else { "nowhere" };
        metrics::counter!("kafka_unreadable_total", "reason" => *kind, "kept" => kept).increment(1);
        metrics::counter!("kafka_unreadable_messages_total").increment((last - first + 1).max(1) as u64);
        true
    }

    fn wait_for(&self, key: &Key, words: Option<String>) {
        if let Some(progress) = self.state.lock().partitions.get_mut(key) {
            progress.waits = words;
        }
    }

    fn write(&mut self, topic: &str, key: &Key, letter: &Letter) -> Result<(), KafkaError> {
        let whole = self.deliver(topic, key, letter, &letter.payload, &letter.holds);
        let Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge)) = whole else {
            return whole;
        };
        let cut = &letter.payload[..letter.payload.len().min(CUT_BYTES)];
        let holds = format!("{}, cut to its first {} bytes", letter.holds, cut.len());
        self.deliver(topic, key, letter, cut, &holds)
    }

    fn deliver(
        &mut self,
        topic: &str,
        key: &Key,
        letter: &Letter,
        payload: &[u8],
        holds: &str,
    ) -> Result<(), KafkaError> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => client(self.options)
                .set("message.timeout.ms", DELIVERY_MAX.as_millis().to_string())
                .set("message.max.bytes", ANSWER_BYTES_MAX.to_string())
                .set("topic.metadata.refresh.fast.interval.ms", "250")
                .create_with_context(Delivered { done: Mutex::default(), tokens: self.options.tokens() })?,
        };
        let name = format!("{}/{}/{}", key.0, key.1, letter.first);
        let header = |name, value: &String| (name, value.clone());
        let headers = [
            header("c0di3.topic", &key.0),
            header("c0di3.partition", &key.1.to_string()),
            header("c0di3.offset", &letter.first.to_string()),
            header("c0di3.offset.last", &letter.last.to_string()),
            header("c0di3.reason", &letter.reason),
            header("c0di3.holds", &holds.to_owned()),
        ];
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value.as_bytes()) })
        });
        let record = BaseRecord::<str, [u8]>::to(topic).key(&name).payload(payload).headers(headers);
        producer.send(record).map_err(|(error, _)| error)?;
        let sent = Instant::now();
        let delivered = loop {
            producer.poll(Duration::from_millis(20));
            if let Some(delivered) = producer.context().take() {
                break delivered;
            }
            if sent.elapsed() > DELIVERY_MAX * 2 || self.stop.load(Ordering::Relaxed) {
                break Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
            }
        };
        // A letter that is still on its way must not arrive as the answer to the next one.
        if delivered.is_ok() {
            self.producer = Some(producer);
        }
        delivered
    }
}

/// What a look at a partition has shown.
enum Probe {
    /// A message, or the end.
    Read,
    Refused(String),
    /// Neither a message nor an error.
    Nothing,
}

/// Keeps the last words about an error.
struct Told {
    last: Mutex<String>,
    tokens: Tokens,
}

impl Told {
    fn new(options: &KafkaOptions) -> Self {
        Told { last: Mutex::default(), tokens: options.tokens() }
    }

    fn words(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Told {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.next()
    }

    fn error(&self, _: KafkaError, reason: &str) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = reason.to_owned();
    }
}

impl ConsumerContext for Told {}

/// Keeps what became of the one letter on its way.
struct Delivered {
    done: Mutex<Option<Result<(), KafkaError>>>,
    tokens: Tokens,
}

impl Delivered {
    fn take(&self) -> Option<Result<(), KafkaError>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Delivered {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.next()
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka, dead letters");
    }
}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}
