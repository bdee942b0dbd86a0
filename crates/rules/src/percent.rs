//! Decoded views of request text: percent-decoding to a bounded fixpoint. A view never replaces the raw value; a rule
//! matches if the raw value or any view does.

use event::Field;
use memchr::memchr;
use patterns::Units;

/// Columns of JSON events that hold addresses of pages under the names that Sigma's taxonomy gives them.
const SIGMA_URLS: [&str; 7] =
    ["cs-uri", "cs-uri-query", "cs-uri-stem", "c-uri", "c-uri-query", "c-uri-stem", "cs-referer"];

/// Most rounds of decoding.
pub(crate) const ROUNDS_MAX: usize = 3;

/// Whether the column holds URLs or parts of them, whose percent-encoded text is also matched decoded.
pub fn is_url_column(column: &str) -> bool {
    Field::named(column).is_some_and(|(_, row)| row.url) || SIGMA_URLS.contains(&column)
}

/// The value after one, two … rounds, as long as each round changes it.
pub fn decoded(value: &str) -> impl Iterator<Item = String> {
    let mut last = None;
    let mut rounds = 0;
    let original = value;
    std::iter::from_fn(move || {
        let next = percent_decode(last.as_deref().unwrap_or(original)).filter(|_| rounds < ROUNDS_MAX)?;
        rounds += 1;
        last = Some(next.clone());
        Some(next)
    })
}

/// Whether a value can have a view at all.
#[inline]
pub fn may_be_encoded(value: &[u8]) -> bool {
    memchr(b'%', value).is_some()
}

/// One round; `None` where nothing changes. Bytes that are not UTF-8 become U+FFFD.
fn percent_decode(value: &str) -> Option<String> {
    if !may_be_encoded(value.as_bytes()) {
        return None;
    }
    let mut bytes = value.as_bytes().to_vec();
    patterns::percent_decode(&mut bytes, Units::Bytes).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_columns_are_those_of_the_catalog_and_of_sigma() {
        for column in
            ["url.original", "url.path", "url.query", "http.request.referrer", "cs-uri-query", "c-uri", "cs-referer"]
        {
            assert!(is_url_column(column), "{column}");
        }
        for column in ["user_agent.original", "event.original", "message", "cs-user-agent", "uri", ""] {
            assert!(!is_url_column(column), "{column}");
        }
    }

    #[test]
    fn decoding_goes_on_until_nothing_changes_or_the_limit() {
        let views = |value: &str| decoded(value).collect::<Vec<_>>();
        assert_eq!(views("plain"), Vec::<String>::new());
        assert_eq!(views("a%20b"), ["a b"]);
        assert_eq!(views("%252e"), ["%2e", "."]);
        assert_eq!(views("100%"), Vec::<String>::new());
        assert_eq!(views("%zz%41"), ["%zzA"]);
        assert_eq!(views("%2525252525"), ["%25252525", "%252525", "%2525"]);
        assert_eq!(views("%ff"), ["\u{fffd}"]);
    }
}
