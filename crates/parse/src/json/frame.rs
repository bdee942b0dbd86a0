//! What stands around the values of JSON lines (braces, keys, colons, blanks), kept of lines of one block, and what was found out
//! about their keys. Bounded. Reads no lines: see [`super::framed`].

use event::ValueTag;

use crate::naming::places::{MemberId, MemberPlace};
use crate::needle::Head;
use crate::shape::model::Signs;

/// Frames that are kept of one block.
pub(super) const FRAMES_MAX: usize = 8;
/// Frames that are made for one block: a sender of ever new ones gets no more.
pub(super) const MADE_MAX: usize = 64;
/// Lines that no frame fits, one behind the other, after which none is tried where none is made anymore.
const MISSED_MAX: usize = 32;
/// Values of a line of which a frame is made, and bytes of the line.
pub(super) const VALUES_MAX: usize = 512;
pub(super) const LINE_BYTES_MAX: usize = 16_384;

/// A value of the line that is read the long way: where it stands, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FramedLeaf {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) depth: usize,
    pub(super) place: MemberPlace,
}

/// A value and what stands in front of it, back to the value before.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) before: Head,
    pub(super) depth: usize,
    pub(super) place: MemberPlace,
}

/// What stands around the values of a line.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) values: Vec<Framed>,
    pub(super) end: Box<[u8]>,
    /// Members that are no objects, and keys of signatures.
    pub(super) row: Vec<MemberId>,
    pub(super) signs: Signs,
    /// Number of the frame of the line that came behind the last such line.
    pub(super) next: usize,
}

/// A value that was read: where its text stands, or the number of a text without its escapes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReadValue {
    Plain(usize, usize, ValueTag),
    Unescaped(usize, ValueTag),
}

/// Frames of one block, and buffers for the line at hand.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) known: Vec<Frame>,
    /// Number of the last line's frame.
    pub(super) last: usize,
    pub(super) made: usize,
    pub(super) missed: usize,
    /// Numbers of those that the line was compared with.
    pub(super) tried: [usize; 2],
    pub(super) read: Vec<ReadValue>,
    pub(super) unescaped: Vec<String>,
    /// Values of the line that is read the long way.
    pub(super) leaves: Vec<FramedLeaf>,
}

impl Frames {
    /// Members have other numbers in each block.
    pub(super) fn begin_block(&mut self) {
        self.known.clear();
        (self.last, self.made, self.missed) = (0, 0, 0);
    }

    /// A value of a line that is read the long way.
    #[inline]
    pub(super) fn note(&mut self, leaf: FramedLeaf) {
        if self.leaves.len() <= VALUES_MAX {
            self.leaves.push(leaf);
        }
    }

    pub(super) fn is_tried(&self) -> bool {
        self.made < MADE_MAX || self.missed < MISSED_MAX
    }

    /// The line at hand has this frame.
    pub(super) fn follow(&mut self, number: usize) {
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
    }
}
