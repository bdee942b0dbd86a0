//! Words for how grave a message is, as logs of applications write them. Reads no line.

/// Bytes of the longest word for a level.
const LEVEL_WORD_BYTES_MAX: usize = 13;

/// Whether the word names how grave a message is, as logs of applications write it.
pub(crate) fn is_level(word: &[u8]) -> bool {
    let mut lower = [0; LEVEL_WORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"trace"
            | b"debug"
            | b"dbg"
            | b"fine"
            | b"finer"
            | b"finest"
            | b"info"
            | b"inf"
            | b"information"
            | b"informational"
            | b"notice"
            | b"note"
            | b"warn"
            | b"wrn"
            | b"warning"
            | b"err"
            | b"error"
            | b"eror"
            | b"severe"
            | b"crit"
            | b"critical"
            | b"alert"
            | b"emerg"
            | b"fatal"
            | b"ftl"
            | b"panic"
    )
}
