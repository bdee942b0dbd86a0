//! Which traced batches of the spool no commit has covered yet: a commit names them as its causes. Empty where traces are off; it is
//! bounded, and in memory alone: what is read again after a restart has no causes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use spans::{Place, Span};

use crate::spool::batch::Batch;

/// Batches that may wait for their commit; beyond it the oldest are forgotten.
const MARKS_MAX: usize = 1024;

#[derive(Debug)]
struct Mark {
    /// Where the batch ends in the spool.
    end: u64,
    place: Place,
    /// Runs until the batch is on disk, where nobody else tells of it.
    writing: Option<Span>,
}

#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<VecDeque<Mark>>);

impl Marks {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Mark>> {
        // No step leaves the queue half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch was taken that ends there. One that comes with no span of its own gets one, begun at `since`.
    pub(super) fn appended(&self, batch: &Batch<'_>, events: u64, end: u64, since: SystemTime) {
        let (place, writing) = match batch.cause {
            Some(place) => (Some(place.clone()), None),
            None => {
                let mut span = Span::of_many("receive", &[], since);
                // What stands in front of the address of the sender is the protocol.
                let protocol = batch.origin.split_once("://").map_or("other", |(protocol, _)| protocol);
                span.note("c0di3.source", protocol.to_owned());
                span.note("c0di3.events", i64::try_from(events).unwrap_or(i64::MAX));
                span.note("c0di3.bytes", i64::try_from(batch.lines.len()).unwrap_or(i64::MAX));
                (span.place(), Some(span))
            }
        };
        let Some(place) = place.filter(Place::is_sampled) else { return };
        let mut marks = self.lock();
        if marks.len() >= MARKS_MAX {
            metrics::counter!("trace_links_dropped_total").increment(1);
            marks.pop_front();
        }
        marks.push_back(Mark { end, place, writing });
    }

    /// Everything before `end` is on disk.
    pub(super) fn durable(&self, end: u64) {
        if !spans::is_on() {
            return;
        }
        let done: Vec<Span> =
            self.lock().iter_mut().filter(|mark| mark.end <= end).filter_map(|mark| mark.writing.take()).collect();
        // They are told of outside of the lock.
        drop(done);
    }

    /// The batches that end at or before `end`, oldest first. They are forgotten.
    pub(super) fn take_before(&self, end: u64) -> Vec<Place> {
        if !spans::is_on() {
            return Vec::new();
        }
        let mut marks = self.lock();
        let (done, waiting): (VecDeque<Mark>, _) =
            std::mem::take(&mut *marks).into_iter().partition(|mark| mark.end <= end);
        *marks = waiting;
        drop(marks);
        let mut places: Vec<Place> = Vec::new();
        for mark in done {
            // A body in pieces is one batch.
            if places.last() != Some(&mark.place) {
                places.push(mark.place);
            }
        }
        places
    }
}
