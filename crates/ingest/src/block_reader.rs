//! Bytes to blocks of whole lines. A line over the limit is cut, counted with its full length, and ends its block. NULs in front
//! of a line do not make it long: a log that was cut off while its writer went on begins with as many as it had bytes.
//! A record over several lines is not cut where a place in front of it is near.

use std::io::{self, Read};
use std::sync::Arc;

use event::block::heading_after;
use event::record::block_end;
use event::{Block, Position, Source, Timestamp};
use memchr::{memchr, memrchr};

/// Size that blocks grow to before they are handed over.
pub const BLOCK_BYTES: usize = 1 << 20;
/// Longest line that is kept whole.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Spare room that readers use to look whether more follows.
const SPARE_BYTES: usize = 64;
/// Bytes read at once while the rest of an over-long line is thrown away.
const SKIP_BYTES: usize = 64 << 10;

/// Reads one source from start to end, block by block.
#[derive(Debug)]
pub struct BlockReader<R> {
    reader: R,
    source: Arc<Source>,
    reference: Timestamp,
    next: Position,
    /// Bytes read after the last line end.
    carry: Vec<u8>,
    ended: bool,
    /// Names the columns of the lines to come.
    heading: Option<Arc<[u8]>>,
}

impl<R: Read> BlockReader<R> {
    /// `reader` stands at `start`.
    pub fn new(reader: R, source: Arc<Source>, start: Position, reference: Timestamp) -> Self {
        BlockReader { reader, source, reference, next: start, carry: Vec::new(), ended: false, heading: None }
    }

    /// What names the columns of the first lines, where the reader does not stand at the start.
    pub(crate) fn with_heading(self, heading: Option<Arc<[u8]>>) -> Self {
        BlockReader { heading, ..self }
    }

