//! Cursors as opaque text: the sort key of the last row and a mark of the filter, so that a cursor is not used with
//! another filter by mistake.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use event::block::digest;
use serde::{Deserialize, Serialize};
use store::{Cursor, FindingQuery};

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    cursor: Cursor,
    filter: u32,
}

/// Mark of the filter without page position and size.
fn mark(query: &FindingQuery) -> u32 {
    let filter = FindingQuery { after: None, limit: 0, ..query.clone() };
    digest(&[format!("{filter:?}").as_bytes()]) as u32
}

pub(crate) fn write(cursor: Cursor, query: &FindingQuery) -> String {
    let written = serde_json::to_vec(&Written { cursor, filter: mark(query) }).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(written)
}

/// The cursor, or why it cannot be used with this query.
pub(crate) fn read(text: &str, query: &FindingQuery) -> Result<Cursor, &'static str> {
    let damaged = "the cursor is damaged: start again without it";
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged)?;
    let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged)?;
    if written.filter == mark(query) {
        Ok(written.cursor)
    } else {
        Err("the cursor belongs to another filter: start again without it")
    }
}
