//! `key=value` lines and logfmt: names and values that make up nearly all of a line, values perhaps in quotes. Firewalls and
//! programs write so. What the keys mean is said by their shape, or guessed.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::naming::places::{MemberId, Places, ROOT};
use crate::needle::{NAME_BYTES_MAX, bytes_of, find, is_name_byte, quote_or_backslash};
use crate::pairs::{PairName, Pairs, unescaped};

/// Its name among formats.
pub(crate) const NAME: &str = "key_value";

/// Pairs that begin the line at least.
const LEADING_MIN: usize = 3;

/// Bytes of a usual pair.
const PAIR_BYTES: usize = 14;

/// At least three pairs begin the line, and they make up most of it.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    tokens(text.trim_ascii(), None).is_some()
}

/// What the line is made of, where that is pairs for the most part. `places`: names that other lines had.
fn tokens<'a>(text: &'a [u8], places: Option<&Places>) -> Option<Vec<Token<'a>>> {
    // Records of the audit daemon, whole or broken, are its own.
    if text.starts_with(b"type=") && find!(text, b"msg=audit(").is_some() {
        return None;
    }
    let mut pairs = PairsOf::new(text, places);
    let (mut covered, mut count, mut stray) = (0, 0, 0);
    let mut tokens = Vec::with_capacity(text.len() / PAIR_BYTES + LEADING_MIN);
    while let Some(token) = pairs.next() {
        match token {
            Token::Pair(name, value) => {
                count += 1;
                covered += name.text.len() + value.text.len();
            }
            Token::Stray(..) if count < LEADING_MIN => return None,
            Token::Stray(word, _) => stray += word.len(),
        }
        tokens.push(token);
    }
    (count >= LEADING_MIN && covered > 2 * stray).then_some(tokens)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let text = text.trim_ascii();
    let tokens = tokens(text, Some(&context.names.places))
        .ok_or(Refusal::Other("not key=value: three pairs have to begin the line and make up most of it"))?;
    let mut pairs = Pairs::new(context, rows);
    let (mut date, mut clock, mut zone) = (None, None, None);
    let mut held: Option<(PairName<'_>, PairText<'_>)> = None;
    for token in tokens {
        match (token, &mut held) {
            // Words without a name belong to a value without quotes.
            (Token::Stray(_, end), Some((_, value))) if !value.is_quoted => value.text = &text[value.start..end],
            (Token::Stray(..), _) => {}
            (Token::Pair(name, value), held) => {
                if let Some((known, text)) = held.replace((name, value)) {
                    put(&mut pairs, known, &text);
                }
                match name.text {
                    b"date" => date = Some(value.text),
                    b"time" => clock = Some(value.text),
                    b"tz" | b"timezone" => zone = Some(value.text),
                    _ => {}
                }
            }
        }
    }
    if let Some((name, value)) = held {
        put(&mut pairs, name, &value);
    }
    if let (Some(date), Some(clock)) = (date, clock)
        && date.len() == 10
    {
        // `+0100`; in words and in brackets it says the same as none.
        let zone = zone.filter(|zone| matches!(zone.first(), Some(b'+' | b'-')));
        let stamp = [date, b"T", clock, zone.unwrap_or_default()].concat();
        if let Some((time, b"")) = pairs.times().iso(&stamp) {
            pairs.put_time(time);
        }
    }
    Ok(pairs.finish("key_value.event"))
}

fn put(pairs: &mut Pairs<'_, '_>, name: PairName<'_>, value: &PairText<'_>) {
    if value.is_escaped {
        pairs.put_named(name, &unescaped(value.text));
    } else if value.is_quoted {
        pairs.put_named(name, value.text);
    } else {
        pairs.put_named(name, value.text.trim_ascii_end());
    }
}

/// The text behind a `=`.
#[derive(Clone, Copy)]
struct PairText<'a> {
    text: &'a [u8],
    /// Where it begins in the line.
    start: usize,
    is_quoted: bool,
    /// It stands in quotes and has a backslash.
    is_escaped: bool,
}

