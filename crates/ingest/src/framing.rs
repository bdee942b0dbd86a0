//! Bytes of a syslog stream to lines (RFC 6587): each message is framed by its length or by a line feed, whatever came
//! before it. A length is believed where what it promises ends where a frame can end; a broken frame costs itself, never
//! the connection, and never its neighbours.

mod count;
pub(crate) mod packed;

use memchr::memchr2;

use crate::framing::count::{End, FrameHeader, HEADER_BYTES_MAX, Judge, Need, priority};
use crate::framing::packed::Unpacked;

/// Longest counted message that is held until its length can be judged, in times of the longest that is kept whole.
const LENGTH_TIMES: usize = 2;
/// And at least so many bytes.
const LENGTH_BYTES_MIN: usize = 1024;
/// Room for an unfinished message that an idle connection keeps, in bytes.
const IDLE_ROOM_BYTES: usize = 4096;

/// What became of frames, since the last time it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Messages over the limit: cut, the rest thrown away.
    pub cut: u64,
    /// Messages whose inner line feeds were written as `#012`, so that one message stays one line.
    pub escaped: u64,
    /// Connections that ended inside a message; what there was of it is kept.
    pub half: u64,
    /// Lengths that did not keep their promise: the message ends at a line end or where the next right length stands.
    pub wrong_count: u64,
    /// Lengths that count characters instead of bytes: the message is whole.
    pub characters: u64,
    /// What stood between counted messages without a length of its own; it is kept.
    pub unframed: u64,
    /// Messages that came compressed, and were unpacked.
    pub packed: u64,
    /// Messages that unpack to far more than any may have; nothing of them is kept.
    pub bombs: u64,
}

/// How messages have been framed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Fresh,
    Counted,
    /// A length was wrong, and no right one has come since.
    Astray,
    Lines,
}

/// Cuts a stream into messages. Holds at most one unfinished message, and the one behind it.
#[derive(Debug)]
pub struct Framer {
    message_bytes_max: usize,
    judge: Judge,
    carry: Vec<u8>,
    mode: Mode,
    /// An over-long line is thrown away up to its end; within: whether a length may end it, too.
    skip_line: Option<bool>,
    /// What has to be there before it is worth to look at the carry again.
    need: Need,
    counts: FrameCounts,
    /// Where in the lines those end that have been cut.
    cuts: Vec<usize>,
}

/// A message and what goes with it, in bytes from where it begins.
struct Frame {
    start: usize,
    stop: usize,
    next: usize,
}

impl Framer {
    /// Messages longer than `message_bytes_max` are cut.
    pub fn new(message_bytes_max: usize) -> Self {
        let length_max = message_bytes_max.saturating_mul(LENGTH_TIMES).max(LENGTH_BYTES_MIN);
        Framer {
            message_bytes_max,
            judge: Judge { length_max },
            carry: Vec::new(),
            mode: Mode::Fresh,
            skip_line: None,
            need: Need::bytes(0),
            counts: FrameCounts::default(),
            cuts: Vec::new(),
        }
    }

