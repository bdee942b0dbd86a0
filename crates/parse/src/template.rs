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
//! | `{*}`, `{:word}`, `{:number}`, `{:host}`, `{:ip}` | text that goes nowhere |
//! | `{_}` | blanks, or none |
//! | `{? … ?}` | a part that may be missing |
//! | `{( … || … )}`, `{? … || … ?}` | one of several parts; parts may hold parts |
//! | `(i)` in front | letters of either case |

use event::catalog::FieldType;
use event::{BatchBuilder, FieldId};
use memchr::memmem;

use crate::address::{decimal, is_ip, put_ip, put_peer};

mod syntax;

/// Places that are tried for one message before it counts as unclear.
const STEPS_MAX: usize = 400;
/// Captures of one template.
const CAPTURES_MAX: usize = 12;
/// Templates that one text may stand for.
const CHOICES_MAX: usize = 512;
/// Bytes of [`Choices::key`].
const KEY_BYTES_MAX: usize = 16;

/// What a capture takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything.
    Text,
    /// Anything without a blank.
    Word,
    /// Letters, digits, dots, hyphens, underscores, colons.
    Host,
    /// An address or a name, for the source.
    Peer,
    /// An address.
    Ip,
    /// Digits.
    Number,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it stands.
    Literal(Vec<u8>),
    /// A value; `None`: it goes nowhere.
    Capture(Option<FieldId>, Kind),
    /// Blanks, or none.
    Blanks,
}

/// A template without optional parts.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    ignores_case: bool,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTemplate {
    #[error("`{0}` is not closed")]
    Open(String),
    #[error("`{0}` is no field of the catalog")]
    UnknownField(String),
    #[error("`{0}` is no kind of capture: use word, host, peer, ip, number or text")]
    UnknownKind(String),
    #[error("two captures follow each other without text between them")]
    Adjacent,
    #[error("more than {CAPTURES_MAX} captures")]
    TooMany,
    #[error("parts that may be missing or differ make more than {CHOICES_MAX} templates")]
    TooManyChoices,
}

impl Template {
    /// Every template that the text stands for: one for each choice of its optional parts, the fullest first.
    pub(crate) fn read(text: &str) -> Result<Vec<Template>, BadTemplate> {
        let (text, ignores_case) = text.strip_prefix("(i)").map_or((text, false), |rest| (rest, true));
        let choices = syntax::choices(text)?;
        choices.iter().map(|text| Ok(Template { pieces: syntax::pieces(text)?, ignores_case })).collect()
    }

    /// The parts, in their order.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether the message can begin and end as the template does: cheap.
    #[inline]
    fn may_read(&self, message: &[u8]) -> bool {
        let begins = match self.pieces.first() {
            Some(Piece::Literal(literal)) => self.begins(message, literal),
            _ => true,
        };
        begins
            && match self.pieces.last() {
                Some(Piece::Literal(literal)) if literal.len() <= message.len() => {
                    self.begins(&message[message.len() - literal.len()..], literal)
                }
                Some(Piece::Literal(_)) => false,
                _ => true,
            }
    }

    /// The text with which the template begins.
    fn head(&self) -> &[u8] {
        match self.pieces.first() {
            Some(Piece::Literal(literal)) => literal,
            _ => b"",
        }
    }

    #[inline]
    fn begins(&self, text: &[u8], literal: &[u8]) -> bool {
        match self.ignores_case {
            true => text.get(..literal.len()).is_some_and(|head| head.eq_ignore_ascii_case(literal)),
            false => text.starts_with(literal),
        }
    }

    /// The template, and whatever follows it.
    pub(crate) fn with_rest(mut self) -> Self {
        if matches!(self.pieces.last(), Some(Piece::Literal(_))) {
            self.pieces.push(Piece::Capture(None, Kind::Text));
        }
        self
    }

    /// Reads the whole message; `None` where it is another one.
    pub(crate) fn read_message<'a>(&self, message: &'a [u8]) -> Option<Reading<'a>> {
        let mut search = Search { template: self, message, now: [(0, 0); CAPTURES_MAX], found: None, steps: 0 };
        search.go(0, 0, 0);
        search.found
    }

    /// The captures of a reading that go to a field; no value where readings differ on it.
    fn values<'a>(&self, reading: &Reading<'a>) -> impl Iterator<Item = (FieldId, Kind, Option<&'a [u8]>)> {
        let captures = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Capture(id, kind) => Some((*id, *kind)),
            Piece::Literal(_) | Piece::Blanks => None,
        });
        captures.zip(reading.values).filter_map(|((id, kind), value)| Some((id?, kind, value)))
    }
}

/// One text with its optional parts and without: the choices read a message together.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    all: Vec<Template>,
    /// What all of them begin with.
    head: Vec<u8>,
}

