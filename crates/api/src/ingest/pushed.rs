//! A body that somebody pushes: who, in which protocol, how it is to be read; and what is told of it once it is on disk.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use ingest::push::Report;
use ingest::spool::Ticket;
use spans::{Kind, Span, TracePoint};

use super::memory::IngestState;
use super::refusals::refusal;
use super::work::Reading;
use crate::problem::Problem;

/// Longest wait for the disk.
const DURABLE_MAX: Duration = Duration::from_secs(20);

/// Address of whoever is connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A body that somebody pushes.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// Name of the protocol: label of counters, and part of the name of the source.
    pub(crate) source: &'static str,
    pub(crate) peer: Option<Peer>,
    /// Bytes that are announced.
    pub(crate) announced: Option<u64>,
    /// Content encoding.
    pub(crate) encoding: String,
    pub(crate) reading: Reading,
    /// Digest of the name that the sender gave the batch.
    pub(crate) batch_id: Option<u128>,
    /// The span that it is taken in, where it is traced.
    pub(crate) cause: Option<TracePoint>,
}

impl Pushed {
    pub(crate) fn new(source: &'static str, peer: Option<Peer>, headers: &HeaderMap, reading: Reading) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or("");
        let encoding = encoding.to_owned();
        Pushed { source, peer, announced, encoding, reading, batch_id: None, cause: spans::current() }
    }

    /// The span of taking it, within that of the request.
    pub(super) fn receive(&mut self) -> Span {
        let mut span = Span::start("receive", Kind::Internal, self.cause.as_ref());
        span.note("c0di3.source", self.source);
        self.cause = span.place();
        span
    }

    /// Name of the source of its events.
    pub(super) fn origin(&self) -> String {
        let peer = self.peer.map_or_else(|| "unknown".to_owned(), |Peer(address)| address.to_canonical().to_string());
        if self.source == "http" { format!("http://{peer}") } else { format!("{}+http://{peer}", self.source) }
    }
}

/// Id of the sender's token; empty where there are none.
#[derive(Clone, Debug)]
pub(crate) struct Sender(pub(crate) String);

/// Returns when the ticket's batch is synced to disk.
pub(super) async fn durable(state: &IngestState, ticket: Ticket) -> Result<(), Problem> {
    let durable = tokio::time::timeout(DURABLE_MAX, state.spool.durable(ticket)).await;
    durable.map_err(|_| Problem::busy("the disk is slow: send it again"))?.map_err(|refused| refusal(&refused))
}

/// Says in the span what became of the body.
pub(super) fn note(span: &mut Span, result: &Result<Report, Problem>) {
    match result {
        Ok(report) => {
            span.note("c0di3.events", i64::try_from(report.events).unwrap_or(i64::MAX));
            span.note("c0di3.bytes", i64::try_from(report.bytes).unwrap_or(i64::MAX));
        }
        Err(problem) => span.fail(problem.code()),
    }
}

/// Counts what is on disk.
pub(super) fn tell(source: &'static str, report: &Report) {
    if report.events > 0 {
        metrics::counter!("ingest_events_total", "source" => source).increment(report.events);
        metrics::counter!("ingest_bytes_total", "source" => source).increment(report.bytes);
    }
    report.tell(source);
}
