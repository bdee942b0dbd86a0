//! Words that grammars and patterns share, in named lists such as `commands.tool`. Read from rule documents elsewhere:
//! nothing here knows YAML, and no list stands in code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashSet;

/// Lists of words, by name.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    lists: BTreeMap<String, Vec<String>>,
    /// Names of the lists that were asked for, while somebody wants to know.
    asked: Option<Arc<Mutex<BTreeSet<String>>>>,
}

impl Vocabulary {
    /// Adds words to a list, each once, in lower case. The list is made where there is none.
    pub fn add(&mut self, list: &str, words: impl IntoIterator<Item = String>) {
        let known = self.lists.entry(list.to_owned()).or_default();
        known.extend(words.into_iter().map(|word| word.to_lowercase()));
        known.sort_unstable();
        known.dedup();
    }

    /// Puts words in the place of a list.
    pub fn replace(&mut self, list: &str, words: impl IntoIterator<Item = String>) {
        self.lists.remove(list);
        self.add(list, words);
    }

    /// The words of a list, sorted; none where there is no such list.
    pub fn words(&self, list: &str) -> &[String] {
        if let Some(asked) = &self.asked {
            asked.lock().unwrap_or_else(PoisonError::into_inner).insert(list.to_owned());
        }
        self.lists.get(list).map_or(&[], Vec::as_slice)
    }

    /// Names of the lists, sorted.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// Names of the lists that something looks up while it is made of these words, also of lists that are not there.
    pub fn asked_by<T>(&self, make: impl FnOnce(&Vocabulary) -> T) -> BTreeSet<String> {
        let asked = Arc::new(Mutex::default());
        make(&Vocabulary { lists: self.lists.clone(), asked: Some(Arc::clone(&asked)) });
        std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The words of some lists, for asking whether a word is one of them.
    pub fn set(&self, lists: &[&str]) -> WordSet {
        WordSet(lists.iter().flat_map(|list| self.words(list)).map(|word| word.as_str().into()).collect())
    }
}

/// Words, for asking whether a word is one of them.
#[derive(Clone, Debug, Default)]
pub struct WordSet(HashSet<Box<str>>);

impl WordSet {
    /// Whether the word, in lower case, is one of them.
    #[inline]
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// Each word, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_once_and_in_lower_case() {
        let mut words = Vocabulary::default();
        words.add("commands.tool", ["Wget".to_owned(), "curl".to_owned()]);
        words.add("commands.tool", ["wget".to_owned()]);
        assert_eq!(words.words("commands.tool"), ["curl", "wget"]);
        assert!(words.set(&["commands.tool", "none"]).has("wget") && words.words("none").is_empty());
        let asked = words.asked_by(|words| words.words("commands.tool").len() + words.words("none").len());
        assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), ["commands.tool", "none"]);
    }
}
