//! Where commands may stand in a text: at its start, behind separators, inside of substitutions. Each place is told
//! with how sure it is to be one: separators are marks of punctuation, too.

use crate::Part;
use crate::shell_words::{is_blank, is_separator};

/// How sure it is that a command stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandPlace {
    /// The text begins there.
    Start,
    /// A header begins there, whose first word may name the program that sent it.
    Header,
    /// A separator in the middle of words, as in a sentence or a list.
    Weak,
    /// A separator behind one word.
    Token,
    /// The same, a bar.
    TokenPipe,
    /// The same, an ampersand.
    TokenAmpersand,
    /// A separator with nothing before it, or behind a number, an address, a quote that ends.
    Edge,
    /// The same, a bar.
    EdgePipe,
    /// A substitution: `$(…)`, backticks, `<(…)`.
    Inside,
}

impl CommandPlace {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CommandPlace::Start | CommandPlace::Header => "at the start",
            CommandPlace::Weak => "behind a separator in a text",
            CommandPlace::Token | CommandPlace::TokenAmpersand | CommandPlace::Edge => "behind a separator",
            CommandPlace::TokenPipe | CommandPlace::EdgePipe => "behind a bar",
            CommandPlace::Inside => "in a substitution",
        }
    }

    /// Its input may come from a command before.
    pub(crate) fn is_pipe(self) -> bool {
        matches!(self, CommandPlace::TokenPipe | CommandPlace::EdgePipe | CommandPlace::Weak)
    }
}

/// Blanks around separators.
#[derive(Clone, Copy)]
struct Spaces {
    before: bool,
    tail: bool,
}

/// The places of a text, in one pass.
pub(crate) struct CommandPlaces<'a> {
    text: &'a str,
    part: Part,
    at: usize,
    started: bool,
    /// A blank with something before and behind it.
    seen_blank: bool,
    blank_before: bool,
    seen_letter: bool,
    is_url: bool,
    backticks: usize,
}

