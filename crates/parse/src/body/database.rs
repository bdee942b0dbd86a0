//! Database servers: logins that were refused.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::{Outcome, outcome};
use crate::address::{is_ip, put_peer};

const FAILED: Outcome = outcome("database_login", "failure");

/// `Access denied for user 'NAME'@'HOST' (using password: YES)`, or ` to database 'NAME'` behind the host. All three are the
/// client's but the host, which nothing else may follow.
pub(super) fn put_mysql(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"Access denied for user '") else { return false };
    let rest = &message[at + 24..];
    let mut readings = memmem::find_iter(rest, b"'@'").filter_map(|middle| {
        let host = &rest[middle + 3..];
        let (host, after) = host.split_at(memchr(b'\'', host)?);
        let follows = after.len() == 1 || after.starts_with(b"' (using") || after.starts_with(b"' to database '");
        follows.then_some((&rest[..middle], host))
    });
    if let (Some((name, host)), None) = (readings.next(), readings.next()) {
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
