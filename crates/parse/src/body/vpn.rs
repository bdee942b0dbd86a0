//! VPN servers and tunnels: OpenVPN, WireGuard, strongSwan and Libreswan, ocserv, SoftEther, L2TP and PPTP, stunnel. Common names
//! and account names come from the client.

use super::family::{Family, login, note, traffic};

/// The peer of a client instance, behind its common name once it has one.
macro_rules! instance {
    () => {
        "{({:word}/||)}{({source.ip}||[{source.ip}])}:{source.port} "
    };
}
macro_rules! peer {
    () => {
        "{?[AF_INET]||[AF_INET6]?}{source.ip}:{source.port}"
    };
}

/// openvpn.net/community-resources: the log calls of ssl.c, ssl_verify.c, multi.c and forward.c
#[rustfmt::skip]
pub(super) static OPENVPN: Family = Family::new(
    &[
        login(concat!(instance!(), "TLS Auth Error: {event.reason:own}"), "vpn_login", "failure"),
        login(concat!(instance!(), "SENT CONTROL [{*}]: 'AUTH_FAILED{*}"), "vpn_login", "failure"),
        login(concat!(instance!(), "VERIFY ERROR: {event.reason}"), "vpn_login", "failure"),
        traffic(concat!(instance!(), "TLS Error: {event.reason}"), "vpn_connection", "failure"),
        login(concat!(instance!(), "TLS: Username/Password authentication succeeded for username '{user.name}'{? {*}?}"), "vpn_login", "success"),
        login(concat!(instance!(), "[{user.name}] Peer Connection Initiated with ", peer!()), "vpn_login", "success"),
        traffic(concat!("TLS Error: {event.reason:own} from ", peer!(), "{? {*}?}"), "vpn_connection", "failure"),
        traffic(concat!("TLS: Initial packet from ", peer!(), "{?, {*}?}"), "vpn_connection", ""),
        traffic(concat!("TCP connection established with ", peer!()), "vpn_connection", ""),
        traffic(concat!("{(Connection Attempt from||TCPv4_SERVER link remote:||UDPv4 link remote:)} ", peer!(), "{? {*}?}"), "vpn_connection", ""),
        note(concat!(instance!(), "{(SIGUSR1[||SIGTERM[||Connection reset,||peer info: ||VERIFY OK||Control Channel: ||PUSH: ||MULTI: ||Data Channel||WARNING: ||Bad compression||Fatal TLS error||OpenSSL: error)}{?{*}?}")),
        note(concat!(instance!(), "{event.reason}")),
    ],
    &[],
);

/// www.wireguard.com, as the kernel says it
#[rustfmt::skip]
pub(super) static WIREGUARD: Family = Family::new(
    &[
        traffic("wireguard: {:host}: Invalid {event.reason:own} from {source.ip}:{source.port}", "vpn_connection", "failure"),
        traffic("wireguard: {:host}: {(Receiving||Sending)} {*} {(from||to)} peer {:number} ({source.ip}:{source.port})", "vpn_connection", ""),
        traffic("wireguard: {:host}: Handshake for peer {:number} ({source.ip}:{source.port}) did not complete after {*}", "vpn_connection", "failure"),
        traffic("wireguard: {:host}: Packet has unallowed src IP ({:ip}) from peer {:number} ({source.ip}:{source.port})", "vpn_connection", "failure"),
    ],
    &[],
);

macro_rules! thread {
    () => {
        "{?{:number}[{:host}] ?}{?<{:host}{?|{:number}?}> ?}"
    };
}

