//! Everything that a store does, and opening one by its address.

use std::sync::Arc;

use crate::archive::ArchiveCatalogue;
use crate::audit::Audit;
use crate::endpoints::Endpoints;
use crate::error::StoreError;
use crate::housekeeping::Housekeeping;
use crate::hunts::HuntRuns;
use crate::ledger::Ledger;
use crate::people::{Deliveries, Incidents, Mutes, Summaries, Tokens};
use crate::postgres::{self, Use};
use crate::query::Findings;
use crate::seen::{Seen, fill_seen};
use crate::sql::Pool;
use crate::sql_store::SqlStore;
use crate::sqlite;
use crate::tasks::Tasks;
use crate::upkeep::Upkeep;

/// Everything that a store does.
pub trait Store:
    Ledger
    + Findings
    + Incidents
    + Mutes
    + Deliveries
    + Summaries
    + Tokens
    + Audit
    + Endpoints
    + Seen
    + Tasks
    + ArchiveCatalogue
    + HuntRuns
    + Upkeep
    + Housekeeping
{
}

impl<T> Store for T where
    T: Ledger
        + Findings
        + Incidents
        + Mutes
        + Deliveries
        + Summaries
        + Tokens
        + Audit
        + Endpoints
        + Seen
        + Tasks
        + ArchiveCatalogue
        + HuntRuns
        + Upkeep
        + Housekeeping
{
}

/// Opens the store that the address names, `sqlite:PATH` or `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, and
/// brings its tables up to date.
pub async fn open(url: &str, use_as: Use) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqlStore::open(url, use_as).await?))
}

impl SqlStore {
    /// Opens the store that the address names, as [`open`] does.
    pub async fn open(url: &str, use_as: Use) -> Result<Self, StoreError> {
        let pool = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pool::Postgres(postgres::connect(url, use_as).await?)
        } else {
            Pool::Sqlite(sqlite::connect(url).await?)
        };
        fill_seen(&pool).await?;
        Ok(SqlStore { pool, partitions: Default::default() })
    }
}
