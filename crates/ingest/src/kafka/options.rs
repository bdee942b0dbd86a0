//! What is read from Kafka and how: options, limits, and what all clients have in common. Reads nothing itself.

use std::sync::Arc;
use std::time::Duration;

use event::block::digest;
use event::{Position, Source, SourceId, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaResult;

use super::access::{KafkaAccess, Tokens};

/// Bits of an event's offset that count lines within a message.
pub(super) const LINE_BITS: u32 = 16;
/// Longest that messages wait to become a block.
pub(super) const BLOCK_AGE_MAX: Duration = Duration::from_millis(20);
/// Longest answer of a broker, in bytes: a batch that is longer cannot be read.
pub(super) const ANSWER_BYTES_MAX: usize = 100_000_000;
/// Stand in the name of a dead-letter topic for the topic that the message came from.
pub const TOPIC_PLACE: &str = "{topic}";
/// What is done with messages that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Kept in the dead-letter topic before the partition goes on; while that cannot be written, the partition waits.
    DeadLetter,
    /// Counted and told, and no more.
    Skip,
}

/// What is read, and how.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// `HOST:PORT`, several separated by commas.
    pub brokers: String,
    /// How they are reached.
    pub access: Arc<KafkaAccess>,
    /// The consumer group.
    pub group: String,
    /// Topics that are read.
    pub topics: Vec<String>,
    /// Longest message that is read, in bytes.
    pub message_bytes_max: usize,
    /// What is done with messages that cannot be read.
    pub unreadable: Unreadable,
    /// Name of the dead-letter topic; may hold [`TOPIC_PLACE`].
    pub dead_letter_topic: String,
    /// How long a partition may stand still with something to read before it is looked at.
    pub still_max: Duration,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
}

impl KafkaOptions {
    /// The tokens of one more client.
    pub(super) fn tokens(&self) -> Tokens {
        Tokens::new(&self.access, self.clock)
    }

    /// Where the dead letters of a topic go.
    pub(super) fn dead_letter_topic(&self, topic: &str) -> String {
        self.dead_letter_topic.replace(TOPIC_PLACE, topic)
    }

    /// An expression of librdkafka for all dead-letter topics: they are not read again.
    pub(super) fn dead_letter_topics(&self) -> String {
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
pub(super) fn next_message(position: Position) -> i64 {
    (position.offset.saturating_add((1 << LINE_BITS) - 1) >> LINE_BITS) as i64
}

/// The source that a partition is: its identity follows from topic and number.
pub(super) fn source(topic: &str, partition: i32) -> Source {
    let id = SourceId(digest(&[b"kafka", topic.as_bytes(), &partition.to_be_bytes()]));
    Source { id, name: format!("kafka://{topic}/{partition}") }
}

/// What all clients have in common.
pub(super) fn client(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.brokers);
    options.access.apply(&mut config);
    config
}

/// What all clients that read have in common.
pub(super) fn reading_client(options: &KafkaOptions) -> ClientConfig {
    let mut config = client(options);
    config
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("receive.message.max.bytes", (ANSWER_BYTES_MAX + (1 << 20)).to_string())
        .set("reconnect.backoff.max.ms", "2000");
    config
}

/// Tells of a step that failed and is not needed for what follows.
pub(super) fn report(done: KafkaResult<()>) {
    if let Err(error) = done {
        tracing::debug!(%error, "kafka");
    }
}
