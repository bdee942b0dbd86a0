//! Arguments of `c0di3 db`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Bring the tables up to date
    Migrate,
    /// Count what is kept again and tell what does not add up
    Check,
    /// Mend what does not add up and can be derived again, in one transaction; stop analyzer and agent before
    Repair {
        /// Tell what would be mended, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Back the store up into a folder: compressed, with its sum, tried; old backups go, never the last good one
    Backup(BackupArguments),
    /// Restore a backup into an empty store; stop analyzer and agent before
    Restore(RestoreArguments),
    /// Restore the newest backup beside the store and prove it: sum, counts, `db check`, a login
    Drill(DrillArguments),
    /// Remove what is older than it has to be kept
    Retention(RetentionArguments),
    /// Copy the embedded store as it is now into a new file
    #[command(hide = true)]
    Copy {
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
    /// Note that a task has succeeded
    #[command(hide = true)]
    Done {
        #[arg(value_name = "NAME")]
        name: String,
        #[arg(value_name = "WORDS")]
        detail: String,
    },
}

/// What opens and closes encrypted backups.
#[derive(Args, Debug)]
pub(crate) struct KeyArguments {
    /// File with a password: backups are encrypted by openssl, and opened
    #[arg(long, value_name = "FILE", env = "BACKUP_KEY_FILE")]
    pub(crate) key: Option<PathBuf>,
    /// File with public keys of age, whose owners alone can open backups
    #[arg(long, value_name = "FILE", env = "BACKUP_AGE_RECIPIENTS")]
    pub(crate) age_recipients: Option<PathBuf>,
    /// File with the key of age that opens backups
    #[arg(long, value_name = "FILE", env = "BACKUP_AGE_IDENTITY")]
    pub(crate) age_identity: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) keys: KeyArguments,
    /// Days after which backups go
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) keep_days: u32,
    /// Files and folders to back up beside the store, such as the configuration; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) with: Vec<PathBuf>,
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) keys: KeyArguments,
    /// Replace what the store holds
    #[arg(long)]
    pub(crate) force: bool,
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DrillArguments {
    #[command(flatten)]
    pub(crate) keys: KeyArguments,
    /// Hours that the newest backup may be old
    #[arg(long, value_name = "N", default_value_t = 26)]
    pub(crate) max_hours: u32,
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RetentionArguments {
    /// Days that closed incidents, their findings and notices stay
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: u32,
    /// Days that the audit log stays
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(90..))]
    pub(crate) audit_days: u32,
    /// Tell what would be removed, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
