//! Everything that a store does, and opening one by its address.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::archive::ArchiveCatalogue;
use crate::audit::Audit;
use crate::endpoints::Endpoints;
use crate::error::StoreError;
use crate::housekeeping::Housekeeping;
use crate::hunts::HuntRuns;
use crate::ledger::Ledger;
use crate::people::{Deliveries, Incidents, Mutes, Summaries, Tokens};
use crate::postgres::{self, Use, without_password};
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

/// How long [`open`] tries again where a server is away: it may be starting.
const OPEN_WAIT: Duration = Duration::from_secs(3);
const OPEN_PAUSE: Duration = Duration::from_millis(200);

/// Opens the store that the address names, `sqlite:PATH` or `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, and
/// brings its tables up to date.
pub async fn open(url: &str, use_as: Use) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqlStore::open(url, use_as).await?))
}

/// Opens as [`open`] does, but waits for no server: until [`Preparation::attempt`] has succeeded once, whatever is asked of the
/// store ends with an error that passes. A file is opened at once.
pub async fn open_later(url: &str, use_as: Use) -> Result<(Arc<dyn Store>, Preparation), StoreError> {
    let (store, preparation) = SqlStore::open_later(url, use_as).await?;
    Ok((Arc::new(store), preparation))
}

/// What is still to be done before a store can be asked: its server reached, its tables brought up to date.
#[derive(Debug)]
pub struct Preparation(Option<Unprepared>);

#[derive(Debug)]
struct Unprepared {
    options: PgConnectOptions,
    /// The address without a password.
    shown: String,
    is_ready: watch::Sender<bool>,
}

impl Preparation {
    /// Tries it once. An error that passes is worth another try.
    pub async fn attempt(&self) -> Result<(), StoreError> {
        let Some(Unprepared { options, shown, is_ready }) = &self.0 else { return Ok(()) };
        postgres::prepare(options, shown).await?;
        is_ready.send_replace(true);
        Ok(())
    }
}

impl SqlStore {
    /// Opens the store that the address names, as [`open`] does.
    pub async fn open(url: &str, use_as: Use) -> Result<Self, StoreError> {
        let (store, preparation) = Self::open_later(url, use_as).await?;
        let started = Instant::now();
        loop {
            match preparation.attempt().await {
                Err(error) if error.is_passing() && started.elapsed() < OPEN_WAIT => sleep(OPEN_PAUSE).await,
                done => return done.map(|()| store),
            }
        }
    }

    async fn open_later(url: &str, use_as: Use) -> Result<(Self, Preparation), StoreError> {
        let (pool, unprepared) = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let (options, (is_ready, told)) = (postgres::options(url, use_as)?, watch::channel(false));
            let pool = Pool::Postgres(postgres::pool(options.clone(), use_as, told));
            (pool, Some(Unprepared { options, shown: without_password(url), is_ready }))
        } else {
            let pool = Pool::Sqlite(sqlite::connect(url).await?);
            fill_seen(&pool).await?;
            (pool, None)
        };
        Ok((SqlStore { pool, partitions: Default::default() }, Preparation(unprepared)))
    }
}
