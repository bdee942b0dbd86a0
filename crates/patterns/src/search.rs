//! Literal search: which of many texts stand in a text, and where.

mod case_forms;
pub mod literals;
pub mod seen;
pub mod shape;
mod short_literals;
pub mod words;

pub use case_forms::forms;
