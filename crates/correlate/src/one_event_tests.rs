//! Groups that have seen one event, held in the fewest bytes, against the same groups with a window from the start: equal
//! findings, evidence, views, counts and saved state, whatever comes, also where groups are evicted and lines are let go.

use std::sync::Arc;

use event::{EventId, EventRef, EventTexts, Finding, Hit, HitValues, RuleKey, Source, SourceId, Timestamp, Whom};
use proptest::prelude::*;
use rules::{RuleSet, load};

use super::*;

const RULES: &str = r"
title: failed
id: failed
level: low
logsource: {product: test}
detection: {s: {A: x}, condition: s}
---
title: accepted
id: accepted
level: low
logsource: {product: test}
detection: {s: {A: y}, condition: s}
---
title: brute
id: brute
level: high
correlation: {type: event_count, rules: [failed], group-by: [G], timespan: 20s, condition: {gte: 3}}
---
title: forgiven
id: forgiven
level: high
c0di3.forgiven_by: [accepted]
correlation: {type: event_count, rules: [failed], group-by: [G], timespan: 25s, condition: {gte: 2}}
---
title: once
id: once
level: high
correlation: {type: event_count, rules: [failed, accepted], group-by: [G], timespan: 5s, condition: {gte: 1}}
---
title: spray
id: spray
level: high
c0di3.forgiven_by: [accepted]
correlation: {type: value_count, rules: [failed], group-by: [G], timespan: 30s, condition: {gte: 2, field: V}}
---
title: both
id: both
level: high
correlation: {type: temporal, rules: [failed, accepted], group-by: [G, V], timespan: 10s}
---
title: after
id: after
level: high
correlation: {generate: true, type: temporal_ordered, rules: [brute, accepted], group-by: [G], timespan: 1m}
---
title: guessed
id: guessed
level: high
c0di3.forgiven_by: [accepted]
correlation: {type: temporal_ordered, rules: [brute, accepted], group-by: [G], timespan: 1m}
---
title: either
id: either
level: high
c0di3.forgiven_by: [accepted]
correlation: {type: event_count, rules: [failed, accepted], group-by: [G], timespan: 20s, condition: {gte: 4}}
";

fn set() -> Arc<RuleSet> {
    static SET: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    let compiled = || {
        let loaded = load([("rules.yml", RULES)], &rules::Terms::default());
        assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
        Arc::new(loaded.set)
    };
    Arc::clone(SET.get_or_init(compiled))
}

#[derive(Clone, Debug)]
struct Step {
    second: i64,
    group: Option<u8>,
    value: u8,
    accepted: bool,
    both: bool,
    repeated: u64,
}

fn hits(set: &RuleSet, line_no: u64, step: &Step) -> Vec<Hit> {
    let (group, value) = (step.group.map(|group| format!("g{group}")), format!("v{}", step.value));
    let event = Arc::new(EventRef {
        id: EventId(u128::from(line_no)),
        source: Arc::new(Source { id: SourceId(1), name: "test".into() }),
        offset: line_no,
        line_no,
        time: Some(Timestamp(step.second * 1_000_000)),
        texts: EventTexts::new("a line", Whom { source_ip: Some("192.0.2.7"), ..Whom::default() }),
        answer: None,
        has_guessed_source: false,
    });
    // The places of the captures follow from their fields.
    let place = |field: &str| set.captures.iter().position(|columns| columns.iter().any(|column| column == field));
    let values = [(place("G"), group.as_deref()), (place("V"), Some(value.as_str()))];
    let values = values.into_iter().filter_map(|(place, value)| Some((place?, value?)));
    let values = Arc::new(HitValues::new(set.captures.len(), values));
    let rules = [("failed", !step.accepted || step.both), ("accepted", step.accepted || step.both)];
    let rules = rules.into_iter().filter(|(_, matches)| *matches);
    let hit = |(id, _): (&str, bool)| Hit {
        rule: RuleKey::of_id(id),
        event: Arc::clone(&event),
        values: Arc::clone(&values),
        repeated: step.repeated,
        patterns: None,
    };
    rules.map(hit).collect()
}

/// What can be seen of a correlator.
type Seen = (Vec<(Finding, bool)>, Vec<Vec<GroupView>>, Vec<(String, String)>, CorrelatorCounts, usize);

fn seen<I>(correlator: &mut Correlator<I>) -> Seen {
    assert!(correlator.state.windows.are_weighed());
    let bytes = correlator.state.windows.bytes();
    let changes = correlator.changes().into_iter().map(|change| (change.finding, change.open)).collect();
    let ids = ["brute", "once", "spray", "both", "after"];
    let views = ids.iter().map(|id| correlator.groups(id, 100).unwrap()).collect();
    let mut saved = correlator.save().unwrap();
    saved.put.sort();
    (changes, views, saved.put, correlator.counts(), bytes)
}

