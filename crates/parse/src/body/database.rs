//! Database servers: logins, connections and what they refused. Names of accounts and databases are the client's.

use super::family::{Family, login, note, traffic};

/// dev.mysql.com/doc/refman/8.4/en/error-log.html and mariadb.com/kb/en/error-log: error log and general log of all ages.
#[rustfmt::skip]
pub(super) static MYSQL: Family = Family::new(
    &[
        login("{?Connect{_}||Change user{_}?}Access denied for user '{user.name}'@'{source:peer}' ({(using||Using)} password: {(YES||NO||Yes||No)})", "database_login", "failure"),
        login("{?Connect{_}||Change user{_}?}Access denied for user '{user.name}'@'{source:peer}' to database '{*}'", "database_login", "failure"),
        login("{?Connect{_}?}Access denied for user '{user.name}'@'{source:peer}'", "database_login", "failure"),
        login("{?Connect{_}?}Access denied for user: '{user.name}@{source:peer}' ({(using||Using)} password: {(YES||NO||Yes||No)})", "database_login", "failure"),
        login("Host '{source:peer}' is {(not allowed to connect to this||blocked because of many connection errors)}{*}", "database_login", "failure"),
        login("Access denied for user '{user.name}'@'{source:peer}'. Account is locked.", "database_login", "failure"),
        traffic("Aborted connection {:number} to db: '{*}' user: '{user.name}' host: '{source:peer}' ({event.reason:own})", "connection_lost", ""),
        traffic("{?Bad handshake||Got an error reading communication packets?}{_}from host '{source:peer}'{*}", "connection_lost", ""),
        note("IP address '{source.ip}' {(could not be resolved||has been resolved to)}{*}"),
        note("Hostname '{:word}' does not resolve to '{source.ip}'{*}"),
        login("Connect{_}{user.name}@{source:peer} {(on||as)} {*}", "database_login", "success"),
    ],
    &[],
);

/// What stands in front of the message, by `log_line_prefix`: with the address, or without.
macro_rules! address {
    () => {
        "{?[{:number}]{?:?} {?[{:word}] ?}?}{({source.ip}||{source.ip}({source.port})||{source.ip}:{source.port}||{*}{(client=||host=||remote=||addr=||@{:word} ||@{:word}:)}{source.ip}{?({source.port})?})}{(:|| ||,)}{*}"
    };
}
macro_rules! fatal {
    () => {
        "{(FATAL:  ||LOG:  )}{?{:word}: ?}"
    };
}
macro_rules! failed {
    () => {
        "{(password||PAM||LDAP||GSSAPI||SSPI||RADIUS||Ident||Peer||peer||certificate||BSD||SASL||SCRAM||\"{:own}\"||OAuth bearer)} authentication failed for user \"{user.name}\""
    };
}

/// What stands in front of the message where `log_destination` is `csvlog`.
macro_rules! csv {
    () => {
        "\"{user.name}\",\"{*}\",{:number},\"{source.ip}:{source.port}\",{:word},{:number},\"{:own}\",{:own},{:word},{:number},{(FATAL||ERROR)},{:word},"
    };
}

/// www.postgresql.org/docs/current/runtime-config-logging.html
#[rustfmt::skip]
pub(super) static POSTGRES: Family = Family::new(
    &[
        // What a client sent stands there.
        note("{?{:word} ?}{(STATEMENT:  ||DETAIL:  ||HINT:  ||CONTEXT:  )}{*}"),
        login(concat!(csv!(), "\"{:own} authentication failed for user \"\"{*}"), "database_login", "failure"),
        login(concat!(csv!(), "\"role \"\"{*}\"\" does not exist\"{*}"), "database_login", "failure"),
        login(concat!(address!(), fatal!(), failed!()), "database_login", "failure"),
        // Where two places of the prefix name an address, none counts.
        login(concat!("{*} {source.ip}{?({source.port})||:{source.port}?}{?:?} ", fatal!(), failed!()), "database_login", "failure"),
        login(concat!("{:own}", fatal!(), failed!()), "database_login", "failure"),
        login(concat!(fatal!(), failed!()), "database_login", "failure"),
        login(concat!(address!(), fatal!(), "{(role||user)} \"{user.name}\" {(does not exist||is not permitted to log in)}"), "database_login", "failure"),
        login(concat!("{:own}", fatal!(), "{(role||user)} \"{user.name}\" {(does not exist||is not permitted to log in)}"), "database_login", "failure"),
        login(concat!(fatal!(), "{(role||user)} \"{user.name}\" {(does not exist||is not permitted to log in)}"), "database_login", "failure"),
        login(concat!("{?{:own} ?}", fatal!(), "{(no pg_hba.conf entry for||pg_hba.conf rejects connection for)} replication connection from host \"{source.ip}\", user \"{user.name}\"{?, {:own}?}"), "database_login", "failure"),
        login(concat!("{?{:own} ?}", fatal!(), "{(no pg_hba.conf entry for||pg_hba.conf rejects connection for)} host \"{source.ip}\", user \"{user.name}\", database \"{*}\"{?, {:own}?}"), "database_login", "failure"),
        traffic("{?{:own} ?}{(FATAL:  ||LOG:  )}connection received: host={source.ip}{? port={source.port}?}", "connection", ""),
        login("{?{:own} ?}{(FATAL:  ||LOG:  )}connection authorized: user={user.name} database={*}", "database_login", "success"),
        traffic("{?{:own} ?}{(FATAL:  ||LOG:  )}disconnection: session time: {:word} user={user.name} database={*} host={source.ip}{? port={source.port}?}", "disconnection", ""),
        traffic(concat!(address!(), "{(LOG||FATAL)}:  {(invalid length of startup packet||incomplete startup packet||unsupported frontend protocol||could not accept SSL connection||could not receive data from client)}{?{*}?}"), "protocol_violation", ""),
        note("{?{:word} ?}LOG:  {:own}"),
    ],
    &[],
);

