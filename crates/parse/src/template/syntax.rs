//! How templates are written: parts that may be missing or differ, captures and their kinds. Reads no messages.

use event::BatchBuilder;
use event::catalog::{Field, FieldType, field};

use super::parts::{BadTemplate, Piece, Takes};

/// A template as it is written.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Piece(Piece),
    /// One of several sequences; nothing at all is one of them where the part may be missing.
    Part(Vec<Vec<Node>>),
}

pub(super) fn nodes(text: &str) -> Result<Vec<Node>, BadTemplate> {
    let mut nodes = Vec::new();
    let mut rest = text;
    while let Some(open) = opening(rest) {
        if open > 0 {
            nodes.push(literal(&rest[..open]));
        }
        let inner = &rest[open + 1..];
        if inner.starts_with(['?', '(']) {
            let not_closed = || BadTemplate::Open(rest[open..].to_owned());
            let (parts, after) = parts(&inner[1..]).ok_or_else(not_closed)?;
            let mut ways = parts.into_iter().map(self::nodes).collect::<Result<Vec<_>, _>>()?;
            if inner.starts_with('?') {
                ways.push(Vec::new());
            }
            nodes.push(Node::Part(ways));
            rest = after;
            continue;
        }
        let Some(close) = inner.find('}') else { return Err(BadTemplate::Open(rest[open..].to_owned())) };
        nodes.push(Node::Piece(match &inner[..close] {
            "_" => Piece::Blanks,
            text => capture(text)?,
        }));
        rest = &inner[close + 1..];
    }
    if !rest.is_empty() {
        nodes.push(literal(rest));
    }
    Ok(nodes)
}

/// Where the next capture or part begins; a brace before a quotation mark is text.
fn opening(text: &str) -> Option<usize> {
    text.match_indices('{').map(|(at, _)| at).find(|at| !text[at + 1..].starts_with('"'))
}

fn literal(text: &str) -> Node {
    Node::Piece(Piece::Literal(text.as_bytes().to_vec()))
}

/// The alternatives up to the mark that closes them, and what follows it.
fn parts(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut parts, mut depth, mut start, mut at) = (Vec::new(), 0, 0, 0);
    while let Some(here) = text.as_bytes().get(at..at + 2) {
        match here {
            b"{?" | b"{(" => depth += 1,
            b"?}" | b")}" if depth == 0 => {
                parts.push(&text[start..at]);
                return Some((parts, &text[at + 2..]));
            }
            b"?}" | b")}" => depth -= 1,
            b"||" if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 2;
            }
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    None
}

fn capture(text: &str) -> Result<Piece, BadTemplate> {
    if text == "*" {
        return Ok(Piece::Capture(None, Takes::Text));
    }
    let (name, kind) = text.split_once(':').map_or((text, None), |(name, kind)| (name, Some(kind)));
    let kind = kind.map(|kind| match kind {
        "text" => Ok(Takes::Text),
        "own" => Ok(Takes::Own),
        "word" => Ok(Takes::Word),
        "name" => Ok(Takes::Name),
        "host" => Ok(Takes::Host),
        "peer" => Ok(Takes::Peer),
        "ip" => Ok(Takes::Ip),
        "clients" => Ok(Takes::Clients),
        "number" => Ok(Takes::Number),
        other => Err(BadTemplate::UnknownKind(other.to_owned())),
    });
    let kind = kind.transpose()?;
    let id = match name {
        "" => None,
        "source" => Some(field::SOURCE_IP),
        name => Some(Field::named(name).ok_or_else(|| BadTemplate::UnknownField(name.to_owned()))?.0),
    };
    let of_field = match id.map(BatchBuilder::kind_of) {
        Some(FieldType::Ip) if name == "source" => Takes::Peer,
        Some(FieldType::Ip) => Takes::Ip,
        Some(FieldType::Long) => Takes::Number,
        _ => Takes::Text,
    };
    Ok(Piece::Capture(id, kind.unwrap_or(of_field)))
}
