//! Names in front of lines: `web-1  | TEXT` of docker-compose (with a time behind it, where asked for) and
//! `[pod/NAME/CONTAINER] TEXT` of kubectl. Any text may look so: it must be of a known format, or the name must be numbered.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp, dataset};
use memchr::memchr;

use super::{read_inner, stamped};
use crate::context::{Context, Refusal};

/// Longest name in front of a line, in bytes: docker allows no longer ones in DNS.
const NAME_BYTES_MAX: usize = 63 + 1 + 16;

#[derive(Debug, Default)]
struct NamePrefix<'a> {
    pod: Option<&'a [u8]>,
    container: &'a [u8],
    text: &'a [u8],
    /// The name alone says that this is an envelope.
    is_certain: bool,
}

impl<'a> NamePrefix<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        if !text.first()?.is_ascii_alphanumeric() {
            return None;
        }
        let bar = memchr(b'|', &text[..text.len().min(NAME_BYTES_MAX)])?;
        let name = text[..bar].trim_ascii_end();
        let text = &text[bar + 1..];
        if name.len() == bar || !is_name(name) || !matches!(text.first(), Some(b' ') | None) {
            return None;
        }
        let number = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let is_certain = number > 0 && matches!(name.get(name.len().wrapping_sub(number + 1)), Some(b'-' | b'_'));
        Some(NamePrefix { pod: None, container: name, text: text.get(1..).unwrap_or_default(), is_certain })
    }
}

/// `[pod/NAME/CONTAINER] TEXT`
fn pod(text: &[u8]) -> Option<NamePrefix<'_>> {
    let rest = text.strip_prefix(b"[pod/")?;
    let close = memchr(b']', rest)?;
    let slash = memchr(b'/', &rest[..close])?;
    let (pod, container) = (&rest[..slash], &rest[slash + 1..close]);
    let text = rest[close + 1..].strip_prefix(b" ")?;
    (is_name(pod) && is_name(container)).then_some(NamePrefix { pod: Some(pod), container, text, is_certain: true })
}

fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    NamePrefix::read(text).is_some()
}

pub(crate) fn looks_like_pod(text: &[u8]) -> bool {
    pod(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    read_behind(NamePrefix::read(text), context, rows)
}

pub(crate) fn read_pod(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    read_behind(pod(text), context, rows)
}

fn read_behind(
    prefix: Option<NamePrefix<'_>>,
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Result<DatasetId, Refusal> {
    let prefix = prefix.ok_or(Refusal::Other("no name of a container in front"))?;
    let (time, inner): (Option<Timestamp>, _) = match stamped::split(prefix.text, context) {
        Some((time, inner)) => (Some(time), inner),
        None => (None, prefix.text),
    };
    let dataset = read_inner(inner, time, context, rows);
    if dataset == dataset::CONTAINER && !prefix.is_certain {
        rows.clear_row();
        return Err(Refusal::Other("no name of a container in front"));
    }
    rows.text(field::CONTAINER_NAME, prefix.container);
    if let Some(pod) = prefix.pod {
        rows.text(field::ORCHESTRATOR_RESOURCE_NAME, pod);
    }
    Ok(dataset)
}
