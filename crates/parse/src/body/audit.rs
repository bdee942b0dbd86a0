//! Records of the Linux audit system: `TYPE key=value …`, as auditd, journald and the kernel write them. Values without quotes
//! are hexadecimal where the text could be anything, such as arguments of commands.

mod syscalls;

use std::borrow::Cow;

use event::catalog::field;
use event::{BatchBuilder, FieldId};
use memchr::memchr;

use crate::address::{decimal, put_ip, put_peer};
use crate::needle::find;

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
/// Keys whose value may be any text, which is hexadecimal where it has no quotes.
const TEXTS: [(&[u8], FieldId); 7] = [
    (b"exe", field::PROCESS_EXECUTABLE),
    (b"cmd", field::PROCESS_COMMAND_LINE),
    (b"proctitle", field::PROCESS_COMMAND_LINE),
    (b"cwd", field::PROCESS_WORKING_DIRECTORY),
    (b"acct", field::USER_NAME),
    (b"name", field::FILE_PATH),
    (b"key", field::AUDITD_LOG_KEY),
];
/// Keys whose value is a word or a number, taken as written.
const WORDS: [(&[u8], FieldId); 17] = [
    (b"uid", field::USER_ID),
    (b"gid", field::USER_GROUP_ID),
    (b"auid", field::USER_AUDIT_ID),
    (b"euid", field::USER_EFFECTIVE_ID),
    (b"suid", field::USER_SAVED_ID),
    (b"fsuid", field::USER_FILESYSTEM_ID),
    (b"id", field::USER_TARGET_ID),
    (b"op", field::AUDITD_LOG_OP),
    (b"ses", field::AUDITD_LOG_SES),
    (b"terminal", field::AUDITD_LOG_TERMINAL),
    (b"tty", field::AUDITD_LOG_TTY),
    (b"nametype", field::AUDITD_LOG_NAMETYPE),
    (b"unit", field::SERVICE_NAME),
    (b"laddr", field::AUDITD_LOG_LADDR),
    (b"lport", field::AUDITD_LOG_LPORT),
    (b"rport", field::AUDITD_LOG_RPORT),
    (b"syscall", field::AUDITD_LOG_SYSCALL),
];
/// Longest command line that is put together, in bytes.
const COMMAND_BYTES_MAX: usize = 64 << 10;
/// Arguments that have a column each, from `auditd.log.a0` on; the command line has them all.
const ARGUMENTS_MAX: usize = 64;
/// Arguments of a system call that its record has.
const CALL_ARGUMENTS_MAX: usize = 4;

/// What a record is about, and so which rules judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A command that was run.
    Run,
    Other,
}

/// Puts what a message holds: `EXECVE …`, or `type=1309 audit(…): …`.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> Option<Subject> {
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
        return None;
    }
    Some(put_record(rows, &message[..end], message[end..].trim_ascii_start()))
}

/// `type=NAME msg=audit(TIME:SERIAL): key=value …`; `None` where it is something else.
pub(crate) fn put_typed(rows: &mut BatchBuilder, text: &[u8]) -> Option<Subject> {
    let (kind, behind) = split(text.strip_prefix(b"type=")?, b' ')?;
    let record = find!(behind, b"): ").map(|at| &behind[at + 3..])?;
    // The kernel writes numbers.
    let number = kind.first().is_some_and(u8::is_ascii_digit).then(|| std::str::from_utf8(kind).ok()).flatten();
    let named = number.and_then(|number| TYPES.iter().find(|(known, _)| *known == number));
    Some(put_record(rows, named.map_or(kind, |(_, name)| name.as_bytes()), record))
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

fn put_record(rows: &mut BatchBuilder, kind: &[u8], record: &[u8]) -> Subject {
    rows.text(field::AUDITD_LOG_RECORD_TYPE, kind);
    rows.literal(field::EVENT_CATEGORY, category(kind));
    rows.literal(field::EVENT_ACTION, action(kind, record));
    match kind {
        b"EXECVE" => {
            put_command(rows, record);
            Subject::Run
        }
        b"SYSCALL" => put_call(rows, record),
        _ => {
            pairs(record, &mut |key, value| put_pair(rows, key, value));
            if kind == b"PROCTITLE" { Subject::Run } else { Subject::Other }
        }
    }
}

/// What a record tells: SELinux and AppArmor begin theirs with what they did.
fn action(kind: &[u8], record: &[u8]) -> &'static str {
    const DONE: [(&[u8], &str); 4] = [
        (b"avc:  denied ", "selinux_denied"),
        (b"avc:  granted ", "selinux_granted"),
        (b"apparmor=\"DENIED\"", "apparmor_denied"),
        (b"apparmor=\"ALLOWED\"", "apparmor_allowed"),
    ];
    match kind {
        b"EXECVE" => "executed",
        b"AVC" => DONE.iter().find(|(begin, _)| record.starts_with(begin)).map_or("audit_record", |(_, action)| action),
        _ => "audit_record",
    }
}

