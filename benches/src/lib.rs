//! Corpora for measuring, made from a seed: the same seed gives the same bytes on every machine.
//! **Absent on purpose:** other projects' logs. Every line is put together here.

pub mod corpus;
pub mod measure;
pub mod peer;
pub mod web;
pub mod windows;
