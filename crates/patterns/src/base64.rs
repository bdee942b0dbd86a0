//! Text hidden in Base64, standard or for addresses, with or without padding, also as UTF-16.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr;

/// Shortest run of Base64 characters that is decoded.
const BASE64_CHARS_MIN: usize = 10;
/// Longest run of Base64 characters that is decoded.
const BASE64_CHARS_MAX: usize = 64 << 10;
/// Characters that are decoded to tell whether a run holds a text behind letters that are none of it.
const PROBE_CHARS: usize = 20;
/// Bytes of those that may be what the letters became.
const PROBE_JUNK: usize = 6;

/// Whether the text has a run that could be Base64 of a text: long, with capitals and without marks that words have.
pub fn has_base64(text: &str) -> bool {
    // Most texts have no capitals; all bytes are compared at once.
    if !text.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase()) {
        return false;
    }
    let mut run = 0;
    let mut capitals = 0;
    text.bytes().any(|byte| {
        if is_base64(byte) {
            run += 1;
            capitals += u32::from(byte.is_ascii_uppercase());
        } else {
            (run, capitals) = (0, 0);
        }
        run >= BASE64_CHARS_MIN && capitals > 1
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_')
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What runs of Base64 in a text (its case as sent) hold, where that is text.
pub fn base64(text: &str, visit: &mut impl FnMut(&str)) {
    // A slash is one of its characters, and parts paths: it is tried both ways.
    for slash in [false, true] {
        if !slash || memchr(b'/', text.as_bytes()).is_some() {
            runs(text, &|byte| is_base64(byte) || slash && byte == b'/', visit);
        }
    }
}

fn runs(text: &str, is_part: &dyn Fn(u8) -> bool, visit: &mut impl FnMut(&str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| is_part(**byte)).count();
        if (BASE64_CHARS_MIN..=BASE64_CHARS_MAX).contains(&run) {
            let run = &bytes[at..at + run];
            let engine = if run.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
            let whole = run.len() - usize::from(run.len() % 4 == 1);
            let text = engine.decode(&run[..whole]).ok().and_then(readable);
            if let Some(text) = text.or_else(|| shifted(run, engine)) {
                visit(&text);
            }
        }
        at += run.max(1);
    }
}

/// The text in a run that begins with other letters: at the first of the four offsets that shows one. A few bytes are
/// decoded first, which hardly any token survives.
fn shifted(run: &[u8], engine: &GeneralPurpose) -> Option<String> {
    (0..4).find_map(|offset| {
        let run = run.get(offset..)?;
        let mut probe = [0; PROBE_CHARS];
        let length = engine.decode_slice(run.get(..PROBE_CHARS)?, &mut probe).ok()?;
        if !probe.get(PROBE_JUNK..length)?.iter().copied().all(is_printable) {
            return None;
        }
        let mut bytes = engine.decode(&run[..run.len() - usize::from(run.len() % 4 == 1)]).ok()?;
        let junk = bytes.iter().take(PROBE_JUNK).rposition(|byte| !is_printable(*byte)).map_or(0, |last| last + 1);
        bytes.drain(..junk);
        readable(bytes)
    })
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Decoded bytes as text, if that is what they are; UTF-16 loses its zeros.
fn readable(mut bytes: Vec<u8>) -> Option<String> {
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    if zeros * 5 > bytes.len() * 2 {
        bytes.retain(|byte| *byte != 0);
    }
    let printable = bytes.iter().filter(|byte| is_printable(**byte)).count();
    if bytes.len() < 6 || printable * 20 < bytes.len() * 19 {
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        base64(text, &mut |text| found.push(text.to_owned()));
        found
    }

    #[test]
    fn a_text_is_found_at_each_offset() {
        // `cat /etc/passwd; id` behind words of no, one, two, three and five letters.
        let hidden = "Y2F0IC9ldGMvcGFzc3dkOyBpZA";
        for before in ["", "x", "xy", "key", "token"] {
            let found = found(&format!("{before}{hidden}"));
            assert!(found.iter().any(|text| text.ends_with("cat /etc/passwd; id")), "{before}: {found:?}");
        }
    }

    #[test]
    fn tokens_hold_no_text() {
        for token in [
            "Zx81kQfTnV0aLm3PqRs7uYwXb2CdEf9H",
            "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
            "XyZ9aBcDeFgHiJkL4mNoPqRs-TuVwXyZ_0",
        ] {
            assert_eq!(found(token), [""; 0], "{token}");
        }
    }
}
