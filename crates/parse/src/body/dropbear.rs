//! dropbear of all ages, with lower-case and upper-case beginnings, and tinysshd. Names are what clients tried; the address and
//! its port are the server's. (flat table)

use event::BatchBuilder;
use event::catalog::field;

use super::family::{Family, login, traffic};
use crate::needle;

/// Puts what dropbear says, with the word that sshd's events have.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    const WORDS: [(&[u8], &str); 4] = [
        (b"password attempt", "Failed"),
        (b"nonexistent user", "Invalid"),
        (b"auth succeeded", "Accepted"),
        (b"connection from", "Connection"),
    ];
    if !DROPBEAR.put_known(rows, message) {
        return false;
    }
    // They stand in front of what the client wrote.
    let head = &message[..message.iter().position(|byte| *byte == b'\'').unwrap_or(message.len())];
    if let Some((_, word)) = WORDS.iter().find(|(words, _)| needle::find_word(head, words).is_some()) {
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, word);
    }
    true
}

/// `svr-auth*.c`, `svr-session.c`, `svr-main.c`.
#[rustfmt::skip]
pub(super) static DROPBEAR: Family = Family::new(&[
    login("(i){?PAM ?}bad {?PAM ?}password attempt for '{user.name}' from {source}:{source.port}", "ssh_login", "failure"),
    login("(i)login attempt for nonexistent user{? '{user.name}'?} from {source}:{source.port}", "ssh_invalid_user", "failure"),
    login("(i)login attempt with wrong user {user.name} from {source}:{source.port}", "ssh_login", "failure"),
    login("(i){?PAM ?}password auth succeeded for '{user.name}' from {source}:{source.port}", "ssh_login", "success"),
    login("(i)auth succeeded with blank password for '{user.name}' from {source}:{source.port}", "ssh_login", "success"),
    login("(i)pubkey auth succeeded for '{user.name}' with {?{:word} ?}key {system.auth.ssh.signature} from {source}:{source.port}", "ssh_login", "success"),
    login("(i)pubkey auth succeeded for '{user.name}' from {source}:{source.port}", "ssh_login", "success"),
    login("(i)pubkey auth bad signature for '{user.name}' with {*} from {source}:{source.port}", "ssh_login", "failure"),
    login("(i)max auth tries reached - user '{user.name}' from {source}:{source.port}", "ssh_login", "failure"),
    login("(i)exit before auth (user '{user.name}', {:number} fails): Max auth tries reached - user '{*}' from {source}:{source.port}", "ssh_login", "failure"),
    login("(i)exit before auth from <{source}:{source.port}>: (user '{user.name}', {:number} fails): Max auth tries reached{*}", "ssh_login", "failure"),
    login("(i)exit before auth from <{source}:{source.port}>: (user '{user.name}', {:number} fails): {event.reason}", "ssh_connection_ended", ""),
    login("(i)exit before auth (user '{user.name}', {:number} fails): {(Disconnect received||Exited normally||Timeout before auth||Idle timeout||Error reading: Connection reset by peer||Error reading: Connection timed out)}", "ssh_connection_ended", ""),
    login("(i)exit before auth from <{source}:{source.port}>: {event.reason}", "ssh_connection_ended", ""),
    login("(i)exit before auth: {event.reason}", "ssh_connection_ended", ""),
    login("(i)exit ({user.name:word}) from <{source}:{source.port}>: {event.reason}", "ssh_connection_ended", ""),
    login("(i)exit ({user.name:word}): {event.reason}", "ssh_connection_ended", ""),
    login("(i)user '{user.name}' has invalid shell, rejected", "ssh_login", "failure"),
    login("(i)user '{user.name}' has blank password, rejected", "ssh_login", "failure"),
    login("(i)user '{user.name}' is locked{*}", "ssh_login", "failure"),
    login("(i)root login rejected", "ssh_login", "failure"),
    traffic("(i){(child||inetd)} connection from {source}:{source.port}", "ssh_connection", ""),
], &[]);

/// `log.c`: `ID: level: text {file:line}`.
#[rustfmt::skip]
pub(super) static TINYSSHD: Family = Family::new(&[
    traffic("{:word}: info: connection from {source.ip}:{source.port}{? {*}?}", "ssh_connection", ""),
    login("{:word}: info: auth: {user.name}: {:word} {:word} accepted{? {*}?}", "ssh_login", "success"),
    login("{:word}: {(info||warning)}: auth: {user.name}: {:word} {:word} rejected{? {*}?}", "ssh_login", "failure"),
], &[]);
