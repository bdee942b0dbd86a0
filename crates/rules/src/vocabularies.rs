//! Who uses which list of words: languages, patterns, and what weighs readings by their surroundings; and the cases of each
//! list. For tables and tests: no rule is loaded here, and nothing is judged.

use std::collections::{BTreeMap, BTreeSet};

use patterns::{Context, languages};

use crate::Words;
use crate::rule_text::RuleText;
use crate::sigma::words::{is_vocabulary, names_in_braces};
use crate::yaml::Node;

/// Who uses one list, and what its words are tested with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordList {
    /// What its words are; empty where the list is named and is not there.
    pub what: String,
    /// The file that has most of it.
    pub file: String,
    /// Its words, as they are written.
    pub words: Vec<String>,
    /// Languages that look its words up.
    pub languages: BTreeSet<&'static str>,
    /// Patterns that name it, or are read in one of the languages: the pack and the pattern.
    pub patterns: BTreeSet<(String, String)>,
    /// Its words decide what the surroundings of a reading make of its points.
    pub weighs: bool,
    /// What its words are tested with.
    pub cases: WordCases,
}

/// Request targets with `{word}` in them, which stands for each word of a list in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordCases {
    /// Points that the word makes of a match, at least.
    pub points: u32,
    /// The word takes points away instead.
    pub less: bool,
    /// More is found with the word than with one that nobody knows.
    pub matches: Vec<String>,
    /// Nothing is reported.
    pub ignores: Vec<String>,
}

impl WordList {
    /// Whether anything uses it.
    pub fn is_used(&self) -> bool {
        self.weighs || !self.patterns.is_empty()
    }
}

/// Every list that the files bring, or that one of their patterns names, by its name.
pub fn word_lists<'a>(files: impl IntoIterator<Item = impl Into<RuleText<'a>>>) -> BTreeMap<String, WordList> {
    let files: Vec<RuleText<'_>> = files.into_iter().map(Into::into).collect();
    let words = Words::standard().with(&files, &mut Vec::new());
    let mut lists = BTreeMap::new();
    for file in &files {
        for node in file.sound_documents().unwrap_or_default() {
            if is_vocabulary(file.text) {
                add_lists(&mut lists, file.path, &node);
            } else {
                add_patterns(&mut lists, &node);
            }
        }
    }
    for list in words.vocabulary().asked_by(Context::new) {
        let list: &mut WordList = lists.entry(list).or_default();
        list.weighs = true;
    }
    for language in languages() {
        for list in words.vocabulary().asked_by(|words| patterns::language(language, words)) {
            lists.entry(list).or_default().languages.insert(language);
        }
    }
    let readers = readers(&files);
    for list in lists.values_mut() {
        let read = list.languages.iter().flat_map(|language| readers.get(*language)).flatten();
        list.patterns.extend(read.cloned());
    }
    lists
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map_or(&[][..], Node::one_or_many).iter().filter_map(Node::text).map(str::to_owned).collect()
}

fn add_lists(lists: &mut BTreeMap<String, WordList>, file: &str, node: &Node) {
    let name = node.get("vocabulary").and_then(Node::text).unwrap_or("");
    for (key, section) in node.get("lists").and_then(Node::map).unwrap_or_default() {
        let list = lists.entry(format!("{name}.{}", key.text)).or_default();
        list.file = file.to_owned();
        list.what = section.get("what").and_then(Node::text).unwrap_or("").to_owned();
        list.words.extend(texts(section.get("words")));
        let Some(cases) = section.get("cases") else { continue };
        let points = cases.get("points").and_then(Node::text).and_then(|points| points.parse().ok());
        list.cases = WordCases {
            points: points.unwrap_or(patterns::THRESHOLD),
            less: cases.get("less").and_then(Node::text) == Some("true"),
            matches: texts(cases.get("match")),
            ignores: texts(cases.get("ignore")),
        };
    }
}

/// Each pattern of a document, as it is written, with its pack and its name.
fn each_pattern(node: &Node, mut with: impl FnMut((String, String), &Node)) {
    let pack = node.get("name").and_then(Node::text).unwrap_or("");
    let list = node.get("patterns").and_then(|section| section.get("list"));
    for pattern in list.map_or(&[][..], Node::one_or_many) {
        let id = pattern.get("id").and_then(Node::text).unwrap_or("");
        with((pack.to_owned(), id.to_owned()), pattern);
    }
}

fn add_patterns(lists: &mut BTreeMap<String, WordList>, node: &Node) {
    each_pattern(node, |name, pattern| {
        let written = ["regex", "any", "needs"].into_iter().flat_map(|key| texts(pattern.get(key)));
        for text in written {
            for list in names_in_braces(&text) {
                lists.entry(list.to_owned()).or_default().patterns.insert(name.clone());
            }
        }
    });
}

/// The patterns that each language reads for.
fn readers(files: &[RuleText<'_>]) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut readers: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for file in files.iter().filter(|file| !is_vocabulary(file.text)) {
        for node in file.sound_documents().unwrap_or_default() {
            each_pattern(&node, |name, pattern| {
                if let Some(language) = pattern.get("grammar").and_then(Node::text) {
                    readers.entry(language.to_owned()).or_default().insert(name);
                }
            });
        }
    }
    readers
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "vocabulary: mine\ndescription: x\nlists:\n  tool:\n    what: tools\n    words: [Zap, 7z]\n    \
        cases: {points: 3, match: ['/{word}'], ignore: ['/x']}\n  idle: {what: y, words: [z]}\n";
    const PACK: &str = "name: pack\npatterns:\n  fields: [target]\n  list:\n    - {id: a, any: ['{mine.tool} x', '{mine.gone}']}\n    \
        - {id: b, grammar: sql}\n";

    #[test]
    fn each_list_tells_who_uses_it() {
        let lists = word_lists([("words.yml", WORDS), ("pack.yml", PACK)]);
        let tool = &lists["mine.tool"];
        assert_eq!((tool.what.as_str(), tool.words.len(), tool.is_used()), ("tools", 2, true));
        assert_eq!((tool.cases.points, tool.cases.matches.len(), tool.cases.less), (3, 1, false));
        assert_eq!(tool.patterns, [("pack".to_owned(), "a".to_owned())].into());
        assert!(!lists["mine.idle"].is_used(), "nobody uses it");
        assert!(lists["mine.gone"].words.is_empty() && lists["mine.gone"].is_used(), "it is not there");
        let type_of = &lists["sql.type"];
        assert!(type_of.languages.contains("sql") && type_of.patterns.contains(&("pack".to_owned(), "b".to_owned())));
        assert!(lists["parameters.prose"].weighs);
    }
}
