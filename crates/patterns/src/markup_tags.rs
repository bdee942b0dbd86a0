//! Tags and attributes within a value: what a browser would load or run because they stand there, and what lets an
//! attribute that the value was put into end. Says nothing of script by itself.

use memchr::{memchr_iter, memmem};

use crate::grammar::Reading;
use crate::markup_words::{MarkupWords, head};

/// Tags of a value that are looked at, and characters of each.
const TAGS_MAX: usize = 200;
const TAG_MAX: usize = 1000;
/// Characters of a value behind an equals sign that are looked at.
const VALUE_MAX: usize = 200;
/// Places at which an attribute may begin that are looked at.
const ATTRIBUTES_MAX: usize = 400;

/// The surest of the tags in a text.
pub(super) fn tags(text: &str, words: &MarkupWords) -> Option<Reading> {
    let mut best = None;
    for start in memchr_iter(b'<', text.as_bytes()).take(TAGS_MAX) {
        let found = Tag::at(text, start).and_then(|tag| tag.read(words));
        best = Reading::surer(best, found);
        if best.as_ref().is_some_and(|best| best.points == 5) {
            break;
        }
    }
    best
}

/// A tag as a browser finds it: what stands in it, and a piece of what follows.
struct Tag<'a> {
    /// Without the prefix of a namespace.
    name: &'a str,
    closes: bool,
    /// An instruction: `<?xml …`.
    is_instruction: bool,
    attributes: &'a str,
    body: &'a str,
    /// Nothing stands before it.
    is_alone: bool,
    /// No tag stands before it that it could close.
    is_left_open: bool,
}

impl<'a> Tag<'a> {
    fn at(text: &'a str, start: usize) -> Option<Self> {
        let all = head(text.get(start + 1..)?, TAG_MAX);
        let after = all.trim_start_matches(['/', '\0', '\t', '\n', '\r', ' ', '%', '?', '<']);
        let name_end = after.find(|end: char| !(end.is_ascii_alphanumeric() || matches!(end, '-' | ':' | '_')));
        let (name, rest) = after.split_at(name_end.unwrap_or(after.len()));
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        let end = tag_end(rest);
        Some(Tag {
            name: name.rsplit(':').next().unwrap_or(name),
            closes: all.starts_with('/'),
            is_instruction: all.starts_with('?'),
            attributes: &rest[..end],
            body: rest.get(end + 1..).unwrap_or(""),
            is_left_open: memchr::memchr(b'<', text.as_bytes()) == Some(start),
            is_alone: text.get(..start).is_some_and(|before| before.trim().is_empty()),
        })
    }

    fn read(&self, words: &MarkupWords) -> Option<Reading> {
        let mut best = self.by_name(words);
        let mut rest = self.attributes;
        while let Some(at) = rest.find('=') {
            let before = rest[..at].trim_end();
            let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, ':' | '-' | '_' | '@' | '.' | '*');
            let word_at = before.rfind(|end: char| !is_part(end));
            let start = word_at.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
            let value = head(rest[at + 1..].trim_start(), VALUE_MAX).trim_start_matches(['"', '\'', '`']);
            best = Reading::surer(best, attribute(&before[start..], value, words));
            rest = &rest[at + 1..];
            if best.as_ref().is_some_and(|best| best.points == 5) {
                break;
            }
        }
        best
    }

    /// What the element does by being there.
    fn by_name(&self, words: &MarkupWords) -> Option<Reading> {
        let own = self.attributes;
        let loads = ["src", "href", "http", "url", "//"].iter().any(|word| own.contains(word));
        let has = |word: &str| own.contains(word);
        let points = match self.name {
            "script" | "textarea" | "style" | "title" | "iframe" | "noscript" if self.closes && self.is_left_open => 3,
            _ if self.closes => 0,
            "import" | "xml-stylesheet" if has("implementation") || has("href") => 5,
            "xml" if self.is_instruction => 0,
            "script" | "style" if loads && own.contains('=') => 5,
            "script" | "style" | "xml" => {
                let runs = self.body.contains(['(', '`', '=', ';']) || self.body.contains("</");
                match (runs, self.name) {
                    (true, _) => 5,
                    (false, "xml") if has("src") || has("id") => 4,
                    (false, "script") if self.is_alone && self.body.is_empty() => 4,
                    (false, "script") => 2,
                    _ => 1,
                }
            }
            "meta" if has("http-equiv") && own.contains('=') => 5,
            "meta" if has("charset") && own.contains('=') => 3,
            "meta" | "link" | "base" if loads && own.contains('=') => 5,
            "meta" | "link" | "base" => 1,
            "isindex" => 4 + u32::from(own.contains('=')),
            "plaintext" => 3,
            "template" | "stylesheet" if own.contains("match") || own.contains("xsl") => 3,
            name if words.active.has(name) => match own.contains('=') {
                true => 5,
                false if self.is_alone && self.body.is_empty() => 4,
                false => 2,
            },
            "svg" | "math" if self.is_alone && self.body.is_empty() => 3,
            "html" | "body" | "form" | "input" | "button" | "video" | "audio" | "img" | "a" if own.contains('=') => 2,
            "html" | "body" | "svg" | "math" | "marquee" | "noscript" | "img" => 2,
            _ => 1,
        };
        (points > 0).then(|| {
            Reading::new(points, if points > 3 { "an element that loads or runs something" } else { "an element" })
        })
    }
}

