//! What groups take, and slots that were found ahead.

use std::hash::BuildHasher;

use rules::ruleset::RuleSet;

use super::*;
use crate::hit::tests::hit_at;

fn set() -> RuleSet {
    let text = "title: a\nid: a\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n---\n\
        title: c\nid: c\nlevel: low\ncorrelation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}}\n";
    rules::load([("r.yml", text)], &rules::Terms::default()).set
}

fn arrival<'a>(bound: &'a BoundCorrelation, hit: &'a crate::hit::IndexedHit, time: i64) -> Arrival<'a> {
    Arrival {
        bound,
        index: 0,
        signal: 0,
        hit,
        time: Timestamp(time),
        newest_proof_only: false,
        idle_us: 0,
        retention_us: 0,
        still_firing: false,
        as_arrived: false,
    }
}

fn open(groups: &mut Groups, hasher: &RandomState, bound: &BoundCorrelation, text: &str) -> usize {
    let (hit, mut kept) = (hit_at(1, 0), None);
    let mut key = GroupKey { text, hash: hasher.hash_one(text), kept: &mut kept };
    groups.open(&mut key, arrival(bound, &hit, 0), &mut CountingScratch::default()).0
}

#[test]
fn what_groups_take_follows_every_change() {
    let (set, hasher) = (set(), RandomState::default());
    let bound = &set.correlations[0];
    let mut groups = Groups::new(bound, false, hasher.clone());
    let slot = open(&mut groups, &hasher, bound, "a");
    open(&mut groups, &hasher, bound, "b");
    let small = groups.bytes();
    let small_weight = Weight { bytes: small / 2, proof: hit_at(1, 0).event.original().len() + 300 };
    let counted = groups.add(slot, arrival(bound, &hit_at(2, 1), 1), &mut CountingScratch::default());
    assert!(groups.bytes() > small && counted.after.bytes > counted.before.bytes, "the second event needs a window");
    assert_eq!((groups.len(), groups.bytes()), (2, groups.weigh().bytes));
    let (_, before, after) = groups.change(bound, slot, |_| ());
    assert_eq!(before, after);
    assert_eq!(groups.remove_ended(10_000_000, Timestamp(10_000_001), 0).1, small_weight, "the one that is older");
    let (_, weight) = groups.remove_ended(10_000_000, Timestamp(10_000_002), 0);
    assert_eq!((weight.bytes, groups.len(), groups.bytes()), (before.bytes, 0, 0));
}

#[test]
fn a_slot_that_was_found_ahead_is_used_only_while_its_key_is_there() {
    let (set, hasher) = (set(), RandomState::default());
    let mut groups = Groups::new(&set.correlations[0], false, hasher.clone());
    open(&mut groups, &hasher, &set.correlations[0], "a");
    let hash = hasher.hash_one("a");
    let likely = LikelySlot { hash, slot: groups.likely_slot(hash) };
    assert_eq!((likely.slot, groups.slot_at(likely, "a")), (Some(0), Some(0)));
    assert_eq!(groups.slot_at(LikelySlot { hash, slot: Some(7) }, "a"), Some(0), "looked up again");
    assert_eq!(groups.slot_at(LikelySlot { hash: hasher.hash_one("b"), slot: None }, "b"), None);
}
