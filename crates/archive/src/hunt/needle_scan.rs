//! Events in which some column holds exactly one text, such as an address, as a step of a plan: files are looked through page by page, and
//! only rows that hold it are read. Other conditions are judged by the steps above.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use event::ArchiveFile;
use tokio::sync::mpsc::Sender;

use crate::error::ArchiveError;
use crate::needle::NeedleRows;
use crate::place::ArchivePlace;
use crate::read::StoredFile;
use crate::write::SEARCHED;

/// Where at least one row of so many holds the text, all rows are read at once.
const DENSE: u64 = 16;

/// Batches that wait for the step above.
const BATCHES: usize = 2;

/// A column and the text that it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle {
    column: String,
    text: String,
}

/// The condition as a needle; `None` where it is another one, or of a column that is not made to be searched.
pub(super) fn needle_of(condition: &Expr) -> Option<Needle> {
    let Expr::BinaryExpr(binary) = condition else { return None };
    let (column, value) = match (&*binary.left, &*binary.right) {
        (Expr::Column(column), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(column)) => {
            (column, value)
        }
        _ => return None,
    };
    let text = match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => text,
        _ => return None,
    };
    let is_one = binary.op == Operator::Eq && SEARCHED.contains(&column.name.as_str());
    is_one.then(|| Needle { column: column.name.clone(), text: text.clone() })
}

/// What a scan reads, and how far it is.
#[derive(Debug)]
struct Scanned {
    place: ArchivePlace,
    /// The first is looked for in the pages, the others in the rows that hold it.
    needles: Vec<Needle>,
    /// The columns that are wanted.
    schema: SchemaRef,
    read_bytes: AtomicU64,
}

/// The step of the plan.
#[derive(Debug)]
pub(super) struct NeedleScan {
    scanned: Arc<Scanned>,
    shares: Vec<Vec<ArchiveFile>>,
    properties: Arc<PlanProperties>,
}

impl NeedleScan {
    /// Over so many shares of the files at once. There must be a needle.
    pub(super) fn new(
        place: &ArchivePlace,
        files: Vec<&ArchiveFile>,
        needles: Vec<Needle>,
        schema: SchemaRef,
        shares: usize,
    ) -> NeedleScan {
        let mut all: Vec<Vec<ArchiveFile>> = vec![Vec::new(); shares.min(files.len()).max(1)];
        let count = all.len();
        files.into_iter().enumerate().for_each(|(at, file)| all[at % count].push(file.clone()));
        let equivalence = EquivalenceProperties::new(Arc::clone(&schema));
        let partitioning = Partitioning::UnknownPartitioning(count);
        let properties =
            PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        let scanned = Scanned { place: place.clone(), needles, schema, read_bytes: AtomicU64::new(0) };
        NeedleScan { scanned: Arc::new(scanned), shares: all, properties: Arc::new(properties) }
    }

    /// Files, their bytes, and the bytes that were read.
    pub(super) fn progress(&self) -> (u64, u64, u64) {
        let files = || self.shares.iter().flatten();
        let bytes = files().map(|file| file.bytes).sum();
        (files().count() as u64, bytes, self.scanned.read_bytes.load(Ordering::Relaxed))
    }
}

impl DisplayAs for NeedleScan {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NeedleScan: needles={:?}", self.scanned.needles)
    }
}

impl ExecutionPlan for NeedleScan {
    fn name(&self) -> &str {
        "NeedleScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let files = self.shares.get(partition).cloned().unwrap_or_default();
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.scanned.schema), BATCHES);
        let (scanned, out) = (Arc::clone(&self.scanned), builder.tx());
        builder.spawn_blocking(move || {
            for file in files {
                if !scanned.send_file(&file, &out).map_err(failed)? {
                    break;
                }
            }
            Ok(())
        });
        Ok(builder.build())
    }
}

fn failed(error: ArchiveError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl Scanned {
    /// Sends the rows of a file; false where nobody waits for them any more.
    fn send_file(&self, file: &ArchiveFile, out: &Sender<Result<RecordBatch>>) -> Result<bool, ArchiveError> {
        let Some(first) = self.needles.first().filter(|_| !out.is_closed()) else { return Ok(false) };
        if self.needles.iter().any(|needle| !file.columns.contains(&needle.column)) {
            return Ok(true);
        }
        let stored = StoredFile::open(&self.place, &file.path)?;
        for group in 0..stored.groups() {
            let places = stored.places(group, &first.column, &first.text)?;
            let rows = match &places {
                NeedleRows::Rows(rows) if rows.is_empty() => continue,
                NeedleRows::Rows(rows) => Some(rows.as_slice()),
                NeedleRows::Unknown => None,
            };
            self.read_bytes.fetch_add(stored.bytes(group, Some(&[&first.column])), Ordering::Relaxed);
            let sent = self.send_rows(&stored, group, rows, out)?;
            if !sent {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends the rows at these places, all that hold the needles where nobody knows the places.
    fn send_rows(
        &self,
        stored: &StoredFile,
        group: usize,
        places: Option<&[u32]>,
        out: &Sender<Result<RecordBatch>>,
    ) -> Result<bool, ArchiveError> {
        let few = places.filter(|places| places.len() as u64 * DENSE < stored.rows(group));
        // The first needle needs no second look where its places are read alone.
        let judged = &self.needles[usize::from(few.is_some())..];
        let mut wanted: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        wanted.extend(judged.iter().map(|needle| needle.column.as_str()));
        if let (true, Some(few)) = (wanted.is_empty(), few) {
            let options = RecordBatchOptions::new().with_row_count(Some(few.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), Vec::new(), &options)?;
            return Ok(out.blocking_send(Ok(rows)).is_ok());
        }
        self.read_bytes.fetch_add(stored.bytes(group, Some(&wanted)), Ordering::Relaxed);
        for rows in stored.read(group, Some(&wanted), few)? {
            let rows = judged.iter().try_fold(rows?, |rows, needle| needle.held_by(&rows))?;
            if rows.num_rows() > 0 && out.blocking_send(Ok(self.shown(&rows)?)).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The columns that are wanted; those that the file has not have no values.
    fn shown(&self, rows: &RecordBatch) -> Result<RecordBatch, ArchiveError> {
        let column = |field: &Arc<arrow_schema::Field>| match rows.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows.num_rows()),
        };
        let columns = self.schema.fields().iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Needle {
    /// The rows whose column holds the text.
    fn held_by(&self, rows: &RecordBatch) -> Result<RecordBatch, ArchiveError> {
        let column = rows.column_by_name(&self.column).and_then(|column| column.as_string_view_opt());
        let Some(column) = column else { return Ok(rows.slice(0, 0)) };
        let holds = |row: usize| column.is_valid(row) && column.value(row) == self.text;
        let held: BooleanArray = (0..rows.num_rows()).map(|row| Some(holds(row))).collect();
        Ok(filter_record_batch(rows, &held)?)
    }
}
