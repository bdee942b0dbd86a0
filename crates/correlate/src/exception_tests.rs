//! Exceptions leave out hits before they are counted, and findings afterwards.

use std::sync::Arc;

use event::{Block, Timestamp};
use matcher::{MatchScratch, Matcher};
use rules::{Exception, RuleSet, Terms, load, read_exceptions};

use crate::{BatchCorrelator, CorrelatorOptions};

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
";

fn found(exceptions: &str) -> (Vec<String>, Vec<u64>) {
    let terms = Terms::default();
    let (exceptions, problems) = read_exceptions([("e.yml", exceptions)], &terms);
    assert_eq!(problems, []);
    let mut set: RuleSet = load([("r.yml", RULES)], &terms).set;
    set.exceptions = exceptions;
    let set = Arc::new(set);
    let line = |ip: &str, second: u32| {
        format!("2026-11-23T10:00:{second:02}Z h sshd[1]: Failed password for root from {ip} port 1 ssh2\n")
    };
    let text: String = (0..4).flat_map(|second| [line("192.0.2.7", second), line("198.51.100.7", second)]).collect();
    let batch =
        parse::Parser::new(parse::Options::default()).parse(Block::detached("test", text.into_bytes(), Timestamp(0)));
    let mut correlator = BatchCorrelator::new(Arc::clone(&set), CorrelatorOptions::default());
    correlator.observe(Matcher::new(Arc::clone(&set), None).hits(&batch, &mut MatchScratch::default()));
    correlator.finish();
    let found = correlator.changes().into_iter().map(|change| change.finding.entities.source_ip.join(",")).collect();
    (found, set.exceptions.iter().map(Exception::take_hits).collect())
}

fn list(rules: &str, expires: &str, section: &str) -> String {
    format!(
        "exceptions:\n- {{name: scanner, owner: ops@example.org, reason: ours, expires: {expires}, rules: {rules}, match: {section}}}"
    )
}

#[test]
fn hits_are_left_out_before_they_are_counted_and_findings_afterwards() {
    let office = "{source.ip|cidr: 192.0.2.0/24}";
    assert_eq!(found(&list("[]", "2027-01-01", office)), (vec!["198.51.100.7".to_owned()], vec![4]));
    assert_eq!(found(&list("[brute]", "2027-01-01", office)), (vec!["198.51.100.7".to_owned()], vec![1]));
    let both = vec!["192.0.2.7".to_owned(), "198.51.100.7".to_owned()];
    assert_eq!(found(&list("[other]", "2027-01-01", office)), (both.clone(), vec![0]));
    assert_eq!(found(&list("[]", "2026-11-23", office)), (both, vec![0]), "an exception ends");
}
