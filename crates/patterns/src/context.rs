//! What stands around a reading makes it more or less likely: the name of the parameter, and the words of ordinary prose.
//! Only readings that are unsure by themselves are weighed.

use crate::THRESHOLD;
use crate::vocabulary::{Vocabulary, WordSet};

/// Words of prose in a value from which on it counts as prose.
const PROSE_WORDS: usize = 3;
/// Words of a value that are looked at.
const WORDS_MAX: usize = 64;
/// Bare words that make a sentence in a parameter into which people write, where one of them is a word of prose.
const SENTENCE_WORDS: usize = 3;
/// What stands around code in texts written as Markdown, before it and behind it.
const FENCE: &str = "```";
/// Connections of shells, and files that nobody looks for with a whole command line.
const UNASKED: [&str; 5] = ["/dev/tcp/", "/dev/udp/", "/etc/passwd", "/etc/shadow", ".ssh/"];
/// Points that prose takes away.
const PROSE_POINTS: u32 = 2;

/// The words that tell what surrounds a reading.
#[derive(Debug, Default)]
pub struct Context {
    /// Names of parameters whose values programs act on.
    acting: WordSet,
    /// Names of parameters into which people write.
    written: WordSet,
    /// Words that stand in every sentence.
    prose: WordSet,
    /// Programs whose options people look for.
    taught: WordSet,
}

impl Context {
    /// Reads the lists of the vocabulary `parameters`, and `commands.taught`.
    pub fn new(words: &Vocabulary) -> Self {
        Context {
            acting: words.set(&["parameters.acting"]),
            written: words.set(&["parameters.written"]),
            prose: words.set(&["parameters.prose"]),
            taught: words.set(&["commands.taught"]),
        }
    }

    /// The points of a reading of `text`, the value of the parameter `name` as it was sent.
    /// `is_mention`: a name or an expression was found, and no language was read.
    pub fn weighed(&self, points: u32, is_mention: bool, name: &str, text: &str) -> u32 {
        if points >= THRESHOLD {
            // Who asks about a name writes it as an attacker does.
            // What stands behind a line break that was sent in an address is no sentence.
            let is_asked = is_mention && !breaks_line(text) && self.is_asked(name, text);
            return if is_asked { THRESHOLD - 1 } else { points };
        }
        let name = plain(name);
        let mut weighed = points;
        if self.acting.has(&name) {
            weighed += 1;
        } else if self.written.has(&name) || self.is_prose(text) {
            weighed = weighed.saturating_sub(PROSE_POINTS);
        }
        weighed
    }

    /// Why a reading of `alone` points gives another number, for people.
    pub(crate) fn told(&self, alone: u32, points: u32, name: &str) -> String {
        match points > alone {
            true => format!("{alone} by itself, more in the parameter `{name}`, which programs act on"),
            false if self.written.has(&plain(name)) => {
                format!("{alone} by itself, less in the parameter `{name}`, into which people write")
            }
            false => format!("{alone} by itself, less among words of prose"),
        }
    }

    /// Whether the text may well be what somebody wrote or looked for: so much prose stands around the reading; in a
    /// parameter into which people write also a phrase in quotes, a sentence, code marked as such, or a whole command line.
    /// What is found there is a finding, and hardly urgent.
    pub(crate) fn is_doubtful(&self, name: &str, text: &str) -> bool {
        let is_marked = || text.matches(FENCE).nth(1).is_some();
        let is_written = || self.is_sentence(text) || is_marked() || self.is_command_line(text);
        self.is_asked(name, text) || self.written.has(&plain(name)) && is_written()
    }

    /// Whether the text is a phrase, or has so much prose around a name in it that it asks about the name.
    fn is_asked(&self, name: &str, text: &str) -> bool {
        let is_phrase = text.len() > 2 && text.starts_with('"') && text.ends_with('"');
        match self.written.has(&plain(name)) {
            true => is_phrase || self.has_prose(text, PROSE_WORDS - 1),
            false => self.is_prose(text),
        }
    }

