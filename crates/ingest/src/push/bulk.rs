//! Elasticsearch's and OpenSearch's bulk requests: pairs of lines, what to do and a document. Each document is an event as it came;
//! names of indices and documents are for the answer alone.

use std::io::{self, BufRead};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sink::{Action, BulkItem, Lines, Payload, PayloadError};
use crate::spool::ENTRY_BYTES_MAX;

/// Actions of one request: each has an item of the answer.
pub const BULK_ITEMS_MAX: usize = 100_000;
/// Longest piece of a line that is held, in bytes: a line that is longer comes in several.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX - 1;
/// Longest name of an index or a document that comes back in the answer, in bytes, as Elasticsearch has it.
const NAME_BYTES_MAX: usize = 512;

/// Bodies of `/_bulk`; the index of the path is the one of actions that name none.
#[derive(Debug)]
pub struct Bulk {
    default_index: Arc<str>,
    /// The last index that was named: mostly that of the next action, too.
    last_index: Arc<str>,
}

impl Bulk {
    /// `index`: the one of the path, or empty.
    pub fn new(index: &str) -> Self {
        let index: Arc<str> = if index.is_empty() { "logs".into() } else { short(index).into() };
        Bulk { default_index: Arc::clone(&index), last_index: index }
    }

    /// `None`: the line is no action.
    fn action(&mut self, line: &[u8]) -> Option<BulkItem> {
        let text = std::str::from_utf8(line).ok()?;
        let named: Named<'_> = serde_json::from_str(text).ok()?;
        let (action, target) = named.only()?;
        let index = match target.index {
            None => Arc::clone(&self.default_index),
            Some(name) if *name == *self.last_index => Arc::clone(&self.last_index),
            Some(name) => {
                self.last_index = short(&name).into();
                Arc::clone(&self.last_index)
            }
        };
        let id = target.id.and_then(|id| id_text(id.get()));
        Some(BulkItem { action, index, id, is_kept: action != Action::Delete })
    }
}

/// `{"index":{"_index":"logs"}}`, and nothing else in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<'a> {
    #[serde(borrow)]
    index: Option<Target<'a>>,
    #[serde(borrow)]
    create: Option<Target<'a>>,
    #[serde(borrow)]
    update: Option<Target<'a>>,
    #[serde(borrow)]
    delete: Option<Target<'a>>,
}

impl<'a> Named<'a> {
    fn only(self) -> Option<(Action, Target<'a>)> {
        let all = [
            (Action::Index, self.index),
            (Action::Create, self.create),
            (Action::Update, self.update),
            (Action::Delete, self.delete),
        ];
        let mut named = all.into_iter().filter_map(|(action, target)| Some((action, target?)));
        named.next().filter(|_| named.next().is_none())
    }
}

#[derive(Default, Deserialize)]
struct Target<'a> {
    #[serde(borrow, rename = "_index")]
    index: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "_id")]
    id: Option<&'a RawValue>,
}

/// A name may be a number.
fn id_text(raw: &str) -> Option<Box<str>> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw).ok().map(|id| short(&id).into()),
        b'0'..=b'9' | b'-' => Some(short(raw).into()),
        _ => None,
    }
}

fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

impl Payload for Bulk {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let mut line = Vec::new();
        let mut is_first = true;
        while next_line(body, &mut line)? {
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if lines.report.items.len() >= BULK_ITEMS_MAX {
                return Err(PayloadError::TooMuch { what: "actions", limit: BULK_ITEMS_MAX as u64 });
            }
            let Some(item) = self.action(text) else {
                if is_first {
                    let told = "Malformed action/metadata line [1], expected one of [create, delete, index, update]";
                    return Err(PayloadError::Format(told.to_owned()));
                }
                // Its sender counts it as an action.
                lines.poison(text, "no_action")?;
                let index = Arc::clone(&self.default_index);
                lines.report.items.push(BulkItem { action: Action::Index, index, id: None, is_kept: true });
                continue;
            };
            is_first = false;
            let action = item.action;
            lines.report.items.push(item);
            if action != Action::Delete && !put_document(body, &mut line, action, lines)? {
                lines.rejected("no_document");
                lines.report.items.last_mut().into_iter().for_each(|item| item.is_kept = false);
            }
        }
        if is_first { Err(PayloadError::Empty) } else { Ok(()) }
    }
}

