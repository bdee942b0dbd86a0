//! Messages of Cisco's firewalls by number (Cisco Secure Firewall ASA Series Syslog Messages). No code. (flat table)

use super::family::{CodeTable, coded, config, detection, login, note, traffic};

/// The end that sent, with interface and port.
macro_rules! from {
    () => {
        "{observer.ingress.interface.name:name}:{source.ip}/{source.port}{?({:name})?}"
    };
}
/// The end that was to receive, with interface and port.
macro_rules! to {
    () => {
        "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}{?({:name})?}"
    };
}
/// The end that was to receive, with the name of a service.
macro_rules! to_service {
    () => {
        "{observer.egress.interface.name:name}:{destination.ip}/{network.protocol:name}"
    };
}
macro_rules! pair {
    () => {
        "{source.ip}/{source.port} to {destination.ip}/{destination.port}"
    };
}
macro_rules! on {
    () => {
        " on interface {observer.ingress.interface.name:name}"
    };
}
/// A client of a tunnel.
macro_rules! group {
    ($rest:literal) => {
        concat!("Group <{*}> User <{user.name}> IP <{source.ip}> ", $rest)
    };
}
macro_rules! group_equals {
    ($rest:literal) => {
        concat!("Group = {*}, Username = {user.name}, IP = {source.ip}, ", $rest)
    };
}

