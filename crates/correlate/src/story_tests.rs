//! Small stories about correlations: what counts once, what chains count, what comes late, what a flood can push out,
//! and what of another rule's state is not taken up.

use std::sync::Arc;

use event::{Block, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{RuleSet, load};

use super::*;

const START_S: i64 = 1_790_000_000;

fn detection(id: &str) -> String {
    format!(
        "title: {id}\nid: {id}\nlevel: low\nlogsource: {{category: test}}\ndetection: {{s: {{act|contains: {id}}}, condition: s}}\n"
    )
}

/// Detections named by one letter, and correlations as they stand in a rule.
fn set(detections: &str, correlations: &[(&str, &str)]) -> Arc<RuleSet> {
    let mut text: Vec<String> = detections.chars().map(|letter| detection(&letter.to_string())).collect();
    text.extend(
        correlations.iter().map(|(id, section)| {
            format!("title: {id}\nid: {id}\nlevel: high\ncorrelation: {section}\ngenerate: true\n")
        }),
    );
    let loaded = load([("r.yml", text.join("---\n").as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().collect::<Vec<_>>(), Vec::<&rules::Diagnostic>::new());
    Arc::new(loaded.set)
}

/// `second letters [number]`: an event of those detections.
fn hits(set: &Arc<RuleSet>, events: &[(i64, &str, f64)]) -> Vec<Hit> {
    let line = |(second, act, n): &(i64, &str, f64)| {
        let time = Timestamp::from_unix_seconds(START_S + second);
        format!("{{\"@timestamp\": \"{time}\", \"act\": \"{act}\", \"g\": \"x\", \"n\": {n}}}\n")
    };
    let text: String = events.iter().map(line).collect();
    let batch = parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "test",
        text.into_bytes(),
        Timestamp::from_unix_seconds(START_S),
    ));
    Matcher::new(Arc::clone(set), None).hits(&batch, &mut MatchScratch::default())
}

/// Findings of one correlation: how often each counts.
fn found<I>(correlator: &mut Correlator<I>, id: &str) -> Vec<u64> {
    let changes = correlator.changes().into_iter().map(|change| change.finding);
    changes.filter(|finding| finding.rule.id == id).map(|finding| finding.span.count).collect()
}

fn run(set: &Arc<RuleSet>, id: &str, events: &[(i64, &str, f64)]) -> Vec<u64> {
    let mut correlator = BatchCorrelator::new(Arc::clone(set), CorrelatorOptions::default());
    correlator.observe(hits(set, events));
    correlator.finish_for_good();
    found(&mut correlator, id)
}

#[test]
fn an_event_that_two_rules_match_counts_once_but_for_either_rule_of_a_sequence() {
    let sum = "{type: value_sum, rules: [a, b], group-by: [g], timespan: 60s, condition: {gte: 20, field: n}}";
    let count = "{type: event_count, rules: [a, b], group-by: [g], timespan: 60s, condition: {gte: 4}}";
    let both = "{type: temporal, rules: [a, b], group-by: [g], timespan: 60s}";
    let spike =
        "{type: spike, rules: [a, b], group-by: [g], timespan: 60s, warm-up: 1s, condition: {gte: 4, factor: 2}}";
    let set = set("ab", &[("sum", sum), ("count", count), ("both", both), ("spike", spike)]);
    let twice = [(0, "ab", 10.0), (1, "ab", 5.0)];
    assert_eq!(run(&set, "sum", &twice), Vec::<u64>::new());
    assert_eq!(run(&set, "count", &twice), Vec::<u64>::new());
    assert_eq!(run(&set, "both", &twice[..1]).len(), 1);
    let of_each = |count: i64| (0..count).map(|at| (1 + at * 2, "ab", at as f64)).collect::<Vec<_>>();
    assert_eq!(run(&set, "spike", &of_each(3)), Vec::<u64>::new());
    assert_eq!(run(&set, "spike", &of_each(4)).len(), 1);
    assert_eq!(run(&set, "count", &[(0, "ab", 1.0), (1, "a", 1.0), (2, "b", 1.0), (3, "ab", 1.0)]), [4]);
}

#[test]
fn one_event_is_never_several_where_different_ones_are_asked_for() {
    let both = "{type: temporal, rules: [a, b], group-by: [g], timespan: 60s}";
    let two = |distinct: &str| {
        let rule = format!(
            "title: both\nid: both\nlevel: high\nc0di3.distinct: {distinct}\ngenerate: true\ncorrelation: {both}\n"
        );
        let text = [detection("a"), detection("b"), rule].join("---\n");
        let loaded = load([("r.yml", text.as_str())], &rules::Terms::default());
        (Arc::new(loaded.set), loaded.diagnostics)
    };
    let (any, problems) = two("{gte: 2}");
    assert_eq!(problems, []);
    let (by_number, problems) = two("{gte: 2, field: n}");
    assert_eq!(problems, []);
    let one = [(0, "ab", 1.0)];
    let again = [(0, "ab", 1.0), (1, "ab", 1.0)];
    let other = [(0, "ab", 1.0), (1, "a", 2.0)];
    let far = [(0, "ab", 1.0), (100, "ab", 2.0)];
    for (set, events, wanted) in [
        (&any, &one[..], 0),
        (&any, &again[..], 1),
        (&by_number, &one[..], 0),
        (&by_number, &again[..], 0),
        (&by_number, &other[..], 1),
        (&by_number, &far[..], 0),
        // In another order, too: what comes late is counted where it belongs.
        (&by_number, &[(5, "b", 2.0), (0, "a", 1.0)], 1),
        (&any, &[(0, "a", 1.0), (1, "a", 1.0)], 0),
    ] {
        assert_eq!(run(set, "both", events).len(), wanted, "{events:?}");
    }
    let asks = any.correlations[0].rule.asks_for();
    assert!(asks.contains("in 2 or more different events"), "{asks}");
    for wrong in ["{gte: 1}", "{}", "2", "{gte: 2, lte: 3}", "{gte: 2.5}"] {
        assert!(!two(wrong).1.is_empty(), "{wrong}");
    }
}

#[test]
fn a_rule_named_twice_and_long_chains_are_refused() {
    let chain: Vec<String> = (0..12)
        .map(|at| {
            let below = if at == 0 { "a".to_owned() } else { format!("k{}", at - 1) };
            format!("title: k{at}\nid: k{at}\nlevel: low\ncorrelation: {{type: event_count, rules: [{below}], group-by: [g], timespan: 1m, condition: {{gte: 1}}}}\n")
        })
        .collect();
    let text = format!("{}---\n{}", detection("a"), chain.join("---\n"));
    let loaded = load([("r.yml", text.as_str())], &rules::Terms::default());
    assert_eq!(loaded.set.correlations.len(), 10);
    assert!(loaded.rejected().any(|problem| problem.reason.contains("in a row")), "{:?}", loaded.diagnostics);
    let twice =
        "title: t\nid: t\nlevel: low\ncorrelation: {type: temporal, rules: [a, alias], group-by: [g], timespan: 1m}\n";
    let named = detection("a").replace("id: a\n", "id: a\nname: alias\n");
    let loaded = load([("r.yml", format!("{named}---\n{twice}").as_str())], &rules::Terms::default());
    assert!(loaded.rejected().any(|problem| problem.reason.contains("twice")), "{:?}", loaded.diagnostics);
}

#[test]
fn a_chain_counts_how_often_the_inner_one_fires() {
    let inner = "{type: event_count, rules: [a], group-by: [g], timespan: 60s, condition: {gte: 3}}";
    let outer = "{type: event_count, rules: [inner], group-by: [g], timespan: 1h, condition: {gte: 3}}";
    let then = "{type: temporal_ordered, rules: [inner, b], group-by: [g], timespan: 10s}";
    let set = set("ab", &[("inner", inner), ("outer", outer), ("then", then)]);
    let burst = |from: i64, count: i64| (from..from + count).map(|second| (second, "a", 1.0)).collect::<Vec<_>>();
    assert_eq!(run(&set, "outer", &burst(0, 9)), Vec::<u64>::new(), "one burst fires once");
    assert_eq!(run(&set, "outer", &[burst(0, 4), burst(500, 4), burst(1000, 4)].concat()).len(), 1);
    // For what asks for presence it is there as long as it fires.
    assert_eq!(run(&set, "then", &[burst(0, 60), vec![(65, "b", 1.0)]].concat()).len(), 1);
}

#[test]
fn what_brings_no_value_makes_nothing_fire_again() {
    let inner = "{type: value_sum, rules: [a], group-by: [g], timespan: 60s, condition: {gte: 10, field: n}}";
    let outer = "{type: temporal, rules: [inner, b], group-by: [g], timespan: 60s}";
    let set = set("ab", &[("inner", inner), ("outer", outer)]);
    let events = [(0, "a", 50.0), (1800, "a", f64::NAN), (1801, "b", 0.0)];
    let lines = hits(&set, &events);
    assert_eq!(lines.len(), 2, "a number that JSON does not know is no event");
    let events = [(0, "a", 50.0), (1801, "b", 0.0)];
    assert_eq!(run(&set, "outer", &events), Vec::<u64>::new());
}

#[test]
fn windows_judged_at_their_end_reach_the_outer_one_in_time() {
    let at_most_two = "{type: event_count, rules: [a], group-by: [g], timespan: 60s, condition: {lte: 2}}";
    let outer = "{type: temporal, rules: [few, b], group-by: [g], timespan: 60s}";
    let set = set("ab", &[("few", at_most_two), ("outer", outer)]);
    assert_eq!(run(&set, "outer", &[(0, "a", 1.0), (20, "b", 1.0), (130, "b", 1.0), (200, "a", 1.0)]).len(), 1);
}

#[test]
fn an_input_that_goes_on_long_after_a_window_ends_judges_it() {
    let at_most_two = "{type: event_count, rules: [a], group-by: [g], timespan: 10s, condition: {lte: 2}}";
    let set = set("a", &[("few", at_most_two)]);
    let lateness = CorrelatorOptions::default().lateness_us / 1_000_000;
    let reached = |second: i64| Some(Timestamp::from_unix_seconds(START_S + second + lateness));
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &[(0, "a", 1.0), (4, "a", 1.0)]));
    correlator.next_block(reached(10), Timestamp(i64::MAX));
    correlator.finish();
    assert_eq!(found(&mut correlator, "few"), Vec::<u64>::new(), "the last second may bring another");
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &[(0, "a", 1.0), (4, "a", 1.0)]));
    correlator.next_block(reached(11), Timestamp(i64::MAX));
    correlator.finish();
    assert_eq!(found(&mut correlator, "few"), [2]);
}

