//! Reading files as they were written: batches of columns, a part of the columns or rows where a reader needs no more. Which files
//! to read is the catalogue's to say; this opens what it is given.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;

use crate::error::ArchiveError;
use crate::footers;
use crate::needle::{self, Chunk, NeedleRows, SoughtTexts};
use crate::needs::{GroupFacts, Need, NeededValue};
use crate::place::{ArchivePlace, Opened};

/// Rows that are read at once.
const BATCH_ROWS: usize = 8192;

/// A file whose groups of rows are read one by one.
#[derive(Debug)]
pub struct StoredFile {
    file: Opened,
    metadata: ArrowReaderMetadata,
}

impl StoredFile {
    /// Opens a file of a place.
    pub fn open(place: impl Into<ArchivePlace>, path: &str) -> Result<StoredFile, ArchiveError> {
        let place = place.into();
        let file = place.open(path)?;
        let metadata = footers::footer(&place, path, &file)?;
        Ok(StoredFile { file, metadata })
    }

    /// How many groups of rows it has.
    pub fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of one group; 0 where there is no such group.
    pub fn rows(&self, group: usize) -> u64 {
        self.metadata.metadata().row_groups().get(group).map_or(0, |group| group.num_rows() as u64)
    }

    /// Smallest and largest number of a column in a group; `None` where the file does not tell.
    pub(crate) fn numbers(&self, group: usize, column: &str) -> Option<(i64, i64)> {
        match self.column(group, column)?.statistics()? {
            Statistics::Int64(numbers) => Some((*numbers.min_opt()?, *numbers.max_opt()?)),
            _ => None,
        }
    }

    /// Beginnings of the first and the last text of a column in a group, in the order of their bytes; `None` where the file does
    /// not tell.
    pub(crate) fn texts(&self, group: usize, column: &str) -> Option<(&[u8], &[u8])> {
        match self.column(group, column)?.statistics()? {
            Statistics::ByteArray(texts) => Some((texts.min_opt()?.data(), texts.max_opt()?.data())),
            _ => None,
        }
    }

    fn column(&self, group: usize, name: &str) -> Option<&ColumnChunkMetaData> {
        let group = self.metadata.metadata().row_groups().get(group)?;
        group.columns().iter().find(|column| matches!(column.column_path().parts(), [only] if only == name))
    }

    /// Bytes of some columns of a group; of all where it is `None`.
    pub(crate) fn bytes(&self, group: usize, wanted: Option<&[&str]>) -> u64 {
        let group = self.metadata.metadata().row_groups().get(group);
        let columns = group.map(RowGroupMetaData::columns).unwrap_or_default().iter();
        let is_wanted = |column: &&ColumnChunkMetaData| {
            let name = column.column_path().parts().first();
            wanted.is_none_or(|wanted| name.is_some_and(|name| wanted.contains(&name.as_str())))
        };
        columns.filter(is_wanted).map(|column| column.compressed_size().max(0) as u64).sum()
    }

    /// The rows of a group whose column holds such a text.
    pub(crate) fn places(&self, group: usize, name: &str, wanted: SoughtTexts<'_>) -> Result<NeedleRows, ArchiveError> {
        let none = Ok(NeedleRows::Rows(Vec::new()));
        let Some(column) = self.column(group, name) else { return none };
        if let SoughtTexts::Text(text) = wanted {
            let need = Need::Value(vec![name.to_owned()], vec![NeededValue::Text(text.to_owned())]);
            let builder = self.builder()?;
            if !need.may_hold_text(&GroupFacts { builder: &builder, group })? {
                return none;
            }
        }
        let (start, length) = column.byte_range();
        let bytes = self.file.get_bytes(start, usize::try_from(length).unwrap_or(usize::MAX))?;
        let rows = usize::try_from(self.rows(group)).unwrap_or(usize::MAX);
        Ok(needle::places(Chunk { start, bytes }, column, rows, wanted)?)
    }

    /// Whether a row of the group can meet the need.
    pub fn may_hold(&self, group: usize, need: &Need) -> Result<bool, ArchiveError> {
        let builder = self.builder()?;
        Ok(need.may_hold(&GroupFacts { builder: &builder, group })?)
    }

    /// The rows of a group. `wanted`: the columns that are read, all where it is `None`; those that the file has not are left
    /// out. `rows`: the places of the rows that are read, in ascending order, all where it is `None`.
    pub fn read(
        &self,
        group: usize,
        wanted: Option<&[&str]>,
        rows: Option<&[u32]>,
    ) -> Result<FileReader, ArchiveError> {
        let mut builder = self.builder()?.with_row_groups(vec![group]);
        if let Some(rows) = rows {
            builder = builder.with_row_selection(selection(rows));
        }
        reader(builder, wanted)
    }

    fn builder(&self) -> Result<ParquetRecordBatchReaderBuilder<Opened>, ArchiveError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        Ok(builder.with_batch_size(BATCH_ROWS))
    }
}

/// Runs of rows that are read, and runs that are left out.
fn selection(rows: &[u32]) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut next = 0;
    for row in rows {
        let row = *row as usize;
        if row > next || selectors.is_empty() {
            selectors.push(RowSelector::skip(row - next));
            selectors.push(RowSelector::select(1));
        } else if let Some(last) = selectors.last_mut() {
            last.row_count += 1;
        }
        next = row + 1;
    }
    RowSelection::from(selectors)
}

/// The rows of one file, or of a group of it, in the order of their numbers.
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
        reader(StoredFile::open(place, path)?.builder()?, wanted)
    }

    /// The columns that are read.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }
}

fn reader(
    mut builder: ParquetRecordBatchReaderBuilder<Opened>,
    wanted: Option<&[&str]>,
) -> Result<FileReader, ArchiveError> {
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

impl Iterator for FileReader {
    type Item = Result<RecordBatch, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|rows| rows.map_err(ArchiveError::from))
    }
}
