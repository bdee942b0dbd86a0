//! Services end within their stated time after SIGTERM, whatever the servers around them do: stand still, be gone, or be locked
//! before the start is over.

use std::time::{Duration, Instant};

use servers::{Llama, Postgres, Redis, wait_until};

use crate::node::{Node, SOON, get};
use crate::program::Sandbox;

/// What a service promises (`END_MAX` of the program), and what a busy machine needs to notice that it has ended.
const END_MAX: Duration = Duration::from_secs(27);
const NOTICED: Duration = Duration::from_secs(2);

/// Tells the service to end, and how long it took; its exit code.
fn end(node: &mut Node, command: &str) -> (Option<i32>, Duration) {
    let started = Instant::now();
    node.signal(command, "-TERM");
    wait_until(END_MAX + NOTICED, &format!("{command} ends"), || !node.is_running(command));
    (node.forget(command), started.elapsed())
}

#[test]
fn services_end_in_time_while_all_servers_stand_still() {
    let (postgres, redis, llama) = (Postgres::start(), Redis::start(), Llama::start());
    let sandbox = Sandbox::new();
    let settings = [("store.url", postgres.database()), ("cache.url", redis.url()), ("llm.url", llama.url())];
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    wait_until(SOON, "both are ready", || {
        [node.api, node.ingest].iter().all(|port| get(*port, "/ready").is_some_and(|(status, _)| status == 200))
    });
    postgres.freeze();
    redis.freeze();
    llama.freeze();
    // Somebody waits for an answer of the store, so that a connection is lent out; the analyzer has something to commit.
    let api = node.api;
    let asking: Vec<_> = (0..4).map(|_| std::thread::spawn(move || get(api, "/api/v1/findings"))).collect();
    assert_eq!(
        crate::node::send(node.ingest, "POST", "/ingest", &[], b"a line\n").map(|(status, ..)| status),
        Some(200)
    );
    std::thread::sleep(Duration::from_secs(2));
    for command in ["agent", "analyzer"] {
        let (code, took) = end(&mut node, command);
        println!("{command}: code {code:?} after {took:?}");
        assert_eq!(code, Some(0), "{command}");
    }
    asking.into_iter().for_each(|asked| drop(asked.join()));
}

#[test]
fn services_end_in_time_when_their_store_is_gone() {
    let mut postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let settings = [("store.url", postgres.database())];
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    node.signal("agent", "-TERM");
    postgres.stop();
    node.signal("analyzer", "-TERM");
    for command in ["agent", "analyzer"] {
        wait_until(END_MAX + NOTICED, command, || !node.is_running(command));
        assert_eq!(node.forget(command), Some(0), "{command}");
    }
}

#[test]
fn a_service_ends_at_once_that_still_waits_for_its_store() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let store = postgres.database();
    let mut node = Node::new();
    postgres.freeze();
    node.launch(&sandbox, "agent", &[("store.url", store)]);
    wait_until(SOON, "it listens", || std::net::TcpStream::connect(("127.0.0.1", node.api)).is_ok());
    std::thread::sleep(Duration::from_secs(1));
    let (code, took) = end(&mut node, "agent");
    assert!(code == Some(0) && took < Duration::from_secs(3), "code {code:?} after {took:?}");
}
