//! Event time: how far the input has come, what is late, and which times are believed. Pure: knows no hit and no
//! window.

use event::Timestamp;

/// Event time between two sweeps for what has ended, in microseconds.
const SWEEP_US: i64 = 60_000_000;
/// No time yet.
const NONE: Timestamp = Timestamp(i64::MIN);

/// The clock of the state: a watermark that follows the newest event by the allowed lateness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventClock {
    lateness_us: i64,
    /// Nothing older is waited for.
    watermark: Timestamp,
    /// Time of the newest event.
    newest: Timestamp,
    /// Watermark of the last sweep.
    swept: Timestamp,
    /// Number of events that have come.
    arrivals: u64,
}

/// When a hit counts that has just arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArrivalTime {
    pub(crate) time: Timestamp,
    /// The event names no time: it counts at its arrival.
    pub(crate) untimed: bool,
    /// The event claims a time in the future: it counts at its arrival.
    pub(crate) from_future: bool,
    /// The event is older than the newest one by more than the lateness.
    pub(crate) late: bool,
}

impl EventClock {
    /// Before any event.
    pub(crate) fn new(lateness_us: i64) -> Self {
        EventClock { lateness_us, watermark: NONE, newest: NONE, swept: NONE, arrivals: 0 }
    }

    /// Time of the newest event.
    pub(crate) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Number of events that have come: that of the last one.
    #[inline]
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Watermark and newest time as they are saved; `None` = no event yet.
    pub(crate) fn saved(&self) -> (Option<i64>, Option<i64>) {
        let known = |time: Timestamp| (time != NONE).then_some(time.0);
        (known(self.watermark), known(self.newest))
    }

    /// Takes up what was saved.
    pub(crate) fn restore(&mut self, watermark: Option<i64>, newest: Option<i64>, arrivals: u64) {
        self.arrivals = arrivals;
        self.watermark = Timestamp(watermark.unwrap_or(NONE.0));
        self.newest = Timestamp(newest.unwrap_or(NONE.0));
    }

    /// Sees the time of an event. True where the event is older than the watermark.
    #[inline]
    pub(crate) fn see(&mut self, time: Timestamp) -> bool {
        self.arrivals += 1;
        self.newest = self.newest.max(time);
        time < self.watermark
    }

    /// Sees an event that arrives at `received`. A sender's clock that is fast must not make others look late.
    #[inline]
    pub(crate) fn see_arrival(&mut self, time: Option<Timestamp>, received: Timestamp) -> ArrivalTime {
        self.arrivals += 1;
        let named = time.unwrap_or(received);
        let from_future = named > received.saturating_add_us(self.lateness_us);
        let counts_at = if from_future { received } else { named };
        self.newest = self.newest.max(counts_at.min(received));
        let late = counts_at < self.before_lateness(self.newest);
        ArrivalTime { time: counts_at, untimed: time.is_none(), from_future, late }
    }

    /// Nothing that comes is older than `time`, less the lateness: the new watermark, where it moves.
    pub(crate) fn advance(&mut self, time: Timestamp) -> Option<Timestamp> {
        let watermark = self.before_lateness(time);
        if watermark <= self.watermark {
            return None;
        }
        self.watermark = watermark;
        Some(watermark)
    }

    /// Events up to `time` have arrived by `received`: the watermark follows the newest of them.
    pub(crate) fn pass(&mut self, time: Timestamp, received: Timestamp) -> Timestamp {
        self.newest = self.newest.max(time.min(received));
        self.watermark = self.watermark.max(self.before_lateness(self.newest));
        self.watermark
    }

    /// `time` less the lateness.
    #[inline]
    pub(crate) fn before_lateness(&self, time: Timestamp) -> Timestamp {
        time.saturating_sub_us(self.lateness_us)
    }

    /// The watermark, where enough time has passed since the last sweep.
    pub(crate) fn next_sweep(&mut self) -> Option<Timestamp> {
        let enough = self.watermark.saturating_sub_us(SWEEP_US) > self.swept;
        enough.then(|| {
            self.swept = self.watermark;
            self.swept
        })
    }

