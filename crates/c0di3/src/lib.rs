//! The program: command line, configuration, and the one place where all parts meet.
//!
//! [`main`] reads arguments, runs a command, and turns its outcome into an exit code. `pipeline` is the whole path
//! from blocks to hits on one page, `committer` makes findings of them and commits.

#![warn(missing_docs)]

mod archiver;
mod asked_archive;
mod backtests;
mod catch_up;
mod certificates;
mod checks;
mod cli;
mod clock;
mod command;
mod committer;
mod config;
mod engine;
mod facets;
mod heap;
mod hunt_folder;
mod hunt_functions;
mod hunting;
mod hunts;
mod indicators;
mod keeping;
mod limits;
mod log_files;
mod outcome;
mod pipeline;
mod ports;
mod positions;
mod recognise;
mod retro;
mod rule_files;
mod rule_report;
mod rulebook;
mod saved_hunts;
mod screen;
mod senders;
mod signals;
mod source;
mod tap;
mod tasks;
mod telemetry;
mod tls;
mod traces;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{ArchiveCommand, Arguments, Command, ConfigCommand, RulesCommand};
use crate::command::service::{self, Parts};
use crate::outcome::Outcome;

/// The allocator that every binary of the program installs as its global one: it can sample what it gives, so that a heap
/// profile can tell what holds memory. Built as `.cargo/config.toml` says.
pub use tikv_jemallocator::Jemalloc;

/// Runs the program with the process's arguments and environment, and returns its exit code: 0 done, 1 failed, 2 a wrong
/// command line or configuration, 3 done but input was rejected under `--strict`. Errors are told on standard error.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return cli::refuse(&error),
    };
    let outcome = run(arguments).unwrap_or_else(|error| outcome::explain(&error));
    ExitCode::from(outcome as u8)
}

fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    screen::want(arguments.color, arguments.no_pager);
    match &arguments.command {
        Command::Doctor => return command::doctor::run(arguments.config.as_deref()),
        Command::Completions { shell } => return command::manual::completions(*shell),
        Command::Man { folder } => return command::manual::pages(folder),
        _ => {}
    }
    let path = arguments.config.as_deref();
    let config = match &arguments.command {
        Command::Token(_) | Command::Db(_) | Command::Tasks { .. } | Command::Archive(_) | Command::Config(_) => {
            config::load_for_people(path, true)
        }
        Command::Hunt(_) | Command::Search(_) | Command::Context(_) | Command::Top(_) | Command::Tap(_) => {
            config::load_for_people(path, false)
        }
        _ => config::load(path),
    }?;
    match arguments.command {
        Command::Serve(serve) => service::run(config, &serve, Parts::Both),
        Command::Analyzer(analyzer) => service::run(config, &analyzer, Parts::Analyzer),
        Command::Agent(agent) => service::run(config, &agent, Parts::Agent),
        Command::Token(token) => command::token::run(&config, &token),
        Command::Top(top) => command::live::top(&config, &top),
        Command::Tap(tap) => command::live::tap(&config, &tap),
        Command::Tasks { when } => command::tasks::run(&config, when),
        Command::Doctor | Command::Completions { .. } | Command::Man { .. } => Ok(Outcome::Done),
        Command::Db(db) => command::db::run(&config, &db),
        Command::Replay(replay) => command::replay::run(config, replay),
        Command::Hunt(hunt) => command::hunt::hunt(&config, &hunt),
        Command::Search(search) => command::hunt::search(&config, &search),
        Command::Context(context) => command::hunt::context(&config, &context),
        Command::Archive(ArchiveCommand::Erase(erase)) => command::erase::run(&config, &erase),
        Command::Archive(ArchiveCommand::ForgetMissing(forget)) => command::forget::run(&config, &forget),
        Command::Parse(parse) => command::parse::run(&config, &parse),
        Command::Formats(formats) => command::formats::run(&config, &formats),
        Command::Detect(detect) => command::detect::run(&config, &detect),
        Command::Rules(RulesCommand::Check(check)) => command::rules::check(&config, &check),
        Command::Rules(RulesCommand::Test(test)) => command::rules::test(&config, &test),
        Command::Rules(RulesCommand::Explain(explain)) => command::rules::explain(&config, &explain),
        Command::Rules(RulesCommand::Fields(fields)) => command::rules::fields::run(&config, &fields),
        Command::Rules(RulesCommand::Coverage(coverage)) => command::rules::coverage::run(&config, &coverage),
        Command::Rules(RulesCommand::Backtest(backtest)) => command::rules::backtest::run(&config, &backtest),
        Command::Config(ConfigCommand::Check) => command::config::check(&config),
        Command::Config(ConfigCommand::Show) => command::config::show(&config),
    }
}
