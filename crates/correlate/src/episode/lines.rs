//! The lines that an open finding keeps as evidence. They are shared with the windows that count the events, and become
//! evidence where the finding is told or saved. Knows no rule.

use std::collections::VecDeque;
use std::sync::Arc;

use event::{EventId, EventRef, Evidence};
use serde::{Deserialize, Serialize};

/// First and last events that a finding keeps as proof: as many of each.
pub(crate) const EVIDENCE_EACH: usize = 5;

/// An event that proves a finding.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Evidence", into = "Evidence")]
enum Proof {
    /// As it came.
    Event(Arc<EventRef>),
    /// As it was saved.
    Saved(Box<Evidence>),
}

impl Proof {
    fn event_id(&self) -> EventId {
        match self {
            Proof::Event(event) => event.id,
            Proof::Saved(evidence) => evidence.event_id,
        }
    }

    fn original(&self) -> &str {
        match self {
            Proof::Event(event) => event.original(),
            Proof::Saved(evidence) => &evidence.original,
        }
    }

    fn evidence(&self) -> Evidence {
        match self {
            Proof::Event(event) => Evidence {
                event_id: event.id,
                source: event.source.name.clone(),
                line_no: event.line_no,
                offset: event.offset,
                time: event.time,
                original: event.original().to_owned(),
            },
            Proof::Saved(evidence) => Evidence::clone(evidence),
        }
    }
}

impl From<Evidence> for Proof {
    fn from(evidence: Evidence) -> Self {
        Proof::Saved(Box::new(evidence))
    }
}

impl From<Proof> for Evidence {
    fn from(proof: Proof) -> Self {
        proof.evidence()
    }
}

/// The lines that an episode keeps: its first and its last, and the first since it was last reported.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptEvidence {
    head: Vec<Proof>,
    tail: VecDeque<Proof>,
    /// First events since it was last reported, as far as neither head nor tail has them.
    #[serde(skip)]
    fresh: Vec<Proof>,
    /// Number of lines that came since it was last reported.
    #[serde(skip)]
    came: usize,
}

impl KeptEvidence {
    /// It has been reported: what comes now is fresh.
    pub(crate) fn begin_fresh(&mut self) {
        self.fresh = Vec::new();
        self.came = 0;
    }

    /// Keeps the line of an event.
    pub(crate) fn add(&mut self, event: &Arc<EventRef>) {
        self.came += 1;
        if self.head.len() < EVIDENCE_EACH {
            self.head.push(Proof::Event(Arc::clone(event)));
            return;
        }
        if self.tail.len() == EVIDENCE_EACH {
            let gone = self.tail.pop_front();
            if self.came > EVIDENCE_EACH && self.fresh.len() < EVIDENCE_EACH {
                self.fresh.extend(gone);
            }
        }
        self.tail.push_back(Proof::Event(Arc::clone(event)));
    }

    /// Lets the lines of these events go.
    pub(crate) fn remove(&mut self, gone: &[(EventId, u64)]) {
        let is_gone = |proof: &Proof| gone.iter().any(|(id, _)| *id == proof.event_id());
        self.head.retain(|proof| !is_gone(proof));
        self.tail.retain(|proof| !is_gone(proof));
    }

    /// First and last lines, oldest first.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Evidence> {
        self.head.iter().chain(&self.tail).map(Proof::evidence)
    }

    /// First lines since it was last reported, as far as they are not shown.
    pub(crate) fn fresh(&self) -> Vec<Evidence> {
        self.fresh.iter().map(Proof::evidence).collect()
    }

    /// Whether it keeps none.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Bytes of the lines.
    pub(crate) fn bytes(&self) -> usize {
        self.head.iter().chain(&self.tail).chain(&self.fresh).map(|proof| proof.original().len()).sum()
    }
}
