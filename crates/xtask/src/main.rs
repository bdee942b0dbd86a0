//! Developer tools: `cargo xtask tidy` checks the house rules, `cargo xtask schemas` writes what is generated.
#![allow(clippy::print_stdout, reason = "a developer tool reports on standard output")]

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
            let text = schemas::catalog_table(&std::fs::read_to_string(root().join(schemas::SOURCE))?)?;
            std::fs::write(root().join(schemas::TARGET), text)?;
            println!("wrote {}", schemas::TARGET);
        }
        _ => bail!("usage: cargo xtask tidy|schemas"),
    }
    Ok(())
}
