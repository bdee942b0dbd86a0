//! Divides a finding of the correlator into parts where its incident was closed, or a mute began or ended: the old part
//! is frozen, and later events count in a new finding. Its id is derived from the old part's, so that events read again
//! after a crash arrive at the same parts and counts. No I/O.
//!
//! Words: a part is *over* when it takes no more events; the part that *continues* it takes them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use event::{AlsoFired, EventId, Evidence, Finding, FindingId, FindingSpan};

use crate::join::join;
use crate::known::{Home, Known, Part, StoredPart, Trace};
use crate::ledger::Commit;
use crate::rows::JoinedRows;

/// A part keeps its first and its last events as evidence: this many of each.
const PROOF_EACH: usize = 5;

/// The findings as they are to be written.
#[derive(Debug, Default)]
pub(crate) struct Prepared<'a> {
    pub(crate) findings: Vec<Cow<'a, Finding>>,
    /// Findings that a mute hides, with the mute's id: they join no incident.
    pub(crate) muted: BTreeMap<FindingId, String>,
    /// Parts in incidents that are over from this commit on, each with the part that continues it.
    pub(crate) done_with: Vec<(FindingId, FindingId)>,
    /// Parts outside incidents that are new or have changed: rows of `held_findings`.
    pub(crate) held: BTreeMap<FindingId, Part>,
    /// How many new parts continue others.
    pub(crate) continued: u64,
    /// How many new parts a mute hides.
    pub(crate) newly_muted: u64,
}

impl<'a> Prepared<'a> {
    /// The commit's findings, divided by what is known; unchanged where nothing is joined.
    pub(crate) fn of(known: Option<&mut Known>, commit: &'a Commit) -> Self {
        match known {
            Some(known) => prepare(known, &commit.findings),
            None => Prepared { findings: commit.findings.iter().map(Cow::Borrowed).collect(), ..Prepared::default() },
        }
    }

    /// Whether the findings are those of the commit, unchanged.
    pub(crate) fn is_whole(&self) -> bool {
        self.muted.is_empty() && self.held.is_empty() && self.findings.iter().all(|one| matches!(one, Cow::Borrowed(_)))
    }

    /// Joins the findings that no mute hides to incidents, and gives the rows that this writes.
    pub(crate) fn join(&self, known: Option<Known>, commit: &Commit) -> JoinedRows {
        let Some((known, policy)) = known.zip(commit.join.as_ref()) else { return JoinedRows::default() };
        let open = self.findings.iter().filter(|finding| !self.muted.contains_key(&finding.id));
        let mut joined = join(known, open.map(AsRef::as_ref), policy, commit.now);
        joined.notices.iter_mut().for_each(|notice| notice.body.trace.clone_from(&commit.trace));
        JoinedRows::of(&joined, commit.now)
    }
}

/// Divides the commit's findings into parts, and brings `known` up to date with them.
pub(crate) fn prepare<'a>(known: &mut Known, findings: &'a [Finding]) -> Prepared<'a> {
    let mut prepared = Prepared::default();
    for finding in findings {
        let mute = known.mute_of(finding).cloned();
        let trace = known.trace(finding);
        let whole = trace.chain.is_empty() && trace.over.is_none();
        if whole && mute.is_none() {
            prepared.findings.push(Cow::Borrowed(finding));
            continue;
        }
        let Some(part) = part(known, &mut prepared, finding, trace) else { continue };
        match mute {
            Some(mute) => prepared.hide(known, &part, mute),
            None if known.link(part.id).is_none() && !known.stored.contains_key(&part.id) => prepared.continued += 1,
            None => {}
        }
        prepared.findings.push(part);
    }
    prepared
}

impl Prepared<'_> {
    fn hide(&mut self, known: &mut Known, finding: &Finding, mute: String) {
        let before = known.parts.get(&finding.id).map(|part| part.home.clone());
        let mute = match before {
            Some(Home::Mute(mute)) => mute,
            _ => {
                self.newly_muted += 1;
                mute
            }
        };
        let part = Part { home: Home::Mute(mute.clone()), events: finding.span.count, continued: None };
        self.held.insert(finding.id, part.clone());
        known.parts.insert(finding.id, part);
        self.muted.insert(finding.id, mute);
    }
}

/// The part of the finding that its frozen parts do not count: the whole finding where it has none. `None` where they
/// count all of it.
fn part<'a>(
    known: &mut Known,
    prepared: &mut Prepared<'_>,
    finding: &'a Finding,
    trace: Trace,
) -> Option<Cow<'a, Finding>> {
    let Trace { mut chain, mut frozen, mut at, over } = trace;
    if let Some(because) = over {
        let stored = known.stored.get(&at).map_or(0, |stored| stored.count);
        let events = known.parts.get(&at).map_or(stored, |part| part.events);
        // Nothing new: the events were read again after a crash, or the finding was committed again unchanged.
        if finding.span.count <= frozen + events {
            return None;
        }
        let next = FindingId::continued(at, &because);
        finish(known, prepared, at, events, next);
        frozen += events;
        chain.push(at);
        at = next;
    }
    if chain.is_empty() {
        return Some(Cow::Borrowed(finding));
    }
    let homes = chain.iter().rev().filter_map(|part| known.link(*part));
    if let Some((incident, _)) = homes.into_iter().next() {
        known.continued_from.insert(at, incident);
    }
    let grown = finding.span.count.saturating_sub(frozen);
    let before = known.parts.get(&at).map_or(0, |part| part.events);
    (grown > 0 && grown >= before).then(|| Cow::Owned(rest(known, finding, &chain, at, grown)))
}

