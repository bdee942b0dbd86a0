//! dropbear: logins and failures. The address stands at the end, behind whatever name was tried.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memrchr};

use super::outcome::{Outcome, outcome};
use crate::address::{decimal, put_peer};
use crate::needle::Needle;

const FROM: Needle = Needle::new(b" from ");
const QUOTE_ENDS: Needle = Needle::new(b"' ");

const FAILED: Outcome = outcome("ssh_login", "failure");
const LOGGED_IN: Outcome = outcome("ssh_login", "success");

/// `Bad password attempt for 'NAME' from ADDRESS:PORT` and the like.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let known: [(&[u8], Outcome, &'static str); 4] = [
        (b"Bad password attempt for ", FAILED, "Failed"),
        (b"Login attempt for nonexistent user", outcome("ssh_invalid_user", "failure"), "Invalid"),
        (b"Password auth succeeded for ", LOGGED_IN, "Accepted"),
        (b"Pubkey auth succeeded for ", LOGGED_IN, "Accepted"),
    ];
    let Some((_, outcome, word)) = known.iter().find(|(text, ..)| message.starts_with(text)) else { return false };
    if let (Some(open), Some(close)) = (memchr(b'\'', message), QUOTE_ENDS.rfind(message))
        && open < close
    {
        rows.text(field::USER_NAME, &message[open + 1..close]);
    }
    let peer = FROM.rfind(message).map(|from| &message[from + FROM.len()..]);
    if let Some(peer) = peer.filter(|peer| memchr(b' ', peer).is_none()) {
        let colon = memrchr(b':', peer).unwrap_or(peer.len());
        put_peer(rows, &peer[..colon]);
        if let Some(port) = peer.get(colon + 1..).and_then(decimal) {
            rows.long(field::SOURCE_PORT, port);
        }
    }
    outcome.put(rows);
    rows.literal(field::SYSTEM_AUTH_SSH_EVENT, word);
    true
}
