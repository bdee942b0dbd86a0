//! Answers to the questions about what the events of a search have in common, as the API and the console tell them.

use api::event_archive::{Facet, FacetValue, Histogram, HistogramBar};
use archive::{Answer, HISTOGRAM_BARS_MAX};
use event::time::SECOND_US;
use serde::Deserialize;
use serde_json::Value;

/// A row of either answer.
#[derive(Deserialize)]
struct CountedRow {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    time: String,
    count: u64,
}

fn counted(answer: &Answer) -> Option<Vec<CountedRow>> {
    let mut text = Vec::new();
    answer.write_ndjson(&mut text).ok()?;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The answer to the question for a facet; `None` where it is another one's.
pub(crate) fn facet_of(answer: &Answer, field: &str, wanted: usize) -> Option<Facet> {
    let rows = counted(answer)?;
    let has_more = rows.len() > wanted;
    let values = rows.into_iter().take(wanted).map(|row| FacetValue { value: row.value, count: row.count }).collect();
    Some(Facet { field: field.to_owned(), values, has_more })
}

/// The answer to the question for a histogram; `None` where it is another one's.
pub(crate) fn histogram_of(answer: &Answer, width_us: i64) -> Option<Histogram> {
    let rows = counted(answer)?;
    let has_more = rows.len() > HISTOGRAM_BARS_MAX;
    let bar = |row: CountedRow| HistogramBar { time: row.time, count: row.count };
    let mut bars: Vec<HistogramBar> = rows.into_iter().take(HISTOGRAM_BARS_MAX).map(bar).collect();
    bars.reverse();
    Some(Histogram { width_seconds: (width_us / SECOND_US).max(0) as u64, bars, has_more })
}
