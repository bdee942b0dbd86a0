//! Services that are started while PostgreSQL is away or stands still: they listen, keep what is pushed, say what is missing and for
//! how long, and go on by themselves when it comes.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::Value;
use servers::{Postgres, wait_until};

use crate::node::{Node, SOON, get, part_status, send};
use crate::oracle::{Ledger, rules};
use crate::program::Sandbox;

/// Longest that a start waits for a server that stands still, on a busy machine.
const LISTENS: Duration = Duration::from_secs(15);

fn health(port: u16) -> Value {
    let body = get(port, "/health").map(|(_, body)| body).unwrap_or_default();
    serde_json::from_str(&body).unwrap_or_default()
}

/// Waits until the port's health says of the part that it fails, with all of these words.
fn says(port: u16, part: &str, wanted: &[&str]) {
    wait_until(SOON, &format!("{part} fails with {wanted:?}: {}", health(port)), || {
        let health = health(port);
        let words = health["checks"][part]["output"].as_str().unwrap_or_default();
        part_status(&health, part) == "fail" && wanted.iter().all(|word| words.contains(word))
    });
}

/// Events in the ways that need no token: each is on disk before this returns.
fn push(node: &Node, ledger: &Ledger) {
    let (numbers, lines) = ledger.batch();
    assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines.as_bytes()).map(|(status, ..)| status), Some(200));
    ledger.acknowledge("http", numbers);
    let (over_tcp, lines) = ledger.batch();
    TcpStream::connect(("127.0.0.1", node.syslog)).unwrap().write_all(lines.as_bytes()).unwrap();
    let (over_udp, lines) = ledger.batch();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for line in lines.lines() {
        socket.send_to(line.as_bytes(), ("127.0.0.1", node.syslog)).unwrap();
    }
    for (source, numbers) in [("syslog_tcp", over_tcp), ("syslog_udp", over_udp)] {
        let series = format!("ingest_events_total{{source=\"{source}\"}} {}", numbers.len());
        wait_until(SOON, &series, || get(node.ingest, "/metrics").is_some_and(|(_, text)| text.contains(&series)));
        ledger.acknowledge(source, numbers);
    }
}

/// The services as they should be while the store is away; `cause`: a word for why it is.
fn are_honest(node: &Node, commands: &[&str], cause: &str) {
    let is_one = commands == ["serve"];
    says(node.api, "postgres", &["it has not answered for", cause, "nothing can be shown"]);
    says(if is_one { node.api } else { node.ingest }, "analyzer", &["for ", "the store does not answer", "spool"]);
    if !is_one {
        says(node.ingest, "postgres", &["it has not answered for", cause, "events are kept in the spool"]);
        assert_eq!(health(node.ingest)["status"], "warn", "an analyzer that takes events works");
    }
    assert_eq!(get(node.ingest, "/ready").map(|(status, _)| status), Some(200), "the spool takes events");
    assert_eq!(get(node.api, "/ready").map(|(status, _)| status), Some(503));
    wait_until(SOON, "what needs the store is refused for now", || {
        let (status, head, _) = send(node.api, "GET", "/api/v1/findings", &[], b"").unwrap();
        assert_eq!(status, 503, "{head}");
        head.contains("retry-after")
    });
}

