//! Counts of what was found and what was not, as shares with intervals of confidence.

use std::collections::BTreeMap;

use crate::quality::sample::Labelled;

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
const EXAMPLES_MAX: usize = 4000;

#[derive(Debug, Default)]
pub(crate) struct Measured {
    classes: BTreeMap<&'static str, Share>,
    encodings: BTreeMap<&'static str, Share>,
    places: BTreeMap<&'static str, Share>,
    noise: Share,
    /// Which rules spoke about benign lines.
    noisy: BTreeMap<String, u64>,
    missed: Vec<String>,
    wrong: Vec<String>,
}

impl Measured {
    pub(crate) fn add(&mut self, labelled: Labelled, titles: &[&str]) {
        let found = !titles.is_empty();
        match labelled.attack {
            Some((class, encoding, place)) => {
                self.classes.entry(class).or_default().add(found);
                self.encodings.entry(encoding).or_default().add(found);
                self.places.entry(place).or_default().add(found);
                if !found && self.missed.len() < EXAMPLES_MAX {
                    self.missed.push(format!("{class} / {encoding} / {place}: {}", labelled.line));
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

    /// Examples spread over all that were missed.
    pub(crate) fn missed_examples(&self, most: usize) -> String {
        spread(&self.missed, most)
    }

    pub(crate) fn false_examples(&self, most: usize) -> String {
        spread(&self.wrong, most)
    }
}

fn spread(list: &[String], most: usize) -> String {
    list.iter().step_by((list.len() / most.max(1)).max(1)).take(most).cloned().collect::<Vec<_>>().join("\n")
}
