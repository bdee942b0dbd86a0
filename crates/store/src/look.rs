//! Looking at a store without changing it: whether it can be reached, what it knows. Opening one brings its tables up to date;
//! this does not.

use std::str::FromStr;
use std::time::Duration;

use event::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::error::StoreError;
use crate::postgres::without_password;
use crate::sql::{Pool, Text, sql};
use crate::sql_store::SqlStore;
use crate::tasks::{TaskDone, Tasks};

/// Longest wait for the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a server tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its clock.
    pub now: Timestamp,
    /// Such as 150004.
    pub version: i64,
    /// How many may be connected at once.
    pub connections_max: i64,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Absent where the store is a file.
    pub server: Option<Server>,
    /// Whether the tables of this version are there.
    pub is_migrated: bool,
    /// Whether this role of a server may make a table for each month of the audit log.
    pub makes_months: bool,
    /// Tokens that are valid now.
    pub tokens: i64,
    /// When tasks last succeeded.
    pub tasks: Vec<TaskDone>,
    /// How much there is.
    pub size: Size,
    /// Files of the archive that are known, and the name of the archive.
    pub archive: (i64, String),
}

/// How much a store holds, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// All of it, with indexes.
    pub bytes: i64,
    /// Findings.
    pub findings: i64,
    /// When the first of them was made.
    pub since: Timestamp,
}

const SERVER: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    current_setting('server_version_num')::bigint, current_setting('max_connections')::bigint";

const MAKES_MONTHS: &str = "SELECT pg_has_role(relowner, 'USAGE')
        AND has_schema_privilege(relnamespace, 'CREATE') FROM pg_class WHERE oid = 'audit'::regclass";

const ARCHIVE: &str =
    "SELECT (SELECT count(*) FROM archive_files WHERE gone_at IS NULL), archive FROM archive_sequence";

const BYTES: Text = Text {
    sqlite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    postgres: "SELECT pg_database_size(current_database())",
};

/// Looks at the store that the address names, as of `now`.
pub async fn look(url: &str, now: Timestamp) -> Result<Look, StoreError> {
    let shown = without_password(url);
    let failed = |source| StoreError::Open { url: shown.clone(), source };
    let (pool, is_migrated, server) = if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url).map_err(failed)?.create_if_missing(false).read_only(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
        let pool = Pool::Sqlite(pool);
        let is_migrated = pool.row(sql("SELECT 1 FROM sqlite_master WHERE name = 'tasks'")).await?.is_some();
        (pool, is_migrated, None)
    } else {
        let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("c0di3-doctor");
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let pool = Pool::Postgres(pool.connect_with(options).await.map_err(failed)?);
        let is_migrated = pool.row(sql("SELECT 1 WHERE to_regclass('tasks') IS NOT NULL")).await?.is_some();
        let told = pool.row(sql(SERVER)).await?;
        let server =
            told.map(|row| Server { now: Timestamp(row.get(0)), version: row.get(1), connections_max: row.get(2) });
        (pool, is_migrated, server)
    };
    if !is_migrated {
        return Ok(Look { server, ..Look::default() });
    }
    let valid = sql("SELECT count(*) FROM tokens WHERE revoked = 0 AND (expires_at IS NULL OR expires_at > $1)");
    let tokens = pool.row(valid.bind(now.0)).await?.map_or(0, |row| row.get(0));
    let bytes = pool.row(sql(BYTES)).await?.map_or(0, |row| row.get(0));
    let made = pool.row(sql("SELECT count(*), coalesce(min(created_at), 0) FROM findings")).await?;
    let (findings, since) = made.map_or((0, 0), |row| (row.get(0), row.get(1)));
    let size = Size { bytes, findings, since: Timestamp(since) };
    let known = pool.row(sql(ARCHIVE)).await?.map_or_else(Default::default, |row| (row.get(0), row.get(1)));
    let makes_months = match server {
        Some(_) => pool.row(sql(MAKES_MONTHS)).await?.is_some_and(|row| row.get(0)),
        None => false,
    };
    let tasks = SqlStore { pool, partitions: Default::default() }.tasks().await?;
    Ok(Look { server, is_migrated, makes_months, tokens, tasks, size, archive: known })
}
