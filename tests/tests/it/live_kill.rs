//! The analyzer is killed fifty times at random moments under load: every acknowledged event is accounted for once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use servers::{Postgres, free_port, wait_until};

use crate::node::{Node, SOON};
use crate::oracle::{Ledger, rules};
use crate::program::{Sandbox, rounds};
use crate::wired::{send_forward_until, send_lumberjack_until};

/// In each round; `make soak` asks for more rounds.
const KILLS: u32 = 50;

/// Different at each run: the moments are random, the numbers are printed.
fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish() % most
}

fn fifty_kills(settings: &[(&str, String)]) {
    let sandbox = Sandbox::new();
    let mut settings = settings.to_vec();
    settings.extend(rules(&sandbox));
    settings.push(("analyzer.commit_interval_ms", "20".to_owned()));
    settings.push(("analyzer.checkpoint_interval_ms", "100".to_owned()));
    settings.push(("spool.segment_bytes", "65536".to_owned()));
    let [forward, lumberjack] = [(); 2].map(|()| free_port());
    settings.push(("shippers.forward", format!("127.0.0.1:{forward}")));
    settings.push(("shippers.lumberjack", format!("127.0.0.1:{lumberjack}")));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let ledger = Arc::new(Ledger::default());
    let stop = Arc::new(AtomicBool::new(false));
    let senders = [
        ledger.send_until(node.ingest, &stop),
        ledger.send_until(node.ingest, &stop),
        send_forward_until(&ledger, forward, &stop),
        send_lumberjack_until(&ledger, lumberjack, &stop),
    ];
    let started = Instant::now();
    let mut before = 0;
    let kills = KILLS * rounds();
    for _ in 0..kills {
        // Some events get through between any two kills, or the test would prove nothing.
        wait_until(SOON, "events are taken after a kill", || ledger.acknowledged() > before);
        before = ledger.acknowledged();
        let pause = random(400);
        std::thread::sleep(Duration::from_millis(pause));
        node.kill("analyzer");
        node.launch(&sandbox, "analyzer", &settings);
    }
    wait_until(SOON, "events are taken after the last kill", || ledger.acknowledged() > before);
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    ledger.wait_until_counted(&node);
    assert_eq!(node.stop("analyzer"), Some(0));
    let stored = ledger.judge(&node);
    println!("{kills} kills in {:?}: {} acknowledged, {stored} stored", started.elapsed(), ledger.acknowledged());
    assert!(ledger.acknowledged() > 1000, "too little load: {}", ledger.acknowledged());
}

#[test]
fn fifty_kills_lose_nothing_and_count_nothing_twice_on_postgres() {
    let postgres = Postgres::start();
    fifty_kills(&[("store.url", postgres.database())]);
}

#[test]
fn fifty_kills_lose_nothing_and_count_nothing_twice_on_the_embedded_store() {
    fifty_kills(&[("store.url", "sqlite:a.db".to_owned())]);
}
