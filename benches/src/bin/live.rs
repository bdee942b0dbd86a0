//! The figures of the live path, with real processes and a real PostgreSQL: `live PROGRAM`. Syslog over TCP to committed
//! findings, delay at half load, memory of each service, findings per second, and lists over a million findings.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use benches::corpus::{Fleet, Random};
use event::{
    Entities, EventId, Evidence, Finding, FindingId, FindingRating, FindingRule, FindingSpan, Level, Severity,
    Timestamp,
};
use servers::{Postgres, free_port};
use store::{Commit, JoinPolicy, Store, Use};

/// Messages of the full-speed run, and attacks among 10,000.
const MESSAGES: usize = 8_000_000;
const ATTACKS_PER_10K: u64 = 50;
/// Half of the demanded rate, for as long as this.
const HALF_LOAD: usize = 100_000;
const HALF_LOAD_SECONDS: usize = 20;
/// Findings that lists are measured over.
const FINDINGS: usize = 1_000_000;
const BATCH: usize = 5_000;
/// Of these the commits are timed.
const MEASURED: usize = 200_000;

#[allow(clippy::disallowed_methods, reason = "a bench asks what time it is")]
fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

struct Running {
    child: Child,
}

impl Running {
    fn start(program: &Path, folder: &Path, command: &str, settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let log = std::fs::File::create(folder.join(format!("{command}.out")))?;
        let mut process = Command::new(program);
        process.arg(command).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        for (name, value) in settings {
            process.env(format!("C0DI3_{}", name.replace('.', "_").to_uppercase()), value);
        }
        Ok(Running { child: process.spawn().with_context(|| format!("cannot start {}", program.display()))? })
    }

    /// Most memory that it ever had resident, in MB.
    fn peak_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill().is_err();
        let _waited = self.child.wait().is_err();
    }
}

fn get(port: u16, path: &str) -> anyhow::Result<serde_json::Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(serde_json::from_str(body)?)
}

fn metric(port: u16, beginning: &str) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let line = answer.lines().find(|line| line.starts_with(beginning));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).with_context(|| format!("no metric {beginning}"))
}

/// A failed login that nothing else looks like: found again by its address.
fn marker(number: usize) -> (String, String) {
    let address = format!("198.51.{}.{}", 100 + number / 250, number % 250);
    let stamp = Timestamp(now_us() / 1_000_000 * 1_000_000);
    let line = format!("<38>1 {stamp} gate sshd 1 - - Failed password for root from {address} port 1 ssh2\n");
    // As many as a brute force has.
    (address, line.repeat(10))
}

/// Whether findings of the address are there.
fn is_found(port: u16, address: &str) -> bool {
    get(port, &format!("/api/v1/findings?source.ip={address}&limit=1"))
        .is_ok_and(|page| page["data"].as_array().is_some_and(|found| !found.is_empty()))
}

fn messages(count: usize, seed: u64) -> anyhow::Result<String> {
    let mut fleet = Fleet::new(seed, ATTACKS_PER_10K);
    let mut text = String::with_capacity(count * 130);
    let second = now_us() / 1_000_000;
    for _ in 0..count {
        fleet.line(second, &mut text)?;
    }
    Ok(text)
}

struct Ports {
    api: u16,
    ingest: u16,
    syslog: u16,
}

fn settings(ports: &Ports, database: &str) -> Vec<(&'static str, String)> {
    vec![
        ("store.url", database.to_owned()),
        ("api.listen", format!("127.0.0.1:{}", ports.api)),
        ("api.health_listen", format!("127.0.0.1:{}", free_port())),
        ("analyzer.listen", format!("127.0.0.1:{}", ports.ingest)),
        ("syslog.tcp", format!("127.0.0.1:{}", ports.syslog)),
        ("syslog.udp", String::new()),
        ("log.level", "warn".to_owned()),
    ]
}

fn wait_for(port: u16) {
    servers::wait_until(Duration::from_secs(30), "the service answers", || get(port, "/live").is_ok());
}

