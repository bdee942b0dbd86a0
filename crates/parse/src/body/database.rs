//! Database servers: logins that were refused.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::outcome::{Outcome, outcome};
use crate::address::{is_ip, put_peer};

const FAILED: Outcome = outcome("database_login", "failure");

/// `Access denied for user 'NAME'@'HOST' (using password: YES)`, or ` to database 'NAME'` behind the host. Names are the
/// client's, and one of a database may hold what stands in front of it.
pub(super) fn put_mysql(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"Access denied for user '") else { return false };
    let rest = &message[at + 24..];
    let names_database = rest.ends_with(b"'") && memmem::find(rest, b"' to database '").is_some();
    let follows: &[u8] = if names_database { b"' to database '" } else { b"'" };
    let mut readings = memmem::rfind_iter(rest, b"'@'").filter_map(|middle| {
        let host = &rest[middle + 3..];
        let (host, after) = host.split_at(memchr(b'\'', host)?);
        after.starts_with(follows).then_some((&rest[..middle], host))
    });
    let last = readings.next();
    let is_sure = !names_database || readings.next().is_none();
    if let Some((name, host)) = last.filter(|_| is_sure) {
        rows.text(field::USER_NAME, name);
        put_peer(rows, host);
    }
    FAILED.put(rows);
    true
}

/// `… FATAL:  password authentication failed for user "NAME"`; the address stands in front where `log_line_prefix` has it.
pub(super) fn put_postgres(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    const TEXTS: [&[u8]; 3] = [
        b"FATAL:  password authentication failed for user \"",
        b"FATAL:  no pg_hba.conf entry for host \"",
        b"FATAL:  role \"",
    ];
    let Some((at, text)) = TEXTS.iter().find_map(|text| Some((memmem::find(message, text)?, *text))) else {
        return false;
    };
    let rest = &message[at + text.len()..];
    if text.ends_with(b"host \"") {
        put_peer(rows, &rest[..memchr(b'"', rest).unwrap_or(rest.len())]);
    } else {
        rows.text(field::USER_NAME, &rest[..memchr::memrchr(b'"', rest).unwrap_or(rest.len())]);
        // A prefix may hold the account's name, too, and that an address.
        let words = message[..at].split(|byte| matches!(byte, b' ' | b'(' | b'=' | b'[' | b'@' | b','));
        let mut peers = words.into_iter().filter(|word| is_ip(word) && !word.contains(&b':'));
        if let Some(peer) = peers.next().filter(|peer| peers.all(|other| other == *peer)) {
            put_peer(rows, peer);
        }
    }
    FAILED.put(rows);
    true
}
