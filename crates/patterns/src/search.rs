//! Literal search: which of many texts stand in a text, and where.

mod case_forms;
pub mod literals;
pub(crate) mod part_needs;
pub mod seen;
pub mod shape;
mod short_literals;

pub use case_forms::forms;
