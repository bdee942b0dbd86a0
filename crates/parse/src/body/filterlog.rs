//! Packets that pfSense and OPNsense write as `filterlog`: columns whose meaning depends on the IP version and the protocol.
//! <https://docs.netgate.com/pfsense/en/latest/monitoring/logs/raw-filter-format.html>

use event::BatchBuilder;

use super::columns::{ColumnOrder, VALUES_MAX, values};

/// Rule, sub-rule, anchor, tracker, interface, reason, action, direction, version.
static HEAD: ColumnOrder = ColumnOrder::new("rule.id - - - observer.ingress.interface.name - @verdict @direction -");
/// Type of service, congestion, time to live, id, offset, flags, number and name of the protocol, length, addresses.
static IPV4: ColumnOrder =
    ColumnOrder::new("- - iptables.ttl - - - - @transport source.bytes source.ip destination.ip");
/// Class, flow label, hop limit, name and number of the protocol, length, addresses.
static IPV6: ColumnOrder = ColumnOrder::new("- - iptables.ttl @transport - source.bytes source.ip destination.ip");
static PORTS: ColumnOrder = ColumnOrder::new("source.port destination.port - iptables.tcp_flags");

#[cfg(test)]
pub(super) static ALL: &[&ColumnOrder] = &[&HEAD, &IPV4, &IPV6, &PORTS];

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let mut parts = [&b""[..]; VALUES_MAX];
    let count = values(message).zip(&mut parts).map(|(value, part)| *part = value).count();
    let parts = &parts[..count];
    let (packet, columns, protocol) = match parts.get(8) {
        Some(&b"4") => (&parts[9..], &IPV4, 7),
        Some(&b"6") => (&parts[9..], &IPV6, 3),
        _ => return false,
    };
    HEAD.put(rows, parts.iter().copied());
    columns.put(rows, packet.iter().copied());
    let rest = packet.get(if protocol == 7 { 11 } else { 8 }..).unwrap_or_default();
    if packet.get(protocol).is_some_and(|name| name.eq_ignore_ascii_case(b"tcp") || name.eq_ignore_ascii_case(b"udp")) {
        PORTS.put(rows, rest.iter().copied());
    }
    true
}
