//! One entry of the spool as bytes: a header with two checksums, the sender's name, and whole lines.
//!
//! ```text
//! magic 4 · header checksum 4 · payload length 4 · payload checksum 4 · offset 8 · line 8 · received 8 · lines 4
//! · name length 2 · zero 2 · name · payload        (little endian; checksums are CRC-32)
//! ```

use event::{Position, Timestamp};
use memchr::{memchr_iter, memrchr};

use crate::spool::batch::{Batch, ENTRY_BYTES_MAX};

pub(super) const HEADER_BYTES: usize = 48;
pub(super) const MAGIC: [u8; 4] = *b"C3S1";
/// Longest name of a sender that is kept.
const NAME_BYTES_MAX: usize = 1024;

/// What is known of an entry before its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub(super) payload_bytes: u32,
    payload_checksum: u32,
    pub(super) lines: u32,
    pub(super) received: Timestamp,
}

/// A header that was read: it says where the entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) header: EntryHeader,
    pub(super) start: Position,
    pub(super) name_bytes: usize,
    header_checksum: u32,
}

/// Cuts lines into parts of at most [`ENTRY_BYTES_MAX`] bytes, at line ends. Only a line that is longer than that is
/// cut.
pub(super) fn split(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let limit = rest.len().min(ENTRY_BYTES_MAX);
        let end = if limit == rest.len() { limit } else { memrchr(b'\n', &rest[..limit]).map_or(limit, |at| at + 1) };
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

fn short(name: &str) -> &[u8] {
    &name.as_bytes()[..name.len().min(NAME_BYTES_MAX)]
}

impl EntryHeader {
    pub(super) fn new(batch: &Batch<'_>, payload: &[u8]) -> Self {
        EntryHeader {
            payload_bytes: payload.len() as u32,
            payload_checksum: crc32fast::hash(payload),
            lines: memchr_iter(b'\n', payload).count() as u32,
            received: batch.received,
        }
    }

    pub(super) fn encoded_length(&self, origin: &str) -> usize {
        HEADER_BYTES + short(origin).len() + self.payload_bytes as usize
    }

    pub(super) fn write(&self, start: Position, origin: &str, payload: &[u8], out: &mut Vec<u8>) {
        let name = short(origin);
        let mut head = [0_u8; HEADER_BYTES];
        head[..4].copy_from_slice(&MAGIC);
        head[8..12].copy_from_slice(&self.payload_bytes.to_le_bytes());
        head[12..16].copy_from_slice(&self.payload_checksum.to_le_bytes());
        head[16..24].copy_from_slice(&start.offset.to_le_bytes());
        head[24..32].copy_from_slice(&start.line.to_le_bytes());
        head[32..40].copy_from_slice(&self.received.0.to_le_bytes());
        head[40..44].copy_from_slice(&self.lines.to_le_bytes());
        head[44..46].copy_from_slice(&(name.len() as u16).to_le_bytes());
        let checksum = header_checksum(&head, name);
        head[4..8].copy_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(name);
        out.extend_from_slice(payload);
    }
}

/// Over all of the header behind the checksum, and the name.
fn header_checksum(head: &[u8; HEADER_BYTES], name: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[8..]);
    hasher.update(name);
    hasher.finalize()
}

impl Placed {
    /// `None` where the bytes are no header that could have been written.
    pub(super) fn read(head: &[u8; HEADER_BYTES]) -> Option<Placed> {
        let four = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        let name_bytes = usize::from(u16::from_le_bytes([head[44], head[45]]));
        let header = EntryHeader {
            payload_bytes: four(8),
            payload_checksum: four(12),
            lines: four(40),
            received: Timestamp(eight(32) as i64),
        };
        let start = Position { offset: eight(16), line: eight(24) };
        let sound = head[..4] == MAGIC
            && name_bytes <= NAME_BYTES_MAX
            && header.payload_bytes as usize <= ENTRY_BYTES_MAX
            && header.payload_bytes > 0;
        sound.then_some(Placed { header, start, name_bytes, header_checksum: four(4) })
    }

    /// Whether header, name and payload are what was written.
    pub(super) fn is_whole(&self, head: &[u8; HEADER_BYTES], name: &[u8], payload: &[u8]) -> bool {
        self.header_checksum == header_checksum(head, name) && self.header.payload_checksum == crc32fast::hash(payload)
    }

    pub(super) fn end(&self) -> Position {
        Position {
            offset: self.start.offset + u64::from(self.header.payload_bytes),
            line: self.start.line + u64::from(self.header.lines),
        }
    }

    pub(super) fn encoded_length(&self) -> u64 {
        (HEADER_BYTES + self.name_bytes) as u64 + u64::from(self.header.payload_bytes)
    }
}
