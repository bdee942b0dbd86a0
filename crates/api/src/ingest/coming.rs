//! A body as it comes: in memory, or in a file beside the spool. Looks at nothing in it.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt;
use ingest::spool::Staging;
use tokio::sync::OwnedSemaphorePermit;

use super::memory::{HELD_BYTES_MAX, IngestState, STEP_BYTES, steps};
use super::refusals::{refusal, too_large};
use crate::problem::Problem;

/// A body that has come: in memory, or in a file beside the spool.
pub(super) struct Coming {
    pub(super) bytes: Vec<u8>,
    pub(super) staging: Option<Staging>,
    _room: Vec<OwnedSemaphorePermit>,
}

impl Coming {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.staging.as_ref().map_or(0, Staging::len)
    }
}

/// The whole body. Memory is taken as it comes, so that slow senders hold little of it; one that stops sending ends the body
/// ([`crate::guard`]).
pub(super) async fn read_body(state: &IngestState, mut body: Body) -> Result<Coming, Problem> {
    let mut coming = Coming { bytes: Vec::new(), staging: None, _room: Vec::new() };
    let mut held = 0;
    loop {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| Problem::damaged(format!("the body ended early: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if coming.length() + data.len() as u64 > state.body_bytes_max {
            return Err(too_large(state.body_bytes_max));
        }
        coming.bytes.extend_from_slice(&data);
        if coming.bytes.len() <= held {
            continue;
        }
        let more = steps(coming.bytes.len() - held);
        let fits = held + more as usize * STEP_BYTES <= HELD_BYTES_MAX;
        match Arc::clone(&state.coming).try_acquire_many_owned(more) {
            Ok(room) if fits => {
                coming._room.push(room);
                held += more as usize * STEP_BYTES;
            }
            _ => coming = put_aside(state, coming).await?,
        }
    }
    if coming.staging.is_some() && !coming.bytes.is_empty() {
        coming = put_aside(state, coming).await?;
    }
    Ok(coming)
}

/// What is in memory goes to the file.
async fn put_aside(state: &IngestState, mut coming: Coming) -> Result<Coming, Problem> {
    let spool = state.spool.clone();
    let put = tokio::task::spawn_blocking(move || {
        if coming.staging.is_none() {
            let failed = |error| {
                tracing::error!(%error, "cannot make a file beside the spool");
                Problem::busy("the disk of the spool takes nothing: send it again after a pause")
            };
            coming.staging = Some(spool.staging().map_err(failed)?);
        }
        if let Some(staging) = &mut coming.staging {
            staging.write(&coming.bytes).map_err(|refused| refusal(&refused))?;
        }
        coming.bytes.clear();
        Ok(coming)
    });
    put.await.map_err(|_| Problem::busy("the body could not be kept"))?
}
