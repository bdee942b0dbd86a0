//! Constructs that begin with one word or mark: loops that never end, functions made of texts, commands in quotes of
//! Perl and Ruby, modules loaded. No names of functions stand here.

use crate::code::{self, Args, Gap, begins, byte_at, closed, ends, piece, skip_gap, word_end};
use crate::grammar::Reading;
use crate::vocabulary::WordSet;

/// Values that decide a condition by themselves.
#[derive(Debug)]
pub(crate) struct Constants {
    pub(crate) truths: WordSet,
    pub(crate) nothings: WordSet,
}

/// Texts of which each construct has one.
pub(crate) const SIGNS: [&str; 65] = [
    "while(",
    "while (",
    "while/",
    "while\n",
    "while\t",
    "for(",
    "for (;",
    "for/*",
    "for (",
    "function(",
    "function (",
    "=>{",
    "()=>",
    "() =>",
    "import(",
    "import (",
    "require(",
    "require (",
    "qx(",
    "qx{",
    "qx/",
    "qx|",
    "qx'",
    "qx[",
    "qx<",
    "qx!",
    "%x(",
    "%x{",
    "%x[",
    "%x|",
    "%x/",
    "@{",
    "${\\",
    "use posix",
    "use strict",
    "use io::",
    "use socket",
    "import os",
    "import sys",
    "import subprocess",
    "import socket",
    "import pty",
    "from os",
    "from subprocess",
    "open(",
    "globals()",
    "locals()",
    "vars()",
    "getattr(",
    "setattr(",
    "system'",
    "system\"",
    "system '",
    "system \"",
    "exec'",
    "exec\"",
    "exec '",
    "exec \"",
    "_js_function",
    "nd_func",
    "do {",
    "module.exports",
    "send(:",
    "method(:",
    "$env{",
];

/// Reads the construct that begins with the word between two places.
pub(crate) fn construct(
    text: &str,
    start: usize,
    end: usize,
    modules: &WordSet,
    constants: &Constants,
) -> Option<Reading> {
    let word = piece(text, start, end);
    let (next, gap) = skip_gap(text, end);
    let bracket = byte_at(text, next) == b'(';
    match word {
        "while" if bracket => while_loop(text, start, next, constants),
        "for" if bracket => for_loop(text, start, next),
        "function" => function(text, start, next),
        "import" | "require" if bracket => load(text, start, next, modules, word),
        "import" | "from" | "use" if gap == Gap::Blank => statement(text, start, next, modules),
        "qx" => quoted_command(text, start, end, "a command in quotes of Perl"),
        "x" if start > 0 && byte_at(text, start - 1) == b'%' => {
            quoted_command(text, start - 1, end, "a command in quotes of Ruby")
        }
        "send" | "public_send" | "__send__" | "method" | "instance_method" if bracket => {
            // Ruby names a method with a colon: `send(:exec,'id')`.
            let named = byte_at(text, next + 1) == b':' && code::is_word(byte_at(text, next + 2));
            named.then(|| Reading::new(4 + u32::from(begins(text, start)), "a method of Ruby by its name"))
        }
        "env" if byte_at(text, end) == b'{' && start > 0 && byte_at(text, start - 1) == b'$' => {
            Some(Reading::new(4, "the environment of a program of Perl"))
        }
        "open" if bracket => opened_program(text, start, next),
        "globals" | "locals" | "vars" if byte_at(text, end) == b'(' => {
            let after = piece(text, end + 1, end + 3);
            let reached = matches!(after, ")[" | ").");
            reached.then(|| Reading::new(4, "all names of a program of Python"))
        }
        "getattr" | "setattr" | "delattr" if bracket => {
            let close = closed(text, next)?;
            let named = piece(text, next, close).contains([',']) && piece(text, next, close).contains(['\'', '"']);
            named.then(|| Reading::new(4, "an attribute of Python by its name"))
        }
        "system" | "exec" | "spawn" => {
            let quote = byte_at(text, next);
            let ended = text.trim_end_matches([' ', ';', '#']).bytes().next_back() == Some(quote);
            let acts = matches!(quote, b'\'' | b'"') && begins(text, start) && ended && next + 2 < text.len();
            acts.then(|| {
                Reading::new(if gap == Gap::None { 4 } else { 3 }, "a command of Perl or Ruby without brackets")
            })
        }
        "module" => {
            let (equals, _) = skip_gap(text, end + ".exports".len());
            let given = text[end..].starts_with(".exports") && matches!(byte_at(text, equals), b'=' | b'.' | b'[');
            given.then(|| Reading::new(3 + u32::from(begins(text, start)), "a module of Node.js given"))
        }
        _ => None,
    }
}