fn options(groups_max: usize, proof_bytes_max: usize) -> CorrelatorOptions {
    CorrelatorOptions {
        lateness_us: 3_000_000,
        fold_gap_us: 0,
        groups_max,
        proof_bytes_max,
        ..CorrelatorOptions::default()
    }
}

fn batch(steps: &[Step], options: &CorrelatorOptions, slow: bool) -> Vec<Seen> {
    let set = set();
    let new = || {
        let mut correlator = BatchCorrelator::new(Arc::clone(&set), options.clone());
        correlator.state.windows.use_windows_only(slow);
        correlator
    };
    let (mut correlator, mut all, mut put) = (new(), Vec::new(), std::collections::BTreeMap::new());
    for (at, step) in steps.iter().enumerate() {
        correlator.observe(hits(&set, at as u64, step));
        correlator.advance(Timestamp(step.second * 1_000_000));
        if at % 4 == 3 {
            all.push(seen(&mut correlator));
        }
        if at % 5 == 4 {
            correlator.state.windows.bound_proof();
        }
        if at % 11 == 10 {
            let saved = correlator.save().unwrap();
            put.extend(all.iter().flat_map(|(_, _, put, ..)| put.clone()).chain(saved.put));
            saved.gone.iter().for_each(|key| drop(put.remove(key)));
            correlator = new();
            correlator.restore(&saved.head, put.clone().into_iter()).unwrap();
        }
    }
    correlator.finish_for_good();
    all.push(seen(&mut correlator));
    all
}

fn live(steps: &[Step], options: &CorrelatorOptions, slow: bool) -> Vec<Seen> {
    let set = set();
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), options.clone());
    correlator.state.windows.use_windows_only(slow);
    let mut all = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        // Some come late.
        let received = step.second + i64::from(step.value) * 2;
        correlator.observe(hits(&set, at as u64, step), Timestamp(received * 1_000_000));
        all.push(seen(&mut correlator));
    }
    all
}

/// The changes of findings after each step, of events in order and as they come. `watched`: as when somebody watches a
/// correlation, which is none of these.
fn changes(steps: &[Step], options: &CorrelatorOptions, watched: bool) -> [Vec<Vec<(Finding, bool)>>; 2] {
    let set = set();
    let watch = || watched.then(|| Box::new(crate::watch::Watch::new(usize::MAX)));
    let mut batch = BatchCorrelator::new(Arc::clone(&set), options.clone());
    let mut live = LiveCorrelator::new(Arc::clone(&set), options.clone());
    (batch.state.watch, live.state.watch) = (watch(), watch());
    let mut all = [Vec::new(), Vec::new()];
    // Findings that end together end in the order of a table, which a group more or less changes.
    let found = |changes: Vec<Change>| {
        let mut found: Vec<_> = changes.into_iter().map(|change| (change.finding, change.open)).collect();
        found.sort_by_key(|(finding, _)| finding.id);
        found
    };
    for (at, step) in steps.iter().enumerate() {
        let (time, late) = (Timestamp(step.second * 1_000_000), i64::from(step.value) * 2_000_000);
        batch.observe(hits(&set, at as u64, step));
        batch.advance(time);
        live.observe(hits(&set, at as u64, step), time.saturating_add_us(late));
        all[0].push(found(batch.changes()));
        all[1].push(found(live.changes()));
    }
    batch.finish_for_good();
    all[0].push(found(batch.changes()));
    all
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..4_i64, prop::option::weighted(0.95, 0..12_u8), 0..3_u8, any::<bool>(), 0..8_u8, 1..12_u64);
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let mut now = 1000;
        let step = |(passed, group, value, accepted, both, repeated): (i64, Option<u8>, u8, bool, u8, u64)| {
            now += passed * passed;
            let repeated = if repeated > 9 { repeated - 8 } else { 1 };
            Step { second: now - i64::from(both > 5), group, value, accepted, both: both == 0, repeated }
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn a_group_of_one_event_is_what_its_window_would_be(steps in steps()) {
        let options = options(100, 64 << 20);
        prop_assert_eq!(batch(&steps, &options, false), batch(&steps, &options, true));
        prop_assert_eq!(live(&steps, &options, false), live(&steps, &options, true));
    }

    #[test]
    fn also_where_groups_are_evicted_and_lines_are_let_go(steps in steps(), groups_max in 1..8_usize, lines in 1..12_usize) {
        let options = options(groups_max, lines * 306);
        prop_assert_eq!(batch(&steps, &options, false), batch(&steps, &options, true));
        prop_assert_eq!(live(&steps, &options, false), live(&steps, &options, true));
    }

    #[test]
    fn a_group_that_its_first_event_forgives_need_not_be(steps in steps()) {
        let options = options(100, 64 << 20);
        prop_assert_eq!(changes(&steps, &options, false), changes(&steps, &options, true));
    }
}
