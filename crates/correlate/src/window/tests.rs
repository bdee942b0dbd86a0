//! A window by itself: what becomes of hits in it, whatever else the correlator does.

use std::sync::Arc;

use rules::ruleset::RuleSet;

use super::*;
use crate::hit::tests::hit_at;

const SECOND: i64 = 1_000_000;

/// One correlation, without groups, over one rule.
fn set(section: &str) -> RuleSet {
    let rule = "title: a\nid: a\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n";
    let text = format!("{rule}---\ntitle: c\nid: c\nlevel: high\ncorrelation: {section}\n");
    let loaded = rules::load([("r.yml", text.as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    loaded.set
}

fn add(window: &mut Window, set: &RuleSet, hit: &IndexedHit, as_arrived: bool) -> Added {
    let arrival = Arrival {
        bound: &set.correlations[0],
        index: 0,
        signal: 0,
        hit,
        time: hit.event.time.unwrap(),
        newest_proof_only: false,
        idle_us: 60 * SECOND,
        retention_us: if as_arrived { 300 * SECOND } else { 0 },
        still_firing: false,
        as_arrived,
    };
    window.add(arrival, &mut Vec::new())
}

#[test]
fn a_finding_begins_goes_on_and_ends_with_its_threshold() {
    let set = set("{type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}}");
    let mut window = Window::default();
    let outcomes: Vec<(bool, bool, bool)> = [0, 5, 30, 35, 200]
        .into_iter()
        .map(|second| {
            let added = add(&mut window, &set, &hit_at(second as u64, second * SECOND), false);
            (added.begins, added.restarts, added.ended.is_some())
        })
        .collect();
    let (nothing, begins, goes_on, ends) =
        ((false, false, false), (true, true, false), (false, true, false), (false, false, true));
    assert_eq!(outcomes, [nothing, begins, nothing, goes_on, ends]);
}

#[test]
fn what_is_too_old_is_left_out_live_and_begins_an_empty_window_in_a_batch() {
    let set = set("{type: value_count, rules: [a], timespan: 10s, condition: {gte: 2, field: user.name}}");
    let hit = |line_no: u64, second: i64, user: &str| {
        let mut hit = hit_at(line_no, second * SECOND);
        hit.values = Arc::new([Some(user.into())].into_iter().collect());
        hit
    };
    let (mut live, mut batch) = (Window::default(), Window::default());
    add(&mut live, &set, &hit(1, 1000, "root"), true);
    assert_eq!(add(&mut live, &set, &hit(2, 1, "bob"), true).left_out, Some(LeftOut::TooOld));
    add(&mut batch, &set, &hit(1, 1000, "root"), false);
    assert_eq!(add(&mut batch, &set, &hit(2, 1, "bob"), false).left_out, None);
    assert_eq!((batch.events(), batch.distinct()), (1, 1), "the newer event is gone, the older one counts");
    assert!(add(&mut batch, &set, &hit(3, 2, "eve"), false).begins);
}

#[test]
fn one_event_counts_once_whatever_number_of_rules_match_it() {
    let set = set("{type: event_count, rules: [a], timespan: 10s, condition: {gte: 5}}");
    let mut window = Window::default();
    let twice: Vec<_> = (0..2).map(|_| add(&mut window, &set, &hit_at(1, 0), false).left_out).collect();
    assert_eq!((twice, window.events()), (vec![None, Some(LeftOut::Duplicate)], 1));
}

#[test]
fn a_history_finding_that_begins_after_an_older_event_holds_its_event() {
    let set = set("{type: new_terms, rules: [a], timespan: 7d, warm-up: 1s, condition: {field: user.name}}");
    let day = 86_400 * SECOND;
    let hit = |line_no: u64, time: i64, user: &str| {
        let mut hit = hit_at(line_no, time);
        hit.values = Arc::new([Some(user.into())].into_iter().collect());
        hit
    };
    let mut window = Window::default();
    add(&mut window, &set, &hit(1, 0, "first"), false);
    // The second is so much older than the first that it is outside of the time span around it.
    for (line_no, time, user) in [(2, 20 * day, "root"), (3, 10 * day, "bob"), (4, 40 * day, "eve")] {
        assert!(add(&mut window, &set, &hit(line_no, time, user), false).fires, "{user}");
    }
    let finding = window.firing_mut().unwrap().finding(&set, &crate::options::CorrelatorOptions::default());
    assert_eq!((finding.span.count, finding.evidence.len()), (1, 1));
}
