//! One file that is followed: what of its beginning is known, and its next whole lines. A file that no longer begins as it
//! did has been written anew, whatever its length.

use std::fs::{File, Metadata};
use std::hash::BuildHasher;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use event::block::{digest, heading_after};
use event::{Block, Position, Source, Timestamp};
use hashbrown::DefaultHashBuilder;
use memchr::{memchr, memrchr};

use crate::block_reader::{BLOCK_BYTES, LINE_BYTES_MAX};
use crate::content::{Content, utf16};
use crate::file::{FINGERPRINT_BYTES, FileSource, Fingerprint};

/// Bytes before the position that are compared as well: a long file may be written anew behind a beginning of before.
const LAST_BYTES: usize = 256;
/// Bytes that are looked at once for the end of a hole.
const HOLE_BYTES: usize = 64 << 10;
/// A file that changed less than this ago may change again without a new time.
const SETTLED_US: i64 = 1_000_000;

/// Device and number of a file.
pub(super) type Inode = (u64, u64);

pub(super) fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}

/// What is known of a file's beginning.
#[derive(Clone, Debug)]
enum Head {
    /// All of it, while it is short.
    Bytes(Vec<u8>),
    /// Of [`FINGERPRINT_BYTES`].
    Hash(u64),
}

/// Sizes and times that change when a file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Stamp {
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_settled(&self, now: Timestamp) -> bool {
        let newest = self.modified.max(self.changed);
        newest.0.saturating_mul(1_000_000).saturating_add(newest.1 / 1_000).saturating_add(SETTLED_US) < now.0
    }
}

/// How the file is, compared with what has been read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Same,
    /// Shorter than what was read.
    Truncated,
    /// As long or longer, and another one.
    Rewritten,
}

/// The file as it lies on disk.
#[derive(Clone, Copy, Debug)]
struct Encoded {
    /// Where the position is in the file: the same, but in a file that is decoded.
    place: u64,
    /// The low byte comes first in each unit of a file in UTF-16; `None`: the file is read as it is.
    wide: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Followed {
    file: File,
    pub(super) inode: Inode,
    pub(super) source: Arc<Source>,
    pub(super) position: Position,
    encoded: Encoded,
    head: Head,
    hasher: DefaultHashBuilder,
    /// What stands before the position.
    last: Vec<u8>,
    /// Names the columns of the lines behind the position.
    heading: Option<Arc<[u8]>>,
    /// When it was compared last, and had settled.
    compared: Option<Stamp>,
    /// Looks since it was rotated away; `None` while it is the one under its name.
    pub(super) rotated: Option<u32>,
    /// Looks since nothing has its name.
    pub(super) gone: u32,
}

impl Followed {
    /// `beginning` was read from the same path; `None` where that has become another file meanwhile.
    pub(super) fn open(
        path: &Path,
        beginning: &FileSource,
        source: Arc<Source>,
        position: Position,
    ) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let hasher = DefaultHashBuilder::default();
        let mut followed = Followed {
            file,
            inode: inode(&metadata),
            source,
            position,
            encoded: Encoded {
                place: position.offset,
                wide: match beginning.content() {
                    Content::Utf16Le => Some(true),
                    Content::Utf16Be => Some(false),
                    _ => None,
                },
            },
            head: Head::Bytes(Vec::new()),
            hasher,
            last: Vec::new(),
            heading: beginning.heading_before(position),
            compared: None,
            rotated: None,
            gone: 0,
        };
        followed.set_head(beginning.start().to_vec());
        if let Some(is_little) = followed.encoded.wide {
            followed.encoded.place = place_of(&followed.file, is_little, position.offset)?;
            followed.set_head(followed.bytes_at(0, FINGERPRINT_BYTES)?);
        }
        followed.last = followed.bytes_before_place()?;
        Ok(followed.begins_as_known()?.then_some(followed))
    }

    fn bytes_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = read_at(&self.file, &mut bytes, offset)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn bytes_before_place(&self) -> io::Result<Vec<u8>> {
        let from = self.encoded.place.saturating_sub(LAST_BYTES as u64);
        self.bytes_at(from, (self.encoded.place - from) as usize)
    }

