//! Exim: clients are `[HOST ][(GREETING) ][ADDRESS][:PORT][ I=[OWN ADDRESS]:PORT]`. Greetings, commands, senders and subjects
//! come from the client; a greeting may hold an address in brackets.

use super::family::{Family, Which, login, mention, note, traffic};

macro_rules! peer {
    () => {
        "{?{:host} ?}{?({*}) ?}[{source.ip}]{?:{source.port}?}{? I=[{:ip}]:{:number}?}"
    };
}

/// www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html, and the log calls of smtp_in.c, acl.c and daemon.c.
#[rustfmt::skip]
pub(super) static EXIM: Family = Family::new(
    &[
        login(concat!("{:word} authenticator failed for {?H=?}", peer!(), "{? {*}?}: {event.reason} (set_id={user.name})"
            ), "mail_login", "failure"),
        login(concat!("{:word} authenticator failed for {?H=?}", peer!(), "{? {*}?}: {event.reason}"), "mail_login", "failure"),
        traffic(concat!("{?{:host} ?}H=", peer!(), "{? {*}?} {?temporarily ?}rejected {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("{?{:host} ?}F={:word} H=", peer!(), "{? {*}?} {?temporarily ?}rejected {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("rejected {(HELO||EHLO)} from ", peer!(), ": {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("SMTP protocol {?violation: ?}{event.reason:own}: rejected connection from H=", peer!(), "{? {*}?}"
            ), "mail_rejected", "failure"),
        traffic(concat!("SMTP protocol {?violation: ?}synchronization error ({*}): rejected {*} H=", peer!(), " {*}"), "mail_rejected", "failure"),
        traffic(concat!("SMTP protocol error in \"{*}\" H=", peer!(), " {event.reason}"), "protocol_violation", ""),
        traffic(concat!("SMTP syntax error in \"{*}\" H=", peer!(), " {event.reason}"), "protocol_violation", ""),
        traffic(concat!("SMTP call from {?H=?}", peer!(), " dropped: {event.reason}"), "connection_refused", "failure"),
        traffic(concat!("no MAIL in SMTP connection from ", peer!(), "{? {*}?}"), "disconnection", ""),
        traffic(concat!("unexpected disconnection while reading SMTP command from ", peer!(), "{? {*}?}"), "connection_lost", ""),
        traffic(concat!("SMTP {(command||data)} timeout {(on connection from||(message abandoned) on connection from)} ", peer!(), "{? {*}?}"
            ), "connection_lost", ""),
        traffic(concat!("SMTP connection from ", peer!(), "{? ({*})?}"), "connection", ""),
        traffic(concat!("SMTP connection from ", peer!(), " {(closed by||lost||ID)}{?{*}?}"), "disconnection", ""),
        traffic(concat!("{(Connection||connection||refused connection)} from ", peer!(), " refused: {event.reason}"), "connection_refused", "failure"),
        traffic(concat!("refused connection from ", peer!(), " ({event.reason})"), "connection_refused", "failure"),
        note(concat!("TLS error on connection from ", peer!(), " {*}")),
        note("no host name found for IP address {source.ip}"),
        note("no IP address found for host {:word} (during SMTP connection from [{source.ip}]{?:{:number}?})"),
        note(concat!("{?{:host} ?}H=", peer!(), " {(Warning||incomplete transaction||ident)}{*}")),
        login(concat!("{:host} <= {:word} H=", peer!(), " P={:word} {*}A={:word}:{user.name:word} {*}"), "mail_login", "success"),
        traffic(concat!("{:host} <= {:word} {?R={:word} ?}H=", peer!(), " {*}"), "mail_received", ""),
        traffic("{:host} SA: Action: {event.reason}. From {*} (host={:host} [{source.ip}]){*}", "mail_marked", ""),
    ],
    &[
        mention(Which::Only, "H={?{:host} ?}{?({*}) ?}[{source.ip}]{?:{source.port}?}"),
        mention(Which::Only, " from {?{:host} ?}{?({*}) ?}[{source.ip}]"),
    ],
);