    /// The source that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The next block, or `None` at the end. After an error the lines read before it have still been handed over:
    /// the block comes first, the error with the next call.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        loop {
            let mut bytes = std::mem::take(&mut self.carry);
            if let Some(error) = self.fill(&mut bytes) {
                return self.after_error(bytes, error);
            }
            match memrchr(b'\n', &bytes) {
                None if bytes.is_empty() => return Ok(None),
                Some(end) => {
                    self.carry = if self.ended { Vec::new() } else { bytes.split_off(block_end(&bytes, end + 1)) };
                    return Ok(Some(self.hand_over(bytes, None)));
                }
                None if self.ended => return Ok(Some(self.hand_over(bytes, None))),
                None if bytes[0] == 0 => {
                    let nuls = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
                    self.next.offset += nuls as u64;
                    self.carry = bytes.split_off(nuls);
                }
                None => return self.cut_line(bytes),
            }
        }
    }

    /// Reads until there is a block, the input ends or fails.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> Option<io::Error> {
        // Room beyond the block, so that the last read does not find the buffer full and grow it.
        bytes.reserve_exact(BLOCK_BYTES.saturating_sub(bytes.len()) + SPARE_BYTES);
        while !self.ended && bytes.len() < BLOCK_BYTES {
            let wanted = (BLOCK_BYTES - bytes.len()) as u64;
            match self.reader.by_ref().take(wanted).read_to_end(bytes) {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// What was read before an error is handed over once; the error comes again with the next call.
    fn after_error(&mut self, mut bytes: Vec<u8>, error: io::Error) -> io::Result<Option<Block>> {
        let end = memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        if end == 0 {
            return Err(error);
        }
        self.carry = bytes.split_off(end);
        Ok(Some(self.hand_over(bytes, None)))
    }

    /// The start of a line that is longer than a block: the rest is read and dropped.
    fn cut_line(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Block>> {
        let mut full = bytes.len() as u64;
        let mut skipped = vec![0; SKIP_BYTES];
        loop {
            let read = self.reader.read(&mut skipped)?;
            if read == 0 {
                self.ended = true;
                break;
            }
            if let Some(end) = memchr(b'\n', &skipped[..read]) {
                full += end as u64 + 1;
                self.carry = skipped[end + 1..read].to_vec();
                break;
            }
            full += read as u64;
        }
        bytes.truncate(LINE_BYTES_MAX);
        Ok(Some(self.hand_over(bytes, Some(full))))
    }

    fn hand_over(&mut self, bytes: Vec<u8>, cut_line_bytes: Option<u64>) -> Block {
        let lines = memchr::memchr_iter(b'\n', &bytes).count() + usize::from(bytes.last() != Some(&b'\n'));
        let start = self.next;
        self.next.offset += cut_line_bytes.unwrap_or(bytes.len() as u64);
        self.next.line += lines as u64;
        let heading = self.heading.clone();
        self.heading = heading_after(self.heading.take(), &bytes);
        Block { cut_line_bytes, heading, ..Block::new(Arc::clone(&self.source), start, bytes, self.reference) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: &[u8]) -> Vec<Block> {
        let source = Block::detached("test", Vec::new(), Timestamp(0)).source;
        let mut reader = BlockReader::new(bytes, source, Position::default(), Timestamp(0));
        std::iter::from_fn(|| reader.next_block().unwrap()).collect()
    }

    #[test]
    fn blocks_hold_whole_lines_and_together_the_whole_input() {
        let line = "0123456789".repeat(20) + "\n";
        let input = line.repeat(20_000);
        let blocks = blocks(input.as_bytes());
        assert!(blocks.len() >= 3);
        let mut position = Position::default();
        for block in &blocks {
            assert_eq!(block.start, position);
            assert_eq!(block.bytes.last(), Some(&b'\n'));
            position.offset += block.bytes.len() as u64;
            position.line += (block.bytes.len() / line.len()) as u64;
        }
        assert_eq!(position, Position { offset: input.len() as u64, line: 20_000 });
    }

    #[test]
    fn an_empty_input_has_no_blocks_and_a_missing_line_feed_loses_nothing() {
        assert!(blocks(b"").is_empty());
        assert_eq!(blocks(b"a\nb")[0].bytes, b"a\nb");
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_line_keeps_its_place() {
        let mut input = b"first\n".to_vec();
        input.extend(vec![b'x'; 20 << 20]);
        input.extend(b"\nlast\n");
        let blocks = blocks(&input);
        let cut = blocks.iter().find(|block| block.cut_line_bytes.is_some()).unwrap();
        assert_eq!(cut.cut_line_bytes, Some((20 << 20) + 1));
        assert_eq!(cut.bytes.len(), LINE_BYTES_MAX);
        let last = blocks.last().unwrap();
        assert_eq!((last.bytes.as_slice(), last.start.line), (&b"last\n"[..], 2));
        assert_eq!(last.start.offset, 6 + (20 << 20) + 1);
    }

    #[test]
    fn a_run_of_nuls_hides_no_line_however_long_it_is() {
        let mut input = b"first\n".to_vec();
        input.extend(vec![0; (5 << 20) + 77]);
        input.extend(b"second\nthird\n");
        let blocks = blocks(&input);
        assert!(blocks.iter().all(|block| block.cut_line_bytes.is_none()));
        let last = blocks.last().unwrap();
        let nuls = last.bytes.iter().take_while(|byte| **byte == 0).count();
        assert_eq!(&last.bytes[nuls..], b"second\nthird\n");
        assert_eq!((last.start.offset + nuls as u64, last.start.line), (6 + (5 << 20) + 77, 1));
    }

    #[test]
    fn the_names_of_columns_come_with_each_block_behind_them() {
        let line = "1 2 3\n".repeat(BLOCK_BYTES / 5);
        let input = format!("#Fields: a b c\n{line}#Fields: c b a\n1 2 3\n{line}");
        let headings: Vec<_> = blocks(input.as_bytes()).into_iter().map(|block| block.heading).collect();
        let texts: Vec<_> = headings.iter().map(|heading| heading.as_deref().map(String::from_utf8_lossy)).collect();
        assert_eq!((texts[0].as_deref(), texts[1].as_deref()), (None, Some("#Fields: a b c")));
        assert_eq!(texts.last().and_then(Option::as_deref), Some("#Fields: c b a"));
    }

    struct Failing(&'static [u8]);

    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("the disk is gone"));
            }
            self.0.read(into)
        }
    }

    #[test]
    fn lines_before_an_error_are_handed_over_before_the_error() {
        let source = Block::detached("test", Vec::new(), Timestamp(0)).source;
        let mut reader = BlockReader::new(Failing(b"a\nb\nhalf"), source, Position::default(), Timestamp(0));
        assert_eq!(reader.next_block().unwrap().unwrap().bytes, b"a\nb\n");
        assert_eq!(reader.next_block().unwrap_err().to_string(), "the disk is gone");
    }
}
