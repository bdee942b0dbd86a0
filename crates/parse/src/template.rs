//! Message templates: what a program writes, with captures where its values stand. A template describes the whole message,
//! from its first byte to its last, and a value counts only where all readings of the message agree on it: text that a client
//! wrote cannot move the end of what the program wrote. Knows no program.
//!
//! ```text
//! Failed password for {user.name} from {source.ip} port {source.port} ssh2
//! ```
//! | capture | takes |
//! |---|---|
//! | `{source.ip}` | an address; ports, ids and other numbers of the catalog take digits |
//! | `{user.name}` | any text, blanks included: taken for a client's own words |
//! | `{user.name:word}` | a text without blanks |
//! | `{source:peer}` | an address or the name of a host, for `source.ip` or `source.domain` |
//! | `{url.domain:host}` | the name of a host or an address |
//! | `{rule.name:name}` | letters, digits, `_ - . @ \` and more, neither blank nor `: / , ( ) [ ] ' "`: names that a device gives to its parts |
//! | `{*}`, `{:word}`, `{:name}`, `{:number}`, `{:host}`, `{:ip}` | text that goes nowhere |
//! | `{:own}`, `{event.reason:own}` | text, blanks included, in which no client has a word, and no longer text of the template stands |
//! | `{_}` | blanks, or none |
//! | `{"` | as it stands |
//! | `{? … ?}` | a part that may be missing |
//! | `{( … || … )}`, `{? … || … ?}` | one of several parts; parts may hold parts |
//! | `(i)` in front | letters of either case |

use aho_corasick::AhoCorasick;
use event::FieldId;

use crate::needle::Head;

mod bigrams;
mod compile;
mod parts;
mod search;
#[cfg(test)]
pub(crate) mod spelled;
mod syntax;
mod told;

use bigrams::Bigrams;
pub(crate) use bigrams::LateBigrams;
#[cfg(test)]
pub(crate) use parts::Piece;
pub(crate) use parts::Takes;
use parts::{BadTemplate, Move, Sought};
pub(crate) use told::Values;

/// Bytes of a text of the template that the program does not repeat in its other words.
const MARK_BYTES_MIN: usize = 5;
/// Bytes of [`Template::keys`].
const KEY_BYTES_MAX: usize = 40;

/// A template, ready to read messages.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    steps: Vec<Move>,
    /// The text with which every message begins.
    start: Option<Sought>,
    captures: Vec<(Option<FieldId>, Takes)>,
    ignores_case: bool,
    /// More may follow the template's end.
    is_open: bool,
    /// Texts that no [`Takes::Own`] holds.
    marks: Option<AhoCorasick>,
    /// Texts that stand behind the first one in every message, in this order; none where letters may be of either case.
    needed: Vec<Sought>,
    /// Pairs of bytes that every message has.
    bigrams: Bigrams,
    /// For each step, where one goes on behind jumps.
    landings: Vec<usize>,
}

impl Template {
    pub(crate) fn read(text: &str) -> Result<Template, BadTemplate> {
        let (text, ignores_case) = text.strip_prefix("(i)").map_or((text, false), |rest| (rest, true));
        let (steps, captures) = compile::compiled(&syntax::nodes(text)?)?;
        let has_own = captures.iter().any(|(_, kind)| *kind == Takes::Own);
        let marks = has_own.then(|| compile::marks(&steps, MARK_BYTES_MIN)).flatten();
        let needed = if ignores_case { Vec::new() } else { compile::needed(&steps) };
        let bigrams = compile::bigrams(&steps);
        let start = match steps.first() {
            Some(Move::Literal(literal)) => Some(Sought::new(literal.text())),
            _ => None,
        };
        let landings = compile::landings(&steps);
        Ok(Template { steps, start, captures, ignores_case, is_open: false, marks, needed, bigrams, landings })
    }

    /// The template, and whatever follows it.
    pub(crate) fn with_rest(self) -> Self {
        Template { is_open: true, ..self }
    }

    /// Whether a capture goes to the field.
    pub(crate) fn has(&self, id: FieldId) -> bool {
        self.captures.iter().any(|(known, _)| *known == Some(id))
    }

    /// The text with which every message begins.
    pub(crate) fn head(&self) -> &[u8] {
        match self.steps.first() {
            Some(Move::Literal(literal)) => literal.text(),
            _ => b"",
        }
    }

    /// As [`Self::head`], where its letters stand in every message as they stand in it.
    pub(crate) fn exact_head(&self) -> &[u8] {
        if self.ignores_case { b"" } else { self.head() }
    }

    /// Texts of which every message holds one: the longest that all hold, or one for each way of a part.
    pub(crate) fn keys(&self) -> Vec<&[u8]> {
        let cut = |key: &'_ [u8]| key.len().min(KEY_BYTES_MAX);
        let (mut at, mut best) = (0, Vec::new());
        let shortest = |keys: &[&[u8]]| keys.iter().map(|key| cut(key)).min().unwrap_or(0);
        while let Some(step) = self.steps.get(at) {
            at += 1;
            let keys = match step {
                Move::Literal(literal) => vec![literal.text()],
                // Behind all of its parts the ways meet: each ends in a jump there.
                Move::Split(ways) => {
                    at = compile::meeting(&self.steps, ways);
                    ways.iter().map(|way| self.longest_of_way(*way)).collect()
                }
                _ => continue,
            };
            if shortest(&keys) > shortest(&best) {
                best = keys;
            }
        }
        best.iter().map(|key| &key[..cut(key)]).collect()
    }

