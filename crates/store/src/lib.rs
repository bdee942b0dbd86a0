//! What is kept: findings with their evidence, incidents and their history, how far sources were read, correlation state,
//! notices and their deliveries, summaries, tokens, and hot aggregates.
//!
//! Traits name what the rest of the program needs; each has an embedded member (SQLite, process memory) and a server
//! member (PostgreSQL, Redis). One test-suite runs on every member. **Absent on purpose:** no clock; callers say what
//! time it is.
#![warn(missing_docs)]

pub mod archive;
pub mod audit;
mod commit;
mod details;
pub mod endpoints;
mod entity_keys;
mod error;
mod fallback;
mod finding_columns;
mod findings;
pub mod hot;
pub mod housekeeping;
pub mod hunts;
mod incidents;
mod join;
mod join_rows;
mod known;
mod ledger;
mod look;
mod memory;
mod migrate;
mod mutes;
pub mod notice;
mod open;
mod outbox;
mod parts;
pub mod people;
mod postgres;
pub mod query;
mod recount;
mod redis;
mod rehearsal;
mod rows;
mod seen;
mod sql;
mod sql_store;
mod sqlite;
mod summaries;
pub mod tasks;
mod tokens;
pub mod upkeep;

pub use archive::{ArchiveCatalogue, ArchiveSize, FileQuery};
pub use audit::Audit;
pub use endpoints::Endpoints;
pub use error::StoreError;
pub use fallback::FallbackHot;
pub use hot::{Hot, MemoryHot};
pub use housekeeping::Housekeeping;
pub use hunts::HuntRuns;
pub use join::JoinPolicy;
pub use ledger::{
    Commit, Committed, Lease, Ledger, Rehearsed, Resume, SourceCheckpoint, StateChange, StateText, WouldJoin,
};
pub use look::{Look, Server, Size, look};
pub use notice::{NoticeBody, What};
pub use open::{Preparation, Store, open, open_later};
pub use people::{Deliveries, Incidents, Mutes, Summaries, Tokens};
pub use postgres::{Use, without_password};
pub use query::{ChangeCursor, Cursor, FindingQuery, Findings, Page, StoredFinding};
pub use redis::RedisHot;
pub use seen::Seen;
pub use sql_store::SqlStore;
pub use tasks::Tasks;
pub use upkeep::Upkeep;

#[cfg(test)]
mod suite;
