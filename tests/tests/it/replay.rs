//! Replays: what the samples hold, resuming, idempotence, order and time.

use std::process::Command;

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
    // Under another name and compressed holds nothing new.
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

/// Sum of the counts of all findings that a run printed.
fn counted(run: &crate::program::Run) -> u64 {
    run.lines().iter().map(|finding| finding["count"].as_u64().unwrap()).sum()
}

#[test]
fn runs_over_older_logs_find_what_one_run_finds() {
    let sandbox = Sandbox::new();
    let together = sandbox.run(&["replay", "--store", "none", &samples()]).lines().len();
    let part = |name: &str| sandbox.run(&["replay", &format!("{}/{name}", samples())]).lines().len();
    assert_eq!(part("access.log") + part("auth.log"), together);
    let new = sandbox.write("new.log", failures("192.0.2.1", 50_000, 30));
    let old = sandbox.write("old.log", failures("192.0.2.1", 100, 30));
    let run = |path: &str| sandbox.run(&["replay", "--store", "sqlite:b.db", path]);
    assert_eq!((counted(&run(&new)), counted(&run(&old))), (30, 30));
}

#[test]
fn a_line_from_the_future_does_not_blind_the_correlations() {
    let sandbox = Sandbox::new();
    let future = "2099-11-23T10:00:00Z gate sshd[1]: Failed password for alice from 192.0.2.6 port 5 ssh2\n";
    let first = sandbox.write("first.log", future);
    sandbox.run(&["replay", &first]);
    let filler = "2026-11-23T00:00:00Z gate app[1]: a line of no interest at all, only to fill blocks\n".repeat(30_000);
    let log = sandbox.write("second.log", format!("{future}{filler}{future}{}", failures("192.0.2.1", 10, 20)));
    assert_eq!(counted(&sandbox.run(&["replay", &log])), 20);
}

#[test]
fn a_file_is_counted_once_whatever_it_is_called() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("n/a.log", failures("192.0.2.1", 0, 20));
    assert_eq!(counted(&sandbox.run(&["replay", "n/a.log"])), 20);
    assert_eq!(sandbox.run(&["replay", "./n/../n/a.log"]).out, "");
    std::fs::rename(&path, sandbox.path("n/a.log.1")).unwrap();
    assert_eq!(sandbox.run(&["replay", "n/a.log.1"]).out, "");
    let packed = Command::new("gzip").arg(sandbox.path("n/a.log.1")).status().unwrap();
    assert!(packed.success());
    let run = sandbox.run(&["replay", "n"]);
    assert!(run.out.is_empty() && run.last_error_line().starts_with("events 0,"), "{}", run.err);
}

#[test]
fn a_copy_that_is_the_beginning_of_another_file_adds_nothing() {
    let sandbox = Sandbox::new();
    let short = sandbox.write("p/short.log", failures("192.0.2.1", 0, 2000));
    let long = sandbox.write("p/long.log", failures("192.0.2.1", 0, 2000) + &failures("192.0.2.2", 2000, 2000));
    let both = sandbox.run(&["replay", "--store", "none", &short, &long]);
    assert_eq!((both.code, counted(&both)), (Some(0), 4000), "{}", both.err);
    assert_eq!(counted(&sandbox.run(&["replay", &long])), 4000);
    assert_eq!(sandbox.run(&["replay", &short]).out, "");
    let other = sandbox.write("p/other.log", failures("192.0.2.1", 0, 2000) + &failures("192.0.2.3", 2000, 2000));
    let beside = sandbox.run(&["replay", "--store", "none", &long, &other]);
    let addresses: Vec<_> = beside.lines().iter().map(|finding| finding["entities"]["source.ip"][0].clone()).collect();
    assert!(addresses.contains(&"192.0.2.2".into()) && addresses.contains(&"192.0.2.3".into()), "nothing is left out");
}

#[test]
fn an_unfinished_last_line_is_read_again_when_it_is_complete() {
    let sandbox = Sandbox::new();
    let whole = failures("192.0.2.1", 0, 6);
    let (start, end) = whole.split_at(whole.len() - 40);
    let path = sandbox.write("a.log", start);
    assert_eq!(sandbox.run(&["replay", &path]).out, "");
    sandbox.write("a.log", format!("{start}{end}"));
    assert_eq!(counted(&sandbox.run(&["replay", &path])), 6);
    let quiet = sandbox.write("b.log", failures("192.0.2.2", 0, 6).trim_end());
    assert_eq!(counted(&sandbox.run(&["replay", &quiet])), 6, "a missing last line feed loses nothing");
    assert_eq!(sandbox.run(&["replay", &quiet]).out, "");
}

#[test]
fn a_run_with_a_time_range_does_not_mark_files_as_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("a.log", failures("192.0.2.1", 0, 6));
    let ranged = sandbox.run(&["replay", "--since", "2030-01-01T00:00:00Z", &path]);
    assert!(ranged.out.is_empty() && ranged.err.contains("not how far the files were read"), "{}", ranged.err);
    assert_eq!(counted(&sandbox.run(&["replay", &path])), 6);
}

#[test]
fn times_at_the_edges_of_the_calendar_leave_a_store_that_can_be_read() {
    let sandbox = Sandbox::new();
    let line =
        |stamp: &str| format!("203.0.113.19 - - [{stamp}] \"GET /../../../etc/passwd HTTP/1.1\" 404 1 \"-\" \"x\"\n");
    let text = line("31/Dec/9999:23:59:59 -1200") + &line("01/Jan/0000:00:00:01 +1200");
    let path = sandbox.write("edges.log", text + "{\"@timestamp\":1e300,\"message\":\"x\"}\n");
    assert_eq!(counted(&sandbox.run(&["replay", &path])), 2);
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 6));
    assert_eq!(counted(&sandbox.run(&["replay", &log])), 6);
}

#[test]
fn a_second_replay_into_the_same_store_is_told_to_wait() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("a.log", failures("192.0.2.1", 0, 6));
    let held = std::fs::File::create(sandbox.path("x.db.replay-lock")).unwrap();
    held.lock().unwrap();
    let run = sandbox.run(&["replay", "--store", "sqlite:x.db", &path]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("another replay is writing to sqlite:x.db"), "{}", run.err);
    drop(held);
    assert_eq!(counted(&sandbox.run(&["replay", "--store", "sqlite:x.db", &path])), 6);
}

#[test]
fn findings_are_kept_even_when_nobody_reads_what_is_printed() {
    let sandbox = Sandbox::new();
    let log: String = (0..250).map(|host| failures(&format!("192.0.2.{host}"), host * 10, 6)).collect();
    let path = sandbox.write("a.log", log);
    // One finding for each address, and one for the account that all of them try.
    let script = format!("{} replay --store sqlite:x.db {path} | true", crate::program::PROGRAM);
    let mut command = Command::new("bash");
    let run = crate::program::finish({
        command.args(["-o", "pipefail", "-c", &script]).current_dir(sandbox.root());
        command
    });
    assert_eq!(run.code, Some(0), "{}", run.err);
    let service = crate::service::Service::start(&sandbox, "sqlite:x.db");
    assert_eq!(service.get_json("/api/v1/findings?limit=500")["data"].as_array().unwrap().len(), 251);
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
