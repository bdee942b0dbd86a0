//! Audit logs of the DHCP server of Windows: `10,03/04/26,10:00:01,Assign,198.51.100.7,pc1.example,020000000007,…`, with the heading
//! that stands above them. A client writes its name.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::address::{decimal, is_ip, put_ip};
use crate::context::{Context, Refusal};
use crate::fast_log;

const HEADING: &[u8] = b"ID,Date,Time,Description,IP Address,Host Name,MAC Address";

/// A small number, then a date with slashes and an hour, behind commas.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    let comma = text.iter().take(6).position(|byte| *byte == b',').unwrap_or(0);
    let is_dated = |rest: &[u8]| rest.get(2) == Some(&b'/') && rest.get(5) == Some(&b'/') && rest.get(8) == Some(&b',');
    comma > 0 && text.get(comma + 1..).is_some_and(is_dated) || text.starts_with(HEADING)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not of the DHCP server of Windows");
    if text.starts_with(HEADING) {
        rows.text(field::MESSAGE, text);
        return Ok(dataset::WINDOWS_DHCP);
    }
    if !looks_like(text) {
        return Err(OTHER);
    }
    let mut values = text.trim_ascii_end().split(|byte| *byte == b',');
    let mut next = || values.next().ok_or(OTHER);
    let (code, date, clock, what) = (next()?, next()?, next()?, next()?);
    let (address, host, mac) = (next()?, next()?, next()?);
    decimal(code).ok_or(OTHER)?;
    let time = fast_log::time(&[date, b"-", clock].concat(), &mut context.times).ok_or(OTHER)?;
    rows.date(field::TIMESTAMP, time);
    rows.text(field::EVENT_CODE, code);
    rows.text(field::EVENT_ACTION, what);
    rows.literal(field::EVENT_CATEGORY, "network");
    if is_ip(address) {
        put_ip(rows, field::SOURCE_IP, address);
    }
    for (id, value) in [(field::SOURCE_DOMAIN, host), (field::SOURCE_MAC, mac)] {
        if !value.is_empty() {
            rows.text(id, value);
        }
    }
    Ok(dataset::WINDOWS_DHCP)
}