/// Reads what begins with a mark.
pub(crate) fn sign(text: &str, at: usize) -> Option<Reading> {
    let rest = text.get(at..)?;
    if rest.starts_with("_$$nd_func$$_") || rest.starts_with("$$nd_func$$") {
        return Some(Reading::new(5, "a function of Node.js in a serialised object"));
    }
    if let Some(inside) = rest.strip_prefix("@{").or_else(|| rest.strip_prefix("${\\")) {
        let perl = rest.starts_with("${\\") || inside.trim_start().starts_with('[');
        let acts = inside.len() > 1 && inside.contains([']', '}', '(']);
        return perl.then(|| Reading::new(if acts { 5 } else { 3 }, "an expression inside of a text of Perl"));
    }
    let arrow = rest.starts_with("=>") && text.get(..at)?.trim_end().ends_with(')');
    let body = rest.get(2..).unwrap_or("").trim_start();
    (arrow && (body.starts_with('{') || body.contains('('))).then(|| Reading::new(3, "a function of JavaScript"))
}

/// `while(1)`, `while(!!{})`, `while(new date)`: what it asks for is always so.
fn while_loop(text: &str, start: usize, open: usize, constants: &Constants) -> Option<Reading> {
    let mut at = open;
    let mut brackets = 0;
    let mut turned = false;
    loop {
        at = skip_gap(text, at).0;
        match byte_at(text, at) {
            b'(' if brackets < 8 => brackets += 1,
            b'!' => turned = !turned,
            b'+' | b'-' => {}
            _ => break,
        }
        at += 1;
        if at > open + 64 {
            return None;
        }
    }
    let (truth, end) = constant(text, at, constants)?;
    let (next, _) = skip_gap(text, end);
    let close = byte_at(text, next);
    let alone = close == b')' || next >= text.len();
    let joined = text.get(next..)?.starts_with("||");
    // A negation of what is known before it runs is a trial, even where the loop ends at once.
    let negated = piece(text, open, at).contains('!');
    if truth == turned && !negated || !alone && !joined {
        return None;
    }
    let tail = text.get(next..)?.trim_start_matches([')', ' ', '\n', '\r', '\t']);
    let stops = tail.is_empty() || tail.starts_with(['{', ';', '"', '\'', '}', '#', '/', ',']);
    let points = if begins(text, start) && stops || tail.starts_with(['{', ';']) { 5 } else { 3 };
    Some(Reading::new(points - u32::from(truth == turned), "a loop without an end"))
}

/// Whether the value that stands there is true, and where it ends.
fn constant(text: &str, at: usize, constants: &Constants) -> Option<(bool, usize)> {
    let first = byte_at(text, at);
    match first {
        b'0'..=b'9' => {
            let end = word_end(text, at);
            Some((piece(text, at, end).bytes().any(|digit| (b'1'..=b'9').contains(&digit)), end))
        }
        b'\'' | b'"' | b'`' => {
            let inside = text.as_bytes().get(at + 1..(at + 64).min(text.len()))?;
            let length = memchr::memchr(first, inside)?;
            Some((length > 0, at + length + 2))
        }
        b'[' | b'{' => closed(text, at).map(|end| (true, end)),
        _ => {
            let end = word_end(text, at);
            let word = piece(text, at, end);
            if word == "new" {
                let name = skip_gap(text, end).0;
                let end = word_end(text, name);
                let tail = if byte_at(text, end) == b'(' { closed(text, end)? } else { end };
                return (end > name).then_some((true, tail));
            }
            if constants.nothings.has(word) {
                return Some((false, end));
            }
            constants.truths.has(word).then_some((true, end))
        }
    }
}

/// `for(;;)`, `for(i=0;;i++)`: no condition ends it.
fn for_loop(text: &str, start: usize, open: usize) -> Option<Reading> {
    let close = closed(text, open)?;
    let inside = piece(text, open + 1, close - 1);
    let mut parts = inside.splitn(3, ';');
    let (_, condition, _) = (parts.next()?, parts.next()?.trim(), parts.next()?);
    if !matches!(condition, "" | "1" | "true" | "!0" | "!false") {
        return None;
    }
    let tail = text.get(close..)?.trim_start();
    let stops = tail.is_empty() || tail.starts_with(['{', ';', '"', '\'', '}']);
    let points = if begins(text, start) && stops || tail.starts_with(['{', ';']) { 5 } else { 3 };
    Some(Reading::new(points, "a loop without an end"))
}

