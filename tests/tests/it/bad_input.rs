//! Bad input is the normal case: each kind has its clear result.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::program::{PROGRAM, Sandbox, failures, finish};

const LINE: &str = "203.0.113.9 - - [23/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn an_empty_file_gives_no_events_and_is_no_failure() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("empty.log", "");
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    assert!(run.err.contains("empty.log: the file is empty"), "{}", run.err);
    assert!(run.last_error_line().starts_with("events 0, rejected 0, findings 0, seconds "), "{}", run.err);
    let parsed = sandbox.run(&["parse", &path]);
    assert_eq!((parsed.code, parsed.out.as_str()), (Some(0), ""));
}

#[test]
fn line_endings_and_odd_bytes_lose_no_line() {
    let sandbox = Sandbox::new();
    let mut bytes = format!("{LINE}\r\n").into_bytes();
    bytes.extend(b"Nov 23 10:00:00 h app[1]: a NUL \x00 inside\n");
    bytes.extend(b"Nov 23 10:00:00 h app[1]: not UTF-8 \xff\xfe\n");
    bytes.extend(b"Nov 23 10:00:00 h app[1]: no line feed at the end");
    let run = sandbox.run_with_input(&["parse", "-"], &bytes);
    let events = run.lines();
    assert_eq!((run.code, events.len()), (Some(0), 4));
    assert_eq!(events[0]["event.original"], LINE, "the carriage return is part of the ending");
    assert_eq!(events[1]["message"], "a NUL \u{0} inside");
    assert_eq!(events[2]["message"], "not UTF-8 \u{fffd}\u{fffd}");
    assert_eq!(events[3]["message"], "no line feed at the end");
    assert!(events.iter().all(|event| event["event.kind"] == "event"));
}

#[test]
fn a_line_of_20_megabytes_is_cut_counted_and_followed_by_the_next() {
    let sandbox = Sandbox::new();
    let mut bytes = b"Nov 23 00:00:00 h app[1]: ".to_vec();
    bytes.extend(vec![b'x'; 20 << 20]);
    bytes.extend(format!("\n{}", failures("192.0.2.1", 0, 6)).as_bytes());
    let path = sandbox.write("long.log", &bytes);
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("note: 1 line(s) were longer than the limit"), "{}", run.err);
    assert!(run.last_error_line().starts_with("events 7, rejected 0, findings 1,"), "{}", run.err);
    assert_eq!(run.lines()[0]["evidence"][0]["line_no"], 2);
    let parsed = sandbox.run(&["parse", &path]);
    let tag = parsed.lines()[0]["tags"].as_str().unwrap().to_owned();
    assert_eq!(tag, format!("line_truncated from {} bytes", 26 + (20 << 20) + 1));
}

#[test]
fn what_is_no_readable_file_is_named_and_fails_the_run_but_not_the_others() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.log", failures("192.0.2.1", 0, 6));
    let fifo = sandbox.path("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, words) in
        [("missing.log", "No such file"), (fifo.as_str(), "a FIFO"), ("/dev/null", "not a regular file")]
    {
        let run = sandbox.run(&["replay", "--store", "none", path, &good]);
        assert_eq!(run.code, Some(1), "{path}: {}", run.err);
        assert!(run.err.contains(words), "{path}: {}", run.err);
        assert_eq!(run.lines().len(), 1, "the good file is read all the same");
    }
    let folder = sandbox.run(&["parse", &sandbox.root().display().to_string()]);
    assert_eq!(folder.code, Some(1));
    assert!(folder.err.contains("is a folder: use `c0di3 replay`"), "{}", folder.err);
}

#[test]
fn an_unreadable_file_is_named_and_fails_the_run() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("secret.log", failures("192.0.2.1", 0, 6));
    let program = sandbox.path("program");
    std::fs::copy(PROGRAM, &program).unwrap();
    for (path, mode) in [(sandbox.root(), 0o755), (std::path::Path::new(&path), 0o000), (program.as_path(), 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // Root reads everything: give root's rights away first, where there are any.
    let mut command = Command::new("sh");
    command.current_dir(sandbox.root()).args([
        "-c",
        "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; else exec \"$@\"; fi",
        "sh",
    ]);
    command.arg(&program).args(["replay", "--store", "none", &path]);
    let run = finish(command);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("secret.log: Permission denied"), "{}", run.err);
}

#[test]
fn a_truncated_archive_gives_its_lines_and_fails_the_run() {
    let sandbox = Sandbox::new();
    let text = failures("192.0.2.1", 0, 20_000);
    let mut packed = gzip(text.as_bytes());
    packed.truncate(packed.len() / 2);
    let path = sandbox.write("half.log.gz", &packed);
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("half.log.gz:") && run.err.contains("the lines before were read"), "{}", run.err);
    assert!(!run.lines().is_empty(), "{}", run.err);
}

#[test]
fn a_decompression_bomb_is_refused() {
    let sandbox = Sandbox::new();
    let mut text = failures("192.0.2.1", 0, 6).into_bytes();
    text.extend(vec![b'\n'; 200 << 20]);
    let path = sandbox.write("bomb.gz", gzip(&text));
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("decompression bomb"), "{}", run.err);
}

