//! Commands of Unix shells: a value is read as a shell would read it, at its start and behind separators. Names alone
//! prove little, for `find`, `time` and `cat` are words, too: what counts is the place of the command, its class in the
//! vocabulary `commands`, and what its arguments look like. The text is in lower case, its encodings undone.

use hashbrown::HashMap;

use crate::Part;
use crate::command_class::CommandClass;
use crate::grammar::{Grammar, Reading};
use crate::shell_arguments::{ArgumentWords, Shape, is_glob_path};
use crate::shell_expansions::{braces, calls_itself, expansion};
use crate::shell_judge::{Known, alone, hidden, is_list_of_words, runs_text};
use crate::shell_places::{CommandPlace, CommandPlaces, plus_as_blank};
use crate::shell_words::{Names, ShellWord, is_blank, is_separator, word};
use crate::vocabulary::{Vocabulary, WordSet};

/// Marks behind which commands stand, and those of words that are not written plainly.
const NEEDS: [&str; 30] = [
    ";", "|", "&", "&&", "`", "\n", "\r", "\t", "$", "<(", ">(", "<<<", "\\", "'", "\"", "{", "/?", "?/", "/*", "*/",
    "[", "\\n", ">&", "bin/", "?n/", "*n/", "(){", "() {", "alias ", "sh,-c,",
];
/// What stands behind names that are words, too, so that the text is worth a look.
const AFTER_WORDS: [&str; 8] = [" -", " /", " .", " ~", " <", " >", "<", ">"];
/// Words that may stand before the name of a command: assignments, wrappers, their options.
const BEFORE_MAX: usize = 12;
/// How much of a text is read, all commands together, as a multiple of its length, and at least.
const WORK: usize = 24;
const WORK_MIN: usize = 4096;

/// The language of Unix shells.
#[derive(Debug)]
pub(crate) struct ShellGrammar {
    known: HashMap<Box<str>, Known>,
    arguments: ArgumentWords,
    variables: WordSet,
    needs: Vec<String>,
}

/// A command that was read.
struct Command {
    points: u32,
    name: String,
    end: usize,
}

impl ShellGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let mut known: HashMap<Box<str>, Known> = HashMap::new();
        let classes =
            [("tool", CommandClass::Tool), ("word", CommandClass::Word), ("argument", CommandClass::Argument)];
        for (list, class) in classes {
            for name in words.words(&format!("commands.{list}")) {
                known.entry(name.as_str().into()).or_default().class = Some(class);
            }
        }
        let mut flag = |list: &str, set: fn(&mut Known)| {
            for name in words.words(&format!("commands.{list}")) {
                set(known.entry(name.as_str().into()).or_default());
            }
        };
        flag("taught", |known| known.is_taught = true);
        flag("interpreter", |known| known.is_interpreter = true);
        flag("wrapper", |known| known.is_wrapper = true);
        flag("wrapper_word", |known| known.is_wrapper_word = true);
        let mut needs: Vec<String> = NEEDS.map(str::to_owned).to_vec();
        needs.extend(
            words.words("commands.tool").iter().flat_map(|tool| [" ", "<", ">"].map(|tail| format!("{tool}{tail}"))),
        );
        needs.extend(words.words("commands.place").iter().flat_map(|place| [format!(" {place}"), format!("={place}")]));
        let others = words.words("commands.word").iter().chain(words.words("commands.argument"));
        needs.extend(others.flat_map(|word| AFTER_WORDS.iter().map(move |tail| format!("{word}{tail}"))));
        ShellGrammar {
            known,
            arguments: ArgumentWords::new(words),
            variables: words.set(&["commands.shell_variable"]),
            needs,
        }
    }

    fn look_up(&self, name: &str) -> Option<Known> {
        if name.len() > 24 {
            return None;
        }
        let version = || {
            let bare = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.' || last == '-');
            // `python3.11`, but no `id5`.
            self.known
                .get(bare)
                .filter(|known| known.is_interpreter || bare.len() > 3 && known.class == Some(CommandClass::Tool))
        };
        self.known.get(name).or_else(version).copied()
    }

    /// What the word names, and the name for people.
    fn class_of<'a>(&self, word: &'a ShellWord) -> Option<(Known, &'a str)> {
        let text = word.text.as_str();
        if word.written.broken || word.written.call || text.is_empty() {
            return None;
        }
        let is_bracketed = word.written.bracket && text.starts_with('/') && self.arguments.is_place(text);
        if is_glob_path(text) || is_bracketed {
            return Some((Known { class: Some(CommandClass::Binary), ..Known::default() }, text));
        }
        if word.written.glob && text.contains(['?', '*']) {
            return None;
        }
        let Some((directory, name)) = text.rsplit_once('/') else {
            return self.look_up(text).map(|known| (known, text));
        };
        let is_programs = directory.ends_with("bin")
            && directory.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'.');
        if is_programs {
            let known = self.look_up(name)?;
            return Some((Known { class: Some(CommandClass::Binary), ..known }, text));
        }
        let is_own = ["./", "/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|place| text.starts_with(place));
        (is_own && !name.is_empty()).then_some((Known { class: Some(CommandClass::OwnFile), ..Known::default() }, text))
    }
}

