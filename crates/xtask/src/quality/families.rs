//! Families of attacks measured: sentences derived from the grammars, in encodings and places, run through the built-in rules;
//! and the baseline (`quality/families.tsv`) that no family may fall below. Patterns are not mended by families that are held
//! out: their sentences are counted and never shown.

use std::collections::BTreeMap;

use rules::RuleSet;

use crate::quality::attacks::{own_name, placed};
use crate::quality::encode::{ENCODINGS, Encoding};
use crate::quality::grammar::{Family, Grammar};
use crate::quality::grammar_file;
use crate::quality::report::Families;
use crate::quality::sample::{Attack, Labelled, Random};
use crate::quality::sentence::derive;
use crate::quality::{Measured, measure_lines};

/// Where the baseline stands, from the folder of the workspace.
pub(crate) const BASELINE: &str = "crates/xtask/quality/families.tsv";
/// What a family may fall below its baseline, in points of a hundred.
const FALL_MAX: f64 = 5.0;
/// What the mean over the families that are held out may fall, in points: one family of seventy by 35.
const MEAN_FALL_MAX: f64 = 0.5;

/// How much is derived of each family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    pub(crate) sentences: usize,
    /// Ways of writing each sentence, the plain one among them.
    pub(crate) encodings: usize,
}

/// What the baseline and its test measure.
pub(crate) const BASELINE_DEPTH: Depth = Depth { sentences: 16, encodings: 3 };

/// Runs the sentences of all grammars through the rules.
pub(crate) fn measure(set: RuleSet, depth: Depth) -> anyhow::Result<Measured> {
    let grammars = grammar_file::all()?;
    Ok(measure_lines(set, |take| {
        for grammar in &grammars {
            grammar.families.iter().for_each(|family| lines(grammar, family, depth, take));
        }
    }))
}

/// A seed of its own for each family, so that a new one changes no other.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn lines(grammar: &Grammar, family: &Family, depth: Depth, take: &mut dyn FnMut(Labelled)) {
    let mut random = Random::new(seed(family.name));
    let suited: Vec<&Encoding> = ENCODINGS
        .iter()
        .filter(|encoding| encoding.suits(grammar.class))
        .filter(|encoding| !family.is_as_written || encoding.is_of_the_transport())
        .collect();
    // A path is decoded once, and its first slash stands as it is.
    let suited: Vec<&Encoding> = match grammar.places[..] {
        ["target"] => suited.into_iter().filter(|each| ["plain", "percent, some"].contains(&each.name)).collect(),
        _ => suited,
    };
    let class = family.name.split('/').next().unwrap_or(family.name);
    for sentence in derive(grammar, family, depth.sentences, &mut random) {
        // The plain encoding is the first of the table.
        let mut chosen = vec![suited[0]];
        while chosen.len() < depth.encodings {
            chosen.push(suited[1 + random.below(suited.len() - 1)]);
        }
        for encoding in chosen {
            let place = grammar.places[random.below(grammar.places.len())];
            // User agents are not decoded by anybody: only what needs no decoding stands there.
            let place = if place == "agent" && encoding.name != "plain" { grammar.places[0] } else { place };
            let (name, value) = match grammar.parameters.is_empty() {
                true => own_name(&sentence).unwrap_or(("", &sentence)),
                false => (random.one_of(&grammar.parameters), sentence.as_str()),
            };
            let (slash, value) = match value.strip_prefix('/') {
                Some(rest) if place == "target" => ("/", rest),
                _ => ("", value),
            };
            let written = format!("{slash}{}", (encoding.write)(value, &mut random));
            let line = placed(place, name, &written, &sentence, &mut random);
            let is_held_out = family.is_held_out;
            let attack = Attack { class, family: family.name, is_held_out, encoding: encoding.name, place };
            take(Labelled { line, attack: Some(attack) });
        }
    }
}

