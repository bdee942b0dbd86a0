//! `/var/log/audit/audit.log`: `[node=HOST ]type=NAME msg=audit(SECONDS.MILLIS:SERIAL): key=value …`

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp, dataset};

use crate::address::decimal;
use crate::body::audit::{self, Subject};
use crate::context::{Context, Refusal};
use crate::needle::find;
use crate::syslog::put_host;

/// Start of the time in a record.
const STAMP: &[u8] = b" msg=audit(";

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(b"type=") || text.starts_with(b"node=")
}

/// `type=` begins other texts, too.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    looks_like(text) && find!(text, STAMP).is_some()
}

pub(crate) fn read(text: &[u8], _: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("no audit record: it does not begin with type= or node="));
    }
    let (host, record) = match text.strip_prefix(b"node=") {
        Some(rest) => {
            let end = memchr::memchr(b' ', rest).ok_or(Refusal::Other("nothing follows the name of the node"))?;
            (&rest[..end], &rest[end + 1..])
        }
        None => (&[][..], text),
    };
    let time = stamp(record).ok_or(Refusal::Other("an audit record without msg=audit(SECONDS.MILLIS:SERIAL)"))?;
    rows.date(field::TIMESTAMP, time);
    put_host(rows, host);
    rows.text(field::MESSAGE, record.strip_prefix(b"type=").unwrap_or(record));
    match audit::put_typed(rows, record) {
        Some(Subject::Run) => Ok(dataset::AUDITD_RUN),
        Some(Subject::Other) => Ok(dataset::AUDITD),
        None => Err(Refusal::Broken("the audit record has no `): ` behind its time")),
    }
}

fn stamp(record: &[u8]) -> Option<Timestamp> {
    let at = find!(record, STAMP)? + STAMP.len();
    let rest = &record[at..];
    let (seconds, rest) = rest.split_at(memchr::memchr(b'.', rest)?);
    let millis = rest.get(1..4)?;
    let micros = decimal(seconds)?.checked_mul(1_000_000)?.checked_add(decimal(millis)? * 1000)?;
    (rest.get(4) == Some(&b':')).then_some(Timestamp(micros))
}
