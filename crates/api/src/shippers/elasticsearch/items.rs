//! The answer to a bulk request: one item for each action, in its order. The keys stand as Fluent Bit looks for them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use ingest::push::{Action, BulkItem, Report};

use super::super::protocol::Head;

/// Documents that were given a name.
static NAMED: AtomicU64 = AtomicU64::new(0);

/// Which parts of the answer the client wants (`filter_path`).
struct WantedParts {
    took: bool,
    errors: bool,
    items: ItemParts,
}

/// How much of each item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemParts {
    Nothing,
    Outcome,
    All,
}

impl WantedParts {
    /// Without the parameter all is wanted. A path that is not known here asks for nothing of ours.
    fn of(head: &Head) -> Self {
        let Some(paths) = head.parameter("filter_path").filter(|paths| !paths.is_empty()) else {
            return WantedParts { took: true, errors: true, items: ItemParts::All };
        };
        let mut wanted = WantedParts { took: false, errors: false, items: ItemParts::Nothing };
        for path in paths.split(',') {
            match path {
                "took" => wanted.took = true,
                "errors" => wanted.errors = true,
                "items.*.error" | "items.*.status" | "items.*.error.type" | "items.*.error.reason"
                    if wanted.items != ItemParts::Nothing => {}
                "items.*.error" | "items.*.status" | "items.*.error.type" | "items.*.error.reason" => {
                    wanted.items = ItemParts::Outcome;
                }
                "*" | "**" => wanted = WantedParts { took: true, errors: true, items: ItemParts::All },
                path if path.starts_with("items") => wanted.items = ItemParts::All,
                _ => {}
            }
        }
        wanted
    }
}

/// The status of an item: what cannot be removed was not there.
fn status(item: &BulkItem) -> u16 {
    match item.action {
        Action::Delete => 404,
        _ if !item.is_kept => 400,
        Action::Update => 200,
        Action::Index | Action::Create => 201,
    }
}

pub(super) fn answer(head: &Head, report: &Report) -> String {
    let wanted = WantedParts::of(head);
    // Nothing that is to be removed is an error, as in the original.
    let has_errors = report.items.iter().any(|item| status(item) == 400);
    let mut parts = Vec::new();
    if wanted.took {
        parts.push(format!("\"took\":{}", head.started.elapsed().as_millis()));
    }
    if wanted.errors {
        parts.push(format!("\"errors\":{has_errors}"));
    }
    if wanted.items != ItemParts::Nothing {
        let mut items = String::from("\"items\":[");
        for (at, item) in report.items.iter().enumerate() {
            if at > 0 {
                items.push(',');
            }
            put_item(item, wanted.items, &mut items);
        }
        items.push(']');
        parts.push(items);
    }
    format!("{{{}}}", parts.join(","))
}

fn put_item(item: &BulkItem, parts: ItemParts, out: &mut String) {
    let status = status(item);
    out.push_str("{\"");
    out.push_str(item.action.name());
    out.push_str("\":{");
    if parts == ItemParts::All {
        out.push_str("\"_index\":");
        put_text(&item.index, out);
        out.push_str(",\"_id\":");
        match &item.id {
            Some(id) => put_text(id, out),
            None => {
                let number = NAMED.fetch_add(1, Ordering::Relaxed);
                // A text of letters and digits; writing it cannot fail.
                let _written = write!(out, "\"c0di3-{:x}-{number:x}\"", std::process::id()).is_ok();
            }
        }
        out.push_str(",\"_version\":1,\"result\":\"");
        out.push_str(match item.action {
            Action::Delete => "not_found",
            Action::Update => "updated",
            Action::Index | Action::Create => "created",
        });
        out.push_str("\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,");
    }
    if status == 400 {
        out.push_str("\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"the action has no document\"},");
    }
    let _written = write!(out, "\"status\":{status}}}}}").is_ok();
}

fn put_text(text: &str, out: &mut String) {
    // A text is always JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()));
}
