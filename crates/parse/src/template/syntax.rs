//! How templates are written: parts that may be missing or differ, captures and their kinds. Reads no messages.

use event::BatchBuilder;
use event::catalog::{Field, FieldType, field};

use super::{BadTemplate, CAPTURES_MAX, CHOICES_MAX, Kind, Piece};

/// Every text that the text stands for, the longest first.
pub(super) fn choices(text: &str) -> Result<Vec<String>, BadTemplate> {
    let mut all = expanded(text)?;
    all.sort_by_key(|text| std::cmp::Reverse(text.len()));
    all.dedup();
    Ok(all)
}

/// Where the first part opens, with its closing mark.
fn first_part(text: &str) -> Option<(usize, &'static str)> {
    let (missing, differing) = (text.find("{?"), text.find("{("));
    match (missing, differing) {
        (Some(at), other) if other.is_none_or(|other| at < other) => Some((at, "?}")),
        (_, at) => at.map(|at| (at, ")}")),
    }
}

fn expanded(text: &str) -> Result<Vec<String>, BadTemplate> {
    let Some((open, closing)) = first_part(text) else { return Ok(vec![text.to_owned()]) };
    let Some((parts, rest)) = parts(&text[open + 2..]) else { return Err(BadTemplate::Open(text[open..].to_owned())) };
    let mut middles = Vec::new();
    for part in parts {
        middles.extend(expanded(part)?);
    }
    if closing == "?}" {
        middles.push(String::new());
    }
    let rests = expanded(rest)?;
    if middles.len() * rests.len() > CHOICES_MAX {
        return Err(BadTemplate::TooManyChoices);
    }
    let head = &text[..open];
    Ok(rests.iter().flat_map(|rest| middles.iter().map(move |middle| format!("{head}{middle}{rest}"))).collect())
}

/// The alternatives up to the mark that closes them, and what follows it.
fn parts(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut parts, mut depth, mut start, mut at) = (Vec::new(), 0, 0, 0);
    while at < text.len() {
        let rest = text.as_bytes().get(at..at + 2)?;
        match rest {
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

pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, BadTemplate> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        if open > 0 {
            pieces.push(Piece::Literal(rest.as_bytes()[..open].to_vec()));
        }
        let Some(close) = rest[open..].find('}') else { return Err(BadTemplate::Open(rest[open..].to_owned())) };
        if matches!(pieces.last(), Some(Piece::Capture(..))) {
            return Err(BadTemplate::Adjacent);
        }
        pieces.push(match &rest[open + 1..open + close] {
            "_" => Piece::Blanks,
            text => capture(text)?,
        });
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.as_bytes().to_vec()));
    }
    let captures = pieces.iter().filter(|piece| matches!(piece, Piece::Capture(..))).count();
    if captures > CAPTURES_MAX { Err(BadTemplate::TooMany) } else { Ok(pieces) }
}

fn capture(text: &str) -> Result<Piece, BadTemplate> {
    if text == "*" {
        return Ok(Piece::Capture(None, Kind::Text));
    }
    let (name, kind) = text.split_once(':').map_or((text, None), |(name, kind)| (name, Some(kind)));
    let kind = kind.map(|kind| match kind {
        "text" => Ok(Kind::Text),
        "word" => Ok(Kind::Word),
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