/// A part of the line between blanks.
enum Token<'a> {
    Pair(PairName<'a>, PairText<'a>),
    /// Where it ends in the line, too.
    Stray(&'a [u8], usize),
}

/// Cuts a text into its pairs.
struct PairsOf<'a, 'p> {
    text: &'a [u8],
    at: usize,
    places: Option<&'p Places>,
    /// The member that the last name is.
    last: Option<MemberId>,
    /// The quotes that nothing closes from here on: each is looked for once.
    unclosed: [bool; 2],
}

#[inline]
fn separates(byte: u8) -> bool {
    const SEPARATORS: [bool; 256] = bytes_of(b" \t,;|", false);
    SEPARATORS[usize::from(byte)]
}

impl<'a, 'p> PairsOf<'a, 'p> {
    fn new(text: &'a [u8], places: Option<&'p Places>) -> Self {
        PairsOf { text, at: 0, places, last: Some(ROOT), unclosed: [false; 2] }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.text;
        self.at += text.get(self.at..)?.iter().position(|byte| !separates(*byte))?;
        let rest = text.get(self.at..)?;
        let Some(name) = self.name(rest) else {
            let word = rest.iter().position(|byte| separates(*byte)).unwrap_or(rest.len());
            self.at += word;
            return Some(Token::Stray(&rest[..word], self.at));
        };
        self.last = name.known;
        let start = self.at + name.text.len() + 1;
        let value = &text[start..];
        if let Some(quote @ (b'"' | b'\'')) = value.first()
            && let Some((end, is_escaped)) = self.closing(&value[1..], *quote)
        {
            self.at = start + 1 + end + 1;
            let value = PairText { text: &value[1..1 + end], start: start + 1, is_quoted: true, is_escaped };
            return Some(Token::Pair(name, value));
        }
        let end = value.iter().position(|byte| separates(*byte)).unwrap_or(value.len());
        self.at = start + end;
        Some(Token::Pair(name, PairText { text: &value[..end], start, is_quoted: false, is_escaped: false }))
    }

    /// The name at the start of the text, where a single `=` follows it. Mostly it is the one that followed the last one in
    /// another line, which is compared first.
    #[inline]
    fn name(&self, text: &'a [u8]) -> Option<PairName<'a>> {
        let expected = self.places.zip(self.last).and_then(|(places, last)| places.word_behind(last));
        if let Some(expected) = expected.filter(|expected| expected.begins(text)) {
            let name = PairName { text: &text[..expected.key.len()], known: Some(expected.id) };
            return Some(name).filter(|name| text.get(name.text.len() + 1) != Some(&b'='));
        }
        let head = &text[..text.len().min(NAME_BYTES_MAX)];
        let length = head.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(head.len());
        if length == 0 || text.get(length) != Some(&b'=') || text.get(length + 1) == Some(&b'=') {
            return None;
        }
        let name = &text[..length];
        Some(PairName { text: name, known: self.places.and_then(|places| places.word(name)) })
    }

    /// As [`closing`]. Where nothing closes a quote, nothing closes one that stands behind it.
    fn closing(&mut self, text: &[u8], quote: u8) -> Option<(usize, bool)> {
        let unclosed = &mut self.unclosed[usize::from(quote == b'"')];
        if *unclosed {
            return None;
        }
        let end = closing(text, quote);
        *unclosed = end.is_none();
        end
    }
}

/// Where the quote closes: one that no backslash escapes, and that the end or a separator follows. Whether there are backslashes in
/// front of it.
fn closing(text: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut at, mut is_escaped) = (0, false);
    loop {
        let rest = text.get(at..)?;
        at += if quote == b'"' { quote_or_backslash(rest)? } else { memchr::memchr2(quote, b'\\', rest)? };
        if text[at] == b'\\' {
            is_escaped = true;
            at += 2;
        } else if text.get(at + 1).is_none_or(|byte| separates(*byte)) {
            return Some((at, is_escaped));
        } else {
            at += 1;
        }
    }
}
