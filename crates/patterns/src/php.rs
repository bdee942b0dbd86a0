//! PHP by structure: names that act before a bracket, whatever blanks or comments stand between; calls through
//! variables, lists and joined texts; tags, settings and the variables of a request. Words are looked up, and stand in a
//! vocabulary. The text is in lower case, its encodings undone; a name alone is never more than a hint.

use crate::Part;
use crate::code::{self, Args, Gap, begins, byte_at, ends, is_word, piece, skip_gap, word_end};
use crate::grammar::{Grammar, Reading};
use crate::php_calls::called_through;
use crate::php_names::{Deed, PhpNames};
use crate::vocabulary::{Vocabulary, WordSet};

/// Longest name that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 40;

/// Marks of which code has one where it has no sure name.
const SIGNS: [&str; 26] = [
    "$",
    "('",
    "(\"",
    "(@",
    "(`",
    "(\\",
    ")(",
    "](",
    "}(",
    "'(",
    "\"(",
    "();",
    "*/(",
    "\n(",
    "\t(",
    "<?",
    "?>",
    "[php]",
    "[/php]",
    "[\\php]",
    "<<<",
    "new class",
    "()->",
    ".chr(",
    "__halt",
    "__destruct",
];

/// The language of servers of pages.
#[derive(Debug)]
pub(crate) struct PhpGrammar {
    names: PhpNames,
    families: Vec<Box<str>>,
    globals: WordSet,
    settings: WordSet,
    other_settings: WordSet,
    setting_families: Vec<Box<str>>,
    needs: Vec<String>,
}

impl PhpGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        let names = PhpNames::new(words);
        let mut needs: Vec<String> = SIGNS.map(str::to_owned).to_vec();
        names.nominate(&mut needs);
        needs.extend(words.words("php.directive").iter().cloned());
        needs.extend(words.words("php.directive_family").iter().cloned());
        needs.extend(
            words.words("php.directive_word").iter().flat_map(|word| [format!("{word}="), format!("{word} =")]),
        );
        needs.sort_unstable();
        needs.dedup();
        PhpGrammar {
            names,
            families: words.words("php.family").iter().map(|word| word.as_str().into()).collect(),
            globals: words.set(&["php.global"]),
            settings: words.set(&["php.directive"]),
            other_settings: words.set(&["php.directive_word"]),
            setting_families: words.words("php.directive_family").iter().map(|word| word.as_str().into()).collect(),
            needs,
        }
    }

    fn is_of_family(&self, name: &str) -> bool {
        self.families.iter().any(|start| name.len() > start.len() + 1 && name.starts_with(&**start))
    }
}

