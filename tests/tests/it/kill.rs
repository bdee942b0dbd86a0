//! A replay that is stopped at any moment, by SIGINT or SIGKILL, and run again ends with the findings of an
//! undisturbed run, each once.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::program::{Sandbox, collect};

/// Attacks of many addresses over a quiet background, about `megabytes` in size.
fn log(megabytes: usize) -> String {
    let mut text = String::new();
    let mut at = 0_u64;
    while text.len() < megabytes << 20 {
        let (hour, minute, second) = (at / 200 / 3600 % 24, at / 200 / 60 % 60, at / 200 % 60);
        let stamp = format!("{}/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000", 10 + at / 200 / 86_400);
        let (client, target) = match at % 500 {
            0 => (at / 500 % 40, "/login.php?id=1%27%20OR%20%271%27=%271".to_owned()),
            1 => (at / 500 % 7 + 100, format!("/guess-{at}")),
            _ => (at % 97 + 150, format!("/page/{}", at % 1000)),
        };
        let status = if at % 500 == 1 { 404 } else { 200 };
        writeln!(
            text,
            "198.51.100.{client} - - [{stamp}] \"GET {target} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\""
        )
        .unwrap();
        at += 1;
    }
    text
}

/// Every finding of a store, as the API shows it.
fn stored(sandbox: &Sandbox, store: &str) -> Vec<String> {
    // A replay of nothing new over a copy prints nothing; the store is read through the service instead.
    let service = crate::service::Service::start(sandbox, store);
    let mut findings = Vec::new();
    let mut path = "/api/v1/findings?limit=500".to_owned();
    loop {
        let page = service.get_json(&path);
        for finding in page["data"].as_array().unwrap() {
            let mut detail = service.get_json(&format!("/api/v1/findings/{}", finding["id"].as_str().unwrap()));
            let object = detail.as_object_mut().unwrap();
            object.remove("created_at");
            object.remove("updated_at");
            findings.push(detail.to_string());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/findings?limit=500&cursor={cursor}"),
            None => break,
        }
    }
    findings.sort();
    findings
}

fn replay_with_signals(signal: &str, pauses_ms: &[u64]) {
    let sandbox = Sandbox::new();
    let path = sandbox.write("big.log", log(30));
    let undisturbed = sandbox.run(&["replay", "--store", "sqlite:whole.db", &path]);
    assert_eq!(undisturbed.code, Some(0), "{}", undisturbed.err);
    let mut disturbed = 0;
    for pause in pauses_ms {
        let mut command = sandbox.command(&["replay", "--store", "sqlite:cut.db", "--jobs", "2", &path]);
        // Many small transactions, so that the signal falls between two of them.
        command.env("C0DI3_STORE_COMMIT_INTERVAL_MS", "20");
        let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(*pause));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let run = collect(child);
        disturbed += usize::from(sent.success() && run.code != Some(0));
        if signal == "-INT" && run.code == Some(1) {
            assert!(run.err.contains("interrupted; run the same command to go on"), "{}", run.err);
        }
    }
    assert!(disturbed > 0, "at least one run was really disturbed");
    let last = sandbox.run(&["replay", "--store", "sqlite:cut.db", &path]);
    assert_eq!(last.code, Some(0), "{}", last.err);
    let (whole, cut) = (stored(&sandbox, "sqlite:whole.db"), stored(&sandbox, "sqlite:cut.db"));
    assert!(whole.len() >= 40);
    assert_eq!(whole.len(), cut.len());
    for (expected, found) in whole.iter().zip(&cut) {
        assert_eq!(expected, found);
    }
}

#[test]
fn interrupted_replays_end_with_the_findings_of_an_undisturbed_one() {
    replay_with_signals("-INT", &[150, 300, 450, 200]);
}

#[test]
fn killed_replays_end_with_the_findings_of_an_undisturbed_one() {
    replay_with_signals("-KILL", &[50, 250, 400, 500]);
}
