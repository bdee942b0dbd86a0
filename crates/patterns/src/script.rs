//! Code of the languages that servers run beside PHP, by structure: paths of names that end in something that acts,
//! written with points, colons or brackets. Words are looked up, and stand in a vocabulary; constructs of single words
//! are read elsewhere. The text is in lower case, its encodings undone.

use crate::Part;
use crate::code::{self, Args, Gap, begins, byte_at, ends, is_word, piece, skip_gap, word_end};
use crate::grammar::{Grammar, Reading};
use crate::script_words::{Constants, SIGNS, construct, sign};
use crate::vocabulary::{Vocabulary, WordSet};

/// Most names in a path.
const STEPS_MAX: usize = 8;
/// Longest path that is looked up, in bytes.
const PATH_BYTES_MAX: usize = 120;

/// The languages of servers other than PHP.
#[derive(Debug)]
pub(crate) struct ScriptGrammar {
    process: WordSet,
    process_sure: WordSet,
    calls: WordSet,
    environment: WordSet,
    methods: WordSet,
    dunders: WordSet,
    modules: WordSet,
    constants: Constants,
    needs: Vec<String>,
}

impl ScriptGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let mut needs: Vec<String> = SIGNS.map(str::to_owned).to_vec();
        for path in words.words("script.process").iter().chain(words.words("script.process_sure")) {
            let (first, last) = path.rsplit_once('.').unwrap_or((path, ""));
            // `this.` stands in too many texts.
            if matches!(first, "this" | "window") {
                needs.push(path.clone());
            } else {
                needs.extend([".", "[", "/*", "?."].map(|sign| format!("{first}{sign}")));
            }
            if last == "constructor" {
                needs.extend(["['", "[\"", "."].map(|sign| format!("{sign}{last}")));
            }
        }
        for name in words.words("script.call").iter().map(|path| path.rsplit('.').next().unwrap_or(path)) {
            needs.extend([".", ":"].map(|sign| format!("{sign}{name}(")));
        }
        needs.extend(
            ["kernel.", "io.popen", "open3.", "](", ".send(", ".send ", ".call(", ".apply("].map(str::to_owned),
        );
        needs.extend(words.words("script.method").iter().map(|name| format!(".{name}")));
        needs.extend(words.words("script.dunder").iter().cloned());
        needs.sort_unstable();
        needs.dedup();
        ScriptGrammar {
            process: words.set(&["script.process"]),
            process_sure: words.set(&["script.process_sure"]),
            calls: words.set(&["script.call"]),
            environment: words.set(&["script.environment"]),
            methods: words.set(&["script.method"]),
            dunders: words.set(&["script.dunder"]),
            modules: words.set(&["script.module"]),
            constants: Constants { truths: words.set(&["script.constant"]), nothings: words.set(&["script.nothing"]) },
            needs,
        }
    }
}

impl Grammar for ScriptGrammar {
    fn name(&self) -> &'static str {
        "script"
    }

    fn needs(&self) -> Vec<String> {
        self.needs.clone()
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let bytes = text.as_bytes();
        let mut found: Option<Reading> = None;
        let mut at = 0;
        while at < bytes.len() {
            let mut next = at + 1;
            let read = if is_word(bytes[at]) {
                next = word_end(text, at);
                if bytes[at].is_ascii_digit() {
                    None
                } else if matches!(byte_at(text, next), b'.' | b'[' | b':' | b'-' | b'?' | b'/')
                    || at > 0 && bytes[at - 1] == b'.'
                {
                    let path = Path::read(text, at);
                    next = path.end.max(next);
                    let single = construct(text, at, word_end(text, at), &self.modules, &self.constants);
                    Reading::surer(self.path(text, &path, part), single)
                } else {
                    Reading::surer(
                        self.lone(piece(text, at, next)),
                        construct(text, at, next, &self.modules, &self.constants),
                    )
                }
            } else {
                sign(text, at)
            };
            found = Reading::surer(found, read);
            if found.as_ref().is_some_and(|read| read.points >= 5) {
                break;
            }
            at = next;
        }
        found
    }
}

