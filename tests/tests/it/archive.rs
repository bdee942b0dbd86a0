//! The archive of events: each is in it exactly once through kills, its raw line comes back byte for byte, rules find in it what
//! they found when it was read, and a finding leads to the lines around it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::program::{Sandbox, collect};

/// Access lines with a login page that is guessed at now and then, and some that other services write.
fn log(lines: usize) -> String {
    let mut text = String::new();
    for at in 0..lines {
        let (hour, minute, second) = (at / 100 / 3600 % 24, at / 100 / 60 % 60, at / 100 % 60);
        let client = if at % 40 == 0 { 7 } else { at * 13 % 200 };
        let (method, target, status) = match at % 40 {
            0 => ("POST", "/login".to_owned(), 401),
            1 => ("GET", format!("/item.php?id={at}%27%20UNION%20SELECT%20password%20FROM%20users--"), 200),
            _ => ("GET", format!("/page/{}?ref={}", at % 300, at % 17), 200),
        };
        writeln!(
            text,
            "198.51.100.{client} - - [29/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"{method} {target} HTTP/1.1\" {status} {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
            at * 31 % 9000
        )
        .unwrap();
    }
    text
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_event_is_in_the_archive_once_through_kills() {
    let sandbox = Sandbox::new();
    let text = log(120_000);
    let path = sandbox.write("big.log", text.clone());
    let arguments = ["replay", "--store", "sqlite:cut.db", "--archive", "events", "--jobs", "2", &path];
    let mut disturbed = 0;
    for pause in [200, 500, 900, 300, 1200, 700] {
        let mut command = sandbox.command(&arguments);
        command.env("C0DI3_STORE_COMMIT_INTERVAL_MS", "50");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        disturbed += usize::from(collect(child).code != Some(0));
    }
    assert!(disturbed > 0, "at least one run was really disturbed");
    let last = sandbox.run(&arguments);
    assert_eq!(last.code, Some(0), "{}", last.err);
    let asked = ["--store", "sqlite:cut.db", "--archive", "events", "--out", "ndjson", "--limit", "1000000"];
    let ask = |question: &str| {
        let run = sandbox.run(&[&["hunt", question], &asked[..]].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        json_lines(&run.out)
    };
    let lines: Vec<&str> = text.lines().collect();
    let rows = ask("SELECT c0di3.line AS number, event.original AS line FROM events ORDER BY c0di3.line");
    assert_eq!(rows.len(), lines.len());
    for (row, (at, line)) in rows.iter().zip(lines.iter().enumerate()) {
        assert_eq!((row["number"].as_u64(), row["line"].as_str()), (Some(at as u64 + 1), Some(*line)));
    }
    let numbers = ask("SELECT count(DISTINCT \"c0di3.sequence\") AS n FROM events");
    assert_eq!(numbers[0]["n"], lines.len());
    // No file lies beside those that the catalogue names.
    let files = ask("SELECT count(*) AS n FROM events WHERE http.response.status_code = 401");
    assert_eq!(files[0]["n"], lines.len().div_ceil(40));
}

#[test]
fn rules_find_in_the_archive_what_they_found_in_the_files() {
    let sandbox = Sandbox::new();
    let access = sandbox.write("access.log", log(6000));
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/sample-logs");
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
    let replayed = sandbox.run(&["replay", "--store", "sqlite:a.db", "--archive", "events", &access, samples]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let hunted = sandbox.run(&["hunt", "--rule", rules, "--store", "sqlite:a.db", "--archive", "events"]);
    assert_eq!(hunted.code, Some(0), "{}", hunted.err);
    let findings = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (expected, found) = (findings(&replayed.out), findings(&hunted.out));
    assert!(expected.len() > 20, "{}", expected.len());
    let differ: Vec<_> = expected.symmetric_difference(&found).collect();
    assert!(differ.is_empty(), "{} of {} differ, such as {}", differ.len(), expected.len(), differ[0]);
}

#[test]
fn a_finding_leads_to_the_lines_around_it() {
    let sandbox = Sandbox::new();
    let text = log(500);
    let path = sandbox.write("access.log", text.clone());
    let replayed = sandbox.run(&["replay", "--store", "sqlite:a.db", "--archive", "events", &path]);
    let finding =
        json_lines(&replayed.out).into_iter().find(|finding| !finding["evidence"].as_array().unwrap().is_empty());
    let finding = finding.unwrap();
    let (id, evidence) = (finding["id"].as_str().unwrap(), &finding["evidence"][0]);
    let asked = ["--before", "2", "--after", "1", "--store", "sqlite:a.db", "--archive", "events"];
    let context = sandbox.run(&[&["context", id], &asked[..]].concat());
    assert_eq!(context.code, Some(0), "{}", context.err);
    let number = evidence["line_no"].as_u64().unwrap() as usize;
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[number.saturating_sub(3)..(number + 1).min(lines.len())] {
        assert!(context.out.contains(line), "{line}\nis not in\n{}", context.out);
    }
    assert!(context.out.contains(&format!("> {number:>8}  {}", lines[number - 1])), "{}", context.out);
    let searched =
        sandbox.run(&["search", "status:401", "ip:198.51.100.0/28", "--store", "sqlite:a.db", "--archive", "events"]);
    assert_eq!(searched.code, Some(0), "{}", searched.err);
    assert_eq!(searched.out.lines().count(), 13, "{}", searched.out);
    let wrong = sandbox.run(&["search", "sorce.ip:192.0.2.1", "--store", "sqlite:a.db", "--archive", "events"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("did you mean source.ip?"), "{}", wrong.err);
}

#[test]
fn a_subjects_events_are_erased_through_kills_and_the_audit_log_says_so() {
    let sandbox = Sandbox::new();
    let line = |at: usize| {
        let user = if at.is_multiple_of(10) { "alice" } else { "bob" };
        let (hour, minute, second) = (at / 3600 % 24, at / 60 % 60, at % 60);
        format!(
            "198.51.100.7 - {user} [29/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET /{at} HTTP/1.1\" 200 5 \"-\" \"x\"\n"
        )
    };
    let lines = 40_000;
    let path = sandbox.write("access.log", (0..lines).map(line).collect::<String>());
    let place = ["--store", "sqlite:a.db", "--archive", "events"];
    let replayed = sandbox.run(&[&["replay", &path], &place[..]].concat());
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let counted = || {
        let question = "SELECT count(*) AS n, count(DISTINCT c0di3.sequence) AS d, sum(CASE WHEN user.name = 'alice' THEN 1 ELSE 0 END) AS a FROM events";
        let run = sandbox.run(&[&["hunt", question, "--out", "ndjson"], &place[..]].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        let row = json_lines(&run.out).remove(0);
        ["n", "d", "a"].map(|name| row[name].as_u64().unwrap() as usize)
    };
    let erase =
        [&["archive", "erase", "--field", "user.name", "--value", "alice", "--reason", "request 17"], &place[..]];
    let erase = erase.concat();
    let planned = sandbox.run(&[&erase[..], &["--dry-run"]].concat());
    assert!(
        planned.out.starts_with(&format!("{} events would be erased", lines / 10)),
        "{}{}",
        planned.out,
        planned.err
    );
    assert_eq!(counted(), [lines, lines, lines / 10]);
    for pause in [150, 400, 900, 1500] {
        let mut child = sandbox.command(&erase).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        collect(child);
        let [events, numbers, of_alice] = counted();
        assert_eq!((events, numbers), (lines - lines / 10 + of_alice, events), "nobody else's events went");
    }
    let erased = sandbox.run(&erase);
    assert_eq!(erased.code, Some(0), "{}", erased.err);
    assert_eq!(counted(), [lines - lines / 10, lines - lines / 10, 0]);
    let audit = "import sqlite3; print([row for row in sqlite3.connect('a.db').execute('SELECT action, outcome, detail FROM audit')])";
    let mut python = std::process::Command::new("python3");
    let noted = python.args(["-c", audit]).current_dir(sandbox.root()).output().unwrap();
    let noted = String::from_utf8_lossy(&noted.stdout).into_owned();
    assert!(
        noted.contains("archive.erase") && noted.contains("begun: user.name") && noted.contains("request 17"),
        "{noted}"
    );
    assert!(!noted.contains("alice"), "the log does not keep what was erased: {noted}");
    let refused = sandbox.run(&[
        "archive",
        "erase",
        "--field",
        "event.original",
        "--value",
        "x",
        "--reason",
        "y",
        "--archive",
        "events",
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
}

#[test]
fn a_folder_that_is_lost_is_forgotten_when_somebody_says_so_and_writing_goes_on() {
    let sandbox = Sandbox::new();
    let place = ["--store", "sqlite:a.db", "--archive", "events"];
    let replay = |name: &str, lines: usize| {
        let path = sandbox.write(name, log(lines));
        sandbox.run(&[&["replay", &path], &place[..]].concat())
    };
    assert_eq!(replay("first.log", 3000).code, Some(0));
    std::fs::remove_dir_all(sandbox.path("events")).unwrap();
    let refused = replay("second.log", 50);
    assert!(refused.code == Some(1) && refused.err.contains("c0di3 archive forget-missing"), "{}", refused.err);
    let config = sandbox.write("c.toml", "[store]\nurl = \"sqlite:a.db\"\n[archive]\nfolder = \"events\"\n");
    let doctor = sandbox.run(&["--config", &config, "doctor"]);
    assert!(doctor.out.contains("FAULT archive.folder: the "), "{}", doctor.out);
    let forget = |more: &[&str]| sandbox.run(&[&["archive", "forget-missing"], more, &place[..]].concat());
    assert_eq!(forget(&[]).code, Some(2), "a reason is needed");
    let held = || std::fs::read_dir(sandbox.path("events")).map_or(0, Iterator::count);
    let before = held();
    let planned = forget(&["--reason", "the disk died", "--dry-run"]);
    let counted = planned.out.contains(" with 3000 events are missing and would be forgotten");
    assert!(counted && planned.err.contains("is its disk mounted?"), "{}{}", planned.out, planned.err);
    assert_eq!(held(), before, "a dry run makes nothing");
    let done = forget(&["--reason", "the disk died"]);
    assert!(done.code == Some(0) && done.out.contains(" with 3000 events are forgotten"), "{}{}", done.out, done.err);
    let doctor = sandbox.run(&["--config", &config, "doctor"]);
    assert!(!doctor.out.contains("archive.folder"), "{}", doctor.out);
    let again = replay("third.log", 70);
    assert_eq!(again.code, Some(0), "{}", again.err);
    let question = ["hunt", "SELECT count(*) AS n FROM events", "--out", "ndjson"];
    let left = sandbox.run(&[&question[..], &place[..]].concat());
    assert_eq!(json_lines(&left.out)[0]["n"], 70, "{}{}", left.out, left.err);
    let nothing = forget(&["--reason", "again"]);
    assert!(nothing.out.starts_with("0 of "), "{}{}", nothing.out, nothing.err);
    let audit =
        "import sqlite3; print([row for row in sqlite3.connect('a.db').execute('SELECT action, detail FROM audit')])";
    let mut python = std::process::Command::new("python3");
    let noted = python.args(["-c", audit]).current_dir(sandbox.root()).output().unwrap();
    let noted = String::from_utf8_lossy(&noted.stdout).into_owned();
    assert!(noted.contains("archive.forget") && noted.contains("the disk died"), "{noted}");
}

#[test]
fn other_programs_read_the_folder_as_it_is() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("access.log", log(30_000));
    let samples = crate::program::samples();
    let place = ["--store", "sqlite:a.db", "--archive", "events"];
    let replayed = sandbox.run(&[&["replay", &path, &samples], &place[..]].concat());
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let question = "SELECT event.dataset AS dataset, count(*) AS n, sum(http.response.status_code) AS status, sum(c0di3.line) AS line, \
                    count(DISTINCT source.ip) AS ips, min(@timestamp) AS first, max(@timestamp) AS last FROM events GROUP BY event.dataset ORDER BY event.dataset"
        .replace("@timestamp", "\"@timestamp\"");
    let run = sandbox.run(&[&["hunt", question.as_str(), "--out", "ndjson"], &place[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let expected = json_lines(&run.out);
    assert!(expected.len() > 5, "{expected:?}");
    for reader in ["duckdb", "pyarrow", "polars"] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/lake/read.py");
        let run = std::process::Command::new(servers::tool("lake/bin/python"))
            .args([script, reader, "events"])
            .current_dir(sandbox.root())
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{reader}: {err}");
        let found = json_lines(&out);
        assert_eq!(found.len(), expected.len(), "{reader}");
        for (found, expected) in found.iter().zip(&expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(moment(&found[name]), moment(value), "{reader}, {name} of {}", expected["dataset"]);
            }
        }
    }
}

/// A value; of a time the part that all programs write alike.
fn moment(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_time = text.len() > 18 && text.as_bytes()[4] == b'-' && text.as_bytes()[13] == b':';
    if is_time { text.replace('T', " ")[..19].to_owned() } else { text }
}
