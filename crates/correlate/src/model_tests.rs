//! Every aggregate against the specification in the obvious way: for each event, look at all events around it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event::{Block, EventBatch, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};
use proptest::prelude::*;
use rules::{RuleSet, load};

use super::*;

const SPAN_S: i64 = 60;

/// Id, type, condition, and whether the aggregate is where it must be.
type Case = (&'static str, &'static str, &'static str, fn(&[Login]) -> bool);

fn ports(logins: &[Login]) -> Vec<f64> {
    let mut ports: Vec<f64> = logins.iter().map(|login| f64::from(login.port)).collect();
    ports.sort_by(f64::total_cmp);
    ports
}

fn average(logins: &[Login]) -> Option<f64> {
    (!logins.is_empty()).then(|| ports(logins).iter().sum::<f64>() / logins.len() as f64)
}

fn percentile(logins: &[Login], percent: f64) -> Option<f64> {
    let sorted = ports(logins);
    let position = sorted.len().checked_sub(1)? as f64 * percent / 100.0;
    let below = sorted[position.floor() as usize];
    let above = sorted.get(position.floor() as usize + 1).copied().unwrap_or(below);
    Some(if position.fract() > 0.0 { below + (above - below) * position.fract() } else { below })
}

fn users(logins: &[Login]) -> usize {
    let mut users: Vec<u8> = logins.iter().map(|login| login.user).collect();
    users.sort_unstable();
    users.dedup();
    users.len()
}

/// Fire at the event that reaches the threshold.
const AT_THE_EVENT: &[Case] = &[
    ("sum", "value_sum", "{gte: 150, field: source.port}", |all| ports(all).iter().sum::<f64>() >= 150.0),
    ("avg", "value_avg", "{gt: 40.5, field: source.port}", |all| average(all).is_some_and(|found| found > 40.5)),
    ("median", "value_median", "{gte: 45, field: source.port}", |all| percentile(all, 50.0).is_some_and(|p| p >= 45.0)),
    ("p90", "value_percentile", "{gt: 52, percentile: 90, field: source.port}", |all| {
        percentile(all, 90.0).is_some_and(|p| p > 52.0)
    }),
    ("pairs", "value_count", "{gte: 4, field: [user.name, source.port]}", |all| {
        let mut pairs: Vec<_> = all.iter().map(|login| (login.user, login.port)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.len() >= 4
    }),
    ("temporal", "temporal", "{gte: 3}", |all| users(all) == 3),
    ("temporal_ordered", "temporal_ordered", "{gte: 3}", |all| {
        // Events of one second stand in either order, which here one event of each user always allows.
        let first = |user: u8, from: i64| {
            all.iter().filter(|login| login.user == user && login.second >= from).map(|login| login.second).min()
        };
        first(0, i64::MIN).and_then(|second| first(1, second)).and_then(|second| first(2, second)).is_some()
    }),
];

/// Kinds that only grow by more events: live, what is found is found once and for all.
const GROWING: &[&str] = &["sum", "pairs", "temporal", "temporal_ordered"];

/// Fire when a window closes.
const AT_THE_END: &[Case] = &[
    ("few", "event_count", "{lte: 2}", |all| all.len() <= 2),
    ("exactly", "event_count", "{eq: 3}", |all| all.len() == 3),
    ("range", "event_count", "{gt: 1, lt: 4}", |all| all.len() > 1 && all.len() < 4),
    ("other", "event_count", "{neq: 2}", |all| all.len() != 2),
    ("few_users", "value_count", "{lt: 3, field: user.name}", |all| users(all) < 3),
    ("low_avg", "value_avg", "{lt: 20, field: source.port}", |all| average(all).is_some_and(|found| found < 20.0)),
];

/// Compiled once: the cases are many.
fn set() -> Arc<RuleSet> {
    static SET: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    Arc::clone(SET.get_or_init(compiled))
}

fn compiled() -> Arc<RuleSet> {
    let base = |id: &str, more: &str| {
        format!(
            "title: {id}\nid: {id}\nlevel: low\nlogsource: {{product: linux, service: sshd}}\ndetection: {{s: {{event.action: ssh_login{more}}}, condition: s}}\n"
        )
    };
    let mut text = base("login", "");
    for user in ["u0", "u1", "u2"] {
        text += &format!("---\n{}", base(user, &format!(", user.name: {user}")));
    }
    for (id, kind, condition, _) in AT_THE_EVENT.iter().chain(AT_THE_END) {
        let rules = if kind.starts_with("temporal") { "u0, u1, u2" } else { "login" };
        text += &format!(
            "---\ntitle: {id}\nid: {id}\nlevel: high\ncorrelation: {{type: {kind}, rules: [{rules}], group-by: [source.ip], timespan: {SPAN_S}s, condition: {condition}}}\n"
        );
    }
    let loaded = load([("rules.yml", text.as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    Arc::new(loaded.set)
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Login {
    second: i64,
    address: u8,
    user: u8,
    port: u16,
}

fn parse(logins: &[Login]) -> EventBatch {
    let line = |login: &Login| {
        let time = Timestamp::from_unix_seconds(1_790_000_000 + login.second);
        let Login { address, user, port, .. } = login;
        format!("{time} h sshd[1]: Failed password for u{user} from 192.0.2.{address} port {port} ssh2\n")
    };
    let text: String = logins.iter().map(line).collect();
    let block = Block::detached("test", text.into_bytes(), Timestamp(0));
    parse::Parser::new(parse::Options::default()).parse(block)
}

/// `(rule, address, events)` of every finding, sorted.
type SortedFindings = Vec<(String, String, u64)>;

fn run(set: &Arc<RuleSet>, logins: &[Login], lateness_s: i64) -> SortedFindings {
    let options =
        CorrelatorOptions { lateness_us: lateness_s * 1_000_000, fold_gap_us: 0, ..CorrelatorOptions::default() };
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut correlator = BatchCorrelator::new(Arc::clone(set), options.clone());
    let mut found = BTreeMap::new();
    let hits = matcher.hits(&parse(logins), &mut MatchScratch::default());
    let hits: Vec<Vec<Hit>> = hits.chunk_by(|one, other| one.event.id == other.event.id).map(<[Hit]>::to_vec).collect();
    for (at, hits) in hits.into_iter().enumerate() {
        correlator.observe(hits);
        correlator.advance(correlator.state.clock.newest());
        if at % 5 == 4 {
            for Change { finding, .. } in correlator.changes() {
                found.insert(finding.id, (finding.rule.id, finding.entities.source_ip.join(","), finding.span.count));
            }
            if at == 9 {
                let saved = correlator.save().unwrap();
                correlator = BatchCorrelator::new(Arc::clone(set), options.clone());
                correlator.restore(&saved.head, saved.put.into_iter()).unwrap();
            }
        }
    }
    correlator.finish_for_good();
    for Change { finding, .. } in correlator.changes() {
        found.insert(finding.id, (finding.rule.id, finding.entities.source_ip.join(","), finding.span.count));
    }
    let mut found: SortedFindings = found.into_values().filter(|(rule, ..)| rule != "login").collect();
    found.sort();
    found
}

/// As a live service counts: each login is received at its second of `arrivals`.
fn run_live(set: &Arc<RuleSet>, logins: &[Login], arrivals: &[i64], lateness_s: i64) -> SortedFindings {
    let options =
        CorrelatorOptions { lateness_us: lateness_s * 1_000_000, fold_gap_us: 0, ..CorrelatorOptions::default() };
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut correlator = LiveCorrelator::new(Arc::clone(set), options.clone());
    let mut found = BTreeMap::new();
    let mut take = |correlator: &mut LiveCorrelator| {
        for Change { finding, .. } in correlator.changes() {
            found.insert(finding.id, (finding.rule.id, finding.entities.source_ip.join(","), finding.span.count));
        }
    };
    let hits = matcher.hits(&parse(logins), &mut MatchScratch::default());
    let hits = hits.chunk_by(|one, other| one.event.id == other.event.id);
    for (at, (hits, arrival)) in hits.zip(arrivals).enumerate() {
        correlator.observe(hits.to_vec(), Timestamp::from_unix_seconds(1_790_000_000 + arrival));
        take(&mut correlator);
        if at == 9 {
            let saved = correlator.save().unwrap();
            correlator = LiveCorrelator::new(Arc::clone(set), options.clone());
            correlator.restore(&saved.head, saved.put.into_iter()).unwrap();
        }
    }
    correlator.idle(Timestamp::from_unix_seconds(1_800_000_000));
    take(&mut correlator);
    assert_eq!(correlator.counts().late, 0, "nothing comes later than the lateness");
    let mut found: SortedFindings = found.into_values().filter(|(rule, ..)| rule != "login").collect();
    found.sort();
    found
}

fn model(logins: &[Login]) -> SortedFindings {
    let mut sorted = logins.to_vec();
    sorted.sort_by_key(|login| login.second);
    // Findings that begin with the same event are one finding.
    let mut found = BTreeMap::new();
    for address in 0..4 {
        let events: Vec<Login> = sorted.iter().filter(|login| login.address == address).cloned().collect();
        for (id, kind, _, reached) in AT_THE_EVENT {
            let counts = |login: &&Login| !kind.starts_with("temporal") || login.user < 3;
            let events: Vec<Login> = events.iter().filter(counts).cloned().collect();
            // First event, events, the last one and its time.
            let mut open: Option<(usize, usize, usize)> = None;
            let mut left = false;
            for (at, event) in events.iter().enumerate() {
                let start = events.iter().position(|other| event.second - other.second <= SPAN_S).unwrap_or(at);
                // A finding goes on while the aggregate stays, and joins what comes within the time span after it.
                left |= !reached(&events[start..at]);
                open = open.filter(|(_, _, last)| !left || event.second - events[*last].second <= SPAN_S);
                let there = reached(&events[start..=at]);
                left = !there;
                if there {
                    let (first, before, last) = open.unwrap_or((start, 0, usize::MAX));
                    let new = (start..=at).filter(|place| last == usize::MAX || *place > last).count();
                    open = Some((first, before + new, at));
                    found.insert((*id, address, first), before + new);
                }
            }
        }
        for (id, _, _, reached) in AT_THE_END {
            let mut start = 0;
            while let Some(first) = events.get(start) {
                let inside = events[start..].iter().take_while(|event| event.second - first.second <= SPAN_S).count();
                if reached(&events[start..start + inside]) {
                    found.insert((*id, address, start), inside);
                }
                start += inside;
            }
        }
    }
    let named = |((id, address, _), count): ((&str, u8, usize), usize)| {
        (id.to_owned(), format!("192.0.2.{address}"), count as u64)
    };
    let mut found: SortedFindings = found.into_iter().map(named).collect();
    found.sort();
    found
}

fn logins() -> impl Strategy<Value = Vec<Login>> {
    let login = (0..600_i64, 0..3_u8, 0..4_u8, 1..60_u16);
    let login = login.prop_map(|(second, address, user, port)| Login { second, address, user, port });
    prop::collection::vec(login, 0..40).prop_map(|mut logins| {
        logins.sort_by_key(|login| login.second);
        logins
    })
}

/// Logins of different seconds; those seconds after a delay of up to two minutes each; and the logins in that order.
/// Equal times would keep their order of arrival, which a tie would make a matter of taste.
fn delayed(mut logins: Vec<Login>, seed: u64) -> (Vec<Login>, Vec<i64>, Vec<Login>) {
    logins.dedup_by_key(|login| login.second);
    let delay = |at: usize| ((seed.wrapping_mul(at as u64 * 2 + 1) >> 33) % 120) as i64;
    let arrivals = logins.iter().enumerate().map(|(at, login)| (login.second + delay(at), login.clone()));
    let mut arrivals: Vec<(i64, Login)> = arrivals.collect();
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    let (seconds, shuffled) = arrivals.into_iter().unzip();
    (logins, seconds, shuffled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn every_aggregate_equals_the_model(logins in logins()) {
        prop_assert_eq!(run(&set(), &logins, 300), model(&logins));
    }

    #[test]
    fn live_finds_what_the_sorted_events_hold(logins in logins(), seed in any::<u64>()) {
        let (logins, seconds, shuffled) = delayed(logins, seed);
        let (live, sorted) = (run_live(&set(), &shuffled, &seconds, 121), model(&logins));
        let of = |found: &SortedFindings, wanted: &dyn Fn(&str) -> bool| -> SortedFindings {
            found.iter().filter(|(rule, ..)| wanted(rule)).cloned().collect()
        };
        let at_the_end = |rule: &str| AT_THE_END.iter().any(|(id, ..)| *id == rule);
        prop_assert_eq!(of(&live, &at_the_end), of(&sorted, &at_the_end));
        let named = |found: &SortedFindings| -> BTreeSet<(String, String)> {
            found.iter().map(|(rule, address, _)| (rule.clone(), address.clone())).collect()
        };
        let growing = |rule: &str| GROWING.contains(&rule);
        prop_assert_eq!(named(&of(&live, &growing)), named(&of(&sorted, &growing)));
        prop_assert!(named(&live).is_superset(&named(&sorted)), "{live:?} {sorted:?}");
    }

    #[test]
    fn arrival_within_the_lateness_does_not_matter_to_any_aggregate(logins in logins(), seed in any::<u64>()) {
        let (logins, _, shuffled) = delayed(logins, seed);
        prop_assert_eq!(run(&set(), &shuffled, 121), model(&logins));
    }
}
