//! What shippers push to, in the words of their protocols: one file and one row of the table for each. Every event that is
//! acknowledged is in the synced spool before its answer; refusals are told so that the client keeps its data where its protocol
//! allows (deploy/shippers/README.md). How bodies are taken stands in [`crate::ingest`].

mod datadog;
mod elasticsearch;
mod firehose;
mod gelf;
mod journal;
mod loki;
mod otlp;
mod otlp_grpc;
mod protocol;
mod splunk;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};

use crate::ingest::{IngestState, Peer, Pushed, take_pushed, take_stream};
use crate::problem::Problem;
use crate::push_paths;
use protocol::{Ask, Head, Push, Shipper};

pub use protocol::HangUp;

/// Longest body of a request that takes no events, in bytes.
const ASK_BYTES_MAX: usize = 4 << 20;

/// Every protocol; its row of [`crate::push_paths`] has the same name.
static SHIPPERS: [&Shipper; 9] = [
    &splunk::SPLUNK,
    &loki::LOKI,
    &datadog::DATADOG,
    &otlp::OTLP,
    &otlp_grpc::OTLP_GRPC,
    &gelf::GELF,
    &journal::JOURNAL,
    &firehose::FIREHOSE,
    &elasticsearch::ELASTICSEARCH,
];

/// Whose words the path is answered in.
fn owner(path: &str) -> Option<&'static Shipper> {
    let name = push_paths::owner(path)?.name;
    SHIPPERS.iter().copied().find(|shipper| shipper.name == name)
}

/// The paths of all protocols.
pub(crate) fn routes() -> Router<IngestState> {
    let mut router = Router::new();
    for shipper in SHIPPERS {
        for push in shipper.pushes {
            let handler = move |state: State<IngestState>, peer: Option<Extension<Peer>>, request: Request| {
                take(shipper, push, state, peer, request)
            };
            router = router.route(push.path, each(push.methods, &handler));
        }
        for ask in shipper.asks {
            let handler = move |state: State<IngestState>, request: Request| answer(ask, state, request);
            router = router.route(ask.path, each(ask.methods, &handler));
        }
    }
    router
}

/// The handler for each of the methods.
fn each<H, T>(methods: &[Method], handler: &H) -> MethodRouter<IngestState>
where
    H: axum::handler::Handler<T, IngestState> + Clone,
    T: 'static,
{
    let filters = methods.iter().filter_map(|method| MethodFilter::try_from(method.clone()).ok());
    filters.fold(MethodRouter::new(), |router, filter| router.merge(on(filter, handler.clone())))
}

async fn take(
    shipper: &'static Shipper,
    push: &'static Push,
    State(state): State<IngestState>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response, Problem> {
    let head = Head::of(&request);
    let opened = (push.open)(&head)?;
    let peer = peer.map(|Extension(peer)| peer);
    let mut pushed = Pushed::new(shipper.name, peer, request.headers(), opened.reading);
    if let Some(encoding) = opened.encoding {
        encoding.clone_into(&mut pushed.encoding);
    }
    let body = request.into_body();
    let report = if opened.is_stream {
        take_stream(&state, pushed, body).await?
    } else {
        take_pushed(&state, pushed, body).await?
    };
    Ok((shipper.taken)(&head, &report))
}

async fn answer(ask: &'static Ask, State(state): State<IngestState>, request: Request) -> Result<Response, Problem> {
    let head = Head::of(&request);
    let body = to_bytes(request.into_body(), ASK_BYTES_MAX).await;
    let body = body.map_err(|_| Problem::too_large(format!("such a body has at most {ASK_BYTES_MAX} bytes")))?;
    let mut response = (ask.answer)(&head, &body, &state)?;
    if head.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

/// Refusals in the words of the protocol, whoever refused.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let Some(shipper) = owner(request.uri().path()) else { return next.run(request).await };
    let head = Head::of(&request);
    let mut response = next.run(request).await;
    let refused = response.extensions().get::<Problem>().cloned();
    if let Some(problem) = refused {
        metrics::counter!("ingest_refusals_total", "source" => shipper.name, "reason" => problem.code()).increment(1);
        let retry_after = response.headers().get(RETRY_AFTER).cloned();
        response = (shipper.refused)(&head, &problem);
        let is_passing = matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        if let Some(retry_after) = retry_after.filter(|_| is_passing) {
            response.headers_mut().insert(RETRY_AFTER, retry_after);
        }
        if head.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
    }
    (shipper.dress)(&mut response);
    response
}

#[cfg(test)]
mod otlp_grpc_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wrong_input_tests;
