//! Parts that stand still (SIGSTOP) instead of ending: connections stay open and nothing answers. Probes, pushed events,
//! statistics and metrics go on all the same, quickly and truthfully, and all comes back by itself.

use std::time::{Duration, Instant};

use serde_json::Value;
use servers::{Llama, Postgres, Redis, wait_until};

use crate::node::{Node, SOON, get, part_status, send};
use crate::oracle::{Ledger, rules};
use crate::program::Sandbox;

/// What the services promise.
const READY_MAX: Duration = Duration::from_millis(500);
const HEALTH_MAX: Duration = Duration::from_secs(1);
/// Requests of one measurement: the quickest counts, because this machine may be busy.
const TRIES: u32 = 4;

/// Status and body of the path, and the shortest time that an answer took.
fn timed(port: u16, path: &str) -> (u16, Value, Duration) {
    let mut shortest = Duration::MAX;
    let mut last = (0, Value::Null);
    for _ in 0..TRIES {
        let started = Instant::now();
        let (status, body) = get(port, path).expect("the service answers");
        shortest = shortest.min(started.elapsed());
        last = (status, serde_json::from_str(&body).unwrap_or_default());
    }
    (last.0, last.1, shortest)
}

fn part(health: &Value, name: &str) -> String {
    part_status(health, name)
}

fn words(health: &Value, name: &str) -> String {
    health["checks"][name]["output"].as_str().unwrap_or_default().to_owned()
}

/// The value of a metric without labels, or with exactly these.
fn metric(port: u16, name: &str) -> Option<f64> {
    let (_, text) = get(port, "/metrics")?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn all_pass(port: u16, names: &[&str]) -> bool {
    let (_, health, _) = timed(port, "/health");
    names.iter().all(|name| part(&health, name) == "pass")
}

#[test]
fn a_frozen_model_cache_or_analyzer_leaves_the_agent_ready() {
    let (redis, llama) = (Redis::start(), Llama::start());
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    settings.push(("cache.url", redis.url()));
    settings.push(("llm.url", llama.url()));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let optional = ["redis", "llm", "analyzer"];
    wait_until(SOON, "all parts are well at first", || all_pass(node.health, &optional));
    llama.freeze();
    redis.freeze();
    node.signal("analyzer", "-STOP");
    // No result of before the freeze is shown any more.
    wait_until(SOON, "the frozen parts are seen", || {
        let (_, health, _) = timed(node.health, "/health");
        optional.iter().all(|name| part(&health, name) == "fail")
    });
    for port in [node.health, node.api] {
        let (status, ready, took) = timed(port, "/ready");
        assert_eq!(status, 200, "{ready}");
        assert!(took <= READY_MAX, "/ready took {took:?}");
        let asked: Vec<&String> = ready["checks"].as_object().unwrap().keys().collect();
        assert_eq!(asked, ["store"], "only what is required is asked");
        let (status, health, took) = timed(port, "/health");
        assert_eq!((status, health["status"].as_str()), (200, Some("warn")), "{health}");
        assert!(took <= HEALTH_MAX, "/health took {took:?}");
        assert!(words(&health, "llm").contains("template") && words(&health, "redis").contains("memory"), "{health}");
    }
    node.signal("analyzer", "-CONT");
    redis.thaw();
    llama.thaw();
    wait_until(SOON, "all come back", || all_pass(node.health, &optional));
}

/// A token of the role, made by the command line.
fn token(sandbox: &Sandbox, store: &str, role: &str) -> String {
    let mut command = sandbox.command(&["token", "create", "--role", role]);
    let out = command.env("C0DI3_STORE_URL", store).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    format!("Bearer {}", String::from_utf8(out.stdout).unwrap().trim())
}

/// Both services, with a store that stands still behind them.
fn probes_tell_the_truth_in_time(node: &Node) {
    for (port, name) in [(node.ingest, "analyzer"), (node.api, "agent"), (node.health, "agent's health")] {
        let (_, health, took) = timed(port, "/health");
        assert!(took <= HEALTH_MAX, "/health of the {name} took {took:?}");
        assert_eq!(part(&health, "postgres"), "fail", "{health}");
    }
    let (_, health, _) = timed(node.api, "/health");
    assert_eq!(part(&health, "analyzer"), "warn", "the analyzer works; its store is away: {health}");
    assert!(words(&health, "analyzer").contains("postgres"), "{health}");
    let (status, ready, took) = timed(node.health, "/ready");
    assert_eq!((status, part(&ready, "postgres").as_str()), (503, "fail"), "{ready}");
    assert!(took <= READY_MAX && words(&ready, "postgres").contains("answer"), "{took:?}: {ready}");
    let (status, _, took) = timed(node.ingest, "/ready");
    assert!(status == 200 && took <= READY_MAX, "the spool takes events all the same: {status}, {took:?}");
}

#[test]
fn a_frozen_store_delays_no_sender_and_no_probe() {
    let postgres = Postgres::start();
    let store = postgres.database();
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("store.url", store.clone()));
    settings.push(("auth.tokens", "true".to_owned()));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let (known, late) = (token(&sandbox, &store, "ingest"), token(&sandbox, &store, "ingest"));
    let admin = token(&sandbox, &store, "admin");
    let push = |token: &str| {
        let started = Instant::now();
        let (status, head, _) = send(node.ingest, "POST", "/ingest", &[("Authorization", token)], b"a line\n").unwrap();
        (status, head, started.elapsed())
    };
    let ask = || {
        let started = Instant::now();
        let (status, head, _) = send(node.api, "GET", "/api/v1/findings", &[("Authorization", &admin)], b"").unwrap();
        (status, head, started.elapsed())
    };
    assert_eq!((push(&known).0, ask().0), (200, 200));
    wait_until(SOON, "all is well at first", || {
        all_pass(node.api, &["postgres", "analyzer"]) && all_pass(node.ingest, &["postgres", "analyzer", "spool"])
    });

    postgres.freeze();
    // Longer than a token is trusted unasked; the first to ask learns that the store does not answer.
    std::thread::sleep(Duration::from_secs(6));
    let (_, _, first) = push(&known);
    assert!(first < Duration::from_secs(2), "the first request behind a frozen store took {first:?}");
    std::thread::sleep(Duration::from_secs(2));
    let pushed: Vec<_> = (0..TRIES).map(|_| push(&known)).collect();
    assert!(pushed.iter().all(|(status, _, _)| *status == 200), "{pushed:?}");
    let quickest = pushed.iter().map(|(_, _, took)| *took).min().unwrap();
    assert!(quickest < Duration::from_millis(500), "a known token waited {quickest:?}");
    let (status, head, took) = push(&late);
    assert_eq!(status, 503, "nobody knows yet whether this token is good: {head}");
    assert!(head.contains("retry-after") && took < Duration::from_secs(1), "{took:?}: {head}");
    let forged = format!("{}x", &known[..known.len() - 1]);
    assert_eq!(push(&forged).0, 401, "the hash of a known token is known");

    probes_tell_the_truth_in_time(&node);
    ask();
    std::thread::sleep(Duration::from_secs(1));
    let (status, head, took) = ask();
    assert_eq!(status, 503, "{head}");
    assert!(took < Duration::from_secs(1) && head.contains("retry-after"), "a request waited {took:?} for nothing");

    postgres.thaw();
    wait_until(SOON, "the store is back", || push(&late).0 == 200 && ask().0 == 200);
    wait_until(SOON, "all is well again", || {
        all_pass(node.api, &["postgres", "analyzer"]) && all_pass(node.ingest, &["postgres", "analyzer"])
    });
    let id = known.split('_').nth(1).unwrap();
    let mut revoke = sandbox.command(&["token", "revoke", id]);
    assert!(revoke.env("C0DI3_STORE_URL", &store).output().unwrap().status.success());
    wait_until(Duration::from_secs(8), "a revoked token is refused within seconds", || push(&known).0 == 401);
}

