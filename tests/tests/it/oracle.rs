//! An oracle for "exactly once": every event has a number of its own, a rule makes each a finding of its own, and a
//! correlation counts them all. What was acknowledged must be there once; what was not may be there once or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use servers::wait_until;

use crate::node::{Node, SOON, get, send};
use crate::program::Sandbox;

/// The rules of the oracle. The host is the same for all, so that the correlation has one group.
const RULES: &str = "title: one event
id: oracle-one
level: informational
logsource: {category: oracle}
detection: {s: {oracle.kind: probe}, condition: s}
---
title: all events
id: oracle-all
level: low
correlation: {type: event_count, rules: [oracle-one], group-by: [host.name], timespan: 30d, condition: {gte: 1}, generate: true}
";

/// Events in one request.
const BATCH: u64 = 20;
/// Pause of a sender between requests.
const PAUSE: Duration = Duration::from_millis(15);

/// A protocol to push events in.
struct Way {
    path: &'static str,
    /// Type of the content.
    kind: &'static str,
    /// Events in one request.
    events: u64,
    taken: u16,
    /// A batch has a name, and is sent again until it is acknowledged.
    is_named: bool,
    /// Lines of JSON, wrapped.
    body: fn(&str) -> String,
}

/// Requests take them in turn.
const WAYS: [Way; 9] = [
    Way { path: "/ingest", kind: JSON, events: BATCH, taken: 200, is_named: true, body: str::to_owned },
    Way {
        path: "/_bulk",
        kind: JSON,
        events: BATCH,
        taken: 200,
        is_named: false,
        body: |lines| each(lines, |line| format!("{{\"create\":{{}}}}\n{line}\n"), ""),
    },
    Way {
        path: "/services/collector/event",
        kind: JSON,
        events: BATCH,
        taken: 200,
        is_named: false,
        body: |lines| each(lines, |line| format!("{{\"event\":{line}}}"), ""),
    },
    Way {
        path: "/loki/api/v1/push",
        kind: JSON,
        events: BATCH,
        taken: 204,
        is_named: false,
        body: |lines| {
            let value = |line: &str| format!("[\"1795428000000000000\",{}]", Value::from(line));
            format!("{{\"streams\":[{{\"stream\":{{\"job\":\"oracle\"}},\"values\":[{}]}}]}}", each(lines, value, ","))
        },
    },
    Way {
        path: "/v1/logs",
        kind: JSON,
        events: BATCH,
        taken: 200,
        is_named: false,
        body: |lines| {
            let record = |line: &str| format!("{{\"body\":{{\"stringValue\":{}}}}}", Value::from(line));
            format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{}]}}]}}]}}", each(lines, record, ","))
        },
    },
    Way {
        path: "/api/v2/logs",
        kind: JSON,
        events: BATCH,
        taken: 202,
        is_named: false,
        body: |lines| format!("[{}]", each(lines, str::to_owned, ",")),
    },
    Way {
        path: "/gelf",
        kind: JSON,
        events: 1,
        taken: 202,
        is_named: false,
        body: |lines| format!("{{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":{}}}", Value::from(lines.trim())),
    },
    Way {
        path: "/upload",
        kind: "application/vnd.fdo.journal",
        events: BATCH,
        taken: 202,
        is_named: false,
        body: |lines| {
            each(lines, |line| format!("__CURSOR=c\n__REALTIME_TIMESTAMP=1795428000000000\nMESSAGE={line}\n\n"), "")
        },
    },
    Way {
        path: "/firehose",
        kind: JSON,
        events: BATCH,
        taken: 200,
        is_named: false,
        body: |lines| {
            let record = |line: &str| format!("{{\"data\":\"{}\"}}", BASE64_STANDARD.encode(format!("{line}\n")));
            format!("{{\"requestId\":\"r\",\"timestamp\":1,\"records\":[{}]}}", each(lines, record, ","))
        },
    },
];
const JSON: &str = "application/json";

fn each(lines: &str, wrap: impl Fn(&str) -> String, between: &str) -> String {
    lines.lines().map(wrap).collect::<Vec<_>>().join(between)
}

#[derive(Default)]
pub(crate) struct Ledger {
    acknowledged: Mutex<BTreeSet<u64>>,
    /// Batches that were acknowledged, by protocol.
    batches: Mutex<BTreeMap<&'static str, u64>>,
    next: AtomicU64,
    /// Requests over HTTP, of which each has the next protocol.
    turn: AtomicU64,
}

/// Puts the rules where the analyzer finds them: the settings that say so.
pub(crate) fn rules(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let path = sandbox.write("rules/oracle.yml", RULES);
    vec![("rules.paths", path), ("rules.default", "false".to_owned())]
}

impl Ledger {
    /// New numbers, and the lines that carry them.
    pub(crate) fn batch(&self) -> (Vec<u64>, String) {
        self.batch_of(BATCH)
    }

