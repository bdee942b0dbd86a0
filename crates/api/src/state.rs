//! What handlers work with: the state behind the agent's routes, and the part of it that answers for health. Handles nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event::Timestamp;
use store::{Hot, Store};

use crate::auth::Auth;
use crate::event_archive::EventArchive;
use crate::health::Checks;
use crate::measured::Metrics;

/// Longest body of a request to the agent, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;

/// What the agent's handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Findings, incidents and all else that lasts.
    pub store: Arc<dyn Store>,
    /// Risks of entities and counts of the last hour.
    pub hot: Arc<dyn Hot>,
    /// Events at rest; `None`: none are kept.
    pub archive: Option<Arc<dyn EventArchive>>,
    /// What health is answered from.
    pub health: HealthState,
    /// Who may ask.
    pub auth: Auth,
    /// The present, for answers and changes.
    pub clock: fn() -> Timestamp,
}

/// What health, readiness and metrics are answered from.
#[derive(Clone)]
pub struct HealthState {
    /// Such as `core-agent`.
    pub service: &'static str,
    /// The parts that health tells of.
    pub checks: Checks,
    /// What `/metrics` answers.
    pub metrics: Metrics,
    /// Set when the process is about to stop: no longer ready, still alive.
    pub draining: Arc<AtomicBool>,
}

impl HealthState {
    /// The gauges of the checks are set at every scrape, of whichever port of the process.
    pub fn new(service: &'static str, checks: Checks, metrics: Metrics, draining: Arc<AtomicBool>) -> Self {
        metrics.with_checks(&checks);
        HealthState { service, checks, metrics, draining }
    }
}

impl axum::extract::FromRef<ApiState> for HealthState {
    fn from_ref(state: &ApiState) -> Self {
        state.health.clone()
    }
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ApiState {{ {:?} }}", self.health)
    }
}

impl std::fmt::Debug for HealthState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "HealthState {{ {}, draining: {} }}", self.service, self.draining.load(Ordering::Relaxed))
    }
}
