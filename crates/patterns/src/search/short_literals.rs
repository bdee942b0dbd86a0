//! A vector search for a few short literals: three bytes of each, in every case that they may be written in. What it finds
//! is compared by the caller.

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use hashbrown::HashMap;

use crate::search::case_forms::forms;

/// Bytes of each literal that are looked for.
const WINDOW: usize = 3;
/// Forms of all literals together, beyond which a table of bits is as fast.
const FORMS_MAX: usize = 96;

#[derive(Debug)]
pub(super) struct ShortLiterals {
    searcher: Option<Searcher>,
    /// Literals and where the form stands in them, for each form.
    literals: Vec<Vec<(u32, u32)>>,
}

impl ShortLiterals {
    /// `None` where they are too many or too short.
    pub(super) fn new<'a>(texts: impl Iterator<Item = (u32, &'a [u8])>) -> Option<Self> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut literals: Vec<Vec<(u32, u32)>> = Vec::new();
        for (literal, text) in texts {
            let letters = |window: &[u8]| window.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
            let (offset, window) =
                text.windows(WINDOW).enumerate().min_by_key(|(offset, window)| (letters(window), *offset))?;
            for form in forms(window) {
                let at = *places.entry(form.clone()).or_insert_with(|| {
                    patterns.push(form);
                    literals.push(Vec::new());
                    patterns.len() - 1
                });
                literals[at].push((literal, offset as u32));
            }
            if patterns.len() > FORMS_MAX {
                return None;
            }
        }
        if patterns.is_empty() {
            return Some(ShortLiterals { searcher: None, literals });
        }
        let config = Config::new().match_kind(MatchKind::LeftmostFirst).heuristic_pattern_limits(false).clone();
        let searcher = config.builder().extend(patterns).build()?;
        Some(ShortLiterals { searcher: Some(searcher), literals })
    }

    /// Calls back with each literal that may stand there: its number, the offset of the bytes that were found in it, and
    /// their place in the text.
    #[inline]
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(u32, u32, usize)) {
        let Some(searcher) = &self.searcher else { return };
        let mut from = 0;
        while let Some(there) = searcher.find_in(text, Span { start: from, end: text.len() }) {
            for (literal, offset) in &self.literals[there.pattern().as_usize()] {
                found(*literal, *offset, there.start());
            }
            from = there.start() + 1;
        }
    }
}
