//! What OpenSSH says less often, without `error: ` and `fatal: ` in front: sessions, refusals of its configuration, notes. Names
//! of accounts that do not exist, of subsystems and of hosts are what clients wrote. (flat table)

use super::family::{Family, login, note, traffic};

/// `auth*.c`, `session.c`, `serverloop.c`, `packet.c`, and patches in use (HPN, obfuscation).
#[rustfmt::skip]
pub(super) static LINES: Family = Family::new(&[
    login("subsystem request for {*} by user {user.name:word}", "ssh_subsystem", ""),
    login("subsystem request for {*} by user {user.name:word} failed, subsystem not found", "ssh_subsystem", ""),
    login("Starting session: {*} for {user.name:word} from {source.ip} port {source.port}{? id {:number}?}", "ssh_session", ""),
    login("Close session: user {user.name:word} from {source.ip} port {source.port}{? id {:number}?}", "ssh_session_ended", ""),
    login("Access denied for user {user.name} by PAM account configuration{? [preauth]?}", "ssh_login", "failure"),
    login("Authentication tried for {user.name} with correct key but not from a permitted host (host={*}, ip={source.ip}, required={*}).", "ssh_login", "failure"),
    login("Authentication tried for {user.name} with {(correct key||valid certificate)} but not from a permitted {(host||source address)} ({source.ip}).", "ssh_login", "failure"),
    login("Authentication refused: {event.reason}", "ssh_key_refused", "failure"),
    login("Login restricted for {user.name}: {event.reason}", "ssh_login", "failure"),
    login("Account {user.name} has expired", "ssh_account_expired", ""),
    login("User {user.name} password has expired ({event.reason})", "password_expired", ""),
    login("Authorized to {user.name}, krb5 principal {*}", "ssh_login_step", ""),
    login("Magic value check failed ({:number}) on obfuscated handshake from {source.ip} port {source.port}", "ssh_probe", "failure"),
    login("Protocol major versions differ for {source.ip}{? port {source.port}?}: {*}", "ssh_probe", "failure"),
    traffic("Could not write ident string to {source.ip}{? port {source.port}?}", "ssh_probe", ""),
    traffic("Nasty PTR record \"{*}\" is set up for {source.ip}, ignoring", "ssh_reverse_mapping", ""),
    traffic("userauth_hostbased mismatch: client sends {*}, but we resolve {source.ip} to {*}", "ssh_reverse_mapping", ""),
    traffic("Timeout, client not responding from user {user.name} {source.ip} port {source.port}", "ssh_connection_ended", ""),
    traffic("Timeout, client not responding{? from {source.ip} port {source.port}?}", "ssh_connection_ended", ""),
    traffic("Disconnecting: {event.reason}", "ssh_connection_ended", ""),
    traffic("SSH: Server;Ltype: {:word};Remote: {source.ip}-{source.port};{*}", "ssh_connection", ""),
    login("SSHD_LOGIN_FAILED: Login failed for user '{user.name}' from host '{source}'", "ssh_login", "failure"),
    note("SSHD_LOGIN_ATTEMPTS_THRESHOLD: Threshold for unsuccessful authentication attempts ({:number}) reached by user '{user.name}'"),
    login("Wrong password given for user '{user.name}'.", "ssh_login", "failure"),
    login("Password authentication for user {user.name} accepted.", "ssh_login", "success"),
    traffic("connection from \"{source.ip}\"{*}", "ssh_connection", ""),
], &[]);
