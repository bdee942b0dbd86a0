//! Which traced batches of the spool no commit has covered yet: a commit names them as its causes. Empty where traces are off; it is
//! bounded, and in memory alone: what is read again after a restart has no causes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use spans::{Began, Span, TracePoint};

use crate::spool::batch::Batch;

/// Batches that may wait for their commit; beyond it the oldest are forgotten.
const WAITING_MAX: usize = 1024;

#[derive(Debug)]
struct TracedBatch {
    /// Where the batch ends in the spool.
    end: u64,
    place: TracePoint,
    /// Runs until the batch is on disk, where nobody else tells of it.
    writing: Option<Span>,
}

#[derive(Debug, Default)]
pub(super) struct Causes(Mutex<VecDeque<TracedBatch>>);

impl Causes {
    fn lock(&self) -> MutexGuard<'_, VecDeque<TracedBatch>> {
        // No step leaves the queue half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch was taken that ends there. One that comes with no span of its own gets one, begun then.
    pub(super) fn appended(&self, batch: &Batch<'_>, events: u64, end: u64, began: Began) {
        if !spans::is_on() {
            return;
        }
        let (place, writing) = match batch.cause {
            Some(place) => (Some(place.clone()), None),
            None => {
                let mut span = Span::of_many("receive", &[], began);
                // What stands in front of the address of the sender is the protocol.
                let protocol = batch.origin.split_once("://").map_or("other", |(protocol, _)| protocol);
                span.note("c0di3.source", protocol.to_owned());
                span.note("c0di3.events", i64::try_from(events).unwrap_or(i64::MAX));
                span.note("c0di3.bytes", i64::try_from(batch.lines.len()).unwrap_or(i64::MAX));
                (span.place(), Some(span))
            }
        };
        let Some(place) = place.filter(TracePoint::is_sampled) else { return };
        let mut batches = self.lock();
        if batches.len() >= WAITING_MAX {
            metrics::counter!("trace_links_dropped_total").increment(1);
            batches.pop_front();
        }
        batches.push_back(TracedBatch { end, place, writing });
    }

    /// Everything before `end` is on disk.
    pub(super) fn durable(&self, end: u64) {
        if !spans::is_on() {
            return;
        }
        let done: Vec<Span> =
            self.lock().iter_mut().filter(|one| one.end <= end).filter_map(|one| one.writing.take()).collect();
        // They are told of outside of the lock.
        drop(done);
    }

    /// The batches that end at or before `end`, oldest first. They are forgotten.
    pub(super) fn take_before(&self, end: u64) -> Vec<TracePoint> {
        if !spans::is_on() {
            return Vec::new();
        }
        let mut batches = self.lock();
        let (done, waiting): (VecDeque<TracedBatch>, _) =
            std::mem::take(&mut *batches).into_iter().partition(|one| one.end <= end);
        *batches = waiting;
        drop(batches);
        let mut places: Vec<TracePoint> = Vec::new();
        for one in done {
            // A body in pieces is one batch.
            if places.last() != Some(&one.place) {
                places.push(one.place);
            }
        }
        places
    }
}
