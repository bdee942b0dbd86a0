//! Counts, distinct values and sums of a window. Each event adds its part and takes it away when it leaves, so that
//! nothing walks over the events.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::Timestamp;
use hashbrown::HashMap;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{Bounds, CorrelationKind, Function};

use crate::window::chain::Chain;
use crate::window::entry::{Entry, EventValue};
use crate::window::quantile::Quantile;

/// Sums are kept in steps of 10^-9, so that what was added can be taken away exactly, and so that decimals such as 0.1
/// add up to what people write as a threshold.
const SUM_STEPS: f64 = 1e9;
/// Memory of a distinct value beside its text, in bytes, about.
pub(crate) const VALUE_EXTRA_BYTES: usize = 64;
/// Largest number that a sum takes up; events with larger ones are counted as not numeric.
pub(crate) const NUMBER_MAX: f64 = 1e18;
/// Most times that one event counts in a sum: with it the largest sum of a full window fits into 128 bits.
const WEIGHT_MAX: u64 = 1_000_000;

/// Counts and sums of the entries within the time span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// End of the time span.
    now: Timestamp,
    /// Number of events by text value, each event as often as it says.
    values: HashMap<Arc<str>, u64>,
    /// Number of events with a text value.
    valued: u64,
    /// Where shares are asked for: for each number of events, how many values have it.
    alike: Option<BTreeMap<u64, u32>>,
    /// Bytes that the values take.
    bytes: usize,
    /// Number of entries of each rule that the correlation counts.
    by_base: Vec<u32>,
    /// Where the order of the rules matters.
    chain: Option<Chain>,
    sum: i128,
    /// Number of events with a number as value.
    numbers: u64,
    quantile: Option<Quantile>,
}

impl Tally {
    /// Empty, for what the correlation counts or computes.
    pub(crate) fn new(bound: &BoundCorrelation) -> Self {
        let quantile = match bound.rule.kind {
            CorrelationKind::Value { function: Function::Percentile(percent), .. } => Some(Quantile::new(percent)),
            _ => None,
        };
        let shares = matches!(bound.rule.kind, CorrelationKind::Value { function: Function::Share, .. });
        let alike = shares.then(BTreeMap::new);
        let chain = matches!(bound.rule.kind, CorrelationKind::Temporal { ordered: true, .. });
        let chain = chain.then(|| Chain::new(bound.bases.len()));
        Tally { by_base: vec![0; bound.bases.len()], quantile, chain, alike, ..Tally::default() }
    }

    /// Takes up the newest entry.
    pub(crate) fn add(&mut self, entry: &Entry, value: Option<&EventValue>) {
        self.chain.iter_mut().for_each(|chain| chain.add(entry));
        self.add_out_of_order(entry, value);
    }

    /// Takes up an entry that may be older than others; the order of rules does not take it up.
    pub(crate) fn add_out_of_order(&mut self, entry: &Entry, value: Option<&EventValue>) {
        let weight = u64::from(entry.weight);
        if let Some(count) = self.by_base.get_mut(usize::from(entry.base)) {
            *count += 1;
        }
        match value {
            Some(EventValue::Text(text)) => {
                self.valued += weight;
                let count = self.values.entry(Arc::clone(text)).or_insert_with(|| {
                    self.bytes += text.len() + VALUE_EXTRA_BYTES;
                    0
                });
                *count += weight;
                let count = *count;
                self.regroup(count - weight, count);
            }
            Some(EventValue::Number(number)) => {
                let weight = weight.min(WEIGHT_MAX);
                self.sum += steps(*number) * i128::from(weight);
                self.numbers += weight;
                self.quantile.iter_mut().for_each(|quantile| quantile.add(*number, weight));
            }
            None => {}
        }
    }

