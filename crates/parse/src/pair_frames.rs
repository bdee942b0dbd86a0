//! The fast path for key=value: mostly all but the values of a line (names, quotes, what stands between) is the same, byte by byte,
//! as in a line before it. Then the values alone are read. Assumes nothing that it does not compare: a line that differs is left to
//! [`crate::key_value`], which reads every line and is what tests compare with.

use crate::naming::places::{MemberId, MemberPlace};
use crate::needle::Head;
use crate::pair_text::{PairText, bare_end, closing};
use crate::shape::model::Signs;

/// Frames that are kept of one block.
const FRAMES_MAX: usize = 8;
/// Frames that are made for one block: a sender of ever new ones gets no more.
const MADE_MAX: usize = 64;
/// Pairs of a line of which a frame is made, and bytes of the line.
const PAIRS_MAX: usize = 256;
const LINE_BYTES_MAX: usize = 16_384;

/// What a pair says of the time of the event, beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimePart {
    Date,
    Clock,
    Zone,
    None,
}

impl TimePart {
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"date" => TimePart::Date,
            b"time" => TimePart::Clock,
            b"tz" | b"timezone" => TimePart::Zone,
            _ => TimePart::None,
        }
    }
}

/// A value, and what stands in front of it, back to the value before.
#[derive(Debug)]
struct FramedPair {
    before: Head,
    quote: Option<u8>,
    place: MemberPlace,
    part: TimePart,
}

/// All of a line but its values.
#[derive(Debug)]
struct PairFrame {
    pairs: Vec<FramedPair>,
    end: Box<[u8]>,
    /// Members and keys of signatures.
    row: Vec<MemberId>,
    signs: Signs,
    /// Number of the frame of the line that came behind the last such line.
    next: usize,
}

/// Where a value stands that was read.
#[derive(Clone, Copy, Debug)]
struct FramedText {
    start: usize,
    length: usize,
    is_escaped: bool,
}

/// Frames of one block, and room for the line at hand.
#[derive(Debug, Default)]
pub(crate) struct PairFrames {
    known: Vec<PairFrame>,
    /// Number of the last line's frame.
    last: usize,
    made: usize,
    read: Vec<FramedText>,
}

impl PairFrame {
    /// Whether the line is the frame with other values; these are then read.
    fn fits(&self, text: &[u8], read: &mut Vec<FramedText>) -> bool {
        read.clear();
        let mut at = 0;
        for pair in &self.pairs {
            let Some(rest) = text.get(at..).filter(|rest| pair.before.begins(rest)) else { return false };
            let value = &rest[pair.before.text().len()..];
            let start = at + pair.before.text().len();
            let (length, is_escaped) = match (pair.quote, value.first()) {
                (Some(quote), _) => match closing(value, quote) {
                    Some(found) => found,
                    None => return false,
                },
                // A quote may close, and `==` names nothing.
                (None, Some(b'"' | b'\'' | b'=')) => return false,
                (None, _) => (bare_end(value), false),
            };
            read.push(FramedText { start, length, is_escaped });
            at = start + length + usize::from(pair.quote.is_some());
        }
        text.get(at..) == Some(&*self.end)
    }
}

impl PairFrames {
    /// Members have other numbers in each block.
    pub(crate) fn begin_block(&mut self) {
        self.known.clear();
        (self.last, self.made) = (0, 0);
    }

    /// Finds the frame that the line has.
    pub(crate) fn find(&mut self, text: &[u8]) -> bool {
        let likely = self.known.get(self.last).map_or(0, |frame| frame.next);
        let PairFrames { known, last, read, .. } = self;
        let tried = [likely, *last];
        let found = tried.into_iter().enumerate().find(|(at, number)| {
            (*at == 0 || *number != likely) && known.get(*number).is_some_and(|frame| frame.fits(text, read))
        });
        let Some((_, number)) = found else { return false };
        self.follow(number);
        true
    }

    /// The values of the line whose frame was found, and where they belong.
    pub(crate) fn values<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = (MemberPlace, TimePart, PairText<'a>)> {
        let pairs: &[FramedPair] = self.known.get(self.last).map_or(&[], |frame| &frame.pairs);
        pairs.iter().zip(&self.read).map(|(pair, read)| {
            let found = text.get(read.start..read.start + read.length).unwrap_or_default();
            let is_quoted = pair.quote.is_some();
            let value = PairText { text: found, start: read.start, is_quoted, is_escaped: read.is_escaped };
            (pair.place, pair.part, value)
        })
    }

    /// Members of that line, and keys of signatures.
    pub(crate) fn row(&self) -> (&[MemberId], Signs) {
        match self.known.get(self.last) {
            Some(frame) => (&frame.row, frame.signs),
            None => (&[], Signs::default()),
        }
    }

    /// Makes a frame of a line that was read the long way: its pairs, which are all that it has, and what they became.
    pub(crate) fn keep<'a>(
        &mut self,
        text: &[u8],
        found: impl Iterator<Item = (&'a [u8], PairText<'a>, MemberPlace)>,
        (row, signs): (&[MemberId], Signs),
    ) {
        if row.len() > PAIRS_MAX || text.len() > LINE_BYTES_MAX {
            return;
        }
        // Another frame than those that were tried may be that of the line: it is expected here the next time.
        if let Some(number) = self.known.iter().position(|frame| frame.fits(text, &mut self.read)) {
            return self.follow(number);
        }
        if self.made >= MADE_MAX {
            return;
        }
        let mut end = 0;
        let framed = found.map(|(name, value, place)| {
            let before = Head::new(text.get(end..value.start).unwrap_or_default());
            let quote = before.text().last().copied().filter(|_| value.is_quoted);
            end = value.end();
            FramedPair { before, quote, place, part: TimePart::of(name) }
        });
        let framed: Vec<FramedPair> = framed.collect();
        if framed.len() != row.len() {
            return;
        }
        let number = if self.known.len() < FRAMES_MAX { self.known.len() } else { self.made % FRAMES_MAX };
        let end = text.get(end..).unwrap_or_default().into();
        let frame = PairFrame { pairs: framed, end, row: row.to_vec(), signs, next: number };
        match self.known.get_mut(number) {
            Some(known) => *known = frame,
            None => self.known.push(frame),
        }
        self.made += 1;
        self.follow(number);
    }

    /// The line at hand has this frame.
    fn follow(&mut self, number: usize) {
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
    }
}
