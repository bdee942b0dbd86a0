//! `c0di3 formats`: what can be read, and what is not understood. One file for each subcommand.

mod known;
mod unknown;

use std::io::Write;

use crate::cli::{FormatsArguments, FormatsCommand};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::screen::{Paint, Screen};

pub(crate) fn run(config: &Config, arguments: &FormatsArguments) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Some(FormatsCommand::Unknown(arguments)) => unknown::run(config, arguments),
        Some(FormatsCommand::Known(arguments)) => known::run(config, arguments),
        None => list(arguments.output == "json"),
    }
}

/// Everything that can be read, from the tables that the parsers use.
fn list(as_json: bool) -> anyhow::Result<Outcome> {
    let mut out = if as_json { Screen::plain() } else { Screen::open() };
    if !as_json {
        let head = format!("{:<8} {:<40} {:<28} described at", "kind", "name", "dataset");
        let head = out.paint(Paint::Head, &out.fit(head, 0));
        writeln!(out, "{head}")?;
    }
    for known in parse::readable() {
        if as_json {
            let line = serde_json::json!({
                "kind": known.kind,
                "name": known.name,
                "dataset": known.dataset,
                "logsource": known.log_source,
                "documentation": known.documentation,
                "example": known.example,
            });
            writeln!(out, "{line}")?;
        } else {
            let row = format!("{:<8} {:<40} {:<28} {}", known.kind, known.name, known.dataset, known.documentation);
            let row = out.fit(row, 0);
            writeln!(out, "{row}")?;
        }
    }
    Ok(Outcome::Done)
}
