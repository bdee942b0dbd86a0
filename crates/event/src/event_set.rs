//! Which events a finding counts, small enough to travel with it: exact up to a limit, an estimate (HyperLogLog) beyond.
//! Sets can be put together, so that an event that several findings count is counted once, and putting the same set in
//! again changes nothing.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::block::EventId;

/// Events that the set of one finding holds exactly.
pub const FINDING_EVENTS_MAX: usize = 512;
/// Events that the set of an incident holds exactly.
pub const INCIDENT_EVENTS_MAX: usize = 2048;
/// Registers of an estimate, as a power of two: its standard error is 1.04 / √2048, 2.3 %.
const INDEX_BITS: u32 = 11;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of an event's hash: among 2,048 events two share one once in 10^8 sets.
const HASH_BITS: u32 = 48;
/// An event of a message that says it was repeated counts as often; beyond it the set is marked as an estimate.
const WEIGHT_MAX: u64 = 0xFFFF;
/// Repeats of one event that an estimate tells apart.
const REPEATS_MAX: u64 = 256;
/// Sixty-four characters, six bits each.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Events, each once. The default is "not known", which stays so whatever is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSet {
    kind: Kind,
    /// Some events stand for others that were not looked at.
    rough: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    /// Hashes (48 bits) and weights (16 bits); sorted and each once after [`EventSet::settle`].
    Exact(Vec<u64>),
    Estimate(Box<[u8; REGISTERS]>),
}

/// The upper 48 bits of a hash of the id. Sets are stored: no machine and no version may compute another one.
fn hash(id: EventId) -> u64 {
    mixed((id.0 >> 64) as u64 ^ mixed(id.0 as u64)) >> (64 - HASH_BITS)
}

fn mixed(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// What a digit stands for.
fn value(digit: &u8) -> Option<u64> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(u64::from(value))
}

fn hash_of(entry: u64) -> u64 {
    entry >> 16
}

fn weight_of(entry: u64) -> u64 {
    entry & WEIGHT_MAX
}

fn register(registers: &mut [u8; REGISTERS], hash: u64) {
    const REST: u32 = HASH_BITS - INDEX_BITS;
    let rest = hash & ((1 << REST) - 1);
    let rank = (rest.leading_zeros() - (64 - REST) + 1).min(REST + 1) as u8;
    let known = &mut registers[(hash >> REST) as usize];
    *known = (*known).max(rank);
}

fn register_entry(registers: &mut [u8; REGISTERS], entry: u64) {
    register(registers, hash_of(entry));
    for repeat in 1..weight_of(entry).min(REPEATS_MAX) {
        register(registers, mixed(hash_of(entry) ^ repeat.rotate_left(52)) >> (64 - HASH_BITS));
    }
}

impl EventSet {
    /// Without any event.
    pub fn empty() -> Self {
        EventSet { kind: Kind::Exact(Vec::new()), rough: false }
    }

    /// Adds an event that counts `weight` times, to the set of a finding.
    #[inline]
    pub fn insert(&mut self, id: EventId, weight: u64) {
        let entry = hash(id) << 16 | weight.clamp(1, WEIGHT_MAX);
        self.rough |= weight > WEIGHT_MAX;
        match &mut self.kind {
            Kind::Unknown => {}
            Kind::Estimate(registers) => register_entry(registers, entry),
            Kind::Exact(entries) => {
                entries.push(entry);
                if entries.len() > FINDING_EVENTS_MAX {
                    self.settle(FINDING_EVENTS_MAX);
                }
            }
        }
    }

    /// Takes events out again. An estimate keeps them.
    pub fn remove(&mut self, ids: impl Iterator<Item = EventId>) {
        if let Kind::Exact(entries) = &mut self.kind {
            let gone: Vec<u64> = ids.map(hash).collect();
            entries.retain(|entry| !gone.contains(&hash_of(*entry)));
        }
    }

    /// Sorted, each event once, and an estimate where there are more than `exact_max`.
    fn settle(&mut self, exact_max: usize) {
        let Kind::Exact(entries) = &mut self.kind else { return };
        // Of one event the greatest weight counts: it comes last.
        entries.sort_unstable_by(|a, b| b.cmp(a));
        entries.dedup_by_key(|entry| hash_of(*entry));
        entries.reverse();
        if entries.len() > exact_max {
            let mut registers = Box::new([0; REGISTERS]);
            entries.iter().for_each(|entry| register_entry(&mut registers, *entry));
            self.kind = Kind::Estimate(registers);
        }
    }

