//! Records of the Linux audit system: `TYPE key=value …`, as auditd, journald and the kernel write them. Values without quotes
//! are hexadecimal where the text could be anything, such as arguments of commands.

use std::borrow::Cow;

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use crate::address::{decimal, put_ip};

/// Numbers of record types, as the kernel writes them.
const TYPES: [(&str, &str); 36] = [
    ("1100", "USER_AUTH"),
    ("1101", "USER_ACCT"),
    ("1102", "USER_MGMT"),
    ("1103", "CRED_ACQ"),
    ("1104", "CRED_DISP"),
    ("1105", "USER_START"),
    ("1106", "USER_END"),
    ("1107", "USER_AVC"),
    ("1108", "USER_CHAUTHTOK"),
    ("1109", "USER_ERR"),
    ("1112", "USER_LOGIN"),
    ("1113", "USER_LOGOUT"),
    ("1114", "ADD_USER"),
    ("1115", "DEL_USER"),
    ("1116", "ADD_GROUP"),
    ("1117", "DEL_GROUP"),
    ("1123", "USER_CMD"),
    ("1130", "SERVICE_START"),
    ("1131", "SERVICE_STOP"),
    ("1200", "DAEMON_START"),
    ("1201", "DAEMON_END"),
    ("1300", "SYSCALL"),
    ("1302", "PATH"),
    ("1305", "CONFIG_CHANGE"),
    ("1306", "SOCKADDR"),
    ("1307", "CWD"),
    ("1309", "EXECVE"),
    ("1319", "EOE"),
    ("1325", "NETFILTER_CFG"),
    ("1326", "SECCOMP"),
    ("1327", "PROCTITLE"),
    ("1400", "AVC"),
    ("1403", "MAC_POLICY_LOAD"),
    ("1404", "MAC_STATUS"),
    ("1700", "ANOM_PROMISCUOUS"),
    ("1701", "ANOM_ABEND"),
];
/// Longest command line that is put together, in bytes.
const COMMAND_BYTES_MAX: usize = 64 << 10;
/// Arguments that rules ask for one by one.
const ARGUMENTS: [event::FieldId; 4] =
    [field::AUDITD_LOG_A0, field::AUDITD_LOG_A1, field::AUDITD_LOG_A2, field::AUDITD_LOG_A3];

/// Puts what a message holds: `EXECVE …`, or `type=1309 audit(…): …`.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let message = message.strip_prefix(b"audit: ").unwrap_or(message);
    // Collected from another host, whose name stands in front.
    let message = match message.strip_prefix(b"node=").and_then(|rest| split(rest, b' ')) {
        Some((_, record)) => record,
        None => message,
    };
    if message.starts_with(b"type=") {
        return put_typed(rows, message);
    }
    let end = memchr(b' ', message).unwrap_or(message.len());
    let is_type = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
    if end < 3 || !message[..end].iter().all(is_type) {
        return false;
    }
    put_record(rows, &message[..end], message[end..].trim_ascii_start());
    true
}

/// `type=NAME msg=audit(TIME:SERIAL): key=value …`; false where it is something else.
pub(crate) fn put_typed(rows: &mut BatchBuilder, text: &[u8]) -> bool {
    let Some((kind, behind)) = text.strip_prefix(b"type=").and_then(|text| split(text, b' ')) else { return false };
    let Some((_, record)) = memmem::find(behind, b"): ").map(|at| (&behind[..at], &behind[at + 3..])) else {
        return false;
    };
    // The kernel writes numbers.
    let number = kind.first().is_some_and(u8::is_ascii_digit).then(|| std::str::from_utf8(kind).ok()).flatten();
    let named = number.and_then(|number| TYPES.iter().find(|(known, _)| *known == number));
    put_record(rows, named.map_or(kind, |(_, name)| name.as_bytes()), record);
    true
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    memchr(at, text).map(|found| (&text[..found], &text[found + 1..]))
}

/// A value as it is written.
#[derive(Clone, Copy)]
enum Written<'a> {
    Quoted(&'a [u8]),
    Bare(&'a [u8]),
}

impl<'a> Written<'a> {
    fn raw(self) -> &'a [u8] {
        match self {
            Written::Quoted(text) | Written::Bare(text) => text,
        }
    }

    /// The text of a value that is hexadecimal where it has no quotes; as it stands in the line, if it can be.
    fn text(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Written::Quoted(text) => Some(Cow::Borrowed(text)),
            Written::Bare(b"(null)" | b"?" | b"") => None,
            Written::Bare(text) => Some(match unhex(text) {
                Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).replace('\0', " ").trim_end().into()),
                None => Cow::Borrowed(text),
            }),
        }
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < 2 || text.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    text.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Every `key=value`, those inside of `msg='…'` included.
fn pairs<'a>(mut text: &'a [u8], visit: &mut impl FnMut(&'a [u8], Written<'a>)) {
    while let Some((before, behind)) = split(text, b'=') {
        let start = before.iter().rposition(|byte| matches!(byte, b' ' | b',' | b'\x1d')).map_or(0, |at| at + 1);
        let key = &before[start..];
        text = match behind.first() {
            Some(b'"') => {
                let Some((value, rest)) = split(&behind[1..], b'"') else { return };
                visit(key, Written::Quoted(value));
                rest
            }
            Some(b'\'') => {
                let end = memchr::memrchr(b'\'', &behind[1..]).unwrap_or(behind.len() - 1);
                pairs(&behind[1..=end], visit);
                behind.get(end + 2..).unwrap_or_default()
            }
            _ => {
                let end = behind.iter().position(|byte| matches!(byte, b' ' | b'\x1d' | b'\'')).unwrap_or(behind.len());
                visit(key, Written::Bare(&behind[..end]));
                &behind[end..]
            }
        };
    }
}

