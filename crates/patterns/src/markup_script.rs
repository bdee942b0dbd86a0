//! Script of pages within a value: calls, objects of the page, templates that call, script without letters. What stands
//! around a word decides: the same words stand in prose and in questions about code.

use crate::grammar::Reading;
use crate::markup_words::{MarkupWords, head};

/// ScriptWords of a value that are looked at.
const WORDS_MAX: usize = 400;
/// Characters behind a word that are looked at.
const REST_MAX: usize = 200;

/// The surest of what is script in a text.
pub(super) fn script(text: &str, words: &MarkupWords) -> Option<Reading> {
    let mut best = Reading::surer(template_call(text), symbols(text));
    for word in (ScriptWords { text, at: 0 }).take(WORDS_MAX) {
        if best.as_ref().is_some_and(|best| best.points == 5) {
            break;
        }
        best = Reading::surer(best, word.read(words));
    }
    best
}

/// The words of a text, each with what stands around it.
struct ScriptWords<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for ScriptWords<'a> {
    type Item = ScriptWord<'a>;

    fn next(&mut self) -> Option<ScriptWord<'a>> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(is_word)?;
        let word = &self.text[start..];
        let end = start + word.find(|end| !is_word(end)).unwrap_or(word.len());
        self.at = end;
        let before = self.text[..start].trim_end();
        let is_glued = before.len() == start;
        Some(ScriptWord {
            name: &self.text[start..end],
            before,
            is_glued,
            rest: head(&self.text[end..], REST_MAX),
            is_cut: self.text.len() - end > REST_MAX,
        })
    }
}

fn is_word(one: char) -> bool {
    one.is_ascii_alphanumeric() || matches!(one, '_' | '$')
}

struct ScriptWord<'a> {
    name: &'a str,
    /// What stands before it, without the blanks at its end.
    before: &'a str,
    /// There are no such blanks.
    is_glued: bool,
    rest: &'a str,
    /// More follows than `rest`.
    is_cut: bool,
}

