//! What a group of rows must hold so that something can be found in it. Statistics and filters of a file tell that it holds
//! none of it; where they tell nothing, the rows are read. A group is left out only where no row of it can matter.

use std::fmt;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;

use crate::schema::{JSON_TYPES, LABELS};

/// A condition that rows of a group can meet, or not.
#[derive(Clone)]
pub enum Need {
    /// Nothing is known: there may be such a row.
    Unknown,
    /// All of these; any row where there are none.
    All(Vec<Need>),
    /// One of these; no row where there are none.
    Any(Vec<Need>),
    /// One of the columns has a value.
    Present(Vec<String>),
    /// One of the columns has one of the values, byte for byte.
    Value(Vec<String>, Vec<NeededValue>),
    /// The column has a value that passes: asked where a group has one value only.
    Passing(String, PassingTest),
}

/// A value that a column may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeededValue {
    /// As text; in a column of numbers, what it writes.
    Text(String),
    /// As a number; texts that write it are not looked for.
    Number(i64),
}

/// Whether a value can matter.
#[derive(Clone)]
pub struct PassingTest(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for PassingTest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PassingTest")
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Unknown => out.write_str("?"),
            Need::All(parts) => out.debug_tuple("all").field(parts).finish(),
            Need::Any(parts) => out.debug_tuple("any").field(parts).finish(),
            Need::Present(columns) => out.debug_tuple("present").field(columns).finish(),
            Need::Value(columns, values) => out.debug_tuple("value").field(columns).field(values).finish(),
            Need::Passing(column, _) => out.debug_tuple("passing").field(column).finish(),
        }
    }
}

impl Need {
    /// Whether the columns of a need for texts can hold one of them, whatever stands among the labels.
    pub(crate) fn may_hold_text<R: ChunkReader + 'static>(
        &self,
        group: &GroupFacts<'_, R>,
    ) -> Result<bool, ParquetError> {
        let Need::Value(columns, values) = self else { return Ok(true) };
        for column in columns {
            if let ValuesIn::Column(at) = group.column(column)
                && group.column_has_any(at, values)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a row of the group can meet it.
    pub(crate) fn may_hold<R: ChunkReader + 'static>(&self, group: &GroupFacts<'_, R>) -> Result<bool, ParquetError> {
        let any =
            |columns: &[String], test: &dyn Fn(usize) -> Result<bool, ParquetError>| -> Result<bool, ParquetError> {
                for column in columns {
                    let holds = match group.column(column) {
                        ValuesIn::Column(at) => test(at)?,
                        ValuesIn::Label => true,
                        ValuesIn::Absent => false,
                    };
                    if holds {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
        Ok(match self {
            Need::Unknown => true,
            Need::All(parts) => {
                for part in parts {
                    if !part.may_hold(group)? {
                        return Ok(false);
                    }
                }
                true
            }
            Need::Any(parts) => {
                for part in parts {
                    if part.may_hold(group)? {
                        return Ok(true);
                    }
                }
                false
            }
            Need::Present(columns) => any(columns, &|at| Ok(group.has_values(at)))?,
            Need::Value(columns, values) => any(columns, &|at| group.has_any(at, values))?,
            Need::Passing(column, test) => match group.column(column) {
                ValuesIn::Column(at) => group.only_text(at).is_none_or(|text| (test.0)(text)),
                ValuesIn::Label | ValuesIn::Absent => true,
            },
        })
    }
}

/// Where the values of a name are.
enum ValuesIn {
    Column(usize),
    /// Perhaps among the labels.
    Label,
    Absent,
}

/// What a file tells of one of its groups.
pub(crate) struct GroupFacts<'a, R: ChunkReader + 'static> {
    pub(crate) builder: &'a ParquetRecordBatchReaderBuilder<R>,
    pub(crate) group: usize,
}

impl<R: ChunkReader + 'static> GroupFacts<'_, R> {
    fn facts(&self) -> &RowGroupMetaData {
        self.builder.metadata().row_group(self.group)
    }

    fn column(&self, name: &str) -> ValuesIn {
        let mut columns = self.facts().columns().iter();
        let is_it = |parts: &[String]| matches!(parts, [only] if only == name);
        match columns.position(|column| is_it(column.column_path().parts())) {
            Some(at) => ValuesIn::Column(at),
            None => {
                let mut columns = self.facts().columns().iter();
                let has_labels =
                    columns.any(|column| column.column_path().parts().first().is_some_and(|first| first == LABELS));
                if has_labels { ValuesIn::Label } else { ValuesIn::Absent }
            }
        }
    }

    /// A value that does not fit the type of its column stands among the labels, under the same name.
    fn has_values(&self, at: usize) -> bool {
        let facts = self.facts();
        let nulls = facts.column(at).statistics().and_then(Statistics::null_count_opt);
        nulls.is_none_or(|nulls| nulls < facts.num_rows() as u64) || self.has_labels()
    }

    fn has_labels(&self) -> bool {
        self.facts()
            .columns()
            .iter()
            .any(|column| column.column_path().parts().first().is_some_and(|one| one == LABELS))
    }

    fn has_any(&self, at: usize, values: &[NeededValue]) -> Result<bool, ParquetError> {
        // A list is stored as its text, and its members are judged: statistics tell nothing of them.
        if self.has_labels() || matches!(self.column(JSON_TYPES), ValuesIn::Column(_)) {
            return Ok(true);
        }
        if !self.has_values(at) {
            return Ok(false);
        }
        self.column_has_any(at, values)
    }

    /// Whether the column may hold one of the values, by what the file says of it.
    fn column_has_any(&self, at: usize, values: &[NeededValue]) -> Result<bool, ParquetError> {
        let Some(statistics) = self.facts().column(at).statistics() else { return Ok(true) };
        let inside: Vec<&NeededValue> = values.iter().filter(|value| is_within(value, statistics)).collect();
        if inside.is_empty() {
            return Ok(false);
        }
        let Some(filter) = self.builder.get_row_group_column_bloom_filter(self.group, at)? else { return Ok(true) };
        let is_text = matches!(statistics, Statistics::ByteArray(_));
        Ok(inside.into_iter().any(|value| match value {
            NeededValue::Text(text) => !is_text || filter.check(&text.as_str()),
            NeededValue::Number(_) => true,
        }))
    }

    /// The text that every row has that has any.
    fn only_text(&self, at: usize) -> Option<&str> {
        let Some(Statistics::ByteArray(texts)) = self.facts().column(at).statistics() else { return None };
        let (first, last) = (texts.min_opt()?, texts.max_opt()?);
        let is_whole = texts.min_is_exact() && texts.max_is_exact() && first == last;
        is_whole.then(|| first.as_utf8().ok())?
    }
}

fn is_within(value: &NeededValue, statistics: &Statistics) -> bool {
    match (value, statistics) {
        (NeededValue::Text(text), Statistics::ByteArray(texts)) => {
            let (first, last) = (texts.min_opt(), texts.max_opt());
            let text = text.as_bytes();
            first.is_none_or(|first| first.data() <= text) && last.is_none_or(|last| text <= last.data())
        }
        (NeededValue::Number(number), Statistics::Int64(numbers)) => {
            let (first, last) = (numbers.min_opt(), numbers.max_opt());
            first.is_none_or(|first| first <= number) && last.is_none_or(|last| number <= last)
        }
        // A text beside numbers, or a number beside texts: what it writes can be written in several ways.
        _ => true,
    }
}
