//! Handing out a text that was made, as far as the reader has room. Makes none.

/// Copies what follows `at`, and steps behind it: how many bytes.
pub(super) fn hand_over(text: &[u8], at: &mut usize, into: &mut [u8]) -> usize {
    let length = into.len().min(text.len() - *at);
    into[..length].copy_from_slice(&text[*at..*at + length]);
    *at += length;
    length
}
