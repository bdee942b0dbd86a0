//! Structured data of Junos (`junos@2636.…`): the device writes names and values, clients nothing but their own name.

use event::catalog::{FieldType, field};
use event::{BatchBuilder, DatasetId, FieldId, dataset};

use super::device::{self, Verdict};
use crate::address::{decimal, put_ip};

/// Names, and where their values go.
const NAMES: &[(&str, FieldId)] = &[
    ("source-address", field::SOURCE_IP),
    ("source-port", field::SOURCE_PORT),
    ("destination-address", field::DESTINATION_IP),
    ("destination-port", field::DESTINATION_PORT),
    ("nat-source-address", field::SOURCE_NAT_IP),
    ("nat-source-port", field::SOURCE_NAT_PORT),
    ("nat-destination-address", field::DESTINATION_NAT_IP),
    ("nat-destination-port", field::DESTINATION_NAT_PORT),
    ("policy-name", field::RULE_NAME),
    ("attack-name", field::RULE_NAME),
    ("rule-name", field::RULE_ID),
    ("reason", field::EVENT_REASON),
    ("application", field::NETWORK_APPLICATION),
    ("username", field::USER_NAME),
    ("client-ip", field::SOURCE_IP),
    ("host-address", field::SOURCE_IP),
    ("packet-incoming-interface", field::OBSERVER_INGRESS_INTERFACE_NAME),
    ("interface-name", field::OBSERVER_INGRESS_INTERFACE_NAME),
    ("bytes-from-client", field::SOURCE_BYTES),
    ("bytes-from-server", field::DESTINATION_BYTES),
    ("url", field::URL_ORIGINAL),
    ("command", field::PROCESS_COMMAND_LINE),
];

/// Whether the structured data is that of such a device.
pub(crate) fn is_of(elements: &[u8]) -> bool {
    elements.starts_with(b"[junos@")
}

/// Puts a value of the structured data.
pub(crate) fn put_parameter(rows: &mut BatchBuilder, name: &[u8], value: &[u8]) {
    if matches!(value, b"" | b"N/A" | b"UNKNOWN" | b"None") {
        return;
    }
    match name {
        b"protocol-id" | b"protocol-name" => return device::put_transport(rows, value),
        b"elapsed-time" => {
            let nanoseconds = decimal(value).and_then(|seconds| seconds.checked_mul(1_000_000_000));
            return nanoseconds.into_iter().for_each(|nanoseconds| rows.long(field::EVENT_DURATION, nanoseconds));
        }
        b"action" => return Verdict::of_word(value).put(rows),
        _ => {}
    }
    let Some((_, id)) = NAMES.iter().find(|(known, _)| known.as_bytes() == name).filter(|(_, id)| !rows.has(*id))
    else {
        return;
    };
    match BatchBuilder::kind_of(*id) {
        FieldType::Ip => put_ip(rows, *id, value),
        FieldType::Long => decimal(value).into_iter().for_each(|number| rows.long(*id, number)),
        _ => rows.text(*id, value),
    }
}

/// What the kind of message says happened.
pub(crate) fn put_kind(rows: &mut BatchBuilder, kind: &[u8]) -> DatasetId {
    device::put_observer(rows, "Juniper", "Junos", "firewall");
    rows.text(field::EVENT_CODE, kind);
    let (category, action, outcome) = match kind {
        b"RT_FLOW_SESSION_DENY" | b"APPTRACK_SESSION_DENY" => ("network", "blocked", "failure"),
        b"RT_FLOW_SESSION_CREATE" | b"APPTRACK_SESSION_CREATE" => ("network", "connection-started", "success"),
        b"RT_FLOW_SESSION_CLOSE" | b"APPTRACK_SESSION_CLOSE" => ("network", "connection-finished", ""),
        b"WEBFILTER_URL_BLOCKED" => ("network", "blocked", "failure"),
        b"WEBFILTER_URL_PERMITTED" => ("network", "allowed", "success"),
        b"UI_LOGIN_EVENT" | b"LOGIN_INFORMATION" => ("authentication", "login", "success"),
        b"SSHD_LOGIN_FAILED" | b"LOGIN_FAILED" => ("authentication", "login", "failure"),
        b"UI_LOGOUT_EVENT" => ("authentication", "logout", ""),
        b"UI_CMDLINE_READ_LINE" => ("configuration", "command", ""),
        b"UI_COMMIT" => ("configuration", "configuration-changed", "success"),
        _ if kind.starts_with(b"RT_SCREEN") || kind.starts_with(b"IDP_ATTACK") => ("intrusion_detection", "", ""),
        _ => return dataset::JUNOS,
    };
    for (id, word) in
        [(field::EVENT_CATEGORY, category), (field::EVENT_ACTION, action), (field::EVENT_OUTCOME, outcome)]
    {
        if !word.is_empty() {
            rows.literal(id, word);
        }
    }
    dataset::JUNOS
}
