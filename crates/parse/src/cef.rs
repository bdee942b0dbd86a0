//! ArcSight Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value …`. What the keys mean is said by
//! the shape `cef`. The syslog header in front of it, if any, is read by syslog.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::pairs::{Pairs, spaced, unescaped};

/// Where the parts of the header go.
const HEADER: [&str; 6] = [
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
    let pipes = memchr::memchr_iter(b'|', text).take(7).count();
    version > 0 && text.get(version) == Some(&b'|') && (is_named || pipes == 7 && version == 1)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("not CEF: it does not begin with CEF: and a version"));
    }
    let text = text.strip_prefix(b"CEF:").unwrap_or(text).trim_ascii();
    let mut parts = Vec::with_capacity(7);
    let mut rest = text;
    while parts.len() < 7 {
        let Some(end) = bar(rest) else { return Err(Refusal::Broken("CEF: the header has fewer than seven parts")) };
        parts.push(&rest[..end]);
        rest = &rest[end + 1..];
    }
    let mut pairs = Pairs::new(context, rows);
    for (name, part) in std::iter::once(&"cef.version").chain(&HEADER).zip(&parts) {
        pairs.put(name.as_bytes(), &unescaped(part.trim_ascii()));
    }
    let mut labels: Vec<(&[u8], &[u8])> = Vec::new();
    let mut values: Vec<(&[u8], &[u8])> = Vec::with_capacity(rest.len() / PAIR_BYTES);
    spaced(rest, |name, value| {
        pairs.put(name, &unescaped(value));
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

/// Where the first `|` stands that no backslash escapes.
fn bar(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'|', b'\\', text.get(at..)?)?;
        if text[at] == b'|' {
            return Some(at);
        }
        at += 2;
    }
}
