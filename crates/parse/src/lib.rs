//! Bytes to events: a [`Parser`] turns a block of lines into an [`EventBatch`], one row per line, in order.
//!
//! ```text
//! Block ─▶ lines ─▶ one format of the table per line ─▶ header fields ─▶ body of the program that wrote it ─▶ EventBatch
//! ```
//! A line that breaks the format it begins with becomes a row with `event.kind: pipeline_error` and the reason; one that begins
//! like no known format is plain text (`event.dataset: text`); an empty one has a row, too, so that rows and lines go together.
//! A record over several lines is one event in the row of its first line; the others have rows of dataset `continuation`.
//! **Absent on purpose:** no I/O, no clock, no async, no rules. Time comes with the block.

#![warn(missing_docs)]

mod access;
mod access_time_first;
mod address;
mod alb;
mod apache_error;
mod apache_message;
mod application;
mod audit;
mod body;
mod cef;
mod cisco;
mod client;
mod clock;
mod context;
mod day_names;
mod enrich;
mod envelope;
mod envoy;
mod fast_log;
mod format;
mod guess;
mod haproxy;
mod header_stamp;
mod host;
mod json;
mod key_value;
mod layout;
mod leef;
mod level;
mod lighttpd;
mod line;
mod listing;
mod litespeed;
mod messages;
mod modsec_serial;
mod naming;
mod near;
mod needle;
mod nginx_error;
mod ossec_alert;
mod own_file;
mod pair_frames;
mod pair_text;
mod pairs;
mod pf;
mod proxies;
mod put_values;
mod pve_firewall;
mod readers;
mod record;
mod request;
mod rfc3164;
mod rfc5424;
mod s3;
mod shape;
mod squid;
mod stamp;
mod syslog;
mod tag;
mod template;
mod unifi;
mod user_format;
mod uwsgi;
mod values;
mod w3c;
mod w3c_columns;
mod w3c_heading;
mod wide;
mod windows_dhcp;
mod windows_xml;
mod zeek;

pub use clock::{Clock, UnknownZone};
pub use enrich::{BadDatabase, Enricher};
pub use format::{FORMATS, Format, FormatChoice, UnknownFormat};
pub use listing::{Readable, readable};
pub use naming::unknown::{UnknownShape, UnknownShapes};
pub use proxies::TrustedProxies;
pub use readers::ReadBy;
pub use shape::{About, ShapeProblem, Shapes};
pub use user_format::{BadDefinition, FormatDefinition, UserFormats};

use std::sync::Arc;

use event::catalog::field;
use event::record::EXPORT_START;
use event::{BatchBuilder, Block, EventBatch, Position, dataset};

use crate::address::AMBIGUOUS;
use crate::context::{CarriedWays, Context, Given, Refusal};
use crate::enrich::Enrichment;
use crate::line::BlockLine;
use crate::record::Record;

/// Lines of a block that are looked at to find its format.
const PROBE_LINES: usize = 8;

/// How lines are to be read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Formats that lines may have.
    pub format: FormatChoice,
    /// Zone and year of times that name none.
    pub clock: Clock,
    /// Formats that the operator defines, and the sources that have them.
    pub user_formats: Arc<UserFormats>,
    /// Whose word on forwarded addresses is believed.
    pub trusted_proxies: TrustedProxies,
    /// What is added to events beside what they say.
    pub enricher: Arc<Enricher>,
    /// Kinds of events that are told by their keys.
    pub shapes: Arc<Shapes>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            user_formats: Arc::default(),
            format: FormatChoice::default(),
            clock: Clock::default(),
            trusted_proxies: TrustedProxies::default(),
            enricher: Arc::default(),
            shapes: Arc::clone(Shapes::standard()),
        }
    }
}

/// Turns blocks into batches. Holds no input between blocks, only hints; one per thread.
#[derive(Debug)]
pub struct Parser {
    options: Options,
    context: Context,
    enrichment: Enrichment,
    /// Rows of the last batch, to size the next one.
    rows_hint: usize,
    /// Where lines of the block begin that belong to an event in front of others, the next one last.
    apart: Vec<usize>,
}

impl Parser {
    /// Nothing is known of the input yet.
    pub fn new(options: Options) -> Self {
        let ways = CarriedWays {
            any: format::read_carried,
            surely: format::read_carried_surely,
            said: format::read_said,
            said_surely: format::read_said_surely,
            messages_of: body::own::messages_of,
        };
        let context = Context::new(
            Given {
                clock: &options.clock,
                shapes: &options.shapes,
                trusted_proxies: &options.trusted_proxies,
                user_formats: &options.user_formats,
            },
            ways,
        );
        let enrichment = Enrichment::new(Arc::clone(&options.enricher));
        Parser { options, context, enrichment, rows_hint: 1024, apart: Vec::new() }
    }

