//! The matcher gives what the oracle (`rules::evaluate`) gives, over generated rules and events.

use std::sync::Arc;

use proptest::prelude::*;
use rules::{Indicators, Terms, load};

use crate::tests::{by_oracle, parse};
use crate::{MatchScratch, Matcher};

const FIELDS: [&str; 7] = ["cs-uri", "cs-uri-query", "cs-user-agent", "cs-method", "sc-status", "cs-referer", "own"];
const MODIFIERS: [&str; 10] = [
    "",
    "|contains",
    "|startswith",
    "|endswith",
    "|contains|all",
    "|re",
    "|cased",
    "|exists",
    "|gte",
    "|contains|cased",
];
const VALUES: [&str; 20] = [
    "a",
    "GET",
    "40",
    "404",
    "x?y",
    "*b*",
    "%2e",
    "..",
    "é",
    "K",
    "k\u{212A}",
    "\\\\",
    "ab",
    "1",
    "a1",
    "7/",
    "a&b",
    "&",
    "?a",
    "b&",
];

fn item() -> impl Strategy<Value = String> {
    let values = prop::collection::vec(prop::sample::select(&VALUES[..]), 1..4);
    (prop::sample::select(&FIELDS[..]), prop::sample::select(&MODIFIERS[..]), values).prop_map(
        |(field, modifier, values)| {
            let quoted: Vec<_> = values.iter().map(|value| format!("'{value}'")).collect();
            match modifier {
                "|exists" => format!("'{field}|exists': true"),
                "|gte" => format!("'{field}|gte': 300"),
                "|re" => format!("'{field}|re': '[a-k]{}|{}'", ".", regex::escape(values[0])),
                _ => format!("'{field}{modifier}': [{}]", quoted.join(", ")),
            }
        },
    )
}

fn rule() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(
        &[
            "a",
            "a and b",
            "a or b",
            "a and not b",
            "not a",
            "not (a or b)",
            "1 of them",
            "all of them",
            "a and not 1 of b*",
            "k or a",
            "k and not a",
        ][..],
    );
    (item(), item(), prop::sample::select(&VALUES[..]), condition).prop_map(|(a, b, k, condition)| {
        format!("logsource: {{category: webserver}}\nlevel: low\ndetection:\n  a: {{{a}}}\n  b: {{{b}}}\n  k: ['{k}']\n  condition: {condition}\n")
    })
}

