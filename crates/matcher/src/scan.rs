//! Runs a group over rows of a batch: each column is searched for predicates, then rules are evaluated on the rows that
//! have a predicate which triggers one.

use event::EventBatch;

use crate::column::{ColumnScratch, ColumnSearch, Work};
use crate::group::Group;
use crate::plan::Plan;
use crate::predicate::KEYWORDS;
use crate::row::{RowCheck, RowScratch};

/// Gates with tests of the row itself, at most, whose tests are asked column by column in every row. Of more gates most are closed
/// by verdicts, and asking only where they are open is quicker.
const GATES_BY_COLUMN_MAX: usize = 8;

/// One thread's state for one group.
#[derive(Debug)]
pub(super) struct GroupScratch {
    columns: Vec<ColumnScratch>,
    /// Batch schema that `bound` is for.
    fingerprint: Option<u64>,
    /// Plans whose column the schema has, with the column's position.
    bound: Vec<(usize, Option<usize>)>,
    /// Rows of the part's container in which the part must be searched.
    open: Vec<bool>,
    /// Rows (as bits) in which some predicate triggers a rule.
    candidates: Vec<u64>,
    /// Gates (as bits) that each row leaves open.
    gates: Vec<u128>,
    work: Work,
    row: RowScratch,
}

impl GroupScratch {
    pub(super) fn new(group: &Group) -> Self {
        GroupScratch {
            columns: group.plans.iter().map(ColumnScratch::new).collect(),
            fingerprint: None,
            bound: Vec::new(),
            open: Vec::new(),
            candidates: Vec::new(),
            gates: Vec::new(),
            work: Work::new(group.checks.len()),
            row: RowScratch::new(group),
        }
    }

    pub(super) fn take_in_pieces(&mut self) -> u64 {
        self.columns.iter_mut().map(ColumnScratch::take_in_pieces).sum()
    }

    /// Finds the plans whose columns the batch has. Done once for batches in a row with equal columns.
    fn bind(&mut self, group: &Group, batch: &EventBatch) {
        if self.fingerprint == Some(batch.fingerprint()) {
            return;
        }
        self.fingerprint = Some(batch.fingerprint());
        self.bound.clear();
        for (at, plan) in group.plans.iter().enumerate() {
            if plan.column == KEYWORDS {
                self.bound.push((at, None));
            } else if let Some(position) = batch.position_of(&plan.column) {
                self.bound.push((at, Some(position)));
            }
        }
        self.row.bind(group, batch);
        // Containers first: their verdicts decide where parts are searched.
        self.bound.sort_by_key(|(at, _)| group.plans[*at].container.is_some());
    }

    /// Sets `open` to the rows in which the plan must be searched; false where that is all of them.
    fn open_rows(&mut self, group: &Group, plan: &Plan) -> bool {
        let Some(container) = plan.container.filter(|at| !group.plans[*at].parts_always) else { return false };
        if !self.bound.iter().any(|(at, position)| *at == container && position.is_some()) {
            return false;
        }
        let column = &self.columns[container];
        self.open.clear();
        self.open.extend(column.of_rows.iter().map(|verdict| column.verdicts.of(*verdict).opens_parts));
        true
    }
}

/// Appends `(row, rule index in the set)` for every match among `rows`.
pub(super) fn scan(
    group: &Group,
    batch: &EventBatch,
    rows: &[u32],
    scratch: &mut GroupScratch,
    out: &mut Vec<(u32, u32)>,
) {
    search(group, batch, rows, scratch);
    evaluate_candidates(group, batch, rows, scratch, out);
}

/// Searches every column, and finds the rows in which some rule may match: how many there are, at most.
pub(super) fn search(group: &Group, batch: &EventBatch, rows: &[u32], scratch: &mut GroupScratch) -> usize {
    scratch.bind(group, batch);
    scratch.candidates.clear();
    scratch.candidates.resize(rows.len().div_ceil(64), if group.looks_at_all() { u64::MAX } else { 0 });
    scratch.gates.clear();
    scratch.gates.resize(rows.len(), group.gates());
    for bound_at in 0..scratch.bound.len() {
        let (at, position) = scratch.bound[bound_at];
        let plan = &group.plans[at];
        let gated = scratch.open_rows(group, plan);
        let open = gated.then_some(scratch.open.as_slice());
        let column = &mut scratch.columns[at];
        if column.verdicts.is_full() {
            *column = ColumnScratch::new(plan);
        }
        column.any = false;
        column.of_rows.clear();
        column.verdicts.begin_batch();
        let mut searched = ColumnSearch { group, plan, batch, work: &mut scratch.work };
        match position.map(|position| (batch.text_at(position), batch.long_at(position).or(batch.date_at(position)))) {
            None => searched.keywords(rows, column),
            Some((Some(text), _)) => searched.texts(&text, rows, open, column),
            Some((None, Some(long))) => searched.longs(&long, rows, column),
            Some((None, None)) => continue,
        }
        flag_candidates(column, &mut scratch.candidates, &mut scratch.gates);
    }
    flag_sampled(group, batch, rows, &mut scratch.candidates);
    open_gates(group, batch, rows, scratch);
    scratch.candidates.iter().map(|word| word.count_ones() as usize).sum()
}

