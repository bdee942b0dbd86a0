//! What is done from time to time, and when it last succeeded: backups, drills. Knows no schedule, and does nothing itself.

use async_trait::async_trait;
use event::Timestamp;

use crate::error::StoreError;
use crate::sql::{Row, sql};
use crate::sql_store::SqlStore;

/// A task that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDone {
    /// Such as `backup` or `drill`.
    pub name: String,
    /// When it last succeeded.
    pub at: Timestamp,
    /// What was done, in words.
    pub detail: String,
}

/// When tasks last succeeded.
#[async_trait]
pub trait Tasks: Send + Sync + std::fmt::Debug {
    /// The task has succeeded. What is older than what is known changes nothing.
    async fn task_done(&self, done: &TaskDone) -> Result<(), StoreError>;
    /// All tasks that ever succeeded, ordered by name.
    async fn tasks(&self) -> Result<Vec<TaskDone>, StoreError>;
}

fn task_of(row: &Row) -> TaskDone {
    TaskDone { name: row.get(0), at: Timestamp(row.get(1)), detail: row.get(2) }
}

#[async_trait]
impl Tasks for SqlStore {
    async fn task_done(&self, done: &TaskDone) -> Result<(), StoreError> {
        let put = sql(
            "INSERT INTO tasks (name, at, detail) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET at = excluded.at, detail = excluded.detail WHERE tasks.at <= excluded.at",
        );
        let mut transaction = self.pool.begin().await?;
        transaction.write(put.bind(&done.name).bind(done.at.0).bind(&done.detail)).await?;
        transaction.commit().await
    }

    async fn tasks(&self) -> Result<Vec<TaskDone>, StoreError> {
        Ok(self.pool.rows(sql("SELECT name, at, detail FROM tasks ORDER BY name")).await?.iter().map(task_of).collect())
    }
}
