//! `c0di3 doctor`: looks at what is set, at the machine and at the servers around, and says what to do. It changes nothing, and
//! starts nothing.

mod found;
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
use found::{Complaint, fault};

/// Runs every check on the configuration as it would be used.
pub(crate) fn run(path: Option<&Path>) -> anyhow::Result<Outcome> {
    let found = match config::load_for_people(path, true) {
        Ok(config) => look(&config)?,
        Err(error) => {
            vec![fault("configuration", format!("{error:#}"), "mend it: `c0di3 config show` explains each setting")]
        }
    };
    let mut out = std::io::stdout().lock();
    for Complaint { is_fault, about, what, remedy } in &found {
        writeln!(out, "{} {about}: {what}\n      do: {remedy}", if *is_fault { "FAULT" } else { "note " })?;
    }
    let faults = found.iter().filter(|one| one.is_fault).count();
    writeln!(out, "{faults} fault(s), {} note(s)", found.len() - faults)?;
    Ok(if faults > 0 { Outcome::Failed } else { Outcome::Done })
}

fn look(config: &Config) -> anyhow::Result<Vec<Complaint>> {
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
