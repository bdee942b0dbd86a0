//! Events of no known shape, counted by their set of keys, so that nobody has to find out by chance that a log is not
//! understood. Bounded; holds no values of events.

use hashbrown::HashMap;

use super::places::Places;

/// Sets of keys that are counted each for itself.
const SETS_MAX: usize = 256;
/// Keys that are told of a set.
const KEYS_MAX: usize = 100;
/// Longest key that is told, in bytes.
const KEY_BYTES_MAX: usize = 120;

/// Events with one set of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownShape {
    /// The keys, in the order of the first such event, long ones cut.
    pub keys: Vec<String>,
    /// Events that had these keys.
    pub events: u64,
}

/// Events of no known shape.
#[derive(Clone, Debug, Default)]
pub struct UnknownShapes {
    sets: HashMap<u64, UnknownShape>,
    /// Events of sets beyond those that are counted each for itself.
    others: u64,
}

impl UnknownShapes {
    /// All events.
    pub fn events(&self) -> u64 {
        self.sets.values().map(|set| set.events).sum::<u64>() + self.others
    }

    /// Events whose keys are not told, because there are too many sets of keys.
    pub fn others(&self) -> u64 {
        self.others
    }

    /// Sets of keys, the most frequent first.
    pub fn sets(&self) -> Vec<&UnknownShape> {
        let mut sets: Vec<_> = self.sets.values().collect();
        sets.sort_by(|one, other| other.events.cmp(&one.events).then_with(|| one.keys.cmp(&other.keys)));
        sets
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: UnknownShapes) {
        self.others += other.others;
        for (key, set) in other.sets {
            self.count(key, set.events, || set.keys);
        }
    }

    fn count(&mut self, key: u64, events: u64, keys: impl FnOnce() -> Vec<String>) {
        if let Some(known) = self.sets.get_mut(&key) {
            known.events += events;
        } else if self.sets.len() < SETS_MAX {
            self.sets.insert(key, UnknownShape { keys: keys(), events });
        } else {
            self.others += events;
        }
    }
}

/// The counts of one parser.
#[derive(Debug, Default)]
pub(crate) struct Unknown {
    shapes: UnknownShapes,
    /// Sets of the block's members, and the number of the set of keys that each is.
    known: HashMap<u64, u64>,
}

impl Unknown {
    /// What was counted since the last call.
    pub(crate) fn take(&mut self) -> UnknownShapes {
        std::mem::take(&mut self.shapes)
    }

    pub(super) fn begin_block(&mut self) {
        self.known.clear();
    }

    /// Counts the event at hand.
    pub(super) fn count(&mut self, places: &Places) {
        if self.known.len() >= SETS_MAX * 4 {
            self.known.clear();
        }
        let key = *self.known.entry(places.key_set()).or_insert_with(|| names_hash(places));
        self.shapes.count(key, 1, || places.members().take(KEYS_MAX).map(|(path, _)| cut(path)).collect());
    }
}

fn cut(path: &str) -> String {
    path.char_indices().take_while(|(at, _)| *at < KEY_BYTES_MAX).map(|(_, letter)| letter).collect()
}

/// Equal for equal sets of names, in whatever order and process. FNV-1a of each name, summed up.
fn names_hash(places: &Places) -> u64 {
    let hash = |path: &str| {
        path.bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    };
    places.members().fold(0, |sum, (path, _)| sum.wrapping_add(hash(path)))
}
