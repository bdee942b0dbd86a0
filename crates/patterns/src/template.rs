//! Expressions of template engines: what stands between their marks, by what it does. A name alone is what mails and
//! dashboards have (`{{name}}`, `${price}`); a call, a literal with a method or an object of the server is not. The text
//! is in lower case, its encodings undone.

use crate::Part;
use crate::code::{self, byte_at, is_word, piece, skip_gap, word_end};
use crate::grammar::{Grammar, Reading};
use crate::vocabulary::{Vocabulary, WordSet};

/// Longest expression that is read, in bytes.
const INSIDE_BYTES_MAX: usize = 240;

/// Most expressions that are read in one text.
const EXPRESSIONS_MAX: usize = 300;

/// Marks that open an expression, the marks that close it, and how much more it says than `{{` does.
const SIGNS: [(&str, &str, Kind); 19] = [
    ("{{", "}}", Kind::Mail),
    ("${", "}", Kind::Java),
    ("#{", "}", Kind::Java),
    ("*{", "}", Kind::Java),
    ("~{", "}", Kind::Java),
    ("%{", "}", Kind::Java),
    ("@{", "}", Kind::Java),
    ("$!{", "}", Kind::Java),
    ("<%", "%>", Kind::Page),
    ("{%", "%}", Kind::Page),
    ("[%", "%]", Kind::Page),
    ("<#", ">", Kind::Page),
    ("[[", "]]", Kind::Mail),
    ("@(", ")", Kind::Page),
    ("{@", "}", Kind::Page),
    ("{php", "}", Kind::Page),
    ("{=", "}", Kind::Page),
    ("{$", "}", Kind::Smarty),
    ("{!", "}", Kind::Page),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Mails, dashboards and pages have names between these marks.
    Mail,
    /// So have messages of programs.
    Java,
    Page,
    Smarty,
}

/// The languages of templates.
#[derive(Debug)]
pub(crate) struct TemplateGrammar {
    objects: WordSet,
    acts: WordSet,
    helpers: WordSet,
    dunders: WordSet,
}

impl TemplateGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        TemplateGrammar {
            objects: words.set(&["template.object"]),
            acts: words.set(&["template.act"]),
            helpers: words.set(&["template.helper"]),
            dunders: words.set(&["script.dunder"]),
        }
    }
}

impl Grammar for TemplateGrammar {
    fn name(&self) -> &'static str {
        "template"
    }

    fn needs(&self) -> Vec<String> {
        SIGNS.iter().map(|(open, _, _)| (*open).to_owned()).collect()
    }

    fn read(&self, text: &str, _part: Part) -> Option<Reading> {
        let mut found: Option<Reading> = None;
        let (mut at, mut expressions) = (0, 0);
        while let Some(step) = memchr::memchr3(b'{', b'<', b'[', text.as_bytes().get(at..)?)
            .into_iter()
            .chain(memchr::memchr(b'(', &text.as_bytes()[at..]))
            .min()
        {
            let place = at + step;
            let sign = |from: usize| {
                let rest = text.get(from..)?;
                SIGNS.iter().find(|(open, _, _)| rest.starts_with(open)).map(|sign| (from, sign))
            };
            // The sign before a bracket belongs to it.
            let before = place.checked_sub(1).and_then(sign).or_else(|| place.checked_sub(2).and_then(sign));
            if let Some((from, (open, close, kind))) = sign(place).or(before) {
                expressions += 1;
                let start = from + open.len();
                let read = self.expression(text, start, close, *kind);
                found = Reading::surer(
                    found,
                    read.map(|(points, what)| Reading::of(points, format!("{what} between `{open}` and `{close}`"))),
                );
            }
            if found.as_ref().is_some_and(|read| read.points >= 5) || expressions >= EXPRESSIONS_MAX {
                break;
            }
            at = place + 1;
        }
        found
    }
}

