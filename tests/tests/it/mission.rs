//! The whole way with real parts, in both shapes: an attack is sent, becomes a finding, an incident, a verified summary,
//! and a signed delivery; then a person works on it.

use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Value, json};
use servers::{Broker, Llama, Postgres, Redis, wait_until};

use crate::node::{Node, Receiver, SOON, get, send};
use crate::program::Sandbox;

const SECRET: [u8; 32] = [7; 32];
/// Failed logins that make a brute force.
const ATTEMPTS: u32 = 12;

/// Addresses of the three attackers, one for each way in.
const BY_SYSLOG: &str = "203.0.113.10";
const BY_HTTP: &str = "203.0.113.20";
const BY_KAFKA: &str = "203.0.113.30";

fn config(sandbox: &Sandbox, receiver: &Receiver) {
    let secret = BASE64_STANDARD.encode(SECRET);
    let text = format!(
        "[webhooks]\nendpoints = [{{ name = \"ops\", url = \"http://127.0.0.1:{}/hook\", secret = \"whsec_{secret}\", \
         severity = \"P2\", allow = [\"127.0.0.0/8\"], allow_http = true }}]\n[notify]\nsettle = \"3s\"\n",
        receiver.port
    );
    sandbox.write("c0di3.toml", text);
}

fn message(address: &str) -> String {
    format!("Failed password for invalid user admin from {address} port 40022 ssh2")
}

/// Now, as syslog writes it.
fn stamp() -> String {
    let out = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn line(address: &str) -> String {
    format!("<38>1 {} gate sshd 4711 - - {}\n", stamp(), message(address))
}

fn attack_by_logger(node: &Node) {
    for attempt in 0..ATTEMPTS {
        let transport = if attempt % 2 == 0 { "--tcp" } else { "--udp" };
        let sent = Command::new("logger")
            .args(["--server", "127.0.0.1", transport, "--rfc5424=notq", "--tag", "sshd", "--priority", "auth.info"])
            .args(["--port", &node.syslog.to_string(), &message(BY_SYSLOG)])
            .status()
            .unwrap();
        assert!(sent.success());
    }
}

fn attack_by_curl(sandbox: &Sandbox, node: &Node) {
    let body = sandbox.write("attack.log", line(BY_HTTP).repeat(ATTEMPTS as usize));
    let url = format!("http://127.0.0.1:{}/ingest", node.ingest);
    let out = Command::new("curl").args(["-sS", "--data-binary", &format!("@{body}"), &url]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), format!("{{\"accepted\":{ATTEMPTS}}}"));
}

fn attack_by_kafka(broker: &Broker) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    for _ in 0..ATTEMPTS {
        producer.send(BaseRecord::<(), str>::to("logs").payload(&line(BY_KAFKA))).unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
}

fn incident_of(node: &Node, address: &str) -> Option<Value> {
    let page = node.json(&format!("/api/v1/incidents?source.ip={address}"));
    page["data"].get(0).cloned()
}

/// Every sentence rests on facts that the incident has, and the first facts are all told.
fn check_summary(summary: &Value, address: &str) {
    let facts: Vec<&str> =
        summary["facts"].as_array().unwrap().iter().map(|fact| fact["id"].as_str().unwrap()).collect();
    let sentences = summary["sentences"].as_array().unwrap();
    for sentence in sentences {
        let cited = sentence["facts"].as_array().unwrap();
        assert!(!cited.is_empty() && cited.iter().all(|fact| facts.contains(&fact.as_str().unwrap())), "{sentence}");
        assert!(!sentence["text"].as_str().unwrap().contains(['{', '}']), "{sentence}");
    }
    for fact in ["F1", "F2", "F3"] {
        assert!(
            sentences.iter().any(|sentence| sentence["facts"].to_string().contains(&format!("\"{fact}\""))),
            "{summary}"
        );
    }
    assert!(summary.to_string().contains(address), "{summary}");
}

fn check_delivery(receiver: &Receiver, address: &str) {
    let requests = receiver.requests.lock().unwrap().clone();
    let found = requests.iter().find(|(_, body)| body.contains("\"incident.created\"") && body.contains(address));
    let (head, body) = found.expect("the incident was told");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())));
}

/// Stage by stage to the end, under the versions that are given out.
fn work_on(node: &Node, incident: &Value) {
    let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
    let steps = [
        json!({"stage": "assessment", "assignee": "ann"}),
        json!({"stage": "communication", "comment": "told the owner of the host"}),
        json!({"stage": "investigation"}),
        json!({"stage": "mitigation"}),
        json!({"stage": "resolution", "verdict": "true_positive"}),
        json!({"stage": "post_mortem", "post_mortem": "Logins by password are closed."}),
        json!({"status": "closed"}),
    ];
    for step in steps {
        let (_, head, _) = send(node.api, "GET", &path, &[], b"").unwrap();
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        let (status, _, body) =
            send(node.api, "PATCH", &path, &[("if-match", &tag)], step.to_string().as_bytes()).unwrap();
        assert_eq!(status, 200, "{step}: {body}");
    }
    let closed = node.json(&path);
    assert_eq!((&closed["status"], &closed["verdict_id"]), (&json!("closed"), &json!(2)));
    let timeline = node.json(&format!("{path}/timeline")).to_string();
    assert!(timeline.contains("told the owner of the host") && timeline.contains("\"to\":\"closed\""));
}

