//! Ways to look for the literals of many rules in the values of one column: `prefilter RULES_DIR…`, with `--features vectorscan`
//! beside that library. Every way must find the same literals in the same values.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::PathBuf;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::ensure;
use benches::corpus::Random;
use benches::measure::best_of;
use benches::peer::{load, rule_files};
use benches::windows::process_creation;
use patterns::search::literals::Literals;
use serde_json::Value;

const VALUES: usize = 100_000;
const RUNS: usize = 3;
/// Sets of expressions are tried with as many literals at most, and on as many values: more take minutes.
const SET_LITERALS_MAX: usize = 1000;
const SET_VALUES: usize = 2000;

/// Texts that rules look for anywhere in a command line, folded.
fn literals(folders: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| rule_files(folder, &mut files))?;
    let mut texts = BTreeSet::new();
    for rule in &load(&files)?.0.set.rules {
        rule.condition.items(&mut |item| {
            let written = item.written.split_once(": '").filter(|(key, _)| {
                key.starts_with("CommandLine|contains") && !key.contains("windash") && !key.contains("base64")
            });
            let text = written.and_then(|(_, value)| value.strip_suffix('\''));
            texts.extend(
                text.filter(|text| text.is_ascii() && text.len() >= 3 && !text.contains(['*', '?', '\\']))
                    .map(str::to_lowercase),
            );
        });
    }
    Ok(texts.into_iter().collect())
}

fn values() -> Vec<String> {
    let mut random = Random::new(11);
    let command = |number| {
        let event: Value = serde_json::from_str(&process_creation(&mut random, number)).unwrap_or_default();
        event["CommandLine"].as_str().unwrap_or("").to_ascii_lowercase()
    };
    (0..VALUES as u64).map(command).collect()
}

/// Values by number, and the literals that stand in them.
type Occurrences = BTreeSet<(usize, usize)>;
/// Gives the number of every literal that stands in a value.
type Find<'a> = Box<dyn FnMut(&str, &mut dyn FnMut(usize)) + 'a>;

/// One way: what it finds, and how long it takes for a value.
struct Way<'a> {
    name: &'static str,
    values: &'a [String],
    find: Find<'a>,
}

impl Way<'_> {
    fn measure(mut self, wanted: &Occurrences) -> anyhow::Result<()> {
        let mut found = Occurrences::new();
        for (at, value) in self.values.iter().enumerate() {
            (self.find)(value, &mut |literal| found.extend([(at, literal)]));
        }
        let wanted: Occurrences = wanted.iter().filter(|(at, _)| *at < self.values.len()).copied().collect();
        ensure!(found == wanted, "{} finds {}, wanted are {}", self.name, found.len(), wanted.len());
        let seconds = best_of(RUNS, || {
            let mut count = 0;
            self.values.iter().for_each(|value| (self.find)(value, &mut |_| count += 1));
            black_box(count);
        });
        println!("    {:<44} {:>9.0} ns for each value", self.name, seconds * 1e9 / self.values.len() as f64);
        Ok(())
    }
}

fn automaton(literals: &[String], kind: AhoCorasickKind) -> anyhow::Result<AhoCorasick> {
    Ok(AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(kind)).build(literals)?)
}

fn measure(literals: &[String], values: &[String]) -> anyhow::Result<()> {
    let ours = Literals::new(literals.iter().map(|text| text.as_bytes().into()).collect());
    let mut wanted = Occurrences::new();
    for (at, value) in values.iter().enumerate() {
        ours.find(value.as_bytes(), |literal, _, _| wanted.extend([(at, literal)]));
    }
    let bytes = values.iter().map(String::len).sum::<usize>() / values.len().max(1);
    println!("  {} literals, {} values of {bytes} bytes, {} pairs", literals.len(), values.len(), wanted.len());
    let find = |value: &str, found: &mut dyn FnMut(usize)| ours.find(value.as_bytes(), |literal, _, _| found(literal));
    Way { name: "rare grams (ours)", values, find: Box::new(find) }.measure(&wanted)?;
    for (name, kind) in
        [("Aho-Corasick, contiguous NFA", AhoCorasickKind::ContiguousNFA), ("Aho-Corasick, DFA", AhoCorasickKind::DFA)]
    {
        let automaton = automaton(literals, kind)?;
        let find = move |value: &str, found: &mut dyn FnMut(usize)| {
            automaton.find_overlapping_iter(value).for_each(|one| found(one.pattern().as_usize()));
        };
        Way { name, values, find: Box::new(find) }.measure(&wanted)?;
    }
    #[cfg(feature = "vectorscan")]
    vectorscan::measure(literals, values, &wanted)?;
    if literals.len() <= SET_LITERALS_MAX {
        let escaped = literals.iter().map(|text| format!("(?i){}", regex::escape(text)));
        let set = regex::RegexSetBuilder::new(escaped).size_limit(1 << 30).build()?;
        let find = move |value: &str, found: &mut dyn FnMut(usize)| set.matches(value).into_iter().for_each(found);
        Way { name: "set of regular expressions", values: &values[..SET_VALUES], find: Box::new(find) }
            .measure(&wanted)?;
    }
    Ok(())
}

#[cfg(feature = "vectorscan")]
mod vectorscan {
    use hyperscan::prelude::*;

    use super::{Occurrences, Way};

    pub(super) fn measure(literals: &[String], values: &[String], wanted: &Occurrences) -> anyhow::Result<()> {
        let patterns: Patterns = literals
            .iter()
            .enumerate()
            .map(|(at, text)| {
                let mut pattern = Pattern::new(regex::escape(text).replace('/', "\\/"))?;
                pattern.flags = CompileFlags::CASELESS;
                pattern.id = Some(at);
                Ok(pattern)
            })
            .collect::<hyperscan::Result<_>>()?;
        let database: BlockDatabase = patterns.build()?;
        let scratch = database.alloc_scratch()?;
        let find = move |value: &str, found: &mut dyn FnMut(usize)| {
            let scanned = database.scan(value, &scratch, |id, _, _, _| {
                found(id as usize);
                Matching::Continue
            });
            debug_assert!(scanned.is_ok());
        };
        Way { name: "Vectorscan", values, find: Box::new(find) }.measure(wanted)
    }
}

fn main() -> anyhow::Result<()> {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    ensure!(!folders.is_empty(), "usage: prefilter RULES_DIR…");
    let (all, values) = (literals(&folders)?, values());
    let mut random = Random::new(5);
    for count in [100, 1000, all.len()] {
        let mut some: Vec<String> = all.clone();
        while some.len() > count {
            some.swap_remove(random.below(some.len() as u64) as usize);
        }
        measure(&some, &values)?;
    }
    Ok(())
}
