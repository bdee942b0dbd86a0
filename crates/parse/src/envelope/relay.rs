//! What relays put in front of a message that they pass on, to say whose it was. Reads no message.

use memchr::memchr;

use crate::address::is_ip;

/// What a message of another machine begins with where Kiwi has passed it on.
pub(crate) const ORIGINAL: &[u8] = b"Original Address=";

/// The address of the machine that wrote the message, and the message, where a relay has put it in front.
pub(crate) fn original(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = message.strip_prefix(ORIGINAL)?;
    let end = memchr(b' ', rest)?;
    is_ip(&rest[..end]).then(|| (&rest[..end], rest[end + 1..].trim_ascii_start()))
}
