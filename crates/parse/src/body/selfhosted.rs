//! Servers that people run themselves, and their guards: sign-on, files, mail, panels, proxies of databases. Names come from the
//! client.

use super::family::{Family, found, login, note, traffic};

/// Sign-on, files and panels.
#[rustfmt::skip]
pub(super) static APPS: Family = Family::new(
    &[
        // www.authelia.com
        login("Unsuccessful {:name} authentication attempt {?made ?}by user '{user.name}'{?: {*}?}", "web_login", "failure").by("authelia"),
        login("Successful {:name} authentication attempt {?made ?}by user '{user.name}'", "web_login", "success").by("authelia"),
        // docs.sftpgo.com
        login("User \"{user.name}\" logged in with \"{:host}\"{?,?} from ip \"{source.ip}\"{?, {*}?}", "file_login", "success").by("sftpgo"),
        // docs.nextcloud.com, doc.owncloud.com
        login("Login failed: '{user.name:name}' (Remote IP: '{source.ip}')", "web_login", "failure").by("nextcloud"),
        login("Login failed: {user.name} (Remote IP: {source.ip})", "web_login", "failure").by("nextcloud"),
        // www.odoo.com
        login("{?{:name} {:name}: ?}Login failed for {?db:{:name} ?}login:{user.name} from {source.ip}", "web_login", "failure").by("odoo"),
        login("{?{:name} {:name}: ?}Login successful for {?db:{:name} ?}login:{user.name} from {source.ip}", "web_login", "success").by("odoo"),
        // technitium.com/dns
        login("[{source.ip}:{source.port}] DnsServerCore.DnsWebServiceException: Invalid username or password for user: {user.name}", "web_login", "failure").by("technitium"),
        login("[{source.ip}:{source.port}] [{user.name}] User logged in.", "web_login", "success").by("technitium"),
        // hestiacp.com
        login("{user.name:name} {source.ip} failed to login", "web_login", "failure").by("hestia"),
        // www.ispconfig.org
        login("Failed login for user '{user.name}' from {source.ip} at {:own}", "web_login", "failure").by("ispconfig"),
        login("Successful login for user '{user.name}' from {source.ip} at {:own}", "web_login", "success").by("ispconfig"),
        // lemonldap-ng.org
        login("{?[{source.ip}] ?}{?[{(notice||warn||info||error)}] ?}Bad password for {user.name}", "web_login", "failure").by("llng"),
        // docs.joomla.org
        login("{?INFO{_}?}{source.ip}{_}joomlafailure{_}{event.reason:own}", "web_login", "failure").by("joomla"),
        // manual.seafile.com
        login("{?login ?}Login attempt limit reached, {?email/?}username: {user.name}, ip: {source.ip}, atte{?m?}mp{?t?}s: {:number}", "web_login", "failure").by("seafile"),
        // docs.overseerr.dev, docs.jellyseerr.dev
        login("Failed {(sign-in||login)} attempt {:own} {\"ip\":\"{source.ip}\",\"email\":\"{user.name}\"}", "web_login", "failure").by("overseerr"),
        // element-hq.github.io/synapse
        login("Failed password login for user {user.name}", "web_login", "failure").by("synapse"),
        // supabase.github.io/supavisor
        login("project={:word} user={user.name} region={:word} mode={:word} type={:word} {?app_name={*} ?}peer_ip={source.ip} [error] ClientHandler: Exchange error: \"{(Wrong password||Invalid signature||User not found)}\"{*}", "database_login", "failure").by("supavisor"),
        note("project={:word} user={user.name} region={:word} mode={:word} type={:word} {?app_name={*} ?}peer_ip={source.ip} [{log.level:name}] {event.reason:own}").by("supavisor"),
        // github.com/jaksi/sshesame
        login("[{source.ip}:{source.port}] authentication for user \"{user.name}\" with {*} rejected", "honeypot_login", "failure").by("sshesame"),
        login("[{source.ip}:{source.port}] authentication for user \"{user.name}\" with {*} accepted", "honeypot_login", "success").by("sshesame"),
        // docs.nats.io
        login("{source.ip}:{source.port} - {?{:host} - ?}cid:{:number} - authentication error{? - {*}?}", "queue_login", "failure").by("nats"),
        // icinga.com/docs
        login("{?warning/HttpServerConnection: ?}Unauthorized request: {:own} (from [{source.ip}]:{source.port}{?)?}, user: {user.name}, {*}status: Unauthorized)", "web_login", "failure").by("icinga2"),
        // xtls.github.io, www.v2fly.org
        traffic("{?from ?}{source.ip}:{source.port} accepted {:host}:{destination.domain:host}:{destination.port}{? {*}?}", "proxy_request", "success").by("xray"),
        traffic("{?from ?}{source.ip}:{source.port} rejected {_}{*}", "proxy_request", "failure").by("xray"),
        // docs.emqx.com
        login("msg: {(authentication_failure||authorization_permission_denied)}, {?{*}, ?}peername: {source.ip}:{source.port}, {*}", "queue_login", "failure").by("emqx"),
        // clickhouse.com/docs
        login("Access(user directories): from: {source.ip}, user: {user.name}: Authentication failed: {:own}", "database_login", "failure").by("clickhouse"),
        // neo4j.com/docs
        login("[{user.name}]: failed to log in: {event.reason:own}", "database_login", "failure").by("neo4j"),
        // vikunja.io/docs
        note("{(WEB||HTTP)}{_}▶ {source.ip} {_}{http.request.method:name} {http.response.status_code} {url.original} {:host}s - {user_agent.original}").by("vikunja"),
        // docs.crowdsec.net
        found("({:own}) {rule.name:word} by ip {source.ip} ({:own}) : {event.reason:own} on Ip {:ip}", "ban").by("crowdsec"),
        found("Ip {source.ip} performed '{rule.name:word}' ({:own}) at {:own}", "found").by("crowdsec"),
        // docs.mailcow.email: netfilter
        found("Banning {source.ip}{?/{:number}?} for {:number} minutes", "ban").by("mailcow-netfilter"),
        found("Unbanning {source.ip}{?/{:number}?}", "unban").by("mailcow-netfilter"),
        found("{source.ip} matched rule id {:number} ({*})", "found").by("mailcow-netfilter"),
        found("Added host/network {source.ip}{?/{:number}?} to {(denylist||blacklist)}", "ban").by("mailcow-netfilter"),
    ],
    &[],
);

