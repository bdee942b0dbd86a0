//! FTP servers: logins with the client's address. Names come from the client and may hold the words of the message.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::family::{Family, login, note, traffic};
use super::outcome::{Outcome, outcome};
use crate::address::put_peer;

const FAILED: Outcome = outcome("ftp_login", "failure");
const LOGGED_IN: Outcome = outcome("ftp_login", "success");

/// `[NAME] FAIL LOGIN: Client "ADDRESS"`, `[NAME] OK LOGIN: Client "ADDRESS"[, anon password "TEXT"]`. NAME and TEXT are the
/// client's; where they leave several ways to read the line, all that is told is a failure that may be one.
pub(super) fn put_vsftpd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(open) = memchr(b'[', message) else { return false };
    let text = &message[open + 1..];
    let mut readings = memmem::find_iter(text, b" LOGIN: Client \"").filter_map(|at| vsftpd_login(text, at));
    let Some((name, peer, result)) = readings.next() else { return false };
    let Some((_, _, other)) = readings.next() else {
        put_peer(rows, peer);
        rows.text(field::USER_NAME, name);
        result.put(rows);
        return true;
    };
    let may_have_failed = [result, other].into_iter().chain(readings.map(|(_, _, result)| result));
    if may_have_failed.into_iter().any(|result| result.outcome == FAILED.outcome) {
        FAILED.put(rows);
    }
    true
}

/// The name, the address and the result of a login whose ` LOGIN: ` stands at `at`.
fn vsftpd_login(text: &[u8], at: usize) -> Option<(&[u8], &[u8], Outcome)> {
    let (head, tail) = (&text[..at], &text[at + 16..]);
    let (name, result) = match (head.strip_suffix(b"] FAIL"), head.strip_suffix(b"] OK")) {
        (Some(head), _) => (head, FAILED),
        (_, Some(head)) => (head, LOGGED_IN),
        _ => return None,
    };
    let close = memchr(b'"', tail)?;
    let rest = &tail[close + 1..];
    let is_anonymous = rest.starts_with(b", anon password \"") && rest.ends_with(b"\"");
    (rest.is_empty() || is_anonymous).then_some((name, &tail[..close], result))
}

/// `HOST (NAME[ADDRESS]) - USER NAME (Login failed): …`, `… - USER NAME: no such user found …`
pub(super) fn put_proftpd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
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

/// pure-ftpd.org/project/pure-ftpd/doc: each message begins with `(NAME@HOST)`, where NAME is `?` before the login.
pub(super) static PURE_FTPD: Family = Family::new(
    &[
        login("({*}@{source:peer}) [WARNING] Authentication failed for user [{user.name}]", "ftp_login", "failure"),
        login("({*}@{source:peer}) [INFO] {user.name} is now logged in", "ftp_login", "success"),
        traffic("({*}@{source:peer}) [INFO] New connection from {:word}", "ftp_connection", ""),
        note("({user.name}@{source:peer}) [NOTICE] {*}"),
        note("({user.name}@{source:peer}) [INFO] Logout."),
    ],
    &[],
);
