//! What is kept: findings with their proof, incidents and their history, how far sources were read, correlation state,
//! notices and their deliveries, summaries, tokens, and hot aggregates.
//!
//! Traits name what the rest of the program needs; each has an embedded member (SQLite, process memory) and a server
//! member (PostgreSQL, Redis). One test-suite runs on every member. **Absent on purpose:** no clock; callers say what
//! time it is.

pub mod audit;
pub mod endpoints;
mod fallback;
pub mod hot;
mod join;
mod known;
mod memory;
mod mutes;
pub mod notice;
mod outbox;
mod parts;
pub mod people;
mod postgres;
pub mod query;
mod records;
mod recount;
mod redis;
mod rows;
mod seen;
mod shared;
mod sqlite;
pub mod upkeep;

use async_trait::async_trait;
use event::{Finding, FindingId, Position, Source, SourceId, Status, Timestamp};

pub use crate::redis::RedisHot;
pub use audit::Audit;
pub use endpoints::Endpoints;
pub use fallback::FallbackHot;
pub use hot::{Hot, MemoryHot};
pub use join::JoinPolicy;
pub use notice::{NoticeBody, What};
pub use people::{Deliveries, Incidents, Mutes, Summaries, Tokens};
pub use postgres::{PostgresStore, Use, without_password};
pub use query::{Cursor, FindingQuery, Page};
pub use seen::Seen;
pub use sqlite::SqliteStore;
pub use upkeep::Upkeep;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{0}` is no store that this version knows: use sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownUrl(String),
    #[error("cannot create the folder {path} for the store")]
    Folder { path: std::path::PathBuf, source: std::io::Error },
    #[error("cannot open the store {url}")]
    Open { url: String, source: sqlx::Error },
    #[error("cannot bring the store's tables up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("cannot write to the store")]
    Write(#[source] sqlx::Error),
    #[error("cannot read from the store")]
    Read(#[source] sqlx::Error),
    #[error("the store holds a value that cannot be read: {0}")]
    Damaged(String),
    #[error("another process has taken over {0}: what this one read of it is not committed")]
    Fenced(String),
    #[error("the cache does not answer")]
    Cache(#[from] ::redis::RedisError),
    #[error("the cache does not answer, and the store has not been followed far enough to do without it")]
    Uncounted,
}

impl StoreError {
    /// Whether the same request may succeed later: the server was away, not the request wrong.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::Open { source, .. } | StoreError::Write(source) | StoreError::Read(source) => {
                StoreError::is_passing_error(source)
            }
            StoreError::Migrate(sqlx::migrate::MigrateError::Execute(_))
            | StoreError::Cache(_)
            | StoreError::Uncounted => true,
            _ => false,
        }
    }

    fn is_passing_error(error: &sqlx::Error) -> bool {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // Class 08: connection; 53: resources; 57: the server is shutting down; 40: try again; 55: locked. SQLite: busy.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                ["08", "53", "57", "40", "55"].iter().any(|class| code.starts_with(class)) || code == "5"
            }),
            _ => false,
        }
    }
}

/// A source as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCheckpoint {
    pub id: SourceId,
    pub name: String,
    pub fingerprint_bytes: u64,
    pub fingerprint_hash: u128,
    /// Everything before it is done.
    pub position: Position,
    /// End of what was read: beyond the position where the source ended in the middle of a line, which is read again when
    /// the source has grown.
    pub seen: u64,
    /// The claim that the position is committed under; 0 where the source was not claimed.
    pub epoch: u64,
}

/// A process's right to commit under a name. Another process that takes the name over ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Such as `analyzer` or `replay`: names the correlation state as well.
    pub instance: String,
    pub epoch: u64,
}

/// What one transaction writes: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// New and changed findings; a finding is written whole.
    pub findings: Vec<Finding>,
    pub sources: Vec<SourceCheckpoint>,
    /// Sources that were cut off and written anew: what was known of them no longer holds.
    pub forgotten: Vec<SourceId>,
    /// What changed in the correlation state: absent where findings alone are written, between two checkpoints.
    pub state: Option<StateChange>,
    pub now: Timestamp,
    /// `None`: nobody else can write.
    pub lease: Option<Lease>,
    /// How findings become incidents; `None`: not at all.
    pub join: Option<JoinPolicy>,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub new: u64,
    pub changed: u64,
    /// Findings that begin where another was over but its attack went on.
    pub continued: u64,
    /// New findings that a mute hides.
    pub muted: u64,
}

/// Where a process goes on after a stop of any kind.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    pub sources: Vec<SourceCheckpoint>,
    pub state: Option<StateText>,
}

/// A change of the correlation state, in texts that only the correlator understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChange {
    /// Written whole.
    pub head: String,
    pub put: Vec<(String, String)>,
    pub gone: Vec<String>,
}

/// The correlation state as it was last committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateText {
    pub head: String,
    pub entries: Vec<(String, String)>,
}

/// Key of the head among the entries.
const HEAD: &str = "";

/// Head and entries out of rows; `None` where nothing was saved.
fn state_of(rows: Vec<(String, String)>) -> Option<StateText> {
    let (heads, entries): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(key, _)| key == HEAD);
    heads.into_iter().next().map(|(_, head)| StateText { head, entries })
}

/// The writing side: one transaction for findings, positions and state, so that they never disagree.
#[async_trait]
pub trait Ledger: Send + Sync + std::fmt::Debug {
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;
    /// Takes the name over from whoever had it, and tells where it stopped.
    async fn take_over(&self, instance: &str, now: Timestamp) -> Result<(Lease, Resume), StoreError>;
    /// Takes a source over: its new epoch, and how far it was read.
    async fn claim(&self, source: &Source, now: Timestamp) -> Result<(u64, Option<Position>), StoreError>;
    /// Connections in use, and how many there may be; `None` where there are none.
    fn connections(&self) -> Option<(u32, u32)> {
        None
    }
    /// Waits for running statements and closes the connections.
    async fn close(&self);
}

/// A finding with what people and the store added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    pub finding: Finding,
    pub status: Status,
    /// The mute that hides it, by id.
    pub muted_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: u64,
}

/// The reading side.
#[async_trait]
pub trait Findings: Send + Sync + std::fmt::Debug {
    /// Newest first. Findings of a list come without their evidence.
    async fn list(&self, query: &FindingQuery) -> Result<Page, StoreError>;
    /// One finding with its evidence.
    async fn get(&self, id: FindingId) -> Result<Option<StoredFinding>, StoreError>;
    /// Findings changed after the mark, oldest change first, without evidence.
    async fn changed_after(&self, mark: Mark, limit: u32) -> Result<Vec<StoredFinding>, StoreError>;
}

/// How far changes have been followed: the last finding seen, in the order of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub revision: u64,
    pub id: FindingId,
}

impl Mark {
    /// Before every change.
    pub const START: Mark = Mark { revision: 0, id: FindingId(u128::MAX) };
    /// After every change there will be: asking what comes behind costs an index look-up.
    pub const END: Mark = Mark { revision: u64::MAX, id: FindingId(u128::MAX) };
}

impl From<&StoredFinding> for Mark {
    fn from(stored: &StoredFinding) -> Self {
        Mark { revision: stored.revision, id: stored.finding.id }
    }
}

/// Everything that a store does.
pub trait Store:
    Ledger + Findings + Incidents + Mutes + Deliveries + Summaries + Tokens + Audit + Endpoints + Seen + Upkeep
{
}
impl<T> Store for T where
    T: Ledger + Findings + Incidents + Mutes + Deliveries + Summaries + Tokens + Audit + Endpoints + Seen + Upkeep
{
}

/// Opens the store that the address names and brings its tables up to date.
pub async fn open(url: &str, use_as: Use) -> Result<std::sync::Arc<dyn Store>, StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(std::sync::Arc::new(PostgresStore::open(url, use_as).await?));
    }
    Ok(std::sync::Arc::new(SqliteStore::open(url).await?))
}

#[cfg(test)]
mod suite;
