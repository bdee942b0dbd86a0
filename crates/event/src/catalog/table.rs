//! Generated from schemas/fields.yaml by `cargo xtask schemas`. Do not edit. (flat table)

use super::{Field, FieldId, FieldType};

/// Ids of the catalog's fields.
pub mod field {
    use super::FieldId;

    pub const TIMESTAMP: FieldId = FieldId(0);
    pub const EVENT_KIND: FieldId = FieldId(1);
    pub const EVENT_DATASET: FieldId = FieldId(2);
    pub const EVENT_CATEGORY: FieldId = FieldId(3);
    pub const EVENT_ACTION: FieldId = FieldId(4);
    pub const EVENT_OUTCOME: FieldId = FieldId(5);
    pub const EVENT_REASON: FieldId = FieldId(6);
    pub const EVENT_ORIGINAL: FieldId = FieldId(7);
    pub const MESSAGE: FieldId = FieldId(8);
    pub const ERROR_MESSAGE: FieldId = FieldId(9);
    pub const TAGS: FieldId = FieldId(10);
    pub const SOURCE_IP: FieldId = FieldId(11);
    pub const SOURCE_ADDRESS: FieldId = FieldId(12);
    pub const SOURCE_PORT: FieldId = FieldId(13);
    pub const SOURCE_GEO_COUNTRY_ISO_CODE: FieldId = FieldId(14);
    pub const SOURCE_AS_NUMBER: FieldId = FieldId(15);
    pub const SOURCE_AS_ORGANIZATION_NAME: FieldId = FieldId(16);
    pub const SOURCE_SCOPE: FieldId = FieldId(17);
    pub const SOURCE_MAC: FieldId = FieldId(18);
    pub const SOURCE_BYTES: FieldId = FieldId(19);
    pub const DESTINATION_IP: FieldId = FieldId(20);
    pub const DESTINATION_PORT: FieldId = FieldId(21);
    pub const DESTINATION_MAC: FieldId = FieldId(22);
    pub const NETWORK_TRANSPORT: FieldId = FieldId(23);
    pub const NETWORK_FORWARDED_IP: FieldId = FieldId(24);
    pub const USER_NAME: FieldId = FieldId(25);
    pub const USER_ID: FieldId = FieldId(26);
    pub const USER_EFFECTIVE_NAME: FieldId = FieldId(27);
    pub const USER_TARGET_NAME: FieldId = FieldId(28);
    pub const USER_TARGET_ID: FieldId = FieldId(29);
    pub const GROUP_NAME: FieldId = FieldId(30);
    pub const GROUP_ID: FieldId = FieldId(31);
    pub const HOST_HOSTNAME: FieldId = FieldId(32);
    pub const PROCESS_NAME: FieldId = FieldId(33);
    pub const PROCESS_PID: FieldId = FieldId(34);
    pub const PROCESS_COMMAND_LINE: FieldId = FieldId(35);
    pub const PROCESS_WORKING_DIRECTORY: FieldId = FieldId(36);
    pub const PROCESS_EXECUTABLE: FieldId = FieldId(37);
    pub const FILE_PATH: FieldId = FieldId(38);
    pub const USER_AUDIT_ID: FieldId = FieldId(39);
    pub const AUDITD_LOG_RECORD_TYPE: FieldId = FieldId(40);
    pub const AUDITD_LOG_COMM: FieldId = FieldId(41);
    pub const AUDITD_LOG_OP: FieldId = FieldId(42);
    pub const AUDITD_LOG_KEY: FieldId = FieldId(43);
    pub const AUDITD_LOG_A0: FieldId = FieldId(44);
    pub const AUDITD_LOG_A1: FieldId = FieldId(45);
    pub const AUDITD_LOG_A2: FieldId = FieldId(46);
    pub const AUDITD_LOG_A3: FieldId = FieldId(47);
    pub const SERVICE_NAME: FieldId = FieldId(48);
    pub const URL_ORIGINAL: FieldId = FieldId(49);
    pub const URL_PATH: FieldId = FieldId(50);
    pub const URL_QUERY: FieldId = FieldId(51);
    pub const URL_DOMAIN: FieldId = FieldId(52);
    pub const URL_PORT: FieldId = FieldId(53);
    pub const HTTP_REQUEST_METHOD: FieldId = FieldId(54);
    pub const HTTP_VERSION: FieldId = FieldId(55);
    pub const HTTP_REQUEST_REFERRER: FieldId = FieldId(56);
    pub const HTTP_RESPONSE_STATUS_CODE: FieldId = FieldId(57);
    pub const HTTP_RESPONSE_BODY_BYTES: FieldId = FieldId(58);
    pub const USER_AGENT_ORIGINAL: FieldId = FieldId(59);
    pub const USER_AGENT_TYPE: FieldId = FieldId(60);
    pub const ACCESS_EXTRA: FieldId = FieldId(61);
    pub const LOG_SYSLOG_PRIORITY: FieldId = FieldId(62);
    pub const LOG_SYSLOG_FACILITY_CODE: FieldId = FieldId(63);
    pub const LOG_SYSLOG_SEVERITY_CODE: FieldId = FieldId(64);
    pub const LOG_SYSLOG_VERSION: FieldId = FieldId(65);
    pub const LOG_SYSLOG_PROCID: FieldId = FieldId(66);
    pub const LOG_SYSLOG_MSGID: FieldId = FieldId(67);
    pub const LOG_SYSLOG_STRUCTURED_DATA: FieldId = FieldId(68);
    pub const LOG_SYSLOG_REPEATED: FieldId = FieldId(69);
    pub const SYSTEM_AUTH_SSH_EVENT: FieldId = FieldId(70);
    pub const SYSTEM_AUTH_SSH_METHOD: FieldId = FieldId(71);
    pub const SYSTEM_AUTH_SSH_SIGNATURE: FieldId = FieldId(72);
    pub const SYSTEM_AUTH_SUDO_TTY: FieldId = FieldId(73);
    pub const SYSTEM_AUTH_SUDO_ERROR: FieldId = FieldId(74);
    pub const SYSTEM_AUTH_USERADD_HOME: FieldId = FieldId(75);
    pub const SYSTEM_AUTH_USERADD_SHELL: FieldId = FieldId(76);
    pub const SYSTEM_AUTH_PAM_MODULE: FieldId = FieldId(77);
    pub const IPTABLES_PREFIX: FieldId = FieldId(78);
    pub const IPTABLES_IN: FieldId = FieldId(79);
    pub const IPTABLES_OUT: FieldId = FieldId(80);
    pub const IPTABLES_TCP_FLAGS: FieldId = FieldId(81);
    pub const IPTABLES_TTL: FieldId = FieldId(82);
}

