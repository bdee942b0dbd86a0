//! What the grammars of programming languages share: gaps between words, what stands in a bracket, where it closes, and
//! whether a text begins and ends as code does. No language is known here. Every look is bounded by a number of bytes.

/// Longest comment that is stepped over, in bytes.
const COMMENT_BYTES_MAX: usize = 512;
/// Most blanks and comments in a row between a name and its bracket.
const GAPS_MAX: usize = 16;
/// Longest content of a bracket that is looked for its end, in bytes.
const BRACKET_BYTES_MAX: usize = 400;

/// What stands between a name and its bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    None,
    Blank,
    /// Blanks with an end of line among them.
    Line,
    Comment,
}

/// What a bracket begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Args {
    /// A text in quotes or backticks.
    Quoted,
    /// A variable with its sign.
    Variable,
    /// The call of another function, a list or an object.
    Call,
    /// The path of a file.
    Path,
    Number,
    /// Words.
    Bare,
    Empty,
    /// Nothing more: the text ends there.
    Open,
}

impl Args {
    /// Whether prose has nothing of the kind in its brackets.
    pub(crate) fn is_code(self) -> bool {
        matches!(self, Args::Quoted | Args::Variable | Args::Call | Args::Path)
    }
}

#[cfg(test)]
thread_local! {
    /// Bytes that were looked at for gaps and brackets, for tests that work is bounded.
    pub(crate) static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts bytes that are looked at, in tests.
#[inline]
fn spend(bytes: usize) {
    #[cfg(test)]
    WORK.with(|work| work.set(work.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(crate) fn byte_at(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

/// The part of a text between two places; nothing where they are no borders of characters.
pub(crate) fn piece(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to.min(text.len())).unwrap_or("")
}

/// Where the word that begins here ends.
pub(crate) fn word_end(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_word(**byte)).count()
}

/// Where the word that ends here begins.
pub(crate) fn word_start(text: &str, end: usize) -> usize {
    let before = text.as_bytes().get(..end).unwrap_or_default();
    end - before.iter().rev().take(64).take_while(|byte| is_word(**byte)).count()
}

/// The place of the first byte behind blanks and comments, and which of them there are.
pub(crate) fn skip_gap(text: &str, from: usize) -> (usize, Gap) {
    let bytes = text.as_bytes();
    let (mut at, mut gap) = (from, Gap::None);
    for _ in 0..GAPS_MAX {
        let rest = bytes.get(at..).unwrap_or_default();
        let rest = rest.get(..COMMENT_BYTES_MAX).unwrap_or(rest);
        spend(if matches!(rest, [b'/' | b'#', ..]) { rest.len() } else { 1 });
        let found = match rest {
            [b'/', b'*', ..] => memchr::memmem::find(&rest[2..], b"*/").map(|end| (end + 4, Gap::Comment)),
            [b'/', b'/', ..] | [b'#', ..] => memchr::memchr(b'\n', rest).map(|end| (end + 1, Gap::Comment)),
            _ => {
                let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0B).count();
                let kind = if rest[..blanks].contains(&b'\n') { Gap::Line } else { Gap::Blank };
                (blanks > 0).then_some((blanks, kind))
            }
        };
        let Some((length, kind)) = found else { break };
        at += length;
        gap = gap.max(kind);
    }
    (at, gap)
}

/// The end of what stands before blanks and comments that end here, and which of them there are.
pub(crate) fn skip_gap_back(text: &str, end: usize) -> (usize, Gap) {
    let bytes = text.as_bytes();
    let (mut at, mut gap) = (end, Gap::None);
    for _ in 0..GAPS_MAX {
        let before = bytes.get(at.saturating_sub(COMMENT_BYTES_MAX)..at).unwrap_or_default();
        spend(if before.ends_with(b"*/") || before.ends_with(b"\n") { before.len() } else { 1 });
        if before.ends_with(b"*/") {
            let Some(start) = memchr::memmem::rfind(&before[..before.len() - 2], b"/*") else { break };
            (at, gap) = (at - (before.len() - start), Gap::Comment);
            continue;
        }
        let blanks = before.iter().rev().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0B).count();
        if blanks == 0 {
            break;
        }
        let gone = &before[before.len() - blanks..];
        at -= blanks;
        gap = gap.max(if gone.contains(&b'\n') { Gap::Line } else { Gap::Blank });
        if gone.contains(&b'\n') {
            let line = &before[..before.len() - blanks];
            let start = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
            let line = &line[start..];
            let hash = memchr::memchr(b'#', line);
            if let Some(sign) = hash.into_iter().chain(memchr::memmem::find(line, b"//")).min() {
                (at, gap) = (at - (line.len() - sign), Gap::Comment);
            }
        }
    }
    (at, gap)
}

/// What the bracket that opens at this place begins with.
pub(crate) fn args(text: &str, open: usize) -> Args {
    let (at, _) = skip_gap(text, open + 1);
    let next = |after: usize| byte_at(text, at + after);
    match next(0) {
        0 if at >= text.len() => Args::Open,
        b'\'' | b'"' | b'`' => Args::Quoted,
        b'$' | b'@' | b'&' => Args::Variable,
        b')' => Args::Empty,
        b'[' | b'{' | b'(' | b'~' | b'!' | b'\\' => Args::Call,
        b'/' | b'.' => Args::Path,
        byte if byte.is_ascii_digit() => Args::Number,
        byte if is_word(byte) => {
            let end = word_end(text, at);
            match byte_at(text, end) {
                b'(' | b'[' => Args::Call,
                b'/' | b':' if byte_at(text, end + 1) == b'/' => Args::Path,
                _ => Args::Bare,
            }
        }
        _ => Args::Bare,
    }
}

/// The place behind the bracket that closes the one which opens here; none where it does not close soon.
pub(crate) fn closed(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(open..)?;
    let pair = |byte: &u8| match byte {
        b'(' => (b'(', b')'),
        b'[' => (b'[', b']'),
        _ => (b'{', b'}'),
    };
    let (begin, end) = pair(bytes.first()?);
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().take(BRACKET_BYTES_MAX).enumerate() {
        spend(1);
        if *byte == begin {
            depth += 1;
        } else if *byte == end {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(open + at + 1);
            }
        }
    }
    None
}

