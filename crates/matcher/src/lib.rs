//! Rules against batches. Predicates are shared between rules and evaluated per column: a search for literals
//! nominates, the exact check decides, equal values are decided once, and rules run only on rows that can match.
//!
//! A rule set is compiled per dataset on first use, so that rules for other log sources cost nothing.

#![warn(missing_docs)]

mod by_log_source;
mod cache;
mod column;
mod compile;
mod gate;
mod group;
mod hits;
mod keyword_prefilter;
mod keywords;
mod parts;
mod plan;
mod predicate;
mod program;
mod rest;
mod row;
mod scan;
mod shapes;
mod values;

use std::sync::{Arc, OnceLock};

use event::dataset::{ACCESS, CONTINUATION, DATASETS, JSON};
use event::{DatasetId, EventBatch, Hit, LogSource};
use hashbrown::HashMap;
use rules::explain::{self, Explanation, Part};
use rules::ruleset::RuleSet;
use rules::sigma::rule::Rule;

use crate::by_log_source::{GroupsByLogSource, LogSourceScratch};
use crate::group::Group;
use crate::scan::GroupScratch;

/// Compiled rules. Shared by all threads; what changes lives in a [`MatchScratch`] per thread.
#[derive(Debug)]
pub struct Matcher {
    set: Arc<RuleSet>,
    /// What the operator declared all input to be, where that cannot be told.
    declared: Option<LogSource>,
    /// Rules that look at some events only do so; the cases of rules want all.
    sampled: bool,
    /// One for each dataset, by its id.
    groups: Vec<OnceLock<Group>>,
    /// For events of no dataset that tell where they come from.
    by_log_source: GroupsByLogSource,
}

/// One thread's caches, for one matcher. Losing them costs time, never a result.
#[derive(Debug, Default)]
pub struct MatchScratch {
    groups: HashMap<u8, GroupScratch>,
    by_log_source: LogSourceScratch,
    rows: Vec<Vec<u32>>,
    matched: Vec<(u32, u32)>,
    known: hits::KnownPatterns,
}

impl MatchScratch {
    /// How many parts of values were too long to be judged whole by patterns since it was asked last.
    pub fn take_in_pieces(&mut self) -> u64 {
        let of_datasets: u64 = self.groups.values_mut().map(GroupScratch::take_in_pieces).sum();
        of_datasets + self.by_log_source.take_in_pieces()
    }

    /// Sorts the rows of a batch by their datasets.
    fn take_rows(&mut self, batch: &EventBatch) {
        self.rows.resize_with(DATASETS.len(), Vec::new);
        self.rows.iter_mut().for_each(Vec::clear);
        for (row, dataset) in batch.datasets().iter().enumerate() {
            // Further lines of a record are judged with its first one.
            if *dataset != CONTINUATION {
                self.rows[usize::from(dataset.0)].push(row as u32);
            }
        }
    }
}

impl Matcher {
    /// Compiles nothing yet: the rules for a dataset are compiled when its first batch comes. `declared` is the log
    /// source of input whose format does not tell it.
    pub fn new(set: Arc<RuleSet>, declared: Option<LogSource>) -> Self {
        Self::with(set, declared, true)
    }

    /// A matcher for which every rule looks at every event, rules with `c0di3.sample_of` too.
    pub fn of_all_events(set: Arc<RuleSet>) -> Self {
        Self::with(set, None, false)
    }

    fn with(set: Arc<RuleSet>, declared: Option<LogSource>, sampled: bool) -> Self {
        let by_log_source = GroupsByLogSource::new(&set, sampled);
        Matcher { set, declared, sampled, groups: DATASETS.iter().map(|_| OnceLock::new()).collect(), by_log_source }
    }

    /// The rules that it matches.
    pub fn set(&self) -> &Arc<RuleSet> {
        &self.set
    }

    /// Compiles the groups of rules that another matcher has used, so that the first batch after a reload does not
    /// wait.
    pub fn prepare_like(&self, other: &Matcher) {
        for (dataset, group) in other.groups.iter().enumerate() {
            if group.get().is_some_and(|group| !group.is_empty()) {
                self.group(dataset as u8).prepare();
            }
        }
        self.by_log_source.prepare_like(&other.by_log_source, &self.set);
        self.set.digests();
    }

