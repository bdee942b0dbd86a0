//! What the rules say: Sigma documents, packs of patterns, lists and exceptions are read once into a rule set, and one
//! event is judged the plain way, for `explain` and as the oracle of the matcher.
//!
//! ```text
//! rule files ─read─▶ Document ─check─▶ Rule, Correlation ─bind─▶ RuleSet
//! ```
//! **Absent on purpose:** no I/O (callers hand over file texts), no clock, no async; nothing of the engines that run rules.

#![warn(missing_docs)]

pub mod check;
mod date;
pub mod evaluate;
mod exceptions;
pub mod explain;
mod fields;
pub mod fold;
mod indicators;
pub mod origin;
pub mod percent;
mod response;
mod rule_text;
pub mod ruleset;
pub mod sigma;
mod taxonomy;
pub mod text_pattern;
mod vocabularies;

pub use ::yaml;

pub use exceptions::{Exception, Exceptions, read_exceptions};
pub use fields::FieldUse;
pub use indicators::{Bundle, INDICATORS_MAX, IndicatorCheck, Indicators, IndicatorsBuilder};
pub use rule_text::{EmbeddedFile, RuleText};
pub use ruleset::loading::{load, load_alone, load_given};
pub use ruleset::{Loaded, RuleSet};
pub use sigma::diagnostic::{Diagnostic, Gravity};
pub use sigma::filter::Filter;
pub use sigma::rule::{Correlation, Rule};
pub use sigma::value::{Placeholders, read_placeholders};
pub use sigma::words::Words;
pub use taxonomy::{Taxonomy, Terms};
pub use vocabularies::{WordCases, WordList, word_lists};
