//! ArcSight Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value …`. What the keys mean is said by
//! the shape `cef`. The syslog header in front of it, if any, is read by syslog.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::needle::{find, find_byte, find_either};
use crate::pair_text::unescaped;
use crate::pairs::{Pairs, spaced};

/// Where the parts of the header go.
const HEADER: [&str; 7] = [
    "cef.version",
    "cef.device.vendor",
    "cef.device.product",
    "cef.device.version",
    "cef.device.event_class_id",
    "cef.name",
    "cef.severity",
];

/// Bytes of a usual pair.
const PAIR_BYTES: usize = 8;

/// `CEF:0|`, or `0|` where syslog took the `CEF:` for a program.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    let (text, is_named) = match text.strip_prefix(b"CEF:") {
        Some(rest) => (rest.trim_ascii_start(), true),
        None => (text, false),
    };
    let version = text.iter().take(3).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let has_pipes = || memchr::memchr_iter(b'|', text).take(7).count() == 7;
    version > 0 && text.get(version) == Some(&b'|') && (is_named || version == 1 && has_pipes())
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("not CEF: it does not begin with CEF: and a version"));
    }
    let text = text.strip_prefix(b"CEF:").unwrap_or(text).trim_ascii();
    let (mut parts, mut rest) = ([(&b""[..], false); 7], text);
    for part in &mut parts {
        let Some((end, is_escaped)) = bar(rest) else {
            return Err(Refusal::Broken("CEF: the header has fewer than seven parts"));
        };
        *part = (rest[..end].trim_ascii(), is_escaped);
        rest = &rest[end + 1..];
    }
    let mut pairs = Pairs::new(context, rows);
    for (name, (part, is_escaped)) in HEADER.iter().zip(parts) {
        if is_escaped {
            pairs.put(name.as_bytes(), &unescaped(part));
        } else {
            pairs.put(name.as_bytes(), part);
        }
    }
    let has_labels = find!(rest, b"Label=").is_some();
    // Mostly one value or none has a backslash: where the next one stands is looked for once.
    let place_of = |part: &[u8]| part.as_ptr() as usize - rest.as_ptr() as usize;
    let mut escape = find_byte(b'\\', rest).unwrap_or(rest.len());
    let mut labels: Vec<(&[u8], &[u8])> = Vec::new();
    let mut values: Vec<(&[u8], &[u8])> = Vec::with_capacity(if has_labels { rest.len() / PAIR_BYTES } else { 0 });
    spaced(rest, &mut pairs, |pairs, name, value| {
        let end = place_of(value) + value.len();
        if escape < end {
            pairs.put_named(name, &unescaped(value));
            escape = rest.get(end..).and_then(|rest| find_byte(b'\\', rest)).map_or(rest.len(), |at| end + at);
        } else {
            pairs.put_named(name, value);
        }
        if !has_labels {
            return;
        }
        let name = name.text;
        match name.strip_suffix(b"Label") {
            Some(base) => labels.push((base, value)),
            None => values.push((name, value)),
        }
    });
    // `cs1Label=Policy cs1=no uploads` is a value called Policy.
    for (base, label) in labels {
        // The last byte tells most of them apart: `cs1`, `cs2`, `cn1`.
        let is_it = |name: &[u8]| name.last() == base.last() && name == base;
        if let Some((_, value)) = values.iter().find(|(name, _)| is_it(name)) {
            pairs.put(&unescaped(label), &unescaped(value));
        }
    }
    Ok(pairs.finish("cef.event"))
}

/// Where the first `|` stands that no backslash escapes, and whether there are backslashes in front of it.
fn bar(text: &[u8]) -> Option<(usize, bool)> {
    let (mut at, mut is_escaped) = (0, false);
    loop {
        at += find_either(b'|', b'\\', text.get(at..)?)?;
        if text[at] == b'|' {
            return Some((at, is_escaped));
        }
        is_escaped = true;
        at += 2;
    }
}
