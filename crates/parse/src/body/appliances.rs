//! Messages of appliances and of the services of a network: address assignment, wireless access, storage, management boards,
//! virtualisation, intrusion detection, load balancers, routers of Juniper. No code. (flat table)

use super::family::{Family, config, detection, login, note, traffic};

/// ISC dhcpd, and dnsmasq as a DHCP server. A client writes its name.
pub(super) static DHCP: Family = Family::new(
    &[
        traffic(
            "DHCPDISCOVER from {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}{?: {event.reason}?}",
            "dhcp-discover",
            "",
        ),
        traffic(
            "DHCPOFFER on {source.ip} to {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}",
            "dhcp-offer",
            "",
        ),
        traffic(
            "DHCPREQUEST for {source.ip}{? ({destination.ip})?} from {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}{?: {event.reason}?}",
            "dhcp-request",
            "",
        ),
        traffic(
            "DHCPACK on {source.ip} to {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}",
            "dhcp-ack",
            "",
        ),
        traffic(
            "DHCPACK to {source.ip} ({source.mac:word}) via {observer.ingress.interface.name:name}",
            "dhcp-ack",
            "",
        ),
        traffic(
            "DHCPNAK on {source.ip} to {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}",
            "dhcp-nak",
            "failure",
        ),
        traffic(
            "DHCPRELEASE of {source.ip} from {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name} ({:name})",
            "dhcp-release",
            "",
        ),
        traffic(
            "DHCPDECLINE of {source.ip} from {source.mac:word}{? ({*})?} via {observer.ingress.interface.name:name}: {event.reason}",
            "dhcp-decline",
            "",
        ),
        traffic(
            "DHCPINFORM from {source.ip} via {observer.ingress.interface.name:name}{?: {event.reason}?}",
            "dhcp-inform",
            "",
        ),
        traffic(
            "DHCPDISCOVER({observer.ingress.interface.name:name}) {? {source.ip} ?}{source.mac:word}{? {*}?}",
            "dhcp-discover",
            "",
        ),
        traffic(
            "DHCPOFFER({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {*}?}",
            "dhcp-offer",
            "",
        ),
        traffic(
            "DHCPREQUEST({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {*}?}",
            "dhcp-request",
            "",
        ),
        traffic(
            "DHCPACK({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {*}?}",
            "dhcp-ack",
            "",
        ),
        traffic(
            "DHCPNAK({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {event.reason}?}",
            "dhcp-nak",
            "failure",
        ),
        traffic(
            "DHCPRELEASE({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {*}?}",
            "dhcp-release",
            "",
        ),
        traffic(
            "DHCPINFORM({observer.ingress.interface.name:name}) {source.ip} {source.mac:word}{? {*}?}",
            "dhcp-inform",
            "",
        ),
    ],
    &[],
);

pub(super) static ARPWATCH: Family = Family::new(
    &[
        detection(
            "new station {source.ip} {source.mac:word}{? {observer.ingress.interface.name:name}?}",
            "new-station",
            "",
        ),
        detection(
            "new activity {source.ip} {source.mac:word}{? {observer.ingress.interface.name:name}?}",
            "new-activity",
            "",
        ),
        detection(
            "changed ethernet address {source.ip} {source.mac:word} ({:word}){? {observer.ingress.interface.name:name}?}",
            "address-changed",
            "",
        ),
        detection(
            "flip flop {source.ip} {source.mac:word} ({:word}){? {observer.ingress.interface.name:name}?}",
            "flip-flop",
            "",
        ),
        detection(
            "reused old ethernet address {source.ip} {source.mac:word} ({:word}){? {observer.ingress.interface.name:name}?}",
            "address-reused",
            "",
        ),
        detection(
            "ethernet mismatch {source.ip} {source.mac:word} ({:word}){? {observer.ingress.interface.name:name}?}",
            "address-mismatch",
            "",
        ),
        detection("bogon {source.ip} {source.mac:word}{? {observer.ingress.interface.name:name}?}", "bogon", ""),
    ],
    &[],
);

