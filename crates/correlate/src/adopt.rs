//! Another rule set takes the place of the one at work. What unchanged rules have counted stays; what others have is
//! reported a last time and let go.

use std::sync::Arc;

use event::Hit;
use hashbrown::HashMap;
use rules::ruleset::{RuleDigests, RuleSet};

use crate::Correlator;
use crate::episode::{Episode, Source};
use crate::state::{fold_key, rule_ids, window_key};
use crate::table::Table;
use crate::waiting::Waiting;
use crate::window::Window;

/// What became of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Groups and open findings that go on.
    pub kept: usize,
    /// Those whose rule has changed or is gone.
    pub dropped: usize,
}

/// Where the rules of the old set stand in the new one.
struct Moves {
    /// By index in the old set; changed rules, too.
    rules: Vec<Option<u32>>,
    unchanged: Vec<bool>,
    /// Only of correlations that have not changed.
    correlations: Vec<Option<usize>>,
    /// For each capture of the new set, the one of the old set that holds the same.
    captures: Vec<Option<usize>>,
}

impl Moves {
    fn new(old: &RuleSet, new: &RuleSet) -> Self {
        let (before, after): (&RuleDigests, &RuleDigests) = (old.digests(), new.digests());
        let by_id: HashMap<&str, usize> =
            new.rules.iter().enumerate().map(|(at, rule)| (rule.head.id.as_str(), at)).collect();
        let correlations: HashMap<&str, usize> =
            new.correlations.iter().enumerate().map(|(at, bound)| (bound.rule.head.id.as_str(), at)).collect();
        let rules: Vec<Option<usize>> =
            old.rules.iter().map(|rule| by_id.get(rule.head.id.as_str()).copied()).collect();
        let unchanged = rules.iter().zip(&before.rules);
        let correlation = |(at, mark): (usize, &u128)| {
            let place = correlations.get(old.correlations[at].rule.head.id.as_str())?;
            (after.correlations[*place] == *mark).then_some(*place)
        };
        Moves {
            unchanged: unchanged.map(|(place, mark)| place.is_some_and(|place| after.rules[place] == *mark)).collect(),
            rules: rules.iter().map(|place| place.map(|place| place as u32)).collect(),
            correlations: before.correlations.iter().enumerate().map(correlation).collect(),
            captures: new
                .captures
                .iter()
                .map(|columns| old.captures.iter().position(|known| known == columns))
                .collect(),
        }
    }

    /// The hit as the new set knows it; `None` where its rule is gone.
    fn hit(&self, mut hit: Hit) -> Option<Hit> {
        hit.rule = self.rules[hit.rule as usize]?;
        if !hit.values.is_empty() {
            let value = |from: &Option<usize>| from.and_then(|from| hit.values.get(from).cloned().flatten());
            hit.values = self.captures.iter().map(value).collect();
        }
        Some(hit)
    }
}

impl Correlator {
    /// Goes on with another set. Saved state follows with the next save.
    pub fn adopt(&mut self, set: Arc<RuleSet>) -> Adopted {
        let old = Arc::clone(&self.set);
        let moves = Moves::new(&old, &set);
        let mut adopted = Adopted::default();
        let noted = std::mem::take(&mut self.noted);
        self.adopt_folds(&old, &moves, &mut adopted);
        self.adopt_windows(&old, &set, &moves, &mut adopted);
        self.set = set;
        self.find_due();
        self.noted = noted.into_iter().filter_map(|(source, key)| moves.noted(source, &key)).collect();
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = Waiting::default();
        self.waiting_bytes = 0;
        for (turn, hit) in waiting.into_iter() {
            if let Some(hit) = moves.hit(hit) {
                self.waiting_bytes += hit.event.original.len();
                self.waiting.push(turn, hit);
            }
        }
        adopted
    }

    fn adopt_folds(&mut self, old: &RuleSet, moves: &Moves, adopted: &mut Adopted) {
        let ids = rule_ids(old);
        let (entries, gone) = std::mem::take(&mut self.folds).into_parts();
        self.forgotten.extend(gone.iter().map(|key| fold_key(&ids, key)));
        for (key, mut episode, dirty) in entries {
            match moves.fold(&key) {
                Some((rule, key)) => {
                    episode.source = Source::Detection(rule);
                    self.folds.put_back(&key, episode, dirty);
                    adopted.kept += 1;
                }
                None => {
                    self.forgotten.push(fold_key(&ids, &key));
                    self.close(episode);
                    adopted.dropped += 1;
                }
            }
        }
    }

    fn adopt_windows(&mut self, old: &RuleSet, new: &RuleSet, moves: &Moves, adopted: &mut Adopted) {
        let mut tables: Vec<Table<Window>> = new.correlations.iter().map(|_| Table::new(self.options.saved)).collect();
        for (index, mut table) in std::mem::take(&mut self.windows).into_iter().enumerate() {
            let Some(place) = moves.correlations[index] else {
                let id = &old.correlations[index].rule.head.id;
                let (entries, gone) = table.into_parts();
                self.forgotten.extend(gone.iter().map(|key| window_key(id, key)));
                adopted.dropped += entries.len();
                for (key, window, _) in entries {
                    self.forgotten.push(window_key(id, &key));
                    self.close_window(window);
                }
                continue;
            };
            adopted.kept += table.len();
            for window in table.values_mut() {
                window.firing_mut().into_iter().for_each(|episode: &mut Episode| {
                    episode.source = Source::Correlation(place);
                });
                window.renew_last(|hit| moves.hit(hit));
            }
            tables[place] = table;
        }
        self.windows = tables;
        self.weigh_windows();
    }
}

impl Moves {
    /// Rule and key of an open finding in the new set.
    fn fold(&self, key: &str) -> Option<(u32, String)> {
        let (rule, group) = key.split_once('\u{1f}')?;
        let rule: usize = rule.parse().ok()?;
        let place = self.rules[rule].filter(|_| self.unchanged[rule])?;
        Some((place, format!("{place}\u{1f}{group}")))
    }

    fn noted(&self, source: Source, key: &str) -> Option<(Source, Box<str>)> {
        match source {
            Source::Detection(_) => self.fold(key).map(|(rule, key)| (Source::Detection(rule), key.into())),
            Source::Correlation(index) => {
                self.correlations[index].map(|place| (Source::Correlation(place), key.into()))
            }
        }
    }
}
