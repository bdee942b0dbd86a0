//! Fast path: words of a shape that no literal touches are interchangeable, so that texts which differ in such words alone
//! have one key, and what a search of one of them finds, a search of each does. Assumes shapes as `shape.rs` writes them, and
//! that nothing but the literals looks at letters. A word that is not known to be untouched stands in the key as it is,
//! which is the slow twin.

use std::collections::BTreeSet;

use crate::search::literals::Literals;
use crate::search::shape::literal_shape;

/// Stands for a word that no literal touches: shapes are in lower case.
const WORD: u8 = b'W';
/// Stands for a letter beside the bytes beside a word: no literal has it.
const LETTER: u8 = 1;
/// Letters of a word that is looked up, at most; a longer one stands for itself.
const LETTERS_MAX: usize = 12;
/// Bytes on each side of a word that are looked at.
const BESIDE: usize = 2;
/// Bytes of a word with those on both sides.
const CONTEXT_MAX: usize = LETTERS_MAX + 2 * BESIDE;
/// Words that are remembered.
const SLOTS: usize = 1 << 12;
/// The highest bit of a remembered context, which is ASCII: the word is touched.
const TOUCHED: u128 = 1 << 127;

/// What literals touch of words.
#[derive(Debug)]
pub struct TouchedWords {
    /// Parts of literals that a word can have: what stands in it, at its start, at its end, or is all of it, with the bytes
    /// beside it.
    search: Option<Literals>,
}

/// Words that were looked up, each in place of another, for one [`TouchedWords`]; and memory that is used again.
#[derive(Debug, Default)]
pub struct KnownWords {
    slots: Vec<u128>,
    /// The shape at hand between bytes that no shape has.
    padded: Vec<u8>,
}

