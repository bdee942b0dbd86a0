//! What a length in front of a message (RFC 6587, octet counting) is worth: it is believed where what it promises ends
//! where a frame can end. Where one was wrong, the next `LEN SP <PRI>` that is right is looked for.
//! No answer depends on how the bytes were split over reads: what cannot be told yet is a [`Need`].

use memchr::memmem;

use crate::framing::packed::is_packed;

/// Digits that a length may have.
const LENGTH_DIGITS_MAX: usize = 7;
/// Digits that are looked at, to see that a number is too long to be a length.
const DIGITS_SEEN_MAX: usize = 20;
/// Shortest message that begins with a priority: `<1>`.
const MESSAGE_BYTES_MIN: usize = 3;
/// Line ends and NULs that are looked at behind a message: so many end any message.
const SEPARATORS_MAX: usize = 16;
/// Bytes at the end of what came in which a header may have begun: digits, blank, priority.
pub(super) const HEADER_BYTES_MAX: usize = LENGTH_DIGITS_MAX + 1 + 5;

/// What is known of the bytes behind those that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// More may be on its way.
    More,
    /// Nothing came for a moment: what is complete stands for itself.
    Quiet,
    /// Nothing came for long: a promise that is not kept is doubted.
    Late,
    /// The stream has ended.
    Over,
}

/// It cannot be told before so many bytes are there. Nothing that could end a message stands before `searched`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) bytes: usize,
    pub(super) searched: usize,
}

impl Need {
    pub(super) fn bytes(bytes: usize) -> Self {
        Need { bytes, searched: 0 }
    }
}

/// What a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameHeader {
    /// More bytes would tell.
    Unknown,
    /// No length: a line.
    None,
    /// A length and a blank; `priority`: and a priority behind it.
    Count { digits: usize, length: usize, priority: bool },
    /// A length that no message has, and a priority.
    Impossible { digits: usize },
}

/// Judges lengths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge {
    /// Longest message that a length is believed for, in bytes.
    pub(super) length_max: usize,
}

