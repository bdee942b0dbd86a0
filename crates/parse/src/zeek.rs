//! Zeek's logs with tabs: `#fields` names the columns of the lines below, and what they mean is said by the shape that they make,
//! as for Zeek's JSON. The heading comes with the block where it stands in front of it.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memchr_iter};

use crate::context::{Context, Refusal};
use crate::pairs::Pairs;
use crate::w3c_heading::is_of_zeek;

const DIRECTIVES: [&[u8]; 8] = [
    b"#separator \\x09",
    b"#set_separator\t",
    b"#empty_field\t",
    b"#unset_field\t",
    b"#path\t",
    b"#open\t",
    b"#types\t",
    b"#close\t",
];

fn is_directive(text: &[u8]) -> bool {
    text.first() == Some(&b'#') && (is_of_zeek(text) || DIRECTIVES.iter().any(|directive| text.starts_with(directive)))
}

/// Seconds since the epoch with a fraction, and a tab.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    match text.first() {
        Some(b'#') => is_directive(text),
        Some(b'0'..=b'9') => text.get(10) == Some(&b'.') && memchr(b'\t', &text[..text.len().min(24)]).is_some(),
        _ => false,
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if is_directive(text) {
        context.w3c.take_zeek(text);
        rows.text(field::MESSAGE, text);
        rows.name_dataset("zeek.log");
        return Ok(dataset::JSON);
    }
    if !looks_like(text) || memchr_iter(b'\t', text).count() + 1 != memchr_iter(b'\t', &context.w3c.zeek).count() {
        return Err(Refusal::Other("not of Zeek: no line of columns that a heading names"));
    }
    let heading = std::mem::take(&mut context.w3c.zeek);
    let mut pairs = Pairs::new(context, rows);
    let names = heading.split(|byte| *byte == b'\t').skip(1);
    for (name, value) in names.zip(text.split(|byte| *byte == b'\t')) {
        if !matches!(value, b"-" | b"(empty)" | b"") {
            pairs.put(name, value);
        }
    }
    let dataset = pairs.finish("zeek.log");
    context.w3c.zeek = heading;
    Ok(dataset)
}
