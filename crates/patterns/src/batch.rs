//! Commands of Windows' command interpreter: `for … in ( … ) do`, `if exist …`, programs and built-in commands behind
//! separators and at the start, with carets and quotes inside of words. Names alone prove little: `if`, `set` and `time`
//! are words. The text is in lower case, its encodings undone.

use crate::Part;
use crate::command_class::CommandClass;
use crate::grammar::{Grammar, Reading};
use crate::shell_arguments::{ArgumentWords, Shape};
use crate::shell_places::{CommandPlace, CommandPlaces, plus_as_blank};
use crate::shell_words::{is_blank, is_separator};
use crate::vocabulary::{Vocabulary, WordSet};

/// Marks of commands of this language.
const NEEDS: [&str; 23] = [
    ";",
    "|",
    "&",
    "&&",
    "\n",
    "\r",
    ":~",
    "^",
    " do ",
    "if exist",
    "if not ",
    "if /i",
    "if errorlevel",
    "if defined",
    "if cmdextversion",
    "if \"",
    "if '",
    "if %",
    "==",
    "%comspec",
    "cmd/c",
    "cmd/k",
    "\"",
];
/// Comparisons of `if`, as words.
const COMPARISONS: [&str; 10] = [" equ ", " neq ", " lss ", " leq ", " gtr ", " geq ", "==", "equ(", "\"equ\"", "'=='"];
/// What stands behind names that are words, too.
const AFTER_WORDS: [&str; 5] = [" /", " c:", " %", " \\", " +"];
/// Bytes of a text behind `for` and `if` that are read.
const HEAD_MAX: usize = 300;
const WORD_MAX: usize = 160;
/// How much of a text is read, as a multiple of its length, and at least.
const WORK: usize = 24;
const WORK_MIN: usize = 4096;

/// The language of Windows' command interpreter.
#[derive(Debug)]
pub(crate) struct BatchGrammar {
    tools: WordSet,
    words: WordSet,
    pairs: WordSet,
    taught: WordSet,
    arguments: ArgumentWords,
    needs: Vec<String>,
}

impl BatchGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let mut needs: Vec<String> = NEEDS.map(str::to_owned).to_vec();
        needs.extend(COMPARISONS.map(str::to_owned));
        needs.extend(
            words.words("commands.windows_tool").iter().flat_map(|tool| [format!("{tool} "), format!("{tool}.exe")]),
        );
        let others = words.words("commands.windows_word").iter();
        needs.extend(others.flat_map(|word| AFTER_WORDS.iter().map(move |tail| format!("{word}{tail}"))));
        needs.extend(words.words("commands.windows_pair").iter().map(|pair| format!("{pair} ")));
        needs.sort_unstable();
        needs.dedup();
        BatchGrammar {
            tools: words.set(&["commands.windows_tool"]),
            words: words.set(&["commands.windows_word"]),
            pairs: words.set(&["commands.windows_pair"]),
            taught: words.set(&["commands.taught"]),
            arguments: ArgumentWords::new(words),
            needs,
        }
    }

    /// What a word names, its path and the end of its name left out.
    fn class_of(&self, word: &str) -> Option<CommandClass> {
        let name = word.rsplit(['\\', '/']).next().unwrap_or("");
        let bare = [".exe", ".com", ".bat", ".cmd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let is_path = name.len() < word.len() && word.contains('\\');
        if self.tools.has(name) || self.tools.has(bare) {
            Some(if is_path { CommandClass::Binary } else { CommandClass::Tool })
        } else if self.words.has(bare) {
            Some(if is_path && bare.len() < name.len() { CommandClass::Binary } else { CommandClass::Argument })
        } else {
            (is_path && bare.len() < name.len()).then_some(CommandClass::OwnFile)
        }
    }
}

