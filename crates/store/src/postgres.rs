//! PostgreSQL 15 or newer, the server database: opening it, and what differs from SQLite. The committer and people each
//! have their own pool and time limits, so that neither starves the other.

pub(crate) mod partitions;
pub(crate) mod read;
pub(crate) mod write;

use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::StoreError;
use crate::migrate::{APPLIED, beside_later, check_later};
use crate::seen::fill_seen;
use crate::sql::Pool;

/// Who uses the store, which decides how many connections there are and how long statements may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The committer: 3 connections, 60 s.
    Commit,
    /// People and their tools: 10 connections, 5 s.
    Ask,
}

impl Use {
    fn connections_max(self) -> u32 {
        match self {
            Use::Commit => 3,
            Use::Ask => 10,
        }
    }

    /// Longest that a statement may run, in milliseconds.
    fn statement_timeout_ms(self) -> &'static str {
        match self {
            Use::Commit => "60000",
            Use::Ask => "5000",
        }
    }

    /// Settings of the query planner. The committer finds a few thousand rows by their keys; a planner whose statistics
    /// are too old would scan the whole table instead, with parallel workers that cost more to start than they save.
    fn planner(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Use::Commit => &[
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("enable_seqscan", "off"),
                ("max_parallel_workers_per_gather", "0"),
                ("jit", "off"),
            ],
            // Compiling takes longer than any of these queries, and none of them is fastest by scanning a whole table.
            Use::Ask => &[("jit", "off"), ("enable_seqscan", "off")],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Use::Commit => "c0di3-commit",
            Use::Ask => "c0di3-ask",
        }
    }
}

/// Longest wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait for the connection that tells whether the server can be reached.
const REACH_MAX: Duration = Duration::from_secs(1);

/// How to connect to `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`.
pub(crate) fn options(url: &str, use_as: Use) -> Result<PgConnectOptions, StoreError> {
    let failed = |source| StoreError::Open { url: without_password(url), source };
    let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name(use_as.name()).options([
        ("statement_timeout", use_as.statement_timeout_ms()),
        ("idle_in_transaction_session_timeout", "60000"),
        // Only a plan made for the bound values leaves out filters that are not used.
        ("plan_cache_mode", "force_custom_plan"),
    ]);
    Ok(options.options(use_as.planner().iter().copied()))
}

/// A pool that connects when somebody asks, and lends nothing before the tables are ready.
pub(crate) fn pool(options: PgConnectOptions, use_as: Use, is_ready: watch::Receiver<bool>) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(use_as.connections_max()).acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = pool.after_connect(move |_, _| {
        let mut is_ready = is_ready.clone();
        // Whoever asked gives up after the time above.
        Box::pin(
            async move { is_ready.wait_for(|is_ready| *is_ready).await.map(drop).map_err(|_| sqlx::Error::PoolClosed) },
        )
    });
    pool.connect_lazy_with(options)
}

/// Brings the tables up to date, over connections of its own. Where the server is away, the error says what is wrong with the way there.
pub(crate) async fn prepare(options: &PgConnectOptions, shown: &str) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open { url: shown.to_owned(), source };
    let reached = connected(options, ACQUIRE_TIMEOUT).await.map_err(failed)?;
    reached.close().await.map_err(failed)?;
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
    let one = one.connect_lazy_with(options.clone());
    let migrations = beside_later(sqlx::migrate!("migrations/postgres"));
    migrations.run(&one).await?;
    check_later(&migrations, &sqlx::query_as(APPLIED).fetch_all(&one).await.map_err(failed)?)?;
    fill_seen(&Pool::Postgres(one.clone())).await?;
    one.close().await;
    Ok(())
}

/// Whether a new connection can be made now; why not.
pub(crate) async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    let reached = connected(options, REACH_MAX).await.map_err(StoreError::Read)?;
    reached.close().await.map_err(StoreError::Read)
}

async fn connected(options: &PgConnectOptions, within: Duration) -> Result<PgConnection, sqlx::Error> {
    match timeout(within, PgConnection::connect_with(options)).await {
        Ok(connected) => connected,
        Err(_) => {
            let words = format!("the server has not answered within {} s", within.as_secs());
            Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, words)))
        }
    }
}

/// `scheme://user:secret@host` with the secret as `***`; other texts as they are.
pub fn without_password(url: &str) -> String {
    let hidden = url.split_once("://").and_then(|(scheme, rest)| {
        let (account, host) = rest.rsplit_once('@')?;
        let (user, _) = account.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    });
    hidden.unwrap_or_else(|| url.to_owned())
}
