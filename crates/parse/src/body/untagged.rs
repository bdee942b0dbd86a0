//! Messages whose program is not known by its name: devices that write none, or their own name in its place. Each is known by how
//! its message begins. Asked after all programs with a name.

use event::{BatchBuilder, DatasetId, dataset};

use super::{cisco, mikrotik, netfilter, pairs, paloalto};
use crate::needle::find;

/// Bytes in which a packet's words begin.
const HEAD_BYTES_MAX: usize = 200;

/// `None` where no device is known to write so.
pub(super) fn put(rows: &mut BatchBuilder, program: &[u8], message: &[u8]) -> Option<DatasetId> {
    if !program.is_empty() {
        return program.contains(&b',').then(|| mikrotik::put(rows, program, message)).flatten();
    }
    match message.first()? {
        b'%' => cisco::put_whole(rows, message),
        b'C' if message.starts_with(b"CISE_") => pairs::put_ise(rows, message).then_some(dataset::ISE),
        b'0'..=b'9' => paloalto::put(rows, message)
            .or_else(|| pairs::put_meraki(rows, message))
            .or_else(|| pairs::put_citrix(rows, message)),
        b'a'..=b'z' if message[..message.len().min(60)].contains(&b',') => {
            mikrotik::put(rows, b"", message).or_else(|| packet(rows, message))
        }
        _ => packet(rows, message),
    }
}

/// Whether a message begins with the words of one of these devices: where nothing else says that a line is of syslog.
pub(super) fn begins(message: &[u8]) -> bool {
    match message.first() {
        Some(b'%') => message.get(1).is_some_and(u8::is_ascii_uppercase) && message.contains(&b':'),
        Some(b'C') => message.starts_with(b"CISE_"),
        Some(b'0'..=b'9') => paloalto::begins(message),
        Some(b'a'..=b'z') => mikrotik::begins(message),
        _ => false,
    }
}

/// A packet of a gateway that leaves the word `kernel` out: `[WAN_LOCAL-D-1] IN=eth8 OUT= SRC=…`, or a line of WatchGuard:
/// `FB1 (2026-03-04T10:00:01) firewall: msg_id="3000-0148" …`.
fn packet(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    let head = &message[..message.len().min(HEAD_BYTES_MAX)];
    if find!(head, b" msg_id=\"").is_some() && pairs::put_watchguard(rows, message) {
        return Some(dataset::WATCHGUARD);
    }
    find!(head, b"IN=")?;
    netfilter::put(rows, message).then_some(dataset::FIREWALL)
}
