//! Other services of a host: monitoring, wrappers, remote desktops, file services, proxies, scan detectors, honeypots, queues. Names,
//! paths and what was requested come from the client.

use super::family::{Family, found, login, note, traffic};

#[rustfmt::skip]
pub(super) static SERVICES: Family = Family::new(
    &[
        // mmonit.com/monit
        login("Warning: Client '{source.ip}' supplied {(unknown user||wrong password for user)} '{user.name}' accessing monit httpd", "web_login", "failure").by("monit"),
        note("HttpRequest: access denied -- client {?[?}{source.ip}{?]?}: unknown user ''").by("monit"),
        login("HttpRequest: access denied -- client {?[?}{source.ip}{?]?}: {(unknown user||wrong password for user)} '{user.name}'", "web_login", "failure").by("monit"),
        login("HttpRequest: access denied -- client {?[?}{source.ip}{?]?}: empty password", "web_login", "failure").by("monit"),
        note("HttpRequest: access denied -- client {?[?}{source.ip}{?]?}: {event.reason:own}").by("monit"),
        traffic("Denied connection from non-authorized client [{source.ip}]", "connection_refused", "failure").by("monit"),
        // www.nagios.org: nrpe, nsca
        traffic("Host {source.ip} is not allowed to talk to us!", "connection_refused", "failure").by("nrpe"),
        traffic("Connection from {source.ip} port {source.port}", "connection", "").by("nrpe"),
        traffic("Host address is in allowed_hosts", "connection", "").by("nrpe"),
        // sentrytools.sourceforge.net, www.openwall.com/scanlogd
        traffic("Host: {:host}/{source.ip} Port: {destination.port} {(TCP||UDP)} Blocked", "port_scan", "failure").by("portsentry"),
        traffic("attackalert: {:own} from host: {:host}/{source.ip} to {(TCP||UDP)} port: {destination.port}{? {*}?}", "port_scan", "").by("portsentry"),
        traffic("attackalert: Host {source.ip} has been blocked{*}", "port_scan", "failure").by("portsentry"),
        traffic("{source.ip}{?:{source.port}?} to {destination.ip} ports {:own}", "port_scan", "").by("scanlogd"),
        // configserver.com: lfd
        login("({:host}) Failed {:own} login from {source.ip} ({:own}): {:number} in the last {:number} secs{?{*}?}", "login_guessed", "failure").by("lfd"),
        traffic("*{:own}* {source.ip} ({:own}) blocked{*}", "blocked", "failure").by("lfd"),
        // tigervnc.org
        traffic("Connections: accepted: {source.ip}::{source.port}", "connection", "").by("xvnc"),
        traffic("Connections: blacklisted: {source.ip}", "connection_refused", "failure").by("xvnc"),
        // download.samba.org/pub/rsync, linux-nfs.org
        login("auth failed on module {:word} from {:host} ({source.ip}){? for {user.name}?}: {event.reason:own}", "file_login", "failure").by("rsyncd"),
        traffic("connect from {:host} ({source.ip})", "connection", ""),
        traffic("rsync {(on||to||denied on module)} {*} from {?{user.name:word}@?}{:host} ({source.ip})", "file_transfer", ""),
        traffic("refused mount request from {source.ip} for {event.reason}", "mount", "failure").by("rpc.mountd"),
        traffic("authenticated {(mount||unmount)} request from {source.ip}:{source.port} for {*}", "mount", "success").by("rpc.mountd"),
        // net-snmp.org, mosquitto.org, www.rabbitmq.com
        traffic("Connection from UDP: [{source.ip}]:{source.port}{?->[{destination.ip}]:{destination.port}?}{? {*}?}", "connection", "").by("snmpd"),
        login("New client connected from {source.ip}:{source.port} as {*} (p{:number}, c{:number}, k{:number}, u'{user.name}').", "mqtt_login", "success").by("mosquitto"),
        traffic("New client connected from {source.ip}:{source.port} as {*} (p{:number}, c{:number}, k{:number}).", "connection", "").by("mosquitto"),
        traffic("New connection from {source.ip}:{source.port} on port {destination.port}.", "connection", "").by("mosquitto"),
        traffic("{(accepting||closing)} AMQP connection {:word} ({source.ip}:{source.port} -> {destination.ip}:{destination.port}{(, ||):||))}{*}", "connection", "").by("rabbitmq"),
        login("Error on AMQP connection {:word} ({source.ip}:{source.port} -> {destination.ip}:{destination.port}{(, ||):||))}{*}", "queue_login", "failure").by("rabbitmq"),
        // 3proxy.org, www.inet.no/dante, tinyproxy.github.io
        login("{:word} {(00001 ||00002 ||00003 ||00004 ||00005 ||00006 ||00007 ||00008 ||00009 )}{user.name:word} {source.ip}:{source.port} {:ip}:{:number} {:number} {:number} {:number} {*}", "proxy_request", "failure").by("3proxy"),
        traffic("{:word} 00000 {user.name:word} {source.ip}:{source.port} {destination.ip}:{destination.port} {:number} {:number} {:number} {*}", "proxy_request", "").by("3proxy"),
        login("{?info: ?}block({:number}): {:word} ]: {source.ip}.{source.port} {:word} error after reading {*}user \"{user.name}\"{?{*}?}", "proxy_request", "failure").by("sockd"),
        traffic("{?info: ?}block({:number}): {:word} {:word} {source.ip}.{source.port} {*}", "proxy_request", "failure").by("sockd"),
        traffic("{?info: ?}pass({:number}): {:word} {:word} {source.ip}.{source.port} {*}", "proxy_request", "").by("sockd"),
        traffic("Connect (file descriptor {:number}): {:host} [{source.ip}]", "connection", "").by("tinyproxy"),
        traffic("Unauthorized connection from \"{:host}\" [{source.ip}].", "connection_refused", "failure").by("tinyproxy"),
        // github.com/skeeto/endlessh, docs.cowrie.org
        traffic("ACCEPT host={source.ip} port={source.port} fd={:number} n={:word}", "connection", "").by("endlessh"),
        traffic("CLOSE host={source.ip} port={source.port} fd={:number} time={:word} bytes={:number}", "disconnection", "").by("endlessh"),
        note("{(MaxLineLength||MaxClients||Delay)} {:number}").by("endlessh"),
        note("BindFamily {(IPv4 Mapped IPv6||IPv4 only||IPv6 only||IPv4 Only||IPv6 Only)}").by("endlessh"),
        login("[{:host},{:number},{source.ip}] login attempt [b'{user.name}'/{*}] failed", "honeypot_login", "failure").by("cowrie"),
        login("[{:host},{:number},{source.ip}] login attempt [{user.name:host}/{*}] failed", "honeypot_login", "failure").by("cowrie"),
        login("[{:host},{:number},{source.ip}] login attempt [b'{user.name}'/{*}] succeeded", "honeypot_login", "success").by("cowrie"),
        login("[{:host},{:number},{source.ip}] login attempt [{user.name:host}/{*}] succeeded", "honeypot_login", "success").by("cowrie"),
        note("[{:host},{:number},{source.ip}] {*}").by("cowrie"),
    ],
    &[],
);

