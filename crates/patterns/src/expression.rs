//! A regular expression that is compiled when a text first asks for it: most expressions of most rules never do.
//! Everything that can be wrong with it is told when it is made: its syntax is read then, and where its size might go
//! over the limit it is compiled at once (the slow way, which `always_compiled` takes for every expression).

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::{Match, Regex, RegexBuilder, bytes};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// Bytes that a state of an automaton takes while it is made, with what leads to others; more than it ever is.
const STATE_BYTES: usize = 48;
/// Bytes of an automaton that has no states.
const EMPTY_BYTES: usize = 4096;

/// A regular expression, compiled on first use. Clones share what was compiled.
#[derive(Clone)]
pub struct Expression(Arc<Inner>);

struct Inner {
    written: String,
    dot_all: bool,
    /// Bytes of its shortest match: a shorter text has none.
    bytes_min: usize,
    /// `None` where compiling failed, which reading the expression has ruled out.
    compiled: OnceLock<Option<Regex>>,
    /// What is matched with texts that are ASCII; `None` where that is `compiled`, too. See [`of_ascii`].
    of_ascii: OnceLock<Option<bytes::Regex>>,
}

impl Expression {
    /// Reads an expression, and gives its form for those who look for what it needs. `dot_all`: a dot is also a line end.
    /// `bytes_max`: how large it may become when it is compiled.
    pub fn new(written: &str, dot_all: bool, bytes_max: usize) -> Result<(Expression, Hir), regex::Error> {
        let read = ParserBuilder::new().dot_matches_new_line(dot_all).build().parse(written);
        // Counting exactly takes as long as reading: only where the quick count does not tell.
        let fits = |hir: &Hir, of_range: States| bytes_of(hir, of_range).saturating_add(EMPTY_BYTES) <= bytes_max;
        let is_small = |hir: &Hir| fits(hir, states_at_most) || fits(hir, states_exactly);
        match read {
            Ok(hir) if is_small(&hir) => Ok((Self::of(written, dot_all, &hir, OnceLock::new()), hir)),
            read => {
                let compiled = builder(written, dot_all).size_limit(bytes_max).build()?;
                // What compiles can be read.
                let hir = read.unwrap_or_else(|_| Hir::empty());
                Ok((Self::of(written, dot_all, &hir, OnceLock::from(Some(compiled))), hir))
            }
        }
    }

    fn of(written: &str, dot_all: bool, hir: &Hir, compiled: OnceLock<Option<Regex>>) -> Self {
        let bytes_min = hir.properties().minimum_len().unwrap_or(0);
        // Compiled a second time it would only cost.
        let of_ascii = if compiled.get().is_some() { OnceLock::from(None) } else { OnceLock::new() };
        Expression(Arc::new(Inner { written: written.to_owned(), dot_all, bytes_min, compiled, of_ascii }))
    }

    /// The expression as text.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// Whether it matches anywhere in the text.
    #[inline]
    pub fn is_match(&self, text: &str) -> bool {
        if text.len() < self.0.bytes_min {
            return false;
        }
        if text.is_ascii() {
            let Inner { written, dot_all, of_ascii: compiled, .. } = &*self.0;
            if let Some(regex) = compiled.get_or_init(|| of_ascii(written, *dot_all)) {
                return regex.is_match(text.as_bytes());
            }
        }
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// The first match in the text.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.regex()?.find(text)
    }

    #[inline]
    fn regex(&self) -> Option<&Regex> {
        let Inner { written, dot_all, compiled, .. } = &*self.0;
        // It is known to be small: no limit is needed here.
        compiled.get_or_init(|| builder(written, *dot_all).size_limit(usize::MAX).build().ok()).as_ref()
    }
}

fn builder(written: &str, dot_all: bool) -> RegexBuilder {
    let mut builder = RegexBuilder::new(written);
    builder.dot_matches_new_line(dot_all);
    builder
}

/// Fast path: an expression for texts that are ASCII, whose classes have no other characters; those of Unicode make most of an
/// automaton. Assumes that the expression names no other character, which could be folded to ASCII as the long s is; `None`
/// where it may. Its slow twin is the expression as it is: a test compares the two.
fn of_ascii(written: &str, dot_all: bool) -> Option<bytes::Regex> {
    let names_others = ["\\x{", "\\u", "\\U"].iter().any(|escape| written.contains(escape));
    if names_others || !written.is_ascii() {
        return None;
    }
    let mut builder = bytes::RegexBuilder::new(written);
    builder.unicode(false).dot_matches_new_line(dot_all).size_limit(usize::MAX).build().ok()
}

/// Prints what a compiled expression prints: what a rule means is hashed from it.
impl fmt::Debug for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Regex").field(&self.as_str()).finish()
    }
}

/// How many states the bytes of a range of characters need.
type States = fn(&ClassUnicodeRange) -> usize;

