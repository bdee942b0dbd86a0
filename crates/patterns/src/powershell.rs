//! PowerShell: the program with its options, commands of the form verb-noun where a command can stand, and expressions
//! that only this language has: types in brackets, calls of strings, backticks inside of words. The text is in lower
//! case, its encodings undone.

use crate::Part;
use crate::command_class::CommandClass;
use crate::grammar::{Grammar, Reading};
use crate::shell_arguments::{ArgumentWords, Shape};
use crate::shell_places::{CommandPlace, CommandPlaces, plus_as_blank};
use crate::shell_words::is_blank;
use crate::vocabulary::{Vocabulary, WordSet};

/// Marks of expressions.
const NEEDS: [&str; 15] = [
    "powershell",
    "pwsh",
    "]::",
    "-join",
    "$env:",
    "[char]",
    "&(",
    "&{",
    "& (",
    "& {",
    ".(",
    "'+'",
    "\"+\"",
    "`",
    "[ref]",
];
/// How much of a text is read, as a multiple of its length, and at least.
const WORK: usize = 24;
const WORK_MIN: usize = 4096;
const WORD_MAX: usize = 80;

/// The language of PowerShell.
#[derive(Debug)]
pub(crate) struct PowershellGrammar {
    commands: WordSet,
    verbs: WordSet,
    aliases: WordSet,
    sure_aliases: WordSet,
    types: WordSet,
    options: WordSet,
    variables: Vec<String>,
    arguments: ArgumentWords,
    needs: Vec<String>,
}

impl PowershellGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let mut needs: Vec<String> = NEEDS.map(str::to_owned).to_vec();
        needs.extend(words.words("commands.cmdlet").iter().cloned());
        needs.extend(words.words("commands.cmdlet_alias_sure").iter().flat_map(|alias| {
            [" ", "(", "\t", "$"]
                .map(|tail| format!("{alias}{tail}"))
                .into_iter()
                .chain(["| ", "|"].map(|before| format!("{before}{alias}")))
                .collect::<Vec<_>>()
        }));
        needs.extend(
            words
                .words("commands.cmdlet_verb")
                .iter()
                .flat_map(|verb| [";", "|", "&", "; ", "| ", "& ", "\n"].map(|before| format!("{before}{verb}-"))),
        );
        let variables = words.words("commands.powershell_variable").to_vec();
        needs.extend(variables.iter().map(|name| format!("${name}")));
        PowershellGrammar {
            commands: words.set(&["commands.cmdlet"]),
            verbs: words.set(&["commands.cmdlet_verb"]),
            aliases: words.set(&["commands.cmdlet_alias", "commands.cmdlet_alias_sure"]),
            sure_aliases: words.set(&["commands.cmdlet_alias_sure"]),
            types: words.set(&["commands.dotnet"]),
            options: words.set(&["commands.powershell_option"]),
            variables,
            arguments: ArgumentWords::new(words),
            needs,
        }
    }
}

impl Grammar for PowershellGrammar {
    fn name(&self) -> &'static str {
        "powershell"
    }

    fn needs(&self) -> Vec<String> {
        self.needs.clone()
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let plain = plus_as_blank(text);
        let text = plain.as_deref().unwrap_or(text);
        let mut best = self.expression(text);
        let mut places = CommandPlaces::new(text, part);
        let mut work = 0;
        while let Some((at, place)) = places.next(best.is_some()) {
            if work > text.len() * WORK + WORK_MIN || best.as_ref().is_some_and(|best| best.points >= 5) {
                break;
            }
            let (found, read) = self.command(text, at, place);
            work += read;
            best = Reading::surer(best, found);
        }
        best
    }
}

/// A name without the backticks, quotes and carets inside of it, whether it had some, and where it ends.
fn name(text: &str, at: usize) -> (String, bool, usize) {
    let mut name = String::new();
    let mut hidden = false;
    let mut end = at;
    for byte in text.as_bytes().get(at..).unwrap_or(&[]).iter().take(WORD_MAX) {
        match byte {
            b'`' | b'^' | b'"' | b'\'' => hidden |= !name.is_empty(),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'\\' | b':' | b'/') => {
                name.push(char::from(*byte));
            }
            _ => break,
        }
        end += 1;
    }
    // A quote at the end is no part of it.
    let last = text.as_bytes().get(end.wrapping_sub(1)).copied().unwrap_or(0);
    let signs = text.as_bytes()[at..end].iter().filter(|byte| matches!(byte, b'`' | b'^' | b'"' | b'\'')).count();
    (name, hidden && !(signs == 1 && matches!(last, b'`' | b'"' | b'\'')), end)
}

