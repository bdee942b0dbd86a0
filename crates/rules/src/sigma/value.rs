//! Text values under their modifiers: placeholders are filled in, bytes encoded, wildcards added, step by step as
//! written. One value may become several, of which any may match.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::modifier::{Chain, Step};
use crate::text_pattern::{Anchor, Piece, TextPattern, read_pieces, with_dashes};
use crate::yaml;

/// Values for the names that rules write as `%name%` under `expand`. Names tell case.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// Most values that one value may become.
const ALTERNATIVES_MAX: usize = 100_000;

/// Adds the lists of a file: a map of names to values. What is wrong with it is told.
pub fn read_placeholders(path: &str, text: &str, into: &mut Placeholders) -> Vec<Diagnostic> {
    let mut problems = Problems::new(path);
    let documents = yaml::read(text).unwrap_or_else(|error| {
        problems.error(error.place, error.message);
        Vec::new()
    });
    for document in &documents {
        let Some(pairs) = document.map() else {
            problems.error(document.place, "lists of placeholders are a map such as `Administrators: [root]`");
            continue;
        };
        for (key, node) in pairs {
            let values: Vec<String> =
                node.one_or_many().iter().filter_map(|value| value.text().map(str::to_owned)).collect();
            if values.is_empty() || values.len() < node.one_or_many().len() {
                problems.error(key.place, format!("`{}` needs one value or a list of them", key.text));
            } else {
                into.entry(key.text.clone()).or_default().extend(values);
            }
        }
    }
    problems.into_found()
}

/// Why a value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueError {
    /// The rule waits for lists of these names.
    Unresolved(Vec<String>),
    Wrong(String),
}

/// A value on its way.
enum Built {
    Pieces(Vec<Piece>),
    Bytes(Vec<u8>),
}

/// The patterns that a text value means: any of them may match.
pub(crate) fn patterns(
    written: &str,
    chain: &Chain,
    is_keyword: bool,
    placeholders: &Placeholders,
) -> Result<Vec<TextPattern>, ValueError> {
    let mut values: Vec<Built> = if chain.has(Step::Expand) {
        expand(written, placeholders)?.into_iter().map(Built::Pieces).collect()
    } else {
        vec![Built::Pieces(read_pieces(written))]
    };
    for step in &chain.steps {
        values = apply(*step, values)?;
    }
    // A keyword is found anywhere in the line.
    let anchor = if is_keyword && chain.anchor().is_none() { Anchor::Contains } else { Anchor::Whole };
    Ok(values.into_iter().map(|value| TextPattern::new(pieces(value), anchor, chain.cased)).collect())
}

fn apply(step: Step, values: Vec<Built>) -> Result<Vec<Built>, ValueError> {
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        match step {
            Step::Expand => out.push(value),
            Step::Anchor(anchor) => out.push(Built::Pieces(anchor.open(pieces(value)))),
            Step::Dashes => out.push(Built::Pieces(with_dashes(pieces(value)))),
            Step::Utf16 { big_endian, has_bom } => out.push(Built::Bytes(utf16(&plain(value)?, big_endian, has_bom)?)),
            Step::Base64 => out.push(Built::Bytes(BASE64_STANDARD.encode(plain(value)?).into_bytes())),
            Step::Base64Offset => {
                let bytes = plain(value)?;
                let encoded = [0, 1, 2].map(|offset| encoded_at(&bytes, offset));
                // An empty text would be found in whatever there is.
                if encoded.iter().any(String::is_empty) {
                    let shown = String::from_utf8_lossy(&bytes);
                    return Err(ValueError::Wrong(format!(
                        "`{shown}` is too short for `base64offset`, at one of the places nothing of it stays the same: write two bytes or more"
                    )));
                }
                out.extend(encoded.map(|text| Built::Bytes(text.into_bytes())));
            }
        }
    }
    Ok(out)
}

/// Bytes as pieces: each byte is the character of its number.
fn pieces(value: Built) -> Vec<Piece> {
    match value {
        Built::Pieces(pieces) => pieces,
        Built::Bytes(bytes) => vec![Piece::Text(bytes.into_iter().map(char::from).collect())],
    }
}

/// The bytes of a value without wildcards.
fn plain(value: Built) -> Result<Vec<u8>, ValueError> {
    match value {
        Built::Bytes(bytes) => Ok(bytes),
        Built::Pieces(pieces) => match pieces.as_slice() {
            [] => Ok(Vec::new()),
            [Piece::Text(text)] => Ok(text.as_bytes().to_vec()),
            _ => Err(ValueError::Wrong(
                "a value with wildcards or option marks cannot be encoded: write `contains` behind the encoding, or escape * and ?"
                    .to_owned(),
            )),
        },
    }
}

fn utf16(bytes: &[u8], big_endian: bool, has_bom: bool) -> Result<Vec<u8>, ValueError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ValueError::Wrong("utf16 modifiers encode text: they stand before base64".to_owned()))?;
    let units = has_bom.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    Ok(units.flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect())
}

