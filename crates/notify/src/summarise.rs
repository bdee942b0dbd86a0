//! Summaries as jobs, never on the path of a request: the template is written at once, the model's words replace it when
//! they have been verified. A model that is down, slow or wrong changes nothing that people rely on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event::{Incident, IncidentId, Summary, Timestamp};
use spans::{Kind, Span};
use store::people::{Incidents, StoredSummary, Summaries, facts};
use store::{Findings, StoreError};

use crate::Clock;
use crate::llm::{Llm, LlmError, PROMPT_VERSION};
use crate::verify::verified;

/// Between two looks for incidents without a summary.
const POLL: Duration = Duration::from_millis(500);
/// Incidents that are taken up at once.
const JOBS: u32 = 4;
/// Pause before the model is asked about the same facts once more, in microseconds.
const RETRY_US: i64 = 120_000_000;
/// Pause while the model is being loaded, in microseconds.
const LOADING_US: i64 = 5_000_000;
/// Answers that may fall before the template stands for good.
const ATTEMPTS_MAX: u64 = 3;
/// Failures in a row after which the model is left alone, and for how long.
const BREAKER_FAILURES: u32 = 5;
const BREAKER_PAUSE: Duration = Duration::from_secs(30);

/// What the summariser needs of a store.
pub trait SummaryStore: Findings + Incidents + Summaries {}
impl<T: Findings + Incidents + Summaries + ?Sized> SummaryStore for T {}

/// Writes summaries until it is dropped.
#[derive(Debug)]
pub struct Summariser<S: ?Sized> {
    store: Arc<S>,
    llm: Option<Llm>,
    clock: Clock,
    failures: u32,
    closed_until: Option<Instant>,
}

impl<S: SummaryStore + ?Sized> Summariser<S> {
    /// Without `llm` all summaries are templates.
    pub fn new(store: Arc<S>, llm: Option<Llm>, clock: Clock) -> Self {
        Summariser { store, llm, clock, failures: 0, closed_until: None }
    }

    /// Works until the task is dropped. Errors are told, and tried again.
    pub async fn run(mut self) {
        let mut failing = false;
        loop {
            match self.step().await {
                Ok(0) => tokio::time::sleep(POLL).await,
                Ok(_) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(error = &error as &dyn std::error::Error, "summaries cannot be written");
                    }
                    failing = true;
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Writes what is due. How many there were.
    pub async fn step(&mut self) -> Result<usize, StoreError> {
        let due = self.store.to_summarise((self.clock)(), self.model_is_open(), JOBS).await?;
        for id in &due {
            self.summarise(*id).await?;
        }
        Ok(due.len())
    }

    /// Whether the model may be asked.
    fn model_is_open(&self) -> bool {
        self.llm.is_some() && self.closed_until.is_none_or(|until| Instant::now() >= until)
    }

    async fn summarise(&mut self, id: IncidentId) -> Result<(), StoreError> {
        let Some(incident) = self.store.incident(id).await? else { return Ok(()) };
        let sheet = facts(&*self.store, &incident).await?;
        let model = self.llm.as_ref().map_or("", Llm::model).to_owned();
        let key = sheet.key(PROMPT_VERSION, &model).map_err(|error| StoreError::Damaged(format!("facts: {error}")))?;
        let known = self.store.summary(id).await?.filter(|known| known.key == key);
        let attempt = known.map_or(0, |known| known.attempts);
        if let Some(written) = self.store.summary_by_key(&key).await? {
            metrics::counter!("llm_cache_hits_total").increment(1);
            let same = StoredSummary {
                incident: id,
                facts_version: incident.record.facts_version,
                updated_at: (self.clock)(),
                ..written
            };
            return self.store.put_summary(&same, None).await;
        }
        // The template stands at once, and whatever becomes of the model.
        let template = sheet.template();
        let clock = self.clock;
        let in_us = |pause| Some(clock().saturating_add_us(pause));
        let later = self.llm.as_ref().and_then(|_| in_us(RETRY_US));
        self.keep(&incident, &key, &template, attempt, later).await?;
        let Some(llm) = self.llm.clone().filter(|_| self.model_is_open()) else { return Ok(()) };
        let started = Instant::now();
        let mut span = Span::start("summarise", Kind::Client, None);
        span.note("gen_ai.request.model", model.clone());
        span.note("c0di3.incident", id.to_string());
        span.note("c0di3.attempt", i64::try_from(attempt).unwrap_or(i64::MAX));
        let answer = llm.reword(&sheet, attempt, span.place().as_ref()).await;
        if let Err(error) = &answer {
            span.fail(error.name());
        }
        drop(span);
        metrics::histogram!("llm_request_duration_seconds").record(started.elapsed().as_secs_f64());
        self.judge_server(&answer);
        let judged = answer.map(|answer| verified(&sheet, answer, &model));
        let reason = match &judged {
            Ok(Some(summary)) => return self.keep(&incident, &key, summary, attempt, None).await,
            Ok(None) => "unverified",
            Err(error) => error.name(),
        };
        metrics::counter!("llm_fallback_total", "reason" => reason).increment(1);
        match judged {
            // The server is not to blame for it: these facts are not asked about for ever.
            Ok(_) | Err(LlmError::Wrong(_)) => {
                tracing::info!(incident = %id, attempt, reason, "the model's answer does not stand: the template does");
                let again = in_us(RETRY_US).filter(|_| attempt + 1 < ATTEMPTS_MAX);
                self.keep(&incident, &key, &template, attempt + 1, again).await
            }
            Err(error) => {
                tracing::warn!(incident = %id, %error, "no summary by the model: the template stands");
                let pause = if matches!(error, LlmError::Loading) { LOADING_US } else { RETRY_US };
                self.keep(&incident, &key, &template, attempt, in_us(pause)).await
            }
        }
    }

    fn judge_server<T>(&mut self, answer: &Result<T, LlmError>) {
        let outcome = answer.as_ref().map_or_else(LlmError::name, |_| "answered");
        metrics::counter!("llm_requests_total", "outcome" => outcome).increment(1);
        self.failures = if answer.is_ok() { 0 } else { self.failures + 1 };
        self.closed_until = (self.failures >= BREAKER_FAILURES).then(|| Instant::now() + BREAKER_PAUSE);
    }

    async fn keep(
        &self,
        incident: &Incident,
        key: &str,
        summary: &Summary,
        attempts: u64,
        again: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(summary);
        let stored = StoredSummary {
            incident: incident.id,
            facts_version: incident.record.facts_version,
            key: key.to_owned(),
            source: summary.source.clone(),
            text: text.map_err(|error| StoreError::Damaged(format!("a summary: {error}")))?,
            attempts,
            updated_at: (self.clock)(),
        };
        self.store.put_summary(&stored, again).await
    }
}

#[cfg(test)]
mod tests;