impl TemplateGrammar {
    fn expression(&self, text: &str, start: usize, close: &str, kind: Kind) -> Option<(u32, &'static str)> {
        let window = text.as_bytes().get(start..(start + INSIDE_BYTES_MAX).min(text.len()))?;
        let length = memchr::memmem::find(window, close.as_bytes());
        // Brackets inside of an expression close first.
        let whole = piece(text, start, start + length.unwrap_or(window.len()));
        let inside = whole.trim_matches([' ', '-', '=', '\n', '\t', '{', '~']);
        if inside.is_empty() || length.is_none() && inside.len() < 3 {
            return None;
        }
        let read = self.inside(inside, kind)?;
        Some(if length.is_none() { (read.0.min(3), read.1) } else { read })
    }

    fn inside(&self, inside: &str, kind: Kind) -> Option<(u32, &'static str)> {
        let strong = u32::from(kind != Kind::Mail);
        let bytes = inside.as_bytes();
        let head = inside.trim_start_matches(['#', '@', '&', '!', '(']);
        let first = piece(head, 0, word_end(head, usize::from(head.starts_with(['$', '.']))));
        let after = head.get(first.len()..).unwrap_or("").trim_start();
        let mut facts = Facts::of(self, inside);
        facts.object = self.objects.has(first) && after.starts_with(['.', '[', '|', '(', '?', ':']);
        if facts.dunders > 0 && (bytes.contains(&b'.') || bytes.contains(&b'[') || bytes.contains(&b'|')) {
            return Some((5, "a walk from object to object"));
        }
        if facts.literal_call {
            return Some((5, "a call on a text or list"));
        }
        if facts.acting && (facts.object || kind != Kind::Mail && facts.calls > 0 || facts.piped) {
            return Some((5, "a call that acts"));
        }
        let helped = after.starts_with(['"', '\'', '(']) && inside.starts_with(['#', '%', '&']);
        if self.helpers.has(first) && helped || first == "call" && after.starts_with(['.', '$']) {
            return Some((4, "a helper with a text"));
        }
        if facts.object {
            return Some((
                if first.starts_with(['.', '$']) || facts.calls > 0 || first.starts_with('_') { 4 } else { 3 },
                "an object of the server",
            ));
        }
        match (facts.calls, facts.acting) {
            (0, _) if kind == Kind::Page && inside.contains(['\'', '"', ';', '`']) => Some((3, "a statement")),
            (0, _) if kind == Kind::Smarty => {
                Some((if inside.contains(['|', '.', '-', '[']) { 3 } else { 2 }, "a variable of a template"))
            }
            (0, _) => bytes
                .iter()
                .any(|byte| byte.is_ascii_alphabetic())
                .then_some((1 + u32::from(kind == Kind::Page && inside.len() < 60), "a name")),
            (_, true) => Some((3 + strong, "a call that acts")),
            (_, false) => Some((2 + strong, "a call")),
        }
    }
}

/// What an expression has.
#[derive(Debug, Default)]
struct Facts {
    calls: usize,
    acting: bool,
    piped: bool,
    literal_call: bool,
    object: bool,
    dunders: usize,
}

impl Facts {
    fn of(words: &TemplateGrammar, inside: &str) -> Facts {
        let bytes = inside.as_bytes();
        let mut facts = Facts::default();
        let mut at = 0;
        while at < bytes.len() {
            if !is_word(bytes[at]) {
                at += 1;
                continue;
            }
            let end = word_end(inside, at);
            let word = piece(inside, at, end);
            let before = inside.get(..at).unwrap_or("").trim_end();
            let (next, gap) = skip_gap(inside, end);
            let called =
                byte_at(inside, next) == b'(' && (gap == code::Gap::None || code::args(inside, next).is_code());
            if words.dunders.has(word) {
                facts.dunders += 1;
            }
            if called {
                facts.calls += 1;
                facts.literal_call |=
                    ["'.", "\".", "].", ").", "}."].iter().any(|sign| before.ends_with(sign)) && words.acts.has(word);
            }
            let piped = before.ends_with('|') || before.ends_with(['\'', '"']) && called;
            if words.acts.has(word) && (called || piped) {
                facts.acting = true;
                facts.piped |= piped && (before.contains(['\'', '"']) && (called || !before.contains('.')));
            }
            at = end;
        }
        facts
    }
}
