//! Vocabulary documents, and the places of pattern files that use them: `{commands.tool}` in an expression or a list of
//! texts stands for every word of that list.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use event::block::digest;
use patterns::{Context, Vocabulary};

use crate::rule_text::{RuleText, STANDARD};
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::yaml::Node;

/// Where the vocabularies stand that the program knows by itself; a language looks its words up there whatever rules are
/// loaded.
const STANDARD_FOLDER: &str = "rules/vocabularies/";

fn standard_files() -> impl Iterator<Item = RuleText<'static>> {
    STANDARD.iter().filter(|(path, ..)| path.starts_with(STANDARD_FOLDER)).map(|file| RuleText::from(*file))
}

/// The lists of words that patterns use.
#[derive(Clone, Debug)]
pub struct Words {
    vocabulary: Arc<Vocabulary>,
    context: Arc<Context>,
    /// Hash of all words, once somebody has asked.
    digest_of_all: Arc<OnceLock<String>>,
}

impl Words {
    fn of(vocabulary: Vocabulary) -> Words {
        let context = Arc::new(Context::new(&vocabulary));
        Words { vocabulary: Arc::new(vocabulary), context, digest_of_all: Arc::default() }
    }

    /// The words that the program knows by itself.
    pub(crate) fn standard() -> Words {
        static READ: OnceLock<Words> = OnceLock::new();
        let read = || {
            let mut vocabulary = Vocabulary::default();
            standard_files().for_each(|file| add(&mut vocabulary, file, &mut Vec::new()));
            Words::of(vocabulary)
        };
        READ.get_or_init(read).clone()
    }

    /// These words and those of the files that are vocabularies; what is wrong with one is added to the problems.
    pub(crate) fn with(&self, files: &[RuleText<'_>], problems: &mut Vec<Diagnostic>) -> Words {
        let is_standard =
            |file: &RuleText<'_>| standard_files().any(|known| (known.path, known.text) == (file.path, file.text));
        let own = |file: &&RuleText<'_>| is_vocabulary(file.text) && !is_standard(file);
        if !files.iter().any(|file| own(&file)) {
            return self.clone();
        }
        let mut vocabulary = (*self.vocabulary).clone();
        files.iter().filter(own).for_each(|file| add(&mut vocabulary, *file, problems));
        Words::of(vocabulary)
    }

    /// These words, with a word that nobody writes in the place of one list: for checks of what the list does.
    pub fn without(&self, list: &str) -> Words {
        let mut vocabulary = (*self.vocabulary).clone();
        vocabulary.replace(list, ["\u{e000}".to_owned()]);
        Words::of(vocabulary)
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What weighs unsure readings.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The text of a node, or each word of the list that it names as `{list}`, with what stands around the name.
    pub(crate) fn texts(&self, node: &Node, problems: &mut Problems) -> Vec<String> {
        let Some(text) = node.text() else { return Vec::new() };
        let Some((before, name, after)) = reference(text) else { return vec![text.to_owned()] };
        match self.list(name, node, problems) {
            Some(words) => words.iter().map(|word| format!("{before}{word}{after}")).collect(),
            None => Vec::new(),
        }
    }

    /// The expression with a group of all words in the place of each `{list}`.
    pub(crate) fn expression(&self, node: &Node, problems: &mut Problems) -> Option<String> {
        let mut rest = node.text()?;
        let mut out = String::with_capacity(rest.len());
        while let Some((before, name, after)) = reference(rest) {
            out.push_str(before);
            let mut words: Vec<&str> = self.list(name, node, problems)?.iter().map(String::as_str).collect();
            // The longer word first: the first that fits is taken.
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            let words: Vec<String> = words.into_iter().map(regex::escape).collect();
            out.push_str(&format!("(?:{})", words.join("|")));
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    fn list(&self, name: &str, node: &Node, problems: &mut Problems) -> Option<&[String]> {
        let words = self.vocabulary.words(name);
        if words.is_empty() {
            let known: Vec<&str> = self.vocabulary.lists().collect();
            problems.error(node.place, format!("there is no list of words `{name}`: there are {}", known.join(", ")));
            return None;
        }
        Some(words)
    }

    /// Hash of the words that a pack may use, as text; empty where it uses none. `written`: the pack. `reads`: all of
    /// them, because it has a grammar; `weighs`: those of parameters and prose, because it has unsure patterns.
    pub(crate) fn digest_of(&self, written: &str, reads: bool, weighs: bool) -> String {
        if reads {
            return self.digest_of_all.get_or_init(|| self.digest_of_lists(|_| true)).clone();
        }
        let named: BTreeSet<&str> = in_braces(written).collect();
        self.digest_of_lists(|list| weighs && list.starts_with("parameters.") || named.contains(list))
    }

    fn digest_of_lists(&self, uses: impl Fn(&str) -> bool) -> String {
        let known = &self.vocabulary;
        let used = known.lists().filter(|list| uses(list));
        let parts: Vec<String> = used.map(|list| format!("{list}={}", known.words(list).join(" "))).collect();
        if parts.is_empty() { String::new() } else { format!(" {:032x}", digest(&[parts.join("\n").as_bytes()])) }
    }
}

/// Whether a file holds a vocabulary: its first line that is no comment says so.
pub(crate) fn is_vocabulary(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#') && *line != "---");
    lines.next().is_some_and(|line| line.starts_with("vocabulary:"))
}

/// The first name of a list in braces, and what stands around it: `{` letters, digits, `_` and one dot at least `}`.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text.get(at + 1..)?.split_once('}')?;
        is_name(name).then(|| (text.get(..at).unwrap_or(""), name, after))
    })
}

/// Everything that stands between an opening brace and the closing one behind it.
fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|after| Some(after.split_once('}')?.0))
}

