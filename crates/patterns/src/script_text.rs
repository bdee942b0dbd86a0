//! What a text means where it is script of a page: comments are nothing, texts that are joined are one, and a member
//! named by a text is a member. Also text written in UTF-7, which old browsers decode where a page names no encoding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;

/// Characters of one run of UTF-7 that are decoded.
const RUN_MAX: usize = 512;

/// Without `/* … */`, with `'a'+'b'` as `'ab'` and `x['name']` as `x.name`. `None` where there is nothing of the kind.
pub(crate) fn script(text: &str) -> Option<String> {
    let has = |pair: &str| memmem::find(text.as_bytes(), pair.as_bytes()).is_some();
    let joins = ["'+", "\"+", "`+", "' +", "\" +"].iter().any(|join| has(join));
    let names = ["['", "[\"", "[`"].iter().any(|open| has(open));
    if !(joins || names || has("/*") || has("?.")) {
        return None;
    }
    let plain = without_comments(text);
    let joined = joined(&plain);
    Some(with_members(&joined).replace("?.", "."))
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        let Some(length) = rest[start + 2..].find("*/") else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + length + 4..];
    }
    out.push_str(rest);
    out
}

/// A quote, blanks, a plus, blanks and a quote are nothing.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
        let bytes = &rest.as_bytes()[at + 1..];
        let plus = bytes.iter().take(8).take_while(|byte| blank(byte)).count();
        let quote = match bytes.get(plus) {
            Some(b'+') => {
                let next = plus + 1 + bytes[plus + 1..].iter().take(8).take_while(|byte| blank(byte)).count();
                bytes.get(next).filter(|byte| matches!(byte, b'\'' | b'"' | b'`')).map(|_| next)
            }
            _ => None,
        };
        let end = match quote {
            Some(quote) if at > 0 => at + 1 + quote + 1,
            _ => {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.push_str(&rest[..at]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// `x['name']` is `x.name`.
fn with_members(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let of = rest[..at]
            .ends_with(|last: char| last.is_ascii_alphanumeric() || matches!(last, '_' | '$' | ')' | ']'))
            || at == 0 && out.ends_with(|last: char| last.is_ascii_alphanumeric());
        match member(&rest[at + 1..]).filter(|_| of) {
            Some((name, length)) => {
                out.push_str(&rest[..at]);
                out.push('.');
                out.push_str(name);
                rest = &rest[at + 1 + length..];
            }
            None => {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The name in `'name']`, and the length of it all.
fn member(text: &str) -> Option<(&str, usize)> {
    let inside = text.trim_start();
    let quote = inside.chars().next().filter(|quote| matches!(quote, '\'' | '"' | '`'))?;
    let (name, after) = inside[1..].split_once(quote).filter(|(name, _)| name.len() <= 40)?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    let left = after.trim_start().strip_prefix(']').filter(|_| is_name)?;
    Some((name, text.len() - left.len()))
}

/// Whether the text may be written in UTF-7: a run of it with a bracket, a quote or an ampersand at its start.
pub fn has_utf7(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'A', bytes).any(|at| {
        let is_run = matches!(bytes.get(at + 1..at + 3), Some(b"Dw" | b"CI" | b"Cc" | b"CY"));
        is_run && [&b"+"[..], b"%2B", b"%2b"].iter().any(|plus| bytes[..at].ends_with(plus))
    })
}

/// The text with its runs of UTF-7 (`+ADw-`) decoded, in lower case. `None` where there is no such run.
pub fn utf7(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let Some(at) = rest.find('+') {
        let run = &rest[at + 1..];
        let end =
            run.bytes().take(RUN_MAX).position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')));
        let end = end.unwrap_or(run.len().min(RUN_MAX));
        let decoded = run.get(..end).filter(|run| run.len() >= 3).and_then(units);
        match decoded {
            Some(decoded) => {
                any = true;
                out.push_str(&rest[..at]);
                out.push_str(&decoded);
                rest = run[end..].strip_prefix('-').unwrap_or(&run[end..]);
            }
            None => {
                out.push_str(&rest[..=at]);
                rest = run;
            }
        }
    }
    out.push_str(rest);
    any.then(|| out.to_lowercase())
}

/// UTF-16 in Base64 without padding, of characters that a keyboard has.
fn units(run: &str) -> Option<String> {
    // Bits that fill the last character up are not read.
    let bytes = STANDARD_NO_PAD.decode(run.get(..run.len() - usize::from(run.len() % 4 == 1))?).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).ok().filter(|text| !text.is_empty())?;
    text.chars().all(|one| matches!(one, ' '..='~' | '\t' | '\n' | '\r')).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn script_is_read_without_comments_and_joins() {
        for (written, meant) in [
            ("document/*a*/./*b*/cookie", "document.cookie"),
            ("self['al'+'ert'](1)", "self.alert(1)"),
            ("this[\"doc\" + \"ument\"]['cook'+'ie']", "this.document.cookie"),
            ("window?.alert?.(1)", "window.alert.(1)"),
            ("a['b c']['d']", "a['b c'].d"),
            ("/*", "/*"),
        ] {
            assert_eq!(script(written).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(script("a plain 'text'"), None);
    }

    #[test]
    fn utf7_is_decoded_where_it_holds_marks() {
        assert_eq!(utf7("+ADw-script+AD4-x").as_deref(), Some("<script>x"));
        assert_eq!(utf7("a+ACIAPgA8-b").as_deref(), Some("a\"><b"));
        assert!(has_utf7("x=%2BADw-b%2BAD4-") && has_utf7("+ACIAPg-"));
        assert!(!has_utf7("a+ADd-on+BA") && !has_utf7("ACIDS+AD"));
        assert_eq!(utf7("tea+ milk+honey"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_growing(text in "\\PC{0,40}", marks in "([a-cA\\[\\]'\"`+ ./*?é]|/\\*|\\*/|ADw|\\['){0,40}") {
            for text in [text, marks] {
                prop_assert!(script(&text).is_none_or(|read| read.len() <= text.len()));
                prop_assert!(utf7(&text).is_none_or(|read| read.len() <= text.len()));
            }
        }
    }
}
