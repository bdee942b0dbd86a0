//! Arguments of the commands that ask the archive of events.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Where an archive lies that is changed.
#[derive(Args, Clone, Debug)]
pub(crate) struct ArchivePlaceArguments {
    /// Folder of the archive, or s3://BUCKET/PREFIX; the configured one where absent
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<String>,
    /// The store that knows its files (sqlite:PATH or postgres://…)
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

/// Where the archive lies, and what an answer may take.
#[derive(Args, Clone, Debug)]
pub(crate) struct ArchiveArguments {
    /// Folder of the archive, or s3://BUCKET/PREFIX; the configured one where absent
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<String>,
    /// The store that knows its files (sqlite:PATH or postgres://…)
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// How the answer is printed
    #[arg(long, alias = "output", value_enum, default_value_t = AnswerFormat::Table)]
    pub(crate) out: AnswerFormat,
    /// Most rows of an answer
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: usize,
    /// Most memory of sorts, joins and groups, in MiB
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub(crate) memory_mb: usize,
    /// Longest time for an answer
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub(crate) timeout: String,
}

/// How answers of the archive are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// Columns for people; of a search the raw lines
    Table,
    /// One JSON object a row
    Ndjson,
    /// As RFC 4180 has it
    Csv,
}

#[derive(Args, Debug)]
pub(crate) struct HuntArguments {
    /// Such as: SELECT source.ip, count(*) FROM events GROUP BY source.ip ORDER BY 2 DESC LIMIT 10
    #[arg(value_name = "SQL")]
    pub(crate) question: Option<String>,
    /// A rule, pack or correlation to judge the archive by, with the rules that it needs; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) rule: Vec<PathBuf>,
    /// In place of the findings of --rule: hits by day, top entities, and the open incidents that they would join
    #[arg(long, requires = "rule")]
    pub(crate) report: bool,
    /// The id of a saved hunt (archive.hunts): its question is asked
    #[arg(long, value_name = "ID")]
    pub(crate) saved: Option<String>,
    /// Only files with events since then: 30d, or a time
    #[arg(long, value_name = "SPAN|TIME")]
    pub(crate) since: Option<String>,
    #[command(flatten)]
    pub(crate) archive: ArchiveArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ArchiveCommand {
    /// Erase the events of one subject: files are written anew without them
    Erase(EraseArguments),
    /// Let the store forget files that are lost: where the folder is gone for good, the analyzer starts again
    ForgetMissing(ForgetArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ForgetArguments {
    /// Why; stands in the audit log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Tell which files are missing and how many events they held, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) at: ArchivePlaceArguments,
}

#[derive(Args, Debug)]
pub(crate) struct EraseArguments {
    /// Such as user.name
    #[arg(long, value_name = "FIELD")]
    pub(crate) field: String,
    /// Events are erased where the field has exactly this value, or its hash
    #[arg(long, value_name = "VALUE")]
    pub(crate) value: String,
    /// Why; stands in the audit log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Tell how many events would be erased, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) at: ArchivePlaceArguments,
}

#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    /// Terms: field:value, field>=number, field~expression, "text", NOT, OR, brackets, last 2h, since TIME, until TIME
    #[arg(value_name = "TERM", required = true)]
    pub(crate) search: Vec<String>,
    /// In place of the events: the most frequent values of this field; may be repeated
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub(crate) facet: Vec<String>,
    /// Values of each facet
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) facet_values: usize,
    /// In place of the events: how many there are in each span of this length, such as 1h
    #[arg(long, value_name = "SPAN")]
    pub(crate) histogram: Option<String>,
    #[command(flatten)]
    pub(crate) archive: ArchiveArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ContextArguments {
    /// Id of the finding
    #[arg(value_name = "FINDING")]
    pub(crate) finding: String,
    /// Lines before each line of evidence
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) before: u64,
    /// Lines behind it
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) after: u64,
    #[command(flatten)]
    pub(crate) archive: ArchiveArguments,
}
