//! The archive in a bucket of an S3-compatible store that is slow, refuses, cuts bodies, loses replies and goes away: every event is
//! in it exactly once, questions are answered as from a folder, and an outage is told in words.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use servers::{Buckets, Fault, FaultProxy, wait_until};

use crate::node::{Node, SOON, get, part_status, send};
use crate::program::{Run, Sandbox, collect, finish};

const PLACE: &str = "s3://events/of/tests";

/// Faults after which a request is made again.
const FAULTS: [Fault; 5] =
    [Fault::Busy, Fault::CutRequest, Fault::LostReply, Fault::CutAnswer, Fault::Slow(Duration::from_millis(300))];

fn settings(proxy: &FaultProxy) -> Vec<(&'static str, String)> {
    vec![
        ("archive.endpoint", proxy.url()),
        ("archive.allow_http", "true".to_owned()),
        ("archive.access_key_id", "someone".to_owned()),
        ("archive.secret_access_key", "plantedsecret8".to_owned()),
    ]
}

fn command(sandbox: &Sandbox, proxy: &FaultProxy, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    for (name, value) in settings(proxy) {
        command.env(format!("C0DI3_{}", name.replace('.', "_").to_uppercase()), value);
    }
    command.env("C0DI3_STORE_COMMIT_INTERVAL_MS", "50");
    command
}

fn asked(sandbox: &Sandbox, proxy: &FaultProxy, question: &str) -> Run {
    let asked =
        ["hunt", question, "--store", "sqlite:cut.db", "--archive", PLACE, "--out", "ndjson", "--limit", "1000000"];
    finish(command(sandbox, proxy, &asked))
}

/// Files that the store names, those that it has given up included.
fn named(sandbox: &Sandbox, database: &str) -> usize {
    let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM archive_files').fetchone()[0])";
    let path = sandbox.path(database);
    let out = Command::new("python3").args(["-c", script]).arg(path).output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim().parse().unwrap()
}