fn metric(port: u16, beginning: &str) -> f64 {
    let (_, text) = get(port, "/metrics").unwrap();
    text.lines()
        .filter(|line| line.starts_with(beginning))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn the_whole_way(node: &Node, receiver: &Receiver, addresses: &[&str]) {
    for address in addresses {
        wait_until(SOON, "the attack becomes an incident", || incident_of(node, address).is_some());
        let incident = incident_of(node, address).unwrap();
        assert_eq!((&incident["severity"], &incident["stage"]), (&json!("P1"), &json!("detection")));
        wait_until(SOON, "all attempts are counted", || incident_of(node, address).unwrap()["events"] == ATTEMPTS);
        let findings = node.json(&format!("/api/v1/findings?source.ip={address}"));
        let finding = node.json(&format!("/api/v1/findings/{}", findings["data"][0]["id"].as_str().unwrap()));
        let evidence = finding["evidence"].as_array().unwrap();
        assert!(evidence.iter().all(|line| line["original"].as_str().unwrap().contains(address)), "{finding}");
        wait_until(SOON, "the incident is told", || {
            receiver.bodies().iter().any(|body| body.to_string().contains(address))
        });
        check_delivery(receiver, address);
    }
    // The model is asked about every incident; what it answers is shown only as far as it is borne out.
    let asked = addresses.len() as f64;
    wait_until(SOON * 10, "the model was asked", || {
        metric(node.api, "llm_requests_total{outcome=\"answered\"}") >= asked
    });
    for address in addresses {
        let id = incident_of(node, address).unwrap()["id"].as_str().unwrap().to_owned();
        let summary = node.json(&format!("/api/v1/incidents/{id}/summary"))["summary"].clone();
        println!("{address}: {} by {}", summary["headline"], summary["source"]);
        check_summary(&summary, address);
    }
    let entity = node.json(&format!("/api/v1/entities/source.ip/{}", addresses[0]));
    assert!(entity["risk"].as_f64().unwrap() > 50.0 && entity["findings"].as_u64().unwrap() >= 1, "{entity}");
    work_on(node, &incident_of(node, addresses[0]).unwrap());
    wait_until(SOON, "its end is told as well", || {
        receiver.bodies().iter().any(|body| body["type"] == "incident.resolved" && body["data"]["status"] == "closed")
    });
}

#[test]
fn as_separate_processes_on_servers() {
    let (postgres, redis, broker, llama) = (Postgres::start(), Redis::start(), Broker::start(), Llama::start());
    let (sandbox, receiver) = (Sandbox::new(), Receiver::start());
    config(&sandbox, &receiver);
    let settings = [
        ("store.url", postgres.database()),
        ("cache.url", redis.url()),
        ("llm.url", llama.url()),
        ("kafka.brokers", broker.address()),
        ("kafka.topics", "logs".to_owned()),
    ];
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    attack_by_kafka(&broker);
    attack_by_logger(&node);
    attack_by_curl(&sandbox, &node);
    the_whole_way(&node, &receiver, &[BY_SYSLOG, BY_HTTP, BY_KAFKA]);
    let stats = node.json("/api/v1/stats");
    assert!(stats["distinct_sources"].as_u64().unwrap() >= 3, "{stats}");
    // True at every scrape, before anybody has asked about health.
    let (_, metrics) = get(node.health, "/metrics").unwrap();
    for name in [
        "http_server_request_duration_seconds_bucket",
        "http_response_status_code=\"200\"",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "db_client_connections_max",
        "disk_used_ratio",
        "le=\"1\"",
        "le=\"2\"",
    ] {
        assert!(metrics.contains(name), "the runbook's metric {name} is missing");
    }
    let (_, health) = get(node.health, "/health").unwrap();
    for name in ["postgres", "redis", "llm", "analyzer", "disk"] {
        assert!(health.contains(&format!("\"{name}\":{{\"status\":\"")), "{health}");
    }
    assert_eq!((node.stop("analyzer"), node.stop("agent")), (Some(0), Some(0)));
}

#[test]
fn as_one_process_on_the_embedded_stores() {
    let llama = Llama::start();
    let (sandbox, receiver) = (Sandbox::new(), Receiver::start());
    config(&sandbox, &receiver);
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[("llm.url", llama.url())]);
    attack_by_logger(&node);
    attack_by_curl(&sandbox, &node);
    the_whole_way(&node, &receiver, &[BY_SYSLOG, BY_HTTP]);
    // A replay of old logs finds as much and tells nobody.
    let old = sandbox.write("old.log", crate::program::failures("203.0.113.99", 0, 20));
    let replay = sandbox.run(&["replay", "--store", "sqlite:data/c0di3.db", &old]);
    assert_eq!(replay.code, Some(0), "{}", replay.err);
    wait_until(SOON, "the replay's incident is there", || incident_of(&node, "203.0.113.99").is_some());
    std::thread::sleep(Duration::from_secs(2));
    let told = receiver.bodies().iter().map(Value::to_string).find(|body| body.contains("203.0.113.99"));
    assert_eq!(told, None);
    assert_eq!(node.stop("serve"), Some(0));
}