fn ingest(program: &Path) -> anyhow::Result<()> {
    let postgres = Postgres::start();
    let folder = tempfile::tempdir()?;
    let ports = Ports { api: free_port(), ingest: free_port(), syslog: free_port() };
    let settings = settings(&ports, &postgres.database());
    let agent = Running::start(program, folder.path(), "agent", &settings)?;
    wait_for(ports.api);
    let analyzer = Running::start(program, folder.path(), "analyzer", &settings)?;
    wait_for(ports.ingest);
    let text = messages(MESSAGES, 1)?;
    let mut stream = TcpStream::connect(("127.0.0.1", ports.syslog))?;
    let started = Instant::now();
    stream.write_all(text.as_bytes())?;
    let sent = started.elapsed().as_secs_f64();
    let (address, last) = marker(0);
    stream.write_all(last.as_bytes())?;
    while !is_found(ports.api, &address) {
        std::thread::sleep(Duration::from_millis(5));
        ensure!(started.elapsed() < Duration::from_secs(300), "the last message was never found");
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "syslog TCP to committed finding, {MESSAGES} messages of {} bytes, 0.5 % attacks, spool synced, PostgreSQL: {:.0} messages/s (target 200,000); sent in {sent:.1} s, committed in {seconds:.1} s",
        text.len() / MESSAGES,
        MESSAGES as f64 / seconds
    );
    // Every message was read, and the attacks among them are in the store.
    let counted = metric(ports.ingest, "events_total ")?;
    ensure!(counted == (MESSAGES + 10) as u64, "{counted} events were read");
    let stats = get(ports.api, "/api/v1/findings?source.ip=203.0.113.7&limit=500")?;
    let found: u64 = stats["data"].as_array().map_or(0, |all| all.iter().filter_map(|one| one["count"].as_u64()).sum());
    let sent = text.lines().filter(|line| line.contains("from 203.0.113.7 port")).count() as u64;
    println!("  of the {sent} failed logins of one address {found} stand in its findings");
    half_load(&ports, &mut stream)?;
    println!("memory at that load: analyzer {} MB, agent {} MB (target 300 each)", analyzer.peak_mb(), agent.peak_mb());
    Ok(())
}

