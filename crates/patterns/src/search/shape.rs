//! Fast path: texts that differ in their numbers alone have one shape, and a search of the shape tells what a search of
//! any of them can find. Assumes ASCII without `%` and `+`, so that nothing is decoded. A shape finds all that its texts
//! do, and perhaps more: it decides nothing. The slow twin is the search of each text itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use memchr::memchr2;

use crate::search::literals::Literals;

/// Longest text that is given a shape, in bytes.
const SHAPED_BYTES_MAX: usize = 1024;
/// Stands for every run of digits.
const NUMBER: u8 = b'0';
/// High bits of eight bytes.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Writes the text in lower case with each run of digits as one; false where it has no shape.
#[inline]
pub fn write_shape(text: &[u8], shape: &mut Vec<u8>) -> bool {
    shape.clear();
    if text.len() > SHAPED_BYTES_MAX || !text.is_ascii() || memchr2(b'%', b'+', text).is_some() {
        return false;
    }
    // Eight more than are needed: words are written whole.
    shape.resize(text.len() + 8, 0);
    let mut end = 0;
    let mut in_number = false;
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        write_word(u64::from_le_bytes(*word), shape, &mut end, &mut in_number);
    }
    write_bytes(rest, shape, &mut end, &mut in_number);
    shape.truncate(end);
    shape.make_ascii_lowercase();
    true
}

/// Which of eight ASCII bytes are digits: a bit for each, the first byte's lowest.
#[inline]
fn digits(word: u64) -> u64 {
    // Digits become 0 to 9, and other bytes 10 to 127: the sum with 118 tells them apart.
    let from_zero = word ^ 0x3030_3030_3030_3030;
    let others = from_zero.wrapping_add(0x7676_7676_7676_7676) & HIGH;
    (!others & HIGH).wrapping_mul(0x0002_0408_1020_4081) >> 56
}

/// Writes eight bytes, run by run: what is no digit as it stands, and numbers as one digit.
#[inline]
fn write_word(word: u64, shape: &mut [u8], end: &mut usize, in_number: &mut bool) {
    let digits = digits(word);
    let mut at = 0;
    while at < 8 {
        let others = ((digits >> at).trailing_zeros()).min(8 - at);
        // Eight bytes are written, and those that belong to the run are kept.
        if let Some(place) = shape.get_mut(*end..*end + 8) {
            place.copy_from_slice(&(word >> (8 * at)).to_le_bytes());
        }
        *end += others as usize;
        *in_number &= others == 0;
        at += others;
        if at == 8 {
            return;
        }
        if let Some(place) = shape.get_mut(*end) {
            *place = NUMBER;
        }
        *end += usize::from(!*in_number);
        *in_number = true;
        at += (digits >> at).trailing_ones();
    }
}

#[inline]
fn write_bytes(bytes: &[u8], shape: &mut [u8], end: &mut usize, in_number: &mut bool) {
    for byte in bytes {
        let is_digit = byte.is_ascii_digit();
        if let Some(place) = shape.get_mut(*end) {
            *place = if is_digit { NUMBER } else { *byte };
        }
        *end += usize::from(!(is_digit && *in_number));
        *in_number = is_digit;
    }
}

/// The literals that have digits, by their shapes: those without are found in a shape as they stand.
#[derive(Debug)]
pub struct ShapedLiterals {
    search: Option<Literals>,
    /// Number of each text of `search`.
    numbers: Vec<usize>,
    with_digits: BTreeSet<usize>,
}

impl ShapedLiterals {
    /// Of folded texts with their numbers. None of them is empty.
    pub fn new<'t>(texts: impl Iterator<Item = (usize, &'t [u8])>) -> Self {
        let mut shapes: Vec<Box<[u8]>> = Vec::new();
        let mut numbers = Vec::new();
        for (number, text) in texts.filter(|(_, text)| text.iter().any(u8::is_ascii_digit)) {
            let mut shape = vec![0; text.len()];
            let (mut end, mut in_number) = (0, false);
            write_bytes(text, &mut shape, &mut end, &mut in_number);
            shape.truncate(end);
            shapes.push(shape.into());
            numbers.push(number);
        }
        let with_digits = numbers.iter().copied().collect();
        ShapedLiterals { search: (!shapes.is_empty()).then(|| Literals::new(shapes)), numbers, with_digits }
    }

    /// Calls back with the number of every literal that a text of the shape may have; without digits, every one has it.
    /// `literals` finds the same texts.
    pub fn find(&self, literals: Option<&Literals>, shape: &[u8], mut found: impl FnMut(usize)) {
        if let Some(literals) = literals {
            literals.find(shape, |number, _, _| {
                if !self.has_digits(number) {
                    found(number);
                }
            });
        }
        self.search.iter().for_each(|search| search.find(shape, |at, _, _| found(self.numbers[at])));
    }

    /// Whether a literal has digits, so that only the text itself can tell.
    pub fn has_digits(&self, number: usize) -> bool {
        self.with_digits.contains(&number)
    }
}