    /// One row for each line of the block, in order.
    pub fn parse(&mut self, block: Block) -> EventBatch {
        let start = block.start;
        let cut_line_bytes = block.cut_line_bytes;
        self.context.begin_block(block.reference, block.heading.as_deref());
        let origin_starts: Vec<u32> = block.layout.origins.iter().map(|(start, _)| *start).collect();
        let own_format = |name: &str| self.options.format.own().or_else(|| self.options.user_formats.bound_to(name));
        let of_origins: Vec<_> = block.layout.origins.iter().map(|(_, origin)| own_format(&origin.name)).collect();
        let of_source = own_format(&block.source.name);
        self.apart.clear();
        let mut rows = BatchBuilder::new(block, self.rows_hint);
        let buffer = rows.buffer();
        let bytes = buffer.as_slice();
        self.context.times.stand_in(bytes);
        let preferred = self.preferred(bytes);
        self.context.bound = of_source;
        let (mut count, mut begun) = (0, 0);
        let mut lines = line::lines(bytes);
        while let Some(line) = lines.next() {
            count += 1;
            let cut = cut_line_bytes.filter(|_| line.next >= bytes.len());
            // What other senders wrote behind the line does not go on with it.
            while origin_starts.get(begun).is_some_and(|start| *start as usize <= line.at) {
                self.context.bound = of_origins[begun];
                begun += 1;
            }
            if self.apart.pop_if(|at| *at == line.at).is_some() {
                put_continuation(line, &mut rows);
                continue;
            }
            let bound = origin_starts.get(begun).map_or(bytes.len(), |start| *start as usize);
            let head = RecordHead { line, cut, bytes, bound: bound.max(line.next) };
            let record = self.parse_record(head, preferred, &mut rows);
            for _ in 1..record {
                let Some(line) = lines.next() else { break };
                count += 1;
                put_continuation(line, &mut rows);
            }
        }
        self.rows_hint = count + count / 8 + 16;
        let read = cut_line_bytes.map_or(bytes.len() as u64, |full| {
            let last_line = memchr::memrchr(b'\n', bytes).map_or(0, |end| end as u64 + 1);
            last_line + full
        });
        syslog::Priority::put_names(&mut rows);
        rows.finish(Position { offset: start.offset + read, line: start.line + count as u64 })
    }

    /// Events of no known shape that were read since the last call.
    pub fn take_unknown(&mut self) -> UnknownShapes {
        self.context.names.unknown.take()
    }

    /// Lines are counted by what reads them, from now on.
    pub fn count_readers(&mut self) {
        self.context.readers.count();
    }

    /// What read lines since the last call, and how many.
    pub fn take_readers(&mut self) -> ReadBy {
        self.context.readers.take()
    }