    /// As it travels: in a fixed order. With `sampled` each event stands for others that nobody looked at.
    pub fn settled(&self, sampled: bool) -> Self {
        let mut set = self.clone();
        if sampled {
            set.rough = true;
            if let Kind::Exact(entries) = &mut set.kind {
                entries.iter_mut().for_each(|entry| *entry = hash_of(*entry) << 16 | 1);
            }
        }
        set.settle(FINDING_EVENTS_MAX);
        set
    }

    /// Puts another set in; exact up to `exact_max` events. What is not known makes all of it unknown.
    pub fn unite(&mut self, other: &EventSet, exact_max: usize) {
        self.rough |= other.rough;
        if let (Kind::Exact(_), Kind::Estimate(_)) = (&self.kind, &other.kind) {
            self.settle_as_estimate();
        }
        match (&mut self.kind, &other.kind) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => self.kind = Kind::Unknown,
            (Kind::Exact(mine), Kind::Exact(theirs)) => {
                mine.extend_from_slice(theirs);
                self.settle(exact_max);
            }
            (Kind::Estimate(mine), Kind::Exact(theirs)) => {
                theirs.iter().for_each(|entry| register_entry(mine, *entry));
            }
            (Kind::Estimate(mine), Kind::Estimate(theirs)) => {
                mine.iter_mut().zip(theirs.iter()).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
            }
            (Kind::Exact(_), Kind::Estimate(_)) => {}
        }
    }

    fn settle_as_estimate(&mut self) {
        self.settle(0);
        if let Kind::Exact(_) = self.kind {
            self.kind = Kind::Estimate(Box::new([0; REGISTERS]));
        }
    }

    /// What is in this set and not in the other; not known where one of them is not exact.
    pub fn without(&self, other: &EventSet) -> EventSet {
        let (Kind::Exact(mine), Kind::Exact(theirs)) = (&self.kind, &other.kind) else { return EventSet::default() };
        let theirs: std::collections::BTreeSet<u64> = theirs.iter().map(|entry| hash_of(*entry)).collect();
        let left = mine.iter().copied().filter(|entry| !theirs.contains(&hash_of(*entry))).collect();
        let mut set = EventSet { kind: Kind::Exact(left), rough: self.rough || other.rough };
        set.settle(usize::MAX);
        set
    }

    /// Whether the event is in it; `None` where that cannot be told.
    pub fn has(&self, id: EventId) -> Option<bool> {
        let Kind::Exact(entries) = &self.kind else { return None };
        Some(entries.iter().any(|entry| hash_of(*entry) == hash(id)))
    }

    /// Whether anything is known of the events that were counted.
    pub fn is_known(&self) -> bool {
        self.kind != Kind::Unknown
    }

    /// Every event is in it, and no event stands for others.
    pub fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Exact(_)) && !self.rough
    }

    /// An event of it stands for others that were not looked at.
    pub fn is_rough(&self) -> bool {
        self.rough
    }

    /// How many events there are, repeats included: exact or estimated; 0 where nothing is known.
    pub fn count(&self) -> u64 {
        match &self.kind {
            Kind::Unknown => 0,
            Kind::Exact(_) => {
                let mut settled = self.clone();
                settled.settle(usize::MAX);
                let Kind::Exact(entries) = &settled.kind else { return 0 };
                entries.iter().map(|entry| weight_of(*entry)).sum()
            }
            Kind::Estimate(registers) => estimate(registers),
        }
    }

    /// As text, for a table or a JSON value: empty where nothing is known.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let digit = |bits: u64| char::from(DIGITS[(bits & 63) as usize]);
        match &self.kind {
            Kind::Unknown => return out,
            Kind::Exact(entries) => {
                out.reserve(entries.len() * 8 + 2);
                out.push(if self.rough { 'r' } else { 'e' });
                for entry in entries {
                    (0..8).for_each(|at| out.push(digit(hash_of(*entry) >> (6 * at))));
                    if weight_of(*entry) > 1 {
                        out.push('*');
                        (0..3).for_each(|at| out.push(digit(weight_of(*entry) >> (6 * at))));
                    }
                }
            }
            Kind::Estimate(registers) => {
                out.push(if self.rough { 's' } else { 'h' });
                registers.iter().for_each(|rank| out.push(digit(u64::from(*rank))));
            }
        }
        out
    }

    /// From [`EventSet::text`]; `None`: it is none.
    pub fn read(text: &str) -> Option<Self> {
        let Some((kind, rest)) = text.as_bytes().split_first() else { return Some(EventSet::default()) };
        let number = |bytes: &[u8]| bytes.iter().rev().try_fold(0, |all, byte| Some(all << 6 | value(byte)?));
        let rough = matches!(kind, b'r' | b's');
        match kind {
            b'e' | b'r' => {
                let mut entries = Vec::with_capacity(rest.len() / 8);
                let mut rest = rest;
                while !rest.is_empty() {
                    let hash = number(rest.get(..8)?)?;
                    rest = &rest[8..];
                    let mut weight = 1;
                    if rest.first() == Some(&b'*') {
                        weight = number(rest.get(1..4)?)?;
                        rest = &rest[4..];
                    }
                    entries.push(hash << 16 | weight.clamp(1, WEIGHT_MAX));
                }
                Some(EventSet { kind: Kind::Exact(entries), rough })
            }
            b'h' | b's' => {
                let mut registers = Box::new([0; REGISTERS]);
                if rest.len() != REGISTERS {
                    return None;
                }
                for (register, byte) in registers.iter_mut().zip(rest) {
                    *register = value(byte)? as u8;
                }
                Some(EventSet { kind: Kind::Estimate(registers), rough })
            }
            _ => None,
        }
    }

    /// Bytes that it takes beside itself.
    pub fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Unknown => 0,
            Kind::Exact(entries) => entries.capacity() * size_of::<u64>(),
            Kind::Estimate(_) => REGISTERS,
        }
    }
}

