//! What is pushed: connections that are open when the service stops, connections that nobody uses, bodies that unpack to
//! much more than they are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use servers::wait_until;

use crate::node::{Node, SOON, get, send};
use crate::oracle::rules;
use crate::program::{Sandbox, rounds};

/// One finding that counts all events.
const COUNTING: &str = "title: one event
id: push-one
level: informational
logsource: {product: linux}
detection: {s: {process.name: push}, condition: s}
---
title: all events
id: push-all
level: low
correlation: {type: event_count, rules: [push-one], group-by: [host.hostname], timespan: 30d, condition: {gte: 1}}
";

fn probe(number: u64) -> String {
    format!(
        "{{\"@timestamp\":\"2026-11-23T10:00:00Z\",\"oracle.kind\":\"probe\",\"user.name\":\"u{number}\",\"host.name\":\"h\"}}"
    )
}

fn message(number: u64) -> String {
    format!("<13>1 2026-11-23T10:00:00Z h push - - - message {number}")
}

fn counted(node: &Node) -> u64 {
    node.json("/api/v1/findings?rule=push-all")["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["count"].as_u64().unwrap())
        .sum()
}

/// Connections: half of them send with lengths, half with line ends. Pause behind a message, and how many messages a sender
/// writes between two looks whether anybody listens.
const SENDERS: usize = 4;
const PAUSE: Duration = Duration::from_micros(100);
const MESSAGES: u64 = 100;

/// Sends as long as the other side listens; how many messages the kernel has taken.
fn send_until_told(mut stream: &TcpStream, with_length: bool, numbers: &AtomicU64) -> u64 {
    for sent in 0.. {
        let message = message(numbers.fetch_add(1, Ordering::Relaxed));
        let framed = if with_length { format!("{} {message}", message.len()) } else { format!("{message}\n") };
        if stream.write_all(framed.as_bytes()).is_err() {
            return sent;
        }
        std::thread::sleep(PAUSE);
        // As rsyslog does before it writes: an end means that nobody listens any more.
        if sent % MESSAGES == 0 {
            stream.set_read_timeout(Some(PAUSE)).unwrap();
            let told = stream.read(&mut [0; 1]);
            if !told.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                return sent + 1;
            }
        }
    }
    unreachable!()
}

#[test]
fn what_the_kernel_has_accepted_survives_a_sigterm() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("rules/counting.yml", COUNTING);
    let settings = vec![("rules.paths", path), ("rules.default", "false".to_owned())];
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let numbers = AtomicU64::new(0);
    let mut sent = 0;
    for round in 0..3 * rounds() {
        let port = node.syslog;
        let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
        let senders: Vec<TcpStream> = (0..SENDERS).map(|_| connect()).collect();
        let numbers = &numbers;
        sent += std::thread::scope(|scope| {
            let threads: Vec<_> = senders
                .iter()
                .enumerate()
                .map(|(at, stream)| scope.spawn(move || send_until_told(stream, at % 2 == 0, numbers)))
                .collect();
            std::thread::sleep(Duration::from_millis(300));
            // Some connect at the last moment and send one message; some of them have gone when the signal comes.
            let late = |at: u64| {
                let mut stream = connect();
                stream.write_all(format!("{}\n", message(numbers.fetch_add(1, Ordering::Relaxed))).as_bytes()).unwrap();
                at.is_multiple_of(2).then_some(stream)
            };
            let late: Vec<_> = (0..10).map(late).collect();
            let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for _ in 0..50 {
                let message = message(numbers.fetch_add(1, Ordering::Relaxed));
                datagrams.send_to(message.as_bytes(), ("127.0.0.1", port)).unwrap();
            }
            assert_eq!(node.stop("serve"), Some(0), "round {round}");
            drop(late);
            10 + 50 + threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
        });
        node.start(&sandbox, "serve", &settings);
        wait_until(Duration::from_secs(60), "all that was sent is counted", || counted(&node) >= sent);
        assert_eq!(counted(&node), sent, "round {round}");
    }
}

