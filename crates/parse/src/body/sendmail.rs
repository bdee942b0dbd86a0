//! Sendmail: `relay=HOST [ADDRESS]`, with `(may be forged)` where the name is not proven; IPv6 addresses have a prefix. Arguments
//! of rules, senders and commands come from the client.

use super::family::{Family, Which, login, mention, note, traffic};

macro_rules! peer {
    () => {
        "{?{:host} ?}[{?IPv6:?}{source.ip}]{? (may be forged)?}"
    };
}
macro_rules! queue {
    () => {
        "{?{:host}: ?}"
    };
}

/// www.sendmail.org/~ca/email/doc8.12/op.html, and the log calls of srvrsmtp.c and milter.c.
#[rustfmt::skip]
pub(super) static SENDMAIL: Family = Family::new(
    &[
        traffic(concat!(queue!(), "Milter: {*}, reject={event.reason}"), "mail_rejected", "failure").quote(),
        traffic(concat!(queue!(), "Authentication-Warning: {*}"), "warning", "").quote(),
        login(concat!(queue!(), peer!(), ": possible SMTP attack: command=AUTH, count={log.syslog.repeated}"), "mail_login", "failure"),
        traffic(concat!(queue!(), peer!(), ": possible SMTP attack: command={:word}, count={log.syslog.repeated}"), "too_many_commands", ""),
        login(concat!(queue!(), "AUTH failure ({:host}): {:own}, user={user.name}, relay=", peer!()), "mail_login", "failure"),
        login(concat!(queue!(), "AUTH failure ({:host}): {event.reason:own}, relay=", peer!()), "mail_login", "failure"),
        login(concat!(queue!(), "AUTH failure ({:host}): {event.reason:own}"), "mail_login", "failure").quote(),
        login(concat!(queue!(), "AUTH=server, relay=", peer!(), ", authid={user.name}, mech={:word}, bits={:number}"), "mail_login", "success"),
        traffic(concat!(queue!(), "ruleset={:word}, arg1={*}, relay=", peer!(), ", {(reject||discard||quarantine)}={event.reason}"
            ), "mail_rejected", "failure"),
        traffic(concat!(queue!(), "rejecting commands from ", peer!(), " due to {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!(queue!(), "{(rejecting connections from||rejected connection from)} ", peer!(), "{?: {event.reason}?}"
            ), "connection_refused", "failure"),
        traffic(concat!(queue!(), "lost input channel from ", peer!(), " to {:word} after {*}"), "connection_lost", ""),
        traffic(concat!(queue!(), "timeout waiting for input from ", peer!(), " during {*}"), "connection_lost", ""),
        traffic(concat!(queue!(), peer!(), " did not issue {:word} during connection to {:word}"), "disconnection", ""),
        traffic(concat!(queue!(), peer!(), ": probable open proxy: command={*}"), "protocol_violation", ""),
        traffic(concat!(queue!(), peer!(), ": {(VRFY||EXPN||ETRN)} {*} [rejected]"), "mail_rejected", "failure"),
        traffic(concat!(queue!(), "from={*}, relay=", peer!()), "mail_received", ""),
        note(concat!(queue!(), "STARTTLS=server, relay=", peer!(), ", {*}")),
        traffic(concat!(queue!(), "NOQUEUE: connect from ", peer!()), "connection", ""),
    ],
    &[mention(Which::Last, "relay={?{:host} ?}[{?IPv6:?}{source.ip}]")],
);