impl TouchedWords {
    /// For these literals, folded. `plus`: a text is also searched with its pluses as spaces.
    pub fn new<'t>(literals: impl Iterator<Item = &'t [u8]>, plus: bool) -> Self {
        let mut parts: BTreeSet<Box<[u8]>> = BTreeSet::new();
        for literal in literals {
            let shape = literal_shape(literal);
            let mut at = 0;
            while at < shape.len() {
                let letters = shape[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                if letters > 0 {
                    add_part(part(&shape, at, at + letters), plus, &mut parts);
                }
                at += letters + 1;
            }
        }
        TouchedWords { search: (!parts.is_empty()).then(|| Literals::new(parts.into_iter().collect())) }
    }

    /// Writes the key of a shape: each word that is untouched as one byte.
    pub fn write_key(&self, shape: &[u8], known: &mut KnownWords, key: &mut Vec<u8>) {
        let KnownWords { slots, padded } = known;
        padded.clear();
        padded.extend_from_slice(&[0; BESIDE]);
        padded.extend_from_slice(shape);
        padded.extend_from_slice(&[0; CONTEXT_MAX]);
        if slots.is_empty() {
            slots.resize(SLOTS, 0);
        }
        key.clear();
        let mut start = BESIDE;
        // The byte behind the shape ends its last word.
        for at in BESIDE..=BESIDE + shape.len() {
            let byte = padded[at];
            if byte.is_ascii_lowercase() {
                continue;
            }
            if start < at {
                if self.touches(padded, start, at - start, slots) {
                    key.extend_from_slice(&padded[start..at]);
                } else {
                    key.push(WORD);
                }
            }
            key.push(byte);
            start = at + 1;
        }
        key.pop();
    }

    /// Whether a literal may stand where the word at a place has a part of it.
    #[inline]
    fn touches(&self, padded: &[u8], at: usize, letters: usize, slots: &mut [u128]) -> bool {
        let Some(search) = &self.search else { return false };
        let context = padded.get(at - BESIDE..).and_then(<[u8]>::first_chunk::<CONTEXT_MAX>);
        let (Some(context), Some(masks)) = (context, MASKS.get(letters)) else { return true };
        let mut context = u128::from_le_bytes(*context) & masks.whole;
        if padded[at - 2].is_ascii_lowercase() {
            context = context & !0xFF | u128::from(LETTER);
        }
        if padded[at + letters + 1].is_ascii_lowercase() {
            context = context & masks.but_last | masks.letter_last;
        }
        let folded = (context as u64 ^ (context >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = &mut slots[(folded >> (64 - SLOTS.trailing_zeros())) as usize];
        if *slot & !TOUCHED != context {
            let mut touched = false;
            search.find(&context.to_le_bytes()[..letters + 2 * BESIDE], |_, _, _| touched = true);
            *slot = if touched { context | TOUCHED } else { context };
        }
        *slot & TOUCHED != 0
    }
}

/// What cuts a context out of the bytes that it begins.
#[derive(Clone, Copy)]
struct Masks {
    whole: u128,
    /// All but the last byte.
    but_last: u128,
    /// [`LETTER`] as the last byte.
    letter_last: u128,
}

/// By the letters of the word.
static MASKS: [Masks; LETTERS_MAX + 1] = masks();

const fn masks() -> [Masks; LETTERS_MAX + 1] {
    let mut masks = [Masks { whole: 0, but_last: 0, letter_last: 0 }; LETTERS_MAX + 1];
    let mut letters = 0;
    while letters <= LETTERS_MAX {
        let bytes = letters + 2 * BESIDE;
        let but_last = (1 << (8 * (bytes - 1))) - 1;
        masks[letters] = Masks {
            whole: u128::MAX >> (8 * (CONTEXT_MAX - bytes)),
            but_last,
            letter_last: (LETTER as u128) << (8 * (bytes - 1)),
        };
        letters += 1;
    }
    masks
}

/// The letters of a literal from `start` to `end`, with the bytes beside them as far as they are no letters of others.
fn part(shape: &[u8], start: usize, end: usize) -> &[u8] {
    let is_other = |at: usize| shape.get(at).is_some_and(|byte| !byte.is_ascii_lowercase());
    let mut from = start.saturating_sub(1);
    if start >= BESIDE && is_other(start - BESIDE) {
        from = start - BESIDE;
    }
    let to = if is_other(end) && is_other(end + 1) { end + BESIDE } else { (end + 1).min(shape.len()) };
    &shape[from..to]
}

/// Adds a part; `plus`: also with pluses in place of its spaces.
fn add_part(part: &[u8], plus: bool, parts: &mut BTreeSet<Box<[u8]>>) {
    if parts.insert(part.into()) && plus {
        for at in (0..part.len()).filter(|at| part[*at] == b' ') {
            let mut form = part.to_vec();
            form[at] = b'+';
            add_part(&form, plus, parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::shape::write_shape;

    fn key_of(text: &str, literals: &[&str], plus: bool) -> String {
        let words = TouchedWords::new(literals.iter().map(|literal| literal.as_bytes()), plus);
        let (mut shape, mut key, mut known) = (Vec::new(), Vec::new(), KnownWords::default());
        assert!(write_shape(text.as_bytes(), &mut shape));
        words.write_key(&shape, &mut known, &mut key);
        let first = key.clone();
        words.write_key(&shape, &mut known, &mut key);
        assert_eq!(first, key, "a word that is known is what it was");
        String::from_utf8_lossy(&key).into_owned()
    }

    #[test]
    fn words_stand_for_themselves_where_a_literal_may_have_a_part_of_them() {
        let literals = ["admin", "/etc/", "cmd=", ".php", "or 1", "x", " -r"];
        for (text, key) in [
            ("/shop/lamp-12.html?id=3", "/W/W-0.W?W=0"),
            ("/Badminton/administer", "/badminton/administer"),
            ("/etc/rc", "/etc/W"),
            ("/etcetera/a", "/W/W"),
            ("?runcmd=a&cmds=a", "?runcmd=W&W=W"),
            (".phpinfo php", ".phpinfo W"),
            ("floor 12 or2", "floor 0 W0"),
            ("axa", "axa"),
            ("abcdefghijklm abcdefghijkl", "abcdefghijklm W"),
            ("a -rest a-rest", "W -rest W-W"),
            ("", ""),
        ] {
            assert_eq!(key_of(text, &literals, false), key, "{text}");
        }
        assert_eq!(key_of("a=for+1", &["or 1"], false), "W=W+0");
        assert_eq!(key_of("a=for+1", &["or 1"], true), "W=for+0");
        assert_eq!(key_of("a+or+b", &[" or "], true), "W+or+W");
        assert_eq!(key_of("any thing", &[], true), "W W");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        #[test]
        fn texts_of_one_key_have_equal_literals(
            one in "([ab]{1,3}[/ =+1]){1,4}[ab]{0,2}",
            other in "([ab]{1,3}[/ =+1]){1,4}[ab]{0,2}",
            texts in proptest::collection::vec("[ab/ =1]{1,4}", 1..4),
            plus in any::<bool>(),
        ) {
            let read = |text: &str| if plus { text.replace('+', " ") } else { text.to_owned() };
            let literals: Vec<Box<[u8]>> = texts.iter().map(|text| literal_shape(text.as_bytes()).into()).collect();
            let search = Literals::new(literals);
            let found = |text: &str| {
                let (mut shape, mut all) = (Vec::new(), BTreeSet::new());
                assert!(write_shape(read(text).as_bytes(), &mut shape));
                search.find(&shape, |number, _, _| {
                    all.insert(number);
                });
                all
            };
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let keys = (key_of(&one, &texts, plus), key_of(&other, &texts, plus));
            // Words that are longer than their keys say nothing else.
            if keys.0 == keys.1 {
                prop_assert_eq!(found(&one), found(&other), "{:?} {:?} {:?}", one, other, texts);
            }
            // The key itself is such a text: no literal has a capital.
            let mut of_key = BTreeSet::new();
            search.find(read(&keys.0.replace('W', "\u{1}")).as_bytes(), |number, _, _| {
                of_key.insert(number);
            });
            prop_assert_eq!(found(&one), of_key, "{:?} {:?} {:?}", one, keys, texts);
        }
    }
}