#[test]
fn gauges_are_true_at_every_scrape_without_any_question_about_health() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    // A receiver that nobody is: what it is to be told stays in the outbox.
    let address = format!("http://127.0.0.1:{}/", servers::free_port());
    let receiver = format!("{{name = \"ops\", url = \"{address}\", allow = [\"127.0.0.0/8\"], allow_http = true}}");
    sandbox.write("c0di3.toml", format!("[webhooks]\nendpoints = [{receiver}]\n"));
    let mut settings = rules(&sandbox);
    settings.push(("store.url", postgres.database()));
    settings.push(("incidents.opens_from", "P3".to_owned()));
    settings.push(("notify.age", "9000d".to_owned()));
    settings.push(("analyzer.checkpoint_interval_ms", "300".to_owned()));
    let mut node = Node::new();
    node.start(&sandbox, "analyzer", &settings);
    node.start(&sandbox, "agent", &settings);
    let seen = |name: &str| metric(node.ingest, name);
    wait_until(SOON, "the first scrape has all of them", || {
        seen("spool_backlog_bytes") == Some(0.0) && seen("spool_disk_bytes").is_some()
    });
    let disk = seen("disk_used_ratio{folder=\"spool\"}").expect("the disk is measured");
    assert!(disk > 0.0 && disk < 1.0, "{disk}");
    assert_eq!(seen("rules_generation"), Some(1.0));
    assert_eq!(seen("db_client_connections_max{pool=\"commit\"}"), Some(3.0));
    assert_eq!(metric(node.health, "db_client_connections_max{pool=\"ask\"}"), Some(10.0));
    grow(&node, &Ledger::default(), 1);
    let pending = || metric(node.health, "webhook_outbox_pending").is_some_and(|pending| pending > 0.0);
    wait_until(SOON, "the outbox is counted", pending);
    let age = || metric(node.health, "webhook_outbox_oldest_age_seconds").unwrap();
    wait_until(SOON, "nothing waits for a commit", || seen("spool_backlog_bytes") == Some(0.0));
    assert!(metric(node.health, "process_resident_memory_bytes").is_some_and(|bytes| bytes > 1e6));

    postgres.freeze();
    let (before, frozen_at) = (age(), Instant::now());
    let mut sent = 0.0;
    for _ in 0..5 {
        let line = [b'x'; 1000];
        assert_eq!(send(node.ingest, "POST", "/ingest", &[], &line).unwrap().0, 200);
        sent += 1001.0;
        // The spool says what is durable; it is when it has been acknowledged.
        let started = Instant::now();
        let backlog = seen("spool_backlog_bytes");
        assert!(backlog.is_some_and(|bytes| bytes >= sent - 1001.0 && bytes <= sent), "{backlog:?} of {sent}");
        assert!(started.elapsed() < Duration::from_secs(2), "a scrape waits for nobody");
    }
    wait_until(SOON, "the connection that waits for the store is in use", || {
        seen("db_client_connections_usage{pool=\"commit\"}").is_some_and(|used| used >= 1.0)
    });
    std::thread::sleep(Duration::from_secs(1));
    let older = frozen_at.elapsed().as_secs_f64() - 0.5;
    assert!(age() >= before + older, "what cannot be delivered grows older: {} from {before}", age());
    postgres.thaw();
    wait_until(SOON, "what was committed is no backlog any more", || seen("spool_backlog_bytes") == Some(0.0));
}

