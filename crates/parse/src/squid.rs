//! Squid's own access log: which machine asked the proxy for what.
//!
//! `seconds.milliseconds elapsed client code/status bytes method url user hierarchy/server type`

use std::sync::LazyLock;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::context::{Context, Refusal};
use crate::layout::{Layout, named_fields};
use crate::put_values::read_by;
use crate::values::Dialect;

static LAYOUTS: LazyLock<Vec<Layout>> =
    LazyLock::new(|| named_fields::compile_all(PATTERNS, Dialect { is_proxy: true, ..Dialect::default() }));

const PATTERNS: &[&str] = &[
    "{@timestamp:s}{_}{event.duration:ms} {source.ip} {event.action}/{http.response.status_code} {http.response.bytes} {http.request.method} {url.original} {user.name} {*}/{destination.ip} {...}",
];

pub(crate) fn looks_like(text: &[u8]) -> bool {
    let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    text.len() > 40 && is_digits(&text[..10]) && text[10] == b'.' && is_digits(&text[11..14]) && text[14] == b' '
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a line of Squid's access log");
    let is_like = looks_like(text);
    let dataset = is_like.then(|| read_by(&LAYOUTS, text, dataset::SQUID, context, rows)).flatten().ok_or(OTHER)?;
    rows.literal(field::EVENT_CATEGORY, "web");
    Ok(dataset)
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_layouts_compile() {
        assert_eq!(super::LAYOUTS.len(), super::PATTERNS.len());
    }
}