    /// Where in the lines those end that have been cut since the last call; behind their line feeds.
    pub fn take_cuts(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.cuts)
    }

    /// What was counted since the last call.
    pub fn take_counts(&mut self) -> FrameCounts {
        std::mem::take(&mut self.counts)
    }

    /// Whether part of a message is held.
    pub fn is_within_message(&self) -> bool {
        !self.carry.is_empty()
    }

    /// Appends every message that is complete to `lines`, each with a line feed.
    pub fn push(&mut self, input: &[u8], lines: &mut Vec<u8>) {
        if self.carry.is_empty() {
            self.need = Need::bytes(0);
            let used = self.frames(input, End::More, lines);
            self.carry.extend_from_slice(&input[used..]);
            return;
        }
        self.carry.extend_from_slice(input);
        if self.carry.len() >= self.need.bytes {
            self.take(End::More, lines);
        }
    }

    /// Nothing has come for a moment (or, `late`, for long): what has come is all that there is to judge by.
    pub fn settle(&mut self, late: bool, lines: &mut Vec<u8>) {
        self.take(if late { End::Late } else { End::Quiet }, lines);
        if self.carry.len() <= IDLE_ROOM_BYTES {
            self.carry.shrink_to(IDLE_ROOM_BYTES);
        }
    }

    /// The stream has ended: what there is of a message is kept.
    pub fn finish(&mut self, lines: &mut Vec<u8>) {
        self.take(End::Over, lines);
        self.carry = Vec::new();
    }

    fn take(&mut self, end: End, lines: &mut Vec<u8>) {
        let mut all = std::mem::take(&mut self.carry);
        let used = self.frames(&all, end, lines);
        all.drain(..used);
        self.carry = all;
    }

    /// Bytes used.
    fn frames(&mut self, input: &[u8], end: End, lines: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < input.len() {
            if let Some(search) = self.skip_line {
                match self.skip(&input[at..], search, end) {
                    Ok(skipped) => at += skipped,
                    Err(skipped) => return at + skipped,
                }
                continue;
            }
            if matches!(input[at], b'\n' | b'\r' | 0) {
                at += 1;
                self.need = Need::bytes(0);
                continue;
            }
            match self.packed(&input[at..], end, lines) {
                Ok(0) => {}
                Ok(used) => {
                    self.need = Need::bytes(0);
                    at += used;
                    continue;
                }
                Err(need) => {
                    self.need = need;
                    break;
                }
            }
            match self.frame(&input[at..], end) {
                Err(need) => {
                    self.need = need;
                    break;
                }
                Ok(Frame { start, stop, next }) => {
                    self.need = Need::bytes(0);
                    let cut = stop - start > self.message_bytes_max;
                    let stop = stop.min(start + self.message_bytes_max);
                    self.write(&input[at + start..at + stop], cut, lines);
                    at += next;
                }
            }
        }
        at
    }

    /// Throws the rest of an over-long line away: how much, and whether its end was among it (`Ok`).
    fn skip(&mut self, input: &[u8], search: bool, end: End) -> Result<usize, usize> {
        let line = memchr2(b'\n', 0, input);
        if search {
            match self.judge.next_count(input, 0, line.unwrap_or(input.len()), end) {
                Ok(None) => {}
                Ok(Some(at)) => {
                    self.skip_line = None;
                    return Ok(at);
                }
                Err(need) => {
                    self.need = Need::bytes(need.bytes - need.searched);
                    return Err(need.searched);
                }
            }
        }
        match line {
            Some(at) => {
                self.skip_line = None;
                Ok(at + 1)
            }
            None if search && end != End::Over => Err(input.len().saturating_sub(HEADER_BYTES_MAX)),
            None => Err(input.len()),
        }
    }

    /// A message that rsyslog has compressed, with or without a length: the bytes that it took, 0 where there is none.
    fn packed(&mut self, input: &[u8], end: End, lines: &mut Vec<u8>) -> Result<usize, Need> {
        let start = self.judge.packed(input);
        let Some(start) = start else { return Ok(0) };
        let longest = self.judge.length_max;
        match packed::unpack(&input[start..], self.message_bytes_max) {
            Unpacked::Whole { text, cut, used } => {
                self.counts.packed += 1;
                self.write(&text, cut, lines);
                if start > 0 {
                    self.mode = Mode::Counted;
                }
                Ok(start + used)
            }
            // Looked at again when half as much more has come, so that slow senders cost no more than fast ones.
            Unpacked::More if matches!(end, End::More | End::Quiet) && input.len() <= longest => {
                Err(Need::bytes(input.len() + input.len() / 2))
            }
            Unpacked::Bomb => {
                self.counts.bombs += 1;
                Ok(input.len())
            }
            Unpacked::More | Unpacked::Broken => Ok(0),
        }
    }

    fn frame(&mut self, input: &[u8], end: End) -> Result<Frame, Need> {
        match self.judge.header(input) {
            FrameHeader::Count { digits, length, priority: true } => self.counted(input, digits, length, end),
            FrameHeader::Count { digits, length, priority: false } if self.mode == Mode::Counted => {
                self.counted_text(input, digits, length, end)
            }
            FrameHeader::Impossible { digits } => self.wrong(input, digits, end),
            FrameHeader::Unknown if end != End::Over => Err(Need::bytes(input.len() + 1)),
            _ => self.line(input, end),
        }
    }

    /// A length and a priority.
    fn counted(&mut self, input: &[u8], digits: usize, length: usize, end: End) -> Result<Frame, Need> {
        let start = digits + 1;
        let stop = start + length;
        if stop > input.len() {
            if matches!(end, End::Late | End::Over) && self.judge.is_broken(input, start) {
                return self.wrong(input, digits, end);
            }
            if end != End::Over {
                return Err(Need::bytes(stop + 1));
            }
            self.counts.half += 1;
            return Ok(Frame { start, stop: input.len(), next: input.len() });
        }
        let stop = if self.judge.ends(input, start, stop, end)? {
            stop
        } else if let Some(stop) = self.judge.in_characters(input, start, length, end)? {
            self.counts.characters += 1;
            stop
        } else {
            return self.wrong(input, digits, end);
        };
        self.mode = Mode::Counted;
        Ok(Frame { start, stop, next: stop })
    }

    /// A number before something else than a priority, behind a counted message: a length, if it is right and no line ends
    /// within; else a line that begins with a number.
    fn counted_text(&mut self, input: &[u8], digits: usize, length: usize, end: End) -> Result<Frame, Need> {
        let start = digits + 1;
        let stop = start + length;
        // Its last byte alone may end a line.
        let inner = &input[start..(stop - 1).min(input.len())];
        if memchr2(b'\n', 0, inner).is_some() {
            return self.line(input, end);
        }
        if stop > input.len() && end != End::Over {
            return Err(Need::bytes(input.len() + 1));
        }
        if stop <= input.len() && self.judge.ends(input, start, stop, end)? {
            return Ok(Frame { start, stop, next: stop });
        }
        self.line(input, end)
    }

    /// A length that does not keep its promise. It is no part of the message.
    fn wrong(&mut self, input: &[u8], digits: usize, end: End) -> Result<Frame, Need> {
        let start = digits + 1;
        // The header may hold the next one, behind what was left of a message that ended with digits.
        let (stop, next) = match self.ends_at(input, 1, true, end) {
            Err(_) if end == End::Late => (input.len(), input.len()),
            found => found?,
        };
        self.counts.wrong_count += 1;
        self.mode = Mode::Astray;
        Ok(Frame { start: if stop > start { start } else { 0 }, stop, next })
    }

    /// A line, or what stands between counted messages.
    fn line(&mut self, input: &[u8], end: End) -> Result<Frame, Need> {
        let is_counted = matches!(self.mode, Mode::Counted | Mode::Astray);
        let (stop, next) = self.ends_at(input, 0, is_counted, end)?;
        if stop == next && stop < input.len() && self.skip_line.is_none() {
            self.counts.unframed += 1;
        } else if !is_counted || priority(input) == Some(true) {
            self.mode = Mode::Lines;
        }
        Ok(Frame { start: 0, stop, next })
    }

    /// Where the message ends and the next may begin: at a line end or, with `search`, at a length that is right.
    fn ends_at(&mut self, input: &[u8], from: usize, search: bool, end: End) -> Result<(usize, usize), Need> {
        // A length that ends the message may begin a little behind the limit: so far it is looked for first.
        let (margin, least) = if search { (HEADER_BYTES_MAX, 2 * HEADER_BYTES_MAX) } else { (0, 0) };
        let longest = self.message_bytes_max + margin;
        let from = from.max(self.need.searched.min(input.len()));
        let line = memchr2(b'\n', 0, &input[from..]).map(|at| from + at);
        let reach = line.unwrap_or(input.len()).min(longest);
        if search && let Some(at) = self.judge.next_count(input, from, reach, end)? {
            return Ok((at, at));
        }
        match line {
            Some(at) if at <= longest || (!search && self.mode == Mode::Lines) => Ok((at, at + 1)),
            None if end == End::Over && input.len() <= longest => {
                self.counts.half += 1;
                Ok((input.len(), input.len()))
            }
            None if end != End::Over && input.len() <= self.message_bytes_max + least => {
                let searched = input.len().saturating_sub(HEADER_BYTES_MAX).max(from);
                Err(Need { bytes: input.len() + 1, searched })
            }
            _ => {
                self.skip_line = Some(search || self.mode == Mode::Fresh);
                let stop = longest.max(self.message_bytes_max + 1);
                Ok((stop, stop))
            }
        }
    }

    fn write(&mut self, message: &[u8], cut: bool, lines: &mut Vec<u8>) {
        let before = lines.len();
        self.counts.escaped += u64::from(push_line(message, lines));
        self.counts.cut += u64::from(cut);
        if cut && lines.len() > before {
            self.cuts.push(lines.len());
        }
    }
}

/// Appends one message as one line. True where inner line feeds had to be written as `#012`, as rsyslog does.
pub fn push_line(message: &[u8], lines: &mut Vec<u8>) -> bool {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |at| at + 1);
    let message = &message[..end];
    if message.is_empty() {
        return false;
    }
    let mut rest = message;
    let mut escaped = false;
    while let Some(at) = memchr2(b'\n', 0, rest) {
        lines.extend_from_slice(&rest[..at]);
        lines.extend_from_slice(if rest[at] == 0 { b"#000" } else { b"#012" });
        rest = &rest[at + 1..];
        escaped = true;
    }
    lines.extend_from_slice(rest);
    lines.push(b'\n');
    escaped
}

#[cfg(test)]
mod tests;
