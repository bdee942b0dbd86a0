//! What a source hands over: about a mebibyte of whole lines and where in the source they stood.

use std::sync::Arc;

use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// Identity of a source that survives renames and restarts. Derived from its content, never random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u128);

/// Identity of one event: the source and the byte offset of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

/// First 128 bits of SHA-256 over the parts, each with its length in front so that parts cannot run together.
pub fn digest(parts: &[&[u8]]) -> u128 {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&sha.finalize()[..16]);
    u128::from_be_bytes(first)
}

impl EventId {
    /// Two lines of a source never share one, because the factor is odd; those of two sources are as far apart as the
    /// hashes that the sources are.
    pub fn derive(source: SourceId, offset: u64) -> Self {
        const SPREAD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
        EventId(source.0.wrapping_add(u128::from(offset).wrapping_mul(SPREAD)))
    }
}

macro_rules! hexadecimal_id {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(out, "{:032x}", self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                u128::from_str_radix(text, 16).map($name)
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use hexadecimal_id;

hexadecimal_id!(SourceId);
hexadecimal_id!(EventId);

/// Where lines come from: a file, later a socket or a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Derived from the content, so that it outlives the name.
    pub id: SourceId,
    /// For people: the path or address.
    pub name: String,
}

/// How far a source has been read: everything before it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes from the start of the (decompressed) source.
    pub offset: u64,
    /// Lines before this position.
    pub line: u64,
}

/// Where the lines of a block stand in their source, and who sent them, where that is not one source from start to end.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// From which byte of the block on another sender's lines begin, in order; empty: all are the source's own. The
    /// senders share the source's id: they differ in name only.
    pub origins: Vec<(u32, Arc<Source>)>,
    /// Offset of each line in the source; empty: the start and the bytes before the line.
    pub line_offsets: Vec<u64>,
}

/// Whole lines of one source. Only the last line may lack its line feed: at the end of the source, or where it was cut.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where the lines come from.
    pub source: Arc<Source>,
    /// Position of the first byte.
    pub start: Position,
    /// The lines, each with its line feed.
    pub bytes: Vec<u8>,
    /// Length in bytes of the last line as received, where it was longer than the limit and has been cut.
    pub cut_line_bytes: Option<u64>,
    /// When the lines were received (files: when last written). Years that lines do not name are counted from here.
    pub reference: Timestamp,
    /// Senders and offsets, where they do not follow from the source and the start.
    pub layout: Layout,
    /// The last line in front of the block that names the columns of those below, as W3C logs have it; see [`heading_after`].
    pub heading: Option<Arc<[u8]>>,
}

/// Longest line of columns that is remembered.
const HEADING_BYTES_MAX: usize = 8192;

/// How lines of columns begin: of W3C logs, and of Zeek.
const HEADINGS: [&[u8]; 2] = [b"#Fields:", b"#fields\t"];

/// The last line that names columns; what was known before where there is none.
pub fn heading_after(before: Option<Arc<[u8]>>, bytes: &[u8]) -> Option<Arc<[u8]>> {
    let is_line = |at: &usize| *at == 0 || bytes[at - 1] == b'\n';
    let last_of = |heading: &&[u8]| memmem::find_iter(bytes, *heading).filter(is_line).last();
    let last = HEADINGS.iter().filter_map(last_of).max();
    let Some(start) = last else { return before };
    let line = &bytes[start..];
    let end = memchr(b'\n', line).unwrap_or(line.len());
    (end <= HEADING_BYTES_MAX).then(|| line[..end].into())
}

impl Block {
    /// Lines that stand one after another in their source.
    pub fn new(source: Arc<Source>, start: Position, bytes: Vec<u8>, reference: Timestamp) -> Self {
        Block { source, start, bytes, cut_line_bytes: None, reference, layout: Layout::default(), heading: None }
    }

    /// A block that stands alone, for tests, benches and standard input.
    pub fn detached(name: &str, bytes: Vec<u8>, reference: Timestamp) -> Self {
        let source = Source { id: SourceId(digest(&[name.as_bytes()])), name: name.to_owned() };
        Block::new(Arc::new(source), Position::default(), bytes, reference)
    }
}
