//! Entries of the systemd journal in its export format: `KEY=value` lines, values with line feeds behind their length
//! (systemd.io/JOURNAL_EXPORT_FORMATS). Fields that begin with `_` are the journal's own; a program cannot write them.

use event::catalog::field;
use event::record::{EXPORT_START, export_fields};
use event::{BatchBuilder, DatasetId, Timestamp};

use crate::address::decimal;
use crate::context::{Context, Refusal};
use crate::syslog::{Program, put_host, put_message};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(EXPORT_START)
}

/// The first value of each field that is looked at.
#[derive(Debug, Default)]
struct JournalEntry<'a> {
    time: Option<i64>,
    host: &'a [u8],
    identifier: &'a [u8],
    command: &'a [u8],
    pid: Option<&'a [u8]>,
    message: &'a [u8],
    severity: Option<i64>,
    facility: Option<i64>,
    user_id: &'a [u8],
    container: &'a [u8],
}

impl<'a> JournalEntry<'a> {
    fn read(text: &'a [u8]) -> Self {
        let mut entry = JournalEntry::default();
        for (name, value) in export_fields(text) {
            match name {
                b"__REALTIME_TIMESTAMP" => entry.time = entry.time.or(decimal(value)),
                b"_HOSTNAME" => first(&mut entry.host, value),
                b"SYSLOG_IDENTIFIER" => first(&mut entry.identifier, value),
                b"_COMM" => first(&mut entry.command, value),
                // What the journal saw goes over what the program says.
                b"_PID" => entry.pid = Some(value),
                b"SYSLOG_PID" => entry.pid = entry.pid.or(Some(value)),
                b"MESSAGE" => first(&mut entry.message, value),
                b"PRIORITY" => entry.severity = entry.severity.or(decimal(value)),
                b"SYSLOG_FACILITY" => entry.facility = entry.facility.or(decimal(value)),
                b"_UID" => first(&mut entry.user_id, value),
                b"CONTAINER_NAME" => first(&mut entry.container, value),
                _ => {}
            }
        }
        entry
    }
}

fn first<'a>(slot: &mut &'a [u8], value: &'a [u8]) {
    if slot.is_empty() {
        *slot = value;
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("no entry of the journal"));
    }
    let entry = JournalEntry::read(text);
    let time = entry.time.ok_or(Refusal::Broken("an entry of the journal without __REALTIME_TIMESTAMP"))?;
    rows.date(field::TIMESTAMP, Timestamp(time).within_years());
    put_host(rows, entry.host);
    for (id, code) in
        [(field::LOG_SYSLOG_SEVERITY_CODE, entry.severity), (field::LOG_SYSLOG_FACILITY_CODE, entry.facility)]
    {
        if let Some(code) = code.filter(|code| (0..24).contains(code)) {
            rows.long(id, code);
        }
    }
    let name = if entry.identifier.is_empty() { entry.command } else { entry.identifier };
    let program = Program { name, pid: entry.pid };
    let dataset = put_message(rows, &program, entry.message, context);
    if !entry.container.is_empty() {
        rows.text(field::CONTAINER_NAME, entry.container);
    }
    Ok(dataset)
}
