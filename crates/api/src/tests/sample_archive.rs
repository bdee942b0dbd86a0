//! An archive for tests of the API.

use event::FindingId;
use tokio::sync::mpsc::{Receiver, channel};

use std::time::Duration;

use crate::backtest_report::{BacktestReport, JoinOutcome, RuleOutcome, TriedRule};
use crate::event_archive::{
    BacktestCounts, BacktestOrder, BacktestState, EventArchive, EventRows, Facet, FacetValue, FoundEvents, Histogram,
    HistogramBar, HuntCounts, HuntId, HuntOrder, HuntPhase, HuntRunsView, HuntState, LinesAround, RowsForm,
    SavedHuntView, SearchOrder, SourceLine, Unanswerable,
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

    async fn search(&self, order: SearchOrder) -> Result<FoundEvents, Unanswerable> {
        let value = FacetValue { value: "192.0.2.1".into(), count: 3 };
        let facet = |field: String| Facet { field, values: vec![value.clone()], has_more: false };
        let histogram = |width_us: i64| Histogram {
            width_seconds: width_us as u64 / 1_000_000,
            bars: vec![HistogramBar { time: "2026-11-30T10:00:00Z".to_owned(), count: 3 }],
            has_more: false,
        };
        match order.search.as_str() {
            "" => Ok(FoundEvents {
                rows: EventRows::default(),
                facets: order.facets.into_iter().map(facet).collect(),
                histogram: order.histogram_us.map(histogram),
            }),
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

    async fn backtest(&self, order: BacktestOrder) -> Result<HuntId, Unanswerable> {
        match (order.rule.as_str(), order.text.as_deref()) {
            ("one", None) => Ok(1),
            ("one", Some(_)) => Err(Unanswerable::RuleRefused(vec!["line 1: no title".to_owned()])),
            _ => Err(Unanswerable::NoSuchRule("there is no such rule".to_owned())),
        }
    }

    async fn backtest_state(&self, backtest: HuntId, _wait: Duration) -> Option<BacktestState> {
        let outcome = RuleOutcome {
            rule: TriedRule { id: "one".to_owned(), title: "One".to_owned(), level: "high".to_owned() },
            hits: 2,
            findings: 1,
            hits_by_day: [("2026-11-30".to_owned(), 2)].into(),
            findings_by_day: [("2026-11-30".to_owned(), 1)].into(),
            entities: Vec::new(),
            example: None,
        };
        let report = BacktestReport {
            since: None,
            events: 9,
            events_left_out: 0,
            findings: 1,
            is_cut: false,
            rules: vec![outcome],
            incidents: JoinOutcome::default(),
        };
        (backtest <= 3).then(|| BacktestState {
            id: backtest,
            rule: "one".to_owned(),
            is_new: false,
            asked_by: "ann".to_owned(),
            state: [HuntPhase::Running, HuntPhase::Done, HuntPhase::Failed][backtest as usize % 3],
            started_at: "2026-11-30T10:00:00Z".to_owned(),
            seconds: 1.5,
            progress: BacktestCounts::default(),
            error: None,
            report: Some(report),
        })
    }

    async fn backtests(&self) -> Vec<BacktestState> {
        self.backtest_state(1, Duration::ZERO).await.into_iter().collect()
    }

    async fn end_backtest(&self, backtest: HuntId) -> bool {
        backtest <= 3
    }

    async fn remove(&self, hunt: HuntId) -> bool {
        hunt <= 3
    }
}
