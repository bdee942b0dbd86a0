//! Columns of the archive's files. Fields of the catalog have a column of their own with the catalog's type, in its order;
//! what else an event has stands in a map. Columns are added with time, and never change their type.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, Schema, TimeUnit};
use event::FieldType;
use event::catalog::FIELDS;

/// Number of the event in the order of commits, which no other event of the archive has.
pub const SEQUENCE: &str = "c0di3.sequence";
/// Id of the source: 32 hexadecimal digits.
pub const SOURCE_ID: &str = "c0di3.source.id";
/// The path, address or topic of the source, or the sender that it names.
pub const SOURCE_NAME: &str = "c0di3.source.name";
/// Byte offset of the line in its source.
pub const OFFSET: &str = "c0di3.offset";
/// Number of the line in its source, from 1.
pub const LINE: &str = "c0di3.line";
/// When the line was received, or its file last written.
pub const INGESTED: &str = "event.ingested";
/// Which rules judge the event: the key of its row in the table of datasets.
pub const JUDGED_AS: &str = "c0di3.judged_as";
/// The template that makes the raw line of the other columns; absent where `event.original` holds the line.
pub const FORM: &str = "c0di3.form";
/// What values were in JSON, where they were no strings: `name=number;other=null`.
pub const JSON_TYPES: &str = "c0di3.json_types";
/// What was taken out of the event before it was stored: names of fields, with commas between them. The raw line is then not byte
/// for byte the one that was received.
pub const REDACTED: &str = "c0di3.redacted";
/// Fields outside the catalog, and values that do not fit the type of their field.
pub const LABELS: &str = "labels";

/// The type of a column of the catalog.
pub(crate) fn type_of(kind: FieldType) -> DataType {
    match kind {
        FieldType::Keyword | FieldType::Ip => DataType::Utf8View,
        FieldType::Long => DataType::Int64,
        FieldType::Date => time_type(),
    }
}

/// Microseconds since 1970, UTC.
pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// Names of the entries of [`LABELS`].
pub(crate) const LABEL_FIELDS: [&str; 3] = ["entries", "keys", "values"];

fn labels_type() -> DataType {
    let [entries, keys, values] = LABEL_FIELDS;
    let pair =
        Fields::from(vec![ArrowField::new(keys, DataType::Utf8, false), ArrowField::new(values, DataType::Utf8, true)]);
    DataType::Map(Arc::new(ArrowField::new(entries, DataType::Struct(pair), false)), false)
}

/// All columns that a file can have, in their order.
pub fn columns() -> Vec<ArrowField> {
    let own = |name: &str, kind: DataType| ArrowField::new(name, kind, true);
    let mut all = vec![
        own(SEQUENCE, DataType::Int64),
        own(SOURCE_ID, DataType::Utf8View),
        own(SOURCE_NAME, DataType::Utf8View),
        own(OFFSET, DataType::Int64),
        own(LINE, DataType::Int64),
        own(INGESTED, time_type()),
        own(JUDGED_AS, DataType::Utf8View),
        own(FORM, DataType::Utf8View),
    ];
    all.extend(FIELDS.iter().map(|row| own(row.name, type_of(row.kind))));
    all.push(own(JSON_TYPES, DataType::Utf8View));
    all.push(own(REDACTED, DataType::Utf8View));
    all.push(own(LABELS, labels_type()));
    all
}

/// The schema of an archive as a whole: a file lacks the columns that none of its events has.
pub fn whole() -> Arc<Schema> {
    Arc::new(Schema::new(columns()))
}

/// What the archive's own columns mean, in their order.
const MEANINGS: [(&str, &str); 11] = [
    (SEQUENCE, "number of the event in the order of commits; no other event of the archive has it"),
    (SOURCE_ID, "id of the source, 32 hexadecimal digits: for files a hash of how they begin"),
    (SOURCE_NAME, "path, address or topic of the source, or the sender that it names"),
    (OFFSET, "byte offset of the line in its source"),
    (LINE, "number of the line in its source, from 1"),
    (INGESTED, "when the line was received, or its file last written"),
    (JUDGED_AS, "which rules judge the event: dataset, products, categories and services of its log source"),
    (FORM, "template that makes the raw line of the other columns; absent where `event.original` holds the line"),
    (JSON_TYPES, "what values were in JSON, where they were no strings: `name=number;other=null`"),
    (
        REDACTED,
        "names of fields that were changed or taken out before the event was stored, `event.original` among them where the raw line is not the one that was received; absent where nothing was",
    ),
    (LABELS, "fields outside the catalog, and values that do not fit the type of their field"),
];

/// Whether a column is the archive's own, and no field of an event.
pub(crate) fn is_own(name: &str) -> bool {
    MEANINGS.iter().any(|(own, _)| *own == name)
}

/// The documentation of the files, in Markdown: `schemas/events.md`.
pub fn document() -> String {
    let mut text = String::from(HEAD);
    for column in columns() {
        let own = MEANINGS.iter().find(|(name, _)| name == column.name()).map(|(_, meaning)| *meaning);
        let field = FIELDS.iter().find(|row| row.name == column.name()).map(|row| row.meaning);
        let kind = match column.data_type() {
            DataType::Int64 => "INT64",
            DataType::Timestamp(..) => "TIMESTAMP, microseconds, UTC",
            DataType::Map(..) => "MAP of text to text",
            _ => "text (UTF-8)",
        };
        text.push_str(&format!("| `{}` | {kind} | {} |\n", column.name(), own.or(field).unwrap_or("")));
    }
    text
}

const HEAD: &str = "# Events in the archive

Generated from the field catalog by a test of the crate `archive` (`UPDATE_SCHEMAS=1 cargo test -p archive`). Do not edit.

Parquet files, compressed with Zstandard, one folder for each kind of log and hour:
`dataset=http.access/date=2026-11-29/hour=10/NAME.parquet`. Which files exist is what the table `archive_files` of the store says (those
without `gone_at`); a file that it does not name is on its way into a commit, or left over. A file has the columns that any
of its events has a value in; columns are added with time and never change their type.

A form stands for a raw line: `{name}` is the value of that column (`{=name}` where the name begins with `@` or `=`), `{@access 0}` the time of the event in the style of access
logs for a clock so many minutes east of UTC (others are `syslog`, `iso` with the marks between its parts, digits of the
fraction and zone, and `epoch` with digits of the fraction), braces of the line are doubled. In `c0di3 hunt` the column `event.original`
always has the line.

| column | type | meaning |
|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let all = columns();
        let mut names: Vec<&str> = all.iter().map(|column| column.name().as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn the_documentation_is_that_of_the_columns() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/events.md");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            document(),
            "UPDATE_SCHEMAS=1 cargo test -p archive"
        );
        assert!(columns().iter().all(|column| {
            let name = column.name().as_str();
            FIELDS.iter().any(|row| row.name == name) || MEANINGS.iter().any(|(own, _)| *own == name)
        }));
    }
}