impl PowershellGrammar {
    /// The command that stands at a place, and how many bytes were read.
    fn command(&self, text: &str, at: usize, place: CommandPlace) -> (Option<Reading>, usize) {
        let junk = text.as_bytes()[at..]
            .iter()
            .take(8)
            .take_while(|byte| is_blank(**byte) || matches!(byte, b'(' | b'{'))
            .count();
        let at = at + junk;
        let (name, hidden, end) = name(text, at);
        let base = name.rsplit(['\\', '/']).next().unwrap_or("");
        let base = base.strip_suffix(".exe").unwrap_or(base);
        if matches!(base, "powershell" | "pwsh" | "powershell_ise") {
            let points = self.program(text, end, place).max(if hidden { 5 } else { 0 });
            let found = (points > 0).then(|| Reading::of(points, format!("`{base}` with what it is to run")));
            return (found, 200);
        }
        let is_known = self.commands.has(&name);
        let is_form = || {
            name.split_once('-').is_some_and(|(verb, noun)| {
                self.verbs.has(verb) && noun.len() > 2 && noun.bytes().all(|byte| byte.is_ascii_lowercase())
            })
        };
        let is_alias = !is_known && self.aliases.has(&name);
        if name.is_empty() || !is_known && !is_alias && !is_form() {
            return (None, end - at);
        }
        let call = text.as_bytes().get(end) == Some(&b'(');
        let arguments = self.arguments.read(text, end);
        let tail = text[end..].trim_start();
        let mut shape = arguments.shape;
        if call || tail.starts_with(['(', '$', '[', '{']) || tail.starts_with("win32_") {
            shape = shape.max(Shape::Likely);
        }
        let points = if is_known {
            known_points(place, shape)
        } else if is_alias {
            let is_sure = self.sure_aliases.has(&name);
            if is_sure {
                CommandClass::Tool.points(place, shape).min(if shape < Shape::Dotted { 4 } else { 5 })
            } else if call {
                0
            } else {
                // Other shells and the languages of databases have it, too.
                CommandClass::Argument.points(place, shape).min(if place.is_pipe() { 3 } else { 1 })
            }
        } else {
            known_points(place, shape).saturating_sub(if shape < Shape::Likely { 2 } else { 1 })
        };
        let executes =
            matches!(name.as_str(), "iex" | "invoke-expression") && place.is_pipe() && shape == Shape::Nothing;
        let points = if executes { 5 } else { points };
        let points = if hidden && (is_known || self.sure_aliases.has(&name)) { 5 } else { points };
        let found =
            (points > 0).then(|| Reading::of(points, format!("the command `{name}` of PowerShell {}", place.name())));
        (found, arguments.end.saturating_sub(at))
    }

    /// `powershell -enc …`: what stands behind the program's name.
    fn program(&self, text: &str, end: usize, place: CommandPlace) -> u32 {
        let cut = (end..=(end + 240).min(text.len())).rev().find(|cut| text.is_char_boundary(*cut)).unwrap_or(end);
        let rest = &text[end..cut];
        if !rest.starts_with([' ', '\t', '"', ';', '&', '|', '\n']) {
            return if rest.is_empty() && place != CommandPlace::Start && place != CommandPlace::Weak { 5 } else { 0 };
        }
        let options = rest.split_ascii_whitespace().take(8);
        let is_option = |word: &str| {
            let bare = word.strip_prefix(['-', '/']).unwrap_or("").trim_matches('"');
            self.options.has(bare.split(':').next().unwrap_or(""))
        };
        let first = rest.trim_start().bytes().next().unwrap_or(0);
        let has_path = rest.contains(":\\") || rest.contains(".ps1");
        let has_command = rest
            .split(|byte: char| !byte.is_ascii_alphanumeric() && byte != '-')
            .take(30)
            .any(|word| word.contains('-') && self.commands.has(word) || self.sure_aliases.has(word));
        let is_block = matches!(first, b'(' | b'{' | b'&' | b'$' | b'[' | b'"');
        if options.clone().any(is_option) || has_path || has_command || is_block {
            return 5;
        }
        let arguments = self.arguments.read(text, end);
        CommandClass::Tool.points(place, arguments.shape)
    }

