//! SQLite, the embedded database: one file, write-ahead log, one writer. Opening it, and what differs from PostgreSQL.

pub(crate) mod read;
pub(crate) mod write;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::error::StoreError;
use crate::postgres::without_password;

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections at a time; one of them may write.
const CONNECTIONS_MAX: u32 = 8;

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
    sqlx::migrate!("migrations/sqlite").run(&pool).await?;
    Ok(pool)
}
