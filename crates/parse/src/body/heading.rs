//! What stands in front of a message in a program's own log file: its time, level, process, thread, module. Reads no message.

use event::catalog::field;
use event::{BatchBuilder, Timestamp};

use crate::address::decimal;
use crate::needle::bytes_of;

/// Bytes between brackets in front of a message.
const BRACKET_BYTES_MAX: usize = 80;

/// What exim writes in front of an address, which the sender of a mail has chosen, with all that follows.
const ARROWS: [&[u8]; 5] = [b"** ", b"== ", b"-> ", b">> ", b"*> "];

/// What stands in front of a message.
#[derive(Debug, Default)]
pub(super) struct Heading<'a> {
    pub(super) time: Option<Timestamp>,
    level: &'a [u8],
    program: &'a [u8],
    pid: Option<i64>,
    /// Brackets stood in front.
    has_brackets: bool,
    /// A dash stood behind the level, as loggers put it in front of what is said.
    is_ended: bool,
    /// The next word may be the host: it stands right behind the time.
    pub(super) may_be_host: bool,
}

impl<'a> Heading<'a> {
    /// Over one word, bracket or mark; `None` where prose begins.
    pub(super) fn step(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if ARROWS.iter().any(|arrow| text.starts_with(arrow)) {
            return None;
        }
        let close = match text.first()? {
            b'[' => b']',
            b'(' => b')',
            b'<' => b'>',
            b'{' => b'}',
            first @ (b'-' | b':' | b'|' | b'*' | b'>' | b',' | b'#') => {
                self.is_ended |= *first == b'-' && !self.level.is_empty();
                return Some(&text[1..]);
            }
            _ => return self.word(text),
        };
        let end = memchr::memchr(close, &text[..text.len().min(BRACKET_BYTES_MAX)])?;
        let inner = text[1..end].trim_ascii();
        self.has_brackets = true;
        if is_level(inner) {
            self.level = inner;
        } else if let Some(pid) = decimal(inner.strip_prefix(b"pid ").unwrap_or(inner)) {
            self.pid = self.pid.or(Some(pid));
        }
        Some(&text[end + 1..])
    }

    fn word(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        const ENDS: [bool; 256] = bytes_of(b" \t[(<|\"'", false);
        let end = text.iter().position(|byte| ENDS[usize::from(*byte)])?;
        let (word, rest) = text.split_at(end);
        let bare = word.strip_suffix(b":").or(word.strip_suffix(b",")).unwrap_or(word);
        if is_level(bare) {
            self.level = bare;
            return Some(rest);
        }
        let is_first = std::mem::take(&mut self.may_be_host);
        const NAMES: [bool; 256] = bytes_of(b"_.:/$@#+=-%)", true);
        if bare.is_empty() || !bare.iter().all(|byte| NAMES[usize::from(*byte)]) {
            return None;
        }
        let numbered = |rest: &[u8]| {
            let inner = rest.strip_prefix(b"[").and_then(|rest| Some(&rest[..memchr::memchr(b']', rest)?]));
            inner.is_some_and(|inner| {
                !inner.is_empty() && inner.iter().all(|byte| byte.is_ascii_digit() || *byte == b':')
            })
        };
        let is_numbered = numbered(rest);
        const OF_CODE: [bool; 256] = bytes_of(b"._/:#$=0123456789", false);
        let is_of_code = || bare.iter().any(|byte| OF_CODE[usize::from(*byte)]);
        // Parts of a program in capitals, and what stands for no value.
        let is_part = || {
            (2..=12).contains(&bare.len()) && bare.iter().all(u8::is_ascii_uppercase)
                || matches!(bare, b"none" | b"null" | b"in")
        };
        // A host in front of a program and its number.
        let is_host = || {
            let next = rest.trim_ascii_start();
            let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_.".contains(byte);
            let name = next.iter().position(ends).unwrap_or(0);
            name > 0 && numbered(&next[name..]) || is_first && matches!(next.first(), Some(b'[' | b'<'))
        };
        // A name alone may be anybody's: `ann: `.
        let is_heading = || {
            let is_of_program = !self.is_ended && (self.has_brackets || self.time.is_some() || self.has_level());
            word.ends_with(b":") && (is_of_program || !bare.iter().all(u8::is_ascii_lowercase))
        };
        if !(is_numbered || is_heading() || is_of_code() || is_part() || is_host()) {
            return None;
        }
        if is_numbered {
            self.program = bare;
            let close = memchr::memchr(b']', rest)?;
            self.pid = self.pid.or(decimal(&rest[1..close]));
            let rest = &rest[close + 1..];
            return Some(rest.strip_prefix(b":").unwrap_or(rest));
        }
        Some(rest)
    }

    /// Whether a word said how grave the message is.
    pub(super) fn has_level(&self) -> bool {
        !self.level.is_empty()
    }

    pub(super) fn put(&self, rows: &mut BatchBuilder, program: &'static str) {
        // A message that came by syslog has a time, and a program.
        if let Some(time) = self.time.filter(|_| !rows.has(field::TIMESTAMP)) {
            rows.date(field::TIMESTAMP, time);
        }
        if !self.level.is_empty() {
            rows.text(field::LOG_LEVEL, self.level);
        }
        if let Some(pid) = self.pid.filter(|_| !rows.has(field::PROCESS_PID)) {
            rows.long(field::PROCESS_PID, pid);
        }
        match (rows.has(field::PROCESS_NAME), self.program, program) {
            (true, _, _) | (false, b"", "") => {}
            (false, b"", known) => rows.literal(field::PROCESS_NAME, known),
            (false, told, _) => rows.text(field::PROCESS_NAME, told),
        }
    }
}

/// Words for how grave a message is, in the spellings of the usual loggers.
#[rustfmt::skip]
fn is_level(word: &[u8]) -> bool {
    let mut lower = [0; "informational".len()];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"trace"
            | b"debug"
            | b"info"
            | b"information"
            | b"informational"
            | b"notice"
            | b"warn"
            | b"warning"
            | b"error"
            | b"err"
            | b"critical"
            | b"crit"
            | b"fatal"
            | b"alert"
            | b"emerg"
            | b"severe"
            | b"log"
            | b"note"
            | b"verbose"
            | b"wrn"
            | b"inf"
            | b"dbg"
            | b"ftl"
            | b"security"
            | b"system"
            | b"i"
            | b"w"
            | b"e"
            | b"d"
            | b"f"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_front_are_stepped_over_and_prose_is_not() {
        let rest = |text: &str, words: usize| {
            let mut header = Heading::default();
            let mut rest = text.as_bytes();
            for _ in 0..words {
                rest = header.step(rest)?.trim_ascii_start();
            }
            Some((
                String::from_utf8_lossy(rest).into_owned(),
                String::from_utf8_lossy(header.level).into_owned(),
                header.pid,
            ))
        };
        let some = |rest: &str, level: &str, pid| Some((rest.to_owned(), level.to_owned(), pid));
        assert_eq!(rest("WARN  [main] [o.e.Class] - said", 4), some("said", "WARN", None));
        assert_eq!(rest("[pid 7] said", 1), some("said", "", Some(7)));
        assert_eq!(rest("app.auth[7]: NOTICE said", 2), some("said", "NOTICE", Some(7)));
        assert_eq!(rest("user said", 1), None);
    }
}
