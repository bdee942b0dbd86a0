//! Calls of PHP whose name is computed: through a variable, a list, a text or several that are joined. Each is read
//! backwards from its bracket, and only as far as a payload would need.

use crate::code::{self, Args, Gap, begins, byte_at, ends, opened, piece, skip_gap_back, word_start};
use crate::grammar::Reading;
use crate::php_names::{Deed, PhpNames};

/// Longest expression that names a function, in bytes.
const CALLEE_BYTES_MAX: usize = 160;
/// Most indexes in a row.
const INDEXES_MAX: usize = 8;

/// The place and content of a bracket that calls.
#[derive(Clone, Copy)]
struct Call<'a> {
    text: &'a str,
    gap: Gap,
    args: Args,
    /// The code behind the bracket ends as code does.
    ended: bool,
}

impl Call<'_> {
    /// Surer where the bracket holds what code has there, and where the whole text is the call.
    fn grade(self, start: usize, least: u32, most: u32) -> u32 {
        let whole = self.ended && begins(self.text, start);
        if self.gap == Gap::Blank && !self.args.is_code() {
            return least.min(1);
        }
        (least + u32::from(self.args.is_code()) + u32::from(whole)).min(most)
    }
}

/// Reads what stands before a bracket.
pub(crate) fn called_through(php: &PhpNames, text: &str, open: usize) -> Option<Reading> {
    let (end, gap) = skip_gap_back(text, open);
    let last = byte_at(text, end.checked_sub(1)?);
    if !matches!(last, b']' | b'}' | b')' | b'\'' | b'"') && !code::is_word(last) {
        return None;
    }
    let args = code::args(text, open);
    let ended = code::closed(text, open).is_some_and(|close| ends(text, close)) || args == Args::Open;
    let call = Call { text, gap, args, ended };
    match last {
        b']' => through_index(php, call, end),
        b'}' => through_braces(call, end),
        b')' => through_bracket(php, call, end),
        b'\'' | b'"' => through_text(php, call, end),
        _ => through_variable(call, end),
    }
}

/// `$fn(…)`, `$$fn(…)`.
fn through_variable(call: Call<'_>, end: usize) -> Option<Reading> {
    let start = word_start(call.text, end);
    let sign = start.checked_sub(1).filter(|sign| byte_at(call.text, *sign) == b'$')?;
    if byte_at(call.text, start).is_ascii_digit() {
        return None;
    }
    let before = piece(call.text, sign.saturating_sub(2), sign);
    let sure = before.ends_with('$') || before == "::" || call.gap == Gap::Comment;
    let counted = call.args == Args::Number && call.ended && begins(call.text, sign);
    let points = if sure { 5 } else { call.grade(sign, 3, 5) + u32::from(counted && call.gap != Gap::Blank) };
    Some(Reading::new(points, "a call through a variable of PHP"))
}

/// `$fn[2](…)`, `[exec][0](…)`, `("a","b")[1](…)`.
fn through_index(php: &PhpNames, call: Call<'_>, end: usize) -> Option<Reading> {
    let (mut end, mut indexes) = (end, 0);
    let mut index = "";
    while matches!(byte_at(call.text, end.checked_sub(1)?), b']' | b'}') && indexes < INDEXES_MAX {
        let open = opened(call.text, end, CALLEE_BYTES_MAX)?;
        // The first from the left of several may be a list of names.
        let (before, _) = skip_gap_back(call.text, open);
        let held = before.checked_sub(1).map_or(0, |last| byte_at(call.text, last));
        if held == b'$' {
            return through_braces(call, end);
        }
        if !matches!(held, b']' | b'}' | b')') && !code::is_word(held) {
            let list = piece(call.text, open + 1, end - 1);
            return (indexes > 0).then(|| through_list(php, call, open, list, index)).flatten();
        }
        index = piece(call.text, open + 1, end - 1);
        (end, indexes) = (before, indexes + 1);
    }
    let start = word_start(call.text, end);
    if start < end && start > 0 && byte_at(call.text, start - 1) == b'$' {
        return Some(Reading::new(5, "a call through an element of a variable of PHP"));
    }
    None
}

/// `[exec][0](…)`: a link of a text has a word and an address there.
fn through_list(php: &PhpNames, call: Call<'_>, start: usize, list: &str, index: &str) -> Option<Reading> {
    let index = index.trim_matches(['\'', '"', ' ']);
    let quoted = list.contains(['\'', '"']);
    let named = php.deed(list.trim_matches(['\'', '"', ' '])).is_some();
    let points = if quoted || named {
        5
    } else if index.bytes().all(|byte| byte.is_ascii_digit()) {
        call.grade(start, 2, 4)
    } else {
        return None;
    };
    Some(Reading::new(points, "a call through an element of a list of PHP"))
}

