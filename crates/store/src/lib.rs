//! What is kept: findings with their proof, how far sources were read, correlation state, and hot aggregates.
//!
//! Traits name what the rest of the program needs; each has an embedded member (SQLite, process memory) and will have a
//! server member (PostgreSQL, Redis). One test-suite runs on every member. **Absent on purpose:** no clock; callers say
//! what time it is.

pub mod hot;
pub mod query;
mod sqlite;

use async_trait::async_trait;
use event::{Finding, FindingId, Position, SourceId, Status, Timestamp};

pub use hot::{Hot, MemoryHot};
pub use query::{Cursor, FindingQuery, Page};
pub use sqlite::SqliteStore;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{0}` is no store that this version knows: use sqlite:PATH")]
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
}

/// What one transaction writes: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// New and changed findings; a finding is written whole.
    pub findings: Vec<Finding>,
    pub sources: Vec<SourceCheckpoint>,
    /// Sources that were cut off and written anew: what was known of them no longer holds.
    pub forgotten: Vec<SourceId>,
    /// Correlation state as text.
    pub state: Option<String>,
    pub now: Timestamp,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub new: u64,
    pub changed: u64,
}

/// Where a process goes on after a stop of any kind.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    pub sources: Vec<SourceCheckpoint>,
    pub state: Option<String>,
}

/// The writing side: one transaction for findings, positions and state, so that they never disagree.
#[async_trait]
pub trait Ledger: Send + Sync + std::fmt::Debug {
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;
    async fn resume(&self) -> Result<Resume, StoreError>;
}

/// A finding with what people and the store added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    pub finding: Finding,
    pub status: Status,
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
}

impl From<&StoredFinding> for Mark {
    fn from(stored: &StoredFinding) -> Self {
        Mark { revision: stored.revision, id: stored.finding.id }
    }
}

#[cfg(test)]
mod suite;
