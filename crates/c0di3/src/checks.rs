//! The parts that `/health` looks at, one type each. A required part makes the service fail; the others make it warn. What
//! a part measures is set at every scrape of `/metrics`, whether anybody asks about health or not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::spool::{Refused, Spool};
use notify::Llm;
use serde::Deserialize;
use store::{ChangeCursor, RedisHot, Store, StoreError};
use tokio::time::timeout;

use crate::clock;
use crate::config::DiskLimits;
use crate::engine::Progress;
use crate::rulebook::RuleBook;

/// How long the analyzer may have work without committing anything.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Shares of a limit, in percent, from which somebody should look.
const SPOOL_WARN: f64 = 80.0;
const CONNECTIONS_WARN: f64 = 80.0;
/// Longest wait for the store's answer: with a look at the way there it stays below what one question may take.
const STORE_MAX: Duration = Duration::from_millis(1500);
/// Longest wait for the analyzer's `/health`: it promises a second, and is quicker unless one of its parts stands still.
const ANALYZER_MAX: Duration = Duration::from_millis(750);
/// Longest answer of the analyzer that is read, in bytes.
const ANALYZER_BYTES_MAX: usize = 64 << 10;

/// Times an answer, in milliseconds.
fn timed(started: Instant, problem: Option<String>) -> CheckResult {
    let milliseconds = (started.elapsed().as_secs_f64() * 1e5).round() / 100.0;
    match problem {
        None => CheckResult::observed(HealthStatus::Pass, milliseconds, "ms"),
        Some(problem) => CheckResult::observed(HealthStatus::Fail, milliseconds, "ms").saying(problem),
    }
}

/// PostgreSQL, or the embedded store.
pub(crate) struct StoreCheck {
    store: Arc<dyn Store>,
    is_server: bool,
    is_required: bool,
    /// Who works with its connections: `ask` or `commit`.
    pool: &'static str,
    away_since: Mutex<Option<Instant>>,
}

impl StoreCheck {
    pub(crate) fn new(store: Arc<dyn Store>, is_server: bool, is_required: bool, pool: &'static str) -> Self {
        StoreCheck { store, is_server, is_required, pool, away_since: Mutex::default() }
    }

    /// A store that answers, where nearly all connections are in use.
    fn connected(&self, result: CheckResult) -> CheckResult {
        let Some((used, most)) = self.store.connections() else { return result };
        if 100.0 * f64::from(used) / f64::from(most.max(1)) > CONNECTIONS_WARN {
            return CheckResult { status: HealthStatus::Warn, ..result }
                .saying(format!("{used} of {most} connections are in use"));
        }
        result
    }

    /// What is said of a store that gives no answer: for how long, why, and what becomes of the data.
    async fn away(&self, asked_at: Instant, error: Option<StoreError>) -> String {
        let since = *self.away_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(asked_at);
        let cause = match (self.store.reach().await, error) {
            (Err(unreached), _) => unreached.cause(),
            (Ok(()), Some(error)) => format!("{error}: {}", error.cause()),
            (Ok(()), None) => "it can be reached, but what is asked of it stands still".to_owned(),
        };
        format!("it has not answered for {} s ({cause}); {}", since.elapsed().as_secs(), self.silence())
    }
}

#[async_trait]
impl HealthCheck for StoreCheck {
    fn name(&self) -> &'static str {
        if self.is_server { "postgres" } else { "store" }
    }

    fn is_required(&self) -> bool {
        self.is_required
    }

    async fn check(&self) -> CheckResult {
        let started = Instant::now();
        let error = match timeout(STORE_MAX, self.store.changed_after(ChangeCursor::END, 1)).await {
            Ok(Ok(_)) => {
                *self.away_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return self.connected(timed(started, None));
            }
            Ok(Err(error)) if !error.is_passing() => {
                return timed(started, Some(format!("{error}: {}", error.cause())));
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        timed(started, Some(self.away(started, error).await))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn silence(&self) -> &'static str {
        if self.is_required {
            "nothing can be shown or changed until it does"
        } else {
            "events are kept in the spool until it does"
        }
    }

    async fn measure(&self) {
        if let Some((used, most)) = self.store.connections() {
            metrics::gauge!("db_client_connections_usage", "pool" => self.pool).set(f64::from(used));
            metrics::gauge!("db_client_connections_max", "pool" => self.pool).set(f64::from(most));
        }
    }
}

/// What is said of a Redis that does not answer.
const WITHOUT_REDIS: &str = "statistics and risk are counted in the memory of this process until it does";

pub(crate) struct RedisCheck(pub(crate) RedisHot);

#[async_trait]
impl HealthCheck for RedisCheck {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let started = Instant::now();
        let asked = self.0.ping().await;
        timed(started, asked.err().map(|_| format!("Redis does not answer; {WITHOUT_REDIS}")))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn silence(&self) -> &'static str {
        WITHOUT_REDIS
    }
}

