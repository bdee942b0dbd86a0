//! What is wrong with a rule file, where, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::check::REGEX_BYTES_MAX;
use crate::yaml::Location;

/// Whether a problem keeps its rule from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The rule is loaded all the same.
    Warning,
    /// The rule is not loaded.
    Error,
}

/// One problem of a file, for people. It prints as `path:line:column: error: reason`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file, as the caller named it.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Whether the rule was loaded.
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
pub(crate) struct Problems {
    path: String,
    found: Vec<Diagnostic>,
    regex_bytes_max: usize,
}

impl Problems {
    /// None yet, for the file at this path.
    pub(crate) fn new(path: &str) -> Self {
        Problems { path: path.to_owned(), found: Vec::new(), regex_bytes_max: REGEX_BYTES_MAX }
    }

    /// As [`Self::new`], for a file that is part of the program: a test has measured its expressions, each start need not.
    pub(crate) fn of_program(path: &str) -> Self {
        Problems { regex_bytes_max: usize::MAX, ..Self::new(path) }
    }

    /// How large an expression of the file may become when it is compiled.
    pub(crate) fn regex_bytes_max(&self) -> usize {
        self.regex_bytes_max
    }

    /// Adds a problem that keeps the rule from being loaded.
    pub(crate) fn error(&mut self, place: Location, reason: impl Into<String>) {
        self.push(place, Gravity::Error, reason.into());
    }

    /// Adds a problem with which the rule is loaded all the same.
    pub(crate) fn warn(&mut self, place: Location, reason: impl Into<String>) {
        self.push(place, Gravity::Warning, reason.into());
    }

    /// The rule cannot run before lists of these names are given.
    pub(crate) fn wait(&mut self, place: Location, names: &[String]) {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.error(place, format!("{WAITS}{names}: give lists of them (`rules.placeholders`)"));
    }

    fn push(&mut self, place: Location, gravity: Gravity, reason: String) {
        let path = self.path.clone();
        self.found.push(Diagnostic { path, line: place.line, column: place.column, gravity, reason });
    }

    /// Errors so far, warnings left out.
    pub(crate) fn error_count(&self) -> usize {
        self.found.iter().filter(|problem| problem.gravity == Gravity::Error).count()
    }

    /// All problems, in the order added.
    pub(crate) fn into_found(self) -> Vec<Diagnostic> {
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
