//! Names by log source, and what rules find by them: cases stand in `testdata/taxonomy.sigma`.

use std::fmt::Write as _;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};

use super::*;
use crate::{load, run_inline_tests};

fn source(category: &str) -> LogSource {
    LogSource { category: Some(category.into()), ..LogSource::default() }
}

#[test]
fn names_are_mapped_by_log_source() {
    let terms = Terms::default();
    let columns = |field: &str, category: &str| terms.taxonomy.names_for(&source(category)).columns(field);
    assert_eq!(columns("c-ip", "webserver"), ["source.ip", "source.address", "c-ip"]);
    assert_eq!(columns("cs-uri-query", "webserver"), ["url.query", "cs-uri-query"]);
    assert_eq!(columns("c-ip", "process_creation"), ["c-ip"]);
    assert_eq!(columns("url.path", "webserver"), ["url.path"]);
}

#[test]
fn a_rule_speaks_every_entry_that_its_log_source_satisfies() {
    let terms = Terms::default();
    let linux = LogSource { product: Some("linux".into()), ..LogSource::default() };
    let names = terms.taxonomy.names_for(&LogSource { category: Some("process_creation".into()), ..linux });
    assert_eq!(names.columns("User"), ["user.name", "process.user.name", "User"]);
    assert_eq!(names.columns("Image"), ["process.executable", "Image", "process.name", "auditd.log.comm"]);
}

#[test]
fn what_is_wrong_with_an_entry_is_told_with_its_line() {
    let mut taxonomy = Taxonomy::default();
    let text = "- logsource: {produkt: x}\n  fields:\n    a: []\n    b: {column: c, scale: none}\n    d: {column: c, prefix: x, trailing: y}\n- fields: {}\n";
    let found: Vec<String> = taxonomy.add("mine.yaml", text).iter().map(ToString::to_string).collect();
    let wanted = [
        ("mine.yaml:1", "`produkt`"),
        ("mine.yaml:1", "needs a product"),
        ("mine.yaml:3", "at least one column"),
        ("mine.yaml:4", "above 0"),
        ("mine.yaml:5", "one other form"),
        ("mine.yaml:6", "needs `logsource`"),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, (place, words)) in found.iter().zip(wanted) {
        assert!(found.starts_with(place) && found.contains(words), "{found}");
    }
}

const CASES: &str = include_str!("../../testdata/taxonomy.sigma");

fn parse(text: &str) -> EventBatch {
    parse::Parser::new(parse::Options::default()).parse(Block::detached(
        "case",
        text.as_bytes().to_vec(),
        Timestamp(1_790_000_000_000_000),
    ))
}

/// Each case is a rule without its head, with lines that it must match and ignore.
#[test]
fn rules_find_fields_where_logs_have_them() {
    let mut wrong = String::new();
    let mut count = 0;
    for case in CASES.split("\n=== ").skip(1) {
        let (name, rule) = case.split_once('\n').unwrap_or((case, ""));
        let text = format!("title: t\nid: the-rule\nlevel: low\n{rule}");
        let loaded = load([(name, text.as_str())], &Terms::default());
        let reasons: Vec<String> = loaded.rejected().map(|problem| problem.reason.clone()).collect();
        let set = Arc::new(loaded.set);
        let results = run_inline_tests(&set, parse);
        if !reasons.is_empty() || results.is_empty() {
            writeln!(wrong, "{name}: no cases, or refused: {reasons:?}").unwrap();
        }
        count += results.len();
        for failure in results.into_iter().filter_map(|result| result.failure) {
            writeln!(wrong, "{name}: {failure}").unwrap();
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} cases\n{wrong}");
}