    fn group(&self, dataset: u8) -> &Group {
        self.groups[usize::from(dataset)].get_or_init(|| {
            let known = &DATASETS[usize::from(dataset)];
            let applies = |wanted: &LogSource| match &self.declared {
                Some(declared) if known.is_unknown() => declared.allows(wanted),
                _ => known.satisfies(wanted),
            };
            let rules = self.set.rules.iter().enumerate().filter(|(_, rule)| applies(&rule.logsource));
            // Only what our own access parser wrote is known to be taken apart consistently.
            let parts_hold = DatasetId(dataset) == ACCESS;
            Group::compile(rules.map(|(index, rule)| (index as u32, rule)), parts_hold, self.sampled)
        })
    }

    /// In how many rows, at most, the search of columns leaves something to the rules for their datasets. For measuring:
    /// [`Matcher::matches`] does the same first.
    pub fn candidates(&self, batch: &EventBatch, scratch: &mut MatchScratch) -> usize {
        scratch.take_rows(batch);
        let MatchScratch { rows, groups, .. } = scratch;
        let rows = rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        let of_dataset = rows.map(|(dataset, rows)| {
            let group = self.group(dataset as u8);
            scan::search(group, batch, rows, groups.entry(dataset as u8).or_insert_with(|| GroupScratch::new(group)))
        });
        of_dataset.sum()
    }

    /// `(row, rule)` for every match, by row, then by rule: row of the batch, and index in [`RuleSet::rules`].
    pub fn matches<'s>(&self, batch: &EventBatch, scratch: &'s mut MatchScratch) -> &'s [(u32, u32)] {
        scratch.take_rows(batch);
        scratch.matched.clear();
        let rows = &mut scratch.rows[usize::from(JSON.0)];
        let must_filter = scratch.by_log_source.take_rows(&self.by_log_source, &self.set, batch, rows);
        scratch.by_log_source.scan(batch, &mut scratch.matched);
        let known = scratch.matched.len();
        for dataset in 0..DATASETS.len() as u8 {
            let rows = &scratch.rows[usize::from(dataset)];
            let group = if rows.is_empty() { continue } else { self.group(dataset) };
            if !group.is_empty() {
                let caches = scratch.groups.entry(dataset).or_insert_with(|| GroupScratch::new(group));
                scan::scan(group, batch, rows, caches, &mut scratch.matched);
            }
        }
        if must_filter {
            let mut at = 0;
            scratch.matched.retain(|(row, rule)| {
                at += 1;
                at <= known || self.judges(&self.set.rules[*rule as usize], batch, *row as usize)
            });
        }
        scratch.matched.sort_unstable();
        &scratch.matched
    }

    fn judges(&self, rule: &Rule, batch: &EventBatch, row: usize) -> bool {
        explain::judges(rule, batch, row, self.declared.as_ref())
    }

    /// Why a rule does or does not report an event. `rule`: its index in [`RuleSet::rules`].
    pub fn explain(&self, rule: usize, batch: &EventBatch, row: usize) -> Explanation {
        let head = &self.set.rules[rule].head;
        let mut explanation = explain::explain(&self.set.rules[rule], batch, row, self.declared.as_ref());
        if let Some(exception) = self.set.exceptions.covering(head, batch, row).filter(|_| explanation.matched) {
            explanation.matched = false;
            let what = format!("left out by the exception `{}` of {}", exception.name, exception.owner);
            explanation.parts.push(Part::new(true, what));
        }
        let muted_by = self.set.muted_by(rule);
        if explanation.matched && !muted_by.is_empty() {
            let what = format!("reports nothing by itself: it is counted by {}", muted_by.join(", "));
            explanation.parts.push(Part::new(true, what));
        }
        explanation
    }

    /// Whether an exception leaves this match out. If so, the exception counts it.
    pub fn is_excepted(&self, batch: &EventBatch, row: u32, rule: u32) -> bool {
        self.set.exceptions.leave_out_hit(&self.set.rules[rule as usize].head, batch, row as usize)
    }

    /// Every match that no exception leaves out, as a hit that owns what it needs, by row, then by rule. A hit of a
    /// sampled rule counts for as many events as its rule looks at one of.
    pub fn hits(&self, batch: &EventBatch, scratch: &mut MatchScratch) -> Vec<Hit> {
        self.matches(batch, scratch);
        let MatchScratch { matched, known, .. } = scratch;
        if !self.set.exceptions.is_empty() {
            matched.retain(|(row, rule)| !self.is_excepted(batch, *row, *rule));
        }
        let mut hits = hits::of(&self.set, batch, matched, known);
        if self.sampled {
            for (hit, (_, rule)) in hits.iter_mut().zip(matched.iter()) {
                let of = self.set.rules[*rule as usize].sample_of;
                hit.repeated *= of.map_or(1, u64::from);
            }
        }
        hits
    }
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
