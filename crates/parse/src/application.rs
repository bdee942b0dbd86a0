//! Logs of applications: a time, a level, then thread, logger and message, as logging libraries of Java, Python, Go, .NET, Ruby,
//! Rust and C++ write them. A line with a time and no level is text that keeps its time. Knows no application, and takes no
//! address or account from a message.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp, dataset};
use memchr::memchr;

use crate::address::decimal;
use crate::body;
use crate::context::{Context, Refusal};
use crate::guess;
use crate::level::is_level;
use crate::needle::find;
use crate::stamp::{OwnTime, stamp};

/// Parts in front of the message that are looked at.
const PARTS_MAX: usize = 12;
/// Bytes of the longest name of a thread, logger or service.
const NAME_BYTES_MAX: usize = 100;

/// What PHP writes in front of the level.
const PHP: &[u8] = b"PHP";

/// What a line says in front of its message.
#[derive(Debug, Default)]
struct Preamble<'a> {
    time: Option<Timestamp>,
    level: &'a [u8],
    logger: &'a [u8],
    thread: &'a [u8],
    service: &'a [u8],
    pid: Option<i64>,
    file: &'a [u8],
    line: Option<i64>,
    message: &'a [u8],
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    match text.first() {
        Some(b'[' | b'0'..=b'9') => true,
        Some(first) => first.is_ascii_uppercase() && text.len() > 12,
        None => false,
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let text = text.trim_ascii_start();
    let starts_with_name = !matches!(text.first(), Some(b'0'..=b'9'));
    let head = starts_with_name
        .then(|| glog(text, context).or_else(|| ruby(text, context)).or_else(|| level_first(text, context)))
        .flatten()
        .or_else(|| time_first(text, context))
        .filter(|head| !head.level.is_empty())
        .ok_or(Refusal::Other("no time and level at the start"))?;
    head.put(rows);
    if head.message.starts_with(b"{")
        && let Some(dataset) = context.read_carried_surely(head.message, rows)
    {
        return Ok(dataset);
    }
    if let Some(dataset) = body::finding(rows, context, head.message) {
        return Ok(dataset);
    }
    // zap puts the members of an event behind its message.
    if let Some(at) = find!(head.message, b"\t{\"").filter(|_| head.message.ends_with(b"}"))
        && let Some(dataset) = context.read_carried_surely(&head.message[at + 1..], rows)
        && (dataset != dataset::JSON || rows.is_dataset_named())
    {
        return Ok(dataset);
    }
    guess::put(rows, head.message);
    Ok(dataset::APPLICATION)
}

/// Puts the time that a text begins with, and what stands behind it.
pub(crate) fn put_time(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) {
    if let Some(OwnTime { time: Some(time), rest }) = stamp(text, &mut context.times) {
        rows.date(field::TIMESTAMP, time);
        rows.text(field::MESSAGE, rest);
    }
}

impl<'a> Preamble<'a> {
    fn put(&self, rows: &mut BatchBuilder) {
        if let Some(time) = self.time {
            rows.date(field::TIMESTAMP, time);
        }
        for (id, text) in [
            (field::LOG_LEVEL, self.level),
            (field::LOG_LOGGER, self.logger),
            (field::PROCESS_THREAD_NAME, self.thread),
            (field::SERVICE_NAME, self.service),
            (field::LOG_ORIGIN_FILE_NAME, self.file),
            (field::MESSAGE, self.message),
        ] {
            if !text.is_empty() {
                rows.text(id, text);
            }
        }
        for (id, number) in [(field::PROCESS_PID, self.pid), (field::LOG_ORIGIN_FILE_LINE, self.line)] {
            if let Some(number) = number {
                rows.long(id, number);
            }
        }
    }

    /// Reads level, thread, logger and number of the process, in whatever order they come; the rest is the message.
    fn read_parts(&mut self, text: &'a [u8]) {
        let mut rest = text.trim_ascii_start();
        self.message = rest;
        for _ in 0..PARTS_MAX {
            let Some((part, after)) = part(rest) else { return };
            if !self.take(&part) {
                return;
            }
            rest = after.trim_ascii_start();
            self.message = rest;
        }
    }

