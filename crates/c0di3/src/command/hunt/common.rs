//! `c0di3 search --facet FIELD --histogram SPAN`: what the events of a search have in common, printed in place of the events.

use std::io::Write;

use api::event_archive::{Facet, Histogram};
use archive::{FACET_VALUES_MAX, Search};
use serde_json::{Value, json};

use super::open_archive::OpenArchive;
use crate::cli::{AnswerFormat, SearchArguments};
use crate::command::replay::printable::printable;
use crate::facets::{facet_of, histogram_of};
use crate::outcome::{Outcome, Usage, tell};
use crate::screen::{Paint, Screen};

/// Width of the longest bar, in characters.
const BAR_WIDTH: u64 = 40;

pub(super) fn run(opened: &OpenArchive, search: &Search, arguments: &SearchArguments) -> anyhow::Result<Outcome> {
    let wanted = arguments.facet_values.clamp(1, FACET_VALUES_MAX);
    let width = arguments.histogram.as_deref().map(|text| {
        let wrong = || Usage(format!("--histogram: `{text}` is no time span such as 5m, 1h or 1d"));
        event::time::parse_span_us(text).ok_or_else(wrong)
    });
    let width = width.transpose()?;
    // What is wrong is told before anything is read.
    let questions: Result<Vec<String>, String> =
        arguments.facet.iter().map(|field| search.facet(field, wanted)).collect();
    let questions = questions.map_err(|reason| Usage(format!("--facet: {reason}")))?;
    let histogram = width.map(|width| search.histogram(width)).transpose();
    let histogram = histogram.map_err(|reason| Usage(format!("--histogram: {reason}")))?;
    let files = opened.files(search.since, search.until)?;
    let other = || anyhow::anyhow!("the answer has another form than was asked for");
    let mut out = if arguments.archive.out == AnswerFormat::Table { Screen::open() } else { Screen::plain() };
    if arguments.archive.out == AnswerFormat::Csv {
        writeln!(out, "facet,value,count")?;
    }
    for (field, question) in arguments.facet.iter().zip(questions) {
        let facet = facet_of(&opened.ask(&files, &question)?, field, wanted).ok_or_else(other)?;
        print_facet(&mut out, &facet, arguments.archive.out)?;
    }
    if let Some((question, width)) = histogram.zip(width) {
        let histogram = histogram_of(&opened.ask(&files, &question)?, width).ok_or_else(other)?;
        print_histogram(&mut out, &histogram, arguments.archive.out)?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn print_facet(out: &mut Screen, facet: &Facet, format: AnswerFormat) -> std::io::Result<()> {
    if format == AnswerFormat::Table {
        let head = out.paint(Paint::Head, &facet.field);
        writeln!(out, "{:>10}  {head}", "events")?;
    }
    for one in &facet.values {
        let text = one.value.as_str().map_or_else(|| one.value.to_string(), str::to_owned);
        match format {
            AnswerFormat::Table => writeln!(out, "{:>10}  {}", one.count, printable(&text))?,
            AnswerFormat::Ndjson => {
                writeln!(out, "{}", json!({"facet": facet.field, "value": one.value, "count": one.count}))?;
            }
            AnswerFormat::Csv => csv(out, &facet.field, &one.value, one.count)?,
        }
    }
    if facet.has_more {
        tell(&format!("note: {} has more values: --facet-values shows more", facet.field));
    }
    Ok(())
}

fn print_histogram(out: &mut Screen, histogram: &Histogram, format: AnswerFormat) -> std::io::Result<()> {
    let most = histogram.bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    for bar in &histogram.bars {
        match format {
            AnswerFormat::Table => {
                let length = (bar.count * BAR_WIDTH).div_ceil(most) as usize;
                writeln!(out, "{:>10}  {} {}", bar.count, bar.time, "#".repeat(length))?;
            }
            AnswerFormat::Ndjson => writeln!(out, "{}", json!({"time": bar.time, "count": bar.count}))?,
            AnswerFormat::Csv => csv(out, "@timestamp", &Value::from(bar.time.clone()), bar.count)?,
        }
    }
    if histogram.has_more {
        tell(&format!("note: only the newest {} spans are shown", histogram.bars.len()));
    }
    Ok(())
}

fn csv(out: &mut Screen, field: &str, value: &Value, count: u64) -> std::io::Result<()> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    writeln!(out, "{field},\"{}\",{count}", text.replace('"', "\"\""))
}
