//! The one place of this crate with unsafe code: sixteen bytes are compared at once, which the compiler does not find by itself.
//! Compares; searches nothing.

/// Bytes that are compared at once.
pub(crate) const WIDE_BYTES: usize = 16;

/// Which of the bytes are one of the two: a bit for each, the lowest for the first.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "searches in values of a few bytes are a tenth of what reading JSON takes")]
#[inline]
pub(crate) fn which_are(bytes: &[u8; WIDE_BYTES], one: u8, other: u8) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    // SAFETY: every x86-64 processor has SSE2, which these are of. The load reads the sixteen bytes behind the reference and no
    // others, at whatever address they stand.
    let found = unsafe {
        let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
        let is_one = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(one.cast_signed()));
        let is_other = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(other.cast_signed()));
        _mm_movemask_epi8(_mm_or_si128(is_one, is_other))
    };
    found.cast_unsigned()
}

/// As it is compiled for other processors.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn which_are_one_by_one(bytes: &[u8; WIDE_BYTES], one: u8, other: u8) -> u32 {
    bytes.iter().enumerate().map(|(at, byte)| u32::from(*byte == one || *byte == other) << at).sum()
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use which_are_one_by_one as which_are;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tells_what_looking_at_each_byte_tells(
            bytes in prop::array::uniform16(prop::sample::select(&[0, b'a', b'b', b'"', b'\\', 0x80, 0xFF][..])),
            one in any::<u8>(),
            of_two in any::<bool>(),
        ) {
            let pairs = [(one, b'a'), (b'"', b'\\'), (0x80, 0xFF), (b'b', b'b')];
            for (one, other) in pairs {
                let other = if of_two { other } else { one };
                prop_assert_eq!(which_are(&bytes, one, other), which_are_one_by_one(&bytes, one, other));
            }
        }
    }
}
