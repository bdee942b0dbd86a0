//! Bytes of a syslog stream to lines (RFC 6587): each message is framed by its length or by a line feed, whatever came
//! before it. A broken frame costs itself, never the connection.

use memchr::memchr2;

/// Digits that a length may have.
const LENGTH_DIGITS_MAX: usize = 7;

/// What became of frames, since the last time it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Messages over the limit: cut, the rest thrown away.
    pub cut: u64,
    /// Messages whose inner line feeds were written as `#012`, so that one message stays one line.
    pub escaped: u64,
    /// Connections that ended inside a message; what there was of it is kept.
    pub half: u64,
}

/// Cuts a stream into messages. Holds at most one unfinished message.
#[derive(Debug)]
pub struct Framer {
    message_bytes_max: usize,
    carry: Vec<u8>,
    /// Bytes of an over-long counted message that are still to be thrown away.
    skip: usize,
    /// An over-long line is thrown away up to its end.
    skip_line: bool,
    /// The last message had a length in front.
    counted: bool,
    counts: FrameCounts,
}

enum Frame {
    /// Bytes of the header, of the message, and behind it.
    Whole {
        header: usize,
        message: usize,
        behind: usize,
    },
    Unfinished,
}

impl Framer {
    pub fn new(message_bytes_max: usize) -> Self {
        let counts = FrameCounts::default();
        Framer { message_bytes_max, carry: Vec::new(), skip: 0, skip_line: false, counted: false, counts }
    }

    pub fn take_counts(&mut self) -> FrameCounts {
        std::mem::take(&mut self.counts)
    }

    /// Appends every message that is complete to `lines`, each with a line feed.
    pub fn push(&mut self, input: &[u8], lines: &mut Vec<u8>) {
        if self.carry.is_empty() {
            let used = self.frames(input, lines);
            self.carry.extend_from_slice(&input[used..]);
            return;
        }
        let mut all = std::mem::take(&mut self.carry);
        all.extend_from_slice(input);
        let used = self.frames(&all, lines);
        all.drain(..used);
        self.carry = all;
    }

    /// The stream has ended: what there is of a message is kept.
    pub fn finish(&mut self, lines: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.carry);
        if rest.is_empty() || self.skip_line {
            return;
        }
        self.counts.half += 1;
        let start = counted_header(&rest, self.counted).map_or(0, |header| header.map_or(0, |(header, _)| header));
        self.write(&rest[start.min(rest.len())..], lines);
    }

    /// Bytes used.
    fn frames(&mut self, input: &[u8], lines: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < input.len() {
            if self.skip > 0 {
                let skipped = self.skip.min(input.len() - at);
                self.skip -= skipped;
                at += skipped;
                continue;
            }
            if self.skip_line {
                let Some(end) = memchr2(b'\n', 0, &input[at..]) else { return input.len() };
                self.skip_line = false;
                at += end + 1;
                continue;
            }
            if matches!(input[at], b'\n' | b'\r' | 0) {
                at += 1;
                continue;
            }
            match self.frame(&input[at..]) {
                Frame::Unfinished => break,
                Frame::Whole { header, message, behind } => {
                    let start = at + header;
                    self.write(&input[start..start + message], lines);
                    at = start + message + behind;
                }
            }
        }
        at
    }

    fn frame(&mut self, input: &[u8]) -> Frame {
        let limit = self.message_bytes_max;
        match counted_header(input, self.counted) {
            None => Frame::Unfinished,
            Some(Some((header, length))) => {
                self.counted = true;
                let there = input.len() - header;
                let kept = length.min(limit);
                if there < kept {
                    return Frame::Unfinished;
                }
                if length > limit {
                    self.counts.cut += 1;
                    self.skip = length - kept;
                }
                Frame::Whole { header, message: kept, behind: 0 }
            }
            Some(None) => {
                self.counted = false;
                match memchr2(b'\n', 0, input) {
                    Some(end) if end <= limit => Frame::Whole { header: 0, message: end, behind: 1 },
                    Some(end) => {
                        self.counts.cut += 1;
                        Frame::Whole { header: 0, message: limit, behind: end - limit + 1 }
                    }
                    None if input.len() > limit => {
                        self.counts.cut += 1;
                        self.skip_line = true;
                        Frame::Whole { header: 0, message: limit, behind: 0 }
                    }
                    None => Frame::Unfinished,
                }
            }
        }
    }

    fn write(&mut self, message: &[u8], lines: &mut Vec<u8>) {
        self.counts.escaped += u64::from(push_line(message, lines));
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

/// Length of the header and of the message that it announces; `Some(None)`: framed by a line feed; `None`: cannot be
/// told yet. A line may begin with a number: a length is believed before `<`, or where the last message had one.
fn counted_header(input: &[u8], was_counted: bool) -> Option<Option<(usize, usize)>> {
    if !matches!(input.first(), Some(b'1'..=b'9')) {
        return Some(None);
    }
    let digits = input.iter().take(LENGTH_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > LENGTH_DIGITS_MAX {
        return Some(None);
    }
    let behind = *input.get(digits)?;
    if behind != b' ' {
        return Some(None);
    }
    let first = *input.get(digits + 1)?;
    if first != b'<' && !was_counted {
        return Some(None);
    }
    let length = input[..digits].iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Some(Some((digits + 1, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&[u8]], limit: usize) -> (Vec<String>, FrameCounts) {
        let mut framer = Framer::new(limit);
        let mut out = Vec::new();
        for part in parts {
            framer.push(part, &mut out);
        }
        framer.finish(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        (text.lines().map(str::to_owned).collect(), framer.take_counts())
    }

    #[test]
    fn both_framings_may_alternate_on_one_connection() {
        let stream =
            b"<34>one\n5 <1>ab<13>two\r\n\n4 <1>c\x0010:00 not a length\n2026-11-23T10:00:00Z host x: y\n9 <1>a\nb c\n";
        let (found, counts) = lines(&[stream], 1000);
        let wanted = ["<34>one", "<1>ab", "<13>two", "<1>c", "10:00 not a length", "2026-11-23T10:00:00Z host x: y"];
        assert_eq!(found[..6], wanted);
        assert_eq!((found[6].as_str(), counts.escaped, counts.half), ("<1>a#012b c", 1, 0));
    }

    #[test]
    fn where_the_stream_is_cut_does_not_matter() {
        let stream = b"<34>one\n12 <1>abcdefgh\n<13>two\n30 <34>a message with\nmore lines\n<5>end\n";
        let whole = lines(&[stream], 1000);
        for at in 0..stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(lines(&[head, tail], 1000), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(lines(&bytes, 1000), whole);
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_next_message_is_found() {
        for cut in 1..40 {
            let stream =
                [&b"<1>0123456789 and more than that\n<2>next\n34 <3>0123456789 and much more of it\n<4>last\n"[..]]
                    .concat();
            let (head, tail) = stream.split_at(cut * 2);
            let (found, counts) = lines(&[head, tail], 10);
            assert_eq!(found, ["<1>0123456", "<2>next", "<3>0123456", "<4>last"], "{cut}");
            assert_eq!(counts.cut, 2);
        }
    }

    #[test]
    fn an_end_inside_a_message_is_counted_and_kept() {
        assert_eq!(
            lines(&[b"<1>half a li"], 100),
            (vec!["<1>half a li".into()], FrameCounts { half: 1, ..FrameCounts::default() })
        );
        assert_eq!(lines(&[b"50 <1>half"], 100).0, ["<1>half"]);
    }
}
