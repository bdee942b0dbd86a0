//! An episode: events of one rule and one group that belong together, on their way to be a finding.

pub(crate) mod finding;
mod lines;

use std::sync::Arc;

use event::{ALSO_FIRED_MAX, Answer, Entities, EventId, EventRef, EventSet, PatternsFound, Timestamp};
use rules::ruleset::RuleSet;
use rules::sigma::rule::Head;
use serde::{Deserialize, Serialize};

use crate::episode::lines::KeptEvidence;
use crate::score::{self, Sizes};

pub(crate) use lines::EVIDENCE_EACH;

/// Patterns that a finding names.
const PATTERNS_SHOWN_MAX: usize = 12;
/// Longest time that one finding stays open, in microseconds of event time.
const EPISODE_US_MAX: i64 = 86_400_000_000;

/// The kind of entity that a counted value names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum EntityKind {
    SourceIp,
    UserName,
}

/// The rule that an episode is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RuleRef {
    /// Index of a detection rule.
    Detection(u32),
    /// Index of a correlation.
    Correlation(usize),
}

/// Events of one rule and one group that belong together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) source: RuleRef,
    /// The group, as people read it: `field=value, …`.
    group: String,
    /// The finding is named after it.
    first_event: Option<EventId>,
    #[serde(flatten)]
    times: EpisodeTimes,
    /// Number of events, each as often as it says.
    count: u64,
    /// Distinct values, where the rule counts values.
    distinct: u64,
    #[serde(flatten)]
    facts: EpisodeFacts,
    #[serde(flatten)]
    lines: KeptEvidence,
    /// The events that count; not known of those that earlier versions counted.
    #[serde(default)]
    events: EventSet,
    /// It has changed since it was last reported.
    changed: bool,
    /// It has been reported.
    #[serde(skip)]
    reported: bool,
}

/// When an episode began and ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EpisodeTimes {
    /// Time of the event that opened it, believed or not.
    opened: Timestamp,
    /// Oldest time that an event names itself.
    first: Option<Timestamp>,
    /// Newest time that an event names itself.
    last: Option<Timestamp>,
    /// Newest time that an event counted at.
    latest: Timestamp,
}

/// What the events of an episode say; the score is made of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct EpisodeFacts {
    /// Whom the events are about.
    entities: Entities,
    /// The gravest answer to any of its requests.
    #[serde(default)]
    answer: Option<Answer>,
    /// Sizes of its answers.
    #[serde(default)]
    sizes: Sizes,
    /// Points of other findings about its entity when it began; `None` until that was looked up.
    #[serde(default)]
    risk: Option<u32>,
    /// Of a pack: the most points that one event has, and the patterns and lists of all events.
    #[serde(default)]
    patterns: Option<PatternsFound>,
    /// Other rules that matched its events, in the order in which they came; at most [`ALSO_FIRED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<LedRule>,
    /// The newest act that it tells of, where other events may tell of it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
    /// An event has a source that no format names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_guessed_source: bool,
    /// What stands out, in the words of the newest event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// What somebody did, as an event of the finding's rule told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    /// Word of the rule, account and host, as one text.
    pub(crate) key: String,
    /// When the event was.
    pub(crate) time: Timestamp,
}

/// A rule that the rule of an episode leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LedRule {
    id: String,
    /// Events that it matched, each as often as it says.
    count: u64,
}

/// Adds names that are not known yet, as far as they are shown.
fn push_names(names: &[String], known: &mut Vec<String>) {
    for name in names {
        if known.len() < PATTERNS_SHOWN_MAX && !known.contains(name) {
            known.push(name.clone());
        }
    }
}

impl Episode {
    /// Without events, opened at a time.
    pub(crate) fn new(source: RuleRef, group: String, time: Timestamp) -> Self {
        Episode {
            source,
            group,
            first_event: None,
            times: EpisodeTimes { opened: time, first: None, last: None, latest: time },
            count: 0,
            distinct: 0,
            facts: EpisodeFacts::default(),
            lines: KeptEvidence::default(),
            events: EventSet::empty(),
            changed: false,
            reported: false,
        }
    }

