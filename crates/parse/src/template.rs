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
use event::catalog::{FieldType, field};
use event::{BatchBuilder, FieldId};
use memchr::memmem;

use crate::address::{decimal, is_ip, put_ip, put_peer};

mod compile;
mod parts;
#[cfg(test)]
pub(crate) mod spelled;
mod syntax;

#[cfg(test)]
pub(crate) use parts::Piece;
pub(crate) use parts::Takes;
use parts::{BadTemplate, CAPTURES_MAX, Follow, Move, Sought};

/// Steps that are made for one message before it counts as unclear.
const STEPS_MAX: usize = 1500;
/// Bytes of a text of the template that the program does not repeat in its other words.
const MARK_BYTES_MIN: usize = 5;
/// Bytes of [`Template::keys`].
const KEY_BYTES_MAX: usize = 40;

/// A template, ready to read messages.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    steps: Vec<Move>,
    captures: Vec<(Option<FieldId>, Takes)>,
    ignores_case: bool,
    /// More may follow the template's end.
    is_open: bool,
    /// Texts that no [`Takes::Own`] holds.
    marks: Option<AhoCorasick>,
    /// Texts that stand behind the first one in every message, in this order; none where letters may be of either case.
    needed: Vec<Sought>,
}

impl Template {
    pub(crate) fn read(text: &str) -> Result<Template, BadTemplate> {
        let (text, ignores_case) = text.strip_prefix("(i)").map_or((text, false), |rest| (rest, true));
        let (steps, captures) = compile::compiled(&syntax::nodes(text)?)?;
        let has_own = captures.iter().any(|(_, kind)| *kind == Takes::Own);
        let marks = has_own.then(|| compile::marks(&steps, MARK_BYTES_MIN)).flatten();
        let needed = if ignores_case { Vec::new() } else { compile::needed(&steps) };
        Ok(Template { steps, captures, ignores_case, is_open: false, marks, needed })
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
            Some(Move::Literal(literal)) => literal,
            _ => b"",
        }
    }

    /// Texts of which every message holds one: the longest that all hold, or one for each way of a part.
    pub(crate) fn keys(&self) -> Vec<&[u8]> {
        let cut = |key: &'_ [u8]| key.len().min(KEY_BYTES_MAX);
        let (mut at, mut best) = (0, Vec::new());
        let shortest = |keys: &[&[u8]]| keys.iter().map(|key| cut(key)).min().unwrap_or(0);
        while let Some(step) = self.steps.get(at) {
            at += 1;
            let keys = match step {
                Move::Literal(literal) => vec![&literal[..]],
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
                    key = if literal.len() > key.len() { literal } else { key };
                    at + 1
                }
                _ => at + 1,
            };
        }
        key
    }

    #[inline]
    fn begins(&self, text: &[u8], literal: &[u8]) -> bool {
        match self.ignores_case {
            false if text.first() != literal.first() => literal.is_empty(),
            true => text.get(..literal.len()).is_some_and(|head| head.eq_ignore_ascii_case(literal)),
            false => text.starts_with(literal),
        }
    }

    /// Whether a message that the template reads may stand somewhere in the text.
    pub(crate) fn may_be_in(&self, text: &[u8]) -> bool {
        self.ignores_case || memmem::find(text, self.head()).is_some_and(|at| self.has_needed(&text[at..]))
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

    /// What the readings of the message agree on; `None` where it is another message.
    #[inline]
    pub(crate) fn read_message<'a>(&self, message: &'a [u8]) -> Option<Values<'a>> {
        if !self.begins(message, self.head()) || !self.has_needed(message) {
            return None;
        }
        let mut search = Search { template: self, message, now: [None; CAPTURES_MAX], found: None, steps: 0 };
        search.go(0, 0);
        search.found
    }
}

/// A field, what its capture takes, and the value where readings agree on one.
type ValueOf<'a> = (FieldId, Takes, Option<&'a [u8]>);

/// Fields and their values, as a message told them; no value where it can be read in several ways.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    /// Those that there are come first.
    values: [Option<ValueOf<'a>>; CAPTURES_MAX],
    count: usize,
}

