//! Documents and rule files: paths in backquotes exist, and every rule has its cases: two that it reports and two near
//! misses at least, each pattern as well, and notes on what it reports falsely.

use std::fs;
use std::path::Path;

use rules::yaml::Node;

use super::problems::Problems;
use super::sources::{files, relative};

/// Folders that a quoted path begins with.
const TOPS: [&str; 8] = ["crates/", "rules/", "schemas/", "benches/", "deploy/", "k8s/", "tests/", ".ci/"];

/// What a rule file must have.
const PARTS: [&str; 5] = ["\ntests:", "\n  match:", "\n  ignore:", "attack.t", "\nfalsepositives:"];

/// Every dead path in a document, every rule without its parts.
pub(super) fn check(root: &Path, problems: &mut Problems) -> anyhow::Result<()> {
    for path in files(root, "md")? {
        check_paths(root, &relative(root, &path), &fs::read_to_string(&path)?, problems);
    }
    for path in files(&root.join("rules"), "yml")? {
        let text = fs::read_to_string(&path)?;
        if !text.starts_with("vocabulary:") {
            check_rule(&relative(root, &path), &text, problems);
        }
    }
    Ok(())
}

fn check_paths(root: &Path, name: &str, text: &str, problems: &mut Problems) {
    for (at, line) in text.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
            let path = quoted.split("::").next().unwrap_or(quoted);
            if !root.join(path).exists() {
                problems.add(name, at + 1, &format!("`{path}` does not exist"), "name what is there");
            }
        }
    }
}

/// Whether a quoted word names a place in this repository.
fn is_path(quoted: &str) -> bool {
    TOPS.iter().any(|top| quoted.starts_with(top)) && !quoted.contains(['*', '<', '…', ' ', '{'])
}

/// Cases of a kind that a rule or pattern has at least.
const CASES: usize = 2;

fn check_rule(name: &str, text: &str, problems: &mut Problems) {
    // A filter is tested by the rules that it is part of.
    for part in PARTS.iter().filter(|part| !text.contains("\nfilter:") && !text.contains(**part)) {
        problems.add(name, 1, &format!("the rule has no `{}`", part.trim()), "add it");
    }
    for document in rules::yaml::read(text).unwrap_or_default().iter().filter(|node| node.get("filter").is_none()) {
        let title = document.get("title").and_then(Node::text).unwrap_or_default();
        check_cases(name, title, document.get("tests"), document.place.line, problems);
        let notes = document.get("falsepositives").map_or(&[][..], Node::one_or_many);
        let is_said = |note: &Node| note.text().is_some_and(|note| note.len() > 3 && note.to_lowercase() != "unknown");
        if !notes.iter().any(is_said) {
            problems.add(name, document.place.line, &format!("`{title}` says nothing of false reports"), "say what is");
        }
        let list = document.get("patterns").and_then(|patterns| patterns.get("list"));
        for pattern in list.map_or(&[][..], Node::one_or_many) {
            let id = pattern.get("id").and_then(Node::text).unwrap_or_default();
            check_cases(name, id, Some(pattern), pattern.place.line, problems);
        }
    }
}

/// Too few cases of a rule or pattern, which stand under `match` and `ignore`.
fn check_cases(name: &str, whose: &str, cases: Option<&Node>, line: usize, problems: &mut Problems) {
    for kind in ["match", "ignore"] {
        let count = cases.and_then(|cases| cases.get(kind)).map_or(0, |cases| cases.one_or_many().len());
        if count < CASES {
            let what = format!("`{whose}` has {count} of `{kind}`");
            problems.add(name, line, &what, &format!("write {CASES} at least"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_what_is_there() {
        let found = |text: &str| {
            let mut problems = Problems::default();
            check_paths(&crate::root(), "a.md", text, &mut problems);
            problems.lines().join("; ")
        };
        assert!(found("x\n`crates/nothing.rs::y` and `rules`").contains("a.md:2: `crates/nothing.rs` does not exist"));
        assert_eq!(found("`crates/xtask/src/main.rs::main`, `crates/*/src`, `nothing/x`"), "");
    }

    #[test]
    fn a_rule_has_its_cases() {
        let mut problems = Problems::default();
        let whole = "title: t\ntests:\n  match: [a, b]\n  ignore: [c, d]\ntags: [attack.t1]\nfalsepositives: [a mirror]\n\
            patterns: {list: [{id: p, match: [a, b], ignore: [c, d]}]}\n";
        check_rule("x.yml", whole, &mut problems);
        check_rule("x.yml", "\nfilter: x", &mut problems);
        assert!(problems.lines().is_empty(), "{:?}", problems.lines());
        for (from, to, told) in [
            ("\ntests:", "\ntest:", "the rule has no `tests:`"),
            ("  match: [a, b]", "  match: [a]", "`t` has 1 of `match`"),
            ("  ignore: [c, d]", "  ignore: c", "`t` has 1 of `ignore`"),
            ("ignore: [c, d]}", "ignore: []}", "`p` has 0 of `ignore`"),
            ("[a mirror]", "[unknown]", "`t` says nothing of false reports"),
        ] {
            let mut problems = Problems::default();
            check_rule("x.yml", &whole.replace(from, to), &mut problems);
            assert!(problems.lines().iter().any(|line| line.contains(told)), "{told}: {:?}", problems.lines());
        }
    }
}