/// What is said of a model that does not answer.
const WITHOUT_LLM: &str = "summaries are written by template";

pub(crate) struct LlmCheck(pub(crate) Llm);

#[async_trait]
impl HealthCheck for LlmCheck {
    fn name(&self) -> &'static str {
        "llm"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let started = Instant::now();
        let asked = self.0.health().await;
        timed(started, asked.err().map(|error| format!("{error}; {WITHOUT_LLM}")))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn silence(&self) -> &'static str {
        WITHOUT_LLM
    }
}

/// The analyzer as another process.
pub(crate) struct AnalyzerCheck {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
}

#[async_trait]
impl HealthCheck for AnalyzerCheck {
    fn name(&self) -> &'static str {
        "analyzer"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let started = Instant::now();
        match self.ask().await {
            Ok((status, body)) => judge(timed(started, None), status, &body),
            Err(error) => timed(started, Some(format!("the analyzer does not answer: {error}"))),
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    /// It asks its own parts first.
    fn patience(&self) -> Duration {
        ANALYZER_MAX
    }

    fn silence(&self) -> &'static str {
        "events may not be taken; findings of before are shown"
    }
}

impl AnalyzerCheck {
    async fn ask(&self) -> Result<(reqwest::StatusCode, Vec<u8>), reqwest::Error> {
        let request = self.client.get(format!("{}/health", self.url)).timeout(Duration::from_secs(2));
        let mut answer = request.send().await?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            body.extend_from_slice(&part);
            if body.len() > ANALYZER_BYTES_MAX {
                break;
            }
        }
        Ok((answer.status(), body))
    }
}

/// What the analyzer tells of itself, as far as it is read.
#[derive(Deserialize)]
struct Told {
    status: String,
    #[serde(default)]
    checks: BTreeMap<String, ToldPart>,
}

#[derive(Deserialize)]
struct ToldPart {
    status: String,
    #[serde(default)]
    output: String,
}

/// An analyzer that takes events works, whatever is behind it: what is not well is told.
fn judge(well: CheckResult, status: reqwest::StatusCode, body: &[u8]) -> CheckResult {
    let Ok(told) = serde_json::from_slice::<Told>(body) else {
        return CheckResult { status: HealthStatus::Fail, ..well }
            .saying(format!("the analyzer answers {status}, and nothing that tells its health"));
    };
    let ill = told.checks.iter().filter(|(_, part)| part.status != "pass");
    let ill: Vec<String> = ill.map(|(name, part)| format!("{name}: {} ({})", part.status, part.output)).collect();
    let ill = ill.join("; ");
    match told.status.as_str() {
        "pass" if status.is_success() => well,
        "warn" if status.is_success() => {
            CheckResult { status: HealthStatus::Warn, ..well }.saying(format!("the analyzer works, but {ill}"))
        }
        _ => CheckResult { status: HealthStatus::Fail, ..well }.saying(format!("the analyzer answers {status}: {ill}")),
    }
}

/// The analyzer in this process: does it get on?
pub(crate) struct ProgressCheck {
    pub(crate) progress: Arc<Progress>,
    pub(crate) spool: Spool,
}

#[async_trait]
impl HealthCheck for ProgressCheck {
    fn name(&self) -> &'static str {
        "analyzer"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let idle = self.progress.since_commit();
        let result = CheckResult::observed(HealthStatus::Pass, idle.as_secs_f64().round(), "s since last commit");
        if let Some(trouble) = self.progress.trouble() {
            return CheckResult { status: HealthStatus::Fail, ..result }.saying(trouble);
        }
        let backlog = self.spool.state().backlog_bytes;
        if backlog > 0 && idle > STALL_MAX {
            let words =
                format!("{backlog} bytes wait in the spool and nothing has been committed for {} s", idle.as_secs());
            return CheckResult { status: HealthStatus::Fail, ..result }.saying(words);
        }
        result
    }

    async fn measure(&self) {
        metrics::gauge!("analyzer_since_commit_seconds").set(self.progress.since_commit().as_secs_f64());
        let age_us = self.progress.backlog_age_us(self.spool.state().backlog_bytes, clock::now());
        metrics::gauge!("spool_backlog_age_seconds").set(age_us as f64 / 1e6);
    }
}

/// What the spool holds, and whether it takes more.
pub(crate) struct SpoolCheck(pub(crate) Spool);

