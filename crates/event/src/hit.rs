//! A hit: one rule matched one event. It owns what outlives the batch, nothing more.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::{EventId, Source, digest};
use crate::finding::Entities;
use crate::time::Timestamp;

/// One event, told apart from all others, with its raw line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    /// Identity of the event.
    pub id: EventId,
    /// Where its line comes from, or the sender that the source names.
    pub source: Arc<Source>,
    /// Bytes from the start of the (decompressed) source to its line.
    pub offset: u64,
    /// From 1.
    pub line_no: u64,
    /// `None` where the line names no time.
    pub time: Option<Timestamp>,
    /// The raw line; bytes that are not UTF-8 stand as U+FFFD.
    pub original: Box<str>,
    /// Who was involved in it.
    pub entities: Entities,
    /// How a server answered it, where it is a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// The answer of a server to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Length of the body in bytes, up to what fits; 0 where it is not known.
    #[serde(default)]
    pub bytes: u32,
}

/// Patterns of a pack that an event has, and lists of indicators that have one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsFound {
    /// Sum of their weights.
    pub points: u32,
    /// What the pack asks for.
    pub threshold: u32,
    /// All of them stand among words of prose, or in a phrase that somebody looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// Their ids.
    pub ids: Vec<String>,
    /// Values and the lists that have them: `192.0.2.7 in feed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
}

/// Identity of a detection rule, equal in every process and in every rule set that holds the rule: the first 64 bits of the
/// SHA-256 digest over the rule's id. It is made of the id alone, so that a rule keeps its identity when its text or its
/// place in the set changes. A set refuses two rules with one key (`rules::load`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleKey(pub u64);

impl RuleKey {
    /// Key of the rule with this id.
    pub fn of_id(id: &str) -> Self {
        RuleKey((digest(&[b"rule", id.as_bytes()]) >> 64) as u64)
    }
}

/// One rule matched one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// The rule, named as every process names it.
    pub rule: RuleKey,
    /// The event, shared by all rules that matched it.
    pub event: Arc<EventRef>,
    /// Values that correlations group by or count, in the order that the rule set asks for them; `None` = absent.
    pub values: Arc<[Option<Box<str>>]>,
    /// How often the line says that it happened (`message repeated N times`), at least 1.
    pub repeated: u64,
    /// Where the rule is a pack of patterns or looks up indicators: what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Arc<PatternsFound>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_rule_follows_from_its_id_and_never_changes() {
        assert_eq!(RuleKey::of_id("ssh_brute_force"), RuleKey(0x2c0f_44bb_e0d2_8d64));
        assert_ne!(RuleKey::of_id("a"), RuleKey::of_id("b"));
    }
}