fn event() -> impl Strategy<Value = String> {
    let piece = || {
        prop::sample::select(
            &[
                "a", "b", "K", "k", "\u{212A}", "é", "É", "%2e", "%252e", "..", "x", "y", "?", "=", "/", "\\\\", "40",
                "1", "17", "&", "?a=1&", "+",
            ][..],
        )
    };
    let text = || prop::collection::vec(piece(), 0..6).prop_map(|pieces| pieces.concat());
    let method = prop::sample::select(&["GET", "get", "POST", "ab"][..]);
    let status = prop::sample::select(&["200", "404", "-", "500"][..]);
    let agent = prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat());
    (method, text(), status, text(), agent, any::<bool>()).prop_map(|(method, path, status, referrer, agent, json)| {
        if json {
            return format!(r#"{{"own":"{path}","cs-method":"{method}","sc-status":{},"cs-user-agent":["{agent}",40]}}"#, status.replace('-', "null"));
        }
        format!("192.0.2.1 - - [23/Nov/2026:10:00:00 +0000] \"{method} /{path} HTTP/1.1\" {status} 1 \"{referrer}\" \"{agent}\"")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_equals_the_oracle(
        rules in prop::collection::vec(rule(), 1..8),
        events in prop::collection::vec(event(), 1..12),
    ) {
        let text: String =
            rules.iter().enumerate().map(|(at, rule)| format!("---\ntitle: r{at}\nid: r{at}\n{rule}")).collect();
        let loaded = load([("generated.yml", text.as_str())], &rules::Terms::default());
        prop_assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
        let set = Arc::new(loaded.set);
        let matcher = Matcher::new(Arc::clone(&set), None);
        let mut scratch = MatchScratch::default();
        // Twice with the same caches, and in another order: what was remembered must not change a verdict.
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        for events in [&events, &reversed, &events] {
            let batch = parse(&events.join("\n"));
            prop_assert_eq!(matcher.matches(&batch, &mut scratch).to_vec(), by_oracle(&set, &batch));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    /// Keywords in lines that hide text behind JSON escapes, of every kind.
    #[test]
    fn keywords_are_found_behind_escapes(
        keywords in prop::collection::vec("[ab\\\\\"nu0é😀]{1,4}|a\\*[bn\"]", 1..5),
        modifier in prop::sample::select(vec!["", "|cased", "|startswith", "|endswith", "|re"]),
        pieces in prop::collection::vec(
            prop::sample::select(vec!["a", "b", "n", "u0", "é", "B", "\\n", "\\u00e9", "\\u0061", "\\\\", "\\\"", "\\/", "\\t", "0", "\\x61", "\\xc3\\xa9", "\\xff", "\\x", "\\b", "\\q", "\\ud83d\\ude00", "\\ud83d"]),
            0..12,
        ),
    ) {
        let listed: Vec<String> = keywords.iter().map(|keyword| format!("'{keyword}'")).collect();
        let text = format!(
            "title: t\nid: t\nlevel: low\nlogsource: {{product: test}}\ndetection: {{s: {{'{modifier}': [{}]}}, condition: s}}\n",
            listed.join(", ")
        );
        let loaded = load([("generated.yml", text.as_str())], &rules::Terms::default());
        let set = Arc::new(loaded.set);
        let batch = parse(&format!("{{\"v\":\"{}\"}}", pieces.concat()));
        let matcher = Matcher::new(Arc::clone(&set), None);
        prop_assert_eq!(matcher.matches(&batch, &mut MatchScratch::default()).to_vec(), by_oracle(&set, &batch));
    }
}

/// Tests of one field, each of a kind that the table above leaves out: lists, numbers, dates, networks, other fields,
/// decoded URLs, presence, look-ups.
const ITEMS: [&str; 65] = [
    "l: b",
    "l: ['40', 'x y']",
    "l: 7",
    "'l|contains': a",
    "'l|contains|all': [a, b]",
    "'l|re': '^[ab]+$'",
    "'l|gte': 7",
    "'l|cidr': 192.0.2.0/24",
    "l: true",
    "l: null",
    "l: '*'",
    "'l|exists': true",
    "'l|exists': false",
    "'l|neq': b",
    "n: 7",
    "n: [7.5, 1000]",
    "n: '7'",
    "'n|lt': 7",
    "'n|lte': 7",
    "'n|gt': 7",
    "'n|gte': 7.5",
    "'n|contains': 7",
    "'n|re': '^7'",
    "n: false",
    "n: null",
    "n: '*'",
    "'n|exists': true",
    "'d|hour': 23",
    "'d|minute|gte': 15",
    "'d|day|lt': 3",
    "'d|week': 53",
    "'d|month': [1, 12]",
    "'d|year|lte': 2027",
    "'@timestamp|hour|gte': 9",
    "'@timestamp|week': 53",
    "'@timestamp|exists': true",
    "'@timestamp': null",
    "'@timestamp|contains': '7'",
    "'http.response.status_code|gte': 400",
    "'http.response.status_code': [404, '500']",
    "'http.response.status_code|startswith': 4",
    "'http.response.status_code|fieldref': n",
    "'i|cidr': 192.0.2.0/24",
    "'i|cidr': ['2001:db8::/33', '10.0.0.0/7']",
    "'i|cidr': '::ffff:192.0.2.0/121'",
    "'i|indicator': '*'",
    "'cs-referer|indicator': 'exam*'",
    "'l|indicator': other",
    "'a|fieldref': b",
    "'a|fieldref|contains': b",
    "'a|fieldref|startswith': l",
    "'l|fieldref|endswith|cased': a",
    "'n|fieldref': a",
    "'cs-uri|contains': '../'",
    "'cs-uri|startswith': '%2e'",
    "'cs-uri|contains|cased': B",
    "'cs-uri|re': '^/?\\.\\.'",
    "'cs-uri|endswith': ['%', 'é', '%41']",
    "'cs-uri': ['*b*', '?']",
    "'a|contains|windash': '-b'",
    "'a|windash': ' /a-'",
    "a: ['*a?b', 'b*a*', '??']",
    "'a|startswith|cased': K",
    "a: [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, ab, '7']",
    "'a|contains|all': [k, ab]",
];

fn rich_rule() -> impl Strategy<Value = String> {
    let conditions = ["a", "not a", "a and b", "a or b", "a and not b", "not (a and b)", "k and a", "k or b", "not k"];
    let keywords = [
        "['../']",
        "{'|startswith': [a, '7', '{\"a']}",
        "{'|endswith': b}",
        "{'|re': '^[ab]$'}",
        "{'|re': 'b$'}",
        "{'|re': 'a\\z'}",
        "{'|re': '\\AK'}",
        "['*b?a*']",
        "{'|all': [a, 'é']}",
        "{'|cased': '*K*'}",
    ];
    let item = || prop::sample::select(&ITEMS[..]);
    (item(), item(), prop::sample::select(keywords.to_vec()), prop::sample::select(conditions.to_vec())).prop_map(
        |(a, b, k, condition)| {
            format!(
                "logsource: {{category: x}}\nlevel: low\ndetection:\n  a: {{{a}}}\n  b: {{{b}}}\n  k: {k}\n  condition: {condition}\n"
            )
        },
    )
}

/// A text as it stands between the quotes of JSON.
fn json_text() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b",
        "K",
        "\u{212A}",
        "é",
        "\\u00e9",
        "\\u0061",
        "\\u0062",
        "\\\"",
        "\\\\",
        "\\/",
        "/",
        ".",
        "%2e",
        "%2E",
        "%252e",
        "%25252e",
        "%2525252e",
        "%c3%a9",
        "%zz",
        "%",
        "-",
        "\u{2013}",
        " ",
        "7",
        "0",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5).prop_map(|pieces| pieces.concat())
}

/// What a sender may put behind a key.
fn json_value() -> impl Strategy<Value = String> {
    let number =
        || prop::sample::select(vec!["7", "7.0", "7.5", "-7", "1000", "1e3", "1e999", "40", "true", "false", "null"]);
    let leaf =
        prop_oneof![3 => json_text().prop_map(|text| format!("\"{text}\"")), 1 => number().prop_map(str::to_owned)];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(",")));
        prop_oneof![2 => list, 1 => inner.prop_map(|value| format!("[{{\"x\":{value}}}]"))]
    })
}

