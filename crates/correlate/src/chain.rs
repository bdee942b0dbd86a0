//! How far the order of a correlation's signals has come, without walking over its events: for each signal the latest time
//! that a sequence up to it can have begun at. Events of one instant satisfy either order; one event fills one place.

use event::{EventId, Timestamp};

use crate::entries::Entry;

#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// By place: when the latest sequence up to it began.
    begun: Vec<Option<Timestamp>>,
    /// The same before the instant at hand.
    before: Vec<Option<Timestamp>>,
    instant: Timestamp,
    /// Events of the instant, each with the places that it can fill: as many for a place as there are places, because
    /// more could not make a difference.
    events: Vec<(EventId, Vec<u16>)>,
}

impl Chain {
    pub(super) fn new(places: usize) -> Self {
        let nothing = vec![None; places];
        Chain { begun: nothing.clone(), before: nothing, instant: Timestamp(i64::MIN), events: Vec::new() }
    }

    /// The whole sequence stands there, begun at `oldest` or later.
    pub(super) fn is_complete(&self, oldest: Timestamp) -> bool {
        self.begun.last().is_some_and(|begun| begun.is_some_and(|begun| begun >= oldest))
    }

    /// Takes up an entry that is not older than those before.
    pub(super) fn add(&mut self, entry: &Entry) {
        let place = usize::from(entry.place);
        if place >= self.begun.len() {
            return;
        }
        if entry.time != self.instant {
            self.instant = entry.time;
            self.before.clone_from(&self.begun);
            self.events.clear();
        }
        if !self.note(entry.id, entry.place) {
            return;
        }
        if self.events.len() == 1 && self.events[0].1.len() == 1 {
            let begun = if place == 0 { Some(entry.time) } else { self.before[place - 1] };
            self.begun[place] = self.begun[place].max(begun);
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

    /// Adds what an event can fill; false where that changes nothing.
    fn note(&mut self, id: EventId, place: u16) -> bool {
        let (mut alike, most) = (0, self.begun.len());
        for (known, places) in &mut self.events {
            let has_place = places.contains(&place);
            if *known == id {
                if !has_place {
                    places.push(place);
                }
                return !has_place;
            }
            alike += usize::from(has_place);
        }
        if alike < most {
            self.events.push((id, vec![place]));
        }
        alike < most
    }

    /// How many places from `from` on the events of the instant can fill, each event one place.
    fn filled_from(&self, from: usize) -> usize {
        let mut taken: Vec<Option<usize>> = vec![None; self.events.len()];
        (from..self.begun.len())
            .take_while(|place| self.fill(*place, &mut taken, &mut vec![false; self.events.len()]))
            .count()
    }

    /// Gives the place an event, moving others to make one free.
    fn fill(&self, place: usize, taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
        for (at, (_, places)) in self.events.iter().enumerate() {
            if tried[at] || !places.iter().any(|fits| usize::from(*fits) == place) {
                continue;
            }
            tried[at] = true;
            if taken[at].is_none_or(|other| self.fill(other, taken, tried)) {
                taken[at] = Some(place);
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

    /// The obvious way: try every event for the next place, none of them twice, in order of time.
    fn stands(events: &[Event], next: u16, from: i64, used: &mut Vec<usize>) -> bool {
        if next == 3 {
            return true;
        }
        for (at, (time, places)) in events.iter().enumerate() {
            if *time >= from && places.contains(&next) && !used.contains(&at) {
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
            for (at, (step, places)) in steps.into_iter().enumerate() {
                time += step;
                let places: Vec<u16> = (0..3).filter(|place| places >> place & 1 == 1).collect();
                events.push((time, places.clone()));
                for place in places {
                    let (id, time) = (EventId(at as u128), Timestamp(time));
                    chain.add(&Entry { id, time, weight: 1, place, counted: false });
                }
                let inside: Vec<Event> = events.iter().filter(|(at, _)| *at >= time - span).cloned().collect();
                prop_assert_eq!(chain.is_complete(Timestamp(time - span)), stands(&inside, 0, 0, &mut Vec::new()));
            }
        }
    }
}
