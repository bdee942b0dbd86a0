//! SQLite, the embedded database: one file, write-ahead log, one writer. Opening it, and what differs from PostgreSQL.

pub(crate) mod read;
pub(crate) mod write;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError::ExecuteMigration;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::error::StoreError;
use crate::migrate::{APPLIED, beside_later, check_later};
use crate::postgres::without_password;

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections at a time; one of them may write.
const CONNECTIONS_MAX: u32 = 8;

/// How often tables are brought up to date beside another process that does so, and the pause between.
const MIGRATE_TRIES: u32 = 5;
const MIGRATE_PAUSE: Duration = Duration::from_millis(200);

/// Opens `sqlite:PATH`, creating file and folder, and brings the tables up to date.
pub(crate) async fn connect(url: &str) -> Result<SqlitePool, StoreError> {
    let path = url.strip_prefix("sqlite:").ok_or_else(|| StoreError::UnknownUrl(without_password(url)))?;
    if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
    }
    let failed = |source| StoreError::Open { url: url.to_owned(), source };
    let options = SqliteConnectOptions::from_str(url)
        .map_err(failed)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await.map_err(failed)?;
    let migrations = beside_later(sqlx::migrate!("migrations/sqlite"));
    let mut tries = 1;
    // Of two processes that make the same tables at once, one fails, and finds them made when it looks again.
    while let Err(error) = migrations.run(&pool).await {
        if tries == MIGRATE_TRIES || !matches!(error, ExecuteMigration(..)) {
            return Err(error.into());
        }
        tries += 1;
        tokio::time::sleep(MIGRATE_PAUSE).await;
    }
    check_later(&migrations, &sqlx::query_as(APPLIED).fetch_all(&pool).await.map_err(failed)?)?;
    Ok(pool)
}
