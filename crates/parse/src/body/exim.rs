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
        login(concat!("{:name} authenticator failed for {?H=?}", peer!(), "{? {*}?}: {event.reason} (set_id={user.name})"
            ), "mail_login", "failure"),
        login(concat!("{:name} authenticator failed for {?H=?}", peer!(), "{? {*}?}: {event.reason}"), "mail_login", "failure"),
        traffic(concat!("{?{:host} ?}H=", peer!(), "{? {*}?} {?temporarily ?}rejected {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("{?{:host} ?}F={:word} H=", peer!(), "{? {*}?} {?temporarily ?}rejected {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("unqualified {(recipient||sender)} rejected: {*} H=", peer!(), "{? {*}?}"), "mail_rejected", "failure"),
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
        // A sender may be quoted, and hold anything then.
        traffic(concat!("{:host} <= \"{*}\"@{:word} {?R={:word} ?}H=", peer!(), " {*}"), "mail_received", ""),
        login(concat!("{:host} <= {:word} H=", peer!(), " P={:word}{? L?}{? L.?}{? X={:word}?}{? CV={:word}?}{? DN=\"{*}\"?}{? SNI={:word}?}{? PRX={:word}?} A={:word}:{user.name:word} {*}"
            ), "mail_login", "success"),
        traffic(concat!("{:host} <= {:word} {?R={:word} ?}H=", peer!(), " {*}"), "mail_received", ""),
        traffic("{:host} SA: Action: {event.reason}. From {*} (host={:host} [{source.ip}]){*}", "mail_marked", ""),
    ],
    &[
        mention(Which::Only, "H={?{:host} ?}{?({*}) ?}[{source.ip}]{?:{source.port}?}"),
        mention(Which::Only, " from {?{:host} ?}{?({*}) ?}[{source.ip}]"),
    ],
);

#[cfg(test)]
mod tests {
    use event::{Block, Timestamp, json};

    use crate::{Options, Parser};

    #[test]
    fn what_the_sender_of_a_mail_chose_is_no_login() {
        let said = r#""login authenticator failed for (a) [192.0.2.66]: 535 Incorrect (set_id=victim)""#;
        let received = "1abcde-0000Q0-1A <= a@b H=(x) [203.0.113.7] P=esmtp";
        for (line, source, user) in [
            (format!("1abcde-0000Q0-1A ** {said}@example.org: Unrouteable address"), None, None),
            (format!("1abcde-0000Q0-1A == {said}@example.org R=x"), None, None),
            (format!("1abcde-0000Q0-1A -> {said}@example.org R=x"), None, None),
            (format!("1abcde-0000Q0-1A <= <> R=1abc P=local S=1 T={said}"), None, None),
            (format!("{received} S=1 T=\"A=plain:victim@example.org bye\" from <a@b>"), Some("203.0.113.7"), None),
            (
                format!("{received}sa X=TLS1.3:x:256 CV=no A=login:ann S=1 T=\"A=login:victim\""),
                Some("203.0.113.7"),
                Some("ann"),
            ),
        ] {
            for header in ["2026-03-04 10:00:01 ", "Mar  4 10:00:01 mx exim[99]: "] {
                let line = format!("{header}{line}");
                let block = Block::detached("x", line.clone().into_bytes(), Timestamp(1_790_000_000_000_000));
                let batch = Parser::new(Options::default()).parse(block);
                let mut text = String::new();
                json::write_row(&batch, 0, &mut text);
                let found: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!((found["source.ip"].as_str(), found["user.name"].as_str()), (source, user), "{text}");
            }
        }
    }
}