impl<'a> CommandPlaces<'a> {
    pub(crate) fn new(text: &'a str, part: Part) -> Self {
        CommandPlaces {
            text,
            part,
            at: 0,
            started: false,
            seen_blank: false,
            blank_before: false,
            seen_letter: false,
            is_url: false,
            backticks: 0,
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The next place. `chained`: a command was read before it.
    pub(crate) fn next(&mut self, chained: bool) -> Option<(usize, CommandPlace)> {
        if !self.started {
            self.started = true;
            let quotes = self.text.bytes().take_while(|byte| is_blank(*byte) || matches!(byte, b'\'' | b'"')).count();
            let place = match self.part {
                Part::Value => Some(CommandPlace::Start),
                Part::Text => Some(CommandPlace::Header),
                _ => None,
            };
            if let Some(place) = place.filter(|_| quotes < self.text.len()) {
                return Some((quotes, place));
            }
        }
        while self.at < self.text.len() {
            let at = self.at;
            let byte = self.byte(at);
            let next = self.byte(at + 1);
            self.at += 1;
            let found = match byte {
                _ if is_separator(byte) => self.separator(at, chained),
                b'$' if next == b'(' && self.byte(at + 2) != b'(' => Some((at + 2, CommandPlace::Inside)),
                b'<' | b'>' if next == b'(' => Some((
                    at + 2,
                    if self.seen_blank || self.blank_before { CommandPlace::Weak } else { CommandPlace::Inside },
                )),
                b'`' => self.backtick(at),
                b'\\' if next == b'n' || next == b'r' => Some((at + 2, CommandPlace::Weak)),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
            if is_blank(byte) {
                self.blank_before |= self.seen_letter;
            } else {
                self.seen_blank |= self.blank_before;
            }
            self.seen_letter |= byte.is_ascii_alphabetic() || byte >= 0x80;
            self.is_url |= byte == b':' && self.text.as_bytes()[at..].starts_with(b"://");
        }
        None
    }

    /// A run of separators and blanks.
    fn separator(&mut self, at: usize, chained: bool) -> Option<(usize, CommandPlace)> {
        let bytes = self.text.as_bytes();
        let byte = bytes[at];
        let before = if at == 0 { 0 } else { bytes[at - 1] };
        let next = self.byte(at + 1);
        // A redirect, and what `find -exec` ends with.
        if byte == b'&' && (matches!(before, b'<' | b'>') || next == b'>') || byte == b';' && before == b'\\' {
            return None;
        }
        // One that is not encoded parts parameters, and a path may have those, too.
        if byte == b'&' && (self.entity(at) || self.part == Part::Path && next != b'&') {
            return None;
        }
        let run = bytes[at..].iter().take_while(|byte| is_separator(**byte) || is_blank(**byte)).count();
        let signs = bytes[at..at + run].iter().filter(|byte| is_separator(**byte));
        let lines = signs.clone().any(|sign| matches!(sign, b'\n' | b'\r'));
        let is_double = signs.clone().count() > 1;
        let pipes = signs.clone().next_back() == Some(&b'|') && !is_double;
        let spaced = is_blank(bytes[at + run - 1]);
        let spaces = Spaces { before: is_blank(before), tail: spaced };
        let last = bytes[..at].iter().rev().take(8).copied().find(|byte| !is_blank(*byte)).unwrap_or(0);
        let place = self.place(last, chained, is_double || lines, spaces);
        let place = match (place, byte) {
            (CommandPlace::Edge, _) if pipes => CommandPlace::EdgePipe,
            (CommandPlace::Token, _) if pipes => CommandPlace::TokenPipe,
            (CommandPlace::Token, b'&') if !is_double => CommandPlace::TokenAmpersand,
            (other, _) => other,
        };
        self.at = at + run;
        self.blank_before |= spaced && self.seen_letter;
        (self.at < bytes.len()).then_some((self.at, place))
    }

    /// `before`: the last character before the separators that is no blank.
    fn place(&self, before: u8, chained: bool, is_double: bool, spaces: Spaces) -> CommandPlace {
        let closes = matches!(before, b'\'' | b'"' | b')' | b'}' | b']');
        if self.is_url && !chained && !is_double {
            return CommandPlace::Weak;
        }
        if !self.seen_letter || closes && !self.seen_blank && self.part != Part::Text {
            return CommandPlace::Edge;
        }
        // `word; word` is a sentence.
        let is_header = self.part == Part::Text;
        let is_sentence = spaces.tail && (!spaces.before && !is_double || is_header);
        let is_token = !self.seen_blank || is_header || is_double && closes;
        if chained && !is_header || !is_sentence && (chained || is_token) {
            CommandPlace::Token
        } else {
            CommandPlace::Weak
        }
    }

    /// `&lt;` and `&#60;` are characters.
    fn entity(&self, at: usize) -> bool {
        let rest = &self.text.as_bytes()[at + 1..];
        let name = rest.iter().take(10).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
        name > 1 && rest.get(name) == Some(&b';') && (rest[0] == b'#' || ENTITIES.contains(&&rest[..name]))
    }

    fn backtick(&mut self, at: usize) -> Option<(usize, CommandPlace)> {
        self.backticks += 1;
        let before = if at == 0 { 0 } else { self.byte(at - 1) };
        let next = self.byte(at + 1);
        if next == b'`' || before == b'`' || is_blank(next) && self.backticks.is_multiple_of(2) {
            return None;
        }
        let is_quoted =
            self.seen_blank || self.blank_before || matches!(before, b'.' | b',') || self.backticks.is_multiple_of(2);
        let end = self.text.as_bytes()[at + 1..].iter().take(200).position(|byte| *byte == b'`');
        let tail = end.map_or(0, |end| self.byte(at + 2 + end));
        let place = if is_quoted || end.is_none() || matches!(tail, b',' | b'.') {
            CommandPlace::Weak
        } else {
            CommandPlace::Inside
        };
        Some((at + 1, place))
    }
}

/// The text with blanks where it has a plus, as values have that were encoded twice; `None` where it has blanks.
pub(crate) fn plus_as_blank(text: &str) -> Option<String> {
    (text.contains('+') && !text.contains(' ')).then(|| text.replace('+', " "))
}

/// Names of characters that values have as entities.
const ENTITIES: [&[u8]; 12] =
    [b"lt", b"gt", b"amp", b"quot", b"apos", b"nbsp", b"copy", b"reg", b"colon", b"newline", b"tab", b"semi"];
