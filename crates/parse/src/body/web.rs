//! What web servers and proxies send through syslog: their access lines, their error lines, and HAProxy's own. Knows no field.

use event::{BatchBuilder, DatasetId};

use crate::context::Context;
use crate::{apache_error, haproxy, lighttpd};

/// A line of any format that looks like its own, or the messages that HAProxy, Apache and lighttpd write without their head.
pub(super) fn put(rows: &mut BatchBuilder, context: &mut Context, message: &[u8]) -> Option<DatasetId> {
    haproxy::read_message(message, context, rows)
        .or_else(|| context.read_carried(message, rows))
        .or_else(|| apache_error::read_message(message, context, rows))
        .or_else(|| lighttpd::read_message(message, rows))
}