/// `${name}(…)`, `$name{0}(…)`, `{$name}(…)`, `$object->{'name'}(…)`.
fn through_braces(call: Call<'_>, end: usize) -> Option<Reading> {
    let open = opened(call.text, end, CALLEE_BYTES_MAX)?;
    let inside = piece(call.text, open + 1, end - 1).trim();
    let before = open.checked_sub(1).map_or(0, |before| byte_at(call.text, before));
    let plain = inside.bytes().all(code::is_word);
    // `$ {'a'}`: a blank may stand between.
    let before = if before == b' ' { open.checked_sub(2).map_or(0, |sign| byte_at(call.text, sign)) } else { before };
    let points = match before {
        b'$' if plain => call.grade(open - 1, 3, 5),
        b'$' if inside.len() < 40 || inside.contains(['$', '\'', '"', '^', '~']) => 5,
        b'>' if inside.starts_with(['\'', '"', '$']) => 5,
        _ if code::is_word(before) && plain => {
            let start = word_start(call.text, open);
            if start > 0 && byte_at(call.text, start - 1) == b'$' { 5 } else { return None }
        }
        _ if inside.starts_with('$') && inside[1..].bytes().all(code::is_word) && call.args.is_code() => 4,
        _ => return None,
    };
    Some(Reading::new(points, "a call through braces of PHP"))
}

/// `(exec)(…)`, `('sys'.'tem')(…)`, `(~"…")()`.
fn through_bracket(php: &PhpNames, call: Call<'_>, end: usize) -> Option<Reading> {
    let open = opened(call.text, end, CALLEE_BYTES_MAX)?;
    if open > 0 && code::is_word(byte_at(call.text, open - 1)) {
        return None;
    }
    let inside = piece(call.text, open + 1, end - 1).trim();
    let name = inside.trim_matches(['\'', '"', '\\', '(', ')', ' ']);
    let joined = inside.starts_with(['\'', '"', '(', '['])
        && ["'.", "\".", "' .", "\" .", ").", "^", "].", "'^"].iter().any(|join| inside.contains(join));
    let points = match php.deed(name) {
        _ if inside.starts_with("function") || inside.contains("=>") || inside.contains("ajax") => return None,
        _ if joined || inside.starts_with('~') && inside.len() > 3 => 5,
        Some(Deed::Word | Deed::Object | Deed::Magic) => call.grade(open, 2, 4),
        Some(_) => call.grade(open, 3, 5),
        None if inside.starts_with(['\'', '"', '$']) && inside.len() > 3 => call.grade(open, 3, 5),
        // A calculation or a filter: `(a)(b)`, `(x+1)(x-2)`.
        None if name.len() > 2 && name.bytes().all(code::is_word) && call.args != Args::Bare => call.grade(open, 1, 3),
        None => return None,
    };
    let shut = call.text.trim_end().ends_with(");") && points < 4 && name.len() > 2 && name.bytes().all(code::is_word);
    Some(Reading::new(if shut { 4 } else { points }, "a call through a bracket of PHP"))
}

/// `'system'(…)`, `"pass"."thru"(…)`.
fn through_text(php: &PhpNames, call: Call<'_>, end: usize) -> Option<Reading> {
    let bytes = call.text.as_bytes();
    let quote = byte_at(call.text, end - 1);
    let from = (end - 1).saturating_sub(64);
    let open = from + memchr::memrchr(quote, bytes.get(from..end - 1)?)?;
    let name = piece(call.text, open + 1, end - 1);
    if name.is_empty() || !name.bytes().all(|byte| code::is_word(byte) || byte == b'\\' || byte == b':') {
        return None;
    }
    let (before, _) = skip_gap_back(call.text, open);
    let joins = before > 1 && byte_at(call.text, before - 1) == b'.' && {
        let (text, _) = skip_gap_back(call.text, before - 1);
        text > 0 && matches!(byte_at(call.text, text - 1), b'\'' | b'"' | b')' | b']')
    };
    let points = match php.deed(name) {
        _ if joins => 5,
        Some(Deed::Word | Deed::Object | Deed::Magic) => call.grade(open, 2, 4),
        Some(_) => call.grade(open, 4, 5),
        None if name.len() > 2 && call.args != Args::Bare => call.grade(open, 1, 3),
        None => 1,
    };
    Some(Reading::new(points, "a call through a text of PHP"))
}
