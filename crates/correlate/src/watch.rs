//! What becomes of every event in one correlation, recorded on the way for people who ask why it did or did not fire.
//! Decides nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::group_view::GroupView;

/// What became of one event in the correlation that is watched.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedEvent {
    /// Line of the event in its source, from 1.
    pub line_no: u64,
    /// Title of the rule that it came from: one of those that are counted.
    pub rule: String,
    /// `None` where it lacks what the rule groups by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What is compared with the condition, with this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<f64>,
    /// Why it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// The condition held with this event.
    pub fires: bool,
}

/// A window that was judged at its end.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedWindow {
    /// It was what the rule asks for.
    pub held: bool,
    /// The window as it was.
    pub window: GroupView,
}

/// The nearest that a group came to the condition.
#[derive(Clone, Debug, Serialize)]
pub struct NearestGroup {
    /// The group, as people write it.
    pub group: String,
    /// Line of the event with which it came so near.
    pub line_no: u64,
    /// Line of the event at which it fired first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<u64>,
    /// The window as it was.
    pub window: GroupView,
}

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It belongs to no group, for this reason.
    Ungrouped(String),
    /// It came to a window, and was counted unless there is a reason why not.
    Counted { window: Box<GroupView>, left_out: Option<String>, fires: bool },
}

/// The correlation that is watched, and what was seen of it.
#[derive(Debug)]
pub(crate) struct Watch {
    index: usize,
    pub(crate) events: Vec<ExplainedEvent>,
    pub(crate) judged: Vec<JudgedWindow>,
    /// By group.
    pub(crate) nearest: BTreeMap<String, NearestGroup>,
}

impl Watch {
    /// Of the correlation with this index.
    pub(crate) fn new(index: usize) -> Self {
        Watch { index, events: Vec::new(), judged: Vec::new(), nearest: BTreeMap::new() }
    }

    /// Whether the correlation is the one that is watched.
    #[inline]
    pub(crate) fn is_of(&self, index: usize) -> bool {
        self.index == index
    }

    /// Notes what became of an event; `rule` is the title of the rule that it came from.
    pub(crate) fn event(&mut self, line_no: u64, rule: &str, outcome: Outcome) {
        let rule = rule.to_owned();
        let event = match outcome {
            Outcome::Ungrouped(reason) => {
                ExplainedEvent { line_no, rule, group: None, aggregate: None, left_out: Some(reason), fires: false }
            }
            Outcome::Counted { window, left_out, fires } => {
                let (group, aggregate) = (window.named(), window.aggregate.filter(|_| left_out.is_none()));
                if left_out.is_none() {
                    self.note_nearest(*window, line_no, fires);
                }
                ExplainedEvent { line_no, rule, group: Some(group), aggregate, left_out, fires }
            }
        };
        self.events.push(event);
    }

    fn note_nearest(&mut self, window: GroupView, line_no: u64, fires: bool) {
        let group = window.named();
        let fired_at = fires.then_some(line_no);
        match self.nearest.get_mut(&group) {
            None => drop(self.nearest.insert(group.clone(), NearestGroup { group, line_no, fired_at, window })),
            Some(known) => {
                known.fired_at = known.fired_at.or(fired_at);
                if window.rank() > known.window.rank() {
                    (known.window, known.line_no) = (window, line_no);
                }
            }
        }
    }

    /// Notes how a window was judged.
    pub(crate) fn judged(&mut self, judged: JudgedWindow) {
        self.judged.push(judged);
    }
}
