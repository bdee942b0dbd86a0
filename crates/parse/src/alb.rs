//! Access logs of AWS load balancers: application, classic, and network ones with TLS. Their fields stand in one order.

use std::sync::LazyLock;

use event::{BatchBuilder, DatasetId, dataset};

use crate::address::endpoint_with_port;
use crate::context::{Context, Refusal};
use crate::layout::{Layout, named_fields};
use crate::put_values::read_by;
use crate::values::Dialect;

const TYPES: &[&[u8]] = &[b"http ", b"https ", b"h2 ", b"grpcs ", b"ws ", b"wss "];

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| named_fields::compile_all(PATTERNS, Dialect::default()));

/// Application, classic, classic before it had agents, network with TLS.
const PATTERNS: &[&str] = &[
    "{*} {@timestamp} {*} {source.ip} {destination.address} {*} {*} {*} {http.response.status_code} {*} {http.request.bytes} {http.response.bytes} \"{request}\" \"{user_agent.original}\" {...}",
    "{@timestamp} {*} {source.ip} {destination.address} {*} {*} {*} {http.response.status_code} {*} {http.request.bytes} {http.response.bytes} \"{request}\" \"{user_agent.original}\" {...}",
    "{@timestamp} {*} {source.ip} {destination.address} {*} {*} {*} {http.response.status_code} {*} {http.request.bytes} {http.response.bytes} \"{request}\"",
    "tls {*} {@timestamp} {*} {*} {source.ip} {destination.address} {*} {*} {http.request.bytes} {http.response.bytes} {...}",
];

/// Which of the layouts, by the beginning.
fn layouts(text: &[u8]) -> Option<&'static [Layout]> {
    if let Some(kind) = TYPES.iter().find(|kind| text.starts_with(kind)) {
        return LAYOUTS.get(..1).filter(|_| is_dated(&text[kind.len()..]));
    }
    if text.starts_with(b"tls 2.0 ") {
        return LAYOUTS.get(3..4);
    }
    let has_client = || text.splitn(4, |byte| *byte == b' ').nth(2).and_then(endpoint_with_port).is_some();
    LAYOUTS.get(1..3).filter(|_| is_dated(text) && has_client())
}

/// `2026-03-04T10:00:01`
fn is_dated(text: &[u8]) -> bool {
    text.len() > 20 && text[4] == b'-' && text[7] == b'-' && text[10] == b'T' && text[13] == b':'
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    layouts(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a line of an AWS load balancer");
    read_by(layouts(text).ok_or(OTHER)?, text, dataset::ELB, context, rows).ok_or(OTHER)
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_layouts_compile() {
        assert_eq!(super::LAYOUTS.len(), super::PATTERNS.len());
    }
}
