//! `c0di3 archive forget-missing`: files of the archive that are lost go from the store's list, so that an analyzer starts and
//! questions are answered from what is left. It removes no file; what was forgotten stands in the audit log.

use std::io::Write;

use anyhow::Context;
use archive::{ArchivePlace, adopt, is_owned, missing};
use event::{ArchiveFile, Timestamp};
use store::audit::{AuditEntry, Outcome as Ended};
use store::{FileQuery, Store, Use};
use tokio::runtime::Runtime;

use super::erase::{checked_reason, named_place};
use super::token::by;
use crate::cli::ForgetArguments;
use crate::clock;
use crate::config::{self, Config};
use crate::outcome::{Outcome, Usage, tell};

/// Files that are named one by one.
const NAMED_MAX: usize = 20;

pub(crate) fn run(config: &Config, arguments: &ForgetArguments) -> anyhow::Result<Outcome> {
    let reason = checked_reason(&arguments.reason)?;
    let place = named_place(&config.store.archive, arguments.at.archive.as_deref())?;
    let url = arguments.at.store.clone().unwrap_or_else(|| config.store.url.clone());
    config::check_store_url(&url).map_err(|reason| Usage(format!("--store: {reason}")))?;
    super::check_is_there(&url)?;
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let store = runtime.block_on(store::open(&url, Use::Ask))?;
    let name = runtime.block_on(store.archive_name())?;
    let place = ArchivePlace::of(&place, runtime.handle().clone())?;
    let owned = is_owned(&place, &name).with_context(|| format!("cannot use the archive {place}"))?;
    // The list first: what is named in it was on the disk before.
    let known = runtime.block_on(store.archive_files(&FileQuery::default()))?;
    let gone = runtime.block_on(store.archive_files_gone(Timestamp(i64::MAX)))?;
    let paths = missing(&place, known.iter().map(|file| file.path.clone()).collect())?;
    let lost: Vec<&ArchiveFile> = known.iter().filter(|file| paths.contains(&file.path)).collect();
    let events: u64 = lost.iter().map(|file| file.events).sum();
    lost.iter().take(NAMED_MAX).for_each(|file| tell(&format!("missing: {}, {} events", file.path, file.events)));
    if lost.len() > NAMED_MAX {
        tell(&format!("and {} more", lost.len() - NAMED_MAX));
    }
    if !owned && !known.is_empty() {
        tell(&format!(
            "note: {place} is no archive, or is empty: is its disk mounted? What is forgotten does not come back with it"
        ));
    }
    let told = format!("{} of {} files with {events} events", lost.len(), known.len());
    if arguments.dry_run {
        writeln!(std::io::stdout(), "{told} are missing and would be forgotten")?;
        return Ok(Outcome::Done);
    }
    let note = |detail: String| {
        let entry =
            AuditEntry::new(clock::now(), by("c0di3 archive forget-missing"), "archive.forget", "archive", Ended::Done);
        let noted = runtime.block_on(store.append(&[entry.saying(detail)]));
        noted.context("cannot write the audit log: nothing is forgotten without it")
    };
    note(format!("{told} are missing from {place} and are forgotten: {reason}"))?;
    adopt(&place, &name).with_context(|| format!("cannot use the archive {place}"))?;
    let gone = missing(&place, gone)?;
    runtime.block_on(forget(&*store, &paths, gone))?;
    runtime.block_on(store.close());
    writeln!(std::io::stdout(), "{told} are forgotten")?;
    tell("findings keep their evidence; start the analyzer, or restart it");
    Ok(Outcome::Done)
}

/// `gone`: those that the store had given up already, and that nobody has to remove any more.
async fn forget(store: &dyn Store, paths: &[String], gone: Vec<String>) -> anyhow::Result<()> {
    let marked = store.replace_archive_files(paths, &[], clock::now()).await?;
    anyhow::ensure!(marked, "files were joined or given up meanwhile: run it again");
    store.forget_archive_files(&[paths, &gone].concat()).await?;
    Ok(())
}
