//! The consumer: which partitions are read and from where, as the group assigns them and the store says. Takes no message.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::access::Tokens;
use super::options::{KafkaOptions, next_message, reading_client, source};
use super::state::{KafkaState, Progress};
use crate::input::Barrier;
use crate::live::{ClaimError, Item, Resume};

/// Longest that a revoked partition waits for its commit.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// What librdkafka's callbacks need.
pub(super) struct Context {
    pub(super) resume: Arc<dyn Resume>,
    pub(super) queue: Sender<Item>,
    pub(super) state: Arc<KafkaState>,
    /// Counts assignments: what was gathered of an older one and not handed over is thrown away.
    pub(super) assignment: AtomicU64,
    /// When librdkafka last told that something cannot be read.
    pub(super) unreadable: Mutex<Option<Instant>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) tokens: Tokens,
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.next()
    }

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
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                tracing::warn!(%error, reason, "kafka");
                self.state.all_are_down(format!("{error}: {reason}"));
            }
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

/// A consumer of the topics, as a member of the group.
pub(super) fn subscribed(
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
        tokens: options.tokens(),
    };
    let consumer: BaseConsumer<Context> = reading_client(options)
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
