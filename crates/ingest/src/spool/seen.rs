//! Batches whose sender gave them a name: a batch that is sent again is taken once, whether it was acknowledged before or the process
//! ended just before it would have been. Its name is part of the spool's entry, so it is there exactly where the lines are; a batch of
//! several entries of which a crash left the first ones goes on behind them. In memory alone: names on disk are no matter of this file.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{HashMap, HashSet};

use crate::spool::extent::{Extent, NameRecord};

/// What becomes of a batch with a name.
#[derive(Debug)]
pub enum Begun {
    /// It is new: whoever holds the claim takes it.
    New(Claim),
    /// It was taken before, with so many events.
    Taken(u64),
    /// It is being taken.
    Pending,
}

/// The names of the last batches. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<SeenState>>);

#[derive(Debug, Default)]
struct SeenState {
    /// What is on disk of each, and where its last entry ends.
    known: HashMap<u128, (Extent, u64)>,
    /// Somebody is about to take them.
    claimed: HashSet<u128>,
    /// Appended, and not on disk yet: where their last entry ends.
    waiting: HashMap<u128, u64>,
}

impl Seen {
    /// What the disk says at a start, the oldest first.
    pub(super) fn new<'a>(records: impl Iterator<Item = &'a NameRecord>) -> Self {
        let known = records.map(|record| (record.id, (record.extent, record.end))).collect();
        Seen(Arc::new(Mutex::new(SeenState { known, ..SeenState::default() })))
    }

    /// Asks for a batch, by the digest of its name.
    pub fn begin(&self, id: u128) -> Begun {
        let mut state = self.lock();
        if state.waiting.contains_key(&id) {
            return Begun::Pending;
        }
        let held = match state.known.get(&id) {
            Some((Extent::Whole { events }, _)) => return Begun::Taken(*events),
            Some((Extent::Part { bytes }, _)) => *bytes,
            None => 0,
        };
        if !state.claimed.insert(id) {
            return Begun::Pending;
        }
        Begun::New(Claim { seen: self.clone(), id, held, to_skip: held })
    }

    /// Lines of the batches wait for the disk.
    pub(super) fn appended(&self, records: &[NameRecord]) {
        if !records.is_empty() {
            self.lock().waiting.extend(records.iter().map(|record| (record.id, record.end)));
        }
    }

    /// They are on disk.
    pub(super) fn durable(&self, records: &[NameRecord]) {
        if records.is_empty() {
            return;
        }
        let mut state = self.lock();
        for NameRecord { id, extent, end } in records {
            state.known.insert(*id, (*extent, *end));
            if state.waiting.get(id) == Some(end) {
                state.waiting.remove(id);
            }
        }
    }

    /// Nobody asks for them any more.
    pub(super) fn forget(&self, records: &[NameRecord]) {
        let mut state = self.lock();
        for NameRecord { id, end, .. } in records {
            if state.known.get(id).is_some_and(|(_, last)| last == end) {
                state.known.remove(id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, SeenState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to take a batch, given back when dropped. What was appended of it counts once it is on disk, claim or not.
#[derive(Debug)]
pub struct Claim {
    seen: Seen,
    id: u128,
    /// Bytes of its lines that the spool holds.
    held: u64,
    /// Bytes of its lines that come again and are held already.
    to_skip: u64,
}

impl Claim {
    /// How many of the next bytes of the batch's lines the spool holds from an earlier, broken try.
    pub fn skip(&mut self, bytes: usize) -> usize {
        let skipped = self.to_skip.min(bytes as u64);
        self.to_skip -= skipped;
        skipped as usize
    }

    /// The name for lines that are appended next; `events`: of all of the batch, where they are its last lines.
    pub fn name(&self, lines: Range<usize>, events: Option<u64>) -> BatchName {
        BatchName { id: self.id, lines, held: self.held, events }
    }

    /// So many bytes of its lines have been appended.
    pub fn appended(&mut self, bytes: usize) {
        self.held += bytes as u64;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.seen.lock().claimed.remove(&self.id);
    }
}

/// Where among lines a batch with a name stands.
#[derive(Clone, Debug)]
pub struct BatchName {
    pub(super) id: u128,
    /// Bytes of the lines.
    lines: Range<usize>,
    /// Bytes of the batch before them.
    held: u64,
    /// Events of the batch, where it ends with them.
    events: Option<u64>,
}

impl BatchName {
    /// How much of the batch is there with an entry that has this part of the lines; `None`: nothing of it is in the entry.
    pub(super) fn within(&self, part: &Range<usize>) -> Option<Extent> {
        let to = self.lines.end.min(part.end);
        if to <= self.lines.start.max(part.start) {
            return None;
        }
        let bytes = self.held + (to - self.lines.start) as u64;
        let whole = self.events.filter(|_| to == self.lines.end).map(|events| Extent::Whole { events });
        Some(whole.unwrap_or(Extent::Part { bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(seen: &Seen, id: u128) -> Option<u64> {
        match seen.begin(id) {
            Begun::Taken(events) => Some(events),
            Begun::New(_) | Begun::Pending => None,
        }
    }

    #[test]
    fn a_batch_is_taken_by_one_and_known_when_it_is_on_disk() {
        let seen = Seen::default();
        let Begun::New(claim) = seen.begin(1) else { panic!() };
        assert!(matches!(seen.begin(1), Begun::Pending));
        drop(claim);
        // Refused: it may come again.
        let Begun::New(claim) = seen.begin(1) else { panic!() };
        let record = NameRecord { id: 1, extent: Extent::Whole { events: 3 }, end: 100 };
        seen.appended(&[record]);
        drop(claim);
        assert!(matches!(seen.begin(1), Begun::Pending), "whoever gave up: it is on its way to the disk");
        seen.durable(&[record]);
        assert_eq!(events(&seen, 1), Some(3));
        seen.forget(&[NameRecord { end: 99, ..record }]);
        assert_eq!(events(&seen, 1), Some(3), "an older record of it is forgotten, not the newer");
        seen.forget(&[record]);
        assert_eq!(events(&seen, 1), None);
    }

    #[test]
    fn what_is_there_of_a_batch_is_skipped_when_it_comes_again() {
        let seen = Seen::new([NameRecord { id: 1, extent: Extent::Part { bytes: 10 }, end: 50 }].iter());
        let Begun::New(mut claim) = seen.begin(1) else { panic!() };
        assert_eq!([4, 4, 4, 4].map(|bytes| claim.skip(bytes)), [4, 4, 2, 0]);
        let name = claim.name(3..23, Some(9));
        let within = |from: usize, to: usize| name.within(&(from..to));
        assert_eq!(within(0, 3), None);
        assert_eq!(within(0, 13), Some(Extent::Part { bytes: 20 }));
        assert_eq!(within(13, 40), Some(Extent::Whole { events: 9 }));
        assert_eq!(within(23, 40), None);
        claim.appended(20);
        assert_eq!(claim.name(0..5, None).within(&(0..5)), Some(Extent::Part { bytes: 35 }));
    }
}
