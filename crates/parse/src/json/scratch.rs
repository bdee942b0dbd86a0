//! What is kept between JSON lines: buffers, and the members of the lines before, by which columns are found without a look-up.

use event::{FieldId, Timestamp};

/// Buffers that are kept between lines.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) path: String,
    pub(super) best_time: Option<(usize, Timestamp)>,
    /// Members of the lines before, in their order: lines of one sender have the same ones, so that a look tells the
    /// column of a key.
    shape: Vec<Member>,
    /// The next of them.
    next: usize,
}

/// Members that are remembered.
const SHAPE_MAX: usize = 128;
/// Members that a line may leave out, to be found again.
const SHAPE_LOOKAHEAD: usize = 6;

/// A key of the outermost object, and what becomes of its value.
#[derive(Debug)]
struct Member {
    key: Box<[u8]>,
    place: MemberPlace,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct MemberPlace {
    /// Rank among the keys that may hold the event time.
    pub(super) time: Option<usize>,
    /// `None` where there are too many columns.
    pub(super) column: Option<FieldId>,
}

impl Scratch {
    /// Columns outside the catalog have other numbers in each batch.
    pub(crate) fn begin_block(&mut self) {
        self.path.clear();
        self.shape.clear();
    }

    /// Before each line.
    pub(super) fn begin_line(&mut self) {
        self.path.clear();
        self.best_time = None;
        self.next = 0;
    }

    /// What is known of the key, where the lines before had it about here.
    pub(super) fn recall(&mut self, key: &[u8]) -> Option<MemberPlace> {
        let following = self.shape.iter().enumerate().skip(self.next).take(SHAPE_LOOKAHEAD);
        let (at, member) = following.into_iter().find(|(_, member)| *member.key == *key)?;
        self.next = at + 1;
        Some(member.place)
    }

    pub(super) fn remember(&mut self, key: &[u8], place: MemberPlace) {
        if self.shape.len() < SHAPE_MAX {
            let at = self.next.min(self.shape.len());
            self.shape.insert(at, Member { key: key.into(), place });
            self.next = at + 1;
        }
    }
}