    /// The longest text of one way of a part, without the parts within.
    fn longest_of_way(&self, from: usize) -> &[u8] {
        let (mut at, mut key) = (from, &b""[..]);
        while let Some(step) = self.steps.get(at) {
            at = match step {
                Move::Jump(_) => break,
                Move::Split(ways) => compile::meeting(&self.steps, ways),
                Move::Literal(literal) => {
                    key = if literal.text().len() > key.len() { literal.text() } else { key };
                    at + 1
                }
                _ => at + 1,
            };
        }
        key
    }

    #[inline]
    fn begins(&self, text: &[u8], literal: &Head) -> bool {
        match self.ignores_case {
            true => text.get(..literal.text().len()).is_some_and(|head| head.eq_ignore_ascii_case(literal.text())),
            false => literal.begins(text),
        }
    }

    #[inline]
    fn begins_message(&self, message: &[u8]) -> bool {
        match self.steps.first() {
            Some(Move::Literal(literal)) => self.begins(message, literal),
            _ => true,
        }
    }

    /// Whether a message that the template reads may stand somewhere in the text.
    pub(crate) fn may_be_in(&self, text: &[u8], known: &mut LateBigrams) -> bool {
        known.hold(text, &self.bigrams)
            && (self.ignores_case || self.place_of_start(text).is_some_and(|at| self.has_needed(&text[at..])))
    }

    /// Where the text with which every message begins stands first.
    #[inline]
    fn place_of_start(&self, text: &[u8]) -> Option<usize> {
        self.start.as_ref().map_or(Some(0), |start| start.find(text))
    }

    /// Whether the message has the texts without which it is another one. Most others are told apart by this.
    #[inline]
    fn has_needed(&self, message: &[u8]) -> bool {
        let mut rest = &message[self.head().len()..];
        self.needed.iter().all(|text| {
            let Some(at) = text.find(rest) else { return false };
            rest = &rest[at + text.text().len()..];
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes to fields, in the order of the captures.
    fn values(template: &str, message: &str) -> Option<Vec<Option<String>>> {
        let template = Template::read(template).unwrap();
        let values = template.read_message(message.as_bytes(), &mut LateBigrams::default())?;
        let text = |value: &Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
        Some(values.iter().map(|(_, _, value)| text(&value)).collect())
    }

    fn some(values: &[&str]) -> Option<Vec<Option<String>>> {
        Some(values.iter().map(|value| Some((*value).to_owned())).collect())
    }

    #[test]
    fn a_template_takes_whole_messages() {
        let login = "login of {user.name} from {source.ip} port {source.port}";
        assert_eq!(values(login, "login of ann b from 192.0.2.1 port 22"), some(&["ann b", "192.0.2.1", "22"]));
        assert_eq!(values(login, "login of ann from 192.0.2.1 port 22 "), None);
        assert_eq!(values(login, "login of ann from host port 22"), None);
        assert_eq!(values("(i)LOGIN from [{source.ip}]", "Login FROM [2001:db8::1]"), some(&["2001:db8::1"]));
        assert_eq!(values("from {source:peer}", "from a-1.example"), some(&["a-1.example"]));
        assert_eq!(values("a{? b={user.name:word}?}{? c={user.id:number}?}", "a c=7"), some(&["7"]));
        assert_eq!(values("a{? b={user.name:word}?}{? c={user.id:number}?}", "a b=x c=7"), some(&["x", "7"]));
        let parts = "{(no||bad)} {?login{? of {user.name:word}.?}||logout?}{_}:{_}{source.ip}";
        assert_eq!(values(parts, "bad login of x.  : 192.0.2.1"), some(&["x", "192.0.2.1"]));
        assert_eq!(values(parts, "no logout:192.0.2.1"), some(&["192.0.2.1"]));
        assert_eq!(values(parts, "bad :192.0.2.1"), some(&["192.0.2.1"]));
        assert_eq!(Template::read(parts).unwrap().keys(), [&b"no"[..], b"bad"]);
        assert_eq!(Template::read("a{? b?} cd {:word} cd").unwrap().keys(), [b" cd "]);
        assert_eq!(Template::read("{?long text?}ab{(cd||{:word} efgh)}").unwrap().keys(), [&b"ab"[..]]);
        assert_eq!(
            values("[{source.ip}]:{source.port}: {event.reason}", "[::1]:5: x [::2]:6: y"),
            some(&["::1", "5", "x [::2]:6: y"])
        );
    }

    #[test]
    fn what_readings_differ_on_is_left_out() {
        let login = "login of {user.name} from {source.ip}{? {event.reason}?}";
        let found = values(login, "login of x from 203.0.113.9 y from 192.0.2.1 z").unwrap();
        assert_eq!(found, [None, None, None]);
        // A full reading that no client can change is one.
        assert_eq!(
            values("{user.name} at {source.ip}", "x at 203.0.113.9 at 192.0.2.1"),
            some(&["x at 203.0.113.9", "192.0.2.1"])
        );
        let long = format!("login of {} from 192.0.2.1 y", "x from 203.0.113.9 ".repeat(3000));
        assert!(values(login, &long).unwrap().iter().all(Option::is_none));
    }

    #[test]
    fn bad_templates_are_refused() {
        for (text, words) in [
            ("a {user.name", "not closed"),
            ("a {user.nam}", "no field"),
            ("{user.name}{source.ip}", "two captures"),
            ("{user.name:blob}", "no kind"),
            ("a {? b", "not closed"),
        ] {
            assert!(Template::read(text).unwrap_err().to_string().contains(words), "{text}");
        }
    }
}