/// Starts the services without their store, kills and starts them again, and lets the store come.
fn go_on(commands: &[&str], postgres: &mut Postgres, away: fn(&mut Postgres), cause: &str, comes: fn(&mut Postgres)) {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("store.url", postgres.database()));
    away(postgres);
    let (mut node, ledger) = (Node::new(), Ledger::default());
    for is_killed in [true, false] {
        for command in commands {
            node.launch(&sandbox, command, &settings);
        }
        for port in [node.api, node.ingest] {
            wait_until(LISTENS, "it answers without its store", || get(port, "/live").is_some());
        }
        push(&node, &ledger);
        if is_killed {
            commands.iter().for_each(|command| node.kill(command));
        }
    }
    are_honest(&node, commands, cause);
    comes(postgres);
    wait_until(SOON * 2, "all is well when the store is there", || {
        let [agent, analyzer] = [node.api, node.ingest].map(health);
        part_status(&agent, "postgres") == "pass"
            && part_status(&analyzer, "analyzer") != "fail"
            && get(node.api, "/api/v1/findings").is_some_and(|(status, _)| status == 200)
    });
    push_once_more(&node, &ledger);
    ledger.wait_until_counted(&node);
    assert_eq!(ledger.judge(&node), ledger.acknowledged() as u64);
    let log = std::fs::read_to_string(sandbox.path(&format!("{}.out", commands[0]))).unwrap();
    assert!(log.contains("events are kept in the spool") && log.contains("the store answers"), "{log}");
    for command in commands {
        assert_eq!(node.stop(command), Some(0), "{command}");
    }
}

fn push_once_more(node: &Node, ledger: &Ledger) {
    let (numbers, lines) = ledger.batch();
    assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines.as_bytes()).map(|(status, ..)| status), Some(200));
    ledger.acknowledge("http", numbers);
}

#[test]
fn one_process_that_starts_before_its_store_keeps_events_and_goes_on_when_it_comes() {
    go_on(&["serve"], &mut Postgres::start(), Postgres::stop, "refused", Postgres::start_again);
}

#[test]
fn services_that_start_before_their_store_keep_events_and_go_on_when_it_comes() {
    go_on(&["analyzer", "agent"], &mut Postgres::start(), Postgres::stop, "refused", Postgres::start_again);
}

#[test]
fn services_that_start_beside_a_store_that_stands_still_keep_events_and_go_on_when_it_moves() {
    let mut postgres = Postgres::start();
    go_on(&["analyzer", "agent"], &mut postgres, |it| it.freeze(), "not answered within 1 s", |it| it.thaw());
}

#[test]
fn tokens_that_nobody_can_look_up_are_answered_with_later() {
    let (mut postgres, sandbox) = (Postgres::start(), Sandbox::new());
    let settings = [("store.url", postgres.database()), ("auth.tokens", "true".to_owned())];
    let made = sandbox
        .command(&["token", "create", "--role", "ingest"])
        .env("C0DI3_STORE_URL", &settings[0].1)
        .output()
        .unwrap();
    let token = format!("Bearer {}", String::from_utf8(made.stdout).unwrap().trim());
    postgres.stop();
    let mut node = Node::new();
    node.start(&sandbox, "analyzer", &settings);
    let push = || send(node.ingest, "POST", "/_bulk", &[("Authorization", &token), ("User-Agent", "test")], BULK);
    let (status, head, body) = push().unwrap();
    assert!(status == 503 && head.contains("retry-after"), "nobody knows yet whether it is good: {head} {body}");
    assert!(head.contains("application/json"), "{head}");
    postgres.start_again();
    wait_until(SOON, "the token is known", || push().is_some_and(|(status, ..)| status == 200));
}

const BULK: &[u8] = b"{\"create\":{}}\n{\"message\":\"one\"}\n";

#[test]
fn a_store_that_comes_and_cannot_be_used_ends_the_service_with_the_reason() {
    let (mut postgres, sandbox) = (Postgres::start(), Sandbox::new());
    let store = postgres.database();
    let settings = [("store.url", store.clone())];
    let mut node = Node::new();
    node.start(&sandbox, "analyzer", &settings);
    assert_eq!(node.stop("analyzer"), Some(0));
    let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'breaks everything', true, '\\x00', 0)";
    postgres.execute(&store, row);
    postgres.stop();
    node.start(&sandbox, "analyzer", &settings);
    postgres.start_again();
    wait_until(SOON, "it ends", || !node.is_running("analyzer"));
    assert_eq!(node.forget("analyzer"), Some(1));
    let log = std::fs::read_to_string(sandbox.path("analyzer.out")).unwrap();
    assert!(log.contains("those of a later version"), "{log}");
}
