//! Correlations equal a brute-force model, whatever the order of arrival within the lateness, and survive a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};
use matcher::{MatchScratch, Matcher};
use proptest::prelude::*;
use rules::{RuleSet, load};

use super::*;

const RULES: &str = r"
title: failed login
id: failed
level: low
logsource: {product: linux, service: sshd}
detection: {s: {event.action: ssh_login, event.outcome: failure}, condition: s}
---
title: brute force
id: brute
level: high
correlation: {type: event_count, rules: [failed], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}
---
title: spraying
id: spray
level: high
correlation: {type: value_count, rules: [failed], group-by: [source.ip], timespan: 1m, condition: {gte: 3, field: user.name}}
";

/// Compiled once: the cases are many.
fn set() -> Arc<RuleSet> {
    static SET: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    Arc::clone(SET.get_or_init(compiled))
}

fn compiled() -> Arc<RuleSet> {
    let loaded = load([("rules.yml", RULES)], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    Arc::new(loaded.set)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Login {
    second: i64,
    address: u8,
    user: u8,
}

fn parse(logins: &[Login]) -> EventBatch {
    let lines: Vec<_> = logins
        .iter()
        .map(|login| {
            let time = Timestamp::from_unix_seconds(1_790_000_000 + login.second);
            let (address, user) = (login.address, login.user);
            format!("{time} h sshd[1]: Failed password for u{user} from 192.0.2.{address} port 1 ssh2")
        })
        .collect();
    parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "test",
        lines.join("\n").into_bytes(),
        Timestamp(0),
    ))
}

/// `(rule, group, count)` of every finding, sorted; open and closed ones alike.
fn run(set: &Arc<RuleSet>, logins: &[Login], lateness_s: i64, restart_at: Option<usize>) -> Vec<(String, String, u64)> {
    let options =
        CorrelatorOptions { lateness_us: lateness_s * 1_000_000, fold_gap_us: 0, ..CorrelatorOptions::default() };
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut correlator = BatchCorrelator::new(Arc::clone(set), options.clone());
    let mut found = BTreeMap::new();
    let mut take = |correlator: &mut BatchCorrelator| {
        for change in correlator.changes() {
            let finding = change.finding;
            found.insert(finding.id, (finding.rule.id, finding.entities.source_ip.join(","), finding.span.count));
        }
    };
    let hits = matcher.hits(&parse(logins), &mut MatchScratch::default());
    for (at, hit) in hits.into_iter().enumerate() {
        if restart_at == Some(at) {
            take(&mut correlator);
            let saved = correlator.save().unwrap();
            correlator = BatchCorrelator::new(Arc::clone(set), options.clone());
            correlator.restore(&saved.head, saved.put.into_iter()).unwrap();
        }
        correlator.observe(vec![hit]);
        correlator.advance(correlator.state.clock.newest());
        if at % 7 == 0 {
            take(&mut correlator);
        }
    }
    correlator.finish();
    take(&mut correlator);
    let mut found: Vec<_> = found.into_values().collect();
    found.sort();
    found
}

