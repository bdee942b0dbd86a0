//! `c0di3 formats known`: which formats, programs and shapes read the lines of files, and how many lines each. Prints no line.

use std::io::Write;

use parse::Parser;

use crate::cli::FormatsInputArguments;
use crate::command::input;
use crate::config::Config;
use crate::outcome::Outcome;

pub(crate) fn run(config: &Config, arguments: &FormatsInputArguments) -> anyhow::Result<Outcome> {
    let options = input::parse_options(config, None, None, None, &arguments.shapes)?;
    let mut parser = Parser::new(options);
    parser.count_readers();
    input::each_block(&arguments.files, |block| {
        parser.parse(block);
        Ok(())
    })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<8} {:>12} name", "kind", "lines")?;
    for ((kind, name), lines) in parser.take_readers() {
        writeln!(out, "{kind:<8} {lines:>12} {name}")?;
    }
    Ok(Outcome::Done)
}
