//! What can be read, as a list for people: every format and every program's messages, with the dataset and Sigma log source
//! that their own example gets. Reads nothing but the examples.

use event::catalog::field;
use event::{Block, Dataset, Timestamp, dataset};

use crate::{FORMATS, Options, Parser, Shapes, body};

/// One thing that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// `format`; `program` for messages of programs that come by syslog, the journal or a container's log; `shape` for events
    /// that are told by their keys.
    pub kind: &'static str,
    /// Name of the format or shape, or the program's names.
    pub name: String,
    /// `event.dataset` of its example.
    pub dataset: String,
    /// Products, categories and services of Sigma whose rules judge it.
    pub log_source: String,
    /// A line, or a message of the program without its header.
    pub example: String,
    /// Where it is described: an address without its scheme, or a standard.
    pub documentation: String,
}

/// Everything that can be read: formats, programs, shapes.
pub fn readable() -> Vec<Readable> {
    let formats = FORMATS.iter().map(|format| {
        let (dataset, log_source) = of_line(format.example);
        let (example, documentation) = (format.example.to_owned(), format.documentation.to_owned());
        Readable { kind: "format", name: format.name.to_owned(), dataset, log_source, example, documentation }
    });
    let programs = body::known().map(|(names, example, documentation)| {
        let (dataset, log_source) = of_line(&format!("<34>1 2026-03-04T10:00:01Z host {} - - - {example}", names[0]));
        let (example, documentation) = (example.to_owned(), documentation.to_owned());
        Readable { kind: "program", name: names.join(", "), dataset, log_source, example, documentation }
    });
    let shapes = Shapes::standard().about().map(|shape| {
        let (dataset, log_source) = of_line(&shape.example);
        let (example, documentation) = (shape.example.clone(), shape.documentation.clone());
        Readable { kind: "shape", name: shape.name.clone(), dataset, log_source, example, documentation }
    });
    formats.chain(programs).chain(shapes).collect()
}

/// Dataset and log source of the last line of a text that has them.
fn of_line(text: &str) -> (String, String) {
    let block = Block::detached("example", format!("{text}\n").into_bytes(), Timestamp(1_795_000_000_000_000));
    let batch = Parser::new(Options::default()).parse(block);
    let is_known = |row: &usize| ![dataset::TEXT, dataset::CONTINUATION].contains(&batch.datasets()[*row]);
    let row = (0..batch.rows()).rev().find(is_known).unwrap_or(0);
    let named = batch.text(field::EVENT_DATASET).and_then(|column| column.str(row)).unwrap_or_default().to_owned();
    let own = ["product", "category", "service"].map(|part| {
        let column = batch.text_named(&format!("logsource.{part}"));
        column.and_then(|column| column.str(row)).map(str::to_owned)
    });
    let dataset = batch.datasets().get(row).map(|id| Dataset::of(*id));
    let known = dataset.map_or([&[][..]; 3], |dataset| [dataset.products, dataset.categories, dataset.services]);
    let parts = ["product", "category", "service"].into_iter().zip(own).zip(known);
    let written = parts.filter_map(|((part, own), known)| {
        let words = own.unwrap_or_else(|| known.join("|"));
        (!words.is_empty()).then(|| format!("{part}: {words}"))
    });
    (named, written.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_read_as_what_it_is() {
        for known in readable() {
            assert!(!["unparsed", "text", ""].contains(&known.dataset.as_str()), "{known:?}");
            assert!(!known.documentation.is_empty(), "{known:?}");
        }
    }
}
