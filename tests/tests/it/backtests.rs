//! Rules over the events at rest before they go live: over HTTP and from the console, with the same report.

use serde_json::{Value, json};
use servers::wait_until;

use crate::node::{Node, SOON, get, send};

/// Requests for one item, and from one address an attack that opens an incident.
fn log() -> String {
    let line = |at: usize| {
        let (day, minute, second) = (28 + at / 1000, at / 60 % 60, at % 60);
        let (address, target) = match at % 100 {
            7 => (7, "/download?file=../../../../etc/passwd".to_owned()),
            8 => (7, "/item/wanted".to_owned()),
            other => (other, format!("/item/{at}")),
        };
        format!(
            "198.51.100.{address} - - [{day}/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET {target} HTTP/1.1\" 200 12 \"-\" \"Mozilla/5.0\"\n"
        )
    };
    (0..2000).map(line).collect()
}

const RULE: &str = "title: The wanted item\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {category: webserver}\n\
    detection: {s: {cs-uri-stem: /item/wanted}, condition: s}\nlevel: high\n";

fn backtest(node: &Node, rule: &str, parameters: &str, body: &str) -> (u16, Value) {
    let path = format!("/api/v1/rules/{rule}/backtest{parameters}");
    let (status, _, body) = send(node.api, "POST", &path, &[], body.as_bytes()).expect("the agent answers");
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

#[test]
fn a_rule_that_is_not_live_is_tried_and_its_incidents_are_told() {
    let (sandbox, node) = Node::over_archive_of(log());
    let id = "11111111-2222-4333-8444-555555555555";
    let (status, done) = backtest(&node, id, "?wait=25", RULE);
    assert_eq!((status, &done["state"], &done["is_new"]), (200, &json!("done"), &json!(true)), "{done}");
    let report = &done["report"];
    let rule = &report["rules"][0];
    assert_eq!((&report["events"], &rule["hits"]), (&json!(2000), &json!(20)), "{report}");
    assert_eq!(rule["hits_by_day"], json!({"2026-11-28": 10, "2026-11-29": 10}));
    assert_eq!(rule["entities"][0]["value"], "198.51.100.7", "{rule}");
    assert_eq!(rule["entities"][0]["events"], 20, "{rule}");
    // The attack of the same address has opened an incident, which would have taken them.
    let joins = report["incidents"]["would_join"].as_array().unwrap();
    let open = node.json("/api/v1/incidents?source.ip=198.51.100.7");
    let open: Vec<&Value> = open["data"].as_array().unwrap().iter().map(|incident| &incident["id"]).collect();
    assert!(!joins.is_empty() && joins.iter().all(|join| open.contains(&&join["id"])), "{joins:?} {open:?}");
    assert!(joins[0]["because"].as_str().unwrap().starts_with("same source.ip 198.51.100.7"), "{joins:?}");
    assert_eq!(
        node.json("/api/v1/findings?rule=11111111-2222-4333-8444-555555555555")["data"],
        json!([]),
        "nothing is kept"
    );

    // The console says the same.
    let file = sandbox.write("rule.yml", RULE);
    let place = ["--store", "sqlite:a.db", "--archive", "events"];
    let run = sandbox.run(&[&["hunt", "--rule", &file, "--report", "--out", "ndjson"], &place[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), *report);
    let run = sandbox.run(&[&["hunt", "--rule", &file, "--report"], &place[..]].concat());
    for words in ["The wanted item [high]: ", "2026-11-28: ", "source.ip 198.51.100.7: ", "would join "] {
        assert!(run.out.contains(words), "{words}: {}", run.out);
    }
    // A rule that counts what is configured needs no copy of it.
    let counting = "title: Item after item\nid: 11111111-2222-4333-8444-666666666666\nlevel: low\n\
        correlation: {type: event_count, rules: [path_traversal], group-by: [source.ip], timespan: 1h, condition: {gte: 1}}\n";
    let file = sandbox.write("counting.yml", counting);
    let run = sandbox.run(&[&["hunt", "--rule", &file, "--report"], &place[..]].concat());
    assert!(run.out.contains("Item after item [low]: ") && !run.err.contains("not loaded"), "{}{}", run.out, run.err);
    let (_, since) = backtest(&node, id, "?since=2026-11-29&wait=25", RULE);
    assert_eq!(since["report"]["rules"][0]["hits_by_day"], json!({"2026-11-29": 10}), "{since}");
}

#[test]
fn a_live_rule_is_tried_by_its_title_and_a_backtest_is_followed_and_ended() {
    let (_sandbox, node) = Node::over_archive_of(log());
    let (status, begun) = backtest(&node, "Path%20traversal%20in%20a%20request", "?wait=0", "");
    assert!(status == 202 || status == 200, "{status} {begun}");
    let id = begun["id"].as_u64().unwrap();
    let state = || node.json(&format!("/api/v1/backtests/{id}"));
    wait_until(SOON, "the end of the backtest", || state()["state"] == "done");
    let done = state();
    assert_eq!(done["progress"]["events"], 2000, "{done}");
    let incidents = &done["report"]["incidents"];
    assert_eq!(incidents["counted_already"], done["report"]["findings"], "{done}");
    assert_eq!((&incidents["would_join"], &incidents["would_open"]), (&json!([]), &json!(0)), "{done}");
    let listed = node.json("/api/v1/backtests");
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["report"]), (&json!(id), &Value::Null));
    assert_eq!(send(node.api, "DELETE", &format!("/api/v1/backtests/{id}"), &[], b"").unwrap().0, 204);
    assert_eq!(get(node.api, &format!("/api/v1/backtests/{id}")).unwrap().0, 404);

    let (status, none) = backtest(&node, "no-such-rule", "", "");
    assert!(status == 404 && none.to_string().contains("among the configured"), "{status} {none}");
    let (status, none) = backtest(&node, "Path%20traversal%20in%20a%20request", "", RULE);
    assert!(status == 404 && none.to_string().contains("in the body"), "{status} {none}");
    let (status, bad) =
        backtest(&node, "a", "", "title: a\ndetection: {s: {x: 1}, condition: t}\nlogsource: {product: linux}\n");
    assert!(status == 422 && bad.to_string().contains("body"), "{status} {bad}");
    let (status, bad) = backtest(&node, "a", "?since=lately", "");
    assert!(status == 400 && bad.to_string().contains("since"), "{status} {bad}");
}