/// Adds the rows that sampled rules look at, whatever stands in them: one pass for all such rules.
fn flag_sampled(group: &Group, batch: &EventBatch, rows: &[u32], candidates: &mut [u64]) {
    if group.samples.is_empty() {
        return;
    }
    for (at, row) in rows.iter().enumerate() {
        let number = sample_number(batch, *row);
        let is_sampled = group.samples.iter().any(|of| number.is_multiple_of(u64::from(*of)));
        candidates[at / 64] |= u64::from(is_sampled) << (at % 64);
    }
}

/// Asks the tests of the row itself, and adds the rows in which some gate is open.
fn open_gates(group: &Group, batch: &EventBatch, rows: &[u32], scratch: &mut GroupScratch) {
    let GroupScratch { candidates, row: row_scratch, gates, open: holds, .. } = scratch;
    let with_tests = || group.always.iter().enumerate().filter(|(_, (_, gate))| !gate.directs.is_empty());
    if with_tests().count() <= GATES_BY_COLUMN_MAX {
        for (at, (_, gate)) in with_tests() {
            for test in &gate.directs {
                row_scratch.direct_of_rows(*test, group, batch, rows, holds);
                gates.iter_mut().zip(&*holds).for_each(|(open, holds)| *open &= !(u128::from(!*holds) << at));
            }
        }
    } else {
        for (row, open) in rows.iter().zip(&mut *gates) {
            let mut asked = *open;
            while asked != 0 {
                let gate = asked.trailing_zeros() as usize;
                asked &= asked - 1;
                let holds = |test: &u32| row_scratch.direct(*test, group, batch, *row as usize);
                if !group.always[gate].1.directs.iter().all(holds) {
                    *open &= !(1 << gate);
                }
            }
        }
    }
    for (at, open) in gates.iter().enumerate() {
        candidates[at / 64] |= u64::from(*open != 0) << (at % 64);
    }
}

/// What decides whether an event is one of those that are looked at. It is made of the event's id, so that every run
/// looks at equal events.
fn sample_number(batch: &EventBatch, row: u32) -> u64 {
    (batch.event_id(row as usize).0 >> 64) as u64
}

/// Adds the rows in which a value of the column triggers a rule, and closes gates of rows that it rules out.
fn flag_candidates(column: &mut ColumnScratch, candidates: &mut [u64], gates: &mut [u128]) {
    for (at, verdict) in column.of_rows.iter().enumerate().filter(|(_, verdict)| **verdict != 0) {
        column.any = true;
        let role = column.verdicts.of(*verdict).role;
        candidates[at / 64] |= u64::from(role.triggers) << (at % 64);
        gates[at] &= !role.closes;
    }
}

fn evaluate_candidates(
    group: &Group,
    batch: &EventBatch,
    rows: &[u32],
    scratch: &mut GroupScratch,
    out: &mut Vec<(u32, u32)>,
) {
    let GroupScratch { columns, bound, candidates, row: row_scratch, gates, .. } = scratch;
    let filled: Vec<&ColumnScratch> =
        bound.iter().map(|(plan, _)| &columns[*plan]).filter(|column| column.any).collect();
    for (word_at, word) in candidates.iter().enumerate() {
        let mut word = *word;
        while word != 0 {
            let at = word_at * 64 + word.trailing_zeros() as usize;
            word &= word - 1;
            let Some(row) = rows.get(at).copied() else { break };
            row_scratch.begin();
            for column in &filled {
                row_scratch.found.extend_from_slice(column.verdicts.of(column.of_rows[at]).held);
            }
            row_scratch.publish_found();
            let mut check = RowCheck::new(group, batch, row as usize, row_scratch);
            let mut open = gates[at];
            while open != 0 {
                evaluate(group, group.always[open.trailing_zeros() as usize].0, row, &mut check, out);
                open &= open - 1;
            }
            for rule in &group.ungated {
                evaluate(group, *rule, row, &mut check, out);
            }
            for found in 0..check.searched().len() {
                for rule in &group.triggered[check.searched()[found] as usize] {
                    evaluate(group, *rule, row, &mut check, out);
                }
            }
        }
    }
}

fn evaluate(group: &Group, rule: u32, row: u32, check: &mut RowCheck<'_>, out: &mut Vec<(u32, u32)>) {
    if check.is_new(rule) {
        let rule = &group.rules[rule as usize];
        let looks = rule.sample_of.is_none_or(|of| sample_number(check.batch, row).is_multiple_of(u64::from(of)));
        if looks && check.holds(&rule.program) {
            out.push((row, rule.index));
        }
    }
}
