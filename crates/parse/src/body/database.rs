//! Database servers: logins that were refused.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::{Outcome, outcome};
use crate::address::{is_ip, put_peer};

const FAILED: Outcome = outcome("database_login", "failure");

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_mysql(rows, message) || put_postgres(rows, message)
}

/// `Access denied for user 'NAME'@'HOST' (using password: YES)`
fn put_mysql(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"Access denied for user '") else { return false };
    let rest = &message[at + 24..];
    let Some(middle) = memmem::rfind(rest, b"'@'") else { return false };
    let host = &rest[middle + 3..];
    rows.text(field::USER_NAME, &rest[..middle]);
    put_peer(rows, &host[..memchr(b'\'', host).unwrap_or(host.len())]);
    FAILED.put(rows);
    true
}

/// `… FATAL:  password authentication failed for user "NAME"`; the address stands in front where `log_line_prefix` has it.
fn put_postgres(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    const TEXTS: [&[u8]; 3] = [
        b"FATAL:  password authentication failed for user \"",
        b"FATAL:  no pg_hba.conf entry for host \"",
        b"FATAL:  role \"",
    ];
    let Some((at, text)) = TEXTS.iter().find_map(|text| Some((memmem::find(message, text)?, *text))) else {
        return false;
    };
    let rest = &message[at + text.len()..];
    let quoted = &rest[..memchr(b'"', rest).unwrap_or(rest.len())];
    if text.ends_with(b"host \"") {
        put_peer(rows, quoted);
    } else {
        rows.text(field::USER_NAME, quoted);
        let words = message[..at].split(|byte| matches!(byte, b' ' | b'(' | b'=' | b'[' | b'@' | b','));
        if let Some(peer) = words.into_iter().find(|word| is_ip(word) && !word.contains(&b':')) {
            put_peer(rows, peer);
        }
    }
    FAILED.put(rows);
    true
}
