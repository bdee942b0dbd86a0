//! An incident: findings that belong together, and how people work on them. Every change is an entry of its history;
//! nothing is overwritten without one.

use serde::{Deserialize, Serialize};

use crate::block::{digest, hexadecimal_id};
use crate::finding::{Entities, FindingId};
use crate::severity::Severity;
use crate::time::Timestamp;
use crate::word::UnknownWord;

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

/// As it is now; how it became so stands in its history.
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
    /// Severity in force.
    pub severity: Severity,
    /// The gravest of its findings: `severity` follows it down to graver ones, unless a person said otherwise since.
    pub found_severity: Severity,
    /// Highest score of its findings, 0-100.
    pub score: u8,
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
            severity,
            found_severity: severity,
            score: 0,
            stage: Stage::Detection,
            status: IncidentStatus::New,
            assignee: None,
            verdict: None,
            post_mortem: None,
            first_seen: None,
            last_seen: None,
            findings: 0,
            events: 0,
            events_are_estimated: false,
            entities: Entities::default(),
            techniques: Vec::new(),
            rules: Vec::new(),
            created_at: now,
            updated_at: now,
            version: 0,
            facts_version: 0,
            entries: 0,
        }
    }
}

/// Longest that a verdict of false positive may mute, in microseconds.
pub const MUTE_US_MAX: i64 = 90 * 86_400_000_000;
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

/// What a person wants changed. Absent parts stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentChange {
    /// The stage from now on.
    pub stage: Option<Stage>,
    /// The status from now on; most follow the stage.
    pub status: Option<IncidentStatus>,
    /// `Some(None)` takes the assignee away.
    pub assignee: Option<Option<String>>,
    /// The verdict from now on.
    pub verdict: Option<Verdict>,
    /// The severity from now on.
    pub severity: Option<Severity>,
    /// The text from now on.
    pub post_mortem: Option<String>,
    /// A comment for the history.
    pub comment: Option<String>,
    /// With a verdict of false positive: what its rules find about whom it is about is hidden until then.
    pub mute_until: Option<Timestamp>,
}

/// A change that the workflow does not allow: the field and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// Name of the field in JSON.
    pub field: &'static str,
    /// Why it is refused, for the person who asked.
    pub reason: String,
}

impl Incident {
    /// Whether it is neither resolved nor closed.
    pub fn is_open(&self) -> bool {
        !matches!(self.status, IncidentStatus::Resolved | IncidentStatus::Closed)
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
        self.entries += 1;
        HistoryEntry { number: self.entries, at, actor: actor.to_owned(), field: field.to_owned(), from, to }
    }

    /// Applies all of the change or nothing of it; the history entries it makes.
    pub fn apply(
        &mut self,
        change: &IncidentChange,
        actor: &str,
        now: Timestamp,
    ) -> Result<Vec<HistoryEntry>, Vec<Illegal>> {
        let mut next = self.clone();
        let mut entries = Vec::new();
        let text = |value: &str| Some(value.to_owned());
        if let Some(verdict) = change.verdict.filter(|verdict| self.verdict != Some(*verdict)) {
            next.verdict = Some(verdict);
            entries.push(next.note(
                now,
                actor,
                "verdict",
                self.verdict.map(|old| old.to_string()),
                text(verdict.name()),
            ));
        }
        if let Some(words) = change.post_mortem.as_ref().filter(|words| self.post_mortem.as_ref() != Some(words)) {
            next.post_mortem = Some(words.clone());
            entries.push(next.note(now, actor, "post_mortem", self.post_mortem.clone(), Some(words.clone())));
        }
        if let Some(assignee) = change.assignee.as_ref().filter(|assignee| self.assignee != **assignee) {
            next.assignee.clone_from(assignee);
            entries.push(next.note(now, actor, "assignee", self.assignee.clone(), assignee.clone()));
        }
        if let Some(severity) = change.severity.filter(|severity| self.severity != *severity) {
            next.severity = severity;
            entries.push(next.note(now, actor, "severity", text(self.severity.name()), text(severity.name())));
        }
        let mut illegal = Vec::new();
        if let Some(until) = change.mute_until {
            illegal.extend(next.check_mute(until, now));
            entries.push(next.note(now, actor, "mute_until", None, Some(until.to_string())));
        }
        if let Some(stage) = change.stage.filter(|stage| self.stage != *stage) {
            illegal.extend(next.check_stage(stage));
            next.stage = stage;
            next.status = status_of(stage);
            entries.push(next.note(now, actor, "stage", text(self.stage.name()), text(stage.name())));
        }
        let before = next.status;
        if let Some(status) = change.status.filter(|status| before != *status) {
            illegal.extend(next.check_status(status));
            next.status = status;
        }
        if next.status != self.status {
            entries.push(next.note(now, actor, "status", text(self.status.name()), text(next.status.name())));
        }
        if let Some(comment) = &change.comment {
            entries.push(next.note(now, actor, "comment", None, Some(comment.clone())));
        }
        if !illegal.is_empty() {
            return Err(illegal);
        }
        if !entries.is_empty() {
            next.version += 1;
            next.updated_at = now;
            *self = next;
        }
        Ok(entries)
    }

