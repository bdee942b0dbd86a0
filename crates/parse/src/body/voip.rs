//! Telephony and voice: Asterisk, FreeSWITCH, Murmur, TeamSpeak. Names, extensions and `From` headers come from the client.

use super::family::{Family, login, note, traffic};

macro_rules! place {
    () => {
        "'{?[?}{source.ip}{?]?}{?:{source.port}?}'"
    };
}
macro_rules! event {
    () => {
        "\",{*}AccountID=\"{user.name}\",SessionID=\"{*}\",LocalAddress=\"{:word}\",RemoteAddress=\"{:host}/{:host}/{source.ip}/{source.port}\"{?,{*}?}"
    };
}

/// docs.asterisk.org: chan_sip.c, chan_iax2.c, res_pjsip, manager.c, res_security_log.c
#[rustfmt::skip]
pub(super) static ASTERISK: Family = Family::new(
    &[
        login(concat!("Registration from '{?\"{*}\" ?}<sip{?s?}:{user.name}@{:word}>{?;{*}?}' failed for ", place!(), " - {event.reason:own}"), "voip_login", "failure"),
        login(concat!("Registration from '{*}' failed for ", place!(), " - {event.reason:own}"), "voip_login", "failure"),
        login(concat!("Request '{:host}' from '{*}' failed for ", place!(), " (callid: {*}) - {event.reason:own}"), "voip_login", "failure"),
        login(concat!("Request from '{*}' failed for ", place!(), " (callid: {*}) - {event.reason:own}"), "voip_login", "failure"),
        login("Call from '{user.name}' ({?UDP:||TCP:||TLS:||WS:||WSS:?}{?[?}{source.ip}{?]?}{?:{source.port}?}) to extension '{*}' rejected because extension not found in context '{*}'.", "voip_call", "failure"),
        login("{user.name:host}: Call ({?UDP:||TCP:||TLS:||WS:||WSS:?}{?[?}{source.ip}{?]?}{?:{source.port}?}) to extension '{*}' rejected because extension not found in context '{*}'.", "voip_call", "failure"),
        login("Host {source.ip} failed {?MD5 ?}{(authentication for||to authenticate as)} '{user.name}'{? ({*})?}", "voip_login", "failure"),
        login("Host {source.ip} {(denied access to register||not allowed to register)} {*}", "voip_login", "failure"),
        login("{(No registration for peer||Registration denied for peer)} '{user.name}' (from {source.ip})", "voip_login", "failure"),
        login("{source.ip} failed to {(authenticate as||pass IP ACL as)} '{user.name}'", "voip_login", "failure"),
        login("{source.ip} {(tried to authenticate||failed to authenticate)} with nonexistent user '{user.name}'", "voip_login", "failure"),
        login(concat!("Connect attempt from ", place!(), " unable to authenticate"), "voip_login", "failure"),
        login("Rejected connect attempt from {source.ip}, who was trying to reach '{*}'", "voip_call", "failure"),
        login("Failed to authenticate {(user||device)} {*}{? for {:word}, code = {*}?}", "voip_login", "failure").quote(),
        login("{?Ext. {:own}: ?}{?\"?}Rejecting unknown SIP connection from {?[?}{source.ip}{?]?}{?:{source.port}?}{?\"?}", "voip_call", "failure"),
        login(concat!("{?{:host}: ?}hacking attempt detected ", place!()), "voip_call", "failure"),
        login("{?SIP/{:word} ?}Username/auth name mismatch{*}", "voip_login", "failure").quote(),
        login(concat!("SecurityEvent=\"SuccessfulAuth", event!()), "voip_login", "success"),
        login(concat!("SecurityEvent=\"ChallengeSent", event!()), "voip_challenge", ""),
        login(concat!("SecurityEvent=\"{(FailedACL||InvalidAccountID||InvalidPassword||ChallengeResponseFailed||AuthMethodNotAllowed||RequestNotAllowed||RequestNotSupported||RequestBadFormat||SessionLimit||UnexpectedAddress||InvalidTransport||MemoryLimit||LoadAverageLimit)}", event!()), "voip_login", "failure"),
    ],
    &[],
);

/// developer.signalwire.com/freeswitch: sofia_reg.c, sofia.c
#[rustfmt::skip]
pub(super) static FREESWITCH: Family = Family::new(
    &[
        login("SIP auth failure ({:word}) on sofia profile '{*}' for [{user.name}@{*}] from ip {source.ip}", "voip_login", "failure"),
        login("SIP auth challenge ({:word}) on sofia profile '{*}' for [{user.name}@{*}] from ip {source.ip}", "voip_challenge", ""),
        login("Can't find user [{user.name}@{*}] from {source.ip}", "voip_login", "failure"),
        login("IP {source.ip} {(Rejected by||Denied by)} {?{:word} ?}acl \"{*}\". Falling back to Digest auth.", "voip_challenge", ""),
        login("IP {source.ip} {(Rejected by||Denied by)} {?{:word} ?}acl \"{*}\"{?.{*}?}", "voip_call", "failure"),
        login("Rejected by acl \"{*}\" {?from ?}{source.ip}{?:{source.port}?}", "voip_call", "failure"),
        note("sofia/{*} receiving invite from {source.ip}:{source.port} {*}"),
    ],
    &[],
);

/// www.mumble.info and www.teamspeak.com
#[rustfmt::skip]
pub(super) static VOICE: Family = Family::new(
    &[
        login("{:number} => <{:number}:{user.name}({:host})> Rejected connection from {({source.ip}||[{source.ip}])}:{source.port}: {event.reason:own}", "voip_login", "failure"),
        login("{:number} => <{:number}:{user.name}({:host})> Authenticated", "voip_login", "success"),
        traffic("{:number} => <{:number}:{*}({:host})> New connection: {({source.ip}||[{source.ip}])}:{source.port}", "connection", ""),
        traffic("{?{:number}{_}|?}client connected '{user.name}'(id:{:number}) from {source.ip}:{source.port}", "connection", ""),
        login("{?{:number}{_}|?}query from {:number} {source.ip}:{source.port} attempted to login with account \"{user.name}\" and failed!", "voip_login", "failure"),
        login("{?{:number}{_}|?}query client {*}login failed{*} {source.ip}:{source.port}", "voip_login", "failure"),
    ],
    &[],
);