/// Marks the part `at` as over; `next` continues it.
fn finish(known: &mut Known, prepared: &mut Prepared<'_>, at: FindingId, events: u64, next: FindingId) {
    let part = known.parts.entry(at).or_insert(Part { home: Home::Nowhere, events, continued: None });
    part.continued = Some(next);
    match part.home {
        Home::Incident(_) => prepared.done_with.push((at, next)),
        Home::Mute(_) | Home::Nowhere => {
            prepared.held.insert(at, part.clone());
        }
    }
}

/// The events after the parts of the chain, as a finding of its own.
fn rest(known: &Known, finding: &Finding, chain: &[FindingId], id: FindingId, count: u64) -> Finding {
    let done: Vec<&StoredPart> = chain.iter().filter_map(|part| known.stored.get(part)).collect();
    let own = known.stored.get(&id);
    let new = new_evidence(finding, &done);
    let old = done.iter().filter_map(|part| part.last_seen).max();
    let times = || new.iter().filter_map(|evidence| evidence.time);
    let first_seen = own.and_then(|own| own.first_seen).into_iter().chain(times()).min();
    let last_seen = match finding.span.last_seen {
        Some(last) if old.is_none_or(|old| last > old) => Some(last),
        last => own.and_then(|own| own.last_seen).into_iter().chain(times()).max().or(last),
    };
    let events = done.iter().fold(finding.counted.events.clone(), |events, part| events.without(&part.events));
    let before = chain.last().copied();
    let after = before.and_then(|part| known.parts.get(&part)).map_or_else(String::new, |part| match &part.home {
        Home::Incident(incident) => format!(" since incident {incident} was done with"),
        Home::Mute(mute) => format!(" since mute {mute} ended"),
        Home::Nowhere => " since it is muted".to_owned(),
    });
    let more = if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
    Finding {
        id,
        span: FindingSpan { count, first_seen: first_seen.or(last_seen), last_seen },
        evidence: kept(own.map_or(&[][..], |own| &own.evidence), new),
        reason: format!("{more}{after}; with what was before: {}", finding.reason),
        continues: before,
        also: also_of_rest(finding, &done, own),
        counted: event::Counted { events, fresh: Vec::new() },
        ..finding.clone()
    }
}

/// The rules that events after the earlier parts matched, with how many of those. Names stay in the order in which the
/// part was first written: statistics count those that come after the ones they know.
fn also_of_rest(finding: &Finding, done: &[&StoredPart], own: Option<&StoredPart>) -> Vec<AlsoFired> {
    let in_parts = |id: &str| -> u64 {
        let named = done.iter().flat_map(|part| &part.also);
        named.filter(|other| other.rule_id == id).map(|other| other.count).sum()
    };
    let rest = finding
        .also
        .iter()
        .map(|other| AlsoFired { count: other.count.saturating_sub(in_parts(&other.rule_id)), ..other.clone() });
    let mut also: Vec<AlsoFired> = rest.filter(|other| other.count > 0).collect();
    let place = |id: &str| own.and_then(|own| own.also.iter().position(|known| known.rule_id == id));
    also.sort_by_key(|other| place(&other.rule_id).unwrap_or(usize::MAX));
    also
}

/// Evidence of events that no earlier part counts, oldest first.
fn new_evidence(finding: &Finding, done: &[&StoredPart]) -> Vec<Evidence> {
    let seen: BTreeSet<EventId> = done.iter().flat_map(|part| &part.evidence).map(|one| one.event_id).collect();
    let last_seen = done.iter().filter_map(|part| part.last_seen).max();
    let is_new = |evidence: &Evidence| {
        let counted: Option<Vec<bool>> = done.iter().map(|part| part.events.has(evidence.event_id)).collect();
        match counted {
            Some(counted) => !counted.contains(&true),
            // Sets of very many events do not know each of them: then an event is new if it is not earlier than the
            // part's last.
            None => evidence.time.zip(last_seen).is_none_or(|(time, last)| time >= last),
        }
    };
    let (head, tail) = finding.evidence.split_at(finding.evidence.len().min(PROOF_EACH));
    let all = head.iter().chain(&finding.counted.fresh).chain(tail);
    let mut new: Vec<Evidence> = Vec::new();
    for evidence in all.filter(|evidence| !seen.contains(&evidence.event_id) && is_new(evidence)) {
        if new.iter().all(|known| known.event_id != evidence.event_id) {
            new.push(evidence.clone());
        }
    }
    new
}

/// The first and the last evidence of what is stored and what is new together, [`PROOF_EACH`] of each.
fn kept(stored: &[Evidence], new: Vec<Evidence>) -> Vec<Evidence> {
    let mut all = stored.to_vec();
    for evidence in new {
        if all.iter().all(|known| known.event_id != evidence.event_id) {
            all.push(evidence);
        }
    }
    if all.len() > 2 * PROOF_EACH {
        all.drain(PROOF_EACH..all.len() - PROOF_EACH);
    }
    all
}
