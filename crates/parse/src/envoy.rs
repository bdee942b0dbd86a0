//! Access logs of Envoy in its default text form, and of Istio, which adds words at either end.
//!
//! `[time] "METHOD path HTTP/2" status flags … received sent duration upstream "forwarded" "agent" "request id" "host" "server" …`
//! Envoy escapes no quotes: what stands behind them is read from the end of the line, and a forwarded list is no peer.

use std::sync::LazyLock;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memrchr;

use crate::address::{endpoint, put_endpoint};
use crate::context::{Context, Refusal};
use crate::layout::{Layout, named_fields};
use crate::needle::find;
use crate::put_values::read_by;
use crate::values::Dialect;

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| named_fields::compile_all(PATTERNS, Dialect::default()));

/// Envoy, Istio, Istio before it named details.
const PATTERNS: &[&str] = &[
    "[{@timestamp}] \"{request}\" {http.response.status_code} {*} {http.request.bytes} {http.response.bytes} {event.duration:ms} {*} \"{network.forwarded_ip}\" \"{user_agent.original}\" \"{*}\" \"{url.domain}\" \"{destination.address}\"{...}",
    "[{@timestamp}] \"{request}\" {http.response.status_code} {*} {*} {*} \"{*}\" {http.request.bytes} {http.response.bytes} {event.duration:ms} {*} \"{network.forwarded_ip}\" \"{user_agent.original}\" \"{*}\" \"{url.domain}\" \"{destination.address}\" {...}",
    "[{@timestamp}] \"{request}\" {http.response.status_code} {*} \"{*}\" \"{*}\" {http.request.bytes} {http.response.bytes} {event.duration:ms} {*} \"{network.forwarded_ip}\" \"{user_agent.original}\" \"{*}\" \"{url.domain}\" \"{destination.address}\" {...}",
];

pub(crate) fn looks_like(text: &[u8]) -> bool {
    matches!(text, [b'[', b'2', _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', ..])
        && text.get(20..40).is_some_and(|near| near.windows(4).any(|four| four == b"Z] \""))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not an access line of Envoy");
    if !looks_like(text) {
        return Err(OTHER);
    }
    let number = |word: Option<&[u8]>| word.is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_digit));
    // The words behind the status tell the forms apart; all of them are Envoy's own.
    let behind = find!(&text[1..], b"\" ").map_or(&b""[..], |at| &text[at + 3..]);
    let mut words = behind.split(|byte| *byte == b' ').skip(2);
    let (third, fourth, fifth) = (words.next(), words.next(), words.next());
    let layouts = match () {
        () if number(third) && number(fourth) => LAYOUTS.get(..1),
        () if fifth.is_some_and(|word| word.starts_with(b"\"")) => LAYOUTS.get(1..2),
        () => LAYOUTS.get(2..3),
    };
    let dataset = read_by(layouts.unwrap_or_default(), text, dataset::ACCESS, context, rows).ok_or(OTHER)?;
    if let Some(peer) = peer(text) {
        put_endpoint(rows, peer);
    }
    rows.literal(field::EVENT_CATEGORY, "web");
    Ok(dataset)
}

/// Istio ends its lines with `cluster upstream-local downstream-local downstream-remote server-name route`.
fn peer(text: &[u8]) -> Option<&[u8]> {
    let behind = text[memrchr(b'"', text)? + 1..].strip_prefix(b" ")?;
    let words: Vec<&[u8]> = behind.split(|byte| *byte == b' ').take(8).collect();
    let [_cluster, _upstream, local, remote, _name, _route] = words.as_slice() else { return None };
    (endpoint(local).is_some() && endpoint(remote).is_some()).then_some(*remote)
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_layouts_compile() {
        assert_eq!(super::LAYOUTS.len(), super::PATTERNS.len());
    }
}
