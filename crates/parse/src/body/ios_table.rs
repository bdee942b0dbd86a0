//! Messages of Cisco's routers and switches by mnemonic (Cisco IOS System Message Guides, IOS XR and NX-OS System Messages).
//! No code. (flat table)

use super::family::{CodeTable, coded, config, detection, login, note, traffic};

/// Processes of IOS XE that stand before the text.
pub(super) const PARTS: &[&str] = &[
    ": nginx: ",
    ": dmiauthd: ",
    ": sessmgrd: ",
    ": smand: ",
    ": wncd: ",
    ": sshd: ",
    ": fman_fp_image: ",
    ": rif_mgr: ",
];

/// A client in brackets, with the port of a switch.
macro_rules! port {
    () => {
        "client ({source.mac:word}) on Interface {observer.ingress.interface.name:word}{? AuditSessionID {:word}?}{? Username: {user.name}?}"
    };
}
macro_rules! named_user {
    () => {
        "[user: {user.name}] [Source: {source.ip}] [localport: {destination.port}]"
    };
}

#[rustfmt::skip]
pub(super) static CODES: CodeTable = CodeTable::new(&[
    coded(&["LOGIN_SUCCESS"], &[login(concat!("Login Success ", named_user!(), " at {*}"), "login", "success")]),
    coded(&["LOGIN_FAILED"], &[
        login(concat!("Login failed ", named_user!(), " [Reason: {event.reason}] at {*}"), "login", "failure"),
        login("Login failed for user '{user.name}' from {source.ip}{?: {*}?}", "login", "failure"),
        login("Login Un-Successful from host {source.ip} by user '{user.name}' using crypto cipher '{:name}'", "login", "failure"),
        login("Login Un-successful from host {source.ip} by user '{user.name}' using crypto cipher '{:name}'", "login", "failure"),
    ]),
    coded(&["LOGIN_PASSED"], &[login("Login Successful from host {source.ip} by user '{user.name}' using crypto cipher '{:name}'", "login", "success")]),
    coded(&["QUIET_MODE_ON"], &[detection(concat!("Still timeleft for watching failures is {:number} secs, ", named_user!(), " [Reason: {event.reason}] [ACL: {rule.name:word}] at {*}"), "quiet-mode", "")]),
    coded(&["QUIET_MODE_OFF"], &[detection("Quiet Mode is OFF, because {event.reason}", "quiet-mode-ended", "")]),
    coded(&["CONFIG_I", "VSHD_SYSLOG_CONFIG_I", "CONFIG"], &[
        config("Configured from {:word} by {user.name} on {:word} ({source.ip})", "configuration-changed", "success"),
        config("Configured from {:word} by {user.name} on {source.ip}@{:word}", "configuration-changed", "success"),
        config("Configured from console by console", "configuration-changed", "success"),
        config("Configured from {:word} by {user.name} on {:name}", "configuration-changed", "success"),
        config("Configured from NETCONF/RESTCONF by {user.name}, transaction-id {:number}", "configuration-changed", "success"),
        config("Configured from {:word} by {user.name:word}", "configuration-changed", "success"),
    ]),
    coded(&["DB_COMMIT"], &[config("Configuration committed by user '{user.name}'. {*}", "configuration-changed", "success")]),
    coded(&["CFGLOG_LOGGEDCMD"], &[config("User:{user.name}  logged command:{process.command_line}", "command", "success")]),
    coded(&["AAA_ACCOUNTING_MESSAGE"], &[
        config("update:{source.ip}@{:name}/{:number}:{user.name}:{process.command_line} (SUCCESS)", "command", "success"),
        config("update:{source.ip}@{:name}/{:number}:{user.name}:{process.command_line} (FAILURE)", "command", "failure"),
        login("start:{source.ip}@{:name}/{:number}:{user.name}:{*}", "session-started", ""),
        login("stop:{source.ip}@{:name}/{:number}:{user.name}:{*}", "session-closed", ""),
    ]),
    coded(&["LOGOUT"], &[login("User {user.name} has exited tty session {:number}({source.ip})", "logout", ""), login("User {user.name} has exited tty session {:number}({:name})", "logout", "")]),
    coded(&["TTY_EXPIRE_TIMER"], &[login("(exec timer expired, tty {:number} ({source.ip})), user {user.name}", "logout", "")]),
    coded(&["RELOAD"], &[config("(i)reload requested by {user.name:word} on {:word} ({source.ip}). reload reason: {event.reason}", "reload", "success"), config("(i)reload requested by {user.name:name}. reload reason: {event.reason}", "reload", "success"), config("(i)reload requested {event.reason}", "reload", "success")]),
    coded(&["PRIV_AUTH_PASS"], &[login("Privilege level set to {:number} by {user.name} on {:word} ({source.ip})", "privilege-raised", "success"), login("Privilege level set to {:number} by {user.name} on {:word}", "privilege-raised", "success")]),
    coded(&["PRIV_AUTH_FAIL"], &[login("Authentication to privilege level {:number} failed by {user.name} on {:word} ({source.ip})", "privilege-raised", "failure"), login("Authentication to Privilege level {:number} failed by {user.name} on {:word} ({source.ip})", "privilege-raised", "failure"), login("Authentication to Privilege level {:number} failed by {user.name} on {:word}", "privilege-raised", "failure")]),
    coded(&["UPDOWN", "CHANGED", "IF_UP", "IF_DOWN_LINK_FAILURE", "IF_DOWN_ADMIN_DOWN", "IF_DOWN_CFG_CHANGE", "IF_ADMIN_UP"], &[
        traffic("Line protocol on Interface {observer.ingress.interface.name:word}, changed state to up", "interface-up", ""),
        traffic("Line protocol on Interface {observer.ingress.interface.name:word}, changed state to down", "interface-down", ""),
        traffic("Line protocol on Interface {observer.ingress.interface.name:word}, changed state to Up", "interface-up", ""),
        traffic("Line protocol on Interface {observer.ingress.interface.name:word}, changed state to Down", "interface-down", ""),
        traffic("Interface {observer.ingress.interface.name:word}, changed state to up", "interface-up", ""),
        traffic("Interface {observer.ingress.interface.name:word}, changed state to down", "interface-down", ""),
        traffic("Interface {observer.ingress.interface.name:word}, changed state to administratively down", "interface-down", ""),
        traffic("Interface {observer.ingress.interface.name:word} is up{? {*}?}", "interface-up", ""),
        traffic("Interface {observer.ingress.interface.name:word} is admin up{? {*}?}", "interface-up", ""),
        traffic("Interface {observer.ingress.interface.name:word} is down ({event.reason})", "interface-down", ""),
    ]),
    coded(&["SSH2_SESSION", "SSH_SESSION"], &[
        traffic("SSH2 Session request from {source.ip} (tty = {:number}) using crypto cipher '{*}', hmac '{*}' Succeeded", "connection-started", "success"),
        traffic("SSH2 Session request from {source.ip} (tty = {:number}) using crypto cipher '{*}', hmac '{*}' Failed", "connection-started", "failure"),
        traffic("SSH Session request from {source.ip} (tty = {:number}) using crypto cipher '{*}' Succeeded", "connection-started", "success"),
        traffic("SSH Session request from {source.ip} (tty = {:number}) using crypto cipher '{*}' Failed", "connection-started", "failure"),
    ]),
    coded(&["SSH2_USERAUTH", "SSH_USERAUTH"], &[
        login("User '{user.name}' authentication for SSH{?2?} Session from {source.ip} (tty = {:number}) using crypto cipher '{*}'{?, hmac '{*}'?} Succeeded", "login", "success"),
        login("User '{user.name}' authentication for SSH{?2?} Session from {source.ip} (tty = {:number}) using crypto cipher '{*}'{?, hmac '{*}'?} Failed", "login", "failure"),
    ]),
    coded(&["SSH2_CLOSE", "SSH_CLOSE"], &[login("SSH{?2?} Session from {source.ip} (tty = {:number}) for user '{user.name}' using crypto cipher '{*}'{?, hmac '{*}'?} closed", "session-closed", "")]),
    coded(&["INFO_SUCCESS", "AUTHEN_SUCCESS"], &[login("Successfully authenticated user '{user.name}' from '{source.ip}' on '{:name}'{?{*}?}", "login", "success")]),
    coded(&["INFO_FAILURE", "AUTHEN_FAILED"], &[login("Failed authentication attempt by user '{user.name}' from '{source.ip}' on '{:name}'{?{*}?}", "login", "failure")]),
    coded(&["CLOSE"], &[login("User '{user.name}' logged out", "logout", "")]),
    coded(&["AUTH_PASSED"], &[login("User '{user.name}' authenticated successfully from {source.ip}:{source.port} and was authorized for {network.protocol:name} over {:word}{? External groups: {*}?}", "login", "success"), login("User '{user.name}' authenticated successfully from {source.ip}:{source.port} {*}", "login", "success")]),
    coded(&["AUTH_FAILED"], &[login("User '{user.name}' failed authentication from {source.ip}:{source.port}{? {*}?}", "login", "failure")]),
    coded(&["USER_LOCKED", "LOCAL_USER_BLOCKED"], &[login("User {user.name} locked out on authentication failure", "account-locked", "failure"), login("User {user.name} blocked for login {*}", "account-locked", "failure")]),
    coded(&["USER_UNLOCKED", "USER_RESET"], &[login("User {user.name} unlocked{? {*}?}", "account-unlocked", "success"), login("User {user.name} failed attempts reset by {*}", "account-unlocked", "success")]),
    coded(&["AAA_AUTH_ADMIN_USER", "AAA_AUTH_NETWORK_USER"], &[
        login("[{:name}]{:word} Authentication succeeded for admin user '{user.name}' on {:host}", "login", "success"),
        login("[{:name}]{:word} Authentication failed for admin user '{user.name}' on {:host}", "login", "failure"),
        login("[{:name}]{:word} Authentication succeeded for network user '{user.name}'", "login", "success"),
        login("[{:name}]{:word} Authentication failed for network user '{user.name}'", "login", "failure"),
        login("{:word} Authentication succeeded for admin user '{user.name}' on {:host}", "login", "success"),
        login("{:word} Authentication failed for admin user '{user.name}' on {:host}", "login", "failure"),
    ]),
    coded(&["PSECURE_VIOLATION", "PSECURE_VIOLATION_VLAN"], &[detection("Security violation occurred, caused by MAC address {source.mac:word} on port {observer.ingress.interface.name}.", "port-security-violation", "failure"), detection("Security violation on port {observer.ingress.interface.name:word} due to MAC address {source.mac:word} on VLAN {network.vlan.id}", "port-security-violation", "failure")]),
    coded(&["ERR_DISABLE"], &[detection("{event.reason:word} error detected on {observer.ingress.interface.name:word}, putting {:word} in err-disable state", "interface-disabled", "")]),
    coded(&["DHCP_SNOOPING_MATCH_MAC_FAIL", "DHCP_SNOOPING_UNTRUSTED_PORT", "DHCP_SNOOPING_ERRDISABLE_WARNING"], &[
        detection("DHCP_SNOOPING drop message because the chaddr doesn't match source mac, message type: {:word} chaddr: {:word} MAC sa: {source.mac:word}", "dhcp-dropped", "failure"),
        detection("DHCP_SNOOPING drop message on untrusted port, message type: {:word} MAC sa: {source.mac:word}", "dhcp-dropped", "failure"),
    ]),
    coded(&["DHCP_SNOOPING_DENY", "INVALID_ARP", "ACL_DENY", "DHCP_SNOOPING_PERMIT"], &[
        detection("{:number} Invalid ARPs ({:name}) on {observer.ingress.interface.name:word}, vlan {network.vlan.id:number}.{? ?}([{source.mac:name}/{source.ip}/{:name}/{destination.ip}/{*}])", "arp-dropped", "failure"),
    ]),
    coded(&["DOT1X-5-FAIL", "MAB-5-FAIL"], &[login(concat!("Authentication failed for ", port!()), "login", "failure")]),
    coded(&["DOT1X-5-SUCCESS", "MAB-5-SUCCESS"], &[login(concat!("Authentication successful for ", port!()), "login", "success")]),
    coded(&["AUTHMGR-5-FAIL", "AUTHMGR-5-SUCCESS", "SESSION_MGR-5-FAIL", "SESSION_MGR-5-SUCCESS"], &[login(concat!("Authorization failed or unapplied for ", port!()), "authorization", "failure"), login(concat!("Authorization succeeded for ", port!()), "authorization", "success")]),
    coded(&["AUTHMGR-5-START", "SESSION_MGR-5-START"], &[note(concat!("Starting '{network.protocol:name}' for ", port!()))]),
    coded(&["SNMP-3-AUTHFAIL", "AUTHFAIL"], &[login("Authentication failure for SNMP req from host {source.ip}{? {*}?}", "snmp-request", "failure")]),
    coded(&["DUPADDR"], &[detection("Duplicate address {source.ip} on {observer.ingress.interface.name:word}, sourced by {source.mac:word}", "address-conflict", "")]),
    coded(&["RECVD_PKT_INV_SPI"], &[traffic("decaps: rec'd IPSEC packet has invalid spi for destaddr={destination.ip}, prot={:number}, spi={:word} srcaddr={source.ip}{?, input interface={observer.ingress.interface.name:word}?}", "blocked", "failure")]),
    coded(&["SESSION_STATUS"], &[traffic("Crypto tunnel is UP  .  Peer {source.ip}:{source.port} {*}", "tunnel-started", "success"), traffic("Crypto tunnel is DOWN.  Peer {source.ip}:{source.port} {*}", "tunnel-finished", "")]),
    coded(&["ADJCHANGE", "ADJCHG", "NBRCHANGE"], &[
        traffic("neighbor {source.ip} Up{? {*}?}", "neighbor-up", ""),
        traffic("neighbor {source.ip} Down{? {event.reason}?}", "neighbor-down", ""),
        traffic("Process {:word} Nbr {source.ip} on {observer.ingress.interface.name:word} from {:word} to {:word} {event.reason}", "neighbor-changed", ""),
    ]),
    coded(&["BGP-3-NOTIFICATION", "BGP-5-NBR_RESET"], &[traffic("sent to neighbor {destination.ip} {event.reason}", "notification", ""), traffic("received from neighbor {source.ip} {event.reason}", "notification", "")]),
    coded(&["BADAUTH"], &[detection("No MD5 digest from {source.ip}({source.port}) to {destination.ip}({destination.port}){? {*}?}", "authentication", "failure"), detection("Invalid MD5 digest from {source.ip}({source.port}) to {destination.ip}({destination.port}){? {*}?}", "authentication", "failure")]),
    coded(&["SIGNATURE"], &[detection("Sig:{rule.id:number} Subsig:{:number} Sev:{:number} {?{rule.name} ?}[{source.ip}:{source.port} -> {destination.ip}:{destination.port}]{? {*}?}", "logged", "unknown")]),
    coded(&["DROP_PKT", "FW-6-DROP_PKT"], &[traffic("Dropping {network.transport:name} {:word} {source.ip}:{source.port} {destination.ip}:{destination.port} {?on zone-pair {rule.name:word} class {:word} ?}{?due to {event.reason}?}", "blocked", "failure")]),
    coded(&["SESS_AUDIT_TRAIL", "SESS_AUDIT_TRAIL_START"], &[
        traffic("({:word}-({:word}:Start {network.transport:name} session: initiator ({source.ip}:{source.port}) -- responder ({destination.ip}:{destination.port}){? {*}?}", "connection-started", "success"),
        traffic("({:word}-({:word}:Stop {network.transport:name} session: initiator ({source.ip}:{source.port}) sent {source.bytes} bytes -- responder ({destination.ip}:{destination.port}) sent {destination.bytes} bytes{? {*}?}", "connection-finished", ""),
        traffic("{network.transport:name} session initiator ({source.ip}:{source.port}) sent {source.bytes} bytes -- responder ({destination.ip}:{destination.port}) sent {destination.bytes} bytes", "connection-finished", ""),
    ]),
    coded(&["SYSTEM_MSG"], &[login("pam_aaa:Authentication failed from {source.ip}", "login", "failure"), login("pam_aaa:Authentication failed for user {user.name} from {source.ip}", "login", "failure")]),
]);
