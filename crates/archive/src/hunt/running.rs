//! A question while it is being answered: its rows as they come, and how far it is.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures_util::{FutureExt, StreamExt};

use super::needle_scan::NeedleScan;
use super::{Hunt, HuntError, guard};

/// Rows of an answer, one batch after another.
pub struct RunningHunt {
    rows: SendableRecordBatchStream,
    meter: HuntMeter,
}

/// Tells how far a question is, from any thread.
#[derive(Clone, Debug)]
pub struct HuntMeter {
    plan: Arc<dyn ExecutionPlan>,
}

/// How far a question is. What statistics leave out inside a file is never read: the bytes read need not reach those of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HuntProgress {
    /// Files that can hold what is asked for.
    pub files: u64,
    /// Their size.
    pub file_bytes: u64,
    /// Bytes of them that were read.
    pub read_bytes: u64,
}

impl std::fmt::Debug for RunningHunt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RunningHunt").field("meter", &self.meter).finish_non_exhaustive()
    }
}

impl Hunt {
    /// Begins to answer a question. Nothing is limited but memory and spilling: time and rows are the caller's to count.
    pub async fn start(&self, question: &str) -> Result<RunningHunt, HuntError> {
        unharmed(async {
            let frame = self.context.execute_logical_plan(self.plan(question).await?).await?;
            let context = Arc::new(frame.task_ctx());
            let plan = frame.create_physical_plan().await?;
            let rows = execute_stream(Arc::clone(&plan), context)?;
            Ok(RunningHunt { rows, meter: HuntMeter { plan } })
        })
        .await
    }

    async fn plan(&self, question: &str) -> Result<datafusion::logical_expr::LogicalPlan, HuntError> {
        let statement = guard::read_only(question)?;
        let state = self.context.state();
        let plan = state.statement_to_plan(statement).await.map_err(|error| guard::explain(&error))?;
        guard::only_reads().verify_plan(&plan)?;
        Ok(plan)
    }
}

impl RunningHunt {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// How far it is.
    pub fn meter(&self) -> &HuntMeter {
        &self.meter
    }

    /// The next rows; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, HuntError>> {
        let next = unharmed(async { self.rows.next().await.transpose().map_err(HuntError::from) });
        next.await.transpose()
    }
}

/// A fault of the planner or its operators ends the question alone: the log has its message.
async fn unharmed<T>(work: impl Future<Output = Result<T, HuntError>>) -> Result<T, HuntError> {
    let fault = || HuntError::Failed("its plan failed in an unexpected way; the log says where".to_owned());
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(fault()))
}

impl HuntMeter {
    /// How far it is now.
    pub fn progress(&self) -> HuntProgress {
        let mut progress = HuntProgress::default();
        let mut todo: Vec<&Arc<dyn ExecutionPlan>> = vec![&self.plan];
        while let Some(node) = todo.pop() {
            todo.extend(node.children());
            if let Some(needle) = node.downcast_ref::<NeedleScan>() {
                let (files, bytes, read) = needle.progress();
                progress.files += files;
                progress.file_bytes += bytes;
                progress.read_bytes += read;
            }
            let Some(source) = node.downcast_ref::<DataSourceExec>() else { continue };
            let scanned = node.metrics().and_then(|metrics| metrics.sum_by_name("bytes_scanned"));
            progress.read_bytes += scanned.map_or(0, |bytes| bytes.as_usize() as u64);
            let Some(scan) = source.data_source().downcast_ref::<FileScanConfig>() else { continue };
            for file in scan.file_groups.iter().flat_map(|group| group.iter()) {
                progress.files += 1;
                progress.file_bytes += file.object_meta.size;
            }
        }
        progress
    }
}
