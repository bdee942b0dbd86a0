//! `key=value` lines and logfmt: names and values that make up nearly all of a line, values perhaps in quotes. Firewalls and
//! programs write so. What the keys mean is said by their shape, or guessed.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::naming::places::{MemberId, Places, ROOT};
use crate::needle::{NAME_BYTES_MAX, find, is_name_byte};
use crate::pair_frames::{PairFrames, TimePart};
use crate::pair_text::{PairText, bare_end, closing, separates};
use crate::pairs::{PairName, Pairs};

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

/// Records of the audit daemon, whole or broken, are its own.
fn is_of_audit(text: &[u8]) -> bool {
    text.starts_with(b"type=") && find!(text, b"msg=audit(").is_some()
}

/// What the line is made of, where that is pairs for the most part. `places`: names that other lines had.
fn tokens<'a>(text: &'a [u8], places: Option<&Places>) -> Option<Vec<Token<'a>>> {
    if is_of_audit(text) {
        return None;
    }
    let mut pairs = PairsOf::new(text, places);
    let (mut covered, mut count, mut stray) = (0, 0, 0);
    let mut tokens = Vec::new();
    while let Some(token) = pairs.next() {
        match token {
            Token::Pair(name, value) => {
                count += 1;
                covered += name.text.len() + value.text.len();
            }
            Token::Stray(..) if count < LEADING_MIN => return None,
            Token::Stray(word, _) => stray += word.len(),
        }
        if tokens.is_empty() {
            tokens.reserve(text.len() / PAIR_BYTES + LEADING_MIN);
        }
        tokens.push(token);
    }
    (count >= LEADING_MIN && covered > 2 * stray).then_some(tokens)
}

/// Whether the line begins with a pair, as far as its name tells.
#[inline]
fn begins_with_pair(text: &[u8]) -> bool {
    let start = text.iter().position(|byte| !separates(*byte)).unwrap_or(text.len());
    let length = text[start..].iter().position(|byte| !is_name_byte(*byte));
    length.is_some_and(|length| text[start + length] == b'=')
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not key=value: three pairs have to begin the line and make up most of it");
    let text = text.trim_ascii();
    if !begins_with_pair(text) {
        return Err(OTHER);
    }
    let mut frames = std::mem::take(&mut context.names.pair_frames);
    let read = framed_or_not(text, &mut frames, context, rows);
    context.names.pair_frames = frames;
    read.ok_or(OTHER)
}

fn framed_or_not(
    text: &[u8],
    frames: &mut PairFrames,
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Option<DatasetId> {
    let mut times = TimeParts::default();
    let mut pairs;
    if frames.find(text) && !is_of_audit(text) {
        pairs = Pairs::new(context, rows);
        for (place, part, value) in frames.values(text) {
            pairs.put_at(place, &value.value());
            times.take(part, value.text);
        }
        pairs.take_all(frames.row());
    } else {
        let tokens = tokens(text, Some(&context.names.places))?;
        pairs = Pairs::new(context, rows);
        put(&mut pairs, &mut times, text, &tokens);
        let row = pairs.row_now();
        if row.0.len() == tokens.len() && tokens.iter().all(|token| matches!(token, Token::Pair(..))) {
            let found = tokens.iter().zip(row.0).filter_map(|(token, id)| match token {
                Token::Pair(name, value) => Some((name.text, *value, pairs.place_of(*id))),
                Token::Stray(..) => None,
            });
            frames.keep(text, found, row);
        }
    }
    times.put(&mut pairs);
    Some(pairs.finish("key_value.event"))
}

/// Puts what a line is made of.
fn put<'a>(pairs: &mut Pairs<'_, '_>, times: &mut TimeParts<'a>, text: &'a [u8], tokens: &[Token<'a>]) {
    let mut held: Option<(PairName<'_>, PairText<'_>)> = None;
    for token in tokens {
        match (token, &mut held) {
            // Words without a name belong to a value without quotes.
            (Token::Stray(_, end), Some((_, value))) if !value.is_quoted => value.text = &text[value.start..*end],
            (Token::Stray(..), _) => {}
            (Token::Pair(name, value), held) => {
                if let Some((known, text)) = held.replace((*name, *value)) {
                    pairs.put_named(known, &text.value());
                }
                times.take(TimePart::of(name.text), value.text);
            }
        }
    }
    if let Some((name, value)) = held {
        pairs.put_named(name, &value.value());
    }
}

/// A time whose date and clock are values of their own.
#[derive(Default)]
struct TimeParts<'a> {
    date: Option<&'a [u8]>,
    clock: Option<&'a [u8]>,
    zone: Option<&'a [u8]>,
}

impl<'a> TimeParts<'a> {
    #[inline]
    fn take(&mut self, part: TimePart, text: &'a [u8]) {
        match part {
            TimePart::None => {}
            TimePart::Date => self.date = Some(text),
            TimePart::Clock => self.clock = Some(text),
            TimePart::Zone => self.zone = Some(text),
        }
    }

    fn put(&self, pairs: &mut Pairs<'_, '_>) {
        let (Some(date), Some(clock)) = (self.date.filter(|date| date.len() == 10), self.clock) else { return };
        // `+0100`; in words and in brackets it says the same as none.
        let zone = self.zone.filter(|zone| matches!(zone.first(), Some(b'+' | b'-')));
        let stamp = [date, b"T", clock, zone.unwrap_or_default()].concat();
        if let Some((time, b"")) = pairs.times().iso(&stamp) {
            pairs.put_time(time);
        }
    }
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

impl<'a, 'p> PairsOf<'a, 'p> {
    fn new(text: &'a [u8], places: Option<&'p Places>) -> Self {
        PairsOf { text, at: 0, places, last: Some(ROOT), unclosed: [false; 2] }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.text;
        self.at += text.get(self.at..)?.iter().position(|byte| !separates(*byte))?;
        let rest = text.get(self.at..)?;
        let Some(name) = self.name(rest) else {
            let word = bare_end(rest);
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
        let end = bare_end(value);
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
