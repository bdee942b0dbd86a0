//! Replays: what the samples hold, resuming, idempotence, order and time.

use crate::program::{Sandbox, failures, samples};

/// The attacks that `deploy/sample-logs/README.md` lists: severity, who, and rule, as in its table.
fn listed() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(format!("{}/README.md", samples())).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| P"));
    let mut listed: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            (cells[1].clone(), cells[2].clone(), cells[3].clone())
        })
        .collect();
    listed.sort();
    listed
}

#[test]
fn the_samples_give_exactly_the_listed_attacks_and_a_second_run_adds_none() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["replay", &samples()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let mut found: Vec<_> = run
        .lines()
        .iter()
        .map(|finding| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
            let entities = &finding["entities"];
            let who = ["source.ip", "user.name", "host.name"].iter().map(|kind| text(&entities[*kind][0]));
            (
                text(&finding["severity"]),
                who.into_iter().find(|who| !who.is_empty()).unwrap(),
                text(&finding["rule.title"]),
            )
        })
        .collect();
    found.sort();
    assert_eq!(found, listed());
    for finding in run.lines() {
        for key in ["id", "rule.id", "level", "score", "first_seen", "last_seen", "count", "reason"] {
            assert!(!finding[key].is_null(), "{key} of {finding}");
        }
        let evidence = finding["evidence"].as_array().unwrap();
        assert!(!evidence.is_empty());
        for proof in evidence {
            let path = proof["source"].as_str().unwrap();
            let line_no = proof["line_no"].as_u64().unwrap() as usize;
            let line = std::fs::read_to_string(path).unwrap().lines().nth(line_no - 1).unwrap().to_owned();
            assert_eq!(proof["original"], line, "the proof is the very line");
        }
    }
    let again = sandbox.run(&["replay", &samples()]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "{}", again.err);
    assert!(again.last_error_line().starts_with("events 0, rejected 0, findings 0,"), "{}", again.err);
}

#[test]
fn any_number_of_jobs_gives_the_same_findings() {
    let sandbox = Sandbox::new();
    let one = sandbox.run(&["replay", "--store", "none", "--jobs", "1", &samples()]);
    for jobs in ["2", "5"] {
        let many = sandbox.run(&["replay", "--store", "none", "--jobs", jobs, &samples()]);
        assert_eq!(one.out, many.out, "--jobs {jobs}");
    }
}

#[test]
fn appended_lines_are_read_and_join_the_attack_in_progress() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("auth.log", failures("192.0.2.1", 0, 4));
    assert_eq!(sandbox.run(&["replay", &path]).out, "", "four failures are below the threshold");
    sandbox.write("auth.log", failures("192.0.2.1", 0, 8));
    let run = sandbox.run(&["replay", &path]);
    assert_eq!(run.lines()[0]["count"], 8, "{}", run.err);
    assert!(run.last_error_line().starts_with("events 4,"), "{}", run.err);
    // The same log under another name and compressed holds nothing new.
    sandbox.write("auth.log", failures("192.0.2.1", 0, 8) + &failures("192.0.2.2", 40, 2));
    assert!(sandbox.run(&["replay", &path]).last_error_line().starts_with("events 2,"));
}

#[test]
fn a_log_that_was_written_anew_is_read_from_its_start() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("auth.log", failures("192.0.2.1", 0, 100));
    sandbox.run(&["replay", &path]);
    sandbox.write("auth.log", failures("192.0.2.7", 0, 6));
    let run = sandbox.run(&["replay", &path]);
    assert!(run.last_error_line().starts_with("events 6,"), "{}", run.err);
    assert_eq!(run.lines()[0]["entities"]["source.ip"][0], "192.0.2.7");
}

#[test]
fn one_attack_spread_over_files_that_overlap_in_time_is_found() {
    let sandbox = Sandbox::new();
    let every_other = |parity: usize| -> String {
        let all = failures("192.0.2.1", 0, 8);
        all.lines().enumerate().filter(|(at, _)| at % 2 == parity).map(|(_, line)| format!("{line}\n")).collect()
    };
    sandbox.write("logs/a.log", every_other(0) + &failures("192.0.2.9", 20_000, 1));
    sandbox.write("logs/b.log", every_other(1) + &failures("192.0.2.8", 30_000, 1));
    let run = sandbox.run(&["replay", "--store", "none", "logs"]);
    let findings = run.lines();
    assert_eq!((findings.len(), &findings[0]["count"]), (1, &8.into()), "{}", run.err);
}

#[test]
fn events_outside_the_asked_time_make_no_findings() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("a.log", failures("192.0.2.1", 0, 6) + &failures("192.0.2.2", 7200, 6));
    let ask = |arguments: &[&str]| {
        let mut all = vec!["replay", "--store", "none", &path];
        all.extend(arguments);
        let run = sandbox.run(&all);
        run.lines()
            .iter()
            .map(|finding| finding["entities"]["source.ip"][0].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(&[]), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(ask(&["--since", "2026-11-23T01:00:00Z"]), ["192.0.2.2"]);
    assert_eq!(ask(&["--until", "2026-11-23T01:00:00Z"]), ["192.0.2.1"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("a.log", failures("192.0.2.1", 0, 50_000));
    let script = format!("{} parse {path} | head -n 1", crate::program::PROGRAM);
    let mut command = std::process::Command::new("bash");
    let run = crate::program::finish({
        command.args(["-o", "pipefail", "-c", &script]);
        command
    });
    assert_eq!((run.code, run.out.lines().count(), run.err.as_str()), (Some(0), 1, ""));
}
