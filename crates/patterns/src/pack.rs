//! A pack: patterns of one class of attack, each with a weight, and the threshold that what is found in a value must
//! reach. Read from rule documents elsewhere: nothing here knows YAML.

use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::expression::Expression;
use crate::grammar::{Grammar, Reading};
use crate::{Part, View};

/// Patterns of one class, or the sum of what other packs find.
pub struct Pack {
    /// Its patterns, in the order written.
    pub patterns: Vec<Pattern>,
    /// Points from which on it holds for a value.
    pub threshold: u32,
    /// The packs whose points it adds up: it holds where their sum reaches the threshold and none of them holds alone.
    pub members: Vec<Arc<Pack>>,
    /// What weighs unsure readings.
    pub context: Arc<Context>,
    /// Hash of everything that decides what the pack finds: equal where nothing has changed.
    digest: u128,
}

impl Pack {
    /// `digest`: hash of everything that decides what the pack finds.
    pub fn new(patterns: Vec<Pattern>, threshold: u32, context: Arc<Context>, digest: u128) -> Self {
        Pack { patterns, threshold, members: Vec::new(), context, digest }
    }

    /// The pack that adds up what others find. `digest`: hash of everything but them.
    pub fn sum(members: Vec<Arc<Pack>>, threshold: u32, digest: u128) -> Self {
        let context = members.first().map(|member| Arc::clone(&member.context)).unwrap_or_default();
        let digest = members.iter().fold(digest, |all, member| all.rotate_left(1) ^ member.digest);
        Pack { patterns: Vec::new(), threshold, members, context, digest }
    }

    /// Hash of everything that decides what the pack finds.
    pub fn digest(&self) -> u128 {
        self.digest
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
    /// Longest text that it can be found in, in bytes: an expression from start to end may allow no more.
    pub bytes_max: usize,
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
    Regex(Expression),
    /// The text acts in a language: see [`crate::languages`].
    Grammar(Arc<dyn Grammar>),
}

impl How {
    /// Who reads, for people: `sql` for a language, `expression`, or `text`.
    pub fn reader(&self) -> &'static str {
        match self {
            How::Any => "text",
            How::Regex(_) => "expression",
            How::Grammar(grammar) => grammar.name(),
        }
    }
}

impl Pattern {
    /// Whether it looks at this view of this part.
    pub fn looks_at(&self, part: Part, view: View) -> bool {
        self.parts & part.bit() != 0 && self.views.contains(&view)
    }

    /// What stands in the view of a part, and the points that it gives; at most the pattern's weight.
    pub fn find(&self, text: &str, part: Part) -> Option<Reading> {
        let shown = |found: &str| Reading::of(self.weight, found.to_owned());
        match &self.how {
            How::Any => self.needs.iter().find(|need| text.contains(need.as_str())).map(|need| shown(need)),
            How::Regex(regex) => regex.find(text).map(|found| shown(found.as_str())),
            How::Grammar(grammar) => {
                grammar.read(text, part).map(|read| Reading { points: read.points.min(self.weight), ..read })
            }
        }
    }

    /// The points of [`Pattern::find`] alone. `has_need`: one of the needs is known to stand in the text.
    pub fn points(&self, text: &str, part: Part, has_need: bool) -> Option<u32> {
        match &self.how {
            How::Any if has_need => Some(self.weight),
            How::Any => self.needs.iter().any(|need| text.contains(need.as_str())).then_some(self.weight),
            How::Regex(regex) => regex.is_match(text).then_some(self.weight),
            How::Grammar(_) => self.find(text, part).map(|read| read.points),
        }
    }
}