    /// Whether the part belongs to the head.
    fn take(&mut self, part: &HeadPart<'a>) -> bool {
        let HeadPart { word, bracket, ends_in_colon, .. } = *part;
        if matches!(word, b"" | b"-" | b"--" | b"---" | b"|" | b">" | b":") {
            return true;
        }
        if self.level.is_empty() && (part.is_level() || self.logger == PHP && is_level(word)) {
            self.level = word;
            return true;
        }
        // `PHP Fatal error:  text`
        if self.logger.is_empty() && word == PHP || self.logger == PHP && word == b"error" {
            self.logger = PHP;
            return true;
        }
        // Celery: `INFO/MainProcess`
        if let Some(at) = memchr(b'/', word).filter(|at| self.level.is_empty() && is_upper_level(&word[..*at])) {
            (self.level, self.thread) = (&word[..at], &word[at + 1..]);
            return true;
        }
        // Elixir: `request_id=F1 [info] text`.
        if self.level.is_empty() && bracket.is_none() && memchr(b'=', word).is_some_and(|at| is_name(&word[..at])) {
            return true;
        }
        if let Some((channel, level)) = monolog(word).filter(|_| self.level.is_empty() && ends_in_colon) {
            (self.logger, self.level) = (channel, level);
            return true;
        }
        match bracket {
            // Airflow: `{dag.py:12}`; other braces are the message's.
            Some(b'{') => return self.take_place(word),
            Some(_) => return self.take_bracketed(word),
            None => {}
        }
        if let Some(number) = decimal(word)
            .filter(|_| self.pid.is_none() && (part.is_followed_by_dash || is_level(first_word(part.after))))
        {
            self.pid = Some(number);
            return true;
        }
        if self.level.is_empty() || !self.logger.is_empty() {
            // A logger in front of the level, as Python writes it.
            let is_before =
                self.level.is_empty() && self.logger.is_empty() && part.is_followed_by_dash && is_name(word);
            if is_before {
                self.logger = word;
            }
            return is_before;
        }
        if self.take_place(word) {
            return true;
        }
        let is_logger = is_name(word) && (is_dotted(word) || ends_in_colon || part.is_followed_by_dash);
        if is_logger {
            self.logger = word;
        }
        is_logger
    }

    fn take_place(&mut self, word: &'a [u8]) -> bool {
        let Some((file, line)) = file_and_line(word) else { return false };
        (self.file, self.line) = (file, Some(line));
        true
    }

    /// `[main]` is a thread, `[o.e.n.Node]` a logger; of two threads the first one names the service (Spring).
    fn take_bracketed(&mut self, word: &'a [u8]) -> bool {
        if word.len() > NAME_BYTES_MAX || !word.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return false;
        }
        // Behind the logger, brackets belong to the message.
        if !self.logger.is_empty() && !self.level.is_empty() {
            return false;
        }
        if is_dotted(word) && is_name(word) && !self.level.is_empty() {
            self.logger = word;
        } else if self.thread.is_empty() {
            self.thread = word;
        } else if self.service.is_empty() {
            self.service = std::mem::replace(&mut self.thread, word);
        } else {
            return false;
        }
        true
    }
}

/// A word of the head, or what stands in brackets.
#[derive(Clone, Copy, Debug, Default)]
struct HeadPart<'a> {
    word: &'a [u8],
    /// The bracket that opens it.
    bracket: Option<u8>,
    ends_in_colon: bool,
    is_followed_by_dash: bool,
    is_followed_by_gap: bool,
    /// What follows it.
    after: &'a [u8],
}

impl HeadPart<'_> {
    /// A level, and not a word of prose (`Error opening …`).
    fn is_level(&self) -> bool {
        let is_set_off = self.bracket.is_some() || self.ends_in_colon || self.is_followed_by_gap;
        is_set_off && is_level(self.word) || is_upper_level(self.word)
    }
}

