//! Bytes to events: a [`Parser`] turns a block of lines into an [`EventBatch`], one row per line, in order.
//!
//! ```text
//! Block ─▶ lines ─▶ one format of the table per line ─▶ header fields ─▶ body of the program that wrote it ─▶ EventBatch
//! ```
//! A line that breaks the format it begins with becomes a row with `event.kind: pipeline_error` and the reason; one that begins
//! like no known format is plain text (`event.dataset: text`); an empty one has a row, too, so that rows and lines go together.
//! **Absent on purpose:** no I/O, no clock, no async, no rules. Time comes with the block.

#![warn(missing_docs)]

mod access;
mod address;
mod audit;
mod body;
mod clock;
mod context;
mod enrich;
mod format;
mod json;
mod line;
mod listing;
mod needle;
mod own_file;
mod rfc3164;
mod rfc5424;
mod stamp;
mod syslog;
mod template;

pub use clock::{Clock, UnknownZone};
pub use enrich::{BadDatabase, Enricher};
pub use format::{FORMATS, Format, FormatChoice, UnknownFormat};
pub use listing::{Readable, readable};

use std::sync::Arc;

use event::catalog::field;
use event::{BatchBuilder, Block, EventBatch, Position, dataset};

use crate::context::{Context, Refusal};
use crate::enrich::Enrichment;

/// Lines of a block that are looked at to find its format.
const PROBE_LINES: usize = 8;

/// How lines are to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Formats that lines may have.
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
    /// Nothing is known of the input yet.
    pub fn new(options: Options) -> Self {
        let context = Context::new(&options.clock, [format::read_carried, format::read_carried_surely]);
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
            let cut = cut_line_bytes.filter(|_| ends_block);
            self.parse_line(text, at as u32, cut, preferred, &mut rows);
            count += 1;
        }
        self.rows_hint = count + count / 8 + 16;
        let read = cut_line_bytes.map_or(bytes.len() as u64, |full| {
            let last_line = memchr::memrchr(b'\n', bytes).map_or(0, |end| end as u64 + 1);
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
        for (_, text, _) in line::lines(bytes).filter(|(_, text, _)| !line::is_empty(text)).take(PROBE_LINES) {
            // What may be a program's own line is first asked whether it is another format's.
            let votes_for = |format: &&Format| format.name != own_file::NAME && (format.looks_like)(text);
            if let Some(at) = candidates.iter().position(votes_for) {
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
            rows.counts().repaired += 1;
            repaired = String::from_utf8_lossy(text).into_owned();
            repaired.as_bytes()
        };
        rows.text(field::EVENT_ORIGINAL, text);
        let dataset = match self.read_line(text, preferred, rows) {
            Ok(dataset) => {
                self.enrichment.put(rows);
                dataset
            }
            Err(unread) => put_unread(&unread, text, rows),
        };
        if let Some(full) = cut {
            rows.counts().cut += 1;
            rows.mark(&format!("line_truncated from {full} bytes"));
        }
        rows.end_row(at, dataset);
    }

    /// Tries the preferred format, then the others in the order of the table.
    fn read_line(
        &mut self,
        text: &[u8],
        preferred: &'static Format,
        rows: &mut BatchBuilder,
    ) -> Result<event::DatasetId, Unread> {
        let candidates = self.options.format.candidates();
        let others = candidates.iter().copied().filter(|format| format.name != preferred.name);
        for format in std::iter::once(preferred).chain(others) {
            match (format.read)(text, &mut self.context, rows) {
                Ok(dataset) => return Ok(dataset),
                Err(Refusal::Broken(reason)) => return Err(Unread::Broken(reason)),
                Err(Refusal::Other(_)) => {}
            }
        }
        if line::is_empty(text) {
            return Err(Unread::Empty);
        }
        // The reason of the first format that the line begins like or that was asked for, whatever its neighbours are.
        let is_told = self.options.format.is_told();
        let is_nearest = |format: &&&Format| match is_told {
            true => candidates.len() == 1 || (format.looks_like)(text),
            false => (format.begins_like)(text),
        };
        match candidates.iter().find(is_nearest).map(|format| (format.read)(text, &mut self.context, rows)) {
            Some(Err(Refusal::Broken(reason) | Refusal::Other(reason))) => Err(Unread::Broken(reason)),
            _ if is_told => Err(Unread::Broken("not of the format that was asked for")),
            _ => Err(Unread::Text),
        }
    }
}

/// Why a line has no fields.
enum Unread {
    /// It breaks its own format, or the one that was asked for.
    Broken(&'static str),
    /// It begins like no known format.
    Text,
    Empty,
}

/// The row of a line without fields. What formats put there before they refused it goes.
fn put_unread(unread: &Unread, text: &[u8], rows: &mut BatchBuilder) -> event::DatasetId {
    rows.clear_row();
    rows.text(field::EVENT_ORIGINAL, text);
    match unread {
        Unread::Empty => rows.counts().empty += 1,
        Unread::Text => rows.counts().text += 1,
        Unread::Broken(reason) => {
            rows.counts().rejected += 1;
            rows.literal(field::EVENT_KIND, "pipeline_error");
            rows.literal(field::ERROR_MESSAGE, reason);
            return dataset::UNPARSED;
        }
    }
    dataset::TEXT
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