/// What a mail server writes behind the kind of its event.
macro_rules! peer {
    () => {
        "listenerId = \"{:host}\", localPort = {destination.port}, remoteIp = {source.ip}, remotePort = {source.port}"
    };
}

/// Mail servers.
#[rustfmt::skip]
pub(super) static MAIL: Family = Family::new(
    &[
        // stalw.art/docs/telemetry/events
        login(concat!("Authentication failed ({event.code:host}) ", peer!(), ", accountName = \"{user.name:name}\"{?, {*}?}"), "mail_login", "failure").by("stalwart"),
        login(concat!("Authentication failed ({event.code:host}) ", peer!(), "{?, {*}?}"), "mail_login", "failure").by("stalwart"),
        login(concat!("Authentication not allowed ({event.code:host}) ", peer!(), "{?, {*}?}"), "mail_login", "failure").by("stalwart"),
        login(concat!("Authentication successful ({event.code:host}) ", peer!(), ", accountName = \"{user.name:name}\"{?, {*}?}"), "mail_login", "success").by("stalwart"),
        login(concat!("Authentication successful ({event.code:host}) ", peer!(), "{?, {*}?}"), "mail_login", "success").by("stalwart"),
        traffic(concat!("{(Blocked IP address||Relay not allowed)} ({event.code:host}) ", peer!(), "{?, {*}?}"), "blocked", "failure").by("stalwart"),
        found(concat!("Banned due to {event.reason:own} ({event.code:host}) ", peer!(), "{?, {*}?}"), "ban").by("stalwart"),
        login(concat!("Too many authentication attempts ({event.code:host}) ", peer!(), "{?, {*}?}"), "mail_login", "failure").by("stalwart"),
        note(concat!("{(Auth mechanism not supported||SMTP EHLO command||Concurrency limit exceeded||Rate limit exceeded||Missing local hostname)} ({event.code:host}) ", peer!(), "{?, {*}?}")).by("stalwart"),
        // www.axigen.com
        traffic("{?{:number} {:host} {:name}:{:name}: ?}[{destination.ip}:{destination.port}] connection accepted from [{source.ip}:{source.port}]", "connection", "").by("axigen"),
        login("{?{:number} {:host} {:name}:{:name}: ?}Authentication error for user '{user.name}': {event.reason:own}", "mail_login", "failure").by("axigen"),
        login("{?{:number} {:host} {:name}:{:name}: ?}User [{user.name}] successfully authorized!", "mail_login", "success").by("axigen"),
        // rspamd.com, www.mailscanner.info
        traffic("<{:word}>; task; rspamd_task_write_log: id: <{*}>, {?qid: <{:word}>, ?}ip: {source.ip}, {*}", "message", "").by("rspamd"),
        traffic("Message {:word} from {source.ip} ({email.from.address}) to {:host} is spam{*}", "message", "").by("mailscanner"),
    ],
    &[],
);

