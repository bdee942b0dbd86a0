//! How good detection is, measured: `cargo xtask quality`. Attacks derived from grammars and made from a list of payloads, in
//! many encodings and places, and benign requests, made from a seed or found on the machine, run through the built-in rules as
//! they are; shares with their intervals of confidence. Nothing here may know what the rules look for.

mod attacks;
pub(crate) mod behaviour;
mod benign;
mod encode;
pub(crate) mod families;
mod grammar;
mod grammar_file;
pub(crate) mod hosts;
pub(crate) mod print;
mod real;
mod report;
mod sample;
mod sentence;
pub(crate) mod ways;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use event::{Block, Timestamp};
use matcher::{MatchScratch, Matcher};
use parse::{Options, Parser};
use rules::{RuleSet, Terms};

pub(crate) use report::{Measured, Share};
use sample::{Labelled, Random};

/// How much is generated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Variants of each payload in each encoding and place.
    pub(crate) variants: usize,
    pub(crate) benign: usize,
}

/// The built-in rules at a paranoia level.
pub(crate) fn own_rules(root: &Path, paranoia: u8) -> anyhow::Result<RuleSet> {
    let files = own_files(root)?;
    let terms = Terms { paranoia, ..Terms::default() };
    let loaded = rules::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), &terms);
    anyhow::ensure!(loaded.rejected().count() == 0, "an own rule is refused: {:?}", loaded.diagnostics.first());
    Ok(loaded.set)
}

/// The files of the built-in rules, sorted: path and text.
pub(crate) fn own_files(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    rule_files(&root.join("rules"), &mut files)?;
    for (path, _) in &mut files {
        *path = Path::new(path).strip_prefix(root).map_or_else(|_| path.clone(), |inner| inner.display().to_string());
    }
    files.sort();
    Ok(files)
}

fn rule_files(folder: &Path, into: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rule_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            into.push((path.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// Rules that tell of an attack: those that only count for correlations do not speak for themselves.
fn speaks(set: &RuleSet, rule: usize) -> bool {
    !set.is_muted(rule)
}

/// Lines of one batch.
const BATCH_LINES: usize = 4000;

/// What is given each line in turn.
type Take<'a> = dyn FnMut(Labelled) + 'a;

/// Runs the lines that `give` gives through the rules.
fn measure_lines(set: RuleSet, give: impl FnOnce(&mut Take<'_>)) -> Measured {
    let set = Arc::new(set);
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut scratch = MatchScratch::default();
    let mut parser = Parser::new(Options::default());
    let mut measured = Measured::default();
    let mut batch: Vec<Labelled> = Vec::new();
    let mut judge = |batch: &mut Vec<Labelled>| {
        let text: String = batch.iter().map(|labelled| format!("{}\n", labelled.line)).collect();
        let parsed =
            parser.parse(Block::detached("quality", text.into_bytes(), Timestamp::from_unix_seconds(1_795_000_000)));
        let mut found: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (row, rule) in matcher.matches(&parsed, &mut scratch) {
            if speaks(&set, *rule as usize) {
                found.entry(*row as usize).or_default().push(&set.rules[*rule as usize].head.title);
            }
        }
        for (row, labelled) in batch.drain(..).enumerate() {
            measured.add(labelled, found.get(&row).map_or(&[], Vec::as_slice));
        }
    };
    give(&mut |labelled| {
        batch.push(labelled);
        if batch.len() == BATCH_LINES {
            judge(&mut batch);
        }
    });
    judge(&mut batch);
    measured
}

/// Runs the payloads and generated benign lines through the rules.
pub(crate) fn measure(set: RuleSet, size: Size, seed: u64) -> Measured {
    let mut random = Random::new(seed);
    measure_lines(set, |mut take| {
        attacks::generate(&mut random, size.variants, &mut take);
        (0..size.benign).for_each(|at| take(Labelled { line: benign::line(&mut random, at), attack: None }));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that is asked for; a class or encoding that falls below fails here.
    #[test]
    fn attacks_are_found_in_every_class_and_encoding_and_noise_is_left_alone() {
        let set = own_rules(&crate::root(), 1).unwrap();
        let measured = measure(set, Size { variants: 1, benign: 60_000 }, 11);
        let all = measured.recall();
        assert!(all.share() >= 0.97, "recall {:.4}\n{}", all.share(), measured.missed_examples(30, ""));
        for (name, share) in measured.by_class().chain(measured.by_encoding()) {
            assert!(share.share() >= 0.90, "{name}: {:.4}\n{}", share.share(), measured.missed_examples(30, ""));
        }
        let noise = measured.false_positives();
        assert!(noise.share() <= 0.0001, "{} of {}\n{}", noise.hits, noise.of, measured.false_examples(30));
    }
}
