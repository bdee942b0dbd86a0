//! Directories and login services of networks: OpenLDAP and 389 Directory Server, Kerberos, Samba, FreeRADIUS, TACACS+. Names,
//! workstations and domains come from the client.

use super::family::{Family, login, note, traffic};

/// www.openldap.org/doc/admin, docs.redhat.com (389 Directory Server). Answers to logins have tag 97; error 49 is a wrong password.
#[rustfmt::skip]
pub(super) static LDAP: Family = Family::new(
    &[
        traffic("conn={:number} fd={:number} ACCEPT from IP={source.ip}:{source.port} (IP={:ip}:{:number})", "connection", ""),
        traffic("conn={:number} fd={:number} ACCEPT from IP=[{source.ip}]:{source.port} (IP=[{:ip}]:{:number})", "connection", ""),
        traffic("conn={:number} fd={:number} slot={:number} {?SSL ?}connection from {source.ip} to {destination.ip}", "connection", ""),
        login("conn={:number} op={:number} RESULT {?tag=97 ?}err=49 {?tag=97 ?}{*}", "directory_login", "failure"),
        login("conn={:number} op={:number} {(BIND||BIND anonymous)} {?mech={:word} ?}dn=\"{user.name}\" {*}", "directory_login", ""),
        traffic("conn={:number} fd={:number} closed{? {*}?}", "disconnection", ""),
        note("conn={:number} op={:number} {(SRCH||MOD||ADD||DEL||CMP||EXT||STARTTLS||UNBIND||ABANDON||PASSMOD)}{?{*}?}").quote(),
    ],
    &[],
);

/// web.mit.edu/kerberos
#[rustfmt::skip]
pub(super) static KERBEROS: Family = Family::new(
    &[
        login("{?krb5kdc{?[{:number}]?}({:host}): ?}{(AS_REQ||TGS_REQ)} ({:own}) {source.ip}: ISSUE: {:own}, {user.name} for {:word}", "directory_login", "success"),
        login("{?krb5kdc{?[{:number}]?}({:host}): ?}{(AS_REQ||TGS_REQ)} ({:own}) {source.ip}: NEEDED_PREAUTH: {user.name} for {:word}, {event.reason:own}", "directory_login", ""),
        login("{?krb5kdc{?[{:number}]?}({:host}): ?}{(AS_REQ||TGS_REQ)} ({:own}) {source.ip}: {(CLIENT_NOT_FOUND||PREAUTH_FAILED||LOCKED_OUT||CLIENT KEY EXPIRED||CLIENT EXPIRED||REQUIRED PWCHANGE||BAD_ENCRYPTION_TYPE||NO PREAUTH||SERVER_NOT_FOUND||LOOKING_UP_SERVER||UNKNOWN_SERVER||PROCESS_TGS||DISALLOW_ALL_TIX||POLICY)}: {user.name} for {:word}, {event.reason:own}", "directory_login", "failure"),
        login("{?krb5kdc{?[{:number}]?}({:host}): ?}preauth ({:word}) verify failure: {event.reason:own}", "directory_login", "failure"),
        login("Request: {:host}, {user.name}, {(success||{event.reason:own})}, client={:word}, service={:word}, addr={source.ip}{?, {*}?}", "kadmin_request", ""),
        note("{(AS_REQ||TGS_REQ)} ({:own}) {source.ip}: {*}"),
    ],
    &[],
);

/// wiki.samba.org: auth_audit, full_audit and smbd
#[rustfmt::skip]
pub(super) static SAMBA: Family = Family::new(
    &[
        login("Auth: [{:own}] user [{*}]\\[{user.name}] at [{:own}] with [{:own}] status [NT_STATUS_OK] workstation [{*}] remote host [{:host}:{source.ip}:{source.port}] {*}", "smb_login", "success"),
        login("Auth: [{:own}] user [{*}]\\[{user.name}] at [{:own}] with [{:own}] status [{event.reason:own}] workstation [{*}] remote host [{:host}:{source.ip}:{source.port}] {*}", "smb_login", "failure"),
        login("{?check_ntlm_password||auth_check_ntlm_password?}:{_}Authentication for user [{user.name}] -> [{*}] FAILED with error {event.reason:own}", "smb_login", "failure"),
        login("{?check_ntlm_password||auth_check_ntlm_password?}:{_}authentication for user [{user.name}] -> [{*}] -> [{*}] succeeded", "smb_login", "success"),
        traffic("{(Denied connection from||Connection denied from)} {source:peer}{? ({:own})?}{? to {:own}?}", "connection_refused", "failure"),
        traffic("{?{:host} ({?ipv4:||ipv6:?}{source.ip}:{source.port}) connect to service {:own} initially as user {user.name} (uid={:number}, gid={:number}) (pid {:number})?}", "smb_connection", ""),
        note("{user.name}|{source.ip}|{*}"),
    ],
    &[],
);

/// wiki.freeradius.org, shrubbery.net/tac_plus
#[rustfmt::skip]
pub(super) static RADIUS: Family = Family::new(
    &[
        login("{?Auth: ?}{?({:number}){_}?}{(Login incorrect||Invalid user)}{? ({:own})?}: [{user.name}/{*}] (from client {:word} port {:number} cli {source.ip}{? via {:word}?})", "network_login", "failure"),
        login("{?Auth: ?}{?({:number}){_}?}{(Login incorrect||Invalid user)}{? ({:own})?}: [{user.name}/{*}] (from client {:word} port {:own}", "network_login", "failure"),
        login("{?Auth: ?}{?({:number}){_}?}{(Login incorrect||Invalid user)}{? ({:own})?}: [{user.name:host}] (from client {:word} port {:number} cli {source.ip}{? via {:word}?})", "network_login", "failure"),
        login("{?Auth: ?}{?({:number}){_}?}{(Login incorrect||Invalid user)}{? ({:own})?}: [{user.name:host}] (from client {:word} port {:own}", "network_login", "failure"),
        login("{?Auth: ?}{?({:number}){_}?}Login OK: [{user.name:host}] (from client {:word} port {:number} cli {source.ip}{? via {:word}?})", "network_login", "success"),
        login("{?Auth: ?}{?({:number}){_}?}Login OK: [{user.name:host}] (from client {:word} port {:own}", "network_login", "success"),
        login("{?Auth: ?}{?({:number}){_}?}Login OK: [{user.name}/{*}] (from client {:word} port {:number} cli {source.ip}{? via {:word}?})", "network_login", "success"),
        login("{?Auth: ?}{?({:number}){_}?}Login OK: [{user.name}/{*}] (from client {:word} port {:own}", "network_login", "success"),
        traffic("{?Error: ?}{?({:number}){_}?}Ignoring request to {:own} from unknown client {source.ip} port {source.port}{? {*}?}", "network_request", "failure"),
        login("login query for '{user.name}' {?port {:word} ?}from {source.ip} rejected", "network_login", "failure"),
        login("login query for '{user.name}' {?port {:word} ?}from {source.ip} accepted", "network_login", "success"),
        login("login failure: {user.name} {source.ip} ({:host}) {:word}", "network_login", "failure"),
    ],
    &[],
);