#[async_trait]
impl HealthCheck for SpoolCheck {
    fn name(&self) -> &'static str {
        "spool"
    }

    /// An analyzer that takes nothing should not be sent anything.
    fn is_required(&self) -> bool {
        true
    }

    async fn check(&self) -> CheckResult {
        let state = self.0.state();
        let used = 100.0 * state.disk_bytes as f64 / state.bytes_max.max(1) as f64;
        let used = (used * 10.0).round() / 10.0;
        match self.0.refusal() {
            Some(refused @ Refused::Busy) => {
                CheckResult::observed(HealthStatus::Warn, used, "percent").saying(refused.to_string())
            }
            Some(refused) => CheckResult::observed(HealthStatus::Fail, used, "percent").saying(refused.to_string()),
            None if used > SPOOL_WARN => CheckResult::observed(HealthStatus::Warn, used, "percent")
                .saying("the spool is filling up: is the store slow or away?"),
            None => CheckResult::observed(HealthStatus::Pass, used, "percent"),
        }
    }

    async fn measure(&self) {
        let state = self.0.state();
        metrics::gauge!("spool_disk_bytes").set(state.disk_bytes as f64);
        metrics::gauge!("spool_backlog_bytes").set(state.backlog_bytes as f64);
    }
}

/// Whether the rule files as they are now are in force.
pub(crate) struct RulesCheck(pub(crate) Arc<RuleBook>);

#[async_trait]
impl HealthCheck for RulesCheck {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let trouble = self.0.trouble();
        let status = if trouble.is_some() { HealthStatus::Warn } else { HealthStatus::Pass };
        CheckResult { status, observed_value: None, observed_unit: None, output: trouble }
    }
}

/// Share of a file system that is used.
pub(crate) struct DiskCheck {
    folder: PathBuf,
    /// What the folder is for: `store`, `spool` or `work`.
    label: &'static str,
    limits: DiskLimits,
    /// Held by a look: one at a file system that stands still does not come back, and more would only wait behind it.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl DiskCheck {
    pub(crate) fn new(folder: PathBuf, label: &'static str, limits: DiskLimits) -> Self {
        DiskCheck { folder, label, limits, looking: Arc::default() }
    }

    /// How much of it is used, in percent.
    async fn used(&self) -> anyhow::Result<f64> {
        let (folder, turn) = (self.folder.clone(), Arc::clone(&self.looking).lock_owned().await);
        let look = tokio::task::spawn_blocking(move || {
            let stat = rustix::fs::statvfs(&folder);
            drop(turn);
            stat
        });
        let stat = look.await??;
        // As `df` counts: what is kept for the system is neither used nor to be had.
        let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64;
        Ok(100.0 * used / (used + stat.f_bavail as f64).max(1.0))
    }
}

#[async_trait]
impl HealthCheck for DiskCheck {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let used = match self.used().await {
            Ok(used) => used,
            Err(error) => {
                let unknown =
                    CheckResult { status: HealthStatus::Warn, observed_value: None, observed_unit: None, output: None };
                return unknown.saying(format!("cannot look at {}: {error:#}", self.folder.display()));
            }
        };
        match (used * 10.0).round() / 10.0 {
            used if used > self.limits.fail => {
                CheckResult::observed(HealthStatus::Fail, used, "percent").saying("clean up or expand now")
            }
            used if used > self.limits.warn => {
                CheckResult::observed(HealthStatus::Warn, used, "percent").saying("clean up or expand")
            }
            used => CheckResult::observed(HealthStatus::Pass, used, "percent"),
        }
    }

    async fn measure(&self) {
        if let Ok(used) = self.used().await {
            metrics::gauge!("disk_used_ratio", "folder" => self.label).set(used / 100.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analyzer_whose_store_is_away_works_and_says_what_is_not_well() {
        let well = || CheckResult::observed(HealthStatus::Pass, 1.0, "ms");
        let judged = |status: u16, body: &str| {
            let result = judge(well(), reqwest::StatusCode::from_u16(status).unwrap(), body.as_bytes());
            (result.status, result.output.unwrap_or_default())
        };
        let away = r#"{"status":"warn","checks":{"spool":{"status":"pass"},
            "postgres":{"status":"fail","output":"it has not answered for 2 s","ageMs":0}}}"#;
        let (status, words) = judged(200, away);
        assert_eq!(status, HealthStatus::Warn);
        assert_eq!(words, "the analyzer works, but postgres: fail (it has not answered for 2 s)");
        assert_eq!(judged(200, r#"{"status":"pass","checks":{}}"#), (HealthStatus::Pass, String::new()));
        let full = r#"{"status":"fail","checks":{"spool":{"status":"fail","output":"full"}}}"#;
        let (status, words) = judged(503, full);
        assert!(
            status == HealthStatus::Fail && words.contains("503") && words.contains("spool: fail (full)"),
            "{words}"
        );
        assert_eq!(judged(200, "<html>").0, HealthStatus::Fail, "that is no analyzer");
    }
}
