//! One partition of the findings for each day, and one table of the audit log for each month, made before what goes there is
//! written. Never within the transaction that writes: what cannot be made stays in the table that takes the rest.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use event::Timestamp;
use sqlx::postgres::PgPool;

use crate::error::{StoreError, is_locked, is_passing};
use crate::postgres::write::DAY_US;

/// Advisory lock of whoever changes tables, partitions or old rows: one process at a time. Migrations name it as well.
pub(crate) const LAYOUT_LOCK: i64 = 0x0C0D_1300;

/// Days since 1970 whose table is there, or cannot be.
#[derive(Debug, Default)]
struct Days(Mutex<BTreeSet<i32>>);

impl Days {
    fn missing(&self, wanted: &BTreeSet<i32>) -> Vec<i32> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.difference(&known).copied().collect()
    }

    fn settle(&self, day: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
    }
}

/// What is known of the tables of days and months.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    findings: Days,
    audit: Days,
}

impl Partitions {
    /// Makes the partitions of the days, where they are missing. A day that cannot have one goes to the default.
    pub(crate) async fn ensure(&self, pool: &PgPool, wanted: &BTreeSet<i32>) -> Result<(), StoreError> {
        for day in self.findings.missing(wanted) {
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
            self.findings.settle(day);
        }
        Ok(())
    }

    /// Makes the tables of the months that audit entries of these times go to, where they are missing: the database is asked once
    /// for each day. Entries whose month cannot have one, or not yet, stay in the table of all.
    pub(crate) async fn ensure_audit(&self, pool: &PgPool, times: &[Timestamp]) -> Result<(), StoreError> {
        let wanted = times.iter().filter_map(|at| i32::try_from(at.0.div_euclid(DAY_US)).ok()).collect();
        for day in self.audit.missing(&wanted) {
            let make = sqlx::query("SELECT audit_month_make($1)").bind(i64::from(day).saturating_mul(DAY_US));
            match make.execute(pool).await {
                Ok(_) => {}
                Err(error) if is_locked(&error) => {
                    tracing::info!(%error, day, "the audit log is in use: the table of this month is made with a later entry");
                    continue;
                }
                Err(error) if is_passing(&error) => return Err(StoreError::Write(error)),
                Err(error) => {
                    tracing::warn!(%error, day, "entries of the audit log stay in the table of all months");
                }
            }
            self.audit.settle(day);
        }
        Ok(())
    }
}
