//! What is an event, what is text, and what is broken, seen from outside.

use crate::program::{Sandbox, failures};

const TEXT: &str =
    "the list of what is installed follows below\nRun from the installer, no format at all\n<?xml version=\"1.0\"?>\n";

#[test]
fn text_of_no_known_format_is_told_apart_from_what_breaks_its_format() {
    let sandbox = Sandbox::new();
    sandbox.write("log/notes.log", TEXT);
    sandbox.write("log/auth.log", failures("192.0.2.1", 0, 2));
    sandbox.write("log/app.json", "{\"a\": 1}\n\n{\"a\": tru}\n\n");
    let folder = sandbox.path("log").display().to_string();
    let run = sandbox.run(&["replay", "--store", "none", &folder]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let summary = run.last_error_line();
    assert!(summary.starts_with("events 7, rejected 1, findings 0, ") && summary.ends_with(", text 3"), "{summary}");
    assert!(run.err.contains("log/notes.log: 3 of 3 line(s) are text of no known format"), "{}", run.err);
    assert!(run.err.contains("log/app.json: 1 of 2 line(s) break their format and were rejected"), "{}", run.err);
    let code = |name: &str| {
        let path = sandbox.path("log").join(name).display().to_string();
        (
            sandbox.run(&["replay", "--store", "none", "--strict", &path]).code,
            sandbox.run(&["parse", "--strict", &path]).code,
        )
    };
    assert_eq!(code("notes.log"), (Some(0), Some(0)), "text is not rejected");
    assert_eq!(code("app.json"), (Some(3), Some(3)));
}

#[test]
fn an_empty_line_is_no_error_and_lines_keep_their_numbers() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("auth.log", format!("\n  \n\u{feff}\0\0\n{}", failures("192.0.2.1", 0, 6)));
    let run = sandbox.run(&["replay", "--store", "none", "--strict", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.last_error_line().starts_with("events 6, rejected 0, findings 1, "), "{}", run.err);
    assert_eq!(run.lines()[0]["evidence"][0]["line_no"], 4);
    let parsed = sandbox.run(&["parse", "--strict", &path]);
    assert_eq!((parsed.code, parsed.lines().len()), (Some(0), 9), "one object for every line");
    assert!(parsed.lines().iter().all(|event| event["event.kind"] == "event"), "{}", parsed.out);
}

#[test]
fn what_stands_in_front_of_a_line_is_no_part_of_it() {
    let sandbox = Sandbox::new();
    let text = failures("192.0.2.1", 0, 6);
    // As after `copytruncate`, while the writer went on at its old place: more NULs than a block has bytes.
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend(text.lines().next().unwrap().as_bytes());
    bytes.push(b'\n');
    bytes.extend(vec![0; 3 << 20]);
    bytes.extend(text.lines().skip(1).collect::<Vec<_>>().join("\n\0\u{feff}").as_bytes());
    let path = sandbox.write("auth.log", &bytes);
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert!(run.last_error_line().starts_with("events 6, rejected 0, findings 1, "), "{}", run.err);
    let originals: Vec<String> = run.lines()[0]["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|proof| proof["original"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(originals[..2], text.lines().take(2).collect::<Vec<_>>());
}

#[test]
fn a_replay_reads_standard_input_and_a_second_run_adds_nothing() {
    let sandbox = Sandbox::new();
    let log = failures("192.0.2.1", 0, 60);
    let first = sandbox.run_with_input(&["replay", "-"], log.as_bytes());
    assert_eq!((first.code, first.lines().len()), (Some(0), 1), "{}", first.err);
    assert_eq!(first.lines()[0]["evidence"][0]["source"], "-");
    assert!(first.last_error_line().starts_with("events 60, rejected 0, findings 1, "), "{}", first.err);
    let again = sandbox.run_with_input(&["replay", "-"], log.as_bytes());
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "{}", again.err);
    let grown = sandbox.run_with_input(&["replay", "-"], (log + &failures("192.0.2.1", 60, 2)).as_bytes());
    assert!(grown.last_error_line().starts_with("events 2, rejected 0, "), "{}", grown.err);
    let other = sandbox.run_with_input(&["replay", "-"], failures("192.0.2.9", 0, 60).as_bytes());
    assert_eq!(other.lines()[0]["entities"]["source.ip"][0], "192.0.2.9", "another stream is another source");
}

/// nginx writes a quote as `\x22` into JSON, and whatever else is wrong with a line must not hide its request either.
#[test]
fn one_quote_hides_no_request() {
    let sandbox = Sandbox::new();
    let line = |value: &str| {
        format!(
            "{{\"@timestamp\":\"2026-03-04T10:00:01Z\",\"source.ip\":\"203.0.113.7\",\"http.response.status_code\":200,{value}}}\n"
        )
    };
    let lines = [
        line(r#""url.original":"/item?id=7\x22 UNION SELECT name,pass FROM users--""#),
        line(r#""url.original":"/item?id=7' UNION SELECT name,pass FROM users--","user_agent.original":"a \q b""#),
        line(r#""url.original":"/item?id=7","user_agent.original":"\x22 \u12""#),
    ];
    let run = sandbox.run_with_input(&["detect", "-"], lines.concat().as_bytes());
    let mut found: Vec<(u64, String)> = run
        .lines()
        .iter()
        .map(|hit| (hit["line_no"].as_u64().unwrap(), hit["rule.title"].as_str().unwrap().to_owned()))
        .collect();
    found.retain(|(_, title)| title == "SQL injection in a request");
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2], "{}", run.out);
    let parsed = sandbox.run_with_input(&["parse", "--strict", "-"], lines.concat().as_bytes());
    assert_eq!(parsed.code, Some(0), "{}", parsed.out);
    let events = parsed.lines();
    assert_eq!(events[0]["url.original"], "/item?id=7\" UNION SELECT name,pass FROM users--");
    assert_eq!((&events[0]["tags"], &events[1]["tags"]), (&serde_json::Value::Null, &"invalid_json_escape".into()));
    assert_eq!(events[1]["user_agent.original"], "a \\q b");
    assert_eq!(events[2]["user_agent.original"], "\" \\u12");
}

#[test]
fn a_shipper_that_wraps_a_whole_syslog_line_forges_nothing() {
    let sandbox = Sandbox::new();
    let shipped = r#"{"@timestamp":"2026-11-23T10:06:00Z","agent":{"type":"filebeat"},"message":"Nov 23 10:05:59 gate sshd[9]: Accepted password for bob from 192.0.2.9 port 4000 ssh2"}"#;
    let forged = "Nov 23 10:06:00 gate logger: sshd[812]: Accepted password for root from 192.0.2.231 port 22 ssh2";
    let run = sandbox.run_with_input(&["detect", "-"], format!("{shipped}\n{forged}\n").as_bytes());
    let title = "Line of another program inside a message";
    let found: Vec<_> =
        run.lines().iter().filter(|hit| hit["rule.title"] == title).map(|hit| hit["line_no"].clone()).collect();
    assert_eq!(found, [2], "{}", run.out);
}
