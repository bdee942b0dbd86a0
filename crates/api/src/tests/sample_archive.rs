//! An archive for tests of the API.

use event::FindingId;

use crate::event_archive::{EventArchive, EventRows, LinesAround, SourceLine, Unanswerable};

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

    async fn hunt(&self, question: String, _rows: usize) -> Result<EventRows, Unanswerable> {
        Err(match question.len() {
            0 => Unanswerable::Failed,
            _ => Unanswerable::Busy("it took too long".to_owned()),
        })
    }
}
