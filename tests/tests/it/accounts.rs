//! What became of the events of each sender: at every moment, under load and kills, all that came is committed, a duplicate, lost for a
//! reason, or in flight; and a sender that falls silent is a finding.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use servers::{free_port, wait_until};

use crate::node::{Node, SOON, get, send};
use crate::oracle::{Ledger, rules};
use crate::program::Sandbox;
use crate::wired::{FORWARD, LUMBERJACK, forward, is_acknowledged, send_wired_until};

/// Looks between two kills, and kills.
const LOOKS: usize = 20;
const KILLS: usize = 3;

fn number(account: &Value, key: &str) -> u64 {
    account[key].as_u64().unwrap_or_else(|| panic!("{key}: {account}"))
}

fn lost(account: &Value) -> u64 {
    let reasons = account["lost"].as_object().unwrap().values().flat_map(|by| by.as_object().unwrap().values());
    reasons.map(|number| number.as_u64().unwrap()).sum()
}

/// The accounts, each of which must add up.
fn accounts(node: &Node) -> BTreeMap<String, Value> {
    let (status, body) = get(node.ingest, "/api/v1/sources").expect("the analyzer answers");
    assert_eq!(status, 200, "{body}");
    let all: Value = serde_json::from_str(&body).unwrap();
    for account in all["data"].as_array().unwrap() {
        let ended = number(account, "committed") + number(account, "duplicates") + number(account, "in_flight");
        assert_eq!(number(account, "received"), ended + lost(account), "{account}");
    }
    all["data"].as_array().unwrap().iter().map(|a| (a["source"].as_str().unwrap().to_owned(), a.clone())).collect()
}

/// What a scrape tells of each protocol adds up, too.
fn scrape(node: &Node) {
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix("sender_events{")) {
        let (labels, value) = line.split_once("} ").unwrap();
        let protocol = labels.split('"').nth(1).unwrap().to_owned();
        let value = value.parse::<f64>().unwrap() as i64;
        let state = labels.split('"').nth(3).unwrap();
        let sign = match state {
            "received" => 1,
            "unparsed" => 0,
            _ => -1,
        };
        *sums.entry(protocol).or_default() += sign * value;
    }
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}\n{metrics}");
}

fn all_settled(node: &Node) -> bool {
    accounts(node).values().all(|account| number(account, "in_flight") == 0)
}

#[test]
fn every_event_is_accounted_for_at_every_moment() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let [forward_port, lumberjack_port, gelf] = [(); 3].map(|()| free_port());
    let mut settings = rules(&sandbox);
    for (key, port) in
        [("shippers.forward", forward_port), ("shippers.lumberjack", lumberjack_port), ("shippers.gelf_udp", gelf)]
    {
        settings.push((key, format!("127.0.0.1:{port}")));
    }
    settings.push(("analyzer.checkpoint_interval_ms", "200".to_owned()));
    node.start(&sandbox, "serve", &settings);
    let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
    let senders = [
        ledger.send_until(node.ingest, &stop),
        send_wired_until(&ledger, FORWARD, forward_port, &stop),
        send_wired_until(&ledger, LUMBERJACK, lumberjack_port, &stop),
    ];
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut in_flight = 0;
    for kill in 0..=KILLS {
        for look in 0..LOOKS {
            // A message of which a chunk never comes, and one that is damaged.
            datagrams.send_to(&[b"\x1E\x0F12345678\0\x02", &[look as u8][..]].concat(), ("127.0.0.1", gelf)).unwrap();
            datagrams.send_to(b"\x1F\x8Bdamaged", ("127.0.0.1", gelf)).unwrap();
            std::thread::sleep(Duration::from_millis(13 + 29 * (look as u64 % 4)));
            in_flight += accounts(&node).values().map(|account| number(account, "in_flight")).sum::<u64>();
            scrape(&node);
        }
        let seen = accounts(&node);
        for protocol in ["forward://", "lumberjack://"] {
            assert!(seen.keys().any(|name| name.starts_with(protocol)), "{seen:?}");
        }
        assert!(lost(&seen["gelf+udp://127.0.0.1"]) >= LOOKS as u64, "{seen:?}");
        if kill < KILLS {
            node.kill("serve");
            node.start(&sandbox, "serve", &settings);
        }
    }
    assert!(in_flight > 0, "nothing was seen in flight: it proves nothing");
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    // A checkpoint that took long is followed by a long pause, and what came meanwhile is in flight until the next.
    wait_until(SOON * 3, "all is committed", || all_settled(&node));
    counts_are_exact(&node, &ledger, forward_port);
    ledger.wait_until_counted(&node);
    ledger.judge(&node);
}

/// From here on it is known what comes.
fn counts_are_exact(node: &Node, ledger: &Ledger, forward_port: u16) {
    let of = |name: &str, key: &str| accounts(node).get(name).map_or(0, |account| number(account, key));
    let names = ["http://127.0.0.1", "forward://127.0.0.1"];
    let before = names.map(|name| ["received", "committed", "duplicates"].map(|key| of(name, key)));
    let mut sent = 0;
    for round in 0..20 {
        let (numbers, lines) = ledger.batch();
        let id = format!("counted-{round}");
        for _ in 0..2 {
            let (status, ..) = send(node.ingest, "POST", "/ingest", &[("X-Batch-Id", &id)], lines.as_bytes()).unwrap();
            assert_eq!(status, 200);
        }
        sent += numbers.len() as u64;
        ledger.acknowledge("http", numbers);
        let (numbers, lines) = ledger.batch();
        for _ in 0..2 {
            assert!(is_acknowledged(forward_port, &forward(&lines, &id), id.as_bytes()));
        }
        ledger.acknowledge("http", numbers);
    }
    wait_until(SOON, "all is committed", || all_settled(node));
    for (name, [received, committed, duplicates]) in names.into_iter().zip(before) {
        assert_eq!(of(name, "received") - received, 2 * sent, "{name}");
        assert_eq!(of(name, "committed") - committed, sent, "{name}");
        assert_eq!(of(name, "duplicates") - duplicates, sent, "{name}");
    }
}

#[test]
fn a_sender_that_falls_silent_is_a_finding() {
    let sandbox = Sandbox::new();
    sandbox.write("c0di3.toml", "[analyzer]\nsilence = [\"gelf+tcp://=2s\", \"http://=never\"]\n");
    let mut node = Node::new();
    let gelf = free_port();
    node.start(&sandbox, "serve", &[("shippers.gelf_tcp", format!("127.0.0.1:{gelf}"))]);
    let mut stream = TcpStream::connect(("127.0.0.1", gelf)).unwrap();
    stream.write_all(b"{\"version\":\"1.1\",\"host\":\"gate\",\"short_message\":\"here\"}\0").unwrap();
    assert_eq!(send(node.ingest, "POST", "/ingest", &[], b"here\n").unwrap().0, 200);
    let path = "/api/v1/findings?rule=3f0e7d52-9b1c-5b64-8f0a-6c4f0f3c7b1e";
    wait_until(SOON, "the silence is told", || !node.json(path)["data"].as_array().unwrap().is_empty());
    let findings = node.json(path);
    assert_eq!(findings["data"].as_array().unwrap().len(), 1, "{findings}");
    let finding = node.json(&format!("/api/v1/findings/{}", findings["data"][0]["id"].as_str().unwrap()));
    assert!(finding.to_string().contains("gelf+tcp://127.0.0.1"), "{finding}");
}
