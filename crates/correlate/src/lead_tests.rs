//! One event that several rules match is one finding: the strongest rule leads, the others are named and still count in
//! correlations, whether hits wait or not, over restarts and reloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{ALSO_FIRED_MAX, Block, Finding, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{RuleSet, load};

use super::*;

/// A rule for lines of sshd that hold the word, with a technique of its own.
fn rule(id: &str, level: &str, word: &str, technique: &str) -> String {
    format!(
        "title: rule {id}\nid: {id}\nlevel: {level}\ntags: [attack.{technique}]\nlogsource: {{product: linux}}\ndetection: {{s: ['{word}'], condition: s}}\n---\n"
    )
}

const BURST: &str = "title: burst\nid: burst\nlevel: critical\ncorrelation: {type: event_count, rules: [weak], group-by: [source.ip], timespan: 1m, generate: true, condition: {gte: 3}}\n---\n";

fn set_of(rules: &[&str]) -> Arc<RuleSet> {
    let text = rules.concat();
    let loaded = load([("rules.yml", text.as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    Arc::new(loaded.set)
}

/// The weak rule matches every line, the strong one those of root; the third one is of equal level with the strong one.
fn three() -> Arc<RuleSet> {
    set_of(&[
        &rule("weak", "low", "Failed", "t1110"),
        &rule("strong", "high", "root", "t1078"),
        &rule("equal", "high", "password", "t1021"),
    ])
}

fn hits(set: &Arc<RuleSet>, users: &[&str]) -> Vec<Hit> {
    let line = |(second, user): (usize, &&str)| {
        let time = Timestamp::from_unix_seconds(1_790_000_000 + second as i64);
        format!("{time} h sshd[1]: Failed password for {user} from 192.0.2.1 port 1 ssh2")
    };
    let lines: Vec<String> = users.iter().enumerate().map(line).collect();
    let block = Block::detached("test", lines.join("\n").into_bytes(), Timestamp(0));
    Matcher::new(Arc::clone(set), None)
        .hits(&parse::Parser::new(parse::Options::default()).parse(block), &mut MatchScratch::default())
}

const NOW: Timestamp = Timestamp(1_790_000_100_000_000);

/// Findings by rule, as the batch intake makes them.
fn batch(set: &Arc<RuleSet>, hits: Vec<Hit>) -> BTreeMap<String, Finding> {
    let mut correlator = BatchCorrelator::new(Arc::clone(set), CorrelatorOptions::default());
    correlator.observe(hits);
    correlator.finish();
    by_rule(correlator.changes())
}

fn live(set: &Arc<RuleSet>, hits: Vec<Hit>) -> BTreeMap<String, Finding> {
    let mut correlator = LiveCorrelator::new(Arc::clone(set), CorrelatorOptions::default());
    correlator.observe(hits, NOW);
    by_rule(correlator.changes())
}

fn by_rule(changes: Vec<Change>) -> BTreeMap<String, Finding> {
    changes.into_iter().map(|change| (change.finding.rule.id.clone(), change.finding)).collect()
}

/// What a finding says of the rules that it leads.
fn also(finding: &Finding) -> Vec<(&str, u64)> {
    finding.also.iter().map(|other| (other.rule_id.as_str(), other.count)).collect()
}

#[test]
fn the_strongest_leads_and_names_the_others_in_both_intakes() {
    let set = three();
    for found in [batch(&set, hits(&set, &["root", "ann", "root"])), live(&set, hits(&set, &["root", "ann", "root"]))] {
        assert_eq!(found.keys().collect::<Vec<_>>(), ["equal", "strong"], "of equals the first leads: {found:?}");
        let (strong, equal) = (&found["strong"], &found["equal"]);
        assert_eq!((strong.span.count, also(strong)), (2, vec![("weak", 2), ("equal", 2)]));
        assert_eq!(strong.reason, "2 events matched for source.ip=192.0.2.1; also: rule weak (2), rule equal (2)");
        assert_eq!(strong.techniques, ["T1078", "T1110", "T1021"]);
        assert_eq!((equal.span.count, also(equal)), (1, vec![("weak", 1)]), "the line of ann");
    }
}

#[test]
fn of_packs_of_one_level_the_one_with_the_most_points_leads() {
    let set = three();
    let mut hits = hits(&set, &["root"]);
    let points = |points| Some(Arc::new(event::PatternsFound { points, threshold: 5, ..Default::default() }));
    for hit in &mut hits {
        let rule = &set.rules[set.rule_of(hit.rule).unwrap() as usize].head.id;
        hit.patterns = match rule.as_str() {
            "equal" => points(9),
            "strong" => points(7),
            _ => points(90),
        };
    }
    let found = batch(&set, hits);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["equal"], "a level counts more than points");
    assert_eq!(also(&found["equal"]), [("weak", 1), ("strong", 1)]);
}

#[test]
fn a_rule_that_is_led_counts_in_correlations_and_a_muted_one_neither_leads_nor_is_named() {
    let rules = [rule("weak", "low", "Failed", "t1110"), rule("strong", "high", "root", "t1078"), BURST.to_owned()];
    let set = set_of(&rules.each_ref().map(String::as_str));
    let found = live(&set, hits(&set, &["root", "root", "root"]));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["burst", "strong"]);
    assert_eq!((found["burst"].span.count, found["burst"].also.len()), (3, 0));
    assert_eq!(also(&found["strong"]), [("weak", 3)]);

    let quiet = BURST.replace("generate: true, ", "");
    let (weak, strong) = (rule("weak", "critical", "Failed", "t1110"), rule("strong", "high", "root", "t1078"));
    let set = set_of(&[&weak, &strong, &quiet]);
    for found in [live(&set, hits(&set, &["root"; 3])), batch(&set, hits(&set, &["root"; 3]))] {
        assert_eq!(found.keys().collect::<Vec<_>>(), ["burst", "strong"]);
        assert_eq!(also(&found["strong"]), [], "the correlation speaks for its rule");
    }
}

#[test]
fn what_a_finding_cannot_name_is_counted() {
    let others: Vec<String> =
        (0..ALSO_FIRED_MAX + 3).map(|number| rule(&format!("other{number}"), "low", "Failed", "t1110")).collect();
    let strong = rule("strong", "high", "Failed", "t1078");
    let texts: Vec<&str> = others.iter().chain([&strong]).map(String::as_str).collect();
    let set = set_of(&texts);
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &["ann", "bob"]), NOW);
    let found = by_rule(correlator.changes());
    assert_eq!((found.len(), found["strong"].also.len()), (1, ALSO_FIRED_MAX));
    assert!(found["strong"].also.iter().all(|other| other.count == 2));
    assert_eq!(correlator.counts().unplaced.unnamed, 2 * 3);
}

