//! `GET /api/v1/sources` of the analyzer: what became of the events of every sender, all at one moment.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use event::Timestamp;
use ingest::accounts::{Account, Loss};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ingest::IngestState;

/// Accounts of all senders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SenderAccounts {
    /// The moment, as RFC 3339.
    at: String,
    /// By sender.
    data: Vec<SenderAccount>,
}

/// Received is the sum of committed, duplicates, in flight, and what was rejected, dropped or dead-lettered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SenderAccount {
    /// Protocol and address, such as `forward://192.0.2.1`.
    source: String,
    received: u64,
    /// Judged, and in the last checkpoint.
    committed: u64,
    duplicates: u64,
    /// Taken, and not committed yet.
    in_flight: u64,
    /// Not kept: by how (`rejected`, `dropped`, `dead_letter`) and why.
    lost: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Of those that were judged: lines that break the format that they begin with.
    unparsed: u64,
    /// When something came last.
    last_event: Option<String>,
    /// How long the oldest event in flight has waited, in seconds.
    lag_seconds: f64,
    pace: SenderPace,
    /// Time of the newest event less its reception, in seconds.
    clock_skew_seconds: Option<f64>,
}

/// How fast a sender sends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SenderPace {
    /// Events of the last whole minute.
    last_minute: u64,
    /// Events of a usual minute, by the sender's own history.
    usual_minute: f64,
}

/// What became of the events of every sender: received, committed, duplicates, in flight, lost and why; pace, lag and clock.
#[utoipa::path(
    get, path = "/api/v1/sources", tag = "ingest",
    responses((status = 200, description = "An account for each sender, all of one moment", body = SenderAccounts))
)]
pub(crate) async fn accounts(State(state): State<IngestState>) -> Json<SenderAccounts> {
    let now = (state.clock)();
    let all = state.spool.accounts().all();
    let data = all.into_iter().map(|(source, account)| shown(&source, &account, now)).collect();
    Json(SenderAccounts { at: now.to_string(), data })
}

fn shown(source: &str, account: &Account, now: Timestamp) -> SenderAccount {
    let mut lost: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for ((how, reason), number) in &account.lost {
        lost.entry(Loss::name(*how)).or_default().insert(*reason, *number);
    }
    let (last_minute, usual_minute) = account.pace(now);
    SenderAccount {
        source: source.to_owned(),
        received: account.received,
        committed: account.committed,
        duplicates: account.duplicates,
        in_flight: account.in_flight,
        lost,
        unparsed: account.unparsed,
        last_event: account.last.map(|last| last.to_string()),
        lag_seconds: account.oldest.map_or(0.0, |oldest| (now.0 - oldest.0).max(0) as f64 / 1e6),
        pace: SenderPace { last_minute, usual_minute: (usual_minute * 100.0).round() / 100.0 },
        clock_skew_seconds: account.skew_us.map(|skew| skew as f64 / 1e6),
    }
}
