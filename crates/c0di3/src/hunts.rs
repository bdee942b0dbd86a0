//! Hunts of the API: questions to the archive that go on while nobody waits for them. Each has an answer in a file of a temporary folder,
//! which is gone with the process; old answers make room for new ones. Nothing here knows HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::event_archive::{HuntCounts, HuntId, HuntOrder, HuntPhase, HuntState, RowsForm, Unanswerable};
use archive::{
    AnswerForm, AnswerSize, AnswerWriter, ArchivePlace, Hunt, HuntError, HuntFunction, HuntLimits, HuntMeter,
    copy_answer,
};
use event::{ArchiveFile, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::AbortHandle;

use crate::clock;
use crate::hunt_folder::HuntFolder;

/// Hunts that are known; beyond it the oldest that has ended is forgotten.
const KNOWN_MAX: usize = 32;

/// Bytes of one answer. What is beyond is cut, and the hunt says so.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Bytes of all answers; beyond it the oldest is forgotten.
const ANSWERS_BYTES_MAX: u64 = 1 << 30;

/// Bytes of an answer that go to a client at once.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces that wait for a client.
const PIECES: usize = 4;

/// What a hunt reads, and what it may take.
pub(crate) struct HuntInput {
    pub(crate) place: ArchivePlace,
    pub(crate) files: Vec<ArchiveFile>,
    pub(crate) limits: HuntLimits,
    pub(crate) functions: Vec<HuntFunction>,
    /// A seat among the questions that run at once.
    pub(crate) seat: OwnedSemaphorePermit,
}

/// All hunts since the process began.
pub(crate) struct Hunts {
    folder: HuntFolder,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    last: HuntId,
    hunts: BTreeMap<HuntId, KnownHunt>,
}

/// One hunt, as it is asked about.
struct KnownHunt {
    order: HuntOrder,
    started_at: Timestamp,
    started: Instant,
    course: watch::Receiver<Course>,
    task: AbortHandle,
}

/// How a hunt is, as its task tells it.
#[derive(Clone, Debug, Default)]
struct Course {
    meter: Option<HuntMeter>,
    size: AnswerSize,
    /// How long it took, and why there is no answer.
    ended: Option<(Duration, Result<(), String>)>,
    /// The events could not be read where they lie.
    is_away: bool,
}

impl Hunts {
    pub(crate) fn new() -> std::io::Result<Hunts> {
        Ok(Hunts { folder: HuntFolder::make()?, known: Mutex::default() })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, id: HuntId) -> PathBuf {
        self.folder.path().join(format!("{id}.arrows"))
    }

    /// Begins a hunt on the runtime.
    pub(crate) fn start(&self, order: HuntOrder, input: HuntInput, on: &Handle) -> HuntId {
        self.make_room();
        let mut known = self.known();
        known.last += 1;
        let id = known.last;
        let (tell, course) = watch::channel(Course::default());
        let (path, asked) = (self.path(id), order.clone());
        let task = on.spawn(async move {
            let started = Instant::now();
            let answered = tokio::time::timeout(asked.time_max, answer(&asked, &input, &path, &tell)).await;
            let answered = answered.unwrap_or(Err(HuntError::TooLong(asked.time_max)));
            let outcome = if answered.is_ok() { "done" } else { "failed" };
            metrics::counter!("hunts_total", "outcome" => outcome).increment(1);
            let is_away = matches!(answered, Err(HuntError::Away(_)));
            let ended = answered.map_err(|error| error.to_string());
            tell.send_modify(|course| {
                course.is_away = is_away;
                course.ended = Some((started.elapsed(), ended));
            });
        });
        let hunt =
            KnownHunt { order, started_at: clock::now(), started: Instant::now(), course, task: task.abort_handle() };
        known.hunts.insert(id, hunt);
        id
    }

    /// Forgets old answers, so that one more has room.
    fn make_room(&self) {
        let mut known = self.known();
        let bytes = |known: &Known| known.hunts.values().map(|hunt| hunt.course.borrow().size.bytes).sum::<u64>();
        while known.hunts.len() >= KNOWN_MAX || bytes(&known) + ANSWER_BYTES_MAX > ANSWERS_BYTES_MAX {
            let mut ended = known.hunts.iter().filter(|(_, hunt)| hunt.course.borrow().ended.is_some());
            let Some(oldest) = ended.next().map(|(id, _)| *id) else { return };
            known.hunts.remove(&oldest);
            remove_file(&self.path(oldest));
            metrics::counter!("hunts_forgotten_total").increment(1);
        }
    }

    /// How a hunt is once it has ended, or after so long.
    pub(crate) async fn state(&self, id: HuntId, wait: Duration) -> Option<HuntState> {
        let mut course = self.known().hunts.get(&id)?.course.clone();
        // Where the time is over, or the hunt was removed, it is told as it is.
        let _waited = tokio::time::timeout(wait, course.wait_for(|course| course.ended.is_some())).await.is_ok();
        self.known().hunts.get(&id).map(|hunt| hunt.state(id))
    }

    pub(crate) fn all(&self) -> Vec<HuntState> {
        self.known().hunts.iter().rev().map(|(id, hunt)| hunt.state(*id)).collect()
    }

    pub(crate) fn is_done(&self, id: HuntId) -> bool {
        let known = self.known();
        let ended = known.hunts.get(&id).and_then(|hunt| hunt.course.borrow().ended.clone());
        ended.is_some_and(|(_, ended)| ended.is_ok())
    }

    /// Ends a hunt and forgets its answer.
    pub(crate) fn remove(&self, id: HuntId) -> bool {
        let removed = self.known().hunts.remove(&id);
        let is_known = removed.is_some();
        if let Some(hunt) = removed {
            if hunt.course.borrow().ended.is_none() {
                metrics::counter!("hunts_total", "outcome" => "ended").increment(1);
            }
            hunt.task.abort();
            remove_file(&self.path(id));
        }
        is_known
    }

    /// The answer of a hunt in pieces, as fast as they are taken.
    pub(crate) fn rows(
        &self,
        id: HuntId,
        form: RowsForm,
        on: &Handle,
    ) -> Result<Receiver<std::io::Result<Vec<u8>>>, Unanswerable> {
        if !self.is_done(id) {
            return Err(Unanswerable::Busy("the hunt has no answer".to_owned()));
        }
        let form = match form {
            RowsForm::Ndjson => AnswerForm::Ndjson,
            RowsForm::Csv => AnswerForm::Csv,
            RowsForm::Parquet => AnswerForm::Parquet,
            RowsForm::Arrow => AnswerForm::Arrow,
        };
        let path = self.path(id);
        let (send, pieces) = channel(PIECES);
        drop(on.spawn_blocking(move || {
            let mut out = Pieces { send, piece: Vec::with_capacity(PIECE_BYTES) };
            let copied = copy_answer(&path, form, &mut out).and_then(|()| std::io::Write::flush(&mut out));
            if let Err(error) = copied {
                // A client that went away hears nothing.
                let _told = out.send.blocking_send(Err(error)).is_ok();
            }
        }));
        Ok(pieces)
    }
}

impl KnownHunt {
    fn state(&self, id: HuntId) -> HuntState {
        let course = self.course.borrow().clone();
        let progress = course.meter.map(|meter| meter.progress()).unwrap_or_default();
        let (state, error) = match &course.ended {
            None => (HuntPhase::Running, None),
            Some((_, Ok(()))) => (HuntPhase::Done, None),
            Some((_, Err(error))) => (HuntPhase::Failed, Some(error.clone())),
        };
        let took = course.ended.map_or_else(|| self.started.elapsed(), |(took, _)| took);
        HuntState {
            id,
            question: self.order.question.clone(),
            asked_by: self.order.asked_by.clone(),
            state,
            started_at: self.started_at.to_string(),
            seconds: took.as_secs_f64(),
            progress: HuntCounts {
                files: progress.files,
                file_bytes: progress.file_bytes,
                read_bytes: progress.read_bytes,
                rows: course.size.rows,
                is_cut: course.size.is_cut,
            },
            error,
            is_away: course.is_away,
        }
    }
}

/// Writes the answer to a file.
async fn answer(
    order: &HuntOrder,
    input: &HuntInput,
    path: &Path,
    tell: &watch::Sender<Course>,
) -> Result<(), HuntError> {
    let _seat = &input.seat;
    let hunt = Hunt::new(&input.place, &input.files, input.limits)?.with_functions(&input.functions);
    let mut running = hunt.start(&order.question).await?;
    tell.send_modify(|course| course.meter = Some(running.meter().clone()));
    let failed = |error: std::io::Error| HuntError::Failed(format!("the answer cannot be written: {error}"));
    let mut out = AnswerWriter::create(path, &running.schema(), order.rows_max, ANSWER_BYTES_MAX).map_err(failed)?;
    while let Some(rows) = running.next().await {
        let goes_on = out.write(&rows?).map_err(failed)?;
        tell.send_modify(|course| course.size = out.size());
        if !goes_on {
            break;
        }
    }
    let size = out.finish().map_err(failed)?;
    tell.send_modify(|course| course.size = size);
    Ok(())
}

fn remove_file(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "the answer of a hunt cannot be removed");
        }
        _ => {}
    }
}

/// Sends what is written in pieces.
struct Pieces {
    send: Sender<std::io::Result<Vec<u8>>>,
    piece: Vec<u8>,
}

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        if piece.is_empty() { Ok(()) } else { self.send.blocking_send(Ok(piece)).map_err(gone) }
    }
}
