//! What a shell expands: brace lists, parameters with operators, functions that call themselves. Whether a name is a
//! command is asked elsewhere.

use crate::shell_words::{is_blank, is_separator};

/// Bytes of a text that one expansion is read from, at most.
const EXPANSION_MAX: usize = 200;
/// Words that one brace list makes, at most.
const LIST_MAX: usize = 12;

/// What a brace list makes: `{cat,/etc/hosts}`, `c{a,}t`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Braces {
    /// Its words, with blanks between them, and what stands behind it.
    pub(crate) text: String,
    /// Where the words end in it.
    pub(crate) words_end: usize,
    /// Where it ends in the text that it was read from.
    pub(crate) end: usize,
    /// Letters stand around the braces, or an element is empty: nobody lists words so.
    pub(crate) odd: bool,
}

/// The brace list that the word at a place has.
pub(crate) fn braces(text: &str, at: usize) -> Option<Braces> {
    let rest = text.as_bytes().get(at..)?;
    let rest = &rest[..rest.len().min(EXPANSION_MAX)];
    let opens = rest.iter().position(|byte| *byte == b'{' || is_blank(*byte) || is_separator(*byte))?;
    if rest[opens] != b'{' || opens > 0 && rest[opens - 1] == b'$' {
        return None;
    }
    let inside = &rest[opens + 1..];
    let closes =
        inside.iter().position(|byte| matches!(byte, b'}' | b'{') || is_blank(*byte) || is_separator(*byte))?;
    let elements = text.get(at + opens + 1..at + opens + 1 + closes)?;
    if inside[closes] != b'}' || !elements.contains(',') {
        return None;
    }
    let tail = &inside[closes + 1..];
    let suffix =
        tail.iter().position(|byte| is_blank(*byte) || is_separator(*byte) || !byte.is_ascii()).unwrap_or(tail.len());
    let end = at + opens + closes + 2 + suffix;
    let (prefix, suffix) = (text.get(at..at + opens)?, text.get(end - suffix..end)?);
    let is_letter = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let mut odd = is_letter(prefix) || is_letter(suffix);
    let mut made = String::new();
    for element in elements.split(',').take(LIST_MAX) {
        odd |= element.is_empty();
        if prefix.len() + element.len() + suffix.len() > 0 {
            if !made.is_empty() {
                made.push(' ');
            }
            made.push_str(prefix);
            made.push_str(element);
            made.push_str(suffix);
        }
    }
    let words_end = made.len();
    let more =
        (end..=(end + EXPANSION_MAX).min(text.len())).rev().find(|cut| text.is_char_boundary(*cut)).unwrap_or(end);
    made.push_str(text.get(end..more)?);
    Some(Braces { text: made, words_end, end, odd })
}

/// How sure it is that a parameter or a sum of the shell stands in the text: `${path#x}`, `$((1+1))`.
pub(crate) fn expansion(text: &str, is_shells: impl Fn(&str) -> bool) -> u32 {
    let starts = text.match_indices('$').take(32);
    starts.map(|(at, _)| one_expansion(&text[at + 1..], &is_shells)).max().unwrap_or(0)
}

fn one_expansion(rest: &str, is_shells: &impl Fn(&str) -> bool) -> u32 {
    if let Some(sum) = rest.strip_prefix("((") {
        let first = sum.trim_start().bytes().next().unwrap_or(0);
        let ends = sum.bytes().take(EXPANSION_MAX).zip(sum.bytes().skip(1)).any(|pair| pair == (b')', b')'));
        return if ends && (first.is_ascii_alphanumeric() || first == b'$') { 4 } else { 0 };
    }
    if let Some(sum) = rest.strip_prefix('[') {
        let first = sum.bytes().next().unwrap_or(0);
        return if first == b']' || first.is_ascii_digit() && sum.contains(']') { 3 } else { 0 };
    }
    let Some(inside) = rest.strip_prefix('{') else { return 0 };
    let name =
        inside.bytes().take(EXPANSION_MAX).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let (name, operator) = inside.split_at(name);
    let ends = operator.bytes().take(EXPANSION_MAX).any(|byte| byte == b'}');
    let mut signs = operator.bytes();
    let (first, second) = (signs.next().unwrap_or(0), signs.next().unwrap_or(0));
    match (first, second) {
        _ if !ends => 0,
        (b'!', _) if name.is_empty() && second.is_ascii_alphabetic() => 4,
        (b'#' | b'%' | b'/' | b'^' | b',' | b':' | b'@' | b'-', _) if is_shells(name) => 5,
        (b'#' | b'%' | b'^' | b',', _) if !name.is_empty() && !is_blank(second) => 4,
        (b':', b'-' | b'=' | b'+' | b'?') if !name.is_empty() => 2,
        _ => 0,
    }
}

/// Whether a function stands there that calls itself until nothing is left: `f(){ f|f& };f`.
pub(crate) fn calls_itself(text: &str) -> bool {
    text.match_indices("()").take(8).any(|(at, _)| {
        let name = text[..at].trim_end().rsplit([' ', ';', '\n', '|', '&', '\'', '"', '=']).next().unwrap_or("");
        let Some(body) = text[at + 2..].trim_start().strip_prefix('{') else { return false };
        let cut = (0..=EXPANSION_MAX.min(body.len())).rev().find(|cut| body.is_char_boundary(*cut)).unwrap_or(0);
        let body = body[..cut].split('}').next().unwrap_or("");
        // Called, and another one beside it.
        let parts = body.split(['|', '&', ';']).map(|part| part.trim().trim_end_matches("()").trim_end());
        let calls = parts.filter(|part| *part == name).count();
        !name.is_empty() && name.len() <= 32 && calls >= 2 && body.contains(['|', '&'])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brace_lists_become_words() {
        for (written, meant, odd) in [
            ("{cat,/etc/hosts}", "cat /etc/hosts", false),
            ("{l,-lh}s", "ls -lhs", true),
            ("c{a,oun}t", "cat count", true),
            ("{,ip,a}", "ip a", true),
            ("{id,} x", "id x", true),
        ] {
            let read = braces(written, 0);
            assert_eq!(read.as_ref().map(|read| (read.text.as_str(), read.odd)), Some((meant, odd)), "{written}");
        }
        for written in ["{id}", "{ id, name }", "${x,,}", "{a{b,c}}", "x {a,b}", "{a,b"] {
            assert_eq!(braces(written, 0), None, "{written}");
        }
    }

    #[test]
    fn parameters_are_graded_by_their_operator() {
        let is_shells = |name: &str| name == "path";
        for (text, points) in [
            ("${path#x}", 5),
            ("${x#y}", 4),
            ("$((7*7))", 4),
            ("${x:-y}", 2),
            ("${x}", 0),
            ("${x.y}", 0),
            ("${jndi:ldap}", 0),
            ("${a % b}", 0),
            ("$(x)", 0),
            ("$5", 0),
        ] {
            assert_eq!(expansion(text, is_shells), points, "{text}");
        }
    }

    #[test]
    fn functions_that_call_themselves_are_told() {
        for text in [":(){ :|:& };:", "f(){ f|f& };f", "x; test() { test | test & } test", "f(){ f() & f(); }; f"] {
            assert!(calls_itself(text), "{text}");
        }
        for text in ["f(){ return 1; }", "() { }", "f() { a | b }", "f(x){ f|f }", "a(){ a }"] {
            assert!(!calls_itself(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z{}()$,|&;:# é-]{0,60}", at in 0usize..8) {
            let _ = (braces(&text, at.min(text.len())), expansion(&text, |_| true), calls_itself(&text));
        }
    }
}
