//! The Sigma language (specification 2.1): reading rule files into checked types.
//!
//! `text ─yaml─▶ Node ─document─▶ Rule | Correlation`, with every problem of a file reported at once.
//! What is not understood is refused by name, never skipped.

pub mod condition;
pub mod correlation;
pub mod detection;
pub mod diagnostic;
pub mod document;
pub mod filter;
mod head;
pub mod modifier;
mod pack;
mod pcre;
pub(crate) mod regex;
pub mod rule;
mod shape;
pub mod threshold;
pub mod value;
mod wording;
