//! What the syslog formats share: PRI, the program's name and number, and the fields that they go to.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use nom::IResult;
use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::sequence::delimited;

use crate::address::{decimal, put_ip};
use crate::body;
use crate::context::Context;

/// Facility and severity, as one number; above 191 it is not valid (RFC 5424 §6.2.1) but the line is still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Priority(u16);

pub(crate) fn priority(text: &[u8]) -> IResult<&[u8], Priority> {
    let digits = take_while_m_n(1, 3, |byte: u8| byte.is_ascii_digit());
    delimited(tag(&b"<"[..]), digits, tag(&b">"[..]))
        .map(|digits: &[u8]| Priority(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))))
        .parse(text)
}

/// Names of facilities, in the order of their codes (RFC 5424 §6.2.1).
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// Names of severities, in the order of their codes.
const SEVERITIES: [&str; 8] = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
/// Other words for them (`syslog.h`), FreeBSD's `security` and `console` among them.
const FACILITY_WORDS: [(&[u8], u16); 3] = [(b"security", 13), (b"console", 14), (b"audit", 13)];
const SEVERITY_WORDS: [(&[u8], u16); 7] =
    [(b"emerg", 0), (b"panic", 0), (b"crit", 2), (b"err", 3), (b"warn", 4), (b"informational", 6), (b"none", 7)];
/// Bytes of the longest `facility.severity`.
const LEVEL_BYTES_MAX: usize = 24;

impl Priority {
    pub(crate) fn put(self, rows: &mut BatchBuilder) {
        let (facility, severity) = (usize::from(self.0 >> 3), usize::from(self.0 & 7));
        if facility >= FACILITIES.len() {
            rows.mark("invalid_syslog_priority");
            return;
        }
        rows.long(field::LOG_SYSLOG_PRIORITY, i64::from(self.0));
        rows.long(field::LOG_SYSLOG_FACILITY_CODE, facility as i64);
        rows.long(field::LOG_SYSLOG_SEVERITY_CODE, severity as i64);
    }

    /// Names beside the codes, for all rows of a batch.
    pub(crate) fn put_names(rows: &mut BatchBuilder) {
        rows.name_numbers(field::LOG_SYSLOG_FACILITY_CODE, field::LOG_SYSLOG_FACILITY_NAME, &FACILITIES);
        rows.name_numbers(field::LOG_SYSLOG_SEVERITY_CODE, field::LOG_SYSLOG_SEVERITY_NAME, &SEVERITIES);
    }

    /// `auth.info`, `4.6`, or `auth|security:info` as AIX writes it.
    pub(crate) fn of_words(word: &[u8]) -> Option<Self> {
        if word.len() > LEVEL_BYTES_MAX {
            return None;
        }
        let at = memchr::memchr2(b'.', b':', word)?;
        let facility = word[..at].split(|byte| *byte == b'|').next()?;
        let facility = code(facility, &FACILITIES, &FACILITY_WORDS)?;
        let severity = code(&word[at + 1..], &SEVERITIES, &SEVERITY_WORDS)?;
        Some(Priority(facility << 3 | severity))
    }
}

fn code(word: &[u8], names: &[&str], others: &[(&[u8], u16)]) -> Option<u16> {
    if let Some(number) = decimal(word) {
        return u16::try_from(number).ok().filter(|number| usize::from(*number) < names.len());
    }
    let named = names.iter().position(|name| name.as_bytes() == word).map(|at| at as u16);
    named.or_else(|| others.iter().find(|(other, _)| *other == word).map(|(_, code)| *code))
}

/// Who wrote the message: `prog`, `prog[pid]`, `prog(module)[pid]` or `dir/prog[pid]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) pid: Option<&'a [u8]>,
}

impl<'a> Program<'a> {
    pub(crate) fn read(tag: &'a [u8]) -> Self {
        let (name, pid) = match tag.strip_suffix(b"]").and_then(|rest| memchr::memrchr(b'[', rest).map(|at| (rest, at)))
        {
            Some((rest, at)) if at > 0 => (&rest[..at], Some(&rest[at + 1..])),
            _ => (tag, None),
        };
        Program { name, pid }
    }

