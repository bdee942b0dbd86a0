//! Good sentences stand; each kind of invention falls.

use event::incident::IncidentId;
use event::{
    Entities, Finding, FindingId, FindingRating, FindingRule, FindingSpan, Incident, IncidentScope, Level, Severity,
    Timestamp,
};

use super::*;

fn sheet() -> FactSheet {
    let entities = Entities {
        source_ip: vec!["192.0.2.1".into()],
        user_name: vec!["root".into()],
        host_name: vec!["web1".into()],
    };
    let finding = |rule: &str, severity, at_s: i64| Finding {
        id: FindingId(at_s as u128),
        rule: FindingRule { id: rule.into(), title: rule.into(), level: Level::High },
        also: Vec::new(),
        rating: FindingRating { score: 70, parts: Vec::new(), severity },
        span: FindingSpan {
            first_seen: Some(Timestamp(at_s * 1_000_000)),
            last_seen: Some(Timestamp(at_s * 1_000_000)),
            count: 5,
        },
        entities: entities.clone(),
        techniques: Vec::new(),
        reason: String::new(),
        response: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
        evidence: Vec::new(),
    };
    let incident = {
        let base = Incident::opened(IncidentId(1), "t".into(), Severity::P1, Timestamp(0));
        Incident {
            scope: IncidentScope {
                first_seen: Some(Timestamp(10)),
                last_seen: Some(Timestamp(47_000_000)),
                findings: 2,
                events: 10,
                entities: entities.clone(),
                techniques: vec!["T1110".into()],
                ..base.scope
            },
            ..base
        }
    };
    FactSheet::of(&incident, &[finding("brute force", Severity::P2, 10), finding("login", Severity::P1, 47)])
}

fn cited(facts: &[&str]) -> Vec<String> {
    facts.iter().map(|fact| (*fact).to_owned()).collect()
}

#[test]
fn faithful_rewordings_stand() {
    let sheet = sheet();
    for (text, facts) in [
        ("The rule {rule1} matched 5 events from {ip1} on {host1}.", &["F1"][..]),
        ("There were 5 events matching {rule1} for the account {user1}, from {ip1}.", &["F1"]),
        ("Over 37 seconds, {rule2} was followed by {rule1}.", &["F5"]),
        ("2 findings stand for 10 events; {rule2} matched 5 events of them.", &["F2", "F3"]),
    ] {
        assert_eq!(check(&sheet, text, &cited(facts)), Ok(()), "{text}");
    }
}

#[test]
fn every_kind_of_invention_falls() {
    let sheet = sheet();
    for (text, facts, doubt) in [
        ("The rule {rule1} matched 6 events.", &["F1"][..], Doubt::Number),
        ("10 findings stand for 2 events.", &["F2"], Doubt::Number),
        ("The rule {rule1} matched 5 accounts.", &["F1"], Doubt::Number),
        ("The rule {rule2} has high severity.", &["F1", "F3"], Doubt::Word),
        ("The the rule {rule1} matched.", &["F1"], Doubt::Word),
        ("The rule {rule1} was matched on from {ip1}.", &["F1"], Doubt::Word),
        ("The rule {rule1} matched 5 events and the.", &["F1"], Doubt::Word),
        ("The rule {rule1} matched 5 events on {ip1}.", &["F1"], Doubt::Placeholder),
        ("This incident of severity {ip1} was matched.", &["F1"], Doubt::Placeholder),
        ("The rule {rule1} was matched by {ip1}.", &["F1"], Doubt::Placeholder),
        ("The incident of rule P1 has 2 findings.", &["F2"], Doubt::Number),
        ("The rule {rule1} matched 5 events from {ip2}.", &["F1"], Doubt::Placeholder),
        ("The rule {rule2} matched 5 events.", &["F1"], Doubt::Placeholder),
        ("Seen between {time1} and {time2}.", &["F1"], Doubt::Placeholder),
        ("The rule {rule1 matched 5 events.", &["F1"], Doubt::Placeholder),
        ("The account {user1} was compromised.", &["F1"], Doubt::Word),
        ("The attacker exfiltrated data from {host1}.", &["F1"], Doubt::Word),
        ("The rule {rule1} was not matched.", &["F1"], Doubt::Word),
        ("The SQL RCE by an APT was seen on {host1}.", &["F1"], Doubt::Word),
        ("Ten users were involved.", &["F1"], Doubt::Word),
        ("The activity from {ip1} isn't an event.", &["F1"], Doubt::Markup),
        ("{rule1} was followed by {rule2} after 37 seconds.", &["F5"], Doubt::Placeholder),
        ("This is benign.", &["F1"], Doubt::Word),
        ("The address 10.0.0.1 was involved.", &["F1"], Doubt::Number),
        ("The rule {rule1} matched; see http://evil/", &["F1"], Doubt::Markup),
        ("<b>The rule {rule1} matched</b>", &["F1"], Doubt::Markup),
        ("The rule {rule1} matched \u{202e}events", &["F1"], Doubt::Markup),
        ("The rule {rule1} matched.", &[], Doubt::Citation),
        ("The rule {rule1} matched.", &["F1", "F99"], Doubt::Citation),
        ("", &["F1"], Doubt::Length),
    ] {
        assert_eq!(check(&sheet, text, &cited(facts)), Err(doubt), "{text}");
    }
    assert_eq!(check(&sheet, &"event ".repeat(100), &cited(&["F1"])), Err(Doubt::Length));
}