/// Texts that patterns need, by the numbers that a search has for them which was made of all of them in order.
#[derive(Debug)]
pub(crate) struct ShapedNeeds {
    texts: Vec<Box<str>>,
    pub(crate) search: ShapedLiterals,
    /// What finds some of the texts, by their numbers: many shapes need the same ones.
    searches: Mutex<HashMap<Vec<usize>, Arc<Literals>>>,
}

impl ShapedNeeds {
    pub(crate) fn new<'t>(needs: impl Iterator<Item = &'t str>) -> Self {
        let mut texts: Vec<Box<str>> = needs.map(Box::from).collect();
        texts.sort_unstable();
        texts.dedup();
        let search = ShapedLiterals::new(texts.iter().map(|text| text.as_bytes()).enumerate());
        ShapedNeeds { texts, search, searches: Mutex::default() }
    }

    /// What finds the texts with these numbers, in lower case; `None` where there are none.
    pub(crate) fn searched_for(&self, numbers: Vec<usize>) -> Option<Arc<Literals>> {
        if numbers.is_empty() {
            return None;
        }
        let text = |number: &usize| self.texts.get(*number).map(|text| text.to_ascii_lowercase().into_bytes().into());
        let mut searches = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        let known = searches.get(&numbers).cloned();
        Some(known.unwrap_or_else(|| {
            let made = Arc::new(Literals::new(numbers.iter().filter_map(text).collect()));
            searches.insert(numbers, Arc::clone(&made));
            made
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape_of(text: &str) -> Option<String> {
        let mut shape = Vec::new();
        write_shape(text.as_bytes(), &mut shape).then(|| String::from_utf8_lossy(&shape).into_owned())
    }

    #[test]
    fn numbers_are_one_character_and_what_would_be_decoded_has_no_shape() {
        assert_eq!(shape_of("Port 41188, 10.0.0.7:9 ssh2").as_deref(), Some("port 0, 0.0.0.0:0 ssh0"));
        assert_eq!(shape_of("0123456789").as_deref(), Some("0"));
        assert_eq!(shape_of("/:09az").as_deref(), Some("/:0az"));
        assert_eq!(shape_of("").as_deref(), Some(""));
        for text in ["a%41", "a b c d e f+", "+", "é1"] {
            assert_eq!(shape_of(text), None, "{text}");
        }
        assert_eq!(shape_of(&"x".repeat(SHAPED_BYTES_MAX + 1)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_shape_finds_all_that_its_texts_have(
            text in "[aB0-9./: ]{0,60}",
            literals in proptest::collection::vec("[ab0-3./: ]{1,4}", 1..8),
        ) {
            let texts: Vec<Box<[u8]>> = literals.iter().map(|text| text.as_bytes().into()).collect();
            let search = Literals::new(texts.clone());
            let shaped = ShapedLiterals::new(texts.iter().map(|text| &**text).enumerate());
            let (mut own, mut of_shape) = (BTreeSet::new(), BTreeSet::new());
            search.find(text.as_bytes(), |number, _, _| {
                own.insert(number);
            });
            let mut shape = Vec::new();
            prop_assert!(write_shape(text.as_bytes(), &mut shape));
            shaped.find(Some(&search), &shape, |number| {
                of_shape.insert(number);
            });
            prop_assert!(own.is_subset(&of_shape), "{text:?} {own:?} {of_shape:?}");
            let slow: String = text.to_ascii_lowercase().chars().fold(String::new(), |mut shape, next| {
                match next {
                    '0'..='9' if shape.ends_with('0') => {}
                    '0'..='9' => shape.push('0'),
                    other => shape.push(other),
                }
                shape
            });
            prop_assert_eq!(String::from_utf8_lossy(&shape), slow);
        }
    }
}
