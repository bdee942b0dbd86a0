//! Events that tell of one act are one finding, in both intakes, over restarts and reloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{Block, Finding, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{RuleSet, load};

use super::*;

const RULES: &str = "
title: let in
id: in
level: high
c0di3.act: login
logsource: {product: linux}
detection: {s: ['Accepted password'], condition: s}
---
title: session
id: session
level: medium
c0di3.act: login
logsource: {product: linux}
detection: {s: ['session opened'], condition: s}
---
title: of logind
id: logind
level: low
c0di3.act: login
logsource: {product: linux}
detection: {s: ['New session'], condition: s}
---
title: another
id: another
level: low
logsource: {product: linux}
detection: {s: ['session opened'], condition: s}
";

fn set() -> Arc<RuleSet> {
    let loaded = load([("rules.yml", RULES)], &rules::Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    Arc::new(loaded.set)
}

/// What is told of a login: by sshd, by PAM, by logind.
#[derive(Clone, Copy)]
enum By {
    Sshd,
    Pam,
    Logind,
}

use By::{Logind, Pam, Sshd};

fn line(second: i64, by: By, user: &str, host: &str) -> String {
    let time = Timestamp::from_unix_seconds(1_790_000_000 + second);
    let rest = match by {
        Sshd => format!("sshd[7]: Accepted password for {user} from 192.0.2.1 port 4000 ssh2"),
        Pam => format!("sshd[7]: pam_unix(sshd:session): session opened for user {user}(uid=9) by (uid=0)"),
        Logind => format!("systemd-logind[3]: New session 55 of user {user}."),
    };
    format!("{time} {host} {rest}\n")
}

fn lines(all: &[(i64, By)]) -> String {
    all.iter().map(|(second, by)| line(*second, *by, "nobody", "gate")).collect()
}

fn hits(set: &Arc<RuleSet>, text: &str) -> Vec<Hit> {
    let block = Block::detached("test", text.as_bytes().to_vec(), Timestamp(0));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    Matcher::new(Arc::clone(set), None).hits(&batch, &mut MatchScratch::default())
}

const NOW: Timestamp = Timestamp(1_790_000_100_000_000);

/// Rules of findings, with their events and what they name.
type Told = BTreeMap<String, (u64, Vec<(String, u64)>)>;

fn told(changes: Vec<Change>) -> Told {
    let of = |finding: Finding| {
        let also = finding.also.into_iter().map(|other| (other.rule_id, other.count)).collect();
        (finding.rule.id, (finding.span.count, also))
    };
    changes.into_iter().map(|change| of(change.finding)).collect()
}

/// What both intakes tell, which must be one thing.
fn found(text: &str) -> Told {
    let set = set();
    let mut batch = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    batch.observe(hits(&set, text));
    batch.finish();
    let mut live = LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    // Line by line, and told in between: what was told is no reason to do otherwise.
    let mut live_told = Told::new();
    for hit in hits(&set, text).chunk_by(|one, other| Arc::ptr_eq(&one.event, &other.event)) {
        live.observe(hit.to_vec(), NOW);
        live_told.extend(told(live.changes()));
    }
    let told = told(batch.changes());
    assert_eq!(told, live_told);
    told
}

fn finding(count: u64, also: &[(&str, u64)]) -> (u64, Vec<(String, u64)>) {
    (count, also.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect())
}

#[test]
fn a_login_that_three_programs_tell_of_is_one_finding() {
    let all = [(0, Sshd), (0, Pam), (1, Logind)];
    let named = [("session", 1), ("another", 1), ("logind", 1)];
    assert_eq!(found(&lines(&all)), Told::from([("in".into(), finding(1, &named))]));
    let twice = [(0, Sshd), (0, Pam), (1, Logind), (60, Sshd), (61, Pam), (62, Logind)];
    let named = [("session", 2), ("another", 2), ("logind", 2)];
    assert_eq!(found(&lines(&twice)), Told::from([("in".into(), finding(2, &named))]));
}

#[test]
fn what_comes_later_or_is_of_somebody_else_stands_by_itself() {
    let apart = Told::from([("in".into(), finding(1, &[])), ("session".into(), finding(1, &[("another", 1)]))]);
    assert_eq!(found(&lines(&[(0, Sshd), (6, Pam)])), apart);
    assert_ne!(found(&lines(&[(0, Sshd), (5, Pam)])), apart);
    for (user, host) in [("daemon", "gate"), ("nobody", "inner")] {
        assert_eq!(found(&(line(0, Sshd, "nobody", "gate") + &line(0, Pam, user, host))), apart, "{user} {host}");
    }
}

#[test]
fn a_stronger_rule_is_never_named_in_a_weaker_one() {
    let all = [(0, Pam), (1, Sshd), (2, Logind), (3, Pam)];
    let strong = finding(1, &[("logind", 1), ("session", 1), ("another", 1)]);
    let expected = Told::from([("in".into(), strong), ("session".into(), finding(1, &[("another", 1)]))]);
    assert_eq!(found(&lines(&all)), expected);
}

#[test]
fn an_act_goes_on_after_a_restart_and_a_reload() {
    let (set, again) = (set(), set());
    let (first, second) = (lines(&[(0, Pam), (0, Sshd)]), lines(&[(1, Logind), (2, Pam)]));
    let before = |correlator: &mut LiveCorrelator| correlator.observe(hits(&set, &first), NOW);
    let after = |correlator: &mut LiveCorrelator| {
        correlator.observe(hits(&set, &second), NOW);
        told(correlator.changes())
    };
    let new = || LiveCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    let mut undisturbed = new();
    before(&mut undisturbed);
    let expected = after(&mut undisturbed);
    assert_eq!(expected["in"], finding(1, &[("logind", 1), ("session", 1), ("another", 1)]));

    let mut reloaded = new();
    before(&mut reloaded);
    assert_eq!(reloaded.reload(again).dropped, 0);
    assert_eq!(after(&mut reloaded), expected);

    let mut stopped = new();
    before(&mut stopped);
    let saved = stopped.save().unwrap();
    let mut restored = new();
    restored.restore(&saved.head, saved.put.into_iter()).unwrap();
    assert_eq!(after(&mut restored), expected);
}
