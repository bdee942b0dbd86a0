//! What a window knows of its values without walking over them: each event adds, and when it leaves takes away, what it
//! stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::Timestamp;
use hashbrown::HashMap;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{Bounds, CorrelationKind, Function};
use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use crate::entries::Entry;

/// The value that an event brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Held {
    Number(f64),
    Text(Arc<str>),
}

/// Sums are kept in steps of 10^-9, so that what was added can be taken away exactly, and so that decimals such as 0.1 add
/// up to what people write as a threshold.
const SUM_STEPS: f64 = 1e9;
/// About what a distinct value takes beside its text, in bytes.
const VALUE_EXTRA_BYTES: usize = 64;
/// Largest number that a sum takes up; events with larger ones are counted as not numeric.
pub(super) const NUMBER_MAX: f64 = 1e18;
/// How often one event counts at most in a computation: with it the largest sum of a full window fits.
const WEIGHT_MAX: u64 = 1_000_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Where the time span ends.
    now: Timestamp,
    /// Events by value, each as often as it says.
    values: HashMap<Arc<str>, u64>,
    /// Of all values.
    valued: u64,
    /// How many values there are of each number of events, where shares are asked for.
    alike: Option<BTreeMap<u64, u32>>,
    /// Bytes that the values take.
    bytes: usize,
    /// Entries by the place of their signal.
    places: Vec<u32>,
    /// Where the order of the signals matters.
    chain: Option<Chain>,
    sum: i128,
    /// Events with a number.
    numbers: u64,
    quantile: Option<Quantile>,
}

impl Tally {
    pub(super) fn new(bound: &BoundCorrelation) -> Self {
        let quantile = match bound.rule.kind {
            CorrelationKind::Value { function: Function::Percentile(percent), .. } => Some(Quantile::new(percent)),
            _ => None,
        };
        let shares = matches!(bound.rule.kind, CorrelationKind::Value { function: Function::Share, .. });
        let alike = shares.then(BTreeMap::new);
        let chain = matches!(bound.rule.kind, CorrelationKind::Temporal { ordered: true, .. });
        let chain = chain.then(|| Chain::new(bound.bases.len()));
        Tally { places: vec![0; bound.bases.len()], quantile, chain, alike, ..Tally::default() }
    }

    /// Takes up the newest entry.
    pub(super) fn add(&mut self, entry: &Entry, value: Option<&Held>) {
        self.chain.iter_mut().for_each(|chain| chain.add(entry));
        self.add_stray(entry, value);
    }

