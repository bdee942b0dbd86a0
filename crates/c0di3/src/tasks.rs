//! When backups and drills last succeeded, as the store tells. Whether that is too long ago is for alerts to say: who makes no
//! backups of a trial must not see it as ill.

use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use store::Store;

pub(crate) struct TasksCheck(pub(crate) Arc<dyn Store>);

#[async_trait]
impl HealthCheck for TasksCheck {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let (status, words) = match self.0.tasks().await {
            Ok(tasks) if tasks.is_empty() => (HealthStatus::Pass, "no backup has been made".to_owned()),
            Ok(tasks) => {
                let told: Vec<String> =
                    tasks.iter().map(|task| format!("{} at {}: {}", task.name, task.at, task.detail)).collect();
                (HealthStatus::Pass, told.join("; "))
            }
            Err(_) => (HealthStatus::Warn, "the store does not say".to_owned()),
        };
        CheckResult { status, observed_value: None, observed_unit: None, output: Some(words) }
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn measure(&self) {
        if let Ok(tasks) = self.0.tasks().await {
            for task in tasks {
                metrics::gauge!("task_last_success_timestamp_seconds", "task" => task.name).set(task.at.0 as f64 / 1e6);
            }
        }
    }
}
