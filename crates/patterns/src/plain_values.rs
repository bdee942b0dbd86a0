//! Fast path: values of parameters in which nothing is found are remembered with their names, because most come again and
//! again: page numbers, words that are searched for. Assumes that what is found in a value depends on its name and its text
//! alone, which holds where nothing of the request has a view of its own. The slow twin is a new scratch for each value:
//! a test of the engine compares the two.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

/// Values that are remembered.
const SLOTS: usize = 1 << 11;
/// Bytes of name and value together, at most.
const BYTES_MAX: usize = 54;

/// A name and its value.
#[derive(Clone, Copy, Debug)]
struct Slot {
    name: u8,
    all: u8,
    bytes: [u8; BYTES_MAX],
}

const FREE: Slot = Slot { name: u8::MAX, all: 0, bytes: [0; BYTES_MAX] };

/// Values in which nothing is found.
#[derive(Debug, Default)]
pub(crate) struct PlainValues {
    /// Made when the first value comes.
    slots: Vec<Slot>,
    hasher: DefaultHashBuilder,
}

impl PlainValues {
    /// The place of a name and its value; `None` where they are too long to be remembered.
    pub(crate) fn place(&self, name: &str, value: &str) -> Option<usize> {
        (name.len() + value.len() <= BYTES_MAX).then(|| self.hasher.hash_one((name, value)) as usize % SLOTS)
    }

    /// Whether nothing was found in this value.
    pub(crate) fn knows(&self, place: usize, name: &str, value: &str) -> bool {
        self.slots.get(place).is_some_and(|slot| {
            usize::from(slot.name) == name.len()
                && usize::from(slot.all) == name.len() + value.len()
                && &slot.bytes[..name.len()] == name.as_bytes()
                && &slot.bytes[name.len()..name.len() + value.len()] == value.as_bytes()
        })
    }

    /// Remembers that nothing was found in this value, in place of another.
    pub(crate) fn add(&mut self, place: usize, name: &str, value: &str) {
        if self.slots.is_empty() {
            self.slots = vec![FREE; SLOTS];
        }
        let slot = &mut self.slots[place];
        (slot.name, slot.all) = (name.len() as u8, (name.len() + value.len()) as u8);
        slot.bytes[..name.len()].copy_from_slice(name.as_bytes());
        slot.bytes[name.len()..name.len() + value.len()].copy_from_slice(value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_name_and_all_its_bytes() {
        let mut known = PlainValues::default();
        let place = known.place("q", "ab").unwrap_or_default();
        assert!(!known.knows(place, "", ""), "nothing is known at first");
        known.add(place, "q", "ab");
        assert!(known.knows(place, "q", "ab"));
        for (name, value) in [("qa", "b"), ("q", "a"), ("q", "abc"), ("", "qab"), ("Q", "ab")] {
            assert!(!known.knows(place, name, value), "{name}={value}");
        }
        assert_eq!(known.place("q", &"x".repeat(BYTES_MAX)), None);
    }
}
