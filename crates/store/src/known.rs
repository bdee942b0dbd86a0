//! What the store knows before a commit's findings are joined: which part of a finding grows, the incidents that may be
//! meant, and what is muted.

use std::collections::BTreeMap;

use event::event_set::EventSet;
use event::{Evidence, Finding, FindingId, Incident, IncidentId, Timestamp};

use crate::join::keys;
use crate::memory::Memory;

/// Where a finding that was stored is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Incident(IncidentId),
    /// Hidden by the mute of this id.
    Mute(String),
    /// In no incident, and done with.
    Nowhere,
}

/// A finding that is in an incident, hidden, or done with. What the correlator keeps as one finding may be several here:
/// each is done with when its incident is over, and the next goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) home: Home,
    /// Its count when it was written last.
    pub(crate) events: u64,
    /// It is done with: what comes is counted by this finding.
    pub(crate) continued: Option<FindingId>,
}

/// A finding as it was written, as far as the next part has to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredPart {
    pub(crate) count: u64,
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) events: EventSet,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) parts: BTreeMap<FindingId, Part>,
    /// Incidents by key, open ones; and those of the parts.
    pub(crate) by_key: BTreeMap<String, Vec<IncidentId>>,
    pub(crate) incidents: BTreeMap<IncidentId, Incident>,
    pub(crate) memories: BTreeMap<IncidentId, Memory>,
    /// Mutes that hold, by rule and key.
    pub(crate) mutes: BTreeMap<(String, String), String>,
    /// Of parts that go on from others: the incident that one of those was in last.
    pub(crate) origins: BTreeMap<FindingId, IncidentId>,
    /// Findings that others go on from, or may.
    pub(crate) stored: BTreeMap<FindingId, StoredPart>,
}

/// Where the growth of a finding belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Parts that are done with, oldest first.
    pub(crate) chain: Vec<FindingId>,
    /// Their counts together.
    pub(crate) frozen: u64,
    /// The part that grows.
    pub(crate) at: FindingId,
    /// Why that part is done with as well, if it is.
    pub(crate) over: Option<String>,
}

impl Known {
    /// The mute that hides the finding: one for its rule and everything that ties it.
    pub(crate) fn mute_of(&self, finding: &Finding) -> Option<&String> {
        if self.mutes.is_empty() {
            return None;
        }
        let mute = |key: String| self.mutes.get(&(finding.rule_id.clone(), key));
        let mutes: Option<Vec<&String>> = keys(&finding.entities).into_iter().map(mute).collect();
        mutes?.first().copied()
    }

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

    /// Findings that have to be read before the commit's can be told apart from what was before.
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

    /// The incident of a finding, with how many events it counts there.
    pub(crate) fn link(&self, id: FindingId) -> Option<(IncidentId, u64)> {
        match self.parts.get(&id) {
            Some(Part { home: Home::Incident(incident), events, .. }) => Some((*incident, *events)),
            _ => None,
        }
    }
}
