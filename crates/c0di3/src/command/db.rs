//! `c0di3 db migrate|check|repair`: the store's tables, whether what is in them adds up, and mending what can be derived.

use std::io::Write;

use anyhow::Context;
use store::Use;
use store::upkeep::Fault;
use tokio::runtime::Runtime;

use crate::cli::DbCommand;
use crate::clock;
use crate::config::Config;
use crate::outcome::{Outcome, tell};

pub(crate) fn run(config: &Config, command: &DbCommand) -> anyhow::Result<Outcome> {
    if !matches!(command, DbCommand::Migrate) {
        check_is_there(&config.store.url)?;
    }
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        // Opening brings the tables up to date.
        let store = store::open(&config.store.url, Use::Commit).await?;
        let (mends, is_check) = match command {
            DbCommand::Migrate => {
                tell("the tables are up to date");
                store.close().await;
                return Ok(Outcome::Done);
            }
            DbCommand::Check => (false, true),
            DbCommand::Repair { dry_run } => (!dry_run, false),
        };
        let thresholds = config.correlation.thresholds;
        let recount = store.recount(mends, thresholds, clock::now()).await.context("cannot count again")?;
        store.close().await;
        recount.faults.iter().for_each(|fault| tell(&line(fault, mends, is_check)));
        if recount.more > 0 {
            tell(&format!("and {} more", recount.more));
        }
        let faults = recount.faults.len() as u64 + recount.more;
        let mended = if mends { recount.faults.iter().filter(|fault| fault.is_mendable).count() as u64 } else { 0 };
        let (findings, incidents, linked) = (recount.findings, recount.incidents, recount.linked);
        writeln!(
            std::io::stdout(),
            "{{\"findings\":{findings},\"incidents\":{incidents},\"linked\":{linked},\"problems\":{faults},\"mended\":{mended}}}"
        )?;
        Ok(if faults > mended + if mends { recount.more } else { 0 } { Outcome::Failed } else { Outcome::Done })
    })
}

/// A store that is not there would be made and found in order: after a restore to another place that reads as success.
fn check_is_there(url: &str) -> anyhow::Result<()> {
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if let Some(path) = path.filter(|path| !std::path::Path::new(path).exists()) {
        anyhow::bail!(
            "there is no store at {path}: name the right one as store.url, or make one with `c0di3 db migrate`"
        );
    }
    Ok(())
}

/// Table, id, what, and what is done about it.
fn line(fault: &Fault, mends: bool, is_check: bool) -> String {
    let Fault { table, id, what, remedy, is_mendable } = fault;
    let word = match (is_mendable, mends, is_check) {
        (false, ..) => "cannot be mended",
        (true, true, _) => "mended",
        (true, false, false) => "would be mended",
        (true, false, true) => "`c0di3 db repair` mends it",
    };
    format!("{table} {id}: {what}; {word}: {remedy}")
}
