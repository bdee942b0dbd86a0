//! PostgreSQL 15 or newer, the server database: opening it, and what differs from SQLite. The committer and people each
//! have their own pool and time limits, so that neither starves the other.

pub(crate) mod partitions;
pub(crate) mod read;
pub(crate) mod write;

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::error::StoreError;
use crate::migrate::{APPLIED, beside_later, check_later};

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
/// Connects to `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE` and brings the tables up to date.
pub(crate) async fn connect(url: &str, use_as: Use) -> Result<PgPool, StoreError> {
    let shown = without_password(url);
    let failed = |source| StoreError::Open { url: shown.clone(), source };
    let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name(use_as.name()).options([
        ("statement_timeout", use_as.statement_timeout_ms()),
        ("idle_in_transaction_session_timeout", "60000"),
        // Only a plan made for the bound values leaves out filters that are not used.
        ("plan_cache_mode", "force_custom_plan"),
    ]);
    let options = options.options(use_as.planner().iter().copied());
    let pool = PgPoolOptions::new()
        .max_connections(use_as.connections_max())
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(failed)?;
    let migrations = beside_later(sqlx::migrate!("migrations/postgres"));
    migrations.run(&pool).await?;
    check_later(&migrations, &sqlx::query_as(APPLIED).fetch_all(&pool).await.map_err(failed)?)?;
    Ok(pool)
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