impl Grammar for ShellGrammar {
    fn name(&self) -> &'static str {
        "shell"
    }

    fn needs(&self) -> Vec<String> {
        self.needs.clone()
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let found = Scan::new(self, text, part).run();
        if found.as_ref().is_some_and(|found| found.points >= 5) {
            return found;
        }
        let other = plus_as_blank(text).and_then(|text| Scan::new(self, &text, part).run());
        Reading::surer(found, other)
    }
}

/// One text that is read.
struct Scan<'a> {
    grammar: &'a ShellGrammar,
    text: &'a str,
    part: Part,
    best: Option<(u32, String, CommandPlace)>,
    /// Commands with two points at least, up to here.
    commands: usize,
    /// Variables that were set before, with their values.
    assigned: Vec<(String, String)>,
    work: usize,
}

impl<'a> Scan<'a> {
    fn new(grammar: &'a ShellGrammar, text: &'a str, part: Part) -> Self {
        Scan { grammar, text, part, best: None, commands: 0, assigned: Vec::new(), work: 0 }
    }

    fn run(&mut self) -> Option<Reading> {
        if calls_itself(self.text) {
            return Some(Reading::new(5, "a function that calls itself without an end"));
        }
        if self.text.contains("sh,-c,") {
            return Some(Reading::new(5, "a shell and what it is to run, as a list"));
        }
        let limit = self.text.len() * WORK + WORK_MIN;
        let mut places = CommandPlaces::new(self.text, self.part);
        while let Some((at, place)) = places.next(self.commands > 0) {
            if self.work > limit {
                break;
            }
            let Some(command) = self.command(at, place) else { continue };
            self.work += command.end.saturating_sub(at);
            self.commands += usize::from(command.points >= 2);
            if command.points > self.best.as_ref().map_or(0, |(points, ..)| *points) {
                let done = command.points >= 5;
                self.best = Some((command.points, command.name, place));
                if done {
                    break;
                }
            }
        }
        let read = self
            .best
            .take()
            .map(|(points, name, place)| Reading::of(points, format!("the command `{name}` {}", place.name())));
        let expanded = expansion(self.text, |name| self.grammar.variables.has(name));
        let expanded = (expanded > 0).then(|| Reading::new(expanded, "a parameter that the shell works on"));
        Reading::surer(read, expanded)
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn skip_blanks(&self, at: usize) -> usize {
        at + self.text.as_bytes()[at.min(self.text.len())..].iter().take_while(|byte| is_blank(**byte)).count()
    }

    /// The command that stands at a place, if one does.
    fn command(&mut self, at: usize, place: CommandPlace) -> Option<Command> {
        let mut at = at;
        let mut wrapped: Option<(ShellWord, Known, usize)> = None;
        let (mut is_wrapped, mut is_taught) = (false, false);
        let mut skips_more = false;
        for _ in 0..BEFORE_MAX {
            at = self.skip_blanks(at);
            self.work += 1;
            let byte = self.byte(at);
            if let Some(found) = self.braced(at, place) {
                return Some(found);
            }
            if matches!(byte, b'(' | b'{' | b'!' | b'@') {
                at += 1;
                continue;
            }
            if let Some(found) = self.loop_or_condition(at, place) {
                return Some(found);
            }
            let read = word(self.text, at, Names::Whole);
            self.work += read.end - at;
            if read.end == at {
                break;
            }
            if let Some(found) = self.variable_command(at, &read) {
                return Some(found);
            }
            if let Some((name, value)) = assignment(&read.text) {
                if self.assigned.len() < 8 {
                    self.assigned.push((name.to_owned(), value.to_owned()));
                }
                at = read.end;
                continue;
            }
            let read = self.nearer_reading(at, read);
            let Some((known, _)) = self.grammar.class_of(&read) else {
                let is_before =
                    wrapped.is_some() && !is_separator(self.byte(at)) && self.is_before_command(&read, skips_more);
                if !is_before {
                    break;
                }
                skips_more = read.text.starts_with('-');
                at = read.end;
                continue;
            };
            let follows = is_blank(self.byte(read.end)) || read.blank_variable;
            if (known.is_wrapper || known.is_wrapper_word) && follows {
                at = read.end;
                is_wrapped |= known.is_wrapper;
                is_taught |= known.is_taught;
                if wrapped.is_none() {
                    wrapped = Some((read, known, at));
                }
                continue;
            }
            let wrapper = wrapped.as_ref().map(|(word, ..)| word.text.clone());
            let own = self.judge(&read, known, place);
            return match wrapper {
                Some(wrapper) => {
                    let own = own.unwrap_or_else(|| Command { points: 0, name: read.text.clone(), end: read.end });
                    let own = in_wrapper(own, &wrapper, (is_wrapped, is_taught || known.is_taught), known);
                    (own.points > 0).then_some(own)
                }
                None => own,
            };
        }
        let (read, known, _) = wrapped?;
        known.class?;
        self.judge(&read, known, place)
    }

    /// The reading of the word that names a command: a variable's name may be one letter.
    fn nearer_reading(&self, at: usize, read: ShellWord) -> ShellWord {
        if !read.written.variable || self.grammar.class_of(&read).is_some() {
            return read;
        }
        let other = word(self.text, at, Names::OneLetter);
        if self.grammar.class_of(&other).is_some() { other } else { read }
    }

    /// Options, numbers and paths between a wrapper and its command.
    fn is_before_command(&self, read: &ShellWord, follows_option: bool) -> bool {
        let text = read.text.as_str();
        let is_time = text.starts_with(|first: char| first.is_ascii_digit())
            && text.trim_end_matches(['s', 'm', 'h', 'd']).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.starts_with(['-', '/']) || is_time || text == "{}" || follows_option && !read.written.broken
    }

    /// A command in a brace list: `{wget,x}`.
    fn braced(&mut self, at: usize, place: CommandPlace) -> Option<Command> {
        let list = braces(self.text, at)?;
        self.work += list.text.len();
        let read = word(&list.text, 0, Names::Whole);
        let (known, name) = self.grammar.class_of(&read)?;
        let class = known.class?;
        let shape = self.grammar.arguments.read(&list.text, read.end).shape;
        let points = match class {
            CommandClass::Argument if list.odd => class.points(place, shape).max(4 + u32::from(shape >= Shape::Likely)),
            CommandClass::Tool | CommandClass::Word | CommandClass::Binary if list.odd || shape >= Shape::Dotted => 5,
            _ => class.points(place, shape),
        };
        (points > 0).then(|| Command { points, name: name.to_owned(), end: list.end })
    }

    /// `$x` where `x=wget` stood before, `$a$b` where both are halves of a name, and `$0 <<< x`.
    fn variable_command(&self, at: usize, read: &ShellWord) -> Option<Command> {
        let raw = self.text.get(at..read.end)?.strip_prefix('$')?;
        let tail = self.text.get(self.skip_blanks(read.end)..)?;
        let names = raw.split('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        let runs = tail.starts_with("<<<") || tail.starts_with("-c ");
        let is_shell = runs && matches!(raw.trim_matches(['{', '}']), "0" | "shell" | "bash");
        let value =
            |name: &str| self.assigned.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let whole = || names.take(8).map(value).collect::<Option<String>>();
        let is_command = || {
            whole()
                .is_some_and(|text| self.names_command(text.split(' ').next().unwrap_or("")) || text.starts_with('/'))
        };
        let found = is_shell || !self.assigned.is_empty() && is_command();
        found.then(|| Command { points: 5, name: format!("${raw}"), end: read.end })
    }

    /// `while true; do`, `for x in a; do`, `if [ a = b ]; then`.
    fn loop_or_condition(&self, at: usize, place: CommandPlace) -> Option<Command> {
        let rest = self.text.get(at..)?;
        let (keyword, tail) = rest.split_at_checked(rest.bytes().take_while(u8::is_ascii_lowercase).take(6).count())?;
        let closes = match keyword {
            "for" | "while" | "until" | "select" => "do",
            "if" => "then",
            "case" => "esac",
            _ => return None,
        };
        let end = tail.char_indices().nth(200).map_or(tail.len(), |(at, _)| at);
        let head = &tail[..end];
        let closing = head.match_indices(closes).find(|(at, _)| {
            let before = head[..*at].trim_end_matches([' ', '\t']);
            let after = head.as_bytes().get(at + closes.len()).copied().unwrap_or(b' ');
            before.ends_with([';', '\n']) && (is_blank(after) || matches!(after, b'\n' | b'$' | b'`' | b'('))
        });
        let first = head.trim_start().split([' ', ';', '\n']).next().unwrap_or("");
        let is_sound = match keyword {
            "for" | "select" | "case" => head.trim_start()[first.len()..].trim_start().starts_with("in "),
            _ => {
                matches!(first, "[" | "[[" | "((" | "true" | "false" | ":" | "!" | "test") || self.names_command(first)
            }
        };
        if !is_blank(head.bytes().next().unwrap_or(b'x')) || !is_sound {
            return None;
        }
        let points = match (closing.is_some(), place) {
            (true, _) => 5,
            (false, CommandPlace::Edge | CommandPlace::Inside) if first.starts_with('[') => 4,
            _ => return None,
        };
        Some(Command { points, name: keyword.to_owned(), end: at + keyword.len() })
    }

    fn names_command(&self, name: &str) -> bool {
        self.grammar.look_up(name.rsplit('/').next().unwrap_or("")).is_some_and(|known| known.class.is_some())
    }

    /// How sure it is that this command at this place with these arguments is meant.
    fn judge(&mut self, read: &ShellWord, known: Known, place: CommandPlace) -> Option<Command> {
        let class = known.class?;
        let mut arguments = self.grammar.arguments.read(self.text, read.end);
        self.work += arguments.end - read.end;
        let name = read.text.clone();
        if name == "alias" {
            arguments.shape = self.alias(read.end, arguments.shape);
        }
        let mut points = class.points(place, arguments.shape);
        if matches!(place, CommandPlace::Start | CommandPlace::Header)
            && known.is_taught
            && class != CommandClass::Binary
            && arguments.shape <= Shape::Several
        {
            points = points.min(4);
        }
        if arguments.shape == Shape::Nothing {
            points = alone(self.text, points, class, place, &arguments);
        }
        points = points.max(runs_text(self.text, known, read, place, arguments.shape));
        points = hidden(points, class, read, place, arguments.shape);
        let pipes = place.is_pipe() && self.commands > 0 && known.is_interpreter && !is_list_of_words(self.text);
        if pipes && matches!(arguments.shape, Shape::Nothing | Shape::Likely) {
            points = 5;
        } else if self.commands > 0 && points >= 3 && arguments.shape > Shape::Nothing {
            points = (points + 1).min(5);
        }
        (points > 0).then_some(Command { points, name, end: arguments.end })
    }

    /// `alias x=wget`: nothing else is written so.
    fn alias(&self, end: usize, shape: Shape) -> Shape {
        let read = word(self.text, self.skip_blanks(end), Names::Whole);
        let value = read.text.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains('/'));
        if value.is_some() { Shape::Acting } else { shape }
    }
}

/// What stands behind `nohup` or `env` is a command all the more.
fn in_wrapper(own: Command, wrapper: &str, (is_wrapped, is_taught): (bool, bool), known: Known) -> Command {
    let least = match known.class {
        Some(CommandClass::Argument) | None => 0,
        Some(CommandClass::Tool) if is_wrapped && !is_taught => 5,
        _ if is_wrapped => 4,
        Some(CommandClass::Tool) if !is_taught => 3,
        _ => 0,
    };
    let more = u32::from(own.points >= 2) + u32::from(is_wrapped && own.points >= 2);
    let points = (own.points + more).max(least).min(5);
    Command { points, name: format!("{wrapper} {}", own.name), ..own }
}

/// `name=value`.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that make readers go back and forth, by what they repeat.
    const HOSTILE: [&str; 14] = [
        "(",
        "$",
        "'",
        "`",
        "$(",
        ";id ",
        "${",
        "{a,",
        "x=$x;",
        "nohup -x ",
        ";nohup -x ",
        "; ( { ",
        ";a$b",
        "`a`$(sort)",
    ];

