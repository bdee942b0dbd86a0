//! The parts behind `/health`: asked side by side, each by one question at a time, and for a bounded time. A part that
//! stands still has one question waiting, whoever asks how often; what another process answered is used again for a moment and
//! says its age.
//!
//! Here too: what the parts measure before metrics are shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

/// Longest wait of `/ready` for a part: with everything else it stays below 500 ms.
const READY_WAIT: Duration = Duration::from_millis(400);
/// Longest wait of `/health` for a part that asks nobody else.
const HEALTH_WAIT: Duration = Duration::from_millis(500);
/// Longest that one question may take: then the part has failed, and is asked anew when somebody wants to know.
const QUESTION_MAX: Duration = Duration::from_secs(3);
/// How long the answer of another process is used again, so that probes do not load it.
const FRESH: Duration = Duration::from_secs(1);
/// Longest wait of `/metrics` for what parts measure.
const MEASURE_WAIT: Duration = Duration::from_millis(200);

/// After draft-inadarei-api-health-check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well.
    Pass,
    /// Works, but somebody should look.
    Warn,
    /// It does not work: readiness fails where the part is required.
    Fail,
}

/// One part of the service.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// How the part is.
    pub status: HealthStatus,
    /// What was measured, in `observed_unit`; absent where the part is asked, not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_value: Option<f64>,
    /// Unit of the value, such as `bytes` or `ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_unit: Option<String>,
    /// What is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl CheckResult {
    /// A status with what was measured.
    pub fn observed(status: HealthStatus, value: f64, unit: &str) -> Self {
        CheckResult { status, observed_value: Some(value), observed_unit: Some(unit.to_owned()), output: None }
    }

    /// Adds a text for people.
    pub fn saying(self, output: impl Into<String>) -> Self {
        CheckResult { output: Some(output.into()), ..self }
    }
}

/// A result with its age.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Observed {
    #[serde(flatten)]
    pub(crate) result: CheckResult,
    /// How long ago the part gave this answer, in milliseconds.
    pub(crate) age_ms: u64,
}

/// Looks after one part.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// Key of the part in the answer and in metrics, such as `store`.
    fn name(&self) -> &'static str;
    /// Whether the service can answer without this part.
    fn is_required(&self) -> bool;
    /// Looks at the part now. May take long: whoever asks sets the limit.
    async fn check(&self) -> CheckResult;
    /// Longest wait of `/health`; longer for a part that asks others.
    fn patience(&self) -> Duration {
        HEALTH_WAIT
    }
    /// What a part that gives no answer in time means, and what to do.
    fn silence(&self) -> &'static str {
        ""
    }
    /// Whether another process is asked: its answer is used again for a second.
    fn is_remote(&self) -> bool {
        false
    }
    /// Sets the part's gauges. Called at every scrape: must be quick and wait for nobody.
    async fn measure(&self) {}
}

/// One part, what it answered last, and since when it is being asked.
struct Part {
    check: Box<dyn HealthCheck>,
    asked: Mutex<Option<Instant>>,
    last: watch::Sender<Option<(CheckResult, Instant)>>,
}

