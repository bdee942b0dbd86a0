//! The ways to find SQL and script in a value, side by side on the same lines: expressions alone, our grammars alone, both,
//! and the token sequences of libinjection (in its port to Rust), which gets every value percent-decoded to a fixpoint.

use std::path::Path;

use rules::{RuleSet, Terms};

use crate::quality::sample::{Labelled, Random};
use crate::quality::{Measured, Size, attacks, benign, measure, own_rules, rule_files};

/// One class of attack and the pack that is for it.
const CLASSES: [(&str, &str, &str); 2] = [
    ("sql-injection", "SQL injection in a request", "sql"),
    ("cross-site-scripting", "Cross-site scripting in a request", "markup"),
];

/// What one way found: name, class, and counts.
pub(crate) fn compare(root: &Path, size: Size, seed: u64) -> anyhow::Result<Vec<(&'static str, Measured)>> {
    Ok(vec![
        ("expressions alone", measure(without_grammars(root)?, size, seed)),
        ("grammars alone", measure(grammars(), size, seed)),
        ("both, as shipped", measure(only_both(root)?, size, seed)),
        ("libinjection", by_library(size, seed)),
    ])
}

/// Whether a class is one of those that are compared.
pub(crate) fn is_compared(class: &str) -> bool {
    CLASSES.iter().any(|(known, ..)| *known == class)
}

/// The two packs alone, changed as `change` says.
fn packs(root: &Path, change: impl Fn(&str) -> String) -> anyhow::Result<RuleSet> {
    let mut files = Vec::new();
    rule_files(&root.join("rules/patterns"), &mut files)?;
    files.retain(|(_, text)| CLASSES.iter().any(|(_, title, _)| text.starts_with(&format!("title: {title}\n"))));
    let changed: Vec<(String, String)> = files.into_iter().map(|(path, text)| (path, change(&text))).collect();
    let given = changed.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let loaded = rules::load(given, &Terms::default());
    anyhow::ensure!(loaded.rejected().count() == 0, "{:?}", loaded.diagnostics);
    Ok(loaded.set)
}

fn only_both(root: &Path) -> anyhow::Result<RuleSet> {
    // The whole set must load, too.
    own_rules(root, 1)?;
    packs(root, str::to_owned)
}

fn without_grammars(root: &Path) -> anyhow::Result<RuleSet> {
    packs(root, |text| {
        let parts: Vec<&str> = text.split("    - id: ").collect();
        let kept = parts.iter().enumerate().filter(|(at, part)| *at == 0 || !part.contains("      grammar: "));
        kept.map(|(_, part)| *part).collect::<Vec<_>>().join("    - id: ")
    })
}

fn grammars() -> RuleSet {
    let rule = |(class, _, grammar): (&str, &str, &str)| {
        format!(
            "title: {class}\nid: {class}\nlevel: high\nlogsource: {{category: webserver}}\npatterns:\n  fields: [target, referer, agent]\n  list: [{{id: grammar, grammar: {grammar}}}]\n---\n"
        )
    };
    let text: String = CLASSES.into_iter().map(rule).collect();
    rules::load([("grammars.yml", text.as_str())], &Terms::default()).set
}

fn by_library(size: Size, seed: u64) -> Measured {
    let mut measured = Measured::default();
    let mut judge = |labelled: Labelled| {
        let found = values(&labelled.line).iter().any(|value| {
            libinjectionrs::detect_sqli(value.as_bytes()).is_injection()
                || libinjectionrs::detect_xss(value.as_bytes()).is_injection()
        });
        measured.add(labelled, if found { &["libinjection"] } else { &[] });
    };
    let mut random = Random::new(seed);
    attacks::generate(&mut random, size.variants, &mut judge);
    for at in 0..size.benign {
        judge(Labelled { line: benign::line(&mut random, at), attack: None });
    }
    measured
}

/// Parameters of target and referer, the last segment of the path, and the agent.
fn values(line: &str) -> Vec<String> {
    let quoted: Vec<&str> = line.split('"').collect();
    let target = quoted.get(1).and_then(|request| request.split(' ').nth(1)).unwrap_or("");
    let mut found = Vec::new();
    for address in [target, quoted.get(3).copied().unwrap_or("")] {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        found.extend(path.strip_prefix("/items/").map(decoded));
        found.extend(query.split('&').map(|pair| decoded(pair.split_once('=').map_or(pair, |(_, value)| value))));
    }
    found.push(quoted.get(5).copied().unwrap_or("").replace("\\x22", "\""));
    found
}

fn decoded(text: &str) -> String {
    let mut text = text.replace('+', " ");
    for _ in 0..4 {
        let bytes = text.as_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.filter(|_| bytes[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    out.push(byte);
                    at += 3;
                }
                None => {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
        }
        text = String::from_utf8_lossy(&out).into_owned();
    }
    text
}
