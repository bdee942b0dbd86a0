//! An episode: events of one rule and one group that belong together, and the finding they make.

use std::collections::VecDeque;

use event::{
    Answer, Counted, Entities, EventId, EventRef, EventSet, Evidence, Finding, FindingId, FindingRating, FindingRule,
    FindingSpan, PatternsFound, Timestamp,
};
use rules::ruleset::RuleSet;
use rules::sigma::rule::{CorrelationKind, Function, Head};
use serde::{Deserialize, Serialize};

use crate::limits::CorrelatorOptions;
use crate::score::{self, Sizes};

/// First and last events that a finding keeps as proof: as many of each.
pub(super) const EVIDENCE_EACH: usize = 5;
/// Patterns that a finding names.
const PATTERNS_SHOWN_MAX: usize = 12;
/// Longest that one finding stays open, in microseconds of event time.
const EPISODE_US_MAX: i64 = 86_400_000_000;

/// Whom a counted value names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EntityKind {
    SourceIp,
    UserName,
}

/// What an episode is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    /// Index of a rule.
    Detection(u32),
    /// Index of a correlation.
    Correlation(usize),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Episode {
    pub(super) source: Source,
    group: String,
    first_event: Option<EventId>,
    opened: Timestamp,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    latest: Timestamp,
    count: u64,
    /// Distinct values, where the rule counts values.
    distinct: u64,
    entities: Entities,
    /// The gravest answer to any of its requests.
    #[serde(default)]
    answer: Option<Answer>,
    /// Sizes of its answers.
    #[serde(default)]
    sizes: Sizes,
    /// What other findings about its entity were worth when it began; `None` until that was looked at.
    #[serde(default)]
    risk: Option<u32>,
    /// Of a pack: the most that one event has, and what others have beside it.
    #[serde(default)]
    patterns: Option<PatternsFound>,
    /// What stands out, in the words of the newest event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    head: Vec<Evidence>,
    tail: VecDeque<Evidence>,
    /// The events that count; not known of those that earlier versions counted.
    #[serde(default)]
    events: EventSet,
    /// First events since it was last reported, as far as neither head nor tail has them, and how many came since.
    #[serde(skip)]
    fresh: Vec<Evidence>,
    #[serde(skip)]
    came: usize,
    changed: bool,
    #[serde(skip)]
    reported: bool,
}

fn evidence(event: &EventRef) -> Evidence {
    Evidence {
        event_id: event.id,
        source: event.source.name.clone(),
        line_no: event.line_no,
        offset: event.offset,
        time: event.time,
        original: event.original.to_string(),
    }
}

impl Episode {
    pub(super) fn new(source: Source, group: String, time: Timestamp) -> Self {
        Episode {
            source,
            group,
            first_event: None,
            opened: time,
            first: None,
            last: None,
            latest: time,
            count: 0,
            distinct: 0,
            entities: Entities::default(),
            answer: None,
            sizes: Sizes::default(),
            risk: None,
            patterns: None,
            note: None,
            head: Vec::new(),
            tail: VecDeque::new(),
            events: EventSet::empty(),
            fresh: Vec::new(),
            came: 0,
            changed: false,
            reported: false,
        }
    }

    /// The event that the finding is named after, whether its proof is kept or not.
    pub(super) fn begin_with(&mut self, id: EventId) {
        self.first_event.get_or_insert(id);
    }

    /// Adds an event that counts `weight` times.
    pub(super) fn add(&mut self, event: &EventRef, time: Timestamp, weight: u64) {
        self.count += weight;
        self.events.insert(event.id, weight);
        self.add_evidence(event, time);
    }

    /// Takes up what patterns an event has.
    pub(super) fn note(&mut self, found: Option<&PatternsFound>) {
        let Some(found) = found else { return };
        let known = self.patterns.get_or_insert_with(PatternsFound::default);
        known.threshold = found.threshold;
        known.points = known.points.max(found.points);
        for (names, known) in [(&found.ids, &mut known.ids), (&found.lists, &mut known.lists)] {
            for name in names {
                if known.len() < PATTERNS_SHOWN_MAX && !known.contains(name) {
                    known.push(name.clone());
                }
            }
        }
    }

    pub(super) fn say(&mut self, note: &str) {
        self.note = Some(note.to_owned());
    }

    /// Adds an event whose proof is not kept.
    pub(super) fn add_count(&mut self, id: EventId, weight: u64) {
        self.count += weight;
        self.events.insert(id, weight);
        self.change();
    }

    fn change(&mut self) {
        if !self.changed {
            self.fresh = Vec::new();
            self.came = 0;
        }
        self.changed = true;
    }

