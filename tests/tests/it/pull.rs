//! Sources that are pulled, with the program as a process: Kafka in every codec, and files that are rotated, compressed and
//! written anew while the program runs, stands still and is killed. Every line is an event once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use servers::{Broker, wait_until};

use crate::node::{Node, SOON, get};
use crate::oracle::rules;
use crate::program::Sandbox;

fn probe(name: &str) -> String {
    format!("{{\"oracle.kind\":\"probe\",\"user.name\":\"{name}\",\"host.name\":\"h\"}}\n")
}

fn probes(name: &str, numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| probe(&format!("{name}-{number}"))).collect()
}

/// How often each event was counted.
fn counted(node: &Node) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut path = "/api/v1/findings?rule=oracle-one&limit=500".to_owned();
    loop {
        let page = node.json(&path);
        for finding in page["data"].as_array().unwrap() {
            let name = finding["entities"]["user.name"][0].as_str().unwrap().to_owned();
            *found.entry(name).or_insert(0) += finding["count"].as_u64().unwrap();
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/findings?rule=oracle-one&limit=500&cursor={cursor}"),
            None => return found,
        }
    }
}

fn wait_for(node: &Node, names: &[&str], each: usize) {
    let wanted: Vec<String> =
        names.iter().flat_map(|name| (0..each).map(move |number| format!("{name}-{number}"))).collect();
    wait_until(SOON, &format!("all of {names:?} are events"), || {
        let found = counted(node);
        wanted.iter().all(|name| found.contains_key(name))
    });
    let twice: Vec<_> = counted(node).into_iter().filter(|(_, count)| *count != 1).collect();
    assert!(twice.is_empty(), "events that were counted more than once: {twice:?}");
}

/// Status and words of one part, as `/health` tells it.
fn health(node: &Node, name: &str) -> (String, String) {
    let body = get(node.api, "/health").map(|(_, body)| body).unwrap_or_default();
    let health: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let part = &health["checks"][name];
    (part["status"].as_str().unwrap_or("missing").to_owned(), part.to_string())
}

#[test]
fn messages_of_every_codec_are_events_once() {
    let broker = Broker::start();
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("kafka.brokers", broker.address()));
    settings.push(("kafka.topics", "events".to_owned()));
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    let send = |codec: &str, lines: &str| {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", broker.address())
            .set("compression.type", codec)
            .set("linger.ms", "50")
            .create()
            .unwrap();
        for line in lines.lines() {
            producer.send(BaseRecord::<(), str>::to("events").partition(0).payload(line)).unwrap();
        }
        producer.flush(SOON).unwrap();
    };
    send("none", &probe("first-0"));
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    wait_for(&node, &["first"], 1);
    for codec in codecs {
        send(codec, &probes(codec, 0..20));
    }
    wait_for(&node, &codecs, 20);
    wait_until(SOON, "health has seen the end", || {
        let (status, words) = health(&node, "kafka");
        status == "pass" && words.contains("\"observedValue\":0.0")
    });
    broker.freeze();
    wait_until(SOON, "a broker that does not answer is told", || health(&node, "kafka").0 == "fail");
    broker.thaw();
    wait_until(SOON, "it is back", || health(&node, "kafka").0 == "pass");
    assert_eq!(node.stop("serve"), Some(0));
}

fn append(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Written anew in place.
fn rewrite(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().write(true).truncate(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_named_pipe_is_read_whoever_writes() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    let pipe = sandbox.path("app.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    settings.push(("tail.paths", pipe.display().to_string()));
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    for name in ["a", "b"] {
        std::fs::OpenOptions::new()
            .write(true)
            .open(&pipe)
            .unwrap()
            .write_all(probes(name, 0..2000).as_bytes())
            .unwrap();
    }
    wait_for(&node, &["a", "b"], 2000);
    // What is in the pipe when the service is told to end is read, and is there when it is back.
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(probes("c", 0..100).as_bytes()).unwrap();
    assert_eq!(node.stop("serve"), Some(0));
    node.start(&sandbox, "serve", &settings);
    wait_for(&node, &["c"], 100);
    assert_eq!(counted(&node).len(), 4100);
}

#[test]
fn followed_files_lose_and_double_nothing_through_rewrites_rotations_and_kills() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    std::fs::create_dir(sandbox.path("logs")).unwrap();
    settings.push(("tail.paths", sandbox.path("logs").join("*.log").display().to_string()));
    let path = sandbox.path("logs/app.log");
    let mut node = Node::new();
    append(&path, &probes("a", 0..10));
    node.start(&sandbox, "serve", &settings);
    wait_for(&node, &["a"], 10);
    // To the same length, and to a greater one.
    rewrite(&path, &probes("b", 0..10));
    wait_for(&node, &["a", "b"], 10);
    rewrite(&path, &probes("c", 0..30));
    wait_for(&node, &["c"], 30);
    // Killed as soon as the file was read, before anything else was committed.
    node.kill("serve");
    append(&path, &probes("d", 0..10));
    assert!(Command::new("gzip").arg(&path).status().unwrap().success());
    std::fs::rename(sandbox.path("logs/app.log.gz"), sandbox.path("logs/app.log.1.gz")).unwrap();
    append(&path, &probes("e", 0..10));
    node.start(&sandbox, "serve", &settings);
    wait_for(&node, &["a", "b", "c", "d", "e"], 10);
    // A file that appears later, grows, and is killed at once.
    let other = sandbox.path("logs/other.log");
    append(&other, &probe("f-0"));
    wait_for(&node, &["f"], 1);
    append(&other, &probes("f", 1..10));
    wait_for(&node, &["f"], 10);
    node.kill("serve");
    node.start(&sandbox, "serve", &settings);
    append(&other, &probes("g", 0..10));
    wait_for(&node, &["g"], 10);
    std::thread::sleep(Duration::from_secs(1));
    wait_for(&node, &["a", "b", "c", "d", "e", "f", "g"], 10);
    assert_eq!(counted(&node).len(), 90);
    assert_eq!(node.stop("serve"), Some(0));
}
