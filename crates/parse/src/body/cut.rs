//! Pieces of a message: what stands between, behind or in something. Knows no program.
use crate::needle;

/// The address in the last brackets of a text.
pub(super) fn in_last_brackets(text: &[u8]) -> Option<&[u8]> {
    let close = memchr::memrchr(b']', text)?;
    let open = memchr::memrchr(b'[', &text[..close])?;
    Some(&text[open + 1..close])
}

/// Value of `key=` up to the next blank, where the key starts a word.
pub(super) fn value_of<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut from = 0;
    loop {
        let at = from + needle::find_word(text.get(from..)?, key)?;
        if at == 0 || matches!(text[at - 1], b' ' | b';' | b',') {
            let value = &text[at + key.len()..];
            let end = value.iter().position(|byte| matches!(byte, b' ' | b';' | b',')).unwrap_or(value.len());
            return Some(&value[..end]);
        }
        from = at + key.len();
    }
}

/// Text after `prefix` up to `end`.
pub(super) fn between<'a>(text: &'a [u8], prefix: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let start = needle::find_word(text, prefix)? + prefix.len();
    let length = needle::find_word(&text[start..], end)?;
    Some(&text[start..start + length])
}
