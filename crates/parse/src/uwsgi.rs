//! The request log of uWSGI.
//!
//! `[pid: N|app: N|req: N/N] client (user) {N vars in N bytes} [time] METHOD target => generated N bytes in N msecs (HTTP/1.1 200) …`

use std::sync::LazyLock;

use event::{BatchBuilder, DatasetId, dataset};

use crate::context::{Context, Refusal};
use crate::layout::{Layout, named_fields};
use crate::put_values::read_by;
use crate::values::Dialect;

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| named_fields::compile_all(PATTERNS, Dialect::default()));

const PATTERNS: &[&str] = &[
    "[pid: {*}|app: {*}|req: {*}] {source.ip} ({user.name}) {{{*} vars in {*} bytes}} [{@timestamp}] {http.request.method} {url.original} => generated {http.response.body.bytes} bytes in {event.duration:ms} msecs ({http.version} {http.response.status_code}) {...}",
];

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(b"[pid: ")
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a request line of uWSGI");
    let is_like = looks_like(text);
    is_like.then(|| read_by(&LAYOUTS, text, dataset::ACCESS, context, rows)).flatten().ok_or(OTHER)
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_layouts_compile() {
        assert_eq!(super::LAYOUTS.len(), super::PATTERNS.len());
    }
}
