//! IBM Log Event Extended Format: `LEEF:1.0|vendor|product|version|event|key=value<tab>…`; 2.0 may name another separator. What
//! the keys mean is said by the shape `leef`.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::pairs::{Pairs, spaced};

const HEADER: [&str; 5] =
    ["leef.version", "leef.device.vendor", "leef.device.product", "leef.device.version", "leef.device.event_id"];

/// `LEEF:1.0|`, or `1.0|` where syslog took the `LEEF:` for a program.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    match text.strip_prefix(b"LEEF:") {
        Some(rest) => matches!(rest.trim_ascii_start(), [b'1' | b'2', b'.', b'0', b'|', ..] | [b'1' | b'2', b'|', ..]),
        None => {
            matches!(text, [b'1' | b'2', b'.', b'0', b'|', ..]) && memchr::memchr_iter(b'|', text).take(5).count() == 5
        }
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("not LEEF: it does not begin with LEEF: and a version"));
    }
    let mut rest = text.strip_prefix(b"LEEF:").unwrap_or(text).trim_ascii_start();
    let mut pairs = Pairs::new(context, rows);
    let mut is_second = false;
    for (at, name) in HEADER.iter().enumerate() {
        let Some(end) = memchr::memchr(b'|', rest) else {
            return Err(Refusal::Broken("LEEF: the header has fewer than five parts"));
        };
        let part = rest[..end].trim_ascii();
        is_second |= at == 0 && part.starts_with(b"2");
        pairs.put(name.as_bytes(), part);
        rest = &rest[end + 1..];
    }
    let (separator, rest) = if is_second { separator(rest) } else { (None, rest) };
    let separator = separator.unwrap_or(b'\t');
    if memchr::memchr(separator, rest).is_none() && separator == b'\t' {
        // Relays write blanks for tabs.
        spaced(rest, &mut pairs, |pairs, name, value| pairs.put_named(name, value));
    } else {
        for pair in rest.split(|byte| *byte == separator) {
            if let Some(equals) = memchr::memchr(b'=', pair) {
                pairs.put(pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
            }
        }
    }
    Ok(pairs.finish("leef.event"))
}

/// The separator that a header of version 2 names: one character, or its code such as `x09`, or nothing.
fn separator(text: &[u8]) -> (Option<u8>, &[u8]) {
    let Some(end) = memchr::memchr(b'|', text).filter(|end| *end <= 4) else { return (None, text) };
    let (part, rest) = (&text[..end], &text[end + 1..]);
    let hex = part.strip_prefix(b"0x").or(part.strip_prefix(b"x"));
    match (part, hex) {
        ([], _) => (None, rest),
        ([only], _) => (Some(*only), rest),
        (_, Some(hex)) => {
            let code = std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
            code.map_or((None, text), |code| (Some(code), rest))
        }
        _ => (None, text),
    }
}
