//! The Sigma language (specification 2.1): reading rule files into checked types.
//!
//! `text ─yaml─▶ Node ─document─▶ Rule | Correlation`, with every problem of a file reported at once.
//! What is not understood is refused by name, never skipped.

pub(crate) mod condition;
pub(crate) mod correlation;
pub(crate) mod detection;
pub(crate) mod diagnostic;
pub(crate) mod document;
pub(crate) mod filter;
mod head;
pub(crate) mod modifier;
mod old_form;
mod pack;
mod pcre;
pub(crate) mod regex;
pub mod rule;
mod shape;
pub mod threshold;
pub(crate) mod value;
mod wording;
pub(crate) mod words;
