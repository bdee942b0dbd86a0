//! Asking for findings: filters, and cursors that name the last row seen instead of counting rows. Types alone; the
//! queries are in `findings`.

use async_trait::async_trait;
use event::{Finding, FindingId, Level, Severity, Status, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// Most findings of one page.
pub const LIMIT_MAX: u32 = 500;

/// Filters are joined by AND; values of one filter by OR.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FindingQuery {
    /// Last event at or after this time.
    pub since: Option<Timestamp>,
    /// First event before this time.
    pub until: Option<Timestamp>,
    /// Severities of findings; empty: all.
    pub severities: Vec<Severity>,
    /// Levels of their rules; empty: all.
    pub levels: Vec<Level>,
    /// Rule ids; empty: all.
    pub rules: Vec<String>,
    /// What people have done with them; empty: all.
    pub statuses: Vec<Status>,
    /// `(ECS name, value)`: `source.ip`, `user.name`, `host.name`; empty: whoever is named.
    pub entities: Vec<(String, String)>,
    /// The last finding of the page before; `None`: the first page.
    pub after: Option<Cursor>,
    /// Most findings of the page, from 1 to [`LIMIT_MAX`].
    pub limit: u32,
}

/// The sort key of the last finding of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// Its last event, in microseconds since 1970; the least number where it names no time.
    pub sort_time: i64,
    /// Its id, which orders findings of one time.
    pub id: FindingId,
}

/// Findings of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Newest first, without evidence.
    pub findings: Vec<StoredFinding>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Cursor>,
}

/// A finding with what people and the store added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    /// As it was last committed.
    pub finding: Finding,
    /// What people have done with it.
    pub status: Status,
    /// The mute that hides it, by id.
    pub muted_by: Option<String>,
    /// When it was first committed.
    pub created_at: Timestamp,
    /// When it was last committed.
    pub updated_at: Timestamp,
    /// Number of the commit that last wrote it; commits are numbered one by one.
    pub revision: u64,
}

/// The reading side.
#[async_trait]
pub trait Findings: Send + Sync + std::fmt::Debug {
    /// One page, newest first. Findings of a list come without their evidence.
    async fn list(&self, query: &FindingQuery) -> Result<Page, StoreError>;
    /// One finding with its evidence; `None` where there is none of this id.
    async fn get(&self, id: FindingId) -> Result<Option<StoredFinding>, StoreError>;
    /// Findings changed after the mark, oldest change first, without evidence.
    async fn changed_after(&self, mark: ChangeCursor, limit: u32) -> Result<Vec<StoredFinding>, StoreError>;
}

/// How far changes have been followed: the last finding seen, in the order of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCursor {
    /// Number of the commit that wrote it.
    pub revision: u64,
    /// Its id, which orders findings of one commit.
    pub id: FindingId,
}

impl ChangeCursor {
    /// Before every change.
    pub const START: ChangeCursor = ChangeCursor { revision: 0, id: FindingId(u128::MAX) };
    /// After every change there will be: asking what comes after it costs an index look-up.
    pub const END: ChangeCursor = ChangeCursor { revision: u64::MAX, id: FindingId(u128::MAX) };
}

impl From<&StoredFinding> for ChangeCursor {
    fn from(stored: &StoredFinding) -> Self {
        ChangeCursor { revision: stored.revision, id: stored.finding.id }
    }
}
