//! What happened to an account, in the words of ECS. Reads no text.

use event::BatchBuilder;
use event::catalog::field;

/// The words of an event that concerns an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) action: &'static str,
    pub(super) outcome: &'static str,
}

/// The action and what came of it; an empty outcome is not written.
pub(super) const fn outcome(action: &'static str, outcome: &'static str) -> Outcome {
    Outcome { action, outcome }
}

impl Outcome {
    #[inline]
    pub(super) fn put(self, rows: &mut BatchBuilder) {
        rows.literal(field::EVENT_CATEGORY, "authentication");
        rows.literal(field::EVENT_ACTION, self.action);
        if !self.outcome.is_empty() {
            rows.literal(field::EVENT_OUTCOME, self.outcome);
        }
    }
}