impl Grammar for BatchGrammar {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn needs(&self) -> Vec<String> {
        self.needs.clone()
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let plain = plus_as_blank(text);
        let text = plain.as_deref().unwrap_or(text);
        let mut places = CommandPlaces::new(text, part);
        let mut best: Option<Reading> = slice(text);
        let mut work = 0;
        let mut commands = 0;
        while let Some((at, place)) = places.next(commands > 0) {
            if work > text.len() * WORK + WORK_MIN || best.as_ref().is_some_and(|best| best.points >= 5) {
                break;
            }
            let Some((found, read)) = self.command(text, at, place) else {
                work += WORD_MAX.min(text.len() - at);
                continue;
            };
            work += read;
            commands += usize::from(found.points >= 2);
            best = Reading::surer(best, Some(found));
        }
        best
    }
}

/// One word as the interpreter reads it.
struct BatchWord {
    text: String,
    end: usize,
    /// Carets or quotes stand inside of it.
    hidden: bool,
}

fn batch_word(text: &str, at: usize) -> BatchWord {
    let bytes = text.as_bytes();
    let mut read = BatchWord { text: String::new(), end: at, hidden: false };
    while read.end < bytes.len().min(at + WORD_MAX) {
        let byte = bytes[read.end];
        if is_blank(byte)
            || is_separator(byte)
            || matches!(byte, b'(' | b')' | b',' | b'=' | b'<' | b'>' | b'\'' | b'`')
        {
            break;
        }
        let next = bytes.get(read.end + 1).copied().unwrap_or(b' ');
        match byte {
            b'^' | b'"' => read.hidden |= !read.text.is_empty() && next.is_ascii_alphanumeric(),
            byte if byte.is_ascii() => read.text.push(char::from(byte)),
            // No name has these.
            _ => read.text.push('\u{fffd}'),
        }
        read.end += 1;
    }
    read
}

/// `%path:~3,1%`: characters of a variable.
fn slice(text: &str) -> Option<Reading> {
    text.match_indices(":~").take(16).find_map(|(at, _)| {
        let name = text[..at].rsplit('%').next().filter(|name| name.len() < at)?;
        let is_name = (2..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')'));
        let digits = text[at + 2..].trim_start_matches('-');
        let ends =
            digits.bytes().take(12).find(|byte| !byte.is_ascii_digit() && !matches!(byte, b',' | b'-')) == Some(b'%');
        (is_name && ends && digits.starts_with(|first: char| first.is_ascii_digit()))
            .then(|| Reading::of(5, format!("characters of the variable `%{name}%`")))
    })
}

impl BatchGrammar {
    /// The command that stands at a place, and how many bytes were read.
    fn command(&self, text: &str, at: usize, place: CommandPlace) -> Option<(Reading, usize)> {
        let bytes = text.as_bytes();
        let junk =
            bytes[at..].iter().take(8).take_while(|byte| is_blank(**byte) || matches!(byte, b'(' | b'@')).count();
        let at = at + junk;
        let read = batch_word(text, at);
        let rest = &text[read.end..];
        let structure = match read.text.as_str() {
            "for" => self.for_loop(rest),
            "if" => self.condition(rest),
            _ => None,
        };
        if let Some(points) = structure {
            let what = format!("`{}` of Windows' command interpreter", read.text);
            return Some((Reading::of(points, what), HEAD_MAX));
        }
        if matches!(read.text.as_str(), "call" | "start" | "%comspec%") && rest.starts_with([' ', '\t']) {
            return self.started(text, read.end, place, &read.text);
        }
        if matches!(read.text.as_str(), "cmd/c" | "cmd/k" | "cmd/r" | "cmd.exe/c" | "cmd.exe/k") {
            return Some((Reading::new(5, "the command interpreter of Windows"), 16));
        }
        let class = self.class_of(&read.text)?;
        if rest.starts_with(['(', '=', '<']) {
            return None;
        }
        let (shape, length) = self.shape(text, &read);
        let mut points = class.points(place, shape);
        if shape == Shape::Nothing
            && (class == CommandClass::Argument
                || matches!(place, CommandPlace::Weak | CommandPlace::Start | CommandPlace::Header))
        {
            points = points.min(2);
        }
        if matches!(place, CommandPlace::Start | CommandPlace::Header) && self.taught.has(&read.text) {
            points = points.min(4);
        }
        if class == CommandClass::Argument
            && shape < Shape::Acting
            && !is_of_windows(&text[read.end..])
            && !self.is_pair(text, &read)
        {
            // The shells of Unix have most of these words, too.
            points = points.min(3);
        }
        if read.hidden && class != CommandClass::OwnFile {
            points = if class == CommandClass::Argument && shape < Shape::Dotted { points + 1 } else { 5 };
        }
        if matches!(read.text.as_str(), "cmd" | "cmd.exe") && interprets(rest) {
            points = 5;
        }
        (points > 0).then(|| {
            (
                Reading::of(points.min(5), format!("the command `{}` {}", read.text, place.name())),
                length + read.end - at,
            )
        })
    }

