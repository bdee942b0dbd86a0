//! Whether the store answers, as far as is known: while it does not, nobody waits for it. A suspicion is looked into by a
//! small question, at once and then twice a second, until the store answers again.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::StoreError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::problem::{Code, Problem};

/// Longest wait for the answer to the small question.
const PROBE_MAX: Duration = Duration::from_millis(500);
/// Between two of them while there is no answer.
const PROBE_PAUSE: Duration = Duration::from_millis(500);
/// Beyond this a request makes one wonder whether the store answers at all.
const SLOW: Duration = Duration::from_secs(1);

type Probe = dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>> + Send + Sync;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct StoreWatch(Arc<Inner>);

struct Inner {
    probe: Box<Probe>,
    away_since: watch::Sender<Option<Instant>>,
    probing: AtomicBool,
}

impl std::fmt::Debug for StoreWatch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "StoreWatch {{ away: {:?} }}", self.away())
    }
}

impl StoreWatch {
    /// `probe` asks the store something small; an error that does not pass is an answer.
    pub(crate) fn new<F>(probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let probe: Box<Probe> = Box::new(move || Box::pin(probe()));
        StoreWatch(Arc::new(Inner { probe, away_since: watch::Sender::new(None), probing: AtomicBool::new(false) }))
    }

    /// For how long the store has been known not to answer.
    pub(crate) fn away(&self) -> Option<Duration> {
        self.0.away_since.borrow().map(|since| since.elapsed())
    }

    /// Somebody got no answer. Returns at once.
    pub(crate) fn suspect(&self) {
        if self.0.probing.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            while !inner.answers().await {
                inner.away_since.send_if_modified(|since| {
                    let is_new = since.is_none();
                    since.get_or_insert_with(Instant::now);
                    if is_new {
                        tracing::warn!("the store does not answer: requests that need it are refused until it does");
                        metrics::counter!("store_outages_total").increment(1);
                    }
                    is_new
                });
                sleep(PROBE_PAUSE).await;
            }
            if let Some(since) = inner.away_since.send_replace(None) {
                tracing::info!(seconds = since.elapsed().as_secs(), "the store answers again");
            }
            inner.probing.store(false, Ordering::Release);
        });
    }

    async fn becomes_away(&self) {
        // The sender lives as long as this does.
        let _away = self.0.away_since.subscribe().wait_for(Option::is_some).await.is_ok();
    }
}

impl Inner {
    async fn answers(&self) -> bool {
        match timeout(PROBE_MAX, (self.probe)()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => !error.is_passing(),
            Err(_) => false,
        }
    }
}

/// Suspects the store where a request ends without an answer: cut off by its time limit, or by whoever asked.
struct PendingQuestion<'a>(Option<&'a StoreWatch>);

impl Drop for PendingQuestion<'_> {
    fn drop(&mut self) {
        if let Some(watch) = self.0 {
            watch.suspect();
        }
    }
}

/// Whether the path is answered from the store; what is counted has a substitute.
fn needs_store(path: &str) -> bool {
    let of_api = path.starts_with("/api/") || path.starts_with("/admin/");
    of_api && !matches!(path, "/api/v1/stats" | "/admin/cache/clear")
}

/// Refuses what needs the store while it is away, at once; and what only reads as soon as that is known.
pub(crate) async fn unless_away(State(watch): State<StoreWatch>, request: Request, next: Next) -> Response {
    if !needs_store(request.uri().path()) {
        return next.run(request).await;
    }
    if let Some(away) = watch.away() {
        return Problem::store_away(away).into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut unanswered = PendingQuestion(Some(&watch));
    let mut answering = std::pin::pin!(next.run(request));
    let answer = match timeout(SLOW, &mut answering).await {
        Ok(answer) => answer,
        Err(_) => {
            watch.suspect();
            tokio::select! {
                answer = answering => answer,
                // A change may have been made: how it ended is worth waiting for.
                () = watch.becomes_away(), if reads => Problem::store_away(SLOW).into_response(),
            }
        }
    };
    let is_failure = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
    if !(is_failure && answer.extensions().get::<Code>() == Some(&Code::STORE_UNAVAILABLE)) {
        unanswered.0 = None;
    }
    drop(unanswered);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_store() {
        for (path, needs) in [
            ("/api/v1/findings", true),
            ("/admin/tokens", true),
            ("/api/v1/stats", false),
            ("/admin/cache/clear", false),
            ("/metrics", false),
            ("/health", false),
        ] {
            assert_eq!(needs_store(path), needs, "{path}");
        }
    }

    #[tokio::test]
    async fn a_store_is_away_until_it_answers_and_is_asked_by_one_at_a_time() {
        let (answers, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::atomic::AtomicU32::new(0)));
        let (told, count) = (Arc::clone(&answers), Arc::clone(&asked));
        let watch = StoreWatch::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let answers = told.load(Ordering::Relaxed);
            async move { if answers { Ok(()) } else { std::future::pending().await } }
        });
        for _ in 0..100 {
            watch.suspect();
        }
        assert_eq!(watch.away(), None, "a suspicion alone refuses nobody");
        watch.becomes_away().await;
        assert!(watch.away().is_some() && asked.load(Ordering::Relaxed) == 1);
        answers.store(true, Ordering::Relaxed);
        let mut away = watch.0.away_since.subscribe();
        away.wait_for(Option::is_none).await.unwrap();
        sleep(PROBE_PAUSE * 2).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2, "a store that answers is not asked");
    }
}
