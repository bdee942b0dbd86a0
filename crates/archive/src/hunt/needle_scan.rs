//! Events in which some column holds one text, such as an address, or one that meets a condition, such as an address of a network, as a
//! step of a plan: files are looked through page by page, each text of a dictionary is judged once, and only rows that hold one are read.
//! Other conditions are judged by the steps above.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringViewArray, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, create_physical_expr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use event::ArchiveFile;
use parquet::errors::ParquetError;
use tokio::sync::mpsc::Sender;

use super::functions;
use crate::error::ArchiveError;
use crate::needle::{NeedleRows, SoughtTexts};
use crate::place::ArchivePlace;
use crate::read::StoredFile;
use crate::write::SEARCHED;

/// Where at least one row of so many holds the text, all rows are read at once.
const DENSE: u64 = 16;

/// Batches that wait for the step above.
const BATCHES: usize = 2;

/// A column and what it must hold.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    column: String,
    sought: Sought,
}

#[derive(Clone, Debug)]
enum Sought {
    /// This text.
    Text(String),
    /// A text that meets a condition.
    Met(Condition),
}

/// A condition on the texts of one column.
#[derive(Clone, Debug)]
struct Condition {
    /// Of a table of this column alone.
    met: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// With one of these begins each text that meets it; empty where nothing is known of that.
    beginnings: Vec<String>,
}

/// The condition as a needle; `None` where it is another one, or of a column that is not made to be searched.
pub(super) fn needle_of(condition: &Expr) -> Option<Needle> {
    text_of(condition).or_else(|| met_of(condition))
}

/// A condition on one column that is mostly false, and never true where there is no value.
fn met_of(condition: &Expr) -> Option<Needle> {
    let mut columns = condition.column_refs().into_iter();
    let (column, others) = (columns.next()?, columns.next());
    if others.is_some()
        || !SEARCHED.contains(&column.name.as_str())
        || !is_selective(condition)
        || condition.is_volatile()
    {
        return None;
    }
    let schema = Arc::new(Schema::new(vec![Field::new(&column.name, DataType::Utf8View, true)]));
    let planned = DFSchema::try_from(Arc::clone(&schema)).ok()?;
    let met =
        create_physical_expr(condition, &planned, &ExecutionProps::new(), &PhysicalPlanningContext::default()).ok()?;
    let nothing = StringViewArray::from(vec![None::<&str>]);
    let beginnings = functions::beginnings_of_networks(condition).unwrap_or_default();
    let condition = Condition { met, schema, beginnings };
    let is_for_values = condition.judge(Arc::new(nothing)).is_ok_and(|judged| judged == [false]);
    is_for_values.then(|| Needle { column: column.name.clone(), sought: Sought::Met(condition) })
}

/// Whether the condition asks for values that few rows have.
fn is_selective(condition: &Expr) -> bool {
    match condition {
        Expr::Like(like) => !like.negated,
        Expr::InList(list) => !list.negated,
        Expr::ScalarFunction(_) => true,
        Expr::BinaryExpr(binary) => match binary.op {
            Operator::RegexMatch | Operator::RegexIMatch | Operator::LikeMatch | Operator::ILikeMatch => true,
            Operator::Or => is_selective(&binary.left) && is_selective(&binary.right),
            _ => false,
        },
        _ => false,
    }
}

impl Condition {
    /// For each text, whether the condition is true.
    fn judge(&self, texts: ArrayRef) -> Result<Vec<bool>> {
        let rows = texts.len();
        let table = RecordBatch::try_new(Arc::clone(&self.schema), vec![texts])?;
        let judged = self.met.evaluate(&table)?.into_array(rows)?;
        let judged = judged.as_boolean_opt().ok_or_else(|| DataFusionError::Internal("no condition".to_owned()))?;
        Ok(judged.iter().map(|met| met == Some(true)).collect())
    }

    /// As [`Self::judge`]: texts that begin otherwise than all that meet it are not looked at further.
    fn passed(&self, texts: &[&str]) -> Result<Vec<bool>> {
        if self.beginnings.is_empty() {
            return self.judge(Arc::new(StringViewArray::from_iter_values(texts)));
        }
        let may_meet = |text: &str| self.beginnings.iter().any(|beginning| text.starts_with(beginning.as_str()));
        let chosen: Vec<usize> = (0..texts.len()).filter(|at| may_meet(texts[*at])).collect();
        let judged = self.judge(Arc::new(StringViewArray::from_iter_values(chosen.iter().map(|at| texts[*at]))))?;
        let mut passed = vec![false; texts.len()];
        chosen.into_iter().zip(judged).for_each(|(at, met)| passed[at] = met);
        Ok(passed)
    }
}

/// A condition that a column is equal to a text.
fn text_of(condition: &Expr) -> Option<Needle> {
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
    is_one.then(|| Needle { column: column.name.clone(), sought: Sought::Text(text.clone()) })
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

fn not_judged(error: DataFusionError) -> ParquetError {
    ParquetError::External(Box::new(error))
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
            let places = first.places(&stored, group)?;
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
        if let Some(places) = places.filter(|_| self.schema.fields().is_empty() && self.needles.len() == 1) {
            let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), Vec::new(), &options)?;
            return Ok(out.blocking_send(Ok(rows)).is_ok());
        }
        let few = places.filter(|places| places.len() as u64 * DENSE < stored.rows(group));
        // The first needle needs no second look where its places are read alone.
        let judged = &self.needles[usize::from(few.is_some())..];
        let mut wanted: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        wanted.extend(judged.iter().map(|needle| needle.column.as_str()));
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
    /// Whether it is one text that is looked for.
    pub(super) fn is_one_text(&self) -> bool {
        matches!(self.sought, Sought::Text(_))
    }

    /// Where the rows of a group stand that hold it.
    fn places(&self, stored: &StoredFile, group: usize) -> Result<NeedleRows, ArchiveError> {
        match &self.sought {
            Sought::Text(text) => stored.places(group, &self.column, SoughtTexts::Text(text)),
            Sought::Met(condition) => {
                let pass = |texts: &[&str]| condition.passed(texts).map_err(not_judged);
                stored.places(group, &self.column, SoughtTexts::Passing(&pass))
            }
        }
    }

    /// The rows whose column holds the text.
    fn held_by(&self, rows: &RecordBatch) -> Result<RecordBatch, ArchiveError> {
        let Some(column) = rows.column_by_name(&self.column) else { return Ok(rows.slice(0, 0)) };
        let held: BooleanArray = match (&self.sought, column.as_string_view_opt()) {
            (Sought::Text(text), Some(column)) => {
                column.iter().map(|value| Some(value == Some(text.as_str()))).collect()
            }
            (Sought::Met(condition), Some(_)) => condition.judge(Arc::clone(column)).map_err(not_judged)?.into(),
            (_, None) => return Ok(rows.slice(0, 0)),
        };
        Ok(filter_record_batch(rows, &held)?)
    }
}
