//! Standard input as a source of a replay: known again by its beginning, as a file is, and read once.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use event::{Position, Source, SourceId, Timestamp};

use crate::block_reader::BlockReader;
use crate::content;
use crate::file::{FINGERPRINT_BYTES, FileBlocks, Fingerprint, new_id};

/// A stream whose beginning has been read.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct StreamSource {
    name: String,
    start: Vec<u8>,
    rest: Box<dyn Read + Send>,
    reference: Timestamp,
}

impl StreamSource {
    /// Reads the beginning, decompressed where it is compressed. `reference` is the time of lines that name no year.
    pub fn open(name: &str, stream: impl Read + Send + 'static, reference: Timestamp) -> io::Result<Self> {
        let (mut rest, _) = content::lines_of_stream(Path::new(name), stream)?;
        let mut start = Vec::new();
        rest.by_ref().take(FINGERPRINT_BYTES as u64).read_to_end(&mut start)?;
        Ok(StreamSource { name: name.to_owned(), start, rest, reference })
    }

    /// As it was opened with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes: for a look at the first lines.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Reference time of lines that name no year.
    pub fn reference(&self) -> Timestamp {
        self.reference
    }

    /// What is remembered of its start.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.start)
    }

    /// Identity of a stream that is seen for the first time: that of a file with the same beginning.
    pub fn new_id(&self) -> SourceId {
        new_id(&self.start, self.name.as_bytes())
    }

    /// The blocks from `position` on; what stands before it is read over.
    pub fn read_from(self, id: SourceId, position: Position) -> io::Result<FileBlocks> {
        let mut whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(self.start).chain(self.rest));
        io::copy(&mut whole.by_ref().take(position.offset), &mut io::sink())?;
        let source = Arc::new(Source { id, name: self.name });
        Ok(BlockReader::new(whole, source, position, self.reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_known_by_its_beginning_and_goes_on_behind_what_was_read() {
        let text = "a line of the stream\n".repeat(10_000);
        let open = || StreamSource::open("-", io::Cursor::new(text.clone().into_bytes()), Timestamp(7)).unwrap();
        let (first, again) = (open(), open());
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!((first.new_id(), first.start().len()), (again.new_id(), FINGERPRINT_BYTES));
        let read = |stream: StreamSource, offset| {
            let mut blocks = stream.read_from(SourceId(1), Position { offset, line: 0 }).unwrap();
            let mut bytes = 0;
            while let Some(block) = blocks.next_block().unwrap() {
                bytes += block.bytes.len();
            }
            bytes
        };
        assert_eq!((read(first, 0), read(again, 21 * 9_999)), (210_000, 21));
        assert_eq!(read(open(), 1 << 40), 0);
    }
}