/// The catalog.
pub static FIELDS: &[Field] = &[
    Field {
        name: "@timestamp",
        kind: FieldType::Date,
        meaning: "when the event happened, UTC",
        datasets: &["*"],
        within: None,
        url: false,
    },
    Field {
        name: "event.kind",
        kind: FieldType::Keyword,
        meaning: "pipeline_error where the line could not be parsed, else event",
        datasets: &["*"],
        within: None,
        url: false,
    },
    Field {
        name: "event.dataset",
        kind: FieldType::Keyword,
        meaning: "which kind of log the line belongs to, from the dataset table",
        datasets: &["*"],
        within: None,
        url: false,
    },
    Field {
        name: "event.category",
        kind: FieldType::Keyword,
        meaning: "ECS category of the event",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "iptables.log",
            "mail.log",
            "system.accounts",
            "system.cron",
            "system.kernel",
            "system.pam",
            "system.sshd",
            "system.su",
            "system.sudo",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "event.action",
        kind: FieldType::Keyword,
        meaning: "what was done, in one word",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "iptables.log",
            "mail.log",
            "system.accounts",
            "system.cron",
            "system.kernel",
            "system.pam",
            "system.sshd",
            "system.su",
            "system.sudo",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "event.outcome",
        kind: FieldType::Keyword,
        meaning: "success or failure",
        datasets: &[
            "auditd.log",
            "database.log",
            "ftp.log",
            "iptables.log",
            "mail.log",
            "system.accounts",
            "system.cron",
            "system.kernel",
            "system.pam",
            "system.sshd",
            "system.su",
            "system.sudo",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "event.reason",
        kind: FieldType::Keyword,
        meaning: "why the action ended as it did",
        datasets: &["http.access", "mail.log", "system.cron", "system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "event.original",
        kind: FieldType::Keyword,
        meaning: "the whole line as received",
        datasets: &["*"],
        within: None,
        url: false,
    },
    Field {
        name: "message",
        kind: FieldType::Keyword,
        meaning: "the text after the header",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "error.message",
        kind: FieldType::Keyword,
        meaning: "what was wrong with the line",
        datasets: &[],
        within: None,
        url: false,
    },
    Field {
        name: "tags",
        kind: FieldType::Keyword,
        meaning: "marks that the pipeline puts on an event, such as line_truncated",
        datasets: &["*"],
        within: None,
        url: false,
    },
    Field {
        name: "source.ip",
        kind: FieldType::Ip,
        meaning: "address that the request or connection came from",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "http.access",
            "iptables.log",
            "mail.log",
            "system.kernel",
            "system.sshd",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "source.address",
        kind: FieldType::Keyword,
        meaning: "the client as written where it is not an address",
        datasets: &["http.access", "system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "source.port",
        kind: FieldType::Long,
        meaning: "port that the connection came from",
        datasets: &["dns.log", "iptables.log", "system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "source.geo.country_iso_code",
        kind: FieldType::Keyword,
        meaning: "country of the source's address, where a database is given",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "http.access",
            "iptables.log",
            "mail.log",
            "system.kernel",
            "system.sshd",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "source.as.number",
        kind: FieldType::Long,
        meaning: "number of the source's network, where a database is given",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "http.access",
            "iptables.log",
            "mail.log",
            "system.kernel",
            "system.sshd",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "source.as.organization.name",
        kind: FieldType::Keyword,
        meaning: "owner of the source's network, where a database is given",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "http.access",
            "iptables.log",
            "mail.log",
            "system.kernel",
            "system.sshd",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "source.scope",
        kind: FieldType::Keyword,
        meaning: "(own) internal or external, where internal networks are configured",
        datasets: &[
            "auditd.log",
            "database.log",
            "dns.log",
            "fail2ban.log",
            "ftp.log",
            "http.access",
            "iptables.log",
            "mail.log",
            "system.kernel",
            "system.sshd",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "source.mac",
        kind: FieldType::Keyword,
        meaning: "hardware address of the sender",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "source.bytes",
        kind: FieldType::Long,
        meaning: "length of the packet in bytes",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.ip",
        kind: FieldType::Ip,
        meaning: "address that was connected to",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.port",
        kind: FieldType::Long,
        meaning: "port that was connected to",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.mac",
        kind: FieldType::Keyword,
        meaning: "hardware address of the receiver",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "network.transport",
        kind: FieldType::Keyword,
        meaning: "tcp, udp, icmp …",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "network.forwarded_ip",
        kind: FieldType::Keyword,
        meaning: "the forwarded-for list as written",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "user.name",
        kind: FieldType::Keyword,
        meaning: "the account that acted or was tried",
        datasets: &[
            "auditd.log",
            "database.log",
            "ftp.log",
            "http.access",
            "mail.log",
            "system.accounts",
            "system.cron",
            "system.kernel",
            "system.pam",
            "system.sshd",
            "system.su",
            "system.sudo",
            "vsftpd.log",
        ],
        within: None,
        url: false,
    },
    Field {
        name: "user.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of that account",
        datasets: &["system.cron", "system.sshd", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "user.effective.name",
        kind: FieldType::Keyword,
        meaning: "the account that the command ran as",
        datasets: &["system.su", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "user.target.name",
        kind: FieldType::Keyword,
        meaning: "the account that was created, changed or removed",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "user.target.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of that account",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "group.name",
        kind: FieldType::Keyword,
        meaning: "the group concerned",
        datasets: &["system.accounts", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "group.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of the group",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "host.hostname",
        kind: FieldType::Keyword,
        meaning: "the machine that wrote the line",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "process.name",
        kind: FieldType::Keyword,
        meaning: "program that wrote the line",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "process.pid",
        kind: FieldType::Long,
        meaning: "its process id",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "process.command_line",
        kind: FieldType::Keyword,
        meaning: "the command that was run",
        datasets: &["auditd.log", "system.cron", "system.kernel", "system.sudo", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "process.working_directory",
        kind: FieldType::Keyword,
        meaning: "where it was run",
        datasets: &["auditd.log", "system.kernel", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "process.executable",
        kind: FieldType::Keyword,
        meaning: "path of the program concerned",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "file.path",
        kind: FieldType::Keyword,
        meaning: "path of the file concerned",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "user.audit.id",
        kind: FieldType::Keyword,
        meaning: "id of the account that logged in",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.record_type",
        kind: FieldType::Keyword,
        meaning: "(Beats) type of the audit record, such as EXECVE",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.comm",
        kind: FieldType::Keyword,
        meaning: "(own) name of the program concerned, where the line is written by another",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.op",
        kind: FieldType::Keyword,
        meaning: "(Beats) operation of the record",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.key",
        kind: FieldType::Keyword,
        meaning: "(Beats) key of the audit rule that asked for the record",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a0",
        kind: FieldType::Keyword,
        meaning: "(Beats) first argument of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a1",
        kind: FieldType::Keyword,
        meaning: "(Beats) second argument of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a2",
        kind: FieldType::Keyword,
        meaning: "(Beats) third argument of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a3",
        kind: FieldType::Keyword,
        meaning: "(Beats) fourth argument of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "service.name",
        kind: FieldType::Keyword,
        meaning: "PAM service that asked",
        datasets: &["fail2ban.log", "system.accounts", "system.cron", "system.pam", "system.sshd", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "url.original",
        kind: FieldType::Keyword,
        meaning: "request target as sent",
        datasets: &["http.access"],
        within: None,
        url: true,
    },
    Field {
        name: "url.path",
        kind: FieldType::Keyword,
        meaning: "target up to the first question mark",
        datasets: &["http.access"],
        within: Some("url.original"),
        url: true,
    },
    Field {
        name: "url.query",
        kind: FieldType::Keyword,
        meaning: "target after the first question mark",
        datasets: &["http.access"],
        within: Some("url.original"),
        url: true,
    },
    Field {
        name: "url.domain",
        kind: FieldType::Keyword,
        meaning: "host that the request was for",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "url.port",
        kind: FieldType::Long,
        meaning: "port that the request was for",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.method",
        kind: FieldType::Keyword,
        meaning: "request method",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.version",
        kind: FieldType::Keyword,
        meaning: "protocol version without the word HTTP",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.referrer",
        kind: FieldType::Keyword,
        meaning: "referring page",
        datasets: &["http.access"],
        within: None,
        url: true,
    },
    Field {
        name: "http.response.status_code",
        kind: FieldType::Long,
        meaning: "answer code",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.response.body.bytes",
        kind: FieldType::Long,
        meaning: "length of the answer in bytes",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "user_agent.original",
        kind: FieldType::Keyword,
        meaning: "client program as it names itself",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "user_agent.type",
        kind: FieldType::Keyword,
        meaning: "(own) browser, crawler, scanner, tool, library, monitor, other or none, where asked for",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "access.extra",
        kind: FieldType::Keyword,
        meaning: "(own) what follows the known fields of an access line",
        datasets: &["http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.priority",
        kind: FieldType::Long,
        meaning: "PRI value",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.facility.code",
        kind: FieldType::Long,
        meaning: "facility number",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.severity.code",
        kind: FieldType::Long,
        meaning: "severity number",
        datasets: &["syslog", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.version",
        kind: FieldType::Keyword,
        meaning: "protocol version of RFC 5424",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.procid",
        kind: FieldType::Keyword,
        meaning: "process id as written where it is not a number",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.msgid",
        kind: FieldType::Keyword,
        meaning: "kind of message",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.structured_data",
        kind: FieldType::Keyword,
        meaning: "structured data as written",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.repeated",
        kind: FieldType::Long,
        meaning: "(own) how often the message was repeated",
        datasets: &["syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.ssh.event",
        kind: FieldType::Keyword,
        meaning: "(own) result word of sshd: Accepted, Failed, Invalid …",
        datasets: &["system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.ssh.method",
        kind: FieldType::Keyword,
        meaning: "(own) authentication method",
        datasets: &["system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.ssh.signature",
        kind: FieldType::Keyword,
        meaning: "(own) fingerprint of the key",
        datasets: &["system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.sudo.tty",
        kind: FieldType::Keyword,
        meaning: "(own) terminal",
        datasets: &["system.accounts", "system.su", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.sudo.error",
        kind: FieldType::Keyword,
        meaning: "(own) why sudo refused",
        datasets: &["system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.useradd.home",
        kind: FieldType::Keyword,
        meaning: "(own) home folder of the new account",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.useradd.shell",
        kind: FieldType::Keyword,
        meaning: "(own) shell of the new account",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.pam.module",
        kind: FieldType::Keyword,
        meaning: "(own) PAM module and phase",
        datasets: &["system.accounts", "system.cron", "system.pam", "system.sshd", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.prefix",
        kind: FieldType::Keyword,
        meaning: "(own) what the rule wrote in front",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.in",
        kind: FieldType::Keyword,
        meaning: "(own) incoming interface",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.out",
        kind: FieldType::Keyword,
        meaning: "(own) outgoing interface",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.tcp_flags",
        kind: FieldType::Keyword,
        meaning: "(own) TCP flags",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.ttl",
        kind: FieldType::Long,
        meaning: "(own) time to live",
        datasets: &["iptables.log"],
        within: None,
        url: false,
    },
];
