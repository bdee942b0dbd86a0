//! Rules against batches. Predicates are shared between rules and evaluated per column: an automaton of literals
//! nominates, the exact check decides, equal values are decided once, and rules run only on rows that can match.
//!
//! A rule set is compiled per dataset on first use, so that rules for other log sources cost nothing.

mod cache;
mod group;
mod plan;
mod program;
mod scan;

use std::sync::{Arc, OnceLock};

use event::catalog::field;
use event::dataset::{ACCESS, DATASETS};
use event::{Dataset, DatasetId, Entities, EventBatch, EventRef, Hit, LogSource, Timestamp};
use hashbrown::HashMap;

use crate::check::Value;
use crate::explain::value_at;
use crate::matcher::group::Group;
use crate::matcher::scan::GroupScratch;
use crate::ruleset::RuleSet;

/// Compiled rules. Shared by all threads; what changes lives in a [`MatchScratch`] per thread.
#[derive(Debug)]
pub struct Matcher {
    set: Arc<RuleSet>,
    /// What the operator declared all input to be, in place of each dataset's own log source.
    declared: Option<LogSource>,
    groups: Vec<OnceLock<Group>>,
}

/// One thread's caches. Losing them costs time, never a result.
#[derive(Debug, Default)]
pub struct MatchScratch {
    groups: HashMap<u8, GroupScratch>,
    rows: Vec<Vec<u32>>,
    matched: Vec<(u32, u32)>,
}

impl Matcher {
    pub fn new(set: Arc<RuleSet>, declared: Option<LogSource>) -> Self {
        Matcher { set, declared, groups: DATASETS.iter().map(|_| OnceLock::new()).collect() }
    }

    pub fn set(&self) -> &Arc<RuleSet> {
        &self.set
    }

    fn group(&self, dataset: u8) -> &Group {
        self.groups[usize::from(dataset)].get_or_init(|| {
            let known = &DATASETS[usize::from(dataset)];
            let applies = |wanted: &LogSource| match &self.declared {
                Some(declared) => declared.satisfies(wanted),
                None => known.satisfies(wanted),
            };
            let rules = self.set.rules.iter().enumerate().filter(|(_, rule)| applies(&rule.logsource));
            // Only what our own access parser wrote is known to be taken apart consistently.
            let parts_hold = DatasetId(dataset) == ACCESS;
            Group::compile(rules.map(|(index, rule)| (index as u32, rule)), parts_hold)
        })
    }

    /// `(row, rule)` for every match, by row, then by rule.
    pub fn matches<'s>(&self, batch: &EventBatch, scratch: &'s mut MatchScratch) -> &'s [(u32, u32)] {
        scratch.rows.resize_with(DATASETS.len(), Vec::new);
        scratch.rows.iter_mut().for_each(Vec::clear);
        scratch.matched.clear();
        for (row, dataset) in batch.datasets().iter().enumerate() {
            scratch.rows[usize::from(dataset.0)].push(row as u32);
        }
        for dataset in 0..DATASETS.len() as u8 {
            let rows = &scratch.rows[usize::from(dataset)];
            let group = if rows.is_empty() { continue } else { self.group(dataset) };
            if !group.is_empty() {
                let caches = scratch.groups.entry(dataset).or_insert_with(|| GroupScratch::new(group));
                scan::scan(group, batch, rows, caches, &mut scratch.matched);
            }
        }
        scratch.matched.sort_unstable();
        &scratch.matched
    }

    /// Every match as a hit that owns what it needs.
    pub fn hits(&self, batch: &EventBatch, scratch: &mut MatchScratch) -> Vec<Hit> {
        self.matches(batch, scratch);
        let mut hits = Vec::with_capacity(scratch.matched.len());
        let mut last: Option<(u32, Arc<EventRef>)> = None;
        for (row, rule) in &scratch.matched {
            let event = match &last {
                Some((at, event)) if at == row => Arc::clone(event),
                _ => Arc::new(event_ref(batch, *row as usize)),
            };
            let values = self.captured(batch, *row as usize, *rule as usize);
            let repeated = batch.long(field::LOG_SYSLOG_REPEATED).and_then(|column| column.get(*row as usize));
            let repeated = repeated.and_then(|times| u64::try_from(times).ok()).unwrap_or(1).max(1);
            hits.push(Hit { rule: *rule, event: Arc::clone(&event), values, repeated });
            last = Some((*row, event));
        }
        hits
    }

    /// Values that correlations over the rule need; the others stay empty.
    fn captured(&self, batch: &EventBatch, row: usize, rule: usize) -> Arc<[Option<Box<str>>]> {
        let wanted = &self.set.uses[rule].captures;
        if wanted.is_empty() {
            return Arc::from([]);
        }
        let columns = self.set.captures.iter().enumerate();
        columns.map(|(at, columns)| wanted.contains(&at).then(|| first_value(batch, row, columns)).flatten()).collect()
    }
}

/// Longest captured value in bytes: a longer one is cut, so that one field cannot fill the correlation state.
const CAPTURE_BYTES_MAX: usize = 512;

fn first_value(batch: &EventBatch, row: usize, columns: &[String]) -> Option<Box<str>> {
    columns.iter().find_map(|column| {
        let value = value_at(batch, batch.position_of(column)?, row)?;
        Some(match value {
            Value::Text(text, _) => cut(text, CAPTURE_BYTES_MAX).into(),
            Value::Long(number) => number.to_string().into_boxed_str(),
        })
    })
}

/// Longest raw line that a hit keeps as proof, in bytes. Longer ones are cut with a mark; their place is given.
const PROOF_BYTES_MAX: usize = 8 << 10;

fn proof(original: &str) -> Box<str> {
    if original.len() <= PROOF_BYTES_MAX {
        return original.into();
    }
    let kept = cut(original, PROOF_BYTES_MAX);
    format!("{kept} […cut: the line has {} bytes]", original.len()).into_boxed_str()
}

/// The text, or as many of its first characters as fit.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

fn event_ref(batch: &EventBatch, row: usize) -> EventRef {
    let one = |id| {
        let text = batch.text(id).and_then(|column| column.str(row)).filter(|text| !text.is_empty());
        text.map(|text| cut(text, CAPTURE_BYTES_MAX).to_owned()).into_iter().collect::<Vec<_>>()
    };
    let host = batch.text_named("host.name").and_then(|column| column.str(row));
    EventRef {
        id: batch.event_id(row),
        source: Arc::clone(batch.source()),
        offset: batch.offset(row),
        line_no: batch.line_no(row),
        time: batch.times().and_then(|times| times.get(row)).map(Timestamp),
        original: proof(batch.original(row)),
        entities: Entities {
            source_ip: one(field::SOURCE_IP),
            user_name: one(field::USER_NAME),
            host_name: host.map_or_else(|| one(field::HOST_HOSTNAME), |host| vec![host.to_owned()]),
        },
    }
}

/// Name of the dataset of a row, for people.
pub fn dataset_name(batch: &EventBatch, row: usize) -> &'static str {
    Dataset::of(batch.datasets()[row]).name
}

#[cfg(test)]
mod tests;
