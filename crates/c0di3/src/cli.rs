//! The command line as written. Data goes to standard output, everything for people to standard error.

mod archive;
mod db;
mod live;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use archive::{
    AnswerFormat, ArchiveArguments, ArchiveCommand, ContextArguments, EraseArguments, ForgetArguments, HuntArguments,
    SearchArguments,
};
pub(crate) use db::{BackupArguments, DbCommand, DrillArguments, KeyArguments, RestoreArguments, RetentionArguments};
pub(crate) use live::{LiveArguments, TapArguments, TopArguments};

use crate::outcome::{Outcome, tell};
use crate::screen::Color;

/// Version and commit; the commit is what the build was told or could find.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILD_COMMIT"), ")");

#[derive(Debug, Parser)]
#[command(name = "c0di3", version = VERSION, about = "Security log analysis: logs in, findings with evidence out")]
pub(crate) struct Arguments {
    /// Configuration file (TOML); see `c0di3 config show`
    #[arg(long, global = true, env = "C0DI3_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// When output for people is coloured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Show what is longer than the terminal as it comes, without PAGER
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run analyzer and agent in one process: the default, needs no server
    Serve(ServiceArguments),
    /// Run the log analyzer: syslog, HTTP, Kafka and files in, findings out
    Analyzer(ServiceArguments),
    /// Run the core agent: API on port 3000, health on port 3001, summaries, webhooks
    Agent(ServiceArguments),
    /// Read log files and folders (plain, gz, zst, bz2, xz) once, and go on where the last run ended
    Replay(ReplayArguments),
    /// Ask the archive of events in SQL, or judge it by a rule
    Hunt(HuntArguments),
    /// Search the archive: source.ip:203.0.113.7 status>=500 "union select" last 2h
    Search(SearchArguments),
    /// Print the lines around a finding's evidence
    Context(ContextArguments),
    /// Look after the archive of events
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Print every line as a JSON event
    Parse(ParseArguments),
    /// Print which rule matches which line
    Detect(DetectArguments),
    /// List what can be read: formats, programs, shapes of events, with an example of each
    Formats(FormatsArguments),
    /// Check, test and explain rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Make, list and revoke tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look after the store's tables
    #[command(subcommand)]
    Db(DbCommand),
    /// Look at settings, machine and servers, and tell what is wrong and what to do; changes nothing
    Doctor,
    /// Show the senders of a running analyzer: rates, lag, losses; refreshes on a terminal
    Top(TopArguments),
    /// Print samples of what passes a stage of a running analyzer
    Tap(TapArguments),
    /// Do what is due and can be done from here, and print the rest
    Tasks {
        #[arg(value_enum, value_name = "WHEN")]
        when: When,
    },
    /// Print completions for a shell
    Completions {
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    Man {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Check and show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Daily,
    Weekly,
    Monthly,
}

#[derive(Args, Debug)]
pub(crate) struct ServiceArguments {
    /// Address of the API (analyzer: of POST /ingest), such as 127.0.0.1:3000
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Where findings are kept: sqlite:PATH or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, once
    Create {
        /// ingest, viewer, analyst or admin
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Who it is for; named in the history of what is done with it
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How long it is valid, such as 90d; for ever where absent
        #[arg(long, value_name = "SPAN")]
        expires: Option<String>,
    },
    /// List tokens: id, role, name, creation, expiry, state
    List,
    /// Make a token invalid
    Revoke {
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// What rules need beside their own text.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TermArguments {
    /// Folder or file with lists for the placeholders of rules; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) placeholders: Vec<PathBuf>,
    /// File with more names of fields, in the form of schemas/sigma-taxonomy.yaml; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) taxonomy: Vec<PathBuf>,
    /// Folder or file with allow lists: what rules must not report, each with an owner and an end; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) exceptions: Vec<PathBuf>,
    /// Folder or file with indicators: plain lists, or STIX 2.1 bundles; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) indicators: Vec<PathBuf>,
    /// How sure patterns must be: 1 asks for 5 points, 4 for 2
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) paranoia: Option<u8>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct RuleArguments {
    /// Folder or file with Sigma rules, in addition to the built-in ones; may be repeated
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Leave the built-in rules out
    #[arg(long)]
    pub(crate) no_default_rules: bool,
    #[command(flatten)]
    pub(crate) terms: TermArguments,
    /// What all input is, where it cannot be told: product=…,category=…,service=…
    #[arg(long, value_name = "PARTS")]
    pub(crate) logsource: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One JSON object per finding
    Ndjson,
    /// For people: the most urgent first, each kind once, with who, why, proof and what to do
    Report,
    /// A table for people
    Table,
}

/// Kinds of events beside those that are built in.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ShapeArguments {
    /// File with more shapes of events, in the form of schemas/json-shapes.yaml; may be repeated
    #[arg(long = "shapes", value_name = "FILE")]
    pub(crate) shape_files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct FormatsArguments {
    /// table, or json: one object per line, with log source, documentation and example
    #[arg(long, alias = "out", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) output: String,
    #[command(subcommand)]
    pub(crate) command: Option<FormatsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FormatsCommand {
    /// Tell which events are of no known shape: their keys, how often they came, and a shape file to start from
    Unknown(FormatsInputArguments),
    /// Tell which formats, programs and shapes read the lines of files, and how many lines each
    Known(FormatsInputArguments),
}

#[derive(Args, Debug)]
pub(crate) struct FormatsInputArguments {
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Files, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Which events of the input are wanted.
#[derive(Args, Debug)]
pub(crate) struct RangeArguments {
    /// Only events at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) rules: RuleArguments,
    /// Log format: auto, json, syslog, rfc5424, access, audit or rfc3164
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Zone of times that name none, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// Where findings and positions are kept (sqlite:PATH or postgres://…), or none
    #[arg(long, value_name = "URL|none")]
    pub(crate) store: Option<String>,
    /// Folder where the events themselves are kept, for `hunt`, `search` and `context`
    #[arg(long, value_name = "DIR|none", default_value = "none")]
    pub(crate) archive: String,
    /// How findings are printed
    #[arg(long, alias = "output", value_enum, default_value_t = OutputFormat::Ndjson)]
    pub(crate) out: OutputFormat,
    /// Threads that parse and match; as many as there are cores where absent
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) range: RangeArguments,
    /// Tell webhooks of incidents found in old logs as well
    #[arg(long)]
    pub(crate) notify: bool,
    /// Exit with 3 when a line breaks its format; text of no known format and empty lines do not
    #[arg(long)]
    pub(crate) strict: bool,
    /// Files and folders; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ParseArguments {
    /// Log format: auto, json, syslog, rfc5424, access, audit or rfc3164
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Zone of times that name none, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// Year of the first line, where times name none; it goes up at each turn of the year
    #[arg(long, value_name = "YEAR")]
    pub(crate) year: Option<i32>,
    /// Exit with 3 when a line breaks its format; text of no known format and empty lines do not
    #[arg(long)]
    pub(crate) strict: bool,
    /// Files, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DetectArguments {
    #[command(flatten)]
    pub(crate) rules: RuleArguments,
    /// Log format: auto, json, syslog, rfc5424, access, audit or rfc3164
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Files, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Load rules and report every problem with file, line and remedy
    Check(RulesCheckArguments),
    /// Run the cases that rules carry
    Test(RulesTestArguments),
    /// Tell why a rule did or did not match, and what a correlation lacked
    Explain(RulesExplainArguments),
    /// Tell which fields rules read, and which logs have them
    Fields(RulesCheckArguments),
    /// Tell which ATT&CK techniques rules look for, and what is missing
    Coverage(RulesCoverageArguments),
    /// Tell what rules would have said about logs, by rule and day
    Backtest(RulesBacktestArguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct RulesCheckArguments {
    /// How the answer is printed
    #[arg(long, alias = "out", value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) output: ReportFormat,
    #[command(flatten)]
    pub(crate) terms: TermArguments,
    /// Folders or files; the built-in rules where absent
    #[arg(value_name = "DIR")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    Text,
    /// XML that build servers read
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageFormat {
    Text,
    Json,
    /// A layer for the ATT&CK Navigator
    Navigator,
}

#[derive(Args, Debug)]
pub(crate) struct RulesCoverageArguments {
    /// How the answer is printed
    #[arg(long, alias = "out", value_enum, default_value_t = CoverageFormat::Text)]
    pub(crate) output: CoverageFormat,
    #[command(flatten)]
    pub(crate) terms: TermArguments,
    /// Folders or files; the built-in rules where absent
    #[arg(value_name = "DIR")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RulesBacktestArguments {
    /// How the answer is printed
    #[arg(long, alias = "out", value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) output: ReportFormat,
    /// Logs to try the rules on: files or folders; may be repeated
    #[arg(long, required = true, value_name = "PATH")]
    pub(crate) logs: Vec<PathBuf>,
    /// Log format: auto, json, syslog, rfc5424, access, audit or rfc3164
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Zone of times that name none, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// What all input is, where it cannot be told: product=…,category=…,service=…
    #[arg(long, value_name = "PARTS")]
    pub(crate) logsource: Option<String>,
    /// Threads that parse and match; as many as there are cores where absent
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) terms: TermArguments,
    /// Folders or files with rules; the built-in rules where absent
    #[arg(value_name = "DIR")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RulesTestArguments {
    /// Also fail where a rule reports what another is to ignore, unless that one names it under `tests.near`
    #[arg(long)]
    pub(crate) cross: bool,
    /// How the answer is printed
    #[arg(long, alias = "out", value_enum, default_value_t = TestFormat::Text)]
    pub(crate) output: TestFormat,
    #[command(flatten)]
    pub(crate) terms: TermArguments,
    /// Folders or files; the built-in rules where absent
    #[arg(value_name = "DIR")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RulesExplainArguments {
    #[command(flatten)]
    pub(crate) rules: RuleArguments,
    /// Log format: auto, json, syslog, rfc5424, access, audit or rfc3164
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) shapes: ShapeArguments,
    /// Id, name, title or file of the rule
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,
    /// Log lines, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report whether the configuration is sound
    Check,
    /// Print the configuration in force, secrets hidden
    Show,
}

/// Help and version are answers; anything else is a mistake of the caller.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render();
    if error.use_stderr() {
        tell(text.to_string().trim_end());
        ExitCode::from(Outcome::Usage as u8)
    } else {
        let written = std::io::Write::write_all(&mut std::io::stdout(), text.to_string().as_bytes());
        ExitCode::from(if written.is_ok() { Outcome::Done } else { Outcome::Failed } as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::{CommandFactory, Parser};

    /// What a flag is called, takes and says, for each command that has it.
    fn flags(command: &clap::Command, path: &str, all: &mut BTreeMap<String, Vec<(String, String)>>) {
        let path = format!("{path} {}", command.get_name());
        for flag in command.get_arguments().filter(|flag| !flag.is_positional()) {
            let Some(long) = flag.get_long() else { panic!("{path}: {} has no long name", flag.get_id()) };
            let values = flag.get_value_names().map(<[_]>::to_vec).unwrap_or_default();
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty() || long == "help" || long == "version", "{path}: --{long} says nothing");
            all.entry(long.to_owned()).or_default().push((path.clone(), format!("{values:?} {help}")));
        }
        command.get_subcommands().for_each(|command| flags(command, &path, all));
    }

    /// Flags that mean the same, and say more of it where a command does more.
    const SAY_MORE: [&str; 10] =
        ["out", "output", "rules", "store", "archive", "since", "until", "limit", "dry-run", "listen"];

    #[test]
    fn a_flag_of_one_name_is_one_thing_in_every_command() {
        let mut all = BTreeMap::new();
        flags(&super::Arguments::command(), "", &mut all);
        for (flag, uses) in &all {
            let (first, rest) = uses.split_first().unwrap();
            if let Some(other) = rest.iter().find(|other| other.1 != first.1 && !SAY_MORE.contains(&flag.as_str())) {
                panic!("--{flag} is {first:?}, and {other:?}");
            }
        }
        // How an answer is printed is asked for by either name, everywhere.
        for words in ["replay --output table x", "hunt --output csv x", "rules check --out json", "formats --out json"]
        {
            let words = std::iter::once("c0di3").chain(words.split(' '));
            assert!(super::Arguments::try_parse_from(words.clone()).is_ok(), "{:?}", words.collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
