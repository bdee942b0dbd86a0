//! `c0di3 db`: the store's tables, whether what is in them adds up, mending what can be derived, backups, and what is removed with time.

mod scripts;

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use event::Timestamp;
use store::audit::{AuditEntry, By, Outcome as AuditOutcome};
use store::housekeeping::{Kept, Removed};
use store::tasks::TaskDone;
use store::upkeep::Fault;
use store::{Store, Use};
use tokio::runtime::Runtime;

use crate::cli::{DbCommand, RetentionArguments};
use crate::clock;
use crate::config::Config;
use crate::outcome::{Outcome, tell};

const DAY_US: i64 = 86_400_000_000;

pub(crate) fn run(config: &Config, command: &DbCommand) -> anyhow::Result<Outcome> {
    let url = config.store.url.as_str();
    super::name_store(url);
    if !matches!(command, DbCommand::Migrate | DbCommand::Restore(_)) {
        super::check_is_there(url)?;
    }
    match command {
        DbCommand::Backup(asked) => scripts::backup(url, asked),
        DbCommand::Restore(asked) => scripts::restore(url, asked),
        DbCommand::Drill(asked) => scripts::drill(url, asked),
        DbCommand::Retention(asked) if scripts::embedded(url).is_none() => scripts::retention(url, asked),
        _ => with_store(config, command),
    }
}

/// What the program does itself.
fn with_store(config: &Config, command: &DbCommand) -> anyhow::Result<Outcome> {
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        // Opening brings the tables up to date.
        let store = store::open(&config.store.url, Use::Commit).await?;
        let done = match command {
            DbCommand::Check => recount(&*store, config, false, true).await,
            DbCommand::Repair { dry_run } => recount(&*store, config, !dry_run, false).await,
            DbCommand::Retention(asked) => remove_old(&*store, asked).await,
            DbCommand::Copy { to } => copy(&*store, to).await,
            DbCommand::Done { name, detail } => {
                let done = TaskDone { name: name.clone(), at: clock::now(), detail: detail.clone() };
                store.task_done(&done).await.map(|()| Outcome::Done).context("cannot note the task")
            }
            _ => {
                tell("the tables are up to date");
                Ok(Outcome::Done)
            }
        };
        store.close().await;
        done
    })
}

async fn recount(store: &dyn Store, config: &Config, mends: bool, is_check: bool) -> anyhow::Result<Outcome> {
    let thresholds = config.correlation.thresholds;
    let recount = store.recount(mends, thresholds, clock::now()).await.context("cannot count again")?;
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
}

async fn copy(store: &dyn Store, to: &Path) -> anyhow::Result<Outcome> {
    let path = to.to_str().context("the path must be UTF-8")?;
    // An empty file may be there already, made with the rights that the copy is to have.
    let copied = store.copy_to(path).await.with_context(|| format!("cannot copy the store to {path}"))?;
    anyhow::ensure!(copied, "only an embedded store is a file that can be copied: use `c0di3 db backup`");
    Ok(Outcome::Done)
}

/// Removes what is old from an embedded store. That entries of the audit log went is an entry of it.
async fn remove_old(store: &dyn Store, asked: &RetentionArguments) -> anyhow::Result<Outcome> {
    let now = clock::now();
    let before = |days: u32| Timestamp(now.0 - i64::from(days) * DAY_US);
    let kept = Kept { from: before(asked.days), audit_from: before(asked.audit_days) };
    let removed = store.remove_old(kept, asked.dry_run).await.context("cannot remove what is old")?;
    let Removed { incidents, findings, notices, audit } = removed.unwrap_or_default();
    let (days, audit_days) = (asked.days, asked.audit_days);
    let words = format!(
        "{incidents} closed incidents, {findings} findings and {notices} notices older than {days} days; {audit} entries of the \
         audit log older than {audit_days} days"
    );
    if !asked.dry_run {
        if audit > 0 {
            let entry =
                AuditEntry::new(now, By::named("c0di3 db retention"), "audit.retention", "", AuditOutcome::Done);
            let told = format!("{audit} entries older than {audit_days} days were removed");
            store.append(&[entry.saying(told)]).await.context("cannot write to the audit log")?;
        }
        let done = TaskDone { name: "retention".to_owned(), at: now, detail: words.clone() };
        store.task_done(&done).await.context("cannot note the task")?;
    }
    writeln!(std::io::stdout(), "{}: {words}", if asked.dry_run { "would be removed" } else { "removed" })?;
    Ok(Outcome::Done)
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