    /// Forgets how far the input has come: what comes next may be older.
    pub(crate) fn reset(&mut self) {
        *self = EventClock { arrivals: self.arrivals, ..EventClock::new(self.lateness_us) };
    }
}

/// The time that a hit of a sorted source takes over where its event names none: that of the hit before, as long as it
/// can be believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastKnownTime {
    /// Time of the last hit that is believed.
    last: Timestamp,
    /// The latest time that is believed.
    latest_believed: Timestamp,
}

impl LastKnownTime {
    /// Before any hit; every time is believed.
    pub(crate) fn new() -> Self {
        LastKnownTime { last: NONE, latest_believed: Timestamp(i64::MAX) }
    }

    /// Times after this one are not taken over.
    pub(crate) fn believe_until(&mut self, latest: Timestamp) {
        self.latest_believed = latest;
    }

    /// The time for a hit without one.
    pub(crate) fn time(&self) -> Timestamp {
        if self.last == NONE { Timestamp(0) } else { self.last }
    }

    /// Sees the time of a hit.
    #[inline]
    pub(crate) fn see(&mut self, time: Timestamp) {
        if time <= self.latest_believed {
            self.last = time;
        }
    }

    /// Forgets the last hit; what is believed stays.
    pub(crate) fn reset(&mut self) {
        self.last = NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000)
    }

    #[test]
    fn the_watermark_follows_by_the_lateness_and_never_goes_back() {
        let mut clock = EventClock::new(10_000_000);
        assert!(!clock.see(at(100)), "nothing is late before there is a watermark");
        assert_eq!(clock.advance(at(100)), Some(at(90)));
        assert_eq!(clock.advance(at(95)), None);
        assert!(clock.see(at(89)) && !clock.see(at(90)));
        assert_eq!(clock.newest(), at(100));
        clock.reset();
        assert!(!clock.see(at(1)));
    }

    #[test]
    fn a_time_from_the_future_counts_at_its_arrival_and_makes_nobody_late() {
        let mut clock = EventClock::new(10_000_000);
        let future = clock.see_arrival(Some(at(500)), at(100));
        assert_eq!(future, ArrivalTime { time: at(100), untimed: false, from_future: true, late: false });
        let slightly_later = clock.see_arrival(Some(at(105)), at(100));
        assert_eq!((slightly_later.time, slightly_later.from_future, clock.newest()), (at(105), false, at(100)));
        assert!(!clock.see_arrival(Some(at(90)), at(101)).late);
        assert!(clock.see_arrival(Some(at(89)), at(101)).late);
        assert_eq!(clock.see_arrival(None, at(102)).time, at(102));
        assert_eq!(clock.pass(at(900), at(103)), at(93), "what has arrived is no newer than its arrival");
    }

    #[test]
    fn sweeps_are_a_minute_of_event_time_apart() {
        let mut clock = EventClock::new(0);
        assert_eq!(clock.next_sweep(), None, "before any event");
        clock.advance(at(1000));
        assert_eq!(clock.next_sweep(), Some(at(1000)));
        clock.advance(at(1060));
        assert_eq!(clock.next_sweep(), None);
        clock.advance(at(1061));
        assert_eq!(clock.next_sweep(), Some(at(1061)));
    }

    #[test]
    fn what_was_saved_comes_back() {
        let mut clock = EventClock::new(0);
        assert_eq!(clock.saved(), (None, None));
        clock.see(at(7));
        clock.advance(at(5));
        let mut again = EventClock::new(0);
        again.restore(clock.saved().0, clock.saved().1, clock.arrivals());
        assert_eq!((again.saved(), again.newest(), again.arrivals()), (clock.saved(), at(7), 1));
    }

    #[test]
    fn a_hit_without_a_time_takes_over_the_last_one_that_is_believed() {
        let mut last = LastKnownTime::new();
        assert_eq!(last.time(), Timestamp(0));
        last.see(at(5));
        last.believe_until(at(10));
        last.see(at(99));
        assert_eq!(last.time(), at(5));
        last.reset();
        assert_eq!(last.time(), Timestamp(0));
    }
}
