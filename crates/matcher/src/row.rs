//! One row against the rules that were triggered on it: predicates that were searched for are looked up, and each other
//! predicate is checked when a rule first asks for it.

use event::{EventBatch, ValueTag};
use patterns::search::seen::SeenSet;
use rules::check::{Check, Value};
use rules::fold::{fold, fold_into};
use rules::percent::{decoded, may_be_encoded};

use crate::group::Group;
use crate::keywords::{KeywordTexts, is_in_a_value};
use crate::predicate::{ColumnId, Direct, DirectKind, KEYWORDS};
use crate::program::{LIST_CHECKED_MAX, Program};
use crate::values::{self, passes_in_any_view};

/// Memory that is used again from row to row.
#[derive(Debug)]
pub(super) struct RowScratch {
    /// Positions of the group's columns in the batch.
    positions: Vec<Option<usize>>,
    /// For each predicate those of its columns that the batch has, one predicate after the other. A field has many
    /// names, and a batch has columns for few of them.
    present: Vec<ColumnId>,
    /// Where the columns of each predicate begin in `present`, with its length at the end.
    starts: Vec<u32>,
    /// Predicates that hold, as bits.
    bits: Vec<u64>,
    /// Predicates that the search found.
    pub(super) found: Vec<u32>,
    /// Predicates that hold and were checked on demand.
    checked: Vec<u32>,
    /// Predicates that were checked on demand, whether they hold or not.
    asked: SeenSet,
    /// Forms of the row's texts, by column; `has_forms` tells for which columns they are this row's.
    forms: Vec<Forms>,
    has_forms: SeenSet,
    /// Rules that were evaluated on this row.
    pub(super) rules: SeenSet,
}

impl RowScratch {
    pub(super) fn new(group: &Group) -> Self {
        RowScratch {
            positions: Vec::new(),
            present: Vec::new(),
            starts: Vec::new(),
            bits: vec![0; group.checks.len().div_ceil(64)],
            found: Vec::new(),
            checked: Vec::new(),
            asked: SeenSet::new(group.checks.len()),
            forms: group.columns.iter().map(|_| Forms::default()).collect(),
            has_forms: SeenSet::new(group.columns.len()),
            rules: SeenSet::new(group.rules.len()),
        }
    }

    /// Finds the columns in a batch's schema.
    pub(super) fn bind(&mut self, group: &Group, batch: &EventBatch) {
        self.positions.clear();
        self.positions.extend(group.columns.iter().map(|(name, _)| batch.position_of(name)));
        self.present.clear();
        self.starts.clear();
        for columns in &group.columns_of {
            self.starts.push(self.present.len() as u32);
            let is_there = |column: &ColumnId| {
                self.positions[*column as usize].is_some() || group.columns[*column as usize].0 == KEYWORDS
            };
            self.present.extend(columns.iter().copied().filter(is_there));
        }
        self.starts.push(self.present.len() as u32);
    }

    /// Whether a test of the row itself holds.
    pub(super) fn direct(&self, test: u32, group: &Group, batch: &EventBatch, row: usize) -> bool {
        let test = &group.directs[test as usize];
        let position = |column: &ColumnId| self.positions[*column as usize];
        let mut of_test = test.columns.iter().filter_map(position);
        match &test.kind {
            DirectKind::Absent => !of_test.any(|position| Value::at(batch, position, row).is_some()),
            DirectKind::Exists(wanted) => of_test.any(|position| values::exists(batch, position, row)) == *wanted,
            DirectKind::Refers(others, reference) => {
                values::refers(batch, row, of_test, others.iter().filter_map(position), reference)
            }
            DirectKind::HasValue => {
                let is_line = |column: &ColumnId| group.columns[*column as usize].0 == KEYWORDS;
                test.columns.iter().any(is_line) || of_test.any(|position| values::has_value(batch, position, row))
            }
        }
    }

    /// In which of the rows a test of the row itself holds: column by column what [`RowScratch::direct`] tells of one row.
    pub(super) fn direct_of_rows(
        &self,
        test: u32,
        group: &Group,
        batch: &EventBatch,
        rows: &[u32],
        holds: &mut Vec<bool>,
    ) {
        holds.clear();
        holds.resize(rows.len(), false);
        let Direct { columns, kind } = &group.directs[test as usize];
        let (wanted, with_null) = match kind {
            DirectKind::Absent => (false, false),
            DirectKind::Exists(wanted) => (*wanted, true),
            DirectKind::Refers(..) | DirectKind::HasValue => {
                let each = holds.iter_mut().zip(rows);
                return each.for_each(|(holds, row)| *holds = self.direct(test, group, batch, *row as usize));
            }
        };
        for position in columns.iter().filter_map(|column| self.positions[*column as usize]) {
            let each = holds.iter_mut().zip(rows);
            match batch.text_at(position) {
                Some(text) if with_null => each.for_each(|(holds, row)| *holds |= text.exists(*row as usize)),
                Some(text) => each.for_each(|(holds, row)| *holds |= !text.is_null(*row as usize)),
                None => each.for_each(|(holds, row)| *holds |= Value::at(batch, position, *row as usize).is_some()),
            }
        }
        if !wanted {
            holds.iter_mut().for_each(|holds| *holds = !*holds);
        }
    }

