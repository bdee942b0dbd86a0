//! Logs and metrics of the process itself. Logs go to standard error, or to three files that are rotated by size:
//! `core-agent.log` (everything), `error.log` (warnings and errors) and `access.log` (one line per request, in combined log
//! format whatever the others are written in).

use std::io::Write;

use anyhow::Context;
use api::Metrics;
use api::exemplars::DURATION_BUCKETS;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterFn, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::config::LogConfig;
use crate::limits;
use crate::log_files::LogFile;

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

/// The logs of the running process, so that they can be changed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logs {
    level: reload::Handle<Targets, Registry>,
    files: Vec<LogFile>,
}

impl Logs {
    /// Opens the files anew, which somebody may have renamed.
    pub(crate) fn reopen(&self) {
        self.files.iter().for_each(LogFile::reopen);
    }

    /// What is less grave is not written from now on.
    pub(crate) fn write_from(&self, level: Level) -> anyhow::Result<()> {
        self.level.reload(wanted(level, !self.files.is_empty())).context("the level cannot be changed")
    }
}

/// What is written at all. A file of requests of its own holds all of them at every level.
fn wanted(level: Level, has_files: bool) -> Targets {
    let wanted = Targets::new().with_default(level);
    if has_files { wanted.with_target("access", level.max(Level::INFO)) } else { wanted }
}

/// Starts logging for a service.
pub(crate) fn start_logs(config: &LogConfig) -> anyhow::Result<Logs> {
    let Some(folder) = &config.folder else {
        let (filter, level) = reload::Layer::new(wanted(config.level, false));
        let started = tracing_subscriber::registry().with(filter).with(layer(std::io::stderr, config.json)).try_init();
        return started.map(|()| Logs { level, files: Vec::new() }).context("cannot start logging");
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create the log folder {}", folder.display()))?;
    let [all, errors, access] =
        ["core-agent.log", "error.log", "access.log"].map(|name| LogFile::open(folder, name, config));
    let files = vec![all.clone(), errors.clone(), access.clone()];
    let (filter, level) = reload::Layer::new(wanted(config.level, true));
    tracing_subscriber::registry()
        .with(filter)
        .with(layer(all, config.json).with_filter(only_access(false)))
        .with(layer(errors, config.json).with_filter(LevelFilter::WARN))
        .with(AccessLines(access).with_filter(only_access(true)))
        .with(config.stderr.then(|| layer(std::io::stderr, config.json)))
        .try_init()
        .context("cannot start logging")?;
    Ok(Logs { level, files })
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
    metrics.with(limits::measure);
    Ok(metrics)
}

fn install_recorder() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
        .context("cannot set histogram buckets")?
        .install_recorder()
        .context("cannot start metrics")
}