/// `function(){…}`, `new function('…')`.
fn function(text: &str, start: usize, next: usize) -> Option<Reading> {
    let open = skip_gap(text, word_end(text, next)).0;
    if byte_at(text, open) != b'(' {
        return None;
    }
    let args = code::args(text, open);
    let made = text.get(..start)?.trim_end().ends_with("new");
    if made && open == next {
        let points = if args == Args::Quoted { 5 } else { 4 };
        return Some(Reading::new(points, "a function made of a text"));
    }
    if args == Args::Quoted && open == next {
        return Some(Reading::new(4, "a function made of a text"));
    }
    let close = closed(text, open)?;
    let body = skip_gap(text, close).0;
    if byte_at(text, body) != b'{' {
        return None;
    }
    let called = closed(text, body)
        .is_some_and(|end| text.get(end..).is_some_and(|rest| rest.trim_start_matches(')').starts_with('(')));
    let points = if called { 5 } else { 3 + u32::from(begins(text, start)) };
    Some(Reading::new(points, "a function of JavaScript"))
}

/// `require('child_process')`, `import('node:fs')`.
fn load(text: &str, start: usize, open: usize, modules: &WordSet, word: &str) -> Option<Reading> {
    if code::args(text, open) != Args::Quoted {
        return None;
    }
    let from = skip_gap(text, open + 1).0 + 1;
    let inside = text.as_bytes().get(from..(from + 64).min(text.len()))?;
    let length = memchr::memchr3(b'\'', b'"', b'`', inside).unwrap_or(inside.len());
    let name = piece(text, from, from + length);
    let close = closed(text, open);
    let used = close.is_some_and(|close| matches!(byte_at(text, close), b'.' | b'['));
    let whole = begins(text, start) && close.is_none_or(|close| ends(text, close));
    let known = modules.has(name);
    let points = match (known, used) {
        _ if name.starts_with("data:") => 5,
        (true, true) => 5,
        (true, false) if name.contains("child_process") || word == "import" && whole => 5,
        (true, false) => 3,
        (false, true) => 3 + u32::from(whole),
        (false, false) if word == "import" => 3,
        (false, false) => 2,
    };
    Some(Reading::of(points, format!("the module `{name}` loaded")))
}

/// `import os;`, `use posix;`, `from os import system`.
fn statement(text: &str, start: usize, next: usize, modules: &WordSet) -> Option<Reading> {
    let end = text
        .as_bytes()
        .get(next..)?
        .iter()
        .take(40)
        .take_while(|byte| code::is_word(**byte) || matches!(byte, b':' | b'.'))
        .count()
        + next;
    let name = piece(text, next, end);
    if !modules.has(name) {
        return None;
    }
    let rest = text.get(end..)?;
    let stops = rest.starts_with([';', '\n', '\r']) || rest.starts_with(" import ") && rest.len() > 9;
    let points = if stops && begins(text, start) {
        5
    } else if stops {
        3
    } else {
        1
    };
    Some(Reading::of(points, format!("the module `{name}` loaded")))
}

/// `qx(uptime)`, `%x{uptime}`.
fn quoted_command(text: &str, start: usize, end: usize, what: &'static str) -> Option<Reading> {
    let open = byte_at(text, end);
    let close = match open {
        b'(' => b')',
        b'{' => b'}',
        b'[' => b']',
        b'<' => b'>',
        b'/' | b'|' | b'\'' | b'!' => open,
        _ => return None,
    };
    let inside = text.as_bytes().get(end + 1..(end + 300).min(text.len()))?;
    let length = memchr::memchr(close, inside)?;
    let command = piece(text, end + 1, end + 1 + length).trim_start();
    let acts = command.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '.' | '$'));
    let points = if begins(text, start) { 5 } else { 3 };
    acts.then(|| Reading::new(points, what))
}

/// `open("|id")`, `open(f,'-|','id')`, `open('/etc/x').read()`.
fn opened_program(text: &str, start: usize, open: usize) -> Option<Reading> {
    let close = closed(text, open);
    let inside = piece(text, open + 1, close.map_or(open + 120, |close| close - 1));
    let piped = ["'|", "\"|", "|'", "|\"", "'-|", "\"-|", "'|-"].iter().any(|sign| inside.contains(sign));
    if piped {
        return Some(Reading::new(5, "a program opened as a file"));
    }
    let read = close.is_some_and(|close| {
        text.get(close..).is_some_and(|rest| rest.starts_with(".read") || rest.starts_with(".write"))
    });
    let quoted = inside.trim_start().starts_with(['\'', '"']);
    (read && quoted).then(|| Reading::new(4 + u32::from(begins(text, start)), "a file opened and read"))
}
