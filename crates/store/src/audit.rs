//! Who changed what, when, from where: entries that are written once and stay. Refused logins of one address within one
//! minute are one entry with a count, so that a flood of them cannot fill the table.

use async_trait::async_trait;
use event::Timestamp;
use event::block::digest;

use crate::error::StoreError;
use crate::rows::PAGE_MAX;
use crate::sql::{Pool, Row, Transaction, sql};
use crate::sql_store::SqlStore;

/// Longest text of an entry's field that comes from outside, in characters.
const FIELD_CHARS_MAX: usize = 500;

/// By whom, from where, with which request. Empty where it is not known or does not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct By {
    /// Name of the token, user of the operating system, or `c0di3` itself.
    pub actor: String,
    /// Id of the token.
    pub actor_id: String,
    /// Name of the token's role.
    pub role: String,
    /// Who was connected.
    pub address: String,
    /// Whom a trusted proxy names.
    pub forwarded: String,
    /// HTTP method.
    pub method: String,
    /// Such as `/api/v1/incidents/{id}`.
    pub route: String,
    /// Id of the request, which the log names as well.
    pub request_id: String,
}

impl By {
    /// Somebody of whom nothing but a name is known.
    pub fn named(actor: &str) -> Self {
        By { actor: actor.to_owned(), ..By::default() }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Not allowed, or not possible as things are.
    Refused,
    /// Something went wrong on our side.
    Failed,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Outcome; 3] = [Outcome::Done, Outcome::Refused, Outcome::Failed];

    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }

    /// The outcome of this name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// 32 hexadecimal digits, derived from what the entry says.
    pub id: String,
    /// When it was done; of entries that are counted up, when the first was.
    pub at: Timestamp,
    /// By whom.
    pub by: By,
    /// Such as `incident.change`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status of the answer; 0 where there was none.
    pub status: u16,
    /// How often it was done: more than once only for refused logins.
    pub count: u64,
    /// What changed, in words.
    pub detail: String,
}

impl AuditEntry {
    /// An entry whose id follows from when, by whom, what, and to what.
    pub fn new(at: Timestamp, by: By, action: &str, target: &str, outcome: Outcome) -> Self {
        let time = at.0.to_be_bytes();
        let parts: [&[u8]; 6] = [
            &time,
            by.actor.as_bytes(),
            by.actor_id.as_bytes(),
            by.request_id.as_bytes(),
            action.as_bytes(),
            target.as_bytes(),
        ];
        let id = format!("{:032x}", digest(&parts));
        let (action, target) = (action.to_owned(), target.to_owned());
        AuditEntry { id, at, by, action, target, outcome, status: 0, count: 1, detail: String::new() }
    }

    /// With another identity: entries of the same one are counted together.
    #[must_use]
    pub fn counted_as(mut self, parts: &[&[u8]], count: u64) -> Self {
        self.id = format!("{:032x}", digest(parts));
        AuditEntry { count, ..self }
    }

    /// With the HTTP status of the answer.
    #[must_use]
    pub fn answered(self, status: u16) -> Self {
        let id = format!("{:032x}", digest(&[self.id.as_bytes(), &status.to_be_bytes()]));
        AuditEntry { id, status, ..self }
    }

    /// With what changed, in words.
    #[must_use]
    pub fn saying(self, detail: impl Into<String>) -> Self {
        AuditEntry { detail: detail.into(), ..self }
    }
}

