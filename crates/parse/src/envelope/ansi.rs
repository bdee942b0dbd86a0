//! Lines with colours for a terminal (ECMA-48, `ESC [ … m`): taken out, so that the line is read as it was meant.

use event::{BatchBuilder, DatasetId};
use memchr::memchr;

use crate::context::{Context, Refusal};

const ESC: u8 = 0x1b;

/// Its name among formats.
pub(crate) const NAME: &str = "coloured";

/// Whether a colour stands in front of all else.
#[inline]
pub(crate) fn begins(text: &[u8]) -> bool {
    text.first() == Some(&ESC)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.first() == Some(&ESC) || memchr(ESC, &text[..text.len().min(128)]).is_some()
}

/// The text without control sequences.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(ESC, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix(b"[") {
            let inner = sequence.iter().take_while(|byte| (0x20..0x40).contains(*byte)).count();
            rest = sequence.get(inner + 1..).unwrap_or_default();
        } else if let Some(charset) = rest.strip_prefix(b"(") {
            rest = charset.get(1..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
    out
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("no colours"));
    }
    context.read_carried(&plain(text), rows).ok_or_else(|| {
        rows.clear_row();
        Refusal::Other("nothing that is known between the colours")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_and_the_rest_stays() {
        for (text, wanted) in [
            ("\x1b[36mweb-1  |\x1b[0m a", "web-1  | a"),
            ("\x1b[1;31ma\x1b[0m\x1b(B b", "a b"),
            ("a\x1b[", "a"),
            ("a\x1b", "a"),
            ("\x1b[38;5;12mc", "c"),
        ] {
            assert_eq!(String::from_utf8_lossy(&plain(text.as_bytes())), wanted);
        }
    }
}
