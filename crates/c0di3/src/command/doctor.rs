//! `c0di3 doctor`: looks at what is set, at the machine and at the servers around, and says what to do. It changes nothing, and
//! starts nothing.

mod machine;
mod servers;
mod settings;

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::clock;
use crate::config::{self, Config};
use crate::outcome::Outcome;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether something does not work, or lets somebody in; otherwise somebody should look.
    is_fault: bool,
    /// The setting, or the place, that it is about.
    about: String,
    what: String,
    remedy: String,
}

fn fault(about: &str, what: impl Into<String>, remedy: impl Into<String>) -> Found {
    Found { is_fault: true, about: about.to_owned(), what: what.into(), remedy: remedy.into() }
}

fn note(about: &str, what: impl Into<String>, remedy: impl Into<String>) -> Found {
    Found { is_fault: false, ..fault(about, what, remedy) }
}

/// Runs every check on the configuration as it would be used.
pub(crate) fn run(path: Option<&Path>) -> anyhow::Result<Outcome> {
    let found = match config::load(path) {
        Ok(config) => look(&config)?,
        Err(error) => {
            vec![fault("configuration", format!("{error:#}"), "mend it: `c0di3 config show` explains each setting")]
        }
    };
    let mut out = std::io::stdout().lock();
    for Found { is_fault, about, what, remedy } in &found {
        writeln!(out, "{} {about}: {what}\n      do: {remedy}", if *is_fault { "FAULT" } else { "note " })?;
    }
    let faults = found.iter().filter(|one| one.is_fault).count();
    writeln!(out, "{faults} fault(s), {} note(s)", found.len() - faults)?;
    Ok(if faults > 0 { Outcome::Failed } else { Outcome::Done })
}

fn look(config: &Config) -> anyhow::Result<Vec<Found>> {
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let written = toml::Value::try_from(&config.file)?;
    let mut found = settings::contradictions(config, &written);
    found.extend(machine::look(config, &written));
    found.extend(runtime.block_on(servers::look(config, clock::now())));
    // Servers that do not answer are not waited for any longer.
    runtime.shutdown_background();
    found.sort_by_key(|one| !one.is_fault);
    Ok(found)
}