/// What a database's plugin for audit records: mariadb.com/docs, server_audit
#[rustfmt::skip]
pub(super) static DATABASE_AUDIT: Family = Family::new(
    &[
        login("{:host},{user.name},{source:peer},{:number},{:number},FAILED_CONNECT,{*},{*},{:number}", "database_login", "failure"),
        login("{:host},{user.name},{source:peer},{:number},{:number},CONNECT,{*},{*},0", "database_login", "success"),
    ],
    &[],
);

/// www.kamailio.org, opensips.org: the module pike
#[rustfmt::skip]
pub(super) static SIP_PROXIES: Family = Family::new(
    &[
        traffic("{*}BLOCKing ip {source.ip}, node={:word}", "blocked", "failure"),
    ],
    &[],
);

/// github.com/coturn/coturn
#[rustfmt::skip]
pub(super) static RELAYS: Family = Family::new(
    &[
        traffic("session {:number}: closed ({:own}), user <{?{*}?}> realm <{?{*}?}> origin <{?{*}?}>, local {destination.ip}:{destination.port}, remote {source.ip}:{source.port}, reason: {event.reason}", "disconnection", ""),
        note("session {:number}: realm <{:host}> user <{user.name}>: incoming packet {:own} processed, {event.reason:own}"),
        login("check_stun_auth: Cannot find credentials of user <{user.name}>", "voip_login", "failure"),
    ],
    &[],
);

/// kea.readthedocs.io: lib/messages
#[rustfmt::skip]
pub(super) static KEA: Family = Family::new(
    &[
        traffic("{?{(DEBUG||INFO||WARN||ERROR)}{_}?}DHCP{(4||6)}_LEASE_ALLOC [hwtype={:number} {source.mac:word}], cid=[{:own}], tid={:word} lease {source.ip} has been allocated {:own}", "dhcp-ack", ""),
        note("{?{(DEBUG||INFO||WARN||ERROR)}{_}?}DHCP{(4||6)}_{event.code:host} [hwtype={:number} {source.mac:word}], cid=[{:own}], tid={:word} {*}"),
    ],
    &[],
);

/// learn.microsoft.com/windows/security: pfirewall.log without its heading
#[rustfmt::skip]
pub(super) static PFIREWALL: Family = Family::new(
    &[
        traffic("DROP {network.transport:name} {source.ip} {destination.ip} {source.port} {destination.port} {:word} {*}", "blocked", "failure"),
        traffic("{(ALLOW ||OPEN )}{network.transport:name} {source.ip} {destination.ip} {source.port} {destination.port} {:word} {*}", "allowed", "success"),
    ],
    &[],
);

/// www.rutschle.net/tech/sslh
#[rustfmt::skip]
pub(super) static SSLH: Family = Family::new(
    &[
        traffic("{network.application:name}:connection from {source:peer}:{source.port} to {*}", "connection", ""),
    ],
    &[],
);
