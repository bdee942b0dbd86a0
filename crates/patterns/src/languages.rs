//! The languages that texts are read in, by the name that pattern files use. A language is one file and one row here.

use std::sync::Arc;

use crate::batch::BatchGrammar;
use crate::command::CommandGrammar;
use crate::grammar::Grammar;
use crate::markup::MarkupGrammar;
use crate::php::PhpGrammar;
use crate::powershell::PowershellGrammar;
use crate::script::ScriptGrammar;
use crate::shell::ShellGrammar;
use crate::sql::SqlGrammar;
use crate::template::TemplateGrammar;
use crate::vocabulary::Vocabulary;

/// Makes a grammar of the words that it looks up.
type Make = fn(&Vocabulary) -> Arc<dyn Grammar>;

const LANGUAGES: [(&str, Make); 9] = [
    ("sql", |words| Arc::new(SqlGrammar::new(words))),
    ("markup", |words| Arc::new(MarkupGrammar::new(words))),
    ("command", |words| Arc::new(CommandGrammar::new(words))),
    ("shell", |words| Arc::new(ShellGrammar::new(words))),
    ("batch", |words| Arc::new(BatchGrammar::new(words))),
    ("powershell", |words| Arc::new(PowershellGrammar::new(words))),
    ("php", |words| Arc::new(PhpGrammar::new(words))),
    ("script", |words| Arc::new(ScriptGrammar::new(words))),
    ("template", |words| Arc::new(TemplateGrammar::new(words))),
];

/// Names of all languages, for messages.
pub fn languages() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(name, _)| *name)
}

/// The grammar of the language with this name.
pub fn language(name: &str, words: &Vocabulary) -> Option<Arc<dyn Grammar>> {
    LANGUAGES.iter().find(|(known, _)| *known == name).map(|(_, make)| make(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_knows_its_name() {
        for name in languages() {
            assert_eq!(language(name, &Vocabulary::default()).map(|grammar| grammar.name()), Some(name));
        }
        assert!(language("none", &Vocabulary::default()).is_none());
    }
}
