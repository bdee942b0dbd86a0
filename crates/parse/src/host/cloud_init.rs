//! `cloud-init.log` (`DATE TIME,MILLIS - util.py[DEBUG]: MESSAGE`) and the marked lines of `cloud-init-output.log`.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::context::{Context, Refusal};
use crate::needle::find;

/// The message behind time, module and level.
fn message(text: &[u8]) -> Option<&[u8]> {
    if text.len() < 30 || text[4] != b'-' || text[19] != b',' || text[23..26] != *b" - " {
        return None;
    }
    let end = find!(&text[..text.len().min(90)], b"]: ")?;
    find!(&text[26..end], b".py[")?;
    Some(&text[end + 3..])
}

/// `Cloud-init v. 24.1 running 'modules:final' at Wed, 04 Mar 2026 10:00:01 +0000. Up 12.34 seconds.`, `ci-info: …`
fn output(text: &[u8]) -> Option<&[u8]> {
    (text.starts_with(b"Cloud-init v. ") || text.starts_with(b"ci-info: ")).then_some(text)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    message(text).or_else(|| output(text)).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if let Some(message) = message(text) {
        let (time, _) = context.times.iso(text).ok_or(Refusal::Other("no time in front"))?;
        rows.date(field::TIMESTAMP, time);
        rows.text(field::MESSAGE, message);
    } else {
        let message = output(text).ok_or(Refusal::Other("no line of cloud-init"))?;
        rows.text(field::MESSAGE, message);
    }
    rows.literal(field::PROCESS_NAME, "cloud-init");
    Ok(dataset::CLOUD_INIT)
}
