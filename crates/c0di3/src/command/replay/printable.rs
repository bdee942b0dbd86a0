//! Log text on its way to a terminal.

/// The text without control characters: they could move the cursor, or worse.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
