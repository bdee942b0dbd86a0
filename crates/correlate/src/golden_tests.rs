//! Findings and saved state over a long mixed run are, byte for byte, what they have always been: stores hold them.

use std::sync::Arc;

use event::block::digest;
use event::{Block, Finding, FindingRating, FindingRule, FindingSpan, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{RuleSet, load};

use super::*;

const START_S: i64 = 1_790_000_000;

fn set(order: &str) -> Arc<RuleSet> {
    let detection = |letter: char| {
        format!(
            "title: {letter}\nid: {letter}\nlevel: low\nlogsource: {{category: test}}\ndetection: {{s: {{act|contains: {letter}}}, condition: s}}\n"
        )
    };
    let correlations = [
        ("count", "{type: event_count, rules: [a, b], group-by: [g], timespan: 30s, condition: {gte: 4}}", ""),
        ("values", "{type: value_count, rules: [a], group-by: [g], timespan: 40s, condition: {gte: 3, field: u}}", ""),
        ("few", "{type: event_count, rules: [c], group-by: [g], timespan: 20s, condition: {lte: 2}}", ""),
        ("sum", "{type: value_sum, rules: [b], group-by: [g], timespan: 1m, condition: {gte: 9.5, field: n}}", ""),
        (
            "mid",
            "{type: value_percentile, rules: [b], group-by: [g], timespan: 1m, condition: {gte: 6, field: n, percentile: 90}}",
            "",
        ),
        ("pair", "{type: temporal, rules: [a, c], group-by: [g], timespan: 15s}", ""),
        ("order", "{type: temporal_ordered, rules: [a, b, c], group-by: [g], timespan: 25s}", ""),
        ("outer", "{type: event_count, rules: [count], group-by: [g], timespan: 5m, condition: {gte: 2}}", ""),
        ("then", "{type: temporal, rules: [few, b], group-by: [g], timespan: 60s}", ""),
        (
            "spared",
            "{type: event_count, rules: [b], group-by: [g], timespan: 1m, condition: {gte: 3}}",
            "c0di3.forgiven_by: [d]\n",
        ),
        (
            "fresh",
            "{type: new_terms, rules: [a], group-by: [g], timespan: 7d, warm-up: 20s, condition: {field: u}}",
            "",
        ),
        (
            "spike",
            "{type: spike, rules: [a, b], group-by: [g], timespan: 10s, warm-up: 5s, condition: {gte: 3, factor: 2}}",
            "",
        ),
    ];
    let mut text: Vec<String> = order.chars().map(detection).collect();
    text.extend(correlations.iter().map(|(id, section, more)| {
        format!("title: {id}\nid: {id}\nlevel: high\n{more}correlation: {section}\ngenerate: true\n")
    }));
    let loaded = load([("r.yml", text.join("---\n").as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().collect::<Vec<_>>(), Vec::<&rules::Diagnostic>::new());
    Arc::new(loaded.set)
}

/// Lines of pseudo-random events, each up to `late_s` seconds after its time. Some name no time.
fn blocks(seed: u64, late_s: u64) -> Vec<(i64, String)> {
    let mut state = seed;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let line = |at: i64, below: &mut dyn FnMut(u64) -> u64| {
        let second = at + below(3) as i64;
        let time = Timestamp::from_unix_seconds(START_S + second);
        let act = ["a", "ab", "b", "c", "bc", "d", "x"][below(7) as usize];
        let (group, user, number) = (below(4), below(5), below(60) as f64 / 10.0);
        let source = format!("192.0.2.{}", below(3));
        let stamp = if below(40) == 0 { String::new() } else { format!("\"@timestamp\": \"{time}\", ") };
        let line = format!(
            "{{{stamp}\"act\": \"{act}\", \"g\": \"g{group}\", \"u\": \"u{user}\", \"n\": {number}, \"source.ip\": \"{source}\"}}\n"
        );
        (second + below(late_s + 1) as i64, line)
    };
    let mut lines: Vec<(i64, String)> = (0..400).map(|at| line(at, &mut below)).collect();
    lines.sort_by_key(|(arrival, _)| *arrival);
    lines.chunks(7).map(|part| (part[6 % part.len()].0, part.iter().map(|(_, line)| line.as_str()).collect())).collect()
}

fn hits(set: &Arc<RuleSet>, at: usize, second: i64, text: &str) -> Vec<Hit> {
    let received = Timestamp::from_unix_seconds(START_S + second);
    let block = Block::detached(&format!("block {at}"), text.as_bytes().to_vec(), received);
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    Matcher::new(Arc::clone(set), None).hits(&batch, &mut MatchScratch::default())
}

/// A finding in a form that does not follow the shape of its type.
fn text_of(finding: &Finding) -> String {
    let Finding { id, rule, also, rating, span, entities, techniques, reason, response, evidence, continues, counted } =
        finding;
    let also = if also.is_empty() { String::new() } else { format!(", also: {also:?}") };
    let FindingRule { id: rule_id, title, level } = rule;
    let FindingRating { score, parts, severity } = rating;
    let FindingSpan { first_seen, last_seen, count } = span;
    format!(
        "Finding {{ id: {id:?}, rule_id: {rule_id:?}, rule_title: {title:?}, level: {level:?}, score: {score:?}, \
         score_parts: {parts:?}, severity: {severity:?}, first_seen: {first_seen:?}, last_seen: {last_seen:?}, \
         count: {count:?}, entities: {entities:?}, techniques: {techniques:?}, reason: {reason:?}, \
         response: {response:?}, evidence: {evidence:?}, continues: {continues:?}, counted: {counted:?}{also} }}"
    )
}

/// What there is to see of a correlator.
fn look<I>(correlator: &mut Correlator<I>, out: &mut String) {
    for Change { finding, open } in correlator.changes() {
        *out += &format!("{open} {}\n", text_of(&finding));
    }
    let SavedState { head, put, gone } = correlator.save().unwrap();
    *out += &format!("{head}\n");
    put.iter().for_each(|(key, value)| *out += &format!("{key}={value}\n"));
    gone.iter().for_each(|key| *out += &format!("-{key}\n"));
    *out += &format!("{:?}\n", correlator.open());
    for id in ["count", "order", "few", "mid", "fresh"] {
        *out += &format!("{:?}\n", correlator.groups(id, 3));
    }
}

fn small() -> CorrelatorOptions {
    CorrelatorOptions {
        lateness_us: 20_000_000,
        fold_gap_us: 25_000_000,
        groups_max: 3,
        proof_bytes_max: 4_000,
        window_bytes_max: 30_000,
        ..CorrelatorOptions::default()
    }
}

fn batch(options: &CorrelatorOptions) -> String {
    let (one, other) = (set("abcd"), set("xdcba"));
    let mut correlator = BatchCorrelator::new(Arc::clone(&one), options.clone());
    let (mut out, mut rules) = (String::new(), one);
    for (at, (second, text)) in blocks(5, 15).into_iter().enumerate() {
        let reached = Timestamp::from_unix_seconds(START_S + second);
        correlator.next_block(Some(reached), reached.saturating_add_us(60_000_000));
        correlator.observe(hits(&rules, at, second, &text));
        correlator.advance(reached.saturating_sub_us(15_000_000));
        if at % 5 == 4 {
            look(&mut correlator, &mut out);
        }
        if at == 20 || at == 40 {
            rules = if at == 20 { Arc::clone(&other) } else { set("dcba") };
            let reloaded = correlator.reload(Arc::clone(&rules));
            out += &format!("{} {}\n", reloaded.kept, reloaded.dropped);
        }
    }
    correlator.finish();
    look(&mut correlator, &mut out);
    out
}

fn live(options: &CorrelatorOptions) -> String {
    let (one, other) = (set("abcd"), set("xdcba"));
    let mut correlator = LiveCorrelator::new(Arc::clone(&one), options.clone());
    let (mut out, mut rules) = (String::new(), one);
    let mut stored = std::collections::BTreeMap::new();
    for (at, (second, text)) in blocks(9, 30).into_iter().enumerate() {
        let received = Timestamp::from_unix_seconds(START_S + second);
        correlator.observe(hits(&rules, at, second, &text), received);
        correlator.passed(received.saturating_sub_us(3_000_000), received);
        if at % 5 == 4 {
            look(&mut correlator, &mut out);
        }
        if at % 9 == 8 {
            correlator.idle(received.saturating_add_us(30_000_000));
        }
        let SavedState { head, put, gone } = correlator.save().unwrap();
        gone.iter().for_each(|key| drop(stored.remove(key)));
        stored.extend(put);
        if at == 25 {
            rules = Arc::clone(&other);
            let reloaded = correlator.reload(Arc::clone(&rules));
            out += &format!("{} {}\n", reloaded.kept, reloaded.dropped);
        }
        if at == 35 {
            correlator = LiveCorrelator::new(Arc::clone(&rules), options.clone());
            correlator.restore(&head, stored.clone().into_iter()).unwrap();
        }
    }
    look(&mut correlator, &mut out);
    out
}

/// Digests of all that a run tells and saves; they change only with the form of what is stored. With `GOLDEN_DIR` set
/// the texts are written there, to see where two versions differ.
#[test]
fn findings_and_saved_state_are_what_they_have_always_been() {
    let (roomy, tight) = (CorrelatorOptions { lateness_us: 20_000_000, ..CorrelatorOptions::default() }, small());
    for (name, out, wanted) in [
        ("batch", batch(&roomy), "833013e1ecff63c4a7f55abab68727de"),
        ("batch-tight", batch(&tight), "f34783057aaa0d0cb213fed8ed2fdfe2"),
        ("live", live(&roomy), "543c8c604c2617b90c54b6fa56a8e59d"),
        ("live-tight", live(&tight), "d3104b082613387902a58d1e17a85118"),
    ] {
        if let Ok(folder) = std::env::var("GOLDEN_DIR") {
            std::fs::write(std::path::Path::new(&folder).join(name), &out).unwrap();
        }
        assert_eq!(format!("{:032x}", digest(&[out.as_bytes()])), wanted, "{name}");
    }
}