/// Text from outside as it is kept: bounded, without characters that steer.
fn kept(text: &str) -> String {
    let mut kept: String = text.chars().filter(|one| !one.is_control()).take(FIELD_CHARS_MAX + 1).collect();
    if kept.chars().count() > FIELD_CHARS_MAX {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// Filters are joined by AND.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Name of who did it.
    pub actor: Option<String>,
    /// What was done, such as `incident.change`.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who was connected, or whom a trusted proxy named.
    pub address: Option<String>,
    /// What it was done to.
    pub target: Option<String>,
    /// Time in microseconds since 1970 and id of the last entry of the page before.
    pub after: Option<(i64, String)>,
    /// Most entries of the page, from 1 to 501.
    pub limit: u32,
}

/// The audit log: nothing in it is changed or removed.
#[async_trait]
pub trait Audit: Send + Sync + std::fmt::Debug {
    /// Writes the entries, all or none; one that is known already is counted up.
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;
    /// Newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;
}

impl SqlStore {
    /// A transaction that may write entries of these times. The tables of their months are made before it begins.
    pub(crate) async fn begin_audited(&self, times: &[Timestamp]) -> Result<Transaction, StoreError> {
        if let Pool::Postgres(pool) = &self.pool {
            self.partitions.ensure_audit(pool, times).await?;
        }
        self.pool.begin().await
    }
}

/// Writes entries within the transaction of what they tell, which [`SqlStore::begin_audited`] began.
pub(crate) async fn write_audit(transaction: &mut Transaction, entries: &[AuditEntry]) -> Result<(), StoreError> {
    for entry in entries {
        let add =
            sql("INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target,
                                outcome, status, request_id, count, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (id) DO UPDATE SET count = audit.count + excluded.count")
            .bind(&entry.id)
            .bind(entry.at.0)
            .bind(kept(&entry.by.actor))
            .bind(kept(&entry.by.actor_id))
            .bind(kept(&entry.by.role))
            .bind(kept(&entry.by.address))
            .bind(kept(&entry.by.forwarded))
            .bind(kept(&entry.action))
            .bind(kept(&entry.by.method))
            .bind(kept(&entry.by.route))
            .bind(kept(&entry.target))
            .bind(entry.outcome.name())
            .bind(i64::from(entry.status))
            .bind(kept(&entry.by.request_id))
            .bind(i64::try_from(entry.count).unwrap_or(i64::MAX))
            .bind(kept(&entry.detail));
        transaction.write(add).await?;
    }
    Ok(())
}

fn entry_of(row: &Row) -> Result<AuditEntry, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("{what} of an audit entry"));
    Ok(AuditEntry {
        id: row.get(0),
        at: Timestamp(row.get(1)),
        by: By {
            actor: row.get(2),
            actor_id: row.get(3),
            role: row.get(4),
            address: row.get(5),
            forwarded: row.get(6),
            method: row.get(8),
            route: row.get(9),
            request_id: row.get(13),
        },
        action: row.get(7),
        target: row.get(10),
        outcome: Outcome::from_name(row.get(11)).ok_or_else(|| damaged("outcome"))?,
        status: u16::try_from(row.get::<i64>(12)).map_err(|_| damaged("status"))?,
        count: row.count(14),
        detail: row.get(15),
    })
}

#[async_trait]
impl Audit for SqlStore {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let times: Vec<_> = entries.iter().map(|entry| entry.at).collect();
        let mut transaction = self.begin_audited(&times).await?;
        write_audit(&mut transaction, entries).await?;
        transaction.commit().await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let text = |text: &Option<String>| text.as_deref().unwrap_or("").replace('\0', "");
        let (after_time, after_id) = query.after.clone().unwrap_or((i64::MAX, String::new()));
        let list =
            sql("SELECT id, at, actor, actor_id, role, address, forwarded, action, method, route, target, outcome,
                    status, request_id, count, detail
             FROM audit
             WHERE at >= $1 AND at < $2 AND ($3 = '' OR actor = $3) AND ($4 = '' OR action = $4)
               AND ($5 = '' OR outcome = $5) AND ($6 = '' OR address = $6 OR forwarded = $6)
               AND ($7 = '' OR target = $7) AND (at < $8 OR (at = $8 AND id < $9))
             ORDER BY at DESC, id DESC LIMIT $10")
            .bind(query.since.map_or(i64::MIN, |time| time.0))
            .bind(query.until.map_or(i64::MAX, |time| time.0))
            .bind(text(&query.actor))
            .bind(text(&query.action))
            .bind(query.outcome.map_or("", Outcome::name))
            .bind(text(&query.address))
            .bind(text(&query.target))
            .bind(after_time)
            .bind(after_id)
            .bind(i64::from(query.limit.clamp(1, PAGE_MAX + 1)));
        self.pool.rows(list).await?.iter().map(entry_of).collect()
    }
}
