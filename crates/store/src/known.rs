//! What is read from the store before a commit's findings are joined: their parts, the incidents that they may belong
//! to, and the mutes that may hide them. No I/O; `join_rows` fills it.

use std::collections::BTreeMap;

use event::event_set::EventSet;
use event::{AlsoFired, Evidence, Finding, FindingId, Incident, IncidentId, Timestamp};

use crate::entity_keys::keys;
use crate::memory::Memory;

/// What a stored finding belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// This incident counts it.
    Incident(IncidentId),
    /// Hidden by the mute of this id.
    Mute(String),
    /// In no incident and not hidden: a part that is over.
    Nowhere,
}

/// A stored finding that is in an incident, hidden, or over. One finding of the correlator may be a chain of these:
/// each is over when its incident is closed, and the next one counts the events that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) home: Home,
    /// How many events it counted when it was last written.
    pub(crate) events: u64,
    /// It is over, and this finding continues it.
    pub(crate) continued: Option<FindingId>,
}

/// What the next part has to know of a finding that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredPart {
    pub(crate) count: u64,
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) events: EventSet,
    pub(crate) also: Vec<AlsoFired>,
}

/// Everything that joining looks up.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Parts by their finding's id.
    pub(crate) parts: BTreeMap<FindingId, Part>,
    /// Open incidents by key.
    pub(crate) by_key: BTreeMap<String, Vec<IncidentId>>,
    /// Those incidents, and the incidents of the parts.
    pub(crate) incidents: BTreeMap<IncidentId, Incident>,
    /// What is remembered of them; absent where an earlier version opened them.
    pub(crate) memories: BTreeMap<IncidentId, Memory>,
    /// Ids of mutes in force, by rule id and key.
    pub(crate) mutes: BTreeMap<(String, String), String>,
    /// Of parts that continue others: the last incident that one of those was in.
    pub(crate) continued_from: BTreeMap<FindingId, IncidentId>,
    /// Findings that others continue, or will.
    pub(crate) stored: BTreeMap<FindingId, StoredPart>,
}

/// Which part of a finding counts its new events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Parts that are over, oldest first.
    pub(crate) chain: Vec<FindingId>,
    /// How many events those count together.
    pub(crate) frozen: u64,
    /// The part that counts the new events.
    pub(crate) at: FindingId,
    /// Why that part is over too, as it enters the id of the next one; `None` where it is not.
    pub(crate) over: Option<String>,
}

impl Known {
    /// Id of a mute that hides the finding. It is hidden where each of its keys is muted for its rule.
    pub(crate) fn mute_of(&self, finding: &Finding) -> Option<&String> {
        if self.mutes.is_empty() {
            return None;
        }
        let mute = |key: String| self.mutes.get(&(finding.rule.id.clone(), key));
        let mutes: Option<Vec<&String>> = keys(&finding.entities).into_iter().map(mute).collect();
        mutes?.first().copied()
    }

    /// Follows the finding's parts to the one that counts its new events.
    pub(crate) fn trace(&self, finding: &Finding) -> Trace {
        let mut trace = Trace { chain: Vec::new(), frozen: 0, at: finding.id, over: None };
        while let Some(Part { events, continued: Some(next), .. }) = self.parts.get(&trace.at) {
            trace.frozen += events;
            trace.chain.push(trace.at);
            trace.at = *next;
        }
        let is_muted = self.mute_of(finding).is_some();
        trace.over = match self.parts.get(&trace.at).map(|part| &part.home) {
            Some(Home::Incident(id)) => {
                let is_over = self.incidents.get(id).is_some_and(|incident| !incident.is_open());
                (is_over || is_muted).then(|| id.to_string())
            }
            Some(Home::Mute(mute)) => (!is_muted).then(|| format!("end of {mute}")),
            Some(Home::Nowhere) => None,
            None => (is_muted && self.stored.contains_key(&trace.at)).then(|| "muted".to_owned()),
        };
        trace
    }

    /// Ids of findings that have to be read before the commit's findings can be divided into parts.
    pub(crate) fn wanted(&self, findings: &[Finding]) -> Vec<FindingId> {
        let mut wanted = Vec::new();
        for finding in findings {
            let trace = self.trace(finding);
            let muted_anew = !self.parts.contains_key(&trace.at) && self.mute_of(finding).is_some();
            if !trace.chain.is_empty() || trace.over.is_some() || muted_anew {
                wanted.extend(trace.chain);
                wanted.push(trace.at);
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// The incident of a finding, and how many events it counts there; `None` where it is in none.
    pub(crate) fn link(&self, id: FindingId) -> Option<(IncidentId, u64)> {
        match self.parts.get(&id) {
            Some(Part { home: Home::Incident(incident), events, .. }) => Some((*incident, *events)),
            _ => None,
        }
    }
}