impl Grammar for PhpGrammar {
    fn name(&self) -> &'static str {
        "php"
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
            let read = match bytes[at] {
                b'(' if at > 0 => called_through(&self.names, text, at),
                b'$' => self.variable(text, at),
                b'<' => tag(text, at),
                b'?' if byte_at(text, at + 1) == b'>' => Some(Reading::new(2, "the end of a block of PHP")),
                b'[' => bracket_tag(text, at),
                byte if byte.is_ascii_lowercase() || byte == b'_' => {
                    next = word_end(text, at);
                    self.word(text, at, next, part)
                }
                byte if byte.is_ascii_digit() => {
                    next = word_end(text, at);
                    None
                }
                _ => None,
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

impl PhpGrammar {
    fn word(&self, text: &str, start: usize, end: usize, part: Part) -> Option<Reading> {
        let name = piece(text, start, end);
        if name.len() < 2 || name.len() > NAME_BYTES_MAX || start > 0 && byte_at(text, start - 1) == b'$' {
            return None;
        }
        let (next, gap) = skip_gap(text, end);
        match byte_at(text, next) {
            b'(' => self.call(text, start, next, gap),
            b'=' | b'.' => Reading::surer(self.setting(text, start, end), self.alone(text, start, end, part)),
            b':' if byte_at(text, next + 1) == b':' && self.names.deed(name) == Some(Deed::Object) => {
                Some(Reading::of(4, format!("the class `{name}` of PHP used")))
            }
            _ if name == "new" => self.object(text, start, next, gap),
            _ => Reading::surer(self.construct(text, start, next), self.alone(text, start, end, part)),
        }
    }

    /// A name before a bracket.
    fn call(&self, text: &str, start: usize, open: usize, gap: Gap) -> Option<Reading> {
        let name = piece(text, start, word_end(text, start));
        // A method of another language: `re.exec(`; behind a quote or bracket the point joins texts.
        if start >= 2 && byte_at(text, start - 1) == b'.' && is_word(byte_at(text, start - 2)) {
            return None;
        }
        let class = self.names.deed(name).or_else(|| self.is_of_family(name).then_some(Deed::Word))?;
        let args = code::args(text, open);
        // Node.js has a `require` of its own, of modules.
        if name == "require" && !piece(text, open, open + 80).contains(['/', '$', '\\']) {
            return None;
        }
        let close = code::closed(text, open);
        let whole = begins(text, start) && close.is_some_and(|close| ends(text, close))
            || args == Args::Open && begins(text, start);
        let tells = matches!(class, Deed::Info) && args == Args::Empty && whole;
        let chained = name == "chr" && close.is_some_and(|close| piece(text, close, close + 5) == ".chr(");
        let base = match class {
            Deed::Run => 4,
            Deed::RunWord | Deed::Include => 2,
            Deed::Magic if name.starts_with("__") => 3,
            Deed::Sure | Deed::Info => 3,
            Deed::Text => 2,
            Deed::Word | Deed::Object | Deed::Magic => 1,
        };
        let brought =
            ["$_", "${", "@$_", "$globals"].iter().any(|sign| piece(text, open + 1, open + 12).contains(sign));
        let shape = match args {
            // A variable of a snippet holds nothing; what the request brought does.
            Args::Variable if !brought => 1,
            Args::Quoted | Args::Variable | Args::Path => 2,
            Args::Call => 1 + i32::from(whole),
            Args::Empty if whole => 0,
            Args::Empty => -1,
            Args::Bare if class == Deed::RunWord && whole && gap == Gap::None => 1,
            Args::Number | Args::Bare | Args::Open => 0,
        };
        let most = match class {
            // `system (linux)`: prose has a blank before its brackets, and no quotes in them.
            _ if gap == Gap::Blank && !args.is_code() => 2,
            Deed::RunWord | Deed::Include if gap == Gap::Line && !args.is_code() => 2,
            Deed::Word | Deed::Object | Deed::Magic if matches!(args, Args::Quoted | Args::Variable) && whole => 4,
            Deed::Word | Deed::Object | Deed::Magic => 3,
            Deed::Text => 4,
            Deed::Sure if args == Args::Variable && !brought => 4,
            _ => 5,
        };
        let mut points = (base + shape + i32::from(whole) + 2 * i32::from(tells)).clamp(1, most);
        if (gap == Gap::Comment && name.len() > 3) || chained {
            points = 5;
        }
        let how = if gap == Gap::Comment { "before a comment and a bracket" } else { "called" };
        Some(Reading::of(points.unsigned_abs(), format!("the function `{name}` of PHP {how}")))
    }

    /// What runs without a bracket: `include 'x'`, `echo $_get`.
    fn construct(&self, text: &str, start: usize, next: usize) -> Option<Reading> {
        let name = piece(text, start, word_end(text, start));
        let class = self.names.deed(name)?;
        let rest = text.get(next..).unwrap_or("");
        let acts = match class {
            Deed::Include => rest.starts_with(['\'', '"', '$', '/']),
            Deed::Word => matches!(name, "echo" | "print" | "die" | "exit") && rest.starts_with(['\'', '"', '$', '`']),
            _ => false,
        };
        let ended = acts && rest.contains(';') && begins(text, start);
        let brought = acts && class == Deed::Include && (rest.starts_with("$_") || piece(rest, 1, 12).contains("://"));
        let points = match (brought, ended) {
            (true, _) => 5,
            (false, true) => 4,
            (false, false) => 2,
        };
        acts.then(|| Reading::of(points, format!("`{name}` of PHP with a text or variable")))
    }

    /// A name that only PHP has, without a bracket.
    fn alone(&self, text: &str, start: usize, end: usize, part: Part) -> Option<Reading> {
        let name = piece(text, start, end);
        let points = match self.names.deed(name)? {
            Deed::Run | Deed::Info if name.len() > 7 => 2,
            Deed::Sure if name.contains('_') && name.len() > 9 => 1,
            Deed::Magic if name.starts_with("__") => 1,
            Deed::Object if name.starts_with("reflection") || name.starts_with("spl") => 1,
            _ => return None,
        };
        let quoted = |byte: u8| matches!(byte, 0 | b'\'' | b'"' | b'\\');
        let bare = start == 0 || quoted(byte_at(text, start - 1));
        let whole = part != Part::Path && bare && quoted(byte_at(text, end));
        Some(Reading::of(points + u32::from(whole), format!("the name `{name}` of PHP")))
    }

    /// `new class{`, `new splfileobject('x')`.
    fn object(&self, text: &str, start: usize, next: usize, gap: Gap) -> Option<Reading> {
        let from = next + usize::from(byte_at(text, next) == b'\\');
        let end = word_end(text, from);
        let name = piece(text, from, end);
        let (after, _) = skip_gap(text, end);
        let sign = byte_at(text, after);
        let points = match name {
            "class" if sign == b'{' => 5,
            "class" if sign == b'(' && code::args(text, after) != Args::Bare && begins(text, start) => 4,
            "class" if piece(text, after, after + 8) == "extends " => 4,
            _ if self.names.deed(name) == Some(Deed::Object) && sign == b'(' => {
                4 + u32::from(code::args(text, after).is_code())
            }
            _ => return None,
        };
        (gap != Gap::None).then(|| Reading::of(points, format!("an object of PHP made: `new {name}`")))
    }

    /// `auto_prepend_file=…`
    fn setting(&self, text: &str, start: usize, end: usize) -> Option<Reading> {
        let tail = text.as_bytes().get(end..).unwrap_or_default();
        let dotted = tail.iter().take(NAME_BYTES_MAX).take_while(|byte| is_word(**byte) || **byte == b'.').count();
        let name = piece(text, start, end + dotted);
        let (equals, _) = skip_gap(text, end + dotted);
        if byte_at(text, equals) != b'=' || byte_at(text, equals + 1) == b'=' {
            return None;
        }
        let before = text.get(..start).unwrap_or("");
        let option = before.trim_end().ends_with("-d") || before.ends_with('\n');
        let before = before.trim_end();
        let value = text.get(equals + 1..).unwrap_or("").trim_matches([' ', ';', '"', '\'']);
        let whole = before.is_empty() && value.len() < 200 && !value.contains(' ');
        let points = if self.settings.has(name) {
            if option || before.is_empty() || begins(text, start) { 5 } else { 4 }
        } else if self.setting_families.iter().any(|family| name.starts_with(&**family)) {
            if option || whole { 5 } else { 3 }
        } else if self.other_settings.has(name) {
            if option { 5 } else { 3 + u32::from(whole) }
        } else {
            return None;
        };
        Some(Reading::of(points, format!("the setting `{name}` of PHP given")))
    }

    /// A variable that holds what the request brought.
    fn variable(&self, text: &str, at: usize) -> Option<Reading> {
        let start = at + 1 + usize::from(byte_at(text, at + 1) == b'{');
        let end = word_end(text, start);
        let name = piece(text, start, end);
        if name.is_empty() || !self.globals.has(name) {
            return None;
        }
        let after = end + usize::from(byte_at(text, end) == b'}');
        let (next, gap) = skip_gap(text, after);
        let indexed = gap != Gap::Blank && matches!(byte_at(text, next), b'[' | b'{');
        let points = match name {
            "this" => {
                if piece(text, next, next + 2) == "->" {
                    3
                } else {
                    return None;
                }
            }
            "argv" | "argc" => 2 + u32::from(indexed),
            "globals" if indexed => 5,
            _ if indexed || byte_at(text, next) == b'=' && byte_at(text, next + 1) != b'=' => 4,
            _ => 2 + u32::from(at == 0 && after == text.len()),
        };
        Some(Reading::of(points, format!("the variable `${name}` of PHP")))
    }
}

/// `<?php`, `<?=`, `<? $x`, `<<<eot`.
fn tag(text: &str, at: usize) -> Option<Reading> {
    let rest = text.get(at..)?;
    if let Some(name) = rest.strip_prefix("<<<") {
        let plain = name.trim_start_matches([' ', '\'', '"']);
        let end = word_end(plain, 0);
        let line = plain.get(end..).unwrap_or("").trim_start_matches(['\'', '"']).starts_with(['\n', '\r']);
        let points = if line { 4 } else { 1 };
        return (end > 1 && !plain.starts_with(|first: char| first.is_ascii_digit()))
            .then(|| Reading::new(points, "a long text of PHP"));
    }
    let inside = rest.strip_prefix("<?")?;
    let acts = |code: &str| {
        let code = code.get(..code.len().min(200)).unwrap_or(code);
        code.contains(['$', '(', ';', '`', '\'', '"'])
    };
    if let Some(code) = inside.strip_prefix("php") {
        let ended = code.is_empty() || code.starts_with(|first: char| !first.is_ascii_alphanumeric());
        let points = if acts(code) || code.trim().is_empty() && at == 0 { 5 } else { 3 };
        return ended.then(|| Reading::new(points, "a tag of PHP"));
    }
    if let Some(code) = inside.strip_prefix('=') {
        return Some(Reading::new(if acts(code) { 5 } else { 3 }, "a tag of PHP that prints"));
    }
    let code = inside.trim_start();
    let is_code = inside.starts_with([' ', '\n', '\t', '$', '@']) && acts(code);
    is_code.then(|| {
        Reading::new(if code.starts_with(['$', '@']) || code.contains("?>") { 5 } else { 3 }, "a short tag of PHP")
    })
}

/// `[php]`: a board runs what stands behind it.
fn bracket_tag(text: &str, at: usize) -> Option<Reading> {
    let rest = text.get(at + 1..)?.trim_start_matches(['/', '\\']);
    rest.starts_with("php]").then(|| Reading::new(4, "a tag of PHP in square brackets"))
}
