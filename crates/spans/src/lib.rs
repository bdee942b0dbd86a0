//! Spans of traces: one for each batch, commit, request and delivery, never one for an event. Where traces are off, a span is empty
//! and costs a look at one flag. What a span says are numbers, and words of ours: nothing that somebody sent.
//! **Absent on purpose:** where spans go, and how many are kept; the program decides that.

#![warn(missing_docs)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::global::{BoxedSpan, BoxedTracer, get_text_map_propagator, tracer};
use opentelemetry::trace::{FutureExt, Link, Span as _, SpanBuilder, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

pub use opentelemetry::Value;
pub use opentelemetry::trace::SpanKind as Kind;

/// Header of W3C Trace Context. Its companion `tracestate` is not read: it is what others say, and would go to receivers of webhooks.
pub const TRACEPARENT: &str = "traceparent";
/// Spans that one span names as its causes.
pub const CAUSES_MAX: usize = 128;

/// Set once traces are on.
static TRACER: OnceLock<BoxedTracer> = OnceLock::new();

/// From now on spans are made, by the provider that the process has then.
pub fn switch_on() {
    TRACER.get_or_init(|| tracer("c0di3"));
}

/// Whether spans are made.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// The time of spans, which are about how long this process takes: never that of events.
#[allow(clippy::disallowed_methods, reason = "spans are stamped where they are made, as the SDK stamps the others")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// When something began that may become a span; empty where traces are off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Began(Option<SystemTime>);

impl Began {
    /// Begins now.
    pub fn now() -> Began {
        Began(is_on().then(now))
    }
}

/// The time of an exemplar, in seconds since 1970.
pub fn seconds() -> f64 {
    now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Where in which trace a span stands: what others need to know to go on from it. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct TracePoint(SpanContext);

impl TracePoint {
    /// Of the header that a caller sent; `None` where it names no span, or traces are off.
    pub fn of_traceparent(text: &str) -> Option<TracePoint> {
        if !is_on() {
            return None;
        }
        let sent = HashMap::from([(TRACEPARENT.to_owned(), text.to_owned())]);
        TracePoint::of_context(&get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), &sent)
        }))
    }

    fn of_context(context: &Context) -> Option<TracePoint> {
        let span = context.span();
        let place = span.span_context();
        place.is_valid().then(|| TracePoint(place.clone()))
    }

    fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.0.clone())
    }

    /// As W3C Trace Context writes it: what a server is told that is asked on behalf of the span.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.0.trace_id(), self.0.span_id(), self.0.trace_flags().to_u8())
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    /// Whether the trace is kept.
    pub fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }
}

/// The span that the running task works for.
pub fn current() -> Option<TracePoint> {
    if is_on() { TracePoint::of_context(&Context::current()) } else { None }
}

/// Runs the work as a part of the span: [`current`] gives it there.
pub async fn within<T>(place: &TracePoint, work: impl Future<Output = T>) -> T {
    work.with_context(place.context()).await
}

/// Something that takes time. It ends when it is dropped.
#[derive(Debug, Default)]
pub struct Span(Option<BoxedSpan>);

impl Span {
    /// One that nobody hears of.
    pub fn none() -> Span {
        Span(None)
    }

    /// Begins now; without a parent it begins a trace.
    pub fn start(name: impl Into<Cow<'static, str>>, kind: Kind, parent: Option<&TracePoint>) -> Span {
        let Some(tracer) = TRACER.get() else { return Span(None) };
        let context = parent.map(TracePoint::context).unwrap_or_default();
        Span(Some(SpanBuilder::from_name(name).with_kind(kind).start_with_context(tracer, &context)))
    }

    /// A part of it; of an empty one an empty one.
    pub fn child(&self, name: &'static str, kind: Kind) -> Span {
        self.place().map_or_else(Span::none, |place| Span::start(name, kind, Some(&place)))
    }

    /// Work on what several others brought, begun then: it goes on from the first, and names the others.
    pub fn of_many(name: &'static str, causes: &[TracePoint], began: Began) -> Span {
        let Some(tracer) = TRACER.get() else { return Span(None) };
        let context = causes.first().map(TracePoint::context).unwrap_or_default();
        let links = causes.iter().skip(1).take(CAUSES_MAX).map(|cause| Link::with_context(cause.0.clone())).collect();
        let builder = SpanBuilder::from_name(name)
            .with_kind(Kind::Internal)
            .with_start_time(began.0.unwrap_or_else(now))
            .with_links(links);
        Span(Some(builder.start_with_context(tracer, &context)))
    }

    /// What it was about: a number, or a word of ours.
    pub fn note(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// It did not do what it should. `reason`: a word of ours, never the text of an error.
    pub fn fail(&mut self, reason: &'static str) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new("error.type", reason));
            span.set_status(Status::error(reason));
        }
    }

    /// Where it stands, for its parts and for whoever is asked on its behalf.
    pub fn place(&self) -> Option<TracePoint> {
        let place = self.0.as_ref()?.span_context();
        place.is_valid().then(|| TracePoint(place.clone()))
    }
}

#[cfg(test)]
mod tests;
