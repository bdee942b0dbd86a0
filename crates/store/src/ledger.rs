//! The writing side: what one commit holds, and where a process goes on after a stop. Types alone; how it is written is
//! in `commit`.

use async_trait::async_trait;
use event::{ArchiveFile, Finding, Incident, Position, Source, SourceId, Timestamp};

use crate::error::StoreError;
use crate::join::JoinPolicy;

/// A source as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCheckpoint {
    /// Its identity: for files, a hash of what they begin with.
    pub id: SourceId,
    /// As people know it: a path, an address or a topic.
    pub name: String,
    /// Bytes at the start of the source that the fingerprint covers; 0 where there is none.
    pub fingerprint_bytes: u64,
    /// Hash of those bytes.
    pub fingerprint_hash: u128,
    /// Everything before it is done.
    pub position: Position,
    /// End of what was read, in bytes: beyond the position where the source ended in the middle of a line, which is
    /// read again when the source has grown.
    pub seen: u64,
    /// The claim that the position is committed under; 0 where the source was not claimed.
    pub epoch: u64,
}

/// A process's right to commit under a name. Another process that takes the name over ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Such as `analyzer` or `replay`: names the correlation state as well.
    pub instance: String,
    /// How often the name has been taken over; a commit with an older epoch is refused.
    pub epoch: u64,
}

/// What one transaction writes: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// New and changed findings; a finding is written whole.
    pub findings: Vec<Finding>,
    /// How far sources were read.
    pub sources: Vec<SourceCheckpoint>,
    /// Sources that were cut off and written anew: what was known of them no longer holds.
    pub forgotten: Vec<SourceId>,
    /// What changed in the correlation state: absent where findings alone are written, between two checkpoints.
    pub state: Option<StateChange>,
    /// Files of the archive that hold the events between the positions.
    pub files: Vec<ArchiveFile>,
    /// When the commit is made.
    pub now: Timestamp,
    /// `None`: nobody else can write.
    pub lease: Option<Lease>,
    /// How findings become incidents; `None`: not at all.
    pub join: Option<JoinPolicy>,
    /// Span of the commit, as W3C Trace Context writes it: notices go on from it.
    pub trace: Option<String>,
}

/// What a commit did, in findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Findings that the store did not have.
    pub new: u64,
    /// Findings that were written anew.
    pub changed: u64,
    /// Findings that begin where another was over but its attack went on.
    pub continued: u64,
    /// New findings that a mute hides.
    pub muted: u64,
}

/// What would become of some findings.
#[derive(Clone, Debug, Default)]
pub struct Rehearsed {
    /// Incidents that are open now and would take findings; those that would take most first.
    pub joins: Vec<WouldJoin>,
    /// Findings that an incident counts already.
    pub known: u64,
    /// Incidents that would be opened.
    pub opened: u64,
    /// Findings that those would hold.
    pub in_opened: u64,
    /// Findings that a mute would hide.
    pub muted: u64,
    /// Findings that would be in no incident: not severe enough to open one.
    pub alone: u64,
}

/// An open incident that would take findings.
#[derive(Clone, Debug)]
pub struct WouldJoin {
    /// As it is now.
    pub incident: Incident,
    /// How many findings it would take.
    pub findings: u64,
    /// Why it would take the first of them.
    pub because: String,
}

/// Where a process goes on after a stop of any kind.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// All sources, the one that was committed longest ago first.
    pub sources: Vec<SourceCheckpoint>,
    /// The correlation state of the instance; `None` where it has saved none.
    pub state: Option<StateText>,
}

/// A change of the correlation state, in texts that only the correlator understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChange {
    /// Written whole.
    pub head: String,
    /// Entries that are new or have changed: key and value.
    pub put: Vec<(String, String)>,
    /// Keys of entries that no longer exist.
    pub gone: Vec<String>,
}

/// The correlation state as it was last committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateText {
    /// What the correlator keeps once.
    pub head: String,
    /// What it keeps by key: key and value, in no order.
    pub entries: Vec<(String, String)>,
}

/// Key of the head among the entries.
pub(crate) const HEAD: &str = "";

/// Instance whose state a commit without a lease writes.
pub(crate) const INSTANCE_DEFAULT: &str = "replay";

impl StateText {
    /// Head and entries out of rows; `None` where nothing was saved.
    pub(crate) fn of(rows: Vec<(String, String)>) -> Option<Self> {
        let (heads, entries): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(key, _)| key == HEAD);
        heads.into_iter().next().map(|(_, head)| StateText { head, entries })
    }
}

/// The writing side: one transaction for findings, positions and state, so that they never disagree.
#[async_trait]
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Writes all of the commit or, where it fails, nothing. [`StoreError::Fenced`] where somebody has taken over the
    /// instance or one of the sources.
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;
    /// What the findings of a commit would join, by the rules that a commit joins them by. Writes nothing.
    async fn rehearse(&self, commit: &Commit) -> Result<Rehearsed, StoreError>;
    /// Takes the name over from whoever had it, and tells where it stopped.
    async fn take_over(&self, instance: &str) -> Result<(Lease, Resume), StoreError>;
    /// Takes a source over: its new epoch, and how far it was read; `None` where nothing of it was.
    async fn claim(&self, source: &Source, now: Timestamp) -> Result<(u64, Option<Position>), StoreError>;
    /// Connections in use, and how many there may be; `None` where there is no server.
    fn connections(&self) -> Option<(u32, u32)> {
        None
    }
    /// Whether the server of the store can be reached now, within a second: why not.
    async fn reach(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Waits for running statements and closes the connections.
    async fn close(&self);
}
