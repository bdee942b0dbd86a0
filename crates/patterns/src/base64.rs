//! Text hidden in Base64, standard or for addresses, with or without padding, also as UTF-16.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr;

/// Shortest run of Base64 characters that is decoded.
const BASE64_CHARS_MIN: usize = 10;
/// Longest run of Base64 characters that is decoded.
const BASE64_CHARS_MAX: usize = 64 << 10;

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
            if let Some(text) = engine.decode(&run[..whole]).ok().and_then(readable) {
                visit(&text);
            }
        }
        at += run.max(1);
    }
}

/// Decoded bytes as text, if that is what they are; UTF-16 loses its zeros.
fn readable(mut bytes: Vec<u8>) -> Option<String> {
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    if zeros * 5 > bytes.len() * 2 {
        bytes.retain(|byte| *byte != 0);
    }
    let printable = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')).count();
    if bytes.len() < 6 || printable * 20 < bytes.len() * 19 {
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