fn live() -> CorrelatorOptions {
    CorrelatorOptions { lateness_us: 300_000_000, ..CorrelatorOptions::default() }
}

#[test]
fn live_an_older_event_of_another_host_takes_nothing_away() {
    let many = "{type: event_count, rules: [a], group-by: [g], timespan: 60s, condition: {gte: 5}}";
    let set = set("a", &[("many", many)]);
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), live());
    // Two hosts whose clocks are 90 seconds apart.
    for second in 0..5 {
        for late in [0, 90] {
            let received = Timestamp::from_unix_seconds(START_S + 200);
            correlator.observe(hits(&set, &[(100 + second - late, "a", (second * 2 + late) as f64)]), received);
        }
    }
    assert_eq!(found(&mut correlator, "many").iter().sum::<u64>(), 10);
}

#[test]
fn live_a_quiet_system_judges_windows_and_late_events_open_none() {
    let lonely = "{type: temporal, rules: [a, b], group-by: [g], timespan: 60s, condition: a and not b}";
    let set = set("ab", &[("lonely", lonely)]);
    let now = |second: i64| Timestamp::from_unix_seconds(START_S + second);
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), live());
    correlator.observe(hits(&set, &[(0, "a", 1.0)]), now(1));
    correlator.idle(now(300));
    assert_eq!(found(&mut correlator, "lonely"), Vec::<u64>::new(), "what could still come would be in time");
    correlator.idle(now(361));
    assert_eq!(found(&mut correlator, "lonely"), [1]);
    // Judged with its partner; an event of that time that comes much later begins nothing.
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), live());
    correlator.observe(hits(&set, &[(0, "a", 1.0), (1, "b", 1.0)]), now(2));
    correlator.passed(now(900), now(900));
    correlator.observe(hits(&set, &[(2, "a", 2.0)]), now(901));
    correlator.passed(now(2000), now(2000));
    assert_eq!((found(&mut correlator, "lonely"), correlator.counts().left_out), (Vec::new(), 1));
}