    /// Whether bare words stand around the reading and one of them is a word of prose, or such a word ends the text.
    fn is_sentence(&self, text: &str) -> bool {
        let plain = |word: &'_ str| word.trim_end_matches(['.', ',', '?', '!', ':']).to_owned();
        let words: Vec<String> = text.split_ascii_whitespace().take(WORDS_MAX).map(plain).collect();
        let bare =
            || words.iter().filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let ends = words.len() > 1 && words.last().is_some_and(|word| self.prose.has(word));
        ends || bare().nth(SENTENCE_WORDS - 1).is_some() && bare().any(|word| self.prose.has(word))
    }

    /// Whether the text begins with a program that is taught and goes on behind a blank: nothing is broken out of. Secret
    /// files and connections are not what people look for.
    fn is_command_line(&self, text: &str) -> bool {
        let begins = text.split_once(' ').is_some_and(|(program, rest)| !rest.is_empty() && self.taught.has(program));
        begins && !UNASKED.iter().any(|path| text.contains(path))
    }

    fn is_prose(&self, text: &str) -> bool {
        self.has_prose(text, PROSE_WORDS)
    }

    /// Whether so many words of prose stand in the text.
    fn has_prose(&self, text: &str, least: usize) -> bool {
        let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
        words.take(WORDS_MAX).filter(|word| self.prose.has(word)).nth(least - 1).is_some()
    }
}

/// Whether a line break stands in the text, as it is or percent-encoded once or more.
fn breaks_line(text: &str) -> bool {
    let is_break = |rest: &str| matches!(rest.as_bytes(), [b'0', b'a' | b'A' | b'd' | b'D', ..]);
    text.contains(['\r', '\n']) || text.split('%').skip(1).any(|rest| is_break(rest.trim_start_matches("25")))
}

/// The name of a parameter in lower case, without the brackets of lists.
fn plain(name: &str) -> String {
    name.split(['[', '%']).next().unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsure_readings_are_weighed_by_what_surrounds_them() {
        let mut words = Vocabulary::default();
        words.add("parameters.acting", ["cmd".to_owned()]);
        words.add("parameters.written", ["q".to_owned()]);
        words.add("parameters.prose", ["the", "and", "of"].map(str::to_owned));
        words.add("commands.taught", ["awk", "cat"].map(str::to_owned));
        let context = Context::new(&words);
        let cases =
            [("cmd", "x", 4), ("cmd[0]", "x", 4), ("q", "x", 1), ("id", "the end and the start", 1), ("id", "x", 3)];
        for (name, text, wanted) in cases {
            assert_eq!(context.weighed(3, false, name, text), wanted, "{name} {text}");
        }
        assert_eq!(context.weighed(5, false, "q", "the end and the start"), 5, "a sure reading stays sure");
        assert_eq!(context.weighed(5, true, "q", "the end and the start"), 4, "a name may be a question about it");
        let doubts = [
            ("q", "the end of it", true),
            ("q", "\"x y\"", true),
            ("id", "\"x y\"", false),
            ("id", "the end", false),
            ("q", "why rm -rf dist && make the world", true),
            ("id", "why rm -rf dist && make the world", false),
            ("q", "alert('hello') the", true),
            ("q", "end' or the='", false),
            ("q", "the' union all select name from users", false),
            ("q", "awk '{print $1}' x.log | sort", true),
            ("cmd", "awk '{print $1}' x.log | sort", false),
            ("q", "x; awk '{print $1}' x.log", false),
            ("q", "awk", false),
            ("q", "cat /etc/passwd", false),
            ("q", "cat </dev/tcp/192.0.2.1/80", false),
            ("q", "# Title\n```\nls -la\n```", true),
            ("q", "```\nls -la", false),
        ];
        for (name, text, wanted) in doubts {
            assert_eq!(context.is_doubtful(name, text), wanted, "{name} {text}");
        }
    }
}