/// Number of the argument that a key names: `a0`, and `a1[0]` for parts of a long one.
fn argument(key: &[u8]) -> Option<usize> {
    let digits = key.strip_prefix(b"a")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let is_part = digits.get(end).is_none_or(|byte| *byte == b'[');
    std::str::from_utf8(&digits[..end]).ok().filter(|_| is_part)?.parse().ok()
}

/// ECS category of a record.
fn category(kind: &[u8]) -> &'static str {
    match kind {
        b"USER_AUTH" | b"USER_ACCT" | b"USER_ERR" | b"USER_LOGIN" | b"CRED_ACQ" => "authentication",
        b"USER_MGMT" | b"USER_CHAUTHTOK" | b"ADD_USER" | b"DEL_USER" | b"ADD_GROUP" | b"DEL_GROUP" => "iam",
        b"PATH" | b"CWD" => "file",
        b"CONFIG_CHANGE" | b"MAC_STATUS" | b"MAC_POLICY_LOAD" | b"NETFILTER_CFG" => "configuration",
        _ => "process",
    }
}

fn put_record(rows: &mut BatchBuilder, kind: &[u8], record: &[u8]) {
    rows.text(field::AUDITD_LOG_RECORD_TYPE, kind);
    rows.literal(field::EVENT_CATEGORY, category(kind));
    rows.literal(field::EVENT_ACTION, if kind == b"EXECVE" { "executed" } else { "audit_record" });
    let is_command = kind == b"EXECVE";
    let mut arguments: Vec<String> = Vec::new();
    let mut bytes = 0;
    pairs(record, &mut |key, value| {
        if let Some(number) = argument(key).filter(|_| is_command) {
            let text = value.text().unwrap_or_default();
            bytes += text.len();
            if bytes > COMMAND_BYTES_MAX {
                return;
            }
            let text = String::from_utf8_lossy(&text);
            match arguments.get_mut(number) {
                Some(known) => known.push_str(&text),
                None => arguments.push(text.into_owned()),
            }
            return;
        }
        put_pair(rows, key, value);
    });
    for (id, text) in ARGUMENTS.iter().zip(&arguments) {
        rows.owned(*id, text);
    }
    if !arguments.is_empty() {
        rows.owned(field::PROCESS_COMMAND_LINE, &arguments.join(" "));
    }
}

fn put_pair(rows: &mut BatchBuilder, key: &[u8], value: Written<'_>) {
    let texts = |id: event::FieldId, rows: &mut BatchBuilder| {
        if let Some(text) = value.text().filter(|text| !text.is_empty()) {
            rows.text(id, &text);
        }
    };
    match key {
        b"exe" => texts(field::PROCESS_EXECUTABLE, rows),
        b"comm" => {
            texts(field::AUDITD_LOG_COMM, rows);
            // By syslog the name is that of the program that wrote the line.
            if !rows.has(field::PROCESS_NAME) {
                texts(field::PROCESS_NAME, rows);
            }
        }
        b"cmd" | b"proctitle" => texts(field::PROCESS_COMMAND_LINE, rows),
        b"cwd" => texts(field::PROCESS_WORKING_DIRECTORY, rows),
        b"acct" => texts(field::USER_NAME, rows),
        b"name" => texts(field::FILE_PATH, rows),
        b"key" => texts(field::AUDITD_LOG_KEY, rows),
        b"pid" => {
            if let Some(pid) = decimal(value.raw()).filter(|_| !rows.has(field::PROCESS_PID)) {
                rows.long(field::PROCESS_PID, pid);
            }
        }
        b"addr" => put_ip(rows, field::SOURCE_IP, value.raw()),
        b"auid" => rows.text(field::USER_AUDIT_ID, value.raw()),
        b"op" => rows.text(field::AUDITD_LOG_OP, value.raw()),
        b"res" | b"success" => match value.raw() {
            b"success" | b"yes" | b"1" => rows.literal(field::EVENT_OUTCOME, "success"),
            b"failed" | b"no" | b"0" => rows.literal(field::EVENT_OUTCOME, "failure"),
            _ => {}
        },
        _ => {}
    }
}
