//! Events to findings: Sigma rules are read, compiled once, matched against batches and correlated over time.
//!
//! ```text
//! rule files ─read─▶ Rule ─compile─▶ RuleSet ─▶ Matcher (&self, shared): EventBatch ─▶ Hit
//!                                            └▶ Correlator (&mut self, one owner): Hit ─▶ Finding
//! ```
//! **Absent on purpose:** no I/O (callers hand over file texts), no clock, no async, no storage.

mod check;
pub mod correlate;
mod date;
mod exceptions;
pub mod explain;
mod fields;
mod fold;
mod indicators;
mod inline_test;
pub mod matcher;
mod origin;
mod pattern;
pub mod patterns;
mod response;
mod ruleset;
mod score;
pub mod sigma;
mod taxonomy;
mod view;
pub mod yaml;

pub use correlate::{
    ASSET_WEIGHT_MAX, Adopted, Assets, CorrelationExplanation, Correlator, CorrelatorOptions, GroupView, SavedState,
    explain_correlation,
};
pub use exceptions::{Exception, Exceptions, read_exceptions};
pub use fields::FieldUse;
pub use indicators::{Bundle, INDICATORS_MAX, Indicators, IndicatorsBuilder};
pub use inline_test::{Case, run_cross_tests, run_inline_tests};
pub use matcher::{MatchScratch, Matcher};
pub use ruleset::{Loaded, RuleSet, load};
pub use sigma::diagnostic::{Diagnostic, Gravity};
pub use sigma::rule::{Correlation, Rule};
pub use sigma::value::{Placeholders, read_placeholders};
pub use taxonomy::{Taxonomy, Terms};
