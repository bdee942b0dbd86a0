//! The one place of this crate with unsafe code: text views into a block become an Arrow array without a second check.
//!
//! A view is 16 bytes: length, then either up to 12 bytes of text, or a 4-byte prefix, a buffer number and an offset.
//! What must hold is checked when a view is made, in [`inline`] and [`outside`], and again as a whole in tests.

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// Longest text that lives inside its view.
pub(crate) const INLINE_BYTES_MAX: usize = 12;

/// View of a text of at most [`INLINE_BYTES_MAX`] bytes.
#[inline]
pub(crate) fn inline(text: &[u8]) -> u128 {
    debug_assert!(text.len() <= INLINE_BYTES_MAX);
    let mut bytes = [0; 16];
    bytes[4..4 + text.len()].copy_from_slice(text);
    u128::from_le_bytes(bytes) | text.len() as u128
}

/// View of the text of at most [`INLINE_BYTES_MAX`] bytes that stands at `offset` of a buffer. Read as one number where
/// the buffer has the bytes: copying a few bytes costs more than reading sixteen.
#[inline]
pub(crate) fn inline_at(buffer: &[u8], offset: usize, length: usize) -> u128 {
    debug_assert!(length <= INLINE_BYTES_MAX);
    match buffer.get(offset..).and_then(<[u8]>::first_chunk::<16>) {
        Some(bytes) => {
            let text = u128::from_le_bytes(*bytes) & ((1 << (8 * length)) - 1);
            text << 32 | length as u128
        }
        None => inline(&buffer[offset..offset + length]),
    }
}

/// View of a longer text that stands at `offset` of buffer `buffer`.
#[inline]
pub(crate) fn outside(text: &[u8], buffer: u32, offset: u32) -> u128 {
    debug_assert!(text.len() > INLINE_BYTES_MAX);
    let prefix = u32::from_le_bytes([text[0], text[1], text[2], text[3]]);
    text.len() as u128 | u128::from(prefix) << 32 | u128::from(buffer) << 64 | u128::from(offset) << 96
}

/// Length of the text behind a view.
#[inline]
pub(crate) fn length(view: u128) -> usize {
    view as u32 as usize
}

/// Views made by this crate over `buffers`, as an array.
#[allow(unsafe_code, reason = "validating UTF-8 per value again would cost more than parsing the line")]
pub(crate) fn array(views: Vec<u128>, buffers: [Buffer; 2], nulls: Option<NullBuffer>) -> StringViewArray {
    let views = ScalarBuffer::from(views);
    // SAFETY: a `TextValues` pushes only views from `inline` and `outside`, over text that `BatchBuilder::view_of`
    // cut from the block at character boundaries after the whole block was found to be UTF-8, or over `&str`
    // that it copied to the scratch buffer. Offsets come from those very slices, so they lie inside their buffer,
    // the prefix is the text's first four bytes, and unused inline bytes are zero. A null is view 0: empty, inline.
    // `builder::tests` builds every kind of batch a second time through the checking constructor.
    unsafe { StringViewArray::new_unchecked(views, buffers.into_iter().collect::<Vec<_>>(), nulls) }
}
