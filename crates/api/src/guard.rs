//! What every request and answer goes through: a body must keep coming, an answer must come in time, parameters that nobody
//! reads are refused, and an error is a problem whoever found it.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::problem::{PartProblem, Problem};

/// Longest that a request may take.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Longest that a body may take which may have no end.
const STREAM_MAX: Duration = Duration::from_secs(3600);
/// Longest silence within a body that is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Longest text of an error that was found by others, in bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// Set where the body let its reader wait too long; and while it is being waited for.
#[derive(Debug, Default)]
struct Flow {
    stalled: AtomicBool,
    awaited: AtomicBool,
}

/// A body that must keep coming.
struct Watched {
    inner: Body,
    silence: Option<Pin<Box<Sleep>>>,
    flow: Arc<Flow>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.silence = None;
            self.flow.awaited.store(false, Ordering::Relaxed);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.flow.awaited.store(true, Ordering::Relaxed);
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(SILENCE_MAX)));
        if silence.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.flow.stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err("the body stopped coming".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Answers in time, and in one form.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let flow = Arc::new(Flow::default());
    let watch = |inner: Body| {
        if inner.is_end_stream() {
            return inner;
        }
        Body::new(Watched { inner, silence: None, flow: Arc::clone(&flow) })
    };
    let longest = if request.uri().path() == crate::push_paths::JOURNAL { STREAM_MAX } else { REQUEST_MAX };
    let answer = tokio::time::timeout(longest, next.run(request.map(watch))).await;
    let is_awaited = flow.awaited.load(Ordering::Relaxed);
    match answer {
        _ if flow.stalled.load(Ordering::Relaxed) => Problem::stalled(SILENCE_MAX.as_secs()).into_response(),
        Ok(answer) => as_problem(answer).await,
        Err(_) if is_awaited => Problem::slow(longest.as_secs()).into_response(),
        Err(_) => Problem::busy(format!("the answer took longer than {} s", longest.as_secs())).into_response(),
    }
}

/// An error of the framework is a problem as well.
async fn as_problem(answer: Response) -> Response {
    let kind = answer.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_ours = kind.starts_with(b"application/problem+json") || kind.starts_with(b"application/health+json");
    let status = answer.status();
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let text = axum::body::to_bytes(answer.into_body(), TEXT_BYTES_MAX).await.unwrap_or_default();
    Problem::found_by_others(status, &String::from_utf8_lossy(&text)).into_response()
}

/// Method and route of what takes no parameters.
pub(crate) type Parameterless = Arc<BTreeSet<(String, String)>>;

/// A parameter that nobody reads was meant to do something: it is refused, as in lists.
pub(crate) async fn refuse_unread(State(routes): State<Parameterless>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or("");
    let route = request.extensions().get::<MatchedPath>().map_or("", |route| route.as_str());
    if query.is_empty() || !routes.contains(&(request.method().as_str().to_lowercase(), route.to_owned())) {
        return next.run(request).await;
    }
    let names = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or(pair));
    let part = |name: &str| PartProblem {
        pointer: name.chars().take(64).collect(),
        detail: "unknown parameter; this path takes none".to_owned(),
    };
    let parts: Vec<PartProblem> = names.map(part).take(16).collect();
    if parts.is_empty() { next.run(request).await } else { Problem::bad_request(parts).into_response() }
}
