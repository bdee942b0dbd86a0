//! The archive as the API asks it. Questions run on threads of their own, a few at a time, so that neither requests nor commits wait
//! for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::event_archive::{
    EventArchive, EventRows, HuntId, HuntOrder, HuntRunsView, HuntState, LinesAround, RowsForm, SavedHuntView,
    SourceLine, Unanswerable,
};
use archive::{Answer, ArchivePlace, Hunt, HuntError, HuntFunction, HuntLimits, PlaceSettings, Search};
use async_trait::async_trait;
use event::{ArchiveFile, FindingId, Timestamp};
use serde_json::Value;
use store::hunts::HuntState as StoredHunt;
use store::{FileQuery, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock;
use crate::hunts::{HuntInput, Hunts};
use crate::saved_hunts::{SavedHunt, SavedHunts};

/// Questions that run at once.
const QUESTIONS_MAX: usize = 4;

/// Threads of all questions.
const THREADS: usize = 2;

/// Rows that the question of a saved search asks for.
const SAVED_ROWS: usize = 100;

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
    place: ArchivePlace,
    saved: Arc<SavedHunts>,
    store: Arc<dyn Store>,
    /// Until the process ends: a runtime may not be dropped where another one runs.
    runtime: Option<Runtime>,
    room: Arc<Semaphore>,
    hunts: Hunts,
    functions: Vec<HuntFunction>,
}

impl AskedArchive {
    pub(crate) fn new(
        place: &PlaceSettings,
        saved: Arc<SavedHunts>,
        store: Arc<dyn Store>,
        functions: Vec<HuntFunction>,
    ) -> anyhow::Result<AskedArchive> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("hunt").enable_all().build()?;
        let place = ArchivePlace::of(place, runtime.handle().clone())?;
        let room = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Ok(AskedArchive { place, saved, store, runtime: Some(runtime), room, hunts: Hunts::new()?, functions })
    }

    fn seat(&self) -> Result<OwnedSemaphorePermit, Unanswerable> {
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

    pub(crate) fn saved_hunts(&self) -> Arc<SavedHunts> {
        Arc::clone(&self.saved)
    }

    /// The answer of a saved hunt over the events between two times.
    pub(crate) async fn between(
        &self,
        question: String,
        span: (Timestamp, Timestamp),
        rows: usize,
    ) -> Result<EventRows, Unanswerable> {
        let files = self.files(Some(span.0), Some(span.1)).await?;
        rows_of(&self.ask_over(files, question, rows, Some(span)).await?)
    }

    async fn ask(&self, files: Vec<ArchiveFile>, question: String, rows: usize) -> Result<Answer, Unanswerable> {
        self.ask_over(files, question, rows, None).await
    }

    async fn ask_over(
        &self,
        files: Vec<ArchiveFile>,
        question: String,
        rows: usize,
        span: Option<(Timestamp, Timestamp)>,
    ) -> Result<Answer, Unanswerable> {
        let _seat = self.seat()?;
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let limits =
            HuntLimits { rows, memory_bytes: MEMORY_BYTES, time: TIME_MAX, jobs: THREADS, ..HuntLimits::default() };
        let (place, functions) = (self.place.clone(), self.functions.clone());
        let asked = runtime.spawn(async move {
            let hunt = match span {
                Some(span) => Hunt::between(&place, &files, limits, span),
                None => Hunt::new(&place, &files, limits),
            };
            hunt?.with_functions(&functions).ask(&question).await
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error @ HuntError::TooLong(_))) => Err(Unanswerable::Busy(error.to_string())),
            Ok(Err(error @ HuntError::Away(_))) => {
                tracing::warn!(%error, "the archive cannot be read");
                Err(Unanswerable::Away(error.to_string()))
            }
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

fn runs_of(state: &StoredHunt) -> HuntRunsView {
    HuntRunsView {
        until: state.until.to_string(),
        runs: state.runs,
        failures: state.failures,
        findings: state.findings,
        last_at: state.last_at.to_string(),
        last_took_ms: (state.last_took_us / 1000).max(0) as u64,
        last_rows: state.last_rows,
        last_error: state.last_error.clone(),
    }
}

fn view(hunt: &SavedHunt, runs: Option<HuntRunsView>) -> SavedHuntView {
    SavedHuntView {
        id: hunt.id.clone(),
        title: hunt.title.clone(),
        description: hunt.description.clone(),
        question: hunt.asked.sql(SAVED_ROWS, clock::now()).unwrap_or_default(),
        level: hunt.level.to_string(),
        every_seconds: hunt.schedule.map(|schedule| (schedule.every_us / event::time::SECOND_US) as u64),
        runs,
    }
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

    async fn saved(&self) -> Result<Vec<SavedHuntView>, Unanswerable> {
        let states = self.store.hunt_states().await.map_err(|error| failed(&error))?;
        let mut hunts: Vec<&SavedHunt> = self.saved.hunts.iter().collect();
        hunts.sort_by(|a, b| a.id.cmp(&b.id));
        let runs = |hunt: &SavedHunt| states.iter().find(|state| state.id == hunt.id).map(runs_of);
        Ok(hunts.into_iter().map(|hunt| view(hunt, runs(hunt))).collect())
    }

    async fn start(&self, order: HuntOrder) -> Result<HuntId, Unanswerable> {
        let seat = self.seat()?;
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let files = self.files(None, None).await?;
        let limits = HuntLimits { memory_bytes: MEMORY_BYTES, jobs: THREADS, ..HuntLimits::default() };
        let functions = self.functions.clone();
        let input = HuntInput { place: self.place.clone(), files, limits, functions, seat };
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
