//! Messages of Cisco's devices by their code `%FACILITY-SEVERITY-MNEMONIC`: firewalls by number, routers and switches by mnemonic.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::{asa, device, ios};

/// Bytes at the start of a line in which a code is looked for.
const HEAD_BYTES_MAX: usize = 200;

/// `%FACILITY-SEVERITY-MNEMONIC` and the text behind its colon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) message: &'a [u8],
}

/// The first code in the line, and what stands before it.
pub(crate) fn code(text: &[u8]) -> Option<(&[u8], Code<'_>)> {
    let head = &text[..text.len().min(HEAD_BYTES_MAX)];
    let at = memchr(b'%', head)?;
    if at > 0 && !matches!(text[at - 1], b' ' | b':' | b'>') {
        return None;
    }
    let rest = &text[at..];
    let end = 1 + rest[1..].iter().position(|byte| !is_of_code(*byte))?;
    let message = rest[end..].strip_prefix(b" ").unwrap_or(&rest[end..]).strip_prefix(b":")?;
    is_code(&rest[1..end]).then_some((&text[..at], Code { name: &rest[..end], message }))
}

fn is_of_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'.')
}

/// A severity of one digit stands between the facility, which begins with a capital, and the mnemonic.
fn is_code(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'-');
    let begins = |part: &[u8]| part.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte == b'$');
    parts.next().is_some_and(begins)
        && parts.any(|part| matches!(part, [b'0'..=b'7']))
        && parts.next().is_some_and(|part| !part.is_empty())
}

/// The program name under which the table of bodies holds what writes such a code.
pub(super) fn writer(program: &[u8]) -> &'static [u8] {
    match is_firewall(program) {
        true => b"%asa",
        false => b"%",
    }
}

fn is_firewall(program: &[u8]) -> bool {
    let facility = memchr(b'-', program).map_or(program, |dash| &program[..dash]);
    matches!(facility, b"%ASA" | b"%FTD" | b"%PIX" | b"%FWSM" | b"%NGIPS")
}

/// Puts a message whose code stands in the name of its program.
pub(super) fn put(rows: &mut BatchBuilder, program: &[u8], message: &[u8]) -> DatasetId {
    let code = program.strip_prefix(b"%").unwrap_or(program);
    rows.text(field::EVENT_CODE, code);
    let mnemonic = code.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
    if is_firewall(program) {
        let (product, dataset) = match program.starts_with(b"%FTD") {
            true => ("ftd", dataset::CISCO_FTD),
            false => ("asa", dataset::CISCO_ASA),
        };
        device::put_observer(rows, "Cisco", product, "firewall");
        asa::put(rows, mnemonic, message);
        return dataset;
    }
    device::put_observer(rows, "Cisco", "ios", "network");
    ios::put(rows, code, mnemonic, message);
    dataset::CISCO_IOS
}

/// Puts a message that begins with a code, where no program is named: a relay took the device's header for its own.
pub(super) fn put_whole(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    let (_, code) = code(message).filter(|(head, _)| head.is_empty())?;
    rows.text(field::PROCESS_NAME, code.name);
    let message = code.message.trim_ascii_start();
    rows.text(field::MESSAGE, message);
    Some(put(rows, code.name, message))
}
