//! A folder with lines of everything that can be read: no line is left without a dataset, and each attack is found, plain and
//! compressed. What the files must give stands in `tests/formats.tsv`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::program::Sandbox;

/// Datasets of lines that nothing was understood of.
const UNKNOWN: [&str; 4] = ["text", "unparsed", "json", ""];
/// Lines of the folder that each row of the list must read.
const LINES_MIN: u64 = 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats")
}

fn files() -> Vec<String> {
    let mut files: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

/// What a file must give.
struct Expected {
    file: String,
    /// Address or account; `-` where nothing in the file attacks us.
    attacker: String,
    /// Part of the title of a finding that names the attacker.
    title: String,
}

fn expected() -> Vec<Expected> {
    let table = std::fs::read_to_string(folder().with_extension("tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let read = |line: &str| {
        let [file, attacker, title] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("formats.tsv: no file, attacker and title with tabs between them: {line}");
        };
        Expected { file: file.to_owned(), attacker: attacker.to_owned(), title: title.to_owned() }
    };
    rows.map(read).collect()
}

#[test]
fn the_table_names_every_file() {
    let mut named: Vec<String> = expected().into_iter().map(|row| row.file).collect();
    named.sort();
    named.dedup();
    assert_eq!(
        files(),
        named,
        "each file of tests/formats has at least one line in tests/formats.tsv, and none is missing"
    );
}

#[test]
fn every_line_has_a_dataset() {
    let sandbox = Sandbox::new();
    let mut unknown = Vec::new();
    for name in files() {
        let run = sandbox.run(&["parse", &folder().join(&name).display().to_string()]);
        for event in run.lines() {
            let dataset = event["event.dataset"].as_str().unwrap_or("");
            if UNKNOWN.contains(&dataset) && event["event.original"] != "" {
                unknown.push(format!("{name}: {dataset}: {}", event["event.original"]));
            }
        }
    }
    assert!(unknown.is_empty(), "{} line(s) without a dataset:\n{}", unknown.len(), unknown.join("\n"));
}

#[test]
fn everything_that_can_be_read_stands_in_the_folder() {
    let sandbox = Sandbox::new();
    let paths: Vec<String> = files().iter().map(|name| folder().join(name).display().to_string()).collect();
    let mut arguments = vec!["formats", "known"];
    arguments.extend(paths.iter().map(String::as_str));
    let run = sandbox.run(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let row = |line: &str| {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (lines, name) = rest.trim_start().split_once(' ').unwrap();
        (format!("{kind} {name}"), lines.parse::<u64>().unwrap())
    };
    let read: BTreeMap<String, u64> = run.out.lines().skip(1).map(row).collect();
    let mut missing = Vec::new();
    for known in sandbox.run(&["formats", "--output", "json"]).lines() {
        let [kind, name, dataset, example] =
            ["kind", "name", "dataset", "example"].map(|key| known[key].as_str().unwrap());
        let lines = read.get(&format!("{kind} {name}")).copied().unwrap_or(0);
        if lines < LINES_MIN {
            missing.push(format!("{kind} `{name}` ({dataset}) reads {lines} line(s) there, such as: {example}"));
        }
    }
    assert!(
        missing.is_empty(),
        "{} row(s) of `c0di3 formats` have too few lines in tests/formats. Write at least {LINES_MIN} lines of each as its \
         product writes them, with an attack where one can stand: a shape or format in a file of its own, a program in one of \
         the shared files (secure, messages, mail.log, webapps.log, network.log and so on); name file, attacker and finding in \
         tests/formats.tsv; `c0di3 formats known FILE` tells what reads a file:\n{}",
        missing.len(),
        missing.join("\n")
    );
}

#[test]
fn what_can_be_read_is_listed_with_an_example_of_each() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["formats", "--output", "json"]);
    let rows = run.lines();
    assert_eq!(run.code, Some(0), "{}", run.err);
    for kind in ["format", "program", "shape"] {
        assert!(rows.iter().filter(|row| row["kind"] == kind).count() > 40, "{kind}");
    }
    assert!(rows.iter().all(|row| row["example"].as_str().is_some_and(|example| !example.is_empty())));
    assert_eq!(sandbox.run(&["formats"]).out.lines().count(), rows.len() + 1);
}

/// Titles of findings, with all that they say.
fn found(sandbox: &Sandbox, folder: &Path) -> Vec<(String, String)> {
    let run = sandbox.run(&["replay", "--store", "none", "--out", "ndjson", &folder.display().to_string()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(!run.err.contains("skipped: "), "{}", run.err);
    let named = |finding: &Value| (finding["rule.title"].as_str().unwrap_or("").to_owned(), finding.to_string());
    run.lines().iter().map(named).collect()
}

fn missing(findings: &[(String, String)]) -> Vec<String> {
    let is_found = |row: &Expected| {
        let quoted = format!("\"{}\"", row.attacker);
        findings.iter().any(|(known, text)| known.contains(&row.title) && text.contains(&quoted))
    };
    let missed = expected().into_iter().filter(|row| row.attacker != "-" && !is_found(row));
    missed.map(|row| format!("{}: no `{}` by {}", row.file, row.title, row.attacker)).collect()
}

fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    match name {
        "zst" => zstd::encode_all(content, 3).unwrap(),
        _ => {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(content).unwrap();
            packed.finish().unwrap()
        }
    }
}

#[test]
fn every_attack_is_found_plain_and_compressed() {
    let sandbox = Sandbox::new();
    let titles = |findings: &[(String, String)]| {
        let mut titles: Vec<String> = findings.iter().map(|(title, _)| title.clone()).collect();
        titles.sort();
        titles
    };
    let plain = found(&sandbox, &folder());
    assert!(missing(&plain).is_empty(), "{:#?}", missing(&plain));
    for way in ["gz", "zst"] {
        for name in files() {
            let content = std::fs::read(folder().join(&name)).unwrap();
            sandbox.write(&format!("{way}/{name}.{way}"), packed(way, &content));
        }
        assert_eq!(titles(&plain), titles(&found(&sandbox, &sandbox.path(way))), "{way}");
    }
}
