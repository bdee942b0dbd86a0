//! fail2ban: which address was banned or let go, and by which jail.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use crate::address::{is_ip, put_peer};

/// `… [JAIL] Ban ADDRESS`, `Unban`, `Found`
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    const WORDS: [(&[u8], &str); 4] =
        [(b"] Ban ", "ban"), (b"] Unban ", "unban"), (b"] Found ", "found"), (b"] Restore Ban ", "ban")];
    let Some((at, text, action)) =
        WORDS.iter().find_map(|(text, word)| Some((memmem::find(message, text)?, *text, *word)))
    else {
        return false;
    };
    let rest = &message[at + text.len()..];
    let word = &rest[..memchr(b' ', rest).unwrap_or(rest.len())];
    if !is_ip(word) {
        return false;
    }
    put_peer(rows, word);
    if let Some(open) = memchr::memrchr(b'[', &message[..at]) {
        rows.text(field::SERVICE_NAME, &message[open + 1..at]);
    }
    rows.literal(field::EVENT_CATEGORY, "intrusion_detection");
    rows.literal(field::EVENT_ACTION, action);
    true
}
