//! Sentences derived from a grammar: seeded, of bounded depth, each with the choices that led to it, so that sentences that
//! differ in numbers and names only count once.

use crate::quality::encode::base64_text;
use crate::quality::grammar::{Alternative, Family, Function, Grammar, Made, Piece};
use crate::quality::sample::Random;

/// Productions within productions; below, the shortest way out is taken.
const DEPTH_MAX: usize = 9;
/// Draws for each sentence that is asked for; a small family has fewer sentences than asked for.
const DRAWS: usize = 6;

const WORDS: [&str; 12] =
    ["alpha", "birch", "cedar", "delta", "ember", "fjord", "gamma", "heron", "ivory", "juno", "krill", "lotus"];
const HOSTS: [&str; 5] = ["bad.example", "203.0.113.66", "x7.attacker.example", "cdn.bob.example", "198.51.100.7"];

/// What a function makes of a text.
fn applied(function: Function, text: &str) -> String {
    let each = |write: fn(u8) -> String| text.bytes().map(write).collect::<String>();
    match function {
        Function::Base64 => base64_text(text.as_bytes()),
        Function::Base64Wide => base64_text(&text.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>()),
        Function::Hex => each(|byte| format!("{byte:02x}")),
        Function::HexEscapes => each(|byte| format!("\\x{byte:02x}")),
        Function::OctalEscapes => each(|byte| format!("\\{byte:03o}")),
        Function::UnicodeEscapes => each(|byte| format!("\\u{byte:04x}")),
        Function::Codes => text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(","),
        Function::Entities => each(|byte| format!("&#{byte};")),
        Function::Reversed => text.chars().rev().collect(),
        Function::Upper => text.to_ascii_uppercase(),
        Function::Percent => each(|byte| format!("%{byte:02x}")),
    }
}

/// Numbers and names of one sentence.
struct MadeUp {
    number: usize,
    other_number: usize,
    word: &'static str,
    host: &'static str,
    address: String,
}

struct Derivation<'a> {
    grammar: &'a Grammar,
    random: &'a mut Random,
    names: MadeUp,
    choices: Vec<usize>,
}

impl Derivation<'_> {
    fn list(&mut self, list: &[Alternative], depth: usize) -> String {
        let mut open: Vec<usize> = (0..list.len()).collect();
        if depth >= DEPTH_MAX {
            let depths: Vec<Option<usize>> = list.iter().map(|each| self.grammar.depth(each)).collect();
            let least = depths.iter().min().copied().flatten();
            open.retain(|at| depths[*at] == least);
        }
        let chosen = open[self.random.below(open.len())];
        self.choices.push(chosen);
        list[chosen].iter().map(|piece| self.piece(piece, depth)).collect()
    }

    fn piece(&mut self, piece: &Piece, depth: usize) -> String {
        match piece {
            Piece::Text(text) => (*text).to_owned(),
            Piece::Made(made) => self.made(*made),
            Piece::Derived(name, function) => {
                let grammar = self.grammar;
                let text = grammar.productions.get(name).map(|list| self.list(list, depth + 1)).unwrap_or_default();
                function.map_or(text.clone(), |function| applied(function, &text))
            }
        }
    }

    fn made(&mut self, made: Made) -> String {
        match made {
            Made::Number => self.names.number.to_string(),
            Made::OtherNumber => self.names.other_number.to_string(),
            Made::Digit => (1 + self.random.below(9)).to_string(),
            Made::Word => self.names.word.to_owned(),
            Made::OtherWord => self.random.one_of(&WORDS).to_owned(),
            Made::Host => self.names.host.to_owned(),
            Made::Address => self.names.address.clone(),
            Made::Blank => " ".to_owned(),
            Made::Tab => "\t".to_owned(),
            Made::LineEnd => "\r\n".to_owned(),
            Made::NewLine => "\n".to_owned(),
            Made::Nul => "\0".to_owned(),
            Made::None => String::new(),
        }
    }
}

/// At most `most` sentences of a family, no two from the same choices.
pub(crate) fn derive(grammar: &Grammar, family: &Family, most: usize, random: &mut Random) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut sentences = Vec::new();
    for _ in 0..most * DRAWS {
        let names = MadeUp {
            number: 1 + random.below(9998),
            other_number: 1 + random.below(998),
            word: random.one_of(&WORDS),
            host: random.one_of(&HOSTS),
            address: format!("203.0.113.{}", 1 + random.below(250)),
        };
        let mut derivation = Derivation { grammar, random, names, choices: Vec::new() };
        let sentence = derivation.list(&family.alternatives, 0);
        if seen.insert(derivation.choices) {
            sentences.push(sentence);
        }
        if sentences.len() == most {
            break;
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::grammar_file::read;

    #[test]
    fn sentences_are_distinct_in_their_choices_end_and_come_from_the_seed() {
        let text = "class c\nplaces query\nfamily x/a\n  «n»«deep»\n  «base64(b)»\nproduction deep\n  («deep»)\n  1\nwords b: abc\n";
        let grammar = read("x", text).unwrap();
        let sentences = derive(&grammar, &grammar.families[0], 40, &mut Random::new(3));
        assert_eq!(sentences, derive(&grammar, &grammar.families[0], 40, &mut Random::new(3)));
        assert_eq!(sentences.iter().filter(|sentence| *sentence == "YWJj").count(), 1, "{sentences:?}");
        let deepest = sentences.iter().map(|sentence| sentence.matches('(').count()).max();
        assert!(deepest <= Some(DEPTH_MAX), "{sentences:?}");
        assert!(sentences.len() > 3);
    }

    #[test]
    fn functions_write_what_languages_read() {
        assert_eq!(applied(Function::Base64Wide, "ab"), "YQBiAA==");
        assert_eq!(applied(Function::OctalEscapes, "a1"), "\\141\\061");
        assert_eq!(applied(Function::Codes, "ab"), "97,98");
        assert_eq!(applied(Function::Reversed, "ab"), "ba");
    }
}
