//! The texts behind names of pairs: where they end, in quotes or without, and what they say without escapes. Knows no names.

use std::borrow::Cow;

use crate::needle::{bytes_of, find_byte, quote_or_backslash};

/// The text behind a `=`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairText<'a> {
    pub(crate) text: &'a [u8],
    /// Where it begins in the line.
    pub(crate) start: usize,
    pub(crate) is_quoted: bool,
    /// It stands in quotes and has a backslash.
    pub(crate) is_escaped: bool,
}

impl<'a> PairText<'a> {
    /// What it says.
    #[inline]
    pub(crate) fn value(&self) -> Cow<'a, [u8]> {
        if self.is_escaped {
            unescaped(self.text)
        } else if self.is_quoted {
            Cow::Borrowed(self.text)
        } else {
            Cow::Borrowed(self.text.trim_ascii_end())
        }
    }

    /// Where the line goes on behind it.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len() + usize::from(self.is_quoted)
    }
}

#[inline]
pub(crate) fn separates(byte: u8) -> bool {
    const SEPARATORS: [bool; 256] = bytes_of(b" \t,;|", false);
    SEPARATORS[usize::from(byte)]
}

/// Where a text without quotes ends.
#[inline]
pub(crate) fn bare_end(text: &[u8]) -> usize {
    text.iter().position(|byte| separates(*byte)).unwrap_or(text.len())
}

/// Where the quote closes: one that no backslash escapes, and that the end or a separator follows. Whether there are backslashes in
/// front of it.
pub(crate) fn closing(text: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut at, mut is_escaped) = (0, false);
    loop {
        let rest = text.get(at..)?;
        at += if quote == b'"' { quote_or_backslash(rest)? } else { memchr::memchr2(quote, b'\\', rest)? };
        if text[at] == b'\\' {
            is_escaped = true;
            at += 2;
        } else if text.get(at + 1).is_none_or(|byte| separates(*byte)) {
            return Some((at, is_escaped));
        } else {
            at += 1;
        }
    }
}

/// A text without its escapes: a backslash stands for the character behind it; `n`, `r` and `t` are white space.
pub(crate) fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if find_byte(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        match bytes.as_slice().first() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(known @ (b'\\' | b'"' | b'=' | b'|' | b'\'')) => out.push(*known),
            // Paths of Windows are often written as they are.
            _ => {
                out.push(b'\\');
                continue;
            }
        }
        bytes.next();
    }
    Cow::Owned(out)
}
