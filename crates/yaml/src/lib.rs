//! YAML as a tree that remembers lines, for diagnostics. Scalars keep their text and whether they were quoted; equal
//! keys, anchors, tags and deep nesting are errors, because rule files are input from strangers. A mistake costs its
//! own document, not those beside it.

#![warn(missing_docs)]

mod packed;

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

pub use packed::{pack, unpack};

/// Deepest nesting of maps and lists.
const DEPTH_MAX: usize = 32;
/// Most nodes of one file.
const NODES_MAX: usize = 100_000;
/// Longest text of a value in a message, in characters.
const SHOWN_MAX: usize = 60;

/// A place in a file, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The first line is 1.
    pub line: usize,
    /// In characters; the first is 1.
    pub column: usize,
}

/// A value of a YAML tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Location,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing is written there.
    Null,
    /// A single value.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written.
    Map(Vec<(Key, Node)>),
}

/// A single value as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text without its quotes.
    pub text: String,
    /// In quotes or a block: always text, whatever it looks like.
    pub quoted: bool,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The text without its quotes.
    pub text: String,
    /// Where it begins.
    pub place: Location,
}

/// A mistake in YAML, or something that is not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Where it is.
    pub place: Location,
    /// What is wrong, for people.
    pub message: String,
}

/// What an unquoted scalar is under the core schema of YAML 1.2.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalarValue<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other finite number.
    Float(f64),
    /// Everything else, and whatever is quoted.
    Text(&'a str),
}

impl Scalar {
    /// What the text stands for.
    pub fn value(&self) -> ScalarValue<'_> {
        if self.quoted {
            return ScalarValue::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => return ScalarValue::Null,
            "true" | "True" | "TRUE" => return ScalarValue::Boolean(true),
            "false" | "False" | "FALSE" => return ScalarValue::Boolean(false),
            _ => {}
        }
        let numeric = self.text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
        if numeric && let Ok(integer) = self.text.parse() {
            return ScalarValue::Integer(integer);
        }
        match self.text.parse::<f64>() {
            Ok(float) if numeric && float.is_finite() => ScalarValue::Float(float),
            _ => ScalarValue::Text(&self.text),
        }
    }
}

impl Node {
    /// The pairs of a mapping; `None` for anything else.
    pub fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Value under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// Text of a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The tree as JSON: unquoted scalars become numbers, booleans and nulls.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Scalar(scalar) => match scalar.value() {
                ScalarValue::Null => serde_json::Value::Null,
                ScalarValue::Boolean(value) => value.into(),
                ScalarValue::Integer(value) => value.into(),
                ScalarValue::Float(value) => value.into(),
                ScalarValue::Text(text) => text.to_owned().into(),
            },
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            // In the order of the keys, whatever the map keeps: texts of the tree are hashed.
            Kind::Map(pairs) => BTreeMap::from_iter(pairs.iter().map(|(key, value)| (&key.text, value.to_json())))
                .into_iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
        }
    }

    /// Nothing is written there, or `null`.
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::Scalar(scalar) => scalar.value() == ScalarValue::Null,
            _ => false,
        }
    }

    /// The elements of a list, or the node itself as the only one.
    pub fn one_or_many(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// What is written there, for messages.
    pub fn shown(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar(scalar) if scalar.text.is_empty() => "an empty text".to_owned(),
            Kind::Scalar(_) => format!("`{}`", self.flow()),
            Kind::List(_) => format!("the list `{}`", self.flow()),
            Kind::Map(_) => format!("the map `{}`", self.flow()),
        }
    }

    /// The value on one line, cut where it is long.
    fn flow(&self) -> String {
        let mut text = String::new();
        self.write_flow(&mut text);
        match text.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    fn write_flow(&self, out: &mut String) {
        // Each character is a byte or more: what lies behind this is cut anyway.
        if out.len() > SHOWN_MAX * 4 {
            return;
        }
        match &self.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) => out.push_str(&scalar.text),
            Kind::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    item.write_flow(out);
                }
                out.push(']');
            }
            Kind::Map(pairs) => {
                out.push('{');
                for (at, (key, value)) in pairs.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    out.push_str(&key.text);
                    out.push_str(": ");
                    value.write_flow(out);
                }
                out.push('}');
            }
        }
    }
}

/// One document of a file: what was read of it, and what is wrong with it as YAML.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlDocument {
    /// Absent where it cannot be read at all; where there are errors, only good for finding more of them.
    pub node: Option<Node>,
    /// In the order found.
    pub errors: Vec<YamlError>,
}

/// Reads every document of a file; the first mistake is the end of it.
pub fn read(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut nodes = Vec::new();
    for document in read_each(text) {
        match document.errors.into_iter().next() {
            Some(error) => return Err(error),
            None => nodes.extend(document.node),
        }
    }
    Ok(nodes)
}