    /// The name without folder, by which message bodies are chosen, and the module that stands in brackets behind it.
    #[inline]
    fn base_and_module(&self) -> (&'a [u8], &'a [u8]) {
        let (name, module) = match memchr::memchr(b'(', self.name).filter(|at| *at > 0) {
            Some(at) => (&self.name[..at], self.name[at + 1..].strip_suffix(b")").unwrap_or_default()),
            None => (self.name, &b""[..]),
        };
        let base = memchr::memrchr(b'/', name).filter(|at| at + 1 < name.len()).map_or(name, |at| &name[at + 1..]);
        (without_unit(base), module)
    }

    /// Puts the program, where its message is read elsewhere.
    pub(crate) fn put_name(&self, rows: &mut BatchBuilder) {
        self.put(self.base_and_module().0, rows);
    }

    /// Puts the program under the name without folder.
    #[inline]
    fn put(&self, base: &[u8], rows: &mut BatchBuilder) {
        if !base.is_empty() {
            rows.text(field::PROCESS_NAME, base);
        }
        match self.pid.map(|pid| (pid, decimal(pid))) {
            Some((_, Some(number))) => rows.long(field::PROCESS_PID, number),
            Some((text, None)) if !text.is_empty() => rows.text(field::LOG_SYSLOG_PROCID, text),
            _ => {}
        }
    }
}

/// Without what `journalctl -o with-unit` and gdm's helpers (`gdm-password]`) have behind the name.
#[inline]
fn without_unit(name: &[u8]) -> &[u8] {
    match name.last() {
        Some(b'e') => name.strip_suffix(b".service").filter(|rest| !rest.is_empty()).unwrap_or(name),
        Some(b']') => &name[..name.len() - 1],
        _ => name,
    }
}

pub(crate) fn put_host(rows: &mut BatchBuilder, host: &[u8]) {
    if !matches!(host, b"" | b"-") {
        rows.text(field::HOST_HOSTNAME, host);
    }
}

/// Puts the program, its message, and what the program's own format says in it.
pub(crate) fn put_message(
    rows: &mut BatchBuilder,
    program: &Program<'_>,
    message: &[u8],
    context: &mut Context,
) -> DatasetId {
    let (base, module) = program.base_and_module();
    program.put(base, rows);
    // Senders put a blank in front of the message, and sudo several.
    let message = message.trim_ascii_start();
    if message.is_empty() {
        return dataset::SYSLOG;
    }
    rows.text(field::MESSAGE, message);
    let (message, repeated) = match message[0] {
        b'l' | b'm' | b'-' => unfold_repeats(message),
        _ => (message, None),
    };
    if let Some(times) = repeated {
        rows.long(field::LOG_SYSLOG_REPEATED, times);
    }
    body::put(rows, context, body::Said { program: base, module, message })
}

/// `message repeated N times: [ text]` stands for N lines like `text`; `last message repeated N times` for N others.
fn unfold_repeats(message: &[u8]) -> (&[u8], Option<i64>) {
    let bare = message.strip_prefix(b"--- ").and_then(|rest| rest.strip_suffix(b" ---")).unwrap_or(message);
    let Some(rest) = bare.strip_prefix(b"last message repeated ").or(bare.strip_prefix(b"message repeated ")) else {
        return (message, None);
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(times) = decimal(&rest[..digits]).filter(|times| (1..=1_000_000).contains(times)) else {
        return (message, None);
    };
    let folded = rest[digits..].strip_prefix(b" times: [").and_then(|text| text.strip_suffix(b"]"));
    (folded.map_or(message, <[u8]>::trim_ascii_start), Some(times))
}

/// Address of the sender in an `[origin ip="…"]` element.
pub(crate) fn put_origin(rows: &mut BatchBuilder, value: &[u8]) {
    put_ip(rows, field::SOURCE_IP, value);
}
