//! Parameters of query strings that hold secrets: `?token=…`, in a target, a referrer, a raw line, percent-encoded or as JSON writes
//! it. It finds where the values stand; it knows no columns.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memchr2_iter;

/// What stands in place of a value that is gone.
pub(super) const REMOVED: &str = "[removed]";

/// Longest name that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 48;

/// Names of parameters whose values are secrets: in lower case, without `-` and `_`.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeSet<Vec<u8>>);

/// A name as it is compared.
fn plain(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| !b"-_".contains(byte)).map(u8::to_ascii_lowercase).collect()
}

impl Parameters {
    pub(super) fn new(names: &[String]) -> Parameters {
        Parameters(names.iter().map(|name| plain(name.as_bytes())).filter(|name| !name.is_empty()).collect())
    }

    /// Whether the text has a value that must go. `is_query`: it may hold a query string without a `?` before it.
    pub(super) fn is_in(&self, text: &str, is_query: bool) -> bool {
        self.values(text, is_query).next().is_some()
    }

    /// The text without the values; `None` where it has none.
    pub(super) fn removed(&self, text: &str, is_query: bool) -> Option<String> {
        let (mut out, mut end) = (String::new(), 0);
        for value in self.values(text, is_query) {
            // A value within a value went with it.
            if value.start < end {
                continue;
            }
            out.push_str(&text[end..value.start]);
            out.push_str(REMOVED);
            end = value.end;
        }
        (end > 0).then(|| {
            out.push_str(&text[end..]);
            out
        })
    }

    /// Where values stand, none of which is empty or removed already.
    fn values<'a>(&'a self, text: &'a str, is_query: bool) -> impl Iterator<Item = Range<usize>> + 'a {
        let bytes = text.as_bytes();
        let signs = (!self.0.is_empty()).then(|| memchr2_iter(b'=', b'%', bytes)).into_iter().flatten();
        signs.filter_map(move |at| {
            let start = match bytes[at] {
                b'=' => at + 1,
                _ if is_encoded(bytes, at, b"3D") => at + 3,
                _ => return None,
            };
            if !self.is_secret(&bytes[..at], is_query) {
                return None;
            }
            let end = value_end(bytes, start, bytes[at] == b'%');
            // Every end is a character of ASCII, or the end of the text.
            (end > start && text.get(start..end).is_some_and(|value| value != REMOVED)).then_some(start..end)
        })
    }

    /// Whether what ends here is the name of such a parameter, and something that comes before names.
    fn is_secret(&self, before: &[u8], is_query: bool) -> bool {
        // `user[password]=`
        let inner = before.strip_suffix(b"]").or_else(|| before.strip_suffix(b"%5D"));
        let before = inner.or_else(|| before.strip_suffix(b"%5d")).unwrap_or(before);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
        let length = before.iter().rev().take(NAME_BYTES_MAX).take_while(|byte| is_name(byte)).count();
        let (rest, mut name) = before.split_at(before.len() - length);
        let is_begun = match rest.last() {
            Some(b'?' | b'&' | b';' | b'[') => true,
            // Of `%3Ftoken` the digits stand before the name.
            Some(b'%') if name.len() > 2 && name[..2].iter().all(u8::is_ascii_hexdigit) => {
                name = &name[2..];
                true
            }
            // JSON writes `&` so where a program fears markup.
            Some(b'\\') if name.starts_with(b"u0026") => {
                name = &name[5..];
                true
            }
            Some(b' ' | b'"' | b'\t' | b'\'') | None => is_query,
            _ => false,
        };
        is_begun && self.0.contains(&plain(name))
    }
}

fn is_encoded(bytes: &[u8], at: usize, digits: &[u8; 2]) -> bool {
    bytes[at] == b'%' && bytes.get(at + 1..at + 3).is_some_and(|found| found.eq_ignore_ascii_case(digits))
}

/// Where the value that begins here ends. `encoded`: it stands in a query string within another's value.
fn value_end(bytes: &[u8], start: usize, encoded: bool) -> usize {
    let is_end = |at: &usize| match bytes[*at] {
        b'&' | b'"' | b'<' | b'>' | b'#' => true,
        b'\\' => matches!(bytes.get(at + 1), Some(b'"' | b'n' | b'r' | b't')) || bytes[at + 1..].starts_with(b"u0026"),
        b'%' if encoded => is_encoded(bytes, *at, b"26") || is_encoded(bytes, *at, b"23"),
        byte => byte.is_ascii_whitespace() || byte.is_ascii_control(),
    };
    (start..bytes.len()).find(is_end).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_removed_and_nothing_else() {
        let secrets = Parameters::new(&["password".to_owned(), "access_token".to_owned(), "token".to_owned()]);
        for (text, is_query, expected) in [
            (
                r#""GET /l?user=a&password=hunter2 HTTP/1.1" 200"#,
                false,
                r#""GET /l?user=a&password=[removed] HTTP/1.1" 200"#,
            ),
            ("/l?PassWord=a%26b&x=1#token=c", false, "/l?PassWord=[removed]&x=1#token=c"),
            ("/l?access-token=abc", false, "/l?access-token=[removed]"),
            ("/l?user[password]=abc&x=1", false, "/l?user[password]=[removed]&x=1"),
            ("/l?user%5Bpassword%5D=abc", false, "/l?user%5Bpassword%5D=[removed]"),
            ("/go?to=%2Fin%3Ftoken%3Dabc%26x%3D1&y=2", false, "/go?to=%2Fin%3Ftoken%3D[removed]%26x%3D1&y=2"),
            (r#"{"q":"a=1\u0026token=abc\u0026b=2"}"#, false, r#"{"q":"a=1\u0026token=[removed]\u0026b=2"}"#),
            (r#"{"line":"GET /?token=abc\" 200"}"#, false, r#"{"line":"GET /?token=[removed]\" 200"}"#),
            ("token=abc&x=1", true, "token=[removed]&x=1"),
            ("GET /x token=abc 80", true, "GET /x token=[removed] 80"),
            ("/l?password=", false, ""),
            ("/l?password=[removed]", false, ""),
            ("token=abc&x=1", false, ""),
            ("/l?mytoken=abc&tokens=2", false, ""),
            ("nothing = here", false, ""),
            ("/ü?token=ä&x", false, "/ü?token=[removed]&x"),
        ] {
            let found = secrets.removed(text, is_query).unwrap_or_default();
            assert_eq!(found, expected, "{text}");
            assert_eq!(secrets.is_in(text, is_query), !expected.is_empty(), "{text}");
        }
        assert!(!Parameters::default().is_in("/l?password=abc", true));
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_is_no_secret_stays(text in "[a-zé%?&=;\\\\\" \\[\\]0-9]{0,60}") {
            let secrets = Parameters::new(&["a".to_owned()]);
            if let Some(removed) = secrets.removed(&text, true) {
                proptest::prop_assert!(!secrets.is_in(&removed, true), "{} -> {}", text, removed);
            }
        }
    }
}
