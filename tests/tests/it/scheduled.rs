//! A scheduled hunt makes findings, once, whichever of two agents runs it, and the API tells of its runs.

use std::process::Command;
use std::time::Duration;

use servers::wait_until;

use crate::node::{Node, get, send};
use crate::program::Sandbox;

const HUNT: &str = "id: loud-address
title: One address asked much
level: high
every: 1m
delay: 0s
tags: [attack.t1595]
question: |
  SELECT source.ip, count(*) AS count FROM events WHERE source.ip = '203.0.113.99' GROUP BY source.ip HAVING count(*) >= 2
---
id: by-hand
title: Asked by hand
search: 'status:404'
";

/// Two access lines of this moment.
fn lines() -> String {
    let stamp = Command::new("date").args(["-u", "+%d/%b/%Y:%H:%M:%S +0000"]).env("LC_ALL", "C").output().unwrap();
    let stamp = String::from_utf8_lossy(&stamp.stdout).trim().to_owned();
    let line =
        |path: &str| format!("203.0.113.99 - - [{stamp}] \"GET /{path} HTTP/1.1\" 404 5 \"-\" \"Mozilla/5.0\"\n");
    line("a") + &line("b")
}

#[test]
fn a_scheduled_hunt_makes_its_findings_once() {
    let sandbox = Sandbox::new();
    sandbox.write("hunts/loud.yml", HUNT);
    let settings = [
        ("archive.hunts", sandbox.path("hunts").display().to_string()),
        ("archive.folder", sandbox.path("events").display().to_string()),
        ("analyzer.checkpoint_interval_ms", "500".to_owned()),
        ("store.url", format!("sqlite:{}", sandbox.path("a.db").display())),
    ];
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    // A second agent on the same store.
    let mut other = Node::new();
    other.start(&sandbox, "agent", &settings);
    let found = || {
        assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines().as_bytes()).unwrap().0, 200);
        std::thread::sleep(Duration::from_secs(3));
        let list = node.json("/api/v1/findings?rule=loud-address");
        !list["data"].as_array().unwrap().is_empty()
    };
    wait_until(Duration::from_secs(240), "the hunt finds what it asks for", found);
    let list = node.json("/api/v1/findings?rule=loud-address");
    let finding = &list["data"][0];
    assert_eq!(
        (finding["level"].as_str(), finding["entities"]["source.ip"][0].as_str()),
        (Some("high"), Some("203.0.113.99"))
    );
    assert!(finding["count"].as_u64().unwrap() >= 2, "{finding}");
    let saved = node.json("/api/v1/hunts/saved");
    let hunts = saved["data"].as_array().unwrap();
    assert_eq!(hunts.len(), 2, "{saved}");
    let loud = hunts.iter().find(|hunt| hunt["id"] == "loud-address").unwrap();
    let findings = list["data"].as_array().unwrap().len() as u64;
    assert!(loud["runs"]["findings"].as_u64().unwrap() >= findings, "{loud}");
    assert_eq!((loud["every_seconds"].as_u64(), loud["runs"]["failures"].as_u64()), (Some(60), Some(0)));
    // What two agents did together is what one would have done: no span was looked at twice.
    let runs = |port| {
        let (_, text) = get(port, "/metrics").unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("hunt_runs_total{outcome=\"done\"}")).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    let done = || node.json("/api/v1/hunts/saved")["data"][1]["runs"]["runs"].as_u64();
    wait_until(Duration::from_secs(20), "the counters agree", || {
        done() == Some(runs(node.health) + runs(other.health))
    });
    let run = sandbox.run(&["hunt", "--saved", "nothing"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
}
