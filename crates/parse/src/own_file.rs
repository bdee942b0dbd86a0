//! Lines of log files that programs write themselves: a time in any form, words of the program's own order (level, process,
//! thread, module), then a message that the table of programs knows. Takes no line whose message is not known as a whole.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp};

use crate::address::decimal;
use crate::body::own;
use crate::context::{Context, Refusal};
use crate::stamp::stamp;

/// Words in front of a message.
const WORDS_MAX: usize = 10;
/// Bytes between brackets in front of a message.
const BRACKET_BYTES_MAX: usize = 80;

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| !matches!(byte, b' ' | b'{'))
}

/// No line is a program's own by its start alone.
pub(crate) fn begins_like(_text: &[u8]) -> bool {
    false
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const UNKNOWN: Refusal = Refusal::Other("no message of a program's own log file");
    let candidates = own::candidates(text).ok_or(UNKNOWN)?;
    let mut header = Header::default();
    let mut rest = text.trim_ascii_start();
    for _ in 0..WORDS_MAX {
        if header.time.is_none()
            && let Some(stamp) = stamp(rest, &mut context.times)
        {
            header.time = stamp.time;
            rest = stamp.rest;
        }
        // vsftpd, whose names stand in brackets, too.
        if rest.starts_with(b"[pid ") {
            rest = header.step(rest).ok_or(UNKNOWN)?.trim_ascii_start();
        }
        if let Some((dataset, program)) = candidates.put(rows, rest) {
            header.put(rows, program);
            rows.text(field::MESSAGE, rest);
            return Ok(dataset);
        }
        rest = header.step(rest).ok_or(UNKNOWN)?.trim_ascii_start();
    }
    Err(UNKNOWN)
}

/// What stands in front of a message.
#[derive(Debug, Default)]
struct Header<'a> {
    time: Option<Timestamp>,
    level: &'a [u8],
    program: &'a [u8],
    pid: Option<i64>,
}

impl<'a> Header<'a> {
    /// Over one word, bracket or mark; `None` where prose begins.
    fn step(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let close = match text.first()? {
            b'[' => b']',
            b'(' => b')',
            b'<' => b'>',
            b'-' | b':' | b'|' | b'*' | b'>' | b',' | b'#' => return Some(&text[1..]),
            _ => return self.word(text),
        };
        let end = memchr::memchr(close, &text[..text.len().min(BRACKET_BYTES_MAX)])?;
        let inner = text[1..end].trim_ascii();
        if is_level(inner) {
            self.level = inner;
        } else if let Some(pid) = decimal(inner.strip_prefix(b"pid ").unwrap_or(inner)) {
            self.pid = self.pid.or(Some(pid));
        }
        Some(&text[end + 1..])
    }

    fn word(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'[' | b'(' | b'<' | b'|' | b'"' | b'\'');
        let end = text.iter().position(ends)?;
        let (word, rest) = text.split_at(end);
        let bare = word.strip_suffix(b":").or(word.strip_suffix(b",")).unwrap_or(word);
        if is_level(bare) {
            self.level = bare;
            return Some(rest);
        }
        let is_name =
            !bare.is_empty() && bare.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/$@#+=-".contains(byte));
        let is_numbered =
            rest.first() == Some(&b'[') && memchr::memchr(b']', rest).is_some_and(|at| decimal(&rest[1..at]).is_some());
        let is_of_code =
            bare.iter().any(|byte| matches!(byte, b'.' | b'_' | b'/' | b':' | b'#' | b'$' | b'=' | b'0'..=b'9'));
        if !is_name || !(is_numbered || is_of_code || word.ends_with(b":")) {
            return None;
        }
        if is_numbered {
            self.program = bare;
        }
        Some(rest)
    }

    fn put(&self, rows: &mut BatchBuilder, program: &'static str) {
        if let Some(time) = self.time {
            rows.date(field::TIMESTAMP, time);
        }
        if !self.level.is_empty() {
            rows.text(field::LOG_LEVEL, self.level);
        }
        if let Some(pid) = self.pid.filter(|_| !rows.has(field::PROCESS_PID)) {
            rows.long(field::PROCESS_PID, pid);
        }
        if !self.program.is_empty() {
            rows.text(field::PROCESS_NAME, self.program);
        } else if !rows.has(field::PROCESS_NAME) {
            rows.literal(field::PROCESS_NAME, program);
        }
    }
}

/// Words for how grave a message is, in the spellings of the usual loggers.
fn is_level(word: &[u8]) -> bool {
    const LEVELS: [&str; 24] = [
        "trace",
        "debug",
        "info",
        "information",
        "notice",
        "warn",
        "warning",
        "error",
        "err",
        "critical",
        "crit",
        "fatal",
        "alert",
        "emerg",
        "severe",
        "log",
        "note",
        "verbose",
        "wrn",
        "inf",
        "dbg",
        "ftl",
        "security",
        "system",
    ];
    LEVELS.iter().any(|level| level.as_bytes().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_front_are_stepped_over_and_prose_is_not() {
        let rest = |text: &str, words: usize| {
            let mut header = Header::default();
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
        assert_eq!(rest("app.auth[7]: NOTICE said", 4), some("said", "NOTICE", Some(7)));
        assert_eq!(rest("user said", 1), None);
    }
}