/// False where the body ends, or an empty line stands in the document's place.
fn put_document(body: &mut dyn BufRead, line: &mut Vec<u8>, action: Action, lines: &mut Lines<'_>) -> io::Result<bool> {
    if !next_line(body, line)? {
        return Ok(false);
    }
    let document = line.trim_ascii();
    if document.is_empty() {
        return Ok(false);
    }
    if action == Action::Update
        && let Some(inner) = updated(document)
    {
        lines.json(inner.get().as_bytes())?;
    } else if document.starts_with(b"{") && document.ends_with(b"}") {
        lines.json(document)?;
    } else {
        lines.poison(document, "no_object")?;
    }
    // A line that is longer than a line may be: its other pieces are kept, too.
    while line.len() >= LINE_BYTES_MAX && line.last() != Some(&b'\n') && next_line(body, line)? {
        lines.poison(line, "long_document")?;
    }
    Ok(true)
}

/// `{"doc":{…},"doc_as_upsert":true}`
fn updated(document: &[u8]) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Update {
        doc: Box<RawValue>,
    }
    let update: Update = serde_json::from_slice(document).ok()?;
    update.doc.get().starts_with('{').then_some(update.doc)
}

/// The next line with its line feed, or a piece of one that is longer than a line may be. False at the end.
pub(super) fn next_line(body: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let bytes = body.fill_buf()?;
        let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
        let room = LINE_BYTES_MAX - line.len();
        let used = end.unwrap_or(bytes.len()).min(room);
        let is_done = bytes.is_empty() || end.is_some() || used == room;
        line.extend_from_slice(&bytes[..used]);
        body.consume(used);
        if is_done {
            return Ok(!line.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::sink::Report;

    fn read(body: &str) -> Result<(String, Report), PayloadError> {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new("test", &mut take);
        Bulk::new("path").read(&mut body.as_bytes(), &mut lines)?;
        let report = lines.finish()?;
        Ok((String::from_utf8(out).unwrap(), report))
    }

    fn items(report: &Report) -> Vec<(&str, &str, Option<&str>, bool)> {
        report.items.iter().map(|item| (item.action.name(), &*item.index, item.id.as_deref(), item.is_kept)).collect()
    }

    #[test]
    fn each_action_is_an_item_in_its_order() {
        let (lines, report) = read(
            "{\"index\":{\"_index\":\"a\",\"_id\":7}}\n{\"m\":1}\n\n{\"create\": {}}\r\n{\"m\":2}\r\n{\"delete\":{\"_id\":\"x\"}}\n\
             {\"update\":{\"_id\":\"y\"}}\n{\"doc\":{\"m\":3},\"doc_as_upsert\":true}\n{\"create\":{\"_index\":\"b\",\"pipeline\":\"p\"}}\n{\"m\":4}",
        )
        .unwrap();
        assert_eq!(lines, "{\"m\":1}\n{\"m\":2}\n{\"m\":3}\n{\"m\":4}\n");
        assert_eq!(
            items(&report),
            [
                ("index", "a", Some("7"), true),
                ("create", "path", None, true),
                ("delete", "path", Some("x"), false),
                ("update", "path", Some("y"), true),
                ("create", "b", None, true),
            ]
        );
    }

    #[test]
    fn poison_is_kept_and_costs_nothing_else() {
        let (lines, report) =
            read("{\"create\":{}}\n{broken\n{\"m\":1}\n{\"create\":{}}\n{\"m\":2}\n{\"index\":{}}\n").unwrap();
        assert_eq!(lines, "{broken\n{\"m\":1}\n{\"m\":2}\n");
        assert_eq!(report.poison, [("no_object", 1), ("no_action", 1)]);
        assert_eq!(report.rejected, [("no_document", 1)]);
        let kept: Vec<bool> = report.items.iter().map(|item| item.is_kept).collect();
        assert_eq!(kept, [true, true, true, false]);
        assert!(matches!(read("GET / HTTP/1.1\n"), Err(PayloadError::Format(_))));
        assert!(matches!(read("\n\n"), Err(PayloadError::Empty)));
    }

    #[test]
    fn actions_are_bounded_and_long_documents_kept_whole() {
        let many = "{\"delete\":{}}\n".repeat(BULK_ITEMS_MAX + 1);
        assert!(matches!(read(&many), Err(PayloadError::TooMuch { .. })));
        let long = format!("{{\"m\":\"{}\"}}", "z".repeat(3 << 20));
        let (lines, report) =
            read(&format!("{{\"create\":{{}}}}\n{long}\n{{\"create\":{{}}}}\n{{\"m\":1}}\n")).unwrap();
        assert_eq!(lines.replace('\n', ""), format!("{long}{{\"m\":1}}"));
        assert_eq!(report.items.len(), 2);
    }
}
