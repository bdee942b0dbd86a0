//! The analyzer is killed at random moments while it consumes from Kafka: every message that the broker took is accounted for once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use servers::{Broker, wait_until};

use crate::live_kill::random;
use crate::node::{Node, SOON};
use crate::oracle::{Ledger, rules};
use crate::program::{Sandbox, rounds};

/// Kills, and in each round where `make soak` asks for more than one: as many as with the other protocols. After each the group waits
/// ten seconds for the member that is gone.
const KILLS: u32 = 3;
const KILLS_IN_SOAK: u32 = 50;
/// Pause of the producer between batches.
const PAUSE: Duration = Duration::from_millis(10);

/// Sends until told to stop: what the broker has acknowledged counts.
fn produce_until(ledger: &Arc<Ledger>, broker: String, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", broker)
            .set("enable.idempotence", "true")
            .set("compression.type", "zstd")
            .set("linger.ms", "5")
            .create()
            .unwrap();
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            for line in lines.lines() {
                producer.send(BaseRecord::<(), str>::to("events").payload(line)).unwrap();
            }
            producer.flush(SOON).unwrap();
            ledger.acknowledge("kafka", numbers);
            std::thread::sleep(PAUSE);
        }
    })
}

#[test]
fn kills_lose_no_message_and_count_none_twice() {
    let (broker, sandbox) = (Broker::start(), Sandbox::new());
    let mut settings = rules(&sandbox);
    settings.extend([
        ("store.url", "sqlite:a.db".to_owned()),
        ("kafka.brokers", broker.address()),
        ("kafka.topics", "events".to_owned()),
        ("analyzer.commit_interval_ms", "20".to_owned()),
        ("analyzer.checkpoint_interval_ms", "100".to_owned()),
    ]);
    let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
    let sender = produce_until(&ledger, broker.address(), &stop);
    wait_until(SOON, "the topic has events", || ledger.acknowledged() > 0);
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let mut committed = 0;
    let (kills, started) = (if rounds() > 1 { KILLS_IN_SOAK * rounds() } else { KILLS }, Instant::now());
    for _ in 0..kills {
        // Some are committed between any two kills, or the test would prove nothing.
        wait_until(SOON * 2, "messages are committed after a kill", || ledger.counted(&node) > committed);
        std::thread::sleep(Duration::from_millis(random(400)));
        node.kill("analyzer");
        committed = ledger.counted(&node);
        node.launch(&sandbox, "analyzer", &settings);
    }
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    ledger.wait_until_counted(&node);
    assert_eq!(node.stop("analyzer"), Some(0));
    let stored = ledger.judge(&node);
    let (took, acknowledged) = (started.elapsed(), ledger.acknowledged());
    println!("{kills} kills in {took:?}: {acknowledged} acknowledged by the broker, {stored} stored");
    assert_eq!(stored, ledger.acknowledged() as u64);
}
