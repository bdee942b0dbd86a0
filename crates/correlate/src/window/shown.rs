//! What a window shows of itself to people who ask.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;

use crate::window::Window;
use crate::window::entry::EventValue;

impl Window {
    /// Number of events within the time span.
    pub(crate) fn events(&self) -> u64 {
        self.history.as_ref().map_or(self.contents.aggregate().total(), |history| history.total())
    }

    /// What is compared with the rule's condition; `None` where there is no single number.
    pub(crate) fn aggregate(&self, bound: &BoundCorrelation) -> Option<f64> {
        match (&bound.rule.kind, &self.history) {
            (CorrelationKind::History(rule), history) => history.as_ref().map(|history| history.aggregate(rule)),
            _ => self.contents.aggregate().aggregate(bound),
        }
    }

    /// Number of different values, or of different events where the rule asks for those.
    pub(crate) fn distinct(&self) -> u64 {
        self.contents.aggregate().distinct()
    }

    /// Whether the rule at this position of the correlation has an event inside.
    pub(crate) fn has_base(&self, base: usize) -> bool {
        self.contents.aggregate().tally().is_some_and(|tally| tally.matched(base))
    }

    /// Times of the oldest and of the newest event inside.
    pub(crate) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        self.contents.times()
    }

    /// Up to `most` of the values that are counted, each once.
    pub(crate) fn some_values(&self, most: usize) -> Vec<String> {
        if let Some(history) = &self.history {
            return history.values(most);
        }
        let mut values: Vec<String> = Vec::new();
        for value in self.contents.values_inside() {
            let value = match value {
                EventValue::Text(text) => text.to_string(),
                EventValue::Number(number) => number.to_string(),
            };
            if !values.contains(&value) {
                values.push(value);
            }
            if values.len() == most {
                break;
            }
        }
        values
    }

    /// Source and line of up to `most` events whose line is kept, oldest first.
    pub(crate) fn some_events(&self, most: usize) -> Vec<(String, u64)> {
        let events = self.contents.entries().kept().take(most);
        events.map(|event| (event.source.name.clone(), event.line_no)).collect()
    }
}