    /// Adds whom an event is about, whether its line is kept or not.
    pub(super) fn name(&mut self, kind: EntityKind, value: &str) {
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
        self.entities.absorb(&named);
    }

    /// Takes events back that turned out to be harmless, with whom they were about; not from a finding that has been
    /// reported, for what was said once stays.
    pub(super) fn take_back(&mut self, kind: EntityKind, value: &str, gone: &[(EventId, u64)]) {
        if self.reported || gone.is_empty() {
            return;
        }
        let names = match kind {
            EntityKind::SourceIp => &mut self.entities.source_ip,
            EntityKind::UserName => &mut self.entities.user_name,
        };
        names.retain(|known| known != value);
        self.count = self.count.saturating_sub(gone.iter().map(|(_, weight)| weight).sum());
        self.events.remove(gone.iter().map(|(id, _)| *id));
        let is_gone = |evidence: &Evidence| gone.iter().any(|(id, _)| *id == evidence.event_id);
        self.head.retain(|evidence| !is_gone(evidence));
        self.tail.retain(|evidence| !is_gone(evidence));
    }

    pub(super) fn set_distinct(&mut self, distinct: u64) {
        self.distinct = self.distinct.max(distinct);
    }

    pub(super) fn has_evidence(&self) -> bool {
        !self.head.is_empty()
    }

    pub(super) fn add_evidence(&mut self, event: &EventRef, time: Timestamp) {
        self.first_event.get_or_insert(event.id);
        self.latest = self.latest.max(time);
        if event.time.is_some() {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        self.entities.absorb(&event.entities);
        self.answer = score::graver(self.answer, event.answer);
        self.sizes.add(event.answer);
        self.change();
        self.came += 1;
        if self.head.len() < EVIDENCE_EACH {
            self.head.push(evidence(event));
            return;
        }
        if self.tail.len() == EVIDENCE_EACH {
            let gone = self.tail.pop_front();
            if self.came > EVIDENCE_EACH && self.fresh.len() < EVIDENCE_EACH {
                self.fresh.extend(gone);
            }
        }
        self.tail.push_back(evidence(event));
    }

    /// Widens the times by an event whose proof is not kept.
    pub(super) fn extend_times(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        self.latest = self.latest.max(time);
    }

    /// No event for `gap_us` before `time`, or open for too long.
    pub(super) fn silent_before(&self, time: Timestamp, gap_us: i64) -> bool {
        self.latest.saturating_add_us(gap_us) < time || self.opened.saturating_add_us(EPISODE_US_MAX) < time
    }

    /// The event belongs to another occasion: after a silence, long after the start, or long before it (an older source
    /// that is read later).
    pub(super) fn is_apart_from(&self, time: Timestamp, gap_us: i64) -> bool {
        self.silent_before(time, gap_us) || time.saturating_add_us(gap_us) < self.earliest()
    }

    fn earliest(&self) -> Timestamp {
        self.first.unwrap_or(self.opened)
    }

    pub(super) fn proof_bytes(&self) -> usize {
        let proof = self.head.iter().chain(&self.tail).chain(&self.fresh);
        proof.map(|evidence| evidence.original.len()).sum::<usize>() + self.events.bytes()
    }

    pub(super) fn weight(&self) -> (u64, Timestamp) {
        (self.count, self.latest)
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    pub(super) fn take_changed(&mut self) -> bool {
        self.reported |= self.changed;
        std::mem::take(&mut self.changed)
    }

    /// Changed since it was last reported, or reported as open and now to be reported as closed.
    pub(super) fn must_be_reported(&self) -> bool {
        self.changed || self.reported
    }

    /// Whom the finding is about, where that is one address or one account.
    pub(super) fn entity(&self) -> Option<String> {
        match (self.entities.source_ip.as_slice(), self.entities.user_name.as_slice()) {
            ([address], _) => Some(format!("source.ip={address}")),
            ([], [user]) => Some(format!("user.name={user}")),
            _ => None,
        }
    }

    /// What other findings about its entity are worth has not been looked at.
    pub(super) fn lacks_risk(&self) -> bool {
        self.risk.is_none()
    }

    pub(super) fn set_risk(&mut self, risk: f64) {
        self.risk = Some(risk.round() as u32);
    }

    pub(super) fn opened(&self) -> Timestamp {
        self.opened
    }

    /// Of its rule.
    pub(super) fn head<'a>(&self, set: &'a RuleSet) -> &'a Head {
        match self.source {
            Source::Detection(index) => &set.rules[index as usize].head,
            Source::Correlation(index) => &set.correlations[index].rule.head,
        }
    }

