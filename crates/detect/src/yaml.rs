//! YAML as a tree that remembers lines, for diagnostics. Scalars keep their text and whether they were quoted; equal
//! keys, anchors, tags and deep nesting are errors, because rule files are input from strangers.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Deepest nesting of maps and lists.
pub const DEPTH_MAX: usize = 32;
/// Most nodes of one file.
pub const NODES_MAX: usize = 100_000;

/// A place in a file, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub text: String,
    /// In quotes or a block: always text, whatever it looks like.
    pub quoted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub text: String,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    pub place: Place,
    pub message: String,
}

/// What an unquoted scalar is under the core schema of YAML 1.2.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub fn value(&self) -> Value<'_> {
        if self.quoted {
            return Value::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Boolean(true),
            "false" | "False" | "FALSE" => return Value::Boolean(false),
            _ => {}
        }
        let numeric = self.text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
        if numeric && let Ok(integer) = self.text.parse() {
            return Value::Integer(integer);
        }
        match self.text.parse::<f64>() {
            Ok(float) if numeric && float.is_finite() => Value::Float(float),
            _ => Value::Text(&self.text),
        }
    }
}

impl Node {
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

    /// The same as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Scalar(scalar) => match scalar.value() {
                Value::Null => serde_json::Value::Null,
                Value::Boolean(value) => value.into(),
                Value::Integer(value) => value.into(),
                Value::Float(value) => value.into(),
                Value::Text(text) => text.to_owned().into(),
            },
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(pairs) => pairs.iter().map(|(key, value)| (key.text.clone(), value.to_json())).collect(),
        }
    }

    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::Scalar(scalar) => scalar.value() == Value::Null,
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

    /// What the node is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// Reads every document of a file.
pub fn read(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut reader = Reader { events: Parser::new_from_str(text), nodes: 0 };
    let mut documents = Vec::new();
    loop {
        let (event, _) = reader.next()?;
        match event {
            Event::DocumentStart(_) => {
                let (event, span) = reader.next()?;
                documents.push(reader.node(event, span, 0)?);
            }
            Event::StreamEnd => break,
            _ => {}
        }
    }
    documents.retain(|node| !node.is_null());
    Ok(documents)
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    nodes: usize,
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

fn scan_error(error: &ScanError) -> YamlError {
    let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
    YamlError { place, message: format!("not YAML: {}", error.info()) }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(scan_error(&error)),
            None => Err(YamlError { place: Place::default(), message: "the file ends too early".to_owned() }),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let place = place(span);
        let fail = |message: &str| Err(YamlError { place, message: message.to_owned() });
        self.nodes += 1;
        if depth > DEPTH_MAX {
            return fail("nested deeper than 32 levels");
        }
        if self.nodes > NODES_MAX {
            return fail("more than 100000 values in one file");
        }
        match event {
            Event::Alias(_) => fail("aliases are not supported: write the value out"),
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 || tag.is_some() {
                    return fail("anchors and tags are not supported: write the value out");
                }
                Ok(Node { place, kind: scalar(text, style) })
            }
            Event::SequenceStart(..) => Ok(Node { place, kind: Kind::List(self.list(depth)?) }),
            Event::MappingStart(..) => Ok(Node { place, kind: Kind::Map(self.pairs(depth)?) }),
            _ => fail("unexpected end of a value"),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn pairs(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, YamlError> {
        let mut pairs: Vec<(Key, Node)> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(pairs);
            }
            let key_place = place(span);
            let Event::Scalar(text, ..) = event else {
                return Err(YamlError { place: key_place, message: "a key must be plain text".to_owned() });
            };
            if !known.insert(text.to_string()) {
                return Err(YamlError { place: key_place, message: format!("the key `{text}` stands twice") });
            }
            let key = Key { text: text.into_owned(), place: key_place };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
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
mod tests {
    use super::*;

    #[test]
    fn scalars_are_typed_as_yaml_1_2_says() {
        let value = |text: &str| match &read(text).unwrap()[0].kind {
            Kind::Scalar(scalar) => format!("{:?}", scalar.value()),
            other => format!("{other:?}"),
        };
        assert_eq!(value("404"), "Integer(404)");
        assert_eq!(value("'404'"), "Text(\"404\")");
        assert_eq!(value("-1.5"), "Float(-1.5)");
        assert_eq!(value("true"), "Boolean(true)");
        assert_eq!(value("yes"), "Text(\"yes\")");
        assert_eq!(value("1.2.3"), "Text(\"1.2.3\")");
        assert_eq!(value("nan"), "Text(\"nan\")");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, words) in [
            ("a: 1\nb: 2\na: 3\n", 3, "`a` stands twice"),
            ("a: [1, 2\nb: 3\n", 2, "not YAML"),
            ("a: &x 1\nb: *x\n", 1, "anchors"),
            ("? [a]\n: b\n", 1, "plain text"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains(words), "{text:?}: {error:?}");
            assert!(error.place.line >= line - 1 && error.place.line <= line + 1, "{text:?}: {error:?}");
        }
        let deep = "[".repeat(40) + &"]".repeat(40);
        assert!(read(&deep).unwrap_err().message.contains("32 levels"));
    }

    #[test]
    fn documents_of_one_file_are_kept_apart() {
        let documents = read("a: 1\n---\nb: 2\n---\n").unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].get("b").unwrap().place.line, 3);
    }
}
