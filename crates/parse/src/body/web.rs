//! What web servers and proxies send through syslog: their access lines, their error lines, and HAProxy's own. Knows no field.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::address::{is_ip, put_ip};
use crate::context::Context;
use crate::{apache_error, apache_message, haproxy, lighttpd};

/// A line of any format that looks like its own, or the messages that HAProxy, Apache and lighttpd write without their head.
pub(super) fn put(rows: &mut BatchBuilder, context: &mut Context, message: &[u8]) -> Option<DatasetId> {
    haproxy::read_message(message, context, rows)
        .or_else(|| context.read_carried(message, rows))
        .or_else(|| apache_error::read_message(message, context, rows))
        .or_else(|| lighttpd::read_message(message, rows))
}

/// `[client "203.0.113.7"] Coraza: Access denied (phase 2). … [id "930110"] [msg "…"] …`, as Coraza writes its findings wherever
/// it runs. The client's words stand behind its address.
pub(super) fn put_finding(rows: &mut BatchBuilder, _: &mut Context, message: &[u8]) -> Option<DatasetId> {
    let rest = message.strip_prefix(b"[client \"")?;
    let end = memchr::memchr(b'"', rest)?;
    let (client, rest) = (&rest[..end], rest[end..].strip_prefix(b"\"] ")?);
    if !is_ip(client) || !rest.starts_with(b"Coraza: ") {
        return None;
    }
    put_ip(rows, field::SOURCE_IP, client);
    apache_message::put(rest, rows);
    Some(dataset::HTTP_ERROR)
}
