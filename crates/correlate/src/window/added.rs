//! What becomes of a hit in a window.

use crate::episode::Episode;

/// Outcome of adding one hit.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// An episode that the hit found to have ended.
    pub(crate) ended: Option<Box<Episode>>,
    /// An episode begins with the hit.
    pub(crate) begins: bool,
    /// The condition of the rule holds, with this hit.
    pub(crate) fires: bool,
    /// The condition did not hold before the hit: other correlations count this as a new firing.
    pub(crate) restarts: bool,
    /// The hit came out of order: the windows around its time must be counted again.
    pub(crate) out_of_order: bool,
    /// The window held more than it may.
    pub(crate) cut: bool,
    /// Lines that the window gave up because windows keep so much proof already.
    pub(crate) proof_dropped: u64,
    /// The hit was not counted.
    pub(crate) left_out: Option<LeftOut>,
}

/// Why a hit is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// It lacks the field that is counted.
    NoValue,
    /// Its value is no number, or one that is too large.
    NotNumeric,
    /// The window no longer holds events of that time.
    TooOld,
    /// The event is counted already, through another rule that matches it.
    Duplicate,
    /// It only says that another correlation still fires.
    StillFiring,
}

impl LeftOut {
    /// The reason as people read it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            LeftOut::NoValue => "it has no value of the field that is counted",
            LeftOut::NotNumeric => "its value is not a number",
            LeftOut::TooOld => "it is older than what the window still knows",
            LeftOut::Duplicate => "the event is counted already, by another rule that matches it",
            LeftOut::StillFiring => "the correlation that it comes from has been counted, and goes on firing",
        }
    }
}

impl From<LeftOut> for Added {
    fn from(why: LeftOut) -> Self {
        Added { left_out: Some(why), ..Added::default() }
    }
}
