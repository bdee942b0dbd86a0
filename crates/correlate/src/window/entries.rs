//! The events of a window, in order of time. What only some rules need (values), and what is kept of few events (their
//! lines, as proof), stands apart.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::episode::EVIDENCE_EACH;
use crate::window::entry::{Entry, EventValue};

/// Memory of a kept event beside its line, in bytes, about.
const PROOF_EXTRA_BYTES: usize = 300;
/// Events of one time that are compared to find a duplicate.
const ALIKE_MAX: usize = 16;
/// Events for which a window takes memory when its second event comes, and values when the first one comes.
pub(crate) const PLACES_FIRST: usize = 4;

/// An event whose line is kept, with the time that it counts at.
#[derive(Clone, Debug)]
struct KeptLine {
    time: Timestamp,
    event: Arc<EventRef>,
}

/// Entries in order of time, with values and lines apart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<SavedEntry>", into = "Vec<SavedEntry>")]
pub(crate) struct Entries {
    list: VecDeque<Entry>,
    /// One value for each entry, or none at all.
    #[allow(clippy::box_collection, reason = "most windows have none: 8 bytes instead of 32")]
    values: Option<Box<VecDeque<EventValue>>>,
    /// Lines of the oldest and the newest events, in order of time; at most twice `EVIDENCE_EACH`.
    kept: Vec<KeptLine>,
    /// Bytes of the lines that are kept, and what goes with them.
    proof: usize,
}

/// An event on its way into the entries.
#[derive(Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) entry: Entry,
    pub(crate) value: Option<EventValue>,
    pub(crate) event: &'a Arc<EventRef>,
}

/// Which lines are given up when an event is added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofLimit {
    /// Where the time span begins: lines of events before it go first, then those in the middle.
    pub(crate) span_start: Timestamp,
    /// All lines but the newest go.
    pub(crate) newest_only: bool,
}

/// Bytes of proof that a kept event is charged with.
#[inline]
pub(crate) fn proof_of(event: &EventRef) -> usize {
    event.original().len() + PROOF_EXTRA_BYTES
}

impl Entries {
    /// With one event, and memory for so many.
    pub(crate) fn of_one(entry: Entry, value: Option<EventValue>, event: Option<Arc<EventRef>>, places: usize) -> Self {
        let mut entries = Entries {
            list: VecDeque::with_capacity(places),
            values: value.map(|value| {
                let mut values = VecDeque::with_capacity(PLACES_FIRST);
                values.push_back(value);
                Box::new(values)
            }),
            kept: Vec::with_capacity(places),
            proof: event.as_ref().map_or(0, |event| proof_of(event)),
        };
        entries.list.push_back(entry);
        entries.kept.extend(event.map(|event| KeptLine { time: entry.time, event }));
        entries
    }

    /// Number of events.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The oldest entry.
    pub(crate) fn first(&self) -> Option<&Entry> {
        self.list.front()
    }