#[test]
fn idle_connections_give_way_and_are_told_of() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("syslog.connections_max", "3".to_owned()));
    settings.push(("syslog.connections_per_address_max", "3".to_owned()));
    settings.push(("syslog.idle_timeout", "4s".to_owned()));
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", node.syslog)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    };
    let mut idle = [(); 3].map(|()| connect());
    // The oldest is within a message: the second oldest gives way.
    idle[0].write_all(b"{\"oracle.kind\":\"pro").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let mut new = connect();
    new.write_all(format!("{}\n", probe(1)).as_bytes()).unwrap();
    let events = || node.json("/api/v1/findings?rule=oracle-one")["data"].as_array().unwrap().len();
    wait_until(SOON, "a new sender is heard", || events() == 1);
    let mut nothing = [0; 1];
    assert_eq!(idle[1].read(&mut nothing).unwrap(), 0, "the second was closed");
    idle[0].write_all(b"be\",\"user.name\":\"u2\",\"host.name\":\"h\"}\n").unwrap();
    wait_until(SOON, "what was half sent is heard whole", || events() == 2);
    let (_, health) = get(node.ingest, "/health").unwrap();
    assert!(
        health.contains("\"syslog_tcp\":{\"status\":\"warn\"") && health.contains("1 idle ones gave way"),
        "{health}"
    );
    assert_eq!(idle[2].read(&mut nothing).unwrap(), 0, "silence for longer than allowed ends a connection");
    let (_, metrics) = get(node.api, "/metrics").unwrap();
    for counted in ["gave_way", "idle"] {
        let line = format!("ingest_connections_closed_total{{source=\"syslog_tcp\",reason=\"{counted}\"}} ");
        assert!(metrics.contains(&line), "{line}:\n{metrics}");
    }
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_give_it_back() {
    const CONNECTIONS: usize = 10_000;
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("syslog.connections_max", CONNECTIONS.to_string()));
    settings.push(("syslog.connections_per_address_max", CONNECTIONS.to_string()));
    let mut node = Node::new();
    node.start(&sandbox, "analyzer", &settings);
    let (ingest, syslog) = (node.ingest, node.syslog);
    let shows = move |series: String| get(ingest, "/metrics").unwrap().1.lines().any(|line| line == series);
    // Memory of the process while all are open, in KiB; when it returns they are closed again.
    let mut visit = |number: usize| {
        let open: Vec<TcpStream> = (0..CONNECTIONS)
            .map(|_| {
                let mut stream = TcpStream::connect(("127.0.0.1", syslog)).unwrap();
                stream.write_all(b"<38>1 2026-11-23T10:00:00Z gate app 9 - - an idle sender\n").unwrap();
                stream
            })
            .collect();
        let came = format!("ingest_events_total{{source=\"syslog_tcp\"}} {}", number * CONNECTIONS);
        wait_until(Duration::from_secs(60), "all have sent", || shows(came.clone()));
        std::thread::sleep(Duration::from_secs(2));
        let with = node.memory_kb("analyzer", "RssAnon");
        drop(open);
        let none = "ingest_connections_open{source=\"syslog_tcp\"} 0";
        wait_until(SOON, "all are closed", || shows(none.to_owned()));
        // Free pages go back to the system within about ten seconds.
        std::thread::sleep(Duration::from_secs(20));
        (with, node.memory_kb("analyzer", "RssAnon"))
    };
    // What the first ones leave is what the program keeps once it has worked; the next ones leave nothing.
    let (first, before) = visit(1);
    let (with, after) = visit(2);
    let each = (with - before) * 1024 / CONNECTIONS as u64;
    println!(
        "{CONNECTIONS} idle connections: {first} KiB, {before} without; {with} again, {each} bytes each; {after} after"
    );
    assert!(each <= 16 << 10, "{each} bytes for each connection");
    assert!(first.max(with) < 400 << 10, "{first} or {with} KiB");
    assert!(after < before + (with - before) / 5, "{before} KiB before, {with} with them, {after} after");
}

