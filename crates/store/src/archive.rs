//! The catalogue of the archive: which files of events exist, and the numbers of events. A file is named by the commit that
//! moves its source on, and taken away by one that names what replaces it; the bytes are somebody else's.

use async_trait::async_trait;
use event::{ArchiveFile, Timestamp};

use crate::error::StoreError;
use crate::sql::{Row, Transaction, sql};
use crate::sql_store::SqlStore;

/// Which files are asked for. A file is among them where it can hold such an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileQuery {
    /// Of this kind of log; `None`: of any.
    pub dataset: Option<String>,
    /// With events at or after this time.
    pub since: Option<Timestamp>,
    /// With events before this time.
    pub until: Option<Timestamp>,
}

/// What an archive holds, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveSize {
    /// Files.
    pub files: u64,
    /// Events in them.
    pub events: u64,
    /// Length of the files in bytes.
    pub bytes: u64,
    /// Length of the raw lines in bytes.
    pub raw_bytes: u64,
}

/// Files of events that readers may open.
#[async_trait]
pub trait ArchiveCatalogue: Send + Sync + std::fmt::Debug {
    /// Files that may hold what is asked for, in the order of their first numbers.
    async fn archive_files(&self, query: &FileQuery) -> Result<Vec<ArchiveFile>, StoreError>;
    /// What there is in all.
    async fn archive_size(&self) -> Result<ArchiveSize, StoreError>;
    /// The name of the archive whose files the store knows: 32 hexadecimal digits, made with the table.
    async fn archive_name(&self) -> Result<String, StoreError>;
    /// Takes so many numbers for events, and gives the first of them; nobody else gets one of these again.
    async fn reserve_sequences(&self, count: u64) -> Result<u64, StoreError>;
    /// Puts files in the place of others, all or nothing: false where one of the others is gone by now. Whoever has the
    /// others open may read on until they are removed from the disk.
    async fn replace_archive_files(
        &self,
        gone: &[String],
        new: &[ArchiveFile],
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Files that were taken away before this time, and are still on the disk.
    async fn archive_files_gone(&self, before: Timestamp) -> Result<Vec<String>, StoreError>;
    /// Forgets files that are no longer on the disk.
    async fn forget_archive_files(&self, paths: &[String]) -> Result<(), StoreError>;
}

const COLUMNS: &str = "SELECT path, dataset, hour, events, bytes, raw_bytes, first_time, last_time, first_sequence, last_sequence,
     columns FROM archive_files WHERE gone_at IS NULL AND ($1 IS NULL OR dataset = $1) AND last_time >= $2 AND first_time < $3
     ORDER BY first_sequence, path";
const PUT: &str = "INSERT INTO archive_files (path, dataset, hour, events, bytes, raw_bytes, first_time, last_time,
        first_sequence, last_sequence, columns, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (path) DO NOTHING";
const SIZE: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(events), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT),
     CAST(COALESCE(SUM(raw_bytes), 0) AS BIGINT) FROM archive_files WHERE gone_at IS NULL";

fn file_of(row: &Row) -> ArchiveFile {
    ArchiveFile {
        path: row.get(0),
        dataset: row.get(1),
        hour: Timestamp(row.get(2)),
        events: row.count(3),
        bytes: row.count(4),
        raw_bytes: row.count(5),
        times: (Timestamp(row.get(6)), Timestamp(row.get(7))),
        sequences: (row.count(8), row.count(9)),
        columns: row.get::<&str>(10).split(' ').map(str::to_owned).collect(),
    }
}

/// Writes the rows of new files. A commit whose answer was lost is tried again: its files may be there.
pub(crate) async fn write_files(
    transaction: &mut Transaction,
    files: &[ArchiveFile],
    now: Timestamp,
) -> Result<(), StoreError> {
    for file in files {
        let put = sql(PUT)
            .bind(&file.path)
            .bind(&file.dataset)
            .bind(file.hour.0)
            .bind(file.events as i64)
            .bind(file.bytes as i64)
            .bind(file.raw_bytes as i64)
            .bind(file.times.0.0)
            .bind(file.times.1.0)
            .bind(file.sequences.0 as i64)
            .bind(file.sequences.1 as i64)
            .bind(file.columns.join(" "))
            .bind(now.0);
        transaction.write(put).await?;
    }
    Ok(())
}

#[async_trait]
impl ArchiveCatalogue for SqlStore {
    async fn archive_files(&self, query: &FileQuery) -> Result<Vec<ArchiveFile>, StoreError> {
        let first = query.since.map_or(i64::MIN, |time| time.0);
        let last = query.until.map_or(i64::MAX, |time| time.0);
        let files = sql(COLUMNS).bind(query.dataset.as_deref()).bind(first).bind(last);
        Ok(self.pool.rows(files).await?.iter().map(file_of).collect())
    }

    async fn archive_size(&self) -> Result<ArchiveSize, StoreError> {
        let row = self.pool.row(sql(SIZE)).await?;
        let size = |row: &Row| ArchiveSize {
            files: row.count(0),
            events: row.count(1),
            bytes: row.count(2),
            raw_bytes: row.count(3),
        };
        Ok(row.as_ref().map(size).unwrap_or_default())
    }

    async fn archive_name(&self) -> Result<String, StoreError> {
        let row = self.pool.row(sql("SELECT archive FROM archive_sequence")).await?;
        row.map(|row| row.get(0)).ok_or_else(|| StoreError::Damaged("the name of the archive is missing".to_owned()))
    }

    async fn reserve_sequences(&self, count: u64) -> Result<u64, StoreError> {
        let reserve = sql("UPDATE archive_sequence SET next = next + $1 RETURNING next - $1").bind(count as i64);
        let rows = self.pool.returned(reserve).await?;
        let first = rows.first().map(|row| row.count(0));
        first.ok_or_else(|| StoreError::Damaged("the number of the next event is missing".to_owned()))
    }

    async fn replace_archive_files(
        &self,
        gone: &[String],
        new: &[ArchiveFile],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        for path in gone {
            let mark = sql("UPDATE archive_files SET gone_at = $2 WHERE path = $1 AND gone_at IS NULL");
            if transaction.write(mark.bind(path).bind(now.0)).await? == 0 {
                transaction.rollback().await?;
                return Ok(false);
            }
        }
        write_files(&mut transaction, new, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn archive_files_gone(&self, before: Timestamp) -> Result<Vec<String>, StoreError> {
        let gone = sql("SELECT path FROM archive_files WHERE gone_at < $1 ORDER BY gone_at, path").bind(before.0);
        Ok(self.pool.rows(gone).await?.iter().map(|row| row.get(0)).collect())
    }

    async fn forget_archive_files(&self, paths: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for path in paths {
            let forget = sql("DELETE FROM archive_files WHERE path = $1 AND gone_at IS NOT NULL").bind(path);
            transaction.write(forget).await?;
        }
        transaction.commit().await
    }
}
