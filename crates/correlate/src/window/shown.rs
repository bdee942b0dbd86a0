//! What a window shows of itself to people who ask.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;

use super::Window;
use crate::tally::Held;

impl Window {
    /// Events within the time span.
    pub(crate) fn events(&self) -> u64 {
        self.history.as_ref().map_or(self.counted.total, |history| history.weight().0)
    }

    /// What is compared with the rule's condition.
    pub(crate) fn aggregate(&self, bound: &BoundCorrelation) -> Option<f64> {
        match (&bound.rule.kind, &self.history) {
            (CorrelationKind::History(rule), history) => history.as_ref().map(|history| history.aggregate(rule)),
            _ => self.counted.aggregate(bound),
        }
    }

    /// Different values, or different events where the rule asks for those.
    pub(crate) fn distinct(&self) -> u64 {
        self.counted.distinct()
    }

    /// Whether the signal at this place of the correlation has an event inside.
    pub(crate) fn has_place(&self, place: usize) -> bool {
        self.counted.tally.as_ref().is_some_and(|tally| tally.matched(place))
    }

    /// Of the oldest and of the newest event inside.
    pub(crate) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.entries.at(self.behind).map(|entry| entry.time), self.entries.last().map(|entry| entry.time))
    }

    pub(crate) fn some_values(&self, most: usize) -> Vec<String> {
        if let Some(history) = &self.history {
            return history.values(most);
        }
        let mut values: Vec<String> = Vec::new();
        for (_, value) in self.entries.iter().skip(self.behind) {
            let value = match value {
                Some(Held::Text(text)) => text.to_string(),
                Some(Held::Number(number)) => number.to_string(),
                None => continue,
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

    /// Source and line of some events whose proof is kept.
    pub(crate) fn some_events(&self, most: usize) -> Vec<(String, u64)> {
        let events = self.entries.kept().take(most);
        events.map(|event| (event.source.name.clone(), event.line_no)).collect()
    }
}
