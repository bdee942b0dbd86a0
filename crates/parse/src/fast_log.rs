//! `fast.log` of Snort and Suricata: `03/04/2026-10:00:01.123456  [**] [1:2000001:3] name [**] …`; Snort leaves the year out.

use event::catalog::field;
use event::{BatchBuilder, DatasetId};

use crate::body;
use crate::clock::Times;
use crate::context::{Context, Refusal};
use crate::needle::find;

/// Month and day, then two blanks and a mark behind the time.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.get(2) == Some(&b'/') && text.len() > 40 && find!(&text[..40], b"  [").is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("no signature that Snort or Suricata saw");
    if !looks_like(text) {
        return Err(OTHER);
    }
    let blank = find!(text, b"  [").ok_or(OTHER)?;
    let time = time(&text[..blank], &mut context.times).ok_or(OTHER)?;
    let message = text[blank..].trim_ascii_start();
    let dataset = body::signature(rows, message).ok_or(OTHER)?;
    rows.date(field::TIMESTAMP, time);
    rows.text(field::MESSAGE, message);
    Ok(dataset)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `03/04/2026-10:00:01.123456` or `03/04-10:00:01.123456`, read as the stamp that syslog has for it.
pub(crate) fn time(text: &[u8], times: &mut Times) -> Option<event::Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, clock) = text.split_once('-')?;
    let mut parts = date.split('/');
    let month: usize = parts.next()?.parse().ok()?;
    let name = MONTHS.get(month.checked_sub(1)?)?;
    let day = parts.next()?;
    let written = match parts.next() {
        Some(year) if year.len() == 4 => format!("{name} {day} {year} {clock} "),
        Some(year) => format!("{name} {day} 20{year} {clock} "),
        None => format!("{name} {day} {clock} "),
    };
    Some(times.bsd(written.as_bytes())?.0)
}
