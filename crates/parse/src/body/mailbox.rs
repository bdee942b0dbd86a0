//! Mailbox servers and their kin: Courier, Cyrus, UW IMAP, solid-pop3d, Perdition, vpopmail, qmail, saslauthd. Names and
//! methods come from the client.

use super::family::{Family, Which, login, mention, note, traffic};

/// Cyrus: `HOST [ADDRESS]` or `HOST[ADDRESS]`, without the name where it is not known.
macro_rules! cyrus {
    () => {
        "{?{:host}{? ?}?}[{source.ip}]"
    };
}

/// What programs called imapd, pop3d and the like say.
#[rustfmt::skip]
pub(super) static MAILBOX: Family = Family::new(
    &[
        // www.courier-mta.org/imap: courier-imap, courier-pop, courier-authdaemon
        login("LOGIN FAILED, user={user.name}, ip=[{source.ip}]{?, port=[{source.port}]?}", "mail_login", "failure"),
        login("LOGIN FAILED, {?method={:word}, ?}ip=[{source.ip}]{?, port=[{source.port}]?}", "mail_login", "failure"),
        login("LOGIN, user={user.name}, ip=[{source.ip}]{?, port=[{source.port}]?}{?, protocol={:word}?}", "mail_login", "success"),
        note("{(LOGOUT||DISCONNECTED||TIMEOUT||LOGIN: ip limit reached||Maximum connection limit reached for)}, {?user={user.name}, ?}ip=[{source.ip}]{?, {*}?}"),
        traffic("Connection, ip=[{source.ip}]{?, port=[{source.port}]?}", "connection", ""),
        // www.cyrusimap.org: imapd, pop3d, timsieved, nntpd, httpd
        login(concat!("badlogin: ", cyrus!(), " {?plaintext ?}{:word} {event.reason}"), "mail_login", "failure"),
        login(concat!("badlogin: ", cyrus!(), " {event.reason}"), "mail_login", "failure"),
        login(concat!("login: ", cyrus!(), " {user.name} {:word} User logged in{? {*}?}"), "mail_login", "success"),
        traffic(concat!("{(accepted connection from||connection from)} ", cyrus!(), "{? {*}?}"), "connection", ""),
        // University of Washington IMAP
        login("Login {(failed||failure)} {*}user={user.name} auth={*} host={?{:host} ?}[{source.ip}]", "mail_login", "failure"),
        login("{(Failed||failed)} {*} override of user={*} host={?{:host} ?}[{source.ip}]", "mail_login", "failure"),
        login("{(Login excessive login failures||Login disabled||Authentication failure||Login failure)} user={user.name} auth={*} host={?{:host} ?}[{source.ip}]", "mail_login", "failure"),
        login("AUTHENTICATE {:word} {(failure||invalid)} host={?{:host} ?}[{source.ip}]", "mail_login", "failure"),
        login("{(Login||Authenticated||APOP)} user={user.name} host={?{:host} ?}[{source.ip}]{? nmsgs={:word}?}", "mail_login", "success"),
        note("{(Logout||Autologout||Killed||Broken pipe||Command stream end of file)}{*} host={?{:host} ?}[{source.ip}]"),
        // solid-pop3d
        login("{?user ||APOP ||roaming ?}authentication failed: {(no such user||can't map user name||can't get user name||invalid password||disallowed user name)}: {user.name} - {source:peer}", "mail_login", "failure"),
        login("{?APOP ?}authentication failed for {?mapped ?}{?virtual ?}user {user.name} - {source:peer}", "mail_login", "failure"),
        login("user {user.name} {(authenticated||logged in)} - {source:peer}", "mail_login", "success"),
        traffic("connect from {source:peer}{? - {*}?}", "connection", ""),
        // horms.net/projects/perdition
        login("Auth: {source.ip}:{source.port}->{destination.ip}:{destination.port} {*}authentication_id=\"{user.name}\" server={*} status=\"failed: {event.reason}\"", "mail_login", "failure"),
        login("Auth: {source.ip}:{source.port}->{destination.ip}:{destination.port} {*}user=\"{user.name}\" server={*} status=\"failed: {event.reason}\"", "mail_login", "failure"),
        login("Auth: {source.ip}:{source.port}->{destination.ip}:{destination.port} {*} status=\"ok\"", "mail_login", "success"),
        login("Auth: {source.ip}:{source.port}->{destination.ip}:{destination.port} {*} status=\"failed: {event.reason}\"", "mail_login", "failure"),
        traffic("{(Fatal Error||Fatal error)} reading authentication information from client {source.ip}:{source.port}->{destination.ip}:{destination.port}: {*}", "connection_lost", ""),
        traffic("Connect: {source.ip}:{source.port}->{destination.ip}:{destination.port}{? {*}?}", "connection", ""),
        traffic("Close: {source.ip}:{source.port}->{destination.ip}:{destination.port} {*}", "disconnection", ""),
    ],
    &[mention(Which::Last, "ip=[{source.ip}]"), mention(Which::Last, " host={?{:host} ?}[{source.ip}]")],
);

