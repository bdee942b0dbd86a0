//! Generated from schemas/fields.yaml and schemas/written.yaml by `cargo xtask schemas`. Do not edit. (flat table)

use super::row::{Field, FieldId, FieldType};

/// Ids of the catalog's fields.
pub mod field {
    use super::FieldId;

    /// `@timestamp`: when the event happened, UTC.
    pub const TIMESTAMP: FieldId = FieldId(0);
    /// `event.kind`: pipeline_error where the line could not be parsed, else event.
    pub const EVENT_KIND: FieldId = FieldId(1);
    /// `event.dataset`: which kind of log the line belongs to, from the dataset table.
    pub const EVENT_DATASET: FieldId = FieldId(2);
    /// `event.category`: ECS category of the event.
    pub const EVENT_CATEGORY: FieldId = FieldId(3);
    /// `event.action`: what was done, in one word.
    pub const EVENT_ACTION: FieldId = FieldId(4);
    /// `event.outcome`: success or failure.
    pub const EVENT_OUTCOME: FieldId = FieldId(5);
    /// `event.reason`: why the action ended as it did.
    pub const EVENT_REASON: FieldId = FieldId(6);
    /// `event.original`: the whole line as received.
    pub const EVENT_ORIGINAL: FieldId = FieldId(7);
    /// `message`: the text after the header.
    pub const MESSAGE: FieldId = FieldId(8);
    /// `error.message`: what was wrong with the line.
    pub const ERROR_MESSAGE: FieldId = FieldId(9);
    /// `tags`: marks that the pipeline puts on an event, such as line_truncated.
    pub const TAGS: FieldId = FieldId(10);
    /// `source.ip`: address that the request or connection came from.
    pub const SOURCE_IP: FieldId = FieldId(11);
    /// `source.address`: the client: its address, or its name where the line tells only that.
    pub const SOURCE_ADDRESS: FieldId = FieldId(12);
    /// `source.domain`: name of the client, where the line tells no address.
    pub const SOURCE_DOMAIN: FieldId = FieldId(13);
    /// `source.port`: port that the connection came from.
    pub const SOURCE_PORT: FieldId = FieldId(14);
    /// `source.geo.country_iso_code`: country of the source's address, where a database is given.
    pub const SOURCE_GEO_COUNTRY_ISO_CODE: FieldId = FieldId(15);
    /// `source.as.number`: number of the source's network, where a database is given.
    pub const SOURCE_AS_NUMBER: FieldId = FieldId(16);
    /// `source.as.organization.name`: owner of the source's network, where a database is given.
    pub const SOURCE_AS_ORGANIZATION_NAME: FieldId = FieldId(17);
    /// `source.scope`: (own) internal or external, where internal networks are configured.
    pub const SOURCE_SCOPE: FieldId = FieldId(18);
    /// `source.mac`: hardware address of the sender.
    pub const SOURCE_MAC: FieldId = FieldId(19);
    /// `source.bytes`: length of the packet in bytes.
    pub const SOURCE_BYTES: FieldId = FieldId(20);
    /// `destination.ip`: address that was connected to.
    pub const DESTINATION_IP: FieldId = FieldId(21);
    /// `destination.port`: port that was connected to.
    pub const DESTINATION_PORT: FieldId = FieldId(22);
    /// `destination.mac`: hardware address of the receiver.
    pub const DESTINATION_MAC: FieldId = FieldId(23);
    /// `network.transport`: tcp, udp, icmp ….
    pub const NETWORK_TRANSPORT: FieldId = FieldId(24);
    /// `network.forwarded_ip`: the forwarded-for list as written.
    pub const NETWORK_FORWARDED_IP: FieldId = FieldId(25);
    /// `dns.question.name`: name that was asked for, without the last dot.
    pub const DNS_QUESTION_NAME: FieldId = FieldId(26);
    /// `dns.question.type`: type of the record that was asked for.
    pub const DNS_QUESTION_TYPE: FieldId = FieldId(27);
    /// `dns.question.class`: class of the record, IN almost always.
    pub const DNS_QUESTION_CLASS: FieldId = FieldId(28);
    /// `dns.response_code`: how the name server answered, where the line tells.
    pub const DNS_RESPONSE_CODE: FieldId = FieldId(29);
    /// `user.name`: the account that acted or was tried.
    pub const USER_NAME: FieldId = FieldId(30);
    /// `user.id`: numeric id of that account.
    pub const USER_ID: FieldId = FieldId(31);
    /// `user.group.id`: numeric id of the group of that account.
    pub const USER_GROUP_ID: FieldId = FieldId(32);
    /// `user.effective.name`: the account that the command ran as.
    pub const USER_EFFECTIVE_NAME: FieldId = FieldId(33);
    /// `user.effective.id`: numeric id that the process ran with.
    pub const USER_EFFECTIVE_ID: FieldId = FieldId(34);
    /// `user.target.name`: the account that was created, changed or removed.
    pub const USER_TARGET_NAME: FieldId = FieldId(35);
    /// `user.target.id`: numeric id of that account.
    pub const USER_TARGET_ID: FieldId = FieldId(36);
    /// `group.name`: the group concerned.
    pub const GROUP_NAME: FieldId = FieldId(37);
    /// `group.id`: numeric id of the group.
    pub const GROUP_ID: FieldId = FieldId(38);
    /// `host.hostname`: the machine that wrote the line.
    pub const HOST_HOSTNAME: FieldId = FieldId(39);
    /// `host.architecture`: kind of processor, as the system call was made for.
    pub const HOST_ARCHITECTURE: FieldId = FieldId(40);
    /// `process.name`: program that wrote the line.
    pub const PROCESS_NAME: FieldId = FieldId(41);
    /// `process.pid`: its process id.
    pub const PROCESS_PID: FieldId = FieldId(42);
    /// `process.parent.pid`: process id of the one that started it.
    pub const PROCESS_PARENT_PID: FieldId = FieldId(43);
    /// `process.exit_code`: what it ended with; of an audit record, what the system call returned.
    pub const PROCESS_EXIT_CODE: FieldId = FieldId(44);
    /// `process.command_line`: the command that was run.
    pub const PROCESS_COMMAND_LINE: FieldId = FieldId(45);
    /// `process.working_directory`: where it was run.
    pub const PROCESS_WORKING_DIRECTORY: FieldId = FieldId(46);
    /// `process.executable`: path of the program concerned.
    pub const PROCESS_EXECUTABLE: FieldId = FieldId(47);
    /// `file.path`: path of the file concerned.
    pub const FILE_PATH: FieldId = FieldId(48);
    /// `user.audit.id`: id of the account that logged in.
    pub const USER_AUDIT_ID: FieldId = FieldId(49);
    /// `user.saved.id`: (Beats) saved id of the process.
    pub const USER_SAVED_ID: FieldId = FieldId(50);
    /// `user.filesystem.id`: (Beats) id that files are checked against.
    pub const USER_FILESYSTEM_ID: FieldId = FieldId(51);
    /// `auditd.log.record_type`: (Beats) type of the audit record, such as EXECVE.
    pub const AUDITD_LOG_RECORD_TYPE: FieldId = FieldId(52);
    /// `auditd.log.comm`: (own) name of the program concerned, where the line is written by another.
    pub const AUDITD_LOG_COMM: FieldId = FieldId(53);
    /// `auditd.log.op`: (Beats) operation of the record.
    pub const AUDITD_LOG_OP: FieldId = FieldId(54);
    /// `auditd.log.key`: (Beats) key of the audit rule that asked for the record.
    pub const AUDITD_LOG_KEY: FieldId = FieldId(55);
    /// `auditd.log.syscall`: (Beats) number of the system call.
    pub const AUDITD_LOG_SYSCALL: FieldId = FieldId(56);
    /// `auditd.log.syscall_name`: (own) name of the system call, written or after its number.
    pub const AUDITD_LOG_SYSCALL_NAME: FieldId = FieldId(57);
    /// `auditd.log.nametype`: (Beats) what became of the file: CREATE, DELETE, NORMAL, PARENT.
    pub const AUDITD_LOG_NAMETYPE: FieldId = FieldId(58);
    /// `auditd.log.ses`: (Beats) number of the login session.
    pub const AUDITD_LOG_SES: FieldId = FieldId(59);
    /// `auditd.log.terminal`: (Beats) terminal of a login.
    pub const AUDITD_LOG_TERMINAL: FieldId = FieldId(60);
    /// `auditd.log.tty`: (Beats) terminal of the process.
    pub const AUDITD_LOG_TTY: FieldId = FieldId(61);
    /// `auditd.log.laddr`: (Beats) local address, or that of a socket.
    pub const AUDITD_LOG_LADDR: FieldId = FieldId(62);
    /// `auditd.log.lport`: (Beats) local port, or that of a socket.
    pub const AUDITD_LOG_LPORT: FieldId = FieldId(63);
    /// `auditd.log.rport`: (Beats) port at the other end.
    pub const AUDITD_LOG_RPORT: FieldId = FieldId(64);
    /// `auditd.log.a0`: (Beats) argument 0 of a command or a system call.
    pub const AUDITD_LOG_A0: FieldId = FieldId(65);
    /// `auditd.log.a1`: (Beats) argument 1 of a command or a system call.
    pub const AUDITD_LOG_A1: FieldId = FieldId(66);
    /// `auditd.log.a2`: (Beats) argument 2 of a command or a system call.
    pub const AUDITD_LOG_A2: FieldId = FieldId(67);
    /// `auditd.log.a3`: (Beats) argument 3 of a command or a system call.
    pub const AUDITD_LOG_A3: FieldId = FieldId(68);
    /// `auditd.log.a4`: (Beats) argument 4 of a command.
    pub const AUDITD_LOG_A4: FieldId = FieldId(69);
    /// `auditd.log.a5`: (Beats) argument 5 of a command.
    pub const AUDITD_LOG_A5: FieldId = FieldId(70);
    /// `auditd.log.a6`: (Beats) argument 6 of a command.
    pub const AUDITD_LOG_A6: FieldId = FieldId(71);
    /// `auditd.log.a7`: (Beats) argument 7 of a command.
    pub const AUDITD_LOG_A7: FieldId = FieldId(72);
    /// `auditd.log.a8`: (Beats) argument 8 of a command.
    pub const AUDITD_LOG_A8: FieldId = FieldId(73);
    /// `auditd.log.a9`: (Beats) argument 9 of a command.
    pub const AUDITD_LOG_A9: FieldId = FieldId(74);
    /// `auditd.log.a10`: (Beats) argument 10 of a command.
    pub const AUDITD_LOG_A10: FieldId = FieldId(75);
    /// `auditd.log.a11`: (Beats) argument 11 of a command.
    pub const AUDITD_LOG_A11: FieldId = FieldId(76);
    /// `auditd.log.a12`: (Beats) argument 12 of a command.
    pub const AUDITD_LOG_A12: FieldId = FieldId(77);
    /// `auditd.log.a13`: (Beats) argument 13 of a command.
    pub const AUDITD_LOG_A13: FieldId = FieldId(78);
    /// `auditd.log.a14`: (Beats) argument 14 of a command.
    pub const AUDITD_LOG_A14: FieldId = FieldId(79);
    /// `auditd.log.a15`: (Beats) argument 15 of a command.
    pub const AUDITD_LOG_A15: FieldId = FieldId(80);
    /// `auditd.log.a16`: (Beats) argument 16 of a command.
    pub const AUDITD_LOG_A16: FieldId = FieldId(81);
    /// `auditd.log.a17`: (Beats) argument 17 of a command.
    pub const AUDITD_LOG_A17: FieldId = FieldId(82);
    /// `auditd.log.a18`: (Beats) argument 18 of a command.
    pub const AUDITD_LOG_A18: FieldId = FieldId(83);
    /// `auditd.log.a19`: (Beats) argument 19 of a command.
    pub const AUDITD_LOG_A19: FieldId = FieldId(84);
    /// `auditd.log.a20`: (Beats) argument 20 of a command.
    pub const AUDITD_LOG_A20: FieldId = FieldId(85);
    /// `auditd.log.a21`: (Beats) argument 21 of a command.
    pub const AUDITD_LOG_A21: FieldId = FieldId(86);
    /// `auditd.log.a22`: (Beats) argument 22 of a command.
    pub const AUDITD_LOG_A22: FieldId = FieldId(87);
    /// `auditd.log.a23`: (Beats) argument 23 of a command.
    pub const AUDITD_LOG_A23: FieldId = FieldId(88);
    /// `auditd.log.a24`: (Beats) argument 24 of a command.
    pub const AUDITD_LOG_A24: FieldId = FieldId(89);
    /// `auditd.log.a25`: (Beats) argument 25 of a command.
    pub const AUDITD_LOG_A25: FieldId = FieldId(90);
    /// `auditd.log.a26`: (Beats) argument 26 of a command.
    pub const AUDITD_LOG_A26: FieldId = FieldId(91);
    /// `auditd.log.a27`: (Beats) argument 27 of a command.
    pub const AUDITD_LOG_A27: FieldId = FieldId(92);
    /// `auditd.log.a28`: (Beats) argument 28 of a command.
    pub const AUDITD_LOG_A28: FieldId = FieldId(93);
    /// `auditd.log.a29`: (Beats) argument 29 of a command.
    pub const AUDITD_LOG_A29: FieldId = FieldId(94);
    /// `auditd.log.a30`: (Beats) argument 30 of a command.
    pub const AUDITD_LOG_A30: FieldId = FieldId(95);
    /// `auditd.log.a31`: (Beats) argument 31 of a command.
    pub const AUDITD_LOG_A31: FieldId = FieldId(96);
    /// `auditd.log.a32`: (Beats) argument 32 of a command.
    pub const AUDITD_LOG_A32: FieldId = FieldId(97);
    /// `auditd.log.a33`: (Beats) argument 33 of a command.
    pub const AUDITD_LOG_A33: FieldId = FieldId(98);
    /// `auditd.log.a34`: (Beats) argument 34 of a command.
    pub const AUDITD_LOG_A34: FieldId = FieldId(99);
    /// `auditd.log.a35`: (Beats) argument 35 of a command.
    pub const AUDITD_LOG_A35: FieldId = FieldId(100);
    /// `auditd.log.a36`: (Beats) argument 36 of a command.
    pub const AUDITD_LOG_A36: FieldId = FieldId(101);
    /// `auditd.log.a37`: (Beats) argument 37 of a command.
    pub const AUDITD_LOG_A37: FieldId = FieldId(102);
    /// `auditd.log.a38`: (Beats) argument 38 of a command.
    pub const AUDITD_LOG_A38: FieldId = FieldId(103);
    /// `auditd.log.a39`: (Beats) argument 39 of a command.
    pub const AUDITD_LOG_A39: FieldId = FieldId(104);
    /// `auditd.log.a40`: (Beats) argument 40 of a command.
    pub const AUDITD_LOG_A40: FieldId = FieldId(105);
    /// `auditd.log.a41`: (Beats) argument 41 of a command.
    pub const AUDITD_LOG_A41: FieldId = FieldId(106);
    /// `auditd.log.a42`: (Beats) argument 42 of a command.
    pub const AUDITD_LOG_A42: FieldId = FieldId(107);
    /// `auditd.log.a43`: (Beats) argument 43 of a command.
    pub const AUDITD_LOG_A43: FieldId = FieldId(108);
    /// `auditd.log.a44`: (Beats) argument 44 of a command.
    pub const AUDITD_LOG_A44: FieldId = FieldId(109);
    /// `auditd.log.a45`: (Beats) argument 45 of a command.
    pub const AUDITD_LOG_A45: FieldId = FieldId(110);
    /// `auditd.log.a46`: (Beats) argument 46 of a command.
    pub const AUDITD_LOG_A46: FieldId = FieldId(111);
    /// `auditd.log.a47`: (Beats) argument 47 of a command.
    pub const AUDITD_LOG_A47: FieldId = FieldId(112);
    /// `auditd.log.a48`: (Beats) argument 48 of a command.
    pub const AUDITD_LOG_A48: FieldId = FieldId(113);
    /// `auditd.log.a49`: (Beats) argument 49 of a command.
    pub const AUDITD_LOG_A49: FieldId = FieldId(114);
    /// `auditd.log.a50`: (Beats) argument 50 of a command.
    pub const AUDITD_LOG_A50: FieldId = FieldId(115);
    /// `auditd.log.a51`: (Beats) argument 51 of a command.
    pub const AUDITD_LOG_A51: FieldId = FieldId(116);
    /// `auditd.log.a52`: (Beats) argument 52 of a command.
    pub const AUDITD_LOG_A52: FieldId = FieldId(117);
    /// `auditd.log.a53`: (Beats) argument 53 of a command.
    pub const AUDITD_LOG_A53: FieldId = FieldId(118);
    /// `auditd.log.a54`: (Beats) argument 54 of a command.
    pub const AUDITD_LOG_A54: FieldId = FieldId(119);
    /// `auditd.log.a55`: (Beats) argument 55 of a command.
    pub const AUDITD_LOG_A55: FieldId = FieldId(120);
    /// `auditd.log.a56`: (Beats) argument 56 of a command.
    pub const AUDITD_LOG_A56: FieldId = FieldId(121);
    /// `auditd.log.a57`: (Beats) argument 57 of a command.
    pub const AUDITD_LOG_A57: FieldId = FieldId(122);
    /// `auditd.log.a58`: (Beats) argument 58 of a command.
    pub const AUDITD_LOG_A58: FieldId = FieldId(123);
    /// `auditd.log.a59`: (Beats) argument 59 of a command.
    pub const AUDITD_LOG_A59: FieldId = FieldId(124);
    /// `auditd.log.a60`: (Beats) argument 60 of a command.
    pub const AUDITD_LOG_A60: FieldId = FieldId(125);
    /// `auditd.log.a61`: (Beats) argument 61 of a command.
    pub const AUDITD_LOG_A61: FieldId = FieldId(126);
    /// `auditd.log.a62`: (Beats) argument 62 of a command.
    pub const AUDITD_LOG_A62: FieldId = FieldId(127);
    /// `auditd.log.a63`: (Beats) argument 63 of a command.
    pub const AUDITD_LOG_A63: FieldId = FieldId(128);
    /// `service.name`: PAM service that asked, or the unit that started or stopped.
    pub const SERVICE_NAME: FieldId = FieldId(129);
    /// `url.original`: request target as sent.
    pub const URL_ORIGINAL: FieldId = FieldId(130);
    /// `url.path`: target up to the first question mark.
    pub const URL_PATH: FieldId = FieldId(131);
    /// `url.query`: target after the first question mark.
    pub const URL_QUERY: FieldId = FieldId(132);
    /// `url.domain`: host that the request was for.
    pub const URL_DOMAIN: FieldId = FieldId(133);
    /// `url.port`: port that the request was for.
    pub const URL_PORT: FieldId = FieldId(134);
    /// `http.request.method`: request method.
    pub const HTTP_REQUEST_METHOD: FieldId = FieldId(135);
    /// `http.version`: protocol version without the word HTTP.
    pub const HTTP_VERSION: FieldId = FieldId(136);
    /// `http.request.referrer`: referring page.
    pub const HTTP_REQUEST_REFERRER: FieldId = FieldId(137);
    /// `http.response.status_code`: answer code.
    pub const HTTP_RESPONSE_STATUS_CODE: FieldId = FieldId(138);
    /// `http.response.body.bytes`: length of the answer in bytes.
    pub const HTTP_RESPONSE_BODY_BYTES: FieldId = FieldId(139);
    /// `user_agent.original`: client program as it names itself.
    pub const USER_AGENT_ORIGINAL: FieldId = FieldId(140);
    /// `user_agent.type`: (own) browser, crawler, scanner, tool, library, monitor, other or none, where asked for.
    pub const USER_AGENT_TYPE: FieldId = FieldId(141);
    /// `access.extra`: (own) what follows the known fields of an access line.
    pub const ACCESS_EXTRA: FieldId = FieldId(142);
    /// `log.syslog.priority`: PRI value.
    pub const LOG_SYSLOG_PRIORITY: FieldId = FieldId(143);
    /// `log.syslog.facility.code`: facility number.
    pub const LOG_SYSLOG_FACILITY_CODE: FieldId = FieldId(144);
    /// `log.syslog.severity.code`: severity number.
    pub const LOG_SYSLOG_SEVERITY_CODE: FieldId = FieldId(145);
    /// `log.syslog.version`: protocol version of RFC 5424.
    pub const LOG_SYSLOG_VERSION: FieldId = FieldId(146);
    /// `log.syslog.procid`: process id as written where it is not a number.
    pub const LOG_SYSLOG_PROCID: FieldId = FieldId(147);
    /// `log.syslog.msgid`: kind of message.
    pub const LOG_SYSLOG_MSGID: FieldId = FieldId(148);
    /// `log.syslog.structured_data`: structured data as written.
    pub const LOG_SYSLOG_STRUCTURED_DATA: FieldId = FieldId(149);
    /// `log.syslog.repeated`: (own) how often the message was repeated.
    pub const LOG_SYSLOG_REPEATED: FieldId = FieldId(150);
    /// `system.auth.ssh.event`: (own) result word of sshd: Accepted, Failed, Invalid ….
    pub const SYSTEM_AUTH_SSH_EVENT: FieldId = FieldId(151);
    /// `system.auth.ssh.method`: (own) authentication method.
    pub const SYSTEM_AUTH_SSH_METHOD: FieldId = FieldId(152);
    /// `system.auth.ssh.signature`: (own) fingerprint of the key.
    pub const SYSTEM_AUTH_SSH_SIGNATURE: FieldId = FieldId(153);
    /// `system.auth.sudo.tty`: (own) terminal.
    pub const SYSTEM_AUTH_SUDO_TTY: FieldId = FieldId(154);
    /// `system.auth.sudo.error`: (own) why sudo refused.
    pub const SYSTEM_AUTH_SUDO_ERROR: FieldId = FieldId(155);
    /// `system.auth.useradd.home`: (own) home folder of the new account.
    pub const SYSTEM_AUTH_USERADD_HOME: FieldId = FieldId(156);
    /// `system.auth.useradd.shell`: (own) shell of the new account.
    pub const SYSTEM_AUTH_USERADD_SHELL: FieldId = FieldId(157);
    /// `system.auth.pam.module`: (own) PAM module and phase.
    pub const SYSTEM_AUTH_PAM_MODULE: FieldId = FieldId(158);
    /// `iptables.prefix`: (own) what the rule wrote in front.
    pub const IPTABLES_PREFIX: FieldId = FieldId(159);
    /// `iptables.in`: (own) incoming interface.
    pub const IPTABLES_IN: FieldId = FieldId(160);
    /// `iptables.out`: (own) outgoing interface.
    pub const IPTABLES_OUT: FieldId = FieldId(161);
    /// `iptables.tcp_flags`: (own) TCP flags.
    pub const IPTABLES_TCP_FLAGS: FieldId = FieldId(162);
    /// `iptables.ttl`: (own) time to live.
    pub const IPTABLES_TTL: FieldId = FieldId(163);
    /// `container.name`: name of the container that wrote the line, as its runtime says.
    pub const CONTAINER_NAME: FieldId = FieldId(164);
    /// `log.iostream`: (own) stdout or stderr, as the runtime of a container says.
    pub const LOG_IOSTREAM: FieldId = FieldId(165);
    /// `orchestrator.resource.name`: the pod that the container belongs to.
    pub const ORCHESTRATOR_RESOURCE_NAME: FieldId = FieldId(166);
    /// `log.level`: level of the message, as the program names it.
    pub const LOG_LEVEL: FieldId = FieldId(167);
    /// `process.thread.id`: number of the thread that wrote the line.
    pub const PROCESS_THREAD_ID: FieldId = FieldId(168);
    /// `event.duration`: how long it took, in nanoseconds.
    pub const EVENT_DURATION: FieldId = FieldId(169);
    /// `rule.id`: the rule that the program itself has applied.
    pub const RULE_ID: FieldId = FieldId(170);
    /// `url.scheme`: scheme that the request was made with.
    pub const URL_SCHEME: FieldId = FieldId(171);
    /// `url.extension`: extension of the file in the path.
    pub const URL_EXTENSION: FieldId = FieldId(172);
    /// `http.request.bytes`: length of the request in bytes.
    pub const HTTP_REQUEST_BYTES: FieldId = FieldId(173);
    /// `http.request.headers.cookie`: (own) cookies of the request.
    pub const HTTP_REQUEST_HEADERS_COOKIE: FieldId = FieldId(174);
    /// `http.response.bytes`: length of the answer in bytes, with its headers.
    pub const HTTP_RESPONSE_BYTES: FieldId = FieldId(175);
    /// `haproxy.frontend_name`: (Beats) frontend that took the connection.
    pub const HAPROXY_FRONTEND_NAME: FieldId = FieldId(176);
    /// `haproxy.backend_name`: (Beats) backend that answered.
    pub const HAPROXY_BACKEND_NAME: FieldId = FieldId(177);
    /// `haproxy.server_name`: (Beats) server of the backend, or why there is none.
    pub const HAPROXY_SERVER_NAME: FieldId = FieldId(178);
    /// `haproxy.termination_state`: (Beats) who ended the session, and in which state it was.
    pub const HAPROXY_TERMINATION_STATE: FieldId = FieldId(179);
    /// `haproxy.http.request.captured_headers`: (Beats) headers that were captured.
    pub const HAPROXY_HTTP_REQUEST_CAPTURED_HEADERS: FieldId = FieldId(180);
    /// `iis.access.site_name`: (Beats) site of the server.
    pub const IIS_ACCESS_SITE_NAME: FieldId = FieldId(181);
    /// `iis.access.server_name`: (Beats) name of the server.
    pub const IIS_ACCESS_SERVER_NAME: FieldId = FieldId(182);
    /// `iis.access.sub_status`: (Beats) second part of the status.
    pub const IIS_ACCESS_SUB_STATUS: FieldId = FieldId(183);
    /// `iis.access.win32_status`: (Beats) status of Windows.
    pub const IIS_ACCESS_WIN32_STATUS: FieldId = FieldId(184);
    /// `aws.s3access.bucket`: (Beats) bucket that the request was for.
    pub const AWS_S3ACCESS_BUCKET: FieldId = FieldId(185);
    /// `log.syslog.facility.name`: name of the facility, such as authpriv.
    pub const LOG_SYSLOG_FACILITY_NAME: FieldId = FieldId(186);
    /// `log.syslog.severity.name`: name of the severity, such as warning.
    pub const LOG_SYSLOG_SEVERITY_NAME: FieldId = FieldId(187);
    /// `log.logger`: part of the program that wrote the message.
    pub const LOG_LOGGER: FieldId = FieldId(188);
    /// `log.origin.file.name`: source file that wrote the message.
    pub const LOG_ORIGIN_FILE_NAME: FieldId = FieldId(189);
    /// `log.origin.file.line`: line of the source file.
    pub const LOG_ORIGIN_FILE_LINE: FieldId = FieldId(190);
    /// `process.thread.name`: thread that wrote the message.
    pub const PROCESS_THREAD_NAME: FieldId = FieldId(191);
    /// `source.user.name`: account at the other end of the connection, as that end tells it.
    pub const SOURCE_USER_NAME: FieldId = FieldId(192);
    /// `user.changes.name`: what an account is called after a change.
    pub const USER_CHANGES_NAME: FieldId = FieldId(193);
    /// `event.code`: the product's own number or name of this kind of event.
    pub const EVENT_CODE: FieldId = FieldId(194);
    /// `event.id`: the product's own id of this event.
    pub const EVENT_ID: FieldId = FieldId(195);
    /// `event.provider`: part of the product that wrote the event.
    pub const EVENT_PROVIDER: FieldId = FieldId(196);
    /// `event.severity`: how grave the product says the event is, in its own numbers.
    pub const EVENT_SEVERITY: FieldId = FieldId(197);
    /// `url.full`: the whole URL, with scheme and host.
    pub const URL_FULL: FieldId = FieldId(198);
    /// `user.domain`: domain or realm of that account.
    pub const USER_DOMAIN: FieldId = FieldId(199);
    /// `user.email`: mail address of that account.
    pub const USER_EMAIL: FieldId = FieldId(200);
    /// `destination.domain`: name that was connected to.
    pub const DESTINATION_DOMAIN: FieldId = FieldId(201);
    /// `destination.bytes`: bytes that the other end sent.
    pub const DESTINATION_BYTES: FieldId = FieldId(202);
    /// `host.name`: the machine concerned, as the product names it.
    pub const HOST_NAME: FieldId = FieldId(203);
    /// `rule.name`: rule or signature of the product that the event is about.
    pub const RULE_NAME: FieldId = FieldId(204);
    /// `rule.category`: the product's kind of that rule.
    pub const RULE_CATEGORY: FieldId = FieldId(205);
    /// `network.protocol`: protocol of the application, such as http or dns.
    pub const NETWORK_PROTOCOL: FieldId = FieldId(206);
    /// `network.direction`: inbound, outbound, as the product says.
    pub const NETWORK_DIRECTION: FieldId = FieldId(207);
    /// `observer.vendor`: maker of the product that wrote the event.
    pub const OBSERVER_VENDOR: FieldId = FieldId(208);
    /// `observer.product`: product that wrote the event.
    pub const OBSERVER_PRODUCT: FieldId = FieldId(209);
    /// `observer.version`: its version.
    pub const OBSERVER_VERSION: FieldId = FieldId(210);
    /// `process.parent.name`: name of the process that started it.
    pub const PROCESS_PARENT_NAME: FieldId = FieldId(211);
    /// `process.parent.executable`: path of the program of that process.
    pub const PROCESS_PARENT_EXECUTABLE: FieldId = FieldId(212);
    /// `process.parent.command_line`: the command with which that process was run.
    pub const PROCESS_PARENT_COMMAND_LINE: FieldId = FieldId(213);
    /// `file.name`: name of the file, without its folder.
    pub const FILE_NAME: FieldId = FieldId(214);
    /// `file.size`: its size in bytes.
    pub const FILE_SIZE: FieldId = FieldId(215);
    /// `file.hash.md5`: MD5 of the file.
    pub const FILE_HASH_MD5: FieldId = FieldId(216);
    /// `file.hash.sha1`: SHA-1 of the file.
    pub const FILE_HASH_SHA1: FieldId = FieldId(217);
    /// `file.hash.sha256`: SHA-256 of the file.
    pub const FILE_HASH_SHA256: FieldId = FieldId(218);
    /// `email.from.address`: sender of the mail.
    pub const EMAIL_FROM_ADDRESS: FieldId = FieldId(219);
    /// `email.to.address`: receivers of the mail.
    pub const EMAIL_TO_ADDRESS: FieldId = FieldId(220);
    /// `email.subject`: subject of the mail.
    pub const EMAIL_SUBJECT: FieldId = FieldId(221);
    /// `dns.answers.data`: what the name server answered.
    pub const DNS_ANSWERS_DATA: FieldId = FieldId(222);
    /// `cloud.account.id`: account, subscription or project of the cloud.
    pub const CLOUD_ACCOUNT_ID: FieldId = FieldId(223);
    /// `cloud.region`: region of the cloud.
    pub const CLOUD_REGION: FieldId = FieldId(224);
    /// `container.id`: its id.
    pub const CONTAINER_ID: FieldId = FieldId(225);
    /// `orchestrator.namespace`: namespace of the resource concerned.
    pub const ORCHESTRATOR_NAMESPACE: FieldId = FieldId(226);
    /// `orchestrator.resource.type`: kind of that resource.
    pub const ORCHESTRATOR_RESOURCE_TYPE: FieldId = FieldId(227);
    /// `c0di3.guessed`: (own) fields of this event that the dictionary of synonyms has filled.
    pub const C0DI3_GUESSED: FieldId = FieldId(228);
    /// `package.name`: the package that was installed, upgraded or removed, or a list of them.
    pub const PACKAGE_NAME: FieldId = FieldId(229);
    /// `package.version`: its version; of a removed one the last.
    pub const PACKAGE_VERSION: FieldId = FieldId(230);
    /// `package.previous_version`: (own) its version before an upgrade.
    pub const PACKAGE_PREVIOUS_VERSION: FieldId = FieldId(231);
    /// `package.architecture`: kind of processor that it is for.
    pub const PACKAGE_ARCHITECTURE: FieldId = FieldId(232);
    /// `system.logins.terminal`: (own) terminal of a recorded login.
    pub const SYSTEM_LOGINS_TERMINAL: FieldId = FieldId(233);
    /// `system.logins.failures`: (own) failed logins that were counted for the account.
    pub const SYSTEM_LOGINS_FAILURES: FieldId = FieldId(234);
    /// `network.application`: application that the device recognised.
    pub const NETWORK_APPLICATION: FieldId = FieldId(235);
    /// `network.bytes`: bytes of both directions.
    pub const NETWORK_BYTES: FieldId = FieldId(236);
    /// `network.vlan.id`: number of the virtual network.
    pub const NETWORK_VLAN_ID: FieldId = FieldId(237);
    /// `source.nat.ip`: address of the source behind translation.
    pub const SOURCE_NAT_IP: FieldId = FieldId(238);
    /// `source.nat.port`: port of the source behind translation.
    pub const SOURCE_NAT_PORT: FieldId = FieldId(239);
    /// `destination.nat.ip`: address of the destination behind translation.
    pub const DESTINATION_NAT_IP: FieldId = FieldId(240);
    /// `destination.nat.port`: port of the destination behind translation.
    pub const DESTINATION_NAT_PORT: FieldId = FieldId(241);
    /// `observer.type`: what the device is: firewall, switch, ids ….
    pub const OBSERVER_TYPE: FieldId = FieldId(242);
    /// `observer.ingress.interface.name`: interface that the traffic came in by.
    pub const OBSERVER_INGRESS_INTERFACE_NAME: FieldId = FieldId(243);
    /// `observer.egress.interface.name`: interface that the traffic leaves by.
    pub const OBSERVER_EGRESS_INTERFACE_NAME: FieldId = FieldId(244);
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
        datasets: &["application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.s3access", "azure.signinlogs", "board.log", "bsd.firewall", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "clamav.log", "cloudflare.access", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "fail2ban.log", "fortinet_fortigate.log", "ftp.log", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hostapd.log", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "keycloak.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "ocsf.event", "okta.system", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.log", "sonicwall.firewall", "squid.access", "sshesame.log", "sshguard.log", "synology.log", "system.accounts", "system.cron", "system.kernel", "system.logins", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "event.action",
        kind: FieldType::Keyword,
        meaning: "what was done, in one word",
        datasets: &["application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudtrail", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "clamav.log", "cloudflare.access", "cloudflare.firewall", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "hostapd.log", "http.access", "http.error", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "nextcloud.log", "ntfy.log", "o365.audit", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "osquery.result", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.accounts", "system.boot", "system.cron", "system.kernel", "system.logins", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.dce_rpc", "zeek.kerberos", "zeek.smb_files", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "event.outcome",
        kind: FieldType::Keyword,
        meaning: "success or failure",
        datasets: &["application.event", "application.log", "audiobookshelf.log", "auditd.laurel", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudtrail", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.signinlogs", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "gitlab.auth", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "hostapd.log", "http.error", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opensearch.audit", "overseerr.log", "panw.panos", "pfsense.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "sonicwall.firewall", "sophos.xg", "sshesame.log", "stormshield.sns", "suricata.eve", "synology.log", "system.accounts", "system.cron", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "webapp.log", "windows.event", "windows.firewall", "zeek.kerberos", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "event.reason",
        kind: FieldType::Keyword,
        meaning: "why the action ended as it did",
        datasets: &["auth0.logs", "authentik.log", "aws.cloudtrail", "aws.s3access", "azure.signinlogs", "cef.event", "cisco.asa", "cisco.ios", "citrix.adc", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "grafana.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "jumpcloud.events", "juniper.junos", "keycloak.event", "mail.log", "mattermost.log", "minio.audit", "modsecurity.audit", "mongodb.log", "ntfy.log", "o365.audit", "ocsf.event", "okta.system", "panw.panos", "samba.audit", "sftpgo.log", "sonicwall.firewall", "synology.log", "system.accounts", "system.cron", "system.packages", "system.pam", "system.sshd", "system.syslog", "teleport.audit", "voip.log", "vpn.log", "webapp.log", "zyxel.firewall"],
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
        datasets: &["application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.guardduty", "azure.gateway", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "clamav.log", "cloud-init.log", "container.log", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "f5.bigip", "fail2ban.log", "falco.alerts", "fluentbit.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gitlab.auth", "grafana.log", "guacamole.log", "haproxy.log", "hostapd.log", "http.access", "http.error", "iis.access", "iptables.log", "juniper.junos", "key_value.event", "keycloak.event", "leef.event", "mail.log", "mattermost.log", "mikrotik.log", "mongodb.log", "nextcloud.log", "ntfy.log", "ocsf.event", "okta.system", "openappsec.log", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "service.log", "sftpgo.log", "snort.log", "sonicwall.firewall", "sophos.xg", "sshguard.log", "synology.log", "syslog", "system.accounts", "system.boot", "system.cron", "system.kernel", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.event", "windows.firewall", "xorg.log", "zeek.log", "zyxel.firewall"],
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
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.address",
        kind: FieldType::Keyword,
        meaning: "the client: its address, or its name where the line tells only that",
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.domain",
        kind: FieldType::Keyword,
        meaning: "name of the client, where the line tells no address",
        datasets: &["auditd.log", "cef.event", "database.log", "ftp.log", "http.access", "mail.log", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "vsftpd.log", "windows.dhcp"],
        within: None,
        url: false,
    },
    Field {
        name: "source.port",
        kind: FieldType::Long,
        meaning: "port that the connection came from",
        datasets: &["application.event", "application.log", "aws.cloudfront_logs", "aws.elb_logs", "aws.guardduty", "aws.vpcflow", "azure.gateway", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "coraza.audit", "cowrie.log", "database.log", "directory.log", "dns.log", "ecs.event", "elasticsearch.audit", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "juniper.junos", "leef.event", "mail.log", "mikrotik.log", "modsecurity.audit", "mongodb.log", "o365.audit", "ocsf.event", "openappsec.log", "opencanary.log", "panw.panos", "pfsense.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "sshesame.log", "stormshield.sns", "suricata.eve", "system.pam", "system.sshd", "teleport.audit", "voip.log", "vpn.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.geo.country_iso_code",
        kind: FieldType::Keyword,
        meaning: "country of the source's address, where a database is given",
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.as.number",
        kind: FieldType::Long,
        meaning: "number of the source's network, where a database is given",
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.as.organization.name",
        kind: FieldType::Keyword,
        meaning: "owner of the source's network, where a database is given",
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.scope",
        kind: FieldType::Keyword,
        meaning: "(own) internal or external, where internal networks are configured",
        datasets: &["adguard.querylog", "application.event", "application.log", "arpwatch.log", "audiobookshelf.log", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.guardduty", "aws.s3access", "aws.vpcflow", "aws.waf", "azure.activitylogs", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "database.log", "dhcp.log", "directory.log", "dns.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "fail2ban.log", "fortinet.fortiweb", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "haproxy.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "iptables.log", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mattermost.audit", "mattermost.log", "mikrotik.log", "minio.audit", "modsecurity.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "openappsec.log", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "system.kernel", "system.logins", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "tyk.log", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "wazuh.alerts", "webapp.log", "windows.dhcp", "windows.event", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "source.mac",
        kind: FieldType::Keyword,
        meaning: "hardware address of the sender",
        datasets: &["arpwatch.log", "cef.event", "cisco.ios", "cisco.ise", "cisco.meraki", "dhcp.log", "hostapd.log", "iptables.log", "leef.event", "mikrotik.log", "ocsf.event", "windows.dhcp"],
        within: None,
        url: false,
    },
    Field {
        name: "source.bytes",
        kind: FieldType::Long,
        meaning: "length of the packet in bytes",
        datasets: &["aws.vpcflow", "cef.event", "cisco.asa", "cisco.ios", "fortinet_fortigate.log", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "sophos.xg", "zeek.connection"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.ip",
        kind: FieldType::Ip,
        meaning: "address that was connected to",
        datasets: &["adguard.querylog", "aws.elb_logs", "aws.vpcflow", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "cowrie.log", "dhcp.log", "dns.log", "f5.bigip", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "haproxy.log", "http.access", "http.error", "iis.access", "iptables.log", "juniper.junos", "key_value.event", "leef.event", "mail.log", "mikrotik.log", "modsecurity.audit", "ocsf.event", "openappsec.log", "opencanary.log", "ossec.alerts", "panw.panos", "pfsense.log", "proxy.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "squid.access", "stormshield.sns", "suricata.eve", "voip.log", "vpn.log", "watchguard.firebox", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.port",
        kind: FieldType::Long,
        meaning: "port that was connected to",
        datasets: &["adguard.querylog", "application.log", "aws.elb_logs", "aws.guardduty", "aws.vpcflow", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "coraza.audit", "cowrie.log", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "haproxy.log", "http.access", "http.error", "iis.access", "iptables.log", "juniper.junos", "leef.event", "mail.log", "mikrotik.log", "modsecurity.audit", "ocsf.event", "openappsec.log", "opencanary.log", "panw.panos", "pfsense.log", "samba.audit", "service.log", "sftpgo.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "stormshield.sns", "suricata.eve", "voip.log", "watchguard.firebox", "webapp.log", "windows.firewall", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.mac",
        kind: FieldType::Keyword,
        meaning: "hardware address of the receiver",
        datasets: &["cef.event", "iptables.log", "leef.event", "ocsf.event"],
        within: None,
        url: false,
    },
    Field {
        name: "network.transport",
        kind: FieldType::Keyword,
        meaning: "tcp, udp, icmp …",
        datasets: &["aws.guardduty", "aws.vpcflow", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "dns.log", "fortinet.fortiweb", "fortinet_fortigate.log", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "snort.alert", "snort.log", "sonicwall.firewall", "sophos.xg", "stormshield.sns", "suricata.eve", "watchguard.firebox", "windows.firewall", "zeek.connection", "zeek.dns", "zeek.log"],
        within: None,
        url: false,
    },
    Field {
        name: "network.forwarded_ip",
        kind: FieldType::Keyword,
        meaning: "the forwarded-for list as written",
        datasets: &["aws.cloudfront_logs", "f5.bigip_asm", "http.access", "iis.access", "openappsec.log", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "dns.question.name",
        kind: FieldType::Keyword,
        meaning: "name that was asked for, without the last dot",
        datasets: &["adguard.querylog", "dns.log", "suricata.eve", "zeek.dns"],
        within: None,
        url: false,
    },
    Field {
        name: "dns.question.type",
        kind: FieldType::Keyword,
        meaning: "type of the record that was asked for",
        datasets: &["adguard.querylog", "dns.log", "suricata.eve", "zeek.dns"],
        within: None,
        url: false,
    },
    Field {
        name: "dns.question.class",
        kind: FieldType::Keyword,
        meaning: "class of the record, IN almost always",
        datasets: &["adguard.querylog", "dns.log", "zeek.dns"],
        within: None,
        url: false,
    },
    Field {
        name: "dns.response_code",
        kind: FieldType::Keyword,
        meaning: "how the name server answered, where the line tells",
        datasets: &["dns.log", "suricata.eve", "zeek.dns"],
        within: None,
        url: false,
    },
    Field {
        name: "user.name",
        kind: FieldType::Keyword,
        meaning: "the account that acted or was tried",
        datasets: &["application.event", "application.log", "audiobookshelf.log", "auditd.laurel", "auditd.log", "auth0.logs", "authelia.log", "authentik.log", "aws.cloudtrail", "azure.activitylogs", "azure.auditlogs", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "board.log", "cef.event", "cisco.asa", "cisco.ios", "cisco.ise", "citrix.adc", "cloudflare.access", "cowrie.log", "database.log", "directory.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip", "f5.bigip_asm", "falco.alerts", "fortinet_fortigate.log", "ftp.log", "gcp.audit", "github.audit", "google_workspace.admin", "google_workspace.login", "guacamole.log", "hashicorp_vault.audit", "http.access", "http.error", "iis.access", "jumpcloud.events", "juniper.junos", "key_value.event", "keycloak.event", "kubernetes.audit", "leef.event", "mail.log", "mikrotik.log", "minio.audit", "mongodb.log", "nextcloud.log", "ntfy.log", "o365.audit", "o365.threat_management", "ocsf.event", "okta.system", "opencanary.log", "opensearch.audit", "ossec.alerts", "overseerr.log", "panw.panos", "pfsense.log", "proxy.log", "qnap.log", "samba.audit", "service.log", "sftpgo.log", "sonicwall.firewall", "sophos.xg", "squid.access", "sshesame.log", "stormshield.sns", "synology.log", "system.accounts", "system.cron", "system.kernel", "system.logins", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "teleport.audit", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "wazuh.alerts", "webapp.log", "windows.event", "zeek.kerberos", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "user.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of that account",
        datasets: &["auditd.laurel", "auditd.log", "auth0.logs", "aws.cloudtrail", "aws.s3access", "azure.auditlogs", "azure.riskdetection", "azure.signinlogs", "bitbucket.audit", "cloudflare.access", "duo.authentication", "falco.alerts", "github.audit", "google_workspace.admin", "google_workspace.login", "hashicorp_vault.audit", "iptables.log", "jumpcloud.events", "keycloak.event", "o365.audit", "ocsf.event", "okta.system", "osquery.result", "samba.audit", "system.cron", "system.kernel", "system.logins", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "user.group.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of the group of that account",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "user.effective.name",
        kind: FieldType::Keyword,
        meaning: "the account that the command ran as",
        datasets: &["auditd.laurel", "auditd.log", "system.cron", "system.kernel", "system.pam", "system.sshd", "system.su", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "user.effective.id",
        kind: FieldType::Keyword,
        meaning: "numeric id that the process ran with",
        datasets: &["auditd.laurel", "auditd.log", "system.cron", "system.kernel", "system.pam", "system.sshd", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "user.target.name",
        kind: FieldType::Keyword,
        meaning: "the account that was created, changed or removed",
        datasets: &["azure.auditlogs", "cef.event", "okta.system", "system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "user.target.id",
        kind: FieldType::Keyword,
        meaning: "numeric id of that account",
        datasets: &["auditd.log", "system.accounts", "system.kernel"],
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
        datasets: &["arpwatch.log", "auditd.laurel", "auditd.log", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "clamav.log", "database.log", "dhcp.log", "directory.log", "dns.log", "f5.bigip", "fail2ban.log", "ftp.log", "guacamole.log", "haproxy.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "key_value.event", "leef.event", "mail.log", "mikrotik.log", "ossec.alerts", "panw.panos", "pfsense.log", "qnap.log", "service.log", "snort.log", "sshguard.log", "synology.log", "syslog", "system.accounts", "system.cron", "system.kernel", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "watchguard.firebox", "webapp.log", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "host.architecture",
        kind: FieldType::Keyword,
        meaning: "kind of processor, as the system call was made for",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "process.name",
        kind: FieldType::Keyword,
        meaning: "program that wrote the line",
        datasets: &["arpwatch.log", "audiobookshelf.log", "auditd.log", "authelia.log", "board.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "clamav.log", "cloud-init.log", "database.log", "dhcp.log", "directory.log", "dns.log", "ecs.event", "f5.bigip", "fail2ban.log", "falco.alerts", "ftp.log", "guacamole.log", "haproxy.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "key_value.event", "mail.log", "mikrotik.log", "nextcloud.log", "ossec.alerts", "pfsense.log", "qnap.log", "service.log", "sftpgo.log", "snort.log", "sshguard.log", "synology.log", "syslog", "system.accounts", "system.cron", "system.kernel", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "voip.log", "vpn.log", "vsftpd.log", "webapp.log", "windows.event", "windows.firewall", "xorg.log"],
        within: None,
        url: false,
    },
    Field {
        name: "process.pid",
        kind: FieldType::Long,
        meaning: "its process id",
        datasets: &["application.log", "auditd.laurel", "auditd.log", "authentik.log", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.ios", "clamav.log", "database.log", "dhcp.log", "directory.log", "dns.log", "ecs.event", "f5.bigip", "fail2ban.log", "falco.alerts", "ftp.log", "guacamole.log", "haproxy.log", "hostapd.log", "http.access", "http.error", "juniper.junos", "key_value.event", "mail.log", "osquery.result", "pfsense.log", "qnap.log", "service.log", "snort.log", "sshguard.log", "syslog", "system.accounts", "system.cron", "system.kernel", "system.logins", "system.packages", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "voip.log", "vpn.log", "vsftpd.log", "webapp.log", "windows.event", "windows.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "process.parent.pid",
        kind: FieldType::Long,
        meaning: "process id of the one that started it",
        datasets: &["auditd.laurel", "auditd.log", "ecs.event", "osquery.result", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "process.exit_code",
        kind: FieldType::Long,
        meaning: "what it ended with; of an audit record, what the system call returned",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "process.command_line",
        kind: FieldType::Keyword,
        meaning: "the command that was run",
        datasets: &["auditd.laurel", "auditd.log", "cisco.asa", "cisco.ios", "cowrie.log", "ecs.event", "f5.bigip", "falco.alerts", "juniper.junos", "osquery.result", "panw.panos", "system.cron", "system.kernel", "system.packages", "system.pam", "system.sudo", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "process.working_directory",
        kind: FieldType::Keyword,
        meaning: "where it was run",
        datasets: &["auditd.laurel", "auditd.log", "ecs.event", "osquery.result", "system.kernel", "system.pam", "system.sudo"],
        within: None,
        url: false,
    },
    Field {
        name: "process.executable",
        kind: FieldType::Keyword,
        meaning: "path of the program concerned",
        datasets: &["auditd.laurel", "auditd.log", "ecs.event", "falco.alerts", "osquery.result", "system.kernel", "system.sshd", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "file.path",
        kind: FieldType::Keyword,
        meaning: "path of the file concerned",
        datasets: &["auditd.laurel", "auditd.log", "cef.event", "clamav.log", "falco.alerts", "hashicorp_vault.audit", "http.error", "minio.audit", "panw.panos", "pfsense.log", "sftpgo.log", "suricata.eve", "system.kernel", "system.packages", "system.sshd", "system.syslog", "zeek.smb_files"],
        within: None,
        url: false,
    },
    Field {
        name: "user.audit.id",
        kind: FieldType::Keyword,
        meaning: "id of the account that logged in",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "user.saved.id",
        kind: FieldType::Keyword,
        meaning: "(Beats) saved id of the process",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "user.filesystem.id",
        kind: FieldType::Keyword,
        meaning: "(Beats) id that files are checked against",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.record_type",
        kind: FieldType::Keyword,
        meaning: "(Beats) type of the audit record, such as EXECVE",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.comm",
        kind: FieldType::Keyword,
        meaning: "(own) name of the program concerned, where the line is written by another",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
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
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.syscall",
        kind: FieldType::Keyword,
        meaning: "(Beats) number of the system call",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.syscall_name",
        kind: FieldType::Keyword,
        meaning: "(own) name of the system call, written or after its number",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.nametype",
        kind: FieldType::Keyword,
        meaning: "(Beats) what became of the file: CREATE, DELETE, NORMAL, PARENT",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.ses",
        kind: FieldType::Keyword,
        meaning: "(Beats) number of the login session",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.terminal",
        kind: FieldType::Keyword,
        meaning: "(Beats) terminal of a login",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.tty",
        kind: FieldType::Keyword,
        meaning: "(Beats) terminal of the process",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.laddr",
        kind: FieldType::Keyword,
        meaning: "(Beats) local address, or that of a socket",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.lport",
        kind: FieldType::Keyword,
        meaning: "(Beats) local port, or that of a socket",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.rport",
        kind: FieldType::Keyword,
        meaning: "(Beats) port at the other end",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a0",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 0 of a command or a system call",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a1",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 1 of a command or a system call",
        datasets: &["auditd.laurel", "auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a2",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 2 of a command or a system call",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a3",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 3 of a command or a system call",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a4",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 4 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a5",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 5 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a6",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 6 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a7",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 7 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a8",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 8 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a9",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 9 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a10",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 10 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a11",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 11 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a12",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 12 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a13",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 13 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a14",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 14 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a15",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 15 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a16",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 16 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a17",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 17 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a18",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 18 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a19",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 19 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a20",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 20 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a21",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 21 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a22",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 22 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a23",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 23 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a24",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 24 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a25",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 25 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a26",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 26 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a27",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 27 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a28",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 28 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a29",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 29 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a30",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 30 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a31",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 31 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a32",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 32 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a33",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 33 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a34",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 34 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a35",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 35 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a36",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 36 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a37",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 37 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a38",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 38 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a39",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 39 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a40",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 40 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a41",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 41 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a42",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 42 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a43",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 43 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a44",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 44 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a45",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 45 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a46",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 46 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a47",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 47 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a48",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 48 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a49",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 49 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a50",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 50 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a51",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 51 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a52",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 52 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a53",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 53 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a54",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 54 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a55",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 55 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a56",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 56 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a57",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 57 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a58",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 58 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a59",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 59 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a60",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 60 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a61",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 61 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a62",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 62 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "auditd.log.a63",
        kind: FieldType::Keyword,
        meaning: "(Beats) argument 63 of a command",
        datasets: &["auditd.log", "system.kernel"],
        within: None,
        url: false,
    },
    Field {
        name: "service.name",
        kind: FieldType::Keyword,
        meaning: "PAM service that asked, or the unit that started or stopped",
        datasets: &["application.log", "auditd.log", "auth0.logs", "azure.auditlogs", "azure.signinlogs", "cef.event", "duo.authentication", "fail2ban.log", "fortinet.fortiweb", "jumpcloud.events", "mail.log", "nextcloud.log", "samba.audit", "system.accounts", "system.cron", "system.kernel", "system.pam", "system.sshd", "system.su", "system.sudo", "system.syslog", "tyk.log", "vsftpd.log", "webapp.log", "zeek.kerberos"],
        within: None,
        url: false,
    },
    Field {
        name: "url.original",
        kind: FieldType::Keyword,
        meaning: "request target as sent",
        datasets: &["authelia.log", "aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "aws.waf", "azure.gateway", "cef.event", "cisco.asa", "cisco.ftd", "cisco.meraki", "cloudflare.firewall", "coraza.audit", "database.log", "f5.bigip_asm", "fortinet.fortiweb", "gitlab.auth", "haproxy.log", "http.access", "http.error", "iis.access", "kubernetes.audit", "leef.event", "mattermost.audit", "mattermost.log", "minio.audit", "modsecurity.audit", "nextcloud.log", "ntfy.log", "ocsf.event", "okta.system", "openappsec.log", "opensearch.audit", "panw.panos", "proxy.log", "squid.access", "suricata.eve", "tyk.log", "webapp.log", "zeek.http"],
        within: None,
        url: true,
    },
    Field {
        name: "url.path",
        kind: FieldType::Keyword,
        meaning: "target up to the first question mark",
        datasets: &["authelia.log", "aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "aws.waf", "azure.gateway", "cef.event", "cloudflare.firewall", "coraza.audit", "elasticsearch.audit", "f5.bigip_asm", "fortinet.fortiweb", "gitlab.auth", "haproxy.log", "http.access", "http.error", "iis.access", "kubernetes.audit", "leef.event", "mattermost.audit", "mattermost.log", "minio.audit", "modsecurity.audit", "nextcloud.log", "ntfy.log", "ocsf.event", "okta.system", "openappsec.log", "opensearch.audit", "proxy.log", "squid.access", "suricata.eve", "tyk.log", "zeek.http"],
        within: Some("url.original"),
        url: true,
    },
    Field {
        name: "url.query",
        kind: FieldType::Keyword,
        meaning: "target after the first question mark",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "aws.waf", "azure.gateway", "cef.event", "cloudflare.firewall", "coraza.audit", "f5.bigip_asm", "fortinet.fortiweb", "haproxy.log", "http.access", "http.error", "iis.access", "modsecurity.audit", "ocsf.event", "openappsec.log", "proxy.log", "squid.access", "suricata.eve", "zeek.http"],
        within: Some("url.original"),
        url: true,
    },
    Field {
        name: "url.domain",
        kind: FieldType::Keyword,
        meaning: "host that the request was for",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "azure.gateway", "cef.event", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "fortinet.fortiweb", "http.access", "http.error", "iis.access", "leef.event", "minio.audit", "modsecurity.audit", "ocsf.event", "openappsec.log", "proxy.log", "squid.access", "suricata.eve", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "url.port",
        kind: FieldType::Long,
        meaning: "port that the request was for",
        datasets: &["aws.elb_logs", "http.access", "http.error", "minio.audit", "proxy.log", "squid.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.method",
        kind: FieldType::Keyword,
        meaning: "request method",
        datasets: &["authelia.log", "aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "aws.waf", "azure.gateway", "cef.event", "cisco.meraki", "cloudflare.firewall", "coraza.audit", "database.log", "elasticsearch.audit", "f5.bigip_asm", "fortinet.fortiweb", "gitlab.auth", "haproxy.log", "http.access", "http.error", "iis.access", "mattermost.log", "modsecurity.audit", "nextcloud.log", "ntfy.log", "ocsf.event", "openappsec.log", "opensearch.audit", "proxy.log", "squid.access", "suricata.eve", "webapp.log", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "http.version",
        kind: FieldType::Keyword,
        meaning: "protocol version without the word HTTP",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "aws.waf", "coraza.audit", "haproxy.log", "http.access", "http.error", "iis.access", "modsecurity.audit", "suricata.eve", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.referrer",
        kind: FieldType::Keyword,
        meaning: "referring page",
        datasets: &["aws.cloudfront_logs", "aws.s3access", "http.access", "http.error", "iis.access", "modsecurity.audit", "panw.panos", "suricata.eve"],
        within: None,
        url: true,
    },
    Field {
        name: "http.response.status_code",
        kind: FieldType::Long,
        meaning: "answer code",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "azure.gateway", "cloudflare.firewall", "coraza.audit", "database.log", "ecs.event", "haproxy.log", "http.access", "iis.access", "kubernetes.audit", "mattermost.log", "minio.audit", "modsecurity.audit", "ntfy.log", "proxy.log", "squid.access", "suricata.eve", "webapp.log", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "http.response.body.bytes",
        kind: FieldType::Long,
        meaning: "length of the answer in bytes",
        datasets: &["http.access", "minio.audit", "suricata.eve", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "user_agent.original",
        kind: FieldType::Keyword,
        meaning: "client program as it names itself",
        datasets: &["auth0.logs", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.s3access", "azure.gateway", "azure.signinlogs", "cef.event", "cisco.ftd", "cloudflare.firewall", "coraza.audit", "fortinet.fortiweb", "gcp.audit", "github.audit", "http.access", "iis.access", "kubernetes.audit", "mattermost.audit", "minio.audit", "modsecurity.audit", "nextcloud.log", "o365.audit", "ocsf.event", "okta.system", "panw.panos", "proxy.log", "suricata.eve", "teleport.audit", "vmware.log", "webapp.log", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "user_agent.type",
        kind: FieldType::Keyword,
        meaning: "(own) browser, crawler, scanner, tool, library, monitor, other or none, where asked for",
        datasets: &["auth0.logs", "aws.cloudfront_logs", "aws.cloudtrail", "aws.elb_logs", "aws.s3access", "azure.gateway", "azure.signinlogs", "cef.event", "cisco.ftd", "cloudflare.firewall", "coraza.audit", "fortinet.fortiweb", "gcp.audit", "github.audit", "http.access", "iis.access", "kubernetes.audit", "mattermost.audit", "minio.audit", "modsecurity.audit", "nextcloud.log", "o365.audit", "ocsf.event", "okta.system", "panw.panos", "proxy.log", "suricata.eve", "teleport.audit", "vmware.log", "webapp.log", "zeek.http"],
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
        datasets: &["board.log", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "qnap.log", "synology.log", "syslog", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "watchguard.firebox", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.facility.code",
        kind: FieldType::Long,
        meaning: "facility number",
        datasets: &["board.log", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "qnap.log", "synology.log", "syslog", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "watchguard.firebox", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.severity.code",
        kind: FieldType::Long,
        meaning: "severity number",
        datasets: &["board.log", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "qnap.log", "synology.log", "syslog", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "watchguard.firebox", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.version",
        kind: FieldType::Keyword,
        meaning: "protocol version of RFC 5424",
        datasets: &["cef.event", "checkpoint.firewall", "cisco.ios", "juniper.junos", "panw.panos", "pfsense.log", "syslog", "system.sshd", "system.su", "system.sudo", "system.syslog", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.procid",
        kind: FieldType::Keyword,
        meaning: "process id as written where it is not a number",
        datasets: &["syslog", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.msgid",
        kind: FieldType::Keyword,
        meaning: "kind of message",
        datasets: &["juniper.junos", "syslog", "system.sshd", "system.su", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.structured_data",
        kind: FieldType::Keyword,
        meaning: "structured data as written",
        datasets: &["juniper.junos", "pfsense.log", "syslog", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.repeated",
        kind: FieldType::Long,
        meaning: "(own) how often the message was repeated",
        datasets: &["cisco.asa", "cisco.ios", "mail.log", "panw.panos", "syslog", "system.pam", "system.sshd", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "system.auth.ssh.event",
        kind: FieldType::Keyword,
        meaning: "(own) result word of sshd: Accepted, Failed, Invalid …",
        datasets: &["cisco.ios", "system.sshd"],
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
        datasets: &["system.accounts", "system.pam", "system.su", "system.sudo"],
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
        datasets: &["mail.log", "system.accounts", "system.cron", "system.pam", "system.sshd", "system.su", "system.sudo", "vsftpd.log"],
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
        datasets: &["iptables.log", "pfsense.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iptables.ttl",
        kind: FieldType::Long,
        meaning: "(own) time to live",
        datasets: &["iptables.log", "pfsense.log"],
        within: None,
        url: false,
    },
    Field {
        name: "container.name",
        kind: FieldType::Keyword,
        meaning: "name of the container that wrote the line, as its runtime says",
        datasets: &["container.log", "falco.alerts", "fluentbit.log", "http.access", "system.syslog"],
        within: None,
        url: false,
    },
    Field {
        name: "log.iostream",
        kind: FieldType::Keyword,
        meaning: "(own) stdout or stderr, as the runtime of a container says",
        datasets: &["container.log", "http.access", "system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "orchestrator.resource.name",
        kind: FieldType::Keyword,
        meaning: "the pod that the container belongs to",
        datasets: &["container.log", "falco.alerts", "gcp.audit", "github.audit", "http.access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.level",
        kind: FieldType::Keyword,
        meaning: "level of the message, as the program names it",
        datasets: &["application.event", "application.log", "audiobookshelf.log", "authelia.log", "authentik.log", "azure.activitylogs", "azure.riskdetection", "database.log", "dhcp.log", "dns.log", "f5.bigip_asm", "falco.alerts", "fluentbit.log", "fortinet.fortiweb", "fortinet_fortigate.log", "gcp.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "grafana.log", "guacamole.log", "http.access", "http.error", "key_value.event", "keycloak.event", "mail.log", "mattermost.log", "mongodb.log", "ntfy.log", "ocsf.event", "okta.system", "overseerr.log", "service.log", "sftpgo.log", "sophos.xg", "system.sshd", "tyk.log", "voip.log", "webapp.log"],
        within: None,
        url: false,
    },
    Field {
        name: "process.thread.id",
        kind: FieldType::Long,
        meaning: "number of the thread that wrote the line",
        datasets: &["http.error"],
        within: None,
        url: false,
    },
    Field {
        name: "event.duration",
        kind: FieldType::Long,
        meaning: "how long it took, in nanoseconds",
        datasets: &["aws.cloudfront_logs", "aws.s3access", "cisco.asa", "ecs.event", "haproxy.log", "http.access", "iis.access", "juniper.junos", "panw.panos", "proxy.log", "sftpgo.log", "squid.access", "zeek.connection"],
        within: None,
        url: false,
    },
    Field {
        name: "rule.id",
        kind: FieldType::Keyword,
        meaning: "the rule that the program itself has applied",
        datasets: &["aws.waf", "azure.gateway", "bsd.firewall", "cisco.asa", "cisco.ftd", "cisco.meraki", "cloudflare.firewall", "coraza.audit", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "http.error", "modsecurity.audit", "ossec.alerts", "panw.panos", "pfsense.log", "snort.alert", "snort.log", "sophos.xg", "stormshield.sns", "suricata.eve", "wazuh.alerts"],
        within: None,
        url: false,
    },
    Field {
        name: "url.scheme",
        kind: FieldType::Keyword,
        meaning: "scheme that the request was made with",
        datasets: &["aws.cloudfront_logs", "proxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "url.extension",
        kind: FieldType::Keyword,
        meaning: "extension of the file in the path",
        datasets: &["proxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.bytes",
        kind: FieldType::Long,
        meaning: "length of the request in bytes",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "http.access", "iis.access", "minio.audit", "proxy.log", "zeek.http"],
        within: None,
        url: false,
    },
    Field {
        name: "http.request.headers.cookie",
        kind: FieldType::Keyword,
        meaning: "(own) cookies of the request",
        datasets: &["iis.access"],
        within: None,
        url: false,
    },
    Field {
        name: "http.response.bytes",
        kind: FieldType::Long,
        meaning: "length of the answer in bytes, with its headers",
        datasets: &["aws.cloudfront_logs", "aws.elb_logs", "aws.s3access", "haproxy.log", "http.access", "iis.access", "proxy.log", "squid.access"],
        within: None,
        url: false,
    },
    Field {
        name: "haproxy.frontend_name",
        kind: FieldType::Keyword,
        meaning: "(Beats) frontend that took the connection",
        datasets: &["haproxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "haproxy.backend_name",
        kind: FieldType::Keyword,
        meaning: "(Beats) backend that answered",
        datasets: &["haproxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "haproxy.server_name",
        kind: FieldType::Keyword,
        meaning: "(Beats) server of the backend, or why there is none",
        datasets: &["haproxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "haproxy.termination_state",
        kind: FieldType::Keyword,
        meaning: "(Beats) who ended the session, and in which state it was",
        datasets: &["haproxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "haproxy.http.request.captured_headers",
        kind: FieldType::Keyword,
        meaning: "(Beats) headers that were captured",
        datasets: &["haproxy.log"],
        within: None,
        url: false,
    },
    Field {
        name: "iis.access.site_name",
        kind: FieldType::Keyword,
        meaning: "(Beats) site of the server",
        datasets: &["iis.access"],
        within: None,
        url: false,
    },
    Field {
        name: "iis.access.server_name",
        kind: FieldType::Keyword,
        meaning: "(Beats) name of the server",
        datasets: &["iis.access"],
        within: None,
        url: false,
    },
    Field {
        name: "iis.access.sub_status",
        kind: FieldType::Long,
        meaning: "(Beats) second part of the status",
        datasets: &["iis.access"],
        within: None,
        url: false,
    },
    Field {
        name: "iis.access.win32_status",
        kind: FieldType::Long,
        meaning: "(Beats) status of Windows",
        datasets: &["iis.access"],
        within: None,
        url: false,
    },
    Field {
        name: "aws.s3access.bucket",
        kind: FieldType::Keyword,
        meaning: "(Beats) bucket that the request was for",
        datasets: &["aws.s3access"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.facility.name",
        kind: FieldType::Keyword,
        meaning: "name of the facility, such as authpriv",
        datasets: &["board.log", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "qnap.log", "synology.log", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "watchguard.firebox", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.syslog.severity.name",
        kind: FieldType::Keyword,
        meaning: "name of the severity, such as warning",
        datasets: &["board.log", "cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "hostapd.log", "http.access", "http.error", "iptables.log", "juniper.junos", "leef.event", "mikrotik.log", "panw.panos", "pfsense.log", "qnap.log", "synology.log", "system.sshd", "system.su", "system.sudo", "system.syslog", "vmware.log", "watchguard.firebox", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "log.logger",
        kind: FieldType::Keyword,
        meaning: "part of the program that wrote the message",
        datasets: &["application.event", "application.log", "audiobookshelf.log", "authentik.log", "grafana.log", "http.access", "http.error", "keycloak.event", "mattermost.log", "ntfy.log", "overseerr.log", "sftpgo.log", "system.syslog", "webapp.log"],
        within: None,
        url: false,
    },
    Field {
        name: "log.origin.file.name",
        kind: FieldType::Keyword,
        meaning: "source file that wrote the message",
        datasets: &["application.log"],
        within: None,
        url: false,
    },
    Field {
        name: "log.origin.file.line",
        kind: FieldType::Long,
        meaning: "line of the source file",
        datasets: &["application.log"],
        within: None,
        url: false,
    },
    Field {
        name: "process.thread.name",
        kind: FieldType::Keyword,
        meaning: "thread that wrote the message",
        datasets: &["application.log", "webapp.log"],
        within: None,
        url: false,
    },
    Field {
        name: "source.user.name",
        kind: FieldType::Keyword,
        meaning: "account at the other end of the connection, as that end tells it",
        datasets: &["system.pam"],
        within: None,
        url: false,
    },
    Field {
        name: "user.changes.name",
        kind: FieldType::Keyword,
        meaning: "what an account is called after a change",
        datasets: &["system.accounts"],
        within: None,
        url: false,
    },
    Field {
        name: "event.code",
        kind: FieldType::Keyword,
        meaning: "the product's own number or name of this kind of event",
        datasets: &["auth0.logs", "azure.activitylogs", "azure.signinlogs", "board.log", "cef.event", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.meraki", "citrix.adc", "database.log", "dhcp.log", "ecs.event", "f5.bigip", "fortinet.fortiweb", "fortinet_fortigate.log", "juniper.junos", "leef.event", "mail.log", "mikrotik.log", "mongodb.log", "ntfy.log", "opencanary.log", "panw.panos", "samba.audit", "sonicwall.firewall", "sophos.xg", "teleport.audit", "watchguard.firebox", "windows.dhcp", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "event.id",
        kind: FieldType::Keyword,
        meaning: "the product's own id of this event",
        datasets: &["auth0.logs", "authentik.log", "aws.cloudtrail", "aws.guardduty", "aws.waf", "azure.auditlogs", "azure.gateway", "azure.riskdetection", "cef.event", "cloudflare.access", "cloudflare.firewall", "coraza.audit", "cowrie.log", "duo.authentication", "ecs.event", "elasticsearch.audit", "f5.bigip_asm", "gcp.audit", "github.audit", "gitlab.auth", "google_workspace.admin", "google_workspace.login", "hashicorp_vault.audit", "http.access", "jumpcloud.events", "keycloak.event", "kubernetes.audit", "mattermost.log", "minio.audit", "modsecurity.audit", "o365.audit", "ocsf.event", "okta.system", "openappsec.log", "sonicwall.firewall", "stormshield.sns", "teleport.audit", "wazuh.alerts", "zeek.connection", "zeek.dce_rpc", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.rdp", "zeek.smb_files", "zeek.ssh"],
        within: None,
        url: false,
    },
    Field {
        name: "event.provider",
        kind: FieldType::Keyword,
        meaning: "part of the product that wrote the event",
        datasets: &["application.event", "aws.cloudtrail", "aws.waf", "ecs.event", "falco.alerts", "gcp.audit", "google_workspace.admin", "google_workspace.login", "mongodb.log", "o365.audit", "openappsec.log", "sophos.xg", "stormshield.sns"],
        within: None,
        url: false,
    },
    Field {
        name: "event.severity",
        kind: FieldType::Long,
        meaning: "how grave the product says the event is, in its own numbers",
        datasets: &["aws.guardduty", "cef.event", "ecs.event", "leef.event", "ocsf.event", "openappsec.log", "ossec.alerts", "snort.alert", "sonicwall.firewall", "stormshield.sns", "suricata.eve", "wazuh.alerts"],
        within: None,
        url: false,
    },
    Field {
        name: "url.full",
        kind: FieldType::Keyword,
        meaning: "the whole URL, with scheme and host",
        datasets: &["cef.event", "leef.event", "ocsf.event"],
        within: None,
        url: true,
    },
    Field {
        name: "user.domain",
        kind: FieldType::Keyword,
        meaning: "domain or realm of that account",
        datasets: &["cef.event", "ecs.event", "leef.event", "ocsf.event", "samba.audit", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "user.email",
        kind: FieldType::Keyword,
        meaning: "mail address of that account",
        datasets: &["gcp.audit", "google_workspace.admin", "google_workspace.login", "ocsf.event"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.domain",
        kind: FieldType::Keyword,
        meaning: "name that was connected to",
        datasets: &["cef.event", "cisco.asa", "ocsf.event", "webapp.log"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.bytes",
        kind: FieldType::Long,
        meaning: "bytes that the other end sent",
        datasets: &["cef.event", "cisco.asa", "cisco.ios", "fortinet_fortigate.log", "juniper.junos", "leef.event", "panw.panos", "sophos.xg", "zeek.connection"],
        within: None,
        url: false,
    },
    Field {
        name: "host.name",
        kind: FieldType::Keyword,
        meaning: "the machine concerned, as the product names it",
        datasets: &["cef.event", "cowrie.log", "ecs.event", "falco.alerts", "fluentbit.log", "fortinet_fortigate.log", "keycloak.event", "leef.event", "opencanary.log", "osquery.result", "sophos.xg", "suricata.eve", "system.sshd", "wazuh.alerts", "webapp.log", "windows.event"],
        within: None,
        url: false,
    },
    Field {
        name: "rule.name",
        kind: FieldType::Keyword,
        meaning: "rule or signature of the product that the event is about",
        datasets: &["aws.guardduty", "azure.riskdetection", "cef.event", "cisco.asa", "cisco.ftd", "cisco.ios", "clamav.log", "cloudflare.firewall", "coraza.audit", "ecs.event", "f5.bigip_asm", "falco.alerts", "fortinet.fortiweb", "http.access", "iptables.log", "juniper.junos", "key_value.event", "leef.event", "mikrotik.log", "modsecurity.audit", "o365.threat_management", "openappsec.log", "osquery.result", "ossec.alerts", "panw.panos", "snort.alert", "snort.log", "stormshield.sns", "suricata.eve", "wazuh.alerts", "webapp.log", "zeek.log"],
        within: None,
        url: false,
    },
    Field {
        name: "rule.category",
        kind: FieldType::Keyword,
        meaning: "the product's kind of that rule",
        datasets: &["azure.auditlogs", "bitbucket.audit", "cisco.ftd", "f5.bigip_asm", "fortinet.fortiweb", "fortinet_fortigate.log", "leef.event", "panw.panos", "snort.alert", "snort.log", "sophos.xg", "stormshield.sns", "suricata.eve", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "network.protocol",
        kind: FieldType::Keyword,
        meaning: "protocol of the application, such as http or dns",
        datasets: &["board.log", "cef.event", "cisco.asa", "cisco.ios", "cowrie.log", "fortinet_fortigate.log", "juniper.junos", "mikrotik.log", "pfsense.log", "qnap.log", "sftpgo.log", "snort.alert", "sshguard.log", "stormshield.sns", "suricata.eve", "synology.log", "zeek.connection", "zeek.dns", "zeek.http", "zeek.kerberos", "zeek.log", "zeek.ssh"],
        within: None,
        url: false,
    },
    Field {
        name: "network.direction",
        kind: FieldType::Keyword,
        meaning: "inbound, outbound, as the product says",
        datasets: &["aws.guardduty", "bsd.firewall", "cef.event", "checkpoint.firewall", "cisco.asa", "iptables.log", "mikrotik.log", "pfsense.log"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.vendor",
        kind: FieldType::Keyword,
        meaning: "maker of the product that wrote the event",
        datasets: &["cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "fortinet_fortigate.log", "juniper.junos", "leef.event", "mikrotik.log", "ocsf.event", "panw.panos", "watchguard.firebox"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.product",
        kind: FieldType::Keyword,
        meaning: "product that wrote the event",
        datasets: &["cef.event", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "juniper.junos", "leef.event", "mikrotik.log", "ocsf.event", "panw.panos", "sophos.xg", "watchguard.firebox"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.version",
        kind: FieldType::Keyword,
        meaning: "its version",
        datasets: &["cef.event", "leef.event", "ocsf.event"],
        within: None,
        url: false,
    },
    Field {
        name: "process.parent.name",
        kind: FieldType::Keyword,
        meaning: "name of the process that started it",
        datasets: &["auditd.laurel", "ecs.event", "falco.alerts"],
        within: None,
        url: false,
    },
    Field {
        name: "process.parent.executable",
        kind: FieldType::Keyword,
        meaning: "path of the program of that process",
        datasets: &["auditd.laurel", "ecs.event"],
        within: None,
        url: false,
    },
    Field {
        name: "process.parent.command_line",
        kind: FieldType::Keyword,
        meaning: "the command with which that process was run",
        datasets: &["ecs.event", "falco.alerts"],
        within: None,
        url: false,
    },
    Field {
        name: "file.name",
        kind: FieldType::Keyword,
        meaning: "name of the file, without its folder",
        datasets: &["cef.event", "suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "file.size",
        kind: FieldType::Long,
        meaning: "its size in bytes",
        datasets: &["cef.event", "sftpgo.log", "suricata.eve", "zeek.smb_files"],
        within: None,
        url: false,
    },
    Field {
        name: "file.hash.md5",
        kind: FieldType::Keyword,
        meaning: "MD5 of the file",
        datasets: &["cef.event", "suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "file.hash.sha1",
        kind: FieldType::Keyword,
        meaning: "SHA-1 of the file",
        datasets: &["suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "file.hash.sha256",
        kind: FieldType::Keyword,
        meaning: "SHA-256 of the file",
        datasets: &["suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "email.from.address",
        kind: FieldType::Keyword,
        meaning: "sender of the mail",
        datasets: &["mail.log", "suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "email.to.address",
        kind: FieldType::Keyword,
        meaning: "receivers of the mail",
        datasets: &["suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "email.subject",
        kind: FieldType::Keyword,
        meaning: "subject of the mail",
        datasets: &["suricata.eve"],
        within: None,
        url: false,
    },
    Field {
        name: "dns.answers.data",
        kind: FieldType::Keyword,
        meaning: "what the name server answered",
        datasets: &["suricata.eve", "zeek.dns"],
        within: None,
        url: false,
    },
    Field {
        name: "cloud.account.id",
        kind: FieldType::Keyword,
        meaning: "account, subscription or project of the cloud",
        datasets: &["aws.cloudtrail", "aws.guardduty", "aws.vpcflow", "azure.activitylogs", "gcp.audit", "github.audit", "o365.audit", "system.sshd"],
        within: None,
        url: false,
    },
    Field {
        name: "cloud.region",
        kind: FieldType::Keyword,
        meaning: "region of the cloud",
        datasets: &["aws.cloudtrail", "aws.guardduty"],
        within: None,
        url: false,
    },
    Field {
        name: "container.id",
        kind: FieldType::Keyword,
        meaning: "its id",
        datasets: &["falco.alerts"],
        within: None,
        url: false,
    },
    Field {
        name: "orchestrator.namespace",
        kind: FieldType::Keyword,
        meaning: "namespace of the resource concerned",
        datasets: &["falco.alerts", "fluentbit.log", "kubernetes.audit"],
        within: None,
        url: false,
    },
    Field {
        name: "orchestrator.resource.type",
        kind: FieldType::Keyword,
        meaning: "kind of that resource",
        datasets: &["kubernetes.audit"],
        within: None,
        url: false,
    },
    Field {
        name: "c0di3.guessed",
        kind: FieldType::Keyword,
        meaning: "(own) fields of this event that the dictionary of synonyms has filled",
        datasets: &["application.event", "application.log", "cef.event", "f5.bigip_asm", "fluentbit.log", "fortinet.fortiweb", "key_value.event", "sonicwall.firewall", "sophos.xg", "stormshield.sns", "webapp.log", "zyxel.firewall"],
        within: None,
        url: false,
    },
    Field {
        name: "package.name",
        kind: FieldType::Keyword,
        meaning: "the package that was installed, upgraded or removed, or a list of them",
        datasets: &["system.packages"],
        within: None,
        url: false,
    },
    Field {
        name: "package.version",
        kind: FieldType::Keyword,
        meaning: "its version; of a removed one the last",
        datasets: &["system.packages"],
        within: None,
        url: false,
    },
    Field {
        name: "package.previous_version",
        kind: FieldType::Keyword,
        meaning: "(own) its version before an upgrade",
        datasets: &["system.packages"],
        within: None,
        url: false,
    },
    Field {
        name: "package.architecture",
        kind: FieldType::Keyword,
        meaning: "kind of processor that it is for",
        datasets: &["system.packages"],
        within: None,
        url: false,
    },
    Field {
        name: "system.logins.terminal",
        kind: FieldType::Keyword,
        meaning: "(own) terminal of a recorded login",
        datasets: &["system.logins"],
        within: None,
        url: false,
    },
    Field {
        name: "system.logins.failures",
        kind: FieldType::Long,
        meaning: "(own) failed logins that were counted for the account",
        datasets: &["system.logins"],
        within: None,
        url: false,
    },
    Field {
        name: "network.application",
        kind: FieldType::Keyword,
        meaning: "application that the device recognised",
        datasets: &["panw.panos", "service.log"],
        within: None,
        url: false,
    },
    Field {
        name: "network.bytes",
        kind: FieldType::Long,
        meaning: "bytes of both directions",
        datasets: &["cisco.asa", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "network.vlan.id",
        kind: FieldType::Keyword,
        meaning: "number of the virtual network",
        datasets: &["cisco.ios"],
        within: None,
        url: false,
    },
    Field {
        name: "source.nat.ip",
        kind: FieldType::Ip,
        meaning: "address of the source behind translation",
        datasets: &["cisco.asa", "juniper.junos", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "source.nat.port",
        kind: FieldType::Long,
        meaning: "port of the source behind translation",
        datasets: &["cisco.asa", "juniper.junos", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.nat.ip",
        kind: FieldType::Ip,
        meaning: "address of the destination behind translation",
        datasets: &["cisco.asa", "juniper.junos", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "destination.nat.port",
        kind: FieldType::Long,
        meaning: "port of the destination behind translation",
        datasets: &["cisco.asa", "juniper.junos", "panw.panos"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.type",
        kind: FieldType::Keyword,
        meaning: "what the device is: firewall, switch, ids …",
        datasets: &["checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "cisco.ise", "cisco.meraki", "citrix.adc", "juniper.junos", "mikrotik.log", "panw.panos", "watchguard.firebox"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.ingress.interface.name",
        kind: FieldType::Keyword,
        meaning: "interface that the traffic came in by",
        datasets: &["arpwatch.log", "bsd.firewall", "checkpoint.firewall", "cisco.asa", "cisco.ftd", "cisco.ios", "dhcp.log", "hostapd.log", "iptables.log", "juniper.junos", "mikrotik.log", "panw.panos", "pfsense.log", "sophos.xg", "stormshield.sns", "watchguard.firebox"],
        within: None,
        url: false,
    },
    Field {
        name: "observer.egress.interface.name",
        kind: FieldType::Keyword,
        meaning: "interface that the traffic leaves by",
        datasets: &["cisco.asa", "cisco.ftd", "iptables.log", "mikrotik.log", "panw.panos", "sophos.xg", "watchguard.firebox"],
        within: None,
        url: false,
    },
];
