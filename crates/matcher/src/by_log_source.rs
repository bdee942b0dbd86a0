//! Groups of rules for JSON events that tell where they come from: only the rules that judge such events are run.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use event::EventBatch;
use hashbrown::HashMap;
use rules::origin::{Origin, OriginColumns, Signs};
use rules::ruleset::RuleSet;

use crate::group::Group;
use crate::scan::{self, GroupScratch};

/// Origins that get a group of their own. Events of others are judged by all rules, and what does not apply is left out
/// afterwards: the same result, more slowly.
const ORIGINS_MAX: usize = 256;

/// Compiled on first use, shared by all threads.
#[derive(Debug)]
pub(super) struct GroupsByLogSource {
    /// What rules ask log sources to be.
    words: BTreeSet<String>,
    groups: RwLock<HashMap<Origin, Arc<Group>>>,
    /// Rules that look at some events only do so.
    sampled: bool,
}

impl GroupsByLogSource {
    pub(crate) fn new(set: &RuleSet, sampled: bool) -> Self {
        let parts = set.rules.iter().flat_map(|rule| {
            let source = &rule.logsource;
            [&source.product, &source.category, &source.service].into_iter().flatten().cloned()
        });
        GroupsByLogSource { words: parts.collect(), groups: RwLock::default(), sampled }
    }

    pub(super) fn prepare_like(&self, other: &GroupsByLogSource, set: &RuleSet) {
        let known: Vec<Origin> = other.groups.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for origin in known {
            if let Some(group) = self.group(set, &origin) {
                group.prepare();
            }
        }
    }

    /// `None` where there are too many already.
    fn group(&self, set: &RuleSet, origin: &Origin) -> Option<Arc<Group>> {
        if let Some(group) = self.groups.read().unwrap_or_else(PoisonError::into_inner).get(origin) {
            return Some(Arc::clone(group));
        }
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.len() >= ORIGINS_MAX && !groups.contains_key(origin) {
            return None;
        }
        let group = groups.entry(origin.clone()).or_insert_with(|| {
            let rules = set.rules.iter().enumerate().filter(|(_, rule)| origin.satisfies(&rule.logsource));
            Arc::new(Group::compile(rules.map(|(index, rule)| (index as u32, rule)), false, self.sampled))
        });
        Some(Arc::clone(group))
    }
}

/// One thread's part of it: groups with their caches, and the rows of the batch at hand.
#[derive(Debug, Default)]
pub(super) struct Judges {
    places: HashMap<Origin, usize>,
    judges: Vec<Judge>,
}

#[derive(Debug)]
struct Judge {
    group: Arc<Group>,
    caches: GroupScratch,
    rows: Vec<u32>,
}

/// Who judges a row.
#[derive(Clone, Copy)]
enum Place {
    /// Nothing is known: all rules.
    Everyone,
    /// All rules, because there are too many origins.
    Surplus,
    Judge(usize),
}

impl Judges {
    /// Takes the rows whose origin is known out of `rows`. True where some stay that should not be judged by all rules.
    pub(super) fn part(
        &mut self,
        groups: &GroupsByLogSource,
        set: &RuleSet,
        batch: &EventBatch,
        rows: &mut Vec<u32>,
    ) -> bool {
        self.judges.iter_mut().for_each(|judge| judge.rows.clear());
        let Some(columns) = OriginColumns::of(batch).filter(|_| !rows.is_empty()) else { return false };
        let mut known: HashMap<Signs<'_>, Place> = HashMap::new();
        let mut last = None;
        let mut surplus = false;
        rows.retain(|row| {
            let signs = columns.signs(batch, *row as usize);
            let place = match last {
                Some((before, place)) if before == signs => place,
                _ => *known.entry(signs).or_insert_with(|| self.place_of(groups, set, signs.origin())),
            };
            last = Some((signs, place));
            match place {
                Place::Judge(at) => self.judges[at].rows.push(*row),
                Place::Surplus => surplus = true,
                Place::Everyone => {}
            }
            !matches!(place, Place::Judge(_))
        });
        surplus
    }

    fn place_of(&mut self, groups: &GroupsByLogSource, set: &RuleSet, origin: Origin) -> Place {
        if !origin.is_known() {
            return Place::Everyone;
        }
        let origin = origin.bounded_to(&groups.words);
        if let Some(place) = self.places.get(&origin) {
            return Place::Judge(*place);
        }
        let Some(group) = groups.group(set, &origin) else { return Place::Surplus };
        let caches = GroupScratch::new(&group);
        self.judges.push(Judge { group, caches, rows: Vec::new() });
        self.places.insert(origin, self.judges.len() - 1);
        Place::Judge(self.judges.len() - 1)
    }

    pub(super) fn scan(&mut self, batch: &EventBatch, out: &mut Vec<(u32, u32)>) {
        for judge in self.judges.iter_mut().filter(|judge| !judge.rows.is_empty() && !judge.group.is_empty()) {
            scan::scan(&judge.group, batch, &judge.rows, &mut judge.caches, out);
        }
    }
}