impl Choices {
    pub(crate) fn read(text: &str) -> Result<Self, BadTemplate> {
        Template::read(text).map(Choices::of)
    }

    pub(crate) fn of(all: Vec<Template>) -> Self {
        let first = all.first().map_or(&b""[..], Template::head);
        let shared = |other: &[u8]| first.iter().zip(other).take_while(|(a, b)| a == b).count();
        let length = all.iter().map(|template| shared(template.head())).min().unwrap_or(0);
        let head = first[..length].to_vec();
        Choices { all, head }
    }

    pub(crate) fn all(&self) -> &[Template] {
        &self.all
    }

    /// The longest text that every choice holds.
    pub(crate) fn key(&self) -> Option<&[u8]> {
        let (first, others) = self.all.split_first()?;
        let literals = |template: &'_ Template| -> Vec<Vec<u8>> {
            template
                .pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Literal(literal) => Some(literal.clone()),
                    _ => None,
                })
                .collect()
        };
        let others: Vec<_> = others.iter().map(literals).collect();
        let everywhere =
            |text: &[u8]| others.iter().all(|texts| texts.iter().any(|it| memmem::find(it, text).is_some()));
        let own = first.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(&literal[..]),
            _ => None,
        });
        // A part of a text may be in all choices where the whole is not.
        let parts = own.flat_map(|text| {
            (0..text.len()).flat_map(move |from| (from + 1..=text.len()).map(move |to| &text[from..to]))
        });
        parts.filter(|part| part.len() <= KEY_BYTES_MAX && everywhere(part)).max_by_key(|part| part.len())
    }

    /// What the choices that read the message agree on; `None` where it is another message.
    pub(crate) fn read_message<'a>(&self, message: &'a [u8]) -> Option<Values<'a>> {
        let begins = |template: &Template| template.begins(message, &self.head);
        if !self.all.first().is_some_and(begins) {
            return None;
        }
        let likely = self.all.iter().filter(|template| template.may_read(message));
        let mut read = likely.filter_map(|template| Some((template, template.read_message(message)?)));
        let (first, reading) = read.next()?;
        let mut values = Values(first.values(&reading).collect());
        for (template, reading) in read {
            for (id, _, value) in &mut values.0 {
                let agrees = template.values(&reading).any(|(other, _, it)| other == *id && it == *value);
                *value = value.filter(|_| agrees);
            }
        }
        Some(values)
    }
}

/// Fields and their values, as a message told them; no value where it can be read in several ways.
#[derive(Debug)]
pub(crate) struct Values<'a>(Vec<(FieldId, Kind, Option<&'a [u8]>)>);

impl Values<'_> {
    /// Takes out what another reading of the same message tells otherwise.
    pub(crate) fn doubt(&mut self, other: &Values<'_>) {
        for (id, _, value) in &mut self.0 {
            if other.0.iter().any(|(known, _, it)| known == id && *it != *value) {
                *value = None;
            }
        }
    }

    pub(crate) fn put(&self, rows: &mut BatchBuilder) {
        for (id, kind, value) in &self.0 {
            if let Some(value) = value {
                put_value(rows, *id, *kind, value);
            }
        }
    }
}

/// What each capture of a message holds; `None` where readings differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) values: [Option<&'a [u8]>; CAPTURES_MAX],
}

/// The search for all readings of one message.
struct Search<'a, 't> {
    template: &'t Template,
    message: &'a [u8],
    now: [(usize, usize); CAPTURES_MAX],
    found: Option<Reading<'a>>,
    steps: usize,
}

