//! How fast a sender usually sends, and when its silence is unusual: by the longest pause that it has made before, which fades. A few
//! numbers for each sender.

use std::sync::Arc;

use event::Timestamp;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1440 * MINUTE_US;
/// Nobody is silent who was never known for so long, or sent less.
const KNOWN_MIN_US: i64 = 60 * MINUTE_US;
const EVENTS_MIN: u64 = 100;
/// Silence is unusual from here on, and beyond so many times the longest pause.
const SILENCE_MIN_US: i64 = 10 * MINUTE_US;
const PAUSES: i64 = 3;
/// Share of the usual rate that a new minute changes, and what a day leaves of a pause.
const SHARE: f64 = 1.0 / 60.0;
const FADES: f64 = 0.8;

/// A sender that has fallen silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Who.
    pub sender: Arc<str>,
    /// When something came last.
    pub last: Timestamp,
    /// The longest pause before, or the silence that is set for it, in microseconds.
    pub usual_us: i64,
}

/// Of one sender.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    first: i64,
    last: i64,
    events: u64,
    /// The minute that is counted, its events, and those of the minute before.
    minute: i64,
    in_minute: u64,
    before: u64,
    /// Events of a usual minute.
    usual: f64,
    /// The longest pause, in microseconds, and when it last faded.
    pause_us: i64,
    faded: i64,
    is_told: bool,
}

impl Pace {
    pub(super) fn came(&mut self, events: u64, at: Timestamp) {
        if self.events == 0 {
            (self.first, self.last, self.faded) = (at.0, at.0, at.0);
            self.minute = at.0.div_euclid(MINUTE_US);
        }
        self.turn(at);
        self.events += events;
        self.in_minute += events;
        self.pause_us = self.pause_us.max(at.0 - self.last);
        self.last = self.last.max(at.0);
        if at.0 - self.faded >= DAY_US {
            self.pause_us = (self.pause_us as f64 * FADES) as i64;
            self.faded = at.0;
        }
        self.is_told = false;
    }

    /// Ends minutes that are over.
    fn turn(&mut self, now: Timestamp) {
        let minute = now.0.div_euclid(MINUTE_US);
        let over = minute - self.minute;
        if over <= 0 {
            return;
        }
        let share = if self.usual == 0.0 { 1.0 } else { SHARE };
        self.usual += (self.in_minute as f64 - self.usual) * share;
        let empty = i32::try_from(over - 1).unwrap_or(i32::MAX);
        self.usual *= (1.0 - SHARE).powi(empty);
        self.before = if over == 1 { self.in_minute } else { 0 };
        (self.minute, self.in_minute) = (minute, 0);
    }

    /// Events of the last whole minute, and of a usual one.
    pub(super) fn shown(&self, now: Timestamp) -> (u64, f64) {
        let mut turned = self.clone();
        turned.turn(now);
        (turned.before, turned.usual)
    }

    /// Whether it has fallen silent, and nobody was told.
    pub(super) fn silent(&mut self, sender: &Arc<str>, now: Timestamp, set_us: Option<i64>) -> Option<Silence> {
        let silent_us = now.0 - self.last;
        let (is_silent, usual_us) = match set_us {
            Some(0) => (false, 0),
            Some(set_us) => (self.events > 0 && silent_us >= set_us, set_us),
            None => {
                let is_known = self.last - self.first >= KNOWN_MIN_US && self.events >= EVENTS_MIN;
                (is_known && silent_us >= SILENCE_MIN_US.max(self.pause_us.saturating_mul(PAUSES)), self.pause_us)
            }
        };
        if !is_silent || self.is_told {
            return None;
        }
        self.is_told = true;
        Some(Silence { sender: Arc::clone(sender), last: Timestamp(self.last), usual_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(minutes * MINUTE_US)
    }

    #[test]
    fn silence_is_told_once_by_the_senders_own_history() {
        let name: Arc<str> = Arc::from("a");
        let mut steady = Pace::default();
        let mut slow = Pace::default();
        for minute in 0..240 {
            steady.came(10, at(minute));
            if minute % 30 == 0 {
                slow.came(50, at(minute));
            }
        }
        assert_eq!(steady.shown(at(240)), (10, 10.0));
        assert_eq!(steady.silent(&name, at(245), None), None);
        let told = steady.silent(&name, at(250), None);
        assert_eq!(told, Some(Silence { sender: Arc::clone(&name), last: at(239), usual_us: MINUTE_US }));
        assert_eq!(steady.silent(&name, at(251), None), None, "once");
        steady.came(1, at(252));
        assert!(steady.silent(&name, at(300), None).is_some(), "and again after it came back");
        assert_eq!(slow.silent(&name, at(290), None), None, "its pauses are half an hour");
        assert!(slow.silent(&name, at(310), None).is_some());
    }

    #[test]
    fn new_senders_are_not_missed_unless_that_is_set() {
        let name: Arc<str> = Arc::from("a");
        let mut new = Pace::default();
        new.came(1000, at(0));
        assert_eq!(new.silent(&name, at(1000), None), None);
        assert_eq!(new.silent(&name, at(1000), Some(0)), None);
        assert!(new.silent(&name, at(5), Some(5 * MINUTE_US)).is_some());
    }

    #[test]
    fn the_usual_rate_follows_and_an_empty_time_lowers_it() {
        let mut pace = Pace::default();
        for minute in 0..600 {
            pace.came(60, at(minute));
        }
        let (last, usual) = pace.shown(at(600));
        assert_eq!((last, usual.round()), (60, 60.0));
        let (last, usual) = pace.shown(at(660));
        assert_eq!(last, 0);
        assert!((20.0..30.0).contains(&usual), "{usual}");
    }
}
