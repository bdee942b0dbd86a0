//! What a shape or the dictionary says of an event's values is done: one value after the other is brought to its field. Chooses
//! no shape.

use std::borrow::Cow;

use event::builder::Buffer;
use event::catalog::field;
use event::{BatchBuilder, FieldId, ValueTag};

use super::convert::{self, Raw, is_nothing};
use super::first::FirstObject;
use super::guess::GuessedSet;
use super::inside;
use super::names::{Names, number_now};
use super::plan::{NamingStep, Usual};
use crate::address::{decimal, is_ip};
use crate::clock::Times;
use crate::shape::model::Conversion;

/// A text of the row at hand: as it lies in the block, or a copy.
pub(super) type TextNow<'b> = Cow<'b, [u8]>;

/// How many elements the array of a column has, where a step has looked for one that is not there and none behind it put anything.
#[derive(Debug, Default)]
struct Counted(Option<(FieldId, usize)>);

impl Counted {
    /// Whether the step is one for an element that is not there.
    #[inline]
    fn lacks(&self, step: &NamingStep) -> bool {
        let Some((column, count)) = self.0 else { return false };
        matches!(step.conversion, Conversion::Item(at) if column == step.from && usize::from(at) >= count)
    }

    /// The step has put nothing.
    fn note(&mut self, step: &NamingStep, raw: Raw<'_>) {
        if matches!(step.conversion, Conversion::Item(_)) && raw.tag == ValueTag::Array {
            self.0 = Some((step.from, inside::elements(raw.text).count()));
        }
    }
}

/// What steps need beside the row.
struct StepState<'n> {
    block: &'n Buffer,
    /// For a text that does not stand in the block.
    spare: &'n mut Vec<u8>,
    counted: Counted,
    first: &'n mut FirstObject,
}

impl<'n> StepState<'n> {
    fn new(block: &'n Buffer, spare: &'n mut Vec<u8>, first: &'n mut FirstObject) -> Self {
        first.forget();
        StepState { block, spare, counted: Counted::default(), first }
    }

    /// A step has put its field.
    #[inline]
    fn note_put(&mut self, target: FieldId) {
        self.counted = Counted::default();
        self.first.forget_column(target);
    }
}

impl Names {
    /// Puts what the shape says of the event's values.
    pub(super) fn run(&mut self, at: usize, times: &mut Times, rows: &mut BatchBuilder) {
        let Some(plan) = &self.plans[at] else { return };
        for (target, fixed) in &plan.constants {
            fixed.put(*target, rows);
        }
        let block = rows.buffer();
        let mut state = StepState::new(&block, &mut self.spare, &mut self.first);
        let mut next = 0;
        while let Some(step) = plan.steps.get(next) {
            let is_timed = step.usual == Usual::Time && self.places.timed_by == Some(step.from);
            let is_own = self.places.is_of_members(step.from);
            let mut put = || match run_usual(step, rows) {
                Some(is_put) => is_put,
                None => run_step(step, &mut state, times, rows),
            };
            let is_put = is_timed || is_own && put();
            if is_put {
                // The text that is read on may be one that a step took out of a member.
                self.places.note_put(step.target);
                state.note_put(step.target);
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
        let mut state = StepState::new(&block, &mut self.spare, &mut self.first);
        let mut put = GuessedSet::default();
        let mut next = 0;
        while let Some((synonym, step)) = plan.get(next) {
            // What a format or the event itself gave stays.
            let is_put = rows.has(step.target) || {
                let is_put = match run_usual(step, rows) {
                    Some(is_put) => is_put,
                    None => run_step(step, &mut state, times, rows),
                };
                if is_put {
                    state.note_put(step.target);
                    put.insert(*synonym);
                }
                is_put
            };
            next += 1 + if is_put { usize::from(step.others) } else { 0 };
        }
        self.guesses.mark(put, self.places.shapes(), rows);
    }

    /// The text that the event carries, and the program that wrote it. `block`: the buffer of `rows`, in which the text stands
    /// unless it was unescaped.
    pub(super) fn carried<'b>(
        &self,
        at: usize,
        rows: &BatchBuilder,
        block: &'b Buffer,
    ) -> Option<(TextNow<'b>, TextNow<'b>)> {
        let plan = self.plans[at].as_ref()?;
        let own = |columns: &[FieldId]| {
            let mut own = columns.iter().filter(|column| self.places.is_of_members(**column));
            own.find_map(|column| text_of(*column, rows, block))
        };
        let (text, program) = (own(&plan.text)?, own(&plan.program));
        Some((text, program.unwrap_or_default()))
    }
}

/// A text, or the bytes of one.
fn text_of<'b>(column: FieldId, rows: &BatchBuilder, block: &'b Buffer) -> Option<TextNow<'b>> {
    let (text, tag) = rows.text_or_copy(column, block)?;
    match tag {
        ValueTag::String if !is_nothing(&text) => Some(text),
        ValueTag::Array => convert::bytes(Raw { text: &text, tag }).map(Cow::Owned),
        _ => None,
    }
}

/// What mostly is to do with a value; `None` where it has to be looked at.
#[inline]
fn run_usual(step: &NamingStep, rows: &mut BatchBuilder) -> Option<bool> {
    if matches!(step.usual, Usual::Other | Usual::Time) || step.inside.is_some() {
        return None;
    }
    let looked_at = |text: &[u8], tag: ValueTag| match (step.usual, tag) {
        (Usual::Same, ValueTag::String | ValueTag::Number | ValueTag::Boolean) => match is_nothing(text) {
            true => Err(Unshared::Nothing),
            false => Ok(()),
        },
        (Usual::Address, ValueTag::String) if is_ip(text) && text.first() != Some(&b':') => Ok(()),
        (Usual::Number, ValueTag::String | ValueTag::Number) => {
            Err(decimal(text).map_or(Unshared::Unusual, Unshared::Number))
        }
        _ => Err(Unshared::Unusual),
    };
    match rows.share_where(step.from, step.target, looked_at) {
        Some(Ok(())) => Some(true),
        Some(Err(Unshared::Nothing)) => Some(false),
        Some(Err(Unshared::Number(number))) => Some(convert::put_whole(number, step.target, rows)),
        Some(Err(Unshared::Unusual)) => None,
        // A number or a time, or no value.
        None => rows.value_now(step.from).is_none().then_some(false),
    }
}

/// What a text is that is not put as it stands.
enum Unshared {
    Nothing,
    Number(i64),
    Unusual,
}

/// Brings a value that has to be looked at to its field; false where there is none, or none that the field takes.
fn run_step(step: &NamingStep, state: &mut StepState<'_>, times: &mut Times, rows: &mut BatchBuilder) -> bool {
    let StepState { block, spare, counted, first } = state;
    if counted.lacks(step) {
        return false;
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
    let Some(path) = &step.inside else {
        let is_put = put(step, raw, times, rows);
        if !is_put {
            counted.note(step, raw);
        }
        return is_put;
    };
    if raw.tag == ValueTag::Array {
        first.look(step.from, raw.text);
    }
    // One row has one message: others that its line carries are told, and stay in `event.original`.
    let unread = match (step.target, raw.tag) {
        (field::MESSAGE, ValueTag::Array) => first.others(raw.text),
        (field::MESSAGE, _) => inside::elements(raw.text).skip(1).count(),
        _ => 0,
    };
    if unread > 0 {
        rows.mark("messages_unread");
        (0..unread).for_each(|_| rows.count_field_dropped());
    }
    let member = match raw.tag {
        ValueTag::Array => first.member(raw.text, path),
        _ => inside::member(raw.text, path),
    };
    let found = member.and_then(inside::text);
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
