//! Case folding for comparisons: Unicode simple folding (one character to one character), as "case-insensitive" is
//! meant by Sigma. ASCII text, by far the most, never comes here.

/// The representative of all characters that differ only in case.
pub(crate) fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    match character {
        // Dotless and dotted i have no simple folding outside Turkish.
        '\u{130}' | '\u{131}' => return character,
        // Equal to a sign that only their full forms would show.
        '\u{1FD3}' => return '\u{390}',
        '\u{1FE3}' => return '\u{3B0}',
        '\u{FB05}' => return '\u{FB06}',
        _ => {}
    }
    let upper = single(character.to_uppercase()).unwrap_or(character);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// Writes the folded text into `folded`, whose memory is used again.
#[inline]
pub fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii()) {
            let (before, after) = rest.split_at(at);
            push_lowercase(before, folded);
            let mut characters = after.chars();
            folded.extend(characters.next().map(fold_char));
            rest = characters.as_str();
        }
        push_lowercase(rest, folded);
    }
}

fn push_lowercase(text: &str, folded: &mut String) {
    let start = folded.len();
    folded.push_str(text);
    if let Some(added) = folded.get_mut(start..) {
        added.make_ascii_lowercase();
    }
}

/// The text with every character replaced by its representative.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle is the regex engine's own folding table.
    #[test]
    fn folding_agrees_with_the_unicode_table_for_every_character() {
        use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
        let mut differ = Vec::new();
        for character in (0..=0x1_FFFF_u32).filter_map(char::from_u32) {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
            class.case_fold_simple();
            for range in class.ranges() {
                for other in (range.start()..=range.end()).filter(|other| fold_char(*other) != fold_char(character)) {
                    differ.push((character, other));
                }
            }
        }
        assert_eq!(differ, []);
    }

    #[test]
    fn characters_of_different_letters_stay_different() {
        assert_ne!(fold_char('ß'), fold_char('s'));
        assert_ne!(fold_char('ı'), fold_char('i'));
        assert_eq!(fold_char('\u{212A}'), 'k', "the Kelvin sign");
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }
}
