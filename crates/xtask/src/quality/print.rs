//! The tables of `cargo xtask quality`, as QUALITY.md holds them. Printing only: what is measured stands in the files beside.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::quality::families::{self, Depth};
use crate::quality::report::Families;
use crate::quality::sample::Labelled;
use crate::quality::{Measured, Share, Size, behaviour, hosts, measure, measure_lines, own_rules, real, ways};

/// Paranoia levels that are measured.
const LEVELS: [u8; 4] = [1, 2, 3, 4];
const BENIGN_LINES: usize = 500_000;
/// Of the benign lines, one in so many is measured at each of the levels side by side.
const LEVEL_SAMPLE: usize = 5;
const SEED: u64 = 11;
/// Rounds of each behaviour, with other surroundings each time.
const BEHAVIOUR_ROUNDS: usize = 5;
/// Rules that are named as those that report most.
const RULES_MAX: usize = 30;
/// What is derived of each family for the tables.
const DEPTH: Depth = Depth { sentences: 40, encodings: 4 };
/// Least share of families that counts as found.
const GOOD: f64 = 0.9;

/// Everything, in the order of QUALITY.md.
pub(crate) fn all(root: &Path) -> anyhow::Result<()> {
    generated(root, "")?;
    let found = real::collect();
    false_reports(root, &found, false)?;
    levels_with(root, &found)?;
    payloads(root)?;
    behaviours(root)?;
    lines_of_hosts(root, false)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn per_million(share: Share) -> String {
    format!("{:.0}", share.share() * 1e6)
}

/// Attacks derived from the grammars: a row for each language. With a prefix, its families one by one, and of the open ones
/// what was missed.
pub(crate) fn generated(root: &Path, prefix: &str) -> anyhow::Result<()> {
    let measured = families::measure(own_rules(root, 1)?, DEPTH)?;
    if !prefix.is_empty() {
        println!("| family | found | share |\n|---|---|---|");
        for is_held_out in [false, true] {
            for (name, share) in measured.families(is_held_out).0.iter().filter(|(name, _)| name.starts_with(prefix)) {
                let mark = if is_held_out { " (held out)" } else { "" };
                println!("| {name}{mark} | {} of {} | {} |", share.hits, share.of, percent(share.share()));
            }
        }
        println!("\nmissed, of open families:\n{}", measured.missed_examples(usize::MAX, prefix));
        return Ok(());
    }
    println!("\n| language | open: families, items, mean | held out: families, items, mean |\n|---|---|---|");
    let by_language = |all: &Families| {
        let mut found: BTreeMap<&'static str, Families> = BTreeMap::new();
        for (name, share) in &all.0 {
            let language = name.split('/').next().unwrap_or(name);
            found.entry(language).or_default().0.insert(name, *share);
        }
        found
    };
    let cell = |families: Option<&Families>| {
        families.map_or("–".to_owned(), |all| {
            format!("{}, {}, {}", all.0.len(), percent(all.items().share()), percent(all.mean()))
        })
    };
    let (open, held_out) = (measured.families(false), measured.families(true));
    let (open_rows, held_out_rows) = (by_language(open), by_language(held_out));
    for (language, families) in &open_rows {
        println!("| {language} | {} | {} |", cell(Some(families)), cell(held_out_rows.get(language)));
    }
    println!("| **all** | {} | {} |", cell(Some(open)), cell(Some(held_out)));
    println!("\n| families | lines | found at 90 % and more | found below 50 % |\n|---|---|---|---|");
    for (name, families) in [("open", open), ("held out", held_out)] {
        let count = |is: &dyn Fn(f64) -> bool| families.0.values().filter(|share| is(share.share())).count();
        let (good, weak) = (count(&|share| share >= GOOD), count(&|share| share < 0.5));
        println!("| {name}: {} | {} | {good} | {weak} |", families.0.len(), families.items().of);
    }
    println!("\n| encoding | found | share |\n|---|---|---|");
    measured
        .by_encoding()
        .for_each(|(name, share)| println!("| {name} | {} of {} | {} |", share.hits, share.of, percent(share.share())));
    Ok(())
}

/// Writes the baseline that the tests compare with, and tells what falls by that.
pub(crate) fn write_baseline(root: &Path) -> anyhow::Result<()> {
    let measured = families::measure(own_rules(root, 1)?, families::BASELINE_DEPTH)?;
    let before = std::fs::read_to_string(root.join(families::BASELINE)).unwrap_or_default();
    families::fallen(&before, &measured).iter().for_each(|line| println!("{line}"));
    std::fs::write(root.join(families::BASELINE), families::baseline(&measured))?;
    for (name, is_held_out) in [("open", false), ("held out", true)] {
        let families = measured.families(is_held_out);
        println!(
            "{name}: {} families, items {}, mean {}",
            families.0.len(),
            percent(families.items().share()),
            percent(families.mean())
        );
    }
    println!("wrote {}", families::BASELINE);
    Ok(())
}

/// Benign lines of the machine through the rules, one in `sample`.
fn measure_real(root: &Path, level: u8, found: &real::Targets, sample: usize) -> anyhow::Result<Measured> {
    Ok(measure_lines(own_rules(root, level)?, |take| {
        let lines = real::lines(found, SEED).step_by(sample);
        lines.for_each(|line| take(Labelled { line, attack: None }));
    }))
}

fn generated_benign(root: &Path, level: u8, lines: usize) -> anyhow::Result<Measured> {
    Ok(measure(own_rules(root, level)?, Size { variants: 0, benign: lines }, SEED))
}

/// What is reported of benign lines, and by which rules.
fn false_reports(root: &Path, found: &real::Targets, examples: bool) -> anyhow::Result<()> {
    println!("\n| benign lines | distinct | reported | per million | interval, per million |\n|---|---|---|---|---|");
    let row = |name: &str, share: Share| {
        let (low, high) = share.interval();
        let interval = format!("{:.0} to {:.0}", low * 1e6, high * 1e6);
        println!("| {name} | {} | {} | {} | {interval} |", share.of, share.hits, per_million(share));
    };
    if found.is_empty() {
        println!("| NOTE: no packages were found on this machine; only made-up lines were measured | | | | |");
    }
    let mut rules: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut all = Share::default();
    for ((place, kind), targets) in found {
        let one = real::Targets::from([((*place, *kind), targets.clone())]);
        let measured = measure_real(root, 1, &one, 1)?;
        let share = measured.false_positives();
        all = Share { hits: all.hits + share.hits, of: all.of + share.of };
        row(&format!("{place}: {kind}"), share);
        measured.noisy_rules().for_each(|(title, count)| *rules.entry(title.to_owned()).or_default() += count);
        wrong.push(measured.false_examples(60));
    }
    row("**found on the machine, all**", all);
    let measured = generated_benign(root, 1, BENIGN_LINES)?;
    row("made up (not distinct)", measured.false_positives());
    measured.noisy_rules().for_each(|(title, count)| *rules.entry(title.to_owned()).or_default() += count);
    let mut rules: Vec<(String, u64)> = rules.into_iter().collect();
    rules.sort_by_key(|(title, count)| (std::cmp::Reverse(*count), title.clone()));
    println!("\n| rule | benign lines that it reports |\n|---|---|");
    rules.iter().take(RULES_MAX).for_each(|(title, count)| println!("| {title} | {count} |"));
    if examples {
        println!("\nwrong:\n{}\n{}", wrong.join("\n"), measured.false_examples(60));
    }
    Ok(())
}

/// What is reported of benign lines that are found on the machine now.
pub(crate) fn benign(root: &Path, examples: bool) -> anyhow::Result<()> {
    false_reports(root, &real::collect(), examples)
}

/// The paranoia levels, with benign lines that are found on the machine now.
pub(crate) fn levels(root: &Path) -> anyhow::Result<()> {
    levels_with(root, &real::collect())
}

/// The paranoia levels side by side: what each gains and costs.
fn levels_with(root: &Path, found: &real::Targets) -> anyhow::Result<()> {
    println!(
        "\n| paranoia level | open: items, mean | held out: items, mean | payloads | made-up benign, per million | benign of the \
         machine, per million |\n|---|---|---|---|---|---|"
    );
    for level in LEVELS {
        let derived = families::measure(own_rules(root, level)?, families::BASELINE_DEPTH)?;
        let payloads = measure(own_rules(root, level)?, Size { variants: 1, benign: 0 }, SEED);
        let made_up = generated_benign(root, level, BENIGN_LINES / LEVEL_SAMPLE)?.false_positives();
        let real = measure_real(root, level, found, LEVEL_SAMPLE)?.false_positives();
        let cell = |is_held_out| {
            let families = derived.families(is_held_out);
            format!("{}, {}", percent(families.items().share()), percent(families.mean()))
        };
        println!(
            "| {level} | {} | {} | {} | {} | {} |",
            cell(false),
            cell(true),
            percent(payloads.recall().share()),
            per_million(made_up),
            per_million(real)
        );
    }
    Ok(())
}

/// The payloads that stand in a list, by class, encoding and place.
pub(crate) fn payloads(root: &Path) -> anyhow::Result<()> {
    let measured = measure(own_rules(root, 1)?, Size { variants: 4, benign: 0 }, SEED);
    println!("\n| fixed payloads | found | share | 95 % interval |\n|---|---|---|---|");
    print_share("**all**", measured.recall());
    println!("| **mean over payloads** | | {} | |", percent(measured.families(false).mean()));
    measured.by_class().for_each(|(name, share)| print_share(name, share));
    measured.by_encoding().for_each(|(name, share)| print_share(&format!("*{name}*"), share));
    measured.by_place().for_each(|(name, share)| print_share(&format!("in {name}"), share));
    Ok(())
}

/// Ways to find SQL and script, side by side.
pub(crate) fn ways(root: &Path) -> anyhow::Result<()> {
    let size = Size { variants: 4, benign: BENIGN_LINES };
    println!("| way | SQL injection | XSS | benign reported |\n|---|---|---|---|");
    for (name, measured) in ways::compare(root, size, SEED)? {
        let shares: Vec<String> = measured
            .by_class()
            .filter(|(class, _)| ways::is_compared(class))
            .map(|(_, share)| format!("{:.2} %", share.share() * 100.0))
            .collect();
        let noise = measured.false_positives();
        println!(
            "| {name} | {} | {} of {} |",
            shares.iter().rev().cloned().collect::<Vec<_>>().join(" | "),
            noise.hits,
            noise.of
        );
    }
    Ok(())
}

fn behaviours(root: &Path) -> anyhow::Result<()> {
    let set = Arc::new(own_rules(root, 1)?);
    let mut rows: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let mut tolerances = BTreeMap::new();
    for outcome in behaviour::measure(&set, 5, BEHAVIOUR_ROUNDS) {
        let row = rows.entry(outcome.name).or_default();
        let exact = outcome.found && outcome.missing == 0;
        let counted = [1, usize::from(outcome.found), usize::from(exact), outcome.extra];
        row.iter_mut().zip(counted).for_each(|(sum, more)| *sum += more);
        row[4] = row[4].max(outcome.delay);
        tolerances.insert(outcome.name, outcome.tolerance);
    }
    println!(
        "\n| behaviour | found | with all addresses | others named | events after the threshold, of so many allowed |"
    );
    println!("|---|---|---|---|---|");
    for (name, [of, found, exact, extra, delay]) in rows {
        let most = tolerances.get(name).copied().unwrap_or(1);
        println!("| {name} | {found} of {of} | {exact} | {extra} | {delay} of {most} |");
    }
    Ok(())
}

fn print_share(name: &str, share: Share) {
    let (low, high) = share.interval();
    let percent = [share.share(), low, high].map(|share| share * 100.0);
    println!(
        "| {name} | {} of {} | {:.2} % | {:.2} to {:.2} % |",
        share.hits, share.of, percent[0], percent[1], percent[2]
    );
}

/// Lines of hosts, and with `examples` what was missed and what was wrong.
pub(crate) fn lines_of_hosts(root: &Path, examples: bool) -> anyhow::Result<()> {
    let hosts = hosts::measure(own_rules(root, 1)?);
    println!("\n| lines of hosts | found | share | 95 % interval |\n|---|---|---|---|");
    print_share("**all**", hosts.recall());
    hosts.classes.iter().for_each(|(class, share)| print_share(class, *share));
    print_share("**honest lines reported**", hosts.honest);
    if examples {
        println!("\n{}", hosts.examples(200));
    }
    Ok(())
}
