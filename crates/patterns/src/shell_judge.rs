//! What makes a command of a shell more or less likely than its class, place and arguments say: how it ends, how its name
//! is written, and what is known of attacks. No text is taken apart here.

use crate::command_class::CommandClass;
use crate::shell_arguments::{Arguments, Shape};
use crate::shell_places::CommandPlace;
use crate::shell_words::ShellWord;

/// Bytes of a text that one judgement looks at.
const HEAD_MAX: usize = 240;

/// What is known of a name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub(crate) class: Option<CommandClass>,
    pub(crate) is_taught: bool,
    pub(crate) is_interpreter: bool,
    pub(crate) is_wrapper: bool,
    pub(crate) is_wrapper_word: bool,
}

/// The beginning of a text.
pub(crate) fn head(text: &str) -> &str {
    let end = (0..=HEAD_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// A command without arguments: something must end it that would, or the text must end.
pub(crate) fn alone(text: &str, points: u32, class: CommandClass, place: CommandPlace, arguments: &Arguments) -> u32 {
    let next = text.as_bytes().get(arguments.end + 1).copied().unwrap_or(0);
    match (place, arguments.ended_by) {
        // `$(id).hide()` is of a script.
        (CommandPlace::Inside, b')') if next == b'.' || next.is_ascii_alphanumeric() || next == b'(' => points.min(1),
        // Nothing else stands in the value: a probe.
        (CommandPlace::Inside, b')' | b'`') if points == 3 && is_all(text, arguments.end) => 4,
        (CommandPlace::Inside, b')' | b'`' | 0) => points,
        (CommandPlace::Start, b'|') if class != CommandClass::Argument && arguments.end + 1 >= text.len() => 4,
        (CommandPlace::Inside, _) => points.min(3),
        (CommandPlace::TokenPipe | CommandPlace::TokenAmpersand, _) => points.min(2 + u32::from(points > 3)),
        (CommandPlace::Token, b';' | 0) if is_list_of_words(text) => points.min(2),
        (CommandPlace::Edge | CommandPlace::EdgePipe, b'|') if !text[arguments.end..].starts_with("||") => {
            // A row of a table has its marks on both sides.
            points.min(3)
        }
        (_, b'}') => points.min(3),
        _ => points,
    }
}

/// Only quotes stand behind the end of a substitution, and before its start.
fn is_all(text: &str, end: usize) -> bool {
    let is_quote = |letter: char| matches!(letter, '\'' | '"' | ' ' | ')' | '`');
    text.len() <= HEAD_MAX
        && text[end..].trim_end_matches(is_quote).is_empty()
        && text.trim_start_matches(is_quote).len() > end.min(text.len()) / 2
}

/// `a;b;c`: words without blanks, nothing else.
pub(crate) fn is_list_of_words(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let separators = text.bytes().take(512).filter(|byte| matches!(byte, b';' | b'|' | b',')).count();
    separators >= 2 && text.bytes().take(512).all(|byte| is_word(byte) || matches!(byte, b';' | b'|' | b','))
}

/// `sh -c x`, `python -c x`, `bash -i`, `base64 -d`, `chmod +x`: what attacks are made of.
pub(crate) fn runs_text(text: &str, known: Known, read: &ShellWord, place: CommandPlace, shape: Shape) -> u32 {
    let tail = head(&text[read.end..]).trim_start();
    let option = tail.split([' ', '\t']).next().unwrap_or("");
    let rest = tail.get(option.len()..).unwrap_or("").trim_start();
    let runs = matches!(option, "-c" | "-e" | "-r" | "-ne" | "-pe" | "-lc" | "-ec" | "-ic" | "-s" | "-p");
    let shell = read.text.ends_with("sh");
    // `awk 'begin {…}'`
    if known.is_interpreter && option.starts_with(['\'', '"']) && tail.contains("system(") {
        return 5;
    }
    if shape < Shape::Likely {
        return 0;
    }
    let is_code = rest.starts_with(['\'', '"', '$', '/', '{']) || rest.contains(['(', ';', '|', '>']);
    if known.is_interpreter && (runs && (is_code || shell && !rest.is_empty()) || shell && option == "-i") {
        return 5;
    }
    let base = match read.text.as_str() {
        "base64" | "base32" => matches!(option, "-d" | "-di" | "--decode" | "-d|sh"),
        "xxd" => option == "-r",
        "chmod" => option.starts_with("+x") || option.starts_with("u+s"),
        "nc" | "ncat" | "netcat" => option.starts_with("-e") || rest.contains(" -e ") || option.starts_with("-l"),
        "rm" => matches!(option, "-rf" | "-fr" | "-r"),
        _ => false,
    };
    if base { 4 + u32::from(place != CommandPlace::Start) } else { 0 }
}

/// More points for a name that is hidden in quotes, empty variables or wildcards.
pub(crate) fn hidden(points: u32, class: CommandClass, read: &ShellWord, place: CommandPlace, shape: Shape) -> u32 {
    let written = read.written;
    let is_hidden = written.hidden || written.bracket && class == CommandClass::Binary;
    let is_quoted = written.quoted || written.glob && class != CommandClass::Binary;
    if !is_hidden && !is_quoted {
        return points;
    }
    let sure = match class {
        CommandClass::Tool => true,
        CommandClass::Binary => {
            written.bracket || written.hidden || shape >= Shape::Dotted || place != CommandPlace::Start
        }
        CommandClass::Word => shape >= Shape::Dotted || !matches!(place, CommandPlace::Start | CommandPlace::Weak),
        CommandClass::Argument | CommandClass::OwnFile => shape >= Shape::Likely,
    };
    match (is_hidden, sure) {
        (true, true) => 5,
        (true, false) => (points + 2).min(4).max(if class == CommandClass::Word { 4 } else { 2 }),
        (false, true) if class == CommandClass::Tool && read.text.len() > 3 && place != CommandPlace::Header => 5,
        (false, true) if class == CommandClass::Tool || place != CommandPlace::Start => (points + 2).min(5),
        _ => points,
    }
}