    /// This source in another file, which must begin with all that was read of it and go on; `None` where it does not.
    pub(super) fn continued_in(&self, path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if inode(&metadata) == self.inode || metadata.len() <= self.encoded.place {
            return Ok(None);
        }
        let other = Followed {
            file,
            inode: inode(&metadata),
            source: Arc::clone(&self.source),
            position: self.position,
            encoded: self.encoded,
            head: self.head.clone(),
            hasher: self.hasher.clone(),
            last: self.last.clone(),
            heading: self.heading.clone(),
            compared: None,
            rotated: Some(0),
            gone: 0,
        };
        Ok(other.begins_as_known()?.then_some(other))
    }

    /// Not under its name any more: read for a while, and to its end.
    pub(super) fn rotated_away(self) -> Self {
        Followed { rotated: Some(0), ..self }
    }

    /// Nothing has had its name for so many looks.
    pub(super) fn gone(self, gone: u32) -> Self {
        Followed { gone, ..self }
    }

    /// Passes over a hole at the start: a writer that goes on at its old place in a file that was cut off leaves one.
    pub(super) fn pass_hole(&mut self) -> io::Result<()> {
        let mut bytes = vec![0; HOLE_BYTES];
        while self.position.line == 0 && self.encoded.wide.is_none() {
            let read = read_at(&self.file, &mut bytes, self.position.offset)?;
            let zeros = bytes[..read].iter().take_while(|byte| **byte == 0).count();
            self.position.offset += zeros as u64;
            self.encoded.place = self.position.offset;
            if zeros < read || read == 0 {
                break;
            }
        }
        Ok(())
    }

    fn set_head(&mut self, mut bytes: Vec<u8>) {
        bytes.truncate(FINGERPRINT_BYTES);
        self.head = if bytes.len() < FINGERPRINT_BYTES {
            Head::Bytes(bytes)
        } else {
            Head::Hash(self.hasher.hash_one(&bytes[..]))
        };
    }

    /// Whether the file begins as it did, and what stands before the position is what was read.
    fn begins_as_known(&self) -> io::Result<bool> {
        let known = match &self.head {
            Head::Bytes(bytes) => bytes.len(),
            Head::Hash(_) => FINGERPRINT_BYTES,
        };
        let mut bytes = vec![0; known];
        let read = read_at(&self.file, &mut bytes, 0)?;
        let begins = read == known
            && match &self.head {
                Head::Bytes(head) => *head == bytes,
                Head::Hash(hash) => self.hasher.hash_one(&bytes[..]) == *hash,
            };
        let from = self.encoded.place.saturating_sub(self.last.len() as u64);
        if !begins || from + self.last.len() as u64 <= known as u64 {
            return Ok(begins);
        }
        let mut last = vec![0; self.last.len()];
        let read = read_at(&self.file, &mut last, from)?;
        Ok(read == last.len() && last == self.last)
    }

    /// Whether it is still what has been read. Cheap where nothing has been written to it.
    pub(super) fn fate(&mut self, now: Timestamp) -> io::Result<Fate> {
        let stamp = Stamp::of(&self.file.metadata()?);
        if stamp.size < self.encoded.place {
            return Ok(Fate::Truncated);
        }
        if self.compared == Some(stamp) {
            return Ok(Fate::Same);
        }
        if !self.begins_as_known()? {
            return Ok(Fate::Rewritten);
        }
        self.compared = stamp.is_settled(now).then_some(stamp);
        Ok(Fate::Same)
    }

    /// Goes on behind a block. What is known of the beginning, where that has grown.
    pub(super) fn pass(&mut self, block: &Block) -> Option<Fingerprint> {
        let lines = memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
        let unfinished = u64::from(block.bytes.last() != Some(&b'\n'));
        let start = block.start.offset;
        let end = start + block.cut_line_bytes.unwrap_or(block.bytes.len() as u64);
        self.position = Position { offset: end, line: block.start.line + lines + unfinished };
        self.heading = heading_after(self.heading.take(), &block.bytes);
        if let Some(is_little) = self.encoded.wide {
            return self.pass_decoded(block, is_little);
        }
        self.encoded.place = end;
        if block.cut_line_bytes.is_some() {
            self.last.clear();
            return None;
        }
        if block.bytes.len() >= LAST_BYTES {
            self.last = block.bytes[block.bytes.len() - LAST_BYTES..].to_vec();
        } else {
            self.last.extend_from_slice(&block.bytes);
            self.last.drain(..self.last.len().saturating_sub(LAST_BYTES));
        }
        let Head::Bytes(head) = &mut self.head else { return None };
        let mut head = std::mem::take(head);
        let known = head.len() as u64;
        let grows = known >= start && known < end;
        if grows {
            head.extend_from_slice(&block.bytes[(known - start) as usize..]);
            head.truncate(FINGERPRINT_BYTES);
        }
        let fingerprint = Fingerprint { bytes: head.len(), hash: digest(&[&head]) };
        self.set_head(head);
        grows.then_some(fingerprint)
    }

