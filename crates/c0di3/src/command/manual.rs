//! `c0di3 completions SHELL` and `c0di3 man DIR`: what packages install beside the program. Made of the command line itself.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::Arguments;
use crate::outcome::{Outcome, tell};

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    clap_complete::generate(shell, &mut Arguments::command(), "c0di3", &mut std::io::stdout());
    Ok(Outcome::Done)
}

pub(crate) fn pages(folder: &Path) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    clap_mangen::generate_to(Arguments::command(), folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    tell(&format!("the manual pages are in {}", folder.display()));
    Ok(Outcome::Done)
}
