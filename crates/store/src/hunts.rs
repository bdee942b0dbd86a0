//! Hunts that run on a schedule: how far each has looked, and who looks now. Of several agents one takes a run; what it finds is
//! committed like any finding, and only then the run is done. What a hunt asks is in files, not here.

use async_trait::async_trait;
use event::Timestamp;

use crate::error::StoreError;
use crate::sql::{Row, sql};
use crate::sql_store::SqlStore;

/// Longest reason of a failure that is kept, in characters.
const REASON_CHARS_MAX: usize = 500;

/// Who wants the next run of a hunt.
#[derive(Clone, Debug)]
pub struct HuntClaim {
    /// Of the hunt.
    pub id: String,
    /// Of the process.
    pub by: String,
    /// Where a hunt begins that has never run.
    pub first: Timestamp,
    /// A run is due where events were looked at up to this time, or less.
    pub due: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// Until then nobody else takes the run.
    pub held_until: Timestamp,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct HuntDone {
    /// Of the hunt.
    pub id: String,
    /// Of the process.
    pub by: String,
    /// Events before it were looked at; where the run failed they were not, and it is done again.
    pub until: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// In microseconds.
    pub took_us: i64,
    /// Rows of its answer.
    pub rows: u64,
    /// Findings that it made.
    pub findings: u64,
    /// Why it failed, and when it may be tried again.
    pub failed: Option<(String, Timestamp)>,
}

/// What is known of the runs of a hunt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HuntState {
    /// Of the hunt.
    pub id: String,
    /// Events before it were looked at.
    pub until: Timestamp,
    /// Runs that were done.
    pub runs: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Findings of all runs.
    pub findings: u64,
    /// When the last run ended; 1970 where none has.
    pub last_at: Timestamp,
    /// How long it took, in microseconds.
    pub last_took_us: i64,
    /// Rows of its answer.
    pub last_rows: u64,
    /// Why it failed; empty where it did not.
    pub last_error: String,
}

/// Runs of scheduled hunts.
#[async_trait]
pub trait HuntRuns: Send + Sync + std::fmt::Debug {
    /// Takes the next run of a hunt: where it begins; `None` where none is due, or somebody else has it.
    async fn claim_hunt(&self, claim: &HuntClaim) -> Result<Option<Timestamp>, StoreError>;
    /// Ends a run. False where somebody else has taken it meanwhile.
    async fn hunt_done(&self, done: &HuntDone) -> Result<bool, StoreError>;
    /// All hunts that ever were due, ordered by id.
    async fn hunt_states(&self) -> Result<Vec<HuntState>, StoreError>;
}

fn state_of(row: &Row) -> HuntState {
    HuntState {
        id: row.get(0),
        until: Timestamp(row.get(1)),
        runs: row.count(2),
        failures: row.count(3),
        findings: row.count(4),
        last_at: Timestamp(row.get(5)),
        last_took_us: row.get(6),
        last_rows: row.count(7),
        last_error: row.get(8),
    }
}

#[async_trait]
impl HuntRuns for SqlStore {
    async fn claim_hunt(&self, claim: &HuntClaim) -> Result<Option<Timestamp>, StoreError> {
        let known = sql("INSERT INTO hunt_runs (id, until_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING");
        let mut transaction = self.pool.begin().await?;
        transaction.write(known.bind(&claim.id).bind(claim.first.0)).await?;
        let take = sql("UPDATE hunt_runs SET claimed_by = $2, claimed_until = $3
             WHERE id = $1 AND until_at <= $4 AND claimed_until <= $5 RETURNING until_at")
        .bind(&claim.id)
        .bind(&claim.by)
        .bind(claim.held_until.0)
        .bind(claim.due.0)
        .bind(claim.now.0);
        let taken = transaction.returned(take).await?.map(|row| Timestamp(row.get(0)));
        transaction.commit().await?;
        Ok(taken)
    }

    async fn hunt_done(&self, done: &HuntDone) -> Result<bool, StoreError> {
        let (reason, again) = match &done.failed {
            Some((reason, again)) => (reason.chars().take(REASON_CHARS_MAX).collect::<String>(), again.0),
            None => (String::new(), 0),
        };
        let well = i64::from(done.failed.is_none());
        let put = sql("UPDATE hunt_runs SET until_at = CASE WHEN $3 = 1 THEN $4 ELSE until_at END, claimed_until = $5,
               runs = runs + $3, failures = failures + 1 - $3, findings = findings + $6, last_at = $7, last_took = $8,
               last_rows = $9, last_error = $10
             WHERE id = $1 AND claimed_by = $2")
        .bind(&done.id)
        .bind(&done.by)
        .bind(well)
        .bind(done.until.0)
        .bind(again)
        .bind(done.findings as i64)
        .bind(done.at.0)
        .bind(done.took_us)
        .bind(done.rows as i64)
        .bind(reason.replace('\0', ""));
        let mut transaction = self.pool.begin().await?;
        let written = transaction.write(put).await?;
        transaction.commit().await?;
        Ok(written > 0)
    }

    async fn hunt_states(&self) -> Result<Vec<HuntState>, StoreError> {
        let all = sql(
            "SELECT id, until_at, runs, failures, findings, last_at, last_took, last_rows, last_error FROM hunt_runs
             ORDER BY id",
        );
        Ok(self.pool.rows(all).await?.iter().map(state_of).collect())
    }
}
