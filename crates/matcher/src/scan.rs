//! Runs a group over rows of a batch: each column is searched for predicates, then rules are evaluated on the rows that
//! have a predicate which triggers one.

use event::dataset::JSON;
use event::{EventBatch, LongColumn, TextColumn, ValueTag};
use patterns::PatternScratch;
use patterns::search::seen::SeenSet;
use rules::check::{Check, Value};
use rules::fold::fold_into;
use rules::percent::{decoded, may_be_encoded};

use crate::cache::{Cache, VerdictId, Verdicts};
use crate::gate::{SearchedColumn, close_where_held};
use crate::group::Group;
use crate::keywords::{KeywordTexts, is_in_a_value};
use crate::plan::{Nominee, Plan};
use crate::predicate::KEYWORDS;
use crate::row::{RowCheck, RowScratch};
use crate::values::passes_in_any_view;

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
    /// Rows (as bits) that each gate leaves open.
    gates: Vec<Vec<u64>>,
    work: Work,
    row: RowScratch,
}

#[derive(Debug)]
struct ColumnScratch {
    verdicts: Verdicts,
    cache: Cache,
    /// Verdict of each row scanned; meaningful only where `any` is set.
    of_rows: Vec<VerdictId>,
    any: bool,
    /// One for each engine of the plan, once it is used.
    patterns: Vec<PatternScratch>,
}

impl ColumnScratch {
    fn new(plan: &Plan) -> Self {
        ColumnScratch {
            verdicts: Verdicts::new(),
            cache: Cache::new(plan.has_packs()),
            of_rows: Vec::new(),
            any: false,
            patterns: Vec::new(),
        }
    }
}

/// What is known of the value at hand.
#[derive(Debug, Default)]
struct Work {
    /// Predicates to be checked.
    nominated: Vec<u32>,
    /// Predicates that hold, each once.
    held: Vec<u32>,
    /// Keywords that do not stand in the line as they should, but may in a value.
    unsettled: Vec<u32>,
    seen: SeenSet,
    folded: String,
}

impl Work {
    fn begin(&mut self) {
        self.held.clear();
        self.seen.begin();
    }

    #[inline]
    fn hold(&mut self, predicate: u32) {
        if self.seen.add(predicate) {
            self.held.push(predicate);
        }
    }
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
            work: Work { seen: SeenSet::new(group.checks.len()), ..Work::default() },
            row: RowScratch::new(group),
        }
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
    scratch.candidates.resize(rows.len().div_ceil(64), 0);
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
        flag_candidates(column, &mut scratch.candidates);
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

/// Finds the rows that each gate leaves open, and adds them.
fn open_gates(group: &Group, batch: &EventBatch, rows: &[u32], scratch: &mut GroupScratch) {
    let GroupScratch { columns, bound, candidates, row: row_scratch, gates, .. } = scratch;
    gates.resize_with(group.always.len(), Vec::new);
    let searched = bound.iter().map(|(plan, _)| (&group.plans[*plan], &columns[*plan]));
    let searched: Vec<SearchedColumn<'_>> = searched
        .filter(|(_, column)| column.any)
        .map(|(plan, column)| SearchedColumn {
            predicates: &plan.predicates,
            verdicts: &column.verdicts,
            of_rows: &column.of_rows,
        })
        .collect();
    for ((_, gate), open) in group.always.iter().zip(gates) {
        open.clear();
        open.resize(rows.len().div_ceil(64), u64::MAX);
        close_where_held(&gate.absent, &searched, open);
        for (at, row) in rows.iter().enumerate() {
            let bit = 1 << (at % 64);
            let holds = |test: &u32| row_scratch.direct(*test, group, batch, *row as usize);
            if open[at / 64] & bit != 0 && !gate.directs.iter().all(holds) {
                open[at / 64] &= !bit;
            }
        }
        candidates.iter_mut().zip(&*open).for_each(|(candidates, open)| *candidates |= open);
    }
}

/// What decides whether an event is one of those that are looked at. It is made of the event's id, so that every run
/// looks at equal events.
fn sample_number(batch: &EventBatch, row: u32) -> u64 {
    (batch.event_id(row as usize).0 >> 64) as u64
}

