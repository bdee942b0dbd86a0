//! The reorder buffer: hits that wait for the watermark, by time and arrival. Most come in order and only join the end
//! of a queue; those that do not are kept apart. Counts its bytes; its owner decides when a hit leaves.

use std::collections::{BTreeMap, VecDeque};

use event::Timestamp;

use crate::hit::IndexedHit;

/// Time of a hit and number of its arrival: hits leave in this order.
pub(crate) type HitTurn = (Timestamp, u64);

/// Hits that wait, within limits of their number and of the bytes of their lines.
#[derive(Debug)]
pub(crate) struct ReorderBuffer {
    queue: VecDeque<(HitTurn, IndexedHit)>,
    out_of_order: BTreeMap<HitTurn, IndexedHit>,
    /// Bytes of the raw lines of all hits inside.
    bytes: usize,
    hits_max: usize,
    bytes_max: usize,
}

impl ReorderBuffer {
    /// Empty, for so many hits and so many bytes of raw lines.
    pub(crate) fn new(hits_max: usize, bytes_max: usize) -> Self {
        ReorderBuffer { queue: VecDeque::new(), out_of_order: BTreeMap::new(), bytes: 0, hits_max, bytes_max }
    }

    /// Number of hits inside.
    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.out_of_order.len()
    }

    /// Whether it holds more than it may: the oldest hits must leave early.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.len() > self.hits_max || self.bytes > self.bytes_max
    }

    /// Adds a hit, also beyond the limits.
    pub(crate) fn push(&mut self, turn: HitTurn, hit: IndexedHit) {
        self.bytes += hit.event.original().len();
        if self.queue.back().is_none_or(|(last, _)| *last <= turn) {
            self.queue.push_back((turn, hit));
        } else {
            self.out_of_order.insert(turn, hit);
        }
    }

    /// Time of the next hit.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        let queued = self.queue.front().map(|((time, _), _)| *time);
        let out_of_order = self.out_of_order.first_key_value().map(|((time, _), _)| *time);
        queued.into_iter().chain(out_of_order).min()
    }

    /// The next hit.
    pub(crate) fn next_hit(&self) -> Option<&IndexedHit> {
        match (self.queue.front(), self.out_of_order.first_key_value()) {
            (Some((queued, _)), Some((out_of_order, hit))) if out_of_order < queued => Some(hit),
            (Some((_, hit)), _) | (None, Some((_, hit))) => Some(hit),
            (None, None) => None,
        }
    }

    /// Takes the next hit out. Its bytes stay accounted for until [`ReorderBuffer::release`]: reading the hit waits for
    /// memory, and the caller prefetches several hits first.
    pub(crate) fn pop(&mut self) -> Option<(HitTurn, IndexedHit)> {
        let out_of_order = self.out_of_order.first_key_value().map(|(turn, _)| *turn);
        match (self.queue.front(), out_of_order) {
            (Some((queued, _)), Some(out_of_order)) if out_of_order < *queued => self.out_of_order.pop_first(),
            (Some(_), _) => self.queue.pop_front(),
            (None, _) => self.out_of_order.pop_first(),
        }
    }

    /// Takes back the bytes of a hit that was taken out.
    #[inline]
    pub(crate) fn release(&mut self, hit: &IndexedHit) {
        self.bytes -= hit.event.original().len();
    }

    /// All hits inside: those that came in order, then the others.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&HitTurn, &IndexedHit)> {
        self.queue.iter().map(|(turn, hit)| (turn, hit)).chain(&self.out_of_order)
    }

    /// Changes every hit to what another rule set makes of it; `None` where the set lacks its rule.
    pub(crate) fn move_hits(&mut self, moved: impl Fn(IndexedHit) -> Option<IndexedHit>) {
        let before = std::mem::replace(self, ReorderBuffer::new(self.hits_max, self.bytes_max));
        for (turn, hit) in before.queue.into_iter().chain(before.out_of_order) {
            if let Some(hit) = moved(hit) {
                self.push(turn, hit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hit::tests::hit_at;

    #[test]
    fn they_leave_in_the_order_of_time_and_arrival() {
        let mut buffer = ReorderBuffer::new(100, 1000);
        let times = [5, 3, 5, 9, 1, 9, 2, 7, 10, 5];
        for (arrival, time) in times.into_iter().enumerate() {
            buffer.push((Timestamp(time), arrival as u64), hit_at(1, time));
        }
        assert_eq!((buffer.len(), buffer.iter().count()), (10, 10));
        let mut expected: Vec<HitTurn> = times.iter().zip(0..).map(|(time, at)| (Timestamp(*time), at)).collect();
        expected.sort_unstable();
        let left: Vec<HitTurn> = std::iter::from_fn(|| {
            let next = buffer.next_time();
            let next_event = buffer.next_hit().map(|hit| std::sync::Arc::as_ptr(&hit.event));
            let (turn, hit) = buffer.pop()?;
            assert_eq!((next, next_event), (Some(turn.0), Some(std::sync::Arc::as_ptr(&hit.event))));
            Some(turn)
        })
        .collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn number_and_bytes_are_limited_and_bytes_leave_with_their_hits() {
        let line = hit_at(1, 0).event.original().len();
        let mut buffer = ReorderBuffer::new(3, 2 * line);
        for arrival in 0..2 {
            buffer.push((Timestamp(0), arrival), hit_at(1, 0));
            assert!(!buffer.is_over_limit());
        }
        buffer.push((Timestamp(0), 2), hit_at(1, 0));
        assert!(buffer.is_over_limit(), "bytes");
        buffer.move_hits(|hit| Some(IndexedHit { event: std::sync::Arc::clone(&hit.event), ..hit }));
        let first = buffer.pop();
        assert!(buffer.is_over_limit(), "its bytes are still accounted for");
        first.iter().for_each(|(_, hit)| buffer.release(hit));
        assert!(first.is_some() && !buffer.is_over_limit());
        buffer.move_hits(|_| None);
        assert_eq!((buffer.len(), buffer.bytes), (0, 0));
    }
}