impl<'a> Values<'a> {
    const NONE: Self = Values { values: [None; CAPTURES_MAX], count: 0 };

    fn push(&mut self, value: ValueOf<'a>) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = Some(value);
            self.count += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &ValueOf<'a>> {
        self.values[..self.count].iter().flatten()
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut ValueOf<'a>> {
        self.values[..self.count].iter_mut().flatten()
    }

    /// Takes out what another reading of the same message tells otherwise; where they differ on who it was, all that the other
    /// one does not tell.
    pub(crate) fn doubt(&mut self, other: &Values<'a>) {
        let mut is_another = false;
        for (id, _, value) in self.iter_mut() {
            if other.iter().any(|(known, _, it)| known == id && (it != value || it.is_none())) {
                *value = None;
                is_another |= matches!(*id, field::USER_NAME | field::SOURCE_IP);
            }
        }
        if is_another {
            self.keep_shared(other);
        }
    }

    /// Takes out what another reading by the same template does not tell, too.
    fn keep_shared(&mut self, other: &Values<'a>) {
        for (id, _, value) in self.iter_mut() {
            if !other.iter().any(|(known, _, it)| known == id && it == value) {
                *value = None;
            }
        }
    }

    pub(crate) fn put(&self, rows: &mut BatchBuilder) {
        for (id, kind, value) in self.iter() {
            if let Some(value) = value {
                put_value(rows, *id, *kind, value);
            }
        }
    }
}

/// The search for all readings of one message.
struct Search<'a, 't> {
    template: &'t Template,
    message: &'a [u8],
    now: [Option<(usize, usize)>; CAPTURES_MAX],
    found: Option<Values<'a>>,
    steps: usize,
}

impl Search<'_, '_> {
    /// Reads from `at` on with the steps from `step` on.
    fn go(&mut self, mut step: usize, mut at: usize) {
        let template = self.template;
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return self.give_up();
            }
            let rest = &self.message[at..];
            match &template.steps[step] {
                Move::End => {
                    if rest.is_empty() || template.is_open {
                        self.add();
                    }
                    return;
                }
                Move::Literal(literal) => {
                    if !template.begins(rest, literal) {
                        return;
                    }
                    at += literal.len();
                    step += 1;
                }
                Move::Blanks => {
                    at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    step += 1;
                }
                Move::Jump(to) => step = *to,
                Move::Split(ways) => {
                    for way in ways {
                        let begins = match &template.steps[*way] {
                            Move::Literal(literal) => template.begins(rest, literal),
                            _ => true,
                        };
                        if begins {
                            self.go(*way, at);
                        }
                    }
                    return;
                }
                Move::Capture(slot, follow) => return self.capture((step, at, *slot), follow),
            }
        }
    }

    fn capture(&mut self, (step, at, slot): (usize, usize, usize), follow: &Follow) {
        let message = self.message;
        let kind = self.template.captures[slot].1;
        let longest = at + extent(kind, &message[at..]);
        let take = |search: &mut Self, end: usize| {
            if fits(kind, &message[at..end]) && (kind != Takes::Own || search.is_own(at, end)) {
                search.now[slot] = Some((at, end));
                search.go(step + 1, end);
                search.now[slot] = None;
            }
        };
        if follow.anywhere {
            return (at..=longest).for_each(|end| take(self, end));
        }
        if follow.end {
            if self.template.is_open {
                take(self, longest - trailing_marks(kind, &message[at..longest]));
            } else if longest == message.len() {
                take(self, longest);
            }
        }
        for (which, literal) in follow.literals.iter().enumerate() {
            let mut from = at;
            while let Some(end) = self.next(literal, from).filter(|end| *end <= longest && self.steps <= STEPS_MAX) {
                // Where several texts that may follow stand at one place, it is tried once.
                let is_tried =
                    follow.literals[..which].iter().any(|it| self.template.begins(&message[end..], it.text()));
                if !(is_tried || follow.end && !self.template.is_open && end == message.len()) {
                    take(self, end);
                }
                from = end + 1;
            }
        }
    }

    /// Whether none of the template's longer texts stands between these places.
    fn is_own(&self, start: usize, end: usize) -> bool {
        !self.template.marks.as_ref().is_some_and(|marks| marks.is_match(&self.message[start..end]))
    }

    /// Where the literal stands next.
    fn next(&self, literal: &Sought, from: usize) -> Option<usize> {
        let rest = self.message.get(from..)?;
        let found = match self.template.ignores_case {
            true => {
                let text = literal.text();
                rest.windows(text.len()).position(|here| here.eq_ignore_ascii_case(text))
            }
            false => literal.find(rest),
        };
        found.map(|at| from + at)
    }

    fn add(&mut self) {
        let mut values = Values::NONE;
        for (place, (id, kind)) in self.now.iter().zip(&self.template.captures) {
            if let (Some(id), Some((start, end))) = (id, place) {
                values.push((*id, *kind, Some(&self.message[*start..*end])));
            }
        }
        match &mut self.found {
            None => self.found = Some(values),
            Some(found) => found.keep_shared(&values),
        }
    }

    /// Too many readings: what they agree on is not known.
    fn give_up(&mut self) {
        let mut values = Values::NONE;
        for (id, kind) in &self.template.captures {
            if let Some(id) = id {
                values.push((*id, *kind, None));
            }
        }
        self.found = Some(values);
    }
}