#[rustfmt::skip]
pub(super) static CODES: CodeTable = CodeTable::new(&[
    coded(&["106001"], &[traffic(concat!("Inbound {network.transport:name} connection denied from ", pair!(), " flags {*}", on!()), "blocked", "failure")]),
    coded(&["106002"], &[traffic("{network.transport:name} Connection denied by outbound list {rule.name:word} src {source.ip} {? {:number} ?}dest {destination.ip}{? {destination.port}?}", "blocked", "failure")]),
    coded(&["106006", "106007"], &[
        traffic(concat!("Deny inbound {network.transport:name} from ", pair!(), on!(), "{?.?}"), "blocked", "failure"),
        traffic(concat!("Deny inbound {network.transport:name} from ", pair!(), " due to {event.reason}"), "blocked", "failure"),
    ]),
    coded(&["106010", "106011"], &[
        traffic(concat!("Deny inbound {?(No xlate) ?}{network.transport:name} src ", from!(), " dst ", to!()), "blocked", "failure"),
        traffic("Deny inbound {?(No xlate) ?}{network.transport:name} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip}{? (type {:number}, code {:number})?}", "blocked", "failure"),
        traffic("Deny inbound {?(No xlate) ?}protocol {network.transport:number} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip}", "blocked", "failure"),
    ]),
    coded(&["106012"], &[traffic("Deny IP from {source.ip} to {destination.ip}, IP options{? {*}?}", "blocked", "failure")]),
    coded(&["106013"], &[traffic("Dropping echo request from {source.ip} to PAT address {destination.ip}", "blocked", "failure")]),
    coded(&["106014"], &[traffic("Deny inbound {network.transport:name} src {observer.ingress.interface.name:name}:{source.ip}{?({:name})?} dst {observer.egress.interface.name:name}:{destination.ip}{?({:name})?} (type {:number}, code {:number})", "blocked", "failure")]),
    coded(&["106015"], &[traffic(concat!("Deny {network.transport:name} (no connection) from ", pair!(), " flags {*}", on!()), "blocked", "failure")]),
    coded(&["106016"], &[detection(concat!("Deny IP spoof from ({source.ip}) to {destination.ip}", on!()), "blocked", "failure")]),
    coded(&["106017"], &[detection("Deny IP due to Land Attack from {source.ip} to {destination.ip}", "blocked", "failure")]),
    coded(&["106018"], &[traffic("ICMP packet type {:name} denied by outbound list {rule.name:word} src {source.ip} dest {destination.ip}", "blocked", "failure")]),
    coded(&["106020"], &[detection("Deny IP teardrop fragment (size = {:number}, offset = {:number}) from {source.ip} to {destination.ip}", "blocked", "failure")]),
    coded(&["106021"], &[detection(concat!("Deny {network.transport:name} reverse path check from {source.ip} to {destination.ip}", on!()), "blocked", "failure")]),
    coded(&["106022"], &[detection(concat!("Deny {network.transport:name} connection spoof from {source.ip} to {destination.ip}", on!()), "blocked", "failure")]),
    coded(&["106027"], &[traffic("{:name}:{? ?}Deny src {source.ip} dst {destination.ip} by access-group \"{rule.name:name}\"", "blocked", "failure")]),
    coded(&["106102", "106103"], &[
        traffic("access-list {rule.name:word} denied {network.transport:name} for user {user.name} {observer.ingress.interface.name:name}/{source.ip}{? ?}({source.port}) -> {observer.egress.interface.name:name}/{destination.ip}{? ?}({destination.port}) hit-cnt {log.syslog.repeated} {*}", "blocked", "failure"),
        traffic("access-list {rule.name:word} permitted {network.transport:name} for user {user.name} {observer.ingress.interface.name:name}/{source.ip}{? ?}({source.port}) -> {observer.egress.interface.name:name}/{destination.ip}{? ?}({destination.port}) hit-cnt {log.syslog.repeated} {*}", "allowed", "success"),
    ]),
    coded(&["108003"], &[detection("Terminating ESMTP/SMTP connection; malicious pattern detected in the mail address from {observer.ingress.interface.name:name}:{source.ip}/{source.port} to {observer.egress.interface.name:name}:{destination.ip}/{destination.port}. Data:{*}", "blocked", "failure")]),
    coded(&["109001"], &[login(concat!("Auth start for user '{user.name}' from ", pair!()), "login", "")]),
    coded(&["109002", "109003", "109010"], &[login(concat!("Auth from ", pair!(), " failed ({event.reason})", on!()), "login", "failure")]),
    coded(&["109005"], &[login(concat!("Authentication succeeded for user '{user.name}' from ", pair!(), on!()), "login", "success")]),
    coded(&["109006"], &[login(concat!("Authentication failed for user '{user.name}' from ", pair!(), on!()), "login", "failure")]),
    coded(&["109007"], &[login(concat!("Authorization permitted for user '{user.name}' from ", pair!(), on!()), "authorization", "success")]),
    coded(&["109008"], &[login(concat!("Authorization denied for user '{user.name}' from ", pair!(), on!()), "authorization", "failure")]),
    coded(&["109011", "109012"], &[login("Authen Session Start: user '{user.name}', sid {:number}", "login", "success"), login("Authen Session End: user '{user.name}', sid {:number}, elapsed {:number} seconds", "logout", "")]),
    coded(&["109017"], &[traffic("User at {source.ip} exceeded auth proxy connection limit{? ?}(max)", "blocked", "failure")]),
    coded(&["109023"], &[traffic(concat!("User from ", pair!(), on!(), " must authenticate before using this service{?.?}"), "blocked", "failure")]),
    coded(&["109024"], &[traffic(concat!("Authorization denied from ", pair!(), " (not authenticated)", on!()), "blocked", "failure")]),
    coded(&["109025"], &[traffic(concat!("Authorization denied (acl={rule.name:name}) for user '{user.name}' from ", pair!(), on!(), " using {network.transport:name}"), "blocked", "failure")]),
    coded(&["109031"], &[login("NT Domain Authentication Failed: rejecting guest login for {user.name}.", "login", "failure")]),
    coded(&["109033"], &[login("Authentication failed for admin user {user.name} from {source.ip}. Interactive challenge processing is not supported for {network.protocol:name} connections", "login", "failure")]),
    coded(&["109034"], &[login(concat!("Authentication failed for network user {user.name} from ", pair!(), ". Interactive challenge processing is not supported for {network.protocol:name} connections"), "login", "failure")]),
    coded(&["111001", "111002", "111007"], &[config("Begin configuration: {source.ip} writing to {:word}", "configuration-written", ""), config("Begin configuration: {source.ip} reading from {:word}", "configuration-read", "")]),
    coded(&["111003"], &[config("{source.ip} Erase configuration", "configuration-erased", "success")]),
    coded(&["111004", "111005"], &[config("{source.ip} end configuration: OK", "configuration-ended", "success"), config("{source.ip} end configuration: FAILED", "configuration-ended", "failure")]),
    coded(&["111008"], &[config("User '{user.name}' executed the '{process.command_line}' command{?.?}", "command", "success")]),
    coded(&["111009"], &[config("User '{user.name}' executed cmd: {process.command_line}", "command", "success")]),
    coded(&["111010"], &[config("User '{user.name}', running '{:name}' from IP {source.ip}, executed '{process.command_line}'", "command", "success")]),
    coded(&["113004"], &[
        login("AAA user authentication Successful : server =  {:host} : user = {user.name}", "login", "success"),
        login("AAA user authentication Successful : server = {:host} : user = {user.name}", "login", "success"),
        login("AAA user authorization Successful : server = {:host} : user = {user.name}", "authorization", "success"),
        login("AAA user accounting Successful : server = {:host} : user = {user.name}", "accounting", "success"),
    ]),
    coded(&["113006"], &[login("User '{user.name}' locked out on exceeding '{:number}' successive failed authentication attempts", "account-locked", "failure"), login("User {user.name} locked out on exceeding {:number} successive failed authentication attempts", "account-locked", "failure")]),
    coded(&["113007"], &[login("User {user.name} unlocked by {user.effective.name:word}", "account-unlocked", "success")]),
    coded(&["113008"], &[login("AAA transaction status ACCEPT : user = {user.name}", "login", "success"), login("AAA transaction status REJECT : user = {user.name}", "login", "failure")]),
    coded(&["113003", "113009", "113010", "113011"], &[
        note("AAA group policy for user {user.name} is being set to {rule.name:word}"),
        note("AAA retrieved default group policy ({rule.name:name}) for user = {user.name}"),
        note("AAA retrieved user specific group policy ({rule.name:name}) for user = {user.name}"),
        note("AAA challenge received for user {user.name} from server {:host}{?.?}"),
    ]),
    coded(&["113012"], &[login("AAA user authentication Successful : local database : user = {user.name}", "login", "success")]),
    coded(&["113013", "113014"], &[login("AAA unable to complete the request Error : reason = {event.reason} : user = {user.name}", "login", ""), login("AAA authentication server not accessible : server = {:host} : user = {user.name}", "login", "")]),
    coded(&["113019"], &[login("Group = {*}, Username = {user.name}, IP = {source.ip}, Session disconnected. Session Type: {network.protocol}, Duration: {*}, Bytes xmt: {destination.bytes}, Bytes rcv: {source.bytes}, Reason: {event.reason}", "logout", "")]),
    coded(&["113021"], &[login("Attempted console login failed{?.?} {?u?}{?U?}ser '{user.name}' did NOT have appropriate Admin Rights.", "login", "failure")]),
    coded(&["113039"], &[login(group!("AnyConnect parent session started."), "session-started", "success")]),
    coded(&["302020"], &[
        traffic("Built {network.direction:name} {network.transport:name} connection for faddr {source.ip}/{:number}{?({:name})?} gaddr {destination.nat.ip}/{:number} laddr {destination.ip}/{:number}{?({:name})?}{? type {:number} code {:number}?}", "connection-started", "success"),
        traffic("Built {network.transport:name} connection for faddr {source.ip}/{:number} gaddr {destination.nat.ip}/{:number} laddr {destination.ip}/{:number}", "connection-started", "success"),
    ]),
    coded(&["302021"], &[traffic("Teardown {network.transport:name} connection for faddr {source.ip}/{:number}{?({:name})?} gaddr {destination.nat.ip}/{:number} laddr {destination.ip}/{:number}{?({:name})?}{? type {:number} code {:number}?}", "connection-finished", "")]),
    coded(&["303002"], &[traffic(concat!("FTP connection from ", from!(), " to ", to!(), ", user {user.name} Stored file {file.path}"), "file-stored", "success"), traffic(concat!("FTP connection from ", from!(), " to ", to!(), ", user {user.name} Retrieved file {file.path}"), "file-retrieved", "success")]),
    coded(&["304001"], &[traffic("{?{:name}@?}{source.ip}{?({:name})?} Accessed URL {destination.ip}:{url.original}", "allowed", "success")]),
    coded(&["304002"], &[traffic("Access denied URL {url.original} SRC {source.ip}{?({:name})?} DEST {destination.ip}{? {*}?}", "blocked", "failure")]),
    coded(&["305005", "305006"], &[
        traffic(concat!("No translation group found for {network.transport:name} src ", from!(), " dst ", to!()), "blocked", "failure"),
        traffic("No translation group found for {network.transport:name} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip} (type {:number}, code {:number})", "blocked", "failure"),
        traffic(concat!("{:name} translation creation failed for {network.transport:name} src ", from!(), " dst ", to!()), "blocked", "failure"),
        traffic("{:name} translation creation failed for {network.transport:name} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip} (type {:number}, code {:number})", "blocked", "failure"),
    ]),
    coded(&["305009", "305010"], &[
        traffic("Built {:name} translation from {observer.ingress.interface.name:name}{? ({:name})?}:{source.ip}{?({:name})?} to {observer.egress.interface.name:name}{?({:name})?}:{source.nat.ip}", "translation-started", "success"),
        traffic("Teardown {:name} translation from {observer.ingress.interface.name:name}{? ({:name})?}:{source.ip}{?({:name})?} to {observer.egress.interface.name:name}{?({:name})?}:{source.nat.ip} duration {:word}", "translation-finished", ""),
    ]),
    coded(&["305013"], &[
        traffic(concat!("Asymmetric NAT rules matched for forward and reverse flows; Connection for {network.transport:name} src ", from!(), " dst ", to!(), " denied due to NAT reverse path failure{?.?}"), "blocked", "failure"),
        traffic("Asymmetric NAT rules matched for forward and reverse flows; Connection for {network.transport:name} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip}{? (type {:number}, code {:number})?} denied due to NAT reverse path failure{?.?}", "blocked", "failure"),
    ]),
    coded(&["308001"], &[login("{?console ?}enable password incorrect for {:number} tries (from {source.ip})", "login", "failure"), login("console enable password incorrect for {:number} tries (from ssh (remote {source.ip}))", "login", "failure")]),
    coded(&["313001", "313008"], &[traffic(concat!("Denied {network.transport:name} type={:number}, code={:number} from {source.ip}", on!()), "blocked", "failure")]),
    coded(&["313004"], &[traffic(concat!("Denied {network.transport:name} type={:number}, from laddr {source.ip}", on!(), " to {destination.ip}: no matching session"), "blocked", "failure"), traffic(concat!("Denied {network.transport:name} type={:number}, from {source.ip}", on!(), " to {destination.ip}:{? ?}no matching session"), "blocked", "failure")]),
    coded(&["313005"], &[traffic("No matching connection for ICMP error message: {network.transport:name} src {observer.ingress.interface.name:name}:{source.ip} dst {observer.egress.interface.name:name}:{destination.ip} (type {:number}, code {:number}) on {:name} interface.{? {*}?}", "blocked", "failure")]),
    coded(&["315011"], &[
        login(concat!("SSH session from {source.ip}", on!(), " for user \"{user.name}\" disconnected by SSH server, reason: \"{event.reason}\"{? {*}?}"), "session-closed", ""),
        login(concat!("SSH session from {source.ip}", on!(), " for user '{user.name}' terminated normally"), "session-closed", ""),
        login(concat!("SSH session from {source.ip}", on!(), " for user \"{user.name}\" terminated normally"), "session-closed", ""),
    ]),
    coded(&["322001"], &[detection(concat!("Deny MAC address {source.mac:word}, possible spoof attempt", on!()), "blocked", "failure")]),
    coded(&["322003"], &[detection(concat!("ARP inspection check failed for arp {:name} received from host {source.mac:word}", on!(), ". This host is advertising MAC Address {:word} for IP Address {*}"), "arp-inspection", "failure")]),
    coded(&["338001", "338003"], &[detection(concat!("(i)dynamic filter monitored blacklisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), source {*} list: {source.domain:host}{?, {*}?}"), "logged", "unknown")]),
    coded(&["338002", "338004", "338202", "338204", "338203", "338201"], &[
        detection(concat!("(i)dynamic filter monitored blacklisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), {*} list: {destination.domain:host}{?, {*}?}"), "logged", "unknown"),
        detection(concat!("(i)dynamic filter monitored greylisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), {*} list: {destination.domain:host}{?, {*}?}"), "logged", "unknown"),
        detection(concat!("(i)dynamic filter dropped blacklisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), {*} list: {destination.domain:host}{?, {*}?}"), "blocked", "failure"),
        detection(concat!("(i)dynamic filter dropped greylisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), {*} list: {destination.domain:host}{?, {*}?}"), "blocked", "failure"),
    ]),
    coded(&["338005", "338006", "338007", "338008"], &[detection(concat!("(i)dynamic filter dropped blacklisted {network.transport:name} traffic from ", "{observer.ingress.interface.name:name}:{source.ip}/{source.port}", " ({:word}) to ", "{observer.egress.interface.name:name}:{destination.ip}/{destination.port}", " ({:word}), {*} list: {destination.domain:host}{?, {*}?}"), "blocked", "failure")]),
    coded(&[
        "400000", "400001", "400002", "400003", "400004", "400005", "400006", "400007", "400008", "400009", "400010", "400011", "400012", "400013", "400014", "400015", "400016",
        "400017", "400018", "400019", "400020", "400021", "400022", "400023", "400024", "400025", "400026", "400027", "400028", "400029", "400030", "400031", "400032", "400033",
        "400034", "400035", "400036", "400037", "400038", "400039", "400040", "400041", "400042", "400043", "400044", "400045", "400046", "400047", "400048", "400049", "400050", "400051",
    ], &[detection(concat!("IPS:{rule.id:number} {rule.name} from {source.ip} to {destination.ip}", on!()), "logged", "unknown")]),
    coded(&["401002", "401003"], &[config("Shun added: {source.ip} {destination.ip} {*}", "shun-added", "success"), config("Shun deleted: {source.ip}", "shun-deleted", "success")]),
    coded(&["401004"], &[traffic(concat!("Shunned packet: {source.ip} ==> {destination.ip}", on!()), "blocked", "failure"), traffic(concat!("Shunned packet: {source.ip} = {destination.ip}", on!()), "blocked", "failure")]),
    coded(&["402114", "402115", "402116", "402117", "402119"], &[
        detection("IPSEC: Received an {:name} packet (SPI= {:word} sequence number= {:word}) from {source.ip} to {destination.ip} {*}", "blocked", ""),
        detection("IPSEC: Received an {:name} packet (SPI= {:word} sequence number= {:word}) from {source.ip} (user= {user.name}) to {destination.ip} {*}", "blocked", ""),
        detection("IPSEC: Received a non-IPsec packet (protocol= {:name}) from {source.ip} to {destination.ip}.", "blocked", ""),
    ]),
    coded(&["405001"], &[detection("Received ARP {:name} collision from {source.ip}/{source.mac:word} on interface {observer.ingress.interface.name:name}{? {*}?}", "arp-collision", "")]),
    coded(&["406001", "406002"], &[detection(concat!("FTP port command low port: {source.ip}/{source.port} to {destination.ip}", on!()), "blocked", "failure"), detection(concat!("FTP port command different address: {source.ip}({:host}) to {destination.ip}", on!()), "blocked", "failure")]),
    coded(&["410001"], &[traffic("Dropped UDP DNS {:name} from {observer.ingress.interface.name:name}:{source.ip}/{source.port} to {observer.egress.interface.name:name}:{destination.ip}/{destination.port}; {event.reason}", "blocked", "failure")]),
    coded(&["419002"], &[traffic("Duplicate TCP SYN from {observer.ingress.interface.name:name}:{source.ip}/{source.port} to {observer.egress.interface.name:name}:{destination.ip}/{destination.port} with different initial sequence number", "logged", "unknown")]),
    coded(&["420002", "420003"], &[
        detection(concat!("IPS requested to drop {network.transport:name} packet{?s?} from ", from!(), " to ", to!()), "blocked", "failure"),
        detection(concat!("IPS requested to reset TCP connection from ", from!(), " to ", to!()), "blocked", "failure"),
    ]),
    coded(&["500003"], &[detection(concat!("Bad TCP hdr length (hdrlen={:number}, pktlen={:number}) from ", pair!(), ", flags: {*}", on!()), "blocked", "failure")]),
    coded(&["500004"], &[detection(concat!("Invalid transport field for protocol={network.transport:name}, from ", pair!()), "blocked", "failure")]),
    coded(&["602303", "602304"], &[
        traffic("IPSEC: An {network.direction:name} {:word} SA (SPI= {:word} between {source.ip} and {destination.ip} (user= {user.name}) has been created.", "tunnel-started", "success"),
        traffic("IPSEC: An {network.direction:name} {:word} SA (SPI= {:word} between {source.ip} and {destination.ip} (user= {user.name}) has been deleted.", "tunnel-finished", ""),
    ]),
    coded(&["605004", "605005"], &[
        login(concat!("Login denied from {source.ip}/{source.port} to ", to_service!(), " for user \"{user.name}\""), "login", "failure"),
        login("Login denied from serial to console for user \"{user.name}\"", "login", "failure"),
        login(concat!("Login permitted from {source.ip}/{source.port} to ", to_service!(), " for user \"{user.name}\""), "login", "success"),
        login("Login permitted from serial to console for user \"{user.name}\"", "login", "success"),
    ]),
    coded(&["606001", "606002", "606003", "606004"], &[
        note("ASDM session number {:number} from {source.ip} started"),
        note("ASDM session number {:number} from {source.ip} ended"),
        note("ASDM logging session number {:number} from {source.ip} started"),
        note("ASDM logging session number {:number} from {source.ip} ended"),
    ]),
    coded(&["611101", "611102"], &[
        login("User authentication succeeded: {?IP address: {source.ip}, ?}Uname: {user.name}", "login", "success"),
        login("User authentication failed: {?IP address: {source.ip}, ?}Uname: {user.name}", "login", "failure"),
        login("User authentication failed: IP = {source.ip}, Uname: {user.name}", "login", "failure"),
    ]),
    coded(&["611103"], &[login("User logged out: Uname: {user.name}", "logout", "")]),
    coded(&["710001", "710002", "710003", "710004", "710005", "710006"], &[
        traffic(concat!("{network.transport:name} access requested from {source.ip}/{source.port} to ", to!()), "logged", "unknown"),
        traffic(concat!("{network.transport:name} access requested from {source.ip}/{source.port} to ", to_service!()), "logged", "unknown"),
        traffic(concat!("{network.transport:name} access permitted from {source.ip}/{source.port} to ", to!()), "allowed", "success"),
        traffic(concat!("{network.transport:name} access permitted from {source.ip}/{source.port} to ", to_service!()), "allowed", "success"),
        traffic(concat!("{network.transport:name} access denied by ACL from {source.ip}/{source.port} to ", to!()), "blocked", "failure"),
        traffic(concat!("{network.transport:name} access denied by ACL from {source.ip}/{source.port} to ", to_service!()), "blocked", "failure"),
        traffic(concat!("TCP connection limit exceeded from {source.ip}/{source.port} to ", to!(), " {*}"), "blocked", "failure"),
        traffic(concat!("{network.transport:name} request discarded from {source.ip}/{source.port} to ", to!()), "blocked", "failure"),
        traffic(concat!("{network.transport:name} request discarded from {source.ip}/{source.port} to ", to_service!()), "blocked", "failure"),
        traffic("{network.transport:name} request discarded from {source.ip} to {observer.egress.interface.name:name}:{destination.ip}", "blocked", "failure"),
    ]),
    coded(&["713167", "713198"], &[login("Group = {*}, Username = {user.name}, IP = {source.ip}, Remote peer has failed user authentication -  check configured username and password", "login", "failure"), login(group_equals!("Remote peer has failed user authentication - check configured username and password"), "login", "failure"), login(group_equals!("User Authorization failed: {*}"), "login", "failure")]),
    coded(&["713119", "713120", "713049"], &[traffic("Group = {*}, Username = {user.name}, IP = {source.ip}, PHASE {:number} COMPLETED{? {*}?}", "tunnel-started", "success"), traffic("Group = {*}, IP = {source.ip}, PHASE {:number} COMPLETED{? {*}?}", "tunnel-started", "success"), traffic(group_equals!("Security negotiation complete for {*}"), "tunnel-started", "success")]),
    coded(&["713228"], &[traffic(group_equals!("Assigned private IP address {source.nat.ip} to remote user"), "address-assigned", "success")]),
    coded(&["713050", "713259"], &[traffic(group_equals!("{event.reason}"), "tunnel-finished", "")]),
    coded(&["713130", "713172", "713184", "713201", "713220", "713221", "713222", "713223", "713225", "713236", "713902", "713903", "713904", "713905", "713906", "715047", "715077"], &[
        note(group_equals!("{*}")),
        note("Group = {*}, IP = {source.ip}, {*}"),
        note("IP = {source.ip}, {*}"),
    ]),
    coded(&["716001"], &[login(group!("WebVPN session started."), "session-started", "success")]),
    coded(&["716002"], &[login(group!("WebVPN session terminated: {event.reason}"), "session-closed", "")]),
    coded(&["716003", "716004"], &[traffic(group!("WebVPN access GRANTED: {url.original}"), "allowed", "success"), traffic(group!("WebVPN access DENIED to specified location: {url.original}"), "blocked", "failure")]),
    coded(&["716038", "716039"], &[
        login(group!("Authentication: successful, Session Type: {:word}"), "login", "success"),
        login(group!("Authentication: rejected, Session Type: {:word}"), "login", "failure"),
        login("Authentication: rejected, group = {*} user = {user.name}, Session Type: {:word}", "login", "failure"),
    ]),
    coded(&["716058", "716059"], &[note(group!("AnyConnect session {*}"))]),
    coded(&["722022", "722023", "722028", "722032", "722033", "722034", "722036", "722041", "722055"], &[note(group!("{*}"))]),
    coded(&["722037", "722012"], &[login(group!("SVC closing connection: {event.reason}"), "session-closed", ""), login(group!("SVC Message: {event.reason}"), "session-closed", "")]),
    coded(&["722051"], &[login(group!("IPv4 Address <{source.nat.ip}> IPv6 address <{:host}> assigned to session"), "address-assigned", "success"), login(group!("Address <{source.nat.ip}> assigned to session"), "address-assigned", "success")]),
    coded(&["725001", "725002", "725003", "725007"], &[
        traffic("Starting SSL handshake with {:name} {observer.ingress.interface.name:name}:{source.ip}/{source.port}{? to {destination.ip}/{destination.port}?} for {network.protocol:word} session{?.?}", "connection-started", ""),
        traffic("Device completed SSL handshake with {:name} {observer.ingress.interface.name:name}:{source.ip}/{source.port}{? to {destination.ip}/{destination.port}?}{? for {network.protocol:word} session?}", "connection-started", "success"),
        traffic("SSL session with {:name} {observer.ingress.interface.name:name}:{source.ip}/{source.port}{? to {destination.ip}/{destination.port}?} terminated{?.?}", "connection-finished", ""),
    ]),
    coded(&["733100"], &[detection("[{? ?}{rule.name}] drop rate-{:number} exceeded. {event.reason}", "rate-exceeded", "")]),
    coded(&["733101"], &[
        detection("[{? ?}{source.ip}] is attacking. {*}", "attack", ""),
        detection("Object {source.ip} is attacking. {*}", "attack", ""),
        detection("[{? ?}{destination.ip}] is targeted. {*}", "attack", ""),
        detection("Object {destination.ip} is targeted. {*}", "attack", ""),
    ]),
    coded(&["733102", "733103"], &[detection("Threat-detection adds host {source.ip} to shun list", "shun-added", ""), detection("Threat-detection removes host {source.ip} from shun list", "shun-deleted", "")]),
    coded(&["734001"], &[note("DAP: User {user.name}, Addr {source.ip}, Connection {:name}: The following DAP records were selected for this connection: {*}")]),
    coded(&["751011", "750006", "750007", "751025"], &[
        login("Local:{destination.ip}:{destination.port} Remote:{source.ip}:{source.port} Username:{user.name} Failed user authentication. Error: {event.reason}", "login", "failure"),
        traffic("Local:{destination.ip}:{destination.port} Remote:{source.ip}:{source.port} Username:{user.name} SA UP. Reason: {event.reason}", "tunnel-started", "success"),
        traffic("Local:{destination.ip}:{destination.port} Remote:{source.ip}:{source.port} Username:{user.name} SA DOWN. Reason: {event.reason}", "tunnel-finished", ""),
        note("Local:{destination.ip}:{destination.port} Remote:{source.ip}:{source.port} Username:{user.name} Group:{*}"),
    ]),
    coded(&["199001", "199002", "199005", "199010", "199018"], &[config("Reload command executed from Telnet (remote {source.ip}).", "reload", "success"), config("Reload command executed from telnet (remote {source.ip})", "reload", "success")]),
]);
