//! The parts that `/health` looks at, one type each. A required part makes the service fail; the others make it warn.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::kafka::KafkaState;
use ingest::spool::{Refused, Spool};
use ingest::syslog::Connections;
use notify::Llm;
use store::{Mark, RedisHot, Store};

use crate::engine::Progress;
use crate::rulebook::RuleBook;

/// After every change there will be: asking costs an index look-up.
const NEVER: Mark = Mark { revision: u64::MAX, id: event::FindingId(u128::MAX) };
/// How long the analyzer may have work without committing anything.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Shares of a limit, in percent, from which somebody should look, and from which it fails: the runbook's thresholds.
const DISK_WARN: f64 = 80.0;
const DISK_FAIL: f64 = 90.0;
const CONNECTIONS_WARN: f64 = 80.0;

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
    pub(crate) store: Arc<dyn Store>,
    pub(crate) is_server: bool,
    pub(crate) is_required: bool,
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
        let asked = self.store.changed_after(NEVER, 1).await;
        let result = timed(started, asked.err().map(|error| error.to_string()));
        let Some((used, most)) = self.store.connections() else { return result };
        metrics::gauge!("db_client_connections_usage").set(f64::from(used));
        metrics::gauge!("db_client_connections_max").set(f64::from(most));
        let share = 100.0 * f64::from(used) / f64::from(most.max(1));
        if result.status == HealthStatus::Pass && share > CONNECTIONS_WARN {
            return CheckResult { status: HealthStatus::Warn, ..result }
                .saying(format!("{used} of {most} connections are in use"));
        }
        result
    }
}

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
        timed(
            started,
            asked.err().map(|_| "Redis does not answer; statistics and risk are missing until it does".to_owned()),
        )
    }
}

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
        timed(started, asked.err().map(|error| format!("{error}; summaries are written by template")))
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
        let asked = self.client.get(format!("{}/health", self.url)).timeout(Duration::from_secs(2)).send().await;
        match asked {
            Ok(answer) if answer.status().is_success() => timed(started, None),
            Ok(answer) => {
                timed(started, Some(format!("the analyzer answers {}: see its own /health", answer.status())))
            }
            Err(error) => timed(started, Some(format!("the analyzer does not answer: {error}"))),
        }
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
        metrics::gauge!("spool_disk_bytes").set(state.disk_bytes as f64);
        metrics::gauge!("spool_backlog_bytes").set(state.backlog_bytes as f64);
        match self.0.refusal() {
            Some(refused @ Refused::Busy) => {
                CheckResult::observed(HealthStatus::Warn, used, "percent").saying(refused.to_string())
            }
            Some(refused) => CheckResult::observed(HealthStatus::Fail, used, "percent").saying(refused.to_string()),
            None if used > DISK_WARN => CheckResult::observed(HealthStatus::Warn, used, "percent")
                .saying("the spool is filling up: is the store slow or away?"),
            None => CheckResult::observed(HealthStatus::Pass, used, "percent"),
        }
    }
}

/// Whether senders of syslog over TCP find room.
pub(crate) struct SyslogCheck(pub(crate) Arc<Connections>);

#[async_trait]
impl HealthCheck for SyslogCheck {
    fn name(&self) -> &'static str {
        "syslog_tcp"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let state = self.0.state();
        let result = CheckResult::observed(HealthStatus::Pass, state.open as f64, "connections");
        if !state.pressed {
            return result;
        }
        let words = format!(
            "of {} connections all, or all of one address, were taken in the last 10 minutes; since the start {} idle ones \
             gave way and {} new ones were turned away: see syslog.connections_max and connections_per_address_max",
            state.most, state.gave_way, state.refused
        );
        CheckResult { status: HealthStatus::Warn, ..result }.saying(words)
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

pub(crate) struct KafkaCheck(pub(crate) Arc<KafkaState>);

#[async_trait]
impl HealthCheck for KafkaCheck {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        match self.0.trouble() {
            None => CheckResult { status: HealthStatus::Pass, observed_value: None, observed_unit: None, output: None },
            Some(trouble) => {
                CheckResult { status: HealthStatus::Fail, observed_value: None, observed_unit: None, output: None }
                    .saying(trouble)
            }
        }
    }
}

/// Share of a file system that is used; thresholds of the runbook.
pub(crate) struct DiskCheck {
    pub(crate) folder: PathBuf,
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
        let Ok(stat) = rustix::fs::statvfs(&self.folder) else {
            return CheckResult { status: HealthStatus::Warn, observed_value: None, observed_unit: None, output: None }
                .saying(format!("cannot look at {}", self.folder.display()));
        };
        let used = 100.0 - 100.0 * stat.f_bavail as f64 / (stat.f_blocks.max(1)) as f64;
        let used = (used * 10.0).round() / 10.0;
        metrics::gauge!("disk_used_ratio").set(used / 100.0);
        match used {
            used if used > DISK_FAIL => {
                CheckResult::observed(HealthStatus::Fail, used, "percent").saying("clean up or expand now")
            }
            used if used > DISK_WARN => {
                CheckResult::observed(HealthStatus::Warn, used, "percent").saying("clean up or expand")
            }
            used => CheckResult::observed(HealthStatus::Pass, used, "percent"),
        }
    }
}
