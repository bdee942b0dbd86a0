//! Fast path: values with when each was last seen, and the stalest of them without a walk over all. Assumes that the time of
//! a value never goes back, so that a time noted before is never too late. Its slow twin, a walk, is in the test below.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use event::Timestamp;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// When a value was last seen, and how often.
pub(crate) type Term = (Timestamp, u64);

/// Values, within a limit that the owner keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Arc<str>, Term>", into = "BTreeMap<Arc<str>, Term>")]
pub(crate) struct Terms {
    seen: HashMap<Arc<str>, Term, RandomState>,
    /// Every value once, with the time at which it was last seen, or an earlier one; empty until a value had to go.
    stalest_first: BinaryHeap<Reverse<(Timestamp, Arc<str>)>>,
}

impl Terms {
    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// What is known of a value, to be changed; its time must not go back.
    pub(crate) fn get_mut(&mut self, value: &str) -> Option<&mut Term> {
        self.seen.get_mut(value)
    }

    /// Adds a value that is not there.
    pub(crate) fn insert(&mut self, value: &str, term: Term) {
        let value: Arc<str> = Arc::from(value);
        if !self.stalest_first.is_empty() {
            self.stalest_first.push(Reverse((term.0, Arc::clone(&value))));
        }
        self.seen.insert(value, term);
    }

    /// Takes out the value that was not seen for longest; of equals the first by its text.
    pub(crate) fn remove_stalest(&mut self) {
        if self.stalest_first.len() != self.seen.len() {
            let all = self.seen.iter().map(|(value, (last, _))| Reverse((*last, Arc::clone(value))));
            self.stalest_first = all.collect();
        }
        while let Some(mut first) = self.stalest_first.peek_mut() {
            let Reverse((noted, value)) = &mut *first;
            match self.seen.get(value) {
                Some((last, _)) if last != noted => *noted = *last,
                _ => {
                    let Reverse((_, value)) = PeekMut::pop(first);
                    self.seen.remove(&value);
                    return;
                }
            }
        }
    }

    /// Up to `most` values, in the order of their texts.
    pub(crate) fn some(&self, most: usize) -> Vec<String> {
        let mut values: Vec<&str> = self.seen.keys().map(|value| &**value).collect();
        values.sort_unstable();
        values.into_iter().take(most).map(str::to_owned).collect()
    }
}

impl From<BTreeMap<Arc<str>, Term>> for Terms {
    fn from(seen: BTreeMap<Arc<str>, Term>) -> Self {
        Terms { seen: seen.into_iter().collect(), stalest_first: BinaryHeap::new() }
    }
}

impl From<Terms> for BTreeMap<Arc<str>, Term> {
    fn from(terms: Terms) -> Self {
        terms.seen.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious way: walk over all values.
    fn remove_stalest(seen: &mut BTreeMap<String, Term>) {
        let stalest = seen.iter().min_by_key(|(_, (last, _))| *last).map(|(value, _)| value.clone());
        if let Some(value) = stalest {
            seen.remove(&value);
        }
    }

    proptest! {
        #[test]
        fn the_stalest_is_the_one_that_a_walk_finds(
            events in prop::collection::vec((0..30_u32, 0..40_i64, any::<bool>()), 0..200),
        ) {
            let (mut terms, mut walked) = (Terms::default(), BTreeMap::<String, Term>::new());
            for (value, time, is_saved) in events {
                let (value, time) = (value.to_string(), Timestamp(time));
                match (terms.get_mut(&value), walked.get_mut(&value)) {
                    (Some(one), Some(other)) => {
                        for (last, count) in [one, other] {
                            (*last, *count) = ((*last).max(time), *count + 1);
                        }
                    }
                    (None, None) => {
                        if terms.len() >= 8 {
                            terms.remove_stalest();
                            remove_stalest(&mut walked);
                        }
                        terms.insert(&value, (time, 1));
                        walked.insert(value, (time, 1));
                    }
                    (one, other) => prop_assert!(false, "{one:?} {other:?}"),
                }
                if is_saved {
                    let saved = serde_json::to_string(&terms).unwrap();
                    prop_assert_eq!(&saved, &serde_json::to_string(&walked).unwrap(), "saved as the obvious way is");
                    terms = serde_json::from_str(&saved).unwrap();
                }
                prop_assert_eq!(terms.some(100), walked.keys().cloned().collect::<Vec<_>>());
            }
        }
    }
}
