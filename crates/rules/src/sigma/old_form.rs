//! Forms of Sigma that are no longer written, and what stands in their place: a refused file says both. Reads no rule.

use crate::sigma::diagnostic::Problems;
use crate::yaml::Node;

/// Key of the collections of Sigma 1: `action: global`, `reset`, `repeat`.
const ACTION: &str = "action";

/// Old types of correlations and their present names.
const TYPES: [(&str, &str); 4] = [
    ("ordered_temporal", "temporal_ordered"),
    ("temporal_order", "temporal_ordered"),
    ("count", "event_count"),
    ("distinct_count", "value_count"),
];

/// Old keys of correlations and their present names.
const KEYS: [(&str, &str); 7] = [
    ("rule", "rules"),
    ("group_by", "group-by"),
    ("groupby", "group-by"),
    ("timeframe", "timespan"),
    ("time_span", "timespan"),
    ("alias", "aliases"),
    ("ordered", "type: temporal_ordered"),
];

/// Whether the document is part of a collection of Sigma 1, which is told: its parts are no rules of their own.
pub(super) fn refuse_collection(node: &Node, problems: &mut Problems) -> bool {
    let Some(action) = node.get(ACTION) else { return false };
    let word = action.text().unwrap_or("global");
    let reason = match word {
        "correlation" => {
            "`action: correlation` is the old form: write the section `correlation` with its type, rules, group-by, \
            timespan and condition"
                .to_owned()
        }
        _ => format!(
            "`action: {word}` is the old form of rule collections (Sigma 1): write each rule as a document of its own between \
            `---`, with its own title, id, logsource and detection"
        ),
    };
    problems.error(action.place, reason);
    true
}

/// The present name of a correlation's type.
pub(super) fn present_type(word: &str) -> Option<&'static str> {
    TYPES.iter().find(|(old, _)| *old == word).map(|(_, new)| *new)
}

/// Why a correlation has no such key.
pub(super) fn unknown_key(word: &str, known: &[&str]) -> String {
    match KEYS.iter().find(|(old, _)| *old == word) {
        Some((_, new)) => format!("`{word}` is an old key of a correlation: write `{new}`"),
        None => format!("unknown key `{word}` in a correlation: known are {}", known.join(", ")),
    }
}
