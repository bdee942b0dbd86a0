//! How templates are written: parts that may be missing or differ, captures and their kinds. Reads no messages.

use event::BatchBuilder;
use event::catalog::{Field, FieldType, field};

use super::{BadTemplate, Kind, Piece};

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
    while let Some(open) = rest.find('{') {
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
        return Ok(Piece::Capture(None, Kind::Text));
    }
    let (name, kind) = text.split_once(':').map_or((text, None), |(name, kind)| (name, Some(kind)));
    let kind = kind.map(|kind| match kind {
        "text" => Ok(Kind::Text),
        "own" => Ok(Kind::Own),
        "word" => Ok(Kind::Word),
        "name" => Ok(Kind::Name),
        "host" => Ok(Kind::Host),
        "peer" => Ok(Kind::Peer),
        "ip" => Ok(Kind::Ip),
        "number" => Ok(Kind::Number),
        other => Err(BadTemplate::UnknownKind(other.to_owned())),
    });
    let kind = kind.transpose()?;
    let id = match name {
        "" => None,
        "source" => Some(field::SOURCE_IP),
        name => Some(Field::named(name).ok_or_else(|| BadTemplate::UnknownField(name.to_owned()))?.0),
    };
    let of_field = match id.map(BatchBuilder::kind_of) {
        Some(FieldType::Ip) if name == "source" => Kind::Peer,
        Some(FieldType::Ip) => Kind::Ip,
        Some(FieldType::Long) => Kind::Number,
        _ => Kind::Text,
    };
    Ok(Piece::Capture(id, kind.unwrap_or(of_field)))
}