    /// One stage onwards or any stage back. P2 and P3 may leave communication out.
    fn check_stage(&self, to: Stage) -> Option<Illegal> {
        let illegal = |reason: String| Some(Illegal { field: "stage", reason });
        let (from, minor) = (self.stage, matches!(self.severity, Severity::P2 | Severity::P3));
        let skips_communication = minor && from == Stage::Assessment && to == Stage::Investigation;
        if to as u8 > from as u8 + 1 && !skips_communication {
            let next = Stage::ALL[from as usize + 1];
            return illegal(format!("from {from} the next stage is {next}; going back to any earlier one is allowed"));
        }
        if to == Stage::Resolution && self.verdict.is_none() {
            return illegal("resolution needs a verdict: set `verdict` before or with it".to_owned());
        }
        None
    }

    fn check_mute(&self, until: Timestamp, now: Timestamp) -> Option<Illegal> {
        let illegal = |reason: &str| Some(Illegal { field: "mute_until", reason: reason.to_owned() });
        if self.verdict != Some(Verdict::FalsePositive) {
            return illegal("only a verdict of false_positive mutes: set `verdict` before or with it");
        }
        if until <= now {
            return illegal("the end of a mute must lie in the future");
        }
        if until > now.saturating_add_us(MUTE_US_MAX) {
            return illegal("a mute ends within 90 days: renew it then if it still holds");
        }
        None
    }

    fn check_status(&self, to: IncidentStatus) -> Option<Illegal> {
        let illegal = |reason: String| Some(Illegal { field: "status", reason });
        match to {
            IncidentStatus::OnHold if matches!(self.stage, Stage::Resolution | Stage::PostMortem) => {
                illegal(format!("an incident in {} cannot be put on hold", self.stage))
            }
            IncidentStatus::OnHold => None,
            IncidentStatus::InProgress if self.status == IncidentStatus::OnHold && self.stage != Stage::Detection => {
                None
            }
            IncidentStatus::Closed if self.stage != Stage::PostMortem => {
                illegal(format!("an incident is closed from stage post_mortem; it is in {}", self.stage))
            }
            IncidentStatus::Closed => {
                let major = matches!(self.severity, Severity::P0 | Severity::P1);
                let missing = self.post_mortem.as_ref().is_none_or(|words| words.trim().is_empty());
                if major && missing {
                    return illegal(format!("a {} incident needs `post_mortem` text to be closed", self.severity));
                }
                None
            }
            _ => illegal(format!(
                "status follows the stage ({}): change `stage`; only on_hold, in_progress and closed are set by hand",
                self.stage
            )),
        }
    }
}

