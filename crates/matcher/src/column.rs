//! The search of one column of one batch: which predicates hold for each value. Equal values are decided once where they
//! come again, and of texts that differ in their numbers alone the search is done once.

use event::dataset::JSON;
use event::{EventBatch, LongColumn, TextColumn, ValueTag};
use patterns::PatternScratch;
use patterns::search::seen::SeenSet;
use rules::check::{Check, Value};
use rules::fold::fold_into;
use rules::percent::{decoded, may_be_encoded};

use crate::cache::{Cache, VerdictId, Verdicts};
use crate::group::Group;
use crate::keywords::{KeywordTexts, is_in_a_value};
use crate::parts::{FoundLiteral, Parts};
use crate::plan::{Nominee, Plan};
use crate::shapes::{Shape, Shapes};
use crate::values::passes_in_any_view;

/// One thread's state for one column.
#[derive(Debug)]
pub(super) struct ColumnScratch {
    pub(super) verdicts: Verdicts,
    cache: Cache,
    shapes: Shapes,
    parts: Parts,
    /// Verdict of each row scanned; meaningful only where `any` is set.
    pub(super) of_rows: Vec<VerdictId>,
    pub(super) any: bool,
    /// One for each engine of the plan, once it is used.
    patterns: Vec<PatternScratch>,
}

impl ColumnScratch {
    pub(super) fn new(plan: &Plan) -> Self {
        ColumnScratch {
            verdicts: Verdicts::new(),
            cache: Cache::new(plan.has_packs()),
            shapes: Shapes::new(plan),
            parts: Parts::new(plan),
            of_rows: Vec::new(),
            any: false,
            patterns: Vec::new(),
        }
    }

    pub(super) fn take_in_pieces(&mut self) -> u64 {
        self.patterns.iter_mut().map(PatternScratch::take_in_pieces).sum()
    }
}

/// What is known of the value at hand.
#[derive(Debug, Default)]
pub(super) struct Work {
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
    /// For so many predicates.
    pub(super) fn new(predicates: usize) -> Self {
        Work { seen: SeenSet::new(predicates), ..Work::default() }
    }

    fn begin(&mut self) {
        self.held.clear();
        self.seen.begin();
    }

    /// Adds what a literal that stands from `at.0` to `at.1` of a text of `length` bytes nominates, and what it decides.
    #[inline]
    fn nominate(&mut self, plan: &Plan, literal: usize, at: (usize, usize), length: usize) {
        for nominee in &plan.sought.nominated[literal] {
            match nominee.place {
                None => self.nominated.push(nominee.predicate),
                Some(place) if Nominee::holds(place, at.0, at.1, length) => self.hold(nominee.predicate),
                Some(_) => {}
            }
        }
    }

    #[inline]
    fn hold(&mut self, predicate: u32) {
        if self.seen.add(predicate) {
            self.held.push(predicate);
        }
    }
}

/// The search of one column of one batch.
pub(super) struct ColumnSearch<'a> {
    pub(super) group: &'a Group,
    pub(super) plan: &'a Plan,
    pub(super) batch: &'a EventBatch,
    pub(super) work: &'a mut Work,
}

