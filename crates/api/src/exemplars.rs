//! Exemplars: for each bucket of a histogram of durations the newest trace that fell into it, so that a slow answer leads to its
//! trace. The recorder of metrics knows none; these stand beside it, bounded, and are joined where metrics are shown.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use spans::TracePoint;

/// Buckets of durations in seconds; with boundaries at the runbook's thresholds of 1 s and 2 s.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0];
/// Series that have exemplars; further ones have none.
const SERIES_MAX: usize = 1024;

/// One trace, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) trace_id: String,
    pub(crate) value: f64,
    /// Seconds since 1970.
    pub(crate) at: f64,
}

/// A histogram's name and its labels in the order of their names.
pub(crate) type Series = (String, Vec<(String, String)>);

/// The newest of each bucket; the last stands for everything above.
type Newest = [Option<Exemplar>; DURATION_BUCKETS.len() + 1];

static NEWEST: Mutex<BTreeMap<Series, Newest>> = Mutex::new(BTreeMap::new());

fn lock() -> MutexGuard<'static, BTreeMap<Series, Newest>> {
    // No step leaves the map half-changed.
    NEWEST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bucket that a value is counted in first.
fn bucket(value: f64) -> usize {
    DURATION_BUCKETS.iter().position(|bound| value <= *bound).unwrap_or(DURATION_BUCKETS.len())
}

/// Remembers the trace of a duration that is recorded in the histogram. Without a trace that is kept it does nothing.
pub fn remember(name: &'static str, labels: &[(&'static str, String)], seconds: f64, place: Option<&TracePoint>) {
    let Some(place) = place.filter(|place| place.is_sampled()) else { return };
    let mut sorted: Vec<(String, String)> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    sorted.sort();
    let at = spans::seconds();
    let exemplar = Exemplar { trace_id: place.trace_id(), value: seconds, at };
    let mut known = lock();
    let series = (name.to_owned(), sorted);
    if known.len() >= SERIES_MAX && !known.contains_key(&series) {
        return;
    }
    known.entry(series).or_default()[bucket(seconds)] = Some(exemplar);
}

/// The newest exemplar of the bucket that ends at `bound`.
pub(crate) fn of_bucket(series: &Series, bound: f64) -> Option<Exemplar> {
    lock().get(series)?[bucket(bound)].clone()
}

#[cfg(test)]
pub(crate) fn put(series: Series, value: f64, trace_id: &str) {
    let exemplar = Exemplar { trace_id: trace_id.to_owned(), value, at: 1.5 };
    lock().entry(series).or_default()[bucket(value)] = Some(exemplar);
}
