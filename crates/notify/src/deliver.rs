//! Deliveries from the outbox to endpoints: claimed under a lease, signed, tried again with growing pauses, given up
//! after the last. A process that dies in between delivers again under the same webhook-id.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use event::{Severity, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use spans::{Kind, Span, TracePoint};
use store::endpoints::{ENDPOINT_DISABLED, Endpoints};
use store::people::{Attempt, Deliveries, Delivery};
use store::{NoticeBody, StoreError};

use crate::endpoint::Endpoint;
use crate::guard::{GuardedResolver, check_literal};
use crate::{Clock, format, sign};

/// Between two looks at the outbox.
const POLL: Duration = Duration::from_millis(500);
/// Between two counts of what stands in the outbox: how old its gauges may be while the store answers.
const COUNT_INTERVAL: Duration = Duration::from_secs(2);
/// Longest that one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a claimed delivery is left to its claimer, in microseconds.
const LEASE_US: i64 = 60_000_000;
/// Deliveries that are claimed at once: one after the other they fit into the lease, also where nobody answers.
const CLAIM: u32 = 3;
/// How long what people change waits for more, where nobody says, in microseconds.
const SETTLE_US: i64 = 60_000_000;
/// Pauses after the first, second … failed attempt, in seconds (Standard Webhooks); after the last it is dead.
const PAUSES_S: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Longest pause that a receiver may ask for, in seconds.
const RETRY_AFTER_MAX_S: i64 = 86_400;

/// Sends what the outbox holds.
#[derive(Debug)]
pub struct Deliverer<S: ?Sized> {
    store: Arc<S>,
    endpoints: Vec<(Endpoint, reqwest::Client)>,
    clock: Clock,
    /// Address of the API for links, if people can reach it.
    link: Option<String>,
    /// When the oldest notice was written that is not delivered, as the store last told.
    oldest: Arc<Mutex<Option<Timestamp>>>,
    settle_us: i64,
    /// Whether the store knows the endpoints.
    registered: AtomicBool,
}

/// How a request ended.
enum Ended {
    Delivered,
    Failed {
        error: String,
        retry_after_s: Option<i64>,
    },
    /// The receiver wants no more of it.
    Gone,
}

impl<S: Deliveries + Endpoints + ?Sized> Deliverer<S> {
    /// Endpoints that are new are told of incidents from now on. Errors: a client that cannot be made.
    pub fn new(
        store: Arc<S>,
        endpoints: Vec<Endpoint>,
        link: Option<String>,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let with_client = |endpoint: Endpoint| {
            let client = reqwest::Client::builder()
                .timeout(ATTEMPT_TIMEOUT)
                .redirect(Policy::none())
                .no_proxy()
                .dns_resolver(GuardedResolver { allow: Arc::from(endpoint.allow.as_slice()) })
                .build()?;
            Ok((endpoint, client))
        };
        let endpoints = endpoints.into_iter().map(with_client).collect::<Result<_, _>>()?;
        Ok(Deliverer {
            store,
            endpoints,
            clock,
            link,
            oldest: Arc::default(),
            settle_us: SETTLE_US,
            registered: AtomicBool::new(false),
        })
    }

