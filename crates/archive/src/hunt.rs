//! Questions to the archive, in SQL. A question reads: what would write, set, or reach a file or address is refused before it is
//! planned, and every question has limits on its length, memory, spilling, time and rows.

mod error;
mod functions;
mod guard;
mod kept;
mod needle_scan;
mod print;
mod raw_line;
mod running;
mod table;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::common::{Column, ScalarValue};
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use datafusion::prelude::SessionConfig;
use event::{ArchiveFile, Timestamp};

use self::functions::BroughtFunction;
use self::raw_line::RawLine;
use self::table::StoredEvents;
use crate::place::ArchivePlace;
use crate::schema::FORM;

pub use error::HuntError;
pub use functions::{FunctionOfTexts, FunctionType, FunctionValue, HuntFunction};
pub use guard::QUESTION_BYTES_MAX;
pub(crate) use guard::nearest;
pub use kept::{AnswerForm, AnswerSize, AnswerWriter, copy_answer, first_rows};
pub(crate) use print::found_lines_of;
pub use running::{HuntMeter, HuntProgress, RunningHunt};

/// What a question may take.
#[derive(Clone, Copy, Debug)]
pub struct HuntLimits {
    /// Rows of the answer; what is beyond is cut, and the answer says so.
    pub rows: usize,
    /// Memory of sorts, joins and groups, in bytes. What needs more goes to the disk.
    pub memory_bytes: usize,
    /// Room on the disk, in bytes.
    pub spill_bytes: u64,
    /// From the question to the last row.
    pub time: Duration,
    /// Threads.
    pub jobs: usize,
}

impl Default for HuntLimits {
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let time = Duration::from_secs(60);
        HuntLimits { rows: 10_000, memory_bytes: 512 << 20, spill_bytes: 4 << 30, time, jobs }
    }
}

/// What came of a question.
#[derive(Debug)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// There were more rows than the limit.
    pub is_cut: bool,
}

/// Some files of an archive, ready for questions: the table `events`.
pub struct Hunt {
    context: SessionContext,
    limits: HuntLimits,
}

impl std::fmt::Debug for Hunt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Hunt").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Hunt {
    /// Makes the table of these files of the place.
    pub fn new(place: impl Into<ArchivePlace>, files: &[ArchiveFile], limits: HuntLimits) -> Result<Hunt, HuntError> {
        Hunt::over(place.into(), files, limits, None)
    }

    /// Makes the table of events at or after the first time and before the second alone, whatever a question asks for.
    pub fn between(
        place: impl Into<ArchivePlace>,
        files: &[ArchiveFile],
        limits: HuntLimits,
        span: (Timestamp, Timestamp),
    ) -> Result<Hunt, HuntError> {
        Hunt::over(place.into(), files, limits, Some(span))
    }

    fn over(
        place: ArchivePlace,
        files: &[ArchiveFile],
        limits: HuntLimits,
        span: Option<(Timestamp, Timestamp)>,
    ) -> Result<Hunt, HuntError> {
        let mut config = SessionConfig::new()
            .with_target_partitions(limits.jobs.max(1))
            .with_information_schema(false)
            .set_bool("datafusion.execution.parquet.pushdown_filters", true)
            .set_bool("datafusion.execution.parquet.reorder_filters", true);
        config.options_mut().sql_parser.enable_ident_normalization = false;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
            .with_max_temp_directory_size(limits.spill_bytes)
            .build_arc()?;
        let context = SessionContext::new_with_config_rt(config, runtime);
        // Table functions make rows out of nothing, without a limit.
        for name in ["generate_series", "range"] {
            context.deregister_udtf(name);
        }
        for function in functions::all() {
            context.register_udf(function);
        }
        let reached = place.reached(&context).map_err(HuntError::Failed)?;
        let stored = StoredEvents::of(place, reached, files);
        let columns = stored.columns_present();
        let raw = RawLine::new(columns.iter().cloned());
        let arguments: Vec<Expr> = columns.iter().map(|name| column(name)).collect();
        let raw = ScalarUDF::from(raw).call(arguments).alias("event.original");
        let shown = stored.names().into_iter().filter(|name| name != FORM && name != "event.original");
        let mut all: Vec<Expr> = shown.map(|name| column(&name)).collect();
        all.push(raw);
        let mut table = context.read_table(Arc::new(stored))?;
        if let Some((since, until)) = span {
            let time = || column("@timestamp");
            table = table.filter(time().gt_eq(moment(since)).and(time().lt(moment(until))))?;
        }
        let view = table.select(all)?.into_view();
        context.register_table("events", view)?;
        Ok(Hunt { context, limits })
    }

    /// Adds functions that questions may use.
    pub fn with_functions(self, functions: &[HuntFunction]) -> Hunt {
        for function in functions {
            self.context.register_udf(ScalarUDF::from(BroughtFunction::new(function.clone())));
        }
        self
    }

    /// Answers a question in SQL over the table `events`. Blocks no thread for long while it waits.
    pub async fn ask(&self, question: &str) -> Result<Answer, HuntError> {
        let asked = tokio::time::timeout(self.limits.time, self.answer(question));
        asked.await.unwrap_or(Err(HuntError::TooLong(self.limits.time)))
    }

    async fn answer(&self, question: &str) -> Result<Answer, HuntError> {
        let mut running = self.start(question).await?;
        let schema = running.schema();
        let (mut batches, mut count) = (Vec::new(), 0);
        while let Some(batch) = running.next().await {
            let batch = batch?;
            let room = self.limits.rows - count;
            if batch.num_rows() > room {
                batches.push(batch.slice(0, room));
                return Ok(Answer { schema, batches, is_cut: true });
            }
            count += batch.num_rows();
            batches.push(batch);
        }
        Ok(Answer { schema, batches, is_cut: false })
    }
}

fn moment(time: Timestamp) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time.micros()), Some(Arc::from("UTC"))))
}

/// A column by its whole name: a dot in it separates nothing.
fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}