    pub(super) fn finding(&self, set: &RuleSet, options: &CorrelatorOptions) -> Finding {
        let (head, reason) = (self.head(set), self.reason(set));
        let assets = self.entities.host_name.iter();
        let assets = assets.filter_map(|host| Some((host.as_str(), options.assets.weight(host)?)));
        let facts = score::Facts {
            count: self.count,
            patterns: self
                .patterns
                .as_ref()
                .filter(|found| found.threshold > 0)
                .map(|found| (found.points, found.threshold)),
            answer: self.answer,
            sizes: self.sizes,
            risk: self.risk.unwrap_or(0),
            asset: assets.max_by_key(|(_, weight)| *weight),
        };
        let (score, score_parts, severity) = score::score(head.level, facts, options.thresholds);
        let first_event = self.first_event.unwrap_or(EventId(0));
        Finding {
            id: FindingId::derive(&head.id, &self.group, first_event),
            rule: FindingRule { id: head.id.clone(), title: head.title.clone(), level: head.level },
            rating: FindingRating { score, parts: score_parts, severity },
            span: FindingSpan { first_seen: self.first, last_seen: self.last, count: self.count },
            entities: self.entities.clone(),
            techniques: head.techniques.clone(),
            reason,
            response: head.response.clone(),
            evidence: self.head.iter().chain(&self.tail).cloned().collect(),
            continues: None,
            counted: Counted { events: self.events.settled(self.is_sampled(set)), fresh: self.fresh.clone() },
        }
    }

    /// Its events stand for others that nobody looked at.
    fn is_sampled(&self, set: &RuleSet) -> bool {
        match self.source {
            Source::Detection(_) => false,
            Source::Correlation(index) => set.correlations[index].sample_of(set).is_some(),
        }
    }

    fn reason(&self, set: &RuleSet) -> String {
        let about = if self.group.is_empty() { String::new() } else { format!(" for {}", self.group) };
        match self.source {
            Source::Detection(_) => {
                let events = if self.count == 1 { "event".to_owned() } else { format!("{} events", self.count) };
                let (ids, lists) =
                    self.patterns.as_ref().map_or((&[][..], &[][..]), |found| (&found.ids, &found.lists));
                let named = [("patterns", ids), ("listed", lists)].into_iter().filter(|(_, names)| !names.is_empty());
                let named: String = named.map(|(word, names)| format!("; {word}: {}", names.join(", "))).collect();
                format!("{events} matched{about}{named}")
            }
            Source::Correlation(index) => {
                let rule = &set.correlations[index].rule;
                let span = span_text(rule.timespan_us);
                let bounds = &rule.bounds;
                let reached = match &rule.kind {
                    CorrelationKind::EventCount => format!("{bounds} events within {span}"),
                    CorrelationKind::History(_) => {
                        format!("{} ({span} are remembered)", self.note.as_deref().unwrap_or("stands out"))
                    }
                    CorrelationKind::Temporal { expression: Some(_), .. } => {
                        format!("what the condition asks for of {} within {span}", rule.rules.join(", "))
                    }
                    CorrelationKind::Temporal { ordered, .. } => {
                        let order = if *ordered { ", in this order" } else { "" };
                        let joined = rule.rules.join(" and ");
                        let some = bounds.low.is_some_and(|low| (low.value as usize) < rule.rules.len());
                        let some = if some { format!("{bounds} of ") } else { String::new() };
                        format!("{some}{joined} within {span}{order}")
                    }
                    CorrelationKind::ValueCount(fields) => {
                        let fields = fields.join(" and ");
                        format!("{bounds} values of {fields} within {span}, {} at most", self.distinct)
                    }
                    CorrelationKind::Value { field, function } => match function {
                        Function::Sum => format!("a sum of {field} of {bounds} within {span}"),
                        Function::Average => format!("an average of {field} of {bounds} within {span}"),
                        Function::Percentile(percent) => {
                            format!("a percentile {percent} of {field} of {bounds} within {span}")
                        }
                        Function::Share => {
                            format!("a value of {field} in {bounds} percent of the events within {span}")
                        }
                    },
                };
                let distinct = rule.distinct.as_ref().map(|distinct| format!(", in {distinct}")).unwrap_or_default();
                let reached = reached + &distinct;
                match set.correlations[index].sample_of(set) {
                    None => format!("{reached}{about}; {} events in all", self.count),
                    Some(of) => format!("{reached}{about}; some {} events, estimated from one in {of}", self.count),
                }
            }
        }
    }
}

fn span_text(span_us: i64) -> String {
    let seconds = span_us / 1_000_000;
    match seconds {
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
