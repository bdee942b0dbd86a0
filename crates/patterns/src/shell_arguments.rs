//! What stands behind the name of a command: options, paths, addresses, redirects or the words of a sentence. It says
//! how sure the arguments are to be arguments; which command they belong to is not asked.

use crate::shell_words::{Names, ShellWord, is_blank, is_separator, word};
use crate::vocabulary::{Vocabulary, WordSet};

/// Arguments that are looked at.
const ARGUMENTS_MAX: usize = 10;
/// Plain words behind which a sentence is more likely than a command.
const PLAIN_MAX: usize = 5;

/// How sure it is that arguments are what they look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// The words of a sentence.
    Prose,
    Nothing,
    /// Words that could be anything.
    Plain,
    /// A name with a dot, a number, a quoted word.
    Dotted,
    /// An option, a path, a variable.
    Likely,
    /// An address, a path of the system.
    Sure,
    /// Several that are likely.
    Several,
    /// What nobody writes but for a shell: `<<<`, `2>&1`, a file that is told, empty parts inside of a path.
    Acting,
}

impl Shape {
    fn weaker(self) -> Shape {
        match self {
            Shape::Acting => Shape::Acting,
            Shape::Several | Shape::Sure => Shape::Likely,
            Shape::Likely => Shape::Dotted,
            Shape::Dotted => Shape::Plain,
            other => other,
        }
    }
}

/// The arguments of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) shape: Shape,
    /// Where they end.
    pub(crate) end: usize,
    /// What ended them: a separator, a bracket, a quote; 0 where the text ends.
    pub(crate) ended_by: u8,
}

/// Words that shapes are told by.
#[derive(Debug)]
pub(crate) struct ArgumentWords {
    places: Vec<String>,
    secrets: Vec<String>,
    prose: WordSet,
}

/// What was seen so far.
struct Seen {
    shape: Shape,
    strong: usize,
    dotted: usize,
    addresses: usize,
    plain: usize,
    prose: usize,
    count: usize,
}

impl Seen {
    fn add(&mut self, shape: Shape) {
        self.count += 1;
        self.strong += usize::from(shape >= Shape::Likely);
        self.dotted += usize::from(shape == Shape::Dotted);
        self.plain += usize::from(shape == Shape::Plain);
        self.shape = self.shape.max(shape);
    }

    fn shape(&self) -> Shape {
        if self.strong >= 2 && self.addresses > 0 {
            Shape::Acting
        } else if self.strong >= 2 || self.strong == 1 && self.dotted > 0 {
            self.shape.max(Shape::Several)
        } else if self.prose > 0 || self.plain > PLAIN_MAX {
            self.shape.weaker()
        } else {
            self.shape
        }
    }
}

