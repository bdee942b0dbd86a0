//! Cross-site scripting by structure: a value is read as a browser would read it, as text between tags, as what an
//! attribute's quote lets out, as an address, as script. A tag alone proves nothing; what counts is that it runs
//! something. The text is in lower case, its encodings undone.

use crate::Part;
use crate::grammar::{Grammar, Reading};
use crate::markup_script::script;
use crate::markup_tags::{attribute_start, tags};
use crate::markup_words::MarkupWords;
use crate::vocabulary::Vocabulary;

/// Texts of which each injection has one, beside words with a bracket behind them.
const NEEDS: &[&str] = &[
    "<",
    " on",
    "\"on",
    "'on",
    "`on",
    "/on",
    ";on",
    "\ton",
    "\non",
    "\ron",
    "=on",
    "script:",
    "script :",
    "data:",
    "mocha:",
    "\">",
    "'>",
    "\" style",
    "' style",
    "\" formaction",
    "' formaction",
    "\" src",
    "' src",
    "\" href",
    "' href",
    "&{",
    "document.",
    "window.",
    "self.document",
    "globalthis",
    "constructor",
    "`",
    "![]",
    "+[]",
    "[][",
    "!+[",
    "script)",
    "url(javascript",
    "location=",
    "location =",
    "location.",
    "-->",
    "]]>",
    "javascript",
];

/// The language of pages.
#[derive(Debug)]
pub(crate) struct MarkupGrammar {
    words: MarkupWords,
}

impl MarkupGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        MarkupGrammar { words: MarkupWords::new(words) }
    }
}

impl Grammar for MarkupGrammar {
    fn name(&self) -> &'static str {
        "markup"
    }

    fn needs(&self) -> Vec<String> {
        let words = &self.words;
        let mut needs: Vec<String> = NEEDS.iter().map(|need| (*need).to_owned()).collect();
        let called = words.dialog.iter().chain(words.run.iter()).chain(words.reach.iter());
        needs
            .extend(called.flat_map(|word| ["(", "`", ".call", ".apply", ".bind"].map(|call| format!("{word}{call}"))));
        needs.extend(words.global.iter().map(|word| format!("{word}[")));
        needs
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let words = &self.words;
        let sure = |read: &Option<Reading>| read.as_ref().is_some_and(|read| read.points == 5);
        let best = tags(text, words);
        if sure(&best) {
            return best;
        }
        let best = Reading::surer(best, Reading::surer(attribute_start(text, words), whole(text, words)));
        // Pages of paths are named after functions and objects.
        if sure(&best) || part == Part::Path && !text.contains(['\'', '"', '`', ';', '<']) {
            return best;
        }
        Reading::surer(best, script(text, words))
    }
}

/// What the value is as a whole: an address, the end of what it stood in, an entity that runs.
fn whole(text: &str, words: &MarkupWords) -> Option<Reading> {
    let address = match words.script_address(text) {
        0 => None,
        points => Some(Reading::new(points, "an address that runs a script")),
    };
    let entity = text.find("&{").and_then(|at| text.get(at + 2..)).filter(|inside| {
        let end = inside.find('}');
        end.is_some_and(|end| inside[..end].contains(['(', '=', ';']))
    });
    let entity = entity.map(|_| Reading::new(5, "an entity that runs a script"));
    let style = text.contains("url(javascript").then(|| Reading::new(5, "a style that runs a script"));
    let closes = ["-->", "]]>"].iter().any(|end| text.trim() == *end || text.starts_with(end) && text.contains('<'));
    let closes = closes.then(|| Reading::new(3, "the end of a comment"));
    [entity, style, closes].into_iter().fold(address, Reading::surer)
}