    /// The event that the finding is named after, whether its proof is kept or not.
    pub(crate) fn begin_with(&mut self, id: EventId) {
        self.first_event.get_or_insert(id);
    }

    /// Adds an event that counts `weight` times.
    pub(crate) fn add(&mut self, event: &Arc<EventRef>, time: Timestamp, weight: u64) {
        self.count += weight;
        self.events.insert(event.id, weight);
        self.add_evidence(event, time);
    }

    /// Takes up the patterns that an event has.
    pub(crate) fn note(&mut self, found: Option<&PatternsFound>) {
        let Some(found) = found else { return };
        let none_yet = || PatternsFound { doubtful: true, ..PatternsFound::default() };
        let known = self.facts.patterns.get_or_insert_with(none_yet);
        known.doubtful &= found.doubtful;
        known.threshold = found.threshold;
        known.points = known.points.max(found.points);
        push_names(&found.ids, &mut known.ids);
        push_names(&found.lists, &mut known.lists);
    }

    /// Takes up what a rule that is led found on lists of indicators; points and patterns are those of the leading rule.
    pub(crate) fn note_lists(&mut self, found: Option<&PatternsFound>) {
        if let Some(found) = found.filter(|found| !found.lists.is_empty()) {
            let known = self.facts.patterns.get_or_insert_with(PatternsFound::default);
            push_names(&found.lists, &mut known.lists);
        }
    }

    /// The newest act that it tells of.
    pub(crate) fn act(&self) -> Option<&Act> {
        self.facts.act.as_ref()
    }

    pub(crate) fn set_act(&mut self, act: Option<Act>) {
        self.facts.act = act;
    }

    /// Names a rule that matched its newest event as well, or another event of its act, `weight` times. False where it
    /// names too many already.
    pub(crate) fn note_also(&mut self, id: &str, weight: u64) -> bool {
        self.change();
        let also = &mut self.facts.also;
        if let Some(known) = also.iter_mut().find(|known| known.id == id) {
            known.count += weight;
            return true;
        }
        let is_named = also.len() < ALSO_FIRED_MAX;
        if is_named {
            also.push(LedRule { id: id.to_owned(), count: weight });
        }
        is_named
    }

    /// Says what stands out.
    pub(crate) fn say(&mut self, note: &str) {
        self.facts.note = Some(note.to_owned());
    }

    /// Adds an event whose proof is not kept.
    pub(crate) fn add_count(&mut self, id: EventId, weight: u64) {
        self.count += weight;
        self.events.insert(id, weight);
        self.change();
    }

    /// It differs from what was reported.
    fn change(&mut self) {
        if !self.changed {
            self.lines.begin_fresh();
        }
        self.changed = true;
    }

    /// Adds whom an event is about, whether its line is kept or not.
    pub(crate) fn name(&mut self, kind: EntityKind, value: &str) {
        let mut named = Entities::default();
        // A source may be known by its name alone, which is no address.
        let address = value.split_once('%').map_or(value, |(address, _)| address);
        if kind == EntityKind::SourceIp && address.parse::<std::net::IpAddr>().is_err() {
            return;
        }
        match kind {
            EntityKind::SourceIp => named.source_ip.push(value.to_owned()),
            EntityKind::UserName => named.user_name.push(value.to_owned()),
        }
        self.facts.entities.absorb(&named);
    }

    /// Takes events back that turned out to be harmless, with whom they were about; not from a finding that has been
    /// reported, for what was said once stays.
    pub(crate) fn take_back(&mut self, kind: EntityKind, value: &str, gone: &[(EventId, u64)]) {
        if self.reported || gone.is_empty() {
            return;
        }
        let names = match kind {
            EntityKind::SourceIp => &mut self.facts.entities.source_ip,
            EntityKind::UserName => &mut self.facts.entities.user_name,
        };
        names.retain(|known| known != value);
        self.count = self.count.saturating_sub(gone.iter().map(|(_, weight)| weight).sum());
        self.events.remove(gone.iter().map(|(id, _)| *id));
        self.lines.remove(gone);
    }

