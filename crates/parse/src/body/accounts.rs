//! The shadow tools: useradd, usermod, userdel, groupadd and the rest of their family.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::cut::value_of;
use super::family::{Family, account, act};
use crate::needle::{find, rfind};

pub(super) const PROGRAMS: &[&str] = &[
    "useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "gpasswd", "passwd", "chpasswd", "chage",
    "chfn", "chsh", "newusers", "adduser", "addgroup", "deluser", "delgroup", "newgrp", "sg", "pw",
];

/// What changed by whom, and the words of adduser, pw and others.
#[rustfmt::skip]
pub(super) static LINES: Family = Family::new(&[
    account("password for '{user.target.name:word}' changed by '{user.name:word}'", "password_changed"),
    account("change user name '{user.target.name:word}' to '{user.changes.name:word}'", "user_renamed"),
    account("{(members||administrators)} of group {group.name:word} set by {user.name:word} to {event.reason}", "group_members_set"),
    account("password of group {group.name:word} {(changed||removed)} by {user.name:word}", "group_password_changed"),
    account("user '{user.name:word}' (login '{:word}' on {system.auth.sudo.tty:word}) switched to group '{group.name:word}'", "group_switched"),
    act("iam", "failed adding user '{user.target.name:word}', {event.reason}", "user_not_added"),
    account("Adding new user `{user.target.name:word}' ({user.target.id}) with group `{group.name}' ...", "user_added"),
    account("Adding new user `{user.target.name:word}' (UID {user.target.id}) with group `{group.name}' ...", "user_added"),
    account("Adding new group `{group.name:word}' ({?GID ?}{group.id}) ...", "group_added"),
    account("Adding user `{user.target.name:word}' to group `{group.name:word}' ...", "group_member_added"),
    account("Removing user `{user.target.name:word}' from group `{group.name:word}' ...", "group_member_removed"),
    account("Removing user `{user.target.name:word}' ...", "user_removed"),
], &[]);

/// How a message starts, what was done, and whether a user or a group name follows.
struct Start {
    text: &'static [u8],
    action: &'static str,
    names_group: bool,
}

const fn start(text: &'static [u8], action: &'static str, names_group: bool) -> Start {
    Start { text, action, names_group }
}

static STARTS: &[Start] = &[
    start(b"new user: name=", "user_added", false),
    start(b"new group: name=", "group_added", true),
    start(b"group added to /etc/group: name=", "group_added", true),
    start(b"group added to /etc/gshadow: name=", "group_added", true),
    start(b"delete user '", "user_removed", false),
    start(b"removed group '", "group_removed", true),
    start(b"group '", "group_removed", true),
    start(b"change user '", "user_changed", false),
    start(b"changed user '", "user_changed", false),
    start(b"lock user '", "user_locked", false),
    start(b"unlock user '", "user_unlocked", false),
    start(b"changed password expiry for ", "password_expiry_changed", false),
    start(b"password for '", "password_changed", false),
    start(b"password changed for ", "password_changed", false),
    start(b"user ", "group_member_added", false),
];

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if LINES.put_known(rows, message) || put_membership(rows, message) {
        return true;
    }
    let Some(start) = STARTS.iter().find(|start| message.starts_with(start.text)) else { return false };
    let rest = &message[start.text.len()..];
    let end = rest.iter().position(|byte| matches!(byte, b'\'' | b',' | b' ')).unwrap_or(rest.len());
    let id = if start.names_group { field::GROUP_NAME } else { field::USER_TARGET_NAME };
    rows.text(id, &rest[..end]);
    put_attributes(rows, message);
    put_action(rows, start.action);
    true
}

/// `add 'NAME' to group 'GROUP'`, `add 'NAME' to shadow group 'GROUP'`, `user NAME added by BY to group GROUP`
fn put_membership(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let quoted = |prefix: &[u8]| message.strip_prefix(prefix);
    let (rest, action) = match (quoted(b"add '"), quoted(b"delete '")) {
        (Some(rest), _) => (rest, "group_member_added"),
        (_, Some(rest)) => (rest, "group_member_removed"),
        _ => return put_gpasswd(rows, message),
    };
    let (Some(name), Some(group)) = (memchr(b'\'', rest), find!(rest, b"group '")) else { return false };
    let group = &rest[group + 7..];
    rows.text(field::USER_TARGET_NAME, &rest[..name]);
    rows.text(field::GROUP_NAME, group.split(|byte| *byte == b'\'').next().unwrap_or(group));
    put_action(rows, action);
    true
}

fn put_gpasswd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"user ") else { return false };
    let (Some(by), Some(group)) = (find!(rest, b" by "), rfind!(rest, b" group ")) else { return false };
    let (account, verb) = match rfind!(&rest[..by], b" ") {
        Some(at) => (&rest[..at], &rest[at + 1..by]),
        None => return false,
    };
    rows.text(field::USER_TARGET_NAME, account);
    rows.text(field::GROUP_NAME, &rest[group + 7..]);
    let actor = &rest[by + 4..];
    rows.text(field::USER_NAME, actor.split(|byte| *byte == b' ').next().unwrap_or(actor));
    put_action(rows, if verb == b"added" { "group_member_added" } else { "group_member_removed" });
    true
}

fn put_action(rows: &mut BatchBuilder, action: &'static str) {
    rows.literal(field::EVENT_CATEGORY, "iam");
    rows.literal(field::EVENT_ACTION, action);
    rows.literal(field::EVENT_OUTCOME, "success");
}

/// `name=…, UID=…, GID=…, home=…, shell=…, from=…`
fn put_attributes(rows: &mut BatchBuilder, message: &[u8]) {
    for (key, id) in [
        (&b"UID="[..], field::USER_TARGET_ID),
        (b"GID=", field::GROUP_ID),
        (b"home=", field::SYSTEM_AUTH_USERADD_HOME),
        (b"shell=", field::SYSTEM_AUTH_USERADD_SHELL),
        (b"from=", field::SYSTEM_AUTH_SUDO_TTY),
    ] {
        if let Some(value) = value_of(message, key).filter(|value| !value.is_empty() && *value != b"none") {
            rows.text(id, value);
        }
    }
}
