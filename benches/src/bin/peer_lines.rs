//! Access log and sshd lines with the rules for web and Linux, ours beside `rsigma`: `peer_lines PROGRAM RSIGMA RULES_DIR…`.
//! Ours reads the raw lines, and the same JSON lines that `rsigma` reads: fields under Sigma's names, and the log source.
//! `rsigma` runs with and without its routing by log source; the faster one counts.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::path::PathBuf;

use benches::corpus::{Access, Sshd};
use benches::peer::{Bench, load, rule_files};
use event::{Block, EventBatch, Timestamp, ValueTag};
use serde_json::{Map, Value};

/// Lines for ours, raw; a part of them as JSON for both.
const LINES: usize = 4_000_000;
const JSON_LINES: usize = 400_000;
const ATTACKS_PER_10K: u64 = 50;
const ROUTING: [&str; 3] = [
    "--logsource-routing",
    "--logsource-field-map",
    "product=logsource.product,service=logsource.service,category=logsource.category",
];
/// Columns of ours, and what Sigma calls them.
const ACCESS: [(&str, &str); 8] = [
    ("source.ip", "c-ip"),
    ("user.name", "cs-username"),
    ("http.request.method", "cs-method"),
    ("url.path", "cs-uri-stem"),
    ("url.original", "cs-uri-query"),
    ("http.response.status_code", "sc-status"),
    ("user_agent.original", "cs-user-agent"),
    ("http.request.referrer", "cs-referer"),
];
const SSHD: [(&str, &str); 4] =
    [("host.hostname", "host"), ("process.name", "program"), ("process.pid", "pid"), ("message", "message")];

fn member(batch: &EventBatch, column: &str, row: usize) -> Option<Value> {
    let position = batch.position_of(column)?;
    if let Some(text) = batch.text_at(position) {
        return text.str(row).filter(|_| text.tag(row) == ValueTag::String).map(Value::from);
    }
    batch.long_at(position)?.get(row).map(Value::from)
}

/// The lines as JSON events under Sigma's names.
fn as_json(lines: &str, names: &[(&str, &str)], logsource: &[(&str, &str)]) -> Vec<String> {
    let block = Block::detached("lines", lines.as_bytes().to_vec(), Timestamp::from_unix_seconds(1_790_000_000));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    let event = |row: usize| {
        let mut members = Map::new();
        for (column, name) in names {
            members.extend(member(&batch, column, row).map(|value| ((*name).to_owned(), value)));
        }
        for (part, value) in logsource {
            members.insert(format!("logsource.{part}"), Value::from(*value));
        }
        Value::Object(members).to_string()
    };
    (0..batch.rows()).map(event).collect()
}

struct Kind {
    name: &'static str,
    lines: Box<dyn FnMut(&mut String)>,
    names: &'static [(&'static str, &'static str)],
    logsource: &'static [(&'static str, &'static str)],
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [program, peer, folders @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: peer_lines PROGRAM RSIGMA RULES_DIR…");
    };
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| rule_files(folder, &mut files))?;
    let (loaded, files) = load(&files)?;
    let mut bench = Bench::new(program, peer)?;
    let rules = bench.copy("rules", &files)?;
    println!("{} rules in {} files; one thread, loading taken off", loaded.set.rules.len(), files.len());
    let (mut access, mut sshd) = (Access::new(3, ATTACKS_PER_10K), Sshd::new(5));
    let kinds = [
        Kind {
            name: "access",
            lines: Box::new(move |out| access.line(out).unwrap_or_default()),
            names: &ACCESS,
            logsource: &[("category", "webserver"), ("product", "apache")],
        },
        Kind {
            name: "sshd",
            lines: Box::new(move |out| sshd.line(out).unwrap_or_default()),
            names: &SSHD,
            logsource: &[("product", "linux"), ("service", "sshd")],
        },
    ];
    for kind in kinds {
        measure(&mut bench, &rules, kind)?;
    }
    Ok(())
}

fn measure(bench: &mut Bench, rules: &std::path::Path, mut kind: Kind) -> anyhow::Result<()> {
    let mut text = String::new();
    let mut some = String::new();
    for at in 0..LINES {
        let start = text.len();
        (kind.lines)(&mut text);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if at < JSON_LINES {
            some.push_str(&text[start..]);
        }
    }
    let json = as_json(&some, kind.names, kind.logsource);
    let first = some.lines().next().unwrap_or("").to_owned();
    let raw = bench.write(&format!("{}.log", kind.name), std::iter::once(text.trim_end().to_owned()))?;
    let raw_one = bench.write(&format!("{}_one.log", kind.name), std::iter::once(first))?;
    let json_one = bench.write(&format!("{}_one.json", kind.name), json.first().cloned().into_iter())?;
    let json = bench.write(&format!("{}.json", kind.name), json.into_iter())?;
    let (from_raw, _) = Bench::net_seconds(|events| bench.ours(rules, events, "auto"), &raw, &raw_one)?;
    let (from_json, _) = Bench::net_seconds(|events| bench.ours(rules, events, "json"), &json, &json_one)?;
    let mut theirs = f64::INFINITY;
    for options in [&ROUTING[..], &[]] {
        bench.peer_options = options.iter().map(|option| (*option).to_owned()).collect();
        theirs = theirs.min(Bench::net_seconds(|events| bench.theirs(rules, events), &json, &json_one)?.0);
    }
    let (raw, json, theirs) = (LINES as f64 / from_raw, JSON_LINES as f64 / from_json, JSON_LINES as f64 / theirs);
    println!(
        "{}: ours {raw:.0} lines/s from raw lines, {json:.0} from JSON; rsigma {theirs:.0} from JSON: {:.0} times from raw (target 30), {:.0} from JSON (target 10)",
        kind.name,
        raw / theirs,
        json / theirs
    );
    Ok(())
}
