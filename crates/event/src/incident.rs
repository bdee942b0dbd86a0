//! An incident: findings that belong together, and how people work on them. Every change is an entry of its history;
//! nothing is overwritten without one.

mod workflow;

use serde::{Deserialize, Serialize};

use crate::block::{digest, hexadecimal_id};
use crate::finding::{Entities, FindingId};
use crate::severity::Severity;
use crate::time::Timestamp;
use crate::word::UnknownWord;

pub use workflow::{Illegal, IncidentChange, MUTE_US_MAX};

/// Identity of an incident, derived from the finding that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u128);
hexadecimal_id!(IncidentId);

impl IncidentId {
    /// `first`: the finding that opened it.
    pub fn derive(first: FindingId) -> Self {
        IncidentId(digest(&[b"incident", &first.0.to_be_bytes()]))
    }
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The word in JSON.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }
        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let known = $name::ALL.iter().copied().find(|known| known.name() == text);
                known.ok_or_else(|| UnknownWord::new(text, $name::ALL.iter().map(|known| known.name())))
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.name())
            }
        }
    };
}

/// The seven stages of the runbook's workflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A rule has found something.
    #[default]
    Detection,
    /// How bad it is, is being found out.
    Assessment,
    /// Those who must know are told.
    Communication,
    /// What happened is being found out.
    Investigation,
    /// It is being stopped.
    Mitigation,
    /// It is over; what it left is being repaired.
    Resolution,
    /// What is learned from it is written down.
    PostMortem,
}
words!(Stage {
    Detection = "detection",
    Assessment = "assessment",
    Communication = "communication",
    Investigation = "investigation",
    Mitigation = "mitigation",
    Resolution = "resolution",
    PostMortem = "post_mortem",
});

/// Where an incident stands; the numbers are OCSF `status_id` of an Incident Finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody works on it.
    New = 1,
    /// Somebody works on it.
    InProgress = 2,
    /// It waits for something.
    OnHold = 3,
    /// The attack is over.
    Resolved = 4,
    /// Nothing is left to do.
    Closed = 5,
}
words!(IncidentStatus {
    New = "new",
    InProgress = "in_progress",
    OnHold = "on_hold",
    Resolved = "resolved",
    Closed = "closed",
});

/// What it turned out to be; the numbers are OCSF `verdict_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No attack: the rule was wrong.
    FalsePositive = 1,
    /// An attack.
    TruePositive = 2,
    /// Not worth work.
    Disregard = 3,
    /// Perhaps an attack.
    Suspicious = 4,
    /// As the rule says, and harmless.
    Benign = 5,
    /// A test.
    Test = 6,
    /// Nobody can tell.
    InsufficientData = 7,
    /// No attack, but a weakness.
    SecurityRisk = 8,
    /// Others work on it.
    ManagedExternally = 9,
    /// Another incident is about the matter.
    Duplicate = 10,
}
words!(Verdict {
    FalsePositive = "false_positive",
    TruePositive = "true_positive",
    Disregard = "disregard",
    Suspicious = "suspicious",
    Benign = "benign",
    Test = "test",
    InsufficientData = "insufficient_data",
    SecurityRisk = "security_risk",
    ManagedExternally = "managed_externally",
    Duplicate = "duplicate",
});

/// The finding that an incident is called after: its gravest, by severity, then score; of equals the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TitledBy {
    /// The finding.
    pub finding: FindingId,
    /// Its severity.
    pub severity: Severity,
    /// Its score, 0-100.
    pub score: u8,
}

/// An incident as it is now; how it became so stands in its history. In JSON the groups are members of one object, in the order
/// in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Derived from the finding that opened it.
    pub id: IncidentId,
    /// Rule and entity of the finding that it is called after.
    pub title: String,
    /// The finding that it is called after; `None` in incidents of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub titled_by: Option<TitledBy>,
    /// The incident that this one goes on from: it was over when the attack went on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub continues: Option<IncidentId>,
    /// How grave it is.
    #[serde(flatten)]
    pub rating: IncidentRating,
    /// What people do about it.
    #[serde(flatten)]
    pub work: IncidentWork,
    /// What its findings amount to.
    #[serde(flatten)]
    pub scope: IncidentScope,
    /// When and how often it was written.
    #[serde(flatten)]
    pub record: IncidentRecord,
}

/// How grave an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRating {
    /// Severity in force.
    pub severity: Severity,
    /// The gravest of its findings: `severity` follows it down to graver ones, unless a person said otherwise since.
    pub found_severity: Severity,
    /// Highest score of its findings, 0-100.
    pub score: u8,
}

/// How people work on an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentWork {
    /// How far work on it is.
    pub stage: Stage,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assignee: Option<String>,
    /// What it turned out to be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Verdict>,
    /// What was learned from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub post_mortem: Option<String>,
}

