//! ModSecurity's audit log in its serial form: sections from `--ID-A--` to `--ID-Z--`. The client writes requests and bodies, but not
//! the ID: only lines with it begin a section. `record.rs` puts the lines together.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::address::{decimal, is_ip, put_ip};
use crate::apache_message;
use crate::context::{Context, Refusal};
use crate::line;
use crate::needle::find;
use crate::request::{Quoted, put_host, put_request};
use crate::stamp::stamp;

/// Bytes of the longest ID, with its hyphens in front.
const ID_BYTES_MAX: usize = 40;
const START: &[u8] = b"-A--";

/// `--a1b2c3d4` of `--a1b2c3d4-A--`.
pub(crate) fn id(head: &[u8]) -> Option<&[u8]> {
    let id = head.strip_suffix(START).filter(|id| id.starts_with(b"--") && (4..ID_BYTES_MAX).contains(&id.len()))?;
    id[2..].iter().all(u8::is_ascii_alphanumeric).then_some(id)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(b"--")
        && id(text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end()).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("no whole record of ModSecurity");
    if !text.starts_with(b"--") {
        return Err(OTHER);
    }
    let mut lines = line::lines(text).map(|line| line.text);
    let id = lines.next().and_then(id).ok_or(OTHER)?;
    put_connection(lines.next().ok_or(OTHER)?, context, rows).ok_or(OTHER)?;
    rows.literal(field::EVENT_CATEGORY, "web");
    rows.name_dataset("modsecurity.audit");
    let (mut section, mut is_first) = (b'A', false);
    for line in lines {
        let letter = line.strip_prefix(id).and_then(|rest| rest.strip_prefix(b"-")?.strip_suffix(b"--"));
        if let Some([letter]) = letter {
            (section, is_first) = (*letter, true);
            continue;
        }
        match section {
            b'B' if is_first => put_request(Quoted { text: line, escaped: false }, rows),
            b'B' => put_header(line, rows),
            b'F' if is_first => {
                if let Some(status) = line.split(|byte| *byte == b' ').nth(1).and_then(decimal) {
                    rows.long(field::HTTP_RESPONSE_STATUS_CODE, status);
                }
            }
            // Of several rules the first one counts, and the one that denied.
            b'H' if !rows.has(field::RULE_ID) || line.starts_with(b"Message: Access denied") => {
                if let Some(message) = line.strip_prefix(b"Message: ") {
                    apache_message::put(&[b"ModSecurity: ", message].concat(), rows);
                }
            }
            _ => {}
        }
        is_first = false;
    }
    Ok(dataset::JSON)
}

/// `[04/Mar/2026:10:00:01 +0000] ID 203.0.113.7 40112 198.51.100.4 80`
fn put_connection(line: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<()> {
    let at = stamp(line, &mut context.times)?;
    let mut words = at.rest.split(|byte| *byte == b' ');
    let (unique, source, from, destination, to) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    if !is_ip(source) || !is_ip(destination) {
        return None;
    }
    if let Some(time) = at.time {
        rows.date(field::TIMESTAMP, time);
    }
    rows.text(field::EVENT_ID, unique);
    put_ip(rows, field::SOURCE_IP, source);
    put_ip(rows, field::DESTINATION_IP, destination);
    for (id, port) in [(field::SOURCE_PORT, from), (field::DESTINATION_PORT, to)] {
        if let Some(port) = decimal(port) {
            rows.long(id, port);
        }
    }
    Some(())
}

fn put_header(line: &[u8], rows: &mut BatchBuilder) {
    let Some(colon) = find!(line, b": ") else { return };
    let (name, value) = (&line[..colon], &line[colon + 2..]);
    match &*name.to_ascii_lowercase() {
        b"host" => put_host(value, rows),
        b"user-agent" => rows.text(field::USER_AGENT_ORIGINAL, value),
        b"referer" => rows.text(field::HTTP_REQUEST_REFERRER, value),
        _ => {}
    }
}
