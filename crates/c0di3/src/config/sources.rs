//! Settings of the sources that are pulled: Kafka and followed files.

use std::time::Duration;

use ingest::kafka::{KafkaOptions, TOPIC_PLACE, Unreadable};
use ingest::tail::TailOptions;

use super::file::{KafkaSection, TailSection};
use super::{Problems, filled};
use crate::clock;

/// How long a partition stands still, with something to read, before it is looked at.
const STILL_MAX: Duration = Duration::from_secs(10);
/// Longest message that may be allowed, in bytes: a block holds it whole.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Longest name of a topic, as Kafka has it.
const TOPIC_LETTERS_MAX: usize = 249;

pub(super) fn check_kafka(section: &KafkaSection, problems: &mut Problems) -> Option<KafkaOptions> {
    if !section.brokers.is_empty() && (section.topics.is_empty() || section.group.is_empty()) {
        problems.keep("kafka.topics, kafka.group", "must be set where kafka.brokers is");
    }
    if !(1..=MESSAGE_BYTES_MAX).contains(&section.message_bytes_max) {
        problems.keep("kafka.message_bytes_max", format!("must be from 1 to {MESSAGE_BYTES_MAX}"));
    }
    let unreadable = match section.unreadable.as_str() {
        "dead-letter" => Unreadable::DeadLetter,
        "skip" => Unreadable::Skip,
        other => {
            problems.keep("kafka.unreadable", format!("`{other}` is not one of dead-letter, skip"));
            Unreadable::DeadLetter
        }
    };
    let name = &section.dead_letter_topic;
    let plain = name.replace(TOPIC_PLACE, "");
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if name.is_empty() || plain.len() > TOPIC_LETTERS_MAX || !plain.chars().all(is_legal) {
        problems.keep("kafka.dead_letter_topic", format!("`{name}` is no name of a topic"));
    }
    if section.topics.iter().any(|topic| name.replace(TOPIC_PLACE, topic) == *topic || topic == name) {
        problems
            .keep("kafka.dead_letter_topic", "must not be one of kafka.topics: its letters would be read as events");
    }
    let brokers = filled(&section.brokers)?;
    Some(KafkaOptions {
        brokers,
        group: section.group.clone(),
        topics: section.topics.clone(),
        message_bytes_max: section.message_bytes_max,
        unreadable,
        dead_letter_topic: name.clone(),
        still_max: STILL_MAX,
        clock: clock::now,
    })
}

pub(super) fn check_tail(section: &TailSection, problems: &mut Problems) -> Option<TailOptions> {
    if section.files_max == 0 {
        problems.keep("tail.files_max", "must be above 0");
    }
    let mut wanted = Vec::new();
    for path in &section.paths {
        wanted.extend(problems.check("tail.paths", path.display().to_string().parse()));
    }
    let options = TailOptions { wanted, files_max: section.files_max, clock: clock::now };
    (!section.paths.is_empty()).then_some(options)
}
