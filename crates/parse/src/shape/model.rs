//! What a checked table of shapes is made of. Knows neither how it is written nor the rows that it is applied to.

use event::DatasetId;

/// What is wrong with a file of shapes, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {reason}")]
pub struct ShapeProblem {
    /// As the caller named it.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// With a remedy.
    pub reason: String,
    /// No mistake: something to know.
    pub is_note: bool,
}

/// Keys that the `where` of all shapes together may name.
pub(crate) const SIGNS_MAX: usize = WORDS * 64;
const WORDS: usize = 12;

/// A set of the keys that signatures name, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Signs([u64; WORDS]);

impl Signs {
    #[inline]
    pub(crate) fn insert(&mut self, sign: u16) {
        if let Some(word) = self.0.get_mut(usize::from(sign / 64)) {
            *word |= 1 << (sign % 64);
        }
    }

    fn holds_all(&self, others: &Signs) -> bool {
        self.0.iter().zip(&others.0).all(|(own, other)| own & other == *other)
    }

    fn meets(&self, others: &Signs) -> bool {
        self.0.iter().zip(&others.0).any(|(own, other)| own & other != 0)
    }
}

/// How a shape is known: keys that are there, and what some of them hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signature {
    pub(crate) all: Signs,
    /// Of each of these sets one key at least.
    pub(crate) any: Vec<Signs>,
    pub(crate) none: Signs,
    pub(crate) conditions: Vec<Condition>,
}

impl Signature {
    /// Whether an event with these keys may be of the shape, as far as keys tell.
    pub(crate) fn allows(&self, keys: &Signs) -> bool {
        keys.holds_all(&self.all) && !keys.meets(&self.none) && self.any.iter().all(|any| keys.meets(any))
    }
}

/// What a key must hold.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) key: String,
    /// One of them; compared without regard to case.
    pub(crate) values: Vec<Wanted>,
}

/// A text, or what a text begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) text: String,
    pub(crate) is_start: bool,
}

impl Wanted {
    pub(crate) fn accepts(&self, text: &[u8]) -> bool {
        let own = self.text.as_bytes();
        let head = if self.is_start { text.get(..own.len()) } else { Some(text) };
        head.is_some_and(|head| head.eq_ignore_ascii_case(own))
    }
}

/// How a value is read on its way to its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conversion {
    /// As it stands; nothing and `-` are no value.
    Text,
    /// Capital letters become small ones.
    Lower,
    /// An address, perhaps in brackets, with a port, or the first of a list; the port goes to the port's field.
    Address,
    /// As [`Conversion::Address`]; a text that is no address is a host name.
    Peer,
    /// The port behind an address.
    Port,
    /// A whole number.
    Number,
    /// A time in any usual form.
    Time,
    /// `GET /x HTTP/1.1`: method, target and version.
    Request,
    /// What a request asks for: the address with its path and query.
    Target,
    /// A whole URL.
    Url,
    /// `name:port`: host and port of a URL.
    Host,
    /// What stands behind the last slash or backslash.
    Base,
    /// `HTTP/1.1` without its `HTTP/`.
    Version,
    /// The n-th element of an array, from 0.
    Item(u8),
    /// All elements of an array, with a blank between them.
    Join,
    /// Bytes as an array of numbers.
    Bytes,
    /// Seconds, as nanoseconds. A number or a text with a unit, such as `1.5ms`.
    Seconds,
    /// Milliseconds, as nanoseconds.
    Milliseconds,
    /// `DOMAIN\name` without its domain.
    Account,
}

/// One place that a field's value may come from.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) key: String,
    pub(crate) conversion: Conversion,
    /// Index into [`EventShape::tables`].
    pub(crate) table: Option<u16>,
}

/// Words of a product and the words that take their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Small letters; a last `*` stands for any rest.
    pub(crate) words: Vec<(Wanted, String)>,
    /// For every other word; `None`: such a word is no value.
    pub(crate) otherwise: Option<String>,
}

/// A field and where its value comes from: the first way that gives one.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    pub(crate) target: String,
    pub(crate) ways: Vec<Way>,
}

/// A text that is read by the ordinary formats.
#[derive(Clone, Debug, Default)]
pub(crate) struct CarriedText {
    pub(crate) keys: Vec<String>,
    /// Keys that name the program; where there is one, the text is what that program says.
    pub(crate) program: Vec<String>,
}

/// Where events of a shape belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// To a row of the table of datasets, whose rules judge them.
    Known(DatasetId),
    /// To a dataset of the shape's own.
    Named(String),
}

/// What people are told of a shape.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Unique among shapes.
    pub name: String,
    /// Where it is described: an address without its scheme, or a standard.
    pub documentation: String,
    /// An event of the shape.
    pub example: String,
    /// `event.dataset` of its events.
    pub dataset: String,
    /// Product, category and service that Sigma rules ask for.
    pub logsource: [Option<String>; 3],
}

/// One kind of event that is told by its keys.
#[derive(Clone, Debug)]
pub(crate) struct EventShape {
    pub(crate) about: About,
    pub(crate) signature: Signature,
    pub(crate) belongs: Belongs,
    pub(crate) fields: Vec<Filled>,
    pub(crate) tables: Vec<Table>,
    pub(crate) constants: Vec<(String, String)>,
    pub(crate) text: Option<CarriedText>,
    /// Keys that the shape does not name may be guessed.
    pub(crate) guesses: bool,
    /// An event whose text is no line of a program has no known shape.
    pub(crate) only_lines: bool,
}
