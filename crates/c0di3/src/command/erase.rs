//! `c0di3 archive erase`: the events of one subject go from the archive. It runs beside an analyzer, compaction and questions; killed
//! at any moment it leaves every file whole, and run again it goes on. What was done stands in the audit log, without the value.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use archive::{ArchivePlace, PlaceSettings, Subject, Writer};
use event::{ArchiveFile, Timestamp};
use store::audit::{AuditEntry, Outcome as Ended};
use store::{FileQuery, Store, Use};
use tokio::runtime::Runtime;

use super::token::by;
use crate::cli::EraseArguments;
use crate::clock;
use crate::config::{self, ArchiveConfig, Config};
use crate::outcome::{Outcome, Usage, tell};

/// How often the catalogue is read again: what was compacted meanwhile is looked at once more.
const PASSES_MAX: usize = 20;

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 300;

struct Erasure {
    store: Arc<dyn Store>,
    runtime: Runtime,
    writer: Writer,
    subject: Subject,
    dry_run: bool,
    events: u64,
    files: u64,
}

pub(crate) fn run(config: &Config, arguments: &EraseArguments) -> anyhow::Result<Outcome> {
    let reason = checked_reason(&arguments.reason)?;
    let kept = &config.store.archive;
    let place = named_place(kept, arguments.at.archive.as_deref())?;
    let values = std::iter::once(arguments.value.clone()).chain(kept.privacy.hashed(&arguments.value)).collect();
    let subject = Subject::new(&arguments.field, values).map_err(Usage)?;
    let url = arguments.at.store.clone().unwrap_or_else(|| config.store.url.clone());
    config::check_store_url(&url).map_err(|reason| Usage(format!("--store: {reason}")))?;
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let store = runtime.block_on(store::open(&url, Use::Ask))?;
    let name = runtime.block_on(store.archive_name())?;
    let began = clock::now();
    let place = ArchivePlace::of(&place, runtime.handle().clone())?;
    let writer = Writer::beside(&place, &name, began).with_context(|| format!("cannot use the archive {place}"))?;
    let mut erasure = Erasure { store, runtime, writer, subject, dry_run: arguments.dry_run, events: 0, files: 0 };
    // A value is known again in the log by a digest that only this store makes; the value itself is not kept.
    let digest = event::block::digest(&[name.as_bytes(), arguments.value.as_bytes()]);
    let about = format!("{}, value {:016x}: {reason}", arguments.field, (digest >> 64) as u64);
    if !arguments.dry_run {
        erasure.note(began, Ended::Done, format!("begun: {about}"))?;
    }
    let done = erasure.erase();
    let (events, files) = (erasure.events, erasure.files);
    if !arguments.dry_run {
        let ended = if done.is_ok() { Ended::Done } else { Ended::Failed };
        erasure.note(clock::now(), ended, format!("{events} events of {files} files erased: {about}"))?;
    }
    done?;
    erasure.runtime.block_on(erasure.store.close());
    let verb = if arguments.dry_run { "would be erased" } else { "erased" };
    writeln!(std::io::stdout(), "{events} events {verb} from {files} files")?;
    if events > 0 && !arguments.dry_run {
        tell("no question finds them any more; an analyzer removes the old files 15 minutes from now");
        tell("note: evidence of findings, backups, and events that come later are not touched");
    }
    Ok(Outcome::Done)
}

/// Why something goes, as the audit log keeps it.
pub(super) fn checked_reason(written: &str) -> Result<&str, Usage> {
    let reason = written.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(Usage(format!("--reason: 1 to {REASON_CHARS_MAX} characters")));
    }
    Ok(reason)
}

/// The archive that the argument names, or the configured one.
pub(super) fn named_place(kept: &ArchiveConfig, named: Option<&str>) -> Result<PlaceSettings, Usage> {
    let place = named.map(|folder| kept.reached.at(folder)).or_else(|| kept.place.clone());
    let place =
        place.ok_or_else(|| Usage("no archive is configured: name its folder with --archive DIR".to_owned()))?;
    place.check().map_err(|reason| Usage(format!("--archive: {reason}")))?;
    Ok(place)
}

impl Erasure {
    fn note(&self, at: Timestamp, ended: Ended, detail: String) -> anyhow::Result<()> {
        let entry = AuditEntry::new(at, by("c0di3 archive erase"), "archive.erase", "archive", ended).saying(detail);
        let noted = self.runtime.block_on(self.store.append(&[entry]));
        noted.context("cannot write the audit log: nothing is erased without it")
    }

    /// Goes through the catalogue until a whole pass finds nothing more.
    fn erase(&mut self) -> anyhow::Result<()> {
        for _ in 0..PASSES_MAX {
            let files = self.runtime.block_on(self.store.archive_files(&FileQuery::default()))?;
            let mut again = false;
            for file in &files {
                if self.subject.may_be_in(file) {
                    again |= self.erase_from(file)?;
                }
            }
            if !again || self.dry_run {
                return Ok(());
            }
        }
        anyhow::bail!("events of the subject came faster than they could be erased: run it again")
    }

    /// Whether the catalogue has to be read again because of this file.
    fn erase_from(&mut self, file: &ArchiveFile) -> anyhow::Result<bool> {
        let read = self.writer.without(file, &self.subject);
        let rewritten = match read {
            // Compaction may have put another in its place, and its time may have come.
            Err(error) if self.is_gone(file)? => {
                tracing::debug!(%error, "a file went while it was read");
                return Ok(true);
            }
            read => read.with_context(|| format!("cannot write {} anew", file.path))?,
        };
        let Some(rewritten) = rewritten else { return Ok(false) };
        let rest: Vec<ArchiveFile> = rewritten.rest.into_iter().collect();
        let paths: Vec<String> = rest.iter().map(|file| file.path.clone()).collect();
        if !self.dry_run {
            let old = std::slice::from_ref(&file.path);
            let replaced = self.store.replace_archive_files(old, &rest, clock::now());
            if !self.runtime.block_on(replaced)? {
                self.writer.place().remove(&paths)?;
                return Ok(true);
            }
        } else {
            self.writer.place().remove(&paths)?;
        }
        self.events += rewritten.erased;
        self.files += 1;
        Ok(true)
    }

    fn is_gone(&self, file: &ArchiveFile) -> anyhow::Result<bool> {
        let known = self.runtime.block_on(self.store.archive_files(&FileQuery::default()))?;
        Ok(!known.iter().any(|known| known.path == file.path))
    }
}
