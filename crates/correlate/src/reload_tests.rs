//! A reload keeps what unchanged rules have counted, whatever their order, and lets go of the rest, also in what is
//! saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{RuleSet, load};

use super::*;

const FAILED: &str = "title: failed\nid: failed\nlevel: low\nlogsource: {product: linux, service: sshd}\ndetection: {s: {event.action: ssh_login, event.outcome: failure}, condition: s}\n---\n";
const ROOT: &str = "title: root\nid: root\nlevel: medium\nlogsource: {product: linux}\ndetection: {s: {user.name: root}, condition: s}\n---\n";
const OTHER: &str = "title: other\nid: other\nlevel: low\nlogsource: {product: linux}\ndetection: {s: {user.name: bob}, condition: s}\n---\n";

fn brute(id: &str, least: u32, field: &str) -> String {
    format!(
        "title: {id}\nid: {id}\nlevel: high\ncorrelation: {{type: event_count, rules: [failed], group-by: [{field}], timespan: 1m, condition: {{gte: {least}}}}}\n---\n"
    )
}

fn set_of(rules: &[&str]) -> Arc<RuleSet> {
    let text = rules.concat();
    let loaded = load([("rules.yml", text.as_str())], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    Arc::new(loaded.set)
}

fn parse(second: i64) -> EventBatch {
    let time = Timestamp::from_unix_seconds(1_790_000_000 + second);
    let line = format!("{time} h sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2");
    parse::Parser::new(parse::Options::default()).parse(Block::detached(
        &format!("test {second}"),
        line.into_bytes(),
        Timestamp(0),
    ))
}

/// A correlator with its findings and what is saved of it.
struct ReloadRun {
    set: Arc<RuleSet>,
    correlator: LiveCorrelator,
    findings: BTreeMap<String, (event::FindingId, u64)>,
    saved: BTreeMap<String, String>,
    head: String,
}

impl ReloadRun {
    fn new(set: &Arc<RuleSet>) -> Self {
        let options = CorrelatorOptions::default();
        let (set, correlator) = (Arc::clone(set), LiveCorrelator::new(Arc::clone(set), options));
        ReloadRun { set, correlator, findings: BTreeMap::new(), saved: BTreeMap::new(), head: String::new() }
    }

    fn feed(&mut self, seconds: std::ops::Range<i64>) {
        let matcher = Matcher::new(Arc::clone(&self.set), None);
        for second in seconds {
            let received = Timestamp::from_unix_seconds(1_790_000_000 + second);
            self.correlator.observe(matcher.hits(&parse(second), &mut MatchScratch::default()), received);
        }
        for change in self.correlator.changes() {
            self.findings.insert(change.finding.rule.id.clone(), (change.finding.id, change.finding.span.count));
        }
        let SavedState { head, put, gone } = self.correlator.save().unwrap();
        gone.iter().for_each(|key| assert!(self.saved.remove(key).is_some(), "{key} was never saved"));
        self.saved.extend(put);
        self.head = head;
    }

    fn reload(&mut self, set: &Arc<RuleSet>) -> Reloaded {
        self.set = Arc::clone(set);
        self.correlator.reload(Arc::clone(set))
    }
}

#[test]
fn unchanged_rules_go_on_counting_and_the_others_begin_anew() {
    let (three, five, by_user) =
        (brute("three", 3, "source.ip"), brute("five", 5, "source.ip"), brute("user", 5, "user.name"));
    let before = set_of(&[FAILED, ROOT, &five, &three, &by_user]);
    // Another order, one rule more, one gone, one with another threshold.
    let changed = brute("user", 6, "user.name");
    let after = set_of(&[OTHER, &changed, FAILED, &five, ROOT]);
    let mut run = ReloadRun::new(&before);
    run.feed(0..4);
    assert_eq!(run.findings["three"].1, 4);
    let root = run.findings["root"];
    let reloaded = run.reload(&after);
    assert_eq!(reloaded, Reloaded { kept: 2, dropped: 2 }, "kept: five and root; dropped: three and user");
    run.feed(4..5);
    assert_eq!(run.findings["five"].1, 5, "four events before, one after");
    assert_eq!(run.findings["root"], (root.0, 5), "the finding that was open goes on");
    run.feed(5..9);
    assert!(!run.findings.contains_key("user"), "what has changed began anew: five events are not six");
    run.feed(9..10);
    assert_eq!(run.findings["user"].1, 6);
    assert!(run.saved.keys().all(|key| !key.contains("three")), "{:?}", run.saved.keys());

    // What was saved gives the same correlator.
    let mut again = ReloadRun::new(&after);
    again.correlator.restore(&run.head, run.saved.clone().into_iter()).unwrap();
    again.feed(10..11);
    run.feed(10..11);
    assert_eq!(again.findings["five"], run.findings["five"]);
    assert_eq!(again.findings["root"], run.findings["root"]);
}

#[test]
fn reloading_the_same_rules_changes_nothing_at_any_moment() {
    let rules = [FAILED, ROOT, &brute("three", 3, "source.ip")];
    let (one, two) = (set_of(&rules), set_of(&rules));
    let mut undisturbed = ReloadRun::new(&one);
    undisturbed.feed(0..12);
    let mut run = ReloadRun::new(&one);
    for second in 0..12 {
        run.feed(second..second + 1);
        let reloaded = run.reload(if second % 2 == 0 { &two } else { &one });
        assert_eq!(reloaded.dropped, 0);
    }
    run.feed(12..12);
    assert_eq!(run.findings, undisturbed.findings);
    assert_eq!(run.saved.keys().collect::<Vec<_>>(), undisturbed.saved.keys().collect::<Vec<_>>());
}
