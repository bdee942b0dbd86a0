//! Sessions and the services that open them: login, systemd and its logind, screen sharing, remote desktops, remote shells, inetd
//! and its kin, SFTP. What a client typed as its name may have blanks and hold the words of these messages. (flat table)

use event::BatchBuilder;
use event::catalog::field;

use super::family::{Family, act, login, note, traffic};

/// Puts what login says; a login of root names nobody else.
pub(super) fn put_login(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let is_known = LOGIN.put_known(rows, message);
    if is_known && message.get(..10).is_some_and(|head| head.eq_ignore_ascii_case(b"root login")) {
        rows.literal(field::USER_NAME, "root");
    }
    is_known
}

/// util-linux, shadow, BusyBox, the BSDs and Solaris.
#[rustfmt::skip]
pub(super) static LOGIN: Family = Family::new(&[
    login("FAILED LOGIN {?SESSION ?}{?({:number}) ?}{?{:number} ?}FROM {?/dev/?}{(tty||pts/)}{system.auth.sudo.tty:word} FOR {user.name}, {event.reason}", "login", "failure"),
    login("TOO MANY LOGIN TRIES ({:number}) FROM {?/dev/?}{(tty||pts/)}{system.auth.sudo.tty:word} FOR {user.name}, {event.reason}", "login", "failure"),
    login("FAILED LOGIN {?SESSION ?}{?({:number}) ?}{?{:number} ?}FROM {source} FOR {user.name}, {event.reason}", "login", "failure"),
    login("FAILED LOGIN {?SESSION ?}{?({:number}) ?}{?{:number} ?}ON {system.auth.sudo.tty:word} FOR {user.name}, {event.reason}", "login", "failure"),
    login("FAILED LOGIN ({:number}) on '{system.auth.sudo.tty:word}'{? from '{source}'?} FOR '{user.name}', {event.reason}", "login", "failure"),
    login("FAILED LOGIN ({:number}) from '{source}' FOR '{user.name}', {event.reason}", "login", "failure"),
    login("TOO MANY LOGIN TRIES ({:number}) FROM {source} FOR {user.name}, {event.reason}", "login", "failure"),
    login("TOO MANY LOGIN TRIES ({:number}){? on '{system.auth.sudo.tty:word}'?}{? from '{source}'?} FOR '{user.name}'", "login", "failure"),
    login("invalid password for '{user.name}'{_}on '{system.auth.sudo.tty:word}'{? from '{source}'?}", "login", "failure"),
    login("{:number} LOGIN FAILURE{?S?} FROM {source}{?, {user.name}?}", "login", "failure"),
    login("{:number} LOGIN FAILURE{?S?} ON {system.auth.sudo.tty:word}{?, {user.name}?}", "login", "failure"),
    login("REPEATED LOGIN FAILURES ON {system.auth.sudo.tty:word} FROM {source}, {user.name}", "login", "failure"),
    login("LOGIN {user.name} REFUSED ({event.reason}) FROM {source}{? ON TTY {system.auth.sudo.tty:word}?}", "login", "failure"),
    login("LOGIN {user.name} REFUSED ({event.reason}) ON TTY {system.auth.sudo.tty:word}", "login", "failure"),
    login("LOGIN ON {system.auth.sudo.tty:word} BY {user.name:word}{? FROM {source}?}", "login", "success"),
    login("DIALUP AT {system.auth.sudo.tty:word} BY {user.name:word}", "login", "success"),
    login("login {?from {source} ?}on {system.auth.sudo.tty:word} as {user.name:word}", "login", "success"),
    login("'{user.name:word}' logged in{_}on '{system.auth.sudo.tty:word}'{? from '{source}'?}", "login", "success"),
    login("ROOT LOGIN {?({:word}) ?}ON {system.auth.sudo.tty:word}{? FROM {source}?}", "root_login", "success"),
    login("{(ROOT LOGIN||root login)}{_}on '{system.auth.sudo.tty:word}'{? from '{source}'?}", "root_login", "success"),
    login("password check failed for user ({user.name})", "pam_password_check", "failure"),
    login("Failed to authenticate user <{user.name}> (error: {:number}).", "login", "failure"),
], &[]);

/// `login.c` of systemd: who has a session.
#[rustfmt::skip]
pub(super) static LOGIND: Family = Family::new(&[
    login("New session {:word} of user {user.name:word}.", "session_started", ""),
    login("New session '{:word}' of user '{user.name:word}' with class '{:word}' and type '{:word}'.", "session_started", ""),
    login("Session {:word} logged out. Waiting for processes to exit.", "session_ended", ""),
    login("Session '{:word}' logged out. Waiting for processes to exit.", "session_ended", ""),
    login("Removed session {:word}.", "session_ended", ""),
    login("Failed to {:word} session scope {*}", "session_failed", ""),
], &[]);

/// The manager of units. Descriptions of units are the administrator's.
#[rustfmt::skip]
pub(super) static SYSTEMD: Family = Family::new(&[
    login("{(Started||Starting)} {?session-{:word} - ?}Session {:word} of {(user||User)} {user.name:word}.", "session_started", ""),
    act("process", "{service.name:word}.service: Failed with result '{event.reason:word}'.", "service_failed"),
    act("process", "{service.name:word}.service: Main process exited, code={:word}, status={event.reason}", "service_exited"),
    act("process", "{service.name:word}.service: Scheduled restart job, restart counter is at {:number}.", "service_restarted"),
    act("process", "{service.name:word}.service: {(Succeeded||Deactivated successfully)}.", "service_stopped"),
    act("process", "Unit {service.name:word}.service entered failed state.", "service_failed"),
    act("process", "Failed to start {service.name:word}.service - {*}.", "service_failed"),
    act("process", "Started {service.name:word}.service - {*}.", "service_started"),
    act("process", "Stopped {service.name:word}.service - {*}.", "service_stopped"),
    act("process", "Failed to start {*}.", "service_failed"),
    act("process", "Started {*}.", "service_started"),
    act("process", "Stopped {*}.", "service_stopped"),
], &[]);