pub(super) static HOSTAPD: Family = Family::new(
    &[
        traffic(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.11: associated{? {*}?}",
            "associated",
            "",
        ),
        traffic(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.11: disassociated{? {*}?}",
            "disassociated",
            "",
        ),
        traffic(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.11: authenticated{? {*}?}",
            "authenticated",
            "",
        ),
        traffic(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.11: deauthenticated{? {*}?}",
            "deauthenticated",
            "",
        ),
        login(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.1X: authenticated - EAP type: {*}",
            "login",
            "success",
        ),
        login(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} IEEE 802.1X: authentication failed{? {*}?}",
            "login",
            "failure",
        ),
        login(
            "{observer.ingress.interface.name:name}: STA {source.mac:word} WPA: pairwise key handshake completed ({:name})",
            "login",
            "success",
        ),
        note("{observer.ingress.interface.name:name}: STA {source.mac:word} {*}"),
        traffic("{observer.ingress.interface.name:name}: AP-STA-CONNECTED {source.mac:word}{? {*}?}", "connected", ""),
        traffic(
            "{observer.ingress.interface.name:name}: AP-STA-DISCONNECTED {source.mac:word}{? {*}?}",
            "disconnected",
            "",
        ),
        login(
            "{observer.ingress.interface.name:name}: AP-STA-POSSIBLE-PSK-MISMATCH {source.mac:word}",
            "login",
            "failure",
        ),
    ],
    &[],
);

/// Hosts and managers of VMware. What a process writes of itself stands before the event.
pub(super) static VMWARE: Family = Family::new(
    &[
        login(
            "{?{:name} ?}{:word} [{*}] Event {:number} : User {user.name:word}@{source.ip} logged in as {user_agent.original}",
            "login",
            "success",
        ),
        login(
            "{?{:name} ?}{:word} [{*}] Event {:number} : User {user.name:word}@{source.ip} logged out (login time: {*}",
            "logout",
            "",
        ),
        login(
            "{?{:name} ?}{:word} [{*}] Event {:number} : Cannot login {user.name:word}@{source.ip}",
            "login",
            "failure",
        ),
        login(
            "{?{:name} ?}{:word} [{*}] Event {:number} : Cannot login {user.name:word}@{source.ip} - {*}",
            "login",
            "failure",
        ),
        login("{?{:name} ?}{:word} [{*}] Rejected password for user {user.name} from {source.ip}", "login", "failure"),
        login("{?{:name} ?}{:word} [{*}] Accepted password for user {user.name} from {source.ip}", "login", "success"),
        login("Rejected password for user {user.name} from {source.ip}", "login", "failure"),
        login("Accepted password for user {user.name} from {source.ip}", "login", "success"),
        login(
            "Remote access for ESXi local user account '{user.name}' has been locked for {:number} seconds after {:number} failed login attempts.",
            "account-locked",
            "failure",
        ),
    ],
    &[],
);

pub(super) static SYNOLOGY: Family = Family::new(
    &[
        login(
            "User [{user.name}] from [{source.ip}] failed to sign in to [{network.protocol:name}] via [{:name}] due to {event.reason}",
            "login",
            "failure",
        ),
        login(
            "User [{user.name}] from [{source.ip}] failed to log in via [{network.protocol:name}] due to {event.reason}",
            "login",
            "failure",
        ),
        login(
            "User [{user.name}] from [{source.ip}] signed in to [{network.protocol:name}] successfully via [{:name}].",
            "login",
            "success",
        ),
        login(
            "User [{user.name}] from [{source.ip}] logged in successfully via [{network.protocol:name}].",
            "login",
            "success",
        ),
        login("User [{user.name}] from [{source.ip}] signed out of [{network.protocol:name}]{? {*}?}", "logout", ""),
        login(
            "User [{user.name}] from [{source.ip}] logged out the server via [{network.protocol:name}] with totally {*}",
            "logout",
            "",
        ),
        traffic("Host [{source.ip}] was blocked via [{network.protocol:name}].", "blocked", ""),
        traffic("Host [{source.ip}] has been blocked via [{network.protocol:name}].", "blocked", ""),
    ],
    &[],
);

pub(super) static QNAP: Family = Family::new(
    &[
        login(
            "conn log: Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Connection type: {network.protocol:word}, Accessed resources: {*}, Action: Login Fail",
            "login",
            "failure",
        ),
        login(
            "conn log: Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Connection type: {network.protocol:word}, Accessed resources: {*}, Action: Login OK",
            "login",
            "success",
        ),
        login(
            "conn log: Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Connection type: {network.protocol:word}, Accessed resources: {*}, Action: Logout",
            "logout",
            "",
        ),
        note(
            "conn log: Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Connection type: {network.protocol:word}, Accessed resources: {file.path}, Action: {:name}",
        ),
        note("event log: Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Content: {event.reason}"),
    ],
    &[],
);