    /// `call whoami`, `start /b x.exe`, `%comspec% /c x`.
    fn started(&self, text: &str, at: usize, place: CommandPlace, by: &str) -> Option<(Reading, usize)> {
        let rest = text[at..].trim_start();
        if by == "%comspec%" {
            return rest.starts_with('/').then(|| (Reading::new(5, "the command interpreter of Windows"), 16));
        }
        let option = rest.strip_prefix('/').map_or(0, |option| option.split(' ').next().unwrap_or("").len() + 1);
        let command = rest.get(option..)?.trim_start();
        let read = batch_word(command, 0);
        let class = self.class_of(&read.text).filter(|class| *class != CommandClass::Argument || option > 0);
        let is_variable = read.text.starts_with('%') && read.text.len() > 2 && read.text.ends_with('%');
        let points = match (class.is_some(), is_variable, place) {
            (true, ..) | (_, true, _) if option > 0 || place != CommandPlace::Start => 5,
            (true, ..) | (_, true, _) => 4,
            _ => 0,
        };
        (points > 0).then(|| (Reading::of(points, format!("`{by}` that starts a command")), at.min(64) + read.end))
    }

    /// `net user`: the word behind the name tells what to do.
    fn is_pair(&self, text: &str, read: &BatchWord) -> bool {
        let tail = head(&text[read.end..]).trim_start();
        let second = tail.split([' ', '&', '|', ';', '\n', '"']).next().unwrap_or("");
        self.pairs.has(&format!("{} {second}", read.text.trim_end_matches(".exe")))
    }