#[test]
fn live_a_clock_that_is_ahead_makes_nobody_late() {
    let many = "{type: event_count, rules: [a], group-by: [g], timespan: 60s, condition: {gte: 3}}";
    let set = set("a", &[("many", many)]);
    let now = Timestamp::from_unix_seconds(START_S + 300);
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), live());
    correlator.observe(hits(&set, &[(595, "a", 1.0)]), now);
    correlator.observe(hits(&set, &[(280, "a", 2.0), (290, "a", 3.0), (299, "a", 4.0)]), now);
    assert_eq!((correlator.counts().late, found(&mut correlator, "many")), (0, vec![3]));
}

/// Whether an attack of `before`, then a flood of other groups, then `after`, is found.
fn survives(kind: &str, before: &[&str], flood: &[&str], after: &[&str]) -> bool {
    let set = set("ab", &[("c", kind)]);
    let options = CorrelatorOptions { groups_max: 200, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), options);
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut text = String::new();
    let mut second = 0;
    let mut event = |group: &str, what: &str| {
        let (act, n) = what.split_once(':').unwrap();
        let time = Timestamp(START_S * 1_000_000 + second * 1000);
        second += 1;
        text += &format!("{{\"@timestamp\": \"{time}\", \"act\": \"{act}\", \"g\": \"{group}\", \"n\": {n}}}\n");
    };
    before.iter().for_each(|what| event("attack", what));
    for group in 0..3000 {
        flood.iter().for_each(|what| event(&format!("flood{group}"), what));
    }
    after.iter().for_each(|what| event("attack", what));
    let block = Block::detached("test", text.into_bytes(), Timestamp(0));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    correlator.observe(matcher.hits(&batch, &mut MatchScratch::default()));
    correlator.finish();
    let findings: Vec<_> = correlator.changes().into_iter().map(|change| change.finding).collect();
    findings.iter().any(|finding| finding.rule.id == "c" && finding.reason.contains("g=attack"))
}

