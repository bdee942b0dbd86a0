//! What the engine looks at, one part of a value in one view, and what a pattern that it finds there is worth. Nothing is
//! searched here.

use crate::Part;
use crate::normalise::View;

/// A part of a value in one view.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) part: Part,
    pub(crate) view: View,
    pub(crate) text: &'a str,
    pub(crate) original: &'a str,
    /// Name of the parameter whose value this is, as it was sent; empty for other parts.
    pub(crate) name: &'a str,
    /// The decoded text is the text as it was sent: patterns that look at the raw text look at it, too.
    pub(crate) is_raw: bool,
}

/// The points of a pattern that was found.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// What it gives here.
    pub(crate) points: u32,
    /// What that adds to the pack. Readings that their surroundings made less do not add up: see `Engine::doubt`.
    pub(crate) gained: u32,
    /// No view before has given as much.
    pub(crate) best: bool,
}

/// A pattern that was found and might give more in another view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsure {
    pub(crate) number: u32,
    /// Most points of a reading that its surroundings made no less.
    pub(crate) sure: u32,
    /// Most points of one that they made less.
    pub(crate) less: u32,
}

impl Unsure {
    /// What the reading in doubtful surroundings adds.
    pub(crate) fn doubt(self) -> u32 {
        self.less.saturating_sub(self.sure)
    }
}
