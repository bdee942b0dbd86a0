//! Webmail, groupware and mail servers that write log files of their own: Roundcube, SquirrelMail, Horde, SOGo, Zimbra, Mailu, Open
//! WebMail, Kerio, ASSP, Domino, Oracle. Names and greetings come from the client, and so do lists of forwarded addresses.

use super::family::{Family, login, note, traffic};

#[rustfmt::skip]
pub(super) static WEBMAIL: Family = Family::new(
    &[
        // github.com/roundcube/roundcubemail/wiki/Configuration
        login("{?IMAP Error: ||IMAP Error in {:word} ({:word}): ?}{(Login failed for||FAILED login for||failed login for)} {user.name:word} {?against {:word} ?}from {source.ip}{?({*})|| ({*})?}{?. {*}?}", "mail_login", "failure").by("roundcube"),
        login("{(IMAP Error: ||IMAP Error in {:word} ({:word}): )}{(Login failed for||FAILED login for||failed login for)} {*} from {source.ip}{?({*})|| ({*})?}{?. {*}?}", "mail_login", "failure").by("roundcube"),
        login("Failed login for {user.name} from {source.ip}{?({*})?} in session {:word}{? (error: {:number})?}", "mail_login", "failure").by("roundcube"),
        login("Successful login for {user.name} (ID: {:number}) from {source.ip}{?({*})?} in session {:word}", "mail_login", "success").by("roundcube"),
        // squirrelmail.org, squirrel_logger
        login("[LOGIN_ERROR] {user.name} ({:word}) from {source.ip}: {event.reason:own}", "mail_login", "failure").by("squirrelmail"),
        login("[LOGIN] {user.name} ({:word}) from {source.ip}:{?{*}?}", "mail_login", "success").by("squirrelmail"),
        note("[{(LOGOUT||TIMEOUT||MASS_MAILING||OUTGOING_MAIL)}] {*} from {source.ip}:{?{*}?}").by("squirrelmail"),
        // www.horde.org
        login("{(FAILED LOGIN||Failed login||Login failed)} for {user.name} {([{source.ip}]||({source.ip}))}{? ({*})?} to {*}", "mail_login", "failure").by("horde"),
        login("{(FAILED LOGIN||Failed login||Login failed)} for {user.name} to {:word} {([{source.ip}]||({source.ip}))}{?{*}?}", "mail_login", "failure").by("horde"),
        login("{(Login success||LOGIN SUCCESS)} for {user.name} {([{source.ip}]||({source.ip}))}{? ({*})?} to {*}", "mail_login", "success").by("horde"),
        login("{(Login success||LOGIN SUCCESS)} for {user.name} to {:word} {([{source.ip}]||({source.ip}))}{?{*}?}", "mail_login", "success").by("horde"),
        // www.sogo.nu
        login("{?sogod [{process.pid}]: ?}SOGoRootPage Login from '{?{*}, ?}{source.ip}' for user '{user.name}' might not have worked{*}", "mail_login", "failure").by("sogod"),
        login("{?sogod [{process.pid}]: ?}SOGoRootPage successful login from '{?{*}, ?}{source.ip}' for user '{user.name}'{*}", "mail_login", "success").by("sogod"),
        // wiki.zimbra.com: audit.log and mailbox.log
        login("[{?name={*};?}{?mid={:number};?}{?ip={:ip};?}{?port={:number};?}oip={source.ip:clients};{*}] {:host} - {?cmd=Auth; account={*}; protocol={:word} error=?}{?handler exception: ?}authentication failed for [{user.name}]{?, {event.reason:own}|| ({event.reason:own})?}{?;?}", "mail_login", "failure").by("zimbra"),
        login("[{?name={*};?}{?mid={:number};?}{?ip={:ip};?}{?port={:number};?}oip={source.ip:clients};{*}] {:host} - cmd=Auth; account={user.name}; protocol={:word}", "mail_login", "success").by("zimbra"),
        login("[{?name={*};?}{?mid={:number};?}ip={source.ip};{?port={:number};?}] {:host} - {?cmd=Auth; account={*}; protocol={:word} error=?}{?handler exception: ?}authentication failed for [{user.name}]{?, {event.reason:own}|| ({event.reason:own})?}{?;?}", "mail_login", "failure").by("zimbra"),
        // github.com/Mailu/Mailu
        login("Login attempt for: {user.name}/{:word} from: {source.ip}/{source.port}: failed: {event.reason}", "mail_login", "failure").by("mailu"),
        login("Login attempt for: {user.name}/{:word} from: {source.ip}/{source.port}: success: {*}", "mail_login", "success").by("mailu"),
        // openwebmail.org
        login("({source.ip}) {user.name} - {(login error||userinfo error)} - {event.reason}", "mail_login", "failure").by("openwebmail"),
        login("({source.ip}) {user.name} - login - {*}", "mail_login", "success").by("openwebmail"),
        // rainloop.net, snappymail.eu
        login("Auth failed: ip={source.ip} user={user.name} host={:word} port={:number}", "mail_login", "failure").by("rainloop"),
    ],
    &[],
);