/// The place of the bracket that the one before `end` closes; none where it does not open within `most` bytes.
pub(crate) fn opened(text: &str, end: usize, most: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let close = *bytes.get(end.checked_sub(1)?)?;
    let open = match close {
        b')' => b'(',
        b']' => b'[',
        b'}' => b'{',
        _ => return None,
    };
    let from = end.saturating_sub(most);
    let mut depth = 0_usize;
    for at in (from..end).rev() {
        spend(1);
        if bytes[at] == close {
            depth += 1;
        } else if bytes[at] == open {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Whether code may begin at this place: at the start, or behind a mark that ends something else.
pub(crate) fn begins(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("").trim_end();
    match before.bytes().next_back() {
        None => true,
        Some(last) => !is_word(last) && last.is_ascii() && !matches!(last, b',' | b'-' | b'*') || at_keyword(before),
    }
}

fn at_keyword(before: &str) -> bool {
    ["return", "echo", "print", "php", "new", "await", "else"].iter().any(|word| before.ends_with(word))
        && before.len() <= 8
}

/// Whether code may end at this place: the text does, or a mark follows that ends a statement or a text.
pub(crate) fn ends(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or("").trim_start();
    rest.is_empty()
        || rest.starts_with([
            ';', '.', ')', '}', ']', '\'', '"', '#', '?', '|', '%', '`', '-', '{', '[', '(', '&', '+', '*', '/', ',',
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_stepped_over_both_ways() {
        for (gap, kind) in [
            ("", Gap::None),
            (" \t", Gap::Blank),
            ("\n ", Gap::Line),
            ("/*x*/", Gap::Comment),
            (" #a\n", Gap::Comment),
            ("//y\n /**/ ", Gap::Comment),
        ] {
            let text = format!("exec{gap}(id)");
            assert_eq!(skip_gap(&text, 4), (4 + gap.len(), kind), "{text}");
            assert_eq!(skip_gap_back(&text, 4 + gap.len()), (4, kind), "{text}");
        }
        assert_eq!(skip_gap("a/*b", 1), (1, Gap::None));
    }

    #[test]
    fn brackets_are_matched_within_bounds() {
        assert_eq!(closed("(a(b)c)d", 0), Some(7));
        assert_eq!(opened("x(a(b)c)", 8, 96), Some(1));
        let deep = "(".repeat(60_000);
        assert_eq!((closed(&deep, 0), opened(&format!("{deep})"), 60_001, 96)), (None, Some(59_999)));
    }

    #[test]
    fn what_a_bracket_holds_is_told_apart() {
        for (text, wanted) in [
            ("('a')", Args::Quoted),
            ("( $a)", Args::Variable),
            ("(/*x*/'a')", Args::Quoted),
            ("(f(x))", Args::Call),
            ("(/etc/x)", Args::Path),
            ("(7)", Args::Number),
            ("(linux)", Args::Bare),
            ("( )", Args::Empty),
            ("(", Args::Open),
        ] {
            assert_eq!(args(text, 0), wanted, "{text}");
        }
    }
}