/// The number of distinct hashes, from the registers; small numbers by the registers that are empty.
fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    let size = REGISTERS as f64;
    let sum: f64 = registers.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
    let raw = 0.7213 / (1.0 + 1.079 / size) * size * size / sum;
    let empty = registers.iter().filter(|rank| **rank == 0).count();
    let number = if raw <= 2.5 * size && empty > 0 { size * (size / empty as f64).ln() } else { raw };
    number.round() as u64
}

impl Serialize for EventSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for EventSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        EventSet::read(&text).ok_or_else(|| serde::de::Error::custom("no set of events"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::SourceId;

    #[test]
    fn every_digit_is_read_as_it_is_written() {
        let read: Vec<u64> = DIGITS.iter().filter_map(value).collect();
        assert_eq!(read, (0..64).collect::<Vec<_>>());
        assert_eq!((0..=255).filter(|byte| value(byte).is_some()).count(), 64);
    }

    fn set(offsets: impl Iterator<Item = u64>) -> EventSet {
        let mut set = EventSet::empty();
        offsets.for_each(|offset| set.insert(EventId::derive(SourceId(77 << 64), offset * 120), 1));
        set.settled(false)
    }

    #[test]
    fn events_that_two_sets_share_count_once_and_texts_come_back() {
        let (mut one, other) = (set(0..76), set(50..130));
        one.unite(&other, INCIDENT_EVENTS_MAX);
        assert_eq!((one.count(), one.is_exact()), (130, true));
        let again = one.clone();
        one.unite(&other, INCIDENT_EVENTS_MAX);
        assert_eq!(one, again, "putting it in again changes nothing");
        assert_eq!(EventSet::read(&one.text()), Some(one.clone()));
        assert_eq!(one.without(&other).count(), 50);
        assert_eq!(one.has(EventId::derive(SourceId(77 << 64), 0)), Some(true));
        assert_eq!(one.has(EventId::derive(SourceId(77 << 64), 1)), Some(false));
        assert_eq!(EventSet::read("e123"), None);
    }

    #[test]
    fn a_flood_is_estimated_within_its_error_and_says_so() {
        let mut one = set(0..1_000_000);
        assert!(!one.is_exact() && one.is_known());
        let off = one.count().abs_diff(1_000_000);
        assert!(off < 70_000, "{off}");
        one.unite(&set(0..300), INCIDENT_EVENTS_MAX);
        assert_eq!(one, set(0..1_000_000), "they were there");
        assert_eq!(EventSet::read(&one.text()), Some(one.clone()));
        let mut exact = set(0..300);
        exact.unite(&set(200..600), INCIDENT_EVENTS_MAX);
        assert!(exact.is_exact() && exact.count() == 600);
        exact.unite(&one, INCIDENT_EVENTS_MAX);
        assert_eq!(exact, one);
        assert_eq!(set(0..512).count(), 512);
        assert!(set(0..513).count().abs_diff(513) < 40);
    }

    #[test]
    fn repeats_count_and_what_is_not_known_stays_so() {
        let mut one = EventSet::empty();
        one.insert(EventId(5), 12);
        one.insert(EventId(5), 1);
        one.insert(EventId(6), 1);
        assert_eq!(one.settled(false).count(), 13);
        assert_eq!(EventSet::read(&one.settled(false).text()).map(|set| set.count()), Some(13));
        assert_eq!((one.settled(true).count(), one.settled(true).is_exact()), (2, false));
        one.insert(EventId(7), u64::MAX);
        assert!(!one.is_exact());
        let mut unknown = EventSet::default();
        unknown.insert(EventId(5), 1);
        one.unite(&unknown, 10);
        assert!(!one.is_known() && one.text().is_empty());
    }
}