    /// The shape of what stands behind a name.
    fn shape(&self, text: &str, read: &BatchWord) -> (Shape, usize) {
        let arguments = self.arguments.read(text, read.end);
        let own = text.get(read.end..arguments.end.min(text.len())).unwrap_or("");
        let first = own.trim_start();
        let mut shape = arguments.shape;
        if self.is_pair(text, read) {
            let more = first.contains(' ');
            let acts = more && (shape >= Shape::Likely || first.contains(" /"));
            shape = shape.max(if acts { Shape::Several } else { Shape::Likely });
        }
        let is_variable = own.split('%').nth(1).is_some_and(|name| {
            name.len() > 1
                && own.matches('%').count() > 1
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if shape != Shape::Prose && (is_variable || first.contains(":\\") || first.starts_with("\\\\")) {
            shape = shape.max(Shape::Likely);
        }
        if own.contains(">nul") || own.contains("> nul") || own.contains("2>") {
            shape = Shape::Acting;
        }
        (shape, arguments.end.saturating_sub(read.end))
    }

    /// ` /f %x in (…) do …`: what stands behind `for`.
    fn for_loop(&self, rest: &str) -> Option<u32> {
        let head = head(rest);
        let percent = head.find('%')?;
        let options = head[..percent].trim();
        let is_option = options.is_empty() || options.starts_with('/');
        let variable = head[percent..].trim_start_matches('%');
        let mut words = variable.split_ascii_whitespace();
        let is_letter = words.next()?.trim_start_matches('~').len() <= 2;
        let tail = variable.split_once("in").map(|(_, tail)| tail.trim_start())?;
        let body = tail.strip_prefix('(')?;
        let does = body.rsplit_once(')').is_some_and(|(_, after)| after.trim_start().starts_with("do"))
            || body.contains(")do")
            || body.contains(") do")
            || body.contains(")  do");
        (is_option && is_letter).then_some(if does { 5 } else { 4 })
    }

    /// ` not exist x del x`: what stands behind `if`.
    fn condition(&self, rest: &str) -> Option<u32> {
        let head = head(rest);
        if !head.starts_with([' ', '\t', '/', '(', '"']) {
            return None;
        }
        let mut own = head.trim_start();
        let mut is_marked = false;
        if let Some(after) = own.strip_prefix("/i") {
            is_marked = true;
            own = after.trim_start();
        }
        own = own.strip_prefix("not ").unwrap_or(own).trim_start();
        let word = own.split([' ', '\t', '(']).next().unwrap_or("");
        let after = own.get(word.len()..).unwrap_or("").trim_start();
        let (subject, tail) = after.split_once([' ', '(']).unwrap_or((after, ""));
        let runs = self.runs(tail);
        let is_digit = subject.starts_with(|first: char| first.is_ascii_digit());
        match word {
            "exist" => {
                let is_file = subject.contains(['\\', '.', '%', '*', ':', '"']);
                (is_file || runs).then_some(if is_file && !tail.is_empty() || runs && is_marked { 5 } else { 4 })
            }
            "errorlevel" | "cmdextversion" => is_digit.then_some(if tail.is_empty() { 4 } else { 5 }),
            "defined" => (!subject.is_empty()).then_some(if runs {
                5
            } else if tail.is_empty() {
                2
            } else {
                3
            }),
            _ => self.comparison(own, is_marked),
        }
    }

    /// `a==b whoami`, `%x% equ 5 (…)`.
    fn comparison(&self, own: &str, is_marked: bool) -> Option<u32> {
        let (at, sign) = COMPARISONS.iter().find_map(|sign| own.find(sign).map(|at| (at, *sign)))?;
        let (left, right) = (own[..at].trim().trim_matches('"'), own[at + sign.len()..].trim_start());
        // Conditions of other languages have more than one word on a side.
        if left.split(' ').count() > 2 || left.is_empty() {
            return None;
        }
        let (subject, tail) = right.split_once([' ', '(', '&']).unwrap_or((right, ""));
        let is_word = sign.starts_with(' ');
        let has_variable = left.len() > 2 && left.starts_with('%') && left.ends_with('%') || subject.starts_with('%');
        let points = match (self.runs(tail), is_word || has_variable || is_marked) {
            (true, _) => 5,
            (false, true) if !tail.is_empty() && !subject.is_empty() => 5,
            (false, true) => 3 + u32::from(has_variable || !is_word),
            (false, false) if tail.is_empty() => 2,
            (false, false) => 3,
        };
        Some(points)
    }

    /// A command stands there.
    fn runs(&self, text: &str) -> bool {
        let text = text.trim_start_matches([' ', '(', '@', '\t']);
        let read = batch_word(text, 0);
        let class = self.class_of(&read.text);
        let tail = text[read.end..].trim_start();
        class == Some(CommandClass::Tool) || class.is_some() && !tail.is_empty() && !read.text.is_empty()
    }
}

/// An option, a path or a variable as Windows writes them, at the beginning of the arguments.
fn is_of_windows(arguments: &str) -> bool {
    let own = head(arguments).split(['&', '|', ';', '\n']).next().unwrap_or("");
    let option = own.split(" /").nth(1).is_some_and(|option| {
        let length = option.bytes().take_while(u8::is_ascii_alphabetic).count();
        (1..=8).contains(&length) && !matches!(option.as_bytes().get(length), Some(b'/' | b'.'))
    });
    option || [":\\", ":/", "%", "\\\\", ">nul", "*."].iter().any(|flag| own.contains(flag)) || own.contains('\\')
}

/// ` /c x`: what tells the interpreter to run something.
fn interprets(rest: &str) -> bool {
    let option = rest.trim_start();
    let letter = option.strip_prefix('/').and_then(|option| option.bytes().next());
    let tail = option.get(2..).unwrap_or("");
    matches!(letter, Some(b'c' | b'k' | b'r' | b'v' | b's' | b'q'))
        && (tail.starts_with([' ', ':', '"', '/', '+']) || tail.is_empty())
}

fn head(rest: &str) -> &str {
    let end = (0..=HEAD_MAX.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
    &rest[..end]
}