/// What stays the same of the encoded text when `offset` unknown bytes stand before it.
fn encoded_at(bytes: &[u8], offset: usize) -> String {
    let shifted = [vec![b' '; offset], bytes.to_vec()].concat();
    let encoded = BASE64_STANDARD.encode(&shifted);
    let start = [0, 2, 3][offset];
    let end = encoded.len() - [0, 3, 2][shifted.len() % 3];
    encoded.get(start..end).unwrap_or("").to_owned()
}

/// A part of a value under `expand`.
enum Fragment {
    Text(String),
    Name(String),
}

/// `%name%` is a placeholder, `\%` a percent sign; everything else is as always.
fn parts(written: &str) -> Vec<Fragment> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = written;
    while let Some(character) = rest.chars().next() {
        if character == '\\' {
            let next = rest[1..].chars().next();
            match next {
                Some('%') => text.push('%'),
                Some(next) => text.extend(['\\', next]),
                None => text.push('\\'),
            }
            rest = &rest[1 + next.map_or(0, char::len_utf8)..];
            continue;
        }
        let named = rest.strip_prefix('%').and_then(|after| after.split_once('%'));
        match named.filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace)) {
            Some((name, after)) => {
                parts.push(Fragment::Text(std::mem::take(&mut text)));
                parts.push(Fragment::Name(name.to_owned()));
                rest = after;
            }
            None => {
                text.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    parts.push(Fragment::Text(text));
    parts
}

/// Every way to fill in the placeholders.
fn expand(written: &str, placeholders: &Placeholders) -> Result<Vec<Vec<Piece>>, ValueError> {
    let parts = parts(written);
    let name = |part: &Fragment| match part {
        Fragment::Name(name) if placeholders.get(name).is_none_or(Vec::is_empty) => Some(name.clone()),
        _ => None,
    };
    let missing: Vec<String> = parts.iter().filter_map(name).collect();
    if !missing.is_empty() {
        return Err(ValueError::Unresolved(missing));
    }
    let mut all: Vec<Vec<Piece>> = vec![Vec::new()];
    for part in parts {
        // Read one by one: a backslash at the end of one must not escape the beginning of the next.
        let choices: Vec<Vec<Piece>> = match part {
            Fragment::Text(text) => vec![read_pieces(&text)],
            Fragment::Name(name) => {
                placeholders.get(&name).into_iter().flatten().map(|text| read_pieces(text)).collect()
            }
        };
        if all.len().saturating_mul(choices.len()) > ALTERNATIVES_MAX {
            return Err(ValueError::Wrong(format!("its placeholders make more than {ALTERNATIVES_MAX} values of it")));
        }
        all = all.iter().flat_map(|start| choices.iter().map(|choice| joined(start, choice))).collect();
    }
    Ok(all)
}

fn joined(start: &[Piece], end: &[Piece]) -> Vec<Piece> {
    let mut out = start.to_vec();
    for piece in end {
        match (out.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(more),
            (Some(Piece::Many), Piece::Many) => {}
            _ => out.push(piece.clone()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_base64_count_bytes() {
        let all = |text: &str| [0, 1, 2].map(|offset| encoded_at(text.as_bytes(), offset));
        assert_eq!(all("/bin/bash"), ["L2Jpbi9iYXNo", "9iaW4vYmFza", "vYmluL2Jhc2"]);
        for text in ["http://", "ab", "é", "äöü€"] {
            for before in 0..6 {
                let whole = BASE64_STANDARD.encode(["x".repeat(before).as_bytes(), text.as_bytes(), b"yz"].concat());
                assert!(all(text).iter().any(|part| whole.contains(part)), "{text} after {before} bytes in {whole}");
            }
        }
    }

    #[test]
    fn placeholders_are_filled_in_and_backslashes_stay_where_they_are() {
        let lists = Placeholders::from([
            ("a".to_owned(), vec!["x*".to_owned(), "y\\".to_owned()]),
            ("none".to_owned(), Vec::new()),
        ]);
        let texts = |written: &str| {
            expand(written, &lists)
                .map(|all| all.into_iter().map(|pieces| format!("{pieces:?}").replace("Text", "")).collect::<Vec<_>>())
        };
        assert_eq!(texts("1%a%*2").unwrap(), ["[(\"1x\"), Many, (\"2\")]", "[(\"1y\\\\\"), Many, (\"2\")]"]);
        assert_eq!(texts("100\\%").unwrap(), ["[(\"100%\")]"]);
        assert_eq!(texts("50% of %").unwrap(), ["[(\"50% of %\")]"]);
        assert_eq!(texts("\\\\%a%").unwrap().len(), 2);
        assert_eq!(texts("%b%%none%"), Err(ValueError::Unresolved(vec!["b".into(), "none".into()])));
    }
}
