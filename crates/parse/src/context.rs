//! What every format gets beside the line, and why it may refuse the line. Knows no format but the caches of JSON.

use event::Timestamp;

use crate::clock::{Clock, Times};
use crate::json::Scratch;

/// Why a format did not read a line.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Not this format: another may try. Nothing was put to the row that the next format does not overwrite.
    Other(&'static str),
    /// Clearly this format, but broken: no other is asked.
    Broken(&'static str),
}

/// What formats need beside the line: the reference time and the caches that go with it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) times: Times,
    pub(crate) json: Scratch,
}

impl Context {
    pub(crate) fn new(clock: &Clock) -> Self {
        Context { times: Times::new(clock.clone()), json: Scratch::default() }
    }

    pub(crate) fn begin_block(&mut self, reference: Timestamp) {
        self.times.begin_block(reference);
        self.json.begin_block();
    }
}
