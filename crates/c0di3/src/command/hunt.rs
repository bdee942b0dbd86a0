//! `c0di3 hunt`, `search` and `context`: questions to the archive. They read what commits have named, beside whoever writes.

mod open_archive;
mod retro;

use std::io::Write;

use archive::{Answer, Search};
use event::{FindingId, Timestamp};

use self::open_archive::OpenArchive;
use crate::cli::{AnswerFormat, ContextArguments, HuntArguments, SearchArguments};
use crate::clock;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};

/// Evidence lies at most this far, in event time, from the lines around it, in microseconds.
const AROUND_US: i64 = 86_400 * event::time::SECOND_US;

/// Answers SQL, or judges what lies in the archive by rules.
pub(crate) fn hunt(config: &Config, arguments: &HuntArguments) -> anyhow::Result<Outcome> {
    let opened = OpenArchive::of(config, &arguments.archive)?;
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
    let opened = OpenArchive::of(config, &arguments.archive)?;
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
    let opened = OpenArchive::of(config, &arguments.archive)?;
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
