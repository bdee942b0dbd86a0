//! Counts of what was found and what was not, as shares with intervals of confidence.

use std::collections::BTreeMap;

use crate::quality::sample::{Attack, Labelled};

/// So many of so many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) hits: u64,
    pub(crate) of: u64,
}

impl Share {
    pub(crate) fn add(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u64::from(hit);
    }

    pub(crate) fn share(self) -> f64 {
        self.hits as f64 / self.of.max(1) as f64
    }

    /// The interval that holds the true share with 95 % confidence (Wilson).
    pub(crate) fn interval(self) -> (f64, f64) {
        const Z: f64 = 1.96;
        let (share, of) = (self.share(), self.of.max(1) as f64);
        let middle = share + Z * Z / (2.0 * of);
        let half = Z * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
        let whole = 1.0 + Z * Z / of;
        (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
    }
}

/// Lines that were missed or wrongly reported, kept as examples.
const EXAMPLES_MAX: usize = 20_000;

/// Shares of families, and what is said of all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families(pub(crate) BTreeMap<&'static str, Share>);

impl Families {
    /// Every line counts once.
    pub(crate) fn items(&self) -> Share {
        self.0.values().fold(Share::default(), |all, one| Share { hits: all.hits + one.hits, of: all.of + one.of })
    }

    /// Every family counts once.
    pub(crate) fn mean(&self) -> f64 {
        self.0.values().map(|share| share.share()).sum::<f64>() / self.0.len().max(1) as f64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Measured {
    open: Families,
    held_out: Families,
    classes: BTreeMap<&'static str, Share>,
    encodings: BTreeMap<&'static str, Share>,
    places: BTreeMap<&'static str, Share>,
    noise: Share,
    /// Which rules spoke about benign lines.
    noisy: BTreeMap<String, u64>,
    missed: Vec<(&'static str, String)>,
    wrong: Vec<String>,
}

impl Measured {
    pub(crate) fn add(&mut self, labelled: Labelled, titles: &[&str]) {
        let found = !titles.is_empty();
        match labelled.attack {
            Some(Attack { class, family, is_held_out, encoding, place }) => {
                self.classes.entry(class).or_default().add(found);
                self.encodings.entry(encoding).or_default().add(found);
                self.places.entry(place).or_default().add(found);
                let families = if is_held_out { &mut self.held_out } else { &mut self.open };
                families.0.entry(family).or_default().add(found);
                // What is held out is counted and never shown.
                if !found && !is_held_out && self.missed.len() < EXAMPLES_MAX {
                    let line = format!("{class} / {family} / {encoding} / {place}: {}", labelled.line);
                    self.missed.push((family, line));
                }
            }
            None => {
                self.noise.add(found);
                for title in titles {
                    *self.noisy.entry((*title).to_owned()).or_default() += 1;
                }
                if found && self.wrong.len() < EXAMPLES_MAX {
                    self.wrong.push(format!("{}: {}", titles.join(", "), labelled.line));
                }
            }
        }
    }

    pub(crate) fn recall(&self) -> Share {
        let add = |all: Share, one: &Share| Share { hits: all.hits + one.hits, of: all.of + one.of };
        self.classes.values().fold(Share::default(), add)
    }

    pub(crate) fn families(&self, is_held_out: bool) -> &Families {
        if is_held_out { &self.held_out } else { &self.open }
    }

    pub(crate) fn by_class(&self) -> impl Iterator<Item = (&'static str, Share)> {
        self.classes.iter().map(|(name, share)| (*name, *share))
    }

    pub(crate) fn by_encoding(&self) -> impl Iterator<Item = (&'static str, Share)> {
        self.encodings.iter().map(|(name, share)| (*name, *share))
    }

    pub(crate) fn by_place(&self) -> impl Iterator<Item = (&'static str, Share)> {
        self.places.iter().map(|(name, share)| (*name, *share))
    }

    pub(crate) fn false_positives(&self) -> Share {
        self.noise
    }

    pub(crate) fn noisy_rules(&self) -> impl Iterator<Item = (&str, u64)> {
        self.noisy.iter().map(|(title, count)| (title.as_str(), *count))
    }

    /// Examples spread over all that were missed, of families whose name begins with `prefix`.
    pub(crate) fn missed_examples(&self, most: usize, prefix: &str) -> String {
        let kept = self.missed.iter().filter(|(family, _)| family.starts_with(prefix));
        spread(&kept.map(|(_, line)| line.clone()).collect::<Vec<_>>(), most)
    }

    pub(crate) fn false_examples(&self, most: usize) -> String {
        spread(&self.wrong, most)
    }
}

fn spread(list: &[String], most: usize) -> String {
    list.iter().step_by((list.len() / most.max(1)).max(1)).take(most).cloned().collect::<Vec<_>>().join("\n")
}
