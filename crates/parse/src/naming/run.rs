//! What a shape or the dictionary says of an event's values is done: one value after the other is brought to its field. Chooses
//! no shape.

use event::builder::Buffer;
use event::catalog::field;
use event::{BatchBuilder, FieldId, ValueTag};

use super::convert::{self, Raw, is_nothing};
use super::guess::GuessedSet;
use super::inside;
use super::names::{Names, number_now};
use super::plan::{NamingStep, Usual};
use crate::address::{decimal, is_ip};
use crate::clock::Times;

impl Names {
    /// Puts what the shape says of the event's values.
    pub(super) fn run(&mut self, at: usize, times: &mut Times, rows: &mut BatchBuilder) {
        let Some(plan) = &self.plans[at] else { return };
        for (target, fixed) in &plan.constants {
            fixed.put(*target, rows);
        }
        let block = rows.buffer();
        let mut next = 0;
        while let Some(step) = plan.steps.get(next) {
            let is_timed = step.usual == Usual::Time && self.places.timed_by == Some(step.from);
            let is_own = self.places.is_of_members(step.from);
            let is_put = is_timed || is_own && run_step(step, &block, &mut self.spare, times, rows);
            if is_put {
                // The text that is read on may be one that a step took out of a member.
                self.places.note_put(step.target);
            }
            next += 1 + if is_put { usize::from(step.others) } else { 0 };
        }
        if self.places.shapes().shapes()[at].guesses {
            self.guess(times, rows);
        }
    }

    /// Guesses what keys stand for that no shape names.
    pub(super) fn guess(&mut self, times: &mut Times, rows: &mut BatchBuilder) {
        let block = rows.buffer();
        let plan = self.guesses.plan(&self.places, rows);
        let mut put = GuessedSet::default();
        let mut next = 0;
        while let Some((synonym, step)) = plan.get(next) {
            // What a format or the event itself gave stays.
            let is_put = rows.has(step.target) || {
                let is_put = run_step(step, &block, &mut self.spare, times, rows);
                if is_put {
                    put.insert(*synonym);
                }
                is_put
            };
            next += 1 + if is_put { usize::from(step.others) } else { 0 };
        }
        self.guesses.mark(put, self.places.shapes(), rows);
    }

    /// The text that the event carries, and the program that wrote it.
    pub(super) fn carried(&self, at: usize, rows: &BatchBuilder) -> Option<(Vec<u8>, Vec<u8>)> {
        let plan = self.plans[at].as_ref()?;
        let own = |columns: &[FieldId]| {
            let mut own = columns.iter().filter(|column| self.places.is_of_members(**column));
            own.find_map(|column| text_of(*column, rows))
        };
        let (text, program) = (own(&plan.text)?, own(&plan.program));
        Some((text, program.unwrap_or_default()))
    }
}

/// A text, or the bytes of one.
fn text_of(column: FieldId, rows: &BatchBuilder) -> Option<Vec<u8>> {
    let value = rows.value_now(column)?;
    let (text, tag) = (value.text()?, value.tag());
    match tag {
        ValueTag::String if !is_nothing(text) => Some(text.to_vec()),
        ValueTag::Array => convert::bytes(Raw { text, tag }),
        _ => None,
    }
}

/// What mostly is to do with a value; `None` where it has to be looked at.
#[inline]
fn run_usual(step: &NamingStep, rows: &mut BatchBuilder) -> Option<bool> {
    if matches!(step.usual, Usual::Other | Usual::Time) || step.inside.is_some() {
        return None;
    }
    let Some(value) = rows.value_now(step.from) else { return Some(false) };
    let text = value.text()?;
    match (step.usual, value.tag()) {
        (Usual::Same, ValueTag::String | ValueTag::Number | ValueTag::Boolean) => {
            if is_nothing(text) {
                return Some(false);
            }
        }
        (Usual::Address, ValueTag::String) if is_ip(text) && text.first() != Some(&b':') => {}
        (Usual::Number, ValueTag::String | ValueTag::Number) => {
            let number = decimal(text)?;
            return Some(convert::put_whole(number, step.target, rows));
        }
        _ => return None,
    }
    rows.share(step.from, step.target);
    Some(true)
}

/// Brings one value to its field; false where there is none, or none that the field takes.
fn run_step(
    step: &NamingStep,
    block: &Buffer,
    spare: &mut Vec<u8>,
    times: &mut Times,
    rows: &mut BatchBuilder,
) -> bool {
    if let Some(is_put) = run_usual(step, rows) {
        return is_put;
    }
    let number;
    let raw = match rows.text_apart(step.from, block, spare) {
        Some((text, tag)) => Raw { text, tag },
        None => {
            let Some(found) = number_now(rows, Some(step.from)) else { return false };
            number = found;
            Raw { text: number.as_bytes(), tag: ValueTag::Number }
        }
    };
    let Some(path) = &step.inside else { return put(step, raw, times, rows) };
    // One row has one message: others that its line carries are told, and stay in `event.original`.
    let unread = if step.target == field::MESSAGE { inside::elements(raw.text).skip(1).count() } else { 0 };
    if unread > 0 {
        rows.mark("messages_unread");
        (0..unread).for_each(|_| rows.count_field_dropped());
    }
    let found = inside::member(raw.text, path).and_then(inside::text);
    found.is_some_and(|(text, tag)| put(step, Raw { text: &text, tag }, times, rows))
}

fn put(step: &NamingStep, raw: Raw<'_>, times: &mut Times, rows: &mut BatchBuilder) -> bool {
    let Some(words) = &step.words else { return convert::put(step.conversion, raw, step.target, times, rows) };
    let fixed = convert::word(step.conversion, raw).and_then(|word| words.find(&word));
    if let Some(fixed) = fixed {
        fixed.put(step.target, rows);
    }
    fixed.is_some()
}
