//! Two scales: the level that a rule's author gave (Sigma) and the severity that operations act on (P0-P3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::word::UnknownWord;

/// Level of a rule, after the Sigma specification. The numbers are OCSF `severity_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Adds knowledge to other events.
    Informational = 1,
    /// Notable, and rarely part of an incident.
    Low = 2,
    /// Relevant: to be reviewed from time to time.
    Medium = 3,
    /// Relevant: to be reviewed soon.
    High = 4,
    /// Tells of an incident: to be reviewed at once.
    Critical = 5,
}

impl Level {
    /// From the least grave to the gravest.
    pub const ALL: [Level; 5] = [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];

    /// The word in Sigma and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Level::Informational => "informational",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }

    /// Where the score of a finding starts: 0-100.
    pub fn base_score(self) -> u8 {
        match self {
            Level::Informational => 10,
            Level::Low => 25,
            Level::Medium => 50,
            Level::High => 75,
            Level::Critical => 95,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Level::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| UnknownWord::new(text, Level::ALL.map(Level::name)))
    }
}

/// Operational severity: P0 is worked on at once, P3 when there is time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Worked on at once.
    P0,
    /// Worked on before P2.
    P1,
    /// Worked on before P3.
    P2,
    /// Worked on when there is time.
    P3,
}

impl Severity {
    /// From the gravest to the least.
    pub const ALL: [Severity; 4] = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];

    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Severity::P0 => "P0",
            Severity::P1 => "P1",
            Severity::P2 => "P2",
            Severity::P3 => "P3",
        }
    }
}

/// Scores from which a finding is of a severity; below all of them it is P3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// From this score on P0, 0-100.
    pub p0: u8,
    /// From this score on P1.
    pub p1: u8,
    /// From this score on P2.
    pub p2: u8,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds { p0: 90, p1: 70, p2: 40 }
    }
}

impl Thresholds {
    /// The severity of a finding with this score.
    pub fn severity(self, score: u8) -> Severity {
        match score {
            score if score >= self.p0 => Severity::P0,
            score if score >= self.p1 => Severity::P1,
            score if score >= self.p2 => Severity::P2,
            _ => Severity::P3,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Severity::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| UnknownWord::new(text, Severity::ALL.map(Severity::name)))
    }
}
