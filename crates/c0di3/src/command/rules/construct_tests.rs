//! Every construct of the specification, from `crates/rules/testdata/constructs.sigma`: what it matches, what it does not, and what is
//! refused or warned of with which words. The list of constructs is kept beside it in `constructs.md`, and compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};
use rules::{Diagnostic, Gravity, Terms, load, read_placeholders};

use crate::command::rules::cases::run_inline_tests;

const CASES: &str = include_str!("../../../../rules/testdata/constructs.sigma");
const TABLE: &str = include_str!("../../../../rules/testdata/constructs.md");
const LISTS: &str = "Administrators: [root, 'adm*']\nhosts: [h1, h2]\n";
/// Words of a problem, which may begin with its line and column.
const REJECT: &str = "# reject: ";
const WARN: &str = "# warn: ";
/// How many rules of a case are loaded beside what is refused.
const LOADED: &str = "# loaded: ";

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
    warned: usize,
}

/// What of the words that a case announces no problem has.
fn untold<'c>(case: &'c str, mark: &str, told: &[String]) -> Vec<&'c str> {
    let words = case.lines().filter_map(|line| line.strip_prefix(mark));
    words.filter(|words| !told.iter().any(|reason| reason.contains(words))).collect()
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
        let (errors, warnings): (Vec<_>, Vec<_>) =
            loaded.diagnostics.iter().partition(|problem| problem.gravity == Gravity::Error);
        let told = |problems: Vec<&Diagnostic>| problems.iter().map(|it| it.to_string()).collect::<Vec<_>>();
        let (reasons, warnings) = (told(errors), told(warnings));
        for words in [untold(case, REJECT, &reasons), untold(case, WARN, &warnings)].concat() {
            writeln!(wrong, "{name}: not told `{words}`: {reasons:?} {warnings:?}").unwrap();
        }
        let is_refused = case.contains(REJECT);
        count.refused += usize::from(is_refused);
        count.warned += usize::from(case.contains(WARN));
        let heads = loaded.set.heads().count();
        let expected = case.lines().find_map(|line| line.strip_prefix(LOADED));
        if expected.is_some_and(|expected| expected != heads.to_string()) {
            writeln!(wrong, "{name}: {heads} are loaded: {reasons:?}").unwrap();
        }
        if is_refused {
            continue;
        }
        if !reasons.is_empty() || heads + loaded.disabled == 0 {
            writeln!(wrong, "{name}: refused: {reasons:?}").unwrap();
        }
        if name.starts_with("warned: ") {
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
    }
    assert!(wrong.is_empty(), "{wrong}");
    let mut table = "# Constructs of Sigma and the cases that hold them\n\nMade and compared by a test; cases are in `constructs.sigma`.\n\n| construct | matches | ignores | refused | warned |\n|---|---|---|---|---|\n".to_owned();
    for (name, count) in counts {
        let is_complete = match name.split_once(": ") {
            Some(("refused", _)) => count.refused > 0,
            Some(("warned", _)) => count.warned > 0,
            _ => count.matched > 0 && count.ignored > 0,
        };
        assert!(is_complete, "{name} lacks a case that matches, or one that does not");
        let Counts { matched, ignored, refused, warned } = count;
        writeln!(table, "| {name} | {matched} | {ignored} | {refused} | {warned} |").unwrap();
    }
    if std::env::var_os("UPDATE_TABLES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/testdata/constructs.md");
        std::fs::write(path, &table).unwrap();
    } else {
        assert_eq!(table, TABLE, "run again with UPDATE_TABLES=1 and look at the difference");
    }
}
