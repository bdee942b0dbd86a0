//! What a protocol of shippers is to the port: paths, how bodies are read, and what is answered in its own words.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use event::Timestamp;
use ingest::push::{Payload, Report};
use serde_json::Value;

use crate::access::percent_decoded;
use crate::ingest::{IngestState, Reading};
use crate::observe::Surroundings;
use crate::problem::Problem;

/// The answer is that the connection ends without one: the only "later" that some clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HangUp;

/// What answers need of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) started: Instant,
    /// Time of reception.
    pub(crate) at: Timestamp,
}

impl Head {
    pub(crate) fn of(request: &Request) -> Self {
        let uri = request.uri();
        Head {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or("").to_owned(),
            headers: request.headers().clone(),
            started: Instant::now(),
            at: request.extensions().get::<Surroundings>().map_or(Timestamp(0), |with| (with.clock)()),
        }
    }

    /// Empty where there is none, or it is no text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub(crate) fn agent(&self) -> &str {
        self.header(USER_AGENT.as_str())
    }

    /// Media type without parameters, in lower case.
    pub(crate) fn media(&self) -> String {
        let kind = self.header(CONTENT_TYPE.as_str());
        kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// The value of a parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decoded(&value.replace('+', " "))).next()
    }
}

/// How the body of a push is read.
pub(crate) struct Opened {
    pub(crate) reading: Reading,
    /// In place of the content encoding that the request names.
    pub(crate) encoding: Option<&'static str>,
    /// The body may have no end: events are taken as they come.
    pub(crate) is_stream: bool,
}

impl Opened {
    pub(crate) fn payload<P: Payload + 'static>(open: impl Fn() -> P + Send + Sync + 'static) -> Self {
        let open = Arc::new(move || Box::new(open()) as Box<dyn Payload>);
        Opened { reading: Reading::Payload { open, is_whole: false }, encoding: None, is_stream: false }
    }

    /// A payload that is held whole to be read.
    pub(crate) fn whole<P: Payload + 'static>(open: impl Fn() -> P + Send + Sync + 'static) -> Self {
        let mut opened = Self::payload(open);
        if let Reading::Payload { is_whole, .. } = &mut opened.reading {
            *is_whole = true;
        }
        opened
    }
}

/// A path that takes events.
pub(crate) struct Push {
    pub(crate) methods: &'static [Method],
    pub(crate) path: &'static str,
    pub(crate) open: fn(&Head) -> Result<Opened, Problem>,
}

/// A path that clients ask around a push. The body is small.
pub(crate) struct Ask {
    pub(crate) methods: &'static [Method],
    pub(crate) path: &'static str,
    pub(crate) answer: fn(&Head, &[u8], &IngestState) -> Result<Response, Problem>,
}

/// One protocol.
pub(crate) struct Shipper {
    /// As its paths have it ([`crate::push_paths`]).
    pub(crate) name: &'static str,
    pub(crate) pushes: &'static [Push],
    pub(crate) asks: &'static [Ask],
    /// All of a body is on disk.
    pub(crate) taken: fn(&Head, &Report) -> Response,
    pub(crate) refused: fn(&Head, &Problem) -> Response,
    /// What every answer has.
    pub(crate) dress: fn(&mut Response),
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    text(status, "application/json", body.to_string())
}

pub(crate) fn text(status: StatusCode, kind: &'static str, body: impl Into<axum::body::Body>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], body.into()).into_response()
}

/// Nothing is added to answers.
pub(crate) fn plain(_: &mut Response) {}
