//! Several files as one stream of blocks, in the order of their first event times: correlations then see events of all
//! files roughly in order, and each block says what time nothing that follows can be older than.
//!
//! A file is opened when the stream reaches its first time, so that a rotated set needs one or two open files.

use std::sync::Arc;

use event::{Block, Source, Timestamp};

use crate::file::{FileBlocks, ReadError};
use crate::input::{Pull, Pulled};

/// Files open at once. Files beyond it wait; their events may then come late.
pub const OPEN_FILES_MAX: usize = 48;

/// A file to be read: its first event time, if it names one, and how to open it.
#[allow(missing_debug_implementations, reason = "holds a function")]
pub struct UnopenedFile {
    /// Time of the first event that names one; `None`: the file is read first.
    pub first_time: Option<Timestamp>,
    /// For people.
    pub name: String,
    /// Opens it where reading goes on.
    pub open: Box<dyn FnOnce() -> Result<FileBlocks, ReadError> + Send>,
}

type FirstTime = Box<dyn FnMut(&Block) -> Option<Timestamp> + Send>;

/// Files in the order of their events.
pub struct Merge {
    /// Latest first: the next one is at the end.
    waiting: Vec<UnopenedFile>,
    open: Vec<OpenFile>,
    first_time: FirstTime,
    failed: Vec<Pulled>,
}

struct OpenFile {
    blocks: FileBlocks,
    head: Block,
    time: Timestamp,
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Merge {{ waiting: {}, open: {} }}", self.waiting.len(), self.open.len())
    }
}

/// Files without a time come first: they cannot hold anyone up.
fn order(time: Option<Timestamp>) -> Timestamp {
    time.unwrap_or(Timestamp(i64::MIN))
}

impl Pull for Merge {
    fn pull(&mut self) -> Option<Pulled> {
        Merge::pull(self)
    }
}

impl Merge {
    /// `first_time` finds the event time of a block's first line that names one.
    pub fn new(
        mut files: Vec<UnopenedFile>,
        first_time: impl FnMut(&Block) -> Option<Timestamp> + Send + 'static,
    ) -> Self {
        files.sort_by_key(|file| order(file.first_time));
        files.reverse();
        Merge { waiting: files, open: Vec::new(), first_time: Box::new(first_time), failed: Vec::new() }
    }

    /// The next block, by time; `None` when every file has ended.
    pub fn pull(&mut self) -> Option<Pulled> {
        self.open_due();
        if let Some(failed) = self.failed.pop() {
            return Some(failed);
        }
        let first = (0..self.open.len()).min_by_key(|at| self.open[*at].time)?;
        let next = self.next_head(first);
        let open = &mut self.open[first];
        let block = match next {
            Some((head, time)) => {
                open.time = time;
                std::mem::replace(&mut open.head, head)
            }
            None => self.open.remove(first).head,
        };
        self.open_due();
        let heads = self.open.iter().map(|open| open.time);
        let followed_by = heads.chain(self.waiting.last().map(|file| order(file.first_time))).min();
        Some(Pulled::Block { block, followed_by })
    }

    /// Opens the files whose time has come.
    fn open_due(&mut self) {
        while self.open.len() < OPEN_FILES_MAX {
            let reached = self.open.iter().map(|open| open.time).min();
            let due = self.waiting.last().is_some_and(|file| reached.is_none_or(|time| order(file.first_time) <= time));
            let Some(file) = (if due { self.waiting.pop() } else { None }) else { return };
            let time = order(file.first_time);
            match (file.open)() {
                Ok(mut blocks) => match blocks.next_block() {
                    Ok(Some(head)) => self.open.push(OpenFile { blocks, head, time }),
                    Ok(None) => {}
                    Err(error) => self.fail(file.name, error.into()),
                },
                Err(error) => self.fail(file.name, error),
            }
        }
    }

    fn fail(&mut self, name: String, error: ReadError) {
        self.failed.push(Pulled::Failed { name, error });
    }

    /// The file's next block and its time: the one it names, but never before the block in front of it.
    fn next_head(&mut self, at: usize) -> Option<(Block, Timestamp)> {
        let source: Arc<Source> = Arc::clone(self.open[at].blocks.source());
        match self.open[at].blocks.next_block() {
            Ok(Some(head)) => {
                let time = (self.first_time)(&head).map_or(self.open[at].time, |time| time.max(self.open[at].time));
                Some((head, time))
            }
            Ok(None) => None,
            Err(error) => {
                self.fail(source.name.clone(), error.into());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use event::{Position, SourceId};

    use super::*;
    use crate::block_reader::BlockReader;

    /// The first byte of a block is its time; blocks end where the reader is told to by their size.
    fn file(name: &'static str, lines: &'static [u8]) -> UnopenedFile {
        let text: Vec<u8> =
            lines.iter().flat_map(|time| [vec![*time], vec![b'x'; 600_000], vec![b'\n']].concat()).collect();
        let source = Arc::new(Source { id: SourceId(0), name: name.to_owned() });
        let reader: Box<dyn io::Read + Send> = Box::new(io::Cursor::new(text));
        UnopenedFile {
            first_time: Some(Timestamp(i64::from(lines[0]))),
            name: name.to_owned(),
            open: Box::new(move || Ok(BlockReader::new(reader, source, Position::default(), Timestamp(0)))),
        }
    }

    fn first(block: &Block) -> Option<Timestamp> {
        block.bytes.first().map(|byte| Timestamp(i64::from(*byte)))
    }

    #[test]
    fn blocks_come_in_the_order_of_their_times_and_say_what_follows() {
        let mut merge = Merge::new(vec![file("b", b"258"), file("a", b"147"), file("late", b"9")], first);
        let mut seen = Vec::new();
        while let Some(Pulled::Block { block, followed_by }) = merge.pull() {
            seen.push((block.bytes[0] as char, followed_by.map(|time| time.0 as u8 as char)));
        }
        let order: String = seen.iter().map(|(time, _)| *time).collect();
        assert_eq!(order, "1245789");
        let promises: Vec<_> = seen.iter().map(|(_, promise)| *promise).collect();
        assert_eq!(promises, [Some('2'), Some('4'), Some('5'), Some('7'), Some('8'), Some('9'), None]);
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named_and_the_others_are_read() {
        let broken = UnopenedFile {
            first_time: None,
            name: "gone".into(),
            open: Box::new(|| Err(io::Error::other("it vanished").into())),
        };
        let mut merge = Merge::new(vec![file("a", b"1"), broken], first);
        let pulled: Vec<_> = std::iter::from_fn(|| merge.pull()).collect();
        assert!(
            matches!(&pulled[0], Pulled::Failed { name, error } if name == "gone" && error.to_string() == "it vanished")
        );
        assert!(matches!(&pulled[1], Pulled::Block { .. }));
        assert_eq!(pulled.len(), 2);
    }
}