/// The status that goes with a stage.
fn status_of(stage: Stage) -> IncidentStatus {
    match stage {
        Stage::Detection => IncidentStatus::New,
        Stage::Resolution | Stage::PostMortem => IncidentStatus::Resolved,
        _ => IncidentStatus::InProgress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(severity: Severity) -> Incident {
        Incident {
            findings: 1,
            version: 1,
            facts_version: 1,
            ..Incident::opened(IncidentId(1), "t".into(), severity, Timestamp(0))
        }
    }

    fn stage(to: Stage) -> IncidentChange {
        IncidentChange { stage: Some(to), ..IncidentChange::default() }
    }

    fn status(to: IncidentStatus) -> IncidentChange {
        IncidentChange { status: Some(to), ..IncidentChange::default() }
    }

    #[test]
    fn the_workflow_is_walked_in_order_and_every_step_is_recorded() {
        let mut one = incident(Severity::P1);
        for to in [Stage::Assessment, Stage::Communication, Stage::Investigation, Stage::Mitigation] {
            let entries = one.apply(&stage(to), "ann", Timestamp(5)).unwrap();
            assert_eq!((entries[0].field.as_str(), entries[0].to.as_deref()), ("stage", Some(to.name())));
        }
        let refused = one.apply(&stage(Stage::Resolution), "ann", Timestamp(6)).unwrap_err();
        assert!(refused[0].reason.contains("needs a verdict"));
        let resolve = IncidentChange { verdict: Some(Verdict::TruePositive), ..stage(Stage::Resolution) };
        one.apply(&resolve, "ann", Timestamp(6)).unwrap();
        assert_eq!(one.status, IncidentStatus::Resolved);
        one.apply(&stage(Stage::PostMortem), "ann", Timestamp(7)).unwrap();
        assert!(
            one.apply(&status(IncidentStatus::Closed), "ann", Timestamp(8)).unwrap_err()[0]
                .reason
                .contains("post_mortem")
        );
        let close = IncidentChange { post_mortem: Some("what happened".into()), ..status(IncidentStatus::Closed) };
        one.apply(&close, "ann", Timestamp(8)).unwrap();
        assert_eq!((one.status, one.is_open()), (IncidentStatus::Closed, false));
        let back = one.apply(&stage(Stage::Investigation), "bob", Timestamp(9)).unwrap();
        assert_eq!(back.last().unwrap().to.as_deref(), Some("in_progress"));
    }

    #[test]
    fn illegal_steps_change_nothing_and_say_what_is_allowed() {
        let mut one = incident(Severity::P1);
        let before = one.clone();
        let jump = IncidentChange { assignee: Some(Some("ann".into())), ..stage(Stage::Mitigation) };
        let refused = one.apply(&jump, "ann", Timestamp(1)).unwrap_err();
        assert!(refused[0].reason.contains("the next stage is assessment"), "{refused:?}");
        assert_eq!(one, before);
        assert!(one.apply(&status(IncidentStatus::Resolved), "ann", Timestamp(1)).is_err());
        assert!(one.apply(&status(IncidentStatus::Closed), "ann", Timestamp(1)).is_err());
        one.apply(&stage(Stage::Assessment), "ann", Timestamp(1)).unwrap();
        assert!(one.apply(&stage(Stage::Investigation), "ann", Timestamp(1)).is_err());
        one.severity = Severity::P3;
        assert!(one.apply(&stage(Stage::Investigation), "ann", Timestamp(1)).is_ok());
    }

    #[test]
    fn holding_comments_and_no_change_at_all() {
        let mut one = incident(Severity::P2);
        one.apply(&stage(Stage::Assessment), "ann", Timestamp(1)).unwrap();
        one.apply(&status(IncidentStatus::OnHold), "ann", Timestamp(2)).unwrap();
        one.apply(&status(IncidentStatus::InProgress), "ann", Timestamp(3)).unwrap();
        let version = one.version;
        assert_eq!(one.apply(&IncidentChange::default(), "ann", Timestamp(4)).unwrap(), []);
        assert_eq!(one.version, version);
        let comment = IncidentChange { comment: Some("seen before".into()), ..IncidentChange::default() };
        let entries = one.apply(&comment, "ann", Timestamp(5)).unwrap();
        assert_eq!((entries[0].number, entries[0].to.as_deref()), (one.entries, Some("seen before")));
    }
}
