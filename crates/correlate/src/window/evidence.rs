//! How the events of a window become those of a finding.

use std::sync::Arc;

use event::{EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;

use crate::episode::{EntityKind, Episode, RuleRef};
use crate::window::contents::Contents;
use crate::window::entry::{Entry, EventValue};

/// A new episode of the entries within the time span, of those whose value is a reason for it.
pub(crate) fn episode_of(
    contents: &Contents,
    bound: &BoundCorrelation,
    index: usize,
    group: String,
    is_reason: impl Fn(Option<&EventValue>) -> bool,
) -> Episode {
    let start = contents.times().0.unwrap_or(Timestamp(0));
    let mut episode = Episode::new(RuleRef::Correlation(index), group, start);
    let counted = counted_entity(bound);
    for (entry, value, event) in contents.inside().filter(|(_, value, _)| is_reason(*value)) {
        add_entry(&mut episode, counted, entry, value, event);
    }
    episode.set_distinct(contents.aggregate().distinct());
    episode
}

/// Adds an event of a window to a finding.
pub(crate) fn add_entry(
    episode: &mut Episode,
    counted: Option<EntityKind>,
    entry: &Entry,
    value: Option<&EventValue>,
    event: Option<&Arc<EventRef>>,
) {
    episode.begin_with(entry.id);
    if let (Some(kind), Some(EventValue::Text(value))) = (counted, value) {
        episode.name(kind, value);
    }
    match event {
        Some(event) => episode.add(event, entry.time, u64::from(entry.weight)),
        None => {
            episode.add_count(entry.id, u64::from(entry.weight));
            episode.extend_times(entry.time);
        }
    }
}

/// The kind of entity that is counted, where the rule counts values of one field. Lines of most events are not kept,
/// but whom they were about is known by the values that were counted.
pub(crate) fn counted_entity(bound: &BoundCorrelation) -> Option<EntityKind> {
    let CorrelationKind::ValueCount(fields) = &bound.rule.kind else { return None };
    match fields.as_slice() {
        [field] if matches!(field.as_str(), "source.address" | "source.ip" | "src_ip" | "c-ip" | "SourceIp") => {
            Some(EntityKind::SourceIp)
        }
        [field] if matches!(field.as_str(), "user.name" | "cs-username" | "User") => Some(EntityKind::UserName),
        _ => None,
    }
}
