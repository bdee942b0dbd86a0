//! The archive as the API asks it. Questions run on threads of their own, a few at a time, so that neither requests nor commits wait
//! for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::event_archive::{
    EventArchive, EventRows, HuntId, HuntOrder, HuntState, LinesAround, RowsForm, SourceLine, Unanswerable,
};
use archive::{Answer, Hunt, HuntError, HuntFunction, HuntLimits, Search};
use async_trait::async_trait;
use event::{ArchiveFile, FindingId, Timestamp};
use serde_json::Value;
use store::{FileQuery, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock;
use crate::hunts::{HuntInput, Hunts};

/// Questions that run at once.
const QUESTIONS_MAX: usize = 4;

/// Threads of all questions.
const THREADS: usize = 2;

/// Longest that a question takes.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Memory of each question, in bytes.
const MEMORY_BYTES: usize = 256 << 20;

/// Lines of evidence whose surroundings are shown.
const EVIDENCE_MAX: usize = 20;

/// How far, in event time, evidence lies from the lines around it, in microseconds: mostly minutes, at most a day.
pub(crate) const AROUND_US: [i64; 2] = [600 * event::time::SECOND_US, 86_400 * event::time::SECOND_US];

/// The archive of this process's configuration.
pub(crate) struct AskedArchive {
    root: PathBuf,
    store: Arc<dyn Store>,
    /// Until the process ends: a runtime may not be dropped where another one runs.
    runtime: Option<Runtime>,
    room: Arc<Semaphore>,
    hunts: Hunts,
    functions: Vec<HuntFunction>,
}

impl AskedArchive {
    pub(crate) fn new(
        root: PathBuf,
        store: Arc<dyn Store>,
        functions: Vec<HuntFunction>,
    ) -> std::io::Result<AskedArchive> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("hunt").enable_all().build()?;
        let room = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Ok(AskedArchive { root, store, runtime: Some(runtime), room, hunts: Hunts::new()?, functions })
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Unanswerable> {
        let busy = format!("{QUESTIONS_MAX} questions are being answered: try again shortly");
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| Unanswerable::Busy(busy))
    }

    async fn files(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ArchiveFile>, Unanswerable> {
        let query = FileQuery { dataset: None, since, until };
        self.store.archive_files(&query).await.map_err(|error| failed(&error))
    }

    async fn ask(&self, files: Vec<ArchiveFile>, question: String, rows: usize) -> Result<Answer, Unanswerable> {
        let _place = self.place()?;
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let limits =
            HuntLimits { rows, memory_bytes: MEMORY_BYTES, time: TIME_MAX, jobs: THREADS, ..HuntLimits::default() };
        let root = self.root.clone();
        let asked = runtime.spawn(async move { Hunt::new(&root, &files, limits)?.ask(&question).await });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error @ HuntError::TooLong(_))) => Err(Unanswerable::Busy(error.to_string())),
            Ok(Err(error)) => Err(Unanswerable::Refused(error.to_string())),
            Err(error) => {
                tracing::error!(%error, "a question to the archive ended in an unexpected way");
                Err(Unanswerable::Failed)
            }
        }
    }
}

impl Drop for AskedArchive {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn failed(error: &StoreError) -> Unanswerable {
    tracing::warn!(%error, "the catalogue of the archive cannot be read");
    Unanswerable::Failed
}

fn rows_of(answer: &Answer) -> Result<EventRows, Unanswerable> {
    let mut text = Vec::new();
    let read = |line: &[u8]| serde_json::from_slice::<BTreeMap<String, Value>>(line);
    let written = answer.write_ndjson(&mut text);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let data = written.ok().and_then(|()| lines.map(read).collect::<Result<Vec<_>, _>>().ok());
    let data = data.ok_or(Unanswerable::Failed)?;
    Ok(EventRows { data, has_more: answer.is_cut })
}

#[async_trait]
impl EventArchive for AskedArchive {
    async fn around(&self, finding: FindingId, before: u64, after: u64) -> Result<Vec<LinesAround>, Unanswerable> {
        let stored = self.store.get(finding).await.map_err(|error| failed(&error))?;
        let finding = stored.ok_or(Unanswerable::NoSuchFinding)?.finding;
        let near = |time: Option<Timestamp>, by: i64| time.map(|time| time.saturating_add_us(by));
        let span = finding.span;
        let mut passages = archive::passages(&finding.evidence, before, after);
        passages.truncate(EVIDENCE_MAX);
        let (question, rows) = (archive::passage_question(&passages), archive::passage_rows(&passages));
        let [close, far] = AROUND_US;
        let files = self.files(near(span.first_seen, -close), near(span.last_seen, close)).await?;
        let mut answer = self.ask(files, question.clone(), rows).await?;
        if !passages.iter().all(|passage| passage.is_whole(&passage.lines(&answer))) {
            let files = self.files(near(span.first_seen, -far), near(span.last_seen, far)).await?;
            answer = self.ask(files, question, rows).await?;
        }
        let around = |passage: archive::Passage| {
            let found = passage.lines(&answer);
            let note = passage.missing(&found).map(str::to_owned);
            let line = |line: archive::PassageLine| SourceLine {
                line_no: line.number,
                original: line.text,
                is_evidence: line.is_evidence,
            };
            LinesAround { source: passage.source, lines: found.into_iter().map(line).collect(), note }
        };
        Ok(passages.into_iter().map(around).collect())
    }

    async fn search(&self, search: String, rows: usize) -> Result<EventRows, Unanswerable> {
        let search = Search::read(&search, clock::now()).map_err(|error| Unanswerable::Refused(error.to_string()))?;
        let files = self.files(search.since, search.until).await?;
        rows_of(&self.ask(files, search.question(rows.saturating_add(1)), rows).await?)
    }

    async fn start(&self, order: HuntOrder) -> Result<HuntId, Unanswerable> {
        let place = self.place()?;
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let files = self.files(None, None).await?;
        let limits = HuntLimits { memory_bytes: MEMORY_BYTES, jobs: THREADS, ..HuntLimits::default() };
        let functions = self.functions.clone();
        let input = HuntInput { root: self.root.clone(), files, limits, functions, place };
        Ok(self.hunts.start(order, input, runtime.handle()))
    }

    async fn state(&self, hunt: HuntId, wait: Duration) -> Option<HuntState> {
        self.hunts.state(hunt, wait).await
    }

    async fn hunts(&self) -> Vec<HuntState> {
        self.hunts.all()
    }

    async fn first_rows(&self, hunt: HuntId, rows: usize) -> Result<EventRows, Unanswerable> {
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let path = self.hunts.path(hunt);
        let read = runtime.spawn_blocking(move || archive::first_rows(&path, rows)).await;
        let answer = read.map_err(|_| Unanswerable::Failed)?.map_err(|error| {
            tracing::warn!(%error, "the answer of a hunt cannot be read");
            Unanswerable::Failed
        });
        rows_of(&answer?)
    }

    async fn rows(&self, hunt: HuntId, form: RowsForm) -> Result<Receiver<std::io::Result<Vec<u8>>>, Unanswerable> {
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        self.hunts.rows(hunt, form, runtime.handle())
    }

    async fn remove(&self, hunt: HuntId) -> bool {
        self.hunts.remove(hunt)
    }
}