/// The names of lists that a text has in braces.
pub(crate) fn names_in_braces(text: &str) -> impl Iterator<Item = &str> {
    in_braces(text).filter(|name| is_name(name))
}

/// Letters, digits, `_` and one dot at least.
fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
    name.contains('.') && name.bytes().all(known) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Reads one file: `vocabulary` (its name), `description`, and `lists` of words, each with what it holds.
fn add(vocabulary: &mut Vocabulary, file: RuleText<'_>, problems: &mut Vec<Diagnostic>) {
    let mut found = Problems::new(file.path);
    match file.sound_documents() {
        Ok(documents) => documents.iter().for_each(|node| read(vocabulary, node, &mut found)),
        Err(error) => found.error(error.place, error.message),
    }
    problems.extend(found.into_found());
}

const KEYS: [&str; 3] = ["vocabulary", "description", "lists"];

fn read(vocabulary: &mut Vocabulary, node: &Node, problems: &mut Problems) {
    for (key, _) in node.map().unwrap_or_default().iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems.error(key.place, format!("unknown key `{}` of a vocabulary: use {}", key.text, KEYS.join(", ")));
    }
    let name = node.get("vocabulary").and_then(Node::text).unwrap_or("");
    let lists = node.get("lists").and_then(Node::map);
    let Some(lists) = lists.filter(|_| !name.is_empty()) else {
        problems.error(node.place, "a vocabulary has a name under `vocabulary`, and `lists`: a map of lists of words");
        return;
    };
    for (list, section) in lists {
        let words = section.get("words").unwrap_or(section);
        let texts: Vec<String> = words.one_or_many().iter().filter_map(Node::text).map(str::to_owned).collect();
        if texts.is_empty() || section.get("what").and_then(Node::text).is_none() {
            let reason = format!("`{}` needs `what` (what its words are) and `words` (a list of texts)", list.text);
            problems.error(list.place, reason);
            continue;
        }
        vocabulary.add(&format!("{name}.{}", list.text), texts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_program_are_sound() {
        let mut problems = Vec::new();
        assert!(standard_files().count() > 5);
        for file in standard_files() {
            assert!(is_vocabulary(file.text), "{}", file.path);
            add(&mut Vocabulary::default(), file, &mut problems);
        }
        assert_eq!(problems, []);
    }

    #[test]
    fn names_of_lists_stand_in_braces() {
        assert_eq!(reference("a{2,3}{x.y}b"), Some(("a{2,3}", "x.y", "b")));
        assert_eq!(reference("a{2}${ifs}{x"), None);
    }
}
