//! What systemd-journal-upload sends to (systemd.io/JOURNAL_EXPORT_FORMATS). One request may hold the whole journal: entries are taken
//! as they come, and an upload that breaks off is repeated by the client from its last acknowledged entry.

use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use ingest::push::Journal;
use serde_json::json;

use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::problem::Problem;
use crate::push_paths::JOURNAL as JOURNAL_PATH;

pub(super) static JOURNAL: Shipper = Shipper {
    name: "journal",
    pushes: &[Push { methods: &[Method::POST], path: JOURNAL_PATH, open }],
    asks: &[],
    taken: |_, _| protocol::text(StatusCode::ACCEPTED, "text/plain", "OK.\n"),
    refused: |_, problem| protocol::json(problem.status(), &json!({"error": problem.detail()})),
    // Newer clients compress what the server says that it takes.
    dress: |response: &mut Response| {
        response.headers_mut().insert("accept-encoding", HeaderValue::from_static("zstd, gzip"));
    },
};

fn open(head: &Head) -> Result<Opened, Problem> {
    if head.media() != "application/vnd.fdo.journal" {
        return Err(Problem::unsupported_media("the content type is not application/vnd.fdo.journal"));
    }
    Ok(Opened { is_stream: true, ..Opened::payload(|| Journal) })
}
