//! What is recorded of every request: an id that comes back in the answer, a line in the access log, its duration, its span in the
//! trace of whoever asked, and an audit entry where something was changed and whoever changed it wrote none, or where somebody
//! was refused.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Extension, Router};
use event::Timestamp;
use spans::{Kind, Span, TracePoint};

use crate::access::{Ending, Line, TrustedProxies};
use crate::asked::{Asked, CLIENT_GONE};
use crate::audit::AuditLog;
use crate::exemplars;
use crate::ingest::Peer;

/// Longest request id that is taken over from a caller.
const REQUEST_ID_BYTES_MAX: usize = 128;
const REQUEST_ID: &str = "x-request-id";
/// Routes that are asked all the time and tell nothing: they have no spans.
const WATCHED: [&str; 4] = ["/health", "/ready", "/live", "/metrics"];
/// Ids of requests that bring none: unique within the process.
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// What the ports of one process have in common.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where changes and refused logins are recorded.
    pub audit: AuditLog,
    /// Proxies that may say for whom they forward a request.
    pub trusted_proxies: TrustedProxies,
    /// Time of requests.
    pub clock: fn() -> Timestamp,
}

/// The router of a port, with what it needs to tell who asked.
pub fn surrounded(router: Router, surroundings: Surroundings) -> Router {
    router.layer(Extension(surroundings))
}

/// Tells of the request, also where it is given up before it is answered.
struct Teller {
    asked: Asked,
    surroundings: Option<Surroundings>,
    started: Instant,
    is_told: bool,
    span: Span,
}

impl Teller {
    fn tell(&mut self, status: u16, bytes: Option<u64>) {
        self.is_told = true;
        let about = self.asked.about();
        let seconds = self.started.elapsed().as_secs_f64();
        let labels = [
            ("http_request_method", method_label(&about.method).to_owned()),
            ("http_route", about.route.clone().unwrap_or_else(|| "unmatched".to_owned())),
            ("http_response_status_code", status.to_string()),
        ];
        metrics::histogram!("http_server_request_duration_seconds", &labels).record(seconds);
        let place = self.span.place();
        exemplars::remember("http_server_request_duration_seconds", &labels, seconds, place.as_ref());
        self.span.note("http.response.status_code", i64::from(status));
        if status >= 500 {
            self.span.fail("server_error");
        }
        let trace_id = place.as_ref().map(TracePoint::trace_id);
        let user = about.actor.get().map(|actor| actor.name.as_str());
        let request_id = about.request_id.as_str();
        let line = about.line.write(&Ending { user, status, bytes, seconds, request_id });
        let client = about.line.client().map(|address| address.to_string());
        tracing::info!(
            target: "access", client, user, method = about.method, path = about.line.path(), status, bytes, seconds,
            agent = about.line.agent(), request_id, trace_id, line, "request"
        );
        if let (Some(surroundings), 401 | 403) = (&self.surroundings, status) {
            surroundings.audit.refused(&self.asked.by(), status, about.line.path(), about.line.at);
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        self.tell(CLIENT_GONE, None);
        let Some(surroundings) = self.surroundings.clone() else { return };
        let entry = self.asked.entry(CLIENT_GONE, (surroundings.clock)());
        if let (Some(entry), Ok(runtime)) = (entry, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { surroundings.audit.record(entry).await });
        }
    }
}

/// Methods that nobody knows are one label.
fn method_label(method: &str) -> &str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    if known.contains(&method) { method } else { "_OTHER" }
}

/// The span of a request, in the trace of whoever asked.
fn span(request: &Request, route: Option<&str>) -> Span {
    if !spans::is_on() || route.is_some_and(|route| WATCHED.contains(&route)) {
        return Span::none();
    }
    let caller =
        request.headers().get(spans::TRACEPARENT).and_then(|sent| TracePoint::of_traceparent(sent.to_str().ok()?));
    let method = method_label(request.method().as_str()).to_owned();
    let name = route.map_or_else(|| method.clone(), |route| format!("{method} {route}"));
    let mut span = Span::start(name, Kind::Server, caller.as_ref());
    span.note("http.request.method", method);
    if let Some(route) = route {
        span.note("http.route", route.to_owned());
    }
    span
}

pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let surroundings = request.extensions().get::<Surroundings>().cloned();
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.to_canonical());
    let forwarded = surroundings.as_ref().zip(peer);
    let forwarded = forwarded.and_then(|(with, peer)| with.trusted_proxies.forwarded(peer, request.headers()));
    let at = surroundings.as_ref().map_or(Timestamp(0), |surroundings| (surroundings.clock)());
    let id = request_id(&request);
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = span(&request, route.as_deref());
    let place = span.place();
    let line = Line::of(&request, at, peer, forwarded);
    let asked = Asked::new(line, request.method().to_string(), route, id.to_str().unwrap_or("").to_owned());
    request.extensions_mut().insert(asked.clone());
    let mut teller = Teller { asked, surroundings, started: Instant::now(), is_told: false, span };
    let mut response = match &place {
        Some(place) => spans::within(place, next.run(request)).await,
        None => next.run(request).await,
    };
    let status = response.status();
    if let Some(with) = &teller.surroundings
        && let Some(entry) = teller.asked.entry(status.as_u16(), (with.clock)())
    {
        with.audit.record(entry).await;
    }
    let is_bare = status == StatusCode::NO_CONTENT || teller.asked.about().method == "HEAD";
    let bytes = if is_bare { Some(0) } else { response.body().size_hint().exact() };
    teller.tell(status.as_u16(), bytes);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|id| {
        let visible = id.as_bytes().iter().all(u8::is_ascii_graphic);
        visible && !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX
    });
    given.cloned().unwrap_or_else(|| {
        let text = format!("req-{:x}-{:x}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("req"))
    })
}
