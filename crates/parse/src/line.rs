//! Cutting a block into lines: LF ends a line, one CR before it belongs to the ending, the last LF may be missing.

use memchr::memchr_iter;

/// Offset, text without its ending, and whether the line is the block's last. A final LF opens no further line.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8], bool)> {
    let mut start = 0;
    let tail = std::iter::once(bytes.len()).filter(|_| bytes.last().is_some_and(|last| *last != b'\n'));
    memchr_iter(b'\n', bytes).chain(tail).map(move |end| {
        let at = start;
        start = end + 1;
        let text = &bytes[at..end];
        (at, text.strip_suffix(b"\r").unwrap_or(text), start >= bytes.len())
    })
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
        let last: Vec<bool> = lines(b"a\nb\n").map(|(_, _, last)| last).collect();
        assert_eq!(last, [false, true]);
    }
}
