//! What is known of where an event comes from, and so which rules judge it: a parser's dataset, the event's own
//! `logsource.*` fields, or a schema that is well known. Where nothing is known, every rule judges.

use std::collections::BTreeSet;
use std::fmt;

use event::{Dataset, EventBatch, LogSource, dataset};

use crate::check::{Value, text_number};

/// Parts of a log source that an event satisfies; `None`: not known, so any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    pub(crate) products: Option<Vec<String>>,
    pub(crate) categories: Option<Vec<String>>,
    pub(crate) services: Option<Vec<String>>,
}

fn owned(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

impl Origin {
    fn of_dataset(dataset: &Dataset) -> Self {
        if dataset.products.is_empty() && dataset.categories.is_empty() && dataset.services.is_empty() {
            return Origin::default();
        }
        Origin {
            products: owned(dataset.products),
            categories: owned(dataset.categories),
            services: owned(dataset.services),
        }
    }

    /// Some part of the log source is known.
    pub fn is_known(&self) -> bool {
        *self != Origin::default()
    }

    /// Whether a rule that asks for `wanted` judges such events.
    pub fn satisfies(&self, wanted: &LogSource) -> bool {
        let has = |known: &Option<Vec<String>>, part: &Option<String>| match (known, part) {
            (Some(known), Some(part)) => known.contains(part),
            _ => true,
        };
        has(&self.products, &wanted.product)
            && has(&self.categories, &wanted.category)
            && has(&self.services, &wanted.service)
    }

    /// Leaves out what no rule asks for, so that senders cannot make up any number of origins.
    pub fn bounded_to(mut self, words: &BTreeSet<String>) -> Self {
        for part in [&mut self.products, &mut self.categories, &mut self.services].into_iter().flatten() {
            part.retain(|word| words.contains(word));
        }
        self
    }
}

/// `windows/process_creation/sysmon`, a star for what is not known.
impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in [&self.products, &self.categories, &self.services].into_iter().enumerate() {
            let words = part.as_ref().map_or_else(|| "*".to_owned(), |words| words.join("|"));
            write!(out, "{}{words}", if at == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// Windows channels, folded, and the service that Sigma calls each.
const CHANNELS: &[(&str, &str)] = &[
    ("application", "application"),
    ("dns server", "dns-server"),
    ("microsoft-iis-configuration/operational", "iis-configuration"),
    ("microsoft-servicebus-client/admin", "microsoft-servicebus-client"),
    ("microsoft-servicebus-client/operational", "microsoft-servicebus-client"),
    ("microsoft-windows-appmodel-runtime/admin", "appmodel-runtime"),
    ("microsoft-windows-appxdeploymentserver/operational", "appxdeployment-server"),
    ("microsoft-windows-appxpackaging/operational", "appxpackaging-om"),
    ("microsoft-windows-applocker/exe and dll", "applocker"),
    ("microsoft-windows-applocker/msi and script", "applocker"),
    ("microsoft-windows-applocker/packaged app-deployment", "applocker"),
    ("microsoft-windows-applocker/packaged app-execution", "applocker"),
    ("microsoft-windows-bits-client/operational", "bits-client"),
    ("microsoft-windows-capi2/operational", "capi2"),
    (
        "microsoft-windows-certificateservicesclient-lifecycle-system/operational",
        "certificateservicesclient-lifecycle-system",
    ),
    ("microsoft-windows-codeintegrity/operational", "codeintegrity-operational"),
    ("microsoft-windows-diagnosis-scripted/operational", "diagnosis-scripted"),
    ("microsoft-windows-dns client events/operational", "dns-client"),
    ("microsoft-windows-dns-client/operational", "dns-client"),
    ("microsoft-windows-dns-server/analytical", "dns-server-analytic"),
    ("microsoft-windows-dns-server/audit", "dns-server-audit"),
    ("microsoft-windows-driverframeworks-usermode/operational", "driver-framework"),
    ("microsoft-windows-ldap-client/debug", "ldap"),
    ("microsoft-windows-lsa/operational", "lsa-server"),
    ("microsoft-windows-ntlm/operational", "ntlm"),
    ("microsoft-windows-powershell/operational", "powershell"),
    ("powershellcore/operational", "powershell"),
    ("microsoft-windows-printservice/admin", "printservice-admin"),
    ("microsoft-windows-printservice/operational", "printservice-operational"),
    ("microsoft-windows-security-mitigations/kernel mode", "security-mitigations"),
    ("microsoft-windows-security-mitigations/user mode", "security-mitigations"),
    ("microsoft-windows-shell-core/operational", "shell-core"),
    ("microsoft-windows-smbclient/connectivity", "smbclient-connectivity"),
    ("microsoft-windows-smbclient/security", "smbclient-security"),
    ("microsoft-windows-smbserver/connectivity", "smbserver-connectivity"),
    ("microsoft-windows-sysmon/operational", "sysmon"),
    ("microsoft-windows-taskscheduler/operational", "taskscheduler"),
    ("microsoft-windows-terminalservices-localsessionmanager/operational", "terminalservices-localsessionmanager"),
    ("microsoft-windows-windows defender/operational", "windefend"),
    ("microsoft-windows-windows firewall with advanced security/firewall", "firewall-as"),
    ("microsoft-windows-wmi-activity/operational", "wmi"),
    ("msexchange management", "msexchange-management"),
    ("openssh/operational", "openssh"),
    ("security", "security"),
    ("system", "system"),
    ("windows powershell", "powershell-classic"),
];

/// Categories of the events of Sysmon, by their number.
const SYSMON: &[(i64, &[&str])] = &[
    (1, &["process_creation"]),
    (2, &["file_change"]),
    (3, &["network_connection"]),
    (4, &["sysmon_status"]),
    (5, &["process_termination"]),
    (6, &["driver_load"]),
    (7, &["image_load"]),
    (8, &["create_remote_thread"]),
    (9, &["raw_access_thread"]),
    (10, &["process_access"]),
    (11, &["file_event"]),
    (12, &["registry_event", "registry_add", "registry_delete"]),
    (13, &["registry_event", "registry_set"]),
    (14, &["registry_event", "registry_rename"]),
    (15, &["create_stream_hash"]),
    (16, &["sysmon_status"]),
    (17, &["pipe_created"]),
    (18, &["pipe_created"]),
    (19, &["wmi_event"]),
    (20, &["wmi_event"]),
    (21, &["wmi_event"]),
    (22, &["dns_query", "dns"]),
    (23, &["file_delete"]),
    (24, &["clipboard_capture"]),
    (25, &["process_tampering"]),
    (26, &["file_delete"]),
    (27, &["file_block_executable"]),
    (28, &["file_block_shredding"]),
    (29, &["file_executable_detected"]),
    (255, &["sysmon_error"]),
];

/// Categories that events of other channels belong to: service, number, categories.
const OTHERS: &[(&str, i64, &[&str])] = &[
    ("security", 4624, &["authentication"]),
    ("security", 4625, &["authentication"]),
    ("security", 4768, &["authentication"]),
    ("security", 4771, &["authentication"]),
    ("security", 4776, &["authentication"]),
    ("security", 4688, &["process_creation"]),
    ("security", 4657, &["registry_event", "registry_set"]),
    ("security", 5156, &["network_connection"]),
    ("powershell", 4103, &["ps_module"]),
    ("powershell", 4104, &["ps_script"]),
    ("powershell-classic", 400, &["ps_classic_start"]),
    ("powershell-classic", 600, &["ps_classic_provider_start"]),
    ("powershell-classic", 800, &["ps_classic_script"]),
];

/// Record types of the Linux audit log that carry what processes did.
const AUDIT_TYPES: &[&str] = &[
    "ADD_GROUP",
    "ADD_USER",
    "ANOM_ABEND",
    "ANOM_PROMISCUOUS",
    "AVC",
    "BPF",
    "CONFIG_CHANGE",
    "CRED_ACQ",
    "CRED_DISP",
    "CRED_REFR",
    "CWD",
    "DAEMON_END",
    "DAEMON_START",
    "DEL_GROUP",
    "DEL_USER",
    "EXECVE",
    "LOGIN",
    "MMAP",
    "OBJ_PID",
    "PATH",
    "PROCTITLE",
    "SECCOMP",
    "SERVICE_START",
    "SERVICE_STOP",
    "SOCKADDR",
    "SYSCALL",
    "TTY",
    "USER_ACCT",
    "USER_AUTH",
    "USER_CHAUTHTOK",
    "USER_CMD",
    "USER_END",
    "USER_ERR",
    "USER_LOGIN",
    "USER_LOGOUT",
    "USER_MGMT",
    "USER_START",
    "USER_TTY",
];

/// Where a batch of JSON events holds what tells their origin. Made once for a batch.
#[derive(Debug)]
pub struct OriginColumns {
    own: [Option<usize>; 3],
    /// Columns that may hold the Windows channel; a row has it in one of them.
    channels: Vec<usize>,
    numbers: Vec<usize>,
    audit_type: Option<usize>,
    audit_log: Option<usize>,
    audit_columns: Vec<usize>,
    /// Name of the system call, and its number.
    call: [Option<usize>; 2],
}

impl OriginColumns {
    /// `None` where the batch has no column that tells anything.
    pub fn of(batch: &EventBatch) -> Option<Self> {
        let at = |name: &str| batch.position_of(name);
        let first = |names: &[&str]| names.iter().find_map(|name| at(name));
        let all = |names: &[&str]| -> Vec<usize> { names.iter().filter_map(|name| at(name)).collect() };
        let columns = OriginColumns {
            own: ["logsource.product", "logsource.category", "logsource.service"].map(at),
            channels: all(&["Channel", "winlog.channel", "Event.System.Channel"]),
            numbers: all(&[
                "EventID",
                "winlog.event_id",
                "Event.System.EventID",
                "Event.System.EventID.#text",
                "event.code",
            ]),
            audit_type: at("type"),
            audit_log: at("auditd.log.record_type"),
            audit_columns: ["auid", "ses", "a0", "nametype", "proctitle", "argc", "syscall"]
                .into_iter()
                .filter_map(at)
                .collect(),
            call: [first(&["SYSCALL", "auditd.log.syscall_name"]), first(&["syscall", "auditd.log.syscall"])],
        };
        let tells = columns.own.iter().any(Option::is_some)
            || !columns.channels.is_empty() && !columns.numbers.is_empty()
            || columns.audit_type.is_some() && !columns.audit_columns.is_empty()
            || columns.audit_log.is_some();
        tells.then_some(columns)
    }

    /// What decides a row's origin; equal for equal rows, and cheap.
    pub fn signs<'a>(&self, batch: &'a EventBatch, row: usize) -> Signs<'a> {
        let text = |position: Option<usize>| match Value::at(batch, position?, row)? {
            Value::Text(text, _) => Some(text),
            Value::Long(_) => None,
        };
        let number = |position: &usize| match Value::at(batch, *position, row)? {
            Value::Long(number) => Some(number),
            Value::Text(text, _) => text_number(text).map(|number| number as i64),
        };
        let channel = self.channels.iter().find_map(|position| text(Some(*position)));
        let audit = text(self.audit_log).or_else(|| {
            let marked = self.audit_columns.iter().any(|column| Value::at(batch, *column, row).is_some());
            text(self.audit_type).filter(|_| marked)
        });
        let call = self.call.iter().find_map(|position| match Value::at(batch, (*position)?, row)? {
            Value::Text(text, _) => Some(RUNNING.contains(&text) || text.parse().is_ok_and(runs_something)),
            Value::Long(number) => Some(runs_something(number)),
        });
        Signs {
            own: self.own.map(text),
            windows: channel.and_then(|channel| Some((channel, self.numbers.iter().find_map(number)?))),
            audit,
            is_other_call: audit.is_some() && call == Some(false),
        }
    }
}

/// What an event says about its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signs<'a> {
    own: [Option<&'a str>; 3],
    windows: Option<(&'a str, i64)>,
    audit: Option<&'a str>,
    /// The record is about a system call that runs nothing.
    is_other_call: bool,
}

impl Signs<'_> {
    /// The log source that the signs stand for.
    pub fn origin(&self) -> Origin {
        let mut origin = match (self.windows, self.audit) {
            (Some((channel, number)), _) => windows(&channel.to_lowercase(), number),
            (None, Some(record)) if AUDIT_TYPES.contains(&record.to_uppercase().as_str()) => {
                audit(record, self.is_other_call)
            }
            _ => Origin::default(),
        };
        let parts = [&mut origin.products, &mut origin.categories, &mut origin.services];
        for (part, own) in parts.into_iter().zip(self.own) {
            if let Some(own) = own {
                *part = Some(vec![own.to_lowercase()]);
            }
        }
        origin
    }
}

fn windows(channel: &str, number: i64) -> Origin {
    let sysmon = || SYSMON.iter().find(|(known, _)| *known == number).and_then(|(_, categories)| owned(categories));
    if channel == "linux-sysmon/operational" {
        return Origin { products: owned(&["linux"]), services: owned(&["sysmon"]), categories: sysmon() };
    }
    let Some((_, service)) = CHANNELS.iter().find(|(known, _)| *known == channel) else {
        // A channel that is not known here may be what some rule calls a service or category.
        return Origin { products: owned(&["windows"]), ..Origin::default() };
    };
    let categories = if *service == "sysmon" {
        sysmon()
    } else {
        let found = OTHERS.iter().find(|(known, id, _)| known == service && *id == number);
        owned(found.map_or(&[], |(_, _, categories)| categories))
    };
    Origin { products: owned(&["windows"]), services: owned(&[service]), categories }
}

/// System calls that run a program.
const RUNNING: [&str; 2] = ["execve", "execveat"];

/// Whether one of them has the number on some kind of machine.
fn runs_something(call: i64) -> bool {
    [59, 322, 11, 358, 221, 281].contains(&call)
}

/// Only records of what was run are about processes, as those that our parser reads.
fn audit(record: &str, is_other_call: bool) -> Origin {
    let is = |kind: &str| kind.eq_ignore_ascii_case(record);
    let runs = is("EXECVE") || is("PROCTITLE") || is("SYSCALL") && !is_other_call;
    let categories = if runs { owned(&["process_creation"]) } else { owned(&[]) };
    Origin { products: owned(&["linux"]), services: owned(&["auditd"]), categories }
}

/// Where the row's event comes from, as far as it can be told.
pub(crate) fn origin_of(batch: &EventBatch, row: usize) -> Origin {
    let id = batch.datasets()[row];
    if id != dataset::JSON {
        return Origin::of_dataset(Dataset::of(id));
    }
    OriginColumns::of(batch).map_or_else(Origin::default, |columns| columns.signs(batch, row).origin())
}

#[cfg(test)]
mod tests {
    use event::{Block, Timestamp};

    use super::*;

    fn judged(line: &str, product: &str, category: &str, service: &str) -> bool {
        let block = Block::detached("case", line.as_bytes().to_vec(), Timestamp(1_790_000_000_000_000));
        let batch = parse::Parser::new(parse::Options::default()).parse(block);
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let wanted = LogSource { product: part(product), category: part(category), service: part(service) };
        origin_of(&batch, 0).satisfies(&wanted)
    }

    #[test]
    fn well_known_schemas_tell_their_log_source() {
        let sysmon = r#"{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Image":"x"}"#;
        assert!(judged(sysmon, "windows", "process_creation", ""));
        assert!(judged(sysmon, "windows", "", "sysmon"));
        assert!(!judged(sysmon, "windows", "image_load", "") && !judged(sysmon, "linux", "", ""));
        let nested = r#"{"Event":{"System":{"Channel":"Security","EventID":"4688"}}}"#;
        assert!(judged(nested, "windows", "process_creation", "") && judged(nested, "windows", "", "security"));
        assert!(!judged(nested, "windows", "", "system"));
        let with_attributes =
            r##"{"Event":{"System":{"Channel":"Security","EventID":{"#attributes":{"Qualifiers":1},"#text":4688}}}}"##;
        assert!(judged(with_attributes, "windows", "process_creation", ""));
        let beats = r#"{"winlog":{"channel":"Microsoft-Windows-PowerShell/Operational","event_id":4104}}"#;
        assert!(judged(beats, "windows", "ps_script", "") && !judged(beats, "windows", "ps_module", ""));
        let linux = r#"{"Channel":"Linux-Sysmon/Operational","EventID":3}"#;
        assert!(judged(linux, "linux", "network_connection", "") && !judged(linux, "windows", "", ""));
        let unknown = r#"{"Channel":"Vendor/Thing","EventID":3}"#;
        assert!(judged(unknown, "windows", "anything", "") && !judged(unknown, "linux", "", ""));
        let audit = r#"{"type":"EXECVE","a0":"cat","argc":1}"#;
        assert!(judged(audit, "linux", "", "auditd") && judged(audit, "linux", "process_creation", ""));
        assert!(!judged(audit, "windows", "", ""));
    }

    #[test]
    fn an_event_may_name_its_log_source_and_else_every_rule_judges() {
        let own = r#"{"logsource":{"product":"AWS","service":"cloudtrail"},"x":1}"#;
        assert!(judged(own, "aws", "", "cloudtrail") && judged(own, "aws", "anything", ""));
        assert!(!judged(own, "azure", "", "") && !judged(own, "aws", "", "guardduty"));
        let plain = r#"{"type":"PATH","message":"an application may have types, too"}"#;
        assert!(judged(plain, "windows", "process_creation", "") && judged(plain, "linux", "", "sshd"));
    }

    /// Every log source of a public rule set for a product whose events are known by their keys.
    #[test]
    fn shapes_name_the_log_sources_that_public_rules_ask_for() {
        let example = |name: &str| {
            let known = parse::Shapes::standard().about().find(|about| about.name == name);
            known.unwrap_or_else(|| panic!("no shape {name}")).example.clone()
        };
        for (shape, product, category, service) in [
            ("caddy", "", "webserver", ""),
            ("traefik", "", "webserver", ""),
            ("nginx", "nginx", "webserver", "nginx"),
            ("haproxy", "", "webserver", ""),
            ("envoy", "", "webserver", ""),
            ("ecs_access", "", "webserver", ""),
            ("cloudflare_http", "", "webserver", ""),
            ("modsecurity", "", "webserver", ""),
            ("coraza", "", "webserver", ""),
            ("suricata_http", "", "webserver", ""),
            ("suricata_dns", "", "dns", ""),
            ("zeek_http", "zeek", "", "http"),
            ("zeek_dns", "zeek", "", "dns"),
            ("zeek_dns", "", "dns", ""),
            ("zeek_smb_files", "zeek", "", "smb_files"),
            ("zeek_dce_rpc", "zeek", "", "dce_rpc"),
            ("zeek_kerberos", "zeek", "", "kerberos"),
            ("zeek_rdp", "zeek", "", "rdp"),
            ("zeek_x509", "zeek", "", "x509"),
            ("laurel", "linux", "", "auditd"),
            ("laurel", "linux", "process_creation", ""),
            ("laurel_record", "linux", "", "auditd"),
            ("aws_cloudtrail", "aws", "", "cloudtrail"),
            ("aws_guardduty", "aws", "", "guardduty"),
            ("aws_vpcflow", "", "firewall", ""),
            ("azure_signin", "azure", "", "signinlogs"),
            ("azure_signin_table", "azure", "", "signinlogs"),
            ("azure_audit", "azure", "", "auditlogs"),
            ("azure_audit_table", "azure", "", "auditlogs"),
            ("azure_directory_audit", "azure", "", "auditlogs"),
            ("azure_activity", "azure", "", "activitylogs"),
            ("azure_activity_table", "azure", "", "activitylogs"),
            ("azure_risk", "azure", "", "riskdetection"),
            ("gcp_audit", "gcp", "", "gcp.audit"),
            ("google_workspace_login", "gcp", "", "google_workspace.login"),
            ("google_workspace_admin", "gcp", "", "google_workspace.admin"),
            ("google_workspace_report", "gcp", "", "google_workspace.login"),
            ("google_workspace_admin_report", "gcp", "", "google_workspace.admin"),
            ("kubernetes_audit", "kubernetes", "application", "audit"),
            ("kubernetes_audit", "kubernetes", "", "audit"),
            ("okta", "okta", "", "okta"),
            ("github_audit", "github", "", "audit"),
            ("bitbucket_audit", "bitbucket", "", "audit"),
            ("m365_audit", "m365", "", "audit"),
            ("m365_threat", "m365", "", "threat_management"),
            ("mongodb", "linux", "", "mongodb"),
            ("fortigate", "fortigate", "", "event"),
            ("journald", "linux", "", "sshd"),
            ("windows_event", "windows", "", "security"),
        ] {
            let line = example(shape);
            assert!(judged(&line, product, category, service), "{shape}: {product}/{category}/{service}");
            let other = if product == "solaris" { "windows" } else { "solaris" };
            assert!(!judged(&line, other, "", ""), "{shape} is not of just any product");
        }
    }
}
