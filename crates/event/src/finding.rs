//! A finding: what an analyst works on. Made of one or many hits of one rule on one group, with the proof.

use serde::{Deserialize, Serialize};

use crate::block::{EventId, digest, hexadecimal_id};
use crate::event_set::EventSet;
use crate::severity::{Level, Severity};
use crate::time::Timestamp;

/// Identity of a finding, derived from rule, group and first event: a second replay arrives at the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub u128);
hexadecimal_id!(FindingId);

impl FindingId {
    /// `group`: the values that the rule's events have in common, as one text.
    pub fn derive(rule_id: &str, group: &str, first_event: EventId) -> Self {
        FindingId(digest(&[b"finding", rule_id.as_bytes(), group.as_bytes(), &first_event.0.to_be_bytes()]))
    }

    /// What goes on after a finding was done with, by what made it so: a closed incident, or a mute.
    pub fn continued(old: FindingId, because: &str) -> Self {
        FindingId(digest(&[b"continued", &old.0.to_be_bytes(), because.as_bytes()]))
    }
}

/// Who was involved, under the ECS names that findings can be filtered by. Sorted, each value once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entities {
    /// Addresses, IPv4 or IPv6, as text.
    #[serde(rename = "source.ip", default, skip_serializing_if = "Vec::is_empty")]
    pub source_ip: Vec<String>,
    /// Accounts.
    #[serde(rename = "user.name", default, skip_serializing_if = "Vec::is_empty")]
    pub user_name: Vec<String>,
    /// Hosts that the events tell of.
    #[serde(rename = "host.name", default, skip_serializing_if = "Vec::is_empty")]
    pub host_name: Vec<String>,
}

/// Most values of one kind that a finding lists; its count still covers all.
pub const ENTITY_VALUES_MAX: usize = 256;

impl Entities {
    /// Every kind under its ECS name.
    pub fn kinds(&self) -> [(&'static str, &[String]); 3] {
        [("source.ip", &self.source_ip), ("user.name", &self.user_name), ("host.name", &self.host_name)]
    }

    /// Every value with its kind.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.kinds().into_iter().flat_map(|(kind, values)| values.iter().map(move |value| (kind, value.as_str())))
    }

    /// Adds the other's values; beyond [`ENTITY_VALUES_MAX`] of a kind they are left out.
    pub fn absorb(&mut self, other: &Entities) {
        for (mine, theirs) in [
            (&mut self.source_ip, &other.source_ip),
            (&mut self.user_name, &other.user_name),
            (&mut self.host_name, &other.host_name),
        ] {
            for value in theirs {
                if let Err(at) = mine.binary_search(value)
                    && mine.len() < ENTITY_VALUES_MAX
                {
                    mine.insert(at, value.clone());
                }
            }
        }
    }
}

/// One event that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Identity of the event.
    pub event_id: EventId,
    /// Path or address of the source.
    pub source: String,
    /// From 1.
    pub line_no: u64,
    /// Bytes from the start of the (decompressed) source.
    pub offset: u64,
    /// When it happened; `None` where the line names no time.
    #[serde(rename = "@timestamp", skip_serializing_if = "Option::is_none", default)]
    pub time: Option<Timestamp>,
    /// The raw line; bytes that are not UTF-8 stand as U+FFFD.
    pub original: String,
}

/// One reason for the score, in points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorePart {
    /// What gave the points, in a few words.
    pub part: String,
    /// Added to the score; may be negative.
    pub points: i16,
}

/// Where a finding stands; the numbers are OCSF `status_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it.
    #[default]
    New = 1,
    /// Somebody works on it.
    InProgress = 2,
    /// Hidden by a mute.
    Suppressed = 3,
    /// Dealt with.
    Resolved = 4,
    /// Kept for the record alone.
    Archived = 5,
}

impl Status {
    /// In the order of their numbers.
    pub const ALL: [Status; 5] =
        [Status::New, Status::InProgress, Status::Suppressed, Status::Resolved, Status::Archived];

    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::InProgress => "in_progress",
            Status::Suppressed => "suppressed",
            Status::Resolved => "resolved",
            Status::Archived => "archived",
        }
    }

    /// The status with this word in JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The status with this number of OCSF.
    pub fn from_number(number: i64) -> Option<Self> {
        Status::ALL.into_iter().find(|status| *status as i64 == number)
    }
}

