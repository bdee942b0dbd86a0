//! Files that are followed as they grow, read straight into the pipeline.

use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use ingest::tail::{TailOptions, TailReport, TailState};

use super::kind::{LiveSource, Reading, SourceKind};
use crate::config::AnalyzerConfig;
use crate::positions::FollowedFiles;

pub(super) struct Files;

#[async_trait]
impl SourceKind for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let Some(options) = config.tail.clone() else { return Ok(None) };
        Ok(Some(Box::new(TailSource { options, state: Arc::default() })))
    }
}

struct TailSource {
    options: TailOptions,
    state: Arc<TailState>,
}

impl LiveSource for TailSource {
    fn place(&self) -> String {
        format!("({} patterns)", self.options.wanted.len())
    }

    fn check(&self) -> Option<Box<dyn HealthCheck>> {
        Some(Box::new(FilesCheck(Arc::clone(&self.state))))
    }

    fn read(&self, reading: Reading) {
        let Reading { queue, stop, positions, .. } = reading;
        ingest::tail::feed(&self.options, FollowedFiles(positions), &self.state, &queue, &stop);
    }
}

/// Files that are followed: what cannot be.
struct FilesCheck(Arc<TailState>);

#[async_trait]
impl HealthCheck for FilesCheck {
    fn name(&self) -> &'static str {
        "files"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let TailReport { followed, troubles } = self.0.report();
        let result = CheckResult::observed(HealthStatus::Pass, followed as f64, "files followed");
        if troubles.is_empty() {
            return result;
        }
        CheckResult { status: HealthStatus::Warn, ..result }.saying(troubles.join("; "))
    }
}
