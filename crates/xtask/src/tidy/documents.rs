//! Documents and rule files: paths in backquotes exist, and every rule has its cases.

use std::fs;
use std::path::Path;

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

fn check_rule(name: &str, text: &str, problems: &mut Problems) {
    // A filter is tested by the rules that it is part of.
    for part in PARTS.iter().filter(|part| !text.contains("\nfilter:") && !text.contains(**part)) {
        problems.add(name, 1, &format!("the rule has no `{}`", part.trim()), "add it");
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
        let whole = PARTS.concat();
        check_rule("x.yml", &whole, &mut problems);
        check_rule("x.yml", "\nfilter: x", &mut problems);
        assert!(problems.lines().is_empty());
        check_rule("x.yml", &whole.replace("\ntests:", ""), &mut problems);
        assert!(problems.lines()[0].contains("the rule has no `tests:`"));
    }
}
