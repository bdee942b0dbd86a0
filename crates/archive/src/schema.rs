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
pub const OFFSET: &str = "log.offset";
/// Number of the line in its source, from 1.
pub const LINE: &str = "log.line";
/// When the line was received, or its file last written.
pub const INGESTED: &str = "event.ingested";
/// Which rules judge the event: the key of its row in the table of datasets.
pub const JUDGED_AS: &str = "c0di3.judged_as";
/// The template that makes the raw line of the other columns; absent where `event.original` holds the line.
pub const FORM: &str = "c0di3.form";
/// What values were in JSON, where they were no strings: `name=number;other=null`.
pub const JSON_TYPES: &str = "c0di3.json_types";
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
    let pair = Fields::from(vec![
        ArrowField::new(keys, DataType::Utf8, false),
        ArrowField::new(values, DataType::Utf8, true),
    ]);
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
    all.push(own(LABELS, labels_type()));
    all
}

/// The schema of an archive as a whole: a file lacks the columns that none of its events has.
pub fn whole() -> Arc<Schema> {
    Arc::new(Schema::new(columns()))
}

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
}
