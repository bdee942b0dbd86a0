//! Lines of Ubiquiti's access points: the device calls itself `U7PG2,0011223344ff,v4.3.28.11361` or `0011223344ff,U7-Pro-8.6.11` where a
//! program's name stands, and the program comes behind it.

use crate::syslog::Program;
use crate::tag::tag;

/// What the program behind the device's name says; `None` where the name is no device's.
pub(crate) fn inner<'a>(device: &[u8], message: &'a [u8]) -> Option<(Program<'a>, &'a [u8])> {
    let is_hardware = |part: &[u8]| part.len() == 12 && part.iter().all(u8::is_ascii_hexdigit);
    if !device.split(|byte| *byte == b',').take(2).any(is_hardware) || !device.contains(&b',') {
        return None;
    }
    let message = message.trim_ascii_start();
    let message = message.strip_prefix(b":").unwrap_or(message).trim_ascii_start();
    let tag = tag(message)?;
    Some((tag.program, tag.message))
}
