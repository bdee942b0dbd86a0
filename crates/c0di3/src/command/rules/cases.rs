//! The cases that rules carry: each `match` must make the rule report, each `ignore` must not. Lines are parsed by the
//! caller, so that rules are tested on log lines as they really are.

use std::collections::BTreeMap;
use std::sync::Arc;

use correlate::{BatchCorrelator, CorrelatorOptions};
use event::EventBatch;
use matcher::{MatchScratch, Matcher};
use patterns::{Pack, PackCheck};
use rules::ruleset::RuleSet;
use rules::sigma::rule::Head;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) path: String,
    pub(crate) rule_id: String,
    pub(crate) title: String,
    /// `match 1`, `ignore 2`, or `cases` where the rule lacks some.
    pub(crate) name: String,
    /// What was wrong.
    pub(crate) failure: Option<String>,
}

/// Runs every case of every rule. A rule without cases or with only one kind of them is a failure, too.
pub(crate) fn run_inline_tests(set: &Arc<RuleSet>, mut parse: impl FnMut(&str) -> EventBatch) -> Vec<Case> {
    let matcher = Matcher::of_all_events(Arc::clone(set));
    let mut scratch = MatchScratch::default();
    let mut cases = Vec::new();
    for head in set.heads() {
        let mut add = |name: String, failure: Option<String>| {
            let (path, rule_id, title) = (head.path.clone(), head.id.clone(), head.title.clone());
            cases.push(Case { path, rule_id, title, name, failure });
        };
        let pack = set.rules.iter().find(|rule| rule.head.id == head.id).and_then(|rule| rule.pack.as_ref());
        pack.into_iter().for_each(|pack| pattern_cases(pack, &mut add));
        if head.tests.hits.is_empty() || head.tests.ignores.is_empty() {
            let reason = "the rule needs at least one `match` and one `ignore` under `tests`".to_owned();
            add("cases".to_owned(), Some(reason));
        }
        for (kind, texts, wanted) in [("match", &head.tests.hits, true), ("ignore", &head.tests.ignores, false)] {
            for (at, text) in texts.iter().enumerate() {
                let batch = parse(text);
                let is_wrong = reports(set, &matcher, &mut scratch, &batch, head) != wanted;
                let word = if wanted { "did not match" } else { "matched what it should ignore" };
                let failure = is_wrong.then(|| format!("{word}: {}", text.trim_end()));
                add(format!("{kind} {}", at + 1), failure);
            }
        }
    }
    cases
}

/// What no rule reports that is written for another to ignore, unless that one declares it under `near`. A case for each
/// pair; correlations and what only they count are left out.
pub(crate) fn run_cross_tests(set: &Arc<RuleSet>, mut parse: impl FnMut(&str) -> EventBatch) -> Vec<Case> {
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut scratch = MatchScratch::default();
    let mut cases = Vec::new();
    for head in set.heads() {
        let mut others: BTreeMap<usize, String> = BTreeMap::new();
        for text in &head.tests.ignores {
            let batch = parse(text);
            for (row, rule) in matcher.matches(&batch, &mut scratch) {
                let rule = *rule as usize;
                if !set.is_muted(rule) && set.rules[rule].head.id != head.id {
                    others.entry(rule).or_insert_with(|| batch.original(*row as usize).to_owned());
                }
            }
        }
        for (rule, line) in others {
            let other = &set.rules[rule].head;
            let declared =
                |near: &String| *near == other.title || *near == other.id || Some(near) == other.name.as_ref();
            let failure = (!head.tests.near.iter().any(declared))
                .then(|| format!("`{}` reports what this rule ignores: declare it under `near`: {line}", other.title));
            let (path, rule_id, title) = (head.path.clone(), head.id.clone(), head.title.clone());
            cases.push(Case { path, rule_id, title, name: format!("near {}", other.title), failure });
        }
    }
    cases
}

/// Cases of each kind that a pattern must have.
const PATTERN_CASES_MIN: usize = 2;

fn pattern_cases(pack: &Arc<Pack>, add: &mut impl FnMut(String, Option<String>)) {
    for pattern in &pack.patterns {
        for (wanted, kind) in [(true, "match"), (false, "ignore")] {
            if pattern.cases.iter().filter(|case| case.wanted == wanted).count() < PATTERN_CASES_MIN {
                let reason = format!("line {}: needs at least {PATTERN_CASES_MIN} cases under `{kind}`", pattern.line);
                add(format!("pattern {}", pattern.id), Some(reason));
            }
        }
    }
    for (pattern, case, found) in PackCheck::cases(pack) {
        let word = if case.wanted { "did not match" } else { "matched what it should ignore" };
        let failure = (found != case.wanted).then(|| format!("line {}: {word}: {}", pattern.line, case.text));
        add(format!("pattern {}", pattern.id), failure);
    }
}

fn reports(set: &Arc<RuleSet>, matcher: &Matcher, scratch: &mut MatchScratch, batch: &EventBatch, head: &Head) -> bool {
    if let Some(index) = set.rules.iter().position(|rule| rule.head.id == head.id) {
        return matcher.matches(batch, scratch).iter().any(|(_, rule)| *rule as usize == index);
    }
    let mut correlator = BatchCorrelator::new(Arc::clone(set), CorrelatorOptions::default());
    correlator.unmute();
    correlator.observe(matcher.hits(batch, scratch));
    correlator.finish_for_good();
    correlator.changes().iter().any(|change| change.finding.rule.id == head.id)
}
