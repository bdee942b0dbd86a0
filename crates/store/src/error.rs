//! What can go wrong with a store, and whether it passes: callers that retry ask the error, not its text.

use std::path::PathBuf;

/// An operation of a store that failed; its variant names the operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address has a scheme that no store answers to.
    #[error("`{0}` is no store that this version knows: use sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownUrl(String),
    /// The folder of the SQLite file could not be made.
    #[error("cannot create the folder {path} for the store")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database could not be opened or connected to.
    #[error("cannot open the store {url}")]
    Open {
        /// Its address, without a password.
        url: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error("cannot bring the store's tables up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A later version has changed the tables in a way that this one cannot work with.
    #[error(
        "the store's tables are those of a later version, which this one cannot work with (change {version}: {description}): \
         run that version, or restore a backup from before"
    )]
    TooNew {
        /// The number of the change.
        version: i64,
        /// What it says of itself.
        description: String,
    },
    /// A statement that changes rows failed; its transaction changed nothing.
    #[error("cannot write to the store")]
    Write(#[source] sqlx::Error),
    /// A statement that reads rows failed.
    #[error("cannot read from the store")]
    Read(#[source] sqlx::Error),
    /// A row cannot be understood: which kind of value, and why.
    #[error("the store holds a value that cannot be read: {0}")]
    Damaged(String),
    /// The instance or source of this name has a newer epoch than the commit.
    #[error("another process has taken over {0}: what this one read of it is not committed")]
    Fenced(String),
    /// The cache's address cannot be used.
    #[error("the address of the cache cannot be used")]
    CacheAddress(#[source] redis::RedisError),
    /// Redis did not answer, or answered with an error.
    #[error("the cache does not answer")]
    Cache(#[from] redis::RedisError),
    /// Redis is away and the memory that stands in for it is not filled yet.
    #[error("the cache does not answer, and the store has not been followed far enough to do without it")]
    Uncounted,
}

impl StoreError {
    /// What lies behind it, in words; the error itself where nothing does.
    pub fn cause(&self) -> String {
        let mut last: &dyn std::error::Error = self;
        while let Some(source) = last.source() {
            last = source;
        }
        last.to_string()
    }

    /// Whether the same request may succeed later: the server was away or busy, not the request wrong.
    pub fn is_passing(&self) -> bool {
        use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
        match self {
            StoreError::Open { source, .. }
            | StoreError::Write(source)
            | StoreError::Read(source)
            | StoreError::Migrate(Execute(source) | ExecuteMigration(source, _)) => is_passing(source),
            StoreError::Cache(_) | StoreError::Uncounted => true,
            StoreError::UnknownUrl(_)
            | StoreError::Folder { .. }
            | StoreError::Migrate(_)
            | StoreError::TooNew { .. }
            | StoreError::Damaged(_)
            | StoreError::Fenced(_)
            | StoreError::CacheAddress(_) => false,
        }
    }
}

/// What a pool says of a connection that it could not lend names no cause.
pub(crate) fn named(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::PoolTimedOut => sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "no connection to the store within its time: the server is away or stands still, or all connections are in use",
        )),
        other => other,
    }
}

/// Whether the database may answer the same statement later.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL's classes. 08: connection; 53: resources; 57: shutting down; 40: try again; 55: locked. SQLite's
        // 5: busy.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57", "40", "55"].iter().any(|class| code.starts_with(class)) || code == "5"
        }),
        _ => false,
    }
}

/// Whether a lock was not got within the time that it may take.
pub(crate) fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
