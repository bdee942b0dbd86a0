//! Words of a fixed list, and the error for a word that is not on it. Knows none of the lists.

/// A text that is none of the words that were possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of {known}")]
pub struct UnknownWord {
    /// As it was written.
    pub text: String,
    /// The words that are possible, separated by a comma and a blank.
    pub known: String,
}

impl UnknownWord {
    /// `text` was read where only `known` may stand.
    pub fn new<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        UnknownWord { text: text.to_owned(), known: known.join(", ") }
    }
}
