//! The files of an archive as a table: which of them can hold what a question asks for is decided by what the catalogue knows of
//! them; row groups and pages by the statistics and filters in the files.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use event::ArchiveFile;

use super::needle_scan::{Needle, NeedleScan, needle_of};
use crate::place::{ArchivePlace, Reached};
use crate::schema::whole;

/// Some files of a place.
#[derive(Debug)]
pub(super) struct StoredEvents {
    place: ArchivePlace,
    reached: Reached,
    files: Vec<ArchiveFile>,
    schema: SchemaRef,
}

impl StoredEvents {
    pub(super) fn of(place: ArchivePlace, reached: Reached, files: &[ArchiveFile]) -> StoredEvents {
        StoredEvents { place, reached, files: files.to_vec(), schema: whole() }
    }

    /// The condition as one that our own scan decides: files of a folder are read in pieces that cost next to nothing.
    fn needle(&self, condition: &Expr) -> Option<Needle> {
        needle_of(condition).filter(|_| matches!(self.place, ArchivePlace::Folder(_)))
    }

    /// Names of all columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Names of the columns that any of the files has.
    pub(super) fn columns_present(&self) -> Vec<String> {
        let present: BTreeSet<&str> = self.files.iter().flat_map(|file| &file.columns).map(String::as_str).collect();
        self.names().into_iter().filter(|name| present.contains(name.as_str())).collect()
    }

    /// The files that can hold rows for which the filters are true.
    fn chosen(&self, filters: &[Expr], session: &dyn Session) -> Result<Vec<&ArchiveFile>> {
        let Some(filter) = conjunction(filters.to_vec()) else { return Ok(self.files.iter().collect()) };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let filter = session.create_physical_expr(filter, &schema)?;
        let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema));
        let predicate = pruning.try_build(filter)?;
        let keep = predicate.prune(&Known(&self.files))?;
        Ok(self.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect())
    }
}

#[async_trait]
impl TableProvider for StoredEvents {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let decided = |filter: &&Expr| match self.needle(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(decided).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let chosen = self.chosen(filters, session)?;
        let groups = session.config().target_partitions().max(1);
        let mut needles: Vec<Needle> = filters.iter().filter_map(|filter| self.needle(filter)).collect();
        // The filters of a file tell of one text whether it is there.
        needles.sort_by_key(|needle| !needle.is_one_text());
        if !needles.is_empty() {
            let schema = match projection {
                Some(wanted) => Arc::new(self.schema.project(wanted)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(NeedleScan::new(&self.place, chosen, needles, schema, groups)));
        }
        let mut shares: Vec<Vec<PartitionedFile>> = vec![Vec::new(); groups.min(chosen.len()).max(1)];
        for (at, file) in chosen.into_iter().enumerate() {
            let path = self.reached.path(&file.path);
            let share = at % shares.len();
            shares[share].push(PartitionedFile::new(path, file.bytes));
        }
        let options = session.config().options().execution.parquet.clone();
        let options = datafusion::common::config::TableParquetOptions { global: options, ..Default::default() };
        let source = ParquetSource::new(Arc::clone(&self.schema)).with_table_parquet_options(options);
        let shares: Vec<FileGroup> = shares.into_iter().map(FileGroup::new).collect();
        // No filter is exact here: a limit holds only where there is none.
        let limit = limit.filter(|_| filters.is_empty());
        let scan = FileScanConfigBuilder::new(self.reached.url.clone(), Arc::new(source))
            .with_file_groups(shares)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

/// What the catalogue knows of files.
struct Known<'a>(&'a [ArchiveFile]);

impl Known<'_> {
    fn times(&self, column: &Column, of: impl Fn(&ArchiveFile) -> i64) -> Option<ArrayRef> {
        if column.name == "event.dataset" {
            return None;
        }
        let times = (column.name == "@timestamp").then(|| self.0.iter().map(of).collect::<Vec<i64>>())?;
        Some(Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")))
    }
}

impl PruningStatistics for Known<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.times(column, |file| file.times.0.micros())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.times(column, |file| file.times.1.micros())
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    /// A column that a file has not is null in all its rows.
    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = |file: &ArchiveFile| (!file.columns.contains(&column.name)).then_some(file.events);
        Some(Arc::new(self.0.iter().map(nulls).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.0.iter().map(|file| Some(file.events)).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
