//! Hits that wait for the watermark, by time and arrival. Most come in order and only join the end of a queue; strays are
//! kept apart.

use std::collections::{BTreeMap, VecDeque};

use event::{Hit, Timestamp};

/// When a hit happened, and as which it came.
pub(super) type Turn = (Timestamp, u64);

#[derive(Debug, Default)]
pub(super) struct Waiting {
    queue: VecDeque<(Turn, Hit)>,
    strays: BTreeMap<Turn, Hit>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.strays.len()
    }

    pub(super) fn push(&mut self, turn: Turn, hit: Hit) {
        if self.queue.back().is_none_or(|(last, _)| *last <= turn) {
            self.queue.push_back((turn, hit));
        } else {
            self.strays.insert(turn, hit);
        }
    }

    /// Time of the next one.
    pub(super) fn next_time(&self) -> Option<Timestamp> {
        let queued = self.queue.front().map(|((time, _), _)| *time);
        let stray = self.strays.first_key_value().map(|((time, _), _)| *time);
        queued.into_iter().chain(stray).min()
    }

    pub(super) fn pop(&mut self) -> Option<(Turn, Hit)> {
        let stray = self.strays.first_key_value().map(|(turn, _)| *turn);
        match (self.queue.front(), stray) {
            (Some((queued, _)), Some(stray)) if stray < *queued => self.strays.pop_first(),
            (Some(_), _) => self.queue.pop_front(),
            (None, _) => self.strays.pop_first(),
        }
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Turn, Hit)> {
        self.queue.into_iter().chain(self.strays)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Turn, &Hit)> {
        self.queue.iter().map(|(turn, hit)| (turn, hit)).chain(&self.strays)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event::{Entities, EventId, EventRef, Source, SourceId};

    use super::*;

    fn hit() -> Hit {
        let source = Arc::new(Source { id: SourceId(0), name: "test".into() });
        let event = EventRef {
            id: EventId(0),
            source,
            offset: 0,
            line_no: 1,
            time: None,
            original: "".into(),
            entities: Entities::default(),
            answer: None,
        };
        Hit { rule: 0, event: Arc::new(event), values: Arc::from([]), repeated: 1, patterns: None }
    }

    #[test]
    fn they_leave_in_the_order_of_time_and_arrival() {
        let mut waiting = Waiting::default();
        let times = [5, 3, 5, 9, 1, 9, 2, 7, 10, 5];
        for (arrival, time) in times.into_iter().enumerate() {
            waiting.push((Timestamp(time), arrival as u64), hit());
        }
        assert_eq!((waiting.len(), waiting.iter().count()), (10, 10));
        let mut expected: Vec<Turn> = times.iter().zip(0..).map(|(time, at)| (Timestamp(*time), at)).collect();
        expected.sort_unstable();
        let left: Vec<Turn> = std::iter::from_fn(|| {
            let next = waiting.next_time();
            let (turn, _) = waiting.pop()?;
            assert_eq!(next, Some(turn.0));
            Some(turn)
        })
        .collect();
        assert_eq!(left, expected);
    }
}