/// Statistics, as far as they are asked of; `None` where they are not answered.
fn stats(node: &Node) -> Option<(Value, Duration)> {
    let started = Instant::now();
    let (status, body) = get(node.api, "/api/v1/stats")?;
    let took = started.elapsed();
    (status == 200).then(|| (serde_json::from_str(&body).unwrap(), took))
}

fn counted(node: &Node, source: &str, degraded: bool, findings: u64) -> bool {
    stats(node).is_some_and(|(stats, _)| {
        stats["source"] == source
            && stats["degraded"] == degraded
            && stats["complete"] == true
            && stats["findings"] == findings
    })
}

/// Sends batches and waits until all of it has been counted in the store. How many findings there are.
fn grow(node: &Node, ledger: &Ledger, batches: u32) -> u64 {
    for _ in 0..batches {
        let (numbers, lines) = ledger.batch();
        assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines.as_bytes()).unwrap().0, 200);
        ledger.acknowledge("http", numbers);
    }
    ledger.wait_until_counted(node);
    // The oracle's correlation is one finding more.
    ledger.acknowledged() as u64 + 1
}

#[test]
fn statistics_go_on_without_redis_and_nothing_is_lost_or_doubled() {
    let mut redis = Redis::start();
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    settings.push(("cache.url", redis.url()));
    let mut node = Node::new();
    node.start(&sandbox, "agent", &settings);
    node.start(&sandbox, "analyzer", &settings);
    let ledger = Ledger::default();
    let before = grow(&node, &ledger, 3);
    wait_until(SOON, "Redis counts", || counted(&node, "redis", false, before));

    redis.freeze();
    let first = stats(&node);
    assert!(first.is_some_and(|(_, took)| took < Duration::from_secs(3)), "the first answer is bounded");
    let during = grow(&node, &ledger, 3);
    wait_until(SOON, "the memory of the process counts", || counted(&node, "memory", true, during));
    let quickest = (0..TRIES).filter_map(|_| stats(&node)).map(|(_, took)| took).min().unwrap();
    assert!(quickest < Duration::from_millis(300), "nobody waits for a cache that is known to be away: {quickest:?}");
    let (_, health, _) = timed(node.api, "/health");
    assert_eq!((health["status"].as_str(), part(&health, "redis").as_str()), (Some("warn"), "fail"), "{health}");
    redis.thaw();
    wait_until(SOON, "Redis has caught up", || counted(&node, "redis", false, during));

    redis.stop();
    let later = grow(&node, &ledger, 2);
    wait_until(SOON, "counted without Redis", || counted(&node, "memory", true, later));
    let (status, _, body) = send(node.api, "POST", "/admin/cache/clear", &[], b"").unwrap();
    assert_eq!(status, 200, "{body}");
    let cleared: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&cleared["source"], &cleared["degraded"]), (&"memory".into(), &true.into()), "{cleared}");
    wait_until(SOON, "rebuilt from the store", || counted(&node, "memory", true, later));
    redis.start_again();
    wait_until(SOON, "an empty Redis was rebuilt", || counted(&node, "redis", false, later));
    let last = grow(&node, &ledger, 2);
    wait_until(SOON, "and goes on", || counted(&node, "redis", false, last));
    assert_eq!(ledger.judge(&node) + 1, last);
}
