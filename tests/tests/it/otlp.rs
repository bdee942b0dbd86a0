//! An OTLP receiver of traces: keeps what it is sent, as bytes and as spans.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message;

/// A span as a test looks at it; ids as hexadecimal digits.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty where it begins the trace.
    pub(crate) parent: String,
    pub(crate) links: Vec<String>,
    pub(crate) is_failed: bool,
    pub(crate) attributes: Vec<(String, String)>,
    /// Attributes of the process.
    pub(crate) resource: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Head and body of each request.
type Requests = Vec<(String, Vec<u8>)>;

#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) port: u16,
    requests: Arc<Mutex<Requests>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = Collector { port, requests: Arc::default() };
        let kept = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || kept.serve(stream));
            }
        });
        collector
    }

    /// Requests of one connection, until it ends.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut bytes = Vec::new();
        let mut part = [0; 8192];
        loop {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
                if bytes.len() >= end + 4 + length {
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    let body = bytes[end + 4..end + 4 + length].to_vec();
                    bytes.drain(..end + 4 + length);
                    self.requests.lock().unwrap().push((head, body));
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                    continue;
                }
            }
            match stream.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&part[..read]),
            }
        }
    }

    /// Bodies as text: strings of protobuf stand in them as they are.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// What was sent as Authorization.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(head, _)| header(head, "authorization").unwrap_or_default()).collect()
    }

    /// All spans so far. Fails where something else was sent than spans in protobuf to the path of traces.
    pub(crate) fn spans(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for (head, body) in self.requests.lock().unwrap().iter() {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert_eq!(header(head, "content-type").as_deref(), Some("application/x-protobuf"));
            for of_process in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
                let resource = texts_of(&of_process.resource.unwrap_or_default().attributes);
                let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
                seen.extend(spans.map(|span| one(&span, &resource)));
            }
        }
        seen
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn one(span: &Span, resource: &[(String, String)]) -> Seen {
    Seen {
        name: span.name.clone(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
        is_failed: span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error),
        attributes: texts_of(&span.attributes),
        resource: resource.to_vec(),
    }
}

fn texts_of(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}
