//! Lines of Palo Alto firewalls: columns by the type in the fourth of them.
//! <https://docs.paloaltonetworks.com/pan-os/11-1/pan-os-admin/monitoring/use-syslog-for-monitoring/syslog-field-descriptions>

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use super::columns::{ColumnOrder, values};
use super::device;

/// What traffic and threats share, up to the action: number, time, serial number, type, subtype, number, time, the session.
macro_rules! session {
    ($rest:literal) => {
        concat!(
            "- - - - event.code - - ",
            "source.ip destination.ip source.nat.ip destination.nat.ip rule.name user.name - network.application - - - ",
            "observer.ingress.interface.name observer.egress.interface.name - - - log.syslog.repeated ",
            "source.port destination.port source.nat.port destination.nat.port - @transport @verdict ",
            $rest
        )
    };
}

static TRAFFIC: ColumnOrder = ColumnOrder::new(session!(
    "network.bytes source.bytes destination.bytes - - @seconds rule.category - - - - - - - - event.reason"
));
static URL: ColumnOrder = ColumnOrder::new(session!(
    "url.original rule.id rule.category - - - - - - - - - - - - user_agent.original - network.forwarded_ip http.request.referrer"
));
/// Of threats that are no requests, a file's name stands where those have their target.
static THREAT: ColumnOrder = ColumnOrder::new(session!("file.path rule.id rule.category log.level"));
static SYSTEM: ColumnOrder = ColumnOrder::new("- - - - - - - - event.code - - - - - event.reason");
static CONFIG: ColumnOrder = ColumnOrder::new(
    "- - - - - - - source.ip - event.code user.name network.application event.reason process.command_line",
);
static GLOBALPROTECT: ColumnOrder = ColumnOrder::new(
    "- - - - - - - - event.code - - - user.name - - source.ip - source.nat.ip - - - - - - log.syslog.repeated event.reason - - event.outcome",
);
static USERID: ColumnOrder = ColumnOrder::new(
    "- - - - event.code - - - source.ip user.name - - log.syslog.repeated - source.port destination.port",
);
static HIP: ColumnOrder = ColumnOrder::new("- - - - event.code - - user.name - - - source.ip rule.name");
static AUTH: ColumnOrder = ColumnOrder::new("- - - - event.code - - - source.ip user.name");

#[cfg(test)]
pub(super) static ALL: &[&ColumnOrder] =
    &[&TRAFFIC, &URL, &THREAT, &SYSTEM, &CONFIG, &GLOBALPROTECT, &USERID, &HIP, &AUTH];

/// `1,2026/03/04 10:00:01,`
pub(super) fn begins(message: &[u8]) -> bool {
    let mut head = message.splitn(3, |byte| *byte == b',');
    let (number, time) = (head.next().unwrap_or_default(), head.next().unwrap_or_default());
    head.next().is_some() && number.len() < 3 && time.len() == 19 && time[4] == b'/' && time[13] == b':'
}

/// `None` where the message is no line of such a firewall.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    let mut head = values(message);
    let (_, time, _, kind, part) = (head.next()?, head.next()?, head.next()?, head.next()?, head.next()?);
    if time.len() != 19 || time[4] != b'/' || time[13] != b':' {
        return None;
    }
    let columns = match kind {
        b"TRAFFIC" => &TRAFFIC,
        b"THREAT" if part == b"url" => &URL,
        b"THREAT" => &THREAT,
        b"SYSTEM" => &SYSTEM,
        b"CONFIG" => &CONFIG,
        b"GLOBALPROTECT" => &GLOBALPROTECT,
        b"USERID" => &USERID,
        b"HIPMATCH" | b"HIP-MATCH" => &HIP,
        b"AUTHENTICATION" | b"AUTH" => &AUTH,
        _ => return None,
    };
    device::put_observer(rows, "Palo Alto Networks", "PAN-OS", "firewall");
    columns.put(rows, values(message));
    match kind {
        b"THREAT" => rows.literal(field::EVENT_CATEGORY, "intrusion_detection"),
        b"CONFIG" => put_words(rows, "configuration", "configuration-changed"),
        b"SYSTEM" => put_system(rows),
        b"GLOBALPROTECT" => put_portal(rows),
        _ => {}
    }
    Some(dataset::PANOS)
}

/// `portal-auth`, `gateway-logout`, `gateway-connected`.
fn put_portal(rows: &mut BatchBuilder) {
    let mut code = String::new();
    rows.text_now(field::EVENT_CODE, &mut code);
    match code.as_str() {
        code if code.ends_with("-auth") || code.ends_with("-login") => put_words(rows, "authentication", "login"),
        code if code.ends_with("-logout") => put_words(rows, "authentication", "logout"),
        _ => put_words(rows, "network", "connection"),
    }
}

fn put_words(rows: &mut BatchBuilder, category: &'static str, action: &'static str) {
    rows.literal(field::EVENT_CATEGORY, category);
    rows.literal(field::EVENT_ACTION, action);
    let mut word = String::new();
    let id = if rows.has(field::EVENT_OUTCOME) { field::EVENT_OUTCOME } else { field::EVENT_REASON };
    if rows.text_now(id, &mut word) {
        match word.as_str() {
            "success" | "Succeeded" => rows.literal(field::EVENT_OUTCOME, "success"),
            "failure" | "Failed" | "Unauthorized" => rows.literal(field::EVENT_OUTCOME, "failure"),
            _ => {}
        }
    }
}

/// Logins of administrators and of users: `auth-fail`, `globalprotectgateway-auth-succ`; the text names who and where from.
fn put_system(rows: &mut BatchBuilder) {
    let mut code = String::new();
    if !rows.text_now(field::EVENT_CODE, &mut code) {
        return;
    }
    let outcome = match code.as_str() {
        code if code.ends_with("auth-fail") => "failure",
        code if code.ends_with("auth-succ") || code == "auth-success" => "success",
        _ => return,
    };
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, outcome);
    let mut text = String::new();
    if rows.text_now(field::EVENT_REASON, &mut text) {
        put_login(rows, &text);
    }
}

/// `failed authentication for user 'ann'.  Reason: Invalid username/password. From: 203.0.113.7.`: the client writes its name, the
/// firewall its address at the end.
fn put_login(rows: &mut BatchBuilder, text: &str) {
    if let Some((_, rest)) = text.split_once("for user '")
        && let Some((user, _)) = rest.rsplit_once("'.")
    {
        rows.owned(field::USER_NAME, user);
    }
    let from = text.rsplit_once("From: ").map(|(_, rest)| rest.trim_end_matches(['.', ' ']));
    if let Some(address) = from.filter(|address| address.parse::<std::net::IpAddr>().is_ok()) {
        rows.owned(field::SOURCE_IP, address);
    }
}