    fn batch_of(&self, count: u64) -> (Vec<u64>, String) {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let numbers: Vec<u64> = (first..first + count).collect();
        let line = |number: &u64| {
            format!(
                "{{\"@timestamp\":\"2026-11-23T10:00:00Z\",\"oracle.kind\":\"probe\",\"user.name\":\"u{number}\",\"host.name\":\"h\"}}\n"
            )
        };
        let lines = numbers.iter().map(line).collect();
        (numbers, lines)
    }

    /// `way`: the protocol.
    pub(crate) fn acknowledge(&self, way: &'static str, numbers: Vec<u64>) {
        *self.batches.lock().unwrap().entry(way).or_default() += 1;
        self.acknowledged.lock().unwrap().extend(numbers);
    }

    /// Batches that were acknowledged so far, by protocol.
    pub(crate) fn batches(&self) -> BTreeMap<&'static str, u64> {
        self.batches.lock().unwrap().clone()
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Sends over HTTP until told to stop. A request without an answer is sent again where its batch has a name; others are not, because
    /// nobody knows what became of them.
    pub(crate) fn send_until(self: &Arc<Self>, port: u16, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
        let (ledger, stop) = (Arc::clone(self), Arc::clone(stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let turn = ledger.turn.fetch_add(1, Ordering::Relaxed);
                let way = &WAYS[turn as usize % WAYS.len()];
                let (numbers, lines) = ledger.batch_of(way.events);
                let name = format!("batch-{}", numbers[0]);
                let headers = [("Content-Type", way.kind), ("User-Agent", "oracle"), ("X-Batch-Id", &name)];
                loop {
                    match send(port, "POST", way.path, &headers, (way.body)(&lines).as_bytes()) {
                        Some((status, _, answer)) if status == way.taken => {
                            assert!(!way.is_named || answer == format!("{{\"accepted\":{BATCH}}}"), "{answer}");
                            ledger.acknowledge(way.path, numbers);
                            break;
                        }
                        Some((503, head, _)) if way.is_named => assert!(head.contains("retry-after"), "{head}"),
                        Some((503, ..)) => break,
                        Some((status, _, answer)) => panic!("a passing cause was answered {status}: {answer}"),
                        None if way.is_named => {}
                        None => break,
                    }
                    std::thread::sleep(PAUSE);
                }
                std::thread::sleep(PAUSE);
            }
        })
    }

    /// Everything acknowledged is stored once, and the correlation counted what is stored. How many there are.
    pub(crate) fn judge(&self, node: &Node) -> u64 {
        let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
        let mut all = Vec::new();
        let mut path = "/api/v1/findings?limit=500".to_owned();
        loop {
            let page = patient(node, &path);
            for finding in page["data"].as_array().unwrap() {
                if finding["rule.id"] == "oracle-all" {
                    all.push(finding["count"].as_u64().unwrap());
                } else {
                    *seen.entry(number(finding)).or_insert(0) += finding["count"].as_u64().unwrap();
                }
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/api/v1/findings?limit=500&cursor={cursor}"),
                None => break,
            }
        }
        let acknowledged = self.acknowledged.lock().unwrap();
        let lost: Vec<_> = acknowledged.iter().filter(|number| !seen.contains_key(number)).collect();
        assert!(
            lost.is_empty(),
            "{} of {} acknowledged events are lost: {:?}",
            lost.len(),
            acknowledged.len(),
            &lost[..lost.len().min(5)]
        );
        let twice: Vec<_> = seen.iter().filter(|(_, count)| **count != 1).collect();
        assert!(
            twice.is_empty(),
            "{} events were counted more than once: {:?}",
            twice.len(),
            &twice[..twice.len().min(5)]
        );
        let issued = self.next.load(Ordering::Relaxed);
        assert!(seen.keys().all(|number| *number < issued), "an event was stored that nobody sent");
        assert_eq!(
            all.iter().sum::<u64>(),
            seen.len() as u64,
            "the correlation counted each stored event once: {all:?}"
        );
        seen.len() as u64
    }

    /// Waits until the correlation has counted as many events as are acknowledged now.
    pub(crate) fn wait_until_counted(&self, node: &Node) {
        let wanted = self.acknowledged() as u64;
        wait_until(SOON * 2, "everything acknowledged is counted", || self.counted(node) >= wanted);
    }

    /// How many events the correlation has counted.
    pub(crate) fn counted(&self, node: &Node) -> u64 {
        let page = patient(node, "/api/v1/findings?rule=oracle-all");
        page["data"].as_array().unwrap().iter().map(|finding| finding["count"].as_u64().unwrap()).sum()
    }
}

fn number(finding: &Value) -> u64 {
    finding["entities"]["user.name"][0].as_str().unwrap()[1..].parse().unwrap()
}

/// An answer of the agent; a store that is slow to answer under load is asked again.
fn patient(node: &Node, path: &str) -> Value {
    let mut page = None;
    wait_until(SOON, path, || {
        let (status, body) = get(node.api, path).expect("the agent answers");
        assert!(status == 200 || status == 503, "{path}: {status} {body}");
        page = (status == 200).then(|| serde_json::from_str(&body).unwrap());
        page.is_some()
    });
    page.unwrap()
}