    /// Takes up an entry that others may be newer than: all but the order of signals.
    pub(super) fn add_stray(&mut self, entry: &Entry, value: Option<&Held>) {
        let weight = u64::from(entry.weight);
        if let Some(count) = self.places.get_mut(usize::from(entry.place)) {
            *count += 1;
        }
        match value {
            Some(Held::Text(text)) => {
                self.valued += weight;
                let count = self.values.entry(Arc::clone(text)).or_insert_with(|| {
                    self.bytes += text.len() + VALUE_EXTRA_BYTES;
                    0
                });
                *count += weight;
                let count = *count;
                self.regroup(count - weight, count);
            }
            Some(Held::Number(number)) => {
                let weight = weight.min(WEIGHT_MAX);
                self.sum += steps(*number) * i128::from(weight);
                self.numbers += weight;
                self.quantile.iter_mut().for_each(|quantile| quantile.add(*number, weight));
            }
            None => {}
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry, value: Option<&Held>) {
        let weight = u64::from(entry.weight);
        if let Some(count) = self.places.get_mut(usize::from(entry.place)) {
            *count -= 1;
        }
        match value {
            Some(Held::Text(text)) => {
                self.valued -= weight;
                let Some(count) = self.values.get_mut(text) else { return };
                *count -= weight;
                let count = *count;
                if count == 0 {
                    self.values.remove(text);
                    self.bytes -= text.len() + VALUE_EXTRA_BYTES;
                }
                self.regroup(count + weight, count);
            }
            Some(Held::Number(number)) => {
                let weight = weight.min(WEIGHT_MAX);
                self.sum -= steps(*number) * i128::from(weight);
                self.numbers -= weight;
                self.quantile.iter_mut().for_each(|quantile| quantile.remove(*number, weight));
            }
            None => {}
        }
    }

    /// Bytes that the values take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The time span ends with `now`.
    #[inline]
    pub(super) fn move_to(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The signals stand in their order, all of them within the time span.
    pub(super) fn is_in_order(&self, timespan_us: i64) -> bool {
        self.chain.as_ref().is_none_or(|chain| chain.is_complete(self.now.saturating_sub_us(timespan_us)))
    }

    /// The place that has the most entries, where there are several.
    pub(super) fn fullest_place(&self) -> Option<u16> {
        let places = self.places.iter().enumerate().filter(|(_, count)| **count > 2);
        places.max_by_key(|(_, count)| **count).map(|(place, _)| place as u16)
    }

    /// The same text as an event before, or a new one.
    pub(super) fn shared(&self, value: &str) -> Arc<str> {
        self.values.get_key_value(value).map_or_else(|| Arc::from(value), |(known, _)| Arc::clone(known))
    }

    pub(super) fn has(&self, value: &str) -> bool {
        self.values.contains_key(value)
    }

    pub(super) fn distinct(&self) -> u64 {
        self.values.len() as u64
    }

    pub(super) fn matched(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|count| *count > 0)
    }

    pub(super) fn places_matched(&self) -> u64 {
        self.places.iter().filter(|count| **count > 0).count() as u64
    }

    /// A value had `before` events and has `after`.
    fn regroup(&mut self, before: u64, after: u64) {
        let Some(alike) = &mut self.alike else { return };
        if let Some(values) = alike.get_mut(&before) {
            *values -= 1;
            if *values == 0 {
                alike.remove(&before);
            }
        }
        if after > 0 {
            *alike.entry(after).or_insert(0) += 1;
        }
    }

    /// Percents of the events that some value has, each once.
    pub(super) fn shares(&self) -> impl Iterator<Item = f64> {
        let counts = self.alike.iter().flat_map(BTreeMap::keys);
        counts.map(|count| *count as f64 * 100.0 / self.valued.max(1) as f64)
    }

    /// Whether a sum or an average is within the bounds, exactly; false where there are no numbers.
    fn computed_holds(&self, count: u64, bounds: &Bounds) -> bool {
        let against = |bound: f64| self.sum.cmp(&steps(bound).saturating_mul(i128::from(count)));
        self.numbers > 0
            && bounds.low.is_none_or(|low| against(low.value).is_gt() || low.inclusive && against(low.value).is_eq())
            && bounds
                .high
                .is_none_or(|high| against(high.value).is_lt() || high.inclusive && against(high.value).is_eq())
            && bounds.other_than.is_none_or(|value| against(value).is_ne())
    }

    /// Whether what the function makes of the values is within the bounds; false where there are none.
    pub(crate) fn holds(&self, function: Function, value: Option<&Held>, bounds: &Bounds) -> bool {
        match function {
            Function::Sum => self.computed_holds(1, bounds),
            Function::Average => self.computed_holds(self.numbers, bounds),
            Function::Percentile(_) | Function::Share => {
                self.number(function, value).is_some_and(|number| bounds.hold(number))
            }
        }
    }

    /// The number that the function makes of the values; `None` where there are none.
    pub(super) fn number(&self, function: Function, value: Option<&Held>) -> Option<f64> {
        let sum = || self.sum as f64 / SUM_STEPS;
        match function {
            Function::Sum => (self.numbers > 0).then(sum),
            Function::Average => (self.numbers > 0).then(|| sum() / self.numbers as f64),
            Function::Percentile(_) => self.quantile.as_ref().and_then(Quantile::value),
            Function::Share => match value? {
                Held::Text(text) => Some(*self.values.get(text)? as f64 * 100.0 / self.valued as f64),
                Held::Number(_) => None,
            },
        }
    }
}

fn steps(number: f64) -> i128 {
    // Whole numbers stay exact, however large.
    let whole = (number.trunc() as i128).saturating_mul(SUM_STEPS as i128);
    whole.saturating_add((number.fract() * SUM_STEPS).round() as i128)
}

/// Orders numbers; all of them are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A percentile that follows its numbers: they are kept in two halves, of which the lower ends where the percentile lies.
#[derive(Clone, Debug)]
struct Quantile {
    percent: f64,
    low: BTreeMap<Ordered, u64>,
    high: BTreeMap<Ordered, u64>,
    low_count: u64,
    count: u64,
}

impl Quantile {
    fn new(percent: f64) -> Self {
        let (low, high) = (BTreeMap::new(), BTreeMap::new());
        Quantile { percent, low, high, low_count: 0, count: 0 }
    }

    /// Where the percentile lies, counted from 0: between this number and the next.
    fn position(&self) -> f64 {
        self.count.saturating_sub(1) as f64 * self.percent / 100.0
    }

    fn add(&mut self, number: f64, weight: u64) {
        let key = Ordered(number + 0.0);
        self.count += weight;
        if self.low.last_key_value().is_some_and(|(most, _)| key <= *most) {
            *self.low.entry(key).or_insert(0) += weight;
            self.low_count += weight;
        } else {
            *self.high.entry(key).or_insert(0) += weight;
        }
        self.balance();
    }