#[test]
fn mixed_formats_and_extreme_years_are_read_line_by_line() {
    let sandbox = Sandbox::new();
    let text = format!(
        "{LINE}\n{}{}\n0000-01-01T00:00:00Z h app[1]: first\n9999-12-31T23:59:59Z h app[1]: last\nnothing known\n{{\"broken\": }}\n",
        failures("192.0.2.1", 0, 1),
        "{\"@timestamp\":\"2026-11-23T10:00:00Z\",\"message\":\"json\"}",
    );
    let run = sandbox.run_with_input(&["parse", "-"], text.as_bytes());
    let events = run.lines();
    let datasets: Vec<_> = events.iter().map(|event| event["event.dataset"].as_str().unwrap()).collect();
    assert_eq!(datasets, ["http.access", "system.sshd", "json", "system.syslog", "system.syslog", "text", "unparsed"]);
    assert_eq!(
        (&events[3]["@timestamp"], &events[4]["@timestamp"]),
        (&"0000-01-01T00:00:00Z".into(), &"9999-12-31T23:59:59Z".into())
    );
    assert_eq!((&events[5]["event.kind"], &events[6]["event.kind"]), (&"event".into(), &"pipeline_error".into()));
    let strict = sandbox.run_with_input(&["parse", "--strict", "-"], text.as_bytes());
    assert_eq!(strict.code, Some(3));
}

#[test]
fn each_mistake_in_a_rule_is_told_with_file_line_and_remedy() {
    let sandbox = Sandbox::new();
    let rule = |detection: &str| {
        format!("title: t\nid: t\nlevel: low\nlogsource: {{product: linux}}\ndetection:\n{detection}")
    };
    for (text, line, words) in [
        ("a: [1\nb: {".to_owned(), 2, "not YAML"),
        (rule("  s: {a|contians: x}\n  condition: s\n"), 6, "unknown modifier `contians`: known are contains"),
        (rule("  s: {a|base64: 'x*'}\n  condition: s\n"), 6, "write `contains` behind the encoding"),
        (rule("  s: {a: x}\n  condition: s and t\n"), 7, "`t`, which is not a selection"),
        (rule("  s: {a|re: '(((x{1,1000}){1,1000}){1,1000})'}\n  condition: s\n"), 6, "bound its repeats"),
        (rule("  s: {a|re: '(x'}\n  condition: s\n"), 6, "cannot be read"),
        (rule("  s: {a|cidr: 10.0.0.1/8}\n  condition: s\n"), 6, "host bits set"),
        (rule("  s: {}\n  condition: s\n"), 6, "empty selection"),
        (rule("  s: {a: x}\n"), 6, "no `condition`"),
        ("title: t\nlevel: loud\n".to_owned(), 2, "unknown level `loud`"),
        (
            format!("taxonomy: mine\n{}", rule("  s: {a: x}\n  condition: s\n")),
            1,
            "the taxonomy `mine` is not supported",
        ),
    ] {
        sandbox.write("rules/bad.yml", &text);
        let run = sandbox.run(&["rules", "check", "rules", "--output", "json"]);
        let report = &run.lines()[0];
        assert_eq!((run.code, &report["loaded"]["detection"]), (Some(1), &0.into()), "{text}");
        let found = report["rejected"].as_array().unwrap();
        let fits = |problem: &&serde_json::Value| {
            problem["reason"].as_str().unwrap().contains(words) && problem["line"].as_u64().unwrap().abs_diff(line) <= 1
        };
        assert!(found.iter().find(fits).is_some(), "{text}: {found:?}");
        assert_eq!(found[0]["path"], "rules/bad.yml");
    }
}

#[test]
fn a_bad_rule_does_not_stop_the_good_ones() {
    let sandbox = Sandbox::new();
    sandbox.write("rules/bad.yml", "title: [");
    let good =
        "title: good\nid: good\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [Failed], condition: s}\n";
    sandbox.write("rules/good.yml", good);
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 2));
    let run = sandbox.run(&["detect", "--no-default-rules", "--rules", "rules", &log]);
    assert_eq!((run.code, run.sorted("rule.id")), (Some(0), vec!["good".to_owned(); 2]));
    assert!(run.err.contains("rules/bad.yml:") && run.err.contains("1 problem(s)"), "{}", run.err);
}

#[test]
fn a_full_disk_is_an_error_that_says_so() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 60_000));
    // A file system of its own of 300 KiB, gone when the process ends.
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=300k none small && exec {PROGRAM} replay --store sqlite:small/x.db {log}"
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(sandbox.root());
    let run = finish(command);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("full"), "{}", run.err);
    let mut command = Command::new("sh");
    let script = format!("exec {PROGRAM} replay --store none {log} > /dev/full");
    let run = finish({
        command.args(["-c", &script]);
        command
    });
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("No space left"), "{}", run.err);
}
