//! Sigma string values: wildcards `*` and `?`, the escape rules of the specification, and exact matching.
//! A pattern counts characters, crosses newlines, and compares folded unless it is cased.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use memchr::memmem;

use crate::fold::fold;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// This text.
    Text(String),
    /// `?`: exactly one character.
    One,
    /// `*`: any number of characters.
    Many,
    /// Any of the characters that Windows takes for an option mark (`windash`).
    Dash,
}

pub(crate) const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// What a value must look like. Kept as written, folded, and as the shape that decides how it is matched.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextPattern {
    pieces: Vec<Piece>,
    cased: bool,
    shape: Shape,
}

/// Prints as it always has: what a rule means is hashed from this text, and saved state is kept by that hash.
impl fmt::Debug for TextPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TextPattern { pieces, cased, shape } = self;
        out.debug_struct("Pattern").field("pieces", pieces).field("cased", cased).field("shape", shape).finish()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Shape {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(Box<Needle>),
    General,
}

/// A text to be found anywhere, with what the search for it needs.
#[derive(Clone, Debug)]
struct Needle {
    text: String,
    /// Made for patterns that are matched again and again.
    finder: Option<memmem::Finder<'static>>,
}

impl Needle {
    fn is_in(&self, value: &[u8]) -> bool {
        match &self.finder {
            Some(finder) => finder.find(value).is_some(),
            None => memmem::find(value, self.text.as_bytes()).is_some(),
        }
    }
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Needle {}

impl PartialOrd for Needle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Needle {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Needle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Where a modifier adds wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// None: the whole value is meant.
    Whole,
    /// Before and behind (`contains`).
    Contains,
    /// Behind (`startswith`).
    StartsWith,
    /// Before (`endswith`).
    EndsWith,
}

impl Anchor {
    /// Adds wildcards to the parsed pieces; none where one already stands.
    pub(crate) fn open(self, mut pieces: Vec<Piece>) -> Vec<Piece> {
        let open_start = matches!(self, Anchor::Contains | Anchor::EndsWith);
        let open_end = matches!(self, Anchor::Contains | Anchor::StartsWith);
        if open_start && pieces.first() != Some(&Piece::Many) {
            pieces.insert(0, Piece::Many);
        }
        if open_end && pieces.last() != Some(&Piece::Many) {
            pieces.push(Piece::Many);
        }
        pieces
    }
}

/// Reads a value as written: a backslash escapes only `*`, `?` and `\`.
pub fn read_pieces(written: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        let piece = match character {
            '\\' => {
                text.push(characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'));
                continue;
            }
            '*' => Piece::Many,
            '?' => Piece::One,
            other => {
                text.push(other);
                continue;
            }
        };
        push_text(&mut pieces, &mut text);
        if piece != Piece::Many || pieces.last() != Some(&Piece::Many) {
            pieces.push(piece);
        }
    }
    push_text(&mut pieces, &mut text);
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

/// Replaces every option mark by [`Piece::Dash`].
pub(crate) fn with_dashes(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out = Vec::new();
    for piece in pieces {
        let Piece::Text(text) = piece else {
            out.push(piece);
            continue;
        };
        let mut run = String::new();
        for character in text.chars() {
            if DASHES.contains(&character) {
                push_text(&mut out, &mut run);
                out.push(Piece::Dash);
            } else {
                run.push(character);
            }
        }
        push_text(&mut out, &mut run);
    }
    out
}

impl TextPattern {
    /// `anchor` adds its wildcards to the parsed pieces.
    pub fn new(pieces: Vec<Piece>, anchor: Anchor, cased: bool) -> Self {
        let mut pieces = anchor.open(pieces);
        if !cased {
            for piece in &mut pieces {
                if let Piece::Text(text) = piece {
                    *text = fold(text);
                }
            }
        }
        let shape = match pieces.as_slice() {
            [] => Shape::Equals(String::new()),
            [Piece::Text(text)] => Shape::Equals(text.clone()),
            [Piece::Text(text), Piece::Many] => Shape::StartsWith(text.clone()),
            [Piece::Many, Piece::Text(text)] => Shape::EndsWith(text.clone()),
            [Piece::Many, Piece::Text(text), Piece::Many] => {
                Shape::Contains(Box::new(Needle { text: text.clone(), finder: None }))
            }
            _ => Shape::General,
        };
        TextPattern { pieces, cased, shape }
    }

    /// What the value must be made of, folded unless the pattern is cased.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether upper and lower case differ.
    pub(crate) fn is_cased(&self) -> bool {
        self.cased
    }

    /// Makes ready for many values.
    pub fn prepare(&mut self) {
        if let Shape::Contains(needle) = &mut self.shape {
            needle.finder = Some(memmem::Finder::new(&needle.text).into_owned());
        }
    }

    /// Only wildcards `*`: any text at all.
    pub fn matches_anything(&self) -> bool {
        self.pieces.iter().all(|piece| *piece == Piece::Many) && !self.pieces.is_empty()
    }

    /// The text may stand anywhere in the value.
    pub fn is_contains(&self) -> bool {
        matches!(self.shape, Shape::Contains(_))
    }

    /// The beginning or the end of the value matters.
    pub fn is_anchored(&self) -> bool {
        let open = |piece: Option<&Piece>| piece.is_none_or(|piece| *piece == Piece::Many);
        !open(self.pieces.first()) || !open(self.pieces.last())
    }

    /// Texts of which one must stand at a place, if that is all there is to it and case does not matter. Option marks
    /// make several texts of one.
    pub fn texts_in_place(&self) -> Option<(Vec<String>, Anchor)> {
        const DASHES_MAX: usize = 2;
        let open_start = self.pieces.first() == Some(&Piece::Many);
        let open_end = self.pieces.len() > 1 && self.pieces.last() == Some(&Piece::Many);
        let inner = self.pieces.get(usize::from(open_start)..self.pieces.len() - usize::from(open_end))?;
        let plain = inner.iter().all(|piece| matches!(piece, Piece::Text(_) | Piece::Dash));
        let dashes = inner.iter().filter(|piece| **piece == Piece::Dash).count();
        if self.cased || inner.is_empty() || !plain || dashes > DASHES_MAX {
            return None;
        }
        let mut texts = vec![String::new()];
        for piece in inner {
            texts = match piece {
                Piece::Text(more) => texts.into_iter().map(|text| text + more).collect(),
                _ => texts.iter().flat_map(|text| DASHES.map(|dash| format!("{text}{dash}"))).collect(),
            };
        }
        let anchor = match (open_start, open_end) {
            (false, false) => Anchor::Whole,
            (false, true) => Anchor::StartsWith,
            (true, false) => Anchor::EndsWith,
            (true, true) => Anchor::Contains,
        };
        Some((texts, anchor))
    }

    /// The text that the whole value must be, folded; `None` where wildcards or cases matter.
    pub(crate) fn whole_text(&self) -> Option<String> {
        let (texts, anchor) = self.texts_in_place()?;
        (anchor == Anchor::Whole && texts.len() == 1).then(|| texts.into_iter().next())?
    }

    /// The text that the whole value must be, byte for byte; `None` where wildcards matter, or letters that may be of either case.
    pub fn only_bytes(&self) -> Option<String> {
        let [Piece::Text(text)] = self.pieces.as_slice() else { return None };
        let has_case = |byte: u8| !byte.is_ascii() || byte.is_ascii_alphabetic();
        (!text.is_empty() && (self.cased || !text.bytes().any(has_case))).then(|| text.clone())
    }

    /// Patterns of which one matches a value where this one matches `prefix` with the value behind it.
    pub(crate) fn without_prefix(&self, prefix: &str) -> Vec<TextPattern> {
        let prefix = if self.cased { prefix.to_owned() } else { fold(prefix) };
        let rest = |pieces: &[Piece], taken: &str| -> Option<Vec<Piece>> {
            let Some((Piece::Text(text), more)) = pieces.split_first() else { return None };
            let text = text.strip_prefix(taken)?;
            let first = (!text.is_empty()).then(|| Piece::Text(text.to_owned()));
            Some(first.into_iter().chain(more.iter().cloned()).collect())
        };
        let mut found = Vec::new();
        if let [Piece::Many, following @ ..] = self.pieces.as_slice() {
            // The wildcard takes the whole prefix, or leaves an end of it to the text.
            found.push(self.pieces.clone());
            let ends = prefix.char_indices().filter_map(|(at, _)| prefix.get(at..));
            found.extend(ends.filter_map(|end| rest(following, end)));
        } else {
            found.extend(rest(&self.pieces, &prefix));
        }
        found.into_iter().map(|pieces| TextPattern::new(pieces, Anchor::Whole, self.cased)).collect()
    }

    /// The pattern for values that have `text` behind; `None` where it says nothing about the end.
    pub(crate) fn followed_by(&self, text: &str) -> Option<TextPattern> {
        let mut pieces = self.pieces.clone();
        match pieces.last_mut()? {
            Piece::Many => return None,
            Piece::Text(last) => last.push_str(text),
            Piece::One | Piece::Dash => pieces.push(Piece::Text(text.to_owned())),
        }
        Some(TextPattern::new(pieces, Anchor::Whole, self.cased))
    }

    /// Folded text that every match contains: the longest, for nominating candidates.
    pub fn required(&self) -> Option<String> {
        let texts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.max_by_key(|text| text.len()).map(fold)
    }

    /// Whether `value` matches; `folded` is its folded form.
    #[inline]
    pub fn matches(&self, value: &str, folded: &str) -> bool {
        let value = if self.cased { value } else { folded };
        match &self.shape {
            Shape::Equals(text) => value == text,
            Shape::StartsWith(text) => value.starts_with(text.as_str()),
            Shape::EndsWith(text) => value.ends_with(text.as_str()),
            Shape::Contains(needle) => needle.is_in(value.as_bytes()),
            Shape::General => self.matches_general(value),
        }
    }

    /// Greedy matching with one place to go back to: the last `*`.
    fn matches_general(&self, value: &str) -> bool {
        let mut piece = 0;
        let mut rest = value;
        let mut retry: Option<(usize, &str)> = None;
        loop {
            match self.pieces.get(piece) {
                Some(Piece::Many) => {
                    piece += 1;
                    // What must follow somewhere is looked for at once.
                    let Some(found) = next_place(self.pieces.get(piece), rest) else { return false };
                    rest = found;
                    retry = Some((piece, rest));
                    continue;
                }
                Some(single) => {
                    if let Some(after) = step(single, rest) {
                        rest = after;
                        piece += 1;
                        continue;
                    }
                }
                None if rest.is_empty() => return true,
                None => {}
            }
            let Some((after_star, from)) = retry else { return false };
            let mut characters = from.chars();
            if characters.next().is_none() {
                return false;
            }
            let Some(found) = next_place(self.pieces.get(after_star), characters.as_str()) else { return false };
            rest = found;
            retry = Some((after_star, rest));
            piece = after_star;
        }
    }
}

/// From where on the text can go on with the piece; `None` where it cannot any more.
fn next_place<'a>(piece: Option<&Piece>, rest: &'a str) -> Option<&'a str> {
    match piece {
        Some(Piece::Text(text)) => memmem::find(rest.as_bytes(), text.as_bytes()).and_then(|at| rest.get(at..)),
        Some(Piece::Dash) => rest.find(DASHES).and_then(|at| rest.get(at..)),
        // Nothing follows: the star takes the rest.
        None => Some(""),
        Some(Piece::One | Piece::Many) => Some(rest),
    }
}