/// The specification in the obvious way: for every event, look at all events of the window before it.
fn model(logins: &[Login]) -> Vec<(String, String, u64)> {
    let mut sorted = logins.to_vec();
    sorted.sort_by_key(|login| login.second);
    let mut found = Vec::new();
    let mut addresses: Vec<_> = sorted.iter().map(|login| login.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    for address in addresses {
        let events: Vec<_> = sorted.iter().filter(|login| login.address == address).collect();
        for (rule, by_user) in [("brute", false), ("spray", true)] {
            let inside = |at: usize, now: i64, events: &[&Login]| {
                let window = events[..at].iter().filter(|login| now - login.second <= 60);
                if by_user {
                    let mut users: Vec<_> = window.map(|login| login.user).collect();
                    users.sort_unstable();
                    users.dedup();
                    users.len()
                } else {
                    window.count()
                }
            };
            // Events so far, and the place of the last one.
            let mut open: Option<(u64, usize)> = None;
            for (at, event) in events.iter().enumerate() {
                // What leaves the threshold and reaches it again within the time span is one finding.
                if inside(at, event.second, &events) < 3
                    && let Some((count, _)) = open.take_if(|(_, last)| event.second - events[*last].second > 60)
                {
                    found.push((rule.to_owned(), format!("192.0.2.{address}"), count));
                }
                if inside(at + 1, event.second, &events) >= 3 {
                    let (before, new) = open.map_or((0, 0), |(count, last)| (count, last + 1));
                    let all = events[new..=at].iter().filter(|login| event.second - login.second <= 60);
                    open = Some((before + all.count() as u64, at));
                }
            }
            found.extend(open.map(|(count, _)| (rule.to_owned(), format!("192.0.2.{address}"), count)));
        }
    }
    found.sort();
    found
}

fn logins() -> impl Strategy<Value = Vec<Login>> {
    let login = (0..400_i64, 0..3_u8, 0..4_u8).prop_map(|(second, address, user)| Login { second, address, user });
    prop::collection::vec(login, 0..60).prop_map(|mut logins| {
        logins.sort_by_key(|login| login.second);
        logins
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn correlations_equal_the_model(logins in logins()) {
        prop_assert_eq!(run(&set(), &logins, 300, None), model(&logins));
    }

    #[test]
    fn order_of_arrival_within_the_lateness_does_not_matter(logins in logins(), seed in any::<u64>()) {
        // Each event is delayed by at most the lateness.
        let mut arrivals: Vec<_> = logins.iter().enumerate().map(|(at, login)| {
            let delay = (seed.wrapping_mul(at as u64 * 2 + 1) >> 33) % 120;
            (login.second + delay as i64, login.clone())
        }).collect();
        arrivals.sort_by_key(|(arrival, _)| *arrival);
        let shuffled: Vec<_> = arrivals.into_iter().map(|(_, login)| login).collect();
        prop_assert_eq!(run(&set(), &shuffled, 121, None), model(&logins));
    }

    #[test]
    fn a_restart_at_any_event_changes_nothing(logins in logins(), at in any::<prop::sample::Index>()) {
        let at = at.index(logins.len().max(1));
        prop_assert_eq!(run(&set(), &logins, 300, Some(at)), model(&logins));
    }
}

fn burst(seconds: &[i64]) -> Vec<Login> {
    seconds.iter().map(|second| Login { second: *second, address: 1, user: 1 }).collect()
}

#[test]
fn the_window_includes_events_exactly_the_time_span_apart() {
    assert_eq!(run(&set(), &burst(&[0, 30, 60]), 300, None).len(), 1);
    assert_eq!(run(&set(), &burst(&[0, 30, 61]), 300, None).len(), 0);
}

#[test]
fn late_events_are_counted_and_kept_out_of_windows() {
    let set = set();
    let matcher = Matcher::new(Arc::clone(&set), None);
    let options = CorrelatorOptions { lateness_us: 10_000_000, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), options);
    for second in [0, 1, 1000, 2] {
        correlator.observe(matcher.hits(&parse(&burst(&[second])), &mut MatchScratch::default()));
        correlator.advance(correlator.state.clock.newest());
    }
    correlator.finish();
    assert_eq!(correlator.counts().late, 1);
    assert_eq!(correlator.changes().len(), 0);
}

#[test]
fn a_repeated_message_counts_as_often_as_it_says() {
    let set = set();
    let line = "2026-11-23T10:00:00Z h sshd[1]: message repeated 5 times: [ Failed password for root from 192.0.2.1 port 1 ssh2]";
    let batch = parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "test",
        line.as_bytes().to_vec(),
        Timestamp(0),
    ));
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(matcher.hits(&batch, &mut MatchScratch::default()));
    correlator.finish();
    let changes = correlator.changes();
    assert_eq!((changes.len(), changes[0].finding.span.count), (1, 5));
}

