//! `c0di3 formats unknown`: the sets of keys of events of no known shape, how often they came, and a shape file to start from.
//! Prints no values of events.

use std::collections::BTreeMap;
use std::io::Write;

use event::json::quote;
use parse::{Parser, UnknownShape};

use crate::cli::FormatsInputArguments;
use crate::command::input;
use crate::config::Config;
use crate::outcome::{Outcome, tell};

/// Sets of keys that are told.
const SETS_TOLD_MAX: usize = 20;
/// Keys that a shape to start from is known by.
const SIGNATURE_KEYS: usize = 4;

pub(crate) fn run(config: &Config, arguments: &FormatsInputArguments) -> anyhow::Result<Outcome> {
    let options = input::parse_options(config, None, None, None, &arguments.shapes)?;
    let mut parser = Parser::new(options);
    let mut rows = 0;
    input::each_block(&arguments.files, |block| {
        rows += parser.parse(block).rows();
        Ok(())
    })?;
    let unknown = parser.take_unknown();
    let sets = unknown.sets();
    let mut out = std::io::stdout().lock();
    for (at, set) in sets.iter().take(SETS_TOLD_MAX).enumerate() {
        write!(out, "{}", draft(at + 1, set))?;
    }
    let told: u64 = sets.iter().take(SETS_TOLD_MAX).map(|set| set.events).sum();
    let rest = unknown.events() - told;
    let more = if rest > 0 { format!("; {rest} of them have other keys than those told") } else { String::new() };
    tell(&format!("{} of {rows} line(s) are events of no known shape{more}", unknown.events()));
    Ok(Outcome::Done)
}

/// A set of keys as the beginning of a shape.
fn draft(number: usize, set: &UnknownShape) -> String {
    let quoted: Vec<String> = set.keys.iter().map(|key| quote(key)).collect();
    let signature = quoted.iter().take(SIGNATURE_KEYS).cloned().collect::<Vec<_>>().join(", ");
    let mut text = format!("# {} event(s)\n- shape: unknown_{number}\n", set.events);
    text += "  documentation: where it is described\n";
    text += &format!("  where: [{signature}]\n  dataset: unknown.{number}\n");
    text += "  # logsource: {product: …, category: …, service: …}\n  fields:\n";
    let mut fields: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, name) in quoted.iter().zip(&set.keys) {
        match parse::Shapes::standard().guesses(name).into_iter().next() {
            Some(field) => fields.entry(field).or_default().push(key),
            None => text += &format!("    # FIELD: {key}\n"),
        }
    }
    for (field, keys) in fields {
        text += &format!("    {}: [{}]\n", quote(&field), keys.join(", "));
    }
    text + "\n"
}