impl Part {
    /// The part's answer, at most so long after it was asked.
    async fn observe(self: Arc<Self>, within: Duration) -> Observed {
        let (since, mut answers) = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let answers = self.last.subscribe();
            let last = answers.borrow().clone();
            if let Some((result, at)) = last
                && self.check.is_remote()
                && at.elapsed() < FRESH
            {
                return Observed { result, age_ms: milliseconds(at.elapsed()) };
            }
            let since = *asked.get_or_insert_with(|| {
                tokio::spawn(Arc::clone(&self).ask());
                Instant::now()
            });
            (since, answers)
        };
        let left = within.saturating_sub(since.elapsed());
        let is_new = timeout(left, answers.changed()).await.is_ok();
        let last = answers.borrow().clone();
        match last {
            // A part that had failed and gives no answer fails still, for the reason that is known.
            Some((result, at)) if is_new || result.status == HealthStatus::Fail => {
                Observed { result, age_ms: milliseconds(at.elapsed()) }
            }
            _ => self.no_answer(since.elapsed()),
        }
    }

    /// Asks, whoever still waits for it.
    async fn ask(self: Arc<Self>) {
        let part = Arc::clone(&self);
        let asked = tokio::spawn(async move { timeout(QUESTION_MAX, part.check.check()).await });
        let result = match asked.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => self.no_answer(QUESTION_MAX).result,
            // A check that panics must not make its part look well, nor be asked no more.
            Err(error) => {
                CheckResult::observed(HealthStatus::Fail, 0.0, "s").saying(format!("cannot be asked: {error}"))
            }
        };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.last.send_replace(Some((result, Instant::now())));
        *asked = None;
    }

    fn no_answer(&self, waited: Duration) -> Observed {
        let seconds = (waited.as_secs_f64() * 1e3).round() / 1e3;
        let words = format!("it has not answered for {seconds} s");
        let silence = self.check.silence();
        let words = if silence.is_empty() { words } else { format!("{words}; {silence}") };
        Observed { result: CheckResult::observed(HealthStatus::Fail, seconds, "s").saying(words), age_ms: 0 }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// All parts of a service. Cheap to clone.
#[derive(Clone)]
pub struct Checks(Arc<[Arc<Part>]>);

impl std::fmt::Debug for Checks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|part| part.check.name())).finish()
    }
}

impl From<Vec<Box<dyn HealthCheck>>> for Checks {
    fn from(checks: Vec<Box<dyn HealthCheck>>) -> Self {
        let part = |check| Arc::new(Part { check, asked: Mutex::default(), last: watch::Sender::new(None) });
        Checks(checks.into_iter().map(part).collect())
    }
}

impl Checks {
    /// Every part: its name, whether it is required, and how it is.
    pub(crate) async fn all(&self) -> Vec<(&'static str, bool, Observed)> {
        side_by_side(self.0.iter().map(|part| (part, part.check.patience()))).await
    }

    /// The required parts alone.
    pub(crate) async fn required(&self) -> Vec<(&'static str, bool, Observed)> {
        let required = self.0.iter().filter(|part| part.check.is_required());
        side_by_side(required.map(|part| (part, READY_WAIT))).await
    }

    /// Sets the gauges of all parts; one that takes too long keeps its last value, which is counted.
    pub(crate) async fn measure(&self) {
        let mut running = JoinSet::new();
        for part in self.0.iter().map(Arc::clone) {
            running.spawn(async move {
                if timeout(MEASURE_WAIT, part.check.measure()).await.is_err() {
                    metrics::counter!("measurements_missed_total", "part" => part.check.name()).increment(1);
                }
            });
        }
        while running.join_next().await.is_some() {}
    }
}

