//! The traps of the rule language: each case is judged by the matcher and by the oracle, and must come out as written.

use event::{Block, EventBatch, Timestamp};
use rules::evaluate::evaluate;
use rules::explain::judges;
use rules::load;

use super::*;

pub(crate) fn parse(text: &str) -> EventBatch {
    let reference = Timestamp::from_unix_seconds(1_800_000_000);
    parse::Parser::new(parse::Options::default()).parse(Block::detached("test", text.as_bytes().to_vec(), reference))
}

fn set_of(rules: &str) -> Arc<RuleSet> {
    let loaded = load([("rules.yml", rules)], &rules::Terms::default());
    assert_eq!(loaded.rejected().collect::<Vec<_>>(), Vec::<&rules::Diagnostic>::new());
    Arc::new(loaded.set)
}

/// `(row, rule)` for every match, as the oracle has it.
pub(crate) fn by_oracle(set: &RuleSet, batch: &EventBatch) -> Vec<(u32, u32)> {
    let rows = 0..batch.rows();
    rows.flat_map(|row| {
        let rules = set.rules.iter().enumerate();
        rules
            .filter(move |(_, rule)| judges(rule, batch, row, None) && evaluate(&rule.condition, batch, row))
            .map(move |(at, _)| (row as u32, at as u32))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Whether a rule with this detection matches the line, by matcher and oracle alike.
fn matches(logsource: &str, detection: &str, line: &str) -> bool {
    let rule = format!("title: t\nid: t\nlevel: low\nlogsource: {logsource}\ndetection:\n{detection}\n");
    let set = set_of(&rule);
    let batch = parse(line);
    let found = Matcher::new(Arc::clone(&set), None).matches(&batch, &mut MatchScratch::default()).to_vec();
    assert_eq!(found, by_oracle(&set, &batch), "{detection} on {line}");
    !found.is_empty()
}

const WEB: &str = "{category: webserver}";
const REQUEST: &str = r#"203.0.113.9 - bob [23/Nov/2026:10:00:00 +0000] "GET /Dana/na/../x.cgi?cmd=%63at%20/etc/passwd HTTP/1.1" 404 0 "-" "Nikto/2.5""#;

#[test]
fn every_kind_of_item_matches_what_it_should_and_nothing_else() {
    for (detection, expected) in [
        ("  s: {sc-status: 404}\n  condition: s", true),
        ("  s: {sc-status: [200, 404]}\n  condition: s", true),
        ("  s: {sc-status: '404'}\n  condition: s", true),
        ("  s: {sc-status|gte: 400}\n  condition: s", true),
        ("  s: {sc-status|lt: 400}\n  condition: s", false),
        ("  s: {cs-user-agent|contains: NIKTO}\n  condition: s", true),
        ("  s: {cs-user-agent|contains|cased: NIKTO}\n  condition: s", false),
        ("  s: {cs-user-agent|startswith: 'nikto/'}\n  condition: s", true),
        ("  s: {cs-user-agent|endswith: '/2.5'}\n  condition: s", true),
        ("  s: {cs-user-agent: 'nik?o/*'}\n  condition: s", true),
        ("  s: {cs-user-agent: 'nikto'}\n  condition: s", false),
        ("  s: {cs-user-agent|re: '^Nik.o/\\d'}\n  condition: s", true),
        ("  s: {cs-user-agent|re: '^nikto'}\n  condition: s", false),
        ("  s: {cs-user-agent|re|i: '^nikto'}\n  condition: s", true),
        ("  s: {c-ip|cidr: 203.0.113.0/24}\n  condition: s", true),
        ("  s: {c-ip|cidr: 10.0.0.0/8}\n  condition: s", false),
        ("  s: {cs-uri-query|contains: '/dana/'}\n  condition: s", true),
        ("  s: {cs-uri-query|contains: 'cat /etc/passwd'}\n  condition: s", true),
        ("  s: {cs-uri-query|contains: '%63at%20'}\n  condition: s", true),
        ("  s: {cs-uri-query|contains|all: [dana, passwd]}\n  condition: s", true),
        ("  s: {cs-uri-query|contains|all: [dana, shadow]}\n  condition: s", false),
        ("  s: {cs-uri-query|startswith: 'cmd='}\n  condition: s", true),
        ("  s: {cs-referer: null}\n  condition: s", true),
        ("  s: {cs-user-agent: null}\n  condition: s", false),
        ("  s: {cs-username|exists: true}\n  condition: s", true),
        ("  s: {cs-cookie|exists: true}\n  condition: s", false),
        ("  s: {cs-method|neq: GET}\n  condition: s", false),
        ("  s: {cs-cookie|neq: x}\n  condition: s", true),
        ("  s: {cs-method: '*'}\n  condition: s", true),
        ("  s: [nikto]\n  condition: s", true),
        ("  s: {'|all': [nikto, passwd]}\n  condition: s", true),
        ("  s: {'|all': [nikto, shadow]}\n  condition: s", false),
        ("  s: [{cs-method: POST}, {sc-status: 404, cs-method: GET}]\n  condition: s", true),
        ("  s: {cs-method: GET}\n  f: {sc-status: 404}\n  condition: s and not f", false),
        ("  s: {cs-method: GET}\n  f: {sc-status: 200}\n  condition: s and not 1 of f*", true),
        ("  s: {cs-cookie: x}\n  condition: not s", true),
    ] {
        assert_eq!(matches(WEB, detection, REQUEST), expected, "{detection}");
    }
}

#[test]
fn fields_are_found_under_the_names_that_events_give_them() {
    let process = "{product: linux, category: process_creation}";
    for (logsource, detection, line, expected) in [
        (
            process,
            "  s: {Image|endswith: /bash}\n  condition: s",
            r#"{"process":{"executable":"/usr/bin/bash"}}"#,
            true,
        ),
        (process, "  s: {Image|endswith: /bash}\n  condition: s", r#"{"Image":"/usr/bin/bash"}"#, true),
        (process, "  s: {Image|endswith: /bash}\n  condition: s", r#"{"process":{"name":"bash"}}"#, true),
        (process, "  s: {Image|endswith: /bash}\n  condition: s", r#"{"process":{"name":"rbash"}}"#, false),
        (process, "  s: {Image: null}\n  condition: s", r#"{"process":{"name":"bash"}}"#, false),
        (
            process,
            "  s: {Hashes|contains: SHA256=ab}\n  condition: s",
            r#"{"process":{"hash":{"sha256":"ABcd"}}}"#,
            true,
        ),
        (
            process,
            "  s: {Hashes|contains: SHA256=ab}\n  condition: s",
            r#"{"process":{"hash":{"sha1":"abcd"}}}"#,
            false,
        ),
        (
            process,
            "  s: {ParentImage|endswith: /sh}\n  condition: not s",
            r#"{"process":{"parent":{"name":"sh"}}}"#,
            false,
        ),
        (
            "{product: linux, service: auditd}",
            "  s: {type: EXECVE, a0: cat, success: 'yes'}\n  condition: s",
            r#"{"auditd":{"log":{"record_type":"EXECVE","a0":"cat"}},"event":{"outcome":"success"}}"#,
            true,
        ),
        (
            "{category: network_connection, product: windows}",
            "  s: {Initiated: 'true', DestinationPort: 443}\n  condition: s",
            r#"{"network":{"direction":"egress"},"destination":{"port":443}}"#,
            true,
        ),
        (
            "{category: network_connection, product: windows}",
            "  s: {Initiated: true}\n  condition: s",
            r#"{"network":{"direction":"ingress"}}"#,
            false,
        ),
        (
            "{category: dns}",
            "  s: {query|endswith: .onion}\n  condition: s",
            r#"{"dns":{"question":{"name":"x.onion."}}}"#,
            true,
        ),
        (
            "{category: dns}",
            "  s: {query: x.onion}\n  condition: s",
            r#"{"dns":{"question":{"name":"x.onion.y"}}}"#,
            false,
        ),
    ] {
        assert_eq!(matches(logsource, detection, line), expected, "{logsource} {detection} on {line}");
    }
}

#[test]
fn fields_of_requests_are_found_under_the_names_that_events_give_them() {
    let line = "203.0.113.9 - - [23/Nov/2026:10:00:00 +0000] \"GET /wp/x HTTP/1.1\" 200 0 \"-\" \"-\"";
    for (logsource, detection, line, expected) in [
        (WEB, "  s: {time-taken|gt: 5}\n  condition: s", r#"{"event":{"duration":6000000}}"#, true),
        (WEB, "  s: {time-taken|gt: 5}\n  condition: s", r#"{"event":{"duration":4000000}}"#, false),
        (WEB, "  s: {cs-version: HTTP/1.1}\n  condition: s", line, true),
        (WEB, "  s: {cs-uri-query: null}\n  condition: s", line, true),
        (WEB, "  s: {cs-uri-query: '-', cs-referer: '-', cs-user-agent: null}\n  condition: s", line, true),
        (WEB, "  s: {cs-uri-query|contains: '/wp/'}\n  condition: s", line, true),
        (WEB, "  s: {cs-uri-query|contains: '/wp/'}\n  f: {cs-uri-query: '-'}\n  condition: s and not f", line, false),
        ("{product: zeek}", "  s: {Image: x}\n  condition: s", r#"{"process":{"executable":"x"}}"#, false),
    ] {
        assert_eq!(matches(logsource, detection, line), expected, "{logsource} {detection} on {line}");
    }
}

#[test]
fn events_that_tell_their_origin_are_judged_by_the_rules_for_it_alone() {
    let rule = |id: &str, source: &str| {
        format!("title: t\nid: {id}\nlevel: low\nlogsource: {source}\ndetection: {{s: {{A: x}}, condition: s}}\n---\n")
    };
    let sources =
        ["{product: windows, category: process_creation}", "{product: windows, service: security}", "{product: aws}"];
    let mut rules: String = sources.iter().enumerate().map(|(at, source)| rule(&format!("r{at}"), source)).collect();
    (0..300).for_each(|number| rules += &rule(&format!("s{number}"), &format!("{{service: s{number}}}")));
    let set = set_of(&rules);
    let known = r#"{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"A":"x"}"#;
    let mut text = format!("{known}\n{{\"A\":\"x\"}}\n{{\"logsource\":{{\"product\":\"aws\"}},\"A\":\"x\"}}\n");
    // More origins than get rules of their own: the result must not depend on it.
    for number in 0..600 {
        let product = ["windows", "aws", "other"][number % 3];
        text += &format!("{{\"logsource\":{{\"product\":\"{product}\",\"service\":\"s{number}\"}},\"A\":\"x\"}}\n");
    }
    let batch = parse(&text);
    let matcher = Matcher::new(Arc::clone(&set), None);
    let found = matcher.matches(&batch, &mut MatchScratch::default()).to_vec();
    assert_eq!(found, by_oracle(&set, &batch));
    let of_row =
        |wanted: u32| found.iter().filter(move |(row, _)| *row == wanted).map(|(_, rule)| *rule).collect::<Vec<_>>();
    assert_eq!((of_row(0), of_row(1).len()), (vec![0], 303));
    assert_eq!(of_row(3), [0, 3], "windows, service s0");
    assert_eq!(of_row(3 + 299), [302], "a product that is not windows, service s299");
}

#[test]
fn rules_judge_only_the_log_sources_they_name() {
    let detection = "  s: {http.request.method: GET}\n  condition: s";
    assert!(matches("{product: nginx}", detection, REQUEST));
    assert!(!matches("{product: linux}", detection, REQUEST));
    assert!(
        matches("{product: windows}", detection, r#"{"http.request.method":"GET"}"#),
        "the source of JSON is not known"
    );
}

#[test]
fn json_values_keep_their_types_and_lists_match_by_element() {
    let json = r#"{"a":{"b":[1,"Two"]},"n":4.0,"t":true,"z":null,"w":"x\"y","h":"h\u00e9"}"#;
    for (detection, expected) in [
        ("  s: {a.b: two}\n  condition: s", true),
        ("  s: {a.b: 1}\n  condition: s", true),
        ("  s: {a.b|contains|all: [t, w]}\n  condition: s", true),
        ("  s: {n: 4}\n  condition: s", true),
        ("  s: {t: true}\n  condition: s", true),
        ("  s: {t: 'true'}\n  condition: s", true),
        ("  s: {z: null}\n  condition: s", true),
        ("  s: {z|exists: true}\n  condition: s", true),
        ("  s: {q|exists: false}\n  condition: s", true),
        ("  s: ['x\"y']\n  condition: s", true),
        ("  s: ['hÉ']\n  condition: s", true),
        ("  s: {h: 'HÉ'}\n  condition: s", true),
    ] {
        assert_eq!(matches("{product: any}", detection, json), expected, "{detection}");
    }
}

#[test]
fn what_is_estimated_from_some_events_says_so() {
    let rules = r"
title: any request
id: any
name: any
level: informational
c0di3.sample_of: 4
logsource: {category: webserver}
detection: {s: {c-ip|exists: true}, condition: s}
---
title: flood
id: flood
level: medium
correlation: {type: event_count, rules: [any], group-by: [source.ip], timespan: 1m, condition: {gte: 100}}
";
    let loaded = load([("r.yml", rules)], &rules::Terms::default());
    assert_eq!(loaded.diagnostics, []);
    let set = Arc::new(loaded.set);
    let line = "192.0.2.7 - - [23/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n";
    let block = event::Block::detached("test", line.repeat(2000).into_bytes(), event::Timestamp(0));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    let hits = Matcher::new(Arc::clone(&set), None).hits(&batch, &mut MatchScratch::default());
    assert!((400..600).contains(&hits.len()) && hits.iter().all(|hit| hit.repeated == 4), "{}", hits.len());
    let mut correlator = correlate::BatchCorrelator::new(Arc::clone(&set), correlate::CorrelatorOptions::default());
    correlator.observe(hits);
    correlator.finish();
    let finding = correlator.changes().remove(0).finding;
    assert!((1600..2400).contains(&finding.span.count), "{}", finding.span.count);
    assert!(
        finding.reason.ends_with(&format!("; some {} events, estimated from one in 4", finding.span.count)),
        "{}",
        finding.reason
    );
    let alone = load([("r.yml", rules.split("---").next().unwrap_or(""))], &rules::Terms::default());
    assert!(alone.diagnostics[0].reason.contains("only correlations count"), "{:?}", alone.diagnostics);
}

#[test]
fn a_case_that_repeats_nothing_is_refused() {
    for case in ["@repeat 0\\nx", "@repeat many\\nx", "@repeat 5"] {
        let rule = format!(
            "title: t\nid: t\nlevel: low\nlogsource: {{category: webserver}}\ndetection: {{s: {{c-ip: 1}}, condition: s}}\ntests: {{match: [\"{case}\"], ignore: [x]}}"
        );
        let loaded = load([("r.yml", rule.as_str())], &rules::Terms::default());
        assert!(
            loaded.diagnostics.iter().any(|problem| problem.reason.contains("@repeat")),
            "{case}: {:?}",
            loaded.diagnostics
        );
    }
}

#[test]
fn keywords_with_a_place_are_looked_for_in_each_value_of_a_json_line() {
    let lines = [
        r#"{"A": "xfoo", "B": "other"}"#,
        r#"{"A": "foox"}"#,
        r#"{"A": {"B": ["bar", "foo"]}}"#,
        r#"{"A": "\u0066oo"}"#,
        r#"{"A": "fo", "B": "o"}"#,
    ];
    let batch = parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "test",
        lines.join("\n").into_bytes(),
        Timestamp(0),
    ));
    for (keyword, expected) in [
        ("'|startswith': foo", vec![1, 2, 3]),
        ("'|endswith': foo", vec![0, 2, 3]),
        ("'|re': '^foo$'", vec![2, 3]),
        ("'|contains': 'fo'", vec![0, 1, 2, 3, 4]),
    ] {
        let rule = format!(
            "title: t\nid: t\nlevel: low\nlogsource: {{category: x}}\ndetection: {{s: {{{keyword}}}, condition: s}}\n"
        );
        let loaded = load([("r.yml", rule.as_str())], &rules::Terms::default());
        assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
        let matcher = Matcher::new(Arc::new(loaded.set), None);
        let found: Vec<u32> =
            matcher.matches(&batch, &mut MatchScratch::default()).iter().map(|(row, _)| *row).collect();
        assert_eq!(found, expected, "{keyword}");
        let judged = (0..5).filter(|row| evaluate(&matcher.set().rules[0].condition, &batch, *row as usize));
        assert_eq!(judged.collect::<Vec<u32>>(), expected, "{keyword}, the obvious way");
    }
}

#[test]
fn flags_of_an_expression_are_part_of_what_it_means() {
    let rule = |id: &str, modifier: &str| {
        format!(
            "title: {id}\nid: {id}\nlevel: low\nlogsource: {{category: x}}\ndetection: {{s: {{'A|{modifier}': wget}}, condition: s}}\n"
        )
    };
    let text = format!("{}---\n{}", rule("one", "re"), rule("two", "re|i"));
    let matcher = Matcher::new(Arc::new(load([("r.yml", text.as_str())], &rules::Terms::default()).set), None);
    let lines = b"{\"A\": \"WGET x\"}\n{\"A\": \"wget x\"}".to_vec();
    let batch = parse::Parser::new(parse::Options::default()).parse(Block::detached("test", lines, Timestamp(0)));
    assert_eq!(matcher.matches(&batch, &mut MatchScratch::default()), [(0, 1), (1, 0), (1, 1)]);
}
