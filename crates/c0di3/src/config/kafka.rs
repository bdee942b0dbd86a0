//! What is read from Kafka and how its brokers are reached, from as written to as meant. It asks no broker and reads no file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ingest::kafka::{KafkaAccess, KafkaOptions, KafkaSasl, KafkaTls, TOPIC_PLACE, Unreadable};

use super::file::KafkaSection;
use super::problems::Problems;
use super::value::{filled, filled_path};
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
    let access = check_access(section, problems);
    let brokers = filled(&section.brokers)?;
    Some(KafkaOptions {
        brokers,
        access: Arc::new(access),
        group: section.group.clone(),
        topics: section.topics.clone(),
        message_bytes_max: section.message_bytes_max,
        unreadable,
        dead_letter_topic: name.clone(),
        still_max: STILL_MAX,
        clock: clock::now,
    })
}

/// Ways to say who we are, as they are written and as brokers know them; the last with a token.
const MECHANISMS: [(&str, &str); 4] = [
    ("plain", "PLAIN"),
    ("scram-sha-256", "SCRAM-SHA-256"),
    ("scram-sha-512", "SCRAM-SHA-512"),
    ("oauthbearer", "OAUTHBEARER"),
];

fn check_access(section: &KafkaSection, problems: &mut Problems) -> KafkaAccess {
    let (certificate, key) = (filled_path(&section.certificate), filled_path(&section.key));
    if certificate.is_some() != key.is_some() {
        problems.keep("kafka.certificate, kafka.key", "one is of no use without the other");
    }
    let of_tls: [(&str, &Path); 3] =
        [("kafka.ca", &section.ca), ("kafka.certificate", &section.certificate), ("kafka.key", &section.key)];
    for (name, path) in of_tls {
        if !section.tls && !path.as_os_str().is_empty() {
            problems.keep(name, "is of use with kafka.tls = true alone");
        }
    }
    let tls = section.tls.then(|| KafkaTls { ca: filled_path(&section.ca), certificate: certificate.zip(key) });
    KafkaAccess { tls, sasl: check_sasl(section, problems) }
}

fn check_sasl(section: &KafkaSection, problems: &mut Problems) -> Option<KafkaSasl> {
    let written = section.sasl.as_str();
    let has = (!section.user.is_empty(), !section.password.is_empty(), filled_path(&section.token_file).is_some());
    let Some((_, mechanism)) = MECHANISMS.into_iter().find(|(name, _)| *name == written) else {
        match written {
            "" if has == (false, false, false) => {}
            "" => problems.keep("kafka.sasl", "must say how kafka.user, kafka.password or kafka.token_file are used"),
            other => {
                let known = MECHANISMS.map(|(name, _)| name).join(", ");
                problems.keep("kafka.sasl", format!("`{other}` is not one of {known}"));
            }
        }
        return None;
    };
    if mechanism == "OAUTHBEARER" {
        if has != (false, false, true) {
            problems.keep("kafka.token_file", "must be set for oauthbearer, and kafka.user and kafka.password not");
        }
        return Some(KafkaSasl::Token { file: section.token_file.clone() });
    }
    if has != (true, true, false) {
        let reason = format!("must be set for {written}, and kafka.token_file not");
        problems.keep("kafka.user, kafka.password", reason);
    }
    if mechanism == "PLAIN" && !section.tls {
        problems.keep("kafka.sasl", "`plain` shows the password to the network: it needs kafka.tls = true");
    }
    Some(KafkaSasl::Password { mechanism, user: section.user.clone(), password: section.password.clone() })
}