fn answer(sentences: &[(&str, &[&str])]) -> Answer {
    let sentences = sentences.iter().map(|(text, facts)| Sentence { text: (*text).to_owned(), facts: cited(facts) });
    Answer { headline: "{rule1} from {ip1}".into(), sentences: sentences.collect() }
}

#[test]
fn doubtful_sentences_are_dropped_and_what_matters_is_added() {
    let sheet = sheet();
    let good: (&str, &[&str]) = ("The rule {rule1} matched 5 events from {ip1}.", &["F1"]);
    let summary = verified(&sheet, answer(&[good, good, ("The host was compromised.", &["F1"])]), "m").unwrap();
    assert_eq!((summary.source.as_str(), summary.dropped_sentences), ("llm", 1));
    assert_eq!(summary.headline, "login from 192.0.2.1");
    assert_eq!(summary.sentences[0].text, "The rule login matched 5 events from 192.0.2.1.");
    let said: Vec<_> = summary.sentences.iter().flat_map(|sentence| &sentence.facts).collect();
    assert!(said.contains(&&"F2".to_owned()) && said.contains(&&"F3".to_owned()), "{said:?}");
    let bad: (&str, &[&str]) = ("The attacker stole it.", &["F1"]);
    assert_eq!(verified(&sheet, answer(&[good, bad, bad]), "m"), None, "too little stands");
    assert_eq!(verified(&sheet, answer(&[]), "m"), None);
}

/// Good answers, each changed in one place: whatever still stands must say what the facts say.
#[test]
fn mutations_of_a_good_sentence_are_killed() {
    let sheet = sheet();
    let good = "The rule {rule1} matched 5 events from {ip1} for the account {user1} on {host1}";
    let mut killed = 0;
    let mut all = 0;
    for number in 0..=99 {
        if number != 5 {
            all += 1;
            killed += usize::from(check(&sheet, &good.replace('5', &number.to_string()), &cited(&["F1"])).is_err());
        }
    }
    for foreign in [
        "{ip2}",
        "{ip9}",
        "{user2}",
        "{host2}",
        "{rule2}",
        "{time1}",
        "{technique1}",
        "{x}",
        "{}",
        "10.1.1.1",
        "evil.com",
        "admin",
        "T1059",
    ] {
        for own in ["{ip1}", "{user1}", "{host1}", "{rule1}"] {
            all += 1;
            killed += usize::from(check(&sheet, &good.replace(own, foreign), &cited(&["F1"])).is_err());
        }
    }
    for fact in 4..=20 {
        all += 1;
        killed += usize::from(check(&sheet, good, &cited(&[&format!("F{fact}")])).is_err());
    }
    for word in [
        "successfully",
        "because",
        "malware",
        "allowed",
        "legitimate",
        "ignore",
        "safe",
        "closed",
        "critical",
        "whitelisted",
    ] {
        all += 1;
        killed += usize::from(check(&sheet, &format!("{good} {word}"), &cited(&["F1"])).is_err());
    }
    assert_eq!(killed, all);
}