fn flag_candidates(column: &mut ColumnScratch, candidates: &mut [u64]) {
    for (at, verdict) in column.of_rows.iter().enumerate().filter(|(_, verdict)| **verdict != 0) {
        column.any = true;
        if column.verdicts.of(*verdict).triggers {
            candidates[at / 64] |= 1 << (at % 64);
        }
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
            let always = group.always.iter().zip(&*gates).filter(|(_, open)| open[at / 64] >> (at % 64) & 1 == 1);
            for rule in always.map(|((rule, _), _)| rule).chain(&group.sampled_always) {
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

/// The search of one column of one batch.
struct ColumnSearch<'a> {
    group: &'a Group,
    plan: &'a Plan,
    batch: &'a EventBatch,
    work: &'a mut Work,
}

impl ColumnSearch<'_> {
    /// Finds the verdict of each row. `open`: whether each row must be searched; `None` where all must.
    fn texts(&mut self, text: &TextColumn<'_>, rows: &[u32], open: Option<&[bool]>, column: &mut ColumnScratch) {
        column.of_rows.reserve(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let closed = open.is_some_and(|open| !open[at]);
            let verdict = if closed { 0 } else { self.text_verdict(text, *row as usize, column) };
            column.of_rows.push(verdict);
        }
    }

    #[inline]
    fn text_verdict(&mut self, text: &TextColumn<'_>, row: usize, column: &mut ColumnScratch) -> VerdictId {
        if text.is_null(row) {
            return 0;
        }
        let view = text.view(row);
        let tag = text.tag(row);
        if TextColumn::is_inline(view) && tag != ValueTag::Array {
            if let Some(verdict) = column.cache.inline(view) {
                return verdict;
            }
            let verdict = text.str(row).map_or(0, |value| self.decide(value, tag, column, true));
            column.cache.remember_inline(view, verdict);
            return verdict;
        }
        let Some(value) = text.str(row) else { return 0 };
        if !column.cache.is_awake(value.len()) {
            return self.decide(value, tag, column, false);
        }
        let hash = column.cache.hash(value.as_bytes());
        if let Some(verdict) = column.cache.long_value(hash, value.as_bytes(), tag as u8) {
            return verdict;
        }
        let verdict = self.decide(value, tag, column, true);
        column.cache.remember(hash, value.as_bytes(), tag as u8, verdict);
        verdict
    }

    fn longs(&mut self, long: &LongColumn<'_>, rows: &[u32], column: &mut ColumnScratch) {
        column.of_rows.reserve(rows.len());
        for row in rows {
            let verdict = match long.get(*row as usize) {
                None => 0,
                Some(number) => column.cache.long(number).unwrap_or_else(|| {
                    let verdict = self.decide_long(number, column);
                    column.cache.remember_long(number, verdict);
                    verdict
                }),
            };
            column.of_rows.push(verdict);
        }
    }

    fn keywords(&mut self, rows: &[u32], column: &mut ColumnScratch) {
        column.of_rows.reserve(rows.len());
        let (survives, around) = (self.plan.survives_unescaping(), self.plan.longest());
        let prefilter = self.plan.keyword_prefilter();
        for row in rows {
            let (line, is_json) = (self.batch.original(*row as usize), self.batch.datasets()[*row as usize] == JSON);
            if prefilter.is_some_and(|prefilter| prefilter.rules_out(line, is_json)) {
                column.of_rows.push(0);
                continue;
            }
            self.work.begin();
            let KeywordTexts { line, unescaped, rewritten } = KeywordTexts::of(self.batch, *row as usize);
            match &unescaped {
                // ASCII alone: folding can change the length of other letters, and the offsets of escapes would be
                // wrong.
                Some(text) if survives && line.is_ascii() => {
                    self.search(text, Some(line), ValueTag::String);
                    let mut done = 0;
                    for (start, end) in rewritten {
                        let (start, end) = (start.saturating_sub(around), (end + around).min(line.len()));
                        if end > done {
                            self.search_part(&line[start..end], line);
                            done = end;
                        }
                    }
                }
                _ => {
                    self.search(line, None, ValueTag::String);
                    if let Some(text) = &unescaped {
                        self.search(text, None, ValueTag::String);
                    }
                }
            }
            for predicate in std::mem::take(&mut self.work.unsettled) {
                if is_in_a_value(self.check(predicate), self.batch, *row as usize) {
                    self.work.hold(predicate);
                }
            }
            let verdict = column.verdicts.pass(&self.work.held, false, &self.group.triggered);
            column.of_rows.push(verdict);
        }
    }

    fn check(&self, predicate: u32) -> &Check {
        &self.group.checks[predicate as usize]
    }

    /// Which predicates hold for a text: nominated by their literals, decided by their place or by their checks.
    /// `kept`: the verdict outlives the batch.
    fn decide(&mut self, text: &str, tag: ValueTag, column: &mut ColumnScratch, kept: bool) -> VerdictId {
        self.work.begin();
        let mut opens_parts = false;
        if tag == ValueTag::Array {
            let value = Value::Text(text, tag);
            let passes = |predicate: &u32| passes_in_any_view(self.check(*predicate), value, self.plan.decodes);
            let held: Vec<u32> = self.plan.predicates.iter().copied().filter(passes).collect();
            held.into_iter().for_each(|predicate| self.work.hold(predicate));
            opens_parts = true;
        } else {
            opens_parts |= self.search(text, None, tag);
            if self.plan.decodes && may_be_encoded(text.as_bytes()) {
                for view in decoded(text) {
                    opens_parts |= self.search(&view, None, tag);
                }
            }
            let engines = self.plan.engines();
            if column.patterns.len() < engines.len() {
                column.patterns = self.plan.pattern_scratch();
            }
            for (engine, scratch) in engines.iter().zip(&mut column.patterns) {
                engine.judge(text, scratch, |predicate| self.work.hold(predicate));
            }
        }
        let triggered = &self.group.triggered;
        if kept {
            column.verdicts.intern(&mut self.work.held, opens_parts, triggered)
        } else {
            column.verdicts.pass(&self.work.held, opens_parts, triggered)
        }
    }

    fn decide_long(&self, number: i64, column: &mut ColumnScratch) -> VerdictId {
        let value = Value::Long(number);
        let mut held: Vec<u32> =
            self.plan.predicates.iter().copied().filter(|predicate| self.check(*predicate).passes(value)).collect();
        column.verdicts.intern(&mut held, false, &self.group.triggered)
    }

    /// Searches a part of the line. What it nominates is checked on the whole line.
    fn search_part(&mut self, part: &str, line: &str) {
        let ColumnSearch { group, plan, work, .. } = self;
        let mut folded = std::mem::take(&mut work.folded);
        fold_into(part, &mut folded);
        if let Some(literals) = plan.literals() {
            literals.find(folded.as_bytes(), |literal, _, _| {
                for Nominee { predicate, place } in &plan.sought.nominated[literal] {
                    let check = &group.checks[*predicate as usize];
                    if place.is_some() || check.passes(Value::Text(line, ValueTag::String)) {
                        work.hold(*predicate);
                    } else if plan.of_values.binary_search(predicate).is_ok() {
                        work.unsettled.push(*predicate);
                    }
                }
            });
        }
        work.folded = folded;
    }

    /// Adds the predicates that hold for this form of the text to those that do; true where a part of the column may
    /// hold something. Checks also look at `other`, a form with the same literals.
    fn search(&mut self, text: &str, other: Option<&str>, tag: ValueTag) -> bool {
        let ColumnSearch { group, plan, work, .. } = self;
        let mut folded = std::mem::take(&mut work.folded);
        let literals = plan.literals();
        let as_it_is = text.is_ascii();
        if !as_it_is {
            fold_into(text, &mut folded);
        }
        work.nominated.clear();
        work.nominated.extend_from_slice(&plan.unfiltered);
        let mut opens_parts = literals.is_none();
        if let Some(literals) = literals {
            let searched = if as_it_is { text } else { &folded };
            let length = searched.len();
            literals.find(searched.as_bytes(), |literal, start, end| {
                for nominee in &plan.sought.nominated[literal] {
                    match nominee.place {
                        None => work.nominated.push(nominee.predicate),
                        Some(place) if Nominee::holds(place, start, end, length) => work.hold(nominee.predicate),
                        Some(_) => {}
                    }
                }
                opens_parts |= plan.sought.opens_parts[literal];
            });
        }
        if !work.nominated.is_empty() {
            if as_it_is {
                fold_into(text, &mut folded);
            }
            let mut nominated = std::mem::take(&mut work.nominated);
            nominated.sort_unstable();
            nominated.dedup();
            for predicate in nominated.drain(..) {
                if work.seen.has(predicate) {
                    continue;
                }
                let check = &group.checks[predicate as usize];
                let passes = check.passes_folded(text, &folded, tag)
                    || other.is_some_and(|other| check.passes(Value::Text(other, tag)));
                if passes {
                    work.hold(predicate);
                } else if plan.of_values.binary_search(&predicate).is_ok() {
                    work.unsettled.push(predicate);
                }
            }
            work.nominated = nominated;
        }
        work.folded = folded;
        opens_parts
    }
}