/// The mail server of Courier.
#[rustfmt::skip]
pub(super) static COURIER: Family = Family::new(
    &[
        login("error,relay={source.ip},{?port={:number},?}msg=\"535 {event.reason}\",cmd: {*}", "mail_login", "failure"),
        traffic("error,relay={source.ip},{?port={:number},?}{*}: {event.reason}", "mail_rejected", "failure"),
        traffic("error,relay={source.ip},{?port={:number},?}{*}", "mail_rejected", "failure"),
        traffic("started,ip=[{source.ip}]{?,port=[{source.port}]?}", "connection", ""),
    ],
    &[],
);

/// www.inter7.com/vpopmail and qmail with its relatives.
#[rustfmt::skip]
pub(super) static QMAIL: Family = Family::new(
    &[
        login("{?{:host}: ?}vchkpw-{:host}: vpopmail user not found {user.name}:{source.ip}", "mail_login", "failure"),
        login("{?{:host}: ?}vchkpw-{:host}: {(password fail||null password given||APOP password fail)}{? ({*})?} {user.name:word}:{source.ip}", "mail_login", "failure"),
        login("{?{:host}: ?}vchkpw-{:host}: {(invalid user/domain characters||no auth allowed for this account||{:word} access denied||IP access denied)} {user.name}:{source.ip}", "mail_login", "failure"),
        login("{?{:host}: ?}vchkpw-{:host}: ({:word}) login success {user.name}:{source.ip}", "mail_login", "success"),
        traffic("{?{:host} ?}rblsmtpd: {source.ip} pid {:number} {event.reason}", "mail_rejected", "failure"),
        traffic("{?{:host} ?}qmail-smtpd: {:number} badiprbl: ip {source.ip} rbl: {event.reason}", "mail_rejected", "failure"),
        traffic("{:word} blocked {source.ip} {:word} -", "mail_rejected", "failure"),
        traffic("{?{:host} ?}tcpserver: pid {:number} from {source.ip}", "connection", ""),
        traffic("{?{:host} ?}tcpserver: deny {:number} {:word} {:host}:{source.ip}:{*}:{source.port}", "connection_refused", "failure"),
        traffic("{?{:host} ?}tcpserver: ok {:number} {:word} {:host}:{source.ip}:{*}:{source.port}", "connection", ""),
    ],
    &[],
);

/// www.cyrusimap.org/sasl
#[rustfmt::skip]
pub(super) static SASLAUTHD: Family = Family::new(
    &[
        login("{:word} {_}: auth failure: [user={user.name}] [service={:word}] {event.reason}", "mail_login", "failure"),
        login("{:word} {_}: auth success: [user={user.name}] [service={:word}] {*}", "mail_login", "success"),
    ],
    &[],
);
