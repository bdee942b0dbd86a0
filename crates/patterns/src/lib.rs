//! Attack payloads by pattern: packs of literals, expressions and grammars, matched on normalised views of a field,
//! each with a weight. Text in, matches out: usable alone.
//!
//! ```text
//! Pack ─ one engine for all packs on a column ─▶ value: which packs hold, and why
//! ```
//! **Absent on purpose:** no event, no rule, no YAML, no I/O. No text is changed; the raw one is always among the views.

#![warn(missing_docs)]

mod base64;
mod batch;
mod check;
mod code;
mod command;
mod command_class;
mod context;
mod decode;
mod engine;
mod engine_parts;
mod engine_shape;
mod engine_work;
mod expression;
pub mod grammar;
mod languages;
mod look;
mod markup;
mod markup_script;
mod markup_tags;
mod markup_words;
pub mod normalise;
mod pack;
mod php;
mod php_calls;
mod php_names;
#[cfg(test)]
mod php_tests;
mod pieces;
mod plain_values;
mod powershell;
mod script;
#[cfg(test)]
mod script_tests;
mod script_text;
mod script_words;
pub mod search;
mod shell;
mod shell_arguments;
mod shell_expansions;
mod shell_judge;
mod shell_places;
mod shell_words;
mod sql;
mod sql_call;
mod sql_query;
mod sql_tail;
mod sql_tokens;
mod sql_value;
mod template;
mod vocabulary;

pub use check::{FoundPattern, PackCheck, Standing, Tally};
pub use context::Context;
pub use decode::{Units, percent_decode};
pub use engine::{Engine, NumberedPacks, PatternScratch};
pub use engine_shape::JudgedTexts;
pub use expression::Expression;
pub use languages::{language, languages};
pub use normalise::View;
pub use pack::{How, Pack, Pattern, PatternCase};
pub use search::part_needs::up_to_separator;
pub use vocabulary::{Vocabulary, WordSet};

/// Most points that one pack gives to an event.
pub const POINTS_MAX: u32 = 20;
/// Points that a pack asks for where it names no threshold.
pub const THRESHOLD: u32 = 5;
/// Highest paranoia level.
pub const PARANOIA_MAX: u8 = 4;

/// What kind of text a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A request target: path, and query behind a question mark.
    Target,
    /// The path of a request target.
    Path,
    /// The query of a request target, without its question mark.
    Query,
    /// An address of another page: its query is read as one, the whole as text.
    Address,
    /// A text without parts: user agent, user name, command line.
    Text,
}

impl Input {
    /// Bits of the parts that such a text has.
    fn parts(self) -> u8 {
        match self {
            Input::Target => Part::Target.bit() | Part::Path.bit() | Part::Query.bit() | Part::Value.bit(),
            Input::Path => Part::Path.bit(),
            Input::Query => Part::Query.bit() | Part::Value.bit(),
            Input::Address => Part::Text.bit() | Part::Query.bit() | Part::Value.bit(),
            Input::Text => Part::Text.bit(),
        }
    }
}

/// Which part of a text a pattern looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The path of a request target.
    Path,
    /// The whole query.
    Query,
    /// The value of one parameter.
    Value,
    /// A text without parts: user agent, user name, command line.
    Text,
    /// Path and query together.
    Target,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 5] = [Part::Path, Part::Query, Part::Value, Part::Text, Part::Target];

    /// What rule files and findings call the part.
    pub fn name(self) -> &'static str {
        match self {
            Part::Path => "path",
            Part::Query => "query",
            Part::Value => "value",
            Part::Text => "text",
            Part::Target => "target",
        }
    }

    /// The bit of this part in [`Pattern::parts`].
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A field of a pack: what it is called there, and the Sigma names with the kind of text they hold.
pub const FIELDS: [(&str, &[(&str, Input)]); 8] = [
    ("target", &[("cs-uri", Input::Target), ("cs-uri-stem", Input::Path), ("cs-uri-query", Input::Query)]),
    ("referer", &[("cs-referer", Input::Address)]),
    ("agent", &[("cs-user-agent", Input::Text)]),
    ("user", &[("cs-username", Input::Text), ("user.name", Input::Text)]),
    ("method", &[("cs-method", Input::Text)]),
    ("command", &[("CommandLine", Input::Text), ("process.command_line", Input::Text)]),
    ("message", &[("message", Input::Text)]),
    ("line", &[("event.original", Input::Text)]),
];