    /// The newest entry.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.list.back()
    }

    /// The entry at a position.
    pub(crate) fn at(&self, at: usize) -> Option<&Entry> {
        self.list.get(at)
    }

    /// Entries with their values, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Entry, Option<&EventValue>)> {
        self.list.iter().enumerate().map(|(at, entry)| (entry, self.values.as_ref().and_then(|values| values.get(at))))
    }

    /// Whether the event is there already: two rules that match it bring it twice, at one time.
    pub(crate) fn holds(&self, id: EventId, time: Timestamp) -> bool {
        let alike = self.list.iter().rev().skip_while(|entry| entry.time > time);
        alike.take_while(|entry| entry.time == time).take(ALIKE_MAX).any(|entry| entry.id == id)
    }

    /// Adds an event at its time and gives its position; its line is kept as proof. A line that is given up
    /// for it is put into `released`.
    pub(crate) fn push(&mut self, new: NewEntry<'_>, proof: ProofLimit, released: &mut Vec<Arc<EventRef>>) -> usize {
        let NewEntry { entry, value, event } = new;
        if self.list.capacity() == 0 {
            // Most groups get one event only: take memory for one.
            self.list.reserve_exact(1);
            self.kept.reserve_exact(1);
        }
        // Almost always the end; an older source can bring events that belong in between.
        let later = self.list.iter().rev().take_while(|known| known.time > entry.time).count();
        let at = self.list.len() - later;
        self.list.insert(at, entry);
        if let Some(value) = value {
            let values = self.values.get_or_insert_default();
            values.insert(at.min(values.len()), value);
        }
        let later = self.kept.iter().rev().take_while(|known| known.time > entry.time).count();
        self.kept.insert(self.kept.len() - later, KeptLine { time: entry.time, event: Arc::clone(event) });
        self.proof += proof_of(event);
        if proof.newest_only {
            self.drop_proof(1, released);
        } else if self.kept.len() > 2 * EVIDENCE_EACH {
            let spare = if self.kept[0].time < proof.span_start { 0 } else { EVIDENCE_EACH };
            let spare = self.kept.remove(spare);
            self.proof -= proof_of(&spare.event);
            released.push(spare.event);
        }
        at
    }

    /// Takes out the event at a position.
    pub(crate) fn remove(&mut self, at: usize) -> Option<(Entry, Option<EventValue>)> {
        let entry = self.list.remove(at)?;
        let value = self.values.as_mut().and_then(|values| values.remove(at));
        if let Some(at) = self.kept.iter().position(|kept| kept.event.id == entry.id) {
            self.proof -= proof_of(&self.kept.remove(at).event);
        }
        Some((entry, value))
    }

    /// The open finding counts the events at these positions from now on.
    pub(crate) fn set_in_finding(&mut self, positions: Range<usize>) {
        self.list.range_mut(positions).for_each(|entry| entry.in_finding = true);
    }

    /// Number of events older than `time`.
    pub(crate) fn older_than(&self, time: Timestamp) -> usize {
        self.list.partition_point(|entry| entry.time < time)
    }

    /// The value of the event at a position.
    pub(crate) fn value(&self, at: usize) -> Option<&EventValue> {
        self.values.as_ref().and_then(|values| values.get(at))
    }

    /// Removes all events but those that are wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Entry, Option<&EventValue>) -> bool) {
        let keep: Vec<bool> = self.iter().map(|(entry, value)| wanted(entry, value)).collect();
        let gone: Vec<EventId> =
            self.list.iter().zip(&keep).filter(|(_, keep)| !**keep).map(|(entry, _)| entry.id).collect();
        self.kept.retain(|kept| !gone.contains(&kept.event.id));
        let mut kept = keep.iter();
        self.list.retain(|_| kept.next().is_none_or(|keep| *keep));
        if let Some(values) = &mut self.values {
            let mut kept = keep.iter();
            values.retain(|_| kept.next().is_none_or(|keep| *keep));
        }
        self.weigh();
    }

    /// Gives up the lines of all but the newest `spared` kept events.
    pub(crate) fn drop_proof(&mut self, spared: usize, released: &mut Vec<Arc<EventRef>>) {
        let count = self.kept.len().saturating_sub(spared);
        for KeptLine { event, .. } in self.kept.drain(..count) {
            self.proof -= proof_of(&event);
            released.push(event);
        }
    }

    /// Takes out the oldest event.
    pub(crate) fn pop_first(&mut self) -> Option<(Entry, Option<EventValue>)> {
        let entry = self.list.pop_front()?;
        if self.kept.first().is_some_and(|kept| kept.event.id == entry.id) {
            self.proof -= proof_of(&self.kept.remove(0).event);
        }
        Some((entry, self.values.as_mut().and_then(|values| values.pop_front())))
    }

    /// Takes out the oldest `count` events.
    pub(crate) fn take_first(&mut self, count: usize) -> Entries {
        let mut taken = Entries::default();
        std::mem::swap(self, &mut taken);
        self.list = taken.list.split_off(count);
        self.values = taken.values.as_mut().map(|values| Box::new(values.split_off(count.min(values.len()))));
        let kept = self.list.front().map_or(taken.kept.len(), |first| {
            let newer = taken.kept.iter().rev().take_while(|kept| kept.time >= first.time).count();
            taken.kept.len() - newer
        });
        self.kept = taken.kept.split_off(kept);
        for part in [self, &mut taken] {
            part.weigh();
        }
        taken
    }

    fn weigh(&mut self) {
        self.proof = self.kept.iter().map(|kept| proof_of(&kept.event)).sum();
    }

    /// Bytes of the entries and their places for values; without proof and without the texts of values.
    pub(crate) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Entry>()
            + self.values.as_ref().map_or(0, |values| values.capacity() * size_of::<EventValue>())
    }

    /// Bytes of the lines that are kept, and what goes with them.
    #[inline]
    pub(crate) fn proof_bytes(&self) -> usize {
        self.proof
    }

    /// Events whose line is kept, oldest first.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Arc<EventRef>> {
        self.kept.iter().map(|kept| &kept.event)
    }

    /// Entries with their values, and their events where those are kept.
    pub(crate) fn with_events(&self) -> impl Iterator<Item = (&Entry, Option<&EventValue>, Option<&Arc<EventRef>>)> {
        let mut kept = self.kept.iter().peekable();
        self.iter().map(move |(entry, value)| {
            let event = kept.next_if(|kept| kept.event.id == entry.id).map(|kept| &kept.event);
            (entry, value, event)
        })
    }

    /// Prefetch: reads both ends so that they are in the cache. The value that is returned means nothing.
    pub(crate) fn prefetch_ends(&self) -> u64 {
        let ends = self.list.front().into_iter().chain(self.list.back()).map(|entry| entry.time);
        ends.chain(self.kept.first().map(|kept| kept.time)).fold(0, |read, time| read ^ time.0.unsigned_abs())
    }

    /// Prefetch: reads the line that the next event will replace. The value that is returned means nothing.
    pub(crate) fn prefetch_proof(&self) -> u64 {
        let next = self.kept.get(EVIDENCE_EACH).or(self.kept.first());
        next.map_or(0, |kept| kept.event.original().len() as u64 ^ kept.event.line_no)
    }
}