/// Bytes of the automaton for an expression, at most.
fn bytes_of(hir: &Hir, of_range: States) -> usize {
    let all = |parts: &[Hir]| parts.iter().fold(0, |sum: usize, part| sum.saturating_add(bytes_of(part, of_range)));
    let inner = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(STATE_BYTES),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(of_range).sum::<usize>().saturating_mul(STATE_BYTES)
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len().saturating_mul(STATE_BYTES),
        HirKind::Capture(capture) => bytes_of(&capture.sub, of_range),
        HirKind::Repetition(repeat) => {
            let times = repeat.max.unwrap_or(repeat.min).max(repeat.min).max(1) as usize;
            times.saturating_mul(bytes_of(&repeat.sub, of_range).saturating_add(2 * STATE_BYTES))
        }
        HirKind::Concat(parts) => all(parts),
        HirKind::Alternation(parts) => all(parts).saturating_add(parts.len() * STATE_BYTES),
    };
    inner.saturating_add(2 * STATE_BYTES)
}

/// States for a range, quickly: each byte but the first may part a range of characters of equal length twice, and those of
/// three bytes stand on both sides of the surrogates.
fn states_at_most(range: &ClassUnicodeRange) -> usize {
    let (start, end) = (range.start(), range.end());
    if u32::from(start) / 64 == u32::from(end) / 64 {
        // They differ in the last byte alone.
        return end.len_utf8();
    }
    let of_length = |length: usize| (2 * length - 1) * length * if length == 3 { 2 } else { 1 };
    (start.len_utf8()..=end.len_utf8()).map(of_length).sum()
}

/// States for a range, by the sequences of bytes that it has.
fn states_exactly(range: &ClassUnicodeRange) -> usize {
    Utf8Sequences::new(range.start(), range.end()).map(|sequence| sequence.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slow twin: compiled when it is made.
    fn always_compiled(written: &str, dot_all: bool, bytes_max: usize) -> Result<Regex, regex::Error> {
        builder(written, dot_all).size_limit(bytes_max).build()
    }

    #[test]
    fn what_cannot_be_compiled_is_refused_when_it_is_made() {
        let cases =
            ["a(b", "(?<n>a)(?<n>b)", "\\p{Nothing}", "(((a{1,1000}){1,1000}){1,1000})", "(\\w{100}){500}", "a\\yb"];
        for written in cases {
            let ours = Expression::new(written, false, 4 << 20).map(|_| ()).unwrap_err();
            assert_eq!(ours.to_string(), always_compiled(written, false, 4 << 20).unwrap_err().to_string());
        }
    }

    /// Parts of expressions, some of which other characters than ASCII are folded to or are classes of.
    const PARTS: [&str; 24] = [
        "a",
        "bcd",
        "(?i)k",
        "\\w",
        "\\d+",
        "\\s*",
        ".",
        "[^a]",
        "\\W{3}",
        "(x|yz|)",
        "(?:a|b.){2,9}",
        "\\b",
        "(?i:straße)",
        "[\\x{80}-\\x{10FFFF}]{0,4}",
        "(\\w\\W){5,}",
        "^",
        "$",
        "\\p{Greek}",
        "\\p{Lu}?",
        "[à-ÿ]",
        "(?i)\\x{17F}",
        "(?i:[\\x41-\\x{212A}])",
        "\\B",
        "(?i:s\\xe9?)",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 2000, ..Default::default() })]

        #[test]
        fn what_is_compiled_for_ascii_matches_as_the_whole_does(
            parts in proptest::collection::vec(proptest::sample::select(PARTS.to_vec()), 1..6),
            text in "[a-dksxyzKS0 \n_-]{0,8}",
            dot_all in proptest::prelude::any::<bool>(),
        ) {
            let written = parts.concat();
            if let (Ok(regex), Ok((ours, _))) =
                (always_compiled(&written, dot_all, 4 << 20), Expression::new(&written, dot_all, 4 << 20))
            {
                proptest::prop_assert_eq!(ours.is_match(&text), regex.is_match(&text), "{} {:?}", written, text);
            }
        }
    }

    #[test]
    fn it_is_compiled_on_first_use_and_clones_share_it() {
        let (made, _) = Expression::new("ab.c", true, 1 << 20).unwrap();
        let clone = made.clone();
        assert!(made.0.compiled.get().is_none());
        assert!(clone.is_match("xab\nc") && made.0.of_ascii.get().is_some() && made.0.compiled.get().is_none());
        assert!(clone.is_match("éab\nc") && made.0.compiled.get().is_some());
        assert_eq!(made.find("xab\nc").map(|found| found.start()), Some(1));
        assert!(!Expression::new("ab.c", false, 1 << 20).unwrap().0.is_match("xab\nc"));
        assert_eq!(format!("{made:?}"), format!("{:?}", Regex::new("ab.c").unwrap()));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 500, ..Default::default() })]

        #[test]
        fn what_is_held_for_small_is(
            parts in proptest::collection::vec(
                proptest::sample::select(PARTS.to_vec()),
                1..12,
            ),
        ) {
            let written = parts.concat();
            if let Ok(hir) = regex_syntax::parse(&written) {
                let bytes = bytes_of(&hir, states_exactly) + EMPTY_BYTES;
                proptest::prop_assert!(bytes_of(&hir, states_at_most) + EMPTY_BYTES >= bytes);
                proptest::prop_assert!(always_compiled(&written, false, bytes).is_ok(), "{} {}", bytes, written);
            }
        }
    }
}
