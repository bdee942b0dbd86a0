//! The forms of a body in memory, to lines: NDJSON, a JSON array, JSON objects one after another, or plain lines. Looks at no line's
//! meaning.

use memchr::{memchr, memchr_iter, memmem};
use serde_json::value::RawValue;

use crate::framing::push_line;

/// The lines before those are taken apart that hold many events.
pub(super) fn folded_lines(body: Vec<u8>) -> (Vec<u8>, u64) {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(body.len());
    let from_json = match body.get(start) {
        Some(b'[') => array(&body),
        Some(b'{') if !is_ndjson(&body[start..]) => objects(&body),
        _ => None,
    };
    from_json.unwrap_or_else(|| plain(body))
}

fn array(body: &[u8]) -> Option<(Vec<u8>, u64)> {
    let items: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
    Some(written(items.into_iter()))
}

fn objects(body: &[u8]) -> Option<(Vec<u8>, u64)> {
    let items: Result<Vec<&RawValue>, _> = serde_json::Deserializer::from_slice(body).into_iter().collect();
    items.ok().map(|items| written(items.into_iter()))
}

fn written<'a>(items: impl Iterator<Item = &'a RawValue>) -> (Vec<u8>, u64) {
    let mut lines = Vec::new();
    let mut count = 0;
    for item in items {
        written_to(item.get(), &mut lines);
        count += 1;
    }
    (lines, count)
}

/// Line feeds of JSON stand between its parts only: a blank means the same.
pub(super) fn written_to(item: &str, lines: &mut Vec<u8>) {
    let start = lines.len();
    lines.extend_from_slice(item.as_bytes());
    lines[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    lines.push(b'\n');
}

/// Every line is an object of its own, as far as its ends tell, and holds nothing that may be the border of two.
pub(super) fn is_ndjson(body: &[u8]) -> bool {
    memmem::find(body, b"}{").is_none()
        && body
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .all(|line| line.is_empty() || (line.starts_with(b"{") && line.ends_with(b"}")))
}

fn plain(mut body: Vec<u8>) -> (Vec<u8>, u64) {
    let clean = memchr(0, &body).is_none() && memmem::find(&body, b"\n\n").is_none() && !body.starts_with(b"\n");
    if clean {
        if !body.is_empty() && body.last() != Some(&b'\n') {
            body.push(b'\n');
        }
        let count = memchr_iter(b'\n', &body).count() as u64;
        return (body, count);
    }
    let mut lines = Vec::with_capacity(body.len() + 1);
    for line in body.split(|byte| *byte == b'\n') {
        push_line(line, &mut lines);
    }
    let count = memchr_iter(b'\n', &lines).count() as u64;
    (lines, count)
}
