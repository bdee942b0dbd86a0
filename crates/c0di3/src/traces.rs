//! Spans on their way to an OTLP receiver: a bounded queue, and one task that sends. Whoever makes a span never waits: what finds no
//! room, or cannot be sent, is counted and forgotten. Without `traces.endpoint` nothing of this is made.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanExporter as Export, SpanProcessor};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::config::TracesConfig;
use crate::tls::client;

/// Spans in one request.
const BATCH: usize = 512;
/// How long spans wait for more, so that a request holds some.
const GATHER: Duration = Duration::from_millis(300);
/// Longest that the end of the process waits for the receiver.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// The sender of spans.
pub(crate) struct Traces {
    closing: Arc<Notify>,
    task: JoinHandle<()>,
}

/// The client that sends, trusting the authorities of the setting as well.
pub(crate) fn traces_client(config: &TracesConfig) -> anyhow::Result<reqwest::Client> {
    client("traces.ca", config.ca.as_deref().map(Path::new), Some(config.timeout))
}

/// Spans are made from now on. Must run inside the runtime. `service`: what this process is in its traces.
pub(crate) fn start(config: &TracesConfig, service: &'static str, instance: &str) -> anyhow::Result<Traces> {
    let resource = resource(config, service, instance);
    let mut builder = SpanExporter::builder()
        .with_http()
        .with_http_client(traces_client(config)?)
        .with_endpoint(config.endpoint.as_str())
        .with_timeout(config.timeout);
    if let Some(authorization) = &config.authorization {
        builder = builder.with_headers(HashMap::from([("authorization".to_owned(), authorization.clone())]));
    }
    let mut exporter = builder.build().context("traces.endpoint cannot be used")?;
    exporter.set_resource(&resource);
    let (queue, spans) = mpsc::channel(config.queue);
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
    let provider =
        SdkTracerProvider::builder().with_span_processor(Queue(queue)).with_sampler(sampler).with_resource(resource);
    global::set_tracer_provider(provider.build());
    global::set_text_map_propagator(TraceContextPropagator::new());
    let closing = Arc::new(Notify::new());
    let task = tokio::spawn(send(spans, exporter, Arc::clone(&closing)));
    spans::switch_on();
    let receiver = config.endpoint.host_str().unwrap_or_default();
    tracing::info!(receiver, sample_ratio = config.sample_ratio, service, "traces are sent");
    Ok(Traces { closing, task })
}

fn resource(config: &TracesConfig, service: &'static str, instance: &str) -> Resource {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut attributes = vec![
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", format!("{instance}-{}", std::process::id())),
        KeyValue::new("host.name", host.trim().to_owned()),
    ];
    attributes.extend(config.attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone())));
    Resource::builder_empty().with_service_name(service).with_attributes(attributes).build()
}

impl Traces {
    /// Sends what waits, for a bounded time.
    pub(crate) async fn finish(self) {
        self.closing.notify_one();
        let task = self.task;
        let abort = task.abort_handle();
        if tokio::time::timeout(FLUSH_MAX, task).await.is_err() {
            tracing::warn!("the receiver of traces does not answer: the last spans are not sent");
            abort.abort();
        }
    }
}

/// Takes spans that have ended, and waits for nobody.
#[derive(Debug)]
struct Queue(mpsc::Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if let Err(refused) = self.0.try_send(span) {
            let reason = match refused {
                mpsc::error::TrySendError::Full(_) => "queue",
                mpsc::error::TrySendError::Closed(_) => "end",
            };
            metrics::counter!("trace_spans_dropped_total", "reason" => reason).increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends until it is told to close, and then what is left.
async fn send(mut spans: mpsc::Receiver<SpanData>, exporter: impl Export, closing: Arc<Notify>) {
    let (mut batch, mut is_closing, mut is_failing) = (Vec::with_capacity(BATCH), false, false);
    loop {
        if batch.len() < BATCH && !is_closing {
            is_closing = tokio::select! {
                _ = spans.recv_many(&mut batch, BATCH) => false,
                () = closing.notified() => true,
            };
        }
        if batch.len() < BATCH && !is_closing {
            is_closing = tokio::time::timeout(GATHER, closing.notified()).await.is_ok();
        }
        while batch.len() < BATCH {
            let Ok(span) = spans.try_recv() else { break };
            batch.push(span);
        }
        if batch.is_empty() {
            if is_closing || spans.is_closed() {
                return;
            }
            continue;
        }
        let count = batch.len() as u64;
        let sent = exporter.export(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).await;
        told(count, sent, &mut is_failing);
    }
}

/// Counts what was sent and what was lost; a receiver that goes away is told of once.
fn told(count: u64, sent: OTelSdkResult, is_failing: &mut bool) {
    match sent {
        Ok(()) => {
            metrics::counter!("trace_spans_sent_total").increment(count);
            if std::mem::take(is_failing) {
                tracing::info!("the receiver of traces answers again");
            }
        }
        Err(error) => {
            metrics::counter!("trace_spans_dropped_total", "reason" => "receiver").increment(count);
            if !std::mem::replace(is_failing, true) {
                tracing::warn!(%error, "spans cannot be sent: they are dropped until the receiver of traces answers");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;

    use super::*;

    /// Takes what it is given, unless it is told to fail or to stand still.
    #[derive(Clone, Debug, Default)]
    struct Receiver {
        taken: Arc<Mutex<Vec<usize>>>,
        is_away: bool,
        is_still: bool,
    }

    impl Export for Receiver {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if self.is_still {
                std::future::pending::<()>().await;
            }
            if self.is_away {
                return Err(OTelSdkError::InternalFailure("away".to_owned()));
            }
            self.taken.lock().unwrap().push(batch.len());
            Ok(())
        }
    }

    async fn sent(receiver: Receiver, spans: usize, queue: usize) -> (Vec<usize>, Duration) {
        let (sender, coming) = mpsc::channel(queue);
        let provider = SdkTracerProvider::builder().with_span_processor(Queue(sender)).build();
        let tracer = provider.tracer("test");
        let started = std::time::Instant::now();
        for _ in 0..spans {
            drop(tracer.start("span"));
        }
        let closing = Arc::new(Notify::new());
        let task = tokio::spawn(send(coming, receiver.clone(), Arc::clone(&closing)));
        Traces { closing, task }.finish().await;
        let taken = receiver.taken.lock().unwrap().clone();
        (taken, started.elapsed())
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_what_waits_is_sent_at_the_end() {
        assert_eq!(sent(Receiver::default(), 1200, 1000).await.0, [512, 488], "200 found no room");
        assert!(sent(Receiver::default(), 0, 10).await.0.is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_receiver_that_is_away_or_stands_still() {
        let (taken, took) = sent(Receiver { is_away: true, ..Receiver::default() }, 5, 10).await;
        assert!(taken.is_empty() && took < Duration::from_secs(1), "{took:?}");
        let (taken, took) = sent(Receiver { is_still: true, ..Receiver::default() }, 5, 10).await;
        assert!(taken.is_empty() && took < FLUSH_MAX + Duration::from_secs(1), "{took:?}");
    }
}