impl ScriptGrammar {
    fn lone(&self, name: &str) -> Option<Reading> {
        let points = match name {
            "__js_function" | "_js_function" | "__js_regexp" => 5,
            "func_globals" | "f_globals" | "f_builtins" | "gi_frame" => 3,
            "__import__" | "__subclasses__" | "__globals__" | "__builtins__" | "__mro__" | "__bases__" => 3,
            _ => return None,
        };
        Some(Reading::of(points, format!("the name `{name}`")))
    }

    fn path(&self, text: &str, path: &Path, part: Part) -> Option<Reading> {
        let (open, gap) = skip_gap(text, path.end);
        let called = byte_at(text, open) == b'(' && gap != Gap::Blank;
        // Ruby and Perl leave the bracket out: `io.popen 'x'`.
        let args = if called {
            code::args(text, open)
        } else if gap == Gap::Blank && matches!(byte_at(text, open), b'\'' | b'"') {
            Args::Quoted
        } else {
            Args::Bare
        };
        let close = if called { code::closed(text, open) } else { Some(path.end) };
        let whole = begins(text, path.start) && close.is_some_and(|close| ends(text, close))
            || args == Args::Open && begins(text, path.start);
        let in_path = part == Part::Path;
        let of = |points: u32, what: &str| {
            Some(Reading::of(points, format!("{what} `{}`", path.text.get(..60).unwrap_or(&path.text))))
        };
        let process =
            self.process(text, path, whole, called, in_path).and_then(|points| of(points, "the running program:"));
        let call = self.call(path, called, args, whole).and_then(|points| of(points, "a function that acts:"));
        let walk = self.walk(text, path, called).and_then(|points| of(points, "a walk from object to object:"));
        Reading::surer(Reading::surer(process, call), walk)
    }

    /// `process.env`, `global.process`, `this.constructor.constructor`.
    fn process(&self, text: &str, path: &Path, whole: bool, called: bool, in_path: bool) -> Option<u32> {
        let pair = path.pairs().find(|pair| self.process_sure.has(pair));
        let pair = pair.or_else(|| path.pairs().find(|pair| self.process.has(pair)));
        let first = path.steps.first().map_or("", |(start, end)| piece(&path.text, *start, *end));
        let opened =
            matches!(first, "process" | "require" | "global" | "globalthis") && byte_at(text, path.end) == b'[';
        let Some(pair) = pair else {
            // `process[req.query.a]`
            let inside = skip_gap(text, path.end + 1).0;
            return (opened && path.steps.len() == 1 && inside < text.len() && !in_path)
                .then_some(4 + u32::from(whole));
        };
        let last = path.steps.last().map_or("", |(start, end)| piece(&path.text, *start, *end));
        let further = path.steps.len() > 2 && !self.environment.has(last);
        let acts = called || path.bracketed || opened || further;
        let sure = self.process_sure.has(pair);
        Some(match (sure, acts, whole) {
            (true, true, _) | (true, _, true) if !in_path => 5,
            (_, true, true) if !in_path => 5,
            (_, _, true) if !in_path => 4,
            (_, true, _) => 3,
            _ => 2 - u32::from(in_path),
        })
    }

    /// `os.popen('x')`, `x.getruntime()`.
    fn call(&self, path: &Path, called: bool, args: Args, whole: bool) -> Option<u32> {
        let last = path.steps.last().map_or("", |(start, end)| piece(&path.text, *start, *end));
        let applied = matches!(last, "call" | "apply" | "bind") && path.steps.len() > 2;
        let tails =
            path.tails().any(|tail| self.calls.has(tail)) || applied && path.pairs().any(|pair| self.calls.has(pair));
        let acts = called || tails && args == Args::Quoted;
        let is_method = path.steps.len() > 1 || path.headless;
        let console = path.text.starts_with("console.") && path.steps.len() == 2;
        let known = tails || applied || is_method && self.methods.has(last);
        if !acts || !known {
            return None;
        }
        if applied && !tails {
            return Some(if whole { 4 } else { 3 });
        }
        let points = match (args.is_code(), whole) {
            (true, true) => 5,
            (true, false) => 4,
            (false, true) => 4,
            (false, false) if args == Args::Empty => 2,
            (false, false) => 3,
        };
        Some(if path.bracketed || applied && args != Args::Empty {
            5
        } else if console {
            points.min(4)
        } else {
            points - u32::from(!tails && args == Args::Empty && points > 3)
        })
    }

