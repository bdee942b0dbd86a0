//! What a correlation may not ask for, as far as only the whole set can tell.

use super::RuleSet;
use crate::sigma::rule::Correlation;
use crate::yaml::Location;

/// Correlations that may count one another in a row.
const CHAIN_MAX: usize = 10;

impl RuleSet {
    /// Why a correlation whose references are all there cannot be used, and where that stands.
    pub(super) fn refusal(&self, rule: &Correlation) -> Option<(Option<Location>, String)> {
        let signals = || rule.rules.iter().filter_map(|reference| Some((reference, self.signal_named(reference)?)));
        let known = |at: usize, signal: usize| signals().take(at).any(|(_, known)| known == signal);
        if let Some((_, (reference, _))) = signals().enumerate().find(|(at, (_, signal))| known(*at, *signal)) {
            let reason = format!("the correlation counts `{reference}` twice, by two of its names: keep one");
            return Some((rule.places.place_of(reference), reason));
        }
        for (at, alias) in rule.aliases.iter().enumerate() {
            let place = |name: &str| rule.alias_places.get(at).and_then(|places| places.place_of(name));
            let counted = |reference: &String| {
                let signal = self.signal_named(reference);
                signal.is_some_and(|signal| {
                    signals().any(|(_, known)| known == signal || self.is_counted_by(signal, known))
                })
            };
            if let Some((reference, _)) = alias.fields.iter().find(|(reference, _)| !counted(reference)) {
                let name = &alias.name;
                let reason =
                    format!("the alias `{name}` names `{reference}`, which is no rule that the correlation counts");
                return Some((place(reference), reason));
            }
        }
        let depth =
            |signal: usize| signal.checked_sub(self.rules.len()).map_or(0, |index| self.correlations[index].depth);
        let deepest = signals().map(|(_, signal)| depth(signal)).max().unwrap_or(0);
        let reason = || format!("more than {CHAIN_MAX} correlations count one another in a row");
        (deepest >= CHAIN_MAX).then(|| (None, reason()))
    }

    /// Whether the hits of a signal reach another.
    fn is_counted_by(&self, signal: usize, of: usize) -> bool {
        self.base_rules_of(signal).is_subset(&self.base_rules_of(of))
    }
}
