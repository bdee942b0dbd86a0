//! `c0di3 hunt`, `search` and `context`: questions to the archive. They read what commits have named, beside whoever writes.

mod common;
mod open_archive;
mod rule;

use std::io::Write;

use archive::{Answer, FoundLine, HISTOGRAM_BARS_MAX, Search};
use event::{FindingId, Timestamp};

use self::open_archive::OpenArchive;
use crate::asked_archive::AROUND_US;
use crate::cli::{AnswerFormat, ContextArguments, HuntArguments, SearchArguments};
use crate::clock;
use crate::command::replay::printable::printable;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::saved_hunts::SavedHunts;
use crate::screen::{Paint, Screen};

/// Answers SQL, or judges what lies in the archive by rules.
pub(crate) fn hunt(config: &Config, arguments: &HuntArguments) -> anyhow::Result<Outcome> {
    let opened = OpenArchive::of(config, &arguments.archive)?;
    let since = arguments.since.as_deref().map(since).transpose()?;
    let saved = arguments.saved.as_deref().map(|id| saved(config, id, opened.limits.rows)).transpose()?;
    let question = match (&arguments.question, &saved) {
        (Some(_), Some(_)) => None,
        (asked, saved) => asked.as_ref().or(saved.as_ref()),
    };
    match (question, arguments.rule.as_slice()) {
        (Some(question), []) => {
            let answer = opened.ask(&opened.files(since, None)?, question)?;
            opened.print(&answer, arguments.archive.out)
        }
        (None, [_, ..]) => rule::run(config, &opened, arguments, since),
        _ => Err(Usage("hunt takes a question in SQL, --rule FILE, or --saved ID".to_owned()).into()),
    }
}

/// The question of a saved hunt.
fn saved(config: &Config, id: &str, rows: usize) -> anyhow::Result<String> {
    let saved = SavedHunts::read(&config.store.archive.hunts);
    saved.problems.iter().for_each(|problem| tell(problem));
    let Some(hunt) = saved.named(id) else {
        let known: Vec<&str> = saved.hunts.iter().map(|hunt| hunt.id.as_str()).collect();
        return Err(Usage(format!("--saved: there is no hunt `{id}`; known are: {}", known.join(", "))).into());
    };
    Ok(hunt.asked.sql(rows.saturating_add(1), clock::now()).map_err(Usage)?)
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
    let mut opened = OpenArchive::of(config, &arguments.archive)?;
    if !arguments.facet.is_empty() || arguments.histogram.is_some() {
        opened.limits.rows = HISTOGRAM_BARS_MAX + 1;
        return common::run(&opened, &search, arguments);
    }
    let answer = newest(&opened, search)?;
    if arguments.archive.out == AnswerFormat::Table {
        return lines(&answer, opened.limits.rows);
    }
    opened.print(&answer, arguments.archive.out)
}

/// The newest events. Their times are asked for first: then only files with events so new are read whole.
fn newest(opened: &OpenArchive, search: Search) -> anyhow::Result<Answer> {
    let mut files = opened.files(search.since, search.until)?;
    let wanted = opened.limits.rows.saturating_add(1);
    let search = match opened.ask(&files, &search.times_question(wanted))?.earliest() {
        Some(earliest) => {
            files.retain(|file| file.times.1 >= earliest);
            search.not_before(earliest)
        }
        None => search,
    };
    opened.ask(&files, &search.question(wanted))
}

/// The raw lines of an answer, each with its time and source.
fn lines(answer: &Answer, limit: usize) -> anyhow::Result<Outcome> {
    let mut out = Screen::open();
    let mut printed = 0;
    for line in answer.raw_lines().take(limit) {
        writeln!(out, "{line}")?;
        printed += 1;
    }
    drop(out);
    tell(&format!("{printed} event(s)"));
    if answer.is_cut {
        tell(&format!("note: only the newest {limit} are shown: --limit shows more"));
    }
    Ok(Outcome::Done)
}

/// The lines around the evidence of a finding, from the same source.
pub(crate) fn context(config: &Config, arguments: &ContextArguments) -> anyhow::Result<Outcome> {
    let mut opened = OpenArchive::of(config, &arguments.archive)?;
    let id: FindingId = arguments.finding.parse().map_err(|_| {
        Usage(format!("`{}` is no id of a finding: 32 hexadecimal digits, as lists print them", arguments.finding))
    })?;
    let stored = opened.runtime.block_on(opened.store.get(id))?;
    let stored = stored.ok_or_else(|| Usage(format!("there is no finding {id} in this store")))?;
    let span = &stored.finding.span;
    let near = |time: Option<Timestamp>, by: i64| time.map(|time| time.saturating_add_us(by));
    let passages = archive::passages(&stored.finding.evidence, arguments.before, arguments.after);
    opened.limits.rows = archive::passage_rows(&passages);
    let within = |far: i64| -> anyhow::Result<Vec<FoundLine>> {
        let files = opened.files(near(span.first_seen, -far), near(span.last_seen, far))?;
        match archive::lines_around(&opened.root, &files, &passages)? {
            Some(lines) => Ok(lines),
            None => Ok(opened.ask(&files, &archive::passage_question(&passages))?.found_lines()),
        }
    };
    let [close, far] = AROUND_US;
    let mut found = within(close)?;
    if !passages.iter().all(|passage| passage.is_whole(&passage.lines(&found))) {
        found = within(far)?;
    }
    let mut out = Screen::open();
    for passage in &passages {
        let source = out.paint(Paint::Head, &printable(&passage.source).to_string());
        writeln!(out, "{source}")?;
        let lines = passage.lines(&found);
        for line in &lines {
            let mark = if line.is_evidence { '>' } else { ' ' };
            let line = format!("{mark} {:>8}  {}", line.number, printable(&line.text));
            let line = if mark == '>' { out.paint(Paint::Head, &line) } else { line };
            writeln!(out, "{line}")?;
        }
        if let Some(missing) = passage.missing(&lines) {
            writeln!(out, "  {missing}")?;
        }
    }
    Ok(Outcome::Done)
}
