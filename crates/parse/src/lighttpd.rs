//! Error logs of lighttpd: `2026-03-04 10:00:01: (mod_auth.c.853) message`, and the same behind syslog without the time.
//!
//! Failed logins end with the client; user names and paths stand in front of it.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memmem};

use crate::address::{is_ip, put_peer};
use crate::context::{Context, Refusal};
use crate::needle::{find, rfind};

/// The date, the time and what follows `: `.
fn split(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let head = text.get(..21)?;
    let is_dated = head[4] == b'-' && head[10] == b' ' && head[13] == b':' && &head[19..] == b": ";
    is_dated.then(|| (&text[..10], &text[11..19], &text[21..]))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    split(text).is_some_and(|(.., rest)| place(rest).is_some())
}

/// `(file.c.line) message`; a version of the program forgot the first bracket.
fn place(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"(").unwrap_or(text);
    let close = memchr(b')', inside.get(..60.min(inside.len()))?)?;
    let (place, rest) = (&inside[..close], inside[close + 1..].strip_prefix(b" ")?);
    find!(place, b".c.").filter(|_| !place.contains(&b' ')).map(|_| (place, rest))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not an error line of lighttpd");
    let (date, time, rest) = split(text).ok_or(OTHER)?;
    let (_, message) = place(rest).ok_or(OTHER)?;
    rows.date(field::TIMESTAMP, context.times.local(date, time).ok_or(OTHER)?);
    put(message, rows);
    Ok(dataset::HTTP_ERROR)
}

/// The message of a syslog line.
pub(crate) fn read_message(text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
    let (_, message) = place(text)?;
    put(message, rows);
    Some(dataset::HTTP_ERROR)
}

const LOGINS: &[(&[u8], &str)] = &[
    (b"password doesn't match for ", "password mismatch"),
    (b"get_password failed", "unknown user"),
    (b"digest: auth failed", "password mismatch"),
    (b"digest: nonce invalid", "the nonce is not valid"),
    (b"digest: password mismatch", "password mismatch"),
];

/// `… username: NAME, IP: ADDRESS`
fn put(message: &[u8], rows: &mut BatchBuilder) {
    rows.text(field::MESSAGE, message);
    let client = rfind!(message, b"IP: ").map(|at| &message[at + 4..]).filter(|client| is_ip(client));
    let Some((_, reason)) = LOGINS.iter().find(|(head, _)| message.starts_with(head)) else {
        rows.literal(field::EVENT_CATEGORY, "web");
        return;
    };
    if let Some(client) = client {
        put_peer(rows, client);
        let before = &message[..message.len() - client.len() - 4];
        let before = before.strip_suffix(b", ").or(before.strip_suffix(b" ")).unwrap_or(before);
        let names: Vec<usize> = memmem::find_iter(before, b"username: ").collect();
        if let Some(name) =
            before.strip_prefix(b"digest: auth failed for ").and_then(|rest| rest.strip_suffix(b": wrong password"))
        {
            rows.text(field::USER_NAME, name.trim_ascii());
        }
        // A path may hold the same words.
        if let [at] = names.as_slice() {
            rows.text(field::USER_NAME, &before[at + 10..]);
        }
    }
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, "failure");
    rows.literal(field::EVENT_REASON, reason);
}