    /// Takes up how many distinct values there are; the most that there were stays.
    pub(crate) fn set_distinct(&mut self, distinct: u64) {
        self.distinct = self.distinct.max(distinct);
    }

    /// Whether it keeps any line.
    pub(crate) fn has_evidence(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Takes up what an event says, and keeps its line.
    pub(crate) fn add_evidence(&mut self, event: &Arc<EventRef>, time: Timestamp) {
        self.first_event.get_or_insert(event.id);
        self.times.latest = self.times.latest.max(time);
        if event.time.is_some() {
            self.times.first = Some(self.times.first.map_or(time, |first| first.min(time)));
            self.times.last = Some(self.times.last.map_or(time, |last| last.max(time)));
        }
        event.whom().add_to(&mut self.facts.entities);
        self.facts.answer = score::graver(self.facts.answer, event.answer);
        self.facts.sizes.add(event.answer);
        self.facts.has_guessed_source |= event.has_guessed_source;
        self.change();
        self.lines.add(event);
    }

    /// Widens the times by an event whose proof is not kept.
    pub(crate) fn extend_times(&mut self, time: Timestamp) {
        self.times.first = Some(self.times.first.map_or(time, |first| first.min(time)));
        self.times.last = Some(self.times.last.map_or(time, |last| last.max(time)));
        self.times.latest = self.times.latest.max(time);
    }

    /// No event for `gap_us` before `time`, or open for too long.
    pub(crate) fn silent_before(&self, time: Timestamp, gap_us: i64) -> bool {
        self.times.latest.saturating_add_us(gap_us) < time || self.times.opened.saturating_add_us(EPISODE_US_MAX) < time
    }

    /// The event belongs to another occasion: after a silence, long after the start, or long before it (an older source
    /// that is read later).
    pub(crate) fn is_apart_from(&self, time: Timestamp, gap_us: i64) -> bool {
        self.silent_before(time, gap_us) || time.saturating_add_us(gap_us) < self.earliest()
    }

    /// Oldest time that is known.
    fn earliest(&self) -> Timestamp {
        self.times.first.unwrap_or(self.times.opened)
    }

    /// Bytes that it keeps as proof.
    pub(crate) fn proof_bytes(&self) -> usize {
        self.lines.bytes() + self.events.bytes()
    }

    /// What would be lost with it: an episode with few events, and of those the one that ended first, goes before
    /// others.
    pub(crate) fn weight(&self) -> (u64, Timestamp) {
        (self.count, self.times.latest)
    }

    /// Whether it has changed since it was last reported.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether it has changed; from now on it counts as reported.
    pub(crate) fn take_changed(&mut self) -> bool {
        self.reported |= self.changed;
        std::mem::take(&mut self.changed)
    }

    /// Changed since it was last reported, or reported as open and now to be reported as closed.
    pub(crate) fn must_be_reported(&self) -> bool {
        self.changed || self.reported
    }

    /// Whom the finding is about, where that is one address or one account.
    pub(crate) fn entity(&self) -> Option<String> {
        match (self.facts.entities.source_ip.as_slice(), self.facts.entities.user_name.as_slice()) {
            ([address], _) => Some(format!("source.ip={address}")),
            ([], [user]) => Some(format!("user.name={user}")),
            _ => None,
        }
    }

    /// Whether the points of other findings about its entity have not been looked up yet.
    pub(crate) fn lacks_risk(&self) -> bool {
        self.facts.risk.is_none()
    }

    /// Takes up the points of other findings about its entity.
    pub(crate) fn set_risk(&mut self, risk: f64) {
        self.facts.risk = Some(risk.round() as u32);
    }

    /// Time of the event that opened it.
    pub(crate) fn opened(&self) -> Timestamp {
        self.times.opened
    }

    /// Head of its rule.
    pub(crate) fn head<'a>(&self, set: &'a RuleSet) -> &'a Head {
        match self.source {
            RuleRef::Detection(index) => &set.rules[index as usize].head,
            RuleRef::Correlation(index) => &set.correlations[index].rule.head,
        }
    }
}
