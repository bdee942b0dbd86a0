//! An archive that is open for questions: its folder, the store that knows its files, and the limits of an answer.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use archive::{Answer, ArchivePlace, Hunt, HuntError, HuntFunction, HuntLimits};
use event::{ArchiveFile, Timestamp};
use store::{FileQuery, Store, Use};
use tokio::runtime::Runtime;

use crate::cli::{AnswerFormat, ArchiveArguments};
use crate::config::{self, Config};
use crate::hunt_functions::hunt_functions;
use crate::outcome::{Outcome, Usage, tell};
use crate::screen::Screen;

/// An archive that is open for questions.
pub(super) struct OpenArchive {
    pub(super) root: ArchivePlace,
    pub(super) store: Arc<dyn Store>,
    pub(super) runtime: Runtime,
    pub(super) limits: HuntLimits,
    functions: Vec<HuntFunction>,
}

impl OpenArchive {
    pub(super) fn of(config: &Config, arguments: &ArchiveArguments) -> anyhow::Result<OpenArchive> {
        let kept = &config.store.archive;
        let named = arguments.archive.as_ref().map(|folder| kept.reached.at(folder));
        let reason = "no archive is configured: name its folder with --archive DIR";
        let place = named.or_else(|| kept.place.clone()).ok_or_else(|| Usage(reason.to_owned()))?;
        place.check().map_err(|reason| Usage(format!("--archive: {reason}")))?;
        let url = arguments.store.clone().unwrap_or_else(|| config.store.url.clone());
        config::check_store_url(&url).map_err(|reason| Usage(format!("--store: {reason}")))?;
        crate::command::install_tls();
        let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
        let root = ArchivePlace::of(&place, runtime.handle().clone())?;
        if !root.is_there() {
            let reason = "`c0di3 serve` keeps one, and `c0di3 replay --archive DIR`";
            return Err(Usage(format!("there is no archive in {root}: {reason}")).into());
        }
        let store = runtime.block_on(store::open(&url, Use::Ask))?;
        let span = event::time::parse_span_us(&arguments.timeout).filter(|span| *span > 0);
        let span =
            span.ok_or_else(|| Usage(format!("--timeout: `{}` is no time span such as 60s", arguments.timeout)))?;
        let limits = HuntLimits {
            rows: arguments.limit,
            memory_bytes: arguments.memory_mb << 20,
            time: Duration::from_micros(span as u64),
            ..HuntLimits::default()
        };
        Ok(OpenArchive { root, store, runtime, limits, functions: hunt_functions(config) })
    }

    pub(super) fn files(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> anyhow::Result<Vec<ArchiveFile>> {
        let query = FileQuery { dataset: None, since, until };
        self.runtime.block_on(self.store.archive_files(&query)).context("cannot read the catalogue of the archive")
    }

    pub(super) fn ask(&self, files: &[ArchiveFile], question: &str) -> anyhow::Result<Answer> {
        let hunt = Hunt::new(&self.root, files, self.limits).map(|hunt| hunt.with_functions(&self.functions));
        let answer = hunt.and_then(|hunt| self.runtime.block_on(hunt.ask(question)));
        answer.map_err(|error| match error {
            HuntError::Refused(_) | HuntError::Failed(_) => Usage(error.to_string()).into(),
            HuntError::TooLong(_) | HuntError::Away(_) => error.into(),
        })
    }

    pub(super) fn print(&self, answer: &Answer, format: AnswerFormat) -> anyhow::Result<Outcome> {
        let mut out = if format == AnswerFormat::Table { Screen::open() } else { Screen::plain() };
        match format {
            AnswerFormat::Ndjson => answer.write_ndjson(&mut out)?,
            AnswerFormat::Csv => answer.write_csv(&mut out)?,
            AnswerFormat::Table => {
                let width = out.width();
                answer.write_table(&mut out, width)?;
            }
        }
        out.flush()?;
        drop(out);
        if answer.is_cut {
            tell(&format!("note: only the first {} rows are shown: --limit shows more", self.limits.rows));
        }
        Ok(Outcome::Done)
    }
}
