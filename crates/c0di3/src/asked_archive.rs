//! The archive as the API asks it. Questions run on threads of their own, a few at a time, so that neither requests nor commits wait
//! for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::event_archive::{
    BacktestOrder, BacktestState, EventArchive, EventRows, FoundEvents, HuntId, HuntOrder, HuntRunsView, HuntState,
    LinesAround, RowsForm, SavedHuntView, SearchOrder, SourceLine, Unanswerable,
};
use archive::{
    Answer, ArchivePlace, FACET_VALUES_MAX, FoundLine, HISTOGRAM_BARS_MAX, Hunt, HuntError, HuntFunction, HuntLimits,
    Passage, PlaceSettings, Search,
};
use async_trait::async_trait;
use event::{ArchiveFile, FindingId, Timestamp};
use serde_json::Value;
use store::hunts::HuntState as StoredHunt;
use store::{FileQuery, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::backtests::{BacktestInput, BacktestSettings, Backtests};
use crate::clock;
use crate::facets::{facet_of, histogram_of};
use crate::hunts::{HuntInput, Hunts};
use crate::saved_hunts::{SavedHunt, SavedHunts};

/// Questions that run at once.
const QUESTIONS_MAX: usize = 4;

/// Threads of all questions.
const THREADS: usize = 2;

/// Rows that the question of a saved search asks for.
const SAVED_ROWS: usize = 100;

/// Longest that a question takes.
const TIME_MAX: Duration = Duration::from_secs(25);

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
    backtests: Backtests,
    /// `None`: rules cannot be tried.
    rules: Option<BacktestSettings>,
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
        let (hunts, backtests) = (Hunts::new()?, Backtests::default());
        Ok(AskedArchive { place, saved, store, runtime: Some(runtime), room, hunts, backtests, rules: None, functions })
    }

    /// Rules can be tried on the events.
    pub(crate) fn with_rules(mut self, rules: BacktestSettings) -> AskedArchive {
        self.rules = Some(rules);
        self
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

    /// The lines of passages among the events between two times.
    async fn lines(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        passages: &[Passage],
    ) -> Result<Vec<FoundLine>, Unanswerable> {
        let files = self.files(since, until).await?;
        let seat = self.seat()?;
        let Some(runtime) = &self.runtime else { return Err(Unanswerable::Failed) };
        let (place, wanted, all) = (self.place.clone(), passages.to_vec(), files.clone());
        let read = runtime.spawn_blocking(move || archive::lines_around(&place, &all, &wanted)).await;
        drop(seat);
        match read {
            Ok(Ok(Some(lines))) => Ok(lines),
            Ok(Ok(None)) => {
                let (question, rows) = (archive::passage_question(passages), archive::passage_rows(passages));
                Ok(self.ask(files, question, rows).await?.found_lines())
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the archive cannot be read");
                Err(Unanswerable::Away(error.to_string()))
            }
            Err(error) => {
                tracing::error!(%error, "reading the archive ended in an unexpected way");
                Err(Unanswerable::Failed)
            }
        }
    }

    /// The newest events of a search. Their times are asked for first: then only files with events so new are read whole.
    async fn newest(&self, search: &Search, files: &[ArchiveFile], rows: usize) -> Result<EventRows, Unanswerable> {
        let wanted = rows.saturating_add(1);
        let times = self.ask(files.to_vec(), search.times_question(wanted), wanted).await?;
        let (search, files) = match times.earliest() {
            Some(earliest) => {
                let near = files.iter().filter(|file| file.times.1 >= earliest);
                (search.clone().not_before(earliest), near.cloned().collect())
            }
            None => (search.clone(), files.to_vec()),
        };
        rows_of(&self.ask(files, search.question(wanted), rows).await?)
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
        let [close, far] = AROUND_US;
        let mut lines = self.lines(near(span.first_seen, -close), near(span.last_seen, close), &passages).await?;
        if !passages.iter().all(|passage| passage.is_whole(&passage.lines(&lines))) {
            lines = self.lines(near(span.first_seen, -far), near(span.last_seen, far), &passages).await?;
        }
        let around = |passage: archive::Passage| {
            let found = passage.lines(&lines);
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

    async fn search(&self, order: SearchOrder) -> Result<FoundEvents, Unanswerable> {
        let refused = Unanswerable::Refused;
        let search = Search::read(&order.search, clock::now()).map_err(|error| refused(error.to_string()))?;
        // A facet of a field that is not there is refused before anything is read.
        let facets = order.facets.iter().map(|field| search.facet(field, order.facet_values));
        let facets = facets.collect::<Result<Vec<String>, String>>().map_err(refused)?;
        let histogram = order.histogram_us.map(|width| search.histogram(width)).transpose().map_err(refused)?;
        let files = self.files(search.since, search.until).await?;
        let mut found = FoundEvents::default();
        let began = Instant::now();
        if order.rows > 0 {
            found.rows = self.newest(&search, &files, order.rows).await?;
        }
        let late = || Unanswerable::Busy(format!("it takes longer than {} s: ask for less", TIME_MAX.as_secs()));
        let rest = || TIME_MAX.checked_sub(began.elapsed()).ok_or_else(late);
        for (field, question) in order.facets.iter().zip(facets) {
            let asked = self.ask(files.clone(), question, FACET_VALUES_MAX + 1);
            let answer = tokio::time::timeout(rest()?, asked).await.map_err(|_| late())??;
            found.facets.push(facet_of(&answer, field, order.facet_values).ok_or(Unanswerable::Failed)?);
        }
        if let Some((question, width)) = histogram.zip(order.histogram_us) {
            let asked = self.ask(files, question, HISTOGRAM_BARS_MAX + 1);
            let answer = tokio::time::timeout(rest()?, asked).await.map_err(|_| late())??;
            found.histogram = Some(histogram_of(&answer, width).ok_or(Unanswerable::Failed)?);
        }
        Ok(found)
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

    async fn backtest(&self, order: BacktestOrder) -> Result<HuntId, Unanswerable> {
        let seat = self.seat()?;
        let (Some(runtime), Some(settings)) = (&self.runtime, self.rules.clone()) else {
            return Err(Unanswerable::Failed);
        };
        let (loading, asked) = (settings.clone(), order.clone());
        let set =
            runtime.spawn_blocking(move || loading.rules_of(&asked)).await.map_err(|_| Unanswerable::Failed)??;
        let files = self.files(order.since, None).await?;
        let (place, store) = (self.place.clone(), Arc::clone(&self.store));
        let input = BacktestInput { settings, place, files, set: Arc::new(set), store, jobs: THREADS, seat };
        Ok(self.backtests.start(order, input, runtime.handle()))
    }

    async fn backtest_state(&self, backtest: HuntId, wait: Duration) -> Option<BacktestState> {
        self.backtests.state(backtest, wait).await
    }

    async fn backtests(&self) -> Vec<BacktestState> {
        self.backtests.all()
    }

    async fn end_backtest(&self, backtest: HuntId) -> bool {
        self.backtests.remove(backtest)
    }
}
