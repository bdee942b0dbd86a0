//! Every construct of the specification, from `testdata/constructs.sigma`: what it matches, what it does not, and what is
//! refused with which words. The list of constructs is kept in `testdata/constructs.md`, and compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};

use crate::{Terms, load, read_placeholders, run_inline_tests};

const CASES: &str = include_str!("../../testdata/constructs.sigma");
const TABLE: &str = include_str!("../../testdata/constructs.md");
const LISTS: &str = "Administrators: [root, 'adm*']\nhosts: [h1, h2]\n";
const REJECT: &str = "# reject: ";

/// Name and text of every case.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES.split("\n=== ").skip(1).map(|case| case.split_once('\n').unwrap_or((case, "")))
}

/// The rule with what a case leaves out because it is always the same.
fn whole(case: &str) -> String {
    let mut head = String::new();
    let first = case.split("\n---\n").next().unwrap_or("");
    if !first.contains("title:") {
        head += "title: t\n";
        for (key, line) in
            [("id:", "id: the-rule\n"), ("level:", "level: medium\n"), ("logsource:", "logsource: {product: test}\n")]
        {
            let is_there = first.lines().any(|line| line.starts_with(key));
            head += if is_there { "" } else { line };
        }
    }
    head + case
}

fn parse(text: &str) -> EventBatch {
    parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "case",
        text.as_bytes().to_vec(),
        Timestamp(1_790_000_000_000_000),
    ))
}

#[derive(Default)]
struct Counts {
    matched: usize,
    ignored: usize,
    refused: usize,
}

#[test]
fn every_construct_means_what_the_specification_says() {
    let mut terms = Terms::default();
    assert_eq!(read_placeholders("lists", LISTS, &mut terms.placeholders), []);
    let mut wrong = String::new();
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for (name, case) in cases() {
        let text = whole(case);
        let loaded = load([(name, text.as_str())], &terms);
        let count = counts.entry(name).or_default();
        let reasons: Vec<String> = loaded.rejected().map(|problem| problem.reason.clone()).collect();
        if let Some(words) = case.lines().find_map(|line| line.strip_prefix(REJECT)) {
            count.refused += 1;
            if !reasons.iter().any(|reason| reason.contains(words)) {
                writeln!(wrong, "{name}: not refused with `{words}`: {reasons:?}").unwrap();
            }
            continue;
        }
        let set = Arc::new(loaded.set);
        for head in set.heads() {
            count.matched += head.tests.hits.len();
            count.ignored += head.tests.ignores.len();
        }
        for case in run_inline_tests(&set, parse) {
            if let Some(failure) = case.failure {
                writeln!(wrong, "{name}: {}: {failure}", case.title).unwrap();
            }
        }
        if !reasons.is_empty() || set.heads().count() == 0 {
            writeln!(wrong, "{name}: refused: {reasons:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let mut table = "# Constructs of Sigma and the cases that hold them\n\nMade and compared by a test; cases are in `constructs.sigma`.\n\n| construct | matches | ignores | refused |\n|---|---|---|---|\n".to_owned();
    for (name, count) in counts {
        let is_complete =
            if name.starts_with("refused: ") { count.refused > 0 } else { count.matched > 0 && count.ignored > 0 };
        assert!(is_complete, "{name} lacks a case that matches, or one that does not");
        writeln!(table, "| {name} | {} | {} | {} |", count.matched, count.ignored, count.refused).unwrap();
    }
    if std::env::var_os("UPDATE_TABLES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/constructs.md");
        std::fs::write(path, &table).unwrap();
    } else {
        assert_eq!(table, TABLE, "run again with UPDATE_TABLES=1 and look at the difference");
    }
}