impl ArgumentWords {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        ArgumentWords {
            places: words.words("commands.place").to_vec(),
            secrets: words.words("commands.secret").to_vec(),
            prose: words.set(&["commands.prose"]),
        }
    }

    /// Reads the arguments that begin at a place.
    pub(crate) fn read(&self, text: &str, at: usize) -> Arguments {
        let bytes = text.as_bytes();
        let mut seen = Seen { shape: Shape::Nothing, strong: 0, dotted: 0, addresses: 0, plain: 0, prose: 0, count: 0 };
        let mut at = at;
        loop {
            at += bytes[at.min(bytes.len())..].iter().take_while(|byte| is_blank(**byte)).count();
            let byte = bytes.get(at).copied().unwrap_or(0);
            let end = |ended_by: u8, shape: Shape| Arguments { shape, end: at, ended_by };
            if at >= bytes.len() || seen.count >= ARGUMENTS_MAX {
                return end(0, seen.shape());
            }
            if is_separator(byte) || matches!(byte, b')' | b'}' | b'#') {
                return end(byte, seen.shape());
            }
            if byte == b'<' || byte == b'>' {
                let (shape, length) = self.redirect(text, at);
                seen.add(shape);
                at += length;
                continue;
            }
            let next = bytes.get(at + 1).copied().unwrap_or(0);
            if byte == b'(' || byte == b'`' || byte == b'$' && next == b'(' {
                let inner = if byte == b'$' { bytes.get(at + 2) } else { bytes.get(at + 1) };
                if byte != b'(' && inner.is_some_and(|inner| inner.is_ascii_alphabetic() || *inner == b'/') {
                    seen.add(Shape::Likely);
                }
                return end(byte, seen.shape());
            }
            let closes = |next: u8| next == 0 || is_blank(next) || is_separator(next) || matches!(next, b')' | b'#');
            if matches!(byte, b'\'' | b'"') && closes(next) {
                return end(byte, seen.shape());
            }
            let read = word(text, at, Names::Whole);
            seen.addresses += usize::from(is_address(&read.text));
            let is_later_number =
                seen.count > 0 && !read.text.is_empty() && read.text.bytes().all(|byte| byte.is_ascii_digit());
            let shape = if is_later_number { Shape::Plain } else { self.shape_of(&read, &text[at..read.end.max(at)]) };
            if shape == Shape::Prose {
                if seen.count < 2 && seen.strong == 0 {
                    return Arguments { shape: Shape::Prose, end: read.end, ended_by: b' ' };
                }
                seen.prose += 1;
                seen.count += 1;
            } else {
                seen.add(shape);
            }
            at = read.end.max(at + 1);
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
    }

    /// A redirect, and its length up to its target.
    fn redirect(&self, text: &str, at: usize) -> (Shape, usize) {
        let rest = &text[at..];
        if rest.starts_with("<<<") {
            return (Shape::Acting, 3);
        }
        let signs = rest.bytes().take(4).take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|')).count();
        let target = rest[signs..].trim_start_matches([' ', '\t']);
        let first = target.bytes().next().unwrap_or(0);
        let is_number = first.is_ascii_digit() || first == b'-';
        if rest[..signs].ends_with('&') && is_number {
            return (Shape::Acting, signs);
        }
        let word = target.split(|c: char| c.is_ascii_whitespace() || ";|&<>)".contains(c)).next().unwrap_or("");
        let is_markup = rest.starts_with('<') && target.get(word.len()..).is_some_and(|tail| tail.starts_with('>'));
        let is_value = rest.as_bytes().get(signs) == Some(&b'=') || is_number || word.is_empty() || is_markup;
        let shape = if is_value {
            Shape::Plain
        } else if self.is_place(word) {
            Shape::Acting
        } else if first == b'/' || first == b'$' || first == b'(' || word.contains('.') {
            Shape::Likely
        } else {
            Shape::Dotted
        };
        (shape, signs.max(1))
    }

    pub(crate) fn is_place(&self, word: &str) -> bool {
        self.places.iter().any(|place| word.starts_with(place.as_str()))
    }

    fn shape_of(&self, word: &ShellWord, raw: &str) -> Shape {
        let text = word.text.as_str();
        let written = word.written;
        let begins = |signs: &[char]| text.starts_with(signs);
        let second = text.as_bytes().get(1).copied().unwrap_or(0);
        if self.prose.has(text.trim_end_matches(['.', ',', '?', ':'])) || matches!(text, "-" | "--" | "=") {
            return Shape::Prose;
        }
        let is_path = text.contains('/') || begins(&['~']);
        if self.secrets.iter().any(|secret| text.contains(secret.as_str()))
            || (written.hidden || written.bracket) && is_path
            || is_glob_path(text)
            || text.starts_with(":!")
            || text.starts_with('/') && written.glob && !written.broken && self.is_place(text)
        {
            return Shape::Acting;
        }
        let value = text.split_once('=').map_or(text, |(_, value)| value);
        let is_script = text.starts_with("javascript:") || text.starts_with("vbscript:");
        if is_script || text.contains("://") || self.is_place(value) || is_address(text) {
            return Shape::Sure;
        }
        // `-name`, but no `-stevens`.
        let is_word = text.len() > 6 && begins(&['-']) && text.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
        let is_option =
            !is_word && begins(&['-', '+']) && (second.is_ascii_alphanumeric() || matches!(second, b'-' | b'%'));
        let is_variable = written.variable && !raw.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let dotted = text
            .as_bytes()
            .windows(3)
            .any(|three| three[0].is_ascii_alphanumeric() && three[1] == b'.' && three[2].is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if is_option
            || is_variable
            || written.hidden
            || text.starts_with("./")
            || raw.starts_with("..\\")
            || text == "."
            || text.starts_with('/') && second.is_ascii_graphic()
            || text.starts_with("~/")
            || text == "{}"
            || written.glob && (text == "*" || text.contains("*.") || text.contains(".*"))
            || is_path && dotted
            || text.contains(['@', ':']) && dotted
            || matches!(raw.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
        {
            return Shape::Likely;
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_pair = text.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty());
        if dotted || is_number || is_word || text == "/" || is_pair || written.opens || written.quoted {
            return Shape::Dotted;
        }
        Shape::Plain
    }
}

/// An address of the Internet protocol, and maybe more behind it.
fn is_address(text: &str) -> bool {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.').unwrap_or(text.len());
    let parts = text[..end].split('.');
    parts.clone().count() == 4 && parts.clone().all(|part| (1..=3).contains(&part.len()))
}

/// Directories that a path with wildcards may mean.
const DIRECTORIES: [&str; 11] = ["bin", "sbin", "usr", "local", "etc", "dev", "tmp", "opt", "var", "proc", "home"];

/// A path whose directories are hidden by wildcards, as `/???/p?s?w?`, or whose name is, as `/bin/c?t`.
pub(crate) fn is_glob_path(text: &str) -> bool {
    let Some((directories, name)) = text.strip_prefix('/').and_then(|path| path.rsplit_once('/')) else {
        return false;
    };
    let is_wild = |text: &str| text.contains(['?', '*']);
    let hides = is_wild(directories) || is_wild(name) && name.bytes().any(|byte| byte.is_ascii_alphabetic());
    // A `?` at the end alone is the end of a question.
    let hides = hides && !(text.ends_with('?') && text.matches(['?', '*']).count() == 1);
    hides
        && text.len() <= 64
        && name.len() >= 2
        && directories
            .split('/')
            .all(|segment| DIRECTORIES.iter().any(|known| fits(segment.as_bytes(), known.as_bytes())))
}

/// Whether a pattern of `?` and `*` means the name; both are short.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => (0..=name.len()).any(|skip| fits_rest(&pattern[1..], &name[skip..])),
        (Some(b'?'), Some(_)) => fits(&pattern[1..], &name[1..]),
        (Some(one), Some(other)) => one == other && fits(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// What stands behind a star: a further one is not taken.
fn fits_rest(pattern: &[u8], name: &[u8]) -> bool {
    pattern.len() == name.len() && pattern.iter().zip(name).all(|(one, other)| *one == b'?' || one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> ArgumentWords {
        let mut words = Vocabulary::default();
        words.add("commands.place", ["/etc/", "/tmp/", "/dev/"].map(str::to_owned));
        words.add("commands.secret", ["/etc/passwd".to_owned()]);
        words.add("commands.prose", ["and", "in", "the", "your"].map(str::to_owned));
        ArgumentWords::new(&words)
    }

    #[test]
    fn shapes_are_told_apart() {
        let words = words();
        for (text, wanted) in [
            ("", Shape::Nothing),
            (" away", Shape::Plain),
            (" and more", Shape::Prose),
            (" your way", Shape::Prose),
            (" - a page", Shape::Prose),
            (" x.example", Shape::Dotted),
            (" 5", Shape::Dotted),
            (" -a", Shape::Likely),
            (" /x", Shape::Likely),
            (" $x", Shape::Likely),
            (" $5", Shape::Plain),
            (" 192.0.2.1", Shape::Sure),
            (" -c 5 192.0.2.1", Shape::Acting),
            (" http://x", Shape::Sure),
            (" -a /x", Shape::Several),
            (" -a x.example", Shape::Several),
            (" -- x", Shape::Prose),
            (" /tmp/x", Shape::Sure),
            (" /etc/passwd", Shape::Acting),
            (" <<< x", Shape::Acting),
            (" 2>&1", Shape::Acting),
            (" > /tmp/x", Shape::Acting),
            (" > place", Shape::Dotted),
            (" /e?c/h?sts", Shape::Acting),
            (" /e$@tc/x", Shape::Acting),
        ] {
            assert_eq!(words.read(text, 0).shape, wanted, "{text}");
        }
    }

    #[test]
    fn paths_with_wildcards_mean_directories_of_the_system() {
        for text in ["/???/c?t", "/b?n/cat", "/usr/bin/wh*", "/*/c?t", "/e*/h?sts"] {
            assert!(is_glob_path(text), "{text}");
        }
        for text in ["/what???/really", "/bin/cat?", "/a*b/c*d", "/x", "/bin/cat", "bin/c?t"] {
            assert!(!is_glob_path(text), "{text}");
        }
    }
}