#[test]
fn each_event_of_what_clouds_send_is_acknowledged_and_counted() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("rules/counting.yml", COUNTING);
    let settings = vec![("rules.paths", path), ("rules.default", "false".to_owned())];
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let subscription = |numbers: std::ops::Range<u64>| {
        let events: Vec<Value> = numbers
            .map(|number| json!({"id": number.to_string(), "timestamp": 1_795_428_000_000_u64, "message": message(number)}))
            .collect();
        json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": events})
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(subscription(5..9).to_string().as_bytes()).unwrap();
    let data = [packed.finish().unwrap(), format!("{}\n{}\n", message(9), message(10)).into_bytes()];
    let data = data.map(|data| json!({"data": BASE64_STANDARD.encode(data)}));
    let firehose = json!({"requestId": "r-1", "timestamp": 1, "records": data});
    let record = |number: u64| json!({"log": message(number), "stream": "stdout", "time": "2026-11-23T10:00:00Z"});
    let mut sent = 0;
    for (headers, body, events) in [
        (&[][..], subscription(0..5).to_string(), 5),
        (&[("X-Amz-Firehose-Request-Id", "r-1")], firehose.to_string(), 6),
        (&[], json!({"Records": [record(11), record(12), record(13)]}).to_string(), 3),
        (&[], format!("{}\n{}\n{}\n", record(14), subscription(15..17), json!([record(17), record(18)])), 5),
    ] {
        let (status, _, answer) = send(node.ingest, "POST", "/ingest", headers, body.as_bytes()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["accepted"]), (200, &json!(events)), "{body}");
        assert_eq!(answer["requestId"], headers.first().map_or(Value::Null, |(_, name)| json!(name)));
        sent += events;
    }
    wait_until(SOON, "all events counted", || counted(&node) == sent);
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    assert!(metrics.contains(&format!("ingest_events_total{{source=\"http\"}} {sent}\n")), "{metrics}");
}

/// Bytes of one body, unpacked, and how many come at once.
const BODY_BYTES: usize = 96 << 20;
const BODIES: usize = 16;
/// What the analyzer may take in all.
const MEMORY_MB: u64 = 400;

#[test]
fn bodies_that_unpack_to_much_more_stay_within_the_memory_limit() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &rules(&sandbox));
    let line = format!("{}\n", "GET /index.html and nothing else ".repeat(30));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let lines = BODY_BYTES / line.len();
    for _ in 0..lines {
        packed.write_all(line.as_bytes()).unwrap();
    }
    let packed = packed.finish().unwrap();
    let headers = [("Content-Encoding", "gzip")];
    // A damaged one leaves nothing behind, however late the damage comes.
    let (status, _, answer) = send(node.ingest, "POST", "/ingest", &headers, &packed[..packed.len() - 5]).unwrap();
    assert_eq!(status, 400, "{answer}");
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    assert!(!metrics.contains("ingest_events_total{source=\"http\"}"), "{metrics}");
    std::thread::scope(|scope| {
        for _ in 0..BODIES {
            let (packed, port) = (&packed, node.ingest);
            scope.spawn(move || {
                wait_until(Duration::from_secs(240), "a body is taken", || {
                    match send(port, "POST", "/ingest", &headers, packed) {
                        Some((200, _, answer)) => {
                            assert_eq!(answer, format!("{{\"accepted\":{lines}}}"));
                            true
                        }
                        Some((503, head, _)) => {
                            assert!(head.to_lowercase().contains("retry-after"), "{head}");
                            std::thread::sleep(Duration::from_millis(200));
                            false
                        }
                        other => panic!("{other:?}"),
                    }
                });
            });
        }
    });
    let peak = node.peak_mb("serve");
    println!("{BODIES} bodies of {} bytes, {BODY_BYTES} unpacked: {peak} MB at most", packed.len());
    assert!(peak < MEMORY_MB, "{peak} MB");
}
