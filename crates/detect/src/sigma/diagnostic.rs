//! What is wrong with a rule file, where, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::yaml::Place;

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

    pub fn error(&mut self, place: Place, reason: impl Into<String>) {
        self.push(place, Gravity::Error, reason.into());
    }

    pub fn warn(&mut self, place: Place, reason: impl Into<String>) {
        self.push(place, Gravity::Warning, reason.into());
    }

    fn push(&mut self, place: Place, gravity: Gravity, reason: String) {
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
