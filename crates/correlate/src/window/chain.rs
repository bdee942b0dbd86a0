//! How far a sequence of rules has come, without walking over the events: for each rule the latest time at which a
//! sequence up to it can have begun. Events of one instant satisfy either order; one event stands for one rule.

use event::{EventId, Timestamp};

use crate::window::entry::Entry;

/// How far sequences of a correlation's rules have come.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// For each rule of the sequence, by position: the latest time at which a sequence that has reached it began.
    begun: Vec<Option<Timestamp>>,
    /// `begun` as it was before the events whose time is `instant`.
    before: Vec<Option<Timestamp>>,
    instant: Timestamp,
    /// Events whose time is `instant`, each with the positions of the rules that match it. For each rule at most as
    /// many events are kept as the sequence has rules: more could not change the result.
    events: Vec<(EventId, Vec<u16>)>,
}

impl Chain {
    /// Without events, for so many rules in a row.
    pub(crate) fn new(bases: usize) -> Self {
        let nothing = vec![None; bases];
        Chain { begun: nothing.clone(), before: nothing, instant: Timestamp(i64::MIN), events: Vec::new() }
    }

    /// Whether the whole sequence has been seen, begun at `oldest` or later.
    pub(crate) fn is_complete(&self, oldest: Timestamp) -> bool {
        self.begun.last().is_some_and(|begun| begun.is_some_and(|begun| begun >= oldest))
    }

    /// Takes up an entry that is not older than those before.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let base = usize::from(entry.base);
        if base >= self.begun.len() {
            return;
        }
        if entry.time != self.instant {
            self.instant = entry.time;
            self.before.clone_from(&self.begun);
            self.events.clear();
        }
        if !self.note(entry.id, entry.base) {
            return;
        }
        if self.events.len() == 1 && self.events[0].1.len() == 1 {
            let begun = if base == 0 { Some(entry.time) } else { self.before[base - 1] };
            self.begun[base] = self.begun[base].max(begun);
            return;
        }
        for from in 0..self.begun.len() {
            let begun = if from == 0 { Some(self.instant) } else { self.before[from - 1] };
            if begun.is_some() {
                let end = from + self.filled_from(from);
                self.begun[from..end].iter_mut().for_each(|known| *known = (*known).max(begun));
            }
        }
    }

    /// Notes that an event of the instant can stand for a base; false where that changes nothing.
    fn note(&mut self, id: EventId, base: u16) -> bool {
        let (mut alike, most) = (0, self.begun.len());
        for (known, bases) in &mut self.events {
            let has_base = bases.contains(&base);
            if *known == id {
                if !has_base {
                    bases.push(base);
                }
                return !has_base;
            }
            alike += usize::from(has_base);
        }
        if alike < most {
            self.events.push((id, vec![base]));
        }
        alike < most
    }

    /// How many bases from `from` on the events of the instant can stand for, each event for one.
    fn filled_from(&self, from: usize) -> usize {
        let mut taken: Vec<Option<usize>> = vec![None; self.events.len()];
        (from..self.begun.len())
            .take_while(|base| self.fill(*base, &mut taken, &mut vec![false; self.events.len()]))
            .count()
    }

    /// Finds an event for the base; where all fitting events are taken, moves one of them to another base.
    fn fill(&self, base: usize, taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
        for (at, (_, bases)) in self.events.iter().enumerate() {
            if tried[at] || !bases.iter().any(|fits| usize::from(*fits) == base) {
                continue;
            }
            tried[at] = true;
            if taken[at].is_none_or(|other| self.fill(other, taken, tried)) {
                taken[at] = Some(base);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Event = (i64, Vec<u16>);

    /// The obvious way: try every event for the next base, none of them twice, in order of time.
    fn stands(events: &[Event], next: u16, from: i64, used: &mut Vec<usize>) -> bool {
        if next == 3 {
            return true;
        }
        for (at, (time, bases)) in events.iter().enumerate() {
            if *time >= from && bases.contains(&next) && !used.contains(&at) {
                used.push(at);
                let found = stands(events, next + 1, *time, used);
                used.pop();
                if found {
                    return true;
                }
            }
        }
        false
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_found_where_the_obvious_way_finds_it(
            steps in prop::collection::vec((0..3_i64, 1..8_u16), 1..10),
            span in 0..6_i64,
        ) {
            let (mut chain, mut events, mut time) = (Chain::new(3), Vec::<Event>::new(), 0);
            for (at, (step, bases)) in steps.into_iter().enumerate() {
                time += step;
                let bases: Vec<u16> = (0..3).filter(|base| bases >> base & 1 == 1).collect();
                events.push((time, bases.clone()));
                for base in bases {
                    let (id, time) = (EventId(at as u128), Timestamp(time));
                    chain.add(&Entry { id, time, weight: 1, base, in_finding: false });
                }
                let inside: Vec<Event> = events.iter().filter(|(at, _)| *at >= time - span).cloned().collect();
                prop_assert_eq!(chain.is_complete(Timestamp(time - span)), stands(&inside, 0, 0, &mut Vec::new()));
            }
        }
    }
}
