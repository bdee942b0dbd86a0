//! What becomes of a hit in a window.

use crate::episode::Episode;

/// What became of a hit.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// An episode that the hit found to have ended.
    pub(crate) ended: Option<Box<Episode>>,
    /// An episode begins with the hit.
    pub(crate) begins: bool,
    /// The aggregate is where it must be, with this hit.
    pub(crate) fires: bool,
    /// It was not before: others count this one anew.
    pub(crate) anew: bool,
    /// The hit came out of order: what it makes of older windows must be looked at.
    pub(crate) stray: bool,
    /// The window held more than it may.
    pub(crate) cut: bool,
    /// The hit was not counted.
    pub(crate) left_out: Option<LeftOut>,
}

/// Why a hit is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    NoValue,
    NotNumeric,
    /// Nothing around it is known any more.
    TooOld,
    /// Another rule that matches the event came first.
    Again,
    /// It only says that another correlation still fires.
    GoesOn,
}

impl LeftOut {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            LeftOut::NoValue => "it has no value of the field that is counted",
            LeftOut::NotNumeric => "its value is not a number",
            LeftOut::TooOld => "it is older than what the window still knows",
            LeftOut::Again => "the event is counted already, by another rule that matches it",
            LeftOut::GoesOn => "the correlation that it comes from has been counted, and goes on firing",
        }
    }
}

impl From<LeftOut> for Added {
    fn from(why: LeftOut) -> Self {
        Added { left_out: Some(why), ..Added::default() }
    }
}
