//! Literal search: which of many texts stand in a text, and where.

mod case_forms;
pub mod literals;
pub(crate) mod part_needs;
mod place_bits;
pub mod seen;
pub mod shape;
mod short_literals;

pub use case_forms::forms;