impl Search<'_, '_> {
    /// Reads from `at` on with the pieces from `piece` on; `captures` have been read before.
    fn go(&mut self, piece: usize, at: usize, captures: usize) {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return self.give_up();
        }
        let rest = &self.message[at..];
        match self.template.pieces.get(piece) {
            None if rest.is_empty() => self.add(captures),
            None => {}
            Some(Piece::Literal(literal)) => {
                if self.template.begins(rest, literal) {
                    self.go(piece + 1, at + literal.len(), captures);
                }
            }
            Some(Piece::Blanks) => {
                let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
                self.go(piece + 1, at + blanks, captures);
            }
            Some(Piece::Capture(_, kind)) => self.capture(*kind, (piece, at, captures)),
        }
    }

    fn capture(&mut self, kind: Kind, (piece, at, captures): (usize, usize, usize)) {
        let message = self.message;
        let longest = at + extent(kind, &message[at..]);
        let ends_there = |end: usize| fits(kind, &message[at..end]);
        match self.template.pieces.get(piece + 1) {
            None => {
                if longest == message.len() && ends_there(longest) {
                    self.now[captures] = (at, longest);
                    self.go(piece + 1, longest, captures + 1);
                }
            }
            Some(Piece::Literal(literal)) => {
                let mut from = at;
                while let Some(end) = self.next(literal, from).filter(|end| *end <= longest && self.steps <= STEPS_MAX)
                {
                    if ends_there(end) {
                        self.now[captures] = (at, end);
                        self.go(piece + 1, end, captures + 1);
                    }
                    from = end + 1;
                }
            }
            // `syntax` refuses it.
            Some(Piece::Capture(..) | Piece::Blanks) => {}
        }
    }

    /// Where the literal stands next.
    fn next(&self, literal: &[u8], from: usize) -> Option<usize> {
        let rest = self.message.get(from..)?;
        if self.template.ignores_case {
            return rest.windows(literal.len()).position(|here| here.eq_ignore_ascii_case(literal)).map(|at| from + at);
        }
        match literal {
            [byte] => memchr::memchr(*byte, rest).map(|at| from + at),
            _ => memmem::find(rest, literal).map(|at| from + at),
        }
    }

    fn add(&mut self, captures: usize) {
        let mut reading = Reading { values: [None; CAPTURES_MAX] };
        for (value, (start, end)) in reading.values.iter_mut().zip(&self.now[..captures]) {
            *value = Some(&self.message[*start..*end]);
        }
        match &mut self.found {
            None => self.found = Some(reading),
            Some(found) => {
                for (known, value) in found.values.iter_mut().zip(reading.values) {
                    *known = known.filter(|known| Some(*known) == value);
                }
            }
        }
    }

    /// Too many readings: what they agree on is not known.
    fn give_up(&mut self) {
        self.found = Some(Reading { values: [None; CAPTURES_MAX] });
    }
}

/// How many bytes the capture can take at most.
fn extent(kind: Kind, text: &[u8]) -> usize {
    let run = |takes: fn(u8) -> bool| text.iter().position(|byte| !takes(*byte)).unwrap_or(text.len());
    match kind {
        Kind::Text => text.len(),
        Kind::Word => run(|byte| !matches!(byte, b' ' | b'\t')),
        Kind::Host | Kind::Peer => run(is_of_host),
        Kind::Ip => {
            run(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'%') || byte.is_ascii_alphanumeric())
        }
        Kind::Number => run(|byte| byte.is_ascii_digit()),
    }
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%')
}

fn fits(kind: Kind, text: &[u8]) -> bool {
    match kind {
        Kind::Text => true,
        Kind::Word | Kind::Host | Kind::Peer => !text.is_empty(),
        Kind::Number => decimal(text).is_some(),
        Kind::Ip => {
            let bare = memchr::memchr(b'%', text).map_or(text, |zone| &text[..zone]);
            is_ip(bare)
        }
    }
}

fn put_value(rows: &mut BatchBuilder, id: FieldId, kind: Kind, value: &[u8]) {
    if matches!(value, b"" | b"-") {
        return;
    }
    match (kind, BatchBuilder::kind_of(id)) {
        (Kind::Peer, _) => put_peer(rows, value),
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

    fn values(template: &str, message: &str) -> Option<Vec<Option<String>>> {
        let templates = Template::read(template).unwrap();
        let (template, reading) =
            templates.iter().find_map(|template| Some((template, template.read_message(message.as_bytes())?)))?;
        let count = template.pieces.iter().filter(|piece| matches!(piece, Piece::Capture(..))).count();
        let text = |value: &Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
        Some(reading.values[..count].iter().map(text).collect())
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
        assert_eq!(values("a{? b={:word}?}{? c={:number}?}", "a c=7"), some(&["7"]));
        assert_eq!(values("a{? b={:word}?}{? c={:number}?}", "a b=x c=7"), some(&["x", "7"]));
        let parts = "{(no||bad)} {?login{? of {:word}.?}||logout?}{_}:{_}{source.ip}";
        assert_eq!(values(parts, "bad login of x.  : 192.0.2.1"), some(&["x", "192.0.2.1"]));
        assert_eq!(values(parts, "no logout:192.0.2.1"), some(&["192.0.2.1"]));
        assert_eq!(values(parts, "bad :192.0.2.1"), some(&["192.0.2.1"]));
        assert_eq!(Choices::read(parts).unwrap().key(), Some(&b":"[..]));
        assert_eq!(Choices::read("a{? b?} cd {:word} cd").unwrap().key(), Some(&b" cd "[..]));
        assert_eq!(
            values("[{source.ip}]:{source.port}: {*}", "[::1]:5: x [::2]:6: y"),
            some(&["::1", "5", "x [::2]:6: y"])
        );
    }

    #[test]
    fn what_readings_differ_on_is_left_out() {
        let login = "login of {user.name} from {source.ip}{? {*}?}";
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