fn number(digits: &[u8]) -> usize {
    digits.iter().fold(0, |number: usize, digit| number.saturating_mul(10).saturating_add(usize::from(digit - b'0')))
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

/// Whether a priority stands here: `<`, one to three digits, `>`. `None` where more bytes would tell.
pub(super) fn priority(input: &[u8]) -> Option<bool> {
    if *input.first()? != b'<' {
        return Some(false);
    }
    for at in 1..=4 {
        match input.get(at)? {
            b'0'..=b'9' if at <= 3 => {}
            b'>' if at > 1 => return Some(true),
            _ => return Some(false),
        }
    }
    Some(false)
}

/// Whether a priority stands here, or a number and a blank before one. At the end of what came, as far as it goes.
fn shows_priority(input: &[u8], at: usize, end: End) -> Result<bool, Need> {
    let rest = &input[at..];
    let shown = match leading_digits(rest) {
        0 => begins_message(rest),
        digits => match rest.get(digits) {
            None => None,
            Some(b' ') => begins_message(&rest[digits + 1..]),
            Some(_) => Some(false),
        },
    };
    match shown {
        Some(shown) => Ok(shown),
        None if end == End::More => Err(Need::bytes(input.len() + 1)),
        None => Ok(true),
    }
}

/// Whether a priority stands here, or a compressed message begins. `None` where more bytes would tell.
fn begins_message(input: &[u8]) -> Option<bool> {
    if input.first() == Some(&b'z') { is_packed(input) } else { priority(input) }
}

fn leading_digits(input: &[u8]) -> usize {
    input.iter().take(DIGITS_SEEN_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count()
}

impl Judge {
    /// Where a compressed message begins, behind its length or without one; `None`: none begins.
    pub(super) fn packed(self, input: &[u8]) -> Option<usize> {
        let start = match leading_digits(input) {
            0 => 0,
            digits if digits <= LENGTH_DIGITS_MAX && input.get(digits) == Some(&b' ') => digits + 1,
            _ => return None,
        };
        (is_packed(&input[start..]) == Some(true)).then_some(start)
    }

    pub(super) fn header(self, input: &[u8]) -> FrameHeader {
        if !input.first().is_some_and(u8::is_ascii_digit) {
            return FrameHeader::None;
        }
        let digits = leading_digits(input);
        if digits > DIGITS_SEEN_MAX {
            return FrameHeader::None;
        }
        match input.get(digits) {
            None => return FrameHeader::Unknown,
            Some(b' ') => {}
            Some(_) => return FrameHeader::None,
        }
        let Some(priority) = priority(&input[digits + 1..]) else { return FrameHeader::Unknown };
        let length = number(&input[..digits]);
        let possible = digits <= LENGTH_DIGITS_MAX && (MESSAGE_BYTES_MIN..=self.length_max).contains(&length);
        match (priority, possible) {
            (true, false) => FrameHeader::Impossible { digits },
            (false, false) => FrameHeader::None,
            (false, true) if input[0] == b'0' => FrameHeader::None,
            (priority, true) => FrameHeader::Count { digits, length, priority },
        }
    }

    /// Whether a message that stands at `start..stop` can end there.
    pub(super) fn ends(self, input: &[u8], start: usize, stop: usize, end: End) -> Result<bool, Need> {
        let behind = input[stop..].iter().take(SEPARATORS_MAX).take_while(|byte| is_separator(**byte)).count();
        if behind == SEPARATORS_MAX {
            return Ok(true);
        }
        let next = stop + behind;
        if !self.begins(input, next, end)? {
            // A line of plain text may follow a line end; but then no other length may stand within what was promised.
            return Ok(behind > 0 && !holds_header(&input[start..stop]));
        }
        Ok(true)
    }

    /// Whether a frame can begin here: with a priority, a length and a priority, or a length that keeps its promise.
    fn begins(self, input: &[u8], at: usize, end: End) -> Result<bool, Need> {
        if shows_priority(input, at, end)? {
            return Ok(true);
        }
        let digits = leading_digits(&input[at..]);
        Ok(digits > 0 && input.get(at + digits) == Some(&b' ') && self.keeps(input, at, at + digits, end)?)
    }

    /// Whether the length that stands at `at..blank` ends where a frame begins, or at a line end.
    fn keeps(self, input: &[u8], at: usize, blank: usize, end: End) -> Result<bool, Need> {
        let length = number(&input[at..blank]);
        if blank - at > LENGTH_DIGITS_MAX || !(MESSAGE_BYTES_MIN..=self.length_max).contains(&length) {
            return Ok(false);
        }
        let stop = blank + 1 + length;
        match input.get(stop) {
            Some(byte) => Ok(is_separator(*byte) || shows_priority(input, stop, end)?),
            None if end == End::More => Err(Need::bytes(stop + 1)),
            None => Ok(stop == input.len() || end != End::Over),
        }
    }

    /// Where a message ends whose length was counted in characters (or in UTF-16 units) instead of bytes.
    pub(super) fn in_characters(
        self,
        input: &[u8],
        start: usize,
        length: usize,
        end: End,
    ) -> Result<Option<usize>, Need> {
        if input[start..start + length].is_ascii() {
            return Ok(None);
        }
        for wide in [2, 1] {
            let (mut left, mut stop) = (length, None);
            for (at, byte) in input[start..].iter().enumerate().filter(|(_, byte)| **byte & 0xC0 != 0x80) {
                if left == 0 {
                    stop = Some(start + at);
                    break;
                }
                left = left.saturating_sub(if *byte >= 0xF0 { wide } else { 1 });
            }
            let stop = match stop {
                Some(stop) => stop,
                None if end == End::More && input.len() - start <= self.length_max => {
                    return Err(Need::bytes(input.len() + left.max(1)));
                }
                None if left == 0 => input.len(),
                None => continue,
            };
            if stop - start <= self.length_max && self.ends(input, start, stop, end)? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    /// The first place in `from..to` where a length stands that keeps its promise, with a priority behind it.
    pub(super) fn next_count(self, input: &[u8], from: usize, to: usize, end: End) -> Result<Option<usize>, Need> {
        for blank in memmem::find_iter(&input[from..], b" <").map(|at| from + at) {
            if blank > to + LENGTH_DIGITS_MAX {
                break;
            }
            let mut places = suffixes(input, from, blank).filter(|at| *at < to).peekable();
            if places.peek().is_none() {
                continue;
            }
            let searched = blank.saturating_sub(LENGTH_DIGITS_MAX).max(from);
            let needs = |need: Need| Need { searched, ..need };
            match priority(&input[blank + 1..]) {
                Some(true) => {}
                None if end == End::More => return Err(needs(Need::bytes(input.len() + 1))),
                _ => continue,
            }
            for at in places {
                let length = number(&input[at..blank]);
                if !(MESSAGE_BYTES_MIN..=self.length_max).contains(&length) {
                    continue;
                }
                let stop = blank + 1 + length;
                let kept = match end {
                    End::More if stop > input.len() => return Err(needs(Need::bytes(stop + 1))),
                    // It may be one that has not come whole.
                    End::Quiet | End::Late if stop > input.len() => true,
                    End::Over if stop > input.len() => false,
                    _ => self.ends(input, blank + 1, stop, end).map_err(needs)?,
                };
                if kept {
                    return Ok(Some(at));
                }
            }
        }
        Ok(None)
    }

    /// Whether what was promised and has not come whole holds messages of its own: then the promise was wrong.
    pub(super) fn is_broken(self, input: &[u8], start: usize) -> bool {
        let rest = &input[start..];
        let line = memchr::memchr_iter(b'\n', rest).any(|at| priority(&rest[at + 1..]) == Some(true));
        line || matches!(self.next_count(input, start, input.len(), End::Over), Ok(Some(_)))
    }
}

/// Where a number of at most [`LENGTH_DIGITS_MAX`] digits that ends at `blank` can begin: the shortest first.
fn suffixes(input: &[u8], from: usize, blank: usize) -> impl Iterator<Item = usize> + '_ {
    let least = blank.saturating_sub(LENGTH_DIGITS_MAX).max(from);
    (least..blank).rev().take_while(|at| input[*at].is_ascii_digit())
}

/// Whether a length and a priority stand within the text.
fn holds_header(text: &[u8]) -> bool {
    memmem::find_iter(text, b" <")
        .any(|blank| blank > 0 && text[blank - 1].is_ascii_digit() && priority(&text[blank + 1..]) == Some(true))
}