/// One entry as it is saved; short, because windows hold thousands of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedEntry {
    #[serde(rename = "t", with = "microseconds")]
    time: Timestamp,
    #[serde(rename = "i")]
    id: EventId,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    value: Option<EventValue>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    event: Option<Arc<EventRef>>,
    #[serde(rename = "w", default = "one", skip_serializing_if = "is_one")]
    weight: u32,
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    base: u16,
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    in_finding: bool,
}

mod microseconds {
    use event::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(base: &u16) -> bool {
    *base == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(weight: &u32) -> bool {
    *weight == 1
}

fn one() -> u32 {
    1
}

impl From<Entries> for Vec<SavedEntry> {
    fn from(entries: Entries) -> Self {
        let saved = entries.with_events().map(|(entry, value, event)| SavedEntry {
            time: entry.time,
            id: entry.id,
            value: value.cloned(),
            event: event.cloned(),
            weight: entry.weight,
            base: entry.base,
            in_finding: entry.in_finding,
        });
        saved.collect()
    }
}

impl From<Vec<SavedEntry>> for Entries {
    fn from(saved: Vec<SavedEntry>) -> Self {
        let mut entries = Entries::default();
        for SavedEntry { time, id, value, event, weight, base, in_finding } in saved {
            entries.list.push_back(Entry { id, time, weight, base, in_finding });
            if let Some(value) = value {
                entries.values.get_or_insert_default().push_back(value);
            }
            entries.kept.extend(event.map(|event| KeptLine { time, event }));
        }
        entries.weigh();
        entries
    }
}
