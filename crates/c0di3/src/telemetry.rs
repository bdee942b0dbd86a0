//! Logs and metrics of the process itself. Logs go to standard error, or to three files that are rotated by size:
//! `core-agent.log` (everything), `error.log` (warnings and errors) and `access.log` (one line per request, in combined log
//! format whatever the others are written in).

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use api::Metrics;
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogConfig;

/// Buckets of request durations in seconds; with boundaries at the runbook's thresholds of 1 s and 2 s.
const DURATION_BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0];

/// A log file that is renamed to `name.1`, `name.2` … when it is full.
#[derive(Clone)]
struct LogFile(Arc<Mutex<FileRotate<AppendCount>>>);

impl LogFile {
    fn open(folder: &Path, name: &str, config: &LogConfig) -> Self {
        // A line is written at once, and never divided between two files.
        let limit = ContentLimit::BytesSurpassed(config.rotate_bytes);
        let suffix = AppendCount::new(config.rotate_files);
        LogFile(Arc::new(Mutex::new(FileRotate::new(folder.join(name), suffix, limit, Compression::None, None))))
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).flush()
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LogFile;
    fn make_writer(&'a self) -> LogFile {
        self.clone()
    }
}

fn layer<S, W>(writer: W, json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    if json { layer.json().boxed() } else { layer.boxed() }
}

/// Writes what stands in the field `line`, as it stands there: other programs read this file.
struct AccessLines(LogFile);

impl<S: tracing::Subscriber> Layer<S> for AccessLines {
    fn on_event(&self, event: &tracing::Event<'_>, _context: tracing_subscriber::layer::Context<'_, S>) {
        struct Line(String);
        impl tracing::field::Visit for Line {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "line" {
                    self.0 = format!("{value}\n");
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        if self.0.clone().write_all(line.0.as_bytes()).is_err() {
            metrics::counter!("access_log_errors_total").increment(1);
        }
    }
}

fn only_access(wanted: bool) -> FilterFn<impl Fn(&tracing::Metadata<'_>) -> bool> {
    filter_fn(move |metadata| (metadata.target() == "access") == wanted)
}

/// Starts logging for a service.
pub(crate) fn start_logs(config: &LogConfig) -> anyhow::Result<()> {
    let level = LevelFilter::from_level(config.level);
    let Some(folder) = &config.folder else {
        let stderr = layer(std::io::stderr, config.json).with_filter(level);
        return tracing_subscriber::registry().with(stderr).try_init().context("cannot start logging");
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create the log folder {}", folder.display()))?;
    let file = |name: &str| layer(LogFile::open(folder, name, config), config.json);
    tracing_subscriber::registry()
        .with(file("core-agent.log").with_filter(only_access(false)).with_filter(level))
        .with(layer(LogFile::open(folder, "error.log", config), config.json).with_filter(LevelFilter::WARN))
        .with(AccessLines(LogFile::open(folder, "access.log", config)).with_filter(only_access(true)))
        .try_init()
        .context("cannot start logging")
}

/// CPU time and resident memory of the process, as the kernel counts them.
fn measure_process() {
    let ticks = rustix::param::clock_ticks_per_second().max(1) as f64;
    let page = rustix::param::page_size() as f64;
    // The name of the program may hold blanks: what counts stands behind its closing bracket.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    if let (Some(user), Some(system), Some(pages)) = (field(11), field(12), field(21)) {
        metrics::counter!("process_cpu_seconds_total").absolute(((user + system) / ticks) as u64);
        metrics::gauge!("process_resident_memory_bytes").set(pages * page);
    }
}

/// Installs the process's metrics recorder; the process's own figures are measured at every scrape.
pub(crate) fn start_metrics() -> anyhow::Result<Metrics> {
    let metrics = Metrics::from(install_recorder()?);
    metrics.with(measure_process);
    Ok(metrics)
}

fn install_recorder() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
        .context("cannot set histogram buckets")?
        .install_recorder()
        .context("cannot start metrics")
}