impl ScriptWord<'_> {
    fn read(&self, words: &MarkupWords) -> Option<Reading> {
        let name = self.name;
        if name == "constructor" {
            return self.constructor();
        }
        if name == "location" {
            return self.navigation();
        }
        let member = self.global_member(words);
        let (class, what) = if words.dialog.has(name) {
            (5, "a dialog that is called")
        } else if words.run.has(name) && (name != "function" || self.is_function_of_text()) {
            (4, "a text that is run as script")
        } else if words.reach.has(name) {
            (3, "a function of browsers that is called")
        } else {
            return member;
        };
        let points = self.called(class)?;
        Reading::surer(member, Some(Reading::new(points, what)))
    }

    /// `function('…')`, `new function(…)`: not the beginning of a function that is written down.
    fn is_function_of_text(&self) -> bool {
        self.rest.starts_with(['`', '.'])
            || self.before.ends_with("new")
            || ["('", "(\"", "(`", "(/"].iter().any(|call| self.rest.starts_with(call))
    }

    /// Whether code stands before the word: an operator, a bracket, a quote; nothing says as much, a word does not.
    fn follows_code(&self) -> bool {
        self.before
            .ends_with([';', '=', '(', '{', '}', '[', ']', '+', '-', '*', '/', '!', '|', '&', '?', '^', '~', '%'])
            || self.is_glued && self.before.ends_with([',', ':', '>', '"', '\'', '`', ')', '.'])
            || ["void", "typeof", "new", "throw", "return", "delete", "await", "yield"]
                .iter()
                .any(|word| self.before.ends_with(word))
    }

    /// Points of a call of a function that gives so many at most; `None` where it is not called.
    fn called(&self, class: u32) -> Option<u32> {
        let rest = self.rest;
        if let Some(text) = rest.strip_prefix('`') {
            // `` `alert` ``: a word in the quotes of code.
            if self.before.ends_with('`') && self.is_glued {
                return None;
            }
            return Some(if text.contains('`') { class.max(4) + u32::from(class == 4) } else { class - 1 });
        }
        // What a call of a call stands for: `.call(`, `.apply(`, `.bind(`.
        let detour = [".call(", ".apply(", ".bind(", ".call`", "?.("].iter().any(|call| rest.starts_with(call));
        if detour {
            return Some(class.max(4));
        }
        let arguments = rest.strip_prefix('(')?;
        let end = arguments.find(')');
        let after = end.map_or("", |end| arguments[end + 1..].trim_start());
        // Prose goes on behind the bracket, code ends there or goes on with a sign.
        let is_code = !after.starts_with(|next: char| next.is_alphanumeric());
        let names_file = arguments.trim_start().starts_with(['\'', '"', '`', '/']);
        let points = match (self.follows_code(), self.before.is_empty()) {
            (true, _) if is_code => class,
            (false, true) if is_code && !self.is_cut => {
                let is_whole = end.is_some() && after.trim_end_matches([';', '/', ' ']).is_empty();
                if is_whole || names_file { class.min(4) } else { class - 1 }
            }
            _ => 1,
        };
        Some(points)
    }

    /// `document.cookie`, `window.alert(`, `self[`: an object that holds the page, and what is done with its member.
    fn global_member(&self, words: &MarkupWords) -> Option<Reading> {
        let what = "a member of the page";
        if !words.global.has(self.name) {
            return None;
        }
        if let Some(key) = self.rest.strip_prefix('[') {
            let is_text = key.trim_start().starts_with(['\'', '"', '`', '/']);
            let points = if self.follows_code() || self.before.is_empty() { 4 } else { 2 };
            return is_text.then(|| Reading::new(points, "a member of the page that is named by a text"));
        }
        let rest = self.rest.strip_prefix("?.").or_else(|| self.rest.strip_prefix('.'))?;
        let end = rest.find(|end| !is_word(end)).unwrap_or(rest.len());
        let (member, after) = rest.split_at(end);
        if !words.member.has(member)
            || self.name == "this" && !matches!(member, "document" | "alert" | "eval" | "constructor")
        {
            return None;
        }
        let used = after.trim_start();
        let is_called = used.starts_with(['(', '`']);
        let is_joined = used.starts_with(['+', '.', '[', ';', ')', '}', '\'', '"', ']'])
            || used.starts_with('=') && !used.starts_with("==");
        let is_sure = matches!(
            member,
            "cookie" | "alert" | "eval" | "prompt" | "confirm" | "write" | "writeln" | "innerhtml" | "domain"
        );
        let points = match (self.follows_code(), is_called || is_joined, is_sure) {
            (true, true, _) | (true, false, true) => 5,
            (false, true, true) => 5,
            (false, true, false) if self.before.is_empty() => 3,
            (true, false, false) => 3,
            (false, false, true) if used.is_empty() && self.before.is_empty() => 4,
            _ => 2,
        };
        Some(Reading::new(points, what))
    }

    /// `constructor.constructor(`, `.constructor('…')`: the way to a function from any object.
    fn constructor(&self) -> Option<Reading> {
        let of_object = self.before.ends_with(['.', '[', '\'', '"']);
        let rest = self.rest.trim_start_matches([']', '\'', '"', ' ']);
        let again = rest.trim_start_matches(['.', '[', '\'', '"', '?']).starts_with("constructor")
            && rest.len() < self.rest.len() + 1
            && !rest.starts_with("constructor");
        let tail =
            rest.split_once("constructor").map_or("", |(_, tail)| tail.trim_start_matches([']', '\'', '"', ' ']));
        let points = match (of_object, again) {
            (_, true) if of_object || tail.starts_with(['(', '`', '.', '[', '?']) => 5,
            // The two names alone: code does nothing with them.
            (_, true) => 4,
            (true, false)
                if rest.starts_with("(\'")
                    || rest.starts_with("(\"")
                    || rest.starts_with('`')
                    || rest.starts_with("(`") =>
            {
                5
            }
            (true, false)
                if rest.starts_with(".prototype") || rest.starts_with(".from(") || rest.starts_with(".assign(") =>
            {
                4
            }
            (true, false) if rest.starts_with('(') => 4,
            (true, false) => 2,
            _ => return None,
        };
        Some(Reading::new(points, "a function reached by the constructor of an object"))
    }

    /// `location=name`, `location.href='…'`.
    fn navigation(&self) -> Option<Reading> {
        let rest = [".href", ".hash", ".search", ".assign", ".replace"]
            .iter()
            .find_map(|member| self.rest.strip_prefix(member))
            .unwrap_or(self.rest);
        let value = rest.trim_start();
        let value = value.strip_prefix('=').or_else(|| value.strip_prefix('('))?.trim_start();
        let sources = [
            "name",
            "window.",
            "location.",
            "document.",
            "atob(",
            "unescape(",
            "string.",
            "this.",
            "'javas",
            "\"javas",
            "`javas",
            "self.",
            "top.",
            "url",
            "'//",
            "\"//",
        ];
        let is_source = sources.iter().any(|source| value.starts_with(source));
        let is_name = value.starts_with("name") && value.len() > 4 && !value.starts_with("name)");
        let points = match (is_source && !is_name, self.follows_code() || self.before.is_empty()) {
            (true, true) => 5,
            (true, false) => 3,
            (false, true) if value.starts_with(['\'', '"', '`']) && self.follows_code() => 4,
            _ => return None,
        };
        Some(Reading::new(points, "the page sent to a script or elsewhere"))
    }
}

