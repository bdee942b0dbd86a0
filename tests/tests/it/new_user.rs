//! As somebody does who tries the program: one file and no option, a pipe, a format of one's own, a configuration with slips.

use std::path::Path;

use crate::program::{Run, Sandbox};

fn format_file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats").join(name).display().to_string()
}

/// Whether a finding of this title names the attacker.
fn is_found(run: &Run, title: &str, attacker: &str) -> bool {
    let quoted = format!("\"{attacker}\"");
    run.lines().iter().any(|finding| {
        finding["rule.title"].as_str().is_some_and(|known| known.contains(title))
            && finding.to_string().contains(&quoted)
    })
}

#[test]
fn a_file_is_replayed_without_options() {
    for (file, title, attacker) in [
        ("nginx.json", "SQL injection", "203.0.113.19"),
        ("nginx-default-escape.json", "SQL injection", "198.51.100.135"),
        ("caddy.json", "SQL injection", "203.0.113.20"),
        ("journal.json", "SSH brute force", "203.0.113.13"),
        ("docker-json.log", "SQL injection", "203.0.113.10"),
        ("windows-security.evtx", "failed logins", "203.0.113.75"),
    ] {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&["replay", &format_file(file)]);
        assert_eq!(run.code, Some(0), "{file}: {}", run.err);
        assert!(is_found(&run, title, attacker), "{file}: {}", run.out);
        assert!(
            run.last_error_line().contains("rejected 0") && run.last_error_line().contains("text 0"),
            "{}",
            run.err
        );
    }
}

#[test]
fn a_pipe_is_read_as_a_file_is() {
    let sandbox = Sandbox::new();
    let plain = std::fs::read(format_file("auth.log")).unwrap();
    let text = String::from_utf8(plain.clone()).unwrap();
    let utf16 = |mark: &[u8]| [mark, &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()[..]].concat();
    let inputs = [plain.clone(), utf16(&[0xFF, 0xFE]), utf16(&[]), zstd::encode_all(&plain[..], 1).unwrap()];
    for (at, input) in inputs.iter().enumerate() {
        let run = sandbox.run_with_input(&["parse", "-"], input);
        assert_eq!(run.sorted("source.ip"), ["203.0.113.56"; 12], "parse, input {at}: {}", run.err);
        let run = sandbox.run_with_input(&["replay", "--store", "none", "--out", "ndjson", "-"], input);
        assert!(is_found(&run, "SSH brute force", "203.0.113.56"), "replay, input {at}: {}", run.err);
    }
}

const OWN_FORMATS: &str = r#"
[[input.formats]]
name = "mine-nginx"
nginx = '$remote_addr|$time_iso8601|"$request"|$status|$request_time'
files = ["*/nginx/*"]
[[input.formats]]
name = "mine-apache"
apache = '%t %p %h \"%r\" %>s %b'
files = ["*/apache/*"]
[[input.formats]]
name = "mine-columns"
delimiter = ";"
columns = ["@timestamp", "host.name", "source.ip", "http.request.method", "url.original", "http.response.status_code"]
files = ["*/columns/*"]
dataset = "http.access"
[[input.formats]]
name = "mine-pattern"
pattern = "{@timestamp} shop: <{source.ip}> {http.request.method} {url.original} -> {http.response.status_code} ({shop.parts} parts)"
files = ["*/pattern/*"]
dataset = "http.access"
"#;

#[test]
fn formats_of_ones_own_are_read_plain_and_compressed() {
    let sandbox = Sandbox::new();
    let attack = "/item?id=1%20union%20select%20name%2Cpass%20from%20users--";
    let [nginx, apache, columns, pattern] = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
    for (file, line) in [
        ("nginx/a.log", format!("{nginx}|2026-03-04T10:00:01+00:00|\"GET {attack} HTTP/1.1\"|200|0.003")),
        ("apache/a.log", format!("[04/Mar/2026:10:00:01 +0000] 443 {apache} \"GET {attack} HTTP/1.1\" 200 812")),
        ("columns/a.log", format!("2026-03-04T10:00:01Z;web1;{columns};GET;{attack};200")),
        ("pattern/a.log", format!("2026-03-04T10:00:01Z shop: <{pattern}> GET {attack} -> 200 (3 parts)")),
    ] {
        sandbox.write(&format!("plain/{file}"), format!("{line}\n"));
        sandbox.write(&format!("packed/{file}.zst"), zstd::encode_all(format!("{line}\n").as_bytes(), 1).unwrap());
    }
    let config = sandbox.write("c.toml", OWN_FORMATS);
    for folder in ["plain", "packed"] {
        let run = sandbox.run(&[
            "--config",
            &config,
            "replay",
            "--store",
            "none",
            "--out",
            "ndjson",
            &sandbox.path(folder).display().to_string(),
        ]);
        for attacker in [nginx, apache, columns, pattern] {
            assert!(is_found(&run, "SQL injection", attacker), "{folder}, {attacker}: {}\n{}", run.err, run.out);
        }
    }
    let run = sandbox.run(&["--config", &config, "config", "check"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.err.contains("note: input.formats: format `mine-pattern`: pattern: `shop.parts` is a field of its own"),
        "{}",
        run.err
    );
    let run = sandbox.run(&[
        "--config",
        &config,
        "formats",
        "known",
        &sandbox.path("plain/nginx/a.log").display().to_string(),
    ]);
    assert!(
        run.out.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == ["own", "1", "mine-nginx"]),
        "{}",
        run.out
    );
}

#[test]
fn slips_in_a_configuration_are_told_with_file_and_line() {
    let sandbox = Sandbox::new();
    let config = sandbox.write(
        "c.toml",
        "[input]\nshapes = [\"own.yaml\"]\n[[input.formats]]\nname = \"shop\"\ndelimiter = \",\"\n\
         columns = [\"@timestamp\", \"source.ipp\", \"user.name\", \"user.name\"]\n[log]\nlevel = \"loud\"\n",
    );
    let run = sandbox.run(&["--config", &config, "config", "check"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    for expected in [
        "c.toml:6: input.formats: format `shop`: columns, column 2: `source.ipp` is no known field, and `source.ip` is: write that",
        "c.toml:6: input.formats: format `shop`: columns, column 4: `user.name` is the value of column 3 already: name another field",
        "c.toml:8: log.level: ",
    ] {
        assert!(run.err.contains(expected), "{expected}\n{}", run.err);
    }
    let config = sandbox.write("d.toml", "[input]\nshapes = [\"own.yaml\"]\n");
    sandbox.write(
        "own.yaml",
        "- shape: own\n  where: [k]\n  dataset: own.log\n  fields: {source.ipp: k}\n  set: {event.outcome: failed}\n",
    );
    let run = sandbox.run(&["--config", &config, "config", "check"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("own.yaml:4: `source.ipp` is no known field, and `source.ip` is"), "{}", run.err);
    assert!(run.err.contains("own.yaml:5: `failed` is no value of event.outcome: use one of"), "{}", run.err);
    sandbox.write("own.yaml", "- shape: own\n  where: [k]\n  dataset: own.log\n  fields: {shop.cart: k}\n");
    let run = sandbox.run(&["--config", &config, "config", "check"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("note: own.yaml:4: `shop.cart` is a field of its own"), "{}", run.err);
}