/// Markers are sent into the stream while it runs; each is waited for through the API.
fn half_load(ports: &Ports, stream: &mut TcpStream) -> anyhow::Result<()> {
    let text = messages(HALF_LOAD / 10, 2)?;
    let mut delays = Vec::new();
    let started = Instant::now();
    let mut waiting: Option<(String, Instant)> = None;
    let mut number = 1;
    for step in 0..HALF_LOAD_SECONDS * 10 {
        stream.write_all(text.as_bytes())?;
        if waiting.is_none() {
            let (address, line) = marker(number);
            number += 1;
            stream.write_all(line.as_bytes())?;
            waiting = Some((address, Instant::now()));
        }
        let next = started + Duration::from_millis(100) * (step as u32 + 1);
        while Instant::now() < next {
            if let Some((address, since)) = &waiting
                && is_found(ports.api, address)
            {
                delays.push(since.elapsed());
                waiting = None;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    delays.sort();
    ensure!(delays.len() > 20, "only {} markers were found", delays.len());
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize].as_millis();
    println!(
        "delay from send to the API at {HALF_LOAD} messages/s for {HALF_LOAD_SECONDS} s, {} markers: p50 {} ms, p99 {} ms, worst {} ms (target p99 1000)",
        delays.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

fn finding(number: u64, random: &mut Random, base_us: i64) -> Finding {
    let severity = match random.below(100) {
        0 => Severity::P0,
        1..=9 => Severity::P1,
        10..=39 => Severity::P2,
        _ => Severity::P3,
    };
    let time = Timestamp(base_us - (random.below(20 * 86_400) * 1_000_000) as i64);
    let address = format!("10.{}.{}.{}", random.below(4), random.below(250), random.below(50));
    let user = (*random.skewed(&["root", "admin", "deploy", "alice", "bob", "oracle"])).to_owned();
    let rule = random.below(60);
    Finding {
        id: FindingId::derive(&format!("r{rule}"), &address, EventId(u128::from(number))),
        rule: FindingRule {
            id: format!("rule-{rule:02}"),
            title: format!("What rule {rule} looks for"),
            level: Level::High,
        },
        rating: FindingRating { score: 60, parts: Vec::new(), severity },
        span: FindingSpan { first_seen: Some(time), last_seen: Some(time), count: 1 + random.below(20) },
        entities: Entities {
            source_ip: vec![address.clone()],
            user_name: vec![user.clone()],
            host_name: vec![format!("web{:03}", random.below(200))],
        },
        techniques: vec!["T1110".into()],
        reason: format!("events matched for source.ip={address}"),
        response: vec![
            "Look for an accepted login of these users or from these sources after the first failure.".into(),
            "Where one succeeded, end its sessions, change the secret, and go through what it did.".into(),
            "Block or slow the sources down; ask for a second factor where only a password stands.".into(),
        ],
        also: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
        evidence: vec![Evidence {
            event_id: EventId(u128::from(number)),
            source: "syslog+tcp://10.0.0.1".into(),
            line_no: number,
            offset: number * 120,
            time: Some(time),
            original: format!(
                "<38>1 2026-11-23T10:00:00Z web sshd 1 - - Failed password for {user} from {address} port 1 ssh2"
            ),
        }],
    }
}

/// Fills the store; findings per second of the first 200,000, each with its incident.
async fn commits(url: &str, findings: usize) -> anyhow::Result<()> {
    let store: std::sync::Arc<dyn Store> = store::open(url, Use::Commit).await?;
    let mut random = Random::new(3);
    let base_us = now_us();
    let join = JoinPolicy { gap_us: 4 * 3_600_000_000, opens_from: Severity::P2, notify_age_us: None };
    let mut seconds = 0.0;
    let measured = MEASURED;
    for batch in 0..findings / BATCH {
        let start = (batch * BATCH) as u64;
        let findings: Vec<Finding> =
            (start..start + BATCH as u64).map(|number| finding(number, &mut random, base_us)).collect();
        let commit = Commit { findings, now: Timestamp(now_us()), join: Some(join), ..Commit::default() };
        let started = Instant::now();
        store.commit(&commit).await?;
        if batch * BATCH < measured {
            seconds += started.elapsed().as_secs_f64();
        }
    }
    println!(
        "findings committed, new, in batches of {BATCH}, with evidence and incidents: {:.0}/s (target 20,000 on PostgreSQL)",
        measured as f64 / seconds
    );
    store.close().await;
    Ok(())
}

fn lists(program: &Path, folder: &Path, url: &str) -> anyhow::Result<()> {
    let ports = Ports { api: free_port(), ingest: free_port(), syslog: free_port() };
    let agent = Running::start(program, folder, "agent", &settings(&ports, url))?;
    wait_for(ports.api);
    // The hot aggregates follow a million findings: not at the same time.
    servers::wait_until(Duration::from_secs(120), "the agent has caught up", || {
        get(ports.api, "/api/v1/stats").is_ok_and(|stats| stats["findings"].as_u64() >= Some(FINDINGS as u64))
    });
    let mut random = Random::new(4);
    let mut all = Vec::new();
    for (name, path) in [
        ("no filter", "/api/v1/findings?limit=50"),
        ("severity", "/api/v1/findings?limit=50&severity=P0"),
        ("severities and rule", "/api/v1/findings?limit=50&severity=P0,P1&rule=rule-RULE"),
        ("source.ip", "/api/v1/findings?limit=50&source.ip=10.1.NUMBER.7"),
        ("user.name and severity", "/api/v1/findings?limit=50&user.name=oracle&severity=P1"),
        ("since and host.name", "/api/v1/findings?limit=50&host.name=web0RULE&since=2026-01-01T00:00:00Z"),
    ] {
        let mut took: Vec<f64> = Vec::new();
        for _ in 0..100 {
            let number = random.below(250);
            let path = path.replace("NUMBER", &number.to_string()).replace("RULE", &format!("{:02}", number % 60));
            let started = Instant::now();
            let page = get(ports.api, &path)?;
            took.push(started.elapsed().as_secs_f64() * 1e3);
            ensure!(page["data"].is_array(), "{path}: {page}");
        }
        took.sort_by(f64::total_cmp);
        println!("  list, {name}: p50 {:.1} ms, p95 {:.1} ms", took[50], took[95]);
        all.extend(took);
    }
    all.sort_by(f64::total_cmp);
    println!(
        "lists with filters over {FINDINGS} findings: p95 {:.1} ms (target 50); agent {} MB",
        all[all.len() * 95 / 100],
        agent.peak_mb()
    );
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program =
        PathBuf::from(arguments.first().context("usage: live PROGRAM [ingest|store|sqlite]")?).canonicalize()?;
    let part = arguments.get(1).map_or("", String::as_str);
    // Commits alone, under the settings that follow: `live PROGRAM commits max_wal_size=4GB jit=off`.
    if part == "commits" {
        let postgres = Postgres::start_with(arguments.get(2..).unwrap_or_default());
        return tokio::runtime::Runtime::new()?.block_on(commits(&postgres.database(), MEASURED));
    }
    if !matches!(part, "store" | "sqlite") {
        ingest(&program)?;
    }
    if !matches!(part, "ingest" | "sqlite") {
        // As docker-compose.yml starts it.
        let postgres = Postgres::start_with(&["max_wal_size=4GB".to_owned()]);
        let (folder, url) = (tempfile::tempdir()?, postgres.database());
        let runtime = tokio::runtime::Runtime::new()?;
        println!("PostgreSQL:");
        runtime.block_on(commits(&url, FINDINGS))?;
        lists(&program, folder.path(), &url)?;
    }
    // Slow: only when it is asked for.
    if part == "sqlite" {
        let (folder, runtime) = (tempfile::tempdir()?, tokio::runtime::Runtime::new()?);
        println!("SQLite:");
        let url = format!("sqlite:{}/bench.db", folder.path().display());
        runtime.block_on(commits(&url, FINDINGS))?;
        lists(&program, folder.path(), &url)?;
    }
    Ok(())
}