fn lines(count: usize) -> String {
    let line = |at: usize| {
        format!(
            "198.51.100.{} - - [29/Nov/2026:{:02}:{:02}:{:02} +0000] \"GET /page/{} HTTP/1.1\" {} {at} \"-\" \"Mozilla/5.0\"\n",
            at % 200,
            at / 3600 % 24,
            at / 60 % 60,
            at % 60,
            at % 300,
            if at.is_multiple_of(40) { 401 } else { 200 },
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn every_event_is_in_the_bucket_once_through_kills_and_faults() {
    let (buckets, sandbox) = (Buckets::start(), Sandbox::new());
    let proxy = FaultProxy::before(buckets.port());
    proxy.disturb(3, &FAULTS);
    let text = lines(60_000);
    let path = sandbox.write("big.log", &text);
    let arguments = ["replay", "--store", "sqlite:cut.db", "--archive", PLACE, "--jobs", "2", &path];
    let mut disturbed = 0;
    for pause in [400, 1500, 900, 2500] {
        let mut run = command(&sandbox, &proxy, &arguments);
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        disturbed += usize::from(collect(child).code != Some(0));
    }
    assert!(disturbed > 0, "at least one run was really disturbed");
    let last = finish(command(&sandbox, &proxy, &arguments));
    assert_eq!(last.code, Some(0), "{}", last.err);
    let rows =
        asked(&sandbox, &proxy, "SELECT c0di3.line AS n, event.original AS line FROM events ORDER BY c0di3.line");
    assert_eq!(rows.code, Some(0), "{}", rows.err);
    let rows = rows.lines();
    assert_eq!(rows.len(), text.lines().count());
    for (row, (at, line)) in rows.iter().zip(text.lines().enumerate()) {
        assert_eq!((row["n"].as_u64(), row["line"].as_str()), (Some(at as u64 + 1), Some(line)));
    }
    let needle = asked(&sandbox, &proxy, "SELECT count(*) AS n FROM events WHERE http.response.status_code = 401");
    assert_eq!(needle.lines()[0]["n"], text.lines().count().div_ceil(40));
    let done = proxy.done();
    assert!(FAULTS.iter().all(|fault| done.contains_key(fault)), "every fault was met: {done:?}");
    // What was put and never named is gone; beside the files lies what says whose they are.
    proxy.disturb(1, &[]);
    let again = finish(command(&sandbox, &proxy, &arguments));
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(buckets.objects().len(), named(&sandbox, "cut.db") + 1);
    an_outage_is_told(&sandbox, &proxy);
    the_bucket_belongs_to_one_store(&sandbox, &proxy, &path);
}

fn an_outage_is_told(sandbox: &Sandbox, proxy: &FaultProxy) {
    proxy.disturb(1, &[Fault::Down]);
    let run = asked(sandbox, proxy, "SELECT count(event.original) AS n FROM events");
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("the events cannot be read where they lie"), "{}", run.err);
    assert!(!run.err.contains("plantedsecret"), "{}", run.err);
    proxy.disturb(1, &[]);
}

fn the_bucket_belongs_to_one_store(sandbox: &Sandbox, proxy: &FaultProxy, path: &str) {
    let other = ["replay", "--store", "sqlite:other.db", "--archive", PLACE, path];
    let refused = finish(command(sandbox, proxy, &other));
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("is the archive of another store"), "{}", refused.err);
}

fn hunted(node: &Node, question: &str) -> (u16, Value) {
    let body = serde_json::json!({ "question": question }).to_string();
    let (status, _, answer) = send(node.api, "POST", "/api/v1/hunts", &[], body.as_bytes()).unwrap();
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

#[test]
fn an_outage_of_the_bucket_holds_events_back_and_loses_none() {
    let (buckets, sandbox) = (Buckets::start(), Sandbox::new());
    let proxy = FaultProxy::before(buckets.port());
    let mut settings = settings(&proxy);
    settings.push(("archive.folder", PLACE.to_owned()));
    settings.push(("analyzer.checkpoint_interval_ms", "500".to_owned()));
    // Secrets stay out of the most talkative log, too.
    settings.push(("log.level", "trace".to_owned()));
    // Away from the start: the service takes events all the same.
    proxy.disturb(1, &[Fault::Down]);
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let mut sent = 0;
    let mut push = |count: usize| {
        assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines(count).as_bytes()).unwrap().0, 200);
        sent += count;
        sent
    };
    push(500);
    let told = |words: &str| {
        let (_, body) = get(node.ingest, "/health").unwrap_or_default();
        let health: Value = serde_json::from_str(&body).unwrap_or_default();
        (part_status(&health, "analyzer") == "fail") != words.is_empty() && health.to_string().contains(words)
    };
    wait_until(SOON * 3, "health says what is wrong", || told("archive s3://events/of/tests"));
    proxy.disturb(2, &FAULTS);
    let counted = |expected: usize| {
        let (status, answer) = hunted(&node, "SELECT count(*) AS n, count(DISTINCT c0di3.sequence) AS d FROM events");
        status == 200 && answer["data"][0]["n"] == expected && answer["data"][0]["d"] == expected
    };
    wait_until(SOON * 3, "the events are in the archive", || counted(500));
    // And again while it runs.
    proxy.disturb(1, &[Fault::Down]);
    let all = push(700);
    wait_until(SOON * 3, "health says what is wrong", || told("cannot write s3://events/of/tests"));
    let (status, answer) = hunted(&node, "SELECT count(event.original) AS n FROM events");
    assert_eq!(status, 503, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("cannot be read where they lie"), "{answer}");
    proxy.disturb(1, &[]);
    wait_until(SOON * 2, "all events are in the archive", || counted(all));
    wait_until(SOON, "all is well", || told(""));
    let metrics = get(node.health, "/metrics").map(|(_, text)| text).unwrap_or_default();
    assert!(metrics.contains("archive_store_requests_total{outcome=\"unreachable\"}"), "{metrics}");
    assert_eq!(node.stop("serve"), Some(0));
    let log = std::fs::read_to_string(sandbox.path("serve.out")).unwrap();
    assert!(!log.contains("plantedsecret"), "{log}");
}
