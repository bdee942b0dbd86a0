//! One entry of the spool as bytes: a header with two checksums, the sender's name, the names of batches, and whole lines.
//!
//! ```text
//! magic 4 · header checksum 4 · payload length 4 · payload checksum 4 · offset 8 · line 8 · received 8 · lines 4
//! · name length 2 · batches and marks 2 · name · batches · payload        (little endian; checksums are CRC-32)
//! batch: its name 16 · how much of it is here, or was before 8; mark 0x8000: a part of the last line was cut
//! ```
//! `C3S1` has neither batches nor marks: entries of earlier versions, and those that need none, which earlier versions can read as well.

use event::{Position, Timestamp};
use memchr::{memchr_iter, memrchr};

use crate::spool::batch::{Batch, ENTRY_BYTES_MAX};
use crate::spool::extent::{Extent, NameRecord};

pub(super) const HEADER_BYTES: usize = 48;
/// What all entries begin with.
pub(super) const MAGIC_START: &[u8] = b"C3S";
const MAGIC: [u8; 4] = *b"C3S1";
const MAGIC_MARKED: [u8; 4] = *b"C3S2";
/// Bytes of the name of a batch, with how much of it there is.
const BATCH_BYTES: usize = 24;
/// Stands beside the number of batches.
const CUT_MARK: u16 = 0x8000;
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

/// An entry before its place is known, and the batches of which it holds something.
#[derive(Debug)]
pub(super) struct EntryPart {
    pub(super) header: EntryHeader,
    names: Vec<(u128, Extent)>,
    is_cut: bool,
}

/// A header that was read: it says where the entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) header: EntryHeader,
    pub(super) start: Position,
    name_bytes: usize,
    names: usize,
    /// A part of the last line was cut.
    pub(super) is_cut: bool,
    header_checksum: u32,
}

/// Cuts lines into parts of at most [`ENTRY_BYTES_MAX`] bytes, at line ends. Only a line that is longer than that is
/// cut.
fn split(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
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

/// The entries that a batch becomes.
pub(super) fn parts(batch: &Batch<'_>) -> Vec<EntryPart> {
    let mut start = 0;
    let part = |payload: &[u8]| {
        let range = start..start + payload.len();
        start = range.end;
        let header = EntryHeader {
            payload_bytes: payload.len() as u32,
            payload_checksum: crc32fast::hash(payload),
            lines: memchr_iter(b'\n', payload).count() as u32,
            received: batch.received,
        };
        let names = batch.names.iter().filter_map(|name| Some((name.id, name.within(&range)?))).collect();
        EntryPart { header, names, is_cut: batch.is_cut && range.end == batch.lines.len() }
    };
    split(batch.lines).map(part).collect()
}

impl EntryPart {
    pub(super) fn encoded_length(&self, origin: &str) -> usize {
        HEADER_BYTES + short(origin).len() + self.names.len() * BATCH_BYTES + self.header.payload_bytes as usize
    }

    /// The names of batches, for an entry that ends there.
    pub(super) fn records(&self, end: u64) -> impl Iterator<Item = NameRecord> {
        self.names.iter().map(move |(id, extent)| NameRecord { id: *id, extent: *extent, end })
    }

    pub(super) fn write(&self, start: Position, origin: &str, payload: &[u8], out: &mut Vec<u8>) {
        let EntryPart { header, names, is_cut } = self;
        let name = short(origin);
        let mut lead = Vec::with_capacity(name.len() + names.len() * BATCH_BYTES);
        lead.extend_from_slice(name);
        for (id, extent) in names {
            lead.extend_from_slice(&id.to_le_bytes());
            lead.extend_from_slice(&extent.number().to_le_bytes());
        }
        let mut head = [0_u8; HEADER_BYTES];
        let marks = if *is_cut { CUT_MARK } else { 0 };
        head[..4].copy_from_slice(if names.is_empty() && marks == 0 { &MAGIC } else { &MAGIC_MARKED });
        head[8..12].copy_from_slice(&header.payload_bytes.to_le_bytes());
        head[12..16].copy_from_slice(&header.payload_checksum.to_le_bytes());
        head[16..24].copy_from_slice(&start.offset.to_le_bytes());
        head[24..32].copy_from_slice(&start.line.to_le_bytes());
        head[32..40].copy_from_slice(&header.received.0.to_le_bytes());
        head[40..44].copy_from_slice(&header.lines.to_le_bytes());
        head[44..46].copy_from_slice(&(name.len() as u16).to_le_bytes());
        head[46..48].copy_from_slice(&(names.len() as u16 | marks).to_le_bytes());
        let checksum = header_checksum(&head, &lead);
        head[4..8].copy_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(&lead);
        out.extend_from_slice(payload);
    }
}

/// Over all of the header behind the checksum, and what stands before the lines.
fn header_checksum(head: &[u8; HEADER_BYTES], lead: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[8..]);
    hasher.update(lead);
    hasher.finalize()
}

impl Placed {
    /// `None` where the bytes are no header that could have been written.
    pub(super) fn read(head: &[u8; HEADER_BYTES]) -> Option<Placed> {
        let four = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        let two = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (name_bytes, marks) = (two(44), two(46));
        let is_cut = marks & usize::from(CUT_MARK) != 0;
        let names = marks & !usize::from(CUT_MARK);
        let header = EntryHeader {
            payload_bytes: four(8),
            payload_checksum: four(12),
            lines: four(40),
            received: Timestamp(eight(32) as i64),
        };
        let start = Position { offset: eight(16), line: eight(24) };
        let is_entry = (head[..4] == MAGIC && marks == 0) || head[..4] == MAGIC_MARKED;
        let is_sound = is_entry
            && name_bytes <= NAME_BYTES_MAX
            && header.payload_bytes as usize <= ENTRY_BYTES_MAX
            && header.payload_bytes > 0;
        is_sound.then_some(Placed { header, start, name_bytes, names, is_cut, header_checksum: four(4) })
    }

    /// Bytes between the header and the lines.
    pub(super) fn lead_bytes(&self) -> usize {
        self.name_bytes + self.names * BATCH_BYTES
    }

    /// Name of the sender, of what stands before the lines.
    pub(super) fn sender<'a>(&self, lead: &'a [u8]) -> &'a [u8] {
        &lead[..self.name_bytes.min(lead.len())]
    }

    /// The names of batches, of what stands before the lines.
    pub(super) fn records(&self, lead: &[u8]) -> impl Iterator<Item = NameRecord> {
        let end = self.end().offset;
        let (batches, _) = lead.get(self.name_bytes..).unwrap_or_default().as_chunks::<BATCH_BYTES>();
        batches.iter().map(move |batch| {
            let number = batch.iter().rev().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            let id = batch[..16].iter().rev().fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
            NameRecord { id, extent: Extent::of(number), end }
        })
    }

    /// Whether the header, what stands before the lines, and the lines are what was written.
    pub(super) fn is_whole(&self, head: &[u8; HEADER_BYTES], lead: &[u8], payload: &[u8]) -> bool {
        self.header_checksum == header_checksum(head, lead) && self.header.payload_checksum == crc32fast::hash(payload)
    }

    pub(super) fn end(&self) -> Position {
        Position {
            offset: self.start.offset + u64::from(self.header.payload_bytes),
            line: self.start.line + u64::from(self.header.lines),
        }
    }

    pub(super) fn encoded_length(&self) -> u64 {
        (HEADER_BYTES + self.lead_bytes()) as u64 + u64::from(self.header.payload_bytes)
    }
}