#[rustfmt::skip]
pub(super) static SERVERS: Family = Family::new(
    &[
        // help.hcltechsw.com/domino
        login("{?{:host} ?}Server: Authentication failed for user {user.name} ; connecting host {?[?}{source.ip}{?]?}", "mail_login", "failure").by("domino"),
        login("{?{:host} ?}Server [{:host}] Authentication failed for user {user.name} ; connecting host {?[?}{source.ip}{?]?}", "mail_login", "failure").by("domino"),
        login("{:host}: {user.name} [{source.ip}] authentication failure using internet password{?{*}?}", "mail_login", "failure").by("domino"),
        traffic("{?{:host} ?}Server{? [{:host}]?}{?:?} Connection from [{source.ip}] rejected for policy reasons. {event.reason}", "mail_rejected", "failure").by("domino"),
        // learn.microsoft.com/exchange: protocol logs
        login("{*},{:host},{:number},{destination.ip}:{destination.port},{source.ip}:{source.port},>,535 {event.reason}", "mail_login", "failure").by("exchange"),
        traffic("{*},{:host},{:number},{destination.ip}:{destination.port},{source.ip}:{source.port},{(+,||-,||>,220 ||>,250 ||>,334 ||<,EHLO||<,AUTH||<,MAIL||<,RCPT||<,QUIT||*,)}{*}", "mail_session", "").by("exchange"),
        login("{:host},{:number},{destination.ip}:{destination.port},{source.ip}:{source.port},{user.name},{:number},{:number},{:number},{:host},{*}{(AuthFailed||LogonFailed)}{*}", "mail_login", "failure").by("exchange"),
        // docs.oracle.com: Oracle Communications Messaging Server
        login("<co ts=\"{:word}\" pi=\"{:word}\" sc=\"{:word}\" dr=\"{:word}\" ac=\"U\" tr=\"TCP|{:ip}|{:number}|{source.ip}|{source.port}\" ap=\"{:word}\" mi=\"{(Bad password||Bad username||No such user||User not found||Unknown user||Account disabled||User disabled||Authentication failed)}{?{*}?}\" us=\"{user.name}\" di=\"{*}\"/>", "mail_login", "failure").by("oracleims"),
        note("<co ts=\"{:word}\" pi=\"{:word}\" sc=\"{:word}\" dr=\"{:word}\" ac=\"{:word}\" tr=\"TCP|{:ip}|{:number}|{source.ip}|{source.port}\" ap=\"{*}").by("oracleims"),
        // sourceforge.net/projects/assp
        login("Blocking {source.ip} - too much AUTH errors ({:number}){?{*}?}", "mail_login", "failure").by("assp"),
        login("{source.ip} {?<{*}> ?}{?to: {*} ?}max sender authentication errors ({:number}) exceeded{*}", "mail_login", "failure").by("assp"),
        login("{source.ip} {?<{*}> ?}{?to: {*} ?}{(SMTP authentication failed||[SMTP Error] 535||[SMTP Status] 535||[SMTP Reply] 535||authentication failed)}{?{*}?}", "mail_login", "failure").by("assp"),
        traffic("{source.ip} {?<{*}> ?}{?to: {*} ?}SSL negotiation with client failed{?{*}?}", "tls_handshake", "failure").by("assp"),
        traffic("{source.ip} {?<{*}> ?}{?to: {*} ?}relay attempt blocked for: {*}", "mail_rejected", "failure").by("assp"),
        // manuals.gfi.com/en/kerio/connect
        traffic("SMTP Spam attack detected from {source.ip}, {event.reason:own}", "mail_rejected", "failure").by("kerio"),
        traffic("{?Message from ?}{(IP address||ip address)} {source.ip} found in DNS blacklist{*} rejected{?{*}?}", "mail_rejected", "failure").by("kerio"),
        traffic("Relay attempt{? {*}?} from IP address {source.ip}{? {:own}?}", "mail_rejected", "failure").by("kerio"),
        traffic("Attempt to deliver to unknown recipient {*}, from {*}, IP address {source.ip}", "mail_rejected", "failure").by("kerio"),
        traffic("Client with IP address {source.ip} {event.reason:own} rejected before SMTP greeting", "mail_rejected", "failure").by("kerio"),
        traffic("Directory harvest attack from {source.ip} detected{?{*}?}", "mail_rejected", "failure").by("kerio"),
        login("Failed {:host} login {?for {user.name} ?}from {source.ip}{? with SASL method {:host}?}{?.||, {*}?}", "mail_login", "failure").by("kerio"),
        login("{:host}: Invalid password for user {user.name}. Attempt from IP address {source.ip}{?.?}", "mail_login", "failure").by("kerio"),
        login("{:host}: User {user.name} doesn't exist. Attempt from IP address {source.ip}{?.?}", "mail_login", "failure").by("kerio"),
        login("{:host}: Authentication failed for user {user.name}. Attempt from IP address {source.ip}{?. {*}?}", "mail_login", "failure").by("kerio"),
    ],
    &[],
);
