//! A pack: patterns of one class of attack, each with a weight, and the threshold that what is found in a value must
//! reach. Read from rule documents elsewhere: nothing here knows YAML.

use std::fmt;

use regex::Regex;

use crate::{Part, View};

/// Patterns of one class.
pub struct Pack {
    /// Its patterns, in the order written.
    pub patterns: Vec<Pattern>,
    /// Points from which on it holds for a value.
    pub threshold: u32,
    /// Hash of everything that decides what the pack finds: equal where nothing has changed.
    digest: u128,
}

impl Pack {
    /// `digest`: hash of everything that decides what the pack finds.
    pub fn new(patterns: Vec<Pattern>, threshold: u32, digest: u128) -> Self {
        Pack { patterns, threshold, digest }
    }
}

/// Prints the digest alone: conditions are compared and hashed by what they print.
impl fmt::Debug for Pack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Pack({:032x})", self.digest)
    }
}
/// One pattern: what nominates it, what decides, and what it is worth.
#[derive(Debug)]
pub struct Pattern {
    /// Name within the pack.
    pub id: String,
    /// What it finds, for people.
    pub what: String,
    /// Points that it gives a value in which it is found, however often.
    pub weight: u32,
    /// Bits of the parts that it looks at.
    pub parts: u8,
    /// Views of those parts that it looks at.
    pub views: Vec<View>,
    /// How a nominated text is decided.
    pub how: How,
    /// Texts of which each match has one.
    pub needs: Vec<String>,
    /// ATT&CK technique, where it is another than the pack's.
    pub technique: Option<String>,
    /// Its own cases, which a test runs.
    pub cases: Vec<PatternCase>,
    /// Line of its file, from 1.
    pub line: usize,
}

/// A case of a pattern: a request target, or a text for patterns that look at texts only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternCase {
    /// The request target, or the text.
    pub text: String,
    /// Whether the pattern must be found in it.
    pub wanted: bool,
}

/// How a pattern decides a text that has one of its needs.
#[derive(Debug)]
pub enum How {
    /// One of the needs is enough.
    Any,
    /// The expression matches.
    Regex(Regex),
    /// The text continues an SQL statement: see [`crate::sql`].
    Sql,
    /// The text runs a script in a page: see [`crate::markup`].
    Markup,
}

impl Pattern {
    /// Whether it looks at this view of this part.
    pub fn looks_at(&self, part: Part, view: View) -> bool {
        self.parts & part.bit() != 0 && self.views.contains(&view)
    }

    /// Where the view of a part matches, and with what.
    pub fn find<'t>(&self, text: &'t str, part: Part) -> Option<&'t str> {
        match &self.how {
            How::Any => {
                let find = |need: &String| text.find(need.as_str()).and_then(|at| text.get(at..at + need.len()));
                self.needs.iter().find_map(find)
            }
            How::Regex(regex) => regex.find(text).map(|found| found.as_str()),
            How::Sql if matches!(part, Part::Path) => crate::sql::injection_in_path(text).map(|_| text),
            How::Sql => crate::sql::injection(text).map(|_| text),
            How::Markup => crate::markup::injection(text).map(|_| text),
        }
    }
}