/// ``[].map.call`${…}` ``: a template that is given to a function.
fn template_call(text: &str) -> Option<Reading> {
    let mut best = None;
    for (at, _) in text.match_indices('`').take(WORDS_MAX) {
        let before = text[..at].trim_end();
        let is_member = [
            "call",
            "apply",
            "constructor",
            "map",
            "find",
            "sort",
            "from",
            "of",
            "bind",
            "raw",
            "filter",
            "foreach",
            "some",
            "every",
            "reduce",
            "replace",
            "concat",
        ]
        .iter()
        .any(|member| before.ends_with(member) && before[..before.len() - member.len()].trim_end().ends_with('.'));
        let inside = head(&text[at + 1..], REST_MAX).trim_start();
        let tagged = before.ends_with(|last: char| is_word(last) || matches!(last, ']' | ')'));
        let points = match (is_member, inside.starts_with("${") || inside.contains("${") && tagged) {
            (true, true) => 5,
            (true, false) if inside.contains('`') => 4,
            (false, true) if tagged && before.len() == at && inside.contains('`') => 5,
            _ => continue,
        };
        best = Reading::surer(best, Some(Reading::new(points, "a template that is given to a function")));
    }
    best
}

/// Script without letters: `(![]+[])[+!![]]`, `[][(![]+[])…`.
fn symbols(text: &str) -> Option<Reading> {
    let start = text.find(['[', '!', '+', '(', '$', '~'])?;
    let bytes = text.as_bytes().get(start..)?;
    let mut longest = 0;
    let (mut length, mut empties, mut most) = (0, 0, 0);
    for (at, byte) in bytes.iter().enumerate().take(4000) {
        if matches!(byte, b'[' | b']' | b'(' | b')' | b'!' | b'+' | b' ' | b'{' | b'}') {
            length += 1;
            let is_empty = *byte == b']' && at > 0 && matches!(bytes[at - 1], b'[');
            let negated = is_empty && at > 1 && matches!(bytes[at - 2], b'!' | b'+' | b'(');
            empties += if negated { 2 } else { usize::from(is_empty) };
        } else {
            (length, empties) = (0, 0);
        }
        if empties > most || empties == most && length > longest {
            (most, longest) = (empties, length);
        }
    }
    let points = match most {
        0 | 1 => return None,
        2 | 3 if longest < 6 && most == 2 => 2,
        2 | 3 => 3,
        _ if longest >= 10 => 5,
        _ => 4,
    };
    Some(Reading::new(points, "script without letters"))
}
