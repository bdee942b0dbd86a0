//! What rules find by the names of the taxonomy: cases stand in `crates/rules/testdata/taxonomy.sigma`.

use std::fmt::Write as _;
use std::sync::Arc;

use event::{Block, EventBatch, Timestamp};
use rules::{Terms, load};

use crate::command::rules::cases::run_inline_tests;

const CASES: &str = include_str!("../../../../rules/testdata/taxonomy.sigma");

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
