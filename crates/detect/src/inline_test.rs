//! The cases that rules carry: each `match` must make the rule report, each `ignore` must not. Lines are parsed by the
//! caller, so that rules are tested on log lines as they really are.

use std::sync::Arc;

use event::EventBatch;

use crate::correlate::{Correlator, CorrelatorOptions};
use crate::matcher::{MatchScratch, Matcher};
use crate::ruleset::RuleSet;
use crate::sigma::rule::Head;

/// A case that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub path: String,
    pub rule_id: String,
    pub title: String,
    pub reason: String,
}

/// Runs every case of every rule. Returns how many cases there were, and those that failed; a rule without cases or
/// with only one kind of them is a failure, too.
pub fn run_inline_tests(set: &Arc<RuleSet>, mut parse: impl FnMut(&str) -> EventBatch) -> (usize, Vec<Failure>) {
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut scratch = MatchScratch::default();
    let mut failures = Vec::new();
    let mut count = 0;
    for head in set.heads() {
        let mut fail = |reason: String| {
            let (path, rule_id, title) = (head.path.clone(), head.id.clone(), head.title.clone());
            failures.push(Failure { path, rule_id, title, reason });
        };
        if head.tests.hits.is_empty() || head.tests.ignores.is_empty() {
            fail("the rule needs at least one `match` and one `ignore` under `tests`".to_owned());
        }
        let hits = head.tests.hits.iter().map(|text| (text, true));
        for (text, wanted) in hits.chain(head.tests.ignores.iter().map(|text| (text, false))) {
            count += 1;
            let batch = parse(text);
            if reports(set, &matcher, &mut scratch, &batch, head) != wanted {
                let word = if wanted { "did not match" } else { "matched what it should ignore" };
                fail(format!("{word}: {}", text.trim_end()));
            }
        }
    }
    (count, failures)
}

fn reports(set: &Arc<RuleSet>, matcher: &Matcher, scratch: &mut MatchScratch, batch: &EventBatch, head: &Head) -> bool {
    if let Some(index) = set.rules.iter().position(|rule| rule.head.id == head.id) {
        return matcher.matches(batch, scratch).iter().any(|(_, rule)| *rule as usize == index);
    }
    let mut correlator = Correlator::new(Arc::clone(set), CorrelatorOptions::default());
    correlator.unmute();
    correlator.observe(matcher.hits(batch, scratch));
    correlator.finish_for_good();
    correlator.changes().iter().any(|change| change.finding.rule_id == head.id)
}