/// Where the tag ends: behind its quoted values; where those do not end, at the first bracket.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return at,
            (b'"' | b'\'', None) => quote = Some(byte),
            _ if quote == Some(byte) => quote = None,
            _ => {}
        }
    }
    rest.find('>').unwrap_or(rest.len())
}

/// What one attribute of a tag does.
fn attribute(name: &str, value: &str, words: &MarkupWords) -> Option<Reading> {
    let read = |points: u32, what: &'static str| (points > 0).then(|| Reading::new(points, what));
    if let Some(known) = words.is_known_event(name) {
        let points = match (known, runs_script(value, words)) {
            (_, true) => 5,
            (true, false) if !value.is_empty() => 5,
            (true, false) => 4,
            (false, false) => 3,
        };
        return read(points, "an element with an event handler");
    }
    if name.starts_with('@') || words.binding.iter().any(|binding| name.starts_with(binding.as_str())) {
        let acts = ["constructor", "$event", "$emit", "alert", "eval", "window", "document", "javascript"];
        let sure = acts.iter().any(|word| value.contains(word)) || value.starts_with("//");
        return read(if sure { 5 } else { 3 }, "an element with an expression of a framework");
    }
    if name == "srcdoc" {
        return read(5, "an element with a document of its own");
    }
    if name == "style" {
        return read(style(value), "an element with a style that acts");
    }
    if matches!(name, "attributename" | "from" | "values" | "to" | "by") {
        let changes = value.contains("href") || value.starts_with("on") || words.script_address(value) > 3;
        return read(if changes { 5 } else { 0 }, "an element that changes an address or handler");
    }
    if words.address.has(name) {
        let address = words.script_address(value);
        let torn = value.starts_with("javascript") && !value.starts_with("javascripts");
        let points = match (address, torn) {
            (4.., _) | (2, false) => 5,
            // `javascript:void(0)`.
            (2, true) => 2,
            (_, true) => 4,
            (points, false) => points,
        };
        return read(points, "an element with a script address");
    }
    match name {
        "datasrc" | "dataformatas" => read(5, "an element that shows data as markup"),
        "datafld" => read(4, "an element that shows data as markup"),
        "xsi:schemalocation" | "xsi:nonamespaceschemalocation" => read(3, "an element with a schema from elsewhere"),
        "xmlns" | "xmlns:xlink" if value.contains("xhtml") || value.contains("svg") => {
            read(3, "an element with a namespace")
        }
        _ => None,
    }
}

/// How sure it is that a style acts.
fn style(value: &str) -> u32 {
    let has = |word: &str| value.contains(word);
    if has("expression")
        || has("javascript")
        || has("binding:")
        || has("behavior")
        || has("behaviour")
        || has("@import")
    {
        5
    } else if has("url(") && (has("//") || has("data:")) {
        4
    } else if has("url(") || has("position:fixed") || has("position:absolute") {
        2
    } else {
        0
    }
}