/// `EXECVE`: the arguments, each by itself and all as a command line.
fn put_command(rows: &mut BatchBuilder, record: &[u8]) {
    let mut arguments: Vec<String> = Vec::new();
    let mut bytes = 0;
    pairs(record, &mut |key, value| {
        let Some(number) = argument(key) else { return put_pair(rows, key, value) };
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
    });
    for (number, text) in arguments.iter().take(ARGUMENTS_MAX).enumerate() {
        rows.owned(argument_field(number), text);
    }
    if let Some(program) = arguments.first() {
        rows.owned(field::PROCESS_COMMAND_LINE, &arguments.join(" "));
        put_program(rows, program);
    }
}

/// The program as the command names it: the record has nothing better, and rules mostly ask for it.
fn put_program(rows: &mut BatchBuilder, program: &str) {
    if program.starts_with('/') {
        rows.owned(field::PROCESS_EXECUTABLE, program);
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    if !name.is_empty() {
        // By syslog the name is that of the program that wrote the line.
        let taken = rows.has(field::PROCESS_NAME);
        rows.owned(if taken { field::AUDITD_LOG_COMM } else { field::PROCESS_NAME }, name);
    }
}

fn argument_field(number: usize) -> FieldId {
    FieldId(field::AUDITD_LOG_A0.0 + number as u16)
}

/// `SYSCALL`: which call, by whom, on what kind of machine. Names stand in it where auditd was told to write them.
fn put_call(rows: &mut BatchBuilder, record: &[u8]) -> Subject {
    let (mut machine, mut number) = (&b""[..], &b""[..]);
    let mut name: Option<&[u8]> = None;
    pairs(record, &mut |key, value| match key {
        b"arch" => machine = value.raw(),
        b"syscall" => number = value.raw(),
        b"SYSCALL" => name = Some(value.raw()),
        b"UID" => put_account(rows, field::USER_NAME, value.raw()),
        b"EUID" => put_account(rows, field::USER_EFFECTIVE_NAME, value.raw()),
        _ => match argument(key).filter(|number| *number < CALL_ARGUMENTS_MAX) {
            Some(number) => rows.text(argument_field(number), value.raw()),
            None => put_pair(rows, key, value),
        },
    });
    match syscalls::architecture(machine) {
        Some(known) => rows.literal(field::HOST_ARCHITECTURE, known),
        None if !machine.is_empty() => rows.text(field::HOST_ARCHITECTURE, machine),
        None => {}
    }
    if !number.is_empty() {
        rows.text(field::AUDITD_LOG_SYSCALL, number);
    }
    let name = name.or_else(|| syscalls::name(machine, number).map(str::as_bytes));
    let Some(name) = name else { return Subject::Run };
    rows.text(field::AUDITD_LOG_SYSCALL_NAME, name);
    if matches!(name, b"execve" | b"execveat") { Subject::Run } else { Subject::Other }
}

/// The name of an account that auditd has looked up.
fn put_account(rows: &mut BatchBuilder, id: FieldId, name: &[u8]) {
    if !matches!(name, b"" | b"unset") && !name.starts_with(b"unknown(") {
        rows.text(id, name);
    }
}

fn put_pair(rows: &mut BatchBuilder, key: &[u8], value: Written<'_>) {
    if let Some((_, id)) = TEXTS.iter().find(|(known, _)| *known == key) {
        if let Some(text) = value.text().filter(|text| !text.is_empty()) {
            rows.text(*id, &text);
        }
        return;
    }
    let raw = value.raw();
    if let Some((_, id)) = WORDS.iter().find(|(known, _)| *known == key) {
        if !matches!(raw, b"" | b"?") {
            rows.text(*id, raw);
        }
        return;
    }
    match key {
        b"comm" => {
            if let Some(name) = value.text().filter(|text| !text.is_empty()) {
                rows.text(field::AUDITD_LOG_COMM, &name);
                // By syslog the name is that of the program that wrote the line.
                if !rows.has(field::PROCESS_NAME) {
                    rows.text(field::PROCESS_NAME, &name);
                }
            }
        }
        b"pid" if !rows.has(field::PROCESS_PID) => put_number(rows, field::PROCESS_PID, raw),
        b"ppid" => put_number(rows, field::PROCESS_PARENT_PID, raw),
        b"exit" => put_number(rows, field::PROCESS_EXIT_CODE, raw),
        b"hostname" if raw != b"?" => put_peer(rows, raw),
        b"addr" => put_ip(rows, field::SOURCE_IP, raw),
        b"res" | b"success" => match raw {
            b"success" | b"yes" | b"1" => rows.literal(field::EVENT_OUTCOME, "success"),
            b"failed" | b"no" | b"0" => rows.literal(field::EVENT_OUTCOME, "failure"),
            _ => {}
        },
        _ => {}
    }
}

fn put_number(rows: &mut BatchBuilder, id: FieldId, text: &[u8]) {
    let (digits, sign) = text.strip_prefix(b"-").map_or((text, 1), |digits| (digits, -1));
    if let Some(number) = decimal(digits) {
        rows.long(id, sign * number);
    }
}

#[cfg(test)]
mod tests {
    use event::Field;

    use super::*;

    #[test]
    fn arguments_have_columns_one_behind_the_other() {
        for number in 0..ARGUMENTS_MAX {
            let name = Field::of(argument_field(number)).map(|field| field.name);
            assert_eq!(name, Some(format!("auditd.log.a{number}").as_str()));
        }
    }
}
