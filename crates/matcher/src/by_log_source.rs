//! Groups of rules for JSON events that tell where they come from: only the rules that judge such events are run.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use event::EventBatch;
use hashbrown::HashMap;
use rules::origin::{Origin, OriginColumns, Signs};
use rules::ruleset::RuleSet;

use crate::group::Group;
use crate::scan::{self, GroupScratch};

/// Log sources that get a group of their own. Events of others are judged by all rules, and matches of rules for other
/// log sources are left out afterwards: the result is equal, and comes more slowly.
const GROUPS_MAX: usize = 256;

/// One group of rules for each log source that events name. Compiled on first use, shared by all threads.
#[derive(Debug)]
pub(super) struct GroupsByLogSource {
    /// Products, categories and services that rules ask for.
    words: BTreeSet<String>,
    groups: RwLock<HashMap<Origin, Arc<Group>>>,
    /// Rules that look at some events only do so.
    sampled: bool,
}

impl GroupsByLogSource {
    pub(super) fn new(set: &RuleSet, sampled: bool) -> Self {
        let parts = set.rules.iter().flat_map(|rule| {
            let source = &rule.logsource;
            [&source.product, &source.category, &source.service].into_iter().flatten().cloned()
        });
        GroupsByLogSource { words: parts.collect(), groups: RwLock::default(), sampled }
    }

    /// Compiles the groups that another has.
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
        if groups.len() >= GROUPS_MAX && !groups.contains_key(origin) {
            return None;
        }
        let group = groups.entry(origin.clone()).or_insert_with(|| {
            let rules = set.rules.iter().enumerate().filter(|(_, rule)| origin.satisfies(&rule.logsource));
            Arc::new(Group::compile(rules.map(|(index, rule)| (index as u32, rule)), false, self.sampled))
        });
        Some(Arc::clone(group))
    }
}

/// One thread's state: the groups that it has used with their caches, and the rows of the batch at hand.
#[derive(Debug, Default)]
pub(super) struct LogSourceScratch {
    /// Index into `groups`, by log source.
    known: HashMap<Origin, usize>,
    groups: Vec<RowsOfGroup>,
}

/// The rows of a batch that one group judges.
#[derive(Debug)]
struct RowsOfGroup {
    group: Arc<Group>,
    caches: GroupScratch,
    rows: Vec<u32>,
}

/// Which rules judge a row.
#[derive(Clone, Copy)]
enum JudgedBy {
    /// All rules, because nothing is known of the log source.
    AllRules,
    /// All rules, because too many log sources have a group already. Matches of rules for others must be left out.
    AllRulesThenFiltered,
    /// The group with this index.
    Group(usize),
}

impl LogSourceScratch {
    /// Takes the rows whose log source is known out of `rows`. True where rows stay whose matches must be filtered by
    /// log source, because too many have a group already.
    pub(super) fn take_rows(
        &mut self,
        groups: &GroupsByLogSource,
        set: &RuleSet,
        batch: &EventBatch,
        rows: &mut Vec<u32>,
    ) -> bool {
        self.groups.iter_mut().for_each(|group| group.rows.clear());
        let Some(columns) = OriginColumns::of(batch).filter(|_| !rows.is_empty()) else { return false };
        let mut known: HashMap<Signs<'_>, JudgedBy> = HashMap::new();
        let mut last = None;
        let mut must_filter = false;
        rows.retain(|row| {
            let signs = columns.signs(batch, *row as usize);
            let judged_by = match last {
                Some((before, judged_by)) if before == signs => judged_by,
                _ => *known.entry(signs).or_insert_with(|| self.judged_by(groups, set, signs.origin())),
            };
            last = Some((signs, judged_by));
            match judged_by {
                JudgedBy::Group(at) => self.groups[at].rows.push(*row),
                JudgedBy::AllRulesThenFiltered => must_filter = true,
                JudgedBy::AllRules => {}
            }
            !matches!(judged_by, JudgedBy::Group(_))
        });
        must_filter
    }

    fn judged_by(&mut self, groups: &GroupsByLogSource, set: &RuleSet, origin: Origin) -> JudgedBy {
        if !origin.is_known() {
            return JudgedBy::AllRules;
        }
        let origin = origin.bounded_to(&groups.words);
        if let Some(at) = self.known.get(&origin) {
            return JudgedBy::Group(*at);
        }
        let Some(group) = groups.group(set, &origin) else { return JudgedBy::AllRulesThenFiltered };
        let caches = GroupScratch::new(&group);
        self.groups.push(RowsOfGroup { group, caches, rows: Vec::new() });
        self.known.insert(origin, self.groups.len() - 1);
        JudgedBy::Group(self.groups.len() - 1)
    }

    pub(super) fn take_in_pieces(&mut self) -> u64 {
        self.groups.iter_mut().map(|group| group.caches.take_in_pieces()).sum()
    }

    /// Appends `(row, rule index in the set)` for every match among the rows that were taken.
    pub(super) fn scan(&mut self, batch: &EventBatch, out: &mut Vec<(u32, u32)>) {
        for RowsOfGroup { group, caches, rows } in &mut self.groups {
            if !rows.is_empty() && !group.is_empty() {
                scan::scan(group, batch, rows, caches, out);
            }
        }
    }
}
