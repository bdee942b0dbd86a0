//! Hunts over HTTP: they go on while nobody waits, say how far they are, can be ended, keep their limits, and hand their answers out in
//! every form that is promised.

use serde_json::{Value, json};
use servers::wait_until;

use crate::node::{Node, SOON, get, send};

const LINES: usize = 5000;

fn ask(node: &Node, question: &Value) -> (u16, Value) {
    let json_body = [("Content-Type", "application/json")];
    let (status, _, body) = send(node.api, "POST", "/api/v1/hunts", &json_body, question.to_string().as_bytes())
        .expect("the agent answers");
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

fn log() -> String {
    let line = |at: usize| {
        let (minute, second) = (at / 60 % 60, at % 60);
        format!(
            "198.51.100.{} - - [29/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET /item/{at} HTTP/1.1\" 200 {} \"-\" \"curl/8.5.0\"\n",
            at % 200,
            at * 31 % 9000
        )
    };
    (0..LINES).map(line).collect()
}

#[test]
fn a_hunt_is_followed_and_its_answer_comes_in_every_form() {
    let (_sandbox, node) = Node::over_archive_of(log());
    let question =
        "SELECT c0di3.line, source.ip, user_agent_class(user_agent.original) AS class FROM events ORDER BY c0di3.line";
    let (status, begun) = ask(&node, &json!({"question": question, "wait": 0}));
    assert!(status == 202 || status == 200, "{status} {begun}");
    let id = begun["id"].as_u64().unwrap();
    let state = || node.json(&format!("/api/v1/hunts/{id}"));
    wait_until(SOON, "the end of the hunt", || state()["state"] == "done");
    let done = state();
    assert_eq!(done["progress"]["rows"], LINES, "{done}");
    assert!(done["progress"]["read_bytes"].as_u64().unwrap() > 0, "{done}");
    assert_eq!(node.json("/api/v1/hunts")["data"][0]["id"], id);
    let rows = |form: &str| {
        let (status, head, body) =
            send(node.api, "GET", &format!("/api/v1/hunts/{id}/rows?format={form}"), &[], b"").unwrap();
        assert_eq!(status, 200, "{form}: {body}");
        (head.to_lowercase(), body)
    };
    let (head, ndjson) = rows("ndjson");
    assert!(head.contains("application/x-ndjson"), "{head}");
    assert_eq!(ndjson.lines().count(), LINES);
    let seventh: Value = serde_json::from_str(ndjson.lines().nth(6).unwrap()).unwrap();
    assert_eq!(seventh, json!({"c0di3.line": 7, "source.ip": "198.51.100.6", "class": "library"}));
    let (_, csv) = rows("csv");
    assert_eq!(csv.lines().count(), LINES + 1);
    assert_eq!(csv.lines().nth(7), Some("7,198.51.100.6,library"));
    let (head, parquet) = rows("parquet");
    assert!(head.contains("parquet") && parquet.starts_with("PAR1") && parquet.ends_with("PAR1"), "{head}");
    let (head, arrow) = rows("arrow");
    assert!(head.contains("arrow") && arrow.len() > LINES, "{head}");
    let (status, _, _) = send(node.api, "DELETE", &format!("/api/v1/hunts/{id}"), &[], b"").unwrap();
    assert_eq!(status, 204);
    assert_eq!(get(node.api, &format!("/api/v1/hunts/{id}/rows")).unwrap().0, 404);
}

#[test]
fn a_hunt_keeps_its_limits_and_can_be_ended() {
    let (_sandbox, node) = Node::over_archive_of(log());
    let (status, few) = ask(&node, &json!({"question": "SELECT source.ip FROM events", "limit": 5, "rows_max": 20}));
    assert_eq!((status, few["data"].as_array().map(Vec::len), &few["has_more"]), (200, Some(5), &json!(true)), "{few}");
    assert_eq!((&few["progress"]["rows"], &few["progress"]["is_cut"]), (&json!(20), &json!(true)), "{few}");
    let (status, refused) = ask(&node, &json!({"question": "SELECT sorce.ip FROM events"}));
    assert!(status == 400 && refused.to_string().contains("source.ip"), "{refused}");
    let (status, refused) = ask(&node, &json!({"question": "SELECT 1", "wait": 600}));
    assert!(status == 400 && refused.to_string().contains("/wait"), "{refused}");
    // An expression over 25 million pairs takes longer than a second on any machine.
    let endless = "SELECT count(*) FROM events a JOIN events b ON a.event.dataset = b.event.dataset
                   WHERE regexp_like(a.url.path || b.url.path, '(i|t)+e.*m/[0-9]*(1|2)+.*x$')";
    let (status, begun) = ask(&node, &json!({"question": endless, "wait": 0}));
    assert_eq!((status, &begun["state"]), (202, &json!("running")), "{begun}");
    let id = begun["id"].as_u64().unwrap();
    assert_eq!(get(node.api, &format!("/api/v1/hunts/{id}/rows")).unwrap().0, 409);
    assert_eq!(send(node.api, "DELETE", &format!("/api/v1/hunts/{id}"), &[], b"").unwrap().0, 204);
    assert_eq!(get(node.api, &format!("/api/v1/hunts/{id}")).unwrap().0, 404);
    let (status, late) = ask(&node, &json!({"question": endless, "seconds_max": 1, "wait": 20}));
    assert!(status == 400 && late.to_string().contains("1s"), "{status} {late}");
    // Others are answered as before: none of the places is held for ever.
    for _ in 0..6 {
        let (status, answer) = ask(&node, &json!({"question": "SELECT count(*) AS n FROM events"}));
        assert_eq!((status, &answer["data"][0]["n"]), (200, &json!(LINES)), "{answer}");
    }
}