/// Management boards of servers: iLO and iDRAC.
pub(super) static BOARDS: Family = Family::new(
    &[
        login("{:word} {:word} {:name} login failure from: {source.ip}({*}).{?{*}?}", "login", "failure"),
        login("{:word} {:word} Browser login: {user.name} - {source.ip}({*}).{?{*}?}", "login", "success"),
        login("{:word} {:word} SSH login: {user.name} - {source.ip}({*}).{?{*}?}", "login", "success"),
        login("{:word} {:word} SSH login failure from: {source.ip}({*}).{?{*}?}", "login", "failure"),
        login(
            "Severity: {:name}, Category: {:name}, MessageID: {event.code:name}, Message: Unable to log in for {user.name} from {source.ip} using {network.protocol:name}.",
            "login",
            "failure",
        ),
        login(
            "Severity: {:name}, Category: {:name}, MessageID: {event.code:name}, Message: Successfully logged in using {user.name}, from {source.ip} and {network.protocol:name}.",
            "login",
            "success",
        ),
    ],
    &[],
);

pub(super) static IPMON: Family = Family::new(
    &[
        traffic(
            "{:word} {?{:number}x ?}{observer.ingress.interface.name:name} @{rule.id:word} b {source.ip},{source.port} -> {destination.ip},{destination.port} PR {network.transport:name} len {*}",
            "blocked",
            "failure",
        ),
        traffic(
            "{:word} {?{:number}x ?}{observer.ingress.interface.name:name} @{rule.id:word} p {source.ip},{source.port} -> {destination.ip},{destination.port} PR {network.transport:name} len {*}",
            "allowed",
            "success",
        ),
        traffic(
            "{:word} {?{:number}x ?}{observer.ingress.interface.name:name} @{rule.id:word} b {source.ip} -> {destination.ip} PR {network.transport:name} len {*}",
            "blocked",
            "failure",
        ),
        traffic(
            "{:word} {?{:number}x ?}{observer.ingress.interface.name:name} @{rule.id:word} p {source.ip} -> {destination.ip} PR {network.transport:name} len {*}",
            "allowed",
            "success",
        ),
    ],
    &[],
);

/// Packets of FreeBSD's ipfw, and of the application firewall of macOS.
pub(super) static IPFW: Family = Family::new(
    &[
        traffic(
            "{?ipfw: ?}{rule.id:number} Deny {network.transport:name} {source.ip}:{source.port} {destination.ip}:{destination.port} in via {observer.ingress.interface.name:name}",
            "blocked",
            "failure",
        ),
        traffic(
            "{?ipfw: ?}{rule.id:number} Deny {network.transport:name} {source.ip}:{source.port} {destination.ip}:{destination.port} out via {observer.egress.interface.name:name}",
            "blocked",
            "failure",
        ),
        traffic(
            "{?ipfw: ?}{rule.id:number} Accept {network.transport:name} {source.ip}:{source.port} {destination.ip}:{destination.port} in via {observer.ingress.interface.name:name}",
            "allowed",
            "success",
        ),
        traffic(
            "{?ipfw: ?}{rule.id:number} Accept {network.transport:name} {source.ip}:{source.port} {destination.ip}:{destination.port} out via {observer.egress.interface.name:name}",
            "allowed",
            "success",
        ),
        traffic(
            "{?ipfw: ?}{rule.id:number} Deny {network.transport:name}:{:word} {source.ip} {destination.ip} in via {observer.ingress.interface.name:name}",
            "blocked",
            "failure",
        ),
        traffic(
            "Deny {:name} connecting from {source.ip}:{source.port} to port {destination.port} proto={network.transport:number}",
            "blocked",
            "failure",
        ),
        traffic(
            "Stealth Mode connection attempt to {network.transport:name} {destination.ip}:{destination.port} from {source.ip}:{source.port}",
            "blocked",
            "failure",
        ),
    ],
    &[],
);

/// BIG-IP of F5: who logged in, what was changed, sessions of its access policies.
pub(super) static BIG_IP: Family = Family::new(
    &[
        login(
            "user={user.name}({:word}) partition=[{:name}] level={:name} tty={:word} host={source.ip} attempts={:number} start=\"{*}\" end=\"{*}\".",
            "logout",
            "",
        ),
        login(
            "user={user.name}({:word}) partition=[{:name}] level={:name} tty={:word} host={source.ip} attempts={:number} start=\"{*}\".",
            "login",
            "success",
        ),
        login(
            "User={user.name} tty={:word} host={source.ip} failed to login after {:number} attempts (start=\"{*}\" end=\"{*}\").{? :: {*}?}",
            "login",
            "failure",
        ),
        config(
            "{event.code:word} AUDIT - pid={:number} user={user.name:word} folder={:word} module={:word} status=[Command OK] cmd_data={process.command_line}",
            "command",
            "success",
        ),
        config(
            "{event.code:word} AUDIT - pid={:number} user={user.name:word} folder={:word} module={:word} status=[{event.reason}] cmd_data={process.command_line}",
            "command",
            "failure",
        ),
        config("{event.code:word} AUDIT - user {user.name:word} - {event.reason}", "configuration-changed", "success"),
        traffic(
            "{event.code:word} {:word} New session from client IP {source.ip} (ST={*}) at VIP {destination.ip} Listener {:word} (Reputation={*})",
            "session-started",
            "",
        ),
    ],
    &[],
);

