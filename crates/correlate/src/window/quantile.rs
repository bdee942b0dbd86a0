//! A percentile that follows the numbers of a window as they come and go, without walking over them.

use std::collections::BTreeMap;

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

/// The numbers of a window in two halves: the lower half ends at the percentile.
#[derive(Clone, Debug)]
pub(crate) struct Quantile {
    percent: f64,
    low: BTreeMap<Ordered, u64>,
    high: BTreeMap<Ordered, u64>,
    low_count: u64,
    count: u64,
}

impl Quantile {
    /// Without numbers; `percent` from 0 to 100.
    pub(crate) fn new(percent: f64) -> Self {
        let (low, high) = (BTreeMap::new(), BTreeMap::new());
        Quantile { percent, low, high, low_count: 0, count: 0 }
    }

    /// Position of the percentile, counted from 0: between this number and the next.
    fn position(&self) -> f64 {
        self.count.saturating_sub(1) as f64 * self.percent / 100.0
    }

    /// Takes up a number that counts `weight` times.
    pub(crate) fn add(&mut self, number: f64, weight: u64) {
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

    /// Takes a number back `weight` times.
    pub(crate) fn remove(&mut self, number: f64, weight: u64) {
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

    /// The percentile, interpolated between its two neighbours; `None` without numbers.
    pub(crate) fn value(&self) -> Option<f64> {
        let (below, _) = self.low.last_key_value()?;
        let part = self.position().fract();
        let above = self.high.first_key_value().filter(|_| part > 0.0);
        Some(above.map_or(below.0, |(above, _)| below.0 + (above.0 - below.0) * part))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The percentile in the obvious way: sort, and interpolate between the neighbours.
    fn obvious(numbers: &[f64], percent: f64) -> Option<f64> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let position = sorted.len().checked_sub(1)? as f64 * percent / 100.0;
        let (below, part) = (sorted[position.floor() as usize], position.fract());
        let above = sorted.get(position.floor() as usize + 1).copied().unwrap_or(below);
        Some(if part > 0.0 { below + (above - below) * part } else { below })
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