/// docs.clamav.net: what clamd found in a file; names of files are what somebody uploaded.
pub(super) static CLAMAV: Family = Family::new(
    &[
        found("{file.path}: {rule.name:word} FOUND", "malware_found"),
        found("{file.path}: {rule.name:word}({:word}) FOUND", "malware_found"),
        note("SelfCheck: {:own}"),
        note("{:name}.{(cld||cvd)} {(database is||updated)} {:own}"),
    ],
    &[],
);

macro_rules! jail {
    () => {
        "{?fail2ban.{:host}{?:?} {_}?}{?[{:number}]: ?}{?{(NOTICE||WARNING||INFO||ERROR)}{_}?}[{service.name:host}] "
    };
}

/// github.com/fail2ban/fail2ban
#[rustfmt::skip]
pub(super) static FAIL2BAN: Family = Family::new(
    &[
        found(concat!(jail!(), "{?Restore ||Increase ?}Ban {source.ip}{? ({:own})?}"), "ban"),
        found(concat!(jail!(), "Unban {source.ip}"), "unban"),
        found(concat!(jail!(), "Found {source.ip}{? - {:own}?}"), "found"),
        found(concat!(jail!(), "{source.ip} already banned"), "ban"),
        found(concat!(jail!(), "Ignore {source.ip}{? by {:own}?}"), "ignored"),
    ],
    &[],
);
