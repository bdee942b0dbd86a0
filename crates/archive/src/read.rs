//! Reading files as they were written: batches of columns, a part of the columns where a reader needs no more. Which files to
//! read is the catalogue's to say; this opens what it is given.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::ArchiveError;
use crate::place::ArchivePlace;

/// Rows that are read at once.
const BATCH_ROWS: usize = 8192;

/// The rows of one file, in the order of their numbers.
#[derive(Debug)]
pub struct FileReader {
    rows: ParquetRecordBatchReader,
    schema: Arc<Schema>,
}

impl FileReader {
    /// Opens a file of a place; `wanted`: the columns that are read, all where it is `None`. Columns that the file
    /// has not are left out.
    pub fn open(
        place: impl Into<ArchivePlace>,
        path: &str,
        wanted: Option<&[&str]>,
    ) -> Result<FileReader, ArchiveError> {
        let file = place.into().open(path)?;
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(BATCH_ROWS);
        if let Some(wanted) = wanted {
            let roots = builder.schema().fields().iter().enumerate();
            let chosen = roots.filter(|(_, field)| wanted.contains(&field.name().as_str())).map(|(at, _)| at);
            let mask = ProjectionMask::roots(builder.parquet_schema(), chosen.collect::<Vec<_>>());
            builder = builder.with_projection(mask);
        }
        let rows = builder.build()?;
        let schema = arrow_array::RecordBatchReader::schema(&rows);
        Ok(FileReader { rows, schema })
    }

    /// The columns that are read.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }
}

impl Iterator for FileReader {
    type Item = Result<RecordBatch, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|rows| rows.map_err(ArchiveError::from))
    }
}
