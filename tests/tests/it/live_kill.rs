//! The analyzer is killed fifty times, on each store, at random moments under load in all protocols that acknowledge, and from a file that
//! is followed: every acknowledged event is accounted for once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use servers::{Postgres, free_port, wait_until};

use crate::grpc::send_grpc_until;
use crate::node::{Node, SOON};
use crate::oracle::{Ledger, rules};
use crate::program::{Sandbox, rounds};
use crate::wired::{FORWARD, LUMBERJACK, RELP, send_wired_until, write_until};

/// In each round; `make soak` asks for more rounds.
const KILLS: u32 = 50;

/// Ways in which events come: nine over HTTP, gRPC, three that have ports of their own, and a file.
const WAYS: usize = 14;

/// Different at each run: the moments are random, the numbers are printed.
pub(crate) fn random(most: u64) -> u64 {
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
    let [forward, lumberjack, relp] = [(); 3].map(|()| free_port());
    let followed = sandbox.path("followed.log");
    settings.push(("tail.paths", followed.display().to_string()));
    settings.push(("syslog.relp", format!("127.0.0.1:{relp}")));
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
        send_grpc_until(&ledger, node.ingest, &stop),
        send_wired_until(&ledger, FORWARD, forward, &stop),
        send_wired_until(&ledger, LUMBERJACK, lumberjack, &stop),
        send_wired_until(&ledger, RELP, relp, &stop),
        write_until(&ledger, followed, &stop),
    ];
    let started = Instant::now();
    // Some events of each protocol get through between any two kills, or the test would prove nothing.
    let mut before = BTreeMap::new();
    let taken = |before: &BTreeMap<&str, u64>, words: &str| {
        wait_until(SOON * 2, words, || {
            let now = ledger.batches();
            now.len() == WAYS && now.iter().all(|(way, batches)| before.get(way).is_none_or(|before| batches > before))
        });
        ledger.batches()
    };
    let kills = KILLS * rounds();
    for _ in 0..kills {
        before = taken(&before, "events are taken after a kill");
        let pause = random(400);
        std::thread::sleep(Duration::from_millis(pause));
        node.kill("analyzer");
        node.launch(&sandbox, "analyzer", &settings);
    }
    taken(&before, "events are taken after the last kill");
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    ledger.wait_until_counted(&node);
    assert_eq!(node.stop("analyzer"), Some(0));
    let stored = ledger.judge(&node);
    let (acknowledged, ways) = (ledger.acknowledged(), ledger.batches());
    println!(
        "{kills} kills in {:?}: {acknowledged} acknowledged, {stored} stored; batches {ways:?}",
        started.elapsed()
    );
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