#[test]
fn a_flood_pushes_out_its_own_whatever_is_counted() {
    let over = |kind: &str, condition: &str| {
        format!("{{type: {kind}, rules: [a], group-by: [g], timespan: 1h, condition: {condition}}}")
    };
    let pair = "{type: temporal, rules: [a, b], group-by: [g], timespan: 1h}";
    assert!(survives(pair, &["a:1"], &["a:1"], &["b:1"]), "half of a pair, against halves");
    assert!(survives(&over("event_count", "{gte: 2}"), &["a:1"], &["a:1"], &["a:1"]));
    assert!(survives(&over("event_count", "{gte: 3}"), &["a:1", "a:1"], &["a:1", "a:1"], &["a:1"]));
    assert!(survives(&over("value_sum", "{gte: 1000, field: n}"), &["a:999"], &["a:1", "a:1"], &["a:1"]));
    let values = over("value_count", "{gte: 5, field: n}");
    assert!(survives(&values, &["a:1", "a:2", "a:3", "a:4"], &["a:1"; 6], &["a:5"]), "values, not events");
}

#[test]
fn all_windows_together_are_bounded() {
    let values = "{type: value_count, rules: [a], group-by: [n], timespan: 1h, condition: {gte: 19000, field: act}}";
    let set = set("a", &[("values", values)]);
    let options = CorrelatorOptions { window_bytes_max: 200_000, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), options);
    let acts: Vec<String> = (0..4000).map(|at| format!("a{at:0>200}")).collect();
    let events: Vec<(i64, &str, f64)> =
        acts.iter().enumerate().map(|(at, act)| (at as i64 / 10, act.as_str(), (at % 20) as f64)).collect();
    correlator.observe(hits(&set, &events));
    correlator.finish();
    assert!(correlator.counts().evicted > 10, "{:?}", correlator.counts());
}

#[test]
fn a_flood_of_one_signal_hides_no_sequence() {
    let order = "{type: temporal_ordered, rules: [a, b, c], group-by: [g], timespan: 1d}";
    let set = set("abc", &[("order", order)]);
    let mut events = vec![(0, "a", 1.0)];
    events
        .extend((0..rules::sigma::threshold::WINDOW_ENTRIES_MAX as i64 + 100).map(|at| (1 + at / 10, "b", at as f64)));
    events.push((3000, "c", 1.0));
    assert_eq!(run(&set, "order", &events).len(), 1);
}

#[test]
fn what_another_rule_of_the_same_id_has_counted_is_not_taken_up() {
    let count = |of: &str, threshold: u8| {
        format!("{{type: event_count, rules: [{of}], group-by: [g], timespan: 1h, condition: {{gte: {threshold}}}}}")
    };
    let saved = |set: &Arc<RuleSet>| {
        let mut correlator = LiveCorrelator::new(Arc::clone(set), live());
        let events = [(0, "a", 1.0), (1, "a", 2.0), (2, "b", 3.0), (3, "b", 4.0)];
        correlator.observe(hits(set, &events), Timestamp::from_unix_seconds(START_S + 5));
        correlator.save().unwrap()
    };
    let before = saved(&set("ab", &[("c", &count("a", 3)), ("gone", &count("b", 9))]));
    let goes_on = |set: &Arc<RuleSet>| {
        let mut correlator = LiveCorrelator::new(Arc::clone(set), live());
        correlator.restore(&before.head, before.put.clone().into_iter()).unwrap();
        correlator.observe(hits(set, &[(9, "ab", 5.0)]), Timestamp::from_unix_seconds(START_S + 10));
        let found = found(&mut correlator, "c");
        (found, correlator.save().unwrap().gone.len())
    };
    assert_eq!(goes_on(&set("ab", &[("c", &count("a", 3)), ("gone", &count("b", 9))])), (vec![3], 0));
    assert_eq!(goes_on(&set("ab", &[("c", &count("b", 3)), ("gone", &count("b", 9))])).0, Vec::<u64>::new());
    assert_eq!(goes_on(&set("ab", &[("c", &count("a", 3))])), (vec![3], 1), "what is gone is taken out of the store");
}
