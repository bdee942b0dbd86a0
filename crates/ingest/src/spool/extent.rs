//! What is known of a batch with a name once its lines are in the spool, and how much of it is there, as a number. Touches no file.

/// In the number that says how much of a batch there is: it is not whole.
const IS_PART: u64 = 1 << 63;

/// How much of a batch is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes of its lines, from their beginning.
    Part { bytes: u64 },
    /// All of it: so many events.
    Whole { events: u64 },
}

impl Extent {
    pub(super) fn number(self) -> u64 {
        match self {
            Extent::Part { bytes } => bytes | IS_PART,
            Extent::Whole { events } => events & !IS_PART,
        }
    }

    pub(super) fn of(number: u64) -> Self {
        if number & IS_PART == 0 { Extent::Whole { events: number } } else { Extent::Part { bytes: number & !IS_PART } }
    }
}

/// What is known of a batch once its lines are in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameRecord {
    /// Digest of its name.
    pub(super) id: u128,
    pub(super) extent: Extent,
    /// Where in the spool the entry ends.
    pub(super) end: u64,
}
