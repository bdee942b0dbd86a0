//! More groups out of order at once than are remembered: they are counted again while a run of hits is being counted.

use std::sync::Arc;

use event::{EventId, EventRef, EventTexts, Hit, HitValues, RuleKey, Source, SourceId, Timestamp, Whom};
use rules::{RuleSet, load};

use super::*;

const RULES: &str = r"
title: failed
id: failed
level: low
logsource: {product: test}
detection: {s: {A: x}, condition: s}
---
title: brute
id: brute
level: high
correlation: {type: event_count, rules: [failed], group-by: [G], timespan: 20s, condition: {gte: 2}}
---
title: forgiven
id: forgiven
level: high
c0di3.forgiven_by: [brute]
correlation: {type: event_count, rules: [failed], group-by: [V], timespan: 1m, condition: {gte: 100}}
";

/// More than are remembered.
const GROUPS: u64 = 400;

fn hit(set: &RuleSet, line_no: u64, second: i64, group: u64) -> Hit {
    let event = EventRef {
        id: EventId(u128::from(line_no)),
        source: Arc::new(Source { id: SourceId(1), name: "test".into() }),
        offset: line_no,
        line_no,
        time: Some(Timestamp(second * 1_000_000)),
        texts: EventTexts::new("a line", Whom { source_ip: Some("192.0.2.7"), ..Whom::default() }),
        answer: None,
        has_guessed_source: false,
    };
    let place = |field: &str| set.captures.iter().position(|columns| columns.iter().any(|column| column == field));
    let (group, value) = (format!("g{group}"), format!("v{group}"));
    let values = [(place("G").unwrap(), group.as_str()), (place("V").unwrap(), value.as_str())];
    let values = Arc::new(HitValues::new(set.captures.len(), values.into_iter()));
    Hit { rule: RuleKey::of_id("failed"), event: Arc::new(event), values, repeated: 1, patterns: None }
}

#[test]
fn a_flood_of_groups_out_of_order_is_counted_and_forgiven_as_a_few_are() {
    let loaded = load([("rules.yml", RULES)], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    let set = Arc::new(loaded.set);
    let seen = |together: u64| {
        let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
        for second in [100, 95] {
            let hits: Vec<Hit> =
                (0..GROUPS).map(|group| hit(&set, group + 1000 * (100 - second as u64), second, group)).collect();
            hits.chunks(together as usize).for_each(|part| correlator.observe(part.to_vec(), Timestamp(101_000_000)));
        }
        let found = correlator.changes().into_iter().filter(|change| change.finding.rule.id == "brute").count();
        (found, correlator.counts().forgiven)
    };
    assert_eq!(seen(10), (GROUPS as usize, GROUPS));
    assert_eq!(seen(GROUPS), (GROUPS as usize, GROUPS));
}
