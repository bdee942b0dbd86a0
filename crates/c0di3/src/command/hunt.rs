//! `c0di3 hunt`, `search` and `context`: questions to the archive. They read what commits have named, beside whoever writes.

mod retro;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use archive::{Answer, Hunt, HuntError, HuntLimits, Search};
use event::{ArchiveFile, FindingId, Timestamp};
use store::{FileQuery, Store, Use};
use tokio::runtime::Runtime;

use crate::cli::{AnswerFormat, ArchiveArguments, ContextArguments, HuntArguments, SearchArguments};
use crate::clock;
use crate::config::{self, Config};
use crate::outcome::{Outcome, Usage, tell};

/// Evidence lies at most this far, in event time, from the lines around it, in microseconds.
const AROUND_US: i64 = 86_400 * event::time::SECOND_US;

/// An archive that is open for questions.
struct Opened {
    root: PathBuf,
    store: Arc<dyn Store>,
    runtime: Runtime,
    limits: HuntLimits,
}

impl Opened {
    fn of(config: &Config, arguments: &ArchiveArguments) -> anyhow::Result<Opened> {
        let root = arguments.archive.clone().or_else(|| config.store.archive.folder.clone());
        let reason = "no archive is configured: name its folder with --archive DIR";
        let root = root.ok_or_else(|| Usage(reason.to_owned()))?;
        if !root.is_dir() {
            let reason = format!(
                "there is no archive in {}: `c0di3 serve` keeps one, and `c0di3 replay --archive DIR`",
                root.display()
            );
            return Err(Usage(reason).into());
        }
        let url = arguments.store.clone().unwrap_or_else(|| config.store.url.clone());
        config::check_store_url(&url).map_err(|reason| Usage(format!("--store: {reason}")))?;
        super::install_tls();
        let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
        let store = runtime.block_on(store::open(&url, Use::Ask))?;
        let span = event::time::parse_span_us(&arguments.timeout).filter(|span| *span > 0);
        let span =
            span.ok_or_else(|| Usage(format!("--timeout: `{}` is no time span such as 60s", arguments.timeout)))?;
        let limits = HuntLimits {
            rows: arguments.limit,
            memory_bytes: arguments.memory_mb << 20,
            time: Duration::from_micros(span as u64),
            ..HuntLimits::default()
        };
        Ok(Opened { root, store, runtime, limits })
    }

    fn files(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> anyhow::Result<Vec<ArchiveFile>> {
        let query = FileQuery { dataset: None, since, until };
        self.runtime.block_on(self.store.archive_files(&query)).context("cannot read the catalogue of the archive")
    }

    fn ask(&self, files: &[ArchiveFile], question: &str) -> anyhow::Result<Answer> {
        let hunt = Hunt::new(&self.root, files, self.limits);
        let answer = hunt.and_then(|hunt| self.runtime.block_on(hunt.ask(question)));
        answer.map_err(|error| match error {
            HuntError::Refused(_) | HuntError::Failed(_) => Usage(error.to_string()).into(),
            HuntError::TooLong(_) => error.into(),
        })
    }

    fn print(&self, answer: &Answer, format: AnswerFormat) -> anyhow::Result<Outcome> {
        let mut out = std::io::stdout().lock();
        match format {
            AnswerFormat::Ndjson => answer.write_ndjson(&mut out)?,
            AnswerFormat::Csv => answer.write_csv(&mut out)?,
            AnswerFormat::Table => answer.write_table(&mut out)?,
        }
        out.flush()?;
        if answer.is_cut {
            tell(&format!("note: only the first {} rows are shown: --limit shows more", self.limits.rows));
        }
        Ok(Outcome::Done)
    }
}

/// Answers SQL, or judges what lies in the archive by rules.
pub(crate) fn hunt(config: &Config, arguments: &HuntArguments) -> anyhow::Result<Outcome> {
    let opened = Opened::of(config, &arguments.archive)?;
    let since = arguments.since.as_deref().map(since).transpose()?;
    match (&arguments.question, arguments.rule.as_slice()) {
        (Some(question), []) => {
            let answer = opened.ask(&opened.files(since, None)?, question)?;
            opened.print(&answer, arguments.archive.out)
        }
        (None, rules @ [_, ..]) => retro::run(config, &opened, rules, since),
        _ => Err(Usage("hunt takes a question in SQL, or --rule FILE".to_owned()).into()),
    }
}

/// A moment, or a time span back from now.
fn since(text: &str) -> Result<Timestamp, Usage> {
    let span = event::time::parse_span_us(text).map(|span| clock::now().saturating_sub_us(span));
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    span.or_else(|| Timestamp::parse_rfc3339(whole.as_bytes()))
        .ok_or_else(|| Usage(format!("--since: `{text}` is neither a time span such as 30d nor a time")))
}

/// Answers a search as people type it: the newest events first.
pub(crate) fn search(config: &Config, arguments: &SearchArguments) -> anyhow::Result<Outcome> {
    let search = Search::read(&arguments.search.join(" "), clock::now()).map_err(|error| Usage(error.to_string()))?;
    let opened = Opened::of(config, &arguments.archive)?;
    let files = opened.files(search.since, search.until)?;
    let answer = opened.ask(&files, &search.question(opened.limits.rows.saturating_add(1)))?;
    if arguments.archive.out == AnswerFormat::Table {
        return lines(&answer, opened.limits.rows);
    }
    opened.print(&answer, arguments.archive.out)
}

/// The raw lines of an answer, each with its time and source.
fn lines(answer: &Answer, limit: usize) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let mut printed = 0;
    for line in answer.raw_lines().take(limit) {
        writeln!(out, "{line}")?;
        printed += 1;
    }
    tell(&format!("{printed} event(s)"));
    Ok(Outcome::Done)
}

/// The lines around the evidence of a finding, from the same source.
pub(crate) fn context(config: &Config, arguments: &ContextArguments) -> anyhow::Result<Outcome> {
    let opened = Opened::of(config, &arguments.archive)?;
    let id: FindingId = arguments.finding.parse().map_err(|_| {
        Usage(format!("`{}` is no id of a finding: 32 hexadecimal digits, as lists print them", arguments.finding))
    })?;
    let stored = opened.runtime.block_on(opened.store.get(id))?;
    let stored = stored.ok_or_else(|| Usage(format!("there is no finding {id} in this store")))?;
    let span = &stored.finding.span;
    let near = |time: Option<Timestamp>, by: i64| time.map(|time| time.saturating_add_us(by));
    let files = opened.files(near(span.first_seen, -AROUND_US), near(span.last_seen, AROUND_US))?;
    let mut out = std::io::stdout().lock();
    for passage in archive::passages(&stored.finding.evidence, arguments.before, arguments.after) {
        let answer = opened.ask(&files, &passage.question())?;
        writeln!(out, "{}", printable(&passage.source))?;
        let found: Vec<(u64, String)> = answer.lines_by_number().collect();
        for (number, line) in &found {
            let mark = if passage.evidence.contains(number) { '>' } else { ' ' };
            writeln!(out, "{mark} {number:>8}  {}", printable(line))?;
        }
        if let Some(missing) = passage.missing(found.iter().map(|(number, _)| *number)) {
            writeln!(out, "  {missing}")?;
        }
    }
    Ok(Outcome::Done)
}

fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
