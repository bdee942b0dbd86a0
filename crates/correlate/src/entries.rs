//! The events of a window, in order of time: 32 bytes each, because there are many. What only some rules need (values), and
//! what is kept of few events (their lines, as proof), stands apart.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::episode::EVIDENCE_EACH;
use crate::tally::Held;

/// What a kept event takes beside its line, about.
const PROOF_EXTRA_BYTES: usize = 300;
/// Events of one time that are looked at for one that is there already.
const ALIKE_MAX: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) id: EventId,
    pub(super) time: Timestamp,
    pub(super) weight: u32,
    /// Place of its signal among those that the correlation counts.
    pub(super) place: u16,
    /// The open finding has it.
    pub(super) counted: bool,
}

/// An event whose line is kept, with the time that it counts at.
#[derive(Clone, Debug)]
struct Kept {
    time: Timestamp,
    event: Arc<EventRef>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Saved>", into = "Vec<Saved>")]
pub(super) struct Entries {
    list: VecDeque<Entry>,
    /// One for each entry, or none at all.
    #[allow(clippy::box_collection, reason = "most windows have none: 8 bytes instead of 32")]
    values: Option<Box<VecDeque<Held>>>,
    /// Of the oldest and the newest, in the same order; few.
    kept: Vec<Kept>,
    /// Bytes of the lines that are kept, and what goes with them.
    proof: usize,
}

fn proof_of(event: &EventRef) -> usize {
    event.original.len() + PROOF_EXTRA_BYTES
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn first(&self) -> Option<&Entry> {
        self.list.front()
    }

    pub(super) fn last(&self) -> Option<&Entry> {
        self.list.back()
    }

    pub(super) fn at(&self, place: usize) -> Option<&Entry> {
        self.list.get(place)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Entry, Option<&Held>)> {
        self.list.iter().enumerate().map(|(at, entry)| (entry, self.values.as_ref().and_then(|values| values.get(at))))
    }

    /// Whether an event is there that came with the same time: two rules that match it stand next to each other.
    pub(crate) fn holds(&self, id: EventId, time: Timestamp) -> bool {
        let alike = self.list.iter().rev().skip_while(|entry| entry.time > time);
        alike.take_while(|entry| entry.time == time).take(ALIKE_MAX).any(|entry| entry.id == id)
    }

    /// Adds an event where its time belongs, and gives its place; its line is kept as proof. Lines that are then in the middle, those from
    /// before `start` first, or with `lean` all others, are put into `spent`.
    pub(super) fn push(
        &mut self,
        entry: Entry,
        value: Option<Held>,
        event: &Arc<EventRef>,
        start: Timestamp,
        lean: bool,
        spent: &mut Vec<Arc<EventRef>>,
    ) -> usize {
        if self.list.capacity() == 0 {
            // Most groups are seen once.
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
        self.kept.insert(self.kept.len() - later, Kept { time: entry.time, event: Arc::clone(event) });
        self.proof += proof_of(event);
        if lean {
            self.drop_proof(1, spent);
        } else if self.kept.len() > 2 * EVIDENCE_EACH {
            let spare = if self.kept[0].time < start { 0 } else { EVIDENCE_EACH };
            let spare = self.kept.remove(spare);
            self.proof -= proof_of(&spare.event);
            spent.push(spare.event);
        }
        at
    }

    /// Takes out the event at a place.
    pub(super) fn remove(&mut self, place: usize) -> Option<(Entry, Option<Held>)> {
        let entry = self.list.remove(place)?;
        let value = self.values.as_mut().and_then(|values| values.remove(place));
        if let Some(at) = self.kept.iter().position(|kept| kept.event.id == entry.id) {
            self.proof -= proof_of(&self.kept.remove(at).event);
        }
        Some((entry, value))
    }

    /// The open finding has taken up the events at these places.
    pub(super) fn count(&mut self, places: Range<usize>) {
        self.list.range_mut(places).for_each(|entry| entry.counted = true);
    }

    /// How many are older than `time`.
    pub(super) fn older_than(&self, time: Timestamp) -> usize {
        self.list.partition_point(|entry| entry.time < time)
    }

    /// The value of the event at a place.
    pub(super) fn value(&self, place: usize) -> Option<&Held> {
        self.values.as_ref().and_then(|values| values.get(place))
    }

    /// Lets go of all but the events that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(&Entry, Option<&Held>) -> bool) {
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

    /// Lets the proof of all but the newest `spared` events go.
    pub(super) fn drop_proof(&mut self, spared: usize, spent: &mut Vec<Arc<EventRef>>) {
        let count = self.kept.len().saturating_sub(spared);
        for Kept { event, .. } in self.kept.drain(..count) {
            self.proof -= proof_of(&event);
            spent.push(event);
        }
    }

    pub(super) fn pop_first(&mut self) -> Option<(Entry, Option<Held>)> {
        let entry = self.list.pop_front()?;
        if self.kept.first().is_some_and(|kept| kept.event.id == entry.id) {
            self.proof -= proof_of(&self.kept.remove(0).event);
        }
        Some((entry, self.values.as_mut().and_then(|values| values.pop_front())))
    }

    /// Takes out the oldest `count` events.
    pub(super) fn take_first(&mut self, count: usize) -> Entries {
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

    /// Bytes that all of it takes beside proof and values.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Entry>()
            + self.values.as_ref().map_or(0, |values| values.capacity() * size_of::<Held>())
    }

    pub(super) fn proof_bytes(&self) -> usize {
        self.proof
    }

    /// Kept events, oldest first.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Arc<EventRef>> {
        self.kept.iter().map(|kept| &kept.event)
    }

    /// Entries with their values, and their events where those are kept.
    pub(super) fn with_events(&self) -> impl Iterator<Item = (&Entry, Option<&Held>, Option<&Arc<EventRef>>)> {
        let mut kept = self.kept.iter().peekable();
        self.iter().map(move |(entry, value)| {
            let event = kept.next_if(|kept| kept.event.id == entry.id).map(|kept| &kept.event);
            (entry, value, event)
        })
    }

    /// Reads both ends, and gives anything that comes of it.
    pub(super) fn look_at_ends(&self) -> u64 {
        let ends = self.list.front().into_iter().chain(self.list.back()).map(|entry| entry.time);
        ends.chain(self.kept.first().map(|kept| kept.time)).fold(0, |seen, time| seen ^ time.0.unsigned_abs())
    }

    /// Reads the proof that the next event will push out.
    pub(super) fn look_at_proof(&self) -> u64 {
        let next = self.kept.get(EVIDENCE_EACH).or(self.kept.first());
        next.map_or(0, |kept| kept.event.original.len() as u64 ^ kept.event.line_no)
    }
}

/// One entry as it is saved; short, because windows hold thousands of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    #[serde(rename = "t", with = "microseconds")]
    time: Timestamp,
    #[serde(rename = "i")]
    id: EventId,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    value: Option<Held>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    event: Option<Arc<EventRef>>,
    #[serde(rename = "w", default = "one", skip_serializing_if = "is_one")]
    weight: u32,
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    place: u16,
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    counted: bool,
}

mod microseconds {
    use event::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(place: &u16) -> bool {
    *place == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(weight: &u32) -> bool {
    *weight == 1
}

fn one() -> u32 {
    1
}

impl From<Entries> for Vec<Saved> {
    fn from(entries: Entries) -> Self {
        let saved = entries.with_events().map(|(entry, value, event)| Saved {
            time: entry.time,
            id: entry.id,
            value: value.cloned(),
            event: event.cloned(),
            weight: entry.weight,
            place: entry.place,
            counted: entry.counted,
        });
        saved.collect()
    }
}

impl From<Vec<Saved>> for Entries {
    fn from(saved: Vec<Saved>) -> Self {
        let mut entries = Entries::default();
        for Saved { time, id, value, event, weight, place, counted } in saved {
            entries.list.push_back(Entry { id, time, weight, place, counted });
            if let Some(value) = value {
                entries.values.get_or_insert_default().push_back(value);
            }
            entries.kept.extend(event.map(|event| Kept { time, event }));
        }
        entries.weigh();
        entries
    }
}
