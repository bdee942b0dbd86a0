//! The commands, one file each.

pub(crate) mod config;
pub(crate) mod detect;
pub(crate) mod input;
pub(crate) mod parse;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod serve;
