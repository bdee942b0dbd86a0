//! Whether every receiver of webhooks wants what it is sent: one that answered 410 is a warning until somebody looks.

use std::sync::Arc;

use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use store::Store;

pub(crate) struct WebhooksCheck(pub(crate) Arc<dyn Store>);

#[async_trait]
impl HealthCheck for WebhooksCheck {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let endpoints = match self.0.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(_) => {
                return CheckResult::observed(HealthStatus::Warn, 0.0, "disabled").saying("the store does not say");
            }
        };
        let disabled = endpoints.iter().filter_map(|state| {
            let (at, reason) = state.disabled.as_ref()?;
            Some(format!("{} since {at}: {reason}", state.name))
        });
        let disabled: Vec<String> = disabled.collect();
        if disabled.is_empty() {
            return CheckResult::observed(HealthStatus::Pass, 0.0, "disabled");
        }
        let words = format!(
            "{}; POST /api/v1/endpoints/NAME/enable, change the address, or take it out of webhooks.endpoints",
            disabled.join("; ")
        );
        CheckResult::observed(HealthStatus::Warn, disabled.len() as f64, "disabled").saying(words)
    }
}
