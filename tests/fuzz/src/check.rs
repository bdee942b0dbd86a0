//! What must hold for every batch, whatever the lines hold: one row for each line, true offsets, times within bounds, JSON that
//! can be read, the same rows wherever a block is cut, and no line that takes long. Names no format.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::block::heading_after;
use event::record::block_end;
use event::{Block, EventBatch, Position, Source, SourceId, Timestamp, dataset};
use parse::{FormatChoice, Options, Parser};
use serde_json::Value;

/// A fixed reference time, so that a crash can be repeated.
pub(crate) const REFERENCE: Timestamp = Timestamp(1_800_000_000_000_000);
/// Longest time for a text of 64 KiB, in a build with checks and measured coverage: one that is read once or twice takes a tenth.
const TEXT_TIME_MAX: Duration = Duration::from_millis(200);
/// And for each of its lines.
const LINE_TIME_MAX: Duration = Duration::from_micros(20);
/// Times that are measured before a line counts as slow: where the system does not tell processor time, another process may have had
/// the processor.
const MEASURED: usize = 4;

/// How the lines of one of the built-in formats or groups are read.
pub(crate) fn told(format: &str) -> Options {
    Options { format: format.parse::<FormatChoice>().expect("a known format"), ..Options::default() }
}

fn block(start: Position, bytes: &[u8]) -> Block {
    let source = Source { id: SourceId(7), name: "fuzz".to_owned() };
    Block::new(Arc::new(source), start, bytes.to_vec(), REFERENCE)
}

/// Reads the lines, and looks at every value.
pub(crate) fn lines(options: &Options, bytes: &[u8]) -> Vec<Value> {
    let batch = Parser::new(options.clone()).parse(block(Position::default(), bytes));
    let all = rows(&batch, bytes);
    if batch.counts().fields_dropped == 0 {
        cut(options, bytes, &all, &batch);
    }
    all
}

/// As [`lines`], for lines that stand behind others; where they are cut is not tried.
pub(crate) fn lines_from(options: &Options, bytes: &[u8], start: Position) -> Vec<Value> {
    rows(&Parser::new(options.clone()).parse(block(start, bytes)), bytes)
}

/// The rows as JSON; each belongs to its line.
pub(crate) fn rows(batch: &EventBatch, bytes: &[u8]) -> Vec<Value> {
    let (start, end) = batch.span();
    let mut starts = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let nuls = line.iter().take_while(|byte| **byte == 0).count();
        starts.push(start.offset + (at + nuls) as u64);
        at += line.len();
    }
    assert_eq!(batch.rows(), starts.len(), "one event for each line");
    assert_eq!(end.offset, start.offset + bytes.len() as u64, "the whole block was read");
    assert_eq!(end.line, start.line + starts.len() as u64, "every line was counted");
    let names: HashSet<&str> = batch.column_names().collect();
    assert_eq!(names.len(), batch.column_names().count(), "no name stands twice");
    let mut text = String::new();
    let mut all = Vec::with_capacity(starts.len());
    for (row, start) in starts.iter().enumerate() {
        assert_eq!(batch.offset(row), *start, "offset of row {row}");
        if let Some(time) = batch.times().and_then(|times| times.get(row)) {
            assert!(
                (Timestamp::FIRST.micros()..=Timestamp::LAST.micros()).contains(&time),
                "time of row {row}: {time}"
            );
        }
        event::json::write_row(batch, row, &mut text);
        assert!(!text.contains(['\n', '\r']), "one line: {text}");
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(value["event.kind"].is_string() && value["event.dataset"].is_string(), "{text}");
        all.push(value);
        text.clear();
    }
    all
}

/// Reads the lines in two blocks, and compares. Where a record is cut in two it is another one.
fn cut(options: &Options, bytes: &[u8], whole: &[Value], batch: &EventBatch) {
    let middle = bytes.len() / 2;
    let Some(end) = memchr::memchr(b'\n', &bytes[middle..]).map(|at| middle + at + 1) else { return };
    let end = block_end(bytes, end);
    let (first, second) = bytes.split_at(end);
    // An empty line ends an entry of the journal.
    if first.last() != Some(&b'\n') || matches!(second.first(), None | Some(b'\n')) {
        return;
    }
    let behind = memchr::memchr_iter(b'\n', first).count();
    if batch.datasets()[behind] == dataset::CONTINUATION {
        return;
    }
    let before = Parser::new(options.clone()).parse(block(Position::default(), first));
    let mut parts = rows(&before, first);
    let mut block = block(before.span().1, second);
    block.heading = heading_after(None, first);
    let after = Parser::new(options.clone()).parse(block);
    if before.counts().fields_dropped + after.counts().fields_dropped > 0 {
        return;
    }
    parts.extend(rows(&after, second));
    for (row, (part, whole)) in parts.iter().zip(whole).enumerate() {
        assert_eq!(part, whole, "row {row} of {}, where the block is cut in front of row {behind}", parts.len());
    }
}

/// How long this thread has had the processor, where the system tells it.
fn processor_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Reads a long text, and takes the time.
pub(crate) fn speed(options: &Options, bytes: &[u8]) {
    let lines = memchr::memchr_iter(b'\n', bytes).count() as u32;
    let allowed = TEXT_TIME_MAX + LINE_TIME_MAX * lines;
    let mut least = Duration::MAX;
    for _ in 0..MEASURED {
        let block = block(Position::default(), bytes);
        let mut parser = Parser::new(options.clone());
        let (start, had) = (Instant::now(), processor_time());
        parser.parse(block);
        let taken = had.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
        least = least.min(taken.unwrap_or_else(|| start.elapsed()));
        if least < allowed {
            return;
        }
    }
    panic!("a text of {} bytes takes {} ms: {:?}", bytes.len(), least.as_millis(), bytes.get(..200));
}
