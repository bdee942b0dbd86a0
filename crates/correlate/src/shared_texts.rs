//! Texts that one hit brings to several groups, made once: correlations that group by the same fields share the text of
//! the key, and those that count the same field share the value. Nothing is decided here.

use std::sync::Arc;

use event::EventId;
use rules::ruleset::BoundCorrelation;

use crate::group_key::value_of;
use crate::hit::IndexedHit;

/// Values of the hit that was asked for last; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct SharedTexts {
    /// The event and the rule of the hit.
    of: Option<(EventId, u32)>,
    values: Vec<Arc<str>>,
}

impl SharedTexts {
    /// The value that the hit brings to the correlation, as one text for all that count the same; `None` where it has none.
    pub(crate) fn value_of(&mut self, bound: &BoundCorrelation, hit: &IndexedHit) -> Option<Arc<str>> {
        let of = Some((hit.event.id, hit.rule));
        if self.of != of {
            self.values.clear();
            self.of = of;
        }
        let value = value_of(bound, hit)?;
        if let Some(known) = self.values.iter().find(|known| ***known == *value) {
            return Some(Arc::clone(known));
        }
        let text: Arc<str> = Arc::from(&*value);
        self.values.push(Arc::clone(&text));
        Some(text)
    }
}
