//! Names of PHP by what they do, as one table that is looked up. No text is read here.

use hashbrown::HashMap;

use crate::vocabulary::Vocabulary;

/// What a name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Run,
    RunWord,
    Include,
    /// Reads, hides, reaches out or calls back: no other meaning.
    Sure,
    /// Tells by itself, without arguments.
    Info,
    Word,
    /// Changes texts: no word, and no more than that.
    Text,
    Object,
    Magic,
}

const DEEDS: [(&str, Deed); 15] = [
    ("php.decode_word", Deed::Word),
    ("php.text", Deed::Text),
    ("php.file_word", Deed::Word),
    ("php.callback_word", Deed::Word),
    ("php.info_word", Deed::Word),
    ("php.include_word", Deed::Include),
    ("php.run_word", Deed::RunWord),
    ("php.magic", Deed::Magic),
    ("php.class", Deed::Object),
    ("php.decode", Deed::Sure),
    ("php.network", Deed::Sure),
    ("php.file", Deed::Sure),
    ("php.callback", Deed::Sure),
    ("php.info", Deed::Info),
    ("php.run", Deed::Run),
];

/// What each name does.
#[derive(Debug)]
pub(crate) struct PhpNames(HashMap<Box<str>, Deed>);

impl PhpNames {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let of =
            |(list, deed): (&'static str, Deed)| words.words(list).iter().map(move |word| (word.as_str().into(), deed));
        PhpNames(DEEDS.into_iter().flat_map(of).collect())
    }

    pub(crate) fn deed(&self, name: &str) -> Option<Deed> {
        self.0.get(name.trim_start_matches('\\')).copied()
    }

    /// Adds the texts of which a use of each name has one.
    pub(crate) fn nominate(&self, needs: &mut Vec<String>) {
        for (name, deed) in &self.0 {
            // A plain word nominates only together with its bracket.
            if !matches!(deed, Deed::Word | Deed::Text) && name.contains('_') && name.len() > 7 {
                needs.push(name.to_string());
                continue;
            }
            if *deed == Deed::Include {
                needs.extend([" '", " \"", " $", " /"].map(|file| format!("{name}{file}")));
            }
            needs.extend(["(", " ("].map(|bracket| format!("{name}{bracket}")));
        }
    }
}
