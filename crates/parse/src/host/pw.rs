//! `userlog` of FreeBSD's pw(8): `2026-03-04 10:00:01 [root:useradd] ann(1001):ann(1001):Ann Example:/home/ann:/bin/sh`.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use crate::context::{Context, Refusal};

const ACTIONS: [(&[u8], &str); 6] = [
    (b"useradd", "user_added"),
    (b"userdel", "user_removed"),
    (b"usermod", "user_changed"),
    (b"groupadd", "group_added"),
    (b"groupdel", "group_removed"),
    (b"groupmod", "group_changed"),
];

/// Who did what, and the rest.
fn parts(text: &[u8]) -> Option<(&[u8], &'static str, &[u8])> {
    if text.len() < 24 || text[4] != b'-' || text[13] != b':' || text[19..21] != *b" [" {
        return None;
    }
    let inside = &text[21..];
    let close = memchr(b']', inside)?;
    let colon = memchr(b':', &inside[..close])?;
    let (_, action) = ACTIONS.iter().find(|(word, _)| *word == &inside[colon + 1..close])?;
    Some((&inside[..colon], action, inside[close + 1..].trim_ascii_start()))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    parts(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let (who, action, rest) = parts(text).ok_or(Refusal::Other("no line of pw"))?;
    let (time, _) = context.times.iso(text).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "pw");
    rows.text(field::MESSAGE, &text[20..]);
    rows.literal(field::EVENT_CATEGORY, "iam");
    rows.literal(field::EVENT_ACTION, action);
    rows.text(field::USER_NAME, who);
    // `ann(1001)`
    let target = memchr(b':', rest).map_or(rest, |colon| &rest[..colon]);
    let open = memchr(b'(', target);
    let name = open.map_or(target, |open| &target[..open]);
    let id = open.and_then(|open| target[open + 1..].strip_suffix(b")"));
    let ids = if action.starts_with("user") {
        (field::USER_TARGET_NAME, field::USER_TARGET_ID)
    } else {
        (field::GROUP_NAME, field::GROUP_ID)
    };
    if !name.is_empty() && !name.contains(&b' ') {
        rows.text(ids.0, name);
        if let Some(id) = id {
            rows.text(ids.1, id);
        }
    }
    Ok(dataset::ACCOUNTS)
}
