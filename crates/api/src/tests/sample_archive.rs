//! An archive for tests of the API.

use event::FindingId;
use tokio::sync::mpsc::{Receiver, channel};

use std::time::Duration;

use crate::event_archive::{
    EventArchive, EventRows, HuntCounts, HuntId, HuntOrder, HuntPhase, HuntRunsView, HuntState, LinesAround, RowsForm,
    SavedHuntView, SourceLine, Unanswerable,
};

/// An archive whose answers have the form of real ones (real ones are tested where they are).
pub(super) struct SampleArchive;

#[async_trait::async_trait]
impl EventArchive for SampleArchive {
    async fn around(&self, finding: FindingId, _before: u64, _after: u64) -> Result<Vec<LinesAround>, Unanswerable> {
        let line = SourceLine { line_no: 1, original: "raw".to_owned(), is_evidence: true };
        let note = Some("cut".to_owned());
        match finding.0 {
            1..=9 => Ok(vec![LinesAround { source: "a.log".to_owned(), lines: vec![line], note }]),
            _ => Err(Unanswerable::NoSuchFinding),
        }
    }

    async fn search(&self, search: String, _rows: usize) -> Result<EventRows, Unanswerable> {
        match search.as_str() {
            "" => Ok(EventRows::default()),
            _ => Err(Unanswerable::Refused("no such field".to_owned())),
        }
    }

    async fn saved(&self) -> Result<Vec<SavedHuntView>, Unanswerable> {
        let runs = HuntRunsView {
            until: "2026-11-29T10:00:00Z".to_owned(),
            runs: 3,
            failures: 0,
            findings: 1,
            last_at: "2026-11-29T10:02:00Z".to_owned(),
            last_took_ms: 12,
            last_rows: 1,
            last_error: String::new(),
        };
        let hunt = |id: &str, every_seconds, runs| SavedHuntView {
            id: id.to_owned(),
            title: id.to_owned(),
            description: String::new(),
            question: "SELECT 1".to_owned(),
            level: "medium".to_owned(),
            every_seconds,
            runs,
        };
        Ok(vec![hunt("one", Some(3600), Some(runs)), hunt("two", None, None)])
    }

    async fn start(&self, order: HuntOrder) -> Result<HuntId, Unanswerable> {
        match order.question.as_str() {
            "" => Err(Unanswerable::Failed),
            "SELECT 1" => Ok(1),
            _ => Err(Unanswerable::Busy("too many".to_owned())),
        }
    }

    async fn state(&self, hunt: HuntId, _wait: Duration) -> Option<HuntState> {
        (hunt <= 3).then(|| HuntState {
            id: hunt,
            question: "SELECT 1".to_owned(),
            asked_by: "ann".to_owned(),
            state: [HuntPhase::Running, HuntPhase::Done, HuntPhase::Failed][hunt as usize % 3],
            started_at: "2026-11-30T10:00:00Z".to_owned(),
            seconds: 1.5,
            progress: HuntCounts::default(),
            error: None,
            is_away: false,
        })
    }

    async fn hunts(&self) -> Vec<HuntState> {
        self.state(1, Duration::ZERO).await.into_iter().collect()
    }

    async fn first_rows(&self, _hunt: HuntId, _rows: usize) -> Result<EventRows, Unanswerable> {
        Ok(EventRows::default())
    }

    async fn rows(&self, _hunt: HuntId, _form: RowsForm) -> Result<Receiver<std::io::Result<Vec<u8>>>, Unanswerable> {
        let (send, pieces) = channel(1);
        let _sent = send.try_send(Ok(b"{}\n".to_vec()));
        Ok(pieces)
    }

    async fn remove(&self, hunt: HuntId) -> bool {
        hunt <= 3
    }
}