fn runs_script(value: &str, words: &MarkupWords) -> bool {
    value.contains(['(', '`', '=']) || value.starts_with("location") || words.script_address(value) > 3
}

/// `x" onfocus=…`, `" style="…`: an attribute in the list that a value breaks into.
pub(super) fn attribute_start(text: &str, words: &MarkupWords) -> Option<Reading> {
    let first_quote = text.find(['"', '\'', '`']);
    let mut best = None;
    for at in memmem::find_iter(text.as_bytes(), b"on").filter(|at| is_separated(text, *at)).take(ATTRIBUTES_MAX) {
        let found = handler(text, at, first_quote.is_some_and(|quote| quote < at), words);
        best = Reading::surer(best, found);
        if best.as_ref().is_some_and(|best| best.points == 5) {
            return best;
        }
    }
    Reading::surer(best, first_quote.and_then(|quote| ended_attribute(text, quote, words)))
}

fn is_separated(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("a");
    before.is_empty() || before.ends_with([' ', '"', '\'', '/', '\t', '\n', '\r', '\u{c}', '`', '\0', ';'])
}

fn handler(text: &str, at: usize, breaks_out: bool, words: &MarkupWords) -> Option<Reading> {
    let word = head(text.get(at..)?, VALUE_MAX);
    let end = word.find(|end: char| !end.is_ascii_alphanumeric()).unwrap_or(word.len());
    let known = words.is_known_event(&word[..end])?;
    let value = word[end..].trim_start().strip_prefix('=')?;
    let value = value.trim_start().trim_start_matches(['"', '\'', '`']);
    let points = match (known, breaks_out, runs_script(value, words)) {
        (true, _, true) | (false, true, true) => 5,
        (true, true, false) if !value.is_empty() => 5,
        (false, false, true) if value.contains(['(', '`']) => 4,
        (true, true, false) => 4,
        (true, false, false) if value.is_empty() || at == 0 => 2,
        (false, true, false) => 2,
        _ => return None,
    };
    Some(Reading::new(points, "an event handler put into an attribute list"))
}

/// Behind the first quote: another attribute, or the end of the tag.
fn ended_attribute(text: &str, quote: usize, words: &MarkupWords) -> Option<Reading> {
    let all = head(text.get(quote + 1..)?, TAG_MAX);
    let rest = all.trim_start_matches([' ', '/', '\t', '\n', '\r']);
    if let Some(after) = rest.strip_prefix('>') {
        let opens = after.trim_start().starts_with('<') || after.contains('<');
        return Some(Reading::new(if opens { 3 } else { 2 }, "the end of a tag"));
    }
    let end = rest.find(|end: char| !(end.is_ascii_alphanumeric() || matches!(end, ':' | '-' | '@'))).unwrap_or(0);
    let value = rest.get(end..)?.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'', '`']);
    let separated = rest.len() < all.len() || quote == 0;
    let found = attribute(&rest[..end], head(value, VALUE_MAX), words);
    // An event that nobody knows is a word like another here.
    let unknown = words.is_known_event(&rest[..end]) == Some(false);
    let most = |read: Reading| if unknown && read.points == 3 { Reading { points: 2, ..read } } else { read };
    found.filter(|_| separated && end > 0).map(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_tag_only_so_much_is_looked_at() {
        for piece in ["<a ", "<a b='", "<b c=\"x\" ", "<script>"] {
            let hostile = piece.repeat(60_000 / piece.len());
            let tags = memchr_iter(b'<', hostile.as_bytes()).filter_map(|start| Tag::at(&hostile, start));
            let longest = tags.map(|tag| tag.attributes.len() + tag.body.len()).max().unwrap_or(0);
            assert!((1..=TAG_MAX).contains(&longest), "{piece}: {longest}");
        }
    }

    #[test]
    fn a_tag_ends_behind_its_quoted_values() {
        assert_eq!(tag_end(" a='>' b>c"), 8);
        assert_eq!(tag_end(" a='x> b"), 5);
    }
}
