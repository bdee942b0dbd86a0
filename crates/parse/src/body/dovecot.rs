//! Dovecot: logins, and what its parts say of accounts. The client's name stands in `user=<…>` in front of what the server
//! knows of the connection, and may hold the same words; so may a password that is told. Behind `rip=` the server writes only
//! its own.

use super::family::{Family, login, note, traffic};

macro_rules! part {
    () => {
        "{?dovecot: ?}{(imap||pop3||managesieve||submission||lmtp||sieve)}-login: {?Info: ||Warning: ||Error: ?}"
    };
}
macro_rules! peer {
    () => {
        ", rip={source.ip}{?, rport={source.port}?}, {:own}"
    };
}
macro_rules! failed {
    () => {
        "(auth failed, {(1||{log.syslog.repeated})} attempts{? in {:number} secs?}){? ({:word})?}: user=<{user.name}>"
    };
}
/// Who asked: the name and the address, behind the name of the database.
macro_rules! account {
    () => {
        "{user.name},{source.ip}{?,<{:word}>?})"
    };
}
macro_rules! worker {
    () => {
        "{?dovecot: ?}auth{?-worker?}{?({:number})?}: {?Info: ||Error: ||Debug: ?}{?conn {*}: auth-worker<{:number}>: ?}{(pam(||passwd(||passwd-file(||shadow(||sql(||ldap(||static(||bsdauth(||checkpassword(||imap(||lua(||oauth2(||dict(||login(||plain(||cram-md5(||digest-md5(||policy(||vpopmail()}"
    };
}

/// doc.dovecot.org/main/core/admin/logging.html, and the log calls of login-common and auth.
#[rustfmt::skip]
pub(super) static DOVECOT: Family = Family::new(
    &[
        note(concat!(part!(), "ID sent: {*}")).quote(),
        note(concat!(part!(), "user=<{*}>: ID sent: {*}")).quote(),
        login(concat!(part!(), "{(Login||Logged in)}: user=<{user.name}>{?, method={:word}?}", peer!()), "mail_login", "success"),
        login(concat!(part!(), "{event.reason:own} ", failed!(), "{?, method={:word}?}", peer!()), "mail_login", "failure"),
        traffic(concat!(part!(), "{event.reason:own}: user=<{user.name}>{?, method={:word}?}", peer!()), "disconnection", ""),
        traffic(concat!(part!(), "{event.reason:own}: {?method={:word}, ?}rip={source.ip}{?, rport={source.port}?}, {:own}"
            ), "disconnection", ""),
        login(concat!(worker!(), account!(), ": {?pam_authenticate() failed: ?}{(Authentication failure||User not known to the underlying authentication module||Password mismatch||password mismatch||unknown user||Unknown user||invalid credentials||CRYPT(||Login failed||Account ||Empty username||No password||user disabled||User disabled)}{*}"
            ), "mail_login", "failure"),
        login(concat!(worker!(), account!(), ": pam_authenticate() failed: {event.reason}"), "mail_login", "failure"),
        login("{?dovecot: ?}auth({user.name},{source.ip},{:word}){?<{:word}>?}: {?pam: ||sql: ||ldap: ||passwd-file: ||static: ?}{?pam_authenticate() failed: ?}{(Authentication failure||User not known||Password mismatch||password mismatch||unknown user||Unknown user||invalid credentials||Invalid credentials||Login failed)}{*}", "mail_login", "failure"),
        note(concat!(worker!(), account!(), ": {event.reason}")),
        traffic("{?dovecot: ?}lmtp({:number}): {?Info: ?}Connect from {source.ip}", "connection", ""),
        traffic("{?dovecot: ?}lmtp({:number}): {?Info: ?}Disconnect from {source.ip}: {*}", "disconnection", ""),
    ],
    &[],
);
