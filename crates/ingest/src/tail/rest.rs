//! The rest of a file that was rotated and compressed while nobody followed it: read from where it had been read to, as the
//! same source. An archive that is still being written, or is damaged, is tried again for a while.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use event::{Block, Position, SourceId};

use crate::file::{FileBlocks, FileSource, ReadError};

/// Between two tries with an archive that cannot be read to its end, and how many there are.
const RETRY: Duration = Duration::from_secs(2);
const TRIES_MAX: u32 = 30;

/// What is left of an archive.
pub(super) struct Rest {
    /// The file that it was made of.
    pub(super) family: PathBuf,
    pub(super) path: PathBuf,
    pub(super) id: SourceId,
    pub(super) position: Position,
    blocks: Option<FileBlocks>,
    tries: u32,
    retry_at: Instant,
}

/// What came of a try.
pub(super) enum Next {
    Block(Block),
    /// Not now.
    Later(ReadError),
    /// It has been read to its end.
    Done,
    /// It cannot be read to its end.
    GivenUp(ReadError),
}

impl Rest {
    pub(super) fn new(family: PathBuf, path: PathBuf, id: SourceId, position: Position) -> Self {
        Rest { family, path, id, position, blocks: None, tries: 0, retry_at: Instant::now() }
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.retry_at
    }

    pub(super) fn next(&mut self) -> Next {
        match self.read() {
            Ok(Some(block)) => {
                let lines = memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
                let unfinished = u64::from(block.bytes.last() != Some(&b'\n'));
                self.position.offset = block.start.offset + block.cut_line_bytes.unwrap_or(block.bytes.len() as u64);
                self.position.line = block.start.line + lines + unfinished;
                Next::Block(block)
            }
            Ok(None) => Next::Done,
            Err(error) => {
                self.blocks = None;
                self.tries += 1;
                self.retry_at = Instant::now() + RETRY;
                if self.tries < TRIES_MAX { Next::Later(error) } else { Next::GivenUp(error) }
            }
        }
    }

    fn read(&mut self) -> Result<Option<Block>, ReadError> {
        let blocks = match &mut self.blocks {
            Some(blocks) => blocks,
            None => {
                let file = FileSource::open(&self.path)?;
                self.blocks.insert(file.read_from(self.id, self.position)?)
            }
        };
        Ok(blocks.next_block()?)
    }
}