    /// The format that reads most of the block's first lines; the first of the table where none does.
    fn preferred(&self, bytes: &[u8]) -> &'static Format {
        let candidates = self.options.format.candidates();
        match candidates {
            [] => return &FORMATS[0],
            [only] => return only,
            _ => {}
        }
        let mut votes = vec![0_usize; candidates.len()];
        for line in line::lines(bytes).filter(|line| !line::is_empty(line.text)).take(PROBE_LINES) {
            let votes_for =
                |format: &&Format| !format::NEVER_FIRST.contains(&format.name) && (format.looks_like)(line.text);
            if let Some(at) = candidates.iter().position(votes_for) {
                votes[at] += 1;
            }
        }
        let best = (0..votes.len()).rev().max_by_key(|at| votes[*at]).unwrap_or(0);
        candidates[best]
    }

    /// Reads the line, and what belongs to it of those that follow: how many lines the record has.
    fn parse_record(&mut self, head: RecordHead<'_>, preferred: &'static Format, rows: &mut BatchBuilder) -> usize {
        let RecordHead { line, cut, bytes, bound } = head;
        let follows = &bytes[line.next..bound];
        let mut apart = Vec::new();
        let (joined, mut record) = record::spread(line.text, follows, &mut apart).unzip();
        if !apart.is_empty() {
            self.apart.extend(apart.into_iter().map(|at| line.next + at));
            self.apart.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
        }
        let text = joined.as_deref().unwrap_or(line.text);
        let repaired;
        // Lengths within an entry of the journal are no text: its values are repaired one by one.
        let is_text = joined.is_none() || !text.starts_with(EXPORT_START);
        let text = if !is_text || rows.block_is_utf8() && joined.is_none() || simdutf8::basic::from_utf8(text).is_ok() {
            text
        } else {
            rows.counts().repaired += 1;
            repaired = String::from_utf8_lossy(text).into_owned();
            repaired.as_bytes()
        };
        let dataset = match self.read_line(text, preferred, rows) {
            Ok(dataset) => {
                self.enrichment.put(rows);
                if rows.has(field::TAGS) && rows.is_marked(AMBIGUOUS) {
                    rows.counts().ambiguous += 1;
                }
                if record.is_none() && record::may_go_on(line.text, follows) {
                    record = record::lines_behind(line.text, follows, Some(dataset));
                }
                dataset
            }
            Err(unread) => {
                if record.is_none() && record::may_go_on(line.text, follows) && matches!(unread, Unread::Text) {
                    record = record::lines_behind(line.text, follows, None);
                }
                put_unread(&unread, text, &mut self.context, rows)
            }
        };
        match record {
            None => rows.text(field::EVENT_ORIGINAL, text),
            Some(Record { bytes: length, .. }) => {
                let start = line.text.as_ptr() as usize - bytes.as_ptr() as usize;
                let whole = line::without_ending(&bytes[start..line.next + length]);
                rows.text(field::EVENT_ORIGINAL, whole);
                if joined.is_none() && !matches!(dataset, dataset::TEXT | dataset::UNPARSED) {
                    record::put_message(line.text, whole, rows);
                }
            }
        }
        if let Some(full) = cut {
            rows.counts().cut += 1;
            rows.mark(&format!("line_truncated from {full} bytes"));
        }
        rows.end_row(line.at as u32, dataset);
        record.map_or(1, |record| 1 + record.lines)
    }

    /// Tries the preferred format, then the others in the order of the table.
    fn read_line(
        &mut self,
        text: &[u8],
        preferred: &'static Format,
        rows: &mut BatchBuilder,
    ) -> Result<event::DatasetId, Unread> {
        if record::is_set_off(text) && !line::is_empty(text) && !self.options.format.is_told() {
            return Err(Unread::Text);
        }
        if self.context.bound.is_some() {
            if let Some(dataset) = put_values::read_bound(text, &mut self.context, rows) {
                return Ok(dataset);
            }
            if self.options.format.own().is_some() && !line::is_empty(text) {
                return Err(Unread::Broken("not of the format that was asked for"));
            }
        }
        // Colours in front of all else belong to no other format.
        let preferred = match self.options.format.of_colours().filter(|_| envelope::ansi::begins(text)) {
            Some(coloured) => coloured,
            None => preferred,
        };
        match (preferred.read)(text, &mut self.context, rows) {
            Ok(dataset) => {
                self.context.readers.format(preferred.name);
                Ok(dataset)
            }
            Err(Refusal::Broken(reason)) => Err(Unread::Broken(reason)),
            Err(Refusal::Other(_)) => self.read_otherwise(text, preferred, rows),
        }
    }

    /// Tries all formats but the preferred one, which has refused the line.
    #[inline(never)]
    fn read_otherwise(
        &mut self,
        text: &[u8],
        preferred: &'static Format,
        rows: &mut BatchBuilder,
    ) -> Result<event::DatasetId, Unread> {
        let candidates = self.options.format.candidates();
        for format in self.options.format.candidates_of(text) {
            if std::ptr::eq(format, preferred) {
                continue;
            }
            match (format.read)(text, &mut self.context, rows) {
                Ok(dataset) => {
                    self.context.readers.format(format.name);
                    return Ok(dataset);
                }
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
            _ if self.context.bound.is_some() => {
                Err(Unread::Broken("not of the format that is defined for its source"))
            }
            _ => Err(Unread::Text),
        }
    }
}

/// The row of a line that belongs to an event in front of it.
fn put_continuation(line: BlockLine<'_>, rows: &mut BatchBuilder) {
    rows.counts().joined += 1;
    rows.text(field::EVENT_ORIGINAL, line.text);
    rows.end_row(line.at as u32, dataset::CONTINUATION);
}

/// A line with what stands behind it.
struct RecordHead<'a> {
    line: BlockLine<'a>,
    /// Length of the line where it was cut.
    cut: Option<u64>,
    /// The block.
    bytes: &'a [u8],
    /// How far the same sender wrote it.
    bound: usize,
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
fn put_unread(unread: &Unread, text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> event::DatasetId {
    rows.clear_row();
    match unread {
        Unread::Empty => rows.counts().empty += 1,
        Unread::Text => {
            rows.counts().text += 1;
            application::put_time(text, context, rows);
            if !record::is_set_off(text) {
                guess::put(rows, text);
            }
        }
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
mod alike_tests;
#[cfg(test)]
mod long_text_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod user_format_tests;
#[cfg(test)]
mod web_forgery_tests;