    /// Sets the age of the oldest notice, which grows also while nothing can be asked: to be called at every scrape.
    pub fn measure(&self) -> impl Fn() + Send + Sync + 'static {
        let (oldest, clock) = (Arc::clone(&self.oldest), self.clock);
        move || {
            let oldest = *oldest.lock().unwrap_or_else(PoisonError::into_inner);
            let age_us = oldest.map_or(0, |oldest| (clock().0 - oldest.0).max(0));
            metrics::gauge!("webhook_outbox_oldest_age_seconds").set(age_us as f64 / 1e6);
        }
    }

    /// For how long what people change waits for more before it is told, in microseconds.
    pub fn settling(self, settle_us: i64) -> Self {
        Deliverer { settle_us, ..self }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        tokio::join!(self.deliver(), self.count());
    }

    /// Counts on its own, because a step takes as long as its receivers do.
    async fn count(&self) {
        loop {
            // A store that does not answer is told of by the steps.
            if let Ok(state) = self.store.outbox().await {
                metrics::gauge!("webhook_outbox_pending").set(state.pending as f64);
                metrics::gauge!("webhook_outbox_dead").set(state.dead as f64);
                *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = state.oldest_pending;
            }
            if let Ok(endpoints) = self.store.endpoints().await {
                let disabled = endpoints.iter().filter(|endpoint| endpoint.disabled.is_some()).count();
                metrics::gauge!("webhook_endpoints_disabled").set(disabled as f64);
            }
            tokio::time::sleep(COUNT_INTERVAL).await;
        }
    }

    async fn deliver(&self) {
        let mut failing = false;
        loop {
            match self.step().await {
                Ok(0) => tokio::time::sleep(POLL).await,
                Ok(_) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the outbox cannot be read");
                    }
                    failing = true;
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Fans new notices out and attempts what is due. How many attempts there were.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let now = (self.clock)();
        self.register(now).await?;
        let names: Vec<(String, Severity)> =
            self.endpoints.iter().map(|(endpoint, _)| (endpoint.name.clone(), endpoint.least)).collect();
        self.store.fan_out(&names, self.settle_us, now).await?;
        let due = self.store.due(now, now.saturating_add_us(LEASE_US), CLAIM).await?;
        let count = due.len();
        let mut by_endpoint: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in due {
            by_endpoint.entry(delivery.endpoint.clone()).or_default().push(delivery);
        }
        // Endpoints side by side, the deliveries of one in order.
        let work = by_endpoint.into_iter().map(|(name, mut deliveries)| async move {
            deliveries.sort_by_key(|delivery| (delivery.created_at, delivery.notice_id.clone()));
            for delivery in deliveries {
                if self.attempt(&name, &delivery).await? {
                    // The others have been given up with it.
                    break;
                }
            }
            Ok::<(), StoreError>(())
        });
        for done in join_all(work).await {
            done?;
        }
        Ok(count)
    }

    /// Tells the store once which endpoints there are. One with another address than before is enabled again.
    async fn register(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.registered.load(Ordering::Relaxed) {
            return Ok(());
        }
        let known: Vec<(String, String)> =
            self.endpoints.iter().map(|(endpoint, _)| (endpoint.name.clone(), endpoint.target())).collect();
        for endpoint in self.store.register_endpoints(&known, now).await? {
            tracing::info!(endpoint, "a webhook endpoint has another address and is enabled again");
        }
        for state in self.store.endpoints().await?.iter().filter(|state| state.disabled.is_some()) {
            tracing::warn!(endpoint = state.name, "a webhook endpoint is disabled");
        }
        self.registered.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Nothing more for an endpoint that wants no more; the others are told.
    async fn disable(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let names = self.endpoints.iter().map(|(other, _)| other.name.clone());
        let others: Vec<String> = names.filter(|name| *name != endpoint.name).collect();
        let reason = "the receiver answered 410 Gone: it wants no more";
        let now = (self.clock)();
        if self.store.disable_endpoint(&endpoint.name, &endpoint.target(), reason, &others, now).await? {
            metrics::counter!("webhook_endpoints_gone_total", "endpoint" => endpoint.name.clone()).increment(1);
            tracing::error!(
                endpoint = endpoint.name,
                reason,
                "a webhook endpoint is disabled: nothing is sent there until an admin enables it or its address is changed"
            );
        }
        Ok(())
    }

    /// True where the endpoint was found to want no more.
    async fn attempt(&self, name: &str, delivery: &Delivery) -> Result<bool, StoreError> {
        let Some((endpoint, client)) = self.endpoints.iter().find(|(endpoint, _)| endpoint.name == name) else {
            let error = "the endpoint is not configured any more".to_owned();
            return self.store.settle(delivery, &Attempt::Dead { error }, (self.clock)()).await.map(|()| false);
        };
        let started = Instant::now();
        let (body, mut span) = self.begin(endpoint, delivery);
        let ended = match body {
            Ok(body) => self.send((endpoint, client), delivery, body, &mut span).await,
            Err(error) => Ended::Failed { error: format!("the notice cannot be read: {error}"), retry_after_s: None },
        };
        metrics::histogram!("webhook_attempt_duration_seconds", "endpoint" => endpoint.name.clone())
            .record(started.elapsed().as_secs_f64());
        let now = (self.clock)();
        let gone = matches!(ended, Ended::Gone);
        let attempt = match ended {
            Ended::Delivered => Attempt::Delivered,
            Ended::Gone => Attempt::Dead { error: "the receiver answered 410: it wants no more".to_owned() },
            Ended::Failed { error, retry_after_s } => next_attempt(delivery.attempts, error, retry_after_s, now),
        };
        let result = match &attempt {
            Attempt::Delivered => "delivered",
            Attempt::Retry { .. } => "retry",
            Attempt::Dead { .. } => "dead",
        };
        metrics::counter!("webhook_deliveries_total", "endpoint" => endpoint.name.clone(), "result" => result)
            .increment(1);
        if result != "delivered" {
            span.fail(result);
        }
        drop(span);
        if let Attempt::Retry { error, .. } | Attempt::Dead { error } = &attempt {
            tracing::warn!(
                endpoint = endpoint.name,
                notice = delivery.notice_id,
                attempts = delivery.attempts,
                error,
                result,
                "a webhook was not delivered"
            );
        }
        self.store.settle(delivery, &attempt, now).await?;
        if gone {
            self.disable(endpoint).await?;
        }
        Ok(gone)
    }

    /// The body, and the span of the attempt: it goes on from the commit that wrote the notice, whichever process that was.
    fn begin(&self, endpoint: &Endpoint, delivery: &Delivery) -> (serde_json::Result<Vec<u8>>, Span) {
        let (format, at) = (endpoint.format, delivery.created_at);
        let mut cause = None;
        let body = if delivery.kind == ENDPOINT_DISABLED {
            serde_json::from_str(&delivery.body).map(|notice| format::disabled(format, &notice, at))
        } else {
            serde_json::from_str(&delivery.body).map(|notice: NoticeBody| {
                cause = notice.trace.as_deref().and_then(TracePoint::of_traceparent);
                format::body(format, &delivery.kind, &notice, at, self.link.as_deref())
            })
        };
        let mut span = Span::start("deliver", Kind::Client, cause.as_ref());
        span.note("c0di3.endpoint", endpoint.name.clone());
        span.note("c0di3.attempt", i64::try_from(delivery.attempts).unwrap_or(i64::MAX));
        (body, span)
    }

    async fn send(
        &self,
        (endpoint, client): (&Endpoint, &reqwest::Client),
        delivery: &Delivery,
        body: Vec<u8>,
        span: &mut Span,
    ) -> Ended {
        let failed = |error: String| Ended::Failed { error, retry_after_s: None };
        if let Err(error) = check_literal(&endpoint.url, &endpoint.allow) {
            return failed(error.to_string());
        }
        let id = delivery.webhook_id();
        let seconds = (self.clock)().0.div_euclid(1_000_000);
        let mut request = client
            .post(endpoint.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("c0di3/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds);
        if !endpoint.secrets.is_empty() {
            request = request.header("webhook-signature", sign::signatures(&endpoint.secrets, &id, seconds, &body));
        }
        if let Some(place) = span.place() {
            request = request.header(spans::TRACEPARENT, place.traceparent());
        }
        match request.body(body).send().await {
            Ok(answer) => {
                span.note("http.response.status_code", i64::from(answer.status().as_u16()));
                judged(&answer)
            }
            Err(error) => failed(reasons(&error)),
        }
    }
}

/// An error and what caused it, in one line.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Only 2xx is success; redirects are not followed.
fn judged(answer: &reqwest::Response) -> Ended {
    let status = answer.status();
    if status.is_success() {
        return Ended::Delivered;
    }
    if status == StatusCode::GONE {
        return Ended::Gone;
    }
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    Ended::Failed { error: format!("the receiver answered {status}"), retry_after_s: asked }
}

fn next_attempt(attempts: u64, error: String, retry_after_s: Option<i64>, now: Timestamp) -> Attempt {
    let Some(pause) = PAUSES_S.get(attempts.saturating_sub(1) as usize) else { return Attempt::Dead { error } };
    let pause_us = pause * 1_000_000;
    let jittered = pause_us / 2 + (pause_us as f64 * random_share()) as i64;
    let asked = retry_after_s.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_S) * 1_000_000;
    Attempt::Retry { at: now.saturating_add_us(jittered.max(asked)), error }
}

/// 0 to 1, so that many deliveries do not come back at one moment.
fn random_share() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// Drives all to their ends, side by side.
async fn join_all<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = work.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (one, result) in &mut running {
            if result.is_none() {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => *result = Some(done),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests;
