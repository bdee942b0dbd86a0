//! Server access logs of S3 buckets: who asked for which object.

use std::sync::LazyLock;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::context::{Context, Refusal};
use crate::layout::{Layout, named_fields};
use crate::put_values::read_by;
use crate::values::Dialect;

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| named_fields::compile_all(PATTERNS, Dialect::default()));

const PATTERNS: &[&str] = &[
    "{*} {aws.s3access.bucket} [{@timestamp}] {source.ip} {user.id} {*} {event.action} {*} \"{request}\" {http.response.status_code} {event.reason} {http.response.bytes} {*} {event.duration:ms} {*} \"{http.request.referrer}\" \"{user_agent.original}\"{...}",
];

/// Length of the canonical id of the bucket's owner, in hexadecimal digits.
const OWNER_DIGITS: usize = 64;

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.get(OWNER_DIGITS) == Some(&b' ') && text[..OWNER_DIGITS].iter().all(u8::is_ascii_hexdigit)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a line of an S3 server access log");
    let is_like = looks_like(text);
    let dataset = is_like.then(|| read_by(&LAYOUTS, text, dataset::S3, context, rows)).flatten().ok_or(OTHER)?;
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
