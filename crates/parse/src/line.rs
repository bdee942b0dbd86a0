//! Cutting a block into lines: LF ends a line, one CR before it belongs to the ending, the last LF may be missing. A byte order
//! mark and NULs in front of a line are no part of it: files are put together, and cut off while they are written.

use memchr::memchr_iter;

/// Offset (of the first byte that is no NUL), text without its ending, and whether the line is the block's last. A final LF opens no further line.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8], bool)> {
    let mut start = 0;
    let tail = std::iter::once(bytes.len()).filter(|_| bytes.last().is_some_and(|last| *last != b'\n'));
    memchr_iter(b'\n', bytes).chain(tail).map(move |end| {
        let at = start;
        start = end + 1;
        let text = &bytes[at..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (nuls, text) = if matches!(text.first(), Some(0 | 0xEF)) { without_marks(text) } else { (0, text) };
        (at + nuls, text, start >= bytes.len())
    })
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
        lines(bytes).map(|(_, text, _)| text).collect()
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
        let last: Vec<bool> = lines(b"a\nb\n").map(|(_, _, last)| last).collect();
        assert_eq!(last, [false, true]);
    }
}
