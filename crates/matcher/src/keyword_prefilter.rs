//! Rules out whole lines before keywords are searched, where the keywords are not many: a vector search for up to four
//! bytes of each, in upper and lower case. Most lines hold none of them. What it finds says nothing; what it does not
//! find is not there.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use memchr::memchr_iter;
use patterns::search::forms;

/// Bytes of each keyword that are looked for, at most.
const WINDOW: usize = 4;
/// Forms of all keywords together, beyond which the vector search is no faster than an automaton.
const FORMS_MAX: usize = 128;

/// A search that tells lines without keywords from those that may have some.
#[derive(Debug)]
pub(super) struct KeywordPrefilter {
    searcher: Searcher,
    /// All keywords are ASCII: escapes of other characters hide none.
    all_ascii: bool,
}

/// Characters that JSON may write with a backslash in front.
fn may_be_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/') || byte < b' '
}

/// The part of a folded keyword that has the fewest forms, among the longest.
fn window(text: &[u8]) -> Option<&[u8]> {
    let whole = |length: usize| {
        let plain = text.windows(length).filter(|window| !window.iter().any(|byte| may_be_escaped(*byte)));
        plain.min_by_key(|window| window.iter().filter(|byte| byte.is_ascii_alphabetic()).count())
    };
    (2..=WINDOW).rev().find_map(whole)
}

impl KeywordPrefilter {
    /// `None` where it would not be faster, or could miss something.
    pub(super) fn new(texts: &[Box<[u8]>]) -> Option<Self> {
        let mut patterns = Vec::new();
        // What is not ASCII does not stand in lines that are.
        for text in texts.iter().filter(|text| text.is_ascii()) {
            patterns.extend(forms(window(text)?));
        }
        patterns.sort();
        patterns.dedup();
        if patterns.len() > FORMS_MAX || patterns.is_empty() {
            return None;
        }
        let config = Config::new().match_kind(MatchKind::LeftmostFirst).heuristic_pattern_limits(false).clone();
        let searcher = config.builder().extend(patterns).build()?;
        Some(KeywordPrefilter { searcher, all_ascii: texts.iter().all(|text| text.is_ascii()) })
    }

    /// No keyword stands in the line, nor in what it is without its JSON escapes.
    pub(super) fn rules_out(&self, line: &str, is_json: bool) -> bool {
        line.is_ascii() && !(is_json && self.hides_keywords(line.as_bytes())) && self.searcher.find(line).is_none()
    }

    /// Whether the line has an escape for a character that keywords may have: ASCII, or what is folded to it. Those for
    /// control characters hide nothing: they are not looked for.
    fn hides_keywords(&self, line: &[u8]) -> bool {
        let mut taken = usize::MAX;
        memchr_iter(b'\\', line).any(|at| {
            if at == taken {
                return false;
            }
            taken = at + 1;
            // Bytes that web servers write: any of them.
            if line.get(at + 1) == Some(&b'x') {
                return true;
            }
            line.get(at + 1) == Some(&b'u') && {
                let digits = line.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                // The long s and the Kelvin sign.
                code.is_some_and(|code| !self.all_ascii || code < 0x80 || code == 0x17F || code == 0x212A)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_rules_out_is_not_there() {
        let prefilter = |texts: &[&str]| {
            KeywordPrefilter::new(&texts.iter().map(|text| text.as_bytes().into()).collect::<Vec<_>>())
        };
        let three = prefilter(&["sekurlsa::logonpasswords", "mimi\\katz", "dcsync"]).unwrap();
        assert!(three.rules_out(r#"{"a":"nothing C:\\new to see"}"#, true));
        for line in [r#"{"a":"SEKURLSA::LogonPasswords"}"#, r#"{"a":"mimi\\katz"}"#, r#"{"a":"dcSYNC"}"#] {
            assert!(!three.rules_out(line, true), "{line}");
        }
        assert!(!three.rules_out(r#"{"a":"dc\u0073ync"}"#, true), "an escape may hide anything");
        assert!(!three.rules_out(r#"{"a":"dc\x73ync"}"#, true), "so may what web servers write");
        assert!(!three.rules_out(r#"{"a":"dc\u017Fync"}"#, true), "a long s");
        assert!(three.rules_out(r#"{"a":"Windows\u00ae\n"}"#, true), "others hide nothing");
        assert!(three.rules_out(r#"{"a":"dc\u0073ync"}"#, false), "no JSON, no escapes");
        assert!(!three.rules_out("äö", false));
        let beyond = prefilter(&["dcsync", "ÄÖ"]).unwrap();
        assert!(!beyond.rules_out(r#"{"a":"Windows\u00ae"}"#, true) && beyond.rules_out(r#"{"a":"b\n"}"#, true));
        assert!(prefilter(&["/"]).is_none() && prefilter(&["a"]).is_none(), "too short to look for");
    }
}