    /// `().__class__.__mro__`, `['__globals__']`.
    fn walk(&self, text: &str, path: &Path, called: bool) -> Option<u32> {
        let steps = path.steps.iter().filter(|(start, end)| self.dunders.has(piece(&path.text, *start, *end))).count();
        let indexed = byte_at(text, path.end) == b'[';
        match steps {
            0 => None,
            1 if path.headless => Some(5),
            1 if called && path.steps.len() > 1 || indexed || path.bracketed => Some(4),
            1 => Some(2),
            _ => Some(5),
        }
    }
}

/// Names that belong to one another: `process.env`, `process['env']`, `io::socket`.
#[derive(Debug)]
pub(crate) struct Path {
    /// The names with points between.
    pub(crate) text: String,
    /// Begin and end of each name in `text`.
    pub(crate) steps: Vec<(usize, usize)>,
    /// Where it begins and ends in the text that it was read from.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A name was written in brackets and quotes.
    pub(crate) bracketed: bool,
    /// What it belongs to is a text or a bracket: `().x`, `''.x`.
    pub(crate) headless: bool,
}

impl Path {
    pub(crate) fn read(text: &str, start: usize) -> Path {
        let end = word_end(text, start);
        let before = piece(text, start.saturating_sub(2), start);
        let headless = before.len() == 2 && before.ends_with('.') && before.starts_with(['\'', '"', ')', ']', '}']);
        let mut path = Path { text: String::new(), steps: Vec::new(), start, end, bracketed: false, headless };
        path.add(piece(text, start, end));
        while path.steps.len() < STEPS_MAX && path.text.len() < PATH_BYTES_MAX {
            let (at, gap) = skip_gap(text, path.end);
            if gap == Gap::Blank {
                break;
            }
            let parted = ["?.", "::", "->", "."].iter().find(|sign| text[at..].starts_with(**sign));
            if let Some(sign) = parted {
                let from = at + sign.len();
                let end = word_end(text, from);
                if end > from {
                    path.add(piece(text, from, end));
                    path.end = end;
                    continue;
                }
                if byte_at(text, from) != b'[' {
                    break;
                }
            }
            let open = at + parted.map_or(0, |sign| sign.len());
            let Some((name, end)) = bracketed(text, open) else { break };
            path.add(&name);
            (path.end, path.bracketed) = (end, true);
        }
        path
    }

    fn add(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push('.');
        }
        let start = self.text.len();
        self.text.push_str(name);
        self.steps.push((start, self.text.len()));
    }

    /// Each two names that follow one another.
    fn pairs(&self) -> impl Iterator<Item = &str> {
        self.steps.windows(2).map(|pair| piece(&self.text, pair[0].0, pair[1].1))
    }

    /// The path without its first names, one after the other; two names at least.
    fn tails(&self) -> impl Iterator<Item = &str> {
        let starts = self.steps.iter().rev().skip(1).map(|(start, _)| *start);
        starts.map(|start| piece(&self.text, start, self.text.len()))
    }
}

/// The name in `['name']` or `['na'+'me']`, and the place behind the bracket.
fn bracketed(text: &str, open: usize) -> Option<(String, usize)> {
    if byte_at(text, open) != b'[' || !matches!(byte_at(text, skip_gap(text, open + 1).0), b'\'' | b'"' | b'`') {
        return None;
    }
    let inside = text.as_bytes().get(open + 1..(open + 64).min(text.len()))?;
    let end = open + 1 + memchr::memchr(b']', inside)?;
    let name: String =
        piece(text, open + 1, end).chars().filter(|sign| !matches!(sign, '\'' | '"' | '`' | '+' | ' ')).collect();
    (!name.is_empty() && name.bytes().all(is_word)).then_some((name, end + 1))
}
