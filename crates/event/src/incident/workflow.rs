//! What people may change of an incident, and in which order: one stage onwards or any back, a verdict before the resolution.
//! Writes nothing: a change gives the entries of its history.

use super::{HistoryEntry, Incident, IncidentStatus, Stage, Verdict};
use crate::severity::Severity;
use crate::time::Timestamp;

/// Longest that a verdict of false positive may mute, in microseconds.
pub const MUTE_US_MAX: i64 = 90 * 86_400_000_000;
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
        if let Some(verdict) = change.verdict.filter(|verdict| self.work.verdict != Some(*verdict)) {
            next.work.verdict = Some(verdict);
            entries.push(next.note(
                now,
                actor,
                "verdict",
                self.work.verdict.map(|old| old.to_string()),
                text(verdict.name()),
            ));
        }
        if let Some(words) = change.post_mortem.as_ref().filter(|words| self.work.post_mortem.as_ref() != Some(words)) {
            next.work.post_mortem = Some(words.clone());
            entries.push(next.note(now, actor, "post_mortem", self.work.post_mortem.clone(), Some(words.clone())));
        }
        if let Some(assignee) = change.assignee.as_ref().filter(|assignee| self.work.assignee != **assignee) {
            next.work.assignee.clone_from(assignee);
            entries.push(next.note(now, actor, "assignee", self.work.assignee.clone(), assignee.clone()));
        }
        if let Some(severity) = change.severity.filter(|severity| self.rating.severity != *severity) {
            next.rating.severity = severity;
            entries.push(next.note(now, actor, "severity", text(self.rating.severity.name()), text(severity.name())));
        }
        let mut illegal = Vec::new();
        if let Some(until) = change.mute_until {
            illegal.extend(next.check_mute(until, now));
            entries.push(next.note(now, actor, "mute_until", None, Some(until.to_string())));
        }
        if let Some(stage) = change.stage.filter(|stage| self.work.stage != *stage) {
            illegal.extend(next.check_stage(stage));
            next.work.stage = stage;
            next.work.status = status_of(stage);
            entries.push(next.note(now, actor, "stage", text(self.work.stage.name()), text(stage.name())));
        }
        let before = next.work.status;
        if let Some(status) = change.status.filter(|status| before != *status) {
            illegal.extend(next.check_status(status));
            next.work.status = status;
        }
        if next.work.status != self.work.status {
            entries.push(next.note(now, actor, "status", text(self.work.status.name()), text(next.work.status.name())));
        }
        if let Some(comment) = &change.comment {
            entries.push(next.note(now, actor, "comment", None, Some(comment.clone())));
        }
        if !illegal.is_empty() {
            return Err(illegal);
        }
        if !entries.is_empty() {
            next.record.version += 1;
            next.record.updated_at = now;
            *self = next;
        }
        Ok(entries)
    }

    /// One stage onwards or any stage back. P2 and P3 may leave communication out.
    fn check_stage(&self, to: Stage) -> Option<Illegal> {
        let illegal = |reason: String| Some(Illegal { field: "stage", reason });
        let (from, minor) = (self.work.stage, matches!(self.rating.severity, Severity::P2 | Severity::P3));
        let skips_communication = minor && from == Stage::Assessment && to == Stage::Investigation;
        if to as u8 > from as u8 + 1 && !skips_communication {
            let next = Stage::ALL[from as usize + 1];
            return illegal(format!("from {from} the next stage is {next}; going back to any earlier one is allowed"));
        }
        if to == Stage::Resolution && self.work.verdict.is_none() {
            return illegal("resolution needs a verdict: set `verdict` before or with it".to_owned());
        }
        None
    }

    fn check_mute(&self, until: Timestamp, now: Timestamp) -> Option<Illegal> {
        let illegal = |reason: &str| Some(Illegal { field: "mute_until", reason: reason.to_owned() });
        if self.work.verdict != Some(Verdict::FalsePositive) {
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
            IncidentStatus::OnHold if matches!(self.work.stage, Stage::Resolution | Stage::PostMortem) => {
                illegal(format!("an incident in {} cannot be put on hold", self.work.stage))
            }
            IncidentStatus::OnHold => None,
            IncidentStatus::InProgress
                if self.work.status == IncidentStatus::OnHold && self.work.stage != Stage::Detection =>
            {
                None
            }
            IncidentStatus::Closed if self.work.stage != Stage::PostMortem => {
                illegal(format!("an incident is closed from stage post_mortem; it is in {}", self.work.stage))
            }
            IncidentStatus::Closed => {
                let major = matches!(self.rating.severity, Severity::P0 | Severity::P1);
                let missing = self.work.post_mortem.as_ref().is_none_or(|words| words.trim().is_empty());
                if major && missing {
                    return illegal(format!(
                        "a {} incident needs `post_mortem` text to be closed",
                        self.rating.severity
                    ));
                }
                None
            }
            _ => illegal(format!(
                "status follows the stage ({}): change `stage`; only on_hold, in_progress and closed are set by hand",
                self.work.stage
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
    use crate::incident::{IncidentId, IncidentRecord, IncidentScope};

    fn incident(severity: Severity) -> Incident {
        let base = Incident::opened(IncidentId(1), "t".into(), severity, Timestamp(0));
        Incident {
            scope: IncidentScope { findings: 1, ..base.scope },
            record: IncidentRecord { version: 1, facts_version: 1, ..base.record },
            ..base
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
        assert_eq!(one.work.status, IncidentStatus::Resolved);
        one.apply(&stage(Stage::PostMortem), "ann", Timestamp(7)).unwrap();
        assert!(
            one.apply(&status(IncidentStatus::Closed), "ann", Timestamp(8)).unwrap_err()[0]
                .reason
                .contains("post_mortem")
        );
        let close = IncidentChange { post_mortem: Some("what happened".into()), ..status(IncidentStatus::Closed) };
        one.apply(&close, "ann", Timestamp(8)).unwrap();
        assert_eq!((one.work.status, one.is_open()), (IncidentStatus::Closed, false));
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
        one.rating.severity = Severity::P3;
        assert!(one.apply(&stage(Stage::Investigation), "ann", Timestamp(1)).is_ok());
    }

    #[test]
    fn holding_comments_and_no_change_at_all() {
        let mut one = incident(Severity::P2);
        one.apply(&stage(Stage::Assessment), "ann", Timestamp(1)).unwrap();
        one.apply(&status(IncidentStatus::OnHold), "ann", Timestamp(2)).unwrap();
        one.apply(&status(IncidentStatus::InProgress), "ann", Timestamp(3)).unwrap();
        let version = one.record.version;
        assert_eq!(one.apply(&IncidentChange::default(), "ann", Timestamp(4)).unwrap(), []);
        assert_eq!(one.record.version, version);
        let comment = IncidentChange { comment: Some("seen before".into()), ..IncidentChange::default() };
        let entries = one.apply(&comment, "ann", Timestamp(5)).unwrap();
        assert_eq!((entries[0].number, entries[0].to.as_deref()), (one.record.entries, Some("seen before")));
    }
}