fn part(text: &[u8]) -> Option<(HeadPart<'_>, &[u8])> {
    let close = match text.first()? {
        b'[' => b']',
        b'(' => b')',
        b'<' => b'>',
        b'{' => b'}',
        _ => {
            let end = text.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'[' | b'|')).unwrap_or(text.len());
            // A bar stands alone.
            let end = if end == 0 { 1 } else { end };
            let (word, after) = text.split_at(end);
            let bare = word.strip_suffix(b":").filter(|bare| !bare.is_empty());
            let part = HeadPart {
                word: bare.unwrap_or(word),
                bracket: None,
                ends_in_colon: bare.is_some(),
                is_followed_by_dash: matches!(after, [b' ', b'-' | b'|' | b':', b' ' | b'-', ..] | [b'|', ..]),
                after,
                is_followed_by_gap: matches!(after, [b'\t', ..] | [b' ', b' ', ..]),
            };
            return Some((part, after));
        }
    };
    let end = closing(text, close)?;
    let after = text[end + 1..].strip_prefix(b":").unwrap_or(&text[end + 1..]);
    let word = text[1..end].trim_ascii();
    Some((HeadPart { word, bracket: text.first().copied(), ..HeadPart::default() }, after))
}

fn is_upper_level(word: &[u8]) -> bool {
    is_level(word) && word.iter().all(u8::is_ascii_uppercase)
}

fn first_word(text: &[u8]) -> &[u8] {
    text.trim_ascii_start().split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default()
}

/// Where the bracket that opens the text closes: names of threads may hold brackets.
fn closing(text: &[u8], close: u8) -> Option<usize> {
    let (open, mut depth) = (text[0], 0);
    text.iter().position(|byte| {
        depth += i32::from(*byte == open) - i32::from(*byte == close);
        depth == 0
    })
}

fn is_name(word: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/$:@#*[]".contains(byte);
    word.len() <= NAME_BYTES_MAX && word.iter().all(is_of_name) && word.iter().any(u8::is_ascii_alphabetic)
}

/// `a.b.C`, `a::b`
fn is_dotted(word: &[u8]) -> bool {
    let inner = word.len() > 2 && (memchr(b'.', &word[1..word.len() - 1]).is_some());
    inner && !word.starts_with(b"/") || find!(word, b"::").is_some()
}

/// `production.ERROR`
fn monolog(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(b'.', word)?;
    is_level(&word[at + 1..]).then(|| (&word[..at], &word[at + 1..]))
}

/// `file.go:84`
fn file_and_line(word: &[u8]) -> Option<(&[u8], i64)> {
    let at = memchr::memrchr(b':', word)?;
    let line = decimal(&word[at + 1..])?;
    (memchr(b'.', &word[..at]).is_some() && is_name(&word[..at]) && !word[0].is_ascii_digit())
        .then(|| (&word[..at], line))
}

/// `2026-11-28 10:00:00,123 …`, `[2026-11-28 10:00:00] …`, `[10:00:00 INF] …`, `[2026-11-28T10:00:00Z INFO  module] …`
fn time_first<'a>(text: &'a [u8], context: &mut Context) -> Option<Preamble<'a>> {
    let mut head = Preamble::default();
    if let Some(OwnTime { time, rest }) = stamp(text, &mut context.times) {
        head.time = time;
        head.read_parts(rest);
        return Some(head);
    }
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', inside)?;
    let OwnTime { time, rest } = stamp(&inside[..close], &mut context.times)?;
    head.time = time;
    head.read_parts(rest);
    // What else stands in the brackets, such as a name, is no message.
    let within = std::mem::take(&mut head.message);
    if head.logger.is_empty() && is_name(within) {
        head.logger = within;
    }
    head.message = inside[close + 1..].trim_ascii_start();
    Some(head)
}

