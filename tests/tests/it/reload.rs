//! Rules are replaced while the analyzer is under full load: no event is lost or counted twice, no window begins anew, and
//! a set with problems stays out.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;
use servers::wait_until;

use crate::node::{Node, SOON, get, send};
use crate::oracle::{Ledger, rules};
use crate::program::{Sandbox, rounds};

const RELOADS: u32 = 15;

fn extra(number: u32) -> String {
    format!(
        "title: extra {number}\nid: extra\nlevel: low\nlogsource: {{category: oracle}}\ndetection: {{s: {{extra.field: v{number}}}, condition: s}}\n"
    )
}

fn status(node: &Node) -> Value {
    let (status, body) = get(node.ingest, "/api/v1/rules").expect("the analyzer answers");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn generation(node: &Node) -> u64 {
    status(node)["generation"].as_u64().unwrap()
}

/// Lines that no rule looks for, as fast as they are taken.
fn flood(port: u16, stop: &Arc<AtomicBool>, sent: &Arc<AtomicU64>) -> std::thread::JoinHandle<()> {
    let (stop, sent) = (Arc::clone(stop), Arc::clone(sent));
    std::thread::spawn(move || {
        let line = "<13>Nov 23 10:00:00 host app[1]: a line that says nothing of interest to anybody at all\n";
        let lines = line.repeat(500);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        while !stop.load(Ordering::Relaxed) && stream.write_all(lines.as_bytes()).is_ok() {
            sent.fetch_add(500, Ordering::Relaxed);
        }
    })
}

#[test]
fn under_full_load_no_event_and_no_window_is_lost() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.retain(|(name, _)| *name != "rules.paths");
    settings.push(("rules.paths", sandbox.path("rules").display().to_string()));
    settings.push(("rules.watch", "1s".to_owned()));
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    // What is tested is how rules change; a build for tests writes the archive too slowly for this load.
    settings.push(("archive.folder", String::new()));
    sandbox.write("rules/extra.yml", extra(0));
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let (ledger, stop, sent) = (Arc::new(Ledger::default()), Arc::default(), Arc::default());
    let mut senders: Vec<_> = (0..2).map(|_| ledger.send_until(node.ingest, &stop)).collect();
    senders.push(flood(node.syslog, &stop, &sent));
    for number in 1..=RELOADS * rounds() {
        let before = (generation(&node), ledger.acknowledged(), sent.load(Ordering::Relaxed));
        sandbox.write("rules/extra.yml", extra(number));
        match number % 3 {
            0 => node.signal("serve", "-HUP"),
            1 => {
                let (status, _, body) = send(node.ingest, "POST", "/admin/rules/reload", &[], b"").unwrap();
                assert_eq!(status, 200, "{body}");
            }
            _ => {}
        }
        wait_until(SOON, "changed rules are in force", || generation(&node) > before.0);
        wait_until(SOON, "load goes on", || {
            ledger.acknowledged() > before.1 + 20 && sent.load(Ordering::Relaxed) > before.2
        });
    }
    assert_eq!(status(&node)["loaded"]["detection"], 2);
    let (_, body) = get(node.ingest, "/api/v1/rules/oracle-all/groups").unwrap();
    let groups: Value = serde_json::from_str(&body).unwrap();
    assert!(groups["groups"][0]["events"].as_u64().unwrap() > 0 && groups["groups"][0]["firing"] == true, "{body}");
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    ledger.wait_until_counted(&node);
    let page = node.json("/api/v1/findings?rule=oracle-all");
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "the window was kept: one finding, never a second");
    let stored = ledger.judge(&node);
    println!("{RELOADS} reloads, {stored} events stored, {} others beside them", sent.load(Ordering::Relaxed));
    assert_eq!(node.stop("serve"), Some(0));
}

#[test]
fn a_bad_set_is_refused_with_its_problems_and_the_old_one_runs_on() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    settings.retain(|(name, _)| *name != "rules.paths");
    settings.push(("rules.paths", sandbox.path("rules").display().to_string()));
    settings.push(("rules.watch", String::new()));
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    // A rule that was bad from the start keeps nobody from changing others.
    sandbox.write("rules/old.yml", "title: old\nlogsource: {product: x}\n");
    let mut node = Node::new();
    node.start(&sandbox, "serve", &settings);
    let reload = |node: &Node| {
        let (status, _, body) = send(node.ingest, "POST", "/admin/rules/reload", &[], b"").unwrap();
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    assert_eq!(reload(&node).1["status"], "unchanged");
    sandbox.write("rules/extra.yml", extra(1));
    let (code, report) = reload(&node);
    assert_eq!((code, &report["changes"]["added"][0], &report["generation"]), (200, &"extra".into(), &2.into()));
    sandbox.write("rules/extra.yml", extra(1).replace("condition: s", "condition: nothing"));
    let (code, problem) = reload(&node);
    let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
    assert!(code == 422 && pointer.contains("rules/extra.yml:"), "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("`nothing`"), "{problem}");
    node.signal("serve", "-HUP");
    assert_eq!(generation(&node), 2);
    assert_eq!(status(&node)["refused"].as_array().unwrap().len(), 1);
    let (_, health) = get(node.ingest, "/health").unwrap();
    assert!(health.contains("changed rules were refused") && health.contains("\"warn\""), "{health}");
    let line = b"{\"extra.field\":\"v1\"}";
    let (code, _, explained) = send(node.ingest, "POST", "/api/v1/rules/extra/explain", &[], line).unwrap();
    assert!(code == 200 && explained.contains("\"matched\":true"), "the old rule is in force: {explained}");
    sandbox.write("rules/extra.yml", extra(2));
    assert_eq!(reload(&node).0, 200);
    let (_, health) = get(node.ingest, "/health").unwrap();
    assert!(!health.contains("changed rules were refused"), "{health}");
    let (_, _, explained) = send(node.ingest, "POST", "/api/v1/rules/extra/explain", &[], line).unwrap();
    assert!(explained.contains("\"matched\":false"), "{explained}");
    assert_eq!(node.stop("serve"), Some(0));
}