/// Marks that end a sentence behind a name or an address.
fn trailing_marks(kind: Takes, text: &[u8]) -> usize {
    match kind {
        Takes::Host | Takes::Peer | Takes::Ip => {
            text.iter().rev().take_while(|byte| matches!(byte, b'.' | b':')).count()
        }
        _ => 0,
    }
}

/// How many bytes the capture can take at most.
fn extent(kind: Takes, text: &[u8]) -> usize {
    let run = |takes: fn(u8) -> bool| text.iter().position(|byte| !takes(*byte)).unwrap_or(text.len());
    match kind {
        Takes::Text | Takes::Own => text.len(),
        Takes::Word => run(|byte| !matches!(byte, b' ' | b'\t')),
        Takes::Name => run(|byte| !byte.is_ascii_whitespace() && !b":/,()[]'\"".contains(&byte)),
        Takes::Host | Takes::Peer => run(is_of_host),
        Takes::Ip => {
            run(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'%') || byte.is_ascii_alphanumeric())
        }
        Takes::Number => run(|byte| byte.is_ascii_digit()),
    }
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%')
}

fn fits(kind: Takes, text: &[u8]) -> bool {
    match kind {
        Takes::Text | Takes::Own => true,
        Takes::Word | Takes::Name | Takes::Host | Takes::Peer => !text.is_empty(),
        Takes::Number => decimal(text).is_some(),
        Takes::Ip => {
            let bare = memchr::memchr(b'%', text).map_or(text, |zone| &text[..zone]);
            is_ip(bare)
        }
    }
}

fn put_value(rows: &mut BatchBuilder, id: FieldId, kind: Takes, value: &[u8]) {
    if matches!(value, b"" | b"-") {
        return;
    }
    match (kind, BatchBuilder::kind_of(id)) {
        (Takes::Peer, _) => put_peer(rows, value),
        // Names are kept without the dot of the root, as rules and lists write them.
        _ if id == field::DNS_QUESTION_NAME => {
            rows.text(id, value.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(value));
        }
        (_, FieldType::Ip) => put_ip(rows, id, value),
        (_, FieldType::Long) => {
            if let Some(number) = decimal(value) {
                rows.long(id, number);
            }
        }
        _ => rows.text(id, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes to fields, in the order of the captures.
    fn values(template: &str, message: &str) -> Option<Vec<Option<String>>> {
        let template = Template::read(template).unwrap();
        let values = template.read_message(message.as_bytes())?;
        let text = |value: &Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
        Some(values.iter().map(|(_, _, value)| text(value)).collect())
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
