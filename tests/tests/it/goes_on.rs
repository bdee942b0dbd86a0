//! An attack that goes on after people were done with its incident, through the whole service and a crash.

use std::process::Command;

use serde_json::{Value, json};
use servers::wait_until;

use crate::node::{Node, Receiver, SOON, send};
use crate::program::Sandbox;

const ATTACKER: &str = "203.0.113.7";

fn lines(count: u32) -> String {
    let out = Command::new("date").args(["-u", "+%d/%b/%Y:%H:%M:%S +0000"]).output().unwrap();
    let stamp = String::from_utf8(out.stdout).unwrap();
    let line = |number: u32| {
        format!(
            "{ATTACKER} - - [{}] \"GET /item.php?id={number}%27%20UNION%20SELECT%20user,password%20FROM%20users--%20- \
             HTTP/1.1\" 200 512 \"https://shop.example/\" \"sqlmap/1.8\"\n",
            stamp.trim()
        )
    };
    (0..count).map(line).collect()
}

fn attack(node: &Node, count: u32) {
    let (status, _, body) = send(node.ingest, "POST", "/ingest", &[], lines(count).as_bytes()).unwrap();
    assert_eq!((status, body.as_str()), (200, format!("{{\"accepted\":{count}}}").as_str()));
}

/// Oldest first.
fn incidents(node: &Node) -> Vec<Value> {
    let mut all = node.json("/api/v1/incidents")["data"].as_array().unwrap().clone();
    all.sort_by_key(|incident| incident["created_at"].as_str().unwrap().to_owned());
    all
}

/// Events by rule, over all findings: of the rules that lead, and of those that they name.
fn counted(node: &Node) -> Vec<u64> {
    let page = node.json("/api/v1/findings?limit=500");
    let mut rules: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for finding in page["data"].as_array().unwrap() {
        for rule in std::iter::once(finding).chain(finding["also"].as_array().into_iter().flatten()) {
            *rules.entry(rule["rule.title"].to_string()).or_default() += rule["count"].as_u64().unwrap();
        }
    }
    rules.into_values().collect()
}

fn close(node: &Node, incident: &Value) {
    let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
    for step in [
        json!({"stage": "assessment"}),
        json!({"stage": "communication"}),
        json!({"stage": "investigation"}),
        json!({"stage": "mitigation"}),
        json!({"stage": "resolution", "verdict": "true_positive"}),
        json!({"stage": "post_mortem", "post_mortem": "closed the hole"}),
        json!({"status": "closed"}),
    ] {
        let (_, head, _) = send(node.api, "GET", &path, &[], b"").unwrap();
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        let (status, _, body) =
            send(node.api, "PATCH", &path, &[("if-match", &tag)], step.to_string().as_bytes()).unwrap();
        assert_eq!(status, 200, "{step}: {body}");
    }
}

#[test]
fn a_closed_incident_does_not_swallow_the_attack_that_goes_on() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::start());
    sandbox.write(
        "c0di3.toml",
        format!(
            "[webhooks]\nendpoints = [{{ name = \"ops\", url = \"http://127.0.0.1:{}/hook\", allow = [\"127.0.0.0/8\"], \
             allow_http = true }}]\n[notify]\nsettle = \"3s\"\n",
            receiver.port
        ),
    );
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    attack(&node, 76);
    wait_until(SOON, "the attack is an incident", || incidents(&node).iter().any(|one| one["events"] == 76));
    let first = incidents(&node).remove(0);
    assert_eq!((&first["findings"], &first["events_are_estimated"]), (&json!(1), &json!(false)));
    let title = first["title"].as_str().unwrap();
    assert!(title.starts_with("SQL injection in a request"), "it is called by its gravest finding: {title}");
    close(&node, &first);
    wait_until(SOON, "its end is told", || receiver.bodies().iter().any(|body| body["type"] == "incident.resolved"));

    attack(&node, 300);
    wait_until(SOON, "what goes on is an incident of its own", || {
        incidents(&node).get(1).is_some_and(|one| one["events"] == 300)
    });
    let (old, new) = (incidents(&node).remove(0), incidents(&node).remove(1));
    assert_eq!((&old["status"], &old["events"]), (&json!("closed"), &json!(76)));
    assert_eq!((&new["status"], &new["continues"]), (&json!("new"), &first["id"]));
    let told = |kind: &str| receiver.bodies().iter().filter(|body| body["type"] == kind).count();
    wait_until(SOON, "people are told", || told("incident.continued") == 1);
    assert_eq!((told("incident.resolved"), told("incident.updated")), (1, 0), "seven steps are one notice");

    // Read again after a crash, the events arrive at the same parts.
    attack(&node, 40);
    node.kill("serve");
    node.start(&sandbox, "serve", &[]);
    attack(&node, 10);
    wait_until(SOON, "all is counted", || counted(&node) == [426, 426]);
    assert_eq!(incidents(&node).iter().map(|one| one["events"].as_u64().unwrap()).collect::<Vec<_>>(), [76, 350]);
    assert_eq!(node.stop("serve"), Some(0));
    let check = sandbox.run(&["db", "check"]);
    assert_eq!((check.code, check.out.contains("\"problems\":0")), (Some(0), true), "{} {}", check.out, check.err);
}