fn rich_event() -> impl Strategy<Value = String> {
    let of = |values: &[&'static str]| prop::sample::select(values.to_vec()).prop_map(|value| format!("\"{value}\""));
    let date =
        of(&["2026-12-31T23:15:00Z", "2027-01-01 00:59", "2027/02/03", "2024-02-29t09:15", "2027-02-29", "later"]);
    let address = of(&[
        "192.0.2.7",
        "::ffff:192.0.2.130",
        "2001:db8:7fff::1",
        "2001:db8:8000::1",
        "11.0.0.1",
        "203.0.113.66",
        "a",
    ]);
    let page = of(&["http://indicator.example/x", "indicator%2eexample", "indicator%252Eexample", "b.example", "a"]);
    let url = prop_oneof![4 => json_text().prop_map(|text| format!("\"{text}\"")), 1 => json_value()];
    let status = of(&["404", "200", "500", "-"]).prop_map(|status| status.replace('"', ""));
    let status = status.prop_map(|status| if status == "-" { "\"none\"".to_owned() } else { status });
    let members = (json_value(), json_value(), json_value(), json_value(), date.clone(), address, page, url);
    (members, date, status, any::<u16>()).prop_map(|((a, b, l, n, d, i, page, url), time, status, absent)| {
        let members = [
            ("a", a),
            ("b", b),
            ("l", l),
            ("n", n),
            ("d", d),
            ("i", i),
            ("cs-referer", page),
            ("cs-uri", url),
            ("@timestamp", time),
            ("http.response.status_code", status),
        ];
        let there = members.iter().enumerate().filter(|(at, _)| absent >> at & 1 == 0 || absent % 3 == 0);
        let there: Vec<String> = there.map(|(_, (key, value))| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", there.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, ..ProptestConfig::default() })]

    /// JSON events with values of every type, against tests of every kind.
    #[test]
    fn values_of_every_type_are_judged_as_the_oracle_does(
        rules in prop::collection::vec(rich_rule(), 1..6),
        events in prop::collection::vec(rich_event(), 1..8),
    ) {
        let text: String =
            rules.iter().enumerate().map(|(at, rule)| format!("---\ntitle: r{at}\nid: r{at}\n{rule}")).collect();
        let terms = Terms { indicators: Arc::new(Indicators::examples()), ..Terms::default() };
        let loaded = load([("generated.yml", text.as_str())], &terms);
        prop_assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
        let set = Arc::new(loaded.set);
        let matcher = Matcher::new(Arc::clone(&set), None);
        let mut scratch = MatchScratch::default();
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        for events in [&events, &reversed] {
            let batch = parse(&events.join("\n"));
            prop_assert_eq!(matcher.matches(&batch, &mut scratch).to_vec(), by_oracle(&set, &batch));
        }
    }
}
