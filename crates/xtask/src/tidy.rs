//! The house rules as a test: what is written in ARCHITECTURE.md and can be checked, is checked here.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest function in lines, signature and closing brace included.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file in lines; files marked `(flat table)` in their first line may be longer.
const FILE_LINES_MAX: usize = 500;

/// Crates of this workspace that each crate may use: arrows go down only, siblings do not know each other.
const ARROWS: [(&str, &[&str]); 12] = [
    ("event", &[]),
    ("parse", &["event"]),
    ("ingest", &["event"]),
    ("store", &["event"]),
    ("patterns", &[]),
    ("rules", &["event", "patterns"]),
    ("matcher", &["event", "patterns", "rules"]),
    ("correlate", &["event", "rules"]),
    ("api", &["event", "ingest", "rules", "store"]),
    ("notify", &["event", "store"]),
    ("c0di3", &["api", "correlate", "event", "ingest", "matcher", "notify", "parse", "patterns", "rules", "store"]),
    ("xtask", &["correlate", "event", "matcher", "parse", "patterns", "rules"]),
];

/// What the pure crates must not touch, outside their tests.
const IMPURE: [&str; 7] =
    ["std::fs", "std::net::Tcp", "std::net::Udp", "SystemTime", "Instant::now", "tokio", "std::process"];
const PURE: [&str; 6] = ["event", "parse", "patterns", "rules", "matcher", "correlate"];

/// Left-overs that must not be committed.
const LEFT_OVERS: [&str; 5] = ["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}", "dbg\u{21}(", "unimplemented\u{21}("];

/// Every problem found, one line each.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in files(root, "rs")? {
        let text = fs::read_to_string(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        check_source(&name, &text, &mut problems);
    }
    check_arrows(root, &mut problems)?;
    check_documents(root, &mut problems)?;
    check_rules(root, &mut problems)?;
    Ok(problems)
}

fn files(root: &Path, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "data" | "logs" | "corpus" | "artifacts") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn check_source(name: &str, text: &str, problems: &mut Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.first().copied().unwrap_or("");
    if !first.starts_with("//!") {
        problems.push(format!("{name}:1: a file opens with what it is and what it must not do (//!)"));
    }
    if lines.len() > FILE_LINES_MAX && !first.contains("(flat table)") {
        problems.push(format!("{name}: {} lines, at most {FILE_LINES_MAX}: one idea per file", lines.len()));
    }
    for (at, line) in lines.iter().enumerate() {
        if LEFT_OVERS.iter().any(|word| line.contains(word)) {
            problems.push(format!("{name}:{}: left over: {}", at + 1, line.trim()));
        }
    }
    check_functions(name, &lines, problems);
    let own = lines.iter().take_while(|line| !line.starts_with("#[cfg(test)]"));
    let is_test = name.ends_with("tests.rs") || name.contains("/tests/") || name.ends_with("suite.rs");
    let pure = PURE.iter().any(|part| name.starts_with(&format!("crates/{part}/")));
    if pure && !is_test {
        for (at, line) in own.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if let Some(word) = IMPURE.iter().find(|word| line.contains(**word)) {
                problems.push(format!("{name}:{}: `{word}` in a pure crate: time and input are arguments", at + 1));
            }
        }
    }
}

/// A function ends at the first line that closes at the indentation it began with.
fn check_functions(name: &str, lines: &[&str], problems: &mut Vec<String>) {
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let words = ["fn ", "pub fn ", "async fn ", "pub(crate) fn ", "pub(super) fn ", "pub async fn "];
        let also = ["pub(crate) async fn ", "pub(super) async fn ", "const fn ", "pub const fn "];
        if !words.iter().chain(&also).any(|word| trimmed.starts_with(word)) {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let end = lines[start..].iter().position(|line| line.trim_end() == close);
        if let Some(length) = end.map(|end| end + 1).filter(|length| *length > FUNCTION_LINES_MAX) {
            problems.push(format!("{name}:{}: a function of {length} lines, at most {FUNCTION_LINES_MAX}", start + 1));
        }
    }
}

fn check_arrows(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    let mut known: Vec<String> = fs::read_dir(root.join("crates"))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    known.sort();
    for name in &known {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
            problems.push(format!("crates/{name}: not in the table of arrows"));
            continue;
        };
        let manifest = fs::read_to_string(root.join("crates").join(name).join("Cargo.toml"))?;
        let own = manifest.split("[dev-dependencies]").next().unwrap_or("");
        for other in
            known.iter().filter(|other| own.lines().any(|line| line.starts_with(&format!("{other}.workspace"))))
        {
            if !allowed.contains(&other.as_str()) {
                problems.push(format!("crates/{name}: must not use `{other}`"));
            }
        }
    }
    Ok(())
}

/// Paths in backquotes exist, and the map names every crate.
fn check_documents(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for path in files(root, "md")? {
        let text = fs::read_to_string(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        for (at, line) in text.lines().enumerate() {
            for quoted in line.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
                if !root.join(quoted).exists() {
                    problems.push(format!("{name}:{}: `{quoted}` does not exist", at + 1));
                }
            }
        }
    }
    let map = fs::read_to_string(root.join("ARCHITECTURE.md"))?;
    for (crate_name, _) in ARROWS {
        if !map.contains(&format!("`{crate_name}`")) {
            problems.push(format!("ARCHITECTURE.md: says nothing about `{crate_name}`"));
        }
    }
    Ok(())
}

/// Whether a quoted word names a place in this repository.
fn is_path(quoted: &str) -> bool {
    let tops = ["crates/", "rules/", "schemas/", "benches/", "deploy/", "k8s/", "tests/", ".ci/"];
    tops.iter().any(|top| quoted.starts_with(top)) && !quoted.contains(['*', '<', '…', ' ', '{'])
}

fn check_rules(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for path in files(&root.join("rules"), "yml")? {
        let text = fs::read_to_string(&path)?;
        // A filter is tested by the rules that it is part of.
        let parts = ["\ntests:", "\n  match:", "\n  ignore:", "attack.t", "\nfalsepositives:"];
        for part in parts.iter().filter(|_| !text.contains("\nfilter:")) {
            if !text.contains(part) {
                problems.push(format!("{}: the rule has no `{}`", path.display(), part.trim()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_house_rules() {
        let problems = check(&crate::root()).unwrap();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }

    #[test]
    fn each_rule_of_the_house_can_be_broken() {
        let found = |name: &str, text: &str| {
            let mut problems = Vec::new();
            check_source(name, text, &mut problems);
            problems.join("; ")
        };
        assert!(found("a.rs", "fn x() {}\n").contains("opens with"));
        assert!(
            found("a.rs", &format!("//! x\nfn x() {{\n{}}}\n", "    y();\n".repeat(80))).contains("a function of 82")
        );
        assert!(found("a.rs", &format!("//! x\n{}", "// y\n".repeat(501))).contains("502 lines"));
        assert!(found("crates/parse/src/a.rs", "//! x\nuse std::fs;\n").contains("pure crate"));
        assert_eq!(found("crates/parse/src/a.rs", "//! x\n#[cfg(test)]\nuse std::fs;\n"), "");
        assert_eq!(found("a.rs", "//! x (flat table)\nfn x() {\n    y();\n}\n"), "");
    }
}
