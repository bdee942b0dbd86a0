//! Each server goes away for twenty seconds under load: nothing is lost, nobody crashes, all comes back by itself, and
//! `/health` tells the truth throughout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use servers::{Broker, Llama, Postgres, Redis, wait_until};

use crate::node::{Node, SOON, get, part_status};
use crate::oracle::{Ledger, rules};
use crate::program::{Sandbox, rounds};

const OUTAGE: Duration = Duration::from_secs(20);
pub(crate) const TOPIC: &str = "events";

/// Status of one part, as `/health` tells it.
fn part(port: u16, name: &str) -> String {
    let Some((_, body)) = get(port, "/health") else { return "no answer".to_owned() };
    let health: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    part_status(&health, name)
}

/// Sends events to the broker; those that it has taken are acknowledged.
pub(crate) fn produce_until(broker: &str, ledger: &Arc<Ledger>, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (broker, ledger, stop) = (broker.to_owned(), Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &broker)
            .set("message.timeout.ms", "120000")
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            producer.send(BaseRecord::<(), str>::to(TOPIC).payload(&lines)).unwrap();
            // A flush that ends means that the broker has it.
            let deadline = Instant::now() + Duration::from_secs(120);
            while producer.in_flight_count() > 0 && Instant::now() < deadline {
                producer.poll(Duration::from_millis(20));
            }
            assert_eq!(producer.in_flight_count(), 0, "the broker came back");
            ledger.acknowledge("http", numbers);
            std::thread::sleep(Duration::from_millis(20));
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    })
}

#[test]
fn kafka_events_are_counted_once_also_when_the_analyzer_is_killed() {
    let broker = Broker::start();
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("kafka.brokers", broker.address()));
    settings.push(("kafka.topics", TOPIC.to_owned()));
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let ledger = Arc::new(Ledger::default());
    let stop = Arc::new(AtomicBool::new(false));
    let producer = produce_until(&broker.address(), &ledger, &stop);
    for _ in 0..2 * rounds() {
        wait_until(SOON, "events are taken", || ledger.acknowledged() > 100);
        ledger.wait_until_counted(&node);
        std::thread::sleep(Duration::from_secs(2));
        node.kill("analyzer");
        node.start(&sandbox, "analyzer", &settings);
    }
    std::thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Relaxed);
    producer.join().unwrap();
    ledger.wait_until_counted(&node);
    println!("{} acknowledged, {} stored", ledger.acknowledged(), ledger.judge(&node));
}

/// The agent says what it cannot do; the analyzer takes events all the same.
fn while_the_store_is_away(node: &Node, ledger: &Ledger) {
    let before = ledger.acknowledged();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(part(node.api, "postgres"), "fail");
    assert_eq!(get(node.api, "/ready").map(|(status, _)| status), Some(503), "an agent without its store is not ready");
    assert_eq!(get(node.api, "/live").map(|(status, _)| status), Some(200));
    assert_eq!(get(node.api, "/api/v1/findings").map(|(status, _)| status), Some(503));
    assert_eq!((part(node.ingest, "postgres").as_str(), part(node.ingest, "analyzer").as_str()), ("fail", "fail"));
    assert_eq!(get(node.ingest, "/ready").map(|(status, _)| status), Some(200), "the spool takes events all the same");
    std::thread::sleep(OUTAGE - Duration::from_secs(5));
    assert!(ledger.acknowledged() > before + 200, "events are acknowledged while the store is away");
}

fn lists_findings(node: &Node) -> bool {
    get(node.api, "/api/v1/findings?limit=1").is_some_and(|(status, _)| status == 200)
}

#[test]
fn every_server_may_go_away_for_twenty_seconds() {
    let (mut postgres, mut redis, broker, mut llama) =
        (Postgres::start(), Redis::start(), Broker::start(), Llama::start());
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("store.url", postgres.database()));
    settings.push(("cache.url", redis.url()));
    settings.push(("llm.url", llama.url()));
    settings.push(("kafka.brokers", broker.address()));
    settings.push(("kafka.topics", TOPIC.to_owned()));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let ledger = Arc::new(Ledger::default());
    let stop = Arc::new(AtomicBool::new(false));
    let sender = ledger.send_until(node.ingest, &stop);
    let producer = produce_until(&broker.address(), &ledger, &stop);
    wait_until(SOON, "all parts are well at first", || {
        ["postgres", "redis", "llm", "analyzer"].iter().all(|name| part(node.api, name) == "pass")
            && ["postgres", "kafka", "spool", "analyzer"].iter().all(|name| part(node.ingest, name) == "pass")
    });
    wait_until(SOON, "events are taken", || ledger.acknowledged() > 200);
    ledger.wait_until_counted(&node);

    postgres.stop();
    while_the_store_is_away(&node, &ledger);
    postgres.start_again();
    wait_until(SOON, "the store is back", || {
        part(node.api, "postgres") == "pass" && part(node.ingest, "analyzer") == "pass" && lists_findings(&node)
    });
    ledger.wait_until_counted(&node);

    redis.stop();
    llama.stop();
    broker.freeze();
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!((part(node.api, "redis").as_str(), part(node.api, "llm").as_str()), ("fail", "fail"));
    assert_eq!(get(node.api, "/ready").map(|(status, _)| status), Some(200), "the agent answers without them");
    assert!(lists_findings(&node));
    wait_until(SOON, "statistics are counted without Redis", || {
        get(node.api, "/api/v1/stats").is_some_and(|(status, body)| {
            let stats: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            status == 200 && stats["source"] == "memory" && stats["degraded"] == true && stats["complete"] == true
        })
    });
    std::thread::sleep(OUTAGE - Duration::from_secs(8));
    redis.start_again();
    llama.start_again();
    broker.thaw();
    wait_until(SOON, "all are back", || {
        ["redis", "llm"].iter().all(|name| part(node.api, name) == "pass") && part(node.ingest, "kafka") == "pass"
    });

    std::thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    producer.join().unwrap();
    ledger.wait_until_counted(&node);
    let stored = ledger.judge(&node);
    println!("{} acknowledged, {stored} stored", ledger.acknowledged());
    wait_until(SOON, "the cache was rebuilt from the store", || {
        get(node.api, "/api/v1/stats").is_some_and(|(status, body)| {
            let stats: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            status == 200 && stats["source"] == "redis" && stats["findings"] == stored + 1
        })
    });
    assert!(node.is_running("agent") && node.is_running("analyzer"), "nobody crashed");
    assert_eq!((node.stop("analyzer"), node.stop("agent")), (Some(0), Some(0)));
}
