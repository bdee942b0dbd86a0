//! Traces as a collector gets them: the way of a push through commit and delivery, what others are told of it, exemplars; and a
//! service that does not care whether the collector is there.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use servers::{free_port, wait_until};

use crate::node::{Node, Receiver, SOON, get, send};
use crate::otlp::{Collector, Seen};
use crate::program::{Sandbox, failures};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn parent_header(sampled: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{sampled}")
}

fn push(port: u16, traceparent: &str, body: &str) {
    let (status, _, answer) =
        send(port, "POST", "/ingest", &[("traceparent", traceparent)], body.as_bytes()).expect("an answer");
    assert_eq!(status, 200, "{answer}");
}

/// The one span of this name in the trace.
fn only<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let found: Vec<_> = spans.iter().filter(|span| span.trace == TRACE && span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

/// The span that a server was told of.
fn told(receiver: &Receiver) -> Vec<String> {
    let requests = receiver.requests.lock().unwrap();
    let heads = requests.iter().map(|(head, _)| head);
    heads
        .filter_map(|head| head.lines().find_map(|line| line.strip_prefix("traceparent: ")).map(str::to_owned))
        .collect()
}

#[test]
fn a_push_is_followed_through_commit_and_delivery() {
    let sandbox = Sandbox::new();
    let (collector, desk, model) = (Collector::start(), Receiver::start(), Receiver::start());
    sandbox.write(
        "c0di3.toml",
        format!(
            "[traces]\nendpoint = \"http://127.0.0.1:{}/\"\nattributes = [\"deployment.environment.name=test\"]\n\
             [llm]\nurl = \"http://127.0.0.1:{}\"\n[notify]\nage = \"3650d\"\n\
             [webhooks]\nendpoints = [{{name = \"desk\", url = \"http://127.0.0.1:{}/hook\", allow = [\"127.0.0.0/8\"], \
             allow_http = true}}]\n",
            collector.port, model.port, desk.port
        ),
    );
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[("store.url", format!("sqlite:{}", sandbox.path("a.db").display()))]);
    push(node.ingest, &parent_header("01"), &failures("203.0.113.9", 36_000, 12));
    wait_until(SOON, "a delivery", || !told(&desk).is_empty());
    wait_until(SOON, "a summary is asked for", || !told(&model).is_empty());
    get(node.health, "/health").expect("health");

    // What shippers push over TCP begins a trace of its own; what nobody keeps is not sent.
    let mut syslog = TcpStream::connect(("127.0.0.1", node.syslog)).unwrap();
    syslog.write_all(b"<13>Oct 11 22:14:15 web01 app: one line\n").unwrap();
    push(node.ingest, &parent_header("00"), "a line of a trace that is not kept\n");
    wait_until(SOON, "the line is received", || {
        collector.spans().iter().any(|span| span.attribute("c0di3.source") == "syslog+tcp")
    });
    let (_, head, metrics) =
        send(node.health, "GET", "/metrics", &[("Accept", "application/openmetrics-text;version=1.0.0")], b"").unwrap();
    assert_eq!(node.stop("serve"), Some(0));

    let spans = collector.spans();
    let request = only(&spans, "POST /ingest");
    assert_eq!((request.parent.as_str(), request.attribute("http.response.status_code")), (CALLER, "200"));
    let receive = only(&spans, "receive");
    assert_eq!((&receive.parent, receive.attribute("c0di3.events")), (&request.id, "12"));
    let commits: Vec<_> = spans.iter().filter(|span| span.name == "commit" && span.parent == receive.id).collect();
    assert_eq!(commits.len(), 1, "{spans:#?}");
    let commit = commits[0];
    assert_ne!(commit.attribute("c0di3.findings"), "0");
    let stored: Vec<_> = spans.iter().filter(|span| span.name == "store" && span.parent == commit.id).collect();
    assert_eq!(stored.len(), 1);
    let delivered = spans.iter().filter(|span| span.name == "deliver" && span.attribute("c0di3.endpoint") == "desk");
    let delivered: Vec<_> = delivered.collect();
    assert!(delivered.iter().any(|span| span.parent == commit.id && span.trace == TRACE), "{delivered:#?}");
    for sent in told(&desk) {
        assert!(delivered.iter().any(|span| sent == format!("00-{}-{}-01", span.trace, span.id)), "{sent}");
    }
    let summaries: Vec<_> = spans.iter().filter(|span| span.name == "summarise").collect();
    assert!(summaries.iter().all(|span| span.is_failed), "an empty answer is no summary");
    for sent in told(&model) {
        assert!(summaries.iter().any(|span| sent == format!("00-{}-{}-01", span.trace, span.id)), "{sent}");
    }
    let process = |name: &str| request.resource.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
    assert_eq!((process("service.name"), process("deployment.environment.name")), ("c0di3", "test"));
    assert!(!spans.iter().any(|span| ["/health", "/live", "/metrics"].iter().any(|path| span.name.ends_with(path))));

    assert!(head.to_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    let exemplars: Vec<_> = metrics.lines().filter(|line| line.contains(" # {trace_id=\"")).collect();
    assert!(exemplars.iter().any(|line| {
        line.starts_with("http_server_request_duration_seconds_bucket{")
            && line.contains("/ingest")
            && line.contains(TRACE)
    }));
    assert!(exemplars.iter().any(|line| line.starts_with("commit_duration_seconds_bucket{")), "{exemplars:#?}");
    assert!(metrics.ends_with("# EOF\n") && metrics.contains("# TYPE ingest_events counter\n"), "{metrics}");
}

#[test]
fn several_pushes_of_one_commit_are_named_by_it() {
    let sandbox = Sandbox::new();
    let collector = Collector::start();
    let mut node = Node::new();
    let settings = [
        ("store.url", format!("sqlite:{}", sandbox.path("a.db").display())),
        ("traces.endpoint", format!("http://127.0.0.1:{}", collector.port)),
        // Time for several.
        ("analyzer.checkpoint_interval_ms", "3000".to_owned()),
    ];
    node.start(&sandbox, "serve", &settings);
    for number in 0..3 {
        push(node.ingest, &parent_header("01"), &format!("line {number}\n"));
    }
    let received = |spans: &[Seen]| -> Vec<String> {
        spans.iter().filter(|span| span.name == "receive").map(|span| span.id.clone()).collect()
    };
    let named = |spans: &[Seen]| -> Vec<String> {
        let commits = spans.iter().filter(|span| span.name == "commit");
        commits.flat_map(|span| std::iter::once(span.parent.clone()).chain(span.links.clone())).collect()
    };
    wait_until(SOON, "every push is named", || {
        let spans = collector.spans();
        let (received, named) = (received(&spans), named(&spans));
        received.len() == 3 && received.iter().all(|id| named.iter().filter(|one| *one == id).count() == 1)
    });
    assert_eq!(node.stop("serve"), Some(0));
}

#[test]
fn the_service_goes_on_without_a_collector() {
    // One port that nobody listens on, and one where connections are taken and nothing is answered.
    let still = TcpListener::bind("127.0.0.1:0").unwrap();
    let still_port = still.local_addr().unwrap().port();
    for (port, queue, reason) in [(free_port(), "8192", "receiver"), (still_port, "4", "queue")] {
        let sandbox = Sandbox::new();
        sandbox.write("c0di3.toml", "[notify]\nage = \"3650d\"\n");
        let mut node = Node::new();
        let settings = [
            ("store.url", format!("sqlite:{}", sandbox.path("a.db").display())),
            ("traces.endpoint", format!("http://127.0.0.1:{port}")),
            ("traces.queue", queue.to_owned()),
        ];
        node.start(&sandbox, "serve", &settings);
        let started = Instant::now();
        for second in 0..20 {
            push(node.ingest, &parent_header("01"), &failures(&format!("203.0.113.{second}"), 36_000, 12));
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}: nobody waits for a collector", started.elapsed());
        wait_until(SOON, "findings", || {
            node.json("/api/v1/findings?limit=100")["data"].as_array().is_some_and(|found| found.len() >= 20)
        });
        wait_until(SOON, "what is dropped is counted", || {
            let (_, text) = get(node.health, "/metrics").unwrap();
            text.lines().any(|line| {
                line.starts_with(&format!("trace_spans_dropped_total{{reason=\"{reason}\"}} ")) && !line.ends_with(" 0")
            })
        });
        let stopped = Instant::now();
        assert_eq!(node.stop("serve"), Some(0));
        assert!(stopped.elapsed() < Duration::from_secs(15), "{:?}", stopped.elapsed());
    }
}