/// What a rule found, folded over repeats. In JSON the groups are members of one object, in the order in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Derived from rule, group and first event.
    pub id: FindingId,
    /// The rule that found it: of several that matched its events, the strongest.
    #[serde(flatten)]
    pub rule: FindingRule,
    /// The other rules that matched its events, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoFired>,
    /// How grave it is.
    #[serde(flatten)]
    pub rating: FindingRating,
    /// The events that it stands for.
    #[serde(flatten)]
    pub span: FindingSpan,
    /// Who was involved, over all events.
    pub entities: Entities,
    /// ATT&CK techniques, such as `T1110.001`.
    #[serde(default)]
    pub techniques: Vec<String>,
    /// Why it fired, in one sentence.
    pub reason: String,
    /// What to do, step by step.
    #[serde(default)]
    pub response: Vec<String>,
    /// First and last events; the span says how many there were.
    pub evidence: Vec<Evidence>,
    /// The finding that this one goes on from: its incident was over, or it was muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<FindingId>,
    /// For the store alone.
    #[serde(skip)]
    pub counted: Counted,
}

/// The rule of a finding, as its file gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRule {
    /// Unique among the rules in force.
    #[serde(rename = "rule.id")]
    pub id: String,
    /// For people.
    #[serde(rename = "rule.title")]
    pub title: String,
    /// Level that the rule's author gave.
    pub level: Level,
}

/// Most rules that a finding names beside its own.
pub const ALSO_FIRED_MAX: usize = 16;

/// A rule that matched events of a finding which another, stronger rule leads: one deed is one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlsoFired {
    /// As its file gives it.
    #[serde(rename = "rule.id")]
    pub rule_id: String,
    /// For people; the id where the rule is gone.
    #[serde(rename = "rule.title")]
    pub rule_title: String,
    /// Events that it matched, repeats included.
    pub count: u64,
}

impl Finding {
    /// Id and title of every rule that fired: the one that leads first.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.also.iter().map(|other| (other.rule_id.as_str(), other.rule_title.as_str()));
        std::iter::once((self.rule.id.as_str(), self.rule.title.as_str())).chain(others)
    }
}

/// How grave a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRating {
    /// 0-100.
    pub score: u8,
    /// What the score is made of, in the order in which it was added.
    #[serde(rename = "score_parts")]
    pub parts: Vec<ScorePart>,
    /// From the score, by the thresholds in force.
    pub severity: Severity,
}

/// The events of a finding: when they happened and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingSpan {
    /// Event time of the first event; `None` where no line named a time.
    pub first_seen: Option<Timestamp>,
    /// Event time of the last event; `None` where no line named a time.
    pub last_seen: Option<Timestamp>,
    /// Events, repeats included.
    pub count: u64,
}

/// What the store needs of a finding beside what people see.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The events that it counts.
    pub events: EventSet,
    /// First events since the finding was reported last, as far as its evidence does not have them.
    pub fresh: Vec<Evidence>,
}

/// When a finding was reported last is no part of what it is.
impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events
    }
}

impl Eq for Counted {}

#[cfg(test)]
mod tests {
    use super::*;

    /// As findings have been written since the first version: one object, in this order.
    const WRITTEN: &str = r#"{"id":"00000000000000000000000000000001","rule.id":"r","rule.title":"a rule","level":"high","score":75,"score_parts":[{"part":"rule level high","points":75}],"severity":"P1","first_seen":"1970-01-01T00:00:01Z","last_seen":null,"count":2,"entities":{"source.ip":["192.0.2.1"]},"techniques":["T1110"],"reason":"it matched","response":[],"evidence":[],"continues":"00000000000000000000000000000002"}"#;

    #[test]
    fn groups_are_members_of_one_object() {
        let finding: Finding = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!((finding.rule.id.as_str(), finding.rating.score, finding.span.count), ("r", 75, 2));
        assert_eq!(serde_json::to_string(&finding).unwrap(), WRITTEN);
    }

    #[test]
    fn rules_that_are_led_stand_beside_the_one_that_leads() {
        let with = WRITTEN.replace(
            r#""level":"high","#,
            r#""level":"high","also":[{"rule.id":"s","rule.title":"another","count":2}],"#,
        );
        let finding: Finding = serde_json::from_str(&with).unwrap();
        assert_eq!(finding.rules().collect::<Vec<_>>(), [("r", "a rule"), ("s", "another")]);
        assert_eq!(serde_json::to_string(&finding).unwrap(), with);
    }
}