fn step<'a>(piece: &Piece, rest: &'a str) -> Option<&'a str> {
    if let Piece::Text(text) = piece {
        return rest.strip_prefix(text.as_str());
    }
    let mut characters = rest.chars();
    let character = characters.next()?;
    // None of the option marks has a case.
    let fits = *piece != Piece::Dash || DASHES.contains(&character);
    fits.then_some(characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_their_prefix_and_with_something_behind() {
        let pattern = |written: &str, anchor| TextPattern::new(read_pieces(written), anchor, false);
        let finds =
            |patterns: &[TextPattern], value: &str| patterns.iter().any(|pattern| pattern.matches(value, &fold(value)));
        let image = pattern("/bash", Anchor::EndsWith).without_prefix("/");
        assert!(finds(&image, "bash") && finds(&image, "Bash") && !finds(&image, "rbash"));
        let hash = pattern("SHA256=ab", Anchor::Contains).without_prefix("SHA256=");
        assert!(finds(&hash, "abcd") && !finds(&hash, "cdab"));
        let version = pattern("HTTP/1.1", Anchor::Whole).without_prefix("HTTP/");
        assert!(finds(&version, "1.1") && !finds(&version, "1.10"));
        assert!(pattern("/usr/bin/bash", Anchor::Whole).without_prefix("/x").is_empty());
        let name = pattern(".onion", Anchor::EndsWith).followed_by(".").unwrap();
        assert!(finds(std::slice::from_ref(&name), "x.onion.") && !finds(&[name], "x.onion"));
        assert_eq!(pattern("a", Anchor::StartsWith).followed_by("."), None);
        assert_eq!(pattern("True", Anchor::Whole).whole_text().as_deref(), Some("true"));
        assert_eq!(pattern("a*", Anchor::Whole).whole_text(), None);
    }

    fn matches(written: &str, anchor: Anchor, value: &str) -> bool {
        TextPattern::new(read_pieces(written), anchor, false).matches(value, &fold(value))
    }

    #[test]
    fn backslashes_escape_as_the_specification_lists() {
        let text = |text: &str| Piece::Text(text.to_owned());
        for (written, expected) in [
            (r"\n", vec![text(r"\n")]),
            (r"a\b", vec![text(r"a\b")]),
            (r"\\", vec![text(r"\")]),
            (r"\*", vec![text("*")]),
            (r"\?", vec![text("?")]),
            (r"\\*", vec![text(r"\"), Piece::Many]),
            (r"\\\*", vec![text(r"\*")]),
            (r"\\\\", vec![text(r"\\")]),
            (r"\\\", vec![text(r"\\")]),
            ("a**b", vec![text("a"), Piece::Many, text("b")]),
        ] {
            assert_eq!(read_pieces(written), expected, "{written}");
        }
    }

    #[test]
    fn anchors_and_wildcards_work_together() {
        assert!(matches("ABC", Anchor::Whole, "abc"));
        assert!(!matches("abc", Anchor::Whole, "xabc"));
        assert!(matches("foo*bar", Anchor::Contains, "x foo 1 bar y"));
        assert!(matches("*/config/*.js*", Anchor::Whole, "/a/config/x.json"));
        assert!(!matches("/config/*.js", Anchor::Whole, "/a/config/x.js"));
        assert!(matches("a?c", Anchor::Whole, "aéc"));
        assert!(!matches("a?c", Anchor::Whole, "ac"));
        assert!(matches("a*c", Anchor::Whole, "a\nb\nc"));
        assert!(matches(r"path\", Anchor::EndsWith, r"some\path\"), "a trailing backslash is literal");
        assert!(matches("", Anchor::Whole, ""));
        assert!(!matches("", Anchor::Whole, "x"));
        assert!(matches("*ab*ab", Anchor::Whole, "xababab"));
    }

    #[test]
    fn option_marks_stand_for_each_other() {
        let pattern = TextPattern::new(with_dashes(read_pieces(" -enc ")), Anchor::Contains, false);
        for value in ["x -enc y", "x /ENC y", "x \u{2013}enc y", "x \u{2015}enc y"] {
            assert!(pattern.matches(value, &fold(value)), "{value}");
        }
        assert!(!pattern.matches("x +enc y", "x +enc y"));
    }

    #[test]
    fn cased_patterns_see_the_case() {
        let pattern = TextPattern::new(read_pieces("Abc"), Anchor::Contains, true);
        assert!(pattern.matches("xAbcx", "xabcx"));
        assert!(!pattern.matches("xabcx", "xabcx"));
    }
}
