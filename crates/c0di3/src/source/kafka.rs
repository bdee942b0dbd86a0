//! Kafka, read straight into the pipeline: its positions are committed with the findings.

use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::kafka::{KafkaOptions, KafkaReport, KafkaState};
use store::SourceCheckpoint;

use super::kind::{LiveSource, Reading, SourceKind};
use crate::config::AnalyzerConfig;
use crate::positions::Claims;

pub(super) struct Kafka;

#[async_trait]
impl SourceKind for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let Some(options) = config.kafka.clone() else { return Ok(None) };
        Ok(Some(Box::new(KafkaSource { options, state: Arc::default() })))
    }
}

struct KafkaSource {
    options: KafkaOptions,
    state: Arc<KafkaState>,
}

impl LiveSource for KafkaSource {
    fn place(&self) -> String {
        self.options.brokers.clone()
    }

    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        Some(Box::new(KafkaCheck(Arc::clone(&self.state))))
    }

    fn read(&self, reading: Reading) {
        let Reading { queue, stop, positions, store, runtime } = reading;
        let claims = Arc::new(Claims { positions, store, runtime });
        if let Err(error) = ingest::kafka::feed(&self.options, claims, Arc::clone(&self.state), queue, stop) {
            tracing::error!(%error, "cannot read from Kafka");
        }
    }

    fn committed(&self, sources: &[SourceCheckpoint]) {
        sources.iter().for_each(|source| self.state.committed(&source.name, source.position));
    }
}

/// How many messages wait to be read, and what keeps partitions from being read.
struct KafkaCheck(Arc<KafkaState>);

#[async_trait]
impl HealthCheck for KafkaCheck {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let KafkaReport { lag, failed, warned } = self.0.report();
        let lag = lag.max(0) as f64;
        let (status, words) = match (failed.is_empty(), warned.is_empty()) {
            (true, true) => return CheckResult::observed(HealthStatus::Pass, lag, "messages to read"),
            (true, false) => (HealthStatus::Warn, warned),
            (false, _) => (HealthStatus::Fail, failed),
        };
        CheckResult::observed(status, lag, "messages to read").saying(words.join("; "))
    }
}
