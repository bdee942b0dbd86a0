//! The command line is a contract: exit codes, what goes where, and what a mistake is told.

use crate::program::{Sandbox, failures, samples};

#[test]
fn mistakes_on_the_command_line_exit_with_2_and_say_what_is_known() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 1));
    let unknown_key = sandbox.write("c.toml", "[store]\nurll = \"x\"\n");
    for (arguments, words) in [
        (vec!["replay"], "<PATH>"),
        (vec!["reply"], "replay"),
        (vec!["replay", "--archive", "folder", "--store", "none", &log], "--archive needs a store"),
        (vec!["hunt", "SELECT 1", "--archive", "missing"], "there is no archive in missing"),
        (vec!["search", "sorce.ip:192.0.2.1"], "did you mean source.ip?"),
        (vec!["replay", "--jobs", "0", &log], "--jobs: 0 is not a number from 1 to 256"),
        (vec!["replay", "--format", "xml", &log], "--format: unknown format `xml`: use one of auto"),
        (vec!["replay", "--since", "yesterday", &log], "--since: `yesterday` is not a time"),
        (
            vec!["replay", "--since", "2027-01-01T00:00:00Z", "--until", "2026-01-01T00:00:00Z", &log],
            "--since: 2027-01-01T00:00:00Z is later than --until: 2026-01-01T00:00:00Z",
        ),
        (vec!["replay", "--rules", "nowhere", &log], "there is no rule file or folder nowhere"),
        (vec!["replay", "--logsource", "linux", &log], "--logsource: `linux` is not product="),
        (vec!["parse", "--timezone", "Mars", &log], "--timezone: unknown time zone `Mars`"),
        (vec!["parse", "--year", "20000", &log], "--year: 20000 is not a year"),
        (vec!["rules", "explain", "no-such-rule", &log], "no rule with the id, name, title or file `no-such-rule`"),
        (
            vec!["--config", &unknown_key, "config", "check"],
            "unknown key `urll` in [store]: known are commit_interval_ms, url",
        ),
        (vec!["--config", "missing.toml", "config", "check"], "missing.toml"),
        (vec!["serve", "--listen", "0.0.0.0:3000"], "not a loopback address"),
    ] {
        let run = sandbox.run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(words), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn odd_surroundings_do_not_crash_the_program() {
    use std::os::unix::ffi::OsStringExt;
    let sandbox = Sandbox::new();
    let odd = std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    let mut command = sandbox.command(&["config", "check"]);
    let run = crate::program::finish({
        command.env("FOO", odd);
        command
    });
    assert_eq!(run.code, Some(0), "{}", run.err);
    let script = format!("exec {} replay --store none {} 2>/dev/full", crate::program::PROGRAM, samples());
    let mut command = std::process::Command::new("sh");
    let run = crate::program::finish({
        command.args(["-c", &script]);
        command
    });
    assert_eq!((run.code, run.lines().is_empty()), (Some(0), false));
}

#[test]
fn an_unknown_store_is_refused() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 1));
    let run = sandbox.run(&["replay", "--store", "mysql://x", &log]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("use sqlite:PATH or postgres://USER@HOST/DATABASE or none"), "{}", run.err);
}

#[test]
fn the_built_in_rules_are_sound_and_pass_their_own_cases() {
    let sandbox = Sandbox::new();
    let check = sandbox.run(&["rules", "check", "--output", "json"]);
    let report = &check.lines()[0];
    assert_eq!((check.code, &report["rejected"]), (Some(0), &serde_json::json!([])));
    let loaded = &report["loaded"];
    assert!(loaded["detection"].as_u64().unwrap() + loaded["correlation"].as_u64().unwrap() >= 30);
    let test = sandbox.run(&["rules", "test", "--cross"]);
    assert_eq!(test.code, Some(0), "{}", test.out);
}

#[test]
fn a_case_that_fails_fails_the_test_command() {
    let sandbox = Sandbox::new();
    let rule = "title: t\nid: t\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [Failed], condition: s}\n";
    let log = failures("192.0.2.1", 0, 1);
    for (tests, words) in [
        ("", "needs at least one `match` and one `ignore`"),
        (
            &*format!("tests:\n  match: ['2026-11-23T10:00:00Z h a[1]: fine']\n  ignore: ['{}']\n", log.trim()),
            "did not match",
        ),
    ] {
        sandbox.write("r/r.yml", format!("{rule}{tests}"));
        let run = sandbox.run(&["rules", "test", "r"]);
        assert_eq!(run.code, Some(1));
        assert!(run.out.contains(words), "{}", run.out);
    }
}

#[test]
fn detect_prints_one_object_per_line_and_rule() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["detect", &format!("{}/access.log", samples())]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let first = &run.lines()[0];
    let keys: Vec<_> = first.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["line_no", "rule.id", "rule.title"]);
}

