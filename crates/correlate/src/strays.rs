//! Groups that hits have come to out of order: their windows are looked at again once for all of a batch, so that a flood of
//! strays costs no more than what it brings.

use std::sync::Arc;

use event::{Hit, Timestamp};

use crate::{Correlator, Signal, group};

/// A group, and the strays that came to it.
#[derive(Debug)]
pub(super) struct Stray {
    index: usize,
    key: Box<str>,
    /// Of the oldest and the newest of them.
    times: (Timestamp, Timestamp),
    /// The newest of them.
    hit: Hit,
}

/// Groups that wait to be looked at; with more, those before are looked at first.
const STRAYS_MAX: usize = 256;

impl Correlator {
    pub(super) fn note_stray(&mut self, index: usize, key: &str, hit: &Hit, time: Timestamp) {
        if let Some(known) = self.strays.iter_mut().find(|known| known.index == index && *known.key == *key) {
            known.times.0 = known.times.0.min(time);
            if known.times.1 <= time {
                (known.times.1, known.hit) = (time, hit.clone());
            }
            return;
        }
        self.strays.push(Stray { index, key: key.into(), times: (time, time), hit: hit.clone() });
        if self.strays.len() > STRAYS_MAX {
            self.recount_strays();
        }
    }

    /// Looks at the windows of groups that strays have come to. What fires may make strays of other correlations.
    pub(super) fn recount_strays(&mut self) {
        while !self.strays.is_empty() {
            for stray in std::mem::take(&mut self.strays) {
                self.recount(&stray);
            }
        }
    }

    fn recount(&mut self, stray: &Stray) {
        let Stray { index, key, times, hit } = stray;
        let set = Arc::clone(&self.set);
        let bound = &set.correlations[*index];
        let Some(place) = self.windows[*index].place(key) else { return };
        let window = self.windows[*index].at_mut(place);
        let recounted = window.recount(bound, *index, *times, &group::group_text(bound, hit));
        if !recounted.fires {
            return;
        }
        if recounted.begins {
            self.begin(*index, place, key, hit);
        }
        self.note_firing(*index, place, key);
        let signal = Signal { number: set.signal_of(*index), goes_on: !recounted.anew, ahead: false };
        self.correlate(signal, hit, times.1, false);
    }
}
