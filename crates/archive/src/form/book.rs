//! The forms that are in use for one kind of log: lines of a source repeat a few of them. The newest are tried first; a form is
//! used from the second line on that has it, so that lines which are like no other do not fill the dictionary.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use event::EventBatch;
use hashbrown::HashSet;

use super::derive::derive;
use super::{Bound, Form};

/// Forms that are tried for a line.
const FORMS_MAX: usize = 12;

/// Forms that were seen once and are remembered; then the memory starts anew.
const SEEN_MAX: usize = 4096;

/// Lines in a row without a form after which only every [`TRY_EACH`]th is looked at: such a log has none.
const VAIN_MAX: u32 = 64;
const TRY_EACH: u32 = 16;

/// The forms of one kind of log.
#[derive(Debug, Default)]
pub(crate) struct FormBook {
    /// The one that fitted last stands first.
    forms: Vec<Arc<Form>>,
    seen: HashSet<u64>,
    state: RandomState,
    vain: u32,
}

impl FormBook {
    /// The form of each of these rows; `None` where the line itself has to be kept.
    pub(crate) fn forms_of(&mut self, batch: &EventBatch, rows: &[u32]) -> Vec<Option<Arc<str>>> {
        let mut out = Vec::with_capacity(rows.len());
        let mut rest = rows;
        // Forms are bound to the batch once, and again when one is new.
        while !rest.is_empty() {
            let (done, new) = self.with_known(batch, rest, &mut out);
            rest = &rest[done..];
            if let Some(form) = new {
                self.forms.insert(0, Arc::new(form));
                self.forms.truncate(FORMS_MAX);
            }
        }
        out
    }

    /// Takes rows up to the first that brings a new form, which is returned with how many rows are done.
    fn with_known(
        &mut self,
        batch: &EventBatch,
        rows: &[u32],
        out: &mut Vec<Option<Arc<str>>>,
    ) -> (usize, Option<Form>) {
        let forms = std::mem::take(&mut self.forms);
        let mut bound: Vec<(&Arc<Form>, Bound<'_>)> =
            forms.iter().filter_map(|form| Some((form, Bound::of(form, batch)?))).collect();
        let mut scratch = Vec::new();
        let mut stop = (rows.len(), None);
        for (at, row) in rows.iter().map(|row| *row as usize).enumerate() {
            let line = batch.original(row).as_bytes();
            if let Some(fits) = bound.iter().position(|(_, form)| form.makes(row, line, &mut scratch)) {
                out.push(Some(Arc::clone(&bound[fits].0.text)));
                bound[..=fits].rotate_right(1);
                self.vain = 0;
                continue;
            }
            let form = self.seen_again(batch, row);
            out.push(form.as_ref().map(|form| Arc::clone(&form.text)));
            if let Some(form) = form {
                stop = (at + 1, Some(form));
                break;
            }
        }
        let mut order: Vec<Arc<Form>> = bound.into_iter().map(|(form, _)| Arc::clone(form)).collect();
        // Forms that the batch has no columns for come last.
        for form in &forms {
            if !order.iter().any(|known| Arc::ptr_eq(known, form)) {
                order.push(Arc::clone(form));
            }
        }
        self.forms = order;
        stop
    }

    /// The form of a row that fits none of those in use, if it was seen before.
    fn seen_again(&mut self, batch: &EventBatch, row: usize) -> Option<Form> {
        self.vain = self.vain.saturating_add(1);
        if self.vain > VAIN_MAX && !self.vain.is_multiple_of(TRY_EACH) {
            return None;
        }
        let form = derive(batch, row)?;
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        (!self.seen.insert(self.state.hash_one(&form.text))).then_some(form)
    }
}
