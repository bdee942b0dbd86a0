//! Which of the rules that matched one event leads: its finding tells of the event, and names the others. Hits of one
//! event share it and come side by side. Rules that are muted neither lead nor are named.

use std::cmp::Reverse;
use std::sync::Arc;

use event::Level;

use crate::episode::RuleRef;
use crate::hit::IndexedHit;
use crate::setup::Setup;

/// Whether both are hits of one event.
#[inline]
pub(crate) fn same_event(one: &IndexedHit, other: &IndexedHit) -> bool {
    Arc::ptr_eq(&one.event, &other.event)
}

/// The hit of the strongest rule: that with the highest level, of equals the pack with the most points, of equals the rule
/// that stands first in the set. `None` where every rule is muted.
#[inline]
pub(crate) fn leader<'h>(setup: &Setup, hits: impl Iterator<Item = &'h IndexedHit>) -> Option<&'h IndexedHit> {
    let strength = |hit: &IndexedHit| -> (Level, u32, Reverse<u32>) {
        let points = hit.patterns.as_ref().map_or(0, |found| found.points);
        (setup.set.rules[hit.rule as usize].head.level, points, Reverse(hit.rule))
    };
    hits.filter(|hit| !setup.is_muted(RuleRef::Detection(hit.rule)))
        .reduce(|best, hit| if strength(hit) > strength(best) { hit } else { best })
}

/// The hits that `leader` leads.
pub(crate) fn led<'h>(
    setup: &Setup,
    leader: &'h IndexedHit,
    hits: impl Iterator<Item = &'h IndexedHit>,
) -> impl Iterator<Item = &'h IndexedHit> {
    hits.filter(move |hit| hit.rule != leader.rule && !setup.is_muted(RuleRef::Detection(hit.rule)))
}
