//! Groups that hits have come to out of order. Their windows are counted again once for all that came together, so that
//! a flood of such hits costs no more than what it brings. Remembers groups; counts nothing.

use event::Timestamp;

use crate::hit::IndexedHit;

/// Groups that are remembered; with more, they must be counted again at once.
const GROUPS_MAX: usize = 256;

/// A group, and the hits that came to it out of order.
#[derive(Debug)]
pub(crate) struct OutOfOrderGroup {
    /// Index of the correlation.
    pub(crate) index: usize,
    pub(crate) key: Box<str>,
    /// Times of the oldest and the newest of the hits.
    pub(crate) times: (Timestamp, Timestamp),
    /// The newest of the hits.
    pub(crate) hit: IndexedHit,
}

/// Groups whose windows are to be counted again, in the order in which they were noted.
#[derive(Debug, Default)]
pub(crate) struct OutOfOrderGroups(Vec<OutOfOrderGroup>);

impl OutOfOrderGroups {
    /// Notes a hit that came out of order. True where there are too many groups to wait any longer.
    pub(crate) fn note(&mut self, index: usize, key: &str, hit: &IndexedHit, time: Timestamp) -> bool {
        if let Some(known) = self.0.iter_mut().find(|known| known.index == index && *known.key == *key) {
            known.times.0 = known.times.0.min(time);
            if known.times.1 <= time {
                (known.times.1, known.hit) = (time, hit.clone());
            }
            return false;
        }
        self.0.push(OutOfOrderGroup { index, key: key.into(), times: (time, time), hit: hit.clone() });
        self.0.len() > GROUPS_MAX
    }

    /// Takes all groups out.
    #[inline]
    pub(crate) fn take(&mut self) -> Vec<OutOfOrderGroup> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hit::tests::hit_at;

    #[test]
    fn hits_of_one_group_are_one_with_the_newest_of_them() {
        let mut groups = OutOfOrderGroups::default();
        for (line_no, time) in [(1, 50), (2, 70), (3, 60), (4, 40)] {
            assert!(!groups.note(0, "a", &hit_at(line_no, time), Timestamp(time)));
        }
        groups.note(1, "a", &hit_at(5, 1), Timestamp(1));
        let taken = groups.take();
        assert_eq!((taken.len(), taken[0].times), (2, (Timestamp(40), Timestamp(70))));
        assert_eq!(taken[0].hit.event.line_no, 2);
        assert!(groups.take().is_empty());
    }

    #[test]
    fn too_many_groups_wait_no_longer() {
        let mut groups = OutOfOrderGroups::default();
        let full = (0..300).position(|at| groups.note(0, &at.to_string(), &hit_at(1, 0), Timestamp(0)));
        assert_eq!(full, Some(GROUPS_MAX));
    }
}
