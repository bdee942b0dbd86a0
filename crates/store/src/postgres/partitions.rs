//! One partition of the findings for each day, made before the first finding of the day is written.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use sqlx::postgres::PgPool;

use crate::error::{StoreError, is_passing};

/// Advisory lock of whoever changes tables, partitions or old rows: one process at a time.
pub(crate) const LAYOUT_LOCK: i64 = 0x0C0D_1300;

/// Days since 1970 that have a partition of their own, or cannot have one.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    days: Mutex<BTreeSet<i32>>,
}

impl Partitions {
    /// Makes the partitions of the days, where they are missing. A day that cannot have one goes to the default.
    pub(crate) async fn ensure(&self, pool: &PgPool, wanted: &BTreeSet<i32>) -> Result<(), StoreError> {
        let known = self.days.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for day in wanted.difference(&known) {
            let mut transaction = pool.begin().await.map_err(StoreError::Write)?;
            let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LAYOUT_LOCK);
            lock.execute(&mut *transaction).await.map_err(StoreError::Write)?;
            let statement = format!(
                "CREATE TABLE IF NOT EXISTS findings_day_{day} PARTITION OF findings FOR VALUES FROM ({day}) TO ({})",
                day + 1
            );
            // The text holds nothing but our own number.
            let made = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await;
            match made {
                Ok(_) => transaction.commit().await.map_err(StoreError::Write)?,
                Err(error) if is_passing(&error) => return Err(StoreError::Write(error)),
                Err(error) => tracing::warn!(%error, day, "findings of this day stay in the default partition"),
            }
            self.days.lock().unwrap_or_else(PoisonError::into_inner).insert(*day);
        }
        Ok(())
    }
}
