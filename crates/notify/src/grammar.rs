//! The grammar (GBNF, as llama.cpp takes it) of answers about one incident: words that say nothing by themselves and words of
//! the fact, between the entities and numbers of the fact in their order. What a model could invent has no way to be
//! written. The answer is verified all the same: a server may ignore a grammar.

use std::collections::BTreeSet;
use std::fmt::Write;

use event::summary::{Fact, FactSheet};

/// Facts that get a sentence.
pub(crate) const FACTS_MAX: usize = 5;
/// Words between two anchors, where they are not those of the fact.
const GAP_MAX: usize = 3;
/// Words that may stand between the words of a fact.
const GLUE: &str = "the was were there also and has have seen observed recorded reported total";

/// A fact taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    /// Entities with the word before them (`from {ip1}`), numbers with what they count (`5 events`), in their order: each
    /// with the words that the fact has between it and the one before.
    anchors: Vec<(String, String)>,
    words: BTreeSet<String>,
}

fn bare(token: &str) -> &str {
    token.trim_matches(|character: char| !character.is_ascii_alphanumeric() && character != '{' && character != '}')
}

fn is_word(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut tokens = text.split_ascii_whitespace().filter(|token| !bare(token).is_empty()).peekable();
    let mut run: Vec<&str> = Vec::new();
    while let Some(written) = tokens.next() {
        let token = bare(written);
        let is_number = token.contains(|character: char| character.is_ascii_digit());
        if !token.contains('{') && !is_number {
            run.push(written);
            if is_word(token) {
                parts.words.insert(token.to_ascii_lowercase());
            }
            continue;
        }
        let counted = tokens.next_if(|next| is_number && !token.contains('{') && is_word(bare(next)));
        let before = run.pop_if(|before| counted.is_none() && is_word(before));
        let anchor = [before, Some(token), counted.map(bare)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        parts.anchors.push((run.join(" "), anchor));
        run.clear();
    }
    parts
}

fn alternatives(words: &BTreeSet<String>) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ")
}

fn capitalised(word: &str) -> String {
    let mut out = word.to_owned();
    out.get_mut(..1).map(str::make_ascii_uppercase);
    out
}

/// Rules for the sentence about one fact, under its id.
fn sentence(fact: &Fact, out: &mut String) -> std::fmt::Result {
    let parts = parts(&fact.text);
    let name = fact.id.to_ascii_lowercase();
    let words: BTreeSet<String> = parts.words.iter().cloned().chain(glue()).collect();
    let first: BTreeSet<String> = words.iter().map(|word| capitalised(word)).collect();
    writeln!(out, "{name}w ::= {}", alternatives(&words))?;
    writeln!(out, "{name}c ::= {}", alternatives(&first))?;
    write!(out, "{name}t ::=")?;
    for (at, (run, anchor)) in parts.anchors.iter().enumerate() {
        write!(out, " {}", gap(&name, at == 0, run, anchor))?;
    }
    writeln!(out)?;
    writeln!(out, "{name} ::= \"{{\\\"text\\\":\\\"\" {name}t \".\\\",\\\"facts\\\":[\\\"{}\\\"]}}\"", fact.id)
}

fn glue() -> impl Iterator<Item = String> {
    GLUE.split_ascii_whitespace().map(str::to_owned)
}

/// One sentence for each of the weightiest facts, and a headline that rests on the first.
pub(crate) fn grammar(sheet: &FactSheet) -> String {
    let mut out = String::new();
    let facts: Vec<&Fact> = sheet.facts.iter().take(FACTS_MAX).collect();
    // Writing into a string cannot fail.
    let _written = facts.iter().try_for_each(|fact| sentence(fact, &mut out));
    let names: Vec<String> = facts.iter().map(|fact| fact.id.to_ascii_lowercase()).collect();
    let headline = facts.first().map(|fact| headline(fact)).unwrap_or_default();
    let _written = writeln!(
        out,
        "root ::= \"{{\\\"headline\\\":\\\"\" {headline} \"\\\",\\\"sentences\\\":[\" {} \"]}}\"",
        names.join(" \",\" ")
    );
    out
}

/// An anchor and what may come before it: the words of the fact, or a few others.
fn gap(name: &str, is_first: bool, run: &str, anchor: &str) -> String {
    let others = if is_first {
        format!("{name}c (\" \" {name}w){{0,{GAP_MAX}}}")
    } else {
        format!("(\" \" {name}w){{0,{GAP_MAX}}}")
    };
    let said = if is_first { capitalised(run) } else { format!(" {run}") };
    match (run.is_empty(), is_first) {
        (true, true) => format!("\"{}\"", capitalised(anchor)),
        (true, false) => format!("{others} \" {anchor}\""),
        _ => format!("(\"{said}\" | {others}) \" {anchor}\""),
    }
}

/// The rule and the first other entity, in words of the fact.
fn headline(fact: &Fact) -> String {
    let name = fact.id.to_ascii_lowercase();
    let anchors = parts(&fact.text).anchors;
    let entities = anchors.iter().filter(|(_, anchor)| anchor.contains('{')).take(2).enumerate();
    let told: Vec<String> = entities.map(|(at, (run, anchor))| gap(&name, at == 0, run, anchor)).collect();
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_and_numbers_with_what_they_count_are_anchors() {
        let text = "the rule {rule1} (high severity) matched 12 events from {ip1}, {ip2} and 5 more, severity P1";
        let parts = parts(text);
        let anchors: Vec<_> = parts.anchors.iter().map(|(run, anchor)| (run.as_str(), anchor.as_str())).collect();
        let told = [
            ("the", "rule {rule1}"),
            ("(high severity) matched", "12 events"),
            ("", "from {ip1}"),
            ("", "{ip2}"),
            ("and", "5 more"),
            ("", "severity P1"),
        ];
        assert_eq!(anchors, told);
        let words: Vec<&str> = parts.words.iter().map(String::as_str).collect();
        assert_eq!(words, ["and", "from", "high", "matched", "rule", "severity", "the"]);
    }
}