/// What the findings of an incident amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentScope {
    /// Event time of the first event; `None` where no line named a time.
    pub first_seen: Option<Timestamp>,
    /// Event time of the last event.
    pub last_seen: Option<Timestamp>,
    /// Number of its findings.
    pub findings: u64,
    /// Events that its findings stand for, each once, however many findings count it.
    pub events: u64,
    /// There are too many events to know which of them several findings share.
    #[serde(default)]
    pub events_are_estimated: bool,
    /// Who was involved, over all findings.
    pub entities: Entities,
    /// ATT&CK techniques, over all findings.
    pub techniques: Vec<String>,
    /// Titles of the rules that found something, each once.
    pub rules: Vec<String>,
}

/// When an incident was written, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// When its first finding was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Changes with everything: what `ETag` says.
    pub version: u64,
    /// Changes with the findings only: what a summary is about.
    pub facts_version: u64,
    /// Entries in its history.
    pub entries: u64,
}

impl Incident {
    /// A new one, without any finding yet.
    pub fn opened(id: IncidentId, title: String, severity: Severity, now: Timestamp) -> Self {
        Incident {
            id,
            title,
            titled_by: None,
            continues: None,
            rating: IncidentRating { severity, found_severity: severity, score: 0 },
            work: IncidentWork {
                stage: Stage::Detection,
                status: IncidentStatus::New,
                assignee: None,
                verdict: None,
                post_mortem: None,
            },
            scope: IncidentScope::default(),
            record: IncidentRecord { created_at: now, updated_at: now, version: 0, facts_version: 0, entries: 0 },
        }
    }
}

/// Most titles of rules, and techniques, that an incident lists.
pub const INCIDENT_LIST_MAX: usize = 32;

/// A finding's place in an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The finding.
    pub finding: FindingId,
    /// Why it belongs there.
    pub reason: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it: a person, or `c0di3`.
    pub added_by: String,
    /// Events that the finding stands for.
    pub events: u64,
}

/// One change: who, when, what, from, to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// From 1, without gaps.
    pub number: u64,
    /// When it was changed.
    pub at: Timestamp,
    /// Who changed it: a person, or `c0di3`.
    pub actor: String,
    /// `opened`, `finding`, `title`, `severity`, `stage`, `status`, `assignee`, `verdict`, `post_mortem`, `comment`,
    /// `continues` (on another incident), `continued` (by another), `mute_until` or `mute_ended`.
    pub field: String,
    /// The value before; `None` where there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The value since; `None` where it was taken away.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
}

impl Incident {
    /// Whether it is neither resolved nor closed.
    pub fn is_open(&self) -> bool {
        !matches!(self.work.status, IncidentStatus::Resolved | IncidentStatus::Closed)
    }

    /// Records a change of one field.
    pub fn note(
        &mut self,
        at: Timestamp,
        actor: &str,
        field: &str,
        from: Option<String>,
        to: Option<String>,
    ) -> HistoryEntry {
        self.record.entries += 1;
        HistoryEntry { number: self.record.entries, at, actor: actor.to_owned(), field: field.to_owned(), from, to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As incidents have been stored since the first version: one object, in this order.
    const WRITTEN: &str = r#"{"id":"00000000000000000000000000000001","title":"a rule: source.ip 192.0.2.1","titled_by":{"finding":"00000000000000000000000000000003","severity":"P1","score":75},"continues":"00000000000000000000000000000002","severity":"P1","found_severity":"P2","score":75,"stage":"investigation","status":"in_progress","assignee":"ann","verdict":"true_positive","post_mortem":"text","first_seen":"1970-01-01T00:00:01Z","last_seen":null,"findings":1,"events":2,"events_are_estimated":false,"entities":{"source.ip":["192.0.2.1"]},"techniques":["T1110"],"rules":["a rule"],"created_at":"1970-01-01T00:00:02Z","updated_at":"1970-01-01T00:00:03Z","version":4,"facts_version":5,"entries":6}"#;

    #[test]
    fn groups_are_members_of_one_object() {
        let incident: Incident = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!((incident.rating.score, incident.work.stage), (75, Stage::Investigation));
        assert_eq!((incident.scope.events, incident.record.entries), (2, 6));
        assert_eq!(serde_json::to_string(&incident).unwrap(), WRITTEN);
        // What older versions did not write.
        let older = [
            r#""titled_by":{"finding":"00000000000000000000000000000003","severity":"P1","score":75},"#,
            r#""events_are_estimated":false,"#,
        ];
        let old = older.iter().fold(WRITTEN.to_owned(), |text, part| text.replace(part, ""));
        let read: Incident = serde_json::from_str(&old).unwrap();
        assert_eq!(read, Incident { titled_by: None, ..incident });
    }
}