/// `INFO 2026-11-28 10:00:00 …`, `[INFO] 2026-11-28 10:00:00 …`, `WARNING:root:text`
fn level_first<'a>(text: &'a [u8], context: &mut Context) -> Option<Preamble<'a>> {
    let (first, after) = part(text)?;
    if first.is_level() {
        let after = after.trim_ascii_start();
        let mut head = Preamble { level: first.word, ..Preamble::default() };
        let OwnTime { time, rest } = match stamp(after, &mut context.times) {
            Some(stamp) => stamp,
            // Cassandra: `INFO  [main] 2026-11-28 10:00:00,123 Main.java:12 - text`
            None => {
                let (thread, after) = part(after).filter(|(part, _)| part.bracket == Some(b'['))?;
                head.thread = thread.word;
                stamp(after.trim_ascii_start(), &mut context.times)?
            }
        };
        head.time = time;
        head.read_parts(rest);
        return Some(head);
    }
    let mut parts = text.splitn(3, |byte| *byte == b':');
    let (level, logger, message) = (parts.next()?, parts.next()?, parts.next()?);
    let is_python =
        is_level(level) && level.iter().all(u8::is_ascii_uppercase) && !logger.is_empty() && is_name(logger);
    is_python.then(|| Preamble { level, logger, message, ..Preamble::default() })
}

/// `E0304 10:00:01.123456 99 file.go:12] text`, as glog and klog write it.
fn glog<'a>(text: &'a [u8], context: &mut Context) -> Option<Preamble<'a>> {
    let level = match text.first()? {
        b'I' => &b"INFO"[..],
        b'W' => b"WARNING",
        b'E' => b"ERROR",
        b'F' => b"FATAL",
        _ => return None,
    };
    let date = text.get(1..9)?;
    let digits = date.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (month_at, year) = match digits {
        4 => (1, None),
        8 => (5, Some(decimal(&date[..4])? as i32)),
        _ => return None,
    };
    let rest = text.get(month_at + 4..)?.strip_prefix(b" ")?;
    let (clock, rest) = crate::clock::clock_time(rest)?;
    let close = crate::needle::Needle::new(b"] ").find(rest)?;
    let mut words = rest[..close].split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (pid, place) = (decimal(words.next()?)?, words.next()?);
    let (file, line) = file_and_line(place)?;
    let month_day = (decimal(&text[month_at..month_at + 2])? as u8, decimal(&text[month_at + 2..month_at + 4])? as u8);
    let civil = event::time::Civil { year: year.unwrap_or(4), month: month_day.0, day: month_day.1, ..clock };
    let time = match year {
        Some(_) => context.times.at(civil, None),
        None => context.times.at_latest(civil, None),
    };
    Some(Preamble {
        time,
        level,
        pid: Some(pid),
        file,
        line: Some(line),
        message: &rest[close + 2..],
        ..Preamble::default()
    })
}

/// `I, [2026-11-28T10:00:00.123456 #99]  INFO -- name: text`, as Ruby's logger writes it.
fn ruby<'a>(text: &'a [u8], context: &mut Context) -> Option<Preamble<'a>> {
    let inside = text.get(1..)?.strip_prefix(b", [").filter(|_| text[0].is_ascii_uppercase())?;
    let close = memchr(b']', inside)?;
    let OwnTime { time, rest } = stamp(&inside[..close], &mut context.times)?;
    let pid = rest.strip_prefix(b"#").and_then(decimal);
    let rest = inside[close + 1..].trim_ascii_start();
    let blank = memchr(b' ', rest)?;
    let (level, rest) = (&rest[..blank], rest[blank..].strip_prefix(b" -- ")?);
    let colon = find!(rest, b": ").unwrap_or(rest.len());
    let message = rest.get(colon + 2..).unwrap_or_default();
    is_level(level).then(|| Preamble {
        time,
        level,
        pid,
        logger: rest[..colon].trim_ascii(),
        message,
        ..Preamble::default()
    })
}
