//! With which bytes the lines of a format can begin: most formats are ruled out by the first byte of a line, or by a date that it
//! begins with, and are not asked.
//! Assumes what the table of formats says, which a test compares with reading each line by every format. Reads no lines.

/// Kinds of beginnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstBytes(u8);

/// A digit that is not the first one of a [`DATE`].
pub(super) const DIGIT: FirstBytes = FirstBytes(1);
pub(super) const LETTER: FirstBytes = FirstBytes(1 << 1);
/// `<`
pub(super) const ANGLE: FirstBytes = FirstBytes(1 << 2);
/// `[`
pub(super) const SQUARE: FirstBytes = FirstBytes(1 << 3);
/// `{`
pub(super) const CURLY: FirstBytes = FirstBytes(1 << 4);
pub(super) const BLANK: FirstBytes = FirstBytes(1 << 5);
pub(super) const OTHER: FirstBytes = FirstBytes(1 << 6);
/// A day as `2026-03-04`, and a blank or a `T`.
pub(super) const DATE: FirstBytes = FirstBytes(1 << DATED);
/// The format may read any line.
pub(super) const ANY: FirstBytes = FirstBytes(u8::MAX);
/// The format may read any line without such a day in front.
pub(super) const UNDATED: FirstBytes = FirstBytes(!DATE.0);
/// How many kinds there are.
const KINDS: usize = 8;
/// The kind of lines that begin with a day.
const DATED: usize = 7;

/// The kind of each byte, by its number.
const KIND_OF: [u8; 256] = {
    let (mut kinds, mut at) = ([6; 256], 0);
    while at < 256 {
        kinds[at] = match at as u8 {
            b'0'..=b'9' => 0,
            b'A'..=b'Z' | b'a'..=b'z' => 1,
            b'<' => 2,
            b'[' => 3,
            b'{' => 4,
            b' ' | b'\t' => 5,
            _ => 6,
        };
        at += 1;
    }
    kinds
};

/// The kind of a line's beginning.
#[inline]
fn kind_of(line: &[u8], first: u8) -> usize {
    match line {
        [b'1'..=b'2', a, b, c, b'-', d, e, b'-', f, g, b' ' | b'T', ..]
            if [a, b, c, d, e, f, g].into_iter().all(u8::is_ascii_digit) =>
        {
            DATED
        }
        _ => usize::from(KIND_OF[usize::from(first)]),
    }
}

impl FirstBytes {
    pub(super) const fn or(self, other: Self) -> Self {
        FirstBytes(self.0 | other.0)
    }

    const fn has(self, kind: usize) -> bool {
        self.0 >> kind & 1 != 0
    }
}

/// Which formats of a list can read a line, by the kind of its first byte: a bit for each format.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByFirst([u64; KINDS]);

impl ByFirst {
    /// Of the first formats of the list, as many as there are bits; see the test.
    pub(super) fn new(formats: impl Iterator<Item = FirstBytes>) -> Self {
        let mut of_kind = [0; KINDS];
        for (at, bytes) in formats.take(u64::BITS as usize).enumerate() {
            for (kind, formats) in of_kind.iter_mut().enumerate() {
                *formats |= u64::from(bytes.has(kind)) << at;
            }
        }
        ByFirst(of_kind)
    }

    /// The numbers of those that can read the line.
    #[inline]
    pub(super) fn of(self, line: &[u8]) -> impl Iterator<Item = usize> {
        let mut left = match line.first() {
            Some(first) => self.0[kind_of(line, *first)],
            None => self.0.iter().fold(0, |all, formats| all | formats),
        };
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            let is_left = left != 0;
            left &= left.wrapping_sub(1);
            is_left.then_some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use event::{BatchBuilder, Block, Timestamp};

    use super::*;
    use crate::context::Refusal;
    use crate::format::FORMATS;
    use crate::{Options, Parser};

    /// Lines of every format and of all that can stand in the files of tests.
    fn lines() -> Vec<Vec<u8>> {
        const HEADINGS: [&str; 4] = [
            "ID,Date,Time,Description,IP Address,Host Name,MAC Address",
            "#Fields: date time c-ip",
            "#separator \\x09",
            "date time c-ip cs-method",
        ];
        let examples = FORMATS.iter().map(|format| format.example);
        let mut lines: Vec<Vec<u8>> = examples.chain(HEADINGS).map(|line| line.as_bytes().to_vec()).collect();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read(path).unwrap();
                lines.extend(
                    text.split(|byte| *byte == b'\n')
                        .filter(|line| (1..2000).contains(&line.len()))
                        .map(<[u8]>::to_vec),
                );
            }
        }
        lines
    }

    #[test]
    fn there_is_a_bit_for_every_format() {
        assert!(FORMATS.len() <= u64::BITS as usize);
    }

    #[test]
    fn no_format_reads_a_line_that_its_first_byte_rules_out() {
        let reference = Timestamp::from_unix_seconds(1_795_000_000);
        let mut parser = Parser::new(Options::default());
        let mut count = 0;
        for (number, line) in lines().into_iter().enumerate() {
            let mut texts = vec![line.clone()];
            for byte in [b"07<[{ "[number % 6], b"AMazx\"'(-#*\r"[number % 12]] {
                texts.push([&[byte], &line[..]].concat());
                texts.push([&[byte], &line[1..]].concat());
            }
            for date in ["2026-03-04 ", "2026-03-04 10:00:01 ", "2026-03-04T10:00:01.120Z "] {
                texts.push([date.as_bytes(), &line[..]].concat());
            }
            let mut rows = BatchBuilder::new(Block::detached("x", b"x\n".to_vec(), reference), 8);
            for text in texts {
                let kind = kind_of(&text, text[0]);
                for format in FORMATS.iter().filter(|format| !format.first_bytes.has(kind)) {
                    parser.context.begin_block(reference, None);
                    parser.context.times.stand_in(&text);
                    let read = (format.read)(&text, &mut parser.context, &mut rows);
                    assert!(
                        matches!(read, Err(Refusal::Other(_))),
                        "{}: {}",
                        format.name,
                        String::from_utf8_lossy(&text)
                    );
                    count += 1;
                }
            }
        }
        assert!(count > 100_000, "{count}");
    }
}