impl ColumnSearch<'_> {
    /// Finds the verdict of each row. `open`: whether each row must be searched; `None` where all must.
    pub(super) fn texts(
        &mut self,
        text: &TextColumn<'_>,
        rows: &[u32],
        open: Option<&[bool]>,
        column: &mut ColumnScratch,
    ) {
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
        if column.parts.are_on()
            && tag == ValueTag::String
            && let Some(is_plain) = column.parts.of(self.plan, value, &mut column.patterns)
        {
            return self.decide_of_parts(value, tag, column, is_plain);
        }
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

    /// Finds the verdict of each row.
    pub(super) fn longs(&mut self, long: &LongColumn<'_>, rows: &[u32], column: &mut ColumnScratch) {
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

    /// Finds the verdict of each row's line.
    pub(super) fn keywords(&mut self, rows: &[u32], column: &mut ColumnScratch) {
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
            if !is_json && let Some(shape) = column.shapes.of(self.plan, line) {
                self.check_of_shape(shape, line, ValueTag::String, &mut column.patterns);
                let verdict = column.verdicts.pass(&self.work.held, false, &self.group.roles);
                column.of_rows.push(verdict);
                continue;
            }
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
            let verdict = column.verdicts.pass(&self.work.held, false, &self.group.roles);
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
        } else if let Some(shape) = column.shapes.of(self.plan, text) {
            opens_parts = shape.opens_parts;
            self.check_of_shape(shape, text, tag, &mut column.patterns);
        } else {
            opens_parts |= self.search(text, None, tag);
            if self.plan.decodes && may_be_encoded(text.as_bytes()) {
                for view in decoded(text) {
                    opens_parts |= self.search(&view, None, tag);
                }
            }
            self.judge(text, &mut column.patterns);
        }
        let roles = &self.group.roles;
        if kept {
            column.verdicts.intern(&mut self.work.held, opens_parts, roles)
        } else {
            column.verdicts.pass(&self.work.held, opens_parts, roles)
        }
    }

    /// Which predicates hold for a text whose parts are known. `is_plain`: packs find nothing in it.
    fn decide_of_parts(&mut self, text: &str, tag: ValueTag, column: &mut ColumnScratch, is_plain: bool) -> VerdictId {
        self.work.begin();
        let ColumnSearch { plan, work, .. } = self;
        work.nominated.clear();
        work.nominated.extend_from_slice(&plan.unfiltered);
        let mut opens_parts = plan.literals().is_none();
        for FoundLiteral { literal, start, end } in &column.parts.found {
            work.nominate(plan, *literal as usize, (*start as usize, *end as usize), text.len());
            opens_parts |= plan.sought.opens_parts[*literal as usize];
        }
        if !work.nominated.is_empty() {
            let mut folded = std::mem::take(&mut work.folded);
            fold_into(text, &mut folded);
            self.check_nominated(text, &folded, None, tag);
            self.work.folded = folded;
        }
        if !is_plain {
            self.judge(text, &mut column.patterns);
        }
        column.verdicts.pass(&self.work.held, opens_parts, &self.group.roles)
    }

    /// Adds the packs that hold for the text.
    fn judge(&mut self, text: &str, patterns: &mut Vec<PatternScratch>) {
        for (engine, scratch) in self.plan.engines_with(patterns) {
            engine.judge(text, scratch, |predicate| self.work.hold(predicate));
        }
    }

    /// Adds those of the predicates that the text's shape nominates that hold for the text.
    fn check_of_shape(&mut self, shape: &Shape, text: &str, tag: ValueTag, patterns: &mut Vec<PatternScratch>) {
        if shape.nominated.is_empty() && shape.judged.is_empty() {
            return;
        }
        let mut folded = std::mem::take(&mut self.work.folded);
        fold_into(text, &mut folded);
        for predicate in &shape.nominated {
            if self.check(*predicate).passes_folded(text, &folded, tag) {
                self.work.hold(*predicate);
            }
        }
        if shape.judged.iter().any(|judged| judged.has(&folded)) {
            self.judge(text, patterns);
        }
        self.work.folded = folded;
    }

    fn decide_long(&self, number: i64, column: &mut ColumnScratch) -> VerdictId {
        let value = Value::Long(number);
        let mut held: Vec<u32> =
            self.plan.predicates.iter().copied().filter(|predicate| self.check(*predicate).passes(value)).collect();
        column.verdicts.intern(&mut held, false, &self.group.roles)
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
        let ColumnSearch { plan, work, .. } = self;
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
                work.nominate(plan, literal, (start, end), length);
                opens_parts |= plan.sought.opens_parts[literal];
            });
        }
        if !work.nominated.is_empty() {
            if as_it_is {
                fold_into(text, &mut folded);
            }
            self.check_nominated(text, &folded, other, tag);
        }
        self.work.folded = folded;
        opens_parts
    }

    /// Adds those of the nominated predicates that hold for the text.
    fn check_nominated(&mut self, text: &str, folded: &str, other: Option<&str>, tag: ValueTag) {
        let ColumnSearch { group, plan, work, .. } = self;
        let mut nominated = std::mem::take(&mut work.nominated);
        nominated.sort_unstable();
        nominated.dedup();
        for predicate in nominated.drain(..) {
            if work.seen.has(predicate) {
                continue;
            }
            let check = &group.checks[predicate as usize];
            let passes = check.passes_folded(text, folded, tag)
                || other.is_some_and(|other| check.passes(Value::Text(other, tag)));
            if passes {
                work.hold(predicate);
            } else if plan.of_values.binary_search(&predicate).is_ok() {
                work.unsettled.push(predicate);
            }
        }
        work.nominated = nominated;
    }
}
