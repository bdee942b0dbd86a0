//! Cutting a block into lines: LF ends a line, one CR before it belongs to the ending, the last LF may be missing. A byte order
//! mark and NULs in front of a line are no part of it: files are put together, and cut off while they are written.

use memchr::memchr_iter;

/// A line of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockLine<'a> {
    /// Offset of the first byte that is no NUL.
    pub(crate) at: usize,
    /// Without its ending and the marks in front.
    pub(crate) text: &'a [u8],
    /// Offset behind its ending: where the next line begins, or where the block ends.
    pub(crate) next: usize,
}

/// Every line. A final LF opens no further one.
#[inline]
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = BlockLine<'_>> {
    let mut start = 0;
    let tail = std::iter::once(bytes.len()).filter(|_| bytes.last().is_some_and(|last| *last != b'\n'));
    memchr_iter(b'\n', bytes).chain(tail).map(move |end| {
        let at = start;
        start = end + 1;
        let text = &bytes[at..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (nuls, text) = if matches!(text.first(), Some(0 | 0xEF)) { without_marks(text) } else { (0, text) };
        BlockLine { at: at + nuls, text, next: start.min(bytes.len()) }
    })
}

/// The text without the LF, and the CR before it, that it ends with.
pub(crate) fn without_ending(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// How many NULs stand in front, and the text behind all marks.
#[cold]
fn without_marks(text: &[u8]) -> (usize, &[u8]) {
    let nuls = |text: &[u8]| text.iter().take_while(|byte| **byte == 0).count();
    let first = nuls(text);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix(b"\xEF\xBB\xBF") {
        rest = &after[nuls(after)..];
    }
    (first, rest)
}

/// Nothing, or blanks alone.
pub(crate) fn is_empty(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<&[u8]> {
        lines(bytes).map(|line| line.text).collect()
    }

    #[test]
    fn every_ending_gives_the_same_lines() {
        assert_eq!(texts(b""), Vec::<&[u8]>::new());
        assert_eq!(texts(b"a"), [b"a"]);
        assert_eq!(texts(b"a\n"), [b"a"]);
        assert_eq!(texts(b"a\r\nb\n"), [b"a", b"b"]);
        assert_eq!(texts(b"\n\na"), [&b""[..], b"", b"a"]);
        assert_eq!(
            texts(b"\xEF\xBB\xBFa\n\0\0b\n\0\xEF\xBB\xBF\0\n\xEF\xBBc\na\0\n"),
            [&b"a"[..], b"b", b"", b"\xEF\xBBc", b"a\0"]
        );
        let places: Vec<_> = lines(b"\0a\r\nb").map(|line| (line.at, line.next)).collect();
        assert_eq!(places, [(1, 4), (4, 5)]);
    }
}
