//! FTP servers: logins with the client's address. Names come from the client and may hold the words of the message.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem, memrchr};

use super::{Outcome, outcome};
use crate::address::put_peer;

const FAILED: Outcome = outcome("ftp_login", "failure");
const LOGGED_IN: Outcome = outcome("ftp_login", "success");

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_vsftpd(rows, message) || put_proftpd(rows, message) || put_pureftpd(rows, message)
}

/// `[NAME] FAIL LOGIN: Client "ADDRESS"`
fn put_vsftpd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(client) = memmem::rfind(message, b" LOGIN: Client \"") else { return false };
    let (head, tail) = (&message[..client], &message[client + 16..]);
    let result = match head {
        head if head.ends_with(b"] FAIL") => FAILED,
        head if head.ends_with(b"] OK") => LOGGED_IN,
        _ => return false,
    };
    put_peer(rows, &tail[..memchr(b'"', tail).unwrap_or(tail.len())]);
    if let (Some(open), Some(close)) = (memchr(b'[', head), memrchr(b']', head)) {
        rows.text(field::USER_NAME, &head[(open + 1).min(close)..close]);
    }
    result.put(rows);
    true
}

/// `HOST (NAME[ADDRESS]) - USER NAME (Login failed): …`, `… - USER NAME: no such user found …`
fn put_proftpd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(start) = memmem::find(message, b"]) - ") else { return false };
    let text = &message[start + 5..];
    let account = text.strip_prefix(b"USER ").unwrap_or(text);
    let ends: [(&[u8], Outcome); 4] = [
        (b" (Login failed)", FAILED),
        (b": no such user found", FAILED),
        (b": Login successful", LOGGED_IN),
        (b": Limit access denies login", FAILED),
    ];
    let found = ends.iter().find_map(|(end, result)| Some((memmem::rfind(account, end)?, *result)));
    let violation = text.starts_with(b"SECURITY VIOLATION");
    let Some((end, result)) = found.or(violation.then_some((0, FAILED))) else { return false };
    if let Some(open) = memchr(b'[', &message[..start]) {
        put_peer(rows, &message[open + 1..start]);
    }
    if end > 0 {
        rows.text(field::USER_NAME, &account[..end]);
    }
    result.put(rows);
    true
}

/// `(NAME@ADDRESS) [WARNING] Authentication failed for user [NAME]`
fn put_pureftpd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b" Authentication failed for user [") else { return false };
    let Some(close) = memmem::find(&message[..at], b") [") else { return false };
    if let Some(peer) = memrchr(b'@', &message[..close]) {
        put_peer(rows, &message[peer + 1..close]);
    }
    let name = &message[at + 33..];
    rows.text(field::USER_NAME, &name[..memrchr(b']', name).unwrap_or(name.len())]);
    FAILED.put(rows);
    true
}
