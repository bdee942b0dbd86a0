//! What templates are made of: kinds of captures, pieces, and the steps that read a message. Reads nothing.

use event::FieldId;

use memchr::memmem::Finder;

use super::bigrams::Bigrams;
use crate::needle::{Head, find_byte, frequency};

/// Captures of one template.
pub(crate) const CAPTURES_MAX: usize = 24;

/// What a capture takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Anything.
    Text,
    /// Anything, by the program alone.
    Own,
    /// Anything without a blank.
    Word,
    /// Anything without blanks, colons, slashes, commas, quotes and brackets.
    Name,
    /// Letters, digits, dots, hyphens, underscores, colons.
    Host,
    /// An address or a name, for the source.
    Peer,
    /// An address.
    Ip,
    /// Addresses between commas, of which the client is one.
    Clients,
    /// Digits.
    Number,
}

/// A part of a template without optional parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it stands.
    Literal(Vec<u8>),
    /// A value; `None`: it goes nowhere.
    Capture(Option<FieldId>, Takes),
    /// Blanks, or none.
    Blanks,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTemplate {
    #[error("`{0}` is not closed")]
    Open(String),
    #[error("`{0}` is no field of the catalog")]
    UnknownField(String),
    #[error("`{0}` is no kind of capture: use word, host, peer, ip, number, own or text")]
    UnknownKind(String),
    #[error("two captures follow each other without text between them")]
    Adjacent,
    #[error("more than {CAPTURES_MAX} captures")]
    TooMany,
}

/// One step of reading.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Literal(Head),
    Blanks,
    /// A value for a slot; what may follow it.
    Capture(usize, Follow),
    /// Any of these steps comes next.
    Split(Vec<usize>),
    Jump(usize),
    End,
}

/// A text that messages are searched for.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    head: Head,
    finder: Finder<'static>,
    /// The byte that messages have least often, and where it stands.
    rarest: (u8, usize),
    bigrams: Bigrams,
}

/// Places that are tried one after the other.
const PLACES_MAX: usize = 12;
/// Bytes of a text in which a byte is looked for: setting up a general search costs more.
const NEAR_BYTES: usize = 256;

impl Sought {
    pub(super) fn new(text: &[u8]) -> Self {
        let rarest = (0..text.len()).min_by_key(|at| frequency(text[*at])).map_or((0, 0), |at| (text[at], at));
        Sought { head: Head::new(text), finder: Finder::new(text).into_owned(), rarest, bigrams: Bigrams::of(text) }
    }

    pub(super) fn text(&self) -> &[u8] {
        self.head.text()
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Pairs of bytes that it has.
    pub(super) fn bigrams(&self) -> &Bigrams {
        &self.bigrams
    }

    /// Where the text stands first.
    #[inline]
    pub(super) fn find(&self, within: &[u8]) -> Option<usize> {
        let last = within.len().checked_sub(self.text().len())?;
        if last < PLACES_MAX {
            let (first, mut at) = (*self.text().first()?, 0);
            while let Some(found) = within.get(at..=last)?.iter().position(|byte| *byte == first) {
                at += found;
                if self.head.begins(&within[at..]) {
                    return Some(at);
                }
                at += 1;
            }
            return None;
        }
        if within.len() > NEAR_BYTES {
            return self.finder.find(within);
        }
        let (byte, mut from) = self.rarest;
        let before = from;
        loop {
            let at = from + find_byte(byte, within.get(from..)?)?;
            if self.head.begins(&within[at - before..]) {
                return Some(at - before);
            }
            from = at + 1;
        }
    }
}

/// What may stand behind a capture.
#[derive(Clone, Debug, Default)]
pub(super) struct Follow {
    pub(super) literals: Vec<Sought>,
    /// The end of the message.
    pub(super) end: bool,
    /// Blanks or none: any place is tried.
    pub(super) anywhere: bool,
}
