//! `c0di3 formats`: what can be read, and what is not understood. One file for each subcommand.

mod unknown;

use crate::cli::FormatsCommand;
use crate::config::Config;
use crate::outcome::Outcome;

pub(crate) fn run(config: &Config, command: &FormatsCommand) -> anyhow::Result<Outcome> {
    match command {
        FormatsCommand::Unknown(arguments) => unknown::run(config, arguments),
    }
}
