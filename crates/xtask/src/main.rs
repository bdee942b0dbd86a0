//! Developer tools: `cargo xtask tidy` checks the house rules, `cargo xtask schemas` writes what is generated, `cargo xtask
//! quality` measures how good detection is, `cargo xtask sbom` tells what the program is made of.
#![allow(clippy::print_stdout, reason = "a developer tool reports on standard output")]

mod quality;
mod sbom;
mod schemas;
mod tidy;
mod vocabularies;

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
            std::fs::write(root().join(vocabularies::TABLE), vocabularies::table(&root())?)?;
            println!("wrote {}, {}, {}, {}", schemas::WRITTEN, schemas::TARGET, schemas::FORMATS, vocabularies::TABLE);
        }
        Some("sbom") => print!("{}", sbom::bill(&root())?),
        Some("quality") => measure_quality(&root())?,
        _ => bail!("usage: cargo xtask tidy|schemas|quality [PART]|sbom"),
    }
    Ok(())
}

/// What of the quality is measured; all of it where nothing is named.
fn measure_quality(root: &Path) -> anyhow::Result<()> {
    let part = std::env::args().nth(2);
    let more = std::env::args().nth(3);
    match part.as_deref() {
        None => quality::print::all(root),
        Some("families") => quality::print::generated(root, more.as_deref().unwrap_or("")),
        Some("baseline") => quality::print::write_baseline(root),
        Some("benign") => quality::print::benign(root, more.as_deref() == Some("--examples")),
        Some("levels") => quality::print::levels(root),
        Some("payloads") => quality::print::payloads(root),
        Some("hosts") => quality::print::lines_of_hosts(root, more.as_deref() == Some("--examples")),
        Some("ways") => quality::print::ways(root),
        Some("words") => words(root, more.as_deref().unwrap_or("")),
        Some(_) => bail!(
            "usage: cargo xtask quality [families [PREFIX]|baseline|benign|levels|payloads|hosts|ways|words [PREFIX]]"
        ),
    }
}

/// What is wrong with lists of words.
fn words(root: &Path, only: &str) -> anyhow::Result<()> {
    let problems = vocabularies::problems(root, only)?;
    problems.iter().for_each(|problem| println!("{problem}"));
    anyhow::ensure!(problems.is_empty(), "{} problem(s)", problems.len());
    Ok(())
}