#[test]
fn an_event_whose_hits_are_more_than_a_run_is_one_finding() {
    let set = three();
    let users = ["root"; 50];
    for found in [batch(&set, hits(&set, &users)), live(&set, hits(&set, &users))] {
        assert_eq!(found.keys().collect::<Vec<_>>(), ["strong"]);
        assert_eq!(also(&found["strong"]), [("weak", 50), ("equal", 50)]);
    }
    let options = CorrelatorOptions { reorder_max: 10, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), options);
    correlator.observe(hits(&set, &users));
    assert_eq!(correlator.counts().released_early, 150 - 9, "events leave whole");
    correlator.finish();
    let found = by_rule(correlator.changes());
    assert_eq!((found.len(), also(&found["strong"])), (1, vec![("weak", 50), ("equal", 50)]));
}

#[test]
fn late_events_are_one_finding_too() {
    let set = three();
    let mut correlator =
        BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions { lateness_us: 0, ..CorrelatorOptions::default() });
    correlator.advance(NOW);
    correlator.observe(hits(&set, &["root", "root"]));
    assert_eq!(correlator.counts().late, 6);
    let found = by_rule(correlator.changes());
    assert_eq!((found.len(), also(&found["strong"])), (1, vec![("weak", 2), ("equal", 2)]));
}

#[test]
fn what_was_saved_goes_on_as_if_nothing_had_happened() {
    let set = three();
    let undisturbed = batch(&set, hits(&set, &["root", "root"]));
    let all = hits(&set, &["root", "root"]);
    assert_eq!(undisturbed.len(), 1);
    for at in [0, 3, 6] {
        let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
        correlator.observe(all[..at].to_vec());
        let saved = correlator.save().unwrap();
        let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
        correlator.restore(&saved.head, saved.put.into_iter()).unwrap();
        correlator.observe(all[at..].to_vec());
        correlator.finish();
        assert_eq!(by_rule(correlator.changes()), undisturbed, "hits that wait share their event again");
        let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
        correlator.observe(all[..at].to_vec(), NOW);
        let saved = correlator.save().unwrap();
        let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
        correlator.restore(&saved.head, saved.put.into_iter()).unwrap();
        correlator.observe(all[at..].to_vec(), NOW);
        assert_eq!(by_rule(correlator.changes()), undisturbed);
    }
}

#[test]
fn what_an_earlier_version_saved_names_nobody() {
    let set = three();
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &["root"]), NOW);
    let saved = correlator.save().unwrap();
    let names = r#""also":[{"id":"weak","count":1},{"id":"equal","count":1}],"#;
    let is_fold = |key: &str| key.starts_with("fold");
    let before = saved.put.into_iter().map(|(key, value)| {
        assert_eq!(is_fold(&key), value.contains(names), "{value}");
        (key, value.replace(names, ""))
    });
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.restore(&saved.head, before).unwrap();
    assert_eq!(by_rule(correlator.changes())["strong"].also, []);
    correlator.observe(hits(&set, &["root"]), NOW);
    assert_eq!(also(&by_rule(correlator.changes())["strong"]), [("weak", 1), ("equal", 1)]);
}

#[test]
fn a_reload_keeps_what_was_named_and_the_next_strongest_takes_over() {
    let set = three();
    let without_weak = set_of(&[&rule("equal", "high", "password", "t1021"), &rule("strong", "high", "root", "t1078")]);
    let mut correlator = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &["root"]), NOW);
    correlator.reload(Arc::clone(&without_weak));
    let found = by_rule(correlator.changes());
    assert_eq!(found["strong"].reason, "event matched for source.ip=192.0.2.1; also: weak (1), rule equal (1)");
    assert_eq!(found["strong"].techniques, ["T1078", "T1021"]);

    // Hits that wait are led by the rules that are in force when they count.
    let without_strong =
        set_of(&[&rule("weak", "low", "Failed", "t1110"), &rule("equal", "high", "password", "t1021")]);
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(hits(&set, &["root"]));
    correlator.reload(without_strong);
    correlator.finish();
    let found = by_rule(correlator.changes());
    assert_eq!((found.len(), also(&found["equal"])), (1, vec![("weak", 1)]));
}
