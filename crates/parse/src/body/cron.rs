//! Cron and its kin: `(NAME) CMD (command)`; other verbs keep their argument as the reason.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::family::{Family, act};
use crate::needle::find;

/// What anacron, atd, BusyBox's crond and others say.
#[rustfmt::skip]
pub(super) static LINES: Family = Family::new(&[
    act("process", "USER {user.name:word} pid {process.pid} cmd {process.command_line}", "cron_command"),
    act("process", "FILE {file.path:word} USER {user.name:word} PID {process.pid} {process.command_line}", "cron_command"),
    act("process", "FILE {file.path:word} USER {user.name:word} pid {process.pid} {process.command_line}", "cron_command"),
    act("process", "Job `{event.reason}' started", "cron_job"),
    act("process", "Job `{event.reason}' terminated{*}", "cron_job_ended"),
    act("process", "Will run job `{event.reason}' in {:number} min.", "cron_job_planned"),
    act("process", "Starting job {:number} ({:word}) for user '{user.name:word}' ({user.id})", "at_job"),
    act("process", "Job {event.reason} started for user {user.name:word} (pid {process.pid})", "cron_job"),
], &[]);

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_bracketed(rows, message) || LINES.put_known(rows, message)
}

fn put_bracketed(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(name) = message.strip_prefix(b"(").and_then(|rest| memchr(b')', rest).map(|at| &rest[..at])) else {
        return false;
    };
    let rest = message[name.len() + 2..].trim_ascii_start();
    let Some(open) = find!(rest, b" (") else { return false };
    let argument = &rest[open + 2..];
    let argument = argument.strip_suffix(b")").unwrap_or(argument);
    rows.text(field::USER_NAME, name);
    let action = match &rest[..open] {
        b"CMD" | b"CMDOUT" | b"CMDEND" => {
            rows.text(field::PROCESS_COMMAND_LINE, argument);
            if rest.starts_with(b"CMD (") { "cron_command" } else { "cron_output" }
        }
        b"RELOAD" => "crontab_reloaded",
        b"REPLACE" | b"BEGIN EDIT" | b"END EDIT" | b"DELETE" => "crontab_changed",
        b"LIST" => "crontab_listed",
        b"AUTH" | b"ERROR" | b"FAILED" => "cron_refused",
        b"WRONG FILE OWNER" | b"BAD FILE MODE" | b"INSECURE MODE" | b"ORPHAN" | b"PAM ERROR" => "cron_refused",
        _ => "cron_message",
    };
    rows.literal(field::EVENT_CATEGORY, "process");
    rows.literal(field::EVENT_ACTION, action);
    if action != "cron_command" && action != "cron_output" {
        rows.text(field::EVENT_REASON, argument);
    }
    true
}