/// `sftp-server.c`. File names are the client's.
#[rustfmt::skip]
pub(super) static SFTP: Family = Family::new(&[
    login("session opened for local user {user.name:word} from [{source.ip}]", "sftp_session", ""),
    login("session closed for local user {user.name:word} from [{source.ip}]", "sftp_session_ended", ""),
    act("file", "{?forced ?}close \"{file.path}\" bytes read {:number} written {:number}", "file_closed"),
    act("file", "open{?dir?} \"{file.path}\"{? flags {*} mode {:word}?}", "file_opened"),
    act("file", "closedir \"{file.path}\"", "file_closed"),
    act("file", "remove name \"{file.path}\"", "file_removed"),
    act("file", "rmdir name \"{file.path}\"", "file_removed"),
    act("file", "mkdir name \"{file.path}\" mode {:word}", "file_created"),
    act("file", "{?posix-?}rename old \"{file.path}\" new \"{*}\"", "file_renamed"),
    act("file", "{(symlink||hardlink)} old \"{*}\" new \"{file.path}\"", "file_created"),
    act("file", "set \"{file.path}\" {*}", "file_changed"),
    note("sent status {event.reason}"),
], &[]);

/// tcpd, inetd and xinetd: who connected to which service, and who was refused.
#[rustfmt::skip]
pub(super) static INETD: Family = Family::new(&[
    traffic("refused connect from {*} ({source.ip})", "connection", "failure"),
    traffic("refused connect from {?{*}@?}{source}", "connection", "failure"),
    traffic("connect from {*} ({source.ip})", "connection", ""),
    traffic("connect from {?{*}@?}{source}", "connection", ""),
    traffic("refused connection from {source}, service {service.name:word} ({:word})", "connection", "failure"),
    traffic("connection from {source}, service {service.name:word} ({:word})", "connection", ""),
    traffic("{service.name:word} from {source.ip} exceeded counts/min (limit {:number}/min)", "connection", "failure"),
    traffic("{(RRQ||WRQ)} from {source.ip} filename {file.path}", "file_transfer", ""),
    traffic("START: {service.name:word} {?pid={:number} ?}from={source.ip}", "connection", ""),
    traffic("FAIL: {service.name:word} {event.reason:word} from={source.ip}", "connection", "failure"),
    traffic("EXIT: {service.name:word} {*} duration={:number}(sec)", "connection_ended", ""),
    traffic("libwrap refused connection to {service.name:word} {?(libwrap={:word}) ?}from {source.ip}", "connection", "failure"),
], &[]);

/// rshd, rlogind and rexecd: names at the other end are the client's.
#[rustfmt::skip]
pub(super) static REMOTE_SHELL: Family = Family::new(&[
    login("{source.user.name}@{source} as {user.name}: permission denied ({event.reason}). cmd='{*}'", "remote_shell", "failure"),
    login("{source.user.name}@{source} as {user.name}: permission denied ({event.reason}).", "remote_shell", "failure"),
    login("{source.user.name}@{source} as {user.name}: cmd='{process.command_line}'", "remote_shell", "success"),
    traffic("Connection from {source} on illegal port", "connection", "failure"),
    login("LOGIN REFUSED for {user.name} from {source}", "remote_shell", "failure"),
    login("login from {source} as {user.name}", "remote_shell", "success"),
    traffic("refused connect from {?{*}@?}{source}", "connection", "failure"),
    traffic("connect from {?{*}@?}{source}", "connection", ""),
], &[]);

/// xrdp and xrdp-sesman; levels in brackets stand in front.
#[rustfmt::skip]
pub(super) static XRDP: Family = Family::new(&[
    login("{?[{:word}{( ||)}] ?}AUTHFAIL: user={user.name} ip={source.ip} time={:number}", "remote_desktop_login", "failure"),
    login("{?[{:word}{( ||)}] ?}{?{:word}: ?}login failed for user: {user.name}", "remote_desktop_login", "failure"),
    login("{?[{:word}{( ||)}] ?}{?{:word}: ?}login successful for {*}", "remote_desktop_login", "success"),
    login("{?[{:word}{( ||)}] ?}{?++ ?}created session (access granted): username {user.name:word}, ip {source.ip}:{source.port} - socket: {:number}", "remote_desktop_session", ""),
    login("{?[{:word}{( ||)}] ?}{?++ ?}created session (access granted): username {user.name:word}, ip {source.ip}{? - socket: {:number}?}", "remote_desktop_session", ""),
    login("{?[{:word}{( ||)}] ?}session started successfully for user {user.name:word} on display {:word}", "remote_desktop_session", ""),
    traffic("{?[{:word}{( ||)}] ?}{?Socket {:number}: ?}{(A||AF_INET||AF_INET6)} connection received from {source.ip} port {source.port}", "connection", ""),
    traffic("{?[{:word}{( ||)}] ?}Socket {:number}: connection accepted from AF_INET{?6?} {source.ip}:{source.port}", "connection", ""),
], &[]);

/// Screen sharing of macOS.
#[rustfmt::skip]
pub(super) static SCREEN_SHARING: Family = Family::new(&[
    login("Authentication: FAILED :: User Name: {user.name} :: Viewer Address: {source.ip} :: Type: {:word}{? {:word}?}", "remote_desktop_login", "failure"),
    login("Authentication: SUCCEEDED :: User Name: {user.name} :: Viewer Address: {source.ip} :: Type: {:word}{? {:word}?}", "remote_desktop_login", "success"),
], &[]);
