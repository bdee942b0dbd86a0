//! Developer tools: `cargo xtask tidy` checks the house rules, `cargo xtask schemas` writes what is generated, `cargo xtask
//! quality` measures how good detection is.
#![allow(clippy::print_stdout, reason = "a developer tool reports on standard output")]

mod quality;
mod schemas;
mod tidy;

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            let problems = tidy::check(&root())?;
            problems.iter().for_each(|problem| println!("{problem}"));
            if !problems.is_empty() {
                bail!("{} problem(s)", problems.len());
            }
            println!("tidy");
        }
        Some("schemas") => {
            let written = schemas::written_table(&root())?;
            std::fs::write(root().join(schemas::WRITTEN), &written)?;
            let text = schemas::catalog_table(&std::fs::read_to_string(root().join(schemas::SOURCE))?, &written)?;
            std::fs::write(root().join(schemas::TARGET), text)?;
            std::fs::write(root().join(schemas::FORMATS), schemas::formats_table())?;
            println!("wrote {}, {} and {}", schemas::WRITTEN, schemas::TARGET, schemas::FORMATS);
        }
        Some("quality") if std::env::args().nth(2).as_deref() == Some("ways") => print_ways()?,
        Some("quality") => print_quality()?,
        _ => bail!("usage: cargo xtask tidy|schemas|quality [ways]"),
    }
    Ok(())
}

/// Paranoia levels that are measured.
const LEVELS: [u8; 3] = [1, 2, 3];
const BENIGN_LINES: usize = 500_000;

fn print_ways() -> anyhow::Result<()> {
    let size = quality::Size { variants: 4, benign: BENIGN_LINES };
    println!("| way | SQL injection | XSS | benign reported |\n|---|---|---|---|");
    for (name, measured) in quality::ways::compare(&root(), size, 11)? {
        let shares: Vec<String> = measured
            .by_class()
            .filter(|(class, _)| quality::ways::is_compared(class))
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

/// Rounds of each behaviour, with other surroundings each time.
const BEHAVIOUR_ROUNDS: usize = 5;

fn print_behaviours() -> anyhow::Result<()> {
    let set = std::sync::Arc::new(quality::own_rules(&root(), 1)?);
    let mut rows: std::collections::BTreeMap<&str, [usize; 5]> = std::collections::BTreeMap::new();
    let mut tolerances = std::collections::BTreeMap::new();
    for outcome in quality::behaviour::measure(&set, 5, BEHAVIOUR_ROUNDS) {
        let row = rows.entry(outcome.name).or_default();
        let exact = outcome.found && outcome.missing == 0;
        let counted = [1, usize::from(outcome.found), usize::from(exact), outcome.extra];
        row.iter_mut().zip(counted).for_each(|(sum, more)| *sum += more);
        row[4] = row[4].max(outcome.delay);
        tolerances.insert(outcome.name, outcome.tolerance);
    }
    println!(
        "| behaviour | found | with all addresses | others named | events after the threshold, of so many allowed |"
    );
    println!("|---|---|---|---|---|");
    for (name, [of, found, exact, extra, delay]) in rows {
        let most = tolerances.get(name).copied().unwrap_or(1);
        println!("| {name} | {found} of {of} | {exact} | {extra} | {delay} of {most} |");
    }
    Ok(())
}

fn print_share(name: &str, share: quality::Share) {
    let (low, high) = share.interval();
    let percent = [share.share(), low, high].map(|share| share * 100.0);
    println!(
        "| {name} | {} of {} | {:.2} % | {:.2} to {:.2} % |",
        share.hits, share.of, percent[0], percent[1], percent[2]
    );
}

fn print_hosts(examples: bool) -> anyhow::Result<()> {
    let hosts = quality::hosts::measure(quality::own_rules(&root(), 1)?);
    println!("\n| lines of hosts | found | share | 95 % interval |\n|---|---|---|---|");
    print_share("**all**", hosts.recall());
    hosts.classes.iter().for_each(|(class, share)| print_share(class, *share));
    print_share("**honest lines reported**", hosts.honest);
    if examples {
        println!("\n{}", hosts.examples(200));
    }
    Ok(())
}

fn print_quality() -> anyhow::Result<()> {
    print_behaviours()?;
    let examples = std::env::args().nth(2).as_deref() == Some("--examples");
    print_hosts(examples)?;
    for level in LEVELS {
        let size = quality::Size { variants: 4, benign: BENIGN_LINES };
        let measured = quality::measure(quality::own_rules(&root(), level)?, size, 11);
        println!("\nParanoia level {level}\n\n| | found | share | 95 % interval |\n|---|---|---|---|");
        print_share("**all attacks**", measured.recall());
        measured.by_class().for_each(|(name, share)| print_share(name, share));
        measured.by_encoding().for_each(|(name, share)| print_share(&format!("*{name}*"), share));
        measured.by_place().for_each(|(name, share)| print_share(&format!("in {name}"), share));
        print_share("**benign requests reported**", measured.false_positives());
        measured.noisy_rules().for_each(|(title, count)| println!("| – {title} | {count} | | |"));
        if examples {
            println!("\nmissed:\n{}\n\nwrong:\n{}", measured.missed_examples(120), measured.false_examples(60));
            break;
        }
    }
    Ok(())
}
