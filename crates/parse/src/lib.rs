//! Bytes to events: a [`Parser`] turns a block of lines into an [`EventBatch`], one row per line, in order.
//!
//! ```text
//! Block ─▶ lines ─▶ one format of the table per line ─▶ header fields ─▶ body of the program that wrote it ─▶ EventBatch
//! ```
//! A line that no format can read becomes a row of its own with `event.kind: pipeline_error` and the reason.
//! **Absent on purpose:** no I/O, no clock, no async, no rules. Time comes with the block.

mod access;
mod address;
mod audit;
mod body;
mod clock;
mod enrich;
mod format;
mod json;
mod line;
mod needle;
mod rfc3164;
mod rfc5424;
mod syslog;

pub use clock::{Clock, UnknownZone};
pub use enrich::{BadDatabase, Enricher};
pub use format::{FORMATS, Format, FormatChoice, UnknownFormat};

use std::sync::Arc;

use event::catalog::field;
use event::{BatchBuilder, Block, EventBatch, Position, dataset};

use crate::enrich::Enrichment;
use crate::format::{Context, Refusal};

/// Lines of a block that are looked at to find its format.
const PROBE_LINES: usize = 8;

/// How lines are to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub format: FormatChoice,
    /// Zone and year of times that name none.
    pub clock: Clock,
    /// What is added to events beside what they say.
    pub enricher: Arc<Enricher>,
}

/// Turns blocks into batches. Holds no input between blocks, only hints; one per thread.
#[derive(Debug)]
pub struct Parser {
    options: Options,
    context: Context,
    enrichment: Enrichment,
    /// Rows of the last batch, to size the next one.
    rows_hint: usize,
}

impl Parser {
    pub fn new(options: Options) -> Self {
        let context = Context::new(&options.clock);
        let enrichment = Enrichment::new(Arc::clone(&options.enricher));
        Parser { options, context, enrichment, rows_hint: 1024 }
    }

    /// One row for each line of the block, in order.
    pub fn parse(&mut self, block: Block) -> EventBatch {
        let start = block.start;
        let cut_line_bytes = block.cut_line_bytes;
        self.context.begin_block(block.reference);
        let mut rows = BatchBuilder::new(block, self.rows_hint);
        let buffer = rows.buffer();
        let bytes = buffer.as_slice();
        let preferred = self.preferred(bytes);
        let mut count = 0;
        for (at, text, ends_block) in line::lines(bytes) {
            // A byte order mark at the start of a file is not part of its first line.
            let marked = at == 0 && start.offset == 0;
            let text = text.strip_prefix(b"\xEF\xBB\xBF").filter(|_| marked).unwrap_or(text);
            let cut = cut_line_bytes.filter(|_| ends_block);
            self.parse_line(text, at as u32, cut, preferred, &mut rows);
            count += 1;
        }
        self.rows_hint = count + count / 8 + 16;
        let read = cut_line_bytes.map_or(bytes.len() as u64, |full| {
            let last_line = line::lines(bytes).last().map_or(0, |(at, _, _)| at as u64);
            last_line + full
        });
        rows.finish(Position { offset: start.offset + read, line: start.line + count as u64 })
    }

    /// The format that reads most of the block's first lines; the first of the table where none does.
    fn preferred(&self, bytes: &[u8]) -> &'static Format {
        let candidates = self.options.format.candidates();
        let Some((first, others)) = candidates.split_first() else { return &FORMATS[0] };
        if others.is_empty() {
            return first;
        }
        let mut votes = vec![0_usize; candidates.len()];
        for (_, text, _) in line::lines(bytes).filter(|(_, text, _)| !text.is_empty()).take(PROBE_LINES) {
            if let Some(at) = candidates.iter().position(|format| (format.looks_like)(text)) {
                votes[at] += 1;
            }
        }
        let best = (0..votes.len()).rev().max_by_key(|at| votes[*at]).unwrap_or(0);
        candidates[best]
    }

    fn parse_line(
        &mut self,
        text: &[u8],
        at: u32,
        cut: Option<u64>,
        preferred: &'static Format,
        rows: &mut BatchBuilder,
    ) {
        let repaired;
        let text = if rows.block_is_utf8() || simdutf8::basic::from_utf8(text).is_ok() {
            text
        } else {
            rows.count_repaired();
            repaired = String::from_utf8_lossy(text).into_owned();
            repaired.as_bytes()
        };
        rows.text(field::EVENT_ORIGINAL, text);
        if let Some(full) = cut {
            rows.count_cut();
            rows.owned(field::TAGS, &format!("line_truncated from {full} bytes"));
        }
        let dataset = match self.read_line(text, preferred, rows) {
            Ok(dataset) => {
                self.enrichment.put(rows);
                dataset
            }
            Err(reason) => {
                rows.clear_row();
                rows.count_rejected();
                rows.text(field::EVENT_ORIGINAL, text);
                rows.literal(field::EVENT_KIND, "pipeline_error");
                rows.literal(field::ERROR_MESSAGE, reason);
                dataset::UNPARSED
            }
        };
        rows.end_row(at, dataset);
    }

    /// Tries the preferred format, then the others in the order of the table.
    fn read_line(
        &mut self,
        text: &[u8],
        preferred: &'static Format,
        rows: &mut BatchBuilder,
    ) -> Result<event::DatasetId, &'static str> {
        if text.is_empty() {
            return Err("the line is empty");
        }
        let candidates = self.options.format.candidates();
        let others = candidates.iter().copied().filter(|format| format.name != preferred.name);
        for format in std::iter::once(preferred).chain(others) {
            match (format.read)(text, &mut self.context, rows) {
                Ok(dataset) => return Ok(dataset),
                Err(Refusal::Broken(reason)) => return Err(reason),
                Err(Refusal::Other(_)) => {}
            }
        }
        // The reason of the first format that the line resembles, whatever its neighbours are.
        let nearest = candidates.iter().find(|format| candidates.len() == 1 || (format.looks_like)(text));
        match nearest.map(|format| (format.read)(text, &mut self.context, rows)) {
            Some(Err(Refusal::Broken(reason) | Refusal::Other(reason))) => Err(reason),
            _ => Err("no known log format: neither JSON, an access log nor syslog"),
        }
    }
}

/// Earliest event time that the lines name: for ordering sources before they are parsed. The earliest, so that one
/// line with a time far ahead cannot make everything after it look late.
pub fn peek_time(text: &[u8], options: &Options, reference: event::Timestamp) -> Option<event::Timestamp> {
    let mut parser = Parser::new(options.clone());
    let batch = parser.parse(Block::detached("peek", text.to_vec(), reference));
    let times = batch.times()?;
    (0..batch.rows()).filter_map(|row| times.get(row)).min().map(event::Timestamp)
}

#[cfg(test)]
mod tests;
