//! Lists of indicators from outside: what is found, what is named, and what happens when a list changes or is bad.

use crate::program::Sandbox;

const LOG: &str = "192.0.2.66 - - [23/Nov/2026:10:00:00 +0000] \"GET /shop HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0\"\n\
    192.0.2.67 - - [23/Nov/2026:10:00:01 +0000] \"GET /shop HTTP/1.1\" 200 1 \"https://www.evil.example/a\" \"Mozilla/5.0\"\n\
    192.0.2.68 - - [23/Nov/2026:10:00:02 +0000] \"GET /shop HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0\"\n";

#[test]
fn what_a_list_names_is_found_and_the_finding_names_the_list() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", LOG);
    sandbox.write("lists/bad-hosts.txt", "# known\n192.0.2.64/30\nevil.example\nnot an indicator!\n");
    let lists = sandbox.path("lists").display().to_string();
    let run = sandbox.run(&["replay", "--store", "none", "--indicators", &lists, &log]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let mut reasons: Vec<String> =
        run.lines().iter().map(|finding| finding["reason"].as_str().unwrap().to_owned()).collect();
    reasons.sort();
    assert_eq!(reasons.len(), 2, "a line on which two values are listed is one finding: {reasons:?}");
    assert!(reasons[0].ends_with("listed: 192.0.2.66 in bad-hosts"), "{reasons:?}");
    let both = ["192.0.2.67 in bad-hosts", "; also: "];
    assert!(both.iter().all(|part| reasons[1].contains(part)), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("https://www.evil.example/a in bad-hosts")), "{reasons:?}");
    assert!(run.err.contains("bad-hosts.txt:4:1: warning: `not` is no address"), "{}", run.err);
    let explained = sandbox.run(&["rules", "explain", "--indicators", &lists, "Request from a listed address", &log]);
    assert!(explained.out.contains("MATCHED"), "{}{}", explained.out, explained.err);
    let without = sandbox.run(&["replay", "--store", "none", &log]);
    assert_eq!(without.lines().len(), 0, "without lists the rules do not run");
}

#[test]
fn a_list_that_is_not_there_or_no_bundle_is_named() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", LOG);
    let run = sandbox.run(&["replay", "--store", "none", "--indicators", "nowhere", &log]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""));
    assert!(run.err.contains("there is no indicator file or folder nowhere"), "{}", run.err);
    let bundle = sandbox.write("feed.json", "{ not json");
    let run = sandbox.run(&["rules", "check", "--indicators", &bundle]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.out.contains("feed.json:1:1: error: not a STIX bundle in JSON"), "{}", run.out);
}

#[test]
fn a_report_tells_who_why_and_what_to_do() {
    let sandbox = Sandbox::new();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/sample-logs");
    let run = sandbox.run(&["replay", "--store", "none", "--out", "report", samples]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out.starts_with("P0 100  Log4Shell lookup in a request\n     who       198.51.100.13; 1 event\n"),
        "{}",
        run.out
    );
    assert_eq!(run.out.matches("SSH brute force from one address\n").count(), 1, "two sources, one entry");
    assert!(run.out.contains("     to do     1. Look for an accepted login"), "{}", run.out);
}