/// Reads every document of a file for itself: what is wrong with one does not hide the others. Empty ones are left out.
pub fn read_each(text: &str) -> Vec<YamlDocument> {
    let mut nodes = 0;
    let mut documents = match stream(text, 0, &mut nodes) {
        Ok(documents) => documents,
        // A line `---` ends a document whatever stands before it: each part can be read alone.
        Err(_) => {
            let mut documents = Vec::new();
            nodes = 0;
            for (lines_before, part) in parts(text) {
                nodes += 1;
                let read = stream(part, lines_before, &mut nodes);
                documents.extend(read.unwrap_or_else(|error| vec![YamlDocument { node: None, errors: vec![error] }]));
                if nodes > NODES_MAX {
                    break;
                }
            }
            documents
        }
    };
    documents.retain(|document| !document.errors.is_empty() || document.node.as_ref().is_some_and(|it| !it.is_null()));
    documents
}

/// The line on which each document of a text begins: its `---`, but for the first.
pub fn first_lines(text: &str) -> Vec<usize> {
    parts(text).into_iter().map(|(lines_before, _)| lines_before + 1).collect()
}

/// The text cut before each line `---`, with the number of lines before each part. What has no content yet, such as
/// comments and directives, stays with what follows.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 0, 0);
    let mut has_content = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let opens =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if opens && has_content {
            parts.push((first_line, &text[start..at]));
            (start, first_line) = (at, number);
        }
        has_content |= opens || !(line.trim().is_empty() || line.starts_with(['#', '%']));
        at += line.len();
    }
    parts.push((first_line, &text[start..]));
    parts
}

/// The documents of a text. An error where it cannot be told how to go on.
fn stream(text: &str, lines_before: usize, nodes: &mut usize) -> Result<Vec<YamlDocument>, YamlError> {
    let mut reader = Reader { events: Parser::new_from_str(text), lines_before, nodes, errors: Vec::new() };
    let mut documents = Vec::new();
    loop {
        let (event, _) = reader.next()?;
        match event {
            Event::DocumentStart(_) => {
                let (event, place) = reader.next()?;
                let node = Some(reader.node(event, place, 0)?);
                documents.push(YamlDocument { node, errors: std::mem::take(&mut reader.errors) });
            }
            Event::StreamEnd => return Ok(documents),
            _ => {}
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Lines of the file before the text that is read.
    lines_before: usize,
    /// Read so far, of the whole file.
    nodes: &'a mut usize,
    /// What is wrong with the document, but does not keep the rest of it from being read.
    errors: Vec<YamlError>,
}

impl<'a> Reader<'a> {
    fn place(&self, marker: Marker) -> Location {
        Location { line: self.lines_before + marker.line(), column: marker.col() + 1 }
    }

    fn next(&mut self) -> Result<(Event<'a>, Location), YamlError> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start))),
            Some(Err(error)) => {
                let message = format!("not YAML: {}", error.info());
                Err(YamlError { place: self.place(*error.marker()), message })
            }
            None => {
                let place = Location { line: self.lines_before + 1, column: 1 };
                Err(YamlError { place, message: "the file ends too early".to_owned() })
            }
        }
    }

    /// A mistake after which the document can be read on.
    fn note(&mut self, place: Location, message: impl Into<String>) {
        self.errors.push(YamlError { place, message: message.into() });
    }

    fn node(&mut self, event: Event<'a>, place: Location, depth: usize) -> Result<Node, YamlError> {
        let fail = |message: &str| Err(YamlError { place, message: message.to_owned() });
        *self.nodes += 1;
        if depth > DEPTH_MAX {
            return fail("nested deeper than 32 levels");
        }
        if *self.nodes > NODES_MAX {
            return fail("more than 100000 values in one file");
        }
        let kind = match event {
            Event::Alias(_) => {
                self.note(place, "aliases are not supported: write the value out");
                Kind::Null
            }
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 || tag.is_some() {
                    self.note(place, "anchors and tags are not supported: write the value out");
                }
                scalar(text, style)
            }
            Event::SequenceStart(..) => Kind::List(self.list(depth)?),
            Event::MappingStart(..) => Kind::Map(self.pairs(depth)?),
            _ => return fail("unexpected end of a value"),
        };
        Ok(Node { place, kind })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, place) => items.push(self.node(event, place, depth + 1)?),
            }
        }
    }

    /// Keys that stand twice are kept: both values may have more mistakes.
    fn pairs(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, YamlError> {
        let mut pairs: Vec<(Key, Node)> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        loop {
            let (event, place) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(pairs);
            }
            let key = match event {
                Event::Scalar(text, ..) => Some(Key { text: text.into_owned(), place }),
                other => {
                    self.note(place, "a key must be plain text");
                    self.node(other, place, depth + 1)?;
                    None
                }
            };
            let (event, place) = self.next()?;
            let value = self.node(event, place, depth + 1)?;
            let Some(key) = key else { continue };
            if !known.insert(key.text.clone()) {
                self.note(key.place, format!("the key `{}` stands twice: keep one", key.text));
            }
            pairs.push((key, value));
        }
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Kind {
    let quoted = style != ScalarStyle::Plain;
    if !quoted && text.is_empty() {
        return Kind::Null;
    }
    Kind::Scalar(Scalar { text: text.into_owned(), quoted })
}

#[cfg(test)]
mod tests;
