//! What people look at: colours and width of a terminal, and a pager for what is longer than it. Where output goes into a file or a
//! pipe, nothing is cut or paged, and coloured only where somebody asked for it. Programs read standard output: it is the same then.

use std::io::{self, IsTerminal, Stdout, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use clap::ValueEnum;
use event::Severity;

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM says that it has none
    #[default]
    Auto,
    Always,
    Never,
}

/// What the command line says about output; set once, before anything is printed.
static WANTED: OnceLock<Wanted> = OnceLock::new();

#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    color: Color,
    no_pager: bool,
}

/// Keeps what the command line says.
pub(crate) fn want(color: Color, no_pager: bool) {
    // Only tests run more than one command in a process.
    let _first = WANTED.set(Wanted { color, no_pager }).is_ok();
}

fn wanted() -> Wanted {
    WANTED.get().copied().unwrap_or_default()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn is_colored(color: Color, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            is_terminal && variable("NO_COLOR").is_none() && variable("TERM").is_some_and(|term| term != "dumb")
        }
    }
}

/// How a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Head,
    Dim,
    Of(Severity),
}

impl Paint {
    /// Parameters of "select graphic rendition" (ECMA-48, 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Paint::Head => "1",
            Paint::Dim => "2",
            Paint::Of(Severity::P0) => "1;31",
            Paint::Of(Severity::P1) => "31",
            Paint::Of(Severity::P2) => "33",
            Paint::Of(Severity::P3) => "36",
        }
    }
}

/// Rows and columns of a terminal on standard output.
fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then(|| (usize::from(size.ws_row), usize::from(size.ws_col)))
}

/// Standard output for people. Writes to the terminal what fits on it, and gives what is longer to the pager.
#[derive(Debug)]
pub(crate) struct Screen {
    to: To,
    is_colored: bool,
    width: Option<usize>,
}

#[derive(Debug)]
enum To {
    Plain(Stdout),
    /// Until it is known whether it fits.
    Held {
        text: Vec<u8>,
        lines: usize,
        rows: usize,
    },
    Pager(Child, ChildStdin),
}

impl Screen {
    pub(crate) fn open() -> Self {
        let Wanted { color, no_pager } = wanted();
        let is_terminal = io::stdout().is_terminal();
        let size = if is_terminal { size() } else { None };
        let to = match size {
            Some((rows, _)) if !no_pager => To::Held { text: Vec::new(), lines: 0, rows },
            _ => To::Plain(io::stdout()),
        };
        Screen { to, is_colored: is_colored(color, is_terminal, variable), width: size.map(|(_, columns)| columns) }
    }

    /// For programs: neither coloured nor cut nor paged.
    pub(crate) fn plain() -> Self {
        Screen { to: To::Plain(io::stdout()), is_colored: false, width: None }
    }

    /// The text in colour, where there is any.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.is_colored { format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()) } else { text.to_owned() }
    }

    /// Columns of the terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// As much of the text as fits behind `used` columns of a line.
    pub(crate) fn fit(&self, text: String, used: usize) -> String {
        match self.width {
            Some(width) => cut(text, width.saturating_sub(used).max(COLUMN_MIN)),
            None => text,
        }
    }

    /// Gives everything held to the pager; where there is none, to the terminal.
    fn start_pager(&mut self) -> io::Result<()> {
        let To::Held { text, .. } = &mut self.to else { return Ok(()) };
        let text = std::mem::take(text);
        let name = variable("PAGER").unwrap_or_else(|| "less".to_owned());
        let mut command = Command::new("sh");
        command.arg("-c").arg(&name).stdin(Stdio::piped());
        if variable("LESS").is_none() {
            // Colours as they are, and the text stays on the screen afterwards.
            command.env("LESS", "-RX");
        }
        let started = if name == "cat" || !is_there(&name) { None } else { command.spawn().ok() };
        self.to = match started.and_then(|mut child| child.stdin.take().map(|stdin| (child, stdin))) {
            Some((child, stdin)) => To::Pager(child, stdin),
            None => To::Plain(io::stdout()),
        };
        self.write_all(&text)
    }
}

/// Whether the program that a command line begins with can be found.
fn is_there(line: &str) -> bool {
    let name = line.split_whitespace().next().unwrap_or_default();
    let folders = std::env::var_os("PATH").unwrap_or_default();
    name.contains('/') && std::path::Path::new(name).exists()
        || std::env::split_paths(&folders).any(|folder| !name.contains('/') && folder.join(name).exists())
}

/// Narrowest that a column is cut to, in characters.
const COLUMN_MIN: usize = 12;

/// At most so many characters; the last one tells that there were more.
fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
        None => text,
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Plain(out) => out.write(bytes),
            To::Pager(_, stdin) => stdin.write(bytes),
            To::Held { text, lines, rows } => {
                text.extend_from_slice(bytes);
                *lines += bytes.iter().filter(|byte| **byte == b'\n').count();
                if *lines >= *rows {
                    self.start_pager()?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Plain(out) => out.flush(),
            To::Pager(_, stdin) => stdin.flush(),
            To::Held { .. } => Ok(()),
        }
    }
}

impl Drop for Screen {
    /// What was held fits on the terminal; a pager is waited for until its reader has seen enough.
    fn drop(&mut self) {
        match std::mem::replace(&mut self.to, To::Plain(io::stdout())) {
            // Nobody is left to be told.
            To::Held { text, .. } => drop(io::stdout().write_all(&text).and_then(|()| io::stdout().flush())),
            To::Pager(mut child, stdin) => {
                drop(stdin);
                drop(child.wait());
            }
            To::Plain(mut out) => drop(out.flush()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_have_them_unless_somebody_says_otherwise() {
        let none = |_: &str| None;
        let term = |name: &str| (name == "TERM").then(|| "xterm".to_owned());
        let refused = |name: &str| ["TERM", "NO_COLOR"].contains(&name).then(|| "1".to_owned());
        let dumb = |name: &str| (name == "TERM").then(|| "dumb".to_owned());
        assert!(is_colored(Color::Auto, true, term) && !is_colored(Color::Auto, false, term));
        assert!(!is_colored(Color::Auto, true, none) && !is_colored(Color::Auto, true, refused));
        assert!(!is_colored(Color::Auto, true, dumb));
        assert!(is_colored(Color::Always, false, refused) && !is_colored(Color::Never, true, term));
    }

    #[test]
    fn a_text_is_cut_where_the_terminal_ends() {
        let screen = |width| Screen { to: To::Plain(io::stdout()), is_colored: true, width };
        assert_eq!(screen(Some(40)).fit("ä".repeat(30), 20), "ä".repeat(19) + "…");
        assert_eq!(screen(Some(40)).fit("short".into(), 20), "short");
        assert_eq!(screen(Some(10)).fit("a".repeat(30), 20).chars().count(), COLUMN_MIN);
        assert_eq!(screen(None).fit("a".repeat(300), 20).len(), 300);
        assert_eq!(screen(None).paint(Paint::Of(Severity::P0), "P0"), "\u{1b}[1;31mP0\u{1b}[0m");
        assert_eq!(Screen::plain().paint(Paint::Head, "x"), "x");
    }
}