/// Junos: sessions of its firewall, attacks, logins and commands.
pub(super) static JUNOS: Family = Family::new(
    &[
        traffic(
            "{?RT_FLOW_SESSION_DENY: ?}session denied {source.ip}/{source.port}->{destination.ip}/{destination.port} {?0x{:name} ?}{network.protocol:word} {network.transport:number}({:number}) {rule.name:word} {*}",
            "blocked",
            "failure",
        ),
        traffic(
            "{?RT_FLOW_SESSION_CREATE: ?}session created {source.ip}/{source.port}->{destination.ip}/{destination.port} {?0x{:name} ?}{network.protocol:word} {source.nat.ip}/{source.nat.port}->{destination.nat.ip}/{destination.nat.port} {*}",
            "connection-started",
            "success",
        ),
        traffic(
            "{?RT_FLOW_SESSION_CLOSE: ?}session closed {event.reason}: {source.ip}/{source.port}->{destination.ip}/{destination.port} {?0x{:name} ?}{network.protocol:word} {source.nat.ip}/{source.nat.port}->{destination.nat.ip}/{destination.nat.port} {*}",
            "connection-finished",
            "",
        ),
        detection(
            "RT_SCREEN_{:name}: {rule.name} source: {source.ip}:{source.port}, destination: {destination.ip}:{destination.port}, zone name: {:word} interface name: {observer.ingress.interface.name:word}, action: drop",
            "blocked",
            "failure",
        ),
        detection(
            "RT_SCREEN_{:name}: {rule.name} source: {source.ip}:{source.port}, destination: {destination.ip}:{destination.port}, zone name: {:word} interface name: {observer.ingress.interface.name:word}, action: alarm-without-drop",
            "alert",
            "",
        ),
        detection(
            "RT_SCREEN_{:name}: {rule.name} source: {source.ip}, destination: {destination.ip}, zone name: {:word} interface name: {observer.ingress.interface.name:word}, action: drop",
            "blocked",
            "failure",
        ),
        detection(
            "IDP_ATTACK_LOG_EVENT: IDP: at {:number}, {:word} Attack log <{source.ip}/{source.port}->{destination.ip}/{destination.port}> for {network.transport:name} protocol and service {network.protocol:name} {*}",
            "alert",
            "",
        ),
        login(
            "UI_LOGIN_EVENT: User '{user.name}' login, class '{:name}' [{:number}], ssh-connection '{source.ip} {source.port} {destination.ip} {destination.port}', client-mode '{:name}'",
            "login",
            "success",
        ),
        login(
            "UI_LOGIN_EVENT: User '{user.name}' login, class '{:name}' [{:number}], ssh-connection '', client-mode '{:name}'",
            "login",
            "success",
        ),
        login("UI_AUTH_EVENT: Authenticated user '{user.name}' at permission level '{:name}'", "login", "success"),
        login("UI_AUTH_EVENT: Authenticated user '{user.name}' assigned to class '{:name}'", "login", "success"),
        login("UI_LOGOUT_EVENT: User '{user.name}' logout", "logout", ""),
        config("UI_CMDLINE_READ_LINE: User '{user.name}', command '{process.command_line}'", "command", ""),
        config(
            "UI_COMMIT: User '{user.name}' requested 'commit' operation (comment: {*})",
            "configuration-changed",
            "success",
        ),
        config("UI_CFG_AUDIT_SET: User '{user.name}' set: {process.command_line}", "configuration-changed", "success"),
        config("UI_CFG_AUDIT_OTHER: User '{user.name}' {process.command_line}", "configuration-changed", "success"),
        login("LOGIN_FAILED: Login failed for user {user.name} from host {source.ip}", "login", "failure"),
        login("SSHD_LOGIN_FAILED: Login failed for user '{user.name}' from host '{source.ip}'", "login", "failure"),
        login(
            "LOGIN_INFORMATION: User {user.name} logged in from host {source.ip} on device {:name}",
            "login",
            "success",
        ),
    ],
    &[],
);
