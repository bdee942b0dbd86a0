//! What a correlation asks for, in words for people.

use std::fmt;

use crate::sigma::rule::{Correlation, CorrelationKind, Function, Needed};

impl Correlation {
    /// What it asks for, in words.
    pub fn asks_for(&self) -> String {
        let distinct = self.distinct.as_ref().map(|distinct| format!(", in {distinct}")).unwrap_or_default();
        self.compares() + &distinct
    }

    fn compares(&self) -> String {
        let rule = self;
        let (span, rules) = (rule.timespan_us / 1_000_000, rule.rules.join(", "));
        let by = if rule.group_by.is_empty() { String::new() } else { format!(" by {}", rule.group_by.join(", ")) };
        let (name, bounds) = (rule.kind.name(), &rule.bounds);
        match &rule.kind {
            CorrelationKind::Temporal { expression: Some(expression), .. } => {
                format!("{name}{by}: `{}` within {span} s", Written(expression, &rule.rules))
            }
            CorrelationKind::Temporal { .. } => format!("{name} of {rules}{by}: {bounds} of the rules within {span} s"),
            CorrelationKind::ValueCount(fields) => {
                format!("{name} of {} over {rules}{by}: {bounds} within {span} s", fields.join(" and "))
            }
            CorrelationKind::Value { field, function: Function::Percentile(percent) } => {
                format!("{name} {percent} of {field} over {rules}{by}: {bounds} within {span} s")
            }
            CorrelationKind::Value { field, function: Function::Share } => {
                format!("percent of events that have the same {field}, over {rules}{by}: {bounds} within {span} s")
            }
            CorrelationKind::Value { field, .. } => {
                format!("{name} of {field} over {rules}{by}: {bounds} within {span} s")
            }
            CorrelationKind::EventCount | CorrelationKind::History(_) => {
                format!("{name} of {rules}{by}: {bounds} within {span} s")
            }
        }
    }
}

/// An expression over rules, as it may be written.
struct Written<'a>(&'a Needed, &'a [String]);

impl fmt::Display for Written<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written(needed, rules) = self;
        let joined = |parts: &[Needed], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| Written(part, rules).to_string()).collect();
            format!("({})", parts.join(word))
        };
        match needed {
            Needed::Rule(place) => out.write_str(rules.get(*place).map_or("", String::as_str)),
            Needed::All(parts) => out.write_str(&joined(parts, " and ")),
            Needed::Any(parts) => out.write_str(&joined(parts, " or ")),
            Needed::Not(part) => write!(out, "not {}", Written(part, rules)),
        }
    }
}
