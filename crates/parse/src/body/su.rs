//! su, in the wordings of shadow, util-linux, Solaris and the BSDs.
//!
//! Whoever calls su writes the account that is asked for; the caller's own name is the system's and has no blanks.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::outcome::outcome;
use crate::needle::{self, find, rfind};

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_by(rows, message)
        || put_to(rows, message)
        || put_signs(rows, message)
        || put_bad(rows, message)
        || put_plain(rows, message)
}

/// `Successful su for TARGET by NAME`, `FAILED su for TARGET by NAME`
fn put_by(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let (rest, result) = match (message.strip_prefix(b"Successful su for "), message.strip_prefix(b"FAILED su for ")) {
        (Some(rest), _) => (rest, "success"),
        (_, Some(rest)) => (rest, "failure"),
        _ => return false,
    };
    let Some(by) = rfind!(rest, b" by ") else { return false };
    put_pair(rows, &rest[by + 4..], &rest[..by], result);
    true
}

/// `(to TARGET) NAME on TTY`, `FAILED SU (to TARGET) NAME on TTY`. Whoever calls su writes TARGET, so that the end counts: the
/// terminal is the last word, and NAME an account that has no bracket.
fn put_to(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let failed = message.strip_prefix(b"FAILED SU ");
    let text = failed.unwrap_or(message);
    let Some(rest) = text.strip_prefix(b"(to ") else { return false };
    let on = rfind!(rest, b" on ").unwrap_or(rest.len());
    let Some(close) = rfind!(&rest[..on], b") ").or(rest[..on].strip_suffix(b")").map(<[u8]>::len)) else {
        return false;
    };
    let name = rest[close + 1..on].trim_ascii();
    put_pair(rows, name, &rest[..close], if failed.is_some() { "failure" } else { "success" });
    if let Some(tty) = rest.get(on + 4..) {
        rows.text(field::SYSTEM_AUTH_SUDO_TTY, tty);
    }
    true
}

/// `+ TTY NAME:TARGET`, `- TTY NAME:TARGET`
fn put_signs(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let result = match message.first() {
        Some(b'+') => "success",
        Some(b'-') => "failure",
        _ => return false,
    };
    let mut words = message[1..].trim_ascii_start().splitn(2, |byte| *byte == b' ');
    let (Some(tty), Some(pair)) = (words.next(), words.next()) else { return false };
    let separator = memchr(b':', pair).or_else(|| memchr(b'-', pair));
    let Some(at) = separator else { return false };
    put_pair(rows, &pair[..at], &pair[at + 1..], result);
    rows.text(field::SYSTEM_AUTH_SUDO_TTY, tty);
    true
}

/// `BAD SU NAME to TARGET on TTY`
fn put_bad(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"BAD SU ") else { return false };
    let Some(to) = find!(rest, b" to ") else { return false };
    let target = &rest[to + 4..];
    let on = rfind!(target, b" on ").unwrap_or(target.len());
    put_pair(rows, &rest[..to], &target[..on], "failure");
    true
}

/// `NAME to TARGET on TTY` of the BSDs, `'su TARGET' failed for NAME on TTY` of Solaris. The terminal is the last word and NAME has
/// no blank.
fn put_plain(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(on) = rfind!(message, b" on /dev/") else { return false };
    let (text, tty) = (&message[..on], &message[on + 4..]);
    if let Some(rest) = text.strip_prefix(b"'su ") {
        let results = [(&b"' failed for "[..], "failure"), (b"' succeeded for ", "success")];
        let found =
            results.iter().find_map(|(words, result)| Some((needle::rfind_word(rest, words)?, words.len(), *result)));
        let Some((at, length, result)) = found else { return false };
        put_pair(rows, &rest[at + length..], &rest[..at], result);
    } else {
        let Some(to) = find!(text, b" to ").filter(|to| memchr(b' ', &text[..*to]).is_none()) else {
            return false;
        };
        put_pair(rows, &text[..to], &text[to + 4..], "success");
    }
    rows.text(field::SYSTEM_AUTH_SUDO_TTY, tty);
    true
}

fn put_pair(rows: &mut BatchBuilder, name: &[u8], target: &[u8], result: &'static str) {
    rows.text(field::USER_NAME, name.trim_ascii());
    rows.text(field::USER_EFFECTIVE_NAME, target.trim_ascii());
    outcome("su", result).put(rows);
}
