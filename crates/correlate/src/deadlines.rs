//! When windows are to be judged that wait for their end: in the order of their ends over all correlations, so that
//! what they tell other correlations comes when it is time. Knows no window; one that has gone is passed over by its
//! owner.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use event::Timestamp;

/// End of a window's time span, index of its correlation, and key of its group.
pub(crate) type Deadline = (Timestamp, usize, Box<str>);

/// Ends of windows, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<Deadline>>,
}

impl Deadlines {
    /// A window of the group ends at `end`.
    pub(crate) fn add(&mut self, end: Timestamp, index: usize, key: &str) {
        self.heap.push(Reverse((end, index, key.into())));
    }

    /// Takes out the next deadline before `complete`.
    #[inline]
    pub(crate) fn next_before(&mut self, complete: Timestamp) -> Option<Deadline> {
        let has_passed = self.heap.peek().is_some_and(|Reverse((end, ..))| *end < complete);
        has_passed.then(|| self.heap.pop()).flatten().map(|Reverse(deadline)| deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_the_order_of_their_ends_and_not_before_them() {
        let mut deadlines = Deadlines::default();
        for (end, index, key) in [(30, 0, "a"), (10, 1, "b"), (10, 0, "c"), (20, 2, "d")] {
            deadlines.add(Timestamp(end), index, key);
        }
        assert_eq!(deadlines.next_before(Timestamp(10)), None, "something may still come at the end itself");
        let mut order = String::new();
        while let Some((_, _, key)) = deadlines.next_before(Timestamp(21)) {
            order += &key;
        }
        assert_eq!(order, "cbd");
        assert_eq!(deadlines.next_before(Timestamp(31)), Some((Timestamp(30), 0, "a".into())));
    }
}