    fn remove(&mut self, number: f64, weight: u64) {
        let key = Ordered(number + 0.0);
        let mut rest = weight;
        for (half, is_low) in [(&mut self.low, true), (&mut self.high, false)] {
            let Some(count) = half.get_mut(&key) else { continue };
            let taken = rest.min(*count);
            *count -= taken;
            if *count == 0 {
                half.remove(&key);
            }
            rest -= taken;
            if is_low {
                self.low_count -= taken;
            }
        }
        self.count -= weight - rest;
        self.balance();
    }

    /// Moves numbers between the halves until the lower one holds those up to the position.
    fn balance(&mut self) {
        let target = if self.count == 0 { 0 } else { self.position().floor() as u64 + 1 };
        while self.low_count < target {
            let Some((key, count)) = self.high.pop_first() else { break };
            let moved = count.min(target - self.low_count);
            *self.low.entry(key).or_insert(0) += moved;
            self.low_count += moved;
            if moved < count {
                self.high.insert(key, count - moved);
            }
        }
        while self.low_count > target {
            let Some((key, count)) = self.low.pop_last() else { break };
            let moved = count.min(self.low_count - target);
            *self.high.entry(key).or_insert(0) += moved;
            self.low_count -= moved;
            if moved < count {
                self.low.insert(key, count - moved);
            }
        }
    }

    fn value(&self) -> Option<f64> {
        let (below, _) = self.low.last_key_value()?;
        let part = self.position().fract();
        let above = self.high.first_key_value().filter(|_| part > 0.0);
        Some(above.map_or(below.0, |(above, _)| below.0 + (above.0 - below.0) * part))
    }
}

#[cfg(test)]
mod tests {
    use event::EventId;
    use proptest::prelude::*;

    use super::*;
    use rules::sigma::rule::Bound;

    #[test]
    fn decimals_add_up_to_what_a_threshold_says() {
        let entry = Entry { id: EventId(0), time: Timestamp(0), weight: 1, place: 0, counted: false };
        for (number, times, function, bound) in [
            (0.1, 1, Function::Sum, 0.1),
            (0.1, 3, Function::Sum, 0.3),
            (-0.1, 3, Function::Average, -0.1),
            (99.9, 3, Function::Average, 99.9),
            (1e15, 7, Function::Sum, 7e15),
        ] {
            let mut tally = Tally::default();
            (0..times).for_each(|_| tally.add(&entry, Some(&Held::Number(number))));
            let at = |inclusive| Some(Bound { value: bound, inclusive });
            let holds = |bounds: Bounds| tally.holds(function, None, &bounds);
            assert!(holds(Bounds { low: at(true), high: at(true), other_than: None }), "{number} x {times}");
            assert!(!holds(Bounds { low: at(false), ..Bounds::default() }), "{number} x {times}");
            assert!(!holds(Bounds { high: at(false), ..Bounds::default() }), "{number} x {times}");
        }
    }

    /// The percentile in the obvious way: sort, and interpolate between the neighbours.
    fn obvious(numbers: &[f64], percent: f64) -> Option<f64> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let position = sorted.len().checked_sub(1)? as f64 * percent / 100.0;
        let (below, part) = (sorted[position.floor() as usize], position.fract());
        let above = sorted.get(position.floor() as usize + 1).copied().unwrap_or(below);
        Some(if part > 0.0 { below + (above - below) * part } else { below })
    }

    #[test]
    fn the_largest_sum_of_a_full_window_fits() {
        let mut tally = Tally::default();
        let value = Some(Held::Number(-NUMBER_MAX));
        let entry = Entry { id: EventId(0), time: Timestamp(0), weight: u32::MAX, place: 0, counted: false };
        (0..rules::sigma::threshold::WINDOW_ENTRIES_MAX + 1).for_each(|_| tally.add(&entry, value.as_ref()));
        assert!(tally.number(Function::Sum, None).is_some_and(|sum| sum < -1e28));
        (0..rules::sigma::threshold::WINDOW_ENTRIES_MAX + 1).for_each(|_| tally.remove(&entry, value.as_ref()));
        assert_eq!((tally.sum, tally.numbers), (0, 0));
    }

    proptest! {
        #[test]
        fn percentiles_follow_their_numbers(
            steps in prop::collection::vec((-5_i32..5, 1_u64..4, any::<bool>()), 0..60),
            percent in prop::sample::select(vec![0.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 100.0]),
        ) {
            let mut quantile = Quantile::new(percent);
            let mut held: Vec<(f64, u64)> = Vec::new();
            for (number, weight, add) in steps {
                if add || held.is_empty() {
                    quantile.add(f64::from(number) * 0.5, weight);
                    held.push((f64::from(number) * 0.5, weight));
                } else {
                    let (number, weight) = held.remove(0);
                    quantile.remove(number, weight);
                }
                let all: Vec<f64> = held.iter().flat_map(|(number, weight)| vec![*number; *weight as usize]).collect();
                prop_assert_eq!(quantile.value(), obvious(&all, percent));
            }
        }
    }
}