async fn side_by_side(parts: impl Iterator<Item = (&Arc<Part>, Duration)>) -> Vec<(&'static str, bool, Observed)> {
    let mut running = JoinSet::new();
    for (part, within) in parts {
        let part = Arc::clone(part);
        running.spawn(async move {
            let (name, required) = (part.check.name(), part.check.is_required());
            (name, required, part.observe(within).await)
        });
    }
    let mut observed = Vec::with_capacity(running.len());
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(one) => observed.push(one),
            Err(error) => tracing::error!(%error, "a health check ended without an answer"),
        }
    }
    observed
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// What becomes of a question.
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Answers,
        StandsStill,
        Panics,
    }

    struct Told {
        name: &'static str,
        required: bool,
        kind: Kind,
        asked: Arc<AtomicU32>,
    }

    #[async_trait]
    impl HealthCheck for Told {
        fn name(&self) -> &'static str {
            self.name
        }
        fn is_required(&self) -> bool {
            self.required
        }
        async fn check(&self) -> CheckResult {
            self.asked.fetch_add(1, Ordering::Relaxed);
            match self.kind {
                Kind::Answers => CheckResult::observed(HealthStatus::Pass, 1.0, "ms"),
                Kind::StandsStill => std::future::pending().await,
                Kind::Panics => panic!("a fault of ours"),
            }
        }
        fn silence(&self) -> &'static str {
            "what to do"
        }
        fn is_remote(&self) -> bool {
            self.name != "local"
        }
        async fn measure(&self) {
            if self.kind == Kind::StandsStill {
                std::future::pending::<()>().await;
            }
            self.asked.fetch_add(100, Ordering::Relaxed);
        }
    }

    fn checks(parts: &[(&'static str, bool, Kind)]) -> (Checks, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let part = |(name, required, kind): &(&'static str, bool, Kind)| {
            Box::new(Told { name, required: *required, kind: *kind, asked: Arc::clone(&asked) }) as Box<dyn HealthCheck>
        };
        (parts.iter().map(part).collect::<Vec<_>>().into(), asked)
    }

    fn status(seen: &[(&'static str, bool, Observed)], name: &str) -> HealthStatus {
        seen.iter().find(|one| one.0 == name).unwrap().2.result.status
    }

    #[tokio::test]
    async fn parts_are_asked_side_by_side_and_one_that_stands_still_fails_in_time() {
        let frozen = ["a", "b", "c", "d"].map(|name| (name, true, Kind::StandsStill));
        let (checks, asked) =
            checks(&[&frozen[..], &[("e", true, Kind::Answers), ("f", false, Kind::Answers)]].concat());
        let started = Instant::now();
        let seen = checks.required().await;
        // One after another would be four times as long.
        assert!(started.elapsed() < READY_WAIT * 3, "{:?}", started.elapsed());
        assert_eq!(seen.len(), 5, "only what is required is asked");
        assert_eq!((status(&seen, "a"), status(&seen, "e")), (HealthStatus::Fail, HealthStatus::Pass));
        let words = seen.iter().find(|one| one.0 == "a").unwrap().2.result.output.clone().unwrap();
        assert!(words.contains("has not answered for 0.4") && words.ends_with("; what to do"), "{words}");
        for _ in 0..20 {
            checks.required().await;
        }
        assert!(started.elapsed() < READY_WAIT * 4, "who asks later does not wait again");
        assert_eq!(asked.load(Ordering::Relaxed), 5, "a part that stands still has one question waiting");
    }

    #[tokio::test]
    async fn a_result_is_used_again_for_a_moment_and_tells_its_age() {
        let (local, asked) = checks(&[("local", true, Kind::Answers)]);
        local.all().await;
        local.all().await;
        assert_eq!(asked.load(Ordering::Relaxed), 2, "what costs nobody anything is asked anew");
        let (checks, asked) = checks(&[("a", true, Kind::Answers)]);
        checks.all().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let seen = checks.all().await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let shown = serde_json::to_value(&seen[0].2).unwrap();
        assert!(shown["ageMs"].as_u64().unwrap() >= 50 && shown["status"] == "pass", "{shown}");
        tokio::time::sleep(FRESH).await;
        checks.all().await;
        assert_eq!(asked.load(Ordering::Relaxed), 2, "an old result is no answer");
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_part_that_fails() {
        let (checks, _) = checks(&[("a", true, Kind::Panics), ("b", true, Kind::Answers)]);
        let seen = checks.all().await;
        assert_eq!((status(&seen, "a"), status(&seen, "b")), (HealthStatus::Fail, HealthStatus::Pass));
    }

    #[tokio::test]
    async fn a_part_that_cannot_be_measured_holds_no_scrape_up() {
        let (checks, measured) = checks(&[("a", true, Kind::StandsStill), ("b", false, Kind::Answers)]);
        let started = Instant::now();
        checks.measure().await;
        assert!(started.elapsed() < MEASURE_WAIT * 4, "{:?}", started.elapsed());
        assert_eq!(measured.load(Ordering::Relaxed), 100);
    }
}