#[test]
fn a_flood_of_new_groups_does_not_erase_an_attack_in_progress() {
    let set = set();
    let options = CorrelatorOptions { groups_max: 500, ..CorrelatorOptions::default() };
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), options);
    let mut observe = |lines: String| {
        let batch = parse::Parser::new(parse::Options::default()).parse(Block::detached(
            "test",
            lines.into_bytes(),
            Timestamp(0),
        ));
        correlator.observe(matcher.hits(&batch, &mut MatchScratch::default()));
    };
    let line = |second: u8, address: String| {
        format!("2026-11-23T10:00:{second:02}Z h sshd[1]: Failed password for root from {address} port 1 ssh2\n")
    };
    observe(line(0, "192.0.2.1".into()).repeat(2));
    observe((0..5000).map(|at| line(1, format!("10.0.{}.{}", at / 250, at % 250))).collect());
    observe(line(2, "192.0.2.1".into()));
    correlator.finish();
    let changes = correlator.changes();
    assert!(changes.iter().any(|change| change.finding.entities.source_ip == ["192.0.2.1"]));
    assert!(correlator.counts().evicted >= 4000);
}

#[test]
fn every_address_that_was_counted_is_named_whether_its_line_is_kept_or_not() {
    let text = RULES.replace(
        "{type: value_count, rules: [failed], group-by: [source.ip], timespan: 1m, condition: {gte: 3, field: user.name}}",
        "{type: value_count, rules: [failed], group-by: [user.name], timespan: 1h, condition: {gte: 60, field: source.ip}}",
    );
    let set = Arc::new(load([("rules.yml", text.as_str())], &rules::Terms::default()).set);
    let tries = (1..=60_u8).flat_map(|address| (0..2).map(move |again| (address, again)));
    let logins: Vec<Login> =
        tries.map(|(address, again)| Login { second: i64::from(address) * 30 + again, address, user: 1 }).collect();
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(Matcher::new(set, None).hits(&parse(&logins), &mut MatchScratch::default()));
    correlator.finish();
    let changes = correlator.changes();
    let spread = changes.iter().find(|change| change.finding.rule.id == "spray").unwrap();
    let expected: std::collections::BTreeSet<String> = (1..=60).map(|address| format!("192.0.2.{address}")).collect();
    let named: std::collections::BTreeSet<String> = spread.finding.entities.source_ip.iter().cloned().collect();
    assert_eq!(named, expected, "each address, and no other");
}

#[test]
fn a_finding_brings_the_events_it_counts_and_the_first_since_it_was_reported() {
    let logins: Vec<Login> = (0..40).map(|second| Login { second, address: 1, user: 1 }).collect();
    let matcher = Matcher::new(set(), None);
    let mut hits = matcher.hits(&parse(&logins), &mut MatchScratch::default());
    let mut correlator = LiveCorrelator::new(set(), CorrelatorOptions::default());
    let mut brute = |hits: Vec<event::Hit>| {
        correlator.observe(hits, Timestamp::from_unix_seconds(1_790_000_100));
        let found = correlator.changes().into_iter().find(|change| change.finding.rule.id == "brute");
        found.unwrap().finding
    };
    let later = hits.split_off(20);
    let first = brute(hits);
    assert_eq!((first.span.count, first.counted.events.count(), first.counted.events.is_exact()), (20, 20, true));
    let grown = brute(later);
    assert_eq!((grown.span.count, grown.counted.events.count()), (40, 40));
    assert_eq!(grown.counted.events.without(&first.counted.events).count(), 20);
    let fresh: Vec<u64> = grown.counted.fresh.iter().map(|evidence| evidence.line_no).collect();
    assert_eq!(fresh, [21, 22, 23, 24, 25], "neither among its first events nor its last");
}