    #[test]
    fn work_grows_with_the_length_of_the_text() {
        let mut words = Vocabulary::default();
        words.add("commands.word", ["id".to_owned()]);
        words.add("commands.argument", ["sort".to_owned()]);
        words.add("commands.tool", ["nohup".to_owned()]);
        words.add("commands.wrapper", ["nohup".to_owned()]);
        let grammar = ShellGrammar::new(&words);
        for piece in HOSTILE {
            for length in [600, 6_000, 60_000] {
                let text = piece.repeat(length / piece.len());
                let mut scan = Scan::new(&grammar, &text, Part::Value);
                scan.run();
                assert!(scan.work <= 20 * text.len() + WORK_MIN, "{piece} {length}: {}", scan.work);
            }
        }
    }

    #[test]
    fn names_are_looked_up_with_their_version_and_path() {
        let mut words = Vocabulary::default();
        words.add("commands.tool", ["python".to_owned()]);
        words.add("commands.interpreter", ["python".to_owned()]);
        words.add("commands.word", ["id".to_owned()]);
        let grammar = ShellGrammar::new(&words);
        let class = |text: &str| grammar.class_of(&word(text, 0, Names::Whole)).and_then(|(known, _)| known.class);
        assert_eq!(class("python3.11 x"), Some(CommandClass::Tool));
        assert_eq!(class("/usr/bin/id"), Some(CommandClass::Binary));
        assert_eq!(class("/tmp/x"), Some(CommandClass::OwnFile));
        assert_eq!(class("id5"), None);
        assert_eq!(class("id's"), None);
        assert_eq!(class("doc/id"), None);
    }
}
