//! Backup, restore, drill, and retention of a server store: the scripts of `deploy/scripts`, which the program carries with it, so
//! that what timers and CronJobs run and what people type is one. Decides nothing by itself.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::cli::{BackupArguments, DrillArguments, KeyArguments, RestoreArguments, RetentionArguments};
use crate::outcome::Outcome;

/// Scripts by name; the first ones are sourced by the others.
const SCRIPTS: [(&str, &str); 5] = [
    ("db-place.sh", include_str!("../../../../../deploy/scripts/db-place.sh")),
    ("backup-db.sh", include_str!("../../../../../deploy/scripts/backup-db.sh")),
    ("restore-db.sh", include_str!("../../../../../deploy/scripts/restore-db.sh")),
    ("drill-db.sh", include_str!("../../../../../deploy/scripts/drill-db.sh")),
    ("retention-db.sh", include_str!("../../../../../deploy/scripts/retention-db.sh")),
];

/// Runs a script on the store, with variables and arguments of its own.
fn run(url: &str, name: &str, set: impl FnOnce(&mut Command)) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for (name, text) in SCRIPTS {
        let path = folder.path().join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let mut command = Command::new("bash");
    command.arg(folder.path().join(name)).env_remove("C0DI3_STORE_URL_FILE").env("C0DI3_STORE_URL", url);
    set(command.env("C0DI3", program));
    let status = command.status().context("cannot run bash, which backups and restores need")?;
    Ok(match status.code() {
        Some(0) => Outcome::Done,
        Some(2) => Outcome::Usage,
        _ => Outcome::Failed,
    })
}

fn set_keys(command: &mut Command, keys: &KeyArguments) {
    for (name, file) in [
        ("BACKUP_KEY_FILE", &keys.key),
        ("BACKUP_AGE_RECIPIENTS", &keys.age_recipients),
        ("BACKUP_AGE_IDENTITY", &keys.age_identity),
    ] {
        match file {
            Some(file) => command.env(name, file),
            None => command.env_remove(name),
        };
    }
}

pub(super) fn backup(url: &str, asked: &BackupArguments) -> anyhow::Result<Outcome> {
    let with = std::env::join_paths(&asked.with).context("--with: a path holds a colon")?;
    run(url, "backup-db.sh", |command| {
        set_keys(command, &asked.keys);
        command.arg(&asked.folder).env("KEEP_DAYS", asked.keep_days.to_string()).env("CONFIG_PATHS", with);
    })
}

pub(super) fn restore(url: &str, asked: &RestoreArguments) -> anyhow::Result<Outcome> {
    run(url, "restore-db.sh", |command| {
        set_keys(command, &asked.keys);
        command.arg(&asked.file).env("FORCE", if asked.force { "1" } else { "" });
    })
}

pub(super) fn drill(url: &str, asked: &DrillArguments) -> anyhow::Result<Outcome> {
    run(url, "drill-db.sh", |command| {
        set_keys(command, &asked.keys);
        command.arg(&asked.folder).env("MAX_HOURS", asked.max_hours.to_string());
    })
}

/// Of a server store.
pub(super) fn retention(url: &str, asked: &RetentionArguments) -> anyhow::Result<Outcome> {
    run(url, "retention-db.sh", |command| {
        command.env("RETENTION_DAYS", asked.days.to_string()).env("AUDIT_DAYS", asked.audit_days.to_string());
        command.args(asked.dry_run.then_some("--dry-run"));
    })
}

/// The path of an embedded store.
pub(super) fn embedded(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
}
