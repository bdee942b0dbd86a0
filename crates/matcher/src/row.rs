//! One row against the rules that have a chance on it: what the search found is looked up, everything else is checked when
//! a rule asks, once.

use event::{EventBatch, ValueTag};
use patterns::search::seen::SeenSet;
use rules::check::{Check, Value, has_element};
use rules::evaluate::{KeywordTexts, exists, is_in_a_value, keyword_texts, passes_in_any_view, refers, value_at};
use rules::fold::{fold, fold_into};
use rules::percent::{decoded, may_be_encoded};

use crate::group::Group;
use crate::plan::{ColumnId, DirectKind, KEYWORDS};

/// What is kept from row to row, to be used again.
#[derive(Debug)]
pub(super) struct RowScratch {
    /// Positions of the group's columns in the batch.
    positions: Vec<Option<usize>>,
    /// Of each predicate the columns that the batch has: most names that a field may have are those of other senders.
    present: Vec<ColumnId>,
    /// Where those of a predicate begin; one more than there are predicates.
    starts: Vec<u32>,
    /// Predicates that hold, as bits.
    bits: Vec<u64>,
    /// Predicates that the search found.
    pub(super) found: Vec<u32>,
    /// Predicates that hold and were checked on demand.
    checked: Vec<u32>,
    asked: SeenSet,
    /// Forms of the row's texts by column: as it is, then decoded; and for which columns they are there.
    forms: Vec<Forms>,
    has_forms: SeenSet,
    /// Rules that were looked at.
    pub(super) rules: SeenSet,
}

impl RowScratch {
    pub(crate) fn new(group: &Group) -> Self {
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

    /// Begins a row with nothing found.
    pub(super) fn begin(&mut self) {
        for predicate in self.found.drain(..).chain(self.checked.drain(..)) {
            self.bits[predicate as usize / 64] = 0;
        }
        self.asked.begin();
        self.has_forms.begin();
        self.rules.begin();
    }

    /// Takes up what was put into `found`.
    pub(super) fn take_up(&mut self) {
        for predicate in &self.found {
            self.bits[*predicate as usize / 64] |= 1 << (predicate % 64);
        }
    }
}

/// A text folded, and what it is decoded, plain and folded.
#[derive(Debug, Default)]
struct Forms {
    folded: String,
    decoded: Vec<(String, String)>,
}

impl Forms {
    fn take(&mut self, text: &str, views: bool) {
        fold_into(text, &mut self.folded);
        self.decoded.clear();
        if views && may_be_encoded(text.as_bytes()) {
            self.decoded.extend(decoded(text).map(|view| {
                let folded = fold(&view);
                (view, folded)
            }));
        }
    }
}

pub(super) struct RowCheck<'a> {
    group: &'a Group,
    pub(super) batch: &'a EventBatch,
    row: usize,
    scratch: &'a mut RowScratch,
    keywords: Option<KeywordTexts<'a>>,
}

impl<'a> RowCheck<'a> {
    pub(crate) fn new(group: &'a Group, batch: &'a EventBatch, row: usize, scratch: &'a mut RowScratch) -> Self {
        RowCheck { group, batch, row, scratch, keywords: None }
    }

    /// Predicates that were searched for and hold.
    pub(super) fn searched(&self) -> &[u32] {
        &self.scratch.found
    }

    /// Whether the rule has not been looked at for this row.
    pub(super) fn is_new(&mut self, rule: u32) -> bool {
        self.scratch.rules.add(rule)
    }

    #[inline]
    pub(super) fn has(&mut self, predicate: u32) -> bool {
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
        let (name, views) = &self.group.columns[column as usize];
        if name == KEYWORDS {
            return self.is_keyword(check);
        }
        let position = self.scratch.positions[column as usize];
        let Some(value) = position.and_then(|position| value_at(self.batch, position, self.row)) else { return false };
        match value {
            Value::Text(text, tag) if tag != ValueTag::Array => {
                let forms = &mut self.scratch.forms[column as usize];
                if self.scratch.has_forms.add(column) {
                    forms.take(text, *views);
                }
                let views = !matches!(check, Check::Pack(_));
                check.passes_folded(text, &forms.folded, tag)
                    || views && forms.decoded.iter().any(|(view, folded)| check.passes_folded(view, folded, tag))
            }
            _ => passes_in_any_view(check, value, *views),
        }
    }

    fn is_keyword(&mut self, check: &Check) -> bool {
        let (batch, row) = (self.batch, self.row);
        let texts = self.keywords.get_or_insert_with(|| keyword_texts(batch, row));
        let passes = |text: &str| check.passes(Value::Text(text, ValueTag::String));
        passes(texts.line) || texts.unescaped.as_deref().is_some_and(passes) || is_in_a_value(check, batch, row)
    }

    pub(super) fn direct(&self, test: u32) -> bool {
        let test = &self.group.directs[test as usize];
        let positions = &self.scratch.positions;
        let found = |columns: &'a [ColumnId]| columns.iter().filter_map(|column| positions[*column as usize]);
        let has_value = |position: usize| value_at(self.batch, position, self.row).is_some();
        match &test.kind {
            DirectKind::Absent => !found(&test.columns).any(has_value),
            DirectKind::Exists(wanted) => {
                found(&test.columns).any(|position| exists(self.batch, position, self.row)) == *wanted
            }
            DirectKind::Refers(others, reference) => {
                refers(self.batch, self.row, found(&test.columns), found(others), reference)
            }
            DirectKind::HasValue => {
                let is_line = |column: &ColumnId| self.group.columns[*column as usize].0 == KEYWORDS;
                let has_some = |position: usize| match value_at(self.batch, position, self.row) {
                    Some(Value::Text(array, ValueTag::Array)) => has_element(array),
                    value => value.is_some(),
                };
                test.columns.iter().any(is_line) || found(&test.columns).any(has_some)
            }
        }
    }
}