/// The baseline as it is written: a line for each family, in alphabetical order, and the mean over those that are held out.
pub(crate) fn baseline(measured: &Measured) -> String {
    let mut text =
        "# Family, share of its lines that is found (percent), o open or h held out. Written by `cargo xtask quality \
                    baseline`; never mended by hand.\n"
            .to_owned();
    let rows = |families: &Families, mark: &'static str| {
        let row = |(name, share): (&&'static str, &super::Share)| (*name, (share.share() * 100.0, mark));
        families.0.iter().map(row).collect::<BTreeMap<_, _>>()
    };
    let mut all = rows(measured.families(false), "o");
    all.extend(rows(measured.families(true), "h"));
    for (name, (share, mark)) in all {
        text += &format!("{name}\t{share:.1}\t{mark}\n");
    }
    text
}

/// What fell below the baseline: a family, or the mean over those that are held out.
pub(crate) fn fallen(baseline: &str, measured: &Measured) -> Vec<String> {
    let mut fallen = Vec::new();
    let mut before: BTreeMap<&str, f64> = BTreeMap::new();
    for line in baseline.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        if let (Some(name), Some(share)) = (columns.next(), columns.next().and_then(|share| share.parse().ok())) {
            before.insert(name, share);
        }
    }
    for families in [false, true].map(|is_held_out| measured.families(is_held_out)) {
        for (name, share) in &families.0 {
            let share = share.share() * 100.0;
            match before.get(name) {
                Some(before) if share >= before - FALL_MAX => {}
                Some(before) => fallen.push(format!("{name} fell from {before:.1} % to {share:.1} %")),
                None => fallen.push(format!("{name} has no baseline: `cargo xtask quality baseline`")),
            }
        }
    }
    let held_out = measured.families(true);
    let known: Vec<f64> = held_out.0.keys().filter_map(|name| before.get(name)).copied().collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    if held_out.mean() * 100.0 < mean - MEAN_FALL_MAX {
        fallen
            .push(format!("the mean over what is held out fell from {mean:.1} % to {:.1} %", held_out.mean() * 100.0));
    }
    fallen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::own_rules;

    #[test]
    fn no_family_falls_below_its_baseline() {
        let baseline = std::fs::read_to_string(crate::root().join(BASELINE)).unwrap();
        let measured = measure(own_rules(&crate::root(), 1).unwrap(), BASELINE_DEPTH).unwrap();
        let fallen = fallen(&baseline, &measured);
        assert!(fallen.is_empty(), "{}", fallen.join("\n"));
    }

    #[test]
    fn a_family_that_falls_is_named_and_so_is_the_mean() {
        let measured = |found: [bool; 2]| {
            let mut measured = Measured::default();
            for (family, found) in ["x/open", "x/held"].into_iter().zip(found) {
                let is_held_out = family == "x/held";
                let attack = Attack { class: "x", family, is_held_out, encoding: "plain", place: "query" };
                measured
                    .add(Labelled { line: String::new(), attack: Some(attack) }, if found { &["a rule"] } else { &[] });
            }
            measured
        };
        let before = baseline(&measured([true, true]));
        assert_eq!(fallen(&before, &measured([true, true])), Vec::<String>::new());
        assert_eq!(fallen(&before, &measured([false, true])), ["x/open fell from 100.0 % to 0.0 %"]);
        assert_eq!(fallen(&before, &measured([true, false])).len(), 2);
        assert!(fallen("", &measured([true, true]))[0].contains("no baseline"));
    }

    #[test]
    fn a_family_has_lines_enough_and_each_stands_in_a_place_of_its_grammar() {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for grammar in grammar_file::all().unwrap() {
            for family in &grammar.families {
                lines(&grammar, family, BASELINE_DEPTH, &mut |labelled| {
                    assert!(labelled.attack.is_some_and(|attack| grammar.places.contains(&attack.place)));
                    assert!(!labelled.line.contains(['\r', '\n']), "{}", labelled.line);
                    *count.entry(family.name).or_default() += 1;
                });
            }
        }
        let few: Vec<_> = count.iter().filter(|(_, count)| **count < 12).collect();
        assert!(few.is_empty(), "{few:?}");
    }
}