#[test]
fn a_declared_log_source_decides_which_rules_judge_plain_json() {
    let sandbox = Sandbox::new();
    let rule = |id: &str, product: &str| {
        format!(
            "title: {id}\nid: {id}\nlevel: low\nlogsource: {{product: {product}}}\ndetection: {{s: {{a: 1}}, condition: s}}\n"
        )
    };
    sandbox.write("r/a.yml", rule("on-linux", "linux"));
    sandbox.write("r/b.yml", rule("on-windows", "windows"));
    let log = sandbox.write("a.json", "{\"a\":1}\n");
    let base = ["detect", "--no-default-rules", "--rules", "r", &log];
    assert_eq!(sandbox.run(&base).sorted("rule.id"), ["on-linux", "on-windows"]);
    let mut declared = base.to_vec();
    declared.extend(["--logsource", "product=windows"]);
    assert_eq!(sandbox.run(&declared).sorted("rule.id"), ["on-windows"]);
    let explain =
        ["rules", "explain", "--logsource", "product=windows", "--no-default-rules", "--rules", "r", "on-linux", &log];
    let explained = sandbox.run(&explain);
    assert!(explained.out.contains("did not match") && explained.out.contains("declared"), "{}", explained.out);
    // What the event itself tells counts.
    let own = sandbox.write("b.json", "{\"a\":1,\"logsource\":{\"product\":\"linux\"}}\n");
    let own = sandbox.run(&["detect", "--no-default-rules", "--rules", "r", "--logsource", "product=windows", &own]);
    assert_eq!(own.sorted("rule.id"), ["on-linux"]);
}

#[test]
fn explain_tells_which_part_decided() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("a.log", "203.0.113.9 - - [23/Nov/2026:10:00:00 +0000] \"GET /%252e%252e/%252e%252e/etc/passwd HTTP/1.1\" 404 1 \"-\" \"-\"\n");
    let run = sandbox.run(&["rules", "explain", "Path traversal in a request", &log]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out.contains("MATCHED")
            && run.out.contains("traversal-steps (+5) by expression in the path, percent-decoded: \"/../../")
            && run.out.contains("sent as \"/%252e%252e/%252e%252e/etc/passwd\""),
        "{}",
        run.out
    );
    let other = sandbox.run(&["rules", "explain", "SQL injection in a request", &log]);
    assert!(other.out.contains("did not match") && other.out.contains("no   selection `patterns`"), "{}", other.out);
    let log = sandbox.write("b.log", failures("192.0.2.1", 0, 4));
    let run = sandbox.run(&["rules", "explain", "SSH brute force from one address", &log]);
    assert!(run.out.contains("did not fire: 4 of 4 event(s) were counted"), "{}", run.out);
}

#[test]
fn configuration_comes_from_file_and_environment() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("c.toml", "[store]\nurl = \"sqlite:from-file.db\"\n");
    let show = sandbox.run(&["--config", &file, "config", "show"]);
    assert!(show.out.contains("url = \"sqlite:from-file.db\""), "{}", show.out);
    let log = sandbox.write("a.log", failures("192.0.2.1", 0, 6));
    let mut command = sandbox.command(&["--config", &file, "replay", &log]);
    let run = crate::program::finish({
        command.env("C0DI3_STORE_URL", "sqlite:from-environment.db");
        command
    });
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(sandbox.path("from-environment.db").exists() && !sandbox.path("from-file.db").exists());
}

#[test]
fn a_check_of_a_store_that_is_not_there_is_no_success() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[store]\nurl = \"sqlite:mistyped/c0di3.db\"\n");
    for command in [
        &["db", "check"][..],
        &["db", "repair"],
        &["db", "repair", "--dry-run"],
        &["token", "list"],
        &["token", "revoke", "x"],
    ] {
        let arguments: Vec<&str> = [&["--config", &config][..], command].concat();
        let run = sandbox.run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (Some(1), ""), "{arguments:?}: {}", run.err);
        assert!(run.err.contains("there is no store at mistyped/c0di3.db"), "{arguments:?}: {}", run.err);
    }
    assert!(!sandbox.path("mistyped").exists(), "nothing is made");
}

#[test]
fn a_check_refuses_what_a_start_refuses() {
    let sandbox = Sandbox::new();
    let check = |text: &str| {
        let path = sandbox.write("c.toml", text);
        sandbox.run(&["--config", &path, "config", "check"])
    };
    let open = check("[api]\nlisten = \"0.0.0.0:3000\"\n");
    assert!(open.code == Some(2) && open.err.contains("is not a loopback address"), "{}", open.err);
    assert_eq!(check("[api]\nlisten = \"0.0.0.0:3000\"\n[auth]\ntokens = true\n").code, Some(0));
    let make = |name: &str| {
        let script = format!("{}/../deploy/scripts/make-certificates.sh", env!("CARGO_MANIFEST_DIR"));
        let made = std::process::Command::new(script).arg(sandbox.path(name)).arg("node.example").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    make("one");
    make("two");
    let tls = |key: &str| {
        check(&format!(
            "[tls]\ncertificate = \"one/server.crt\"\nkey = \"{key}/server.key\"\nports = [\"api.listen\"]\n"
        ))
    };
    assert_eq!(tls("one").code, Some(0));
    let mixed = tls("two");
    let told = mixed.err.contains("are not a pair: two/server.key is not the key of one/server.crt");
    assert!(mixed.code == Some(2) && told, "{}", mixed.err);
    let absent = tls("absent");
    assert!(absent.code == Some(0) && absent.err.contains("note: tls.certificate: cannot read"), "{}", absent.err);
}
