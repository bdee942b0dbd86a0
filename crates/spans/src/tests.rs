//! Spans as a provider gets them: nothing before it is switched on, and then trees, links and headers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {}
    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }
    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}

const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One test, because the switch is the process's.
#[test]
fn spans_are_empty_until_traces_are_on_and_trees_from_then_on() {
    let mut off = Span::start("early", Kind::Server, None);
    off.note("http.route", "/");
    off.fail("never");
    assert_eq!((off.place(), current(), TracePoint::of_traceparent(SENT)), (None, None, None));
    let kept = Kept::default();
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    global::set_tracer_provider(
        SdkTracerProvider::builder().with_span_processor(kept.clone()).with_sampler(sampler).build(),
    );
    global::set_text_map_propagator(TraceContextPropagator::new());
    switch_on();
    drop(off);

    let caller = TracePoint::of_traceparent(SENT).expect("the caller's span");
    let mut push = Span::start("POST /ingest", Kind::Server, Some(&caller));
    let place = push.place().unwrap();
    assert_eq!(place.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(TracePoint::of_traceparent(&place.traceparent()).unwrap().traceparent(), place.traceparent());
    push.note("events", 3);
    drop(push.child("receive", Kind::Internal));
    let other = Span::start("another push", Kind::Server, None);
    let causes = [place.clone(), other.place().unwrap()];
    let mut commit = Span::of_many("commit", &causes, Began(Some(UNIX_EPOCH)));
    commit.fail("store");
    drop((commit, push, other));
    // What the caller does not keep is not kept here.
    let quiet = TracePoint::of_traceparent(&SENT.replace("-01", "-00")).unwrap();
    assert!(!quiet.is_sampled());
    drop(Span::start("quiet", Kind::Server, Some(&quiet)));
    for wrong in ["", "00-0-0-01", "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "plantedsecret"] {
        assert_eq!(TracePoint::of_traceparent(wrong), None, "{wrong}");
    }

    let spans = kept.0.lock().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["receive", "commit", "POST /ingest", "another push"]);
    assert_eq!(spans[0].parent_span_id, spans[2].span_context.span_id());
    assert_eq!(spans[1].parent_span_id, spans[2].span_context.span_id());
    assert_eq!(spans[1].links.iter().map(|link| &link.span_context).collect::<Vec<_>>(), [&spans[3].span_context]);
    assert_eq!(spans[1].start_time, UNIX_EPOCH);
    assert_eq!(spans[1].status, Status::error("store"));
}
