//! What is wrong with a rule file, where, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::yaml::Location;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The rule is loaded all the same.
    Warning,
    /// The rule is not loaded.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    pub path: String,
    /// From 1.
    pub line: usize,
    pub column: usize,
    pub gravity: Gravity,
    /// What is wrong and how to mend it.
    pub reason: String,
}

/// How the reason begins where lists of placeholders are missing.
const WAITS: &str = "the rule waits for values of ";

impl Diagnostic {
    /// The lists of placeholders that the rule waits for; none where something else is wrong with it.
    pub fn waits_for(&self) -> impl Iterator<Item = &str> {
        let names = self.reason.strip_prefix(WAITS).and_then(|rest| rest.split_once(": "));
        // What stands between backquotes: every other part.
        names.into_iter().flat_map(|(names, _)| names.split('`').skip(1).step_by(2))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.gravity == Gravity::Error { "error" } else { "warning" };
        write!(out, "{}:{}:{}: {word}: {}", self.path, self.line, self.column, self.reason)
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Problems {
    path: String,
    found: Vec<Diagnostic>,
}

impl Problems {
    pub fn new(path: &str) -> Self {
        Problems { path: path.to_owned(), found: Vec::new() }
    }

    pub fn error(&mut self, place: Location, reason: impl Into<String>) {
        self.push(place, Gravity::Error, reason.into());
    }

    pub fn warn(&mut self, place: Location, reason: impl Into<String>) {
        self.push(place, Gravity::Warning, reason.into());
    }

    /// The rule cannot run before lists of these names are given.
    pub fn wait(&mut self, place: Location, names: &[String]) {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.error(place, format!("{WAITS}{names}: give lists of them (`rules.placeholders`)"));
    }

    fn push(&mut self, place: Location, gravity: Gravity, reason: String) {
        let path = self.path.clone();
        self.found.push(Diagnostic { path, line: place.line, column: place.column, gravity, reason });
    }

    pub fn error_count(&self) -> usize {
        self.found.iter().filter(|problem| problem.gravity == Gravity::Error).count()
    }

    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_waits_names_its_lists() {
        let mut problems = Problems::new("a.yml");
        problems.wait(Location::default(), &["b".to_owned(), "KNOWN_c".to_owned()]);
        problems.error(Location::default(), "something `else`: wrong");
        let found = problems.into_found();
        let names: Vec<Vec<&str>> = found.iter().map(|problem| problem.waits_for().collect()).collect();
        assert_eq!(names, [vec!["b", "KNOWN_c"], vec![]]);
    }
}