/// www.mongodb.com/docs/manual/reference/log-messages, before 4.4 as text
#[rustfmt::skip]
pub(super) static MONGODB: Family = Family::new(
    &[
        login("Failed to authenticate {user.name}@{:word} from client {source.ip}:{source.port} with mechanism {*}", "database_login", "failure"),
        login("Failed to authenticate {user.name}@{:word} with mechanism {*}", "database_login", "failure"),
        login("SASL {:word} authentication failed for {user.name} on {:word} from client {source.ip}:{source.port} ; {*}", "database_login", "failure"),
        login("SASL {:word} authentication failed for {user.name} on {:word} ; {*}", "database_login", "failure"),
        login("Supported SASL mechanisms requested for unknown user '{user.name}'", "database_login", "failure"),
        login("Successfully authenticated as principal {user.name} on {:word}{? from client {source.ip}:{source.port}?}", "database_login", "success"),
        traffic("connection accepted from {source.ip}:{source.port} #{:number} ({:own})", "connection", ""),
        traffic("end connection {source.ip}:{source.port} ({:own})", "disconnection", ""),
        note("received client metadata from {source.ip}:{source.port} {*}"),
    ],
    &[],
);

/// learn.microsoft.com/sql: the error log, with one line for each login
#[rustfmt::skip]
pub(super) static SQL_SERVER: Family = Family::new(
    &[
        login("{?Logon{_}?}Login failed for user '{user.name}'.{? {event.reason:own}?} [CLIENT: {source.ip}]", "database_login", "failure"),
        login("{?Logon{_}?}Login failed for user '{user.name}'.{? {event.reason:own}?} [CLIENT: <{:own}>]", "database_login", "failure"),
        login("{?Logon{_}?}Login failed{?.?} {event.reason:own} [CLIENT: {source.ip}]", "database_login", "failure"),
        login("{?Logon{_}?}Login succeeded for user '{user.name}'. {:own} [CLIENT: {source.ip}]", "database_login", "success"),
        login("{?Logon{_}?}SSPI handshake failed with {event.reason:own} [CLIENT: {source.ip}]{?.?}", "database_login", "failure"),
        traffic("{?Logon{_}?}{(The login packet used to open the connection is||Length specified in network packet payload did not match||The maximum simultaneous user count||Could not connect because||A network error occurred in the established connection)} {event.reason:own} [CLIENT: {source.ip}]{?.?}", "connection_lost", ""),
    ],
    &[],
);

/// redis.io, docs.couchdb.org, Oracle's listener
#[rustfmt::skip]
pub(super) static STORES: Family = Family::new(
    &[
        traffic("Possible SECURITY ATTACK detected. {:own} Connection from {source.ip}:{source.port} aborted.", "protocol_violation", "failure"),
        traffic("Accepted {source.ip}:{source.port}", "connection", ""),
        traffic("{:word} {:word} {source.ip} {user.name:word} {http.request.method:host} {url.original:word} {http.response.status_code} ok {:number}", "http_request", ""),
        traffic("({*}) * (ADDRESS=(PROTOCOL={:host})(HOST={source.ip})(PORT={source.port})) * {:word} * {*} * {:number}", "connection", ""),
    ],
    &[],
);