    /// Forgets the row before.
    pub(super) fn begin(&mut self) {
        for predicate in self.found.drain(..).chain(self.checked.drain(..)) {
            self.bits[predicate as usize / 64] = 0;
        }
        self.asked.begin();
        self.has_forms.begin();
        self.rules.begin();
    }

    /// Lets rules see the predicates that were put into `found`.
    pub(super) fn publish_found(&mut self) {
        for predicate in &self.found {
            self.bits[*predicate as usize / 64] |= 1 << (predicate % 64);
        }
    }
}

/// A text folded, and each of its decoded views, plain and folded.
#[derive(Debug, Default)]
struct Forms {
    folded: String,
    decoded: Vec<(String, String)>,
}

impl Forms {
    fn set(&mut self, text: &str, decodes: bool) {
        fold_into(text, &mut self.folded);
        self.decoded.clear();
        if decodes && may_be_encoded(text.as_bytes()) {
            self.decoded.extend(decoded(text).map(|view| {
                let folded = fold(&view);
                (view, folded)
            }));
        }
    }
}

/// One row as the rules of a group ask about it.
pub(super) struct RowCheck<'a> {
    group: &'a Group,
    pub(super) batch: &'a EventBatch,
    row: usize,
    scratch: &'a mut RowScratch,
    /// Made when the first keyword is checked on demand.
    keywords: Option<KeywordTexts<'a>>,
}

impl<'a> RowCheck<'a> {
    pub(super) fn new(group: &'a Group, batch: &'a EventBatch, row: usize, scratch: &'a mut RowScratch) -> Self {
        RowCheck { group, batch, row, scratch, keywords: None }
    }

    /// Predicates that were searched for and hold.
    pub(super) fn searched(&self) -> &[u32] {
        &self.scratch.found
    }

    /// Whether the rule has not been evaluated on this row yet; from now on it has.
    pub(super) fn is_new(&mut self, rule: u32) -> bool {
        self.scratch.rules.add(rule)
    }

    /// Whether a rule's condition holds for the row.
    pub(super) fn holds(&mut self, program: &Program) -> bool {
        match program {
            Program::And(parts) => parts.iter().all(|part| self.holds(part)),
            Program::Or(parts) => parts.iter().any(|part| self.holds(part)),
            Program::Not(inner) => !self.holds(inner),
            Program::AnyOf(any_of) if any_of.len() <= LIST_CHECKED_MAX => {
                any_of.iter().any(|predicate| self.has(*predicate))
            }
            Program::AnyOf(any_of) => self.searched().iter().any(|predicate| any_of.binary_search(predicate).is_ok()),
            Program::Direct(test) => self.direct(*test),
        }
    }

    /// Whether a predicate holds: found by the search, or checked now.
    #[inline]
    fn has(&mut self, predicate: u32) -> bool {
        let (at, bit) = (predicate as usize / 64, 1 << (predicate % 64));
        if self.scratch.bits[at] & bit != 0 {
            return true;
        }
        if self.group.searched[predicate as usize] || !self.scratch.asked.add(predicate) {
            return false;
        }
        let (from, to) = (self.scratch.starts[predicate as usize], self.scratch.starts[predicate as usize + 1]);
        let holds = (from..to).any(|at| self.passes(predicate, self.scratch.present[at as usize]));
        if holds {
            self.scratch.bits[at] |= bit;
            self.scratch.checked.push(predicate);
        }
        holds
    }

    fn passes(&mut self, predicate: u32, column: ColumnId) -> bool {
        let check = &self.group.checks[predicate as usize];
        let (name, decodes) = &self.group.columns[column as usize];
        if name == KEYWORDS {
            return self.is_keyword(check);
        }
        let position = self.scratch.positions[column as usize];
        let Some(value) = position.and_then(|position| Value::at(self.batch, position, self.row)) else { return false };
        match value {
            Value::Text(text, tag) if tag != ValueTag::Array => {
                let forms = &mut self.scratch.forms[column as usize];
                if self.scratch.has_forms.add(column) {
                    forms.set(text, *decodes);
                }
                // Packs of patterns decode by themselves.
                let decodes = !matches!(check, Check::Pack(_));
                check.passes_folded(text, &forms.folded, tag)
                    || decodes && forms.decoded.iter().any(|(view, folded)| check.passes_folded(view, folded, tag))
            }
            _ => passes_in_any_view(check, value, *decodes),
        }
    }

    fn is_keyword(&mut self, check: &Check) -> bool {
        let (batch, row) = (self.batch, self.row);
        let texts = self.keywords.get_or_insert_with(|| KeywordTexts::of(batch, row));
        let passes = |text: &str| check.passes(Value::Text(text, ValueTag::String));
        passes(texts.line) || texts.unescaped.as_deref().is_some_and(passes) || is_in_a_value(check, batch, row)
    }

    fn direct(&self, test: u32) -> bool {
        self.scratch.direct(test, self.group, self.batch, self.row)
    }
}