/// docs.strongswan.org, libreswan.org
#[rustfmt::skip]
pub(super) static IPSEC: Family = Family::new(
    &[
        traffic(concat!(thread!(), "received packet: from {source.ip}[{source.port}] to {destination.ip}[{destination.port}] ({:number} bytes)"), "vpn_connection", ""),
        traffic(concat!(thread!(), "{source.ip} is initiating a{?n?} {*}"), "vpn_connection", ""),
        traffic(concat!(thread!(), "no IKE config found for {destination.ip}...{source.ip}, sending {event.reason:own}"), "vpn_connection", "failure"),
        login(concat!(thread!(), "EAP method {:host} failed for peer {user.name}"), "vpn_login", "failure"),
        login(concat!(thread!(), "{(XAuth||EAP)} authentication of '{user.name}' {?({:own}) ?}failed"), "vpn_login", "failure"),
        login(concat!(thread!(), "authentication of '{user.name}' with {:own} failed"), "vpn_login", "failure"),
        login(concat!(thread!(), "authentication of '{user.name}' with {:own} successful"), "vpn_login", "success"),
        login(concat!(thread!(), "tried {:number} shared key{?s?} for '{*}' - '{user.name}', but MAC mismatched"), "vpn_login", "failure"),
        login(concat!(thread!(), "IKE_SA {:word} established between {destination.ip}[{*}]...{source.ip}[{user.name}]"), "vpn_login", "success"),
        note(concat!(thread!(), "looking for {*}configs matching {destination.ip}[{*}]...{source.ip}[{*}]")),
        traffic(concat!(thread!(), "deleting half open IKE_SA with {source.ip} after timeout"), "vpn_connection", "failure"),
        note(concat!(thread!(), "{source.ip} {(is behind NAT||sent||received)}{*}")),
        traffic("packet from {source.ip}:{source.port}: {event.reason}", "vpn_connection", ""),
        traffic("\"{:own}\"{?[{:number}] {source.ip}?} #{:number}: {event.reason}", "vpn_connection", ""),
    ],
    &[],
);

/// ocserv.openconnect-vpn.net, pptpd and xl2tpd
#[rustfmt::skip]
pub(super) static TUNNELS: Family = Family::new(
    &[
        login("{(main||worker||sec-mod)}{?[{*}]?}:{_}{source.ip}{?:{source.port}?} {?{:host}: ?}failed authentication {?attempt ?}for {?user ?}'{user.name}'{? {*}?}", "vpn_login", "failure"),
        login("{(main||worker||sec-mod)}{?[{*}]?}:{_}{?{source.ip}{?:{source.port}?} ?}{?{:host}: ?}failed authentication {?attempt ?}for {?user ?}'{user.name}'", "vpn_login", "failure"),
        login("{(main||worker)}[{user.name}]:{_}{source.ip}:{source.port} {(user logged in||new user session)}{?{*}?}", "vpn_login", "success"),
        note("{(main||worker)}{?[{*}]?}:{_}{source.ip}{?:{source.port}?} {*}"),
        traffic("CTRL: Client {source.ip} control connection {(started||finished)}", "vpn_connection", ""),
        traffic("{?{:host}: ?}Connection {(established to||closed to)} {source.ip}, {*}", "vpn_connection", ""),
        login("{(Peer||peer)} {user.name} failed {(CHAP||PAP||MS-CHAP)} authentication", "vpn_login", "failure"),
        login("{(CHAP||PAP||MS-CHAP)} {?authentication failure for||peer authentication failed for?} {?remote host ?}{user.name:word}", "vpn_login", "failure"),
        login("{(rsa-eap-login||EAP)} {*} failed for {user.name} from {source.ip}", "vpn_login", "failure"),
    ],
    &[],
);

/// www.softether.org
#[rustfmt::skip]
pub(super) static SOFTETHER: Family = Family::new(
    &[
        login("Connection \"{:word}\": User authentication failed. The user name that has been provided was \"{user.name}\", from {source.ip}.", "vpn_login", "failure"),
        login("Connection \"{:word}\": User authentication failed. The user name that has been provided was \"{user.name}\".", "vpn_login", "failure"),
        login("Connection \"{:word}\": Successfully authenticated as user \"{user.name}\".", "vpn_login", "success"),
        traffic("On the TCP Listener (Port {:number}), a Client (IP address {source.ip}, Host name \"{:word}\", Port number {source.port}) has {(connected||disconnected)}.", "vpn_connection", ""),
        note("Connection \"{:word}\" (IP address: {source.ip}, Host name: {:word}, Port number: {source.port}, {*}"),
    ],
    &[],
);

/// www.stunnel.org
#[rustfmt::skip]
pub(super) static STUNNEL: Family = Family::new(
    &[
        traffic("{?LOG{:host}[{:own}]: ?}{(SSL_accept from||TLS accept from||SSL accept from)} {source.ip}:{source.port} : {event.reason}", "tls_handshake", "failure"),
        traffic("{?LOG{:host}[{:own}]: ?}Service [{:own}] accepted connection from {source.ip}:{source.port}", "connection", ""),
        traffic("{?LOG{:host}[{:own}]: ?}{?Service [{:own}] ||Connection ?}from {source.ip}:{source.port} {(REFUSED||not permitted||refused)}{?{*}?}", "connection_refused", "failure"),
        traffic("{?LOG{:host}[{:own}]: ?}{(Service||Connection)} {*} {(REFUSED by||refused by)} {:word} from {source.ip}:{source.port}", "connection_refused", "failure"),
    ],
    &[],
);
