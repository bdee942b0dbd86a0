//! Metrics of the process, true at the moment they are shown: whoever has gauges sets them before. One registry serves all
//! ports of a process, so that it does not matter which of them is asked.

use std::sync::{Arc, Mutex, PoisonError};

use metrics_exporter_prometheus::PrometheusHandle;

use crate::checks::Checks;

/// Sets gauges: quickly, and waiting for nobody.
type Measure = Arc<dyn Fn() + Send + Sync>;

/// Cheap to clone: all clones show the same.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    measured: Arc<Mutex<Measured>>,
}

#[derive(Clone, Default)]
struct Measured {
    checks: Vec<Checks>,
    others: Vec<Measure>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Metrics {{ {:?} }}", self.measured().checks)
    }
}

impl From<PrometheusHandle> for Metrics {
    fn from(handle: PrometheusHandle) -> Self {
        Metrics { handle, measured: Arc::default() }
    }
}

impl Metrics {
    fn measured(&self) -> std::sync::MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the parts measure is measured at every scrape.
    pub fn with_checks(&self, checks: &Checks) {
        self.measured().checks.push(checks.clone());
    }

    /// Called at every scrape.
    pub fn with(&self, measure: impl Fn() + Send + Sync + 'static) {
        self.measured().others.push(Arc::new(measure));
    }

    /// The Prometheus text format.
    pub(crate) async fn render(&self) -> String {
        let Measured { checks, others } = self.measured().clone();
        others.iter().for_each(|measure| measure());
        for checks in checks {
            checks.measure().await;
        }
        self.handle.render()
    }
}
