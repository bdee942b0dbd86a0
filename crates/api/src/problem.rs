//! Errors as RFC 9457 problem details: what went wrong, where, and a stable code. Internals are logged, never sent.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// A problem with one part of the request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PartProblem {
    /// The query parameter or the JSON pointer.
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

/// The stable word of the problem that an answer holds, for layers around the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

impl Code {
    pub(crate) const STORE_UNAVAILABLE: Code = Code("store_unavailable");
}

/// RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable URI of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Stable word for programs.
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PartProblem>,
}

impl Problem {
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let kind = format!("urn:c0di3:problem:{code}");
        Problem { kind, title, status: status.as_u16(), detail: detail.into(), code, errors: Vec::new() }
    }

    pub(crate) fn bad_request(errors: Vec<PartProblem>) -> Self {
        let detail = errors.first().map_or_else(String::new, |first| format!("{}: {}", first.pointer, first.detail));
        let problem = Self::new(StatusCode::BAD_REQUEST, "bad_request", "the request cannot be understood", detail);
        Problem { errors, ..problem }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "not found", detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "not allowed", detail)
    }

    pub(crate) fn version_needed() -> Self {
        let detail = "send the incident's ETag as If-Match, so that nobody's change is lost";
        Self::new(StatusCode::PRECONDITION_REQUIRED, "version_needed", "If-Match is missing", detail)
    }

    pub(crate) fn stale(current: u64) -> Self {
        let detail = format!("somebody changed it meanwhile: read it again; its ETag is now \"{current}\"");
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "the incident has changed", detail)
    }

    pub(crate) fn illegal(errors: Vec<PartProblem>) -> Self {
        let problem = Self::bad_request(errors);
        Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            kind: "urn:c0di3:problem:illegal_change".to_owned(),
            code: "illegal_change",
            title: "the workflow does not allow the change",
            ..problem
        }
    }

    pub(crate) fn rules_refused(errors: Vec<PartProblem>) -> Self {
        let problem = Self::bad_request(errors);
        Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            kind: "urn:c0di3:problem:rules_refused".to_owned(),
            code: "rules_refused",
            title: "the rule files have problems; the old rules run on",
            ..problem
        }
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large", detail)
    }

    pub(crate) fn unsupported_encoding(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", "the encoding is not known", detail)
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "damaged_body", "the body cannot be read", detail)
    }

    /// A body that holds nothing of what its protocol knows.
    pub(crate) fn unusable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "the body holds nothing that can be used", detail)
    }

    pub(crate) fn unsupported_media(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", "the media type is not known", detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The sender stopped sending: that passes, so it is no 400, which shippers do not repeat.
    pub(crate) fn stalled(seconds: u64) -> Self {
        let detail = format!("nothing came for {seconds} s: send it again");
        Self::new(StatusCode::REQUEST_TIMEOUT, "stalled", "the body stopped coming", detail)
    }

    /// It kept coming, but not in time.
    pub(crate) fn slow(seconds: u64) -> Self {
        let detail = format!("the body did not come within {seconds} s: send it again, in smaller parts");
        Self::new(StatusCode::REQUEST_TIMEOUT, "stalled", "the body came too slowly", detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "not as things are", detail)
    }

    /// What the framework refused, in its words; what went wrong in it is no matter of the client.
    pub(crate) fn found_by_others(status: StatusCode, text: &str) -> Self {
        let code = match status {
            StatusCode::BAD_REQUEST => "bad_request",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported",
            status if status.is_server_error() => "failed",
            _ => "refused",
        };
        let words = status.canonical_reason().unwrap_or("refused");
        let is_told = status.is_client_error() && !text.trim().is_empty();
        Self::new(status, code, words, if is_told { text.trim() } else { words })
    }

    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "try again shortly", detail)
    }

    /// The store is known not to answer: nobody was asked.
    pub(crate) fn store_away(away: std::time::Duration) -> Self {
        let detail = format!("it has not answered for {} s: try again shortly", away.as_secs());
        let code = Code::STORE_UNAVAILABLE.0;
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "the store does not answer", detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "this path does not take this method; /openapi.json lists what it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "method not allowed", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "store request failed");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::STORE_UNAVAILABLE.0,
            "the store does not answer",
            "try again shortly",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        response.extensions_mut().insert(Code(self.code));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer realm=\"c0di3\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("2"));
        }
        // For layers that say it in the words of another protocol.
        response.extensions_mut().insert(self);
        response
    }
}