    /// Takes back what an entry added.
    pub(crate) fn remove(&mut self, entry: &Entry, value: Option<&EventValue>) {
        let weight = u64::from(entry.weight);
        if let Some(count) = self.by_base.get_mut(usize::from(entry.base)) {
            *count -= 1;
        }
        match value {
            Some(EventValue::Text(text)) => {
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
            Some(EventValue::Number(number)) => {
                let weight = weight.min(WEIGHT_MAX);
                self.sum -= steps(*number) * i128::from(weight);
                self.numbers -= weight;
                self.quantile.iter_mut().for_each(|quantile| quantile.remove(*number, weight));
            }
            None => {}
        }
    }

    /// Bytes that the values take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The time span ends with `now`.
    #[inline]
    pub(crate) fn move_to(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Whether the rules have matched in their order, all of them within the time span.
    pub(crate) fn is_in_order(&self, timespan_us: i64) -> bool {
        self.chain.as_ref().is_none_or(|chain| chain.is_complete(self.now.saturating_sub_us(timespan_us)))
    }

    /// The base that has the most entries, where one has more than two.
    pub(crate) fn fullest_base(&self) -> Option<u16> {
        let bases = self.by_base.iter().enumerate().filter(|(_, count)| **count > 2);
        bases.max_by_key(|(_, count)| **count).map(|(base, _)| base as u16)
    }

    /// The text as an event before has it, so that equal texts share memory, or a new one.
    pub(crate) fn shared(&self, value: &str) -> Arc<str> {
        self.values.get_key_value(value).map_or_else(|| Arc::from(value), |(known, _)| Arc::clone(known))
    }

    /// Whether some event inside has this value.
    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.contains_key(value)
    }

    /// Number of different text values.
    pub(crate) fn distinct(&self) -> u64 {
        self.values.len() as u64
    }

    /// Whether the rule at this position of the correlation has an event inside.
    pub(crate) fn matched(&self, base: usize) -> bool {
        self.by_base.get(base).is_some_and(|count| *count > 0)
    }

    /// How many of the rules that the correlation counts have an event inside.
    pub(crate) fn bases_matched(&self) -> u64 {
        self.by_base.iter().filter(|count| **count > 0).count() as u64
    }

    /// Moves a value from those with `before` events to those with `after`.
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

    /// Shares of all values in percent of the events; equal shares once.
    pub(crate) fn shares(&self) -> impl Iterator<Item = f64> {
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
    pub(crate) fn holds(&self, function: Function, value: Option<&EventValue>, bounds: &Bounds) -> bool {
        match function {
            Function::Sum => self.computed_holds(1, bounds),
            Function::Average => self.computed_holds(self.numbers, bounds),
            Function::Percentile(_) | Function::Share => {
                self.number(function, value).is_some_and(|number| bounds.hold(number))
            }
        }
    }

    /// The number that the function makes of the values; `None` where there are none.
    pub(crate) fn number(&self, function: Function, value: Option<&EventValue>) -> Option<f64> {
        let sum = || self.sum as f64 / SUM_STEPS;
        match function {
            Function::Sum => (self.numbers > 0).then(sum),
            Function::Average => (self.numbers > 0).then(|| sum() / self.numbers as f64),
            Function::Percentile(_) => self.quantile.as_ref().and_then(Quantile::value),
            Function::Share => match value? {
                EventValue::Text(text) => Some(*self.values.get(text)? as f64 * 100.0 / self.valued as f64),
                EventValue::Number(_) => None,
            },
        }
    }
}

fn steps(number: f64) -> i128 {
    // Whole numbers stay exact, however large.
    let whole = (number.trunc() as i128).saturating_mul(SUM_STEPS as i128);
    whole.saturating_add((number.fract() * SUM_STEPS).round() as i128)
}

#[cfg(test)]
mod tests {
    use event::EventId;

    use super::*;
    use rules::sigma::rule::Bound;

    #[test]
    fn decimals_add_up_to_what_a_threshold_says() {
        let entry = Entry { id: EventId(0), time: Timestamp(0), weight: 1, base: 0, in_finding: false };
        for (number, times, function, bound) in [
            (0.1, 1, Function::Sum, 0.1),
            (0.1, 3, Function::Sum, 0.3),
            (-0.1, 3, Function::Average, -0.1),
            (99.9, 3, Function::Average, 99.9),
            (1e15, 7, Function::Sum, 7e15),
        ] {
            let mut tally = Tally::default();
            (0..times).for_each(|_| tally.add(&entry, Some(&EventValue::Number(number))));
            let at = |inclusive| Some(Bound { value: bound, inclusive });
            let holds = |bounds: Bounds| tally.holds(function, None, &bounds);
            assert!(holds(Bounds { low: at(true), high: at(true), other_than: None }), "{number} x {times}");
            assert!(!holds(Bounds { low: at(false), ..Bounds::default() }), "{number} x {times}");
            assert!(!holds(Bounds { high: at(false), ..Bounds::default() }), "{number} x {times}");
        }
    }

    #[test]
    fn the_largest_sum_of_a_full_window_fits() {
        let mut tally = Tally::default();
        let value = Some(EventValue::Number(-NUMBER_MAX));
        let entry = Entry { id: EventId(0), time: Timestamp(0), weight: u32::MAX, base: 0, in_finding: false };
        (0..rules::sigma::threshold::WINDOW_ENTRIES_MAX + 1).for_each(|_| tally.add(&entry, value.as_ref()));
        assert!(tally.number(Function::Sum, None).is_some_and(|sum| sum < -1e28));
        (0..rules::sigma::threshold::WINDOW_ENTRIES_MAX + 1).for_each(|_| tally.remove(&entry, value.as_ref()));
        assert_eq!((tally.sum, tally.numbers), (0, 0));
    }
}
