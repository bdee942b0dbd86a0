//! Postfix: every client is written `HOST[ADDRESS]`, with `:PORT` where ports are logged. Methods, senders, greetings, header
//! texts and what was sent too early come from the client.

use super::family::{Family, Which, login, mention, note, traffic};

/// A host, whose name was checked, and its address.
macro_rules! peer {
    () => {
        "{:host}[{source.ip}]{?:{source.port}?}"
    };
}
/// Postscreen writes no names.
macro_rules! screened {
    () => {
        "[{source.ip}]:{source.port}"
    };
}
macro_rules! queue {
    () => {
        "{:host}: "
    };
}
/// Stages of a session.
macro_rules! stage {
    () => {
        "{(CONNECT||HELO||EHLO||MAIL||RCPT||DATA||END-OF-MESSAGE||VRFY||ETRN||STARTTLS||AUTH||UNKNOWN||XFORWARD||XCLIENT)}"
    };
}

/// www.postfix.org/postconf.5.html, and the log calls of smtpd, postscreen, cleanup, anvil and dnsblog.
#[rustfmt::skip]
pub(super) static POSTFIX: Family = Family::new(
    &[
        login(concat!("{?warning: ?}", peer!(), ": SASL {:word} authentication {(failed||aborted)}: {*}, sasl_username={user.name}"
            ), "mail_login", "failure"),
        login(concat!("{?warning: ?}", peer!(), ": SASL {:word} authentication {(failed||aborted)}{?: {event.reason}?}"), "mail_login", "failure"),
        login(concat!(queue!(), "client=", peer!(), ", {*}sasl_username={user.name:word}{?, sasl_sender={*}?}"), "mail_login", "success"),
        traffic(concat!(queue!(), "client=", peer!(), "{?, {*}?}"), "mail_received", ""),
        traffic(concat!(queue!(), "{?milter-||proxy-?}reject: ", stage!(), " from ", peer!(), ": {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!(queue!(), "{?milter-||proxy-?}reject: {(header||body||mime-header||nested-header)} {*} from ", peer!(), "; from=<{event.reason:own}"
            ), "mail_rejected", "failure"),
        traffic(concat!(queue!(), "warning: {(header||body||mime-header||nested-header)} {*} from ", peer!(), "; from=<{event.reason:own}"
            ), "mail_marked", ""),
        // It came from this machine.
        traffic(concat!(queue!(), "{?milter-||proxy-?}{(reject||warning)}: {(header||body||mime-header||nested-header)} {*} from local; from=<{event.reason:own}"
            ), "mail_rejected", "").quote(),
        note("proxy-{(reject||accept)}: {:word}: {*}; from=<{*}").quote(),
        traffic(concat!(queue!(), "{(reject_warning||warn||filter||hold||discard||redirect||prepend||bcc||client||delay||milter-hold||milter-discard)}: ", stage!(), " from ", peer!(), ": {event.reason}"
            ), "mail_marked", ""),
        traffic(concat!("connect from ", peer!()), "connection", ""),
        traffic(concat!("disconnect from ", peer!(), "{? {*}?}"), "disconnection", ""),
        traffic(concat!("lost connection after {*} from ", peer!()), "connection_lost", ""),
        traffic(concat!("timeout after {*} from ", peer!()), "connection_lost", ""),
        traffic(concat!("too many errors after {*} from ", peer!()), "too_many_errors", "failure"),
        traffic(concat!("improper command pipelining after {:word} from ", peer!(), ": {*}"), "protocol_violation", ""),
        traffic(concat!("warning: non-SMTP command from ", peer!(), ": {*}"), "protocol_violation", ""),
        traffic(concat!("warning: Illegal address syntax from ", peer!(), " in {*}"), "protocol_violation", ""),
        traffic(concat!("warning: ", peer!(), " sent {*} instead of SMTP command: {*}"), "protocol_violation", ""),
        traffic(concat!("warning: ", peer!(), ": request longer than {:number}: {*}"), "protocol_violation", ""),
        traffic(concat!("warning: {event.reason} limit exceeded: {:number} from ", peer!(), " for service {:word}"), "rate_limited", "failure"),
        note("warning: hostname {:word} does not resolve to address {source.ip}{?: {*}?}"),
        note("warning: {source.ip}: hostname {:word} verification failed: {*}"),
        note("warning: {source.ip}: address not listed for hostname {:word}"),
        note(concat!("{(setting up TLS connection from||SSL_accept error from||SSL_accept:||starting TLS engine for)} ", peer!(), "{?: {*}?}"
        )),
        note(concat!("{(Anonymous||Untrusted||Trusted||Verified)} TLS connection established from ", peer!(), ": {*}")),
        traffic(concat!("CONNECT from ", screened!(), " to [{destination.ip}]:{:number}"), "connection", ""),
        traffic(concat!("{(PASS OLD||PASS NEW||WHITELISTED||ALLOWLISTED||WHITELIST VETO||ALLOWLIST VETO)} ", screened!()), "connection", ""),
        traffic(concat!("{(BLACKLISTED||DENYLISTED)} ", screened!()), "connection_refused", "failure"),
        traffic(concat!("PREGREET {:number} after {:word} from ", screened!(), ": {*}"), "protocol_violation", ""),
        traffic(concat!("HANGUP after {:word} from ", screened!(), " in {*}"), "connection_lost", ""),
        traffic(concat!("DNSBL rank {:number} for ", screened!()), "listed", ""),
        traffic(concat!("{(BARE NEWLINE||NON-SMTP COMMAND||COMMAND PIPELINING||COMMAND TIME LIMIT||COMMAND COUNT LIMIT||COMMAND LENGTH LIMIT)} from ", screened!(), " after {*}"
            ), "protocol_violation", ""),
        traffic(concat!("NOQUEUE: reject: {(RCPT||CONNECT)} from ", screened!(), ": {event.reason}"), "mail_rejected", "failure"),
        traffic(concat!("DISCONNECT ", screened!()), "disconnection", ""),
        note("addr {source.ip} listed by domain {:word} as {:word}"),
        note("statistics: max {:word} {:word} {:word} for ({:word}:{source.ip}) at {*}"),
        // policy servers
        note("{?prepend ?}Received-SPF: {event.reason:word} ({*}) identity={:word}; client-ip={source.ip}; {*}"),
        traffic("{?{:word}: ?}action=greylist, reason={*}, client_name={:host}, client_address={source.ip}{?/{:number}?}, {*}", "mail_deferred", ""),
        traffic("{?{:word}: ?}action=pass, reason={*}, client_name={:host}, client_address={source.ip}{?/{:number}?}, {*}", "mail_received", ""),
        // OpenSMTPD
        traffic("{:word} smtp {?event=?}connected address={?[?}{source.ip}{?]?} host={:word}", "connection", ""),
        traffic("{:word} smtp {?event=?}disconnected {?address={source.ip} host={:word} ?}reason={:word}", "disconnection", ""),
        login("{:word} smtp {?event=?}failed-command {?address={source.ip} host={:word} ?}command=\"AUTH {*}\" result=\"{*}\"", "mail_login", "failure"),
        login("{:word} smtp {?event=?}authentication {?address={source.ip} host={:word} ?}user={user.name} result=ok", "mail_login", "success"),
        login("{:word} smtp {?event=?}authentication {?address={source.ip} host={:word} ?}user={user.name} result={(permfail||tempfail)}", "mail_login", "failure"),
        traffic("{:word} smtp {?event=?}failed-command {?address={source.ip} host={:word} ?}command=\"{*}\" result=\"{event.reason}\"", "mail_rejected", "failure"),
        note("{:word} smtp {?event=?}{(bad-input||closed||timeout||tls)} address={source.ip} host={:word}{? {*}?}"),
    ],
    &[mention(Which::Only, " from {:host}[{source.ip}]"), mention(Which::Only, "warning: {:host}[{source.ip}]")],
);

/// amavis, opendkim, rspamd and others that look at mail for the server.
#[rustfmt::skip]
pub(super) static FILTERS: Family = Family::new(
    &[
        traffic("({:word}) Blocked {event.reason:name} {?({*}) ?}{:word}, {?{:name} ?}{?{:name} ?}[{source.ip}]{?:{source.port}?} {*}", "mail_rejected", "failure"),
        traffic("({:word}) Passed {event.reason:name} {?({*}) ?}{:word}, {?{:name} ?}{?{:name} ?}[{source.ip}]{?:{source.port}?} {*}", "mail_received", ""),
        note("spamd: connection from {:host} [{source.ip}]:{source.port} to port {:number}, fd {:number}"),
        note("{:word}: {:host} [{source.ip}] not internal"),
        note("{:word}: [{source.ip}] [{:ip}] not internal"),
        note("{:word}: {:host} [{source.ip}] {(not authenticated||no signature data||is not authorized)}"),
    ],
    &[mention(Which::First, ", [{source.ip}]")],
);
