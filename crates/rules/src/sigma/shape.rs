//! Values by their shape: what is not written as wanted is told with what stands there, never taken for absent.

use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::Mentions;
use crate::yaml::{Kind, Location, Node};

/// The text under a key, without blanks around it. `example`: what could stand there.
pub(crate) fn text<'a>(node: &'a Node, key: &str, example: &str, problems: &mut Problems) -> Option<&'a str> {
    let value = node.get(key).filter(|value| !value.is_null())?;
    match &value.kind {
        Kind::Scalar(scalar) => Some(scalar.text.trim()).filter(|text| !text.is_empty()),
        _ => {
            let reason = format!("`{key}` takes one text such as {example}, not {}", value.shown());
            problems.error(value.place, reason);
            None
        }
    }
}

/// Whether something else than a text stands under a key: then [`text`] has told.
pub(crate) fn is_other(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| matches!(value.kind, Kind::List(_) | Kind::Map(_)))
}

/// Texts, and where each of them stands.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<(String, Location)>);

/// The texts under a key: one, or a list of them. `what` they are, in the plural.
pub(crate) fn texts(section: &Node, key: &str, what: &str, problems: &mut Problems) -> Texts {
    let Some(node) = section.get(key).filter(|node| !node.is_null()) else { return Texts::default() };
    let mut texts = Vec::new();
    for one in node.one_or_many() {
        match one.text().filter(|text| !one.is_null() && !text.trim().is_empty()) {
            Some(text) => texts.push((text.to_owned(), one.place)),
            None => {
                let reason = format!("`{key}` takes {what}, one or a list of them, not {}", one.shown());
                problems.error(one.place, reason);
            }
        }
    }
    Texts(texts)
}

impl Texts {
    /// Refuses what is named twice under the key.
    pub(crate) fn refuse_doubles(&self, key: &str, problems: &mut Problems) {
        for (at, (text, place)) in self.0.iter().enumerate() {
            if self.0[..at].iter().any(|(known, _)| known == text) {
                problems.error(*place, format!("`{text}` is named twice in `{key}`: keep one"));
            }
        }
    }

    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().map(|(text, _)| text.clone()).collect()
    }

    pub(crate) fn mentions(self) -> Mentions {
        Mentions(self.0)
    }
}

/// Most changes by which a word may differ from the one that is meant.
const CHANGES_MAX: usize = 2;
/// Words beyond this length in bytes are not looked at.
const WORD_MAX: usize = 40;

/// The known word that was meant, where it is not quite written so.
pub(crate) fn meant<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().filter(|known| word.len() <= WORD_MAX && changes(word, known) <= CHANGES_MAX);
    near.min_by_key(|known| changes(word, known)).copied()
}

/// Characters to be put in, left out or replaced to make one word of the other.
fn changes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], at + 1);
        for (place, other) in to.iter().enumerate() {
            let replaced = before + usize::from(letter != *other);
            before = row[place + 1];
            row[place + 1] = replaced.min(before + 1).min(row[place] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_meant() {
        let known = ["category", "product", "service"];
        for (word, expected) in [
            ("prodcut", Some("product")),
            ("products", Some("product")),
            ("Service", Some("service")),
            ("vendor", None),
            ("definition", None),
            ("", None),
            (&"x".repeat(1000), None),
        ] {
            assert_eq!(meant(word, &known), expected, "{word}");
        }
        assert_eq!([changes("", "abc"), changes("abc", ""), changes("kitten", "sitting")], [3, 3, 3]);
    }
}