    /// As [`Self::pass`], where what is known of the file and what is told of the source are not the same bytes.
    fn pass_decoded(&mut self, block: &Block, is_little: bool) -> Option<Fingerprint> {
        self.encoded.place += utf16::encoded_bytes(&block.bytes);
        // Where the file cannot be read any more, the next look tells.
        self.last = self.bytes_before_place().ok()?;
        if block.start.offset >= FINGERPRINT_BYTES as u64 {
            return None;
        }
        let first = self.bytes_at(0, FINGERPRINT_BYTES.min(self.encoded.place as usize)).ok()?;
        let raw = self.bytes_at(0, (2 * FINGERPRINT_BYTES + 2).min(self.encoded.place as usize)).ok()?;
        self.set_head(first);
        let mut start = utf16::lines(&raw[utf16::mark_bytes(&raw) as usize..], is_little, false);
        start.truncate(FINGERPRINT_BYTES);
        Some(Fingerprint { bytes: start.len(), hash: digest(&[&start]) })
    }

    /// What is new of a file that is decoded: whole lines, or all of a line that is longer than a block.
    fn next_decoded(&self, bytes: &[u8], is_little: bool, to_the_end: bool) -> Option<Vec<u8>> {
        let whole = !to_the_end && bytes.len() < BLOCK_BYTES;
        Some(utf16::lines(bytes, is_little, whole)).filter(|text| !text.is_empty())
    }

    /// The next whole lines, or the start of a line that is longer than a block once its end is there.
    pub(super) fn next_block(&self, to_the_end: bool, clock: fn() -> Timestamp) -> io::Result<Option<Block>> {
        let waiting = self.file.metadata()?.len().saturating_sub(self.encoded.place);
        let mut bytes = vec![0; waiting.min(BLOCK_BYTES as u64) as usize];
        let read = read_at(&self.file, &mut bytes, self.encoded.place)?;
        bytes.truncate(read);
        let block = |bytes| {
            let heading = self.heading.clone();
            Block { heading, ..Block::new(Arc::clone(&self.source), self.position, bytes, clock()) }
        };
        if let Some(is_little) = self.encoded.wide {
            return Ok(self.next_decoded(&bytes, is_little, to_the_end).map(block));
        }
        match memrchr(b'\n', &bytes) {
            Some(end) => {
                bytes.truncate(end + 1);
                Ok(Some(block(bytes)))
            }
            None if read == BLOCK_BYTES => {
                let Some(full) = line_length(&self.file, self.position.offset, to_the_end)? else {
                    return Ok(None);
                };
                bytes.truncate(LINE_BYTES_MAX);
                Ok(Some(Block { cut_line_bytes: Some(full), ..block(bytes) }))
            }
            None if to_the_end && read > 0 => Ok(Some(block(bytes))),
            None => Ok(None),
        }
    }
}

/// Where so much text ends in a file in UTF-16.
fn place_of(file: &File, is_little: bool, offset: u64) -> io::Result<u64> {
    let mut first = [0; 2];
    let read = read_at(file, &mut first, 0)?;
    let (mut place, mut left) = (utf16::mark_bytes(&first[..read]), offset);
    let mut bytes = vec![0; HOLE_BYTES];
    while left > 0 {
        let read = read_at(file, &mut bytes, place)?;
        let text = utf16::lines(&bytes[..read], is_little, false);
        if text.is_empty() {
            break;
        }
        let used = (text.len() as u64).min(left);
        place += utf16::encoded_bytes(&text[..used as usize]);
        left -= used;
    }
    Ok(place)
}

fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], offset + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Length of the line with its line feed; `None` where its end has not been written yet.
fn line_length(file: &File, start: u64, to_the_end: bool) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; BLOCK_BYTES];
    let mut length = 0;
    loop {
        let read = read_at(file, &mut bytes, start + length)?;
        if let Some(end) = memchr(b'\n', &bytes[..read]) {
            return Ok(Some(length + end as u64 + 1));
        }
        length += read as u64;
        if read < bytes.len() {
            return Ok(to_the_end.then_some(length));
        }
    }
}