    /// Expressions that are the language's own, wherever they stand.
    fn expression(&self, text: &str) -> Option<Reading> {
        let mut best = self.types_and_calls(text);
        let has_sign = memchr::memchr(b'$', text.as_bytes()).is_some();
        if let Some(name) = self.variables.iter().find(|name| has_sign && has_variable(text, name)) {
            best = Reading::surer(best, Some(Reading::of(4, format!("the variable `${name}` of PowerShell"))));
        }
        let joins = text.contains("-join")
            && (text.contains("[char")
                || text.contains("-join'")
                || text.contains("-join(")
                || text.contains(")-join"));
        if joins {
            let points = if text.contains("[char") { 5 } else { 4 };
            best = Reading::surer(best, Some(Reading::new(points, "a text put together in PowerShell")));
        }
        Reading::surer(best, self.joined(text))
    }

    /// `[system.convert]::frombase64string(`, `new-object net.webclient`.
    fn types_and_calls(&self, text: &str) -> Option<Reading> {
        let names = |text: &str| text.rsplit('[').next().map(|name| name.trim().to_owned());
        for (at, _) in text.match_indices("]::").take(16) {
            let from = (at.saturating_sub(WORD_MAX)..at).find(|from| text.is_char_boundary(*from)).unwrap_or(at);
            if let Some(name) = names(&text[from..at]).filter(|name| self.types.has(name)) {
                return Some(Reading::of(5, format!("the type `{name}` of .NET used by PowerShell")));
            }
        }
        for (at, _) in text.match_indices("new-object").take(4) {
            let tail = text[at + 10..].trim_start();
            let tail = tail
                .strip_prefix("-typename ")
                .or(tail.strip_prefix("-com "))
                .or(tail.strip_prefix("-comobject "))
                .unwrap_or(tail);
            let (name, ..) = name(tail.trim_start_matches(['\'', '"', '(']), 0);
            if self.types.has(&name) || name.starts_with("system.") || name.starts_with("net.") {
                return Some(Reading::of(5, format!("an object `{name}` made by PowerShell")));
            }
        }
        None
    }

    /// `&('ie'+'x')`: the name of a command put together from texts.
    fn joined(&self, text: &str) -> Option<Reading> {
        for (at, _) in text.match_indices(['\'', '"']).take(24) {
            let before = text[..at].trim_end();
            let Some(opens) = before.strip_suffix('(').map(str::trim_end) else { continue };
            if !opens.ends_with(['&', '.']) {
                continue;
            }
            let end = text[at..].find(')').filter(|end| *end < WORD_MAX)?;
            let letters: String =
                text[at..at + end].chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
            if self.commands.has(&letters) || self.aliases.has(&letters) {
                return Some(Reading::of(
                    5,
                    format!("the command `{letters}` of PowerShell, called by its name as a text"),
                ));
            }
        }
        None
    }
}

/// `$env:path`, `$pshome`: the whole name.
fn has_variable(text: &str, name: &str) -> bool {
    text.match_indices(name).take(8).any(|(at, _)| {
        let before = text.as_bytes().get(at.wrapping_sub(1)).copied();
        let next = text.as_bytes().get(at + name.len()).copied().unwrap_or(0);
        before == Some(b'$') && (name.ends_with(':') == next.is_ascii_alphanumeric())
    })
}

/// Points of a known command of PowerShell, by its place and arguments.
fn known_points(place: CommandPlace, shape: Shape) -> u32 {
    // Prose, nothing, plain, dotted, likely, sure, several, acting.
    let row: [u32; 8] = match place {
        CommandPlace::Header => [0, 1, 1, 2, 4, 4, 5, 5],
        CommandPlace::Start => [1, 3, 4, 4, 5, 5, 5, 5],
        CommandPlace::Weak => [1, 3, 3, 4, 5, 5, 5, 5],
        CommandPlace::Token | CommandPlace::TokenPipe | CommandPlace::TokenAmpersand => [1, 4, 4, 5, 5, 5, 5, 5],
        CommandPlace::Edge | CommandPlace::EdgePipe | CommandPlace::Inside => [2, 5, 5, 5, 5, 5, 5, 5],
    };
    row[shape as usize]
}
