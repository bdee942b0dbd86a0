//! What a grammar is: it reads a text as one language would, and says how sure it is that the text acts in it. The
//! languages stand in files of their own.

use std::borrow::Cow;
use std::fmt;

use crate::Part;

/// What a grammar has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How sure it is, from 1 (such a text may be an accident) to 5 (nothing else is meant).
    pub points: u32,
    /// What it has read, for people: "the command `wget` behind a separator".
    pub what: Cow<'static, str>,
}

impl Reading {
    /// A reading in fixed words.
    pub fn new(points: u32, what: &'static str) -> Self {
        Reading { points, what: Cow::Borrowed(what) }
    }

    /// A reading that names what stood there.
    pub fn of(points: u32, what: String) -> Self {
        Reading { points, what: Cow::Owned(what) }
    }

    /// The surer one of two; the first where they are as sure.
    pub fn surer(one: Option<Reading>, other: Option<Reading>) -> Option<Reading> {
        match (&one, &other) {
            (Some(first), Some(second)) if second.points > first.points => other,
            (Some(_), _) => one,
            (None, _) => other,
        }
    }
}

/// Reads texts in lower case whose encodings are undone. Work is bounded: a long text costs no more than a few passes.
pub trait Grammar: fmt::Debug + Send + Sync {
    /// The name of the language, as pattern files use it.
    fn name(&self) -> &'static str;

    /// Texts of which everything that it reads has one: a text without any of them is not given to it. Short words and
    /// lone characters that every other request has make all requests slow.
    fn needs(&self) -> Vec<String>;

    /// The surest thing that it reads in a part of a request.
    fn read(&self, text: &str, part: Part) -> Option<Reading>;
}
